"""Explaining: why a trial is in the answer, and how it fits the person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialindex.plugin.results import Hit, Match, Understanding
from trialindex.search.analysis import main_problem
from trialindex.search.closeness import Assessor, level
from trialindex.search.first_page import gives_placebo
from trialindex.search.participants import ParticipantChecker, Participants
from trialindex.search.question import Question
from trialindex.search.rankings import Candidate
from trialindex.search.requirements import Requirement, RequirementChecker
from trialindex.search.searcher import Searcher
from trialindex.search.sites import locate_cities, nearest_sites, sites_in, unplaced_addresses
from trialindex.search.words import content_words
from trialindex.trial import Trial
from trialindex.trial.passages import passages
from trialindex.trial.sentences import split_sentences

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.search.constraints import Constraints
    from trialindex.search.filters import Filters
    from trialindex.search.sites import Address
    from trialindex.storage.gazetteer import City
    from trialindex.storage.lexical import Lexical
    from trialindex.storage.records import Stored

LONGEST = 320
"""Characters of a match; more is cut at a word."""


def explain(
    candidates: Sequence[Candidate],
    by_num: Mapping[int, Stored],
    question: Question,
    searcher: Searcher,
    assessor: Assessor,
    *,
    first: int,
    contacts: bool,
) -> Iterator[Hit]:
    """The candidates as hits. One that was removed from the records since it was found is left out.

    :param by_num: the trials by their numbers.
    :param assessor: says how close a trial is.
    :param first: the rank of the first of them.
    :param contacts: leave the contacts in the trials.
    """
    question_words = QuestionWords(question, searcher.derived.lexical)
    shown = [by_num[candidate.num].trial for candidate in candidates if candidate.num in by_num]
    sites = (site for trial in shown for site in trial.sites) if question.filters.near else ()
    cities = locate_cities(unplaced_addresses(sites))
    requirements = RequirementChecker(question, searcher)
    takes = ParticipantChecker(question, note=searcher.settings.note_share(question.text) > 0)
    for rank, candidate in enumerate(candidates, start=first):
        stored = by_num.get(candidate.num)
        if stored is None:
            continue
        trial = stored.trial if contacts else stored.trial.masked()
        nearest = _nearest(trial, question.filters, cities)
        closeness = assessor.closeness(candidate, stored.trial)
        yield Hit(
            rank=rank,
            score=round(candidate.score, 6),
            parts=candidate.parts,
            trial=trial,
            level=level(closeness),
            closeness=round(closeness, 3),
            named=candidate.num in question.named.nums,
            match=match(stored.trial, candidate.passage, question_words),
            fits=question.person.fits(trial),
            cautions=(
                *(_ruled_out(one) for one in requirements.conflicts(stored.trial)),
                *_others(takes.misfit(stored.trial)),
                *cautions(stored.trial, question.understood, searcher.recognizer()),
                *placebo_caution(stored.trial, question.constraints),
            ),
            **nearest,
            first_seen=stored.first_seen,
            last_updated=trial.last_updated.date if trial.last_updated else None,
        )


def _nearest(trial: Trial, filters: Filters, cities: Mapping[Address, City]) -> dict[str, Any]:
    """What a hit says of where the trial can be joined."""
    if filters.near is not None:
        found = nearest_sites(trial.sites, filters.near, cities)
    elif filters.country:
        found = sites_in(trial.sites, filters.country)
    else:
        return {}
    joinable, closed = found.joinable, found.closed
    return {
        "nearest_site": joinable and joinable.site,
        "distance_km": joinable and joinable.distance_km,
        "precision": joinable and joinable.precision,
        "closed_site": closed and closed.site,
        "closed_km": closed and closed.distance_km,
        "unplaced_sites": found.unplaced,
    }


class QuestionWords:
    """The words of a question as the word index has them.

    :param lexical: the word index.
    """

    def __init__(self, question: Question, lexical: Lexical) -> None:
        self._lexical = lexical
        words = lexical.words
        self._own = set(words(" ".join(content_words(question.text)))) or set(words(question.text))
        names = {name for concept in question.understood.concepts for name in (concept.name, *concept.names)}
        self._names = [stems for stems in map(set, map(words, names)) if stems]
        self._all = self._own.union(*self._names)

    def held(self, text: str) -> set[str]:
        """Those that a text holds, and those of each name that it holds whole."""
        stems = self._lexical.held(self._all, text)
        return (self._own & stems).union(*(name for name in self._names if name <= stems))

    def among(self, held: set[str], text: str) -> tuple[str, ...]:
        """The words of a text that are some of those it holds, as it writes them, each once."""
        initials = {stem[0] for stem in held}
        written = dict.fromkeys(re.findall(r"[^\W_]+", text))
        likely = (word for word in written if word[0].lower() in initials or not word.isascii())
        return tuple(word for word in likely if not held.isdisjoint(self._lexical.words(word)))


def match(trial: Trial, position: int | None, question: QuestionWords) -> Match:
    """The part of the trial that matched, and the sentence of it that shares most words with the question.

    :param position: the passage found by its vector; without one the passage that shares most words is taken.
    """
    cut = list(passages(trial))
    if position is None or position >= len(cut):
        position = max(range(len(cut)), key=lambda p: len(question.held(cut[p].text)))
    part = cut[position].part
    texts = {
        "summary": [trial.summary or trial.description or ""],
        "inclusion criteria": list(trial.inclusion),
        "criteria": list(trial.other_criteria),
    }
    sentences = [sentence for text in texts.get(part, [trial.title]) for sentence in split_sentences(text)]
    best = max(sentences or [trial.title], key=lambda sentence: len(question.held(sentence)))
    held, text = question.held(best), _shorten(best)
    return Match(part=part, text=text, words=question.among(held, text))


def _ruled_out(requirement: Requirement) -> str:
    """Why a trial that asks for what the question rules out stands further down."""
    return f"It asks for {requirement.what}, which you ruled out: “{_shorten(requirement.where)}”"


def _others(found: Participants | None) -> tuple[str, ...]:
    """Why a trial that takes others stands further down."""
    return (f"It seems to be for {found.group}: “{_shorten(found.where)}”",) if found else ()


def cautions(trial: Trial, understood: Understanding, recognizer: ConceptRecognizer) -> tuple[str, ...]:
    """A sentence for each exclusion criterion that seems to name the main problem or, of somebody pregnant, pregnancy.

    A criterion that only negates the name ("no lupus nephritis") is left out. It is a comparison of words: whether the
    criterion applies to a person is for the study to say.
    """
    return tuple(_cautions(trial, understood, recognizer))


def placebo_caution(trial: Trial, constraints: Constraints) -> tuple[str, ...]:
    """A sentence, if the trial gives a placebo and none is wanted."""
    return ("Some who take part are given a placebo.",) if gives_placebo(trial) and not constraints.placebo else ()


def _cautions(trial: Trial, understood: Understanding, recognizer: ConceptRecognizer) -> Iterator[str]:
    problem = main_problem(understood)
    wanted = {name.casefold() for name in (problem.name, *problem.names)} if problem else set()
    for criterion in trial.exclusion:
        lowered = criterion.casefold()
        if any(name in lowered for name in wanted):
            named = [
                mention for mention in recognizer.find(criterion) if wanted & {n.casefold() for n in mention.names}
            ]
            if problem and any(not mention.negated for mention in named):
                yield f"An exclusion criterion names {problem.name}: “{_shorten(criterion)}”"
        elif understood.pregnant and "pregnan" in lowered:
            yield f"An exclusion criterion names pregnancy: “{_shorten(criterion)}”"


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"

"""From a question to an answer: read, find, fuse, explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialindex.errors import IndexDamaged, QueryError
from trialindex.plugin.interfaces import Reader, Reranker
from trialindex.plugin.proposals import Proposal, describe_proposals
from trialindex.plugin.results import Hit, Results
from trialindex.search.analysis import main_problem
from trialindex.search.candidates import best_candidates, named_first, search_depth
from trialindex.search.closeness import ABSENT, LOOK, Assessor, level
from trialindex.search.explain import explain
from trialindex.search.filters import Filters
from trialindex.search.first_page import joinable_first
from trialindex.search.question import Question, read_question
from trialindex.search.rankings import Candidate
from trialindex.search.reranking import rerank
from trialindex.search.retrieval import Beside, rank
from trialindex.search.searcher import Searcher
from trialindex.search.words import content_words, is_phrase
from trialindex.storage.info import describe_embedded
from trialindex.trial.sanitize import excerpt, replace_surrogates
from trialindex.trial.statuses import access

if TYPE_CHECKING:
    from trialindex.storage.records import Stored

_WORDS_READ = 3
"""Words that trials use, of a question that names nothing: fewer do not describe an illness."""
_LONGEST_SUBJECT = 80
"""Characters of what a question is about, in its own words."""


@dataclass(frozen=True)
class Page:
    """What is wanted of an answer.

    :param limit: hits a page.
    :param number: which page, from 1.
    :param contacts: leave the contacts in the trials.
    :param explained: say what was understood of the text.
    :param as_written: search for just what was typed.
    :param anyway: give hits also where nothing was understood of the text.
    :raises QueryError: a limit or a number below 1.
    """

    limit: int = 10
    number: int = 1
    contacts: bool = False
    explained: bool = False
    as_written: bool = False
    anyway: bool = False

    def __post_init__(self) -> None:
        if self.limit < 1 or self.number < 1:
            raise QueryError("limit, page and rerank depth start at 1.")

    @property
    def start(self) -> int:
        """How many hits come before the page."""
        return (self.number - 1) * self.limit


@dataclass(frozen=True)
class Reranking:
    """A model that puts the first trials in its own order.

    :param depth: how many trials it reads.
    :raises QueryError: a depth below 1.
    """

    reranker: Reranker
    depth: int

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise QueryError("limit, page and rerank depth start at 1.")


def search(
    searcher: Searcher,
    text: str,
    mode: str,
    filters: Filters,
    page: Page,
    reranking: Reranking | None = None,
    reader: Reader | None = None,
) -> Results:
    """The page of hits for *text*.

    :param reader: proposes what else to search for.
    :raises QueryError: an empty text, an unknown mode, or a filter that names what no trial of the index has.
    """
    with Beside(replace_surrogates(text), mode, searcher) as beside:
        question = read_question(searcher, text, mode, filters, as_written=page.as_written, reader=reader)
        found = _find(question, searcher, page.start + page.limit, reranking, beside)
    question, assessor, candidates = found.question, found.assessor, found.candidates
    shown = candidates[page.start : page.start + page.limit]
    others = [candidate.num for candidate in shown if candidate.num not in found.stored]
    stored = found.stored | {one.num: one for one in searcher.records.load(others)}
    hits = tuple(explain(shown, stored, question, searcher, assessor, first=page.start + 1, contacts=page.contacts))
    names_it, unread = _names_what_it_is_about(question, searcher), _is_unread(question, searcher)
    closest = assessor.best(candidates) if names_it or unread else 1.0
    nothing_understood = unread and level(closest) == "loose"
    if nothing_understood and not page.anyway:
        hits = tuple(hit for hit in hits if hit.named)
    names_nothing_held = names_it and closest < ABSENT
    problem = main_problem(question.understood)
    unembedded = searcher.count_unembedded()
    return Results(
        query=question.asked,
        mode=question.mode,
        filters=filters.words(),
        searched=found.size,
        total=len(searcher.records),
        unembedded=unembedded,
        page=page.number,
        limit=page.limit,
        hits=hits,
        generation=searcher.derived.generation,
        notes=(
            *_state_notes(question, searcher, unembedded),
            *_result_notes(question, found.size, candidates, page),
            *_place_notes(question, searcher),
            *_person_notes(question),
            *_interpretation_notes(question, searcher),
            *_proposal_notes(question),
        ),
        corrections=question.interpretation.corrections,
        readings=question.interpretation.readings,
        language=question.interpretation.language,
        named=question.named.told,
        ruled_out=question.interpretation.ruled_out,
        biomarkers=question.interpretation.biomarkers,
        constraints=question.constraints.told,
        reader=question.proposed.reader,
        proposals=_unnamed_proposals(question),
        open_hits=_open_hits(hits),
        understood=question.understood if page.explained else None,
        subject=problem.name if problem else excerpt(question.asked, _LONGEST_SUBJECT),
        nothing_about=nothing_understood or (names_nothing_held and not assessor.found_by_description),
        nothing_understood=nothing_understood,
    )


def ranked_ids(searcher: Searcher, text: str, mode: str, limit: int, reader: Reader | None = None) -> list[str]:
    """The ids of the first *limit* trials that :func:`search` gives, in its order: no more is read of most of them.

    :raises QueryError: as :func:`search` does.
    """
    with Beside(replace_surrogates(text), mode, searcher) as beside:
        question = read_question(searcher, text, mode, Filters(), reader=reader)
        found = _find(question, searcher, limit, beside=beside)
    return searcher.records.ids([candidate.num for candidate in found.candidates[:limit]])


@dataclass(frozen=True)
class _Found:
    """What was found for a question.

    :param question: with what each concept in it weighs.
    :param candidates: in the order of the answer.
    :param stored: those of them that were read, by their numbers.
    :param size: how many trials were ranked among.
    """

    question: Question
    assessor: Assessor
    candidates: Sequence[Candidate]
    stored: dict[int, Stored]
    size: int


def _find(
    question: Question,
    searcher: Searcher,
    wanted: int,
    reranking: Reranking | None = None,
    beside: Beside | None = None,
) -> _Found:
    """At least the first *wanted* trials, or all there are, in the order of the answer."""
    wanted = max(wanted, LOOK, 0 if reranking is None else reranking.depth)
    rankings = rank(question, searcher, search_depth(wanted, searcher.settings.depth), beside)
    candidates = best_candidates(rankings, searcher, wanted)
    if reranking is not None:
        candidates = rerank(question.text, candidates, reranking.reranker, reranking.depth, records=searcher.records)
    assessor = Assessor(rankings, searcher)
    candidates = named_first(question.named.nums, candidates)
    named = sum(candidate.num in question.named.nums for candidate in candidates)
    first = candidates[named : named + LOOK]
    try:
        stored = {one.num: one for one in searcher.records.load([candidate.num for candidate in first])}
    except IndexDamaged:  # a record that is damaged is an error where it is shown
        stored = {}
    if stored and question.mode == "hybrid" and reranking is None:
        candidates[named : named + LOOK] = joinable_first(first, stored, question.constraints, assessor)
    return _Found(rankings.question, assessor, candidates, stored, rankings.size)


def _open_hits(hits: Sequence[Hit]) -> int | None:
    """How many of the hits take people now; ``None`` if none of them states a status."""
    if all(hit.trial.status is None for hit in hits):
        return None
    return sum(access(hit.trial.status) == "open" and hit.trial.gone_since is None for hit in hits)


def _interpretation_notes(question: Question, searcher: Searcher) -> Iterator[str]:
    foreign = question.interpretation.language is not None and question.mode != "lexical"
    yield from question.interpretation.notes(multilingual=foreign and searcher.encoder().multilingual)


def _unnamed_proposals(question: Question) -> tuple[Proposal, ...]:
    """The proposals that are told of: what a text names itself is no news, unless they alone are searched for."""
    proposed = question.proposed
    if proposed.replaces:
        return proposed.proposals
    named = {name.casefold() for one in question.understood.concepts for name in (one.name, one.surface)}
    pairs = zip(proposed.proposals, proposed.concepts, strict=True)
    return tuple(one for one, concept in pairs if named.isdisjoint(map(str.casefold, (concept.name, *concept.names))))


def _proposal_notes(question: Question) -> Iterator[str]:
    yield from question.proposed.notes
    if said := describe_proposals(_unnamed_proposals(question)):
        yield f"{said}. These are words to search for, no diagnosis. To leave them out add --as-written."


def _names_what_it_is_about(question: Question, searcher: Searcher) -> bool:
    """Whether a trial about it would have to name it: an illness, or a name that no vocabulary knows.

    It cannot be said that no trial is about symptoms alone, a sentence that names nothing, or a note, which names much;
    nor of somebody healthy.
    """
    if not question.text or question.person.healthy or searcher.settings.note_share(question.text):
        return False
    problem = main_problem(question.understood)
    return is_phrase(question.text, named=False) if problem is None else problem.kind == "illness"


def _is_unread(question: Question, searcher: Searcher) -> bool:
    """Whether there is nothing in the text that can be asked for: no name, and hardly a word that trials use.

    Without vocabularies that cannot be told; the modes other than ``hybrid`` do without them.
    """
    if question.mode != "hybrid" or not question.text or question.understood.concepts or question.person.healthy:
        return False
    if question.interpretation.biomarkers or not len(searcher.recognizer()):
        return False
    words = searcher.derived.lexical.words(" ".join(content_words(question.text)))
    return len(searcher.derived.lexical.indexed_words(words)) < _WORDS_READ


def _state_notes(question: Question, searcher: Searcher, unembedded: int) -> Iterator[str]:
    if searcher.records.changed_after(searcher.derived.generation):
        yield "The index is being updated: the newest trials are not in this answer yet."
    if unembedded and question.mode != "lexical":
        how = "not in this answer" if question.mode == "vector" else "found by its words alone"
        held = describe_embedded(len(searcher.records), unembedded)
        yield f"So far the index holds the {held}: what is not embedded yet is {how}."


def _result_notes(question: Question, searched: int, found: Sequence[Candidate], page: Page) -> Iterator[str]:
    if not searched:
        yield "No trial in this index passes these filters: leave one out."
    elif not found and question.mode == "lexical":
        yield "No trial holds any of these words: try --mode hybrid."
    elif found and page.start >= len(found):
        yield "There are no more results: this page is past the last one."


def _person_notes(question: Question) -> Iterator[str]:
    if question.person.healthy:
        yield "Read in the text: healthy. Trials that take healthy people go up; it filters nothing."


def _place_notes(question: Question, searcher: Searcher) -> Iterator[str]:
    filters = question.filters
    if filters.near is not None:
        yield f"Distances are from {filters.near.name}."
    if unplaced := filters.unplaced(searcher.records):
        which = "trial is left out: none of its sites" if unplaced == 1 else "trials are left out: none of their sites"
        yield f"{unplaced:,} more {which} can be placed on the map. Without --within they are shown."

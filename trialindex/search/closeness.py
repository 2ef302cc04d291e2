"""How close a trial is to a question: a calibrated probability that a judge would call it relevant.

The rankings order trials and say nothing of how good the best one is. This logistic model weighs what speaks for a
trial by the few numbers of :data:`WEIGHTS`; ``benchmarks/closeness.py`` fits them and says how reliable they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from trialindex.concepts.tokens import natural_order, normalize
from trialindex.plugin.results import ConceptMention, Level
from trialindex.search.analysis import main_problem
from trialindex.search.rankings import Candidate, Rankings
from trialindex.search.searcher import Searcher
from trialindex.search.words import content_words, is_phrase, qualifying_words
from trialindex.trial import Trial

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer

_NO_COSINE = 0.45
"""What is taken where no vectors were compared: about the mean of first hits."""
LOOK = 10
"""How many trials are looked at before it is said that none is about the condition."""
_PROSE = 0.6
"""What a word that narrows a name down counts where only the prose of a trial has it."""
_NOT = (" not", " non")
_HEALTHY = 0.8
"""How close a trial that takes healthy people is to somebody healthy, who names no illness: a choice."""
_SHORT = 4
"""Letters: a shorter name is looked for as a concept alone, since it may be a word of its own."""


class Evidence(NamedTuple):
    """What speaks for a trial; each from 0 to 1 but for the cosine.

    :param cosine: of its nearest passage with the text.
    :param illness: whether the main problem is an illness, and no symptom.
    :param main: whether its names have the main problem: 1, or 0.5 where only its prose has it.
    :param named: the share of the question's concepts, by weight, that its names have.
    :param told: the share that its names or its prose have.
    :param qualified: the share that its names have of the words that narrow the concepts down, 1 without any; a word
        that only its prose has counts a part.
    :param words: the share that its names or its prose have of the other words, 1 without any; where the question names
        no concept, the share that its names have of all words.
    :param unnamed: whether the question names no concept, so that its words have to tell.
    :param phrase: whether the question is no sentence but a name.
    :param note: how much of a note the text is by its length.
    """

    cosine: float
    illness: float
    main: float
    named: float
    told: float
    qualified: float
    words: float
    unnamed: float
    phrase: float
    note: float


WEIGHTS = {
    "bias": -3.38,
    "cosine": 5.67,
    "illness": -1.46,
    "illness in names": 4.52,
    "illness in prose": -0.42,
    "illness in names, cosine": -5.30,
    "named": 2.11,
    "told": -0.39,
    "unqualified": -3.97,
    "phrase": 0.14,
    "words missing": -1.34,
    "unnamed": -0.43,
    "unnamed, cosine": 5.31,
    "unnamed, words": 1.62,
    "unnamed phrase": -1.72,
    "unnamed phrase, all words": 4.08,
    "note": 0.50,
    "note, cosine": 6.65,
    "note, main": 0.59,
    "note, main in prose": 0.49,
    "note, named": -0.04,
    "note, told": 0.51,
}
"""What each feature adds to the log odds."""
ABOUT, RELATED = 0.75, 0.2
"""The least closeness of a trial that is about the condition, and of one that is related."""
ABSENT = 0.3
"""Where the closest trial is less close to an illness that is named, it is said that none is about it."""
_DESCRIPTION, _ALIKE = 3, 0.44
"""Words beside the names from which a question describes what it asks about, and the cosine from which it is looked for
in what it describes: the name may be that of a symptom, or of what the person has besides.
"""


def features(evidence: Evidence) -> dict[str, float]:
    """What the model weighs, by name; between a question and a note interpolated linearly."""
    short, note = 1 - evidence.note, evidence.note
    named, unnamed = short * (1 - evidence.unnamed), short * evidence.unnamed
    main, prose = float(evidence.main == 1), float(evidence.main == 0.5)
    told = evidence.told - evidence.named
    illness, phrase = evidence.illness, evidence.phrase
    return {
        "bias": 1.0,
        "cosine": named * evidence.cosine,
        "illness": named * illness,
        "illness in names": named * illness * main,
        "illness in prose": named * illness * prose,
        "illness in names, cosine": named * illness * main * evidence.cosine,
        "named": named * evidence.named,
        "told": named * told,
        "unqualified": named * main * (1 - evidence.qualified),
        "phrase": named * phrase,
        "words missing": named * (1 - evidence.words),
        "unnamed": unnamed,
        "unnamed, cosine": unnamed * evidence.cosine,
        "unnamed, words": unnamed * evidence.words,
        "unnamed phrase": unnamed * phrase,
        "unnamed phrase, all words": unnamed * phrase * float(evidence.words == 1),
        "note": note,
        "note, cosine": note * evidence.cosine,
        "note, main": note * main,
        "note, main in prose": note * prose,
        "note, named": note * evidence.named,
        "note, told": note * told,
    }


def probability(evidence: Evidence) -> float:
    """The probability that a judge would call the trial relevant, from 0 to 1."""
    odds = sum(WEIGHTS[name] * value for name, value in features(evidence).items())
    return 1 / (1 + math.exp(-odds))


def level(closeness: float) -> Level:
    """In a word how close a trial is."""
    return "about" if closeness >= ABOUT else "related" if closeness >= RELATED else "loose"


class Assessor:
    """Says how close trials are to one question.

    :param rankings: of the question.
    """

    def __init__(self, rankings: Rankings, searcher: Searcher) -> None:
        question = rankings.question
        self._rankings = rankings
        self._records = searcher.records
        self._known: dict[int, float] = {}
        self._named = frozenset(question.named.nums)
        self._cosines = rankings.scores.get("vector")
        self._least = float(self._cosines.scores[-1]) if self._cosines else _NO_COSINE
        self._lexical = searcher.derived.lexical
        self._recognizer = searcher.recognizer()
        self._note = searcher.settings.note_share(question.text)
        concepts = [c for c in question.understood.concepts if c.role != "treatment"] or question.understood.concepts
        present = [concept for concept in concepts if concept.role != "history"] or concepts
        self._concepts = [(concept.weight, ConceptNames(concept)) for concept in present]
        self._main = next((ConceptNames(c) for c in present if c.role == "main problem"), None)
        self._qualifiers: set[str] = set()
        self._others: set[str] = set()
        if self._note < 1:  # of a note they count for nothing
            stems = self._lexical.words
            said = {stem for concept in question.understood.concepts for stem in stems(concept.surface)}
            if self._concepts:
                qualifying = qualifying_words(question.text, question.mentions, self._recognizer)
                self._qualifiers = set(stems(" ".join(qualifying))) - said
            self._others = set(stems(" ".join(content_words(question.text)))) - said - self._qualifiers
        problem = main_problem(question.understood)
        self._illness = float(problem is not None and problem.kind == "illness")
        self._healthy = question.person.healthy and not concepts
        self._phrase = float(is_phrase(question.text, named=bool(self._concepts)))

    def closeness(self, candidate: Candidate, trial: Trial) -> float:
        """The probability that a judge would call the trial relevant, from 0 to 1; of one that is named it is 1."""
        if candidate.num in self._named:
            return 1.0
        return self._assess(candidate.num, trial)

    def _assess(self, num: int, trial: Trial) -> float:
        if num not in self._known:
            fits = self._healthy and trial.healthy_volunteers
            self._known[num] = _HEALTHY if fits else probability(self.evidence(num, trial))
        return self._known[num]

    def best(self, candidates: Sequence[Candidate]) -> float:
        """The closeness of the closest trial: of the first candidates, and of those whose names match best.

        It stops at one that is close enough for nothing to be said.
        """
        nums = [candidate.num for candidate in candidates[:LOOK]]
        nums += [num for num in islice(self._rankings.scores.get("concepts", ()), LOOK) if num not in nums]
        best = max((self._known[num] for num in nums if num in self._known), default=0.0)
        for num in nums:
            if best >= ABSENT:
                break
            if num not in self._known:
                for stored in self._records.load_readable([num]):
                    self._assess(num, stored.trial)
            best = max(best, self._known.get(num, 0.0))
        return best

    @property
    def found_by_description(self) -> bool:
        """Whether the question describes more than it names, and a trial is alike by its meaning: that none is about
        the name says little then.
        """
        nearest = float(self._cosines.scores[0]) if self._cosines else 0.0
        return len(self._others) >= _DESCRIPTION and nearest >= _ALIKE

    def _least_cosine(self, num: int) -> float:
        """What is taken for a trial that is not among the nearest."""
        return _NO_COSINE if num in self._rankings.unembedded else self._least

    def evidence(self, num: int, trial: Trial) -> Evidence:
        """What speaks for one trial.

        :param num: its number in the rankings.
        """
        names = TrialNames(trial, self._recognizer)
        named = [concept.in_names(names) for _, concept in self._concepts]
        prose = ""
        if not (named and all(named)) or self._others or self._qualifiers:
            prose = " ".join((trial.summary or "", trial.description or "", *trial.inclusion)).casefold()
        told = [found or concept.in_prose(prose) for found, (_, concept) in zip(named, self._concepts, strict=True)]
        main = 0.0
        if self._main is not None:
            main = 1.0 if self._main.in_names(names) else 0.5 * self._main.in_prose(prose)
        words = self._others | self._qualifiers
        in_names = self._lexical.held(words, " ".join(names.texts)) if words else set()
        in_prose = self._lexical.held(words - in_names, prose)
        weights = [weight for weight, _ in self._concepts]
        return Evidence(
            cosine=self._cosines[num] if self._cosines and num in self._cosines else self._least_cosine(num),
            illness=self._illness,
            main=main,
            named=_share(weights, named),
            told=_share(weights, told),
            qualified=(
                (1 - _PROSE) * _held(self._qualifiers, in_names, empty=1.0)
                + _PROSE * _held(self._qualifiers, in_names | in_prose, empty=1.0)
            ),
            words=(
                _held(self._others, in_names | in_prose, empty=1.0)
                if self._concepts
                else _held(self._others, in_names, empty=0.0)
            ),
            unnamed=float(not self._concepts),
            phrase=self._phrase,
            note=self._note,
        )


def _held(words: set[str], held: set[str], *, empty: float) -> float:
    """The share of the words that are held; *empty* where there are none."""
    return len(words & held) / len(words) if words else empty


def _share(weights: Sequence[float], held: Sequence[bool]) -> float:
    total = sum(weights)
    if total <= 0:
        return sum(held) / len(held) if held else 0.0
    return sum(weight for weight, one in zip(weights, held, strict=True) if one) / total


class TrialNames:
    """What a trial calls itself and what it is about.

    :param texts: titles, conditions and keywords.
    :param phrases: the texts folded, also in natural order, each in a line with a space before and behind.
    """

    def __init__(self, trial: Trial, recognizer: ConceptRecognizer) -> None:
        self.texts = [trial.title, *filter(None, (trial.official_title, trial.acronym)), *trial.conditions]
        self.texts += [*(term.name for term in trial.normalized_conditions), *trial.keywords]
        self.phrases = "\n".join(f" {phrase} " for text in self.texts for phrase in _phrases(text))
        self._recognizer = recognizer

    @cached_property
    def meant(self) -> set[str]:
        """The medical names of the concepts in the texts, folded; looked for only where no phrase tells."""
        return {name for text in self.texts for name in self._recognizer.meanings(text)}


class ConceptNames:
    """The names of one concept of a question."""

    def __init__(self, concept: ConceptMention) -> None:
        names = {name for name in (concept.name, *concept.names) if name}
        keys = {normalize(name) for name in names}
        self._name = normalize(concept.name)
        self._phrases = [f" {key} " for key in keys if len(key) >= _SHORT]
        self._written = [name.casefold() for name in names if len(name) >= _SHORT]

    def in_names(self, names: TrialNames) -> bool:
        """Whether a trial is called by one of them, or by a name that holds one of them."""
        return any(_has(names.phrases, phrase) for phrase in self._phrases) or self._name in names.meant

    def in_prose(self, prose: str) -> bool:
        """Whether a text has one of them.

        :param prose: in small letters.
        """
        return any(name in prose for name in self._written)


def _has(text: str, phrase: str) -> bool:
    """Whether a text has a phrase, other than in *not celiac* or *non-small cell lung cancer*."""
    return phrase in text and any(not before.endswith(_NOT) for before in text.split(phrase)[:-1])


@lru_cache(4096)
def _phrases(text: str) -> tuple[str, ...]:
    plain, natural = normalize(text), natural_order(text)
    turned = plain if natural == text else normalize(natural)
    return (plain,) if plain == turned else (plain, turned)

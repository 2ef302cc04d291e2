"""Abbreviations: which of its meanings one has, by the words around it and by what the index holds.

*MS* beside *relapsing* is multiple sclerosis, beside *valve* mitral stenosis. Where nothing tells, each usual meaning
is kept, so that it can be searched for and said.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from trialindex.concepts.tokens import normalize_word
from trialindex.plugin.vocabulary_entries import Abbreviation

_TOKEN = re.compile(r"[^\W_]+")
_JOINS = re.compile(r"[-/&+. ]")
_MEASURE = re.compile(r"\s*(?:[:=]|\b(?:is|was|of)\b)\s*(?:about |around )?\d")
_UNITS = frozenset(
    {
        "mg",
        "mm",
        "ms",
        "mcg",
        "ml",
        "dl",
        "ng",
        "pg",
        "kg",
        "cm",
        "hr",
        "hrs",
        "min",
        "wk",
        "mo",
        "yr",
        "pt",
        "pts",
        "bpm",
        "iu",
        "cc",
        "mv",
        "ma",
        "gm",
        "lb",
        "oz",
        "ft",
    }
)
"""What an abbreviation in small letters is after a number: ``500 mg``."""
_LONGEST = 4
"""Tokens of the longest abbreviation: ``ME/CFS``, ``R/R MM``."""
_DOMINANCE = 10.0
"""How many times as many trials one meaning needs as any other to be taken when the question does not tell."""
_CONTEXT = 2.0
"""What a phrase that speaks for a meaning adds to the logarithm of its odds."""
_RARITY = 0.7
"""What it loses for the logarithm of its place among the meanings."""
_EVIDENCE = 0.7
"""By how much the logarithm of the odds of one meaning has to be greater than that of any other."""
_SMOOTHING = 10.0
"""Trials that each meaning is given besides those that name it."""
_HELD = 5
"""What a trial of the index counts beside one of the registry by which the vocabulary knows how usual a meaning is."""
_MOST_TOLD = 1.5
"""What one word can add to the logarithm of the odds."""
_ENOUGH = 10_000
"""Trials of an index in which a single one about a meaning tells something of it; in a smaller index it takes more."""
_COMMON = 0.2
"""Share of the trials above which a word tells nothing."""
_WORDS = 8
"""Words beside an abbreviation that are looked up in the index to tell its meanings apart."""
_REACH = 100
"""Characters on each side in which a phrase speaks for a meaning."""
_MOST = 3
"""Meanings that are searched for when nothing tells which one it is."""
_SEARCHABLE = frozenset({"disease", "symptom"})
"""Kinds of meaning that somebody can ask about with nothing else said."""


class Reading(NamedTuple):
    """An abbreviation where it stands in a text, with what it can mean here.

    :param start: where it begins in the text, in characters.
    :param end: where it ends.
    :param meanings: the one it has, or several when that cannot be told; best first.
    :param others: what else it is short for.
    """

    start: int
    end: int
    meanings: tuple[Abbreviation, ...]
    others: tuple[Abbreviation, ...]


class TrialCounts(Protocol):
    """What an index holds, as far as a question needs to know to be read."""

    def __len__(self) -> int:
        """How many trials there are."""

    def count(self, name: str = "", word: str = "") -> int:
        """How many trials have every word of *name* among their titles and conditions, and *word* anywhere."""


@dataclass(frozen=True)
class _Found:
    """An abbreviation that was found, before it is known what it means."""

    start: int
    end: int
    senses: Sequence[Abbreviation]
    in_compound: bool


class AbbreviationReader:
    """Reads abbreviations.

    :param abbreviations: of several meanings of one, the commonest first.
    """

    def __init__(self, abbreviations: Iterable[Abbreviation]) -> None:
        self._senses: defaultdict[str, list[Abbreviation]] = defaultdict(list)
        for one in abbreviations:
            self._senses[one.short.casefold()].append(one)

    def __len__(self) -> int:
        """How many abbreviations there are."""
        return len(self._senses)

    def read(self, text: str, counts: TrialCounts | None = None) -> list[Reading]:
        """The abbreviations of *text*, in order.

        One whose meaning is written beside it, *CKD (chronic kidney disease)*, needs no reading and is left out.

        :param counts: of the index that is asked, for when the words around do not tell.
        """
        found = list(self._find(text))
        context = _Context(text, found)
        readings = []
        for one in found:
            if (reading := self._choose(one, context, counts)) is not None:
                readings.append(reading)
        return readings

    def _find(self, text: str) -> Iterator[_Found]:
        tokens = list(_TOKEN.finditer(text))
        at = 0
        while at < len(tokens):
            for end in range(min(at + _LONGEST, len(tokens)), at, -1):
                start, stop = tokens[at].start(), tokens[end - 1].end()
                if end > at + 1 and not all(
                    _JOINS.fullmatch(text[left.end() : right.start()])
                    for left, right in zip(tokens[at:end], tokens[at + 1 : end], strict=False)
                ):
                    continue
                written = text[start:stop]
                senses = self._written(written, text, start, stop)
                if senses:
                    yield _Found(start, stop, senses, end == at + 1 and _in_compound(text, start, stop))
                    at = end
                    break
            else:
                at += 1

    def _written(self, written: str, text: str, start: int, end: int) -> list[Abbreviation]:
        """The meanings that what is written can have by its letters."""
        senses = self._senses.get(written.casefold())
        plural = False
        if senses is None and len(written) > 3 and written.endswith("s") and written[:-1].isupper():  # PVCs
            senses, plural = self._senses.get(written[:-1].casefold()), True
        if not senses:
            return []
        if written.casefold() in _UNITS and not written.isupper() and re.search(r"\d\s*$", text[:start]):
            return []
        letters = [c for c in written if c.isalpha()]
        upper = plural or (all(c.isupper() for c in letters) and not _in_capitals(text))
        title = len(letters) > 1 and letters[0].isupper() and all(c.islower() for c in letters[1:])
        return [
            sense
            for sense in senses
            if (written == sense.short and (sense.case != "upper" or not _in_capitals(text)))
            or (sense.case == "any" and not (title and len(letters) == 2))
            or (sense.case == "upper" and upper)
        ]

    def _choose(self, found: _Found, context: _Context, counts: TrialCounts | None) -> Reading | None:
        senses = list(found.senses)
        if any(context.names(sense) for sense in senses):
            return None
        if len(senses) == 1:
            chosen = senses
        else:
            evidence = {sense: _CONTEXT * context.weight(sense, senses, found) for sense in senses}
            if context.measures(found):
                evidence |= {sense: weight + _CONTEXT for sense, weight in evidence.items() if sense.kind == "finding"}
            if found.in_compound and len(senses[0].short) < 3 and not any(evidence.values()):
                return None
            chosen = _choose_senses(evidence, context.around(found), counts)
        if not chosen:
            return None
        others = tuple(sense for sense in senses if sense not in chosen)
        return Reading(found.start, found.end, tuple(chosen), others)


def _choose_senses(
    evidence: Mapping[Abbreviation, float], words: Sequence[str], counts: TrialCounts | None
) -> list[Abbreviation]:
    """The meaning for which by far the most speaks, or else the usual ones of those that the index holds.

    :param evidence: what the words around say for each meaning, the commonest first.
    """
    trials = dict.fromkeys(evidence, 0)
    if counts is not None and len(counts):
        trials = {sense: counts.count(sense.name) for sense in evidence}
        likelihoods = _likelihoods(trials, words, counts)
        evidence = {sense: weight + likelihoods[sense] for sense, weight in evidence.items()}
    if any(evidence.values()):
        odds = {sense: weight - _RARITY * math.log(rank) for rank, (sense, weight) in enumerate(evidence.items(), 1)}
        best, second = sorted(odds, key=lambda sense: -odds[sense])[:2]
        if odds[best] - odds[second] > _EVIDENCE:
            return [best]
    possible = [(rank, sense) for rank, sense in enumerate(evidence, 1) if sense.kind in _SEARCHABLE]
    usual = {sense: (_SMOOTHING + sense.trials + _HELD * trials[sense]) / rank for rank, sense in possible}
    most = max(usual.values(), default=0.0)
    return sorted((s for s in usual if usual[s] * _DOMINANCE > most), key=lambda sense: -usual[sense])[:_MOST]


def _likelihoods(
    trials: Mapping[Abbreviation, int], words: Sequence[str], counts: TrialCounts
) -> dict[Abbreviation, float]:
    """The log of how much likelier the words of the question are beside each meaning than anywhere, in the index.

    Naive Bayes, where a meaning's few trials are smoothed by all trials, and a word that they lack tells nothing.
    """
    found = dict.fromkeys(trials, 0.0)
    for word in words:
        everywhere = counts.count(word=word) / len(counts)
        if not 0 < everywhere < _COMMON:
            continue
        for sense, number in trials.items():
            if number >= max(1, _ENOUGH // len(counts)):
                together = (counts.count(sense.name, word) + _SMOOTHING * everywhere) / (number + _SMOOTHING)
                found[sense] += min(max(math.log(together / everywhere), 0.0), _MOST_TOLD)
    return found


class _Context:
    """What a text says beside an abbreviation."""

    def __init__(self, text: str, found: Sequence[_Found]) -> None:
        self._text = text
        self._written = {match.start(): match[0] for match in _TOKEN.finditer(text)}
        self._words = [(at, _stem(word)) for at, word in self._written.items()]
        self._plain = f" {' '.join(word for _, word in self._words)} "
        for one in found:  # what stands beside it is in other words what the abbreviation beside it means
            if len(one.senses) == 1:
                self._words += [(one.start, word) for word in _stems(one.senses[0].name)]

    def names(self, sense: Abbreviation) -> bool:
        """Whether the text has the meaning in full."""
        return f" {' '.join(_stems(sense.name))} " in self._plain

    def measures(self, found: _Found) -> bool:
        """Whether a number follows, as after what is measured: ``BP: 130/80``."""
        return bool(_MEASURE.match(self._text, found.end))

    def around(self, found: _Found) -> list[str]:
        """The words nearest to an abbreviation."""
        beside = [at for at, word in self._written.items() if not found.start <= at < found.end and len(word) > 2]
        nearest = sorted(beside, key=lambda at: abs(at - found.start))[:_WORDS]
        return list(dict.fromkeys(self._written[at].casefold() for at in sorted(nearest)))

    def weight(self, sense: Abbreviation, senses: Sequence[Abbreviation], found: _Found) -> float:
        """How much speaks for a meaning: each phrase of its context, less when it speaks for others too."""
        total = 0.0
        for phrase in {*sense.context, *_name_words(sense)}:
            if self._says(phrase, found):
                sharing = sum(phrase in other.context or phrase in _name_words(other) for other in senses)
                total += (1.0 if phrase in sense.context else 0.8) * len(phrase.split()) ** 0.5 / max(1, sharing)
        return total

    def _says(self, phrase: str, found: _Found) -> bool:
        words = _stems(phrase)
        near = [w for at, w in self._words if at != found.start and abs(at - found.start) < _REACH]
        if len(words) == 1:
            return any(_alike(word, words[0]) for word in near)
        return f" {' '.join(words)} " in f" {' '.join(near)} "


def _name_words(sense: Abbreviation) -> list[str]:
    """The words of a meaning's name that say something."""
    return [word for word in re.findall(r"[^\W\d_]{4,}", sense.name.casefold()) if word not in _PLAIN_WORDS]


_PLAIN_WORDS = frozenset(
    {
        "disease",
        "disorder",
        "syndrome",
        "with",
        "type",
        "acute",
        "chronic",
        "severe",
        "primary",
        "secondary",
        "deficiency",
        "infection",
        "injury",
    }
)


def _stems(text: str) -> list[str]:
    return [_stem(match[0]) for match in _TOKEN.finditer(text)]


def _stem(word: str) -> str:
    return normalize_word(word)


def _alike(one: str, other: str) -> bool:
    """Whether two words are forms of one: *transplant*, *transplanted*."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) == 4:
        return long.startswith(short) and long[4:] in {"y", "ed", "ing", "er"}
    return len(short) >= 5 and long.startswith(short[: max(5, len(short) - 2)]) and len(long) - len(short) <= 4


def _in_compound(text: str, start: int, end: int) -> bool:
    """Whether what stands there is half of a name such as ``AR-V7``."""
    return bool(re.search(r"[^\W_]-$", text[:start]) or re.match(r"-[^\W_]", text[end:]))


def _in_capitals(text: str) -> bool:
    """Whether everything is in capitals, so that capitals say nothing."""
    return text.isupper() and any(len(word) > 5 and word.isalpha() for word in text.split())

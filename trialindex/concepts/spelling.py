"""Typing errors: which word was meant by one that no vocabulary, no index and no everyday English knows.

Candidates are the words of the vocabularies and of the index that are a few errors away: a letter more, less or
another, or two that changed places (optimal string alignment). Of these the one is taken that costs least. Slips to the
next key and letters that sound alike cost less than others; a word that many trials use is likelier, and so is one that
makes a name together with its neighbours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from trialindex.concepts.tokens import fold_letters
from trialindex.concepts.typing_errors import has_same_start, is_inflection, is_other_form, near_words, weigh_errors
from trialindex.concepts.word_lists import POSSESSIVE, SHORTEST, WORD, WordLists

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer

QUOTED = re.compile(r'"[^"]*"|“[^”]*”|«[^»]*»|„[^“”]*[“”]')
"""What somebody insists on."""
_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*")
_BEFORE_NAME = re.compile(
    r"\b(?:dr|mr|mrs|ms|miss|prof|professor|doctor|nurse|name is|named|called|in|near|from|at)\.?\s+$", re.IGNORECASE
)
"""What stands before the name of a person or a place."""
_MOST_WORDS = 20
"""A text with more unknown words is left as it is: it is in no language that is known here."""
_COMPARED = 30
"""Candidates that are looked at closely."""
_PAIRED = 8
"""Candidates of each of two unknown words that are tried together."""
_NEAR = 60
"""Characters on each side in which a word can make a name with others."""
_NAME_BONUS = 0.6
"""What a candidate gains that makes a name of several words with its neighbours."""
_CONCEPT_BONUS = 0.25
"""What one gains that is a name by itself."""
_FREQUENCY = 0.07
"""What one gains for the logarithm of the number of trials that use it."""
_MOST_COST = 1.7
"""What a candidate may cost."""
_RARE = 1e-4
"""Share of the trials below which a word of the index may itself be a typing error there."""
_ONE = 1.2
"""What one error weighs at most: more in the first letter."""
_COMMONER = 20
"""How many times as many trials must use the word that was meant then."""


class IndexWords(Protocol):
    """The words of an index, as far as they tell typing errors."""

    def __len__(self) -> int:
        """How many trials there are."""

    def trials_with(self, word: str) -> int:
        """How many trials use a word, in any of its forms."""

    def is_written(self, word: str) -> bool:
        """Whether a trial uses a word in this very form, among those that use it most."""

    def alike(self, word: str) -> list[str]:
        """Words that several trials use and that begin like *word*, at most two errors away."""


class Misspelling(NamedTuple):
    """A word that is none: where it stands in the text, and the word that was meant."""

    start: int
    end: int
    meant: str


class Speller:
    """Finds typing errors.

    :param lists: the words that are none.
    :param recognizer: knows which words make a name.
    :param translate: what a folded word of another language is in English, if it is an illness.
    """

    def __init__(self, lists: WordLists, recognizer: ConceptRecognizer, translate: Callable[[str], str | None]) -> None:
        self._lists = lists
        self._recognizer = recognizer
        self._translate = translate

    def misspellings(self, text: str, index: IndexWords | None = None) -> list[Misspelling]:
        """The typing errors of *text* for which it is clear what was meant, in order.

        A word between quotation marks, in capitals, with a digit or in an address is left alone, and so is the name of
        a person or a place as far as it can be told.

        :param index: its words are no errors, may be what was meant, and are the likelier the more trials use them.
        """
        unknown = [word for word in self._unknown(text) if not _is_used(word.folded, index)]
        if len(unknown) > _MOST_WORDS:
            return []
        candidates = {word: self._candidates(word, index) for word in unknown}
        names = self._names(text, unknown, candidates)
        found = []
        read: dict[_Unknown, str] = {}
        for word in unknown:
            meant = self._choose(word, candidates[word], names, index)
            written = self._translate(word.folded)
            if written is None:
                written = self._split(word.folded) if meant is None else self._lists.written.get(meant, meant)
            if written is not None:
                found.append(Misspelling(word.start, word.end, _capitalise(text[word.start : word.end], written)))
                read |= {word: meant} if meant else {}
        return sorted([*found, *self._beside(text, unknown, read)])

    def _beside(self, text: str, unknown: Sequence[_Unknown], read: Mapping[_Unknown, str]) -> Iterator[Misspelling]:
        """English words that are one error from making a name with a typing error beside them: *irriatble bower*.

        A word that other names have is left alone: *hip cancre* is no lip cancer.
        """
        quoted = [match.span() for match in QUOTED.finditer(text)] if read else []
        for match in WORD.finditer(text) if read else ():
            start, end = match.span()
            word = _Unknown(start, end, fold_letters(match[0]), derived=False)
            if len(word.folded) < SHORTEST or not match[0][1:].islower() or any(one.start == start for one in unknown):
                continue
            if any(first <= start < last for first, last in quoted) or self._lists.is_medical(word.folded):
                continue
            for error, meant in read.items():
                between = text[error.end : start] if error.start < start else text[end : error.start]
                if between not in (" ", "-") or self._makes_name(text, _in_order({word: match[0], error: meant})):
                    continue
                near = near_words(word.folded, self._lists.vocabulary.by_length, 1)
                names = [one for one in near if self._makes_name(text, _in_order({word: one, error: meant}))]
                if names:
                    best = min(names, key=lambda other: (weigh_errors(word.folded, other), other))
                    yield Misspelling(start, end, _capitalise(match[0], self._lists.written.get(best, best)))
                    break

    def _unknown(self, text: str) -> Iterator[_Unknown]:
        """The words that no list has."""
        kept = [match.span() for pattern in (QUOTED, _ADDRESS) for match in pattern.finditer(text)]
        for match in WORD.finditer(text):
            start, written = match.start(), POSSESSIVE.sub("", match[0])
            folded = fold_letters(written)
            if len(folded) < SHORTEST or not folded.isascii() or self._lists.knows(folded):
                continue
            if any(first <= start < last for first, last in kept) or _is_joined(text, start, match.end()):
                continue
            if any(letter.isupper() for letter in written[1:]) and not text.isupper():  # an abbreviation
                continue
            if written.istitle() and _BEFORE_NAME.search(text, max(0, start - 15), start):
                continue
            yield _Unknown(start, start + len(written), folded, self._lists.is_derived(folded))

    def _candidates(self, word: _Unknown, index: IndexWords | None) -> list[_Candidate]:
        """The words that may have been meant, the likeliest first as far as that can be told without the text."""
        found = self._compared(word.folded, near_words(word.folded, self._lists.vocabulary.by_length), index)
        if index is None:
            return found
        used = index.trials_with(word.folded)
        if used and index.is_written(word.folded):  # rare beside a word that is common: an error there too
            return [one for one in found if one.errors <= _ONE and index.trials_with(one.word) >= _COMMONER * used]
        return found or ([] if used else self._compared(word.folded, index.alike(word.folded), index))

    def _compared(self, word: str, others: Iterable[str], index: IndexWords | None) -> list[_Candidate]:
        weighed = []
        for other in others:
            if not is_other_form(word, other) and not is_inflection(word, other):
                errors = weigh_errors(word, other)
                weighed.append((errors - self._gain(other, index), errors, other))
        return [_Candidate(*one, self._kind(one[-1])) for one in sorted(weighed)[:_COMPARED]]

    def _gain(self, word: str, index: IndexWords | None) -> float:
        return 0.0 if index is None else _FREQUENCY * math.log1p(index.trials_with(word))

    def _kind(self, word: str) -> _Kind:
        written = self._lists.written.get(word, word)
        kinds = {
            concept.kind
            for mention in self._recognizer.find(written)
            if not mention.general
            for concept in mention.concepts
        }
        return "drug" if "drug" in kinds else "concept" if kinds else "word"

    def _names(
        self, text: str, unknown: Sequence[_Unknown], candidates: dict[_Unknown, list[_Candidate]]
    ) -> set[tuple[_Unknown, str]]:
        """The candidates that make a name with their neighbours, of which another may be unknown too."""
        found = {
            (word, one.word) for word in unknown for one in candidates[word] if self._makes_name(text, {word: one.word})
        }
        for first, second in combinations(unknown, 2):
            if second.start - first.end < _NEAR:
                for one, other in product(candidates[first][:_PAIRED], candidates[second][:_PAIRED]):
                    if self._makes_name(text, {first: one.word, second: other.word}):
                        found |= {(first, one.word), (second, other.word)}
        return found

    def _makes_name(self, text: str, words: dict[_Unknown, str]) -> bool:
        """Whether these words are all parts of one name of several words where they would stand."""
        at = max(0, min(words).start - _NEAR)
        around = ""
        spans = []
        for word, meant in words.items():
            around += text[at : word.start]
            spans.append((len(around), len(around) + len(meant)))
            around += meant
            at = word.end
        around += text[at : at + _NEAR]
        own = spans[-1][1] - spans[0][0]
        return any(
            mention.start <= spans[0][0]
            and spans[-1][1] <= mention.end
            and (len(spans) > 1 or mention.end - mention.start > own + 1)
            for mention in self._recognizer.find(around)
        )

    def _choose(
        self,
        word: _Unknown,
        candidates: Iterable[_Candidate],
        names: set[tuple[_Unknown, str]],
        index: IndexWords | None,
    ) -> str | None:
        """What was meant by a word, if that is likely enough."""
        costs = []
        for one in candidates:
            kind: _Kind = "name" if (word, one.word) in names else one.kind
            if one.errors <= _tolerance(word, one.word, kind):
                costs.append((one.cost - _BONUS[kind], one.word))
        cost, meant = min(costs, default=(math.inf, None))
        if meant is None or cost >= _MOST_COST or self._everyday_cost(word.folded, index) <= cost:
            return None
        return meant

    def _split(self, word: str) -> str | None:
        """The name of two words that were written as one: *breastcancer*."""
        for cut in range(SHORTEST, len(word) - SHORTEST + 1):
            first, second = word[:cut], word[cut:]
            if first in self._lists.vocabulary and second in self._lists.vocabulary:
                name = f"{first} {second}"
                if any(len(mention.text) == len(name) for mention in self._recognizer.find(name)):
                    return name
        return None

    def _everyday_cost(self, word: str, index: IndexWords | None) -> float:
        """What it costs to read the nearest everyday word, which would be nothing to search for."""
        near = (one for one in near_words(word, self._lists.everyday.by_length, 1) if one not in self._lists.vocabulary)
        return min((weigh_errors(word, one) - self._gain(one, index) for one in near), default=math.inf)


_Kind = Literal["name", "concept", "drug", "word"]
_BONUS: dict[_Kind, float] = {"name": _NAME_BONUS, "concept": _CONCEPT_BONUS, "drug": _CONCEPT_BONUS, "word": 0.0}


class _Unknown(NamedTuple):
    """A word that no list has.

    :param folded: the word, folded.
    :param derived: whether one has it without a syllable before it.
    """

    start: int
    end: int
    folded: str
    derived: bool


class _Candidate(NamedTuple):
    """A word that may have been meant.

    :param cost: the weight of the errors, less what speaks for the word.
    :param errors: their weight.
    :param word: folded.
    :param kind: what it is by itself.
    """

    cost: float
    errors: float
    word: str
    kind: _Kind


def _is_used(word: str, index: IndexWords | None) -> bool:
    """Whether an index has a word so often that it is no error."""
    if index is None:
        return False
    used = index.trials_with(word)
    return used > _RARE * len(index) and index.is_written(word)


def _tolerance(word: _Unknown, meant: str, kind: _Kind) -> float:
    """How much the errors may weigh: little in a short word, which is near to many, and for one that names nothing.

    Drugs differ from each other by two letters, so that two errors may be another drug.
    """
    length, same_start = len(word.folded), has_same_start(word.folded, meant)
    if kind == "name":
        return (
            1.4 if length < 4 or (length < 5 and not same_start) else 2.1 if length < 5 else 2.4 if length < 11 else 3.0
        )
    if length < 4 or len(meant) < 4:
        return 0.0
    if word.derived or (kind == "word" and (length < 6 or not same_start)):
        return 0.0
    if kind == "word" or length < 5 or (kind == "drug" and length < 10) or (not same_start and length < 9):
        return 1.25
    return 2.3 if length < 11 else 2.8


def _in_order(words: Mapping[_Unknown, str]) -> dict[_Unknown, str]:
    return dict(sorted(words.items()))


def _is_joined(text: str, start: int, end: int) -> bool:
    """Whether a word is part of something that is no word, such as the name of a file or ``CD20``."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return before in set("_/\\#") or after in set("_\\") or before.isdigit() or after.isdigit()


def _capitalise(typed: str, meant: str) -> str:
    """The word that was meant, with a capital if one was typed."""
    return meant[:1].upper() + meant[1:] if typed[:1].isupper() else meant

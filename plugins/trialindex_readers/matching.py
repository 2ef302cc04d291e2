"""Which findings a text names, and which it denies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trialindex.concepts.context import Context
from trialindex.concepts.tokens import Words, read_words
from trialindex_readers.findings import DENIALS, STOP_WORDS, Table, stem
from trialindex_readers.numbers import read_numbers

_FAMILY = frozenset(("family", "relative", "parent", "sibling"))
"""A name with one of these is a finding of the patient: *family history of tremor*."""
_SENTENCE_ENDS = frozenset("|\n¶")
_WITHIN = frozenset(" -/.,")
"""What may lie between two words of one name."""
_LONGEST = 100
"""Words of a sentence."""
_SPREAD = 8
"""Words that may stand between those of one name, if it does not stand in the text as it is listed."""
_PART = 0.65
"""How much of a name must stand there: the share of its stems, each by how rare it is in names."""


@dataclass(frozen=True)
class Found:
    """A finding in a text.

    :param finding: its number in the table.
    :param words: the places of the words that name it.
    :param denied: the text says that it is absent.
    :param share: how much of its name stands there.
    """

    finding: int
    words: frozenset[int]
    denied: bool = False
    share: float = 1.0


def find_findings(text: str, table: Table, age: float | None = None, sex: str | None = None) -> list[Found]:
    """What a text tells of the patient: names of findings, numbers that read as one, and what these add up to.

    What is a relative's is left out. Several findings may share words: *tremor at rest* names a tremor too.

    :param age: of the patient in years, if known.
    :param sex: ``FEMALE`` or ``MALE``, if known.
    """
    words = read_words(text)
    exact = list(_exact(words, table))
    said = Context(words, list(_spans(exact, words))).words
    read = [Found(number.finding, frozenset(number.words)) for number in read_numbers(text, words, table, age, sex)]
    found: dict[tuple[int, bool], Found] = {}
    scattered = sorted(_scattered(words, table), key=lambda one: -one[2])
    for finding, places, share in (*((*one, 1.0) for one in exact), *scattered):
        keys = {words.keys[at] for at in places}
        if keys & _FAMILY or not any(said[at].family for at in places):
            denied = any(said[at].negated for at in places) and not keys & DENIALS
            read.append(Found(finding, frozenset(places), denied, share))
    for one in read:
        found.setdefault((one.finding, one.denied), one)
    there = {one.finding: one for one in found.values() if not one.denied}
    for finding, parts, youngest, oldest in table.compounds:
        if (
            finding not in there
            and all(part in there for part in parts)
            and ((youngest, oldest) == (0.0, 200.0) or (age is not None and youngest <= age <= oldest))
        ):
            there[finding] = Found(finding, frozenset().union(*(there[part].words for part in parts)))
    return [*there.values(), *(one for one in found.values() if one.denied and one.finding not in there)]


def _exact(words: Words, table: Table) -> Iterator[tuple[int, range]]:
    """Names that stand there word by word: the finding, and the places of its words."""
    keys = words.keys
    for start in range(len(keys)):
        if keys[start] not in table.first_words:
            continue
        name = ""
        for end in range(start, min(start + table.longest, len(keys))):
            if end > start and words.gaps[end] not in _WITHIN:
                break
            name = f"{name} {keys[end]}" if name else keys[end]
            if (finding := table.names.get(name)) is not None:
                yield finding, range(start, end + 1)


def _spans(exact: Iterable[tuple[int, range]], words: Words) -> Iterator[tuple[int, int, bool]]:
    """The longest names, without overlap: what denies something within one, as in *talks without stopping*, is none."""
    taken = 0
    for _, places in sorted(exact, key=lambda one: (one[1].start, -one[1].stop)):
        if places.start >= taken:
            taken = places.stop
            yield places.start, places.stop, any(words.keys[at] in DENIALS for at in places)


def _scattered(words: Words, table: Table) -> Iterator[tuple[int, Sequence[int], float]]:
    """Names whose words stand near each other in one sentence, in whatever order and inflection."""
    for sentence in _sentences(words):
        places: dict[str, list[int]] = {}
        for at in sentence:
            if words.keys[at] not in STOP_WORDS:
                places.setdefault(stem(words.keys[at]), []).append(at)
        for key in places:
            for finding, bag in table.stems.get(key, ()):
                stems = bag.split()
                known = [one for one in stems if one in places]
                share = sum(map(table.rarity.__getitem__, known)) / sum(map(table.rarity.__getitem__, stems))
                if len(known) < 2 or share < _PART:
                    continue
                for anchor in places[key]:
                    chosen = [_nearest(anchor, places[one]) for one in known]
                    if max(chosen) - min(chosen) < len(known) + _SPREAD:
                        yield finding, chosen, share
                        break


def _nearest(anchor: int, places: Sequence[int]) -> int:
    return min(places, key=lambda at: abs(at - anchor))


def _sentences(words: Words) -> Iterator[range]:
    """The sentences, none longer than anybody writes one: comparing all words of a long one takes its square."""
    start = 0
    for at in range(1, len(words.keys)):
        if words.gaps[at] in _SENTENCE_ENDS or at - start == _LONGEST:
            yield range(start, at)
            start = at
    yield range(start, len(words.keys))

"""Numbers that read as findings: a blood pressure of 75/55, a BMI of 34, an HbA1c of 9 %."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from trialindex.concepts.tokens import Words
from trialindex_readers.findings import Table, Threshold

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_VALUE = re.compile(
    r"(?:[\s:=(<>~≥≤]|\b(?:of|is|was|at|to|now|only|about|around|over|under|above|below|down|up|has|level|count)\b){0,9}"
    r"(?P<value>-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:[.,]\d+)?))(?P<share>\s?%)?"
    r"(?:\s?/\s?(?P<second>\d{2,3})(?![\d.]))?"
    r"(?:\s{0,2}°?\s?(?P<unit>[A-Za-zµμ]+(?:/[A-Za-z0-9²]+)?|/\w+))?"
)
_DEGREES = re.compile(r"(?<![\w.])(?P<value>\d{2,3}(?:[.,]\d)?)\s?°?\s?(?P<unit>[CF])\b")
_LONGEST = 4
"""Words of the longest name of a measure."""
_SHORT = 2
"""Letters of a name that is read in capitals only, and of a value that can be meant."""
_FAR = 8.0
"""How many times beyond its thresholds such a value may lie."""
_CHILD, _ADULT = 12.0, 40.0


class Number(NamedTuple):
    """A value that reads as a finding, and the places of the words that give it."""

    finding: int
    words: range


def read_numbers(text: str, words: Words, table: Table, age: float | None, sex: str | None) -> Iterator[Number]:
    """The findings that the numbers of *text* are.

    A value without a unit is read in the unit whose thresholds it is nearest to.

    :param words: those of *text*.
    :param age: of the patient in years; an adult's unless it is known.
    :param sex: ``FEMALE`` or ``MALE``; thresholds for one sex hold only where it is known.
    """
    age = _ADULT if age is None else age
    at = 0
    while at < len(words.keys):
        if words.keys[at] not in table.first_of_measures:
            at += 1
            continue
        named = [
            end
            for end in range(at + 1, min(at + _LONGEST, len(words.keys)) + 1)
            if " ".join(words.keys[at:end]) in table.measures
        ]
        if not named:
            at += 1
            continue
        end = named[-1]
        name = text[words.starts[at] : words.ends[end - 1]]
        if match := _VALUE.match(text, words.ends[end - 1]):
            places = range(at, end + 1)
            for one, value in _readings(table.measures[" ".join(words.keys[at:end])], name, match):
                if _holds(one, value, age, sex):
                    yield Number(one.finding, places)
        at = end
    for match in _DEGREES.finditer(text):
        for one in table.measures["temperature"]:
            if one.unit == match["unit"] and _holds(one, _number(match["value"]), age, sex):
                where = next(at for at, end in enumerate(words.ends) if end > match.start())
                yield Number(one.finding, range(where, where + 1))


def _readings(thresholds: Sequence[Threshold], name: str, match: re.Match[str]) -> Iterator[tuple[Threshold, float]]:
    """The thresholds that a value can be compared with: those of one measure, in one unit."""
    value, unit = _number(match["value"]), "%" if match["share"] else _unit(match["unit"] or "")
    short = len(name) <= _SHORT
    if short and not name[0].isupper():
        return
    if match["second"]:
        thresholds = [one for one in thresholds if one.measure == "systolic blood pressure"]
    elif any(one.measure == "respiratory rate" for one in thresholds):
        thresholds = [one for one in thresholds if one.measure == "respiratory rate"]
    by_unit: dict[str, list[Threshold]] = {}
    for one in thresholds:
        by_unit.setdefault(_unit(one.unit), []).append(one)
    held = by_unit.get(unit)
    if held is None and by_unit:
        if unit in _UNITS:
            return
        held = min(by_unit.values(), key=lambda some: _distance(some, value))
        if short and _distance(held, value) > math.log(_FAR):
            return
    yield from ((one, value) for one in held or ())


_KNOWN_UNITS = """
% c f mmhg kpa g/l g/dl mg/dl mg/l mmol/l umol/l ng/ml pg/ml nmol/l pmol/l ug/l ng/dl ug/dl kg g lb mmol/mol u/l iu/l
"""
_UNITS = frozenset(_KNOWN_UNITS.split())
"""In small letters; a unit of another measure than the text seems to name makes the value unreadable."""


def _unit(written: str) -> str:
    return written.casefold().replace("µ", "u").replace("μ", "u")


def _number(written: str) -> float:
    if re.fullmatch(r"-?\d{1,3}(?:,\d{3})+", written):
        written = written.replace(",", "")
    return float(written.replace(",", "."))


def _distance(thresholds: Sequence[Threshold], value: float) -> float:
    """How far a value lies from the nearest threshold, as the logarithm of their ratio."""
    positive = [one.value for one in thresholds if one.value > 0]
    return min((abs(math.log(value / one)) for one in positive), default=0.0) if value > 0 else 0.0


def _holds(threshold: Threshold, value: float, age: float, sex: str | None) -> bool:
    if threshold.sex and threshold.sex != (sex or "").lower():
        return False
    return threshold.age_from <= age <= threshold.age_to and _COMPARE[threshold.compare](value, threshold.value)

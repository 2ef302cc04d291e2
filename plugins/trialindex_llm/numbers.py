"""Numbers, in digits and in words, and spans of time: reading them, for the checks of :mod:`.facts`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ONES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
_TIMES_TEN = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: number for number, word in enumerate(_ONES.split())}
_TENS = {word: 10 * number for number, word in enumerate(_TIMES_TEN.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORDS = "|".join([*_TENS, *_SMALL, *_SCALES])

NUMBER = rf"(?:\d+(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\b(?:{_WORDS})(?:[ -](?:and )?(?:{_WORDS}))*\b)"
"""A pattern: ``1,200``, ``0.5``, ``twenty-four``, ``two hundred and ten``."""
UNIT = r"(?:years?|months?|weeks?|days?|hours?|minutes?)"
"""A pattern: a unit of time."""

_ANY = re.compile(NUMBER, re.IGNORECASE)
_MEASURE = re.compile(r"(?:mg|kg|g|mcg|µg|ml|l|cm|mm|km|m|st|nd|rd|th|x)\b", re.IGNORECASE)


class Number(NamedTuple):
    """A number in a text, and where it stands."""

    value: float
    start: int
    end: int
    text: str


def numbers(text: str) -> Iterator[Number]:
    """The numbers of a text, but not those that are part of a word, such as ``CD19`` or ``19F``."""
    for match in _ANY.finditer(text):
        before, after = text[: match.start()][-1:], text[match.end() :]
        within = before.isalpha() or (match[0][0].isdigit() and after[:1].isalpha() and not _MEASURE.match(after))
        if not within:
            yield Number(value(match[0]), match.start(), match.end(), match[0])


def value(text: str) -> float:
    """What a :data:`NUMBER` is worth."""
    if text[0].isdigit():
        return float(text.replace(",", ""))
    total, current = 0, 0
    for word in re.split(r"[ -]", text.lower()):
        if word in _SCALES:
            current = (current or 1) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, current = total + current, 0
        else:
            current += _SMALL.get(word, 0) + _TENS.get(word, 0)
    return float(total + current)


# --- time -------------------------------------------------------------------------------------------------------------

_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
_SHORT = {"yr": "year", "y": "year", "mo": "month", "m": "month", "wk": "week", "w": "week", "d": "day", "hr": "hour"}
_SHORT |= {"h": "hour", "min": "minute"}
_TIME = re.compile(
    rf"(?P<number>{NUMBER})(?:[\s-]|\s?(?:to|-|–|or|and)\s?{NUMBER})*(?P<unit>{UNIT}|(?:yr|mo|wk|hr|min)s?|[dhwmy])\b"
    rf"|\b(?P<unit_first>{UNIT})[\s-]*(?P<number_after>{NUMBER})",
    re.IGNORECASE,
)


def days(number: float, unit: str) -> float:
    """A time in days, a month being a twelfth of 365.25 of them."""
    name = unit.lower().rstrip("s")
    return number * _DAYS[_SHORT.get(name, name)]


def lasts(number: float, unit: str, text: str) -> bool:
    """Whether *text* states that time, in this unit or one that makes the same: *12 months* is *1 year*."""
    wanted = days(number, unit)
    for match in _TIME.finditer(text):
        stated = days(value(match["number"] or match["number_after"]), match["unit"] or match["unit_first"])
        if abs(stated - wanted) <= 0.005 * wanted:
            return True
    same = any(found.value == number for found in numbers(text))
    return same and unit.lower().rstrip("s") in text.lower()  # "at weeks 4, 12 and 24"

"""Phases, dates and ages in a text, against those of the record.

Each function gives back the text without what it has checked, so that no number is judged twice, and what was wrong.
"""

from __future__ import annotations

import re

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import TrialDate
from trialindex_llm.numbers import NUMBER, UNIT, days, value
from trialindex_llm.record import Record, blank

# --- phases -----------------------------------------------------------------------------------------------------------

_DEGREE = r"(?:[1-4]|one|two|three|four|iv|i{1,3})[ab]?"
_PHASE = re.compile(
    rf"\b(early[ -])?phases?[ -](?P<degrees>{_DEGREE}(?:(?: ?(?:and|or|to|/|-|–|,) ?)(?:phase )?{_DEGREE})*)\b",
    re.IGNORECASE,
)
_DEGREES = {"one": "1", "two": "2", "three": "3", "four": "4", "i": "1", "ii": "2", "iii": "3", "iv": "4"}


def phases(text: str, record: Record) -> tuple[str, list[str]]:
    """A text names all phases of the trial, or none."""
    stated = [code for code in record.trial.phases if code != "NA"]
    said: dict[str, str] = {}
    for match in _PHASE.finditer(text):
        for degree in re.findall(_DEGREE, match["degrees"].lower()):
            number = _DEGREES.get(degree.rstrip("ab"), degree.rstrip("ab"))
            early = "EARLY_" if match[1] and number == "1" else ""
            said.setdefault(f"{early}PHASE{number}", match[0])
    wrong = []
    if said and set(said) != set(stated):
        words = next((said[code] for code in said if code not in stated), next(iter(said.values())))
        wrong.append(f'it says "{words}", and the record states {" and ".join(stated) or "no phase"}')
    return _PHASE.sub(blank, text), wrong


# --- dates ------------------------------------------------------------------------------------------------------------

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>(?:{'|'.join(_MONTHS)})[a-z]*)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:{_DAY} (?:of )?)?{_MONTH},? {_YEAR}\b",
        rf"\b{_MONTH} {_DAY},? {_YEAR}\b",
        rf"\b{_YEAR}-(?P<month>\d\d)(?:-(?P<day>\d\d))?\b",
        rf"(?<![\d,.]){_YEAR}\b(?!,\d)",
    )
)


def dates(text: str, sentence: Sentence, record: Record) -> tuple[str, list[str]]:
    """A date is one of a field that the sentence names, or stands in such a field as it is written."""
    values = [getattr(record.trial, field) for field in sentence.fields]
    stated = [one.date for one in values if isinstance(one, TrialDate)]
    free = record.text(sentence.fields)
    wrong: list[str] = []

    def checked(match: re.Match[str]) -> str:
        if match[0] == str(record.trial.enrollment):
            return match[0]  # a number of people that looks like a year
        iso = _iso(match)
        if not any(date == iso or date.startswith(f"{iso}-") for date in stated) and match[0] not in free:
            wrong.append(f'it gives the date "{match[0]}", which the fields it names do not state')
        return blank(match)

    for pattern in _DATES:
        text = pattern.sub(checked, text)
    return text, wrong


def _iso(match: re.Match[str]) -> str:
    parts = match.groupdict()
    if not parts.get("month"):
        return str(parts["year"])
    name = str(parts["month"]).lower()
    month = name if name.isdigit() else f"{_MONTHS.index(name[:3]) + 1:02}"
    return f"{parts['year']}-{month}" + (f"-{int(parts['day']):02}" if parts.get("day") else "")


# --- ages -------------------------------------------------------------------------------------------------------------

_AGE = re.compile(
    r"(?P<aged>\b(?:aged?|ages) (?:of )?)?"
    r"(?:(?P<least>\b(?:at least|over|above|older than) (?:the age of )?)"
    r"|(?P<most>\b(?:up to|under|below|younger than) (?:the age of )?)|\b(?:from|between) )?"
    rf"(?P<first>{NUMBER})(?P<first_unit>[ -]{UNIT})?"
    rf"(?: ?(?:to|and|-|–) ?(?P<last>{NUMBER}))?(?P<unit>[ -]{UNIT})?"
    r"(?P<old>[ -]olds?\b| of age\b)?"
    r"(?P<open> (?:and|or) (?:older|over|above|up)\b)?(?P<closed> (?:and|or) (?:younger|under|below)\b)?",
    re.IGNORECASE,
)


def ages(text: str, record: Record) -> tuple[str, list[str]]:
    """An age is the limit of the record that the words around it say."""
    low, high = record.trial.minimum_age, record.trial.maximum_age
    wrong: list[str] = []

    def checked(match: re.Match[str]) -> str:
        than = re.search(r"older|younger|the age of", (match["least"] or match["most"] or "").lower())
        if not (match["aged"] or match["old"] or match["open"] or match["closed"] or than):
            return match[0]
        last_unit = match["unit"] or match["first_unit"] or " years"
        first = _years(match["first"], match["first_unit"] or last_unit)
        if match["last"]:
            right = _same(first, low) and _same(_years(match["last"], last_unit), high)
        elif match["open"] or match["least"]:
            right = _same(first, low)
        elif match["closed"] or match["most"]:
            right = _same(first, high)
        else:
            right = _same(first, low) or _same(first, high)
        if not right:
            wrong.append(f'it says "{match[0].strip()}", which are not the ages of the record')
        return blank(match)

    return _AGE.sub(checked, text), wrong


def _years(number: str, unit: str) -> float:
    return days(value(number), unit.strip(" -")) / 365.25


def _same(years: float, limit: float | None) -> bool:
    return limit is not None and abs(years - limit) <= 0.001 * limit

"""Ages as registries, spreadsheets and people write them, in years; and years in words."""

from __future__ import annotations

import math
import re

DAYS_PER_YEAR = 365.25
OLDEST = 150
"""Years; the highest age a trial can state."""
_COUNTED_IN_YEARS = 3
"""Years from which ages and limits are in years rather than months."""

_UNITS = {
    "year": 1.0,
    "month": 12.0,
    "week": DAYS_PER_YEAR / 7,
    "day": DAYS_PER_YEAR,
    "hour": DAYS_PER_YEAR * 24,
    "minute": DAYS_PER_YEAR * 24 * 60,
}
_SHORT = {
    "y": "year",
    "yr": "year",
    "yo": "year",
    "m": "month",
    "mo": "month",
    "mth": "month",
    "w": "week",
    "wk": "week",
    "d": "day",
    "h": "hour",
    "hr": "hour",
    "min": "minute",
}
_AGE = re.compile(
    r"(?:>=?|≥|<=?|≤|at\s+least|up\s+to|from)?\s*(\d+(?:\.\d+)?)\s*[-(]?\s*([a-z]*?)\.?\s*(?:\(s\)|s)?\s*\)?"
    r"(?:[\s-]*(?:old|of\s+age|age|age\s+old))*"
)
_TINY = re.compile(r"\d+(?:\.\d+)?e-\d+")  # how programs write an hour in years
_NO_LIMIT = re.compile(
    r"(?:0\s*)?(?:n\s*/?\s*a|none|not?\s*(?:applicable|specified|stated|limit)|unlimited|any(?:\s+age)?"
    r"|no\s+(?:minimum|maximum|lower|upper)(?:\s+age)?(?:\s+limit)?|no\s+age\s+limit)(?:\s*\(no\s+limit\))?|-*"
)


def parse_age(text: str) -> float | None:
    """An age in years: ``18``, ``18 Years``, ``6M``, ``730D``, ``>= 18 years old``; ``None`` for ``NO LIMIT``, ``N/A``.

    A number without a unit is of years.

    :raises ValueError: the text is neither an age nor says that there is none.
    """
    plain = " ".join(text.casefold().split())
    if _NO_LIMIT.fullmatch(plain):
        return None
    if _TINY.fullmatch(plain):
        return float(plain)
    match = _AGE.fullmatch(plain)
    unit = match and (_SHORT.get(match[2], match[2]) or "year")
    if match is None or unit not in _UNITS:
        raise ValueError(f'"{text}" is not an age; write it like "18 Years" or "6 Months"')
    return float(match[1]) / _UNITS[unit]


def last_birthday(age: float) -> float:
    """The age at the last birthday in years, which is what an upper limit in whole years means: at 17 and a half
    somebody is still 17.

    A young child's age is given as it is, since the limits of trials for them are months.
    """
    return float(math.floor(age)) if age >= _COUNTED_IN_YEARS else age


def format_age(years: float) -> str:
    """The age in the largest unit that states it exactly: ``0.5`` → ``6 months``; ``18`` → ``18 years``."""
    for unit, per_year in _UNITS.items():
        value = years * per_year
        if round(value) >= 1 and abs(value - round(value)) < 1e-6 * max(1.0, value):
            return f"{round(value)} {unit}{'' if round(value) == 1 else 's'}"
    return f"{years:g} years"

"""Values as people and spreadsheets write them, turned into the codes, dates and numbers of a trial.

Each function takes what was typed and returns what :mod:`trialindex.trial` holds, or raises :class:`ValueError` with
one sentence that quotes the text and says what would have been understood. :mod:`trialindex.trial.from_values` applies
them to a whole trial.
"""

from __future__ import annotations

import datetime
import difflib
import math
import re
from functools import cache
from typing import Literal, cast, get_args

from trialindex.errors import nearest
from trialindex.trial import display, sanitize
from trialindex.trial.ages import OLDEST, parse_age
from trialindex.trial.record import (
    PHASES,
    SEXES,
    STATUSES,
    STUDY_TYPES,
    DateType,
    OutcomeKind,
    Phase,
    Sex,
    Status,
    StudyType,
)

DateOrder = Literal["dmy", "mdy"]
"""How ``05/06/2024`` is meant: day first or month first."""

# --- codes ----------------------------------------------------------------------------------------------------------


def _squash(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


_STATUS_WORDS = {
    "NOT_YET_RECRUITING": (
        "pending; recruitment pending; authorised, recruitment pending; not yet open; pre-initiation; planned; "
        "planning; in planning; not started; not yet started; approved, not started; in set-up; opening soon"
    ),
    "RECRUITING": (
        "currently recruiting; recruiting now; now recruiting; in recruitment; enrolling; enrolling patients; "
        "enrolling participants; open to enrollment; open; open to recruitment; open to accrual; "
        "open for enrollment; open public recruiting; recruiting participants; ongoing, recruiting; "
        "authorised, recruiting; recruitment ongoing"
    ),
    "ENROLLING_BY_INVITATION": "enrolling by invitation only",
    "ACTIVE_NOT_RECRUITING": (
        "no longer recruiting; no longer enrolling; in follow-up; follow-up; closed, in follow-up; "
        "closed to recruitment, in follow-up; accrual complete; accrual closed; closed to recruitment; "
        "closed to accrual; closed to enrollment; closed to recruitment of participants; recruitment closed; "
        "recruitment completed; recruitment complete; ongoing, recruitment ended; enrollment complete; "
        "ongoing, no longer recruiting; complete: follow-up continuing"
    ),
    "COMPLETED": "complete; ended; finished; complete: follow-up complete; study completed; data analysis completed",
    "SUSPENDED": "temporarily halted; temporary halt; halted; paused; suspended by ca",
    "TERMINATED": "prematurely ended; ended prematurely; stopped early; terminated early; discontinued; stopped",
    "WITHDRAWN": "cancelled; canceled; withdrawn prior to enrollment; withdrawn prior to recruitment",
}
"""How other registries and sponsors say it."""


def _spelled(words: dict[str, str]) -> dict[str, str]:
    return {_squash(word): code for code, listed in words.items() for word in listed.split(";")}


_SPELLINGS: dict[str, dict[str, str]] = {
    "status": {
        **{_squash(display.status(code)): code for code in STATUSES},
        "unknownstatus": "UNKNOWN",
        **_spelled(_STATUS_WORDS),
    },
    "sex": {
        **{_squash(display.sex(code)): code for code in SEXES},
        **dict.fromkeys(["f", "females", "woman", "women", "womenonly", "femalesonly", "femaleyesmaleno"], "FEMALE"),
        **dict.fromkeys(["m", "males", "man", "men", "menonly", "malesonly", "femalenomaleyes"], "MALE"),
        **dict.fromkeys(
            [
                "any",
                "bothmaleandfemale",
                "bothmalesandfemales",
                "malesandfemales",
                "femaleyesmaleyes",
                "both",
                "bothsexes",
                "bothgenders",
                "menandwomen",
                "womenandmen",
                "femaleandmale",
                "maleandfemale",
                "femalemale",
                "malefemale",
            ],
            "ALL",
        ),
    },
    "study type": {
        **{_squash(display.study_type(code)): code for code in STUDY_TYPES},
        "interventionalstudy": "INTERVENTIONAL",
        "observationalstudy": "OBSERVATIONAL",
        **dict.fromkeys(
            [
                "intervention",
                "interventionalclinicaltrialofmedicinalproduct",
                "treatmentstudy",
                "interventiontrial",
                "preventionstudy",
            ],
            "INTERVENTIONAL",
        ),
        **dict.fromkeys(["epidemiologicalresearch", "epidemilogicalresearch", "noninterventional"], "OBSERVATIONAL"),
    },
    "date type": {"anticipated": "ESTIMATED", "expected": "ESTIMATED"},
}


def normalise_code(text: str) -> str:
    """A free code in the registry's spelling: ``Single group`` → ``SINGLE_GROUP``; ``N/A`` → ``NA``."""
    code = re.sub(r"[\W_]+", "_", text).strip("_").upper()
    return "NA" if code == "N_A" else code


@cache
def _code_by_spelling(what: str, allowed: tuple[str, ...]) -> dict[str, str]:
    """Every spelling of the allowed codes."""
    return {_squash(code): code for code in allowed} | _SPELLINGS.get(what, {})


def _one_of(text: str, what: str, allowed: tuple[str, ...]) -> str:
    """The allowed code that *text* spells, whatever its case, spaces and punctuation."""
    code = text if text in allowed else _code_by_spelling(what, allowed).get(_squash(text))
    if code is None:
        raise ValueError(f'"{quote_input(text)}" is not a known {what}. {_hint(text, allowed)}')
    return code


def _hint(text: str, allowed: tuple[str, ...]) -> str:
    """The nearest code and all that there are; no code that has a word more or less: that may say the opposite."""
    typed = normalise_code(text)
    alike = [code for code in allowed if code.count("_") == typed.count("_") and not (code in typed or typed in code)]
    close = difflib.get_close_matches(typed, alike, n=1, cutoff=0.8)
    return nearest(close[0] if close else "", allowed)


_SAYS_LITTLE = {
    "authorisedrecruitmentmaybeongoingorfinished",
    "notrecruiting",
    "closed",
    "ongoing",
    "inprogress",
    "active",
    "inactive",
    "authorised",
    "authorized",
    "restarted",
    "notauthorised",
    "prohibitedbyca",
    "trialnowtransitioned",
    "gbnolongerineueea",
    "notavailable",
}
"""Words of registries and sponsors that leave open whether a trial is over, paused or has yet to begin."""


def normalise_status(text: str) -> Status:
    """``recruiting``, ``Active, not recruiting`` … as a code of :data:`~trialindex.trial.STATUSES`.

    :raises ValueError: no status is spelled like that, or the words do not say which one.
    """
    text = re.sub("enrolment", "enrollment", text, flags=re.IGNORECASE)
    if _squash(text) in _SAYS_LITTLE:
        raise ValueError(f'"{quote_input(text)}" does not say which status it is: it may be over, paused, or not begun')
    return cast(Status, _one_of(text, "status", STATUSES))


def normalise_sex(text: str) -> Sex:
    """``female``, ``women``, ``both`` … as ``FEMALE``, ``MALE`` or ``ALL``.

    :raises ValueError: the text is none of them.
    """
    return cast(Sex, _one_of(text, "sex", SEXES))


def normalise_study_type(text: str) -> StudyType:
    """``interventional``, ``Observational [Patient Registry]`` … as a code of :data:`~trialindex.trial.STUDY_TYPES`.

    :raises ValueError: no study type is spelled like that.
    """
    return cast(StudyType, _one_of(re.split(r"[\[:]", text)[0], "study type", STUDY_TYPES))


def normalise_date_type(text: str) -> DateType:
    """``actual``, ``estimated`` or, as older exports say, ``anticipated``.

    :raises ValueError: the text is none of them.
    """
    return cast(DateType, _one_of(text, "date type", get_args(DateType)))


def normalise_outcome_kind(text: str) -> OutcomeKind:
    """``Primary``, ``secondary`` or ``other``.

    :raises ValueError: the text is none of them.
    """
    return cast(OutcomeKind, _one_of(text, "outcome kind", get_args(OutcomeKind)))


_EARLY = re.compile(r"\bearly[\s-]*(?:phase)?[\s-]*(?:1|i)\b")
_IN_BRACKETS = re.compile(r"\(\s*phase\s+(iv|i{1,3}|[0-4])[abc]?\s*\)\s*:?\s*(no\b)?")
_EXCEL_PHASES = re.compile(r"\d{4}-0([1-4])-0([1-4])(?:[t ]00:00:00)?")
_PHASE = re.compile(r"([0-4]|iv|i{1,3})[abc]?")
_PHASE_CODES = {"0": "EARLY_PHASE1", "1": "PHASE1", "2": "PHASE2", "3": "PHASE3", "4": "PHASE4"}
_PHASE_CODES |= {"i": "PHASE1", "ii": "PHASE2", "iii": "PHASE3", "iv": "PHASE4"}


def normalise_phases(text: str) -> tuple[Phase, ...]:
    """``Phase 2``, ``phase 1/2``, ``I-II``, ``2b``, ``early phase 1``, ``N/A`` … as the registry's codes, in order.

    A part of a phase (``2a``, ``IIIb``) counts as the phase; phase 0 is ``EARLY_PHASE1``, the registry's name for it.

    :raises ValueError: the text names no phase, or something besides phases.
    """
    if text in PHASES:
        return (cast(Phase, text),)
    if _squash(text) in {"na", "notapplicable", "doesnotapply"}:
        return ("NA",)
    rest = text.casefold().replace("_", " ")
    if named := {_PHASE_CODES[match[1]] for match in _IN_BRACKETS.finditer(rest) if not match[2]}:
        return cast("tuple[Phase, ...]", tuple(sorted(named, key=PHASES.index)))  # "Therapeutic exploratory (Phase II)"
    if match := _EXCEL_PHASES.fullmatch(rest.strip()):  # Excel makes a date of "2-3"
        rest = f"{match[2]}-{match[1]}"
    found = {"EARLY_PHASE1"} if _EARLY.search(rest) else set()
    words = re.split(
        r"[\s/|,;&+\-–.:()]+|\b(?:and|or|to)\b", re.sub(r"phases?|\bph?(?=[\s.]*[0-4i])", " ", _EARLY.sub(" ", rest))
    )
    for match in (_PHASE.fullmatch(word) for word in words if word):
        if match is None:
            found.clear()
            break
        found.add(_PHASE_CODES[match[1]])
    if not found:
        raise ValueError(f'"{quote_input(text)}" is not a known phase. {_hint(text, PHASES)}')
    return cast("tuple[Phase, ...]", tuple(sorted(found, key=PHASES.index)))


# --- numbers and ages -----------------------------------------------------------------------------------------------

_YES = {"yes", "y", "true", "t", "1", "accepts healthy volunteers", "accepted"}
_NO = {"no", "n", "false", "f", "0", "does not accept healthy volunteers", "not accepted"}


def normalise_yes_no(value: str | bool | int) -> bool:
    """``yes``, ``No``, ``true``, ``0`` … as a boolean.

    :raises ValueError: it is neither.
    """
    word = str(value).strip().casefold()
    if word not in _YES | _NO:
        raise ValueError(f'"{quote_input(value)}" is neither yes nor no')
    return word in _YES


_COUNT = re.compile(
    r"(?:n\s*=|about|approx(?:\.|imately)?|ca?\.)?\s*(\d[\d,\s]*)(\.0+)?\s*(?:patients?|participants?|subjects?|people|persons)?",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[,\s]\d{3})+")


def normalise_count(value: str | float) -> int:
    """A number of people: ``120``, ``1,200``, ``120 patients``, or ``120.0`` as spreadsheets write it.

    :raises ValueError: it is not a whole number of 0 or more; ``10.000`` may be ten or ten thousand.
    """
    match = _COUNT.fullmatch(str(value).strip())
    number = match[1].strip() if match else ""
    if _THOUSANDS.fullmatch(number):
        number = re.sub(r"[,\s]", "", number)
    if match is None or not re.fullmatch(r"\d{1,15}", number) or (match[2] == ".000" and isinstance(value, str)):
        raise ValueError(f'"{quote_input(value)}" is not a whole number')
    return int(number)


def normalise_number(value: str | float) -> float:
    """A finite number.

    :raises ValueError: it is none.
    """
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f'"{quote_input(value)}" is not a number')
    return number


def normalise_age(value: str | float) -> float | None:
    """An age in years, as :func:`trialindex.trial.parse_age` reads it.

    :raises ValueError: it is not an age, or above 150 years.
    """
    try:
        years = parse_age(str(value))
    except ValueError:
        raise ValueError(f'"{quote_input(value)}" is not an age; write it like "18 Years" or "6 Months"') from None
    if years is not None and years > OLDEST:
        raise ValueError(f'"{quote_input(value)}" is above {OLDEST} years, which is not the age of a person')
    return years


_FROM_TO = re.compile(r"(?:from\s+)?(\d[\w. ]*?)\s*(?:-|–|\bto\b)\s*(\d[\w. ]*)", re.IGNORECASE)
_AND_OLDER = re.compile(r"(?:from\s+)?(\d[\w. ]*?)\s*(?:\+|and\s+(?:older|over|above|up))", re.IGNORECASE)
_AT_LEAST = re.compile(r"(?:≥|>=|at\s+least)\s*(\d[\w. ]*)", re.IGNORECASE)
_UP_TO = re.compile(r"(?:up\s+to|≤|<=)\s*(\d[\w. ]*)", re.IGNORECASE)


def normalise_ages(text: str) -> tuple[float | None, float | None]:
    """The lower and upper age of ``18 Years to 65 Years``, ``18 to 65``, ``18 Years and older`` or ``up to 17 years``.

    :returns: years; ``None`` for a bound that the text does not state.
    :raises ValueError: the text states no bound in one of these ways.
    """
    plain = text.strip()
    if match := _FROM_TO.fullmatch(plain):
        first, last = match[1], match[2]
        unit = re.search(r"[a-z]+", last, re.IGNORECASE)
        if unit and re.fullmatch(r"[\d.]+", first):  # "6 to 17 months": the unit is said once
            first = f"{first} {unit[0]}"
        return normalise_age(first), normalise_age(last)
    if match := _AND_OLDER.fullmatch(plain) or _AT_LEAST.fullmatch(plain):
        return normalise_age(match[1]), None
    if match := _UP_TO.fullmatch(plain):
        return None, normalise_age(match[1])
    raise ValueError(
        f'"{quote_input(text)}" is not a range of ages; write it like "18 to 65 years" or "18 years and older"'
    )


# --- dates ----------------------------------------------------------------------------------------------------------

_MONTH_NUMBERS = {
    name[:n].casefold(): number for number, name in enumerate(display.MONTHS, 1) for n in (3, 4, len(name))
}
_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ]\d{2}:\d{2}.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})")
_CLOCK = re.compile(r"\s+\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]m)?", re.IGNORECASE)
_DAY_MONTH = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)? )?([a-z]+) (\d{4})")
_SHORT_YEAR = re.compile(r"(?:(\d{1,2}) )?([a-z]{3}) (\d{2})")
_SERIAL = re.compile(r"[2-6]\d{4}(?:\.0+)?")
_SERIAL_START = datetime.date(1899, 12, 30)
"""Excel counts days from here: https://support.microsoft.com, date systems in Excel (the 1900 system)."""
_MONTH_DAY = re.compile(r"([a-z]+) (\d{1,2})(?:st|nd|rd|th)? (\d{4})")


def normalise_date(value: str | int | datetime.date, order: DateOrder | None = None) -> str:
    """An ISO date with the precision given: ``2024-05-17``, ``2024-05``, ``2024``, ``May 2024``, ``17 May 2024`` …

    Excel's ways are read too: ``Mar-19`` is March 2019, ``01-Mar-19`` its first day, and so is ``43525``.

    :param order: how ``05/06/2024`` is meant; without it a date that can be read both ways is refused.
    :raises ValueError: it is not a date, there is no such day, or day and month cannot be told apart.
    """
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    text = _CLOCK.sub("", str(value).strip())
    if _SERIAL.fullmatch(text):
        return (_SERIAL_START + datetime.timedelta(days=int(float(text)))).isoformat()
    words = " ".join(re.split(r"[\s,./-]+", text.casefold()))
    month = day = None
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = match.groups()
    elif match := _MONTH_YEAR.fullmatch(text):
        month, year = match.groups()
    elif match := _NUMBERS.fullmatch(text):
        first, second, year = match.groups()
        if "." in text and int(second) <= 12:  # no country writes the month first and then a point
            order = "dmy"
        if order is None and int(first) <= 12 and int(second) <= 12 and first != second:
            raise ValueError(f'"{text}" can be read with the day or the month first; write it like "2024-05-17"')
        month_first = order == "mdy" if order else int(second) > 12
        month, day = (first, second) if month_first else (second, first)
    elif (match := _DAY_MONTH.fullmatch(words)) and match[2] in _MONTH_NUMBERS:
        day, name, year = match.groups()
        month = str(_MONTH_NUMBERS[name])
    elif (match := _MONTH_DAY.fullmatch(words)) and match[1] in _MONTH_NUMBERS:
        name, day, year = match.groups()
        month = str(_MONTH_NUMBERS[name])
    elif (match := _SHORT_YEAR.fullmatch(words)) and match[2] in _MONTH_NUMBERS:
        day, name, year = match[1], match[2], f"{'19' if int(match[3]) >= 70 else '20'}{match[3]}"
        month = str(_MONTH_NUMBERS[name])
    else:
        raise ValueError(f'"{quote_input(value)}" is not a date; write it like "2024-05-17", "2024-05" or "2024"')
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError as problem:
        raise ValueError(f'"{quote_input(value)}" is not a date: {problem}') from None
    if not 1900 <= int(year) < 2200:
        raise ValueError(f'"{quote_input(value)}" is not a date of a trial: its year is {year}')
    return "-".join([f"{int(year):04}", *(f"{int(part):02}" for part in (month, day) if part)])


def quote_input(value: object, limit: int = 60) -> str:
    """The value on one line, cut where it gets long: how messages quote what was typed."""
    return sanitize.excerpt(str(value), limit)

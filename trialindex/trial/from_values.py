"""A trial from values as people write them, with every problem found and the place it is at."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from trialindex.errors import nearest
from trialindex.trial import parse_values, sanitize
from trialindex.trial.record import (
    PHASES,
    Arm,
    DateType,
    Intervention,
    Link,
    Outcome,
    OutcomeKind,
    PartialDate,
    Reference,
    Sex,
    Site,
    Status,
    StudyType,
    Term,
    Trial,
    TrialDate,
    Years,
    from_mapping,
)

INTERVENTION_TYPES = (
    "BEHAVIORAL",
    "BIOLOGICAL",
    "COMBINATION_PRODUCT",
    "DEVICE",
    "DIAGNOSTIC_TEST",
    "DIETARY_SUPPLEMENT",
    "DRUG",
    "GENETIC",
    "PROCEDURE",
    "RADIATION",
    "OTHER",
)

Place = tuple[str | int, ...]
"""Where a value is in a trial: ``("sites", 0, "country")``."""


class Problem(NamedTuple):
    """One value that cannot be used: where it is, and why."""

    place: Place
    why: str

    @property
    def field(self) -> str:
        """The place in words; items of a list count from 1: ``sites[1].country``."""
        words = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return "".join(words).lstrip(".")

    def __str__(self) -> str:
        return f"{self.field}: {self.why}" if self.place else self.why


class FieldError(ValueError):
    """A trial that cannot be built; *problems* says all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def read_trial(data: Mapping[str, Any], on_problem: Callable[[Problem], None] | None = None) -> Trial:
    """A trial from values as people write them.

    It takes what :func:`trialindex.trial.from_mapping` takes, and also: codes in any spelling; numbers, dates, and yes
    or no, as text; a single value where a list is expected; a date without its ``{date: …}``; a plain name where a
    term, an intervention (``Drug: rituximab``), an arm or an outcome is expected. An empty value counts as absent.

    :param data: the values by field.
    :param on_problem: told of each value that cannot be read; its field is left empty, and the trial kept. Without it
        such a value is an error, as suits what somebody has just typed.
    :raises FieldError: there is no id or no title, or without *on_problem*: any value cannot be read.
    """
    problems = _Problems()
    problems.lenient = on_problem is not None
    plain = _record(Trial, data, (), problems)
    raw = plain.pop("raw", None)  # it may be large, and is checked already
    while True:
        if fatal := problems if on_problem is None else [one for one in problems if one.place[0] in ("id", "title")]:
            raise FieldError(fatal)
        try:
            trial = msgspec.structs.replace(from_mapping(plain), raw=raw)
            break
        except msgspec.ValidationError as error:
            why, _, path = str(error).partition(" - at `$")
            place = tuple(int(part) if part.isdigit() else part for part in re.findall(r"\w+", path))
            problems.append(Problem(place, why))
            if not place or on_problem is None or plain.pop(str(place[0]), None) is None:
                raise FieldError(problems) from None
    for problem in problems:
        if on_problem is not None:
            on_problem(problem)
    return trial


FIELDS: tuple[str, ...] = Trial.__struct_fields__
"""The fields of a trial."""


class _Problems(list[Problem]):
    """The problems found so far. *lenient*: what has a problem is left out, and the rest is kept."""

    lenient = False


Reader = Callable[[Any, Place, _Problems], Any]
"""Turns a value into plain data; notes a problem, or raises :class:`ValueError` for one with the value itself."""

# --- records and lists ----------------------------------------------------------------------------------------------


def _record(cls: type[msgspec.Struct], value: Any, place: Place, problems: _Problems) -> dict[str, Any]:
    readers, required = _plan(cls)
    if isinstance(value, str) and cls in _FROM_TEXT:
        value = _FROM_TEXT[cls](value)
    if not isinstance(value, Mapping):
        sketch = ", ".join(f"{name}: …" for name in list(readers)[:3])
        raise ValueError(f"{_kind(value)} where a mapping was expected, such as {{{sketch}}}")
    result: dict[str, Any] = {}
    wrong: set[str] = set()
    for name, given in value.items():
        here = (*place, str(name))
        if name not in readers:
            problems.append(Problem(here, f"no such field. {nearest(parse_values.quote_input(name), readers)}"))
            continue
        try:
            found = readers[name](given, here, problems)
        except ValueError as error:
            problems.append(Problem(here, str(error)))
            wrong.add(name)
            continue
        if not _empty(found):
            result[name] = found
    missing = [name for name in required if name not in result]
    if problems.lenient and missing and place and result and cls in (Arm, Intervention, Outcome):
        return {**result, **dict.fromkeys(missing, "")}  # it has no name, but what else is known of it is kept
    problems += [Problem((*place, name), "missing") for name in missing if name not in wrong]
    if ("latitude" in result) != ("longitude" in result):  # half a position is none
        result = {name: found for name, found in result.items() if name not in ("latitude", "longitude")}
    return {} if missing and place else result


_plans: dict[type, tuple[dict[str, Reader], list[str]]] = {}


def _plan(cls: type[msgspec.Struct]) -> tuple[dict[str, Reader], list[str]]:
    """A reader for each field of a record, and the fields it cannot be without; worked out once."""
    if cls not in _plans:
        hints = get_type_hints(cls, include_extras=True)
        readers = {name: _BY_FIELD.get((cls, name)) or _reader(hint) for name, hint in hints.items()}
        _plans[cls] = readers, [field.name for field in msgspec.structs.fields(cls) if field.required]
    return _plans[cls]


def _reader(hint: Any) -> Reader:
    """The reader for a type, as the records of :mod:`trialindex.trial` write their types."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if hint in _BY_TYPE:
        return _BY_TYPE[hint]
    if get_origin(hint) is tuple:
        return _list_of(_reader(get_args(hint)[0]))
    if get_origin(hint) is dict:
        return _plain
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return lambda value, place, problems: None if _empty(value) else _record(hint, value, place, problems)
    return _reader(get_args(hint)[0])  # Annotated


def _plain(value: Any, place: Place, problems: _Problems) -> Any:
    """Any value that JSON can hold, as it is."""
    try:
        msgspec.json.encode(value)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        raise ValueError("holds what JSON cannot: half of a pair of characters, a number too large …") from None
    return value


def _list_of(item: Reader) -> Reader:
    def read(value: Any, place: Place, problems: _Problems) -> list[Any]:
        many = isinstance(value, list | tuple)
        found = []
        for number, given in enumerate(value if many else [value]):
            here = (*place, number) if many else place
            try:
                found.append(item(given, here, problems))
            except ValueError as error:
                problems.append(Problem(here, str(error)))
        return [one for one in found if not _empty(one)]

    return read


_FROM_TEXT: dict[type, Callable[[str], dict[str, str]]] = {
    TrialDate: lambda text: {"date": text},
    Term: lambda text: {"name": text},
    Arm: lambda text: {"label": text},
    Outcome: lambda text: {"measure": text},
    Reference: lambda text: {"citation": text},
    Link: lambda text: {"url": text},
    Intervention: lambda text: _intervention(text),
}


def _intervention(text: str) -> dict[str, str]:
    """``Drug: rituximab``; what stands before the colon is a type only if it is one of the registry's."""
    kind, _, name = text.partition(":")
    if name.strip() and parse_values.normalise_code(kind) in INTERVENTION_TYPES:
        return {"name": name, "type": kind}
    return {"name": text}


# --- single values --------------------------------------------------------------------------------------------------


def _single(convert: Callable[[Any], Any], *accepted: type) -> Reader:
    expected = "a text" if str in accepted and bool not in accepted else "one value"

    def read(value: Any, place: Place, problems: _Problems) -> Any:
        if _empty(value):
            return None
        if isinstance(value, Mapping) and str in accepted:
            raise ValueError(f'a mapping where {expected} was expected; put a text that holds ": " in quotes')
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
            raise ValueError(f"{_kind(value)} where {expected} was expected")
        return convert(value.strip() if isinstance(value, str) else value)

    return read


def _text(value: Any) -> str:
    return sanitize.replace_surrogates(str(value).replace("\0", ""))


def _id(value: Any) -> str:
    text = str(value)
    if len(text) > 100 or not text.isprintable():
        raise ValueError(f'"{parse_values.quote_input(text)}" is not an id: one line of at most 100 characters')
    return text


def _degrees(limit: int) -> Reader:
    def convert(value: str | float) -> float:
        degrees = parse_values.normalise_number(value)
        if abs(degrees) > limit:
            raise ValueError(f'"{parse_values.quote_input(value)}" is not between -{limit} and {limit} degrees')
        return degrees

    return _single(convert, str, int, float)


def _phases(value: Any, place: Place, problems: _Problems) -> list[str]:
    found = _list_of(_single(lambda text: parse_values.normalise_phases(str(text)), str, int))(value, place, problems)
    return sorted({phase for phases in found for phase in phases}, key=PHASES.index)


def _date(value: Any, place: Place, problems: _Problems) -> Any:
    if isinstance(value, Mapping):
        return _record(TrialDate, value, place, problems)
    date = _BY_TYPE[PartialDate](value, place, problems)
    return {"date": date} if date else None


_code = _single(parse_values.normalise_code, str)
_BY_TYPE: dict[Any, Reader] = {
    str: _single(_text, str, int, float, datetime.date),
    int: _single(parse_values.normalise_count, str, int, float),
    float: _single(parse_values.normalise_number, str, int, float),
    bool: _single(parse_values.normalise_yes_no, bool, str, int),
    Years: _single(parse_values.normalise_age, str, int, float),
    PartialDate: _single(parse_values.normalise_date, str, int, datetime.date),
    TrialDate: _date,
    Status: _single(parse_values.normalise_status, str),
    StudyType: _single(parse_values.normalise_study_type, str),
    Sex: _single(parse_values.normalise_sex, str),
    DateType: _single(parse_values.normalise_date_type, str),
    OutcomeKind: _single(parse_values.normalise_outcome_kind, str),
}
_BY_FIELD: dict[tuple[type, str], Reader] = {
    (Trial, "id"): _single(_id, str, int),
    (Trial, "phases"): _phases,
    (Trial, "primary_purpose"): _code,
    (Trial, "allocation"): _code,
    (Trial, "intervention_model"): _code,
    (Trial, "observational_model"): _code,
    (Trial, "time_perspective"): _code,
    (Trial, "masking"): _code,
    (Trial, "who_masked"): _list_of(_code),
    (Trial, "sponsor_class"): _code,
    (Arm, "type"): _code,
    (Intervention, "type"): _code,
    (Reference, "kind"): _code,
    (Trial, "expanded_access_types"): _list_of(_code),
    (Site, "latitude"): _degrees(90),
    (Site, "longitude"): _degrees(180),
}


def _empty(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, str | list | tuple | dict) and not value)
        or (isinstance(value, str) and value.isspace())
    )


def _kind(value: Any) -> str:
    """What a value is, for messages."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return str(value).lower() if isinstance(value, bool) else f'"{parse_values.quote_input(value)}"'

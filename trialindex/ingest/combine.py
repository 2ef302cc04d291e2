"""A record that gives only some fields, and the record that the index holds: what is not given stays as it was."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from trialindex.storage.provenance import ALL_OTHERS, Origin
from trialindex.trial import Trial, TrialDate

NOT_PARTS = frozenset({"id", "source", "raw", "as_of", "first_seen", "gone_since"})
"""Fields that say where a record is from and when it was looked at; they are no parts of it."""

_DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Trial)}


def stated_fields(trial: Trial) -> set[str]:
    """The names of the fields that the record states."""
    return {name for name, default in _DEFAULTS.items() if getattr(trial, name) != default} - NOT_PARTS


def given_fields(excerpt: Trial, own: Origin | None) -> set[str]:
    """The fields that an excerpt speaks of: those that it states, and those that its source stated before.

    :param own: what the index knows of that source of the trial.
    """
    before = set(own.fields) - {ALL_OTHERS} if own else set()
    return stated_fields(excerpt) | before


def combine(held: Trial, excerpt: Trial, fields: set[str], *, partial: bool) -> Trial:
    """The record that is held with these fields of the excerpt in place of its own.

    What the excerpt states less fully stays as it is held: a site without its position, a term without its number, a
    date without its day, a text without its quotation marks.

    :param partial: no source that gives all the registry has delivered the record that is held.
    """
    values: dict[str, object] = {name: _fuller(getattr(held, name), getattr(excerpt, name)) for name in fields}
    if partial:
        values |= {"source": excerpt.source, "raw": excerpt.raw}
    return msgspec.structs.replace(held, **values, gone_since=None)


def _fuller(held: Any, given: Any) -> Any:
    """What is given, in the words of what is held where that says the same and more."""
    if held == given:
        return held
    if isinstance(held, str) and isinstance(given, str):
        return held if _plain(held) == _plain(given) else given
    if isinstance(held, TrialDate) and isinstance(given, TrialDate):
        same = held.date.startswith(given.date) and given.type in (None, held.type)
        return held if same else given
    if isinstance(held, tuple) and isinstance(given, tuple) and held and given:
        items = _Items(held)
        return tuple(map(items.fuller, given))
    return given


class _Items:
    """The items of a list that is held; each stands for one item that is given, the first that it can."""

    def __init__(self, held: tuple[Any, ...]) -> None:
        self._held = held
        self._by_field: dict[str, dict[Any, list[Any]]] = {}
        self._used: set[int] = set()

    def fuller(self, given: Any) -> Any:
        """The item that is held and says all that this one says; this one if there is none."""
        stated = _field_values(given) if isinstance(given, msgspec.Struct) else {"": _plain(given)}
        if not stated:
            return given
        first = next(iter(stated))
        for at, other in self._with(first).get(stated[first], ()):
            if at not in self._used and all(
                not name or _plain(getattr(other, name)) == value for name, value in stated.items()
            ):
                self._used.add(at)
                return other
        return given

    def _with(self, field: str) -> dict[Any, list[tuple[int, Any]]]:
        """The items with their places, by what they state in a field, or by themselves if they are texts."""
        if field not in self._by_field:
            found = self._by_field[field] = {}
            for at, item in enumerate(self._held):
                found.setdefault(_plain(getattr(item, field) if field else item), []).append((at, item))
        return self._by_field[field]


@cache
def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: field.default for field in msgspec.structs.fields(kind)}


def _field_values(item: msgspec.Struct) -> dict[str, Any]:
    """What an item states, by field, as it is compared."""
    defaults = _defaults(type(item)).items()
    return {name: _plain(value) for name, default in defaults if (value := getattr(item, name)) != default}


_LEFT_OUT = re.compile(r'[\s"\\]+')
"""What exports leave out of a text or add to it; no other punctuation, for ``< 5`` is not ``> 5``."""


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _LEFT_OUT.sub("", value)
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value

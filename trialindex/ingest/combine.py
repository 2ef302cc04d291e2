"""A record that gives only some fields, and the record that the index holds: what is not given stays as it was."""

from __future__ import annotations

import msgspec

from trialindex.storage.provenance import ALL_OTHERS, Origin
from trialindex.trial import Trial

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

    :param partial: no source that gives all the registry has delivered the record that is held.
    """
    values: dict[str, object] = {name: getattr(excerpt, name) for name in fields}
    if partial:
        values |= {"source": excerpt.source, "raw": excerpt.raw}
    return msgspec.structs.replace(held, **values, gone_since=None)

"""Finding one trial by any of its names, and saying what to do about a name that no trial has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trialindex.errors import UnknownTrial
from trialindex.trial import display
from trialindex.trial.sanitize import replace_surrogates

if TYPE_CHECKING:
    from trialindex.plugin.registry import Plugins
    from trialindex.storage.records import Records, Stored

_LISTED_IDS = 5
"""How many ids a message lists."""


def find_trial(records: Records, name: str, plugins: Plugins, *, raw: bool = False) -> Stored:
    """The trial with that id or other name, unmasked.

    :param plugins: whose sources say which ids they can fetch.
    :param raw: with the raw record and the contacts.
    :raises UnknownTrial: there is none, or several have the name.
    """
    name = replace_surrogates(name.strip())
    found = records.ids_named(name)
    if len(found) > 1:
        several = display.listed(found, _LISTED_IDS)
        what = f'"{name}" is a name of {len(found):,} trials in the index at {records.folder}: {several}.'
        raise UnknownTrial(what, hint="Give the id of one of them.")
    stored = records.find(found[0], raw=raw) if found else None
    if stored is None:
        raise UnknownTrial(f'no trial "{name}" in the index at {records.folder}.', hint=_hint(records, name, plugins))
    return stored


def _hint(records: Records, name: str, plugins: Plugins) -> str:
    """What to do about a name that no trial has."""
    similar = [f'"{trial_id}"' for trial_id in records.similar_ids(name)]
    hints = [f"Did you mean {' or '.join(similar)}?"] if 1 <= len(similar) <= _LISTED_IDS else []
    hints += [f"Fetch it: trialindex ingest {spec} --index {records.folder}" for spec in fetch_specs(name, plugins)]
    return " ".join(hints) or "List what there is: trialindex list"


def fetch_specs(name: str, plugins: Plugins) -> list[str]:
    """The specs by which sources fetch the trial of that id, such as ``ctgov:NCT01234567``; none if it is no id."""
    trial_id = "".join(name.split()).upper()
    return [
        f"{source_name}:{trial_id}"
        for source_name, source in plugins.sources.classes().items()
        if source.id_pattern and re.fullmatch(source.id_pattern, trial_id)
    ]

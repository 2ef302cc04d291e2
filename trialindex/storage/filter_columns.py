"""What filters and look-ups read of a trial, beside its record: columns of ``trials``, and tables of their own."""

from __future__ import annotations

import unicodedata
from typing import Any

from trialindex.storage.names import trial_names
from trialindex.trial import Site, Trial

CHILDREN = {
    "phases": "trial, phase",
    "conditions": "trial, name",
    "places": "trial, country, latitude, longitude, city, state",
    "names": "trial, name",
}
"""Tables that only filters and look-ups read, and the columns they read."""


def fold(text: str) -> str:
    """The text without case and accents, as the names of conditions are kept: *Sjögren* → *sjogren*."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def filter_columns(trial: Trial) -> dict[str, Any]:
    """The columns of ``trials`` that filters read."""
    return {
        "source": trial.source,
        "last_updated": trial.last_updated.date if trial.last_updated else None,
        "status": trial.status,
        "study_type": trial.study_type,
        "sex": trial.sex,
        "minimum_age": trial.minimum_age,
        "maximum_age": trial.maximum_age,
    }


def filter_rows(num: int, trial: Trial) -> dict[str, set[tuple[Any, ...]]]:
    """The rows that filters read, by table.

    :param num: the trial's number.
    """
    names = {*trial.conditions, *(term.name for term in trial.normalized_conditions)}
    return {
        "phases": {(num, phase) for phase in trial.phases},
        "conditions": {(num, fold(name)) for name in names},
        "places": {(num, site.country, *_place(site)) for site in trial.sites},
        "names": {(num, name) for name in trial_names(trial)},
    }


def _place(site: Site) -> tuple[float | None, float | None, str | None, str | None]:
    """The position of a site; its city and state only where it states none."""
    if site.latitude is None or site.longitude is None:
        return None, None, site.city, site.state
    return site.latitude, site.longitude, None, None

"""``trialindex history``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import index_option, open_for_reading
from trialindex.cli.output import json_option, print_result

if TYPE_CHECKING:
    from trialindex.changes.revisions import Revision

_SHOWN = 5
"""Differences that are shown of each version."""


@click.command("history")
@click.argument("trial_id", metavar="ID")
@json_option
@index_option
def command(trial_id: str, index_path: str | None, as_json: bool) -> None:
    """List the versions of a trial that an index has seen, and what each one changed.

    A new version is kept whenever a source delivers a trial that changed: run "trialindex ingest" again from time to
    time. The newest comes last. A version that brought nothing but a new date, another order or other spelling says so.
    Contacts are never shown, only that they changed.

    \b
    Examples:
      trialindex history NCT06676631
      trialindex history NCT06676631 --json
    """
    with open_for_reading(index_path) as index:
        versions = index.history(trial_id)
    newest = versions[-1].trial
    value = {
        "trial": newest.id,
        "title": newest.title,
        "versions": [{**as_dict(version), "differences": version.differences} for version in versions],
    }
    print_result(value, _lines(versions), as_json=as_json)


def as_dict(version: Revision) -> dict[str, Any]:
    """A version for programs, without its trial and its differences."""
    updated = version.trial.last_updated
    return {
        "number": version.number,
        "since": version.since,
        "seen": version.seen,
        "generation": version.generation,
        "source": version.trial.source,
        "last_updated": updated.date if updated else None,
    }


def format_dates(version: Revision, *, newest: bool) -> str:
    """From when a version stood, and when it was last seen, in words."""
    from trialindex.trial import display

    updated = version.trial.last_updated
    if updated:
        stood = f"of {display.date(updated)} at the registry"
    else:
        stood = f"{'first seen on' if version.number == 1 else 'seen after'} {display.date(version.since)}"
    return f"{stood}; {'last checked on' if newest else 'last seen on'} {display.date(version.seen)}"


def heading(version: Revision) -> str:
    """The trial's id and title."""
    from trialindex.trial import sanitize

    return f"{sanitize.one_line(version.trial.id)}  {sanitize.excerpt(version.trial.title, 100)}"


def _lines(versions: tuple[Revision, ...]) -> Iterator[str]:
    from trialindex.trial import sanitize

    newest = versions[-1]
    trial_id = sanitize.one_line(newest.trial.id)
    yield heading(newest)
    yield ""
    before = newest.trial
    for version in versions:
        yield f"Version {version.number}, {format_dates(version, newest=version is newest)}"
        if version.number > 1:
            now, then = (sanitize.one_line(trial.source) for trial in (version.trial, before))
            if now != then:
                yield f"  - now from {now}, before from {then}"
            for difference in version.differences[:_SHOWN]:
                yield f"  - {difference.words}"
            if (more := len(version.differences) - _SHOWN) > 0:
                yield f"  - and {more} more: trialindex diff {trial_id} --to {version.number}"
            if not version.differences:
                yield "  - nothing but a date, the order or the spelling"
        before = version.trial
    if len(versions) == 1:
        yield "No earlier version: the index has seen no change of it."
    else:
        yield ""
        yield f"All that changed last: trialindex diff {trial_id}"

"""``trialindex history``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import index_option, json_text, open_for_reading, write

if TYPE_CHECKING:
    from trialindex.changes.revisions import Revision

_SHOWN = 5
"""Differences that are shown of each version."""


@click.command("history")
@click.argument("trial_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
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
    write(_json(versions) if as_json else _lines(versions), None)


def described(version: Revision) -> dict[str, Any]:
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


def days(version: Revision, *, newest: bool) -> str:
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

    return f"{sanitize.one_line(version.trial.id)}  {sanitize.excerpt(version.trial.title, 100)}\n\n"


def _json(versions: tuple[Revision, ...]) -> Iterator[str]:
    import msgspec

    newest = versions[-1].trial
    found = [{**described(v), "differences": list(map(msgspec.structs.asdict, v.differences))} for v in versions]
    data = {"trial": newest.id, "title": newest.title, "versions": found}
    yield json_text(data) + "\n"


def _lines(versions: tuple[Revision, ...]) -> Iterator[str]:

    from trialindex.trial import sanitize

    newest = versions[-1]
    trial_id = sanitize.one_line(newest.trial.id)
    yield heading(newest)
    before = newest.trial
    for version in versions:
        yield f"Version {version.number}, {days(version, newest=version is newest)}\n"
        if version.number > 1:
            if version.trial.source != before.source:
                yield f"  - now from {version.trial.source}, before from {before.source}\n"
            for difference in version.differences[:_SHOWN]:
                yield f"  - {difference.words}\n"
            if (more := len(version.differences) - _SHOWN) > 0:
                yield f"  - and {more} more: trialindex diff {trial_id} --to {version.number}\n"
            if not version.differences:
                yield "  - nothing but a date, the order or the spelling\n"
        before = version.trial
    if len(versions) == 1:
        yield "No earlier version: the index has seen no change of it.\n"
    else:
        yield f"\nAll that changed last: trialindex diff {trial_id}\n"

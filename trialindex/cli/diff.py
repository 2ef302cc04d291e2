"""``trialindex diff``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, open_for_reading
from trialindex.cli.history import as_dict, format_dates, heading
from trialindex.cli.output import json_option, print_result

if TYPE_CHECKING:
    from trialindex.changes.revisions import Revision
    from trialindex.plugin.messages import Difference


@click.command("diff")
@click.argument("trial_id", metavar="ID")
@click.option("--from", "start", metavar="VERSION", help="A number of its history, or a day such as 2026-01-31.")
@click.option("--to", "end", metavar="VERSION", help="The same.  [default: the newest version]")
@json_option
@index_option
def command(trial_id: str, index_path: str | None, start: str | None, end: str | None, as_json: bool) -> None:
    """Show what changed between two versions of a trial, in words, most important first.

    Without --from and --to: what the last change brought. A day means the version that the registry showed on that day,
    as far as the index has seen it. Not told are new dates of the record itself, another order and other spelling.
    Contacts are never shown, only that they changed.

    \b
    Examples:
      trialindex diff NCT06676631
      trialindex diff NCT06676631 --from 1
      trialindex diff NCT06676631 --from 2026-01-31 --to 2026-03-31
    """
    from trialindex.changes import differences

    with open_for_reading(index_path) as index:
        versions = index.history(trial_id, contacts=True)  # to tell that contacts changed; only words leave this module
    new = versions[-1] if end is None else _chosen(versions, end, "--to")
    old = _previous_version(versions, new) if start is None else _chosen(versions, start, "--from")
    if old.number > new.number:
        from trialindex.errors import QueryError

        what = f"--from means version {old.number}, which is newer than version {new.number}."
        raise QueryError(what, hint="Give --from and --to the other way round.")
    found = differences(old.trial, new.trial)
    value = {
        "trial": new.trial.id,
        "title": new.trial.title,
        "from": as_dict(old),
        "to": as_dict(new),
        "differences": found,
    }
    print_result(value, _lines(versions, old, new, found), as_json=as_json)


def _previous_version(versions: tuple[Revision, ...], new: Revision) -> Revision:
    """The last version before *new* that differs from it in more than noise, or else the first."""
    from trialindex.changes import differences

    earlier = versions[: new.number - 1]
    return next((v for v in reversed(earlier) if differences(v.trial, new.trial)), versions[0])


def _chosen(versions: tuple[Revision, ...], text: str, option: str) -> Revision:
    """The version that was asked for, by number or day.

    :raises QueryError: there is none.
    """
    from trialindex.errors import QueryError
    from trialindex.trial import display, sanitize
    from trialindex.trial.parse_values import normalise_date, quote_input

    trial_id = sanitize.one_line(versions[-1].trial.id)
    hint = f"See them: trialindex history {trial_id}"
    if re.fullmatch(r"[0-9]{1,3}", text.strip()):
        if 1 <= int(text) <= len(versions):
            return versions[int(text) - 1]
        there = "1 is the only one" if len(versions) == 1 else f"there are 1 to {len(versions)}"
        raise QueryError(f"{option}: {trial_id} has no version {int(text)}; {there}.", hint=hint)
    try:
        day = normalise_date(text)
    except ValueError:
        day = ""
    if len(day) < len("2026-01-31"):
        what = f'{option}: "{quote_input(text)}" is neither the number of a version nor a day such as 2026-01-31.'
        raise QueryError(what, hint=hint)
    known = [version for version in versions if version.since <= day]
    if not known:
        oldest = display.date(versions[0].since)
        raise QueryError(f"{option}: the oldest version of {trial_id} in the index is of {oldest}.", hint=hint)
    return known[-1]


def _lines(
    versions: tuple[Revision, ...], old: Revision, new: Revision, found: tuple[Difference, ...]
) -> Iterator[str]:
    yield heading(new)
    yield ""
    if len(versions) == 1:
        yield f"No earlier version: the index knows one only, {format_dates(new, newest=True)}."
        return
    for label, version in (("Before", old), ("After", new)):
        yield f"{label}: version {version.number}, {format_dates(version, newest=version is versions[-1])}"
    yield ""
    if old is new:
        yield "This is the same version."
    elif not found:
        yield "Nothing but a date, the order or the spelling changed."
    for difference in found:
        yield f"- {difference.words}"
        for label, side in (("before", difference.before), ("after", difference.after)):
            if side and side not in difference.words:
                yield f"    {label}: {side}"

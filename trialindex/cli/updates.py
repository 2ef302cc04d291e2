"""``trialindex updates``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, say
from trialindex.cli.output import json_option, print_result
from trialindex.cli.watch import open_watches

if TYPE_CHECKING:
    from trialindex.plugin.messages import Update


@click.command("updates")
@click.option("--since", metavar="DATE", help="Found on this day or later: 2026-01-31.")
@click.option("--watch", "num", metavar="N", type=int, help="Of this watch only; its number in `watch list`.")
@json_option
@index_option
def command(since: str | None, num: int | None, as_json: bool, index_path: str | None) -> None:
    """Show the news of your watches again, oldest first."""
    from trialindex.trial import parse_values

    try:
        day = parse_values.normalise_date(since) if since else ""
    except ValueError as problem:
        raise click.UsageError(f"--since: {problem}") from None
    with open_watches(index_path) as (_, watches):
        if num is not None:
            watches.get(num)
        updates = watches.updates(since=day or "", watch=num)
    print_result(updates, format_updates(updates), as_json=as_json)
    if not updates and not as_json:
        say("there is no news so far. Look for some: trialindex sync")


def format_updates(updates: Iterable[Update], *, backlog: bool = True) -> Iterator[str]:
    """Updates as lines for a person.

    :param backlog: list the trials that are not new; without it they are counted.
    """
    from trialindex.trial.sanitize import one_line

    for update in updates:
        about = f"{one_line(update.trial)}  " if update.trial else ""
        yield f"{update.kind:8} {about}{one_line(update.title)}"
        asked = f", {one_line(update.asked)}" if update.asked else ""
        yield f"         watch {update.watch}{asked}. {one_line(update.why)}"
        if update.kind == "backlog" and not backlog:
            yield f"         to list them: trialindex updates --watch {update.watch} --since {update.when}"
            yield ""
            continue
        for line in update.lines:
            yield f"         - {one_line(line)}"
        if update.url:
            yield f"         {one_line(update.url)}"
        yield ""

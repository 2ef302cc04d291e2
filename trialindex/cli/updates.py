"""``trialindex updates``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, json_text, say
from trialindex.cli.watch import open_watches

if TYPE_CHECKING:
    from trialindex.plugin.messages import Update


@click.command("updates")
@click.option("--since", metavar="DATE", help="Told on this day or later: 2026-01-31.")
@click.option("--watch", "num", metavar="N", type=int, help="Of this watch only; its number in `watch list`.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@index_option
def command(since: str | None, num: int | None, as_json: bool, index_path: str | None) -> None:
    """Show again what the watches were told, oldest first."""
    from trialindex.trial import parse_values

    try:
        day = parse_values.normalise_date(since) if since else ""
    except ValueError as problem:
        raise click.UsageError(f"--since: {problem}") from None
    with open_watches(index_path) as (_, watches):
        if num is not None:
            watches.get(num)
        updates = watches.updates(since=day or "", watch=num)
    if as_json:
        click.echo(to_json(updates))
    else:
        for line in told(updates):
            click.echo(line)
        if not updates:
            say("there is no news so far. Look for some: trialindex sync")


def told(updates: Iterable[Update]) -> Iterator[str]:
    """News as plain lines for a person."""
    from trialindex.trial.sanitize import one_line

    for update in updates:
        yield f"{update.kind:8} {one_line(update.trial)}  {one_line(update.title)}"
        asked = f", {one_line(update.asked)}" if update.asked else ""
        yield f"         watch {update.watch}{asked}. {one_line(update.why)}"
        for line in update.lines:
            yield f"         - {one_line(line)}"
        if update.url:
            yield f"         {one_line(update.url)}"
        yield ""


def to_json(updates: Iterable[Update]) -> str:
    """News as a JSON array of :class:`~trialindex.plugin.messages.Update`."""
    return json_text(list(updates))

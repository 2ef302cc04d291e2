"""``trialindex sync``."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, say
from trialindex.cli.output import progress_listener
from trialindex.cli.updates import format_updates
from trialindex.cli.watch import open_watches

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.plugin.messages import Update
    from trialindex.watching import DeliveryResult, MailResult
    from trialindex.watching.sources import RefreshResult


@click.command("sync")
@click.option("--quiet", "-q", is_flag=True, help="Only the news and what went wrong.")
@click.option("--sweep", is_flag=True, help="Look for trials that their source no longer has, as is done once a month.")
@click.option("--force", is_flag=True, help="Sweep, and mark them even if they are more than a tenth of a source's.")
@click.option("--forget", metavar="SPEC", help="Do not sync, but ask this source no more; its trials stay.")
@index_option
@click.pass_context
def command(
    ctx: click.Context, quiet: bool, sweep: bool, force: bool, forget: str | None, index_path: str | None
) -> None:
    """Refresh every source of the index, and tell what is new to your watches.

    The news is printed and given to your notifiers; `trialindex updates` shows them again. A source that fails does
    not stop the others; the command then exits 1. A trial that its source no longer has is marked and never deleted.
    Let a timer run it every day: see docs/watching.md.
    """
    from trialindex.plugin.progress import ProgressListener
    from trialindex.watching import Subscribers, sync

    def refreshed(one: RefreshResult) -> None:
        if not quiet and one.summary:
            _say_refreshed(one)
        if one.problem:
            _say_problem(one)
        _say_sweep(one, quiet, asked=sweep or force)

    def news(updates: list[Update]) -> None:
        if not any(one.shows(watches.plugins) for one in watches.notifiers()):
            _print(updates)
        if not updates and not quiet:
            say("nothing new for your watches." if watches.exist else "nothing is watched: trialindex watch --help")

    with open_watches(index_path) as (index, watches), ExitStack() as opened:
        if forget is not None:
            _forget(index, forget)
            return
        subscribers = opened.enter_context(Subscribers(index.folder)) if Subscribers.exist(index.folder) else None
        result = sync(
            index,
            watches,
            subscribers,
            listeners=lambda: nullcontext(ProgressListener()) if quiet else progress_listener(quiet),
            on_refreshed=refreshed,
            on_updates=news,
            sweep="force" if force else "now" if sweep else "due",
        )
    for line in result.unfollowed:
        say(line)
    shown = [one for one in result.deliveries if one.notifier.shows(watches.plugins)]
    for one in result.deliveries:
        _say_delivered(one, quiet or one in shown)
    if result.mails:
        _say_mailed(result.mails, quiet)
    if shown and not any(one.accepted for one in shown):
        _print(result.updates)
    if result.stopped:
        say(f"{result.stopped}. What was done is kept; run the same command again to go on.")
        ctx.exit(130)
    if result.failed:
        ctx.exit(1)


def _print(updates: list[Update]) -> None:
    for line in format_updates(updates, backlog=False):
        click.echo(line)


def _say_refreshed(one: RefreshResult) -> None:
    from trialindex.cli.ingest import format_counts
    from trialindex.trial.sanitize import one_line

    assert one.summary is not None
    say(f"{one_line(one.spec)}: {format_counts(one.summary)}.")


def _say_sweep(one: RefreshResult, quiet: bool, *, asked: bool) -> None:
    """What a sweep found. A source that cannot tell is said only to somebody who asked for a sweep."""
    from trialindex.trial.display import listed
    from trialindex.trial.sanitize import one_line

    swept, spec = one.sweep, one_line(one.spec)
    if swept is None:
        return
    if swept.refused:
        say(f"{spec}: {swept.refused} If it is so: trialindex sync --force")
    elif not swept.able and asked and not quiet:
        say(f"{spec}: this source cannot tell which trials it still has.")
    for what, ids in (("no longer in the registry, marked", swept.gone), ("in the registry again", swept.back)):
        if ids and not swept.refused and not quiet:
            say(f"{spec}: {what}: {listed(map(one_line, ids), 10)}.")


def _say_problem(one: RefreshResult) -> None:
    from trialindex.trial.sanitize import one_line

    end = f' To leave it out: trialindex sync --forget "{one_line(one.spec)}"' if one.missing else ""
    say(f"{one_line(one.spec)}: {one_line(one.problem)}{end}")


def _forget(index: Index, spec: str) -> None:
    from trialindex.errors import SourceError, nearest

    known = index.info().sources
    if spec not in known:
        raise SourceError(f'the index was not built from "{spec}".', hint=nearest(spec, known))
    index.forget_request(spec)
    click.echo(f"{spec} is asked no more. To begin again, ingest it once more.")


def _say_mailed(mails: MailResult, quiet: bool) -> None:
    from trialindex.trial.display import count
    from trialindex.trial.sanitize import one_line

    if mails.sent and not quiet:
        say(f"{count(mails.sent, 'mail')} to subscribers sent.")
    if mails.refused:
        say(f"{count(mails.refused, 'mail')} to subscribers refused for good.")
    if mails.error:
        say(f"mails to subscribers wait, a later sync tries again: {one_line(mails.error)}")


def _say_delivered(one: DeliveryResult, quiet: bool) -> None:
    from trialindex.trial.display import count
    from trialindex.trial.sanitize import one_line

    who = f"notifier {one.notifier.num} ({one_line(one.notifier.spec)})"
    if one.accepted and not quiet:
        say(f"{who} took {count(one.accepted, 'delivery', 'deliveries')}.")
    if one.suspended:
        mended = f"When it is mended: trialindex notify test {one.notifier.num}"
        say(f"{who} refuses for good: {one_line(one.error)} {mended}")
    elif one.error:
        say(f"{who} could not deliver, a later sync tries again: {one_line(one.error)}")

"""``trialindex watch``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import FilterCommand, index_option, open_for_writing, say, take_filters
from trialindex.cli.groups import OptionsAnywhere

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.watching import Watch, Watches

_NARROWER = 5
"""How many narrower terms are named."""


@contextmanager
def open_watches(index_path: str | None, *, create: bool = False) -> Iterator[tuple[Index, Watches]]:
    """The index that was named or the default one, and the watches beside it.

    :param create: make the file of the watches if there is none.
    """
    from trialindex.watching import Watches

    path = str(Path(index_path).resolve()) if index_path else None
    with open_for_writing(path, create=False) as index, Watches(index.folder, create=create) as watches:
        yield index, watches


@click.group("watch", cls=OptionsAnywhere)
def command() -> None:
    """Be told of a trial, a condition or a question.

    What you watch stays on this machine, in watches.db beside the index, which only you can read. `trialindex sync`
    looks for news and tells you.

    \b
    Examples:
      trialindex watch add NCT06676631
      trialindex watch add --condition "lupus nephritis" --status recruiting
      trialindex watch add --query "my kidneys are failing because of lupus" --age 34
      trialindex watch list
      trialindex watch remove 2
    """


@command.command("add", cls=FilterCommand, without={"condition"})
@click.argument("trial_id", metavar="[ID]", required=False, default="")
@click.option("--condition", metavar="WORDS", default="", help="Trials that name this condition, or a kind of it.")
@click.option("--query", metavar="TEXT", default="", help="New trials among the first results of this question.")
@click.option("--name", metavar="TEXT", default="", help="What to call the watch in place of what it is for.")
@click.option("--top", type=click.IntRange(1, 1000), help="With --query: so many first results count.  [default: 20]")
@click.option(
    "--level",
    type=click.FloatRange(-1, 1),
    help="With --query: and of those the trials with at least this similarity in meaning, a cosine. Less misses less "
    "and brings more that does not fit.  [default: 0.45]",
)
@click.option(
    "--conditions/--no-conditions",
    "too",
    default=None,
    help="With ID: watch each of the trial's conditions too, or not. Without either it is asked, on a terminal.",
)
@index_option
def add(
    trial_id: str,
    condition: str,
    query: str,
    name: str,
    top: int | None,
    level: float | None,
    too: bool | None,
    index_path: str | None,
    **options: Any,
) -> None:
    """Watch a trial by its ID, a condition, or a question; from now on.

    A condition is watched with the kinds of it that the vocabularies know. The filters leave trials out: of one that
    no longer passes them you are told so.
    """
    from trialindex.watching import baseline, watch_for

    filters = take_filters(options)
    if sum(map(bool, (trial_id, condition, query))) != 1:
        raise click.UsageError("give one of ID, --condition and --query")
    if not query and (top is not None or level is not None):
        raise click.UsageError("--top and --level go with --query")
    if too is not None and not trial_id:
        raise click.UsageError("--conditions and --no-conditions go with an ID")
    limits: dict[str, Any] = {key: value for key, value in (("top", top), ("level", level)) if value is not None}
    with open_watches(index_path, create=True) as (index, watches):
        watch = watch_for(index, trial=trial_id, condition=condition, query=query, name=name, **limits, **filters)
        watch = watches.add(*baseline(index, watch))
        _say_added(index, watches, watch)
        if trial_id:
            _offer_conditions(index, watches, watch, too, filters)


def _say_added(index: Index, watches: Watches, watch: Watch) -> None:
    from trialindex.trial import display, sanitize

    count = watches.count_members(watch.num)
    click.echo(f"Watch {watch.num}: {watch.label}.")
    if watch.kind == "trial":
        click.echo(f"It is: {sanitize.one_line(index.get(watch.subject).title)}")
    elif watch.kind == "condition":
        _say_narrower(index, watch)
        click.echo(f"{display.count(count, 'trial')} of the index {'matches' if count == 1 else 'match'} now.")
    else:
        click.echo(f"Of the first {watch.top} results, {count} have a similarity of {watch.level:g} or more now.")
    click.echo("From now on you are told what is new and what changes, by: trialindex sync")


def _say_narrower(index: Index, watch: Watch) -> None:
    from trialindex.trial import display
    from trialindex.watching.matching import Matcher

    with index.snapshot() as records:
        concept, below = Matcher(index, records).narrower(watch.subject)
    if concept is None:
        say("no vocabulary at hand knows this condition: trials that name it in the same words are told.")
    elif below:
        click.echo(f"With it go: {display.listed((one.name for one in below), _NARROWER)}.")


def _offer_conditions(index: Index, watches: Watches, watch: Watch, too: bool | None, filters: dict[str, Any]) -> None:
    """Watch the conditions of the trial as well, if the user wants that."""
    from trialindex.trial import display, sanitize
    from trialindex.watching import baseline, watch_for

    names = _conditions(index, watch.subject)
    wanted = [watch_for(index, condition=name, **filters) for name in names]
    wanted = [one for one in wanted if not any(one.same_as(other) for other in watches.all())]
    if not wanted or too is False:
        return
    if too is None and sys.stdin.isatty():
        too = click.confirm(f"Watch its conditions too ({display.listed(names)})?", default=False, err=True)
        if not too:
            return
    for one in wanted:
        if too:
            _say_added(index, watches, watches.add(*baseline(index, one)))
        else:
            quoted = sanitize.one_line(one.subject).replace('"', "'")
            say(f'to watch its condition too: trialindex watch add --condition "{quoted}"')


def _conditions(index: Index, trial_id: str) -> list[str]:
    """The conditions of a trial, each meaning once, under its name in the vocabularies if they know it."""
    from trialindex.watching.matching import Matcher

    with index.snapshot() as records:
        recognizer = Matcher(index, records).recognizer
    found: dict[str, str] = {}
    for listed in index.get(trial_id).conditions:
        concept = recognizer.lookup(listed)
        name = concept.name if concept else listed
        if any(map(str.isalnum, name)):
            found.setdefault(name.casefold(), name)
    return list(found.values())


@command.command("list")
@index_option
def list_(index_path: str | None) -> None:
    """List what you watch."""
    from trialindex.trial import display

    with open_watches(index_path) as (_, watches):
        for watch in watches.all():
            count = "" if watch.kind == "trial" else f", {display.count(watches.count_members(watch.num), 'trial')}"
            told = len(watches.updates(watch=watch.num))
            paused = ", paused" if watch.paused else ""
            news = display.count(told, "piece of news", "pieces of news")
            click.echo(f"{watch.num}  {watch.label}{count}; since {watch.added}, {news}{paused}")
        if not watches.all():
            say('nothing is watched yet. Begin: trialindex watch add --condition "lupus nephritis"')


@command.command("remove")
@click.argument("num", metavar="N", type=int)
@index_option
def remove(num: int, index_path: str | None) -> None:
    """Watch something no more, and forget what was told of it. N is its number in `watch list`."""
    with open_watches(index_path) as (_, watches):
        watch = watches.remove(num)
    click.echo(f"Removed watch {num}: {watch.label}.")


@command.command("pause")
@click.argument("num", metavar="N", type=int)
@index_option
def pause(num: int, index_path: str | None) -> None:
    """Tell a watch nothing until it is resumed.

    Then it is told what happened meanwhile.
    """
    with open_watches(index_path) as (_, watches):
        watch = watches.pause(num, True)
    click.echo(f"Paused watch {num}: {watch.label}. Go on with: trialindex watch resume {num}")


@command.command("resume")
@click.argument("num", metavar="N", type=int)
@index_option
def resume(num: int, index_path: str | None) -> None:
    """Tell a paused watch again.

    The next sync tells what happened meanwhile.
    """
    with open_watches(index_path) as (_, watches):
        watch = watches.pause(num, False)
    click.echo(f"Watch {num} is told again: {watch.label}.")

"""``trialindex notify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import index_option, say
from trialindex.cli.groups import OptionsAnywhere
from trialindex.cli.watch import open_watches

if TYPE_CHECKING:
    from trialindex.watching import NotifierConfig


@click.group("notify", cls=OptionsAnywhere)
def command() -> None:
    """Have the news of your watches brought to you.

    A notifier gets the news of all watches at every `trialindex sync`, and what it did not take it gets again. What you
    typed goes only to those that keep it on this machine.

    \b
    Examples:
      trialindex notify add file:news.jsonl
      trialindex notify add email --help
      trialindex notify list
      trialindex notify test 1
    """


class AddGroup(OptionsAnywhere):
    """Every notifier is a subcommand with options of its own; its argument follows a colon."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from trialindex.plugin.registry import plugins

        return plugins().notifiers.names()

    def get_command(self, ctx: click.Context, spec: str) -> click.Command | None:
        import inspect

        from trialindex.plugin.registry import plugins, split_spec

        notifier = plugins().notifiers.get(split_spec(spec)[0])

        @index_option
        def run(index_path: str | None, **options: Any) -> None:
            _add(spec, options, index_path)

        return click.Command(
            spec,
            callback=run,
            params=[*notifier.options, *run.__click_params__],  # type: ignore[attr-defined]
            help=inspect.cleandoc(notifier.__doc__ or notifier.summary),
            short_help=notifier.summary,
        )


@command.command("add", cls=AddGroup, subcommand_metavar="NAME[:ARGUMENT] [OPTIONS]")
def add() -> None:
    """Add a notifier, which is told what comes from now on.

    Each has options of its own: trialindex notify add NAME --help.
    """


def _add(spec: str, options: dict[str, Any], index_path: str | None) -> None:
    from trialindex.trial.sanitize import one_line
    from trialindex.watching.delivery import notifier_config

    one = notifier_config(spec, options)
    with open_watches(index_path, create=True) as (_, watches):
        one = watches.add_notifier(one)
        local = one.is_local(watches.plugins)
    click.echo(f"Notifier {one.num}: {one_line(one.spec)}. Try it: trialindex notify test {one.num}")
    if not local:
        say("it sends the news of your watches off this machine: which trials, and what changed; never what you typed.")


@command.command("list")
@index_option
def list_(index_path: str | None) -> None:
    """List the notifiers, and how their deliveries go."""
    with open_watches(index_path) as (_, watches):
        found = watches.notifiers()
    for one in found:
        click.echo(_line(one))
    if not found:
        say("there is no notifier. See which there are: trialindex notify add --help")


def _line(one: NotifierConfig) -> str:
    from trialindex.trial.display import count
    from trialindex.trial.sanitize import one_line

    said = [f"{count(one.sent, 'delivery', 'deliveries')} taken{f', last on {one.last_sent}' if one.last_sent else ''}"]
    if one.waiting:
        tried = f", tried up to {count(one.attempts, 'time')}, next after {one.due}" if one.attempts and one.due else ""
        said.append(f"{one.waiting} waiting{tried}")
    if one.suspended:
        said.append(f"{one.suspended} refused for good until this succeeds: trialindex notify test {one.num}")
    if one.error:
        said.append(f"last attempt: {one_line(one.error)}")
    return f"{one.num}  {one_line(one.spec)}  {'; '.join(said)}"


@command.command("remove")
@click.argument("num", metavar="N", type=int)
@index_option
def remove(num: int, index_path: str | None) -> None:
    """Remove a notifier, with what it was still to be sent. N is its number in `notify list`."""
    from trialindex.trial.sanitize import one_line

    with open_watches(index_path) as (_, watches):
        one = watches.remove_notifier(num)
    click.echo(f"Removed notifier {num}: {one_line(one.spec)}.")


@command.command("test")
@click.argument("num", metavar="N", type=int)
@index_option
def test(num: int, index_path: str | None) -> None:
    """Send a notifier a delivery that says it is a test; if it is taken, what waits goes out at the next sync."""
    from trialindex.trial.sanitize import one_line
    from trialindex.watching import send_test

    with open_watches(index_path) as (_, watches):
        one = send_test(watches, num)
    click.echo(f"Notifier {num} ({one_line(one.spec)}) took the test.")

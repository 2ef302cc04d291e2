"""``trialindex subscribers``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialindex.cli.common import index_option, open_for_writing, say
from trialindex.cli.groups import OptionsAnywhere

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Notifier
    from trialindex.watching import Subscribers


@click.group("subscribers", cls=OptionsAnywhere)
def command() -> None:
    """Let people sign up by e-mail at a public server, and look after what is kept of them.

    Addresses and what each follows are sealed, in subscribers.db beside the index, with a key that lies elsewhere.
    `trialindex serve --public` takes sign-ups once this is set up; `trialindex sync` sends the news.

    \b
    Examples:
      trialindex subscribers setup email --from news@example.org --host localhost --security none
      trialindex subscribers show
      trialindex subscribers remove anna@example.org
    """


@contextmanager
def open_subscribers(index_path: str | None) -> Iterator[Subscribers]:
    """The subscribers beside the index that was named or the default one."""
    from trialindex.watching import Subscribers

    with open_for_writing(index_path, create=False) as index, Subscribers(index.folder) as subscribers:
        yield subscribers


class SetupGroup(OptionsAnywhere):
    """Every notifier that can write to people who sign up is a subcommand with its options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from trialindex.plugin.registry import plugins

        found = plugins().notifiers
        return [name for name in found.names() if found.get(name).invites]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from trialindex.plugin.registry import plugins

        if name not in self.list_commands(ctx):
            return None
        notifier = plugins().notifiers.get(name)

        @click.option("--key-file", metavar="PATH", help="Where the key is or is made.  [default: in your data folder]")
        @index_option
        def run(index_path: str | None, key_file: str | None, **options: Any) -> None:
            _set_up(notifier, options, key_file, index_path)

        return click.Command(
            name,
            callback=run,
            params=[*notifier.options, *run.__click_params__],  # type: ignore[attr-defined]
            help=f"Write to people who sign up with the notifier {name}; see: trialindex notify add {name} --help",
            short_help=notifier.summary,
        )


@command.command("setup", cls=SetupGroup, subcommand_metavar="NAME [OPTIONS]")
def setup() -> None:
    """Say how people who sign up are written to, for the first time or anew."""


def _set_up(notifier: type[Notifier], options: dict[str, Any], key_file: str | None, index_path: str | None) -> None:
    from trialindex.errors import NotifierError
    from trialindex.watching import MailSettings, Subscribers

    sender = str(options.get("from_") or options.get("user") or "")
    if "@" not in sender:
        raise NotifierError("people need to see who writes to them.", hint="Add --from news@example.org.")
    kept = {name: _option_value(name, value) for name, value in options.items() if value is not None}
    kept["from_"] = sender
    notifier(sender, **kept)  # says what is wrong
    with open_for_writing(index_path, create=False) as index:
        settings = MailSettings(notifier=notifier.name, options=kept, key_file=str(_key_path(index.folder, key_file)))
        with Subscribers.set_up(index.folder, settings) as subscribers:
            key = subscribers.settings.key_file
    click.echo(f"People can sign up by {notifier.name} at: trialindex serve --public --base-url https://…")
    say(f"the key is {key}. Keep a copy of it, apart from the index: without it nobody can be written to any more.")


def _option_value(name: str, value: Any) -> Any:
    """The value of an option; a path from the root on, since the server may run in another folder."""
    return str(Path.cwd() / Path(value).expanduser()) if name.endswith("_file") else value


def _key_path(folder: Path, given: str | None) -> Path:
    from trialindex.watching import Subscribers

    if given:
        return Path.cwd() / Path(given).expanduser()
    if Subscribers.exist(folder):
        with Subscribers(folder) as known:
            return Path(known.settings.key_file)
    from platformdirs import user_data_path

    return user_data_path("trialindex") / "subscribers.key"


@command.command("show")
@index_option
def show(index_path: str | None) -> None:
    """Say how many people signed up, and how their mails go. Nobody is named."""
    from trialindex.trial.display import count

    with open_subscribers(index_path) as subscribers:
        number = subscribers.rows.counts()
        settings = subscribers.settings
    click.echo(f"{count(number['subscribers'], 'subscriber')}, {count(number['subscriptions'], 'subscription')}")
    click.echo(f"{count(number['sign_ups'], 'sign-up')} not confirmed; {count(number['waiting'], 'mail')} waiting")
    click.echo(f"written to by {settings.notifier}; the key is {settings.key_file}")


@command.command("export")
@click.argument("address")
@index_option
def export(address: str, index_path: str | None) -> None:
    """Print all that is kept of somebody, as JSON: for whoever asks in writing."""
    import json

    with open_subscribers(index_path) as subscribers:
        row, _ = _find(subscribers, address)
        click.echo(json.dumps(subscribers.export(row), indent=2))


@command.command("remove")
@click.argument("address")
@index_option
def remove(address: str, index_path: str | None) -> None:
    """Delete somebody and all that is kept of them: for whoever asks in writing."""
    with open_subscribers(index_path) as subscribers:
        row, _ = _find(subscribers, address)
        subscribers.delete(row)
    click.echo("Deleted.")


def _find(subscribers: Subscribers, address: str) -> Any:
    from trialindex.errors import WatchError

    found = subscribers.known_as(address)
    if found is None:
        raise WatchError("nobody signed up with that address.", hint="See how many did: trialindex subscribers show")
    return found

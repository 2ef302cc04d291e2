"""The command line: one short module a command, each loaded when it is asked for."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import Any

import click

from trialindex.cli.groups import OptionsAnywhere
from trialindex.errors import TrialIndexError

COMMANDS = {
    "check": "check",
    "completion": "completion",
    "diff": "diff",
    "eval": "evaluate",
    "export": "export",
    "history": "history",
    "import": "import_",
    "info": "info",
    "ingest": "ingest",
    "list": "list_",
    "merge": "merge",
    "notify": "notify",
    "plugins": "plugins",
    "query": "query",
    "remove": "remove",
    "show": "show",
    "subscribers": "subscribers",
    "sync": "sync",
    "updates": "updates",
    "watch": "watch",
}

EPILOG = """\b
Exit codes:
  0  done        1  it could not be done; one line says why
  2  the command was mistyped      130  interrupted with Ctrl-C

\b
What you type about anybody's health stays on this machine.
trialindex informs, and never advises: talk to a doctor about any trial.
"""


class LazyGroup(OptionsAnywhere):
    """Imports a command's module when the command is run or listed; plugins may add commands of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._ask_plugins()
        return sorted({*COMMANDS, *self.commands})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            command: click.Command = import_module(f"trialindex.cli.{COMMANDS[name]}").command
            return command
        self._ask_plugins()
        return self.commands.get(name)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a plugin's command.

        :raises PluginError: the name is taken.
        """
        from trialindex.errors import PluginError

        chosen = name or cmd.name or ""
        if chosen in COMMANDS or chosen in self.commands:
            raise PluginError(f'there is a command "{chosen}" already')
        super().add_command(cmd, chosen)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from trialindex.errors import nearest

            ctx.fail(f'there is no command "{args[0]}". {nearest(args[0], self.list_commands(ctx))}')
        return super().resolve_command(ctx, args)

    def _ask_plugins(self) -> None:
        from trialindex.plugin.registry import plugins

        plugins().add_commands(self)


def _debug(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    """Show what the library and the plugins log, until the command ends."""
    if not wanted or ctx.resilient_parsing:
        return
    import logging

    from trialindex.trial.sanitize import clean

    class ToStderr(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            click.echo(clean(self.format(record)), err=True)  # it may quote a record or a server

    handler = ToStderr()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("trialindex")
    before = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    ours.setLevel(logging.DEBUG)

    def stop() -> None:
        root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])

    ctx.call_on_close(stop)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    envvar="TRIALINDEX_DEBUG",
    show_envvar=True,
    callback=_debug,
    help="Log what happens to stderr, with the traceback of a plugin that fails.",
)
@click.version_option(package_name="trialindex", message="trialindex %(version)s")
def cli() -> None:
    """Search clinical trials by what they mean, on your own machine.

    \b
    Try it on the bundled sample of real trials:
      trialindex query "severe lupus kidney"
    Then build an index of your own and ask it:
      trialindex ingest ctgov:"lupus nephritis"
      trialindex query "my kidneys are failing because of lupus" --status recruiting
      trialindex show NCT06676631
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: every expected failure is one line on stderr."""
    atexit.register(gc.freeze)  # else every object is looked at for cycles before it goes, a tenth of a query's time
    try:
        code: Any = cli.main(args=arguments, prog_name="trialindex", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.UsageError as problem:
        path = problem.ctx.command_path if problem.ctx else "trialindex"
        said = problem.format_message().rstrip(".")
        _say(f"{said}{'' if said.endswith('?') else '.'} See: {path} --help")
        code = 2
    except click.ClickException as problem:
        _say(problem.format_message())
        code = problem.exit_code
    except TrialIndexError as problem:
        for line in str(problem).splitlines():  # several only where a source lists what is wrong with a file
            _say(line)
        code = 1
    except UnicodeError:  # of what was typed or read from standard input; files have messages of their own
        _say("what was typed, or read from standard input, is not UTF-8 text. Save it as UTF-8 and try again.")
        code = 1
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted.")
        code = 130
    except BrokenPipeError:  # the reader of our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    _warn_of_broken_plugins()
    sys.exit(code if isinstance(code, int) else 0)


def _warn_of_broken_plugins() -> None:
    """Name the plugins that failed, if this command looked at plugins at all."""
    module = sys.modules.get("trialindex.plugin.registry")
    if module is not None and module.plugins.cache_info().currsize:
        for plugin in module.plugins().failed:
            _say(f'the plugin "{plugin.name}" of {plugin.distribution} does not work and is left out: {plugin.error}')


def _say(message: str) -> None:
    from trialindex.trial.sanitize import one_line

    click.echo(f"trialindex: {one_line(message)}", err=True)  # it may quote a record, a file or what was typed

"""Write ``docs/cli.md`` from the command line itself.

::

    python docs/generate_cli.py            # write it
    python docs/generate_cli.py --check    # exit 1 if the file is not what would be written

Only what this distribution brings is described: a plugin that happens to be installed beside it changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

import trialindex.plugin.registry
from trialindex.plugin.registry import GROUP, Plugins

PAGE = Path(__file__).parent / "cli.md"
WIDTH = 100
"""Columns of the help texts."""

INTRODUCTION = """\
<!-- Written by docs/generate_cli.py: do not edit. -->

# The command line

Every command, and every source of `trialindex ingest`, as `--help` shows it. The [tutorial](tutorial.md) shows them at
work; [errors.md](errors.md) lists what can go wrong and the exit codes.
"""


def builtin_plugins() -> Plugins:
    """The plugins of this distribution, and no others."""
    found = Plugins(discover=False)
    for entry in metadata.distribution("trialindex").entry_points.select(group=GROUP):
        found.register(entry.load(), entry.name)
    return found


def walk(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[click.Context]:
    """The context of *command* and of all commands below it, each before those it holds."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            below = command.get_command(context, child)
            if below is not None and not below.hidden:
                yield from walk(below, child, context)


def contexts() -> list[click.Context]:
    """The context of every built-in command, ``trialindex`` itself first."""
    shared = builtin_plugins()
    trialindex.plugin.registry.plugins = lambda: shared  # type: ignore[assignment]  # the command line asks for it by this name
    from trialindex.cli import cli

    return list(walk(cli, "trialindex"))


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for context in contexts():
        depth = context.command_path.count(" ")
        help_text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
        parts.append(f"{'#' * (2 + max(depth - 1, 0))} {context.command_path}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def main() -> None:
    text = page()
    if "--check" in sys.argv[1:]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
            sys.exit(f"{PAGE.name} is not what the command line says. Write it anew: python docs/generate_cli.py")
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

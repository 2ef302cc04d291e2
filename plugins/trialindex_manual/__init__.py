"""The ``manual`` source, trials written by hand, and the command ``trialindex add``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

    from trialindex.plugin.interfaces import Source


@hookimpl
def register_sources() -> Sequence[type[Source]]:
    from trialindex_manual.source import ManualSource

    return [ManualSource]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from trialindex_manual.command import add

    cli.add_command(add)

"""``trialindex serve``: a page to search and read trials on, and an API for programs, over one index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def register_commands(cli: click.Group) -> None:
    from trialindex_web.command import serve

    cli.add_command(serve)

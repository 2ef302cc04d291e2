"""``trialindex list``."""

from __future__ import annotations

from typing import Any

import click

from trialindex.cli.common import FilterCommand, index_option
from trialindex.cli.output import output_options, render_trials


@click.command("list", cls=FilterCommand)
@output_options
@index_option
def command(
    index_path: str | None, format_name: str | None, output: str | None, contacts: bool, **options: Any
) -> None:
    """List the trials of an index, all or those that pass filters.

    \b
    Examples:
      trialindex list
      trialindex list --status recruiting --country France --format csv --output french.csv
    """
    render_trials(index_path, format_name, output, contacts, options, default="table")

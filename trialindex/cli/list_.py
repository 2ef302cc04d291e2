"""``trialindex list``."""

from __future__ import annotations

from typing import Any

import click

from trialindex.cli.common import (
    filter_options,
    index_option,
    open_for_reading,
    output_options,
    renderer,
    take_filters,
    write,
)


@click.command("list")
@filter_options
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
    from trialindex.search.filters import Filters

    filters = Filters.parse(**take_filters(options))
    draw = renderer(format_name, output, contacts)
    with open_for_reading(index_path) as index:
        write(draw.trials(index.trials(filters, contacts=contacts)), output)

"""``trialindex export``."""

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


@click.command("export")
@filter_options
@output_options
@index_option
def command(
    index_path: str | None, format_name: str | None, output: str | None, contacts: bool, **options: Any
) -> None:
    """Write out whole trials for other programs, as JSON lines unless another format is chosen.

    \b
    Examples:
      trialindex export --output trials.jsonl
      trialindex export --condition "lupus nephritis" --format csv > lupus.csv
    """
    from trialindex.search.filters import Filters

    filters = Filters.parse(**take_filters(options))
    draw = renderer(format_name, output, contacts, default="jsonl")
    with open_for_reading(index_path) as index:
        write(draw.trials(index.trials(filters, contacts=contacts)), output)

"""``trialindex export``."""

from __future__ import annotations

from typing import Any

import click

from trialindex.cli.common import filter_options, index_option, output_options, write_trials


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
    write_trials(index_path, format_name, output, contacts, options, default="jsonl")

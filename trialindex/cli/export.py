"""``trialindex export``."""

from __future__ import annotations

from typing import Any

import click

from trialindex.cli.common import FilterCommand, index_option, open_for_reading, say_unembedded
from trialindex.cli.output import output_options, progress_listener, render_trials


@click.command("export", cls=FilterCommand)
@output_options
@click.option(
    "--archive",
    metavar="FILE",
    help="The whole index into this zip file, for trialindex import: contacts, versions, all.",
)
@index_option
def command(
    index_path: str | None,
    format_name: str | None,
    output: str | None,
    contacts: bool,
    archive: str | None,
    **options: Any,
) -> None:
    """Write out whole trials for other programs, as JSON lines unless another format is chosen; or the whole index.

    An archive holds everything of the index, so that nothing has to be encoded again, and nothing of what you watch.

    \b
    Examples:
      trialindex export --output trials.jsonl
      trialindex export --condition "lupus nephritis" --format csv > lupus.csv
      trialindex export --archive backup.zip
    """
    if archive is None:
        render_trials(index_path, format_name, output, contacts, options, default="jsonl")
        return
    if format_name or output or contacts or any(options.values()):
        raise click.UsageError("an archive holds the whole index: --archive goes with --index and nothing else.")
    from trialindex.transfer.export import export_archive
    from trialindex.trial import display

    with open_for_reading(index_path) as index, progress_listener(quiet=False) as listener:
        info = index.info()
        count = export_archive(index, archive, progress=listener.progress)
    click.echo(f"{display.count(count, 'trial')} written to {archive}, contacts included.")
    say_unembedded(info)

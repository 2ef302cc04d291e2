"""``trialindex import``."""

from __future__ import annotations

from pathlib import Path

import click

from trialindex.cli.common import default_path, index_option, say_unembedded
from trialindex.cli.output import progress_listener


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option("--store", metavar="NAME", help="Where vectors are kept, if not as in the index that was exported.")
@index_option
def command(file: str, store: str | None, index_path: str | None) -> None:
    """Make an index from an archive that `trialindex export --archive` wrote; nothing is encoded again.

    It holds and answers the same. The index must be new; to add the trials to another one, merge the two afterwards.

    \b
    Examples:
      trialindex import backup.zip --index restored
      trialindex merge restored --index whole
    """
    from trialindex.index import Index
    from trialindex.transfer.export import import_archive
    from trialindex.trial import display

    folder = Path(index_path) if index_path else default_path()
    with progress_listener(quiet=False) as listener:
        count = import_archive(file, folder, store=store, progress=listener.progress)
    click.echo(f"The index at {folder} holds {display.count(count, 'trial')}.")
    with Index.open(folder) as index:
        say_unembedded(index.info())

"""``trialindex merge``."""

from __future__ import annotations

from pathlib import Path

import click

from trialindex.cli.common import default_path, index_option, say
from trialindex.cli.output import progress_listener


@click.command("merge")
@click.argument("parts", metavar="PART...", nargs=-1, required=True)
@click.option("--store", metavar="NAME", help="For a new index: where vectors are kept, if not as in the first part.")
@index_option
def command(parts: tuple[str, ...], store: str | None, index_path: str | None) -> None:
    """Bring the trials of several indexes into one, which is made when there is none; nothing is encoded again.

    All must be of one encoder. Of a trial that two of them hold, the newer record becomes the current one and the
    other an earlier version. The parts themselves are left as they are.

    \b
    Examples, on three machines and then on one:
      trialindex ingest ctgov --all --shard 1/3 --index part1
      trialindex ingest ctgov --all --shard 2/3 --index part2
      trialindex ingest ctgov --all --shard 3/3 --index part3
      trialindex merge part1 part2 part3 --index whole
    """
    from trialindex.transfer.merge import merge
    from trialindex.trial import sanitize

    folder = Path(index_path) if index_path else default_path()
    with progress_listener(quiet=False) as listener:
        done = merge(parts, folder, store=store, progress=listener.progress)
    for note in done.notes:
        say(sanitize.one_line(note))
    added = sum(change.kind == "added" for change in done.changes)
    click.echo(f"{added:,} added, {len(done.changes) - added:,} changed. The index at {folder} is merged.")

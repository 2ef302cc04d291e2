"""``trialindex remove``."""

from __future__ import annotations

import click

from trialindex.cli.common import index_option, open_for_writing, say


@click.command("remove")
@click.argument("trial_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@index_option
def command(trial_ids: tuple[str, ...], yes: bool, index_path: str | None) -> None:
    """Delete trials from an index, with their history.

    A trial that a source still holds comes back when the source reads all of it again (ctgov: with --full).
    """
    from trialindex.plugin.progress import ProgressListener
    from trialindex.trial.sanitize import one_line

    with open_for_writing(index_path, create=False) as index:
        titles = [index.get(trial_id) for trial_id in trial_ids]
        if not yes:
            for trial in titles:
                click.echo(f"{one_line(trial.id)}  {one_line(trial.title)}", err=True)
            click.confirm(
                f"Delete {'this trial' if len(titles) == 1 else f'these {len(titles)} trials'}?", abort=True, err=True
            )
        changes = index.remove(trial_ids, listener=ProgressListener(on_note=say))
    click.echo(f"Removed {', '.join(one_line(change.id) for change in changes)}.")

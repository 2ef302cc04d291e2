"""``trialindex show``."""

from __future__ import annotations

import click

from trialindex.cli.common import index_option, open_for_reading, output_options, renderer, write


@click.command("show")
@click.argument("trial_id", metavar="ID")
@output_options
@index_option
def command(trial_id: str, index_path: str | None, format_name: str | None, output: str | None, contacts: bool) -> None:
    """Show one trial: what it is, who can take part, where it runs.

    \b
    Examples:
      trialindex show NCT06676631
      trialindex show NCT06676631 --contacts
      trialindex show NCT06676631 --output trial.html
    """
    draw = renderer(format_name, output, contacts)
    with open_for_reading(index_path) as index:
        stored = index.stored(trial_id, contacts=contacts)
        write(draw.trial(stored.trial, stored.seen), output)

"""``trialindex show``."""

from __future__ import annotations

import click

from trialindex.cli.common import index_option, open_for_reading, say
from trialindex.cli.output import make_renderer, output_options, render


@click.command("show")
@click.argument("trial_id", metavar="ID")
@click.option("--near", metavar="PLACE", help='"Lyon, France" or 45.76,4.84: sites with their distance, nearest first.')
@click.option(
    "--writer",
    metavar="SPEC",
    default="plain",
    show_default=True,
    help="Whose plain words: a writer of trialindex plugins, such as plain or llm.",
)
@click.option(
    "--sources", is_flag=True, help="Name the fields behind each plain sentence, and the source and day of each part."
)
@output_options
@index_option
def command(
    trial_id: str,
    near: str | None,
    writer: str,
    sources: bool,
    index_path: str | None,
    format_name: str | None,
    output: str | None,
    contacts: bool,
) -> None:
    """Show one trial: what it is in plain words, who can take part, where it runs.

    The plain words say what the registry states, and no more; what it does not state reads "not stated".

    \b
    Examples:
      trialindex show NCT06676631
      trialindex show NCT06676631 --near "Lyon, France" --contacts
      trialindex show NCT06676631 --sources
      trialindex show NCT06676631 --output trial.html
    """
    renderer = make_renderer(format_name, output, contacts, sources=sources)
    with open_for_reading(index_path) as index:
        card = index.card(trial_id, writer=writer, contacts=contacts, near=near)
    for note in card.plain.notes:
        say(note)
    render(renderer.trial, card, output)

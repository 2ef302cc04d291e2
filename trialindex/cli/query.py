"""``trialindex query``."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialindex.cli.common import (
    FilterCommand,
    index_option,
    make_reader,
    open_for_reading,
    reader_options,
    take_filters,
)
from trialindex.cli.output import make_renderer, output_options, render


@click.command("query", cls=FilterCommand)
@click.argument("text", nargs=-1)
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "vector", "lexical"]),
    default="hybrid",
    show_default=True,
    help="By meaning and words, by meaning, or by words.",
)
@click.option("--limit", "-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="Trials a page.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@click.option("--explain", is_flag=True, help="Show what was understood of TEXT, and how each part ranked every trial.")
@click.option("--as-written", is_flag=True, help="Search for TEXT as it is typed: mend, write out, leave out nothing.")
@click.option("--anyway", is_flag=True, help="Show trials also where nothing was understood of TEXT.")
@reader_options
@click.option("--rerank", "reranker", metavar="SPEC", help="Let a model put the first trials in its own order.")
@click.option(
    "--rerank-depth",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="How many trials --rerank reads.",
)
@output_options
@index_option
def command(
    text: tuple[str, ...],
    index_path: str | None,
    format_name: str | None,
    output: str | None,
    contacts: bool,
    **options: Any,
) -> None:
    """Find trials for a description of somebody's condition.

    TEXT is a few words or a whole note; - reads it from standard input. Without filters every trial of the index is
    ranked. An age or sex in the text is compared with each trial: those that do not fit are moved down and say so;
    only the filters below leave trials out.

    \b
    Examples:
      trialindex query "severe lupus kidney"
      trialindex query "asthma that steroids do not control" --age 9 --status recruiting
      trialindex query "cluster headache" --near "Lyon, France" --within 200km
      trialindex query "45 M, HTN, no diabetes, biopsy-proven IgA nephropathy" --explain
      trialindex query - --limit 50 --output answer.html < note.txt
    """
    words = sys.stdin.read() if text == ("-",) else " ".join(text)
    filters = take_filters(options)
    options["reader"] = make_reader(options["reader"], options.pop("allow_remote"))
    renderer = make_renderer(format_name, output, contacts)
    with open_for_reading(index_path) as index:
        render(renderer.results, index.query(words, contacts=contacts, **options, **filters), output)

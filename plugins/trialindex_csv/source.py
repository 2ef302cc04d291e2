"""The ``csv`` source."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import click

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial
from trialindex.trial.parse_values import DateOrder
from trialindex_csv import columns
from trialindex_csv.rows import LISTS, RowReader
from trialindex_csv.table import DELIMITERS, Table


class CsvSource(Source):
    """Trials from a table: csv:FILE.

    A CSV file that was downloaded from the ClinicalTrials.gov site is recognised by its columns; any choice of them
    will do that holds "NCT Number" and "Study Title". For another table say which column goes into which field:

    \b
      trialindex ingest csv:trials.csv --map id="Trial No" --map title=Name

    or write it down once in a TOML file and give it with --mapping. Cells that hold a list are split at "|", or at
    --list-separator. Encoding and delimiter are detected. Files may be compressed with gzip. A cell that cannot be
    read is left empty and named; only a row without an id or a title is skipped.
    """

    name: ClassVar[str] = "csv"
    summary: ClassVar[str] = (
        "Trials from a CSV file: the ClinicalTrials.gov site's export, or any table with a mapping."
    )
    partial: ClassVar[bool] = True
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(
            ["--map", "map_"],
            multiple=True,
            metavar="FIELD=COLUMN",
            help="Put this column into this field; may be given many times. FIELD= alone leaves a known column out.",
        ),
        click.Option(
            ["--mapping"], metavar="FILE.toml", help="A file with the mapping, the settings and constant values."
        ),
        click.Option(
            ["--list-separator"], metavar="TEXT", help='What separates the items of a list in one cell  [default: "|"]'
        ),
        click.Option(["--encoding"], metavar="NAME", help="Encoding of the file, such as cp1252  [default: detected]"),
        click.Option(
            ["--delimiter"], metavar="CHARACTER", help=f"One character, or {', '.join(DELIMITERS)}  [default: detected]"
        ),
        click.Option(
            ["--date-order"],
            type=click.Choice(["dmy", "mdy"]),
            help="How 05/06/2024 is meant: day or month first. Without it such a date is refused.",
        ),
    )

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if not argument:
            raise SourceError("csv needs a file.", hint="Type csv:FILE, for example csv:trials.csv.")
        self._path = Path(argument).expanduser()
        given = {name: value for name, value in options.items() if value}
        self._mapping = columns.Mapping()
        if "mapping" in given:
            self._mapping = columns.Mapping.read(Path(given["mapping"]).expanduser())
        self._mapping.update(given.get("map_", ()))
        self._mapping.check(LISTS)
        settings = self._mapping.settings | given
        self._encoding: str = settings.get("encoding", "")
        self._delimiter = _delimiter(settings.get("delimiter", ""))
        self._separator: str = settings.get("list_separator", columns.SITE_SEPARATOR)
        self._order = cast("DateOrder | None", settings.get("date_order"))
        if self._order not in (None, "dmy", "mdy"):
            raise SourceError(f'the date order "{self._order}" is not known.', hint="Allowed: dmy, mdy.")

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        table = Table(self._path, self._encoding, self._delimiter)
        plan = columns.plan(table.header, self._mapping, self._path)
        reader = RowReader(plan, self._mapping.constants, self._separator, self._order, self.name)
        if table.guessed:
            context.note(f"{self._path} is read as {table.encoding}; if letters look wrong, say --encoding.")
        if plan.unused:
            context.note(f"columns that are not used: {_some(plan.unused)}.")
        if not table.count:
            context.note(f"{self._path} holds the names of its columns and no rows.")
        seen: dict[str, int] = {}
        for done, row in enumerate(table.rows(), 1):
            try:
                if row.problem:
                    raise ValueError(row.problem)
                if row.missing:
                    context.drop(f"line {row.line}", f"the row ends {row.missing} cells before its header does")
                trial = reader.trial(row.cells, functools.partial(context.drop, f"line {row.line}"))
                if trial.id in seen:
                    raise ValueError(f"{trial.id} is in line {seen[trial.id]} already")
            except ValueError as problem:
                context.reject(f"line {row.line}", str(problem))
            else:
                seen[trial.id] = row.line
                yield trial
            context.progress(done, table.count)


def _delimiter(given: str) -> str:
    """The character meant; empty to detect it. :raises SourceError: it cannot be one."""
    character = DELIMITERS.get(given.lower(), "\t" if given == "\\t" else given)
    if len(character) > 1 or character in ('"', "\r", "\n", " "):
        raise SourceError(f'"{given}" cannot be a delimiter.', hint=f"Give one character, or {', '.join(DELIMITERS)}.")
    return character


def _some(names: Sequence[str], most: int = 12) -> str:
    quoted = ", ".join(f'"{name}"' for name in names[:most])
    return quoted if len(names) <= most else f"{quoted} and {len(names) - most} more"

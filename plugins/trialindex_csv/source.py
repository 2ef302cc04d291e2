"""The ``csv`` source."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import click

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial, display
from trialindex.trial.parse_values import DateOrder
from trialindex_csv import columns
from trialindex_csv.full_export import FullExport, is_full_export
from trialindex_csv.ictrp_xml import Export, is_export
from trialindex_csv.ids import id_of_cell
from trialindex_csv.repeats import Repeats
from trialindex_csv.rows import DATES, LISTS, RowReader
from trialindex_csv.table import DELIMITERS, Table
from trialindex_csv.workbook import Workbook, is_workbook


class CsvSource(Source):
    """Trials from a table: csv:FILE.

    A CSV file that was downloaded from the ClinicalTrials.gov site is recognised by its columns; any choice of them
    will do that holds "NCT Number" and "Study Title"; so are the lists of the WHO's ICTRP (CSV, Excel, XML),
    and the names that most registries give to a column. For another table say which column goes into which field:

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
            help="Put this column into this field; may be given many times. FIELD= alone leaves a known column out; "
            "FIELD.WORD=MEANING says what a word means, such as status.Open=RECRUITING.",
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
            help="How 05/06/2024 is meant: day or month first  [default: as the other dates of its column show]",
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
        table = self._table()
        plan = columns.plan(table.header, self._mapping, self._path)
        orders, ids = self._first_look(table, plan)
        separator = table.separator if isinstance(table, Export) else ";" if plan.ictrp else self._separator
        reader = RowReader(plan, self._mapping.constants, separator, orders, self.name, self._mapping.values)
        if table.above:
            above = display.count(table.above, "row")
            context.note(f"{above} above the names of the columns {'is' if table.above == 1 else 'are'} left out.")
        if table.guessed:
            context.note(f"{self._path} is read as {table.encoding}; if letters look wrong, say --encoding.")
        if plan.unused:
            context.note(f"columns that are not used: {_some(plan.unused)}.")
        if not table.count:
            context.note(f"{self._path} holds the names of its columns and no rows.")
        repeats = Repeats(ids, context.reject, context.drop)
        for done, row in enumerate(table.rows(), 1):
            trial = None
            try:
                if row.problem:
                    raise ValueError(row.problem)
                if row.missing:
                    context.drop(
                        f"line {row.line}", f"the row ends {display.count(row.missing, 'cell')} before its header does"
                    )
                trial = reader.trial(row.cells, functools.partial(context.drop, f"line {row.line}"))
            except ValueError as problem:
                context.reject(f"line {row.line}", str(problem))
            yield from repeats.take(_id(row.cells, plan), row.line, trial)
            context.progress(done, table.count)
        if repeats.joined:
            context.note(f"{display.count(repeats.joined, 'row')} went into the trial of an earlier row with its id.")

    def _table(self) -> Table | FullExport | Workbook | Export:
        """The file as rows of text."""
        header = functools.partial(columns.is_header, mapping=self._mapping)
        if is_workbook(self._path):
            return Workbook(self._path, header)
        if is_export(self._path):
            return Export(self._path, header, self._encoding)
        table = Table(self._path, self._encoding, self._delimiter, header)
        return FullExport(table) if is_full_export(table.header) else table

    def _first_look(
        self, table: Table | FullExport | Workbook | Export, plan: columns.Plan
    ) -> tuple[dict[str, DateOrder], list[str]]:
        """How each column of dates writes them, and the id of each row.

        Dates are read as the option says, or as those of the column with a day above the 12th show.
        """
        shown: dict[str, set[DateOrder]] = {target: set() for target in DATES if target in plan.columns}
        ids = []
        for row in table.rows():
            ids.append(_id(row.cells, plan))
            for target, seen in shown.items():
                cell = row.cells[plan.columns[target][0]] if row.cells else ""
                if match := _DAY_OR_MONTH.match(cell.strip()):
                    if int(match[1]) > 12:
                        seen.add("dmy")
                    elif int(match[2]) > 12:
                        seen.add("mdy")
        if self._order is not None:
            return dict.fromkeys(DATES, self._order), ids
        known: dict[str, DateOrder] = {target: next(iter(seen)) for target, seen in shown.items() if len(seen) == 1}
        if plan.ictrp:  # the WHO's lists write the day first
            for target in shown:
                known.setdefault(target, "dmy")
        return known, ids


def _id(cells: Sequence[str], plan: columns.Plan) -> str:
    """The id of a row; empty for a row that cannot be read."""
    return id_of_cell(cells[plan.columns["id"][0]].strip()) if cells else ""


_DAY_OR_MONTH = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/]\d{4}")


def _delimiter(given: str) -> str:
    """The character meant; empty to detect it.

    :raises SourceError: it cannot be one.
    """
    character = DELIMITERS.get(given.lower(), "\t" if given == "\\t" else given)
    if len(character) > 1 or character in ('"', "\r", "\n", " "):
        raise SourceError(f'"{given}" cannot be a delimiter.', hint=f"Give one character, or {', '.join(DELIMITERS)}.")
    return character


def _some(names: Sequence[str], most: int = 12) -> str:
    quoted = ", ".join(f'"{name}"' for name in names[:most])
    return quoted if len(names) <= most else f"{quoted} and {len(names) - most} more"

"""The tables of AACT, one text file each, joined to one record a study.

AACT (aact.ctti-clinicaltrials.org) is ClinicalTrials.gov as a relational database. Its "pipe-delimited files" are a zip
with a table a file. Their rows lie in no order: a study that changed moves to the end of every table. So that memory
stays bounded however large the export is, the rows are put in a temporary database and read back sorted by study, which
SQLite does on disk.
"""

from __future__ import annotations

import functools
import io
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext
from trialindex.plugin.unpack import is_zip, open_unpacked, open_zip
from trialindex.trial import display
from trialindex.trial.sanitize import replace_surrogates
from trialindex_csv.table import DELIMITERS, read_rows

STUDIES = "studies"
TABLES = (
    *(STUDIES, "brief_summaries", "detailed_descriptions", "conditions", "keywords", "browse_conditions"),
    *("designs", "eligibilities", "design_groups", "design_group_interventions", "interventions"),
    *("intervention_other_names", "browse_interventions", "design_outcomes", "facilities", "facility_contacts"),
    *("facility_investigators", "countries", "central_contacts", "overall_officials", "sponsors", "id_information"),
    *("study_references", "links", "calculated_values", "reported_event_totals", "result_groups"),
)
"""The tables that are read; the others hold results in detail."""

_NOT_KEPT = {"nct_id", "downcase_name", "downcase_mesh_term", "created_at", "updated_at"}
_SORTED_IN = 1 << 16
"""KiB of memory that SQLite may sort in."""

Row = dict[str, str]
Record = dict[str, list[Row]]
"""The rows of one study, by table."""

Opened = tuple[str, Callable[[], BinaryIO]]


class Tables:
    """The tables of one export.

    :param path: a zip, or a folder with the files of one.
    :param context: told of rows that cannot be read.
    """

    def __init__(self, path: Path, context: IngestContext) -> None:
        self._path = path
        self._context = context
        self.found: list[str] = []
        """The tables that are there."""
        self.broken_lines = False
        """Whether a cell holds the end of a line: AACT itself writes "~" in its place."""

    @contextmanager
    def joined(self, after: str = "") -> Iterator[tuple[int, Iterator[tuple[str, Record]]]]:
        """How many studies there are, and each with its rows, in the order of their ids.

        :param after: an id; only studies after it are read.
        :raises SourceError: it is no export of AACT, or a file of it cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="trialindex-") as folder, ExitStack() as stack:
            database = stack.enter_context(closing(sqlite3.connect(Path(folder) / "rows.db", isolation_level=None)))
            for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_SORTED_IN}", "temp_store = 1"):
                database.execute(f"PRAGMA {setting}")
            database.execute("CREATE TABLE rows (study TEXT, place INTEGER, cells TEXT)")
            try:
                count = self._fill(database, after)
                yield count, self._studies(database)
            except sqlite3.Error as problem:  # the disk is full
                hint = "Set TMPDIR to a folder with more room: about twice what the export unpacks to."
                raise SourceError(f"{self._path} could not be sorted on disk: {problem}.", hint=hint) from None

    def _fill(self, database: sqlite3.Connection, after: str) -> int:
        """Put every row of every table into the database; the number of studies."""
        count = 0
        with self._opened() as files:
            if not any(name == STUDIES for name, _ in files):
                raise SourceError(
                    f"{self._path} is no export of AACT: there is no {STUDIES}.txt in it.",
                    hint="On https://aact.ctti-clinicaltrials.org choose Downloads, Pipe-delimited files.",
                )
            database.execute("BEGIN")
            for name, opened in files:
                self.found.append(name)
                place = TABLES.index(name)
                rows = (
                    (study, place, json.dumps(row, ensure_ascii=False))
                    for study, row in self._rows(name, opened)
                    if study > after
                )
                added = database.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows).rowcount
                count += max(0, added) if name == STUDIES else 0
            database.execute("COMMIT")
        return count

    def _rows(self, name: str, opened: Callable[[], BinaryIO]) -> Iterator[tuple[str, Row]]:
        """The rows of one table with the study that each belongs to."""
        with io.TextIOWrapper(opened(), encoding="utf-8-sig", errors="surrogateescape", newline="\n") as text:
            first = text.readline()
            delimiter = max(DELIMITERS.values(), key=first.count)
            header = [cell.strip().strip('"').lower() for cell in first.split(delimiter)]
            if "nct_id" not in header:
                raise SourceError(f"{self._path}: {name} has no column nct_id.", hint="Download the export again.")
            ours = header.index("nct_id")
            kept = [(n, column) for n, column in enumerate(header) if column not in _NOT_KEPT]
            unread = False
            for row in read_rows(text, delimiter, len(header)):
                cells = row.cells
                if not row.problem and len(cells) > len(header) and not any(cells[len(header) :]):
                    cells = cells[: len(header)]
                problem = row.problem
                if not problem and len(cells) > len(header):
                    problem = f"{len(cells)} cells where the table has {len(header)}"
                if missing := max(0, len(header) - len(cells)):
                    cells = cells + [""] * missing
                study = "" if problem else cells[ours].strip().upper()
                if not study:
                    self._context.reject(f"{name}, line {row.line + 1}", problem or "it names no study")
                    continue
                if missing:
                    why = f"the row ends {display.count(missing, 'cell')} before its header does"
                    self._context.drop(f"{name}, line {row.line + 1}", why)
                found = {column: replace_surrogates(cells[n]) for n, column in kept if cells[n]}
                unread = unread or any(cells[n] != found.get(column, "") for n, column in kept)
                self.broken_lines = self.broken_lines or any("\n" in cell for cell in found.values())
                yield study, found
            if unread:
                self._context.note(f"{name} is not UTF-8 throughout: letters that cannot be read are shown as \ufffd.")

    @contextmanager
    def _opened(self) -> Iterator[list[Opened]]:
        """The files of the tables, those of the studies first."""
        with ExitStack() as stack:
            found: dict[str, Callable[[], BinaryIO]] = {}
            if self._path.is_dir():
                for path in sorted(self._path.iterdir()):
                    if (name := _table(path.name)) and path.is_file():
                        found[name] = functools.partial(stack.enter_context, open_unpacked(path))
            elif is_zip(self._path):
                for member in stack.enter_context(open_zip(self._path, wanted=lambda name: bool(_table(name)))):
                    found[_table(member.name)] = functools.partial(stack.enter_context, member.open())
            else:
                raise SourceError(f"{self._path} is no zip and no folder.", hint="Give the zip as AACT has it.")
            yield [(name, found[name]) for name in TABLES if name in found]

    def _studies(self, database: sqlite3.Connection) -> Iterator[tuple[str, Record]]:
        rows = database.execute("SELECT study, place, cells FROM rows ORDER BY study, place, rowid")
        for study, of_study in groupby(rows, key=lambda row: row[0]):
            record: Record = {}
            for _, place, cells in of_study:
                record.setdefault(TABLES[place], []).append(json.loads(cells))
            for table in record.values():
                table.sort(key=_number)
            yield study, record


def _table(name: str) -> str:
    """The table that a file holds, by its name; empty if it is none that is read."""
    stem, _, ending = name.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".gz").rpartition(".")
    return stem if ending in ("txt", "csv", "tsv") and stem in TABLES else ""


def _number(row: Row) -> int:
    """The row's number in its table, which follows the order of the registry's record."""
    return int(row["id"]) if row.get("id", "").isdecimal() else 0

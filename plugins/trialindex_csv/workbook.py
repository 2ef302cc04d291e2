"""An Excel workbook as rows of text, like a :class:`~trialindex_csv.table.Table`: its first sheet."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from trialindex.errors import MissingExtra, SourceError
from trialindex_csv.table import SEARCHED, Row

MAX_RATIO = 200
"""A workbook that unpacks to more than so many times its size is a bomb; workbooks compress about tenfold."""


def is_workbook(path: Path) -> bool:
    """Whether the file is an Excel workbook of the kind that is read: a zip, and named as one."""
    return path.suffix.lower() in (".xlsx", ".xlsm") and path.is_file()


class Workbook:
    """The first sheet of a workbook.

    :param is_header: whether a row holds the names of the columns.
    :raises MissingExtra: openpyxl is not installed.
    :raises SourceError: the file is no workbook, is damaged, or is empty.
    """

    encoding = ""
    guessed = False

    def __init__(self, path: Path, is_header: Callable[[Sequence[str]], bool]) -> None:
        self.path = path
        first = list(islice(self._records(), SEARCHED))
        if not first:
            raise SourceError(f"{path} is empty.")
        self.above = next((n for n, row in enumerate(first) if is_header(row.cells)), 0)
        header = [" ".join(cell.split()) for cell in first[self.above].cells]
        while header and not header[-1]:
            header.pop()
        self.header = header
        self.count = sum(1 for _ in self._records()) - self.above - 1

    def rows(self) -> Iterator[Row]:
        """The rows below the header, each with as many cells as it has."""
        width = len(self.header)
        for row in islice(self._records(), self.above + 1, None):
            yield Row(row.line, [*row.cells[:width], *[""] * (width - len(row.cells))])

    def _records(self) -> Iterator[Row]:
        try:
            import openpyxl
        except ImportError:
            raise MissingExtra(
                "Excel workbooks need the package openpyxl.",
                hint='Type: pip install "trialindex[excel]", or save the sheet as CSV (UTF-8).',
            ) from None
        try:
            with zipfile.ZipFile(self.path) as archive:
                size = sum(member.file_size for member in archive.infolist())
            if size > MAX_RATIO * max(self.path.stat().st_size, 1 << 16):
                raise SourceError(
                    f"{self.path} unpacks to more than {MAX_RATIO} times its size.", hint="Is it a table?"
                )
            with closing(openpyxl.load_workbook(self.path, read_only=True, data_only=True)) as book:
                for number, values in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
                    cells = [_text(value) for value in values]
                    if any(cells):
                        yield Row(number, cells)
        except OSError as problem:
            raise SourceError(f"{self.path} cannot be read: {problem.strerror or problem}.") from None
        except (zipfile.BadZipFile, KeyError, ValueError, IndexError, EOFError, SyntaxError) as problem:
            hint = "Save it again as .xlsx, or as CSV (UTF-8)."
            raise SourceError(f"{self.path} cannot be read as an Excel workbook: {problem}.", hint=hint) from None


def _text(value: Any) -> str:
    """A cell as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()

"""A CSV file as rows of text: its encoding, its delimiter, and the line each row begins in.

The dialect is that of RFC 4180 with any delimiter: cells in double quotes, a double quote in them written twice. Files
may be compressed with gzip.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, Self

from trialindex.errors import SourceError
from trialindex.plugin.unpack import open_unpacked

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
LONGEST_CELL = 2**24
"""Characters; a longer cell means that a closing quote is missing."""

_BLOCK = 1 << 16
SEARCHED = 20
"""Rows among which the names of the columns are looked for."""
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NOT_TEXT = {
    b"PK\x03\x04": "a zip archive or an Excel workbook (an export of AACT is read by aact:)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
}
# One encoding for each script: the bytes of cp1250, cp1254 … are valid cp1252 too, and a short text does not tell.
_CANDIDATES = ["cp1252", "cp1251", "cp932", "gb18030", "big5", "euc_kr"]
_CONTROLS = bytes(n for n in range(32) if n not in b"\t\n\v\f\r\x1a\x1b")
_EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?[\r\n]*')


class Row(NamedTuple):
    """One record of the file.

    :param line: the line it begins in, from 1, as an editor counts.
    :param problem: why it cannot be read; then there are no cells.
    :param missing: how many cells it lacks at its end; they are there, and empty.
    """

    line: int
    cells: list[str]
    problem: str = ""
    missing: int = 0


_LONE_RETURN = re.compile(r"\r(?![\n]|\Z)")


def _in_one_line(line: str) -> str:
    """The line with a tab of the vertical kind, which repair makes the end of a line, for a return that ends none.

    Forms on the web put them between the lines of a text, and a reader of CSV takes each for the end of a row.
    """
    return _LONE_RETURN.sub("\v", line) if "\r" in line else line


class _Lines:
    """The lines of a text, counted; after a row that went wrong they can be read again from its second line."""

    def __init__(self, text: Iterable[str]) -> None:
        self._text = iter(text)
        self._again: list[str] = []
        self._since: list[str] = []
        self._number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else _in_one_line(next(self._text))
        self._since.append(line)
        self._number += 1
        return line

    def mark(self) -> int:
        """The number of the next line, which begins a row."""
        self._since.clear()
        return self._number + 1

    @property
    def several(self) -> bool:
        """Whether the row so far takes more than one line."""
        return len(self._since) > 1

    @property
    def first(self) -> str:
        """The first line of the row so far."""
        return self._since[0]

    def back_to_second(self) -> None:
        """Read on from the second line of the row."""
        again = self._since[1:]
        self._again += reversed(again)
        self._number -= len(again)


class Table:
    """A CSV file, found to be readable from its first line to its last.

    :param encoding: a Python codec's name; detected when empty.
    :param delimiter: one character; detected when empty.
    :param is_header: whether a row holds the names of the columns; where none of the first rows does, the first one is
        taken to.
    :raises SourceError: no such file, not text, not in that encoding, cut off, or empty.
    """

    def __init__(
        self,
        path: Path,
        encoding: str = "",
        delimiter: str = "",
        is_header: Callable[[Sequence[str]], bool] = lambda row: True,
    ) -> None:
        self.path = path
        with open_unpacked(path) as stream:
            head = stream.read(_BLOCK)
        if not head.strip():
            raise SourceError(f"{path} is empty.")
        self.guessed = False
        """The encoding was told from the characters only, and may be wrong."""
        self.encoding = known_encoding(encoding) if encoding else self._detect_encoding(head)
        self._line_end = ""
        with self._text() as text:
            sample = text.read(_BLOCK)
        if "\n" in sample:  # a return alone ends no row then
            self._line_end = "\n"
            sample = _in_one_line(sample)
        separator = _EXCEL_SEPARATOR.match(sample)
        self._skipped = 1 if separator else 0
        self.delimiter = delimiter or (separator[1] if separator else _detect_delimiter(sample))
        self.header: list[str] = []
        first = list(islice(self._records(), SEARCHED))
        self.above = next((n for n, row in enumerate(first) if is_header(row.cells)), 0)
        """How many rows stand above the header, which is among the first few."""
        if first:
            self.header = [" ".join(cell.split()) for cell in first[self.above].cells]
        self.count = sum(1 for _ in self._records()) - self.above - 1
        """How many rows there are below the header."""

    def rows(self, start: int | None = None) -> Iterator[Row]:
        """The rows below the header, each with as many cells as it has, or with a problem.

        :param start: how many rows to leave out in place of the header and those above it.
        """
        for row in islice(self._records(), self.above + 1 if start is None else start, None):
            cells = row.cells
            if len(cells) > len(self.header) and not any(cells[len(self.header) :]):
                cells = cells[: len(self.header)]  # delimiters left over at the end
            if row.problem:
                yield row
            elif len(cells) > len(self.header):
                yield Row(row.line, [], f"{len(cells)} cells where the header has {len(self.header)}")
            else:
                yield Row(
                    row.line, cells + [""] * (len(self.header) - len(cells)), missing=len(self.header) - len(cells)
                )

    def _records(self) -> Iterator[Row]:
        with self._text() as text:
            yield from read_rows(text, self.delimiter, len(self.header), self._skipped)

    @contextmanager
    def _text(self) -> Iterator[IO[str]]:
        with open_unpacked(self.path) as stream:
            text = io.TextIOWrapper(stream, encoding=self.encoding, newline=self._line_end)
            try:
                yield text
            except UnicodeError:
                raise SourceError(
                    f"{self.path} is not {self.encoding} text from beginning to end.",
                    hint="Give its encoding with --encoding, or download it again if it was cut off.",
                ) from None
            finally:
                text.detach()

    def _detect_encoding(self, head: bytes) -> str:
        for mark, name in _BOMS.items():
            if head.startswith(mark):
                return name
        for magic, what in _NOT_TEXT.items():
            if head.startswith(magic):
                raise SourceError(
                    f"{self.path} is {what}, not a CSV file.", hint="Save or export it as CSV (UTF-8) first."
                )
        pairs = max(1, len(head) // 2)
        for name, zeros in (("utf-16-le", head[1::2].count(0)), ("utf-16-be", head[::2].count(0))):
            if zeros > 0.4 * pairs and head.count(0) < 1.2 * zeros:
                return name
        if len(head) - len(head.translate(None, _CONTROLS)) > len(head) / 100:
            raise SourceError(f"{self.path} is not text.", hint="A CSV file is needed.")
        damage = self._around_first_error()
        if not damage:
            return "utf-8"
        from charset_normalizer import from_bytes

        best = from_bytes(damage, cp_isolation=_CANDIDATES).best()
        if best is None:
            raise SourceError(
                f"the encoding of {self.path} cannot be told.",
                hint="Give it with --encoding, for example --encoding cp1252.",
            )
        self.guessed = True
        return best.encoding

    def _around_first_error(self) -> bytes:
        """The block of the file that is not UTF-8, with the one before it; nothing if all of it is."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        before = b""
        with open_unpacked(self.path) as stream:
            while block := stream.read(_BLOCK):
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    return before + block
                before = block
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return before
        return b""


def read_rows(text: Iterable[str], delimiter: str, width: int, skipped: int = 0) -> Iterator[Row]:
    """The rows of a text in the dialect of RFC 4180, the header's included; empty ones are left out.

    A double quote that closes nothing is read as one, where the row then has as many cells as it should.

    :param text: its lines, with their ends.
    :param width: how many cells a row has; 0 while that is not known.
    :param skipped: how many lines stand above the rows.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    lines = _Lines(text)
    for _ in range(skipped):
        next(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.mark()
        cells: list[str] | None = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            pass  # the quoted cell is never closed, or holds a double quote not written twice
        if cells is None or (lines.several and width and not _fits(cells, width)):
            # A double quote may be meant as one: the registry's own tab-separated files are not quoted.
            plain = next(csv.reader([lines.first], delimiter=delimiter, quoting=csv.QUOTE_NONE), [])
            if not width or _fits(plain, width):
                lines.back_to_second()
                cells = plain
        if cells is None:
            lines.back_to_second()
            yield Row(line, [], "a quoted cell is not closed, or holds a double quote not written twice")
        elif any(cell.strip() for cell in cells):
            yield Row(line, cells)


def _fits(cells: Sequence[str], width: int) -> bool:
    """Whether the row has as many cells as it should, but for delimiters left over at its end."""
    return len(cells) >= width and not any(cells[width:])


def known_encoding(name: str) -> str:
    """The codec of that name.

    :raises SourceError: there is none.
    """
    try:
        "a".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise SourceError(
            f'"{name}" is not an encoding.',
            hint="Common ones: utf-8, utf-16, cp1252, cp1250, cp1251, shift_jis, gb18030.",
        ) from None


def _detect_delimiter(sample: str) -> str:
    """The delimiter under which most of the first rows are as wide as the header, and the widest of those."""
    best, found = (0.0, 0), ","
    for delimiter in DELIMITERS.values():
        rows = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row][:20]
        if len(rows) > 2:
            rows.pop()  # it may be cut off
        alike = sum(width == rows[0] for width in rows) / len(rows) if rows else 0.0
        if rows and rows[0] > 1 and (alike, rows[0]) > best:
            best, found = (alike, rows[0]), delimiter
    return found

"""Text files of a collection, line by line, with errors that say which line is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trialindex.errors import EvaluationError
from trialindex.plugin.unpack import open_unpacked
from trialindex.trial import sanitize


def find(folder: Path, *names: str) -> Path | None:
    """The first of these files that *folder* holds, as it is or compressed with gzip."""
    return next((path for name in names for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file that are not blank, without their ends, and their numbers from 1.

    The file may be compressed with gzip, whatever it is called.

    :raises EvaluationError: it is not there, cannot be read, or is no text.
    """
    if not path.exists():
        raise EvaluationError(f"there is no file {path}.")
    number = 0
    try:
        with open_unpacked(path, error=EvaluationError, hint="Get the file again.") as file:
            for number, line in enumerate(file, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if text.strip():
                    yield number, text
    except UnicodeDecodeError:
        raise bad(path, number, "it is not UTF-8 text") from None


def columns(line: str) -> list[str]:
    """The cells of a line: at its tabs, or at any space if it has none. A tab lets an id hold a space."""
    return [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()


def bad(path: Path, number: int, why: str, *, hint: str = "") -> EvaluationError:
    """The error for one line."""
    return EvaluationError(f"{path}, line {number}: {sanitize.one_line(why)}.", hint=hint)

"""The connection to ``records.db``: SQL goes through it, and only the modules of this folder hold one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from trialindex.errors import IndexDamaged, IndexNotFound
from trialindex.storage.files import database_error, storage_errors
from trialindex.storage.schema import SCHEMA

NAME = "records.db"

Values = Sequence[Any] | Mapping[str, Any]


class Database:
    """One connection in autocommit mode. What SQLite says of a damaged or full disk is raised as an error of ours.

    :param folder: the index folder.
    :param create: make the database; it must not exist yet.
    :raises IndexNotFound: the folder is not there.
    :raises IndexDamaged: there is no database, or SQLite cannot read it.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        path = folder / NAME
        if not create and not folder.exists():
            hint = "Was it moved or removed? Name where it is now with --index."
            raise IndexNotFound(f"there is no index at {folder} any more.", hint=hint)
        if not create and not path.is_file():
            raise IndexDamaged(
                f"the index at {folder} has no file {NAME}: it was only half copied.",
                hint="Copy the whole folder again, or move it away and ingest again.",
            )
        with storage_errors(folder):
            self._connection = _connect(path, create=create)
            try:
                if create:
                    self._connection.executescript(f"PRAGMA journal_mode=WAL; BEGIN; {SCHEMA} COMMIT;")
                self.generation  # noqa: B018  fails here, not later, when the file is no database
                file = path.stat()
            except BaseException:
                self._connection.close()
                raise
        self._file = file.st_dev, file.st_ino

    @property
    def is_replaced(self) -> bool:
        """Whether the file that was opened is no longer the one in the folder."""
        try:
            now = (self.folder / NAME).stat()
        except OSError:
            return True
        return (now.st_dev, now.st_ino) != self._file

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str, values: Values = ()) -> Generator[tuple[Any, ...]]:
        """The rows of a SELECT, streaming."""
        with storage_errors(self.folder):
            cursor = self._connection.execute(sql, values)
            try:
                for row in cursor:  # noqa: UP028  "yield from" would close the cursor itself
                    yield row
            finally:
                with suppress(sqlite3.ProgrammingError):  # an error that holds the rows may outlive the connection
                    cursor.close()

    def row(self, sql: str, values: Values = ()) -> Any:
        """The first row of a SELECT, or ``None``."""
        with storage_errors(self.folder):
            return self._connection.execute(sql, values).fetchone()

    def value(self, sql: str, values: Values = ()) -> Any:
        """The first column of the first row of a SELECT, or ``None``."""
        row = self.row(sql, values)
        return row[0] if row else None

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        """Run one statement that changes rows or tables; inside a transaction."""
        return self._connection.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Values]) -> None:
        """Run one statement that changes rows, once for each row of values; inside a transaction."""
        self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commits when the block ends, rolls back when it raises."""
        with storage_errors(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def freeze(self) -> int:
        """Read from now on what is committed now, whatever is committed meanwhile.

        :returns: the generation that is read.
        """
        with storage_errors(self.folder):
            self._connection.execute("BEGIN")
        return self.generation  # the first read is what SQLite keeps

    @property
    def generation(self) -> int:
        """The number of the last commit that changed a trial or brought vectors."""
        generation = self.value("SELECT value FROM meta WHERE key = 'generation'")
        if not isinstance(generation, int):
            raise database_error(sqlite3.DatabaseError("malformed: it has no generation"), self.folder)
        return generation


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection; on media that cannot be written the file is read as it lies."""
    try:
        return _open(path, "mode=rwc" if create else "mode=rw")
    except sqlite3.OperationalError as problem:
        if create or not _is_complete(path, problem):
            raise
        return _open(path, "immutable=1")


def _is_complete(path: Path, problem: sqlite3.OperationalError) -> bool:
    """Whether the file alone holds all there is, and SQLite only has no place for what it keeps beside it."""
    if re.search("readonly|unable to open", str(problem)):
        return True
    log = path.with_name(f"{path.name}-wal")
    empty = not log.exists() or not log.stat().st_size
    return empty and problem.sqlite_errorname.startswith("SQLITE_IOERR_SHM")  # the disk is full to the last byte


def _open(path: Path, how: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?{how}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
    # so that a check can name what is damaged
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # else a power cut could undo a commit that was derived from
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection

"""``watches.db``: what the user watches, the updates that were found, and what is still to be delivered.

It lies beside the index and is no part of it: it holds what somebody typed about their health, so that only its owner
may read it, nothing exports it, and what is deleted from it is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from trialindex.errors import IndexDamaged, IndexFormatError, WatchError
from trialindex.plugin.messages import Delivery, Update
from trialindex.storage.files import storage_errors
from trialindex.storage.lock import WATCHES as NAME
from trialindex.storage.watch_rows import SCHEMA, VERSION, Member, NotifierConfig, OutboxItem

_WATCH_COLUMNS = tuple("num kind subject filters name top level paused last_generation lineage added".split())  # noqa: SIM905
_WATCH = ", ".join(_WATCH_COLUMNS)
_Mapping = dict[str, Any]


class WatchFile:
    """The tables of ``watches.db``; :class:`trialindex.watching.Watches` adds what the rows mean.

    :param folder: the index folder.
    :param create: make the file when there is none; without it there are simply no watches, and nothing is written.
    :raises StorageError: the folder cannot be written.
    :raises IndexDamaged: the file cannot be read.
    :raises IndexFormatError: a newer trialindex wrote it.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        path = folder / NAME
        self.exist = create or path.exists()
        with self._errors():
            if self.exist:
                _make_private(path, create=create)
            self._db = _connect(path if self.exist else None)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        written = self._select_one("PRAGMA user_version")[0]
        if written > VERSION:
            raise IndexFormatError(
                f"{self.folder / NAME} has format {written}; this trialindex reads up to {VERSION}.",
                hint="Upgrade: pip install --upgrade trialindex",
            )
        if not written:
            with self.transaction():
                if not self._select_one("PRAGMA user_version")[0]:  # another process may have been faster
                    if self._select_one("SELECT count(*) FROM sqlite_master")[0]:
                        raise sqlite3.DatabaseError("not a database of watches")
                    for statement in filter(str.strip, SCHEMA.split(";")):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else writes meanwhile."""
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @property
    def identity(self) -> str:
        """What tells these watches from those of another folder."""
        return str(self._select_one("SELECT value FROM meta WHERE key = 'id'")[0])

    def damage(self) -> Iterator[str]:
        """What is wrong with the file, each in a sentence; it is read in full."""
        try:
            for (message,) in self._select("PRAGMA integrity_check"):
                if message != "ok":
                    yield f"{NAME}: {message}"
            for table, *_ in self._select("PRAGMA foreign_key_check"):
                yield f"{NAME}: a row of {table} belongs to no watch or notifier"
            self.watch_rows()
            self.updates()
            for one in self.notifiers():
                self.due(one.num)
        except (IndexDamaged, sqlite3.Error, msgspec.DecodeError, TypeError, ValueError) as problem:
            yield f"{NAME} cannot be read: {problem}"

    # --- watches: each a mapping of _WATCH_COLUMNS ------------------------------------------------------------------

    def watch_rows(self) -> list[dict[str, Any]]:
        """Every watch, in the order of their numbers."""
        return [self._watch(row) for row in self._select(f"SELECT {_WATCH} FROM watches ORDER BY num")]  # noqa: S608

    def watch_row(self, num: int) -> dict[str, Any] | None:
        """The watch of that number; ``None`` if there is none."""
        row = self._select_one(f"SELECT {_WATCH} FROM watches WHERE num = ?", (num,))  # noqa: S608
        return None if row is None else self._watch(row)

    def _watch(self, row: Sequence[Any]) -> dict[str, Any]:
        fields = dict(zip(_WATCH_COLUMNS, row, strict=True))
        return fields | {"filters": self._decode(fields["filters"], _Mapping), "paused": bool(fields["paused"])}

    def insert_watch(self, fields: Mapping[str, Any], members: Iterable[Member]) -> int:
        """Store a watch with the trials that it knows, and give it its number."""
        row = {**fields, "filters": msgspec.json.encode(fields["filters"]).decode(), "num": None}
        marks = ", ".join(f":{name}" for name in _WATCH_COLUMNS)
        with self.transaction():
            num = self._db.execute(f"INSERT INTO watches ({_WATCH}) VALUES ({marks})", row).lastrowid or 0  # noqa: S608
            self.put_members(num, members)
        return num

    def delete_watch(self, num: int) -> None:
        """Forget a watch, its trials and its updates."""
        with self.transaction():
            self._db.execute("DELETE FROM watches WHERE num = ?", (num,))

    def set_paused(self, num: int, paused: bool) -> None:
        with self.transaction():
            self._db.execute("UPDATE watches SET paused = ? WHERE num = ?", (paused, num))

    def members(self, num: int) -> dict[str, Member]:
        """The trials that a watch knows, by id in small letters."""
        rows = self._select("SELECT trial, hash, title, url FROM members WHERE watch = ?", (num,))
        return {row[0].lower(): Member(*row) for row in rows}

    def count_members(self, num: int) -> int:
        return int(self._select_one("SELECT count(*) FROM members WHERE watch = ?", (num,))[0])

    # --- inside a transaction ---------------------------------------------------------------------------------------

    def put_members(self, num: int, members: Iterable[Member]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?)", ((num, *m) for m in members))

    def drop_members(self, num: int, trials: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM members WHERE watch = ? AND trial = ?", ((num, trial) for trial in trials))

    def advance(self, num: int, generation: int, lineage: str) -> None:
        """Record up to which generation of which records the updates of a watch were found."""
        self._db.execute(
            "UPDATE watches SET last_generation = ?, lineage = ? WHERE num = ?", (generation, lineage, num)
        )

    def put_updates(self, updates: Iterable[Update], day: str) -> None:
        """Store updates; one whose key is there already is left as it is.

        :param day: ISO day on which they were found.
        """
        rows = [(one.key, one.watch, day, msgspec.json.encode(one).decode()) for one in updates]
        self._db.executemany("INSERT OR IGNORE INTO updates (key, watch, day, content) VALUES (?, ?, ?, ?)", rows)

    def put_delivery(self, delivery: Delivery, notifier: int) -> None:
        """Queue a delivery; one whose key is there already is left as it is."""
        sql = "INSERT OR IGNORE INTO outbox (key, notifier, content) VALUES (?, ?, ?)"
        self._db.execute(sql, (delivery.key, notifier, msgspec.json.encode(delivery).decode()))

    # --- updates ----------------------------------------------------------------------------------------------

    def updates(self, *, since: str = "", watch: int | None = None) -> list[Update]:
        """The updates that were found, oldest first.

        :param since: on this ISO day or later.
        :param watch: of this watch only.
        """
        sql = "SELECT content FROM updates WHERE day >= ? AND (? IS NULL OR watch = ?) ORDER BY num"
        return [self._decode(text, Update) for (text,) in self._select(sql, (since, watch, watch))]

    # --- notifiers and their deliveries -----------------------------------------------------------------------------

    def notifiers(self) -> list[NotifierConfig]:
        """Every notifier that was set up, in the order of their numbers."""
        sql = (
            "SELECT num, name, argument, options, folder, added, sent, last_sent, error,"
            " (SELECT count(*) FROM outbox WHERE notifier = notifiers.num AND NOT suspended),"
            " (SELECT count(*) FROM outbox WHERE notifier = notifiers.num AND suspended),"
            " (SELECT coalesce(max(attempts), 0) FROM outbox WHERE notifier = notifiers.num),"
            " (SELECT coalesce(min(due), '') FROM outbox WHERE notifier = notifiers.num AND NOT suspended)"
            " FROM notifiers ORDER BY num"
        )
        names = "num name argument options folder added sent last_sent error waiting suspended attempts due".split()  # noqa: SIM905
        found = [dict(zip(names, row, strict=True)) for row in self._select(sql)]
        return [NotifierConfig(**fields | {"options": self._decode(fields["options"], _Mapping)}) for fields in found]

    def notifier(self, num: int) -> NotifierConfig:
        """The notifier of that number.

        :raises WatchError: there is none.
        """
        for one in self.notifiers():
            if one.num == num:
                return one
        raise WatchError(f"there is no notifier {num}.", hint="See which there are: trialindex notify list")

    def add_notifier(self, one: NotifierConfig) -> NotifierConfig:
        """Store a notifier; it is sent what is found from now on."""
        options = msgspec.json.encode(one.options).decode()
        sql = "INSERT INTO notifiers (name, argument, options, folder, added) VALUES (?, ?, ?, ?, ?)"
        with self.transaction():
            row = (one.name, one.argument, options, one.folder, datetime.now(UTC).date().isoformat())
            num = self._db.execute(sql, row).lastrowid or 0
        return self.notifier(num)

    def remove_notifier(self, num: int) -> NotifierConfig:
        """Forget a notifier and what it was still to be sent.

        :raises WatchError: there is none.
        """
        with self.transaction():
            one = self.notifier(num)
            self._db.execute("DELETE FROM notifiers WHERE num = ?", (num,))
        return one

    def due(self, num: int, now: str = "", latest: str = "") -> list[OutboxItem]:
        """What is to be sent to a notifier now, least tried first; without times all that waits.

        :param now: ISO time, UTC.
        :param latest: ISO time, UTC. No attempt is put off beyond it: an item that is was put off by a clock that has
            been set back since, and is due.
        """
        sql = (
            "SELECT num, notifier, attempts, content FROM outbox"
            " WHERE notifier = ? AND NOT suspended AND (due <= ? OR due > ?) ORDER BY attempts, num"
        )
        rows = self._select(sql, (num, now, latest))
        return [OutboxItem(n, to, tried, self._decode(text, Delivery)) for n, to, tried, text in rows]

    def mark_delivered(self, item: OutboxItem) -> None:
        """Record that the receiver has accepted an item."""
        today = datetime.now(UTC).date().isoformat()
        with self.transaction():
            self._db.execute("DELETE FROM outbox WHERE num = ?", (item.num,))
            sql = "UPDATE notifiers SET sent = sent + 1, last_sent = ?, error = '' WHERE num = ?"
            self._db.execute(sql, (today, item.notifier))

    def mark_failed(self, item: OutboxItem, why: str, due: str | None) -> None:
        """Record that an item could not be delivered.

        :param due: ISO time, UTC, before which it is not tried again; ``None`` to try no more.
        """
        with self.transaction():
            sql = "UPDATE outbox SET attempts = attempts + 1, due = ?, suspended = ? WHERE num = ?"
            self._db.execute(sql, (due or "", due is None, item.num))
            self._db.execute("UPDATE notifiers SET error = ? WHERE num = ?", (why, item.notifier))

    def reset(self, num: int) -> None:
        """Clear the error of a notifier: what waits for it or is suspended is due at the next sync."""
        with self.transaction():
            self._db.execute("UPDATE outbox SET due = '', suspended = 0 WHERE notifier = ?", (num,))
            self._db.execute("UPDATE notifiers SET error = '' WHERE num = ?", (num,))

    # ----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with storage_errors(self.folder, NAME):
                yield
        except IndexDamaged as problem:
            if problem.hint.startswith("Restore it"):
                problem.hint = "Restore it from a copy, or move that file away and add the watches again."
            raise

    def _decode(self, text: Any, shape: Any) -> Any:
        """The value of a JSON text of the file.

        :raises IndexDamaged: it is no JSON of that shape.
        """
        with self._errors():
            try:
                return msgspec.json.decode(text, type=shape)
            except (msgspec.DecodeError, UnicodeError, TypeError, RecursionError) as problem:
                raise sqlite3.DatabaseError(f"malformed: {problem}") from None

    def _select(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._errors():
            try:
                return self._db.execute(sql, parameters).fetchall()
            except OverflowError:  # a number that no row can have
                return []

    def _select_one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return next(iter(self._select(sql, parameters)), None)


def _make_private(path: Path, *, create: bool) -> None:
    """Make the file readable by its owner only, from its first moment on."""
    if create:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        with suppress(OSError):
            path.chmod(0o600)


def _connect(path: Path | None) -> sqlite3.Connection:
    """A connection in autocommit mode; without a path to a database in memory, which stays empty."""
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None)
    uri = f"{path.resolve().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)

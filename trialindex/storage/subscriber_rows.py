"""``subscribers.db``: the rows of people who signed up at a public server, and what is to be sent to them.

It lies beside the index and apart from ``watches.db``. What says anything of a person is sealed before it comes here:
rows hold keyed digests to find them by, times, and bytes. Only its owner may read the file, nothing exports it, and
what is deleted from it is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from trialindex.errors import IndexFormatError
from trialindex.storage.files import storage_errors
from trialindex.storage.lock import SUBSCRIBERS as NAME

VERSION = 1

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE sign_ups (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  address BLOB NOT NULL,
  token BLOB NOT NULL UNIQUE,
  made TEXT NOT NULL,
  invited INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  due TEXT NOT NULL DEFAULT '',
  sealed BLOB NOT NULL
);
CREATE TABLE subscribers (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  address BLOB NOT NULL UNIQUE,
  manage BLOB NOT NULL UNIQUE,
  stop BLOB NOT NULL UNIQUE,
  until TEXT NOT NULL,
  asked INTEGER NOT NULL DEFAULT 0,
  sealed BLOB NOT NULL
);
CREATE TABLE topics (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  topic BLOB NOT NULL UNIQUE,
  sealed BLOB NOT NULL
);
CREATE TABLE subscriptions (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  subscriber INTEGER NOT NULL REFERENCES subscribers ON DELETE CASCADE,
  topic INTEGER NOT NULL REFERENCES topics,
  sealed BLOB NOT NULL,
  UNIQUE (subscriber, topic)
);
CREATE TABLE deliveries (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  subscriber INTEGER NOT NULL REFERENCES subscribers ON DELETE CASCADE,
  day TEXT NOT NULL,
  waiting INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0,
  due TEXT NOT NULL DEFAULT '',
  sealed BLOB NOT NULL
);
INSERT INTO meta VALUES ('id', lower(hex(randomblob(16))));
"""


class SignUpRow(NamedTuple):
    """A sign-up that nobody has confirmed yet."""

    num: int
    address: bytes
    made: str
    attempts: int
    sealed: bytes


class SubscriberRow(NamedTuple):
    """Somebody who confirmed, and until which ISO day that stands."""

    num: int
    until: str
    sealed: bytes


class SubscriptionRow(NamedTuple):
    """What somebody follows: the topic, with its content, and their consent."""

    num: int
    topic: int
    content: bytes
    sealed: bytes


class DeliveryRow(NamedTuple):
    """A delivery, and the subscriber whom it is for."""

    num: int
    subscriber: int
    attempts: int
    sealed: bytes


class SubscriberRows:
    """The rows of one ``subscribers.db``.

    :param folder: the index folder.
    :param create: make the file when there is none.
    :raises StorageError: the folder cannot be written.
    :raises IndexDamaged: the file cannot be read.
    :raises IndexFormatError: a newer trialindex wrote it.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        path = folder / NAME
        with self._errors():
            if create:
                with suppress(FileExistsError):
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            uri = f"{path.resolve().as_uri()}?mode=rw"
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        written = self._one("PRAGMA user_version")[0]
        if written > VERSION:
            raise IndexFormatError(
                f"{self.folder / NAME} has format {written}; this trialindex reads up to {VERSION}.",
                hint="Upgrade: pip install --upgrade trialindex",
            )
        if not written:
            with self.transaction():
                if not self._one("PRAGMA user_version")[0]:  # another process may have been faster
                    if self._one("SELECT count(*) FROM sqlite_master")[0]:
                        raise sqlite3.DatabaseError("malformed: no database of subscribers")
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

    # --- settings ---------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> Any:
        """A value that is kept under a name; ``None`` for none."""
        row = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: Any) -> None:
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def counts(self) -> dict[str, int]:
        """How many sign-ups, subscribers, subscriptions, and deliveries that wait there are."""
        sql = (
            "SELECT (SELECT count(*) FROM sign_ups), (SELECT count(*) FROM subscribers),"
            " (SELECT count(*) FROM subscriptions), (SELECT count(*) FROM deliveries WHERE waiting)"
        )
        return dict(zip(("sign_ups", "subscribers", "subscriptions", "waiting"), self._one(sql), strict=True))

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file, each in a sentence."""
        found = [f"{NAME}: {message}" for (message,) in self._all("PRAGMA integrity_check") if message != "ok"]
        astray = self._all("PRAGMA foreign_key_check")
        return found + [f"{NAME}: a row of {table} belongs to nobody" for table, *_ in astray]

    # --- sign-ups -----------------------------------------------------------------------------------------------------

    def add_sign_up(self, address: bytes, token: bytes, made: str, sealed: bytes) -> None:
        sql = "INSERT INTO sign_ups (address, token, made, sealed) VALUES (?, ?, ?, ?)"
        self._run(sql, (address, token, made, sealed))

    def sign_up(self, token: bytes) -> SignUpRow | None:
        row = self._one("SELECT num, address, made, attempts, sealed FROM sign_ups WHERE token = ?", (token,))
        return SignUpRow(*row) if row else None

    def uninvited(self, now: str, latest: str) -> list[SignUpRow]:
        """The sign-ups whose invitation is due, the oldest first.

        :param now: ISO time, UTC.
        :param latest: ISO time, UTC, beyond which no attempt is put off.
        """
        sql = (
            "SELECT num, address, made, attempts, sealed FROM sign_ups"
            " WHERE NOT invited AND (due <= ? OR due > ?) ORDER BY num"
        )
        return [SignUpRow(*row) for row in self._all(sql, (now, latest))]

    def count_before(self, row: SignUpRow) -> int:
        """How many older sign-ups of the same address wait for an answer."""
        sql = "SELECT count(*) FROM sign_ups WHERE address = ? AND num < ?"
        return int(self._one(sql, (row.address, row.num))[0])

    def mark_invited(self, num: int) -> None:
        self._run("UPDATE sign_ups SET invited = 1 WHERE num = ?", (num,))

    def postpone_sign_up(self, num: int, due: str) -> None:
        self._run("UPDATE sign_ups SET attempts = attempts + 1, due = ? WHERE num = ?", (due, num))

    def drop_sign_up(self, num: int) -> None:
        self._run("DELETE FROM sign_ups WHERE num = ?", (num,))

    def drop_sign_ups_of(self, address: bytes) -> None:
        self._run("DELETE FROM sign_ups WHERE address = ?", (address,))

    def drop_sign_ups_before(self, moment: str) -> None:
        self._run("DELETE FROM sign_ups WHERE made < ?", (moment,))

    # --- subscribers --------------------------------------------------------------------------------------------------

    def subscriber_of(self, address: bytes) -> SubscriberRow | None:
        return self._subscriber("address", address)

    def managed_by(self, token: bytes) -> SubscriberRow | None:
        return self._subscriber("manage", token)

    def stopped_by(self, token: bytes) -> SubscriberRow | None:
        return self._subscriber("stop", token)

    def _subscriber(self, column: str, value: bytes) -> SubscriberRow | None:
        row = self._one(f"SELECT num, until, sealed FROM subscribers WHERE {column} = ?", (value,))  # noqa: S608
        return SubscriberRow(*row) if row else None

    def add_subscriber(self, address: bytes, manage: bytes, stop: bytes, until: str, sealed: bytes) -> int:
        sql = "INSERT INTO subscribers (address, manage, stop, until, sealed) VALUES (?, ?, ?, ?, ?)"
        return self._run(sql, (address, manage, stop, until, sealed))

    def renew(self, num: int, until: str) -> None:
        self._run("UPDATE subscribers SET until = ?, asked = 0 WHERE num = ?", (until, num))

    def unasked(self, until: str) -> list[SubscriberRow]:
        """Those whose time is over by that day, and who were not asked yet whether they want more."""
        sql = "SELECT num, until, sealed FROM subscribers WHERE NOT asked AND until <= ? ORDER BY num"
        return [SubscriberRow(*row) for row in self._all(sql, (until,))]

    def mark_asked(self, num: int, until: str) -> None:
        """Record that somebody was asked whether they want more, and until which ISO day they may answer."""
        self._run("UPDATE subscribers SET asked = 1, until = ? WHERE num = ?", (until, num))

    def drop_subscriber(self, num: int) -> None:
        self._run("DELETE FROM subscribers WHERE num = ?", (num,))
        self._drop_unused_topics()

    def drop_subscribers_before(self, day: str) -> None:
        """Delete those whose time was over before that day, and who were asked."""
        self._run("DELETE FROM subscribers WHERE asked AND until < ?", (day,))
        self._drop_unused_topics()

    # --- what they follow ---------------------------------------------------------------------------------------------

    def topics(self) -> list[tuple[int, bytes]]:
        """Number and content of everything that somebody follows."""
        return [(num, sealed) for num, sealed in self._all("SELECT num, sealed FROM topics ORDER BY num")]

    def topic(self, digest: bytes) -> int | None:
        row = self._one("SELECT num FROM topics WHERE topic = ?", (digest,))
        return int(row[0]) if row else None

    def add_topic(self, digest: bytes, sealed: bytes) -> int:
        return self._run("INSERT INTO topics (topic, sealed) VALUES (?, ?)", (digest, sealed))

    def put_topic(self, num: int, sealed: bytes) -> None:
        self._run("UPDATE topics SET sealed = ? WHERE num = ?", (sealed, num))

    def _drop_unused_topics(self) -> None:
        self._run("DELETE FROM topics WHERE num NOT IN (SELECT topic FROM subscriptions)")

    def subscribers_to(self, topic: int) -> list[int]:
        sql = "SELECT subscriber FROM subscriptions WHERE topic = ? ORDER BY subscriber"
        return [num for (num,) in self._all(sql, (topic,))]

    def subscriptions(self, subscriber: int) -> list[SubscriptionRow]:
        sql = (
            "SELECT s.num, t.num, t.sealed, s.sealed FROM subscriptions s JOIN topics t ON t.num = s.topic"
            " WHERE s.subscriber = ? ORDER BY s.num"
        )
        return [SubscriptionRow(*row) for row in self._all(sql, (subscriber,))]

    def add_subscription(self, subscriber: int, topic: int, sealed: bytes) -> None:
        """Add what somebody follows; if they follow it already, the first consent stands."""
        sql = "INSERT OR IGNORE INTO subscriptions (subscriber, topic, sealed) VALUES (?, ?, ?)"
        self._run(sql, (subscriber, topic, sealed))

    def drop_subscription(self, subscriber: int, num: int) -> None:
        self._run("DELETE FROM subscriptions WHERE subscriber = ? AND num = ?", (subscriber, num))
        self._drop_unused_topics()

    # --- deliveries ---------------------------------------------------------------------------------------------------

    def add_delivery(self, key: str, subscriber: int, day: str, sealed: bytes) -> None:
        sql = "INSERT OR IGNORE INTO deliveries (key, subscriber, day, sealed) VALUES (?, ?, ?, ?)"
        self._run(sql, (key, subscriber, day, sealed))

    def due(self, now: str, latest: str) -> list[DeliveryRow]:
        """The deliveries that are to be sent now, least tried first; the times are those of :meth:`uninvited`."""
        sql = (
            "SELECT num, subscriber, attempts, sealed FROM deliveries"
            " WHERE waiting AND (due <= ? OR due > ?) ORDER BY attempts, num"
        )
        return [DeliveryRow(*row) for row in self._all(sql, (now, latest))]

    def subscriber(self, num: int) -> SubscriberRow | None:
        row = self._one("SELECT num, until, sealed FROM subscribers WHERE num = ?", (num,))
        return SubscriberRow(*row) if row else None

    def deliveries(self, subscriber: int) -> list[bytes]:
        """What was told to somebody, the newest first."""
        sql = "SELECT sealed FROM deliveries WHERE subscriber = ? ORDER BY num DESC"
        return [sealed for (sealed,) in self._all(sql, (subscriber,))]

    def mark_sent(self, num: int) -> None:
        self._run("UPDATE deliveries SET waiting = 0 WHERE num = ?", (num,))

    def postpone_delivery(self, num: int, due: str | None) -> None:
        """Try a delivery again at an ISO time, UTC; with ``None`` no more."""
        sql = "UPDATE deliveries SET attempts = attempts + 1, due = ?, waiting = ? WHERE num = ?"
        self._run(sql, (due or "", due is not None, num))

    def drop_deliveries_before(self, day: str) -> None:
        self._run("DELETE FROM deliveries WHERE day < ? AND NOT waiting", (day,))

    # ------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with storage_errors(self.folder, NAME):
            yield

    def _run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with self._errors():
            return self._db.execute(sql, values).lastrowid or 0

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._errors():
            return self._db.execute(sql, values).fetchall()

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        with self._errors():
            return self._db.execute(sql, values).fetchone()

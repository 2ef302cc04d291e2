"""The named steps of an operation: moments at which a child can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from trialindex.storage import derived
from trialindex.storage.lexical import Lexical
from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records
from trialindex.testing import BruteForceStore
from trialindex_faiss.store import FaissStore

CALLS: tuple[tuple[Any, str], ...] = (
    (derived, "catch_up"),
    (Lexical, "update"),
    *((store, name) for store in (FaissStore, BruteForceStore) for name in ("load", "add", "remove", "save")),
    (Manifest, "write"),
    (Path, "rename"),
    (Path, "replace"),
    (Path, "unlink"),
    (Path, "mkdir"),
    (Path, "write_bytes"),
    (Path, "write_text"),
    (os, "rename"),
    (os, "replace"),
    (os, "link"),
    (os, "fsync"),
    (shutil, "rmtree"),
    (tempfile, "mkdtemp"),
)
"""Calls that have a moment before and one after them."""


class Steps:
    """Counts the steps of this process, and ends it at one of them.

    :param at: the number of the step to be killed at, from 1; ``None`` to come to the end.
    :param committed: told the generation after each commit.
    """

    def __init__(self, at: int | None, committed: Callable[[int], None] = lambda generation: None) -> None:
        self._at = at
        self._committed = committed
        self.names: list[str] = []

    def tick(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> Self:
        """From now on, in this process, every step is counted."""
        for owner, name in CALLS:
            self._around(owner, name)
        self._transactions()
        self._statements()
        return self

    def _around(self, owner: Any, name: str) -> None:
        original = getattr(owner, name)
        bound = isinstance(vars(owner).get(name), classmethod)
        title = f"{getattr(owner, '__name__', owner).rpartition('.')[2]}.{name}"

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.tick(f"before {title}")
            result = original(*(args[1:] if bound else args), **kwargs)
            self.tick(f"after {title}")
            return result

        setattr(owner, name, classmethod(counted) if bound else counted)

    def _transactions(self) -> None:
        original = Records.transaction

        @contextmanager
        def transaction(records: Records) -> Iterator[None]:
            with original(records):
                yield
                self.tick("before commit")
            self._committed(records.generation)
            self.tick("after commit")

        Records.transaction = transaction  # type: ignore[method-assign,assignment]

    def _statements(self) -> None:
        connect = sqlite3.connect

        def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            database: sqlite3.Connection = connect(*args, **kwargs)
            database.set_trace_callback(lambda sql: self.tick(f"sql {sql.split(maxsplit=1)[0].upper()}"))
            return database

        sqlite3.connect = traced  # type: ignore[assignment]

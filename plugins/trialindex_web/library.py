"""The index that a server answers from, whatever happens to its folder meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from trialindex import Index
from trialindex_web.refusal import Refusal

READERS = 4
"""Questions that are encoded and ranked at once: more of them only take each other's time."""
WAITING = 64
"""Questions that may wait for that."""
PATIENCE = 20.0
"""Seconds that one waits."""


class Library:
    """The index, opened again when another one has been put in its place.

    Of one that only grows nothing need be opened: each question is answered from the state that is newest when it is
    asked, and nothing of it changes until it is answered.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._readers: dict[int, int] = {}
        self._mutex = threading.Lock()
        self._slots = threading.BoundedSemaphore(READERS)
        self._waiting = 0
        self._opened: list[Index] = []

    @contextmanager
    def index(self) -> Iterator[Index]:
        """The index as it is now; it stays open until the block ends.

        :raises TrialIndexError: it was taken away, or its replacement cannot be opened.
        """
        with self._mutex:
            if self._index.is_replaced:
                replacement = Index.open(self._index.folder)
                self._opened.append(replacement)
                self._close_unread(self._index)
                self._index = replacement
            index = self._index
            self._readers[id(index)] = self._readers.get(id(index), 0) + 1
        try:
            yield index
        finally:
            with self._mutex:
                self._readers[id(index)] -= 1
                if index is not self._index:
                    self._close_unread(index)

    @contextmanager
    def ranking(self) -> Iterator[Index]:
        """The index, for a question: only so many are answered at once.

        :raises Refusal: too many wait already.
        """
        busy = Refusal(503, "Many people are asking at this moment; please try again in a minute.", Retry_After="30")
        with self._mutex:
            if self._waiting >= WAITING:
                raise busy
            self._waiting += 1
        try:
            if not self._slots.acquire(timeout=PATIENCE):
                raise busy
        finally:
            with self._mutex:
                self._waiting -= 1
        try:
            with self.index() as index:
                yield index
        finally:
            self._slots.release()

    def warm(self) -> None:
        """Load what the first question would wait for: the model, the words, the vectors."""
        with self.ranking() as index:
            if len(index):
                index.query("a study", limit=1)

    def close(self) -> None:
        """Close what was opened here; the index that was given is its giver's to close."""
        for index in self._opened:
            index.close()

    def _close_unread(self, index: Index) -> None:
        if index in self._opened and not self._readers.get(id(index)):
            self._opened.remove(index)
            self._readers.pop(id(index), None)
            index.close()

"""How a long run tells how it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(kw_only=True)
class ProgressListener:
    """Told how a run goes; what is not given is not told.

    :param on_progress: how many records are read, and how many there are in all, when known.
    :param on_embedded: how many passages are encoded, and how many there are to encode.
    :param on_reject: which record was skipped (``line 12``, ``NCT…``), and why.
    :param on_drop: which value of a record was left empty, and why; the record is kept.
    :param on_note: one line that a user should know (a retry, a restart).
    """

    on_progress: Callable[[int, int | None], None] = lambda done, total: None
    on_embedded: Callable[[int, int], None] = lambda done, total: None
    on_reject: Callable[[str, str], None] = lambda where, why: None
    on_drop: Callable[[str, str], None] = lambda where, why: None
    on_note: Callable[[str], None] = lambda message: None

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how many records are read, and how many there are in all, when known."""
        self.on_progress(done, total)

    def embedded(self, done: int, total: int) -> None:
        """Tell how many passages are encoded, and how many there are to encode."""
        self.on_embedded(done, total)

    def reject(self, where: str, why: str) -> None:
        """Tell of a record that cannot be used: *where* it is and *why*. It is counted and skipped."""
        self.on_reject(where, why)

    def drop(self, where: str, why: object) -> None:
        """Tell of a value that cannot be used and was left empty: *where* (``line 12``, ``NCT…``) and *why*.

        The record is kept. *why* is a text, or a :class:`~trialindex.trial.from_values.Problem`:
        ``read_trial(data, lambda problem: context.drop(where, problem))``.
        """
        self.on_drop(where, str(why))

    def note(self, message: str) -> None:
        """Tell the user one line, such as that a server was busy."""
        self.on_note(message)

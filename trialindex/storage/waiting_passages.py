"""The passages that wait for their vector: those of an ingest that is at work, or was not finished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from trialindex.storage.database import Database

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids


class Turn(NamedTuple):
    """When a passage is encoded: those of a lower priority first, those of one trial together.

    :param priority: that of the trial's status, see :func:`trialindex.trial.statuses.access_rank`.
    :param trial: its number.
    :param position: of the passage in the trial.
    """

    priority: int
    trial: int
    position: int


FIRST = Turn(-1, 0, 0)
"""Before every turn."""


class WaitingPassages:
    """The rows of ``passages`` that have a priority. None of it takes time once there are none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """How many passages wait."""
        return int(self._database.value("SELECT count(*) FROM passages WHERE priority IS NOT NULL"))

    def next_batch(self, turn: Turn, limit: int) -> list[tuple[Turn, bytes]]:
        """The next passages after *turn*, in their order, each with the hash of its text."""
        sql = (
            "SELECT priority, trial, position, hash FROM passages WHERE priority IS NOT NULL"
            " AND (priority, trial, position) > (?, ?, ?) ORDER BY priority, trial, position LIMIT ?"
        )
        return [(Turn(*row[:3]), row[3]) for row in self._database.rows(sql, (*turn, limit))]

    def count_trials(self, since: int | None = None) -> int:
        """How many trials have a passage that waits.

        :param since: a generation: or one whose vector came after it.
        """
        sql = "SELECT count(*) FROM (SELECT 1 FROM passages WHERE priority IS NOT NULL GROUP BY priority, trial)"
        waiting = int(self._database.value(sql))
        if since is None:
            return waiting
        sql = (
            "SELECT count(DISTINCT trial) FROM passages AS new WHERE generation > ? AND priority IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM passages WHERE trial = new.trial AND priority IS NOT NULL)"
        )
        return waiting + int(self._database.value(sql, (since,)))

    def select_waiting(self, trials: Ids, since: int) -> frozenset[int]:
        """Those of these trials of which a passage waits, or has got its vector after the generation *since*."""
        either = (
            "SELECT 1 FROM passages WHERE priority IS NOT NULL",
            "SELECT 1 FROM passages WHERE generation > :since",
        )
        if not any(self._database.row(sql, {"since": since}) for sql in either):
            return frozenset()
        sql = (
            "SELECT DISTINCT trial FROM passages WHERE trial IN (SELECT value FROM json_each(?))"
            " AND (priority IS NOT NULL OR generation > ?)"
        )
        return frozenset(trial for (trial,) in self._database.rows(sql, (json.dumps(trials.tolist()), since)))

    def first_generation(self) -> int | None:
        """The lowest generation of a trial that waits; ``None`` when none does."""
        sql = "SELECT min(trials.generation) FROM passages JOIN trials ON trial = trials.num WHERE priority IS NOT NULL"
        generation = self._database.value(sql)
        return None if generation is None else int(generation)

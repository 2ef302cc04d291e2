"""Which source spec each trial came from, and which of them a source no longer has.

A trial is *gone* when every source that delivered it was found to have it no longer. The mark goes when one of them
delivers it again. Nothing here deletes a trial.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trialindex.storage.database import Database
from trialindex.storage.names import id_key

GONE_SINCE = "(SELECT max(gone) FROM origins WHERE trial = num HAVING count(*) = count(gone))"
"""SQL, beside a row of ``trials``: the ISO day on which the trial was found gone from every source, or NULL."""

_ALL_GONE = (
    "SELECT trial, max(gone) AS since FROM origins AS marked WHERE gone IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM origins WHERE origins.trial = marked.trial AND origins.gone IS NULL) GROUP BY trial"
)
"""Reads only what is marked, by an index of its own."""


class Provenance:
    """The table ``origins``. What changes it needs a transaction, under the index's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sources_of(self, num: int) -> dict[str, str | None]:
        """The specs that the trial with that number came from, each with the day it was found gone from there."""
        return dict(self._database.rows("SELECT spec, gone FROM origins WHERE trial = ? ORDER BY spec", (num,)))

    def trials_of(self, spec: str) -> dict[str, bool]:
        """The ids of the trials that came from that spec, each with whether it is marked as gone from it."""
        sql = "SELECT id, gone IS NOT NULL FROM origins JOIN trials ON trial = num WHERE spec = ?"
        return {trial_id: bool(gone) for trial_id, gone in self._database.rows(sql, (spec,))}

    def gone_trials(self) -> dict[str, str]:
        """The ids of the trials that are gone, each with the ISO day on which that was found."""
        return dict(self._database.rows(f"SELECT id, since FROM ({_ALL_GONE}) JOIN trials ON trial = num"))  # noqa: S608

    def record_seen(self, spec: str, trial_ids: Iterable[str], generation: int) -> list[str]:
        """Remember that the source of that spec delivered these trials just now.

        :returns: the ids of those that were gone and are back; they count as changed in *generation*.
        """
        delivered = list(trial_ids)
        keys = {id_key(trial_id) for trial_id in delivered}
        back = [trial_id for trial_id in self.gone_trials() if id_key(trial_id) in keys]
        self._database.execute_many(
            "INSERT INTO origins SELECT num, ?, NULL FROM trials WHERE id = ?"
            " ON CONFLICT DO UPDATE SET gone = NULL WHERE gone IS NOT NULL",
            ((spec, trial_id) for trial_id in delivered),
        )
        self._touch(back, generation)
        return back

    def mark_gone(self, spec: str, gone: Iterable[str], back: Iterable[str], day: str, generation: int) -> list[str]:
        """Mark the trials *gone* as gone from that spec on that ISO day, and unmark those that are *back*.

        :returns: ids of the trials of which it is now otherwise whether they are gone; they count as changed.
        """
        before = self.gone_trials().keys()
        self._database.execute_many(
            "UPDATE origins SET gone = ? WHERE spec = ? AND trial = (SELECT num FROM trials WHERE id = ?)",
            [*((day, spec, each) for each in gone), *((None, spec, each) for each in back)],
        )
        changed = sorted(before ^ self.gone_trials().keys())
        self._touch(changed, generation)
        return changed

    def replace(self, num: int, sources: Mapping[str, str | None]) -> None:
        """Set which specs the trial with that number came from, as :meth:`sources_of` gives them."""
        self._database.execute("DELETE FROM origins WHERE trial = ?", (num,))
        rows = ((num, spec, gone) for spec, gone in sources.items())
        self._database.execute_many("INSERT INTO origins VALUES (?, ?, ?)", rows)

    def rename_spec(self, old: str, new: str) -> None:
        """Let the trials of one spec have come from another one."""
        self._database.execute("UPDATE OR IGNORE origins SET spec = ? WHERE spec = ?", (new, old))
        self._database.execute("DELETE FROM origins WHERE spec = ?", (old,))

    def _touch(self, trial_ids: Iterable[str], generation: int) -> None:
        sql = "UPDATE trials SET generation = ? WHERE id = ?"
        self._database.execute_many(sql, ((generation, trial_id) for trial_id in trial_ids))

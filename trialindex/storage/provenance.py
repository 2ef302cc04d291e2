"""Which source spec each trial came from, and which of them a source no longer has.

A trial is *gone* when every source that delivered it was found to have it no longer. The mark goes when one of them
delivers it again. Nothing here deletes a trial.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialindex.storage.records import Records

_ALL_GONE = (
    "SELECT trial, max(gone) AS since FROM origins AS marked WHERE gone IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM origins WHERE origins.trial = marked.trial AND origins.gone IS NULL) GROUP BY trial"
)
"""Reads only what is marked, by an index of its own."""


def gone_since(records: Records, num: int) -> str | None:
    """The ISO day on which the trial with that number was found gone from every source; ``None`` if it was not."""
    sql = "SELECT max(gone) FROM origins WHERE trial = ? HAVING count(*) = count(gone)"
    return next((day for (day,) in records.rows(sql, (num,))), None)


def of(records: Records, num: int) -> dict[str, str | None]:
    """The specs that the trial with that number came from, each with the day on which it was found gone from there."""
    sql = "SELECT spec, gone FROM origins WHERE trial = ? ORDER BY spec"
    return dict(records.rows(sql, (num,)))


def marked(records: Records) -> dict[str, str]:
    """The ids of the trials that are gone, each with the ISO day on which that was found."""
    return dict(records.rows(f"SELECT id, since FROM ({_ALL_GONE}) JOIN trials ON trial = num"))  # noqa: S608


def last_sweep(records: Records, spec: str) -> str | None:
    """The ISO day of the last sweep of that spec, or of the first reading of it; ``None`` if that is not known."""
    sql = "SELECT ran FROM sweeps WHERE spec = ?"
    return next((day for (day,) in records.rows(sql, (spec,))), None)


def held(records: Records, spec: str) -> dict[str, bool]:
    """The ids of the trials that came from that spec, each with whether it is marked as gone from it."""
    sql = "SELECT id, gone IS NOT NULL FROM origins JOIN trials ON trial = num WHERE spec = ?"
    return {trial_id: bool(gone) for trial_id, gone in records.rows(sql, (spec,))}


# --- inside a transaction, under the index's lock ---------------------------------------------------------------------


def note(records: Records, spec: str, trial_ids: Iterable[str], generation: int) -> list[str]:
    """Remember that the source of that spec delivered these trials just now.

    :returns: the ids of those that were gone and are back; they count as changed in *generation*.
    """
    delivered = list(trial_ids)
    keys = {key(trial_id) for trial_id in delivered}
    back = [trial_id for trial_id in marked(records) if key(trial_id) in keys]
    records.write(
        "INSERT INTO origins SELECT num, ?, NULL FROM trials WHERE id = ?"
        " ON CONFLICT DO UPDATE SET gone = NULL WHERE gone IS NOT NULL",
        ((spec, trial_id) for trial_id in delivered),
    )
    records.write("UPDATE trials SET generation = ? WHERE id = ?", ((generation, trial_id) for trial_id in back))
    return back


def mark(records: Records, spec: str, gone: Iterable[str], back: Iterable[str], day: str, generation: int) -> list[str]:
    """Mark these trials as gone from that spec, and unmark others.

    :returns: ids of the trials of which it is now otherwise whether they are gone; they count as changed.
    """
    before = marked(records).keys()
    set_gone = "UPDATE origins SET gone = ? WHERE spec = ? AND trial = (SELECT num FROM trials WHERE id = ?)"
    records.write(set_gone, [*((day, spec, one) for one in gone), *((None, spec, one) for one in back)])
    changed = sorted(before ^ marked(records).keys())
    records.write("UPDATE trials SET generation = ? WHERE id = ?", ((generation, trial_id) for trial_id in changed))
    return changed


def begin(records: Records, spec: str, day: str) -> None:
    """That a source was first read counts as a sweep of it."""
    records.write("INSERT OR IGNORE INTO sweeps VALUES (?, ?)", [(spec, day)])


def swept(records: Records, spec: str, day: str) -> None:
    """Remember the day of a sweep."""
    records.write("INSERT OR REPLACE INTO sweeps VALUES (?, ?)", [(spec, day)])


def key(trial_id: str) -> bytes:
    """As the records compare ids: ASCII letters in either case."""
    return trial_id.encode("utf-8", "surrogatepass").lower()

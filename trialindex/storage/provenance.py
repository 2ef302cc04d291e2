"""Which source spec each trial and each part of it came from, and which trials a source no longer has.

A record that gives only some fields takes nothing away: the others stay as they were, with where they came from.

A trial is *gone* when every source that delivered it was found to have it no longer. The mark goes when one of them
delivers it again. Nothing here deletes a trial.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from trialindex.storage.database import Database
from trialindex.storage.names import id_key
from trialindex.storage.source_states import Day

GONE_SINCE = "(SELECT max(gone) FROM origins WHERE trial = num HAVING count(*) = count(gone))"
"""SQL, beside a row of ``trials``: the ISO day on which the trial was found gone from every source, or NULL."""

_ALL_GONE = (
    "SELECT trial, max(gone) AS since FROM origins AS marked WHERE gone IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM origins WHERE origins.trial = marked.trial AND origins.gone IS NULL) GROUP BY trial"
)
"""Reads only what is marked, by an index of its own."""


ALL_OTHERS = ""
"""In place of a field: every field that no other source is said to have given."""


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an index knows of one source of a trial.

    :param gone: the ISO day on which it was found gone from there, if it was.
    :param hash: of the content that the source last delivered.
    :param fields: the fields of the record that are from there, each with the ISO day; :data:`ALL_OTHERS` for the rest.
    """

    gone: Day | None = None
    hash: str
    fields: dict[str, Day]


class Delivery(NamedTuple):
    """What a source has just delivered of a trial.

    :param hash: of its content.
    :param fields: those that the input held; ``None`` for all that the registry has.
    :param accepted: whether the index took it, or left its record as it was.
    """

    trial_id: str
    hash: str
    fields: Collection[str] | None
    accepted: bool


class Provenance:
    """The table ``origins``. What changes it needs a transaction, under the index's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def origins_of(self, num: int) -> dict[str, Origin]:
        """The specs that the trial with that number came from, each with what is known of it."""
        sql = "SELECT spec, gone, hash, fields FROM origins WHERE trial = ? ORDER BY spec"
        return {
            spec: Origin(gone=gone, hash=digest, fields=msgspec.json.decode(fields))
            for spec, gone, digest, fields in self._database.rows(sql, (num,))
        }

    def trials_of(self, spec: str) -> dict[str, bool]:
        """The ids of the trials that came from that spec, each with whether it is marked as gone from it."""
        sql = "SELECT id, gone IS NOT NULL FROM origins JOIN trials ON trial = num WHERE spec = ?"
        return {trial_id: bool(gone) for trial_id, gone in self._database.rows(sql, (spec,))}

    def gone_trials(self) -> dict[str, str]:
        """The ids of the trials that are gone, each with the ISO day on which that was found."""
        return dict(self._database.rows(f"SELECT id, since FROM ({_ALL_GONE}) JOIN trials ON trial = num"))  # noqa: S608

    def record_seen(self, spec: str, deliveries: Iterable[Delivery], day: str, generation: int) -> list[str]:
        """Remember what the source of that spec delivered just now.

        :param day: the ISO day.
        :returns: the ids of the trials that were gone and are back; they count as changed in *generation*.
        """
        delivered = list(deliveries)
        keys = {id_key(delivery.trial_id) for delivery in delivered}
        back = [trial_id for trial_id in self.gone_trials() if id_key(trial_id) in keys]
        for delivery in delivered:
            num = self._database.value("SELECT num FROM trials WHERE id = ?", (delivery.trial_id,))
            if num:
                self._record(int(num), spec, delivery, day)
        self._touch(back, generation)
        return back

    def _record(self, num: int, spec: str, delivery: Delivery, day: str) -> None:
        known = self.origins_of(num)
        own = known.get(spec)
        given = (ALL_OTHERS,) if delivery.fields is None else delivery.fields
        fields = dict(own.fields) if own else {}
        if not delivery.accepted:
            given = ()
        elif own and own.hash == delivery.hash:  # said again: what is still from there was stated on that day too
            given = tuple(fields)
        elif delivery.fields is None:
            fields = {}
        self._put(num, spec, Origin(hash=delivery.hash, fields=fields | dict.fromkeys(sorted(given), day)))
        if not delivery.accepted or (own and own.hash == delivery.hash):
            return
        for other, origin in known.items():
            if other != spec:
                taken = origin.fields.keys() if delivery.fields is None else set(delivery.fields)
                left = {name: since for name, since in origin.fields.items() if name not in taken}
                if left != origin.fields:
                    self._put(num, other, msgspec.structs.replace(origin, fields=left))

    def _put(self, num: int, spec: str, origin: Origin) -> None:
        row = (num, spec, origin.gone, origin.hash, msgspec.json.encode(origin.fields).decode())
        self._database.execute("INSERT OR REPLACE INTO origins VALUES (?, ?, ?, ?, ?)", row)

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

    def replace(self, num: int, origins: Mapping[str, Origin]) -> None:
        """Set which specs the trial with that number came from, as :meth:`origins_of` gives them."""
        self._database.execute("DELETE FROM origins WHERE trial = ?", (num,))
        for spec, origin in origins.items():
            self._put(num, spec, origin)

    def rename_spec(self, old: str, new: str) -> None:
        """Let the trials of one spec have come from another one."""
        self._database.execute("UPDATE OR IGNORE origins SET spec = ? WHERE spec = ?", (new, old))
        self._database.execute("DELETE FROM origins WHERE spec = ?", (old,))

    def _touch(self, trial_ids: Iterable[str], generation: int) -> None:
        sql = "UPDATE trials SET generation = ? WHERE id = ?"
        self._database.execute_many(sql, ((generation, trial_id) for trial_id in trial_ids))

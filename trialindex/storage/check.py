"""Is the index whole? Each claim is worked out again from ``records.db`` and compared, and mended where it can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import msgspec

from trialindex.errors import IndexDamaged, StorageError
from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, describe_error
from trialindex.plugin.interfaces import Encoder
from trialindex.storage import derived
from trialindex.storage.filter_columns import CHILDREN
from trialindex.storage.integrity import GENERATIONS, Finding, IntegrityChecks, damaged_sources, is_day, outside
from trialindex.storage.lock import write_lock
from trialindex.storage.manifest import Manifest
from trialindex.storage.migrate import migrate
from trialindex.storage.records import Records
from trialindex.storage.store_spec import StoreSpec
from trialindex.trial import Trial
from trialindex.trial.passages import VERSION, passages

__all__ = ["BATCH", "Finding", "Findings", "Repair", "check_index", "find_damage"]

BATCH = 256
"""Trials that are mended in one transaction: what a kill may cost."""

_OF_TRIALS = (*CHILDREN, "passages")
"""Tables that are made from records: a row of nobody can go."""
_BESIDE = {"source", "revision", "filters"}
"""Kinds of findings of which nothing that is derived knows."""


class Findings(list[Finding]):
    """What a check found, in the order it was found: an empty list when the index is whole.

    :param performed: what was gone through, in numbers: ``12 records hashed``.
    :param waiting: passages that have no vector yet, since an ingest was not finished: no damage.
    """

    def __init__(self, findings: Iterable[Finding] = (), performed: Iterable[str] = (), waiting: int = 0) -> None:
        super().__init__(findings)
        self.performed = tuple(performed)
        self.waiting = waiting


def find_damage(checks: IntegrityChecks) -> Findings:
    """Everything that is wrong with an index. Needs the index's lock, wherever it can be written."""
    found: list[Finding] = []
    try:
        found += checks.database()
        if not found:
            found += checks.numbers()
            found += checks.trials()
            found += [Finding("embedding", what, trial) for trial, _, what in checks.bad_vectors()]
            found += checks.state()
    except IndexDamaged as problem:  # SQLite could not even read on
        found.append(Finding("records", str(problem)))
    return Findings(found, checks.performed, checks.waiting)


def check_index(
    folder: Path,
    manifest: Manifest,
    records: Records,
    store: StoreSpec,
    progress: Callable[[int, int | None], None],
    *,
    encoder: Callable[[], Encoder],
    embed: Callable[[], None],
    repair: bool,
) -> Findings:
    """Prove that an index and its encoder are whole, while nobody writes; with *repair* mend what can be mended.

    :param progress: told how many trials are done, and how many there are.
    :param embed: encodes the passages that wait for a vector.
    :raises IndexLocked: another process is writing: what it has not finished is no damage.
    :raises StorageError: the index cannot be written, and was to be mended.
    """
    parts = (folder, manifest, records, store, progress)
    with ExitStack() as locked:
        try:
            locked.enter_context(write_lock(folder))
        except StorageError:  # of an index that cannot be written nothing changes
            if repair:
                raise
        found = Repair(*parts).run(embed) if repair else find_damage(IntegrityChecks(*parts))
    try:
        encoder().verify()
    except PLUGIN_EXCEPTIONS as problem:
        found.append(Finding("encoder", describe_error(problem)))
    return found


class Repair:
    """Mends one index. Needs its lock.

    :param progress: told how many trials are done, and how many there are.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        records: Records,
        store: StoreSpec,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._records = records
        self._database = records.database
        self._store = store
        self._progress = progress

    def run(self, embed: Callable[[], None]) -> Findings:
        """Mend what can be mended from the records, and embed what waits.

        Indexes of the database, what the filters read and passages are made anew, missing or wrong vectors encoded
        again, then the derived state. A record that is damaged itself is left as it is: its source has to be asked
        again. So is an earlier version of one, of which there is no other copy.

        :param embed: encodes the passages that wait for a vector.
        :returns: what was wrong, each with whether it is mended, which is checked.
        """
        found = find_damage(self._checks())
        if any(f.kind == "records" for f in found):
            self._mend_database()
            left = find_damage(self._checks())
            if any(f.kind == "records" for f in left):
                return found
            found[len(found) :] = [f for f in left if f not in found]
        if not found and not found.waiting:
            return found
        self._manifest = migrate(self._folder, self._manifest, self._records)
        lost = {f.trial for f in found if f.kind == "record"}
        again = {f.trial for f in found if f.kind in ("filters", "passages", "embedding") and f.trial} - lost
        if self._manifest.passages != VERSION:
            again |= {trial_id for (trial_id,) in self._database.rows("SELECT id FROM trials")} - lost
        self._mend_rows()
        unfit = self._unfit() if again else set()
        ids = sorted(again)
        for start in range(0, len(ids), BATCH):
            found_again = (self._records.find(one) for one in ids[start : start + BATCH])
            self._derive_again([stored.trial for stored in found_again if stored], unfit)
        if self._manifest.passages != VERSION:
            self._manifest = msgspec.structs.replace(self._manifest, passages=VERSION)
            self._manifest.write(self._folder)
        embed()
        rebuild = any(f.kind not in _BESIDE for f in found)
        dimension = self._manifest.encoder.dimension
        derived.catch_up(self._folder, self._records, self._store, dimension, rebuild=rebuild)
        left = find_damage(self._checks())
        mended = [msgspec.structs.replace(f, repaired=f not in left) for f in found]
        return Findings([*mended, *(f for f in left if f not in found)], left.performed, left.waiting)

    def _mend_database(self) -> None:
        """Make the indexes of the database anew from its tables, and drop rows of trials that are not there."""
        strays = [f"DELETE FROM {table} WHERE trial NOT IN (SELECT num FROM trials)" for table in _OF_TRIALS]  # noqa: S608
        try:
            with self._records.transaction():
                for statement in ["REINDEX", *strays]:
                    self._database.execute(statement)
        except (IndexDamaged, sqlite3.DatabaseError):  # a table is damaged itself, which the findings say
            return

    def _mend_rows(self) -> None:
        """What is wrong in a row, and of which the right value is known or may be forgotten."""
        last = self._records.generation
        with self._records.transaction():
            for table, column in GENERATIONS[:2]:
                self._database.execute(f"UPDATE {table} SET {column} = :last WHERE {outside(column)}", {"last": last})  # noqa: S608
            self._mend_days()
            for spec, column in list(damaged_sources(self._database)):
                forget = "state = '{}'" if column == "state" else "request = NULL"
                self._database.execute(f"UPDATE sources SET {forget} WHERE CAST(spec AS BLOB) = ?", (spec,))  # noqa: S608

    def _mend_days(self) -> None:
        """Where the days on which a trial was seen are none, take the earliest and the latest that are still known."""
        for num, *days in list(self._database.rows("SELECT num, first_seen, last_checked FROM trials")):
            if not all(map(is_day, days)):
                seen = [day for (day,) in self._database.rows("SELECT seen FROM revisions WHERE trial = ?", (num,))]
                known = sorted(day for day in [*days, *seen] if is_day(day)) or [date.today().isoformat()]
                fixed = {"num": num, "first": known[0], "last": known[-1]}
                sql = "UPDATE trials SET first_seen = :first, last_checked = :last WHERE num = :num"
                self._database.execute(sql, fixed)

    def _derive_again(self, trials: list[Trial], unfit: set[bytes]) -> None:
        """Make anew what is derived from these trials; passages whose vector is lost, or *unfit*, wait for another."""
        generation = self._records.generation + 1
        with self._records.transaction():
            self._records.passages.drop_vectors(unfit.intersection(p.hash for trial in trials for p in passages(trial)))
            for trial in trials:
                self._records.derive_again(trial, generation)
            self._records.set_generation(generation)

    def _unfit(self) -> set[bytes]:
        """The hashes of the passages whose vector cannot be used."""
        return {digest for _, digest, _ in self._checks().bad_vectors()}

    def _checks(self) -> IntegrityChecks:
        return IntegrityChecks(self._folder, self._manifest, self._records, self._store, self._progress)

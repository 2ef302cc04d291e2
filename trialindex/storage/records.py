"""``records.db``: the truth of an index. Everything else can be made again from it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import msgspec

from trialindex.errors import IndexDamaged
from trialindex.storage import record_codec
from trialindex.storage.database import Database
from trialindex.storage.filter_columns import CHILDREN, filter_columns, filter_rows
from trialindex.storage.filter_columns import fold as fold
from trialindex.storage.names import name_key, similar_ids, typed_names
from trialindex.storage.passage_rows import PassageRows
from trialindex.storage.provenance import GONE_SINCE, Provenance
from trialindex.storage.source_states import SourceStates
from trialindex.storage.waiting_passages import WaitingPassages
from trialindex.trial import Trial
from trialindex.trial.sanitize import replace_surrogates

if TYPE_CHECKING:
    from trialindex.plugin.updates import ChangeKind


@dataclass(frozen=True)
class Stored:
    """A trial as the index holds it, with what only the index knows. Dates are ISO days."""

    num: int
    trial: Trial
    first_seen: str
    last_checked: str

    @property
    def seen(self) -> dict[str, str]:
        dates = {"first_seen": self.first_seen, "last_checked": self.last_checked}
        if self.trial.last_updated:
            dates["last_updated"] = self.trial.last_updated.date
        return dates


class IndexStatus(NamedTuple):
    """How a trial stands in the index, told without reading its record.

    :param hash: of its content.
    :param generation: of its last change.
    :param partial: its source delivers only part of what the registry holds.
    :param last_checked: ISO day on which a source last delivered it.
    :param last_updated: the registry's own date of its last update, if it states one.
    :param source: the name of the source of the record.
    """

    num: int
    id: str
    hash: str
    generation: int
    partial: bool
    last_checked: str
    last_updated: str | None
    source: str


_STATUS = ", ".join(IndexStatus._fields)


class EarlierVersion(NamedTuple):
    """A version of a trial that was replaced: in which generation, the last ISO day it was seen, its record."""

    replaced_in: int
    seen: str
    trial: Trial


_KEPT = 200
"""Trials that a snapshot keeps once they were read."""
_STORED = f"num, record, first_seen, last_checked, {GONE_SINCE}"


class Records:
    """One connection to ``records.db``. Writing needs the index's lock; reading never waits.

    :param folder: the index folder.
    :param create: make the database; it must not exist yet.
    :raises IndexDamaged: there is no database, or SQLite cannot read it.

    :ivar database: for the modules of this folder alone.
    :ivar passages: the passages of the trials, and their vectors.
    :ivar provenance: which sources trials came from.
    :ivar sources: what is remembered of each source.
    :ivar waiting: the passages that have no vector yet.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        self.database = Database(folder, create=create)
        self.passages = PassageRows(self.database)
        self.provenance = Provenance(self.database)
        self.sources = SourceStates(self.database)
        self.waiting = WaitingPassages(self.database)
        self._generation: int | None = None  # of a snapshot, which never changes
        self._counts: dict[int | None, int] = {}  # of trials, by generation: what the last snapshot counted
        self._read: dict[int, Stored] = {}  # of a snapshot: a question looks at its best trials several times

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[Records]:
        """The records as they are now, whatever is committed meanwhile: another connection, for reading only."""
        with closing(Records(self.folder)) as view:
            view._generation = view.database.freeze()
            view._counts = self._counts
            yield view

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commits when the block ends, rolls back when it raises."""
        with self.database.transaction():
            yield

    # --- reading ----------------------------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """The number of the last commit that changed a trial or brought vectors."""
        return self.database.generation

    @property
    def lineage(self) -> str:
        """What tells these records from those of another index, or of the same one made anew."""
        return str(self.database.value("SELECT value FROM meta WHERE key = 'id'"))

    def __len__(self) -> int:
        known = self._counts.get(self._generation)
        if known is not None:
            return known
        count = int(self.database.value("SELECT count(*) FROM trials"))
        if self._generation is not None:
            self._counts.clear()
            self._counts[self._generation] = count
        return count

    @property
    def is_empty(self) -> bool:
        """Whether there is no trial; told at once, where counting them takes milliseconds."""
        return self.database.row("SELECT 1 FROM trials") is None

    def count_by_status(self) -> dict[str, int]:
        """How many trials have each recruitment status, the most frequent first; those without one under ``""``."""
        sql = "SELECT coalesce(status, '') AS code, count(*) FROM trials GROUP BY code ORDER BY 2 DESC, code = '', code"
        return dict(self.database.rows(sql))

    def find(self, trial_id: str, *, raw: bool = False) -> Stored | None:
        """The trial with that id, in any spelling of its letters."""
        num = self.database.value("SELECT num FROM trials WHERE id = ?", (replace_surrogates(trial_id),))
        return next(self.load([num], raw=raw), None) if num else None

    def status_of(self, trial_id: str) -> IndexStatus | None:
        """How the trial with that id, in any spelling of its letters, stands; ``None`` when there is none."""
        sql = f"SELECT {_STATUS} FROM trials WHERE id = ?"  # noqa: S608
        row = self.database.row(sql, (replace_surrogates(trial_id),))
        return IndexStatus(*row) if row else None

    def statuses_since(self, generation: int) -> Iterator[IndexStatus]:
        """How each trial stands that was added or changed after *generation*, in the order they came."""
        sql = f"SELECT {_STATUS} FROM trials WHERE generation > ? ORDER BY num"  # noqa: S608
        for row in self.database.rows(sql, (generation,)):
            yield IndexStatus(*row)

    def load(self, nums: Iterable[int], *, raw: bool = False) -> Generator[Stored]:
        """The trials with these numbers, in this order; those that are gone are left out."""
        for num in map(int, nums):
            if num in self._read and not raw:
                yield self._read[num]
            elif row := self.database.row(f"SELECT {_STORED} FROM trials WHERE num = ?", (num,)):  # noqa: S608
                stored = self._stored(row, raw=raw)
                if self._generation is not None and not raw and len(self._read) < _KEPT:
                    self._read[num] = stored
                yield stored

    def load_readable(self, nums: Iterable[int]) -> Generator[Stored]:
        """As :meth:`load`, without the trials whose records are damaged, which a check of the index names."""
        for num in nums:
            with suppress(IndexDamaged):
                yield from self.load([num])

    def all(self, *, raw: bool = False) -> Generator[Stored]:
        """Every trial, in the order they came."""
        for row in self.database.rows(f"SELECT {_STORED} FROM trials ORDER BY num"):  # noqa: S608
            yield self._stored(row, raw=raw)

    def _stored(self, row: tuple[Any, ...], *, raw: bool) -> Stored:
        num, record, first_seen, last_checked, gone = row
        trial = record_codec.decode(record)
        if gone:
            trial = msgspec.structs.replace(trial, gone_since=gone)
        if raw and (kept := self.database.value("SELECT record FROM raw WHERE trial = ?", (num,))):
            trial = msgspec.structs.replace(trial, raw=record_codec.decompress(kept, msgspec.json.decode))
        return Stored(num, trial, first_seen, last_checked)

    def eligibility_limits(self, nums: Iterable[int]) -> dict[int, tuple[str | None, float | None, float | None]]:
        """Of these trials the sex and the lowest and highest age in years that they state."""
        sql = "SELECT num, sex, minimum_age, maximum_age FROM trials WHERE num IN (SELECT value FROM json_each(?))"
        return {num: (sex, low, high) for num, sex, low, high in self.database.rows(sql, (json.dumps(list(nums)),))}

    def ids(self, nums: Iterable[int]) -> list[str]:
        """The ids of the trials with these numbers, in this order; those that are gone are left out."""
        sql = "SELECT id FROM trials WHERE num = ?"
        return [trial_id for num in nums if (trial_id := self.database.value(sql, (int(num),)))]

    def ids_named(self, text: str) -> list[str]:
        """The ids of the trials with that name: an id, in any spelling, another id, an acronym, the address of a page.

        :returns: one id, several where the name is that of several trials, or none.
        """
        for name in typed_names(replace_surrogates(text.strip())):
            if status := self.status_of(name):
                return [status.id]
            sql = "SELECT id FROM names JOIN trials ON trial = num WHERE name = ? ORDER BY id"
            if found := [trial_id for (trial_id,) in self.database.rows(sql, (name_key(name),))]:
                return found
            if status := self.status_of(name_key(name)):
                return [status.id]
        return []

    def similar_ids(self, text: str) -> list[str]:
        """The ids that are one digit, or leading zeros, away from *text*."""
        asked = json.dumps(sorted(similar_ids(replace_surrogates(text))))
        sql = "SELECT trials.id FROM json_each(?) JOIN trials ON trials.id = value ORDER BY 1"
        return [trial_id for (trial_id,) in self.database.rows(sql, (asked,))]

    def earlier_versions(self, num: int) -> Iterator[EarlierVersion]:
        """The versions of the trial with that number that were replaced, the oldest first.

        :raises IndexDamaged: one cannot be read.
        """
        sql = "SELECT replaced_in, seen, record FROM revisions WHERE trial = ? ORDER BY replaced_in"
        for replaced_in, seen, record in self.database.rows(sql, (num,)):
            yield EarlierVersion(replaced_in, seen, record_codec.decode(record))

    def version_with_hash(self, trial_id: str, digest: str) -> Trial | None:
        """The version of a trial with that hash, the one there is now or an earlier one, if the index has it."""
        sql = (
            "SELECT record FROM trials WHERE id = :id AND hash = :hash UNION ALL SELECT revisions.record FROM revisions"
            " JOIN trials ON trial = num WHERE id = :id AND revisions.hash = :hash"
        )
        for (record,) in self.database.rows(sql, {"id": trial_id, "hash": digest}):
            with suppress(IndexDamaged):
                return record_codec.decode(record)
        return None

    def dropped_since(self, kind: Literal["trial", "passage"], generation: int) -> list[int]:
        """Numbers of trials or passages that went away after *generation*."""
        sql = "SELECT num FROM dropped WHERE kind = ? AND generation > ?"
        return [num for (num,) in self.database.rows(sql, (kind, generation))]

    def changed_after(self, generation: int) -> bool:
        """Whether a trial was added, changed or removed after *generation*."""
        sql = (
            "SELECT 1 FROM trials WHERE generation > :last"
            " UNION ALL SELECT 1 FROM dropped WHERE kind = 'trial' AND generation > :last"
        )
        return self.database.row(sql, {"last": generation}) is not None

    def changed_since(self, generation: int) -> Iterator[tuple[int, Trial]]:
        """Trials that were added or changed after *generation*, with their numbers.

        One whose record cannot be read is left out; a check of the index names it.
        """
        sql = "SELECT num, record FROM trials WHERE generation > ? ORDER BY num"
        for num, record in self.database.rows(sql, (generation,)):
            with suppress(IndexDamaged):
                yield num, record_codec.decode(record)

    # --- writing: inside a transaction, under the index's lock ------------------------------------------------------

    def put(self, trial: Trial, *, partial: bool, today: str, generation: int) -> ChangeKind | None:
        """Add or replace a trial and its passages; ``None`` when nothing changed.

        Its earlier version is kept as a revision.
        """
        old = self.database.row("SELECT num, hash, record, last_checked FROM trials WHERE id = ?", (trial.id,))
        new_hash = trial.content_hash
        record = record_codec.encode(trial)
        if old and old[1] == new_hash:
            self.database.execute(
                "UPDATE trials SET last_checked = ?, record = ?, source = ?, partial = ? WHERE num = ?",
                (today, record, trial.source, partial, old[0]),
            )
            self._put_raw(old[0], trial)
            return None
        values = {
            "id": trial.id,
            "hash": new_hash,
            "generation": generation,
            "partial": partial,
            "last_checked": today,
            "record": record,
            **filter_columns(trial),
        }
        if old:
            num = int(old[0])
            revision = (num, generation, old[3], old[1], old[2])
            self.database.execute("INSERT INTO revisions VALUES (?, ?, ?, ?, ?)", revision)
            assignments = ", ".join(f"{name} = :{name}" for name in values)
            self.database.execute(f"UPDATE trials SET {assignments} WHERE num = :num", {**values, "num": num})  # noqa: S608
        else:
            values["first_seen"] = trial.first_seen.date if trial.first_seen else today
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            num = int(self.database.execute(f"INSERT INTO trials ({names}) VALUES ({marks})", values).lastrowid or 0)  # noqa: S608
        self._put_filter_rows(num, trial)
        self._put_raw(num, trial)
        self.passages.put(num, trial, generation)
        return "changed" if old else "added"

    def _put_raw(self, num: int, trial: Trial) -> None:
        if trial.raw is not None:
            data = zlib.compress(msgspec.json.encode(trial.raw))
            self.database.execute("INSERT OR REPLACE INTO raw VALUES (?, ?)", (num, data))
        else:
            self.database.execute("DELETE FROM raw WHERE trial = ?", (num,))

    def _put_filter_rows(self, num: int, trial: Trial) -> None:
        for table, rows in filter_rows(num, trial).items():
            marks = ", ".join("?" * (CHILDREN[table].count(",") + 1))
            self.database.execute(f"DELETE FROM {table} WHERE trial = ?", (num,))  # noqa: S608
            self.database.execute_many(f"INSERT INTO {table} ({CHILDREN[table]}) VALUES ({marks})", rows)  # noqa: S608

    def filters_agree(self, num: int, trial: Trial) -> bool:
        """Whether what the filters read of the trial with that number is what its record says."""
        read = filter_columns(trial)
        row = self.database.row(f"SELECT {', '.join(read)} FROM trials WHERE num = ?", (num,))  # noqa: S608
        return row == tuple(read.values()) and all(
            rows == set(self.database.rows(f"SELECT {CHILDREN[table]} FROM {table} WHERE trial = ?", (num,)))  # noqa: S608
            for table, rows in filter_rows(num, trial).items()
        )

    def derive_again(self, trial: Trial, generation: int) -> None:
        """Make what is derived from the record of a trial that is here anew; its passages get new numbers."""
        num = self.database.value("SELECT num FROM trials WHERE id = ?", (trial.id,))
        read = {**filter_columns(trial), "num": num}
        assignments = ", ".join(f"{name} = :{name}" for name in read)
        self.database.execute(f"UPDATE trials SET {assignments} WHERE num = :num", read)  # noqa: S608
        self._put_filter_rows(num, trial)
        self.passages.drop(num, generation)
        self.passages.put(num, trial, generation)

    def put_history(
        self, trial_id: str, *, first_seen: str, last_checked: str, earlier: Iterable[EarlierVersion]
    ) -> int:
        """Set when a trial that is here was seen, and its earlier versions, in place of what is known of them.

        :returns: its number.
        """
        num = int(self.database.value("SELECT num FROM trials WHERE id = ?", (trial_id,)))
        days = (first_seen, last_checked, num)
        self.database.execute("UPDATE trials SET first_seen = ?, last_checked = ? WHERE num = ?", days)
        self.database.execute("DELETE FROM revisions WHERE trial = ?", (num,))
        self.database.execute_many(
            "INSERT INTO revisions VALUES (?, ?, ?, ?, ?)",
            (
                (num, one.replaced_in, one.seen, one.trial.content_hash, record_codec.encode(one.trial))
                for one in earlier
            ),
        )
        return num

    def remove(self, trial_id: str, generation: int) -> bool:
        """Delete a trial with its revisions and passages; False when there is none."""
        num = self.database.value("SELECT num FROM trials WHERE id = ?", (trial_id,))
        if not num:
            return False
        self.passages.drop(num, generation)
        self.database.execute("INSERT OR REPLACE INTO dropped VALUES ('trial', ?, ?, ?)", (num, num, generation))
        self.database.execute("DELETE FROM trials WHERE num = ?", (num,))
        return True

    def touch(self, trial_id: str, generation: int) -> None:
        """Count a trial as changed in *generation*, though its record is the same."""
        self.database.execute("UPDATE trials SET generation = ? WHERE id = ?", (generation, trial_id))

    def set_generation(self, generation: int) -> None:
        self.database.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (generation,))

    def set_lineage(self, lineage: str) -> None:
        """Let these be the records of another index, of which they are a copy."""
        self.database.execute("UPDATE meta SET value = ? WHERE key = 'id'", (lineage,))

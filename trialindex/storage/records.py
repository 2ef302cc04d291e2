"""``records.db``: the truth of an index. Everything else can be made again from it."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from trialindex.errors import IndexDamaged, IndexNotFound
from trialindex.storage import passage_table, provenance, record_codec, vector_codec
from trialindex.storage.files import database_error, storage_errors
from trialindex.storage.filter_columns import CHILDREN, children, columns
from trialindex.storage.filter_columns import fold as fold
from trialindex.storage.schema import SCHEMA
from trialindex.storage.vector_codec import batches
from trialindex.trial import Trial
from trialindex.trial.passages import passages
from trialindex.trial.sanitize import replace_surrogates

if TYPE_CHECKING:
    import numpy as np

    from trialindex.plugin.interfaces import Ids, Vectors
    from trialindex.plugin.updates import ChangeKind

NAME = "records.db"


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


class Records:
    """One connection to ``records.db``. Writing needs the index's lock; reading never waits.

    :param folder: the index folder.
    :param create: make the database; it must not exist yet.
    :raises IndexDamaged: there is no database, or SQLite cannot read it.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        path = folder / NAME
        if not create and not folder.exists():
            hint = "Was it moved or removed? Name where it is now with --index."
            raise IndexNotFound(f"there is no index at {folder} any more.", hint=hint)
        if not create and not path.is_file():
            raise IndexDamaged(
                f"the index at {folder} has no file {NAME}: it was only half copied.",
                hint="Copy the whole folder again, or move it away and ingest again.",
            )
        self._generation: int | None = None  # of a snapshot, which never changes
        self._counts: dict[int | None, int] = {}  # of trials, by generation: what the last snapshot counted
        with storage_errors(folder):
            self._db = _connect(path, create=create)
            try:
                if create:
                    self._db.executescript(f"PRAGMA journal_mode=WAL; BEGIN; {SCHEMA} COMMIT;")
                self.generation  # noqa: B018  fails here, not later, when the file is no database
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[Records]:
        """The records as they are now, whatever is committed meanwhile: another connection, for reading only."""
        with closing(Records(self.folder)) as view:
            with storage_errors(self.folder):
                view._db.execute("BEGIN")
            view._generation = view.generation  # the first read is what SQLite keeps
            view._counts = self._counts
            yield view

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commits when the block ends, rolls back when it raises."""
        with storage_errors(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # --- reading ----------------------------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        """The number of the last commit that changed a trial."""
        row = self._one("SELECT value FROM meta WHERE key = 'generation'")
        if row is None or not isinstance(row[0], int):
            raise database_error(sqlite3.DatabaseError("malformed: it has no generation"), self.folder)
        return row[0]

    def __len__(self) -> int:
        known = self._counts.get(self._generation)
        if known is not None:
            return known
        count = int(self._one("SELECT count(*) FROM trials")[0])
        if self._generation is not None:
            self._counts.clear()
            self._counts[self._generation] = count
        return count

    @property
    def is_empty(self) -> bool:
        """Whether there is no trial; told at once, where counting them takes milliseconds."""
        return self._one("SELECT 1 FROM trials") is None

    def count_passages(self) -> int:
        return int(self._one("SELECT count(*) FROM passages")[0])

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Generator[tuple[Any, ...]]:
        """Rows of a SELECT, for the filters and checks that know the schema."""
        with storage_errors(self.folder), closing(self._db.execute(sql, parameters)) as cursor:
            yield from cursor

    def numbers(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Ids:
        """The column ``num`` of a SELECT, integers, each once, sorted ascending, as int64."""
        import numpy as np

        # As one text: a row of its own for each of 300,000 numbers takes four times as long.
        with storage_errors(self.folder):
            (text,) = self._db.execute(f"SELECT group_concat(num) FROM ({sql})", parameters or {}).fetchone()  # noqa: S608
        values = np.sort(np.fromstring(text or "0", dtype=np.int64, sep=","))
        return values[np.diff(values, prepend=0) > 0]  # numbers begin at 1; np.unique takes ten times as long

    def find(self, trial_id: str, *, raw: bool = False) -> Stored | None:
        """The trial with that id, in any spelling of its letters."""
        row = self._one("SELECT num FROM trials WHERE id = ?", (replace_surrogates(trial_id),))
        return next(self.load([row[0]], raw=raw), None) if row else None

    def standing(self, trial_id: str) -> tuple[bool, str | None, str] | None:
        """Of the trial with that id, if it is here: whether its record is partial, its last update, its source."""
        row = self._one(
            "SELECT partial, last_updated, source FROM trials WHERE id = ?", (replace_surrogates(trial_id),)
        )
        return (bool(row[0]), row[1], row[2]) if row else None

    def load(self, nums: Iterable[int], *, raw: bool = False) -> Generator[Stored]:
        """The trials with these numbers, in this order; those that are gone are left out."""
        for num in nums:
            row = self._one("SELECT num, record, first_seen, last_checked FROM trials WHERE num = ?", (int(num),))
            if row:
                yield self._stored(row, raw=raw)

    def all(self, *, raw: bool = False) -> Generator[Stored]:
        """Every trial, in the order they came."""
        for row in self.rows("SELECT num, record, first_seen, last_checked FROM trials ORDER BY num"):
            yield self._stored(row, raw=raw)

    def limits(self, nums: Iterable[int]) -> dict[int, tuple[str | None, float | None, float | None]]:
        """Of these trials the sex and the lowest and highest age in years that they state."""
        sql = "SELECT num, sex, minimum_age, maximum_age FROM trials WHERE num IN (SELECT value FROM json_each(?))"
        return {num: (sex, low, high) for num, sex, low, high in self.rows(sql, (json.dumps(list(nums)),))}

    def similar_ids(self, trial_id: str, limit: int = 2000) -> list[str]:
        """Ids that begin like *trial_id*, to guess a typing error from."""
        start = replace_surrogates(trial_id[:4]).replace("%", "").replace("_", "") + "%"
        return [row[0] for row in self.rows("SELECT id FROM trials WHERE id LIKE ? LIMIT ?", (start, limit))]

    def source_states(self) -> dict[str, tuple[dict[str, Any], str]]:
        """Every source spec the index was built from: its state, and the ISO day it last ran."""
        rows, what = list(self.rows("SELECT spec, state, ran FROM sources")), "where a source stopped"
        return {spec: (self.remembered(state, dict[str, Any], what), ran) for spec, state, ran in rows}

    def remembered(self, text: Any, shape: Any, what: str) -> Any:
        """What is kept of a source as JSON. :raises IndexDamaged: it is none of that *shape*; *what* names it."""
        try:
            return msgspec.json.decode(text, type=shape)
        except (msgspec.DecodeError, UnicodeError, TypeError, RecursionError):
            damaged = f"{what} is damaged in {self.folder / NAME}."
            raise IndexDamaged(damaged, hint="Forget it: trialindex check --repair") from None

    def source_requests(self) -> dict[str, str | None]:
        """By source spec how to ask for it again, as JSON; ``None`` where there is nothing to ask again."""
        return dict(self.rows("SELECT spec, request FROM requests JOIN sources USING (spec)"))

    @property
    def lineage(self) -> str:
        """What tells these records from those of another index, or of the same one made anew."""
        return str(self._one("SELECT value FROM meta WHERE key = 'id'")[0])

    def earlier(self, trial_id: str, digest: str) -> Trial | None:
        """The version of a trial with that hash, the one there is now or an earlier one, if the index has it."""
        sql = (
            "SELECT record FROM trials WHERE id = :id AND hash = :hash UNION ALL SELECT revisions.record FROM revisions"
            " JOIN trials ON trial = num WHERE id = :id AND revisions.hash = :hash"
        )
        for (record,) in self.rows(sql, {"id": trial_id, "hash": digest}):
            with suppress(IndexDamaged):
                return record_codec.decode(record)
        return None

    def missing_embeddings(self, hashes: Iterable[bytes]) -> set[bytes]:
        """Those of *hashes* that have no vector yet; for a writer."""
        return {h for h in hashes if not self._one("SELECT 1 FROM vectors WHERE hash = ?", (h,))}

    def vectors_since(self, generation: int, dimension: int, batch: int = 20_000) -> Iterator[tuple[Ids, Vectors]]:
        """Passage numbers and their vectors, of all passages added after *generation*, in batches.

        A passage whose vector is missing, damaged or of another *dimension* is left out; a check of the index names it.
        """
        import numpy as np

        sql = (
            "SELECT passages.num, vector FROM passages JOIN vectors USING (hash)"
            " WHERE passages.generation > ? ORDER BY passages.num"
        )
        for rows in batches(self.rows(sql, (generation,)), batch):
            vectors, valid = vector_codec.decode([vector for _, vector in rows], dimension)
            if len(vectors):
                yield np.array([num for num, _ in rows], dtype=np.int64)[valid], vectors

    def owners_since(self, generation: int) -> Iterator[tuple[Any, ...]]:
        """Number, trial and position of every passage added after *generation*."""
        yield from self.rows("SELECT num, trial, position FROM passages WHERE generation > ?", (generation,))

    def dropped_since(self, kind: Literal["trial", "passage"], generation: int) -> list[int]:
        """Numbers of trials or passages that went away after *generation*."""
        sql = "SELECT num FROM dropped WHERE kind = ? AND generation > ?"
        return [row[0] for row in self.rows(sql, (kind, generation))]

    def changed_since(self, generation: int) -> Iterator[tuple[int, Trial]]:
        """Trials that were added or changed after *generation*, with their numbers.

        One whose record cannot be read is left out; a check of the index names it.
        """
        for num, record in self.rows("SELECT num, record FROM trials WHERE generation > ? ORDER BY num", (generation,)):
            with suppress(IndexDamaged):
                yield num, record_codec.decode(record)

    def owners(self, passage_nums: Ids) -> Ids:
        """For each passage number its trial's number and its position in the trial, shape ``(n, 2)``.

        A passage that was dropped since a vector store was made still leads to its trial, with the position -1. One
        that leads to no trial any more has trial 0.
        """
        import numpy as np

        generation, table = passage_table.newest(self.folder / "derived", self.generation)
        found = passage_table.of(table, passage_nums)
        since = self.dropped_since("passage", generation)
        if since:  # dropped after the table was made
            found[np.isin(passage_nums, since)] = 0
        unknown = np.flatnonzero(found[:, 0] == 0)
        if not len(unknown):
            return found
        sql = (
            "WITH asked AS (SELECT value AS num FROM json_each(?))"
            " SELECT num, trial, -1 FROM dropped JOIN asked USING (num)"
            " WHERE kind = 'passage' AND trial IN (SELECT num FROM trials)"
            " UNION ALL SELECT num, trial, position FROM passages JOIN asked USING (num)"
        )
        asked = passage_nums[unknown].tolist()
        told = {num: owner for num, *owner in self.rows(sql, (json.dumps(asked),))}
        found[unknown] = [told.get(num, (0, -1)) for num in asked]
        return found

    def passages_of(self, trials: Ids, generation: int) -> Ids:
        """Sorted numbers of the passages of these trials, and of those they had until after *generation*."""
        import numpy as np

        table = passage_table.read(self.folder / "derived" / str(generation))
        if table is not None:
            return passage_table.passages_of(table, trials)
        sql = (
            "SELECT num, trial FROM passages"
            " UNION ALL SELECT num, trial FROM dropped WHERE kind = 'passage' AND generation > ?"
        )
        pairs = np.array(list(self.rows(sql, (generation,))), dtype=np.int64).reshape(-1, 2)
        kept: Ids = np.sort(pairs[np.isin(pairs[:, 1], trials), 0])
        return kept

    # --- writing: inside a transaction, under the index's lock ------------------------------------------------------

    def put(self, trial: Trial, *, partial: bool, today: str, generation: int) -> ChangeKind | None:
        """Add or replace a trial and its passages; ``None`` when nothing changed.

        Its earlier version is kept as a revision. Vectors of its passages must be there (:meth:`add_embeddings`).
        """
        old = self._one("SELECT num, hash, record, last_checked FROM trials WHERE id = ?", (trial.id,))
        new_hash = trial.content_hash
        if old and old[1] == new_hash:
            self._db.execute(
                "UPDATE trials SET last_checked = ?, record = ?, source = ?, partial = ? WHERE num = ?",
                (today, record_codec.encode(trial), trial.source, partial, old[0]),
            )
            self._put_raw(old[0], trial)
            return None
        values = {
            "id": trial.id,
            "hash": new_hash,
            "generation": generation,
            "partial": partial,
            "last_checked": today,
            "record": record_codec.encode(trial),
            **columns(trial),
        }
        if old:
            num = int(old[0])
            self._db.execute("INSERT INTO revisions VALUES (?, ?, ?, ?, ?)", (num, generation, old[3], old[1], old[2]))
            assignments = ", ".join(f"{name} = :{name}" for name in values)
            self._db.execute(f"UPDATE trials SET {assignments} WHERE num = :num", {**values, "num": num})  # noqa: S608
        else:
            values["first_seen"] = trial.first_seen.date if trial.first_seen else today
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            num = int(self._db.execute(f"INSERT INTO trials ({names}) VALUES ({marks})", values).lastrowid or 0)  # noqa: S608
        self._put_children(num, trial)
        self._put_raw(num, trial)
        self._put_passages(num, trial, generation)
        return "changed" if old else "added"

    def _put_raw(self, num: int, trial: Trial) -> None:
        if trial.raw is not None:
            data = zlib.compress(msgspec.json.encode(trial.raw))
            self._db.execute("INSERT OR REPLACE INTO raw VALUES (?, ?)", (num, data))
        else:
            self._db.execute("DELETE FROM raw WHERE trial = ?", (num,))

    def _put_children(self, num: int, trial: Trial) -> None:
        for table, rows in children(num, trial).items():
            marks = ", ".join("?" * (CHILDREN[table].count(",") + 1))
            self._db.execute(f"DELETE FROM {table} WHERE trial = ?", (num,))  # noqa: S608
            self._db.executemany(f"INSERT INTO {table} ({CHILDREN[table]}) VALUES ({marks})", rows)  # noqa: S608

    def filters_agree(self, num: int, trial: Trial) -> bool:
        """Whether what the filters read of the trial with that number is what its record says."""
        read = columns(trial)
        row = self._one(f"SELECT {', '.join(read)} FROM trials WHERE num = ?", (num,))  # noqa: S608
        return row == tuple(read.values()) and all(
            rows == set(self.rows(f"SELECT {CHILDREN[table]} FROM {table} WHERE trial = ?", (num,)))  # noqa: S608
            for table, rows in children(num, trial).items()
        )

    def _put_passages(self, num: int, trial: Trial, generation: int) -> None:
        """Keep the passages whose text is the same; drop and add the others under new numbers."""
        held = {
            row[0]: (row[1], row[2])
            for row in self.rows("SELECT position, num, hash FROM passages WHERE trial = ?", (num,))
        }
        wanted = {position: passage.hash for position, passage in enumerate(passages(trial))}
        stale = [passage for position, (passage, digest) in held.items() if wanted.get(position) != digest]
        self._drop("passage", stale, num, generation)
        self._db.executemany("DELETE FROM passages WHERE num = ?", [(n,) for n in stale])
        fresh = [(num, p, h, generation) for p, h in wanted.items() if p not in held or held[p][1] != h]
        self._db.executemany("INSERT INTO passages (trial, position, hash, generation) VALUES (?, ?, ?, ?)", fresh)

    def _drop(self, kind: str, nums: Iterable[int], trial: int, generation: int) -> None:
        rows = [(kind, n, trial, generation) for n in nums]
        self._db.executemany("INSERT OR REPLACE INTO dropped VALUES (?, ?, ?, ?)", rows)

    def derive_again(self, trial: Trial, generation: int) -> None:
        """Make what is derived from the record of a trial that is here anew; its passages get new numbers."""
        num = self._one("SELECT num FROM trials WHERE id = ?", (trial.id,))[0]
        read = {**columns(trial), "num": num}
        assignments = ", ".join(f"{name} = :{name}" for name in read)
        self._db.execute(f"UPDATE trials SET {assignments} WHERE num = :num", read)  # noqa: S608
        self._put_children(num, trial)
        held = [n for (n,) in self.rows("SELECT num FROM passages WHERE trial = ?", (num,))]
        self._drop("passage", held, num, generation)
        self._db.execute("DELETE FROM passages WHERE trial = ?", (num,))
        self._put_passages(num, trial, generation)

    def remove(self, trial_id: str, generation: int) -> bool:
        """Delete a trial with its revisions and passages; False when there is none."""
        row = self._one("SELECT num FROM trials WHERE id = ?", (trial_id,))
        if not row:
            return False
        held = [n for (n,) in self.rows("SELECT num FROM passages WHERE trial = ?", (row[0],))]
        self._drop("passage", held, row[0], generation)
        self._drop("trial", [row[0]], row[0], generation)
        self._db.execute("DELETE FROM trials WHERE num = ?", (row[0],))
        return True

    def add_embeddings(self, hashes: Sequence[bytes], vectors: np.ndarray[Any, Any]) -> None:
        """Keep the vectors ``(n, dimension)`` of texts under their hashes, a byte for each number."""
        self.write(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?)", zip(hashes, vector_codec.encode(vectors), strict=True)
        )

    def set_generation(self, generation: int) -> None:
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (generation,))

    def set_source_state(self, spec: str, state: Mapping[str, Any], today: str) -> None:
        text = msgspec.json.encode(state).decode()
        self._db.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (spec, text, today))

    def set_source_request(self, spec: str, request: str | None) -> None:
        """Remember how to ask for a source again; ``None`` says that it cannot be, and overrules nothing."""
        how = "INSERT OR IGNORE" if request is None else "INSERT OR REPLACE"
        self._db.execute(f"{how} INTO requests VALUES (?, ?)", (spec, request))

    def forget_source_request(self, spec: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO requests VALUES (?, NULL)", (spec,))

    def write(self, sql: str, rows: Iterable[Sequence[Any]] = ((),)) -> None:
        """Run one statement that changes rows, once for each row of values; inside a transaction."""
        self._db.executemany(sql, rows)

    def run(self, statements: Iterable[str], parameters: Mapping[str, Any] | None = None) -> None:
        """Run statements that change the tables: a step from one format to the next, a repair."""
        for statement in statements:
            self._db.execute(statement, parameters or {})

    # ----------------------------------------------------------------------------------------------------------------

    def _one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        with storage_errors(self.folder):
            return self._db.execute(sql, parameters).fetchone()

    def _stored(self, row: tuple[Any, ...], *, raw: bool) -> Stored:
        num, record, first_seen, last_checked = row
        trial = record_codec.decode(record)
        if gone := provenance.gone_since(self, num):
            trial = msgspec.structs.replace(trial, gone_since=gone)
        if raw and (kept := self._one("SELECT record FROM raw WHERE trial = ?", (num,))):
            trial = msgspec.structs.replace(trial, raw=record_codec.decompress(kept[0], msgspec.json.decode))
        return Stored(num, trial, first_seen, last_checked)


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection in autocommit mode; on media that cannot be written the file is read as it lies."""
    try:
        return _opened(path, "mode=rwc" if create else "mode=rw")
    except sqlite3.OperationalError as problem:
        if create or not _as_it_lies(path, problem):
            raise
        return _opened(path, "immutable=1")


def _as_it_lies(path: Path, problem: sqlite3.OperationalError) -> bool:
    """Whether the file alone holds all there is, and SQLite only has no place for what it keeps beside it."""
    if re.search("readonly|unable to open", str(problem)):
        return True
    log = path.with_name(f"{path.name}-wal")
    empty = not log.exists() or not log.stat().st_size
    return empty and problem.sqlite_errorname.startswith("SQLITE_IOERR_SHM")  # the disk is full to the last byte


def _opened(path: Path, how: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?{how}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
    db.text_factory = partial(str, encoding="utf-8", errors="replace")  # so that a check can name what is damaged
    try:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA synchronous = FULL")  # else a power cut could undo a commit that was derived from
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        db.close()
        raise
    return db

"""What a check of an index compares: each of its claims is worked out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trialindex.errors import IndexDamaged, TrialIndexError
from trialindex.storage import derived, passage_table, record_codec, vector_codec
from trialindex.storage.database import Database
from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records, Stored
from trialindex.storage.store_spec import StoreSpec
from trialindex.storage.vector_codec import batches
from trialindex.trial import display, sanitize
from trialindex.trial.passages import VERSION, passages

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors

SAMPLE = 50
"""How many passages and trials, spread over all, are searched for in what is derived."""
NEAREST = 10
"""How many of the nearest are compared with brute force."""
AGREEMENT = 0.9
"""The part of them that must be as near: a store may be approximate, a damaged one is far below."""
_ROUNDING = 0.02
"""How far apart two cosines may be that are the same: a store may compress its vectors."""
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")

Kind = Literal[
    "records",
    "record",
    "revision",
    "filters",
    "passages",
    "embedding",
    "source",
    "derived",
    "encoder",
    "watches",
    "subscribers",
]


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong.

    :param kind: ``records`` (the database itself), ``record`` (one trial), ``revision`` (an earlier version of one),
        ``filters``, ``passages``, ``embedding``, ``source`` (what is remembered of one), ``derived``, ``encoder`` (the
        model that queries are encoded with), ``watches`` (beside the index, which the command line checks too).
    :param what: a sentence that names it.
    :param trial: the trial's id, where it is about one.
    :param repaired: whether a repair mended it.
    """

    kind: Kind
    what: str
    trial: str = ""
    repaired: bool = False


GENERATIONS = (("trials", "generation"), ("passages", "generation"), ("revisions", "replaced_in"))
"""Where a generation is noted."""


def outside(column: str) -> str:
    """SQL: the column holds no generation up to ``:last``."""
    return f"typeof({column}) != 'integer' OR {column} NOT BETWEEN 0 AND :last"


class IntegrityChecks:
    """The checks of one index. Each yields what is wrong, and says in :attr:`performed` what it went through.

    :param progress: told how many trials are done, and how many there are.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        records: Records,
        store: StoreSpec,
        progress: Callable[[int, int | None], None],
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._dimension = manifest.encoder.dimension
        self._records = records
        self._database = records.database
        self._store = store
        self._progress = progress
        self._unread = 0
        self.performed: list[str] = []
        """What was gone through, in numbers: ``12 records hashed``."""
        self.waiting = 0
        """Passages that have no vector yet."""

    def _log(self, count: int, noun: str, what: str, plural: str = "") -> None:
        self.performed.append(f"{display.count(count, noun, plural)} {what}")

    # --- the database -------------------------------------------------------------------------------------------------

    def database(self) -> Iterator[Finding]:
        """The pages, the indexes, and that no row belongs to a trial that is not there."""
        for (message,) in self._database.rows("PRAGMA integrity_check"):
            if message != "ok":
                yield Finding("records", f"records.db: {' '.join(message.split())}")
        strays: dict[str, int] = {}
        for table, *_ in self._database.rows("PRAGMA foreign_key_check"):
            strays[table] = strays.get(table, 0) + 1
        for table, count in strays.items():
            yield Finding("records", f"records.db: {display.count(count, 'row')} of {table} belong to no trial")
        tables = [name for (name,) in self._database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        self._log(len(tables), "table", "gone through")

    def numbers(self) -> Iterator[Finding]:
        """That nothing is of a generation to come, and that what sources left can be read."""
        records = self._records
        generation = records.generation
        for table, column in GENERATIONS:
            owner = "num" if table == "trials" else "trial"
            sql = f"SELECT DISTINCT id FROM trials WHERE num IN (SELECT {owner} FROM {table} WHERE {outside(column)})"  # noqa: S608
            for (trial_id,) in self._database.rows(sql, {"last": generation}):
                what = f"{trial_id} has a row in {table} that is of no generation up to {generation}"
                yield Finding("revision" if table == "revisions" else "passages", what, trial_id)
        for spec, column in damaged_sources(self._database):
            what = "where it stopped" if column == "state" else "how to ask it again"
            name = sanitize.one_line(spec.decode(errors="replace"))
            yield Finding(
                "source", f"of the source {name} it cannot be read {what}: ingest it once more after a repair"
            )

    # --- records ------------------------------------------------------------------------------------------------------

    def trials(self) -> Iterator[Finding]:
        """Each record against its hash, what filters read of it, its passages, its earlier versions."""
        rows = list(self._database.rows("SELECT num, id, hash, first_seen, last_checked FROM trials"))
        passages_in_all = versions_in_all = 0
        for done, (num, trial_id, digest, first_seen, last_checked) in enumerate(rows):
            if done % 100 == 0:
                self._progress(done, len(rows))
            for versions, problem in self._versions(num, trial_id):
                versions_in_all += versions
                if problem:
                    yield Finding("revision", problem, trial_id)
            try:
                stored = next(self._records.load([num], raw=True))
            except IndexDamaged as problem:
                self._unread += 1
                yield Finding("record", f"the record of {trial_id} cannot be read: {problem}", trial_id)
                continue
            if stored.trial.content_hash != digest or stored.trial.id != trial_id:
                yield Finding("record", f"the record of {trial_id} is not what was stored: its hash differs", trial_id)
                continue
            if not (is_day(first_seen) and is_day(last_checked)):
                yield Finding("filters", f"the days on which {trial_id} was seen are no days", trial_id)
            if not self._records.filters_agree(num, stored.trial):
                yield Finding("filters", f"what filters read of {trial_id} is not what its record says", trial_id)
            passages_in_all += (count := self._passages(stored)) or 0
            if count is None and self._manifest.passages == VERSION:
                yield Finding("passages", f"the passages of {trial_id} are not those of its record", trial_id)
        if self._manifest.passages != VERSION:
            rule = f"passages were cut by rule {self._manifest.passages}, this trialindex cuts by rule {VERSION}"
            yield Finding("passages", rule)
        self._progress(len(rows), len(rows))
        self._log(len(rows), "record", "hashed and compared with what filters read")
        self._log(versions_in_all, "earlier version", "hashed")
        self._log(passages_in_all, "passage", "cut again")

    def _passages(self, stored: Stored) -> int | None:
        """How many passages a trial has; ``None`` if they are not those of its record."""
        sql = "SELECT position, hash FROM passages WHERE trial = ?"
        held = dict(self._database.rows(sql, (stored.num,)))
        wanted = {position: passage.hash for position, passage in enumerate(passages(stored.trial))}
        return len(wanted) if held == wanted else None

    def _versions(self, num: int, trial_id: str) -> Iterator[tuple[int, str]]:
        """The earlier versions of a trial: for each 1, and what is wrong with it."""
        sql = "SELECT seen, hash, record FROM revisions WHERE trial = ? ORDER BY replaced_in"
        for number, (seen, digest, record) in enumerate(self._database.rows(sql, (num,)), start=1):
            what = f"version {number} of {trial_id}"
            try:
                trial = record_codec.decode(record)
            except IndexDamaged:
                yield 1, f"{what}, an earlier one, cannot be read"
                continue
            same = trial.content_hash == digest and trial.id.lower() == trial_id.lower()
            if not same:
                yield 1, f"{what}, an earlier one, is not what was stored: its hash differs"
            else:
                yield 1, "" if is_day(seen) else f"the day on which {what} was last seen is no day"

    def bad_vectors(self) -> Iterator[tuple[str, bytes, str]]:
        """Vectors that cannot be used: the trial's id, the hash of the passage, what is wrong."""
        count = 0
        sql = (
            "SELECT trials.id, passages.hash, vector FROM passages JOIN trials ON trial = trials.num"
            " LEFT JOIN vectors ON vectors.hash = passages.hash WHERE passages.priority IS NULL"
        )
        for rows in batches(self._database.rows(sql)):
            count += len(rows)
            _, valid = vector_codec.decode([vector for *_, vector in rows], self._dimension)
            for (trial_id, digest, vector), good in zip(rows, valid.tolist(), strict=True):
                if vector is None:
                    yield trial_id, digest, f"a passage of {trial_id} has no vector"
                elif not good:
                    yield (
                        trial_id,
                        digest,
                        f"a vector of {trial_id} {vector_codec.describe_fault(vector, self._dimension)}",
                    )
        self._log(count, "vector", f"of {self._dimension} numbers read again")
        self.waiting = self._records.waiting.count()
        if self.waiting:
            self._log(self.waiting, "passage", "not embedded yet", "passages")

    # --- what is derived ----------------------------------------------------------------------------------------------

    def state(self) -> Iterator[Finding]:
        """The derived state: its files, its counts, and what it finds."""
        try:
            yield from (Finding("derived", what) for what in self._derived())
        except TrialIndexError as problem:
            yield Finding("derived", str(problem))

    def _derived(self) -> Iterator[str]:
        records = self._records
        state = derived.open_newest(self._folder, self._store)
        if state is None:
            yield f"there is no {derived.NAME} folder"
        elif state.generation != records.generation:
            yield f"it holds generation {state.generation}, the records are at {records.generation}"
        elif altered := state.altered():
            yield f"files of {state.folder} are not as they were written: {', '.join(altered)}"
        else:
            embedded = len(records.passages) - records.waiting.count()
            if len(state.vectors) != embedded:
                yield f"{len(state.vectors)} vectors for {display.count(embedded, 'passage')}"
            if not len(records) - self._unread <= len(state.lexical) <= len(records):
                yield f"the word index holds {len(state.lexical)} of {len(records)} trials"
            yield from self._owners(state)
            yield from self._vectors(state)
            yield from self._words(state)

    def _owners(self, state: derived.Derived) -> Iterator[str]:
        """The table that says of which trial each passage is, against the records."""
        import numpy as np

        table = passage_table.read(state.folder)
        if table is None:  # a state of an earlier program
            return
        for rows in batches(self._records.passages.added_since(0)):
            held = np.array(rows, dtype=np.int64)
            known = held[:, 0] < len(table)
            if not known.all() or (table[held[:, 0]] != held[:, 1:]).any():
                yield f"{passage_table.NAME} does not say of which trial each passage is as the records do"
                return

    def _vectors(self, state: derived.Derived) -> Iterator[str]:
        """Passages spread over all: each is found under its number, and its nearest are those of brute force."""
        import numpy as np

        ids, sample = self._sample()
        if not len(ids):
            return
        scores, found = state.vectors.search(sample, 1, ids)
        twins = sample[np.searchsorted(ids, found[:, 0]).clip(0, len(ids) - 1)]  # itself, or one like it
        own = (sample * sample).sum(axis=1)
        wrong = (np.abs(scores[:, 0] - own) > _ROUNDING / 2) | ((sample * twins).sum(axis=1) < own - _ROUNDING / 2)
        if wrong.any():
            yield f"the vector store does not hold passage {ids[wrong][0]} as the records do"
            return
        best = np.full((len(ids), NEAREST), -np.inf, dtype=np.float32)
        total = 0
        for numbers, vectors in self._records.passages.vectors_since(0, self._dimension):
            total += len(numbers)
            best = np.sort(np.hstack([best, sample @ vectors.T]), axis=1)[:, -NEAREST:]
        scores, _ = state.vectors.search(sample, NEAREST, None)
        filled = best[:, ::-1] > -np.inf
        as_near = (scores >= best[:, ::-1] - _ROUNDING) & filled
        if as_near.sum() < AGREEMENT * filled.sum():
            yield f"the vector store finds {as_near.sum()} of the {filled.sum()} nearest that brute force finds"
        self._log(len(ids), "search", f"compared with brute force over {display.count(total, 'vector')}", "searches")

    def _sample(self) -> tuple[Ids, Vectors]:
        """Passages spread over all, with their vectors: numbers ascending."""
        import numpy as np

        total = len(self._records.passages) - self._records.waiting.count()
        step = max(1, total // SAMPLE)
        ids, vectors, passed = [], [], 0
        for numbers, batch in self._records.passages.vectors_since(0, self._dimension):
            rows = np.arange(-passed % step, len(numbers), step)
            passed += len(numbers)
            ids.append(numbers[rows])
            vectors.append(batch[rows])
        if not ids:
            return np.empty(0, dtype=np.int64), np.empty((0, self._dimension), dtype=np.float32)
        return np.concatenate(ids), np.concatenate(vectors)

    def _words(self, state: derived.Derived) -> Iterator[str]:
        import numpy as np

        step = max(1, len(self._records) // SAMPLE)
        sql = "SELECT num FROM (SELECT num, row_number() OVER (ORDER BY num) AS place FROM trials) WHERE place % ? = 0"
        chosen = [num for (num,) in self._database.rows(sql, (step,))]
        for num in chosen:
            try:
                trial = next(self._records.load([num])).trial
            except IndexDamaged:  # it is named as a record
                continue
            if state.lexical.words(trial.title) and not state.lexical.search(trial.title, 1, np.array([num])):
                yield f"the word index does not hold {trial.id} as the records do"
                break
        self._log(len(state.lexical), "trial", f"counted in the word index, {len(chosen):,} of them searched for")


def damaged_sources(database: Database) -> Iterator[tuple[bytes, str]]:
    """The specs of the sources of which a column cannot be read, each with that column."""
    for column, shape in (("state", dict[str, Any]), ("request", _Request)):
        sql = f"SELECT CAST(spec AS BLOB), CAST({column} AS BLOB) FROM sources WHERE {column} IS NOT NULL"  # noqa: S608
        for spec, text in database.rows(sql):
            try:
                msgspec.json.decode(text, type=shape)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                yield spec, column


class _Request(msgspec.Struct):
    """What can be asked for again, as far as it has to be there."""

    name: str
    argument: str = ""
    options: dict[str, Any] = {}
    folder: str = ""
    file: bool = False


def is_day(value: object) -> bool:
    """A day, or what a source states in its place: a month or a year."""
    return isinstance(value, str) and _DAY.fullmatch(value) is not None

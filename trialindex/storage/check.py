"""Is the index whole? Each claim is worked out again from ``records.db`` and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from trialindex.encoding import encode_documents
from trialindex.errors import IndexDamaged, TrialIndexError
from trialindex.interfaces import Encoder, VectorStore
from trialindex.passages import passages
from trialindex.storage import derived
from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records
from trialindex.trial import Trial

SAMPLE = 50
"""How many passages and trials are looked for in the derived state."""

Kind = Literal["records", "record", "filters", "passages", "embedding", "derived", "encoder"]


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong.

    :param kind: ``records`` (the database itself), ``record`` (one trial), ``filters``, ``passages``, ``embedding``,
        ``derived``, ``encoder`` (the model that queries are encoded with).
    :param what: a sentence that names it.
    :param trial: the trial's id, where it is about one.
    :param repaired: whether a repair mended it.
    """

    kind: Kind
    what: str
    trial: str = ""
    repaired: bool = False


class Check:
    """Compares the parts of one index with each other. Needs the index's lock, wherever it can be written."""

    def __init__(self, folder: Path, manifest: Manifest, records: Records, store: type[VectorStore]) -> None:
        self._folder = folder
        self._dimension = manifest.encoder.dimension
        self._records = records
        self._store = store

    def findings(self) -> list[Finding]:
        """Everything that is wrong, in the order it is found."""
        try:
            found = [Finding("records", f"records.db: {what}") for what in self._database()]
            if not found:
                found += self._trials()
                found += [Finding("embedding", what, trial) for trial, _, what in self._bad_vectors()]
                found += [Finding("derived", what) for what in self._derived()]
        except IndexDamaged as problem:  # SQLite could not even read on
            found = [Finding("records", str(problem))]
        return found

    def repair(self, encoder: Callable[[], Encoder]) -> list[Finding]:
        """Mend what can be mended from the records.

        What the filters read and passages are made anew, missing or wrong vectors encoded again, then the derived
        state. A record that is damaged itself is left as it is: its source has to be asked again.

        :returns: what was wrong, each with whether it is mended, which is checked.
        """
        found = self.findings()
        if not found or any(f.kind == "records" for f in found):
            return found
        lost = {f.trial for f in found if f.kind == "record"}
        again = {f.trial for f in found if f.kind in ("filters", "passages", "embedding")} - lost
        trials = [stored.trial for trial_id in sorted(again) if (stored := self._records.find(trial_id))]
        if trials:
            self._derive_again(trials, encoder)
        derived.catch_up(self._folder, self._records, self._store, self._dimension, rebuild=True)
        left = self.findings()
        return [msgspec.structs.replace(f, repaired=f not in left) for f in found] + [f for f in left if f not in found]

    def _derive_again(self, trials: list[Trial], encoder: Callable[[], Encoder]) -> None:
        texts = {p.hash: p.text for trial in trials for p in passages(trial)}
        wanted = self._records.missing_embeddings(texts) | {digest for _, digest, _ in self._bad_vectors()}
        hashes = [digest for digest in texts if digest in wanted]
        vectors = encode_documents(encoder(), [texts[digest] for digest in hashes]) if hashes else None
        generation = self._records.generation + 1
        with self._records.transaction():
            if vectors is not None:
                self._records.add_embeddings(hashes, vectors)
            for trial in trials:
                self._records.derive_again(trial, generation)
            self._records.set_generation(generation)

    def _database(self) -> Iterator[str]:
        for (message,) in self._records.rows("PRAGMA integrity_check"):
            if message != "ok":
                yield message
        for table, *_ in self._records.rows("PRAGMA foreign_key_check"):
            yield f"a row of {table} belongs to no trial"

    def _trials(self) -> Iterator[Finding]:
        records = self._records
        for num, trial_id, digest in list(records.rows("SELECT num, id, hash FROM trials")):
            try:
                trial = next(records.load([num], raw=True)).trial
            except IndexDamaged as problem:
                yield Finding("record", f"the record of {trial_id} cannot be read: {problem}", trial_id)
                continue
            if trial.content_hash != digest or trial.id != trial_id:
                yield Finding("record", f"the record of {trial_id} is not what was stored: its hash differs", trial_id)
                continue
            if not records.filters_agree(num, trial):
                yield Finding("filters", f"what filters read of {trial_id} is not what its record says", trial_id)
            held = dict(records.rows("SELECT position, hash FROM passages WHERE trial = ?", (num,)))
            if held != {position: passage.hash for position, passage in enumerate(passages(trial))}:
                yield Finding("passages", f"the passages of {trial_id} are not those of its record", trial_id)

    def _bad_vectors(self) -> Iterator[tuple[str, bytes, str]]:
        """Vectors that cannot be used: the trial's id, the hash of the passage, what is wrong."""
        import numpy as np

        size = 2 * self._dimension
        sql = (
            "SELECT trials.id, passages.hash, vector FROM passages JOIN trials ON trial = trials.num"
            " LEFT JOIN embeddings ON embeddings.hash = passages.hash"
        )
        for trial_id, digest, vector in self._records.rows(sql):
            if vector is None:
                yield trial_id, digest, f"a passage of {trial_id} has no vector"
            elif len(vector) != size:
                yield trial_id, digest, f"a vector of {trial_id} has {len(vector)} bytes, not {size}"
            else:
                norm = float(np.linalg.norm(np.frombuffer(vector, dtype=np.float16).astype(np.float32)))
                if not abs(norm - 1.0) < 0.01:
                    yield trial_id, digest, f"a vector of {trial_id} has length {norm:.3f}, not 1"

    def _derived(self) -> Iterator[str]:
        records = self._records
        try:
            state = derived.open_newest(self._folder, self._store)
            if state is None:
                yield f"there is no {derived.NAME} folder"
            elif state.generation != records.generation:
                yield f"it holds generation {state.generation}, the records are at {records.generation}"
            elif altered := state.altered():
                yield f"files of {state.folder} are not as they were written: {', '.join(altered)}"
            else:
                if len(state.vectors) != records.count_passages():
                    yield f"{len(state.vectors)} vectors for {records.count_passages()} passages"
                if len(state.lexical) != len(records):
                    yield f"the word index holds {len(state.lexical)} of {len(records)} trials"
                yield from self._strangers(state)
        except TrialIndexError as problem:
            yield str(problem)

    def _strangers(self, state: derived.Derived) -> Iterator[str]:
        """Search both with what the records hold: each passage and each trial must find itself."""
        import numpy as np

        for ids, vectors in self._records.vectors_since(0, self._dimension):
            rows = np.unique(np.linspace(0, len(ids) - 1, num=min(SAMPLE, len(ids)), dtype=np.int64))
            chosen = vectors[rows]
            scores, found = state.vectors.search(chosen, 1, ids[rows])
            twins = chosen[np.searchsorted(ids[rows], found[:, 0]).clip(0, len(rows) - 1)]  # itself, or one like it
            own = (chosen * chosen).sum(axis=1)
            wrong = (np.abs(scores[:, 0] - own) > 0.01) | ((chosen * twins).sum(axis=1) < own - 0.01)
            if wrong.any():
                yield f"the vector store does not hold passage {ids[rows[wrong][0]]} as the records do"
            break
        for num, trial in islice(self._records.changed_since(0), SAMPLE):
            if state.lexical.words(trial.title) and not state.lexical.search(trial.title, 1, np.array([num])):
                yield f"the word index does not hold {trial.id} as the records do"
                break

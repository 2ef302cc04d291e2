"""Is the index whole? Each claim is worked out again from ``records.db`` and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from trialindex.errors import IndexDamaged, TrialIndexError
from trialindex.interfaces import Encoder, VectorStore
from trialindex.passages import passages
from trialindex.storage import derived
from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records

SAMPLE = 50
"""Passages whose neighbours in the vector store are compared with those found by brute force."""

Kind = Literal["records", "record", "passages", "embedding", "derived"]


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong.

    :param kind: ``records`` (the database itself), ``record`` (one trial), ``passages``, ``embedding``, ``derived``.
    :param what: a sentence that names it.
    :param trial: the trial's id, where it is about one.
    :param repaired: whether a repair mended it.
    """

    kind: Kind
    what: str
    trial: str = ""
    repaired: bool = False


def findings(folder: Path, manifest: Manifest, records: Records, store: type[VectorStore]) -> Iterator[Finding]:
    """Everything that is wrong with the index in *folder*, in the order it is found."""
    for (message,) in records.rows("PRAGMA integrity_check"):
        if message != "ok":
            yield Finding("records", f"records.db: {message}")
    for table, *_ in records.rows("PRAGMA foreign_key_check"):
        yield Finding("records", f"records.db: a row of {table} belongs to no trial")
    yield from _records(records)
    yield from _embeddings(records, manifest.encoder.dimension)
    yield from _derived(folder, records, store)


def _records(records: Records) -> Iterator[Finding]:
    for num, trial_id, digest in list(records.rows("SELECT num, id, hash FROM trials")):
        try:
            stored = next(records.load([num], raw=True))
        except IndexDamaged as problem:
            yield Finding("record", f"the record of {trial_id} cannot be read: {problem}", trial_id)
            continue
        if stored.trial.content_hash != digest or stored.trial.id != trial_id:
            yield Finding("record", f"the record of {trial_id} is not what was stored: its hash differs", trial_id)
            continue
        held = dict(records.rows("SELECT position, hash FROM passages WHERE trial = ?", (num,)))
        if held != {position: passage.hash for position, passage in enumerate(passages(stored.trial))}:
            yield Finding("passages", f"the passages of {trial_id} are not those of its record", trial_id)


def _embeddings(records: Records, dimension: int) -> Iterator[Finding]:
    import numpy as np

    sql = "SELECT trials.id, vector FROM passages JOIN trials ON trial = trials.num LEFT JOIN embeddings"
    for trial_id, vector in records.rows(f"{sql} ON embeddings.hash = passages.hash"):  # noqa: S608
        if vector is None:
            yield Finding("embedding", f"a passage of {trial_id} has no vector", trial_id)
        elif len(vector) != 2 * dimension:
            yield Finding("embedding", f"a vector of {trial_id} has {len(vector)} bytes, not {2 * dimension}", trial_id)
        else:
            norm = float(np.linalg.norm(np.frombuffer(vector, dtype=np.float16).astype(np.float32)))
            if not abs(norm - 1.0) < 0.01:
                yield Finding("embedding", f"a vector of {trial_id} has length {norm:.3f}, not 1", trial_id)


def _derived(folder: Path, records: Records, store: type[VectorStore]) -> Iterator[Finding]:
    try:
        state = derived.open_newest(folder, store)
    except TrialIndexError as problem:
        yield Finding("derived", str(problem))
        return
    if state is None:
        if len(records):
            yield Finding("derived", f"there is no {derived.NAME} folder")
        return
    if state.generation != records.generation:
        yield Finding("derived", f"it holds generation {state.generation}, the records are at {records.generation}")
        return
    if len(state.vectors) != records.count_passages():
        yield Finding("derived", f"{len(state.vectors)} vectors for {records.count_passages()} passages")
    if len(state.lexical) != len(records):
        yield Finding("derived", f"the word index holds {len(state.lexical)} of {len(records)} trials")
    yield from _neighbours(state, records)


def _neighbours(state: derived.Derived, records: Records) -> Iterator[Finding]:
    """Search the store with vectors of the records: each passage must find itself, as close as brute force says."""
    import numpy as np

    for ids, vectors in records.vectors_since(0):
        chosen = np.linspace(0, len(ids) - 1, num=min(SAMPLE, len(ids)), dtype=np.int64)
        for row in chosen:
            scores, found = state.vectors.search(vectors[row : row + 1], 1)
            if found[0, 0] < 0 or scores[0, 0] < float(vectors[row] @ vectors[row]) - 0.01:
                yield Finding("derived", f"the vector store does not find passage {ids[row]} by its own vector")
                return
        return


def repair(
    found: list[Finding],
    folder: Path,
    manifest: Manifest,
    records: Records,
    store: type[VectorStore],
    encoder: Callable[[], Encoder],
) -> list[Finding]:
    """Mend what can be mended from the records; the index's lock is held.

    Passages are cut again, missing or wrong vectors encoded again, the derived state made anew. A record that is
    damaged itself is left as it is: its source has to be asked again.
    """
    if any(f.kind == "records" for f in found):
        return found
    again = {f.trial for f in found if f.kind in ("passages", "embedding")}
    if again:
        generation = records.generation + 1
        trials = [stored.trial for trial_id in again if (stored := records.find(trial_id))]
        texts = {p.hash: p.text for trial in trials for p in passages(trial)}
        vectors = encoder().encode_documents(list(texts.values()))
        with records.transaction():
            records.add_embeddings(list(texts), vectors)
            for trial in trials:
                records.cut_again(trial, generation)
            records.set_generation(generation)
    if found:
        derived.catch_up(folder, records, store, manifest.encoder.dimension, rebuild=True)
    return [msgspec.structs.replace(f, repaired=f.kind != "record") for f in found]

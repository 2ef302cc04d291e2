"""What is measured of one index, each in a process of its own, so that none warms the memory for another."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from scale_data import Model, Prepared, Synthetic, Trials

from trialindex import Index
from trialindex.search.filters import Filters
from trialindex_minilm.encoder import MiniLM

SEED = 1
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "50 %": {"status": "recruiting"},
    "5 %": {"phase": "early phase 1"},
    "0.1 %": {"country": "Iceland"},
}
PROGRAM = str(Path(sys.executable).parent / "trialindex")
LAY = Path(__file__).parent / "lay" / "queries.jsonl"
NOTE = (
    "{age}-year-old {who} seen in clinic today. In their own words: {text} Background of hypertension and type 2 "
    "diabetes, on metformin 1 g twice daily, amlodipine 5 mg and atorvastatin 20 mg. Appendix removed as a "
    "teenager, no other operations. No known drug allergies. Does not smoke, drinks a glass of wine at weekends, "
    "lives with family. Mother had breast cancer at 61, father a stroke. On examination comfortable at rest, pulse "
    "78 regular, blood pressure 138/84, chest clear, abdomen soft, no oedema. Bloods: haemoglobin 12.4, white cells "
    "6.1, platelets 240, creatinine 88, ALT 24, HbA1c 7.1 %. The patient is worried that the present treatment no "
    "longer helps and would like to know whether any study is open that tests something else. Plan: repeat bloods "
    "in four weeks, ask for the last scan, discuss at the next meeting."
)


def texts(count: int) -> tuple[list[str], list[str]]:
    """Short questions, and notes of about 150 words."""
    asked = [json.loads(line)["text"] for line in LAY.read_text(encoding="utf-8").splitlines()]
    chance = random.Random(SEED)
    short = chance.sample(asked, min(count, len(asked)))
    notes = [NOTE.format(age=chance.randint(20, 85), who=chance.choice(("man", "woman")), text=text) for text in short]
    return short, notes


def _peak() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * 1.048576


def _times(ask: Callable[[str], object], asked: list[str]) -> dict[str, float]:
    """Milliseconds of each question, the first three not counted; and those in which a processor worked for it."""
    taken, worked = [], []
    for text in [*asked[:3], *asked]:
        start, begun = time.perf_counter(), time.process_time()
        ask(text)
        taken.append((time.perf_counter() - start) * 1000)
        worked.append((time.process_time() - begun) * 1000)
    cuts = statistics.quantiles(taken[3:], n=20, method="inclusive")
    return {
        "p50": statistics.median(taken[3:]),
        "p95": cuts[18],
        "cpu": statistics.median(worked[3:]),
        "load": os.getloadavg()[0],
    }


def model(folder: Path, size: int) -> dict[str, Any]:
    """What all trials are drawn from."""
    Model.fitted(MiniLM(), SEED).keep(folder.parent)
    return {}


def build(folder: Path, size: int) -> dict[str, Any]:
    """Make the index. Drawing the trials takes time of its own, which is told apart."""
    encoder = Prepared()
    made = Trials(Model.kept(folder.parent), SEED)
    drawing = 0.0

    def drawn() -> Any:
        nonlocal drawing
        trials = made.drawn(0, size)
        while True:
            start = time.perf_counter()
            item = next(trials, None)
            drawing += time.perf_counter() - start
            if item is None:
                return
            yield item

    start = time.perf_counter()
    with Index.create(folder, encoder=encoder) as index:
        summary = index.ingest(Synthetic(drawn(), size, encoder))
        assert summary.added == size, summary.stopped
        seconds = time.perf_counter() - start - drawing
        held = index.info().vectors
        return {"build_s": seconds, "ingest_s": summary.seconds - drawing, "peak_mb": _peak(), "vectors": held}


def sizes(folder: Path, size: int) -> dict[str, Any]:
    """Bytes a trial, by what they are for."""
    import sqlite3

    with sqlite3.connect(f"file:{folder / 'records.db'}?mode=ro", uri=True) as db:
        pages = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY 1"))
        passages = db.execute("SELECT count(*) FROM passages").fetchone()[0]
    [state] = [path for path in (folder / "derived").iterdir() if path.name.isdecimal()]
    of = {path.name: sum(f.stat().st_size for f in [path, *path.rglob("*")] if f.is_file()) for path in state.iterdir()}
    whole = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    parts = {
        "records": pages.pop("trials"),
        "raw": pages.pop("raw", 0),
        "embeddings": pages.pop("vectors") + pages.pop("sqlite_autoindex_vectors_1"),
        "vectors": of["vectors"],
        "words": of["lexical"],
        "owners": of["owners.npy"],
        "rest of records.db": sum(pages.values()),
    }
    return {"passages": passages, "bytes": whole / size, "parts": {name: b / size for name, b in parts.items()}}


def queries(folder: Path, size: int) -> dict[str, Any]:
    """Warm queries, by kind of text, of mode and of filter."""
    short, notes = texts(100)
    with Index.open(folder) as index:
        found: dict[str, Any] = {"short": _times(index.query, short), "note": _times(index.query, notes[:40])}
        for mode in ("vector", "lexical"):
            found[mode] = _times(lambda text, mode=mode: index.query(text, mode=mode), short)  # type: ignore[misc]
        for name, words in FILTERS.items():
            if words:
                chosen = Filters.parse(**words)
                with index.snapshot() as records:
                    found[f"filter, {name}"] = _times(lambda _: chosen.allowed(records), short[:5])  # noqa: B023
                found[f"short, {name}"] = _times(lambda text, words=words: index.query(text, **words), short[:40])  # type: ignore[misc]
    return {**found, "peak_mb": _peak()}


def recall(folder: Path, size: int) -> dict[str, Any]:
    """The part of the ten nearest passages that are found, by brute force over what ``records.db`` holds.

    And the part of a hybrid answer's ten trials that would be in it if the vector store were exact.
    """
    from trialindex_faiss.store import FaissStore

    short, _ = texts(100)
    with Index.open(folder) as index, index.snapshot() as records:
        asked = index.encoder.encode_queries(short)
        numbers, blocks = zip(*records.passages.vectors_since(0, asked.shape[1]), strict=True)
        ids, vectors = np.concatenate(numbers), np.concatenate(blocks)
        del blocks
        state = index._current()
        store = state.vectors
        found: dict[str, Any] = {}
        for name, words in FILTERS.items():
            allowed = Filters.parse(**words).allowed(records)
            permitted = None if allowed is None else state.passages_for(records, allowed)
            rows = np.arange(len(ids)) if permitted is None else np.searchsorted(ids, permitted)
            exact = _exact(asked, vectors, rows)
            for k in (10, 2000):
                got = store.search(asked, k, permitted)[1][:, :10]
                shared = [len(set(ids[rows[e]]) & set(g)) / len(e) for e, g in zip(exact, got.tolist(), strict=True)]
                found[f"{name}, k={k}"] = float(np.mean(shared))
            found[f"{name}, allowed"] = len(rows)
        before = [[hit.trial.id for hit in index.query(text).hits] for text in short[:50]]
        flat = FaissStore.create(asked.shape[1], "exact")
        flat.add(ids, vectors)
        del vectors
        index._current().vectors = flat
        after = [[hit.trial.id for hit in index.query(text).hits] for text in short[:50]]
        found["hybrid"] = float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(before, after, strict=True)]))
        single = [asked[n : n + 1] for n in range(len(asked))]
        found["flat"] = _times(lambda n: flat.search(single[int(n)], 10), [str(n) for n in range(40)])
        found["store"] = _times(lambda n: store.search(single[int(n)], 10), [str(n) for n in range(40)])
        found["store, k=2000"] = _times(lambda n: store.search(single[int(n)], 2000), [str(n) for n in range(40)])
    return found


def _exact(asked: np.ndarray, vectors: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """The ten best of these rows for each question."""
    best = np.full((len(asked), 0), 0, dtype=np.float32)
    at = np.full((len(asked), 0), 0, dtype=np.int64)
    for start in range(0, len(rows), 100_000):
        part = rows[start : start + 100_000]
        best = np.hstack([best, asked @ vectors[part].T])
        at = np.hstack([at, np.broadcast_to(np.arange(start, start + len(part)), (len(asked), len(part)))])
        chosen = np.argsort(-best, axis=1, kind="stable")[:, :10]
        best, at = np.take_along_axis(best, chosen, 1), np.take_along_axis(at, chosen, 1)
    return list(at)


def cold(folder: Path, size: int) -> dict[str, Any]:
    """A whole process for one question, as a user starts it; the files are in the system's cache."""
    short, _ = texts(12)
    seconds, memory = [], []
    for text in short:
        start = time.perf_counter()
        child = subprocess.Popen([PROGRAM, "query", text, "--index", str(folder)], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        seconds.append(time.perf_counter() - start)
        memory.append(used.ru_maxrss / 1024 * 1.048576)
        child.returncode = status
        assert status == 0
    whole = seconds[2:]
    return {"s": statistics.median(whole), "worst_s": max(whole), "mb": max(memory), "load": os.getloadavg()[0]}


def refresh(folder: Path, size: int) -> dict[str, Any]:
    """A thousand trials of a copy of the index change, twice; what takes time beyond the encoder."""
    copy = folder.with_name(f"{folder.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    encoder = Prepared()
    made = Trials(Model.kept(folder.parent), SEED)
    chance = random.Random(SEED)
    try:
        nights = []
        with Index.open(copy, encoder=encoder) as index:
            for day in (1, 2):
                changed = list(made.changed(sorted(chance.sample(range(size), 1000)), day))
                start = time.perf_counter()
                summary = index.ingest(Synthetic(iter(changed), 1000, encoder))
                nights.append(time.perf_counter() - start - summary.seconds_encoding)
                assert summary.changed > 990
            return {"s": nights[0], "second_s": nights[1], "peak_mb": _peak(), "load": os.getloadavg()[0]}
    finally:
        with suppress(OSError):
            shutil.rmtree(copy)


def fts5(folder: Path, size: int) -> dict[str, Any]:
    """SQLite's own word index over the same texts: the baseline of the word index."""
    import sqlite3

    from trialindex.trial.passages import lexical_fields

    path = folder.with_name(f"{folder.name}-fts5.db")
    path.unlink(missing_ok=True)
    short, notes = texts(40)
    start = time.perf_counter()
    try:
        with sqlite3.connect(path) as db, Index.open(folder) as index, index.snapshot() as records:
            db.execute("CREATE VIRTUAL TABLE words USING fts5(head, body, content='', tokenize='porter unicode61')")
            rows = ((num, *lexical_fields(trial).values()) for num, trial in records.changed_since(0))
            db.executemany("INSERT INTO words (rowid, head, body) VALUES (?, ?, ?)", rows)
            db.commit()
            taken = time.perf_counter() - start
            lexical = index._current().lexical

            def ask(text: str) -> object:
                wanted = " OR ".join(f'"{word}"' for word in dict.fromkeys(lexical.words(text)))
                sql = "SELECT rowid, bm25(words) FROM words WHERE words MATCH ? ORDER BY 2 LIMIT 1000"
                return db.execute(sql, (wanted,)).fetchall()

            ours = _times(lambda text: lexical.search(text, 1000), short)
            our_notes = _times(lambda text: lexical.search(text, 1000), notes[:15])
            theirs, their_notes = _times(ask, short[:15]), _times(ask, notes[:5])
        return {
            "build_s": taken,
            "bytes": path.stat().st_size / size,
            "short": theirs,
            "note": their_notes,
            "ours, short": ours,
            "ours, note": our_notes,
        }
    finally:
        path.unlink(missing_ok=True)


STAGES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    stage.__name__: stage for stage in (model, build, sizes, queries, recall, cold, refresh, fts5)
}

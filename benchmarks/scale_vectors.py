"""Are the made-up vectors like real ones, and which kind of index finds them best?

    python benchmarks/scale_vectors.py indexes/default

The index is one of real trials, as large as there is; its vectors are compared with as many made-up ones. Then several
kinds of FAISS index are tried on the real ones: what part of the nearest each finds, and how long it works for that.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scale_data import CHUNK, Model
from scale_stages import SEED, texts

from trialindex import Index
from trialindex_faiss.store import FaissStore

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

faiss: Any = import_module("faiss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path, help="an index of real trials")
    with Index.open(parser.parse_args().index) as index, index.snapshot() as records:
        asked = index.encoder.encode_queries(texts(200)[0])
        real = np.concatenate([vectors for _, vectors in records.passages.vectors_since(0, asked.shape[1])])
        model = Model.fitted(index.encoder, SEED)
    faiss.omp_set_num_threads(1)
    chunks = -(-len(real) // (3 * CHUNK))
    made = [model.vectors(CHUNK, np.random.default_rng([SEED, n]))[1].reshape(-1, real.shape[1]) for n in range(chunks)]
    print("| cosines | " + " | ".join(_LIKENESS) + " |\n| --- |" + " --- |" * len(_LIKENESS))
    for name, vectors in (("real", real), ("made up", np.concatenate(made)[: len(real)])):
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in _likeness(vectors, asked)) + " |")
    print(f"\n| {len(real):,} real vectors | CPU ms | of 10 | of 100 | of 1,000 |\n| --- | --- | --- | --- | --- |")
    _compare(real, asked)


_LIKENESS = (
    "of two by chance",
    "their deviation",
    "nearest",
    "10th",
    "100th",
    "nearest to a question",
    "10th",
    "100th",
    "1,000th",
    "variance in 10 directions",
    "in 50",
    "in 150",
)


def _likeness(vectors: Vectors, asked: Vectors) -> list[float]:
    """Medians of the cosines between vectors, and to questions; and how the variance is spread."""
    chance = np.random.default_rng(0)
    some = vectors[chance.choice(len(vectors), min(50_000, len(vectors)), replace=False)]
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(np.ascontiguousarray(some))
    pairs = (some[chance.integers(len(some), size=20_000)] * some[chance.integers(len(some), size=20_000)]).sum(axis=1)
    near = np.median(flat.search(some[:400], 101)[0], axis=0)
    found = np.median(flat.search(asked, 1000)[0], axis=0)
    spread = np.linalg.eigvalsh(np.cov(some.T))[::-1]
    shares = np.cumsum(spread) / spread.sum()
    cosines = [pairs.mean(), pairs.std(), near[1], near[10], near[100], found[0], found[9], found[99], found[999]]
    return [*map(float, cosines), float(shares[9]), float(shares[49]), float(shares[149])]


def _compare(vectors: Vectors, asked: Vectors) -> None:
    width = vectors.shape[1]
    flat = faiss.IndexFlatIP(width)
    flat.add(vectors)
    exact = flat.search(asked, 1000)[1]

    def told(name: str, search: Callable[[Vectors], Any]) -> None:
        taken = []
        for row in range(40):
            start = time.process_time()
            search(asked[row : row + 1])
            taken.append((time.process_time() - start) * 1000)
        found = search(asked)
        shares = [
            np.mean([len(set(e[:k]) & set(f[:k])) / k for e, f in zip(exact, found, strict=True)])
            for k in (10, 100, 1000)
        ]
        print(
            f"| {name} | {np.median(taken):.2f} | " + " | ".join(f"{share:.4f}" for share in shares) + " |", flush=True
        )

    told("flat, 32 bits", lambda q: flat.search(q, 1000)[1])
    half = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    half.train(vectors[:1000])
    half.add(vectors)
    told("flat, 16 bits", lambda q: half.search(q, 1000)[1])
    lists = 2 ** int(np.log2(2 * len(vectors) ** 0.5))
    inverted = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(width), width, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    chance = np.random.default_rng(0)
    inverted.train(vectors[chance.choice(len(vectors), min(len(vectors), 50 * lists), replace=False)])
    inverted.add(vectors)
    for probes in (lists // 64, lists // 16, lists // 8, lists // 4):
        inverted.nprobe = probes
        told(f"{lists} inverted lists, 8 bits, {probes} of them", lambda q: inverted.search(q, 1000)[1])
    store = FaissStore.create(width, "compact")
    for start in range(0, len(vectors), 20_000):
        store.add(np.arange(start, min(start + 20_000, len(vectors))), vectors[start : start + 20_000])
    told("this store, compact", lambda q: np.concatenate([store.search(q[n : n + 1], 1000)[1] for n in range(len(q))]))


if __name__ == "__main__":
    main()

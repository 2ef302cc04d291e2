"""How good answers are while an index is being built, by how fusion treats a trial that has no vectors yet.

    python benchmarks/unembedded.py COLLECTION INDEX [--embedded 0.5]

The vectors of trials chosen by chance are taken out of a copy of the index, and the collection is asked of it. Such a
trial counts in the rankings by meaning for what they have at its best *rank* by words, for their *mean*, or for what
their *last* trial has.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Collection as Items
from collections.abc import Mapping, Sequence
from pathlib import Path

from trialindex import Index
from trialindex.evaluation.collection import Collection, read_collection
from trialindex.evaluation.report import evaluate
from trialindex.evaluation.runs import ask
from trialindex.search import rankings
from trialindex.search.fusion import Ranking, fuse
from trialindex.trial.passages import passages

SEED = 5
Lists = Sequence[Mapping[int, float]]
Unrated = Sequence[Items[int] | None]


def last(lists: Lists, size: int, weights: Sequence[float], depth: int, unrated: Unrated = ()) -> Ranking:
    """Fuse as if every trial could have been in every ranking."""
    return fuse(lists, size, weights, depth, [None if one is None else () for one in unrated])


def mean(lists: Lists, size: int, weights: Sequence[float], depth: int, unrated: Unrated = ()) -> Ranking:
    """Fuse with the mean of a ranking, which is 0 standardised, for each trial that it could not rate."""
    found = last(lists, size, weights, depth, unrated).to_dict()
    for scores, weight, missing in zip(lists, weights, unrated, strict=True):
        least = last([scores], 0, [weight], depth, [()])
        for item in missing or ():
            if item in found and item not in scores and least:
                found[item] -= min(least.values())
    return Ranking.sorted(found)


FUSIONS = {"rank": fuse, "mean": mean, "last": last}


def take_vectors(index: Index, share: float) -> None:
    """Let all but this share of the trials wait for their vectors, as in an index that is being built."""
    trials = list(index.trials())
    waiting = random.Random(SEED).sample(trials, round(len(trials) * (1 - share)))
    ids = {trial.id for trial in waiting}
    kept = {passage.hash for trial in trials if trial.id not in ids for passage in passages(trial)}
    with index.writing() as (records, _):
        generation = records.generation + 1
        with records.transaction():
            records.passages.drop_vectors({p.hash for trial in waiting for p in passages(trial)} - kept)
            for trial in waiting:
                records.derive_again(trial, generation)
            records.set_generation(generation)


def show(name: str, collection: Collection, index: Index) -> None:
    measures = evaluate(collection, ask(index, collection)).measures
    print(f"{name:22}", *(f"{what} {measures[what]:.3f}" for what in ("nDCG@10", "RR", "R@100")), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("--embedded", type=float, default=0.5, help="the share of trials that keep their vectors")
    given = parser.parse_args()
    collection = read_collection(given.collection)
    with Index.open(given.index) as index:
        show("all embedded", collection, index)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(given.index, Path(folder) / "index"))
        with Index.open(copy) as index:
            take_vectors(index, given.embedded)
            for name, how in FUSIONS.items():
                rankings.fuse = how  # type: ignore[attr-defined]
                show(f"{given.embedded:.0%} embedded, {name}", collection, index)


if __name__ == "__main__":
    main()

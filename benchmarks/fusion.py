"""Choose the weights of the five rankings by cross-validation over topics.

    python benchmarks/fusion.py COLLECTION INDEX [--vary 0.5,1,2]

COLLECTION is a folder in the BEIR layout and INDEX an index of its documents (``trialindex eval COLLECTION --index
INDEX`` makes one). In each of five folds the weights that are best on the other four are measured on the fifth. Prints
what each fold chose, the cross-validated figures, and those of the weights in use.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
from pathlib import Path

import numpy as np

from trialindex import Index
from trialindex.search.filters import Filters
from trialindex.search.question import read_question
from trialindex.search.retrieval import rank
from trialindex.search.settings import RANKINGS

FOLDS, SEED, TOP = 5, 1, 1000
FIGURES = ("nDCG@10", "judged-only nDCG@10", "recall@100", "recall@1000")


def gains(run: list[str], known: dict[str, int]) -> float:
    """nDCG@10 with the grade as gain, as trec_eval has it."""
    found = sum(known.get(name, 0) / np.log2(place + 2) for place, name in enumerate(run[:10]))
    best = sum(grade / np.log2(place + 2) for place, grade in enumerate(sorted(known.values(), reverse=True)[:10]))
    return float(found / best) if best else 0.0


def figures(run: list[str], known: dict[str, int]) -> list[float]:
    relevant = {name for name, grade in known.items() if grade}
    recalls = [len(relevant & set(run[:depth])) / max(1, len(relevant)) for depth in (100, 1000)]
    return [gains(run, known), gains([name for name in run if name in known], known), *recalls]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("--vary", default="0.5,1,2", help="the weights that are tried for each ranking")
    options = parser.parse_args()

    queries = [json.loads(line) for line in (options.collection / "queries.jsonl").read_text("utf-8").splitlines()]
    grades: dict[str, dict[str, int]] = {}
    with (options.collection / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for query, name, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            grades.setdefault(query, {})[name] = int(grade)
    tried = [float(weight) for weight in options.vary.split(",")]
    grid = [dict(zip(RANKINGS, point, strict=True)) for point in itertools.product(tried, repeat=len(RANKINGS))]
    grid = [point for point in grid if point["lexical"] == 1.0]  # only their relations count
    table = np.zeros((len(grid) + 1, len(queries), len(FIGURES)))
    with Index.open(options.index) as index, index.searcher() as searcher:
        names = {stored.num: stored.trial.id for stored in searcher.records.all()}
        depth = searcher.settings.depth
        for at, query in enumerate(queries):
            question = read_question(searcher, query["text"], "hybrid", Filters())
            ranked = rank(question, searcher, depth)
            used = searcher.settings.weights(query["text"])
            for row, weights in enumerate([*grid, used]):
                scores = ranked.fused(weights, depth)
                run = [names[num] for num in sorted(scores, key=lambda num: (-scores[num], num))[:TOP]]
                table[row, at] = figures(run, grades[query["_id"]])
            print(f"\r{at + 1} of {len(queries)} topics", end="", flush=True)
    print()

    topics = list(range(len(queries)))
    random.Random(SEED).shuffle(topics)
    for label, chosen in (("nDCG@10", [0]), ("the mean of all four", [0, 1, 2, 3])):
        tested = np.zeros((len(queries), len(FIGURES)))
        print(f"Weights by {label}:")
        for fold in range(FOLDS):
            test = topics[fold::FOLDS]
            others = [topic for topic in topics if topic not in test]
            best = int(table[:-1][:, others][:, :, chosen].mean(axis=(1, 2)).argmax())
            tested[test] = table[best, test]
            print(f"  fold {fold + 1}: {', '.join(f'{name} {weight:g}' for name, weight in grid[best].items())}")
        print("  cross-validated:", ", ".join(f"{n} {v:.4f}" for n, v in zip(FIGURES, tested.mean(0), strict=True)))
    print("In use:", ", ".join(f"{n} {v:.4f}" for n, v in zip(FIGURES, table[-1].mean(0), strict=True)))


if __name__ == "__main__":
    main()

"""Fit the numbers of the closeness of hits, and say how reliable they are.

    python benchmarks/closeness.py NOTES NOTES_INDEX LAY LAY_INDEX [--source ctgov-file]

NOTES and LAY are collections in the BEIR layout, with indexes of their documents; illnesses are left out of LAY_INDEX
as in ``leave_one_out.py``, with trials of *source* alone. Of the notes only judged trials count; of the lay questions a
trial that is not listed is not relevant; without its illness no trial is. Every topic and every illness is in one of
five folds, and every collection counts the same; the reliability is that of the fold that was held out. Prints the
weights, fitted on all, for ``trialindex/search/closeness.py``.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from leave_one_out import Illnesses, without

from trialindex import Index
from trialindex.search.candidates import best_candidates
from trialindex.search.closeness import Assessor, Evidence, features
from trialindex.search.filters import Filters
from trialindex.search.question import read_question
from trialindex.search.retrieval import rank
from trialindex.search.searcher import Searcher

FOLDS, SEED, TOP, HITS, BINS = 5, 1, 20, 10, 10
"""Trials a topic of the collections, hits a question without its illness, bins of the diagram."""
RIDGE = 1.0


class Row(NamedTuple):
    """A trial in an answer.

    :param group: the topic or illness; all of one are in the same fold.
    """

    collection: str
    group: str
    evidence: Evidence
    relevant: bool


def found(searcher: Searcher, text: str, count: int) -> Iterator[tuple[int, str, Evidence]]:
    """Number, id and evidence of the first trials of an answer."""
    rankings = rank(read_question(searcher, text, "hybrid", Filters()), searcher, searcher.settings.depth)
    assessor = Assessor(rankings, searcher)
    for candidate in best_candidates(rankings, searcher, count):
        for stored in searcher.records.load([candidate.num]):
            yield candidate.num, stored.trial.id, assessor.evidence(candidate.num, stored.trial)


def judged(collection: Path, index_path: Path, *, complete: bool) -> Iterator[Row]:
    """The first trials of each topic; without *complete* those that were judged."""
    grades: dict[str, dict[str, int]] = {}
    with (collection / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for topic, name, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            grades.setdefault(topic, {})[name] = int(grade)
    with Index.open(index_path) as index, index.searcher() as searcher:
        for line in (collection / "queries.jsonl").read_text("utf-8").splitlines():
            query = json.loads(line)
            known = grades.get(query["_id"], {})
            group = query.get("metadata", {}).get("need", query["_id"])
            rows = found(searcher, query["text"], TOP if complete else 5 * TOP)
            chosen = ((name, evidence) for _, name, evidence in rows if complete or name in known)
            for name, evidence in islice(chosen, TOP):
                yield Row(collection.name, group, evidence, known.get(name, 0) > 0)


def left_out(index_path: Path, source: str) -> Iterator[Row]:
    with Index.open(index_path) as index, index.searcher() as searcher:
        illnesses = Illnesses(searcher, source)
        for case in illnesses.cases(1000):
            for label, here in (("present", illnesses.nums), ("absent", illnesses.nums - case.about)):
                for num, _, evidence in found(without(searcher, here), case.text, HITS):
                    yield Row(label, case.illness, evidence, num in case.about)


def fit(values: np.ndarray, relevant: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression by Newton's method; all but the first are drawn towards nothing.

    :param shares: what each row counts.
    """
    weights = np.zeros(values.shape[1])
    ridge = np.diag([1e-6, *[RIDGE] * (values.shape[1] - 1)])
    for _ in range(100):
        expected = predict(values, weights)
        gradient = values.T @ (shares * (relevant - expected)) - ridge @ weights
        step = np.linalg.solve((values.T * (shares * expected * (1 - expected))) @ values + ridge, gradient)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def predict(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    probabilities: np.ndarray = 1 / (1 + np.exp(-values @ weights))
    return probabilities


def diagram(probabilities: np.ndarray, relevant: np.ndarray, shares: np.ndarray) -> float:
    """Print the reliability diagram.

    :returns: the expected calibration error.
    """
    error = 0.0
    print("said          trials   mean   relevant")
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            said, was = (np.average(given[inside], weights=shares[inside]) for given in (probabilities, relevant))
            error += abs(said - was) * shares[inside].sum() / shares.sum()
            print(f"{number / BINS:.1f} to {(number + 1) / BINS:.1f} {inside.sum():10,} {said:6.2f} {was:10.2f}")
    return error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("notes", "notes_index", "lay", "lay_index"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--source", default="")
    options = parser.parse_args()
    rows = [
        *judged(options.notes, options.notes_index, complete=False),
        *judged(options.lay, options.lay_index, complete=True),
        *left_out(options.lay_index, options.source),
    ]
    values = np.array([list(features(row.evidence).values()) for row in rows])
    relevant = np.array([row.relevant for row in rows], dtype=float)
    collections = [row.collection for row in rows]
    counts = Counter(collections)
    shares = np.array([len(rows) / (len(counts) * counts[name]) for name in collections])
    groups = sorted({row.group for row in rows})
    folds = dict(zip(groups, np.random.default_rng(SEED).integers(0, FOLDS, len(groups)), strict=True))
    fold = np.array([folds[row.group] for row in rows])
    held_out = np.zeros(len(rows))
    for number in range(FOLDS):
        weights = fit(values[fold != number], relevant[fold != number], shares[fold != number])
        held_out[fold == number] = predict(values[fold == number], weights)
    print(f"expected calibration error, held out: {diagram(held_out, relevant, shares):.4f}")
    for collection in dict.fromkeys(row.collection for row in rows):
        inside = np.array([row.collection == collection for row in rows])
        print(f"{collection}: {inside.sum():,} trials, {relevant[inside].mean():.1%} relevant", end="; ")
        print(f"said {held_out[inside].mean():.3f} in the mean")
    for name, weight in zip(features(rows[0].evidence), fit(values, relevant, shares), strict=True):
        print(f'    "{name}": {weight:.2f},')


if __name__ == "__main__":
    main()

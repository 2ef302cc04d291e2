"""Fine-tune the default encoder on descriptions of patients, and compare it with the plain one.

    python benchmarks/encoder_training/train.py ../shared/data/bench/trec-ct-2021-101k MODEL OUT

MODEL is a sentence-transformers model (a folder, or a name of the hub), OUT a new folder for the tuned one. Pairs are
those of ``patients.jsonl`` (a note and a lay description, each with the title and summary of its trial) and, so that
the model forgets nothing, titles with summaries of other trials. Trials that the collection judges are in none of them.
Needs the extra ``sentence-transformers``. What came of it is in README.md beside this file.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 13


def corpus(folder: Path) -> Iterator[dict[str, str]]:
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def judgements(folder: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for query, trial, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            grades.setdefault(query, {})[trial] = int(grade)
    return grades


def about(trial: dict[str, str]) -> str:
    return f"{trial['title']}. {trial['text']}"


def pairs(trials: dict[str, dict[str, str]], judged: set[str], others: int) -> list[tuple[str, str]]:
    """What is asked, and what should be found."""
    rows = [json.loads(line) for line in (HERE / "patients.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not judged & {row["trial"] for row in rows}, "a judged trial is in patients.jsonl"
    found = [(row[kind], about(trials[row["trial"]])) for row in rows for kind in ("note", "lay")]
    rest = random.Random(SEED).sample(sorted(set(trials) - judged), others)
    return found + [(trials[name]["title"], trials[name]["text"]) for name in rest if trials[name]["text"]]


def train(model: Any, data: list[tuple[str, str]], *, epochs: int, batch: int, rate: float) -> None:
    """In-batch negatives: the softmax of a pair's cosine against those of all other texts in its batch, scale 20.

    Source: Henderson et al., *Efficient Natural Language Response Suggestion for Smart Reply*, 2017.
    """
    import torch

    torch.manual_seed(SEED)
    shuffle = random.Random(SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    steps = epochs * (len(data) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps, pct_start=0.1)
    model.train()
    begun, done = time.monotonic(), 0
    for _ in range(epochs):
        shuffle.shuffle(data)
        for start in range(0, len(data) - batch + 1, batch):
            asked, wanted = zip(*data[start : start + batch], strict=True)
            vectors = [
                torch.nn.functional.normalize(model(model.tokenize(list(texts)))["sentence_embedding"], dim=1)
                for texts in (asked, wanted)
            ]
            scores = 20 * vectors[0] @ vectors[1].T
            loss = torch.nn.functional.cross_entropy(scores, torch.arange(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            if done % 10 == 0:
                print(f"step {done} of {steps}, loss {loss.item():.3f}, {time.monotonic() - begun:.0f} s", flush=True)
    model.eval()


def evaluate(model: Any, folder: Path, sample: list[dict[str, str]]) -> np.ndarray:
    """nDCG@10 of each topic, title and summary as one passage, over *sample*."""
    grades = judgements(folder)
    names = [trial["_id"] for trial in sample]
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    found, asked = (
        np.asarray(model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False))
        for texts in ([about(trial) for trial in sample], [query["text"] for query in queries])
    )
    figures = []
    for query, vector in zip(queries, asked, strict=True):
        order = np.argsort(-found @ vector, kind="stable")[:10]
        known = grades[query["_id"]]
        gains = [known.get(names[at], 0) for at in order]
        best = sorted(known.values(), reverse=True)[:10]
        ideal = sum(gain / np.log2(rank + 2) for rank, gain in enumerate(best))
        figures.append(sum(gain / np.log2(rank + 2) for rank, gain in enumerate(gains)) / (ideal or 1))
    return np.array(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--others", type=int, default=1000, help="pairs of a title and a summary")
    parser.add_argument("--among", type=int, default=2000, help="trials of the rest to find the relevant ones among")
    options = parser.parse_args()

    import torch
    from scipy.stats import ttest_rel
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(SEED)
    trials = {trial["_id"]: trial for trial in corpus(options.collection)}
    grades = judgements(options.collection).values()
    judged = {name for known in grades for name in known}
    relevant = {name for known in grades for name, grade in known.items() if grade}
    rest = random.Random(SEED).sample(sorted(set(trials) - relevant), options.among)
    sample = [trials[name] for name in sorted({*relevant, *rest})]
    model = SentenceTransformer(options.model, device="cpu")
    plain = evaluate(model, options.collection, sample)
    print(f"{len(sample)} trials; plain: nDCG@10 {plain.mean():.4f}", flush=True)
    data = pairs(trials, judged, options.others)
    train(model, data, epochs=options.epochs, batch=options.batch, rate=options.rate)
    model.save(str(options.out))
    tuned = evaluate(model, options.collection, sample)
    print(
        f"tuned on {len(data)} pairs: nDCG@10 {tuned.mean():.4f}, paired t-test p {ttest_rel(tuned, plain).pvalue:.3f}"
    )


if __name__ == "__main__":
    main()

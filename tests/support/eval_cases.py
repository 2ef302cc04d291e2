"""A small test collection for the tests of ``trialindex eval``."""

from __future__ import annotations

import json
from pathlib import Path


def write_collection(folder: Path, *, corpus: bool = True) -> Path:
    """Three trials and two judged queries; the fake encoder and BM25 both find what shares words."""
    documents = [
        {"_id": "D-1", "title": "Kidney trial", "text": "Rituximab for lupus nephritis."},
        {"_id": "D-2", "title": "Breathing trial", "text": "Salbutamol for asthma at night.", "description": "Long."},
        {"_id": "D-3", "title": "Head trial", "text": "Oxygen for cluster headache."},
    ]
    (folder / "qrels").mkdir(parents=True)
    if corpus:
        lines = (json.dumps(document) for document in documents)
        (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "queries.jsonl").write_text(
        '{"_id": "1", "text": "lupus nephritis"}\n{"_id": "2", "text": "asthma at night"}\n', encoding="utf-8"
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n1\tD-1\t2\n1\tD-2\t0\n2\tD-2\t1\n", encoding="utf-8"
    )
    return folder


def file(tmp_path: Path, text: str, name: str = "file.txt") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path

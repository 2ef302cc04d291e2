"""The made-up trials of benchmarks/scale.py: the same from the same seed, varied, and taken in by an index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scale_data
import scale_report

from trialindex.index import Index
from trialindex.storage.lexical import Lexical
from trialindex.trial.passages import passages

DIMENSION = 384


@pytest.fixture(scope="module")
def made() -> scale_data.Trials:
    """Made-up trials drawn from made-up points."""
    rng = np.random.default_rng(1)
    points = rng.standard_normal((300, DIMENSION), dtype=np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    model = scale_data.Model.of(
        points,
        names=[(f"Illness {n}",) for n in range(300)],
        prose=["Adults with an illness take a tablet every day. Blood is drawn after a month.", "Tablets are white."],
        seed=1,
    )
    return scale_data.Trials(model, seed=1)


def test_the_same_seed_makes_the_same_trials_wherever_one_begins(made: scale_data.Trials) -> None:
    whole = list(made.drawn(0, 30))
    part = list(made.drawn(20, 30))
    assert [trial for trial, _ in part] == [trial for trial, _ in whole[20:]]
    assert np.array_equal(part[3][1], whole[23][1])
    across = list(made.drawn(scale_data.CHUNK - 1, scale_data.CHUNK + 1))
    assert [trial.id for trial, _ in across] == ["SYN00001999", "SYN00002000"]
    other = scale_data.Trials(made._model, seed=2)
    assert next(other.drawn(0, 1))[0] != whole[0][0]


def test_no_two_are_alike_and_each_passage_has_a_vector(made: scale_data.Trials) -> None:
    drawn = list(made.drawn(0, 400))
    assert len({trial.id for trial, _ in drawn}) == len({trial.summary for trial, _ in drawn}) == 400
    for trial, vectors in drawn:
        assert len(list(passages(trial))) == len(vectors) == 3
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    shares = {trial.status == "RECRUITING" for trial, _ in drawn}
    assert shares == {True, False}
    recruiting = np.mean([trial.status == "RECRUITING" for trial, _ in drawn])
    early = np.mean([trial.phases == ("EARLY_PHASE1",) for trial, _ in drawn])
    assert 0.4 < recruiting < 0.6
    assert 0.01 < early < 0.1


def test_a_change_changes_one_passage(made: scale_data.Trials) -> None:
    [(before, old)] = made.drawn(7, 8)
    [(after, new)] = made.changed([7], 1)
    [(later, _)] = made.changed([7], 2)
    assert after.id == before.id
    hashes = [[p.hash for p in passages(trial)] for trial in (before, after, later)]
    assert [a == b for a, b in zip(hashes[0], hashes[1], strict=True)] == [True, False, True]
    assert hashes[1] != hashes[2]
    assert (old[0] == new[0]).all()
    assert 0.5 < float(old[1] @ new[1]) < 0.999


def test_an_index_takes_them_in_and_answers(made: scale_data.Trials, tmp_path: Path) -> None:
    encoder = scale_data.Prepared()
    with Index.create(tmp_path / "index", encoder=encoder) as index:
        summary = index.ingest(scale_data.Synthetic(made.drawn(0, 60), 60, encoder))
        assert (summary.added, summary.rejected) == (60, [])
        assert index.check() == []
        changed = index.ingest(scale_data.Synthetic(made.changed([3, 4], 1), 2, encoder))
        assert (changed.added, changed.changed) == (0, 2)
        target, vectors = next(made.drawn(11, 12))
        found = index._current().vectors.search(vectors[1:2], 1)[1][0, 0]
        with index.snapshot() as records:
            owner, position = index._current().trials_of(records, np.array([found]))[0].tolist()
            assert (next(records.load([owner])).trial.id, position) == (target.id, 1)


def test_a_question_finds_made_up_trials_by_their_words(made: scale_data.Trials, tmp_path: Path) -> None:
    words = Lexical(tmp_path / "words")
    words.update([], ((n, trial) for n, (trial, _) in enumerate(made.drawn(0, 50), start=1)))
    target = next(made.drawn(20, 21))[0]
    assert words.search(target.interventions[0].name, 1).nums.tolist() == [21]


TEXTS = ("short", "note", "vector", "lexical", "short, 50 %", "short, 5 %", "short, 0.1 %")


def results() -> dict[str, Any]:
    """What a run would leave, of made-up figures."""
    spent = {"p50": 10.0, "p95": 20.0, "cpu": 9.0, "load": 0.5}
    shares = {f"{name}, k={k}": 0.99 for name in ("none", "50 %", "5 %", "0.1 %") for k in (10, 2000)}
    counts = {f"{name}, allowed": 100 for name in ("none", "50 %", "5 %", "0.1 %")}
    of_size = {
        "build": {"build_s": 100.0, "ingest_s": 80.0, "peak_mb": 500.0, "vectors": "auto: compact"},
        "sizes": {"passages": 3000, "bytes": 9000.0, "parts": {"records": 3000.0, "raw": 0.0, "embeddings": 3000.0}},
        "queries": dict.fromkeys(TEXTS, spent) | {"peak_mb": 300.0},
        "recall": {**shares, **counts, "hybrid": 0.98, "flat": spent, "store": spent, "store, k=2000": spent},
        "cold": {"s": 0.9, "worst_s": 1.0, "mb": 400.0, "load": 0.5},
        "refresh": {"s": 5.0, "second_s": 6.0, "peak_mb": 600.0, "load": 0.5},
        "fts5": {
            "build_s": 50.0,
            "bytes": 700.0,
            "short": spent,
            "note": spent,
            "ours, short": spent,
            "ours, note": spent,
        },
    }
    return {
        "machine": {"cores": 2, "python": "3.11", "processor": "a processor"},
        "encoding": {"ours": 60.0, "plain": None, "load": 0.5},
        "1000": of_size,
        "10000": json.loads(json.dumps(of_size)),
    }


def test_the_report_says_what_was_measured_and_what_was_missed(tmp_path: Path) -> None:
    found = results()
    found["10000"]["queries"]["short"]["p50"] = 77.7
    scale_report.write_report(found, tmp_path)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| 1,000 | 10,000 |" in page
    assert "77.7" in page
    assert "**missed**" in page
    assert "sentence-transformers was not at hand" in page
    plot = (tmp_path / "performance.svg").read_text(encoding="utf-8")
    assert plot.startswith("<svg")
    assert plot.count("<polyline") >= 4


def test_a_report_of_half_a_run_leaves_out_the_rest(tmp_path: Path) -> None:
    found = results()
    del found["1000"]["fts5"], found["10000"]["fts5"], found["1000"]["refresh"]
    scale_report.write_report(found, tmp_path)
    assert "not measured" in (tmp_path / "performance.md").read_text(encoding="utf-8")

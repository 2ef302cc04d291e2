"""``trialindex eval`` as it is typed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.eval_cases import file, write_collection
from support.helpers import CountingEncoder
from trialindex.cli import main
from trialindex.evaluation.corpus import Corpus
from trialindex.index import Index
from trialindex.plugin.interfaces import IngestContext
from trialindex.plugin.registry import Plugins
from trialindex.testing import sample_trials


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return write_collection(tmp_path / "mine")


class Terminal:
    """Types ``trialindex eval …`` and reads what comes back."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path, exits: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["eval", *map(str, words)])
        out, err = self._capsys.readouterr()
        assert stop.value.code == exits, err
        return out, err

    def fails(self, *words: str | Path, exits: int = 1) -> str:
        """The one line that says why."""
        out, err = self(*words, exits=exits)
        assert out == ""
        [line] = err.splitlines()
        return line.removeprefix("trialindex: ")


@pytest.fixture
def typed(registered: Plugins, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys)


def test_a_corpus_is_brought_into_a_named_index_once(typed: Terminal, collection: Path, tmp_path: Path) -> None:
    index = tmp_path / "new"
    out, err = typed(collection, "--index", index, "--encoder", "counting")
    lines = out.splitlines()
    assert lines[0] == "new-hybrid on mine: 2 queries, 3 judgements"
    assert ["nDCG@10", "1.0000"] in [line.split() for line in lines]
    assert lines[-1].startswith("latency of a page of 10: p50 ")
    assert err == ""
    encoded = len(CountingEncoder.texts)
    assert encoded >= 3
    files = {path: path.stat().st_mtime_ns for path in index.rglob("*") if path.is_file() and path.suffix == ".json"}
    again, _ = typed(collection, "--index", index)
    assert again.splitlines()[:-1] == lines[:-1]
    assert len(CountingEncoder.texts) == encoded
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_an_interrupted_build_goes_on(
    typed: Terminal, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Corpus.trials

    def interrupted(self: Corpus, context: IngestContext) -> Any:
        trials = whole(self, context)
        yield next(trials)
        yield next(trials)
        raise KeyboardInterrupt

    monkeypatch.setattr("trialindex.ingest.run.BATCH", 1)
    monkeypatch.setattr(Corpus, "trials", interrupted)
    index = tmp_path / "new"
    _, err = typed(collection, "--index", index, "--encoder", "counting", exits=130)
    assert "interrupted. With --index the same command goes on where it stopped." in err
    with Index.open(index) as begun:
        assert len(begun) == 1
    monkeypatch.setattr(Corpus, "trials", whole)
    typed(collection, "--index", index)
    with Index.open(index) as built:
        assert len(built) == 3


def test_without_a_name_the_index_is_temporary(
    typed: Terminal, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    out, err = typed(collection, "--encoder", "counting", "--mode", "lexical")
    assert "index-lexical on mine" in out
    assert "a temporary index is built" in err
    assert list(scratch.iterdir()) == []


def test_an_index_of_other_trials_is_not_written_to(typed: Terminal, collection: Path, index: Index) -> None:
    message = typed.fails(collection, "--index", index.folder)
    assert message.startswith(f"the index at {index.folder} holds none of the 2 judged documents, such as D-1.")
    assert len(index) == len(sample_trials())


def test_an_index_that_holds_the_documents_needs_no_corpus(typed: Terminal, index: Index, tmp_path: Path) -> None:
    mine = write_collection(tmp_path / "own", corpus=False)
    first = sample_trials()[0]
    (mine / "qrels" / "test.tsv").write_text(f"1\t{first.id}\t1\n", encoding="utf-8")
    out, err = typed(mine, "--index", index.folder)
    assert out.startswith("index-hybrid on own: 1 query, 1 judgement")
    assert err == "trialindex: 1 query without a judgement: left out.\n"
    assert "there is no index at" in typed.fails(mine, "--index", tmp_path / "nowhere")
    assert "own has no corpus.jsonl" in typed.fails(mine, "--encoder", "counting", exits=2)


@pytest.fixture
def built(typed: Terminal, collection: Path, tmp_path: Path) -> Path:
    typed(collection, "--index", tmp_path / "built", "--encoder", "counting")
    return tmp_path / "built"


def test_a_run_is_saved_measured_and_compared(typed: Terminal, collection: Path, built: Path, tmp_path: Path) -> None:
    run, report = tmp_path / "hybrid.run", tmp_path / "hybrid.json"
    out, err = typed(collection, "--index", built, "--save-run", run, "--output", report)
    assert f"written to {run}" in err
    measured, _ = typed(collection, "--run", run)
    assert measured.splitlines()[2:] == out.splitlines()[2:-2]  # without the latency
    for other in (run, report):
        compared, _ = typed(collection, "--index", built, "--mode", "lexical", "--compare", other)
        [row] = [line.split() for line in compared.splitlines() if line.startswith("nDCG@10 ")]
        assert row[4:] == ["1.0000", "-", "0", "0", "2"]
    worse = file(tmp_path, "1 Q0 D-2 1 1 x\n2 Q0 D-2 1 1 x\n")
    compared, _ = typed(collection, "--run", run, "--compare", worse)
    [row] = [line.split() for line in compared.splitlines() if line.startswith("nDCG@10 ")]
    assert row == ["nDCG@10", "1.0000", "0.5000", "+0.5000", "1.0000", "0.5000", "1", "0", "1"]
    assert "compared with file.txt" in compared


def test_figures_of_every_query(typed: Terminal, collection: Path, built: Path, tmp_path: Path) -> None:
    out, _ = typed(collection, "--index", built, "--per-query")
    assert [line.split()[0] for line in out.splitlines()[-3:]] == ["query", "1", "2"]
    assert out.splitlines()[-3].endswith("latency_ms")
    typed(collection, "--index", built, "--output", tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["query"], float(row["nDCG@10"])) for row in rows] == [("1", 1.0), ("2", 1.0)]
    assert float(rows[0]["latency_ms"]) > 0


def test_the_report_for_programs(typed: Terminal, collection: Path, built: Path, tmp_path: Path) -> None:
    out, _ = typed(collection, "--index", built, "--json", "--limit", "100")
    report = json.loads(out)
    assert report["queries"] == 2
    assert report["depth"] == 100
    assert report["measures"]["R@100"] == 1.0
    assert "R@500" not in report["measures"]
    assert report["latency_ms"].keys() == {"p50", "p95"}
    assert report["per_query"]["2"]["nDCG@10"] == 1.0
    other = file(tmp_path, json.dumps(report | {"per_query": {"7": report["per_query"]["1"]}}), "other.json")
    assert "is a report on other queries" in typed.fails(collection, "--index", built, "--compare", other)


def test_own_queries_and_judgements(typed: Terminal, collection: Path, built: Path, tmp_path: Path) -> None:
    queries = file(tmp_path, '{"_id": "mine", "text": "cluster headache"}\n', "own.jsonl")
    qrels = file(tmp_path, "mine 0 D-3 1\n", "own.txt")
    out, _ = typed(collection, "--index", built, "--queries", queries, "--qrels", qrels)
    assert out.startswith("built-hybrid on mine: 1 query, 1 judgement")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--run", "x", "--save-run", "y"], "leave --save-run out"),
        (["--run", "x", "--index", "y"], "leave --index out"),
        (["--run", "x", "--mode", "vector"], "leave --mode out"),
        (["--output", "figures.xlsx"], "ends neither in .csv nor in .json"),
        (["--limit", "1001"], "1001 is not in the range"),
    ],
)
def test_a_mistyped_command(words: list[str], message: str, typed: Terminal, collection: Path) -> None:
    assert message in typed.fails(collection, *words, exits=2)


def test_an_index_elsewhere_does_not_matter_to_a_run(
    typed: Terminal, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALINDEX_INDEX", str(tmp_path / "nowhere"))
    out, _ = typed(collection, "--run", file(tmp_path, "1 Q0 D-1 1 1 x\n"))
    assert "file.txt on mine: 2 queries, 3 judgements" in out


def test_the_extra_is_asked_for_before_anything_is_built(
    typed: Terminal, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = typed.fails(collection, "--index", tmp_path / "new")
    assert message == (
        'eval needs the package ir-measures, which is not installed. Type: pip install "trialindex[eval]"'
    )
    assert not (tmp_path / "new").exists()


def test_what_a_file_holds_cannot_steer_the_terminal(typed: Terminal, collection: Path, tmp_path: Path) -> None:
    escape = "\x1b[2Jq"
    qrels = file(tmp_path, f"{escape}\tD-1\t1\n", "own.txt")
    assert "\x1b" not in typed.fails(collection, "--qrels", qrels, "--run", tmp_path / "x")
    queries = file(tmp_path, json.dumps({"_id": escape, "text": "lupus"}), "own.jsonl")
    run = file(tmp_path, f"{escape}\tQ0\tD-1\t1\t1\tx\n")
    out, _ = typed(collection, "--qrels", qrels, "--queries", queries, "--run", run, "--per-query")
    assert "[2Jq" in out
    assert "\x1b" not in out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from trialindex.cli import cli; cli.main(['eval', '--help'], standalone_mode=False); "
        "print(*sys.modules)"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": paths}
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"numpy", "scipy", "ir_measures", "rich", "onnxruntime", "trialindex.index"}

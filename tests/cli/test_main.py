"""The command line as its users meet it: real encoder, real sample, one process a question where that matters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import trialindex.cli
from support.command import Run, run_command
from support.ctgov_server import study
from support.plugin_cases import FAKES, Site
from trialindex.plugin.registry import plugins
from trialindex.sample import sample_index


@pytest.fixture(autouse=True)
def no_index(sample_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user has no index, and the sample is built already."""
    plugins.cache_clear()
    monkeypatch.setattr(trialindex.cli.cli, "commands", {})  # which plugins add to
    monkeypatch.setenv("XDG_CACHE_HOME", str(sample_cache))
    monkeypatch.setattr("trialindex.cli.common.default_path", lambda: tmp_path / "default")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: its exit code, stdout and stderr."""
    return partial(run_command, capfd)


@pytest.fixture
def built(run: Run, tmp_path: Path) -> str:
    """The path of an index of two trials that were written by hand."""
    (tmp_path / "two.yaml").write_text(
        "- {id: A-1, title: Kidney study, conditions: [Lupus nephritis], status: recruiting, sex: female,\n"
        "   contacts: [{name: Jane Roe, phone: +1 555 0100, email: jane@example.org}]}\n"
        "- {id: A-2, title: Asthma study, conditions: [Asthma], minimum_age: 65}\n",
        encoding="utf-8",
    )
    path = str(tmp_path / "built")
    code, out, err = run("ingest", f"manual:{tmp_path / 'two.yaml'}", "--index", path)
    assert (code, err) == (0, "")
    assert "2 added" in out
    return path


def files_under(folder: str) -> dict[str, bytes]:
    """What the files of an index hold; SQLite's own scratch files are left out."""
    found = {str(p): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}
    return {name: data for name, data in found.items() if not name.endswith(("-wal", "-shm", ".lock"))}


# --- the main job ---------------------------------------------------------------------------------------------------


def test_without_an_index_the_sample_answers_and_says_so(run: Run) -> None:
    code, out, err = run("query", "severe lupus kidney")
    assert code == 0
    assert "bundled sample" in err
    assert "trialindex ingest ctgov" in err
    assert "NCT06676631" in out


def test_severe_lupus_kidney_puts_lupus_nephritis_first(run: Run) -> None:
    _, out, _ = run("query", "severe lupus kidney", "-f", "jsonl", "--limit", "5")
    hits = [json.loads(line) for line in out.splitlines()]
    assert "NCT06676631" in [hit["trial"]["id"] for hit in hits[:3]]
    for hit in hits:
        told = [hit["trial"].get(field) for field in ("title", "conditions", "normalized_conditions")]
        assert "nephritis" in str(told).lower()


def test_the_sample_spans_what_it_promises() -> None:
    with sample_index() as index:
        trials = list(index.trials())
    about = [f"{t.title} {t.conditions} {t.summary}".lower() for t in trials]
    immune = ("lupus", "kidney", "nephr", "vasculitis", "arthritis", "sjogren", "sjögren", "sclero", "myasthenia")
    assert len(trials) >= 200
    assert sum(any(word in text for word in immune) for text in about) >= 25
    assert {t.sex for t in trials} >= {"ALL", "FEMALE", "MALE"}
    assert {phase for t in trials for phase in t.phases} >= {
        "NA",
        "EARLY_PHASE1",
        "PHASE1",
        "PHASE2",
        "PHASE3",
        "PHASE4",
    }
    assert len({t.status for t in trials}) >= 8
    assert len({country for t in trials for country in t.countries}) >= 25
    assert all(t.as_of for t in trials), "the sample says of which dates its facts are"
    assert all(t.summary for t in trials)


def test_the_sample_says_what_a_reader_needs_to_know_first() -> None:
    with sample_index() as index:
        trials = list(index.trials())
    for stated, least in (
        (lambda t: t.status, 0.99),
        (lambda t: t.phases or t.study_type == "OBSERVATIONAL", 0.97),
        (lambda t: t.minimum_age is not None or t.maximum_age is not None, 0.9),
        (lambda t: t.sites, 0.88),
        (lambda t: t.enrollment is not None, 0.97),
    ):
        assert sum(map(bool, map(stated, trials))) >= least * len(trials)


def test_the_example_question_is_answered_with_open_trials(run: Run) -> None:
    _, out, _ = run("query", "severe lupus kidney", "-f", "jsonl")
    trials = [json.loads(line)["trial"] for line in out.splitlines()]
    assert all(trial.get("status") for trial in trials)
    assert [trial["status"] for trial in trials[:3]].count("RECRUITING") >= 2
    assert sum(trial["status"] == "RECRUITING" and bool(trial.get("sites")) for trial in trials) >= 3


def test_the_trial_the_project_began_with_is_as_it_was_given() -> None:
    with sample_index() as index:
        stored = index.stored("NCT06676631")
    trial = stored.trial
    assert (trial.phases, trial.enrollment, trial.minimum_age, trial.status) == (("PHASE1",), 18, 18.0, "RECRUITING")
    assert [i.name for i in trial.interventions] == ["NK010", "NK042", "Rituximab"]
    assert [(s.name, s.city, s.country) for s in trial.sites] == [
        ("Guangdong Provincial People's Hospital", "Guangzhou", "China")
    ]
    assert (trial.maximum_age, trial.sex, trial.masking, trial.primary_purpose) == (65.0, "ALL", "NONE", "TREATMENT")
    assert (trial.allocation, trial.intervention_model) == ("NA", "SINGLE_GROUP")
    assert (stored.seen["first_seen"], stored.seen["last_updated"]) == ("2026-06-27", "2025-05-29")


def test_a_question_can_come_from_standard_input(sample_cache: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "trialindex",
            "query",
            "-",
            "-f",
            "json",
            "--index",
            str(next(sample_cache.rglob("manifest.json")).parent),
        ],
        input="A 34 year old woman with lupus and failing kidneys. " * 400,
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["hits"][0]["fits"][0]["given"] == "34 years"
    assert "lupus" in json.dumps(answer["hits"][0]["trial"]).lower()


@pytest.mark.parametrize("name", ["table", "json", "jsonl", "csv", "markdown", "html"])
def test_contacts_are_masked_in_every_format_until_asked_for(name: str, run: Run, built: str) -> None:
    for command in (["query", "kidney"], ["show", "a-1"], ["list"], ["export"]):
        _, out, _ = run(*command, "--index", built, "-f", name)
        assert "Kidney study" in out
        assert "555 0100" not in out
        assert "jane@" not in out
    _, out, _ = run("show", "A-1", "--index", built, "-f", name, "--contacts")
    assert "555" in out


def test_the_ending_of_the_output_file_chooses_the_format(run: Run, built: str, tmp_path: Path) -> None:
    page = tmp_path / "answer.html"
    code, out, err = run("query", "kidney", "--index", built, "--output", str(page))
    assert (code, out) == (0, "")
    assert str(page) in err
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


def test_the_index_is_found_where_the_environment_says(run: Run, built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIALINDEX_INDEX", built)
    code, out, err = run("list", "-f", "jsonl")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 2


def test_an_index_is_listed_described_checked_and_emptied(run: Run, built: str) -> None:
    code, out, _ = run("check", "--index", built)
    assert (code, out.splitlines()[-1]) == (0, "The index is whole: 2 trials.")
    assert "Checked: " in out
    _, out, _ = run("info", "--json", "--index", built)
    info = json.loads(out)
    assert (info["trials"], info["manifest"]["encoder"]["spec"]) == (2, "minilm")
    assert "recruiting" in run("info", "--index", built)[1]
    assert run("remove", "A-1", "--yes", "--index", built)[:2] == (0, "Removed A-1.\n")
    assert "A-1" not in run("list", "--index", built)[1]


def test_remove_asks_first(run: Run, built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.confirm", lambda *a, **k: (_ for _ in ()).throw(__import__("click").Abort()))
    code, _, err = run("remove", "A-1", "--index", built)
    assert code == 130
    assert "Kidney study" in err
    assert "A-1" in run("list", "--index", built)[1]


def test_plugins_are_listed_with_what_they_bring(run: Run) -> None:
    code, out, _ = run("plugins")
    assert code == 0
    for word in ("source ctgov", "encoder minilm", "store faiss", "format html", "trialindex"):
        assert word in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(run: Run, shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "_TRIALINDEX_COMPLETE" in out


def test_values_complete() -> None:
    words = {"COMP_WORDS": "trialindex query --status re", "COMP_CWORD": "3", "_TRIALINDEX_COMPLETE": "bash_complete"}
    program = str(Path(sys.executable).parent / "trialindex")
    done = subprocess.run([program], env={**os.environ, **words}, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,recruiting"]


# --- bad input: one clear line, the documented exit code, nothing changed -------------------------------------------

MISTAKES = {
    "unknown command": (["querry"], 2, 'Did you mean "query"?'),
    "unknown option": (["query", "lupus", "--limt", "3"], 2, "--limit"),
    "wrong mode": (["query", "lupus", "--mode", "magic"], 2, "hybrid"),
    "no such page": (["query", "lupus", "--page", "0"], 2, "--page"),
    "empty query": (["query", "   "], 1, "the query is empty"),
    "no query": (["query"], 1, "the query is empty"),
    "unknown id": (["show", "NCT0667663"], 1, "Did you mean"),
    "unknown format": (["query", "lupus", "-f", "tabel"], 1, 'Did you mean "table"?'),
    "unknown status": (["query", "lupus", "--status", "recuiting"], 1, 'Did you mean "RECRUITING"?'),
    "unknown phase": (["query", "lupus", "--phase", "9"], 1, "PHASE3"),
    "unknown sex": (["query", "lupus", "--sex", "x"], 1, "FEMALE"),
    "unknown country": (["query", "lupus", "--country", "Chna"], 1, 'Did you mean "China"?'),
    "unknown study type": (["query", "lupus", "--study-type", "interventionl"], 1, 'Did you mean "INTERVENTIONAL"?'),
    "unknown source": (["query", "lupus", "--source", "manul"], 1, 'Did you mean "manual"?'),
    "unknown place": (["query", "lupus", "--near", "Lyonn"], 1, 'Did you mean "Lyon, France"?'),
    "no distance": (["query", "lupus", "--near", "Lyon", "--within", "far"], 1, "100km"),
    "distance from nowhere": (["query", "lupus", "--within", "5km"], 1, "--near"),
    "no age": (["query", "lupus", "--age", "old"], 1, "is not an age"),
    "no date": (["query", "lupus", "--updated-since", "soon"], 1, "is not a date"),
    "missing index": (["query", "lupus", "--index", "nowhere"], 1, "there is no index at nowhere"),
    "unknown ingest source": (["ingest", "ctgv:lupus"], 1, 'Did you mean "ctgov"?'),
    "missing file": (["ingest", "csv:nowhere.csv"], 1, "nowhere.csv"),
    "unknown encoder": (["ingest", "manual:x.yaml", "--encoder", "minilmm"], 1, 'Did you mean "minilm"?'),
    "unknown store": (["ingest", "manual:x.yaml", "--store", "fais"], 1, 'Did you mean "faiss"?'),
    "unwritable output": (["query", "lupus", "--output", "no/such/folder/x.html"], 1, "Name a file in a folder"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_line(mistake: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, code, words = MISTAKES[mistake]
    before = sorted(tmp_path.rglob("*"))
    got, out, err = run(*arguments)
    lines = [line for line in err.splitlines() if "bundled sample" not in line]
    assert (got, out) == (code, "")
    assert len(lines) == 1, lines
    assert lines[0].startswith("trialindex: ")
    assert words in lines[0]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda p: (p / "manifest.json").unlink(), "only half written or half copied"),
        (lambda p: (p / "manifest.json").write_text("{"), "cannot be read"),
        (lambda p: (p / "manifest.json").write_text('{"format": 99}'), "Upgrade"),
        (lambda p: (p / "records.db").unlink(), "no file records.db"),
        (lambda p: (p / "records.db").write_bytes(b"not a database at all" * 99), "damaged"),
    ],
    ids=["no manifest", "half a manifest", "newer format", "no database", "no database file"],
)
def test_a_damaged_index_is_one_clear_line(damage: Callable[[Path], object], words: str, run: Run, built: str) -> None:
    for name in ("records.db-wal", "records.db-shm"):
        (Path(built) / name).unlink(missing_ok=True)
    damage(Path(built))
    before = files_under(built)
    for command in (["query", "lupus"], ["ingest", "ctgov:lupus"], ["show", "A-1"], ["info"]):
        code, out, err = run(*command, "--index", built)
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1
        assert words in err
    assert files_under(built) == before


def test_an_empty_index_says_how_to_fill_it(run: Run, tmp_path: Path) -> None:
    from trialindex.index import Index

    Index.create(tmp_path / "empty").close()
    code, out, err = run("query", "lupus", "--index", str(tmp_path / "empty"))
    assert (code, out) == (1, "")
    assert "holds no trials" in err
    assert "trialindex ingest" in err


def test_another_encoder_is_refused_by_name(run: Run, built: str) -> None:
    manifest = Path(built) / "manifest.json"
    described = json.loads(manifest.read_text())
    described["encoder"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(described))
    code, _, err = run("query", "lupus", "--index", built)
    assert code == 1
    assert "was built with the encoder minilm (sha256 000000000000…" in err


def test_a_truncated_download_keeps_what_came_before(run: Run, tmp_path: Path) -> None:
    text = json.dumps([study(1), study(2)])
    (tmp_path / "cut.json").write_text(text[: len(text) - 200])
    code, _, err = run("ingest", f"ctgov-file:{tmp_path / 'cut.json'}", "--index", str(tmp_path / "ix"))
    assert code == 1
    assert "cut.json" in err
    assert "NCT00000001" in run("list", "--index", str(tmp_path / "ix"))[1]


def test_a_bad_row_is_named_by_its_line_and_counted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("NCT Number,Study Title\nNCT00000001,One\nNCT00000002,\nNCT00000003,Three\n")
    code, out, err = run("ingest", f"csv:{tmp_path / 't.csv'}", "--index", str(tmp_path / "ix"))
    assert code == 0
    assert "line 3" in err
    assert "2 added, 1 skipped" in out


# --- interruption ---------------------------------------------------------------------------------------------------


SLOW = """
    import os, time
    from trialindex.plugin.hookspecs import hookimpl
    from trialindex.plugin.interfaces import Source
    from trialindex.testing import sample_trials

    class Slow(Source):
        name = "slow"
        summary = "Invented trials, one after the other, from where it stopped."

        def trials(self, context):
            for number, trial in enumerate(sample_trials(60)):
                if number < context.state.get("done", 0):
                    continue
                if number == 6 and "HOLD" in os.environ:
                    time.sleep(600)
                yield trial
                context.checkpoint({"done": number + 1})

    @hookimpl
    def register_sources():
        return [Slow]
"""


def test_ctrl_c_keeps_what_was_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.install("fakes", FAKES)
    site.install("slow", SLOW)
    command = ("ingest", "slow", "--index", site.index, "--encoder", "fake", "--store", "brute-force")
    running = subprocess.Popen(
        [sys.executable, "-m", "trialindex", *command],
        env=site.environment | {"HOLD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # it may be ignored where tests run
    )
    while _stored(Path(site.index)) < 5 and running.poll() is None:  # the limit of the test ends this
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate()
    assert running.returncode == 130, err
    assert "Run the same command again to go on" in err
    kept = _stored(Path(site.index))
    assert 5 <= kept <= 6
    done = site.run(*command)
    assert f"{60 - kept} added" in done.out
    assert _stored(Path(site.index)) == 60


def _stored(index: Path) -> int:
    """How many trials the index holds, as another process sees it."""
    import sqlite3

    try:
        with sqlite3.connect(f"{(index / 'records.db').as_uri()}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


# --- start-up -------------------------------------------------------------------------------------------------------


def modules_of(*arguments: str) -> set[str]:
    """The modules that a command loads, in a process of its own, and the packages that they are of."""
    code = (
        "import sys, trialindex.cli, contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    trialindex.cli.main({list(arguments)!r})\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "onnxruntime", "tokenizers", "faiss", "tantivy", "rich", "httpx2", "yaml", "jinja2", "torch"}
    ours = {"logging", "msgspec", "trialindex.trial.record", "trialindex.search.filters", "trialindex.index"}
    assert not modules_of("--help") & (heavy | ours)


def test_a_query_loads_no_torch(sample_cache: Path) -> None:
    path = str(next(sample_cache.rglob("manifest.json")).parent)
    loaded = modules_of("query", "severe lupus kidney", "--index", path)
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "transformers", "sentence_transformers", "httpx2", "scipy", "sklearn", "yaml"}

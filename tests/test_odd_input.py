"""What is typed oddly, bytes that are none, and plugins that want to end the program: an answer or one clear error."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import trialindex_renderers
from support.command import run_command
from support.helpers import ListSource, execute, trial
from support.plugin_cases import plugin
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import IndexDamaged, NotifierError, PluginError, QueryError, SourceError, UnknownTrial
from trialindex.index import Index
from trialindex.page import build
from trialindex.plugin.interfaces import Concept, IngestContext, Renderer, Reranker, Source, Vocabulary
from trialindex.plugin.registry import Plugins
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.search.filters import Filters
from trialindex.testing import BruteForceStore, FakeEncoder, FakeWriter, sample_trials
from trialindex.trial import PartialDate, Trial, parse_values
from trialindex.trial.display import date
from trialindex.watching import Watches, baseline, watch_for
from trialindex.watching.delivery import notifier_config
from trialindex.watching.sweep import reconcile

ONE = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)
HALF = "\ud800"

# --- half of a surrogate pair ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hybrid", "vector", "lexical"])
def test_a_question_with_half_a_pair_is_answered(index: Index, mode: str) -> None:
    for text in (HALF, f"lupus{HALF} nephritis", "\udcff\udc80 lupus", "lupus \ud83d"):
        odd = index.query(text, mode=mode, explain=True)
        plain = index.query(re.sub("[\ud800-\udfff]", "\ufffd", text), mode=mode, explain=True)
        assert odd == plain
        assert msgspec.json.encode(odd)
    assert index.query(f"lupus{HALF}nephritis", mode="lexical").hits, "it parts words and takes none away"


@ONE
def test_filters_with_half_a_pair(index: Index) -> None:
    assert index.query("lupus", condition=f"lupus {HALF}").hits == ()
    for name in ("country", "near", "source", "status", "updated_since"):
        words: dict[str, Any] = {name: HALF}
        with pytest.raises(QueryError):
            index.query("lupus", **words)
    for field in ("status", "phase", "study_type", "condition"):
        fields: dict[str, Any] = {field: (f"{HALF}x",)}
        filters = Filters(**fields)
        assert index.query("lupus", filters=filters).hits == ()
        assert not list(index.trials(filters))
        assert "\ufffdx" in str(filters.words()).casefold()


@ONE
def test_an_id_with_half_a_pair_is_unknown(index: Index) -> None:
    assert HALF not in index
    for ask in (index.get, index.history, index.card, lambda one: index.remove([one])):
        with pytest.raises(UnknownTrial) as raised:
            ask(f"T-{HALF}")
        assert str(raised.value).encode()


@ONE
def test_a_watch_with_half_a_pair_is_kept(index: Index) -> None:
    with Watches(index.folder, create=True) as watches:
        watches.add(*baseline(index, watch_for(index, condition=f"lupus {HALF}", name=HALF)))
        watches.add(*baseline(index, watch_for(index, query=f"kidneys {HALF}", source=["list"], updated_since="2020")))
        assert [watch.subject for watch in watches.all()] == ["lupus \ufffd", "kidneys \ufffd"]
        assert watches.all()[0].name == "\ufffd"
    with pytest.raises(QueryError):
        watch_for(index, condition="lupus", country=[HALF])
    with pytest.raises(NotifierError, match="cannot be kept"):
        notifier_config("mailbox", {"colour": HALF})


@ONE
def test_a_source_whose_name_is_no_text_is_refused(new_index: Index) -> None:
    """What it delivered could not be found again, and another name could be another source's."""
    with pytest.raises(SourceError, match="no Unicode text") as raised:
        new_index.ingest(ListSource(trial(), spec=f"list:{HALF}"))
    assert str(raised.value).encode()
    assert len(new_index) == 0


@ONE
def test_the_command_line_answers_too(index: Index, registered: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    registered.register(trialindex_renderers, "renderers")
    where = ("--index", str(index.folder))
    code, out, _ = run_command(capsys, "query", f"lupus \udcff{HALF}", "--format", "json", *where)
    assert code == 0
    assert "lupus \\ufffd\\ufffd" in out or "lupus \ufffd\ufffd" in out
    assert run_command(capsys, "list", "--condition", HALF, *where)[0] == 0
    assert run_command(capsys, "watch", "add", "--condition", f"lupus{HALF}", "--name", HALF, *where)[0] == 0
    for arguments in (("show", HALF), ("query", "x", "--near", HALF), ("watch", "add", HALF), ("remove", HALF)):
        code, _, err = run_command(capsys, *arguments, *where)
        assert (code, err.count("\n")) == (1, 1)
        assert "UTF-8" not in err


# --- damaged bytes --------------------------------------------------------------------------------------------------


@ONE
@pytest.mark.parametrize("damage", ["'{'", "x'ff'", "x'22ff22'", "cast(x'22ff22' as text)", "5", "'[1]'"])
def test_what_is_kept_of_a_source_is_damaged(index: Index, damage: str) -> None:
    execute(index, f"UPDATE sources SET state = {damage}")
    with pytest.raises(IndexDamaged, match="where a source stopped") as raised:
        index.requests()
    assert "check --repair" in raised.value.hint
    execute(index, f"UPDATE sources SET state = '{{}}', request = {damage}")
    with pytest.raises(IndexDamaged, match="how to ask a source again") as raised:
        index.requests()
    assert str(index.folder) in str(raised.value)


def _tables(*statements: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    return make


_META = ("CREATE TABLE meta (key, value)", "INSERT INTO meta VALUES ('generation', 1)")
REPLACED: dict[str, Callable[[Path], Any]] = {
    "tables of a browser": _tables("CREATE TABLE moz_places (id, url)"),
    "a table of that name": _tables("CREATE TABLE meta (a, b)"),
    "only the first table": _tables(*_META),
    "a generation that is a text": _tables(_META[0], "INSERT INTO meta VALUES ('generation', 'one')"),
    "nothing": lambda path: path.write_bytes(b""),
    "a text": lambda path: path.write_text("trials " * 1000),
    "a folder": Path.mkdir,
}
ASKING = ("check", "info", "list", "export", "query lupus", "show T-1", "sync", "remove T-1", "check --repair")


@ONE
@pytest.mark.parametrize("sort", REPLACED)
def test_another_file_in_place_of_the_records_is_one_line(
    sort: str, index: Index, registered: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    registered.register(trialindex_renderers, "renderers")
    index.close()
    for old in index.folder.glob("records.db*"):
        old.unlink()
    REPLACED[sort](index.folder / "records.db")
    for command in ASKING:
        code, out, err = run_command(capsys, *command.split(), "--index", str(index.folder))
        assert (code, out) == (1, ""), command
        assert err.count("\n") == 1, err
        assert "records.db" in err
        assert re.search(r"Restore it from a copy|Copy the whole folder again", err), err


# --- digits of other scripts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["٢٠٢٤", "2024-٠5", "２０２４-05-17", "2024-05-1७"])
def test_a_date_that_is_kept_as_it_is_has_plain_digits(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, PartialDate)
    assert date(text) == text, "it is shown as it is, not read"
    with contextlib.suppress(ValueError):
        assert parse_values.normalise_date(text).isascii(), "what is read as a date is written as one"


@ONE
def test_a_record_with_such_a_date_is_rejected(new_index: Index) -> None:
    summary = new_index.ingest(ListSource(trial(1, last_updated={"date": "٢٠٢٤"}), trial(2)))
    assert [where for where, _ in summary.rejected] == ["T-1"]
    assert new_index.check() == [] or not list(new_index.check())


def test_an_id_of_a_registry_has_plain_digits(tmp_path: Path) -> None:
    from trialindex_csv.source import CsvSource
    from trialindex_ctgov.request import is_id

    assert not is_id("NCT0123456٧")
    path = tmp_path / "a.csv"
    path.write_text("NCT Number,Study Title\nNCT0123456٧,A title\nNCT01234568,Another\n", encoding="utf-8")
    odd, plain = CsvSource(str(path)).trials(IngestContext())
    assert (odd.id, odd.url) == ("NCT0123456٧", None), "kept, as an id that is no registry's"
    assert plain.url == "https://clinicaltrials.gov/study/NCT01234568"


# --- plugins that end the program -----------------------------------------------------------------------------------


class Leaving(Source):
    """Ends the program when it is made, read or swept."""

    name = "leaving"
    summary = "For tests."

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if argument == "made":
            raise SystemExit(3)

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield trial(1)
        raise SystemExit("good bye")

    def ids(self, context: IngestContext, held: Any) -> Iterator[str]:
        raise SystemExit


@ONE
def test_a_source_that_ends_the_program_does_not(new_index: Index, registered: Plugins) -> None:
    registered.register(plugin(register_sources=lambda: [Leaving]), "leaving")
    with pytest.raises(SourceError, match='the source "leaving" failed: SystemExit: good bye'):
        new_index.ingest("leaving:read")
    assert "T-1" in new_index, "what it gave before is kept"
    with pytest.raises(PluginError, match='the source "leaving" failed: SystemExit: 3'):
        new_index.ingest("leaving:made")
    with pytest.raises(SourceError, match='the source "leaving" failed: SystemExit'):
        reconcile(new_index, Leaving("read"))


@ONE
def test_an_interruption_still_interrupts(new_index: Index) -> None:
    """Who raised it cannot be told, and Ctrl-C has to work: it ends the run, with what was given before."""
    summary = new_index.ingest(ListSource(trial(1), KeyboardInterrupt()))
    assert summary.stopped == "interrupted"
    again = new_index.ingest(ListSource(trial(1), trial(2)))
    assert again.stopped == ""
    assert len(new_index) == 2


def leave(*_: Any, **__: Any) -> Any:
    raise SystemExit(3)


@ONE
def test_no_other_plugin_ends_the_program(
    index: Index,
    registered: Plugins,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    class Writer(FakeWriter):
        name = "leaving"

        def write(self, trial: Trial) -> PlainLanguage:
            leave()
            raise AssertionError

    class Rereads(Reranker):
        name = "leaving"
        summary = "For tests."

        def score(self, query: str, texts: Any) -> Any:
            leave()

    class Draws(Renderer):
        name = "leaving"
        summary = "For tests."

        results = trial = trials = leave

    class Undrawable(Draws):
        name = "undrawable"
        __init__ = leave

    class Words(Vocabulary):
        name = "leaving"
        summary = "For tests."
        version = "1"

        def concepts(self) -> Iterator[Concept]:
            leave()
            yield Concept("lupus")

    with pytest.raises(PluginError, match='the writer "leaving" failed: SystemExit'):
        build.card(sample_trials()[0], writer=Writer())
    with pytest.raises(PluginError, match='the reranker "leaving" failed: SystemExit'):
        index.query("lupus", reranker=Rereads())
    registered.register(plugin(register_renderers=lambda: [Draws, Undrawable]), "draws")
    for name in ("leaving", "undrawable"):
        code, _, err = run_command(capsys, "list", "--format", name, "--index", str(index.folder))
        assert (code, err.count("\n")) == (1, 1)
        assert "SystemExit" in err
    registered.register(plugin(register_vocabularies=lambda: [Words]), "words")
    with pytest.raises(PluginError, match='the vocabulary "leaving" failed: SystemExit'):
        ConceptRecognizer.load(registered)

    monkeypatch.setattr(FakeEncoder, "encode_queries", leave)
    with pytest.raises(Exception, match='the encoder "counting" failed: SystemExit'):
        index.query("lupus", mode="vector")
    monkeypatch.setattr(FakeEncoder, "verify", leave, raising=False)
    assert "SystemExit" in str(list(index.check()))

    monkeypatch.setattr(BruteForceStore, "load", leave)
    with Index.open(index.folder) as again, pytest.raises(IndexDamaged, match="SystemExit"):
        again.query("lupus")
    monkeypatch.setattr(BruteForceStore, "create", leave)
    with pytest.raises(PluginError, match='the store "brute-force" failed: SystemExit'):
        Index.create(tmp_path / "new", encoder="counting", store="brute-force")

"""One round: every source asked again, the watches told, word brought; whatever fails stops nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, execute, trial
from support.watching_cases import Mailbox, Registry, add_fakes, said
from trialindex.errors import IndexLocked, NotifierError, SourceError, WatchError
from trialindex.index import Index
from trialindex.ingest.request import Request
from trialindex.plugin.registry import Plugins
from trialindex.storage.lock import SYNC, write_lock
from trialindex.testing import BruteForceStore
from trialindex.watching import SyncResult, Watches, baseline, sync, watch_for
from trialindex.watching.delivery import notifier_config

pytestmark = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)


@pytest.fixture
def watches(new_index: Index, registered: Plugins) -> Iterator[Watches]:
    """A watch for lupus and a mailbox; nobody has ingested anything."""
    add_fakes(registered)
    with Watches(new_index.folder, create=True) as made:
        made.add(*baseline(new_index, watch_for(new_index, condition="lupus")))
        made.add_notifier(notifier_config("mailbox", {}))
        yield made


def problems(report: SyncResult) -> dict[str, str]:
    return {one.spec: one.problem for one in report.refreshed if one.problem}


def test_a_round(new_index: Index, watches: Watches) -> None:
    Registry.trials_now = [trial(1, conditions=("lupus",), status="RECRUITING")]
    new_index.ingest("registry:x", only=("a", "b"))
    report = sync(new_index, watches)
    assert said(report.updates) == [(1, "new", "T-1")], "what came by ingest, between two rounds, is told too"
    Registry.trials_now = [trial(1, conditions=("lupus",), status="COMPLETED"), trial(2, conditions=("SLE",))]
    told: list[Any] = []
    report = sync(new_index, watches, on_refreshed=told.append, on_updates=told.append)
    assert said(report.updates) == [(1, "new", "T-2"), (1, "changed", "T-1")], "studies that are new come first"
    assert told == [*report.refreshed, report.updates]
    [source] = report.refreshed
    assert source.summary is not None
    assert (source.spec, source.summary.added, source.summary.changed) == ("registry:x --only a --only b", 1, 1)
    assert not report.failed
    assert Registry.asked[-1] == {"argument": "x", "only": ["a", "b"], "state": {"runs": 2}}, "its state is its own"
    assert [said(got.updates) for got in Mailbox.got] == [[(1, "new", "T-1")], said(report.updates)]
    again = sync(new_index, watches)
    assert (again.updates, again.failed, len(Mailbox.got)) == ([], False, 2)


def test_options_for_one_run_and_secrets_are_not_asked_again(new_index: Index, watches: Watches) -> None:
    new_index.ingest("registry", full=True, password="hunter2", only=())
    assert Registry.asked[-1]["full"] is True
    sync(new_index, watches)
    assert Registry.asked[-1] == {"argument": "", "state": {"runs": 1}}
    assert "hunter2" not in str(execute(new_index, "SELECT * FROM sources"))


def test_an_option_that_only_says_how_to_read_is_remembered_too(
    new_index: Index, watches: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "trials.txt"
    file.write_text("A-1;Lupus\n", encoding="utf-8")
    monkeypatch.chdir(file.parent)
    new_index.ingest("lines:trials.txt", separator=";")
    file.write_text("A-1;Lupus\nA-2;Lupus two\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    report = sync(new_index, watches)
    assert not report.failed
    assert "A-2" in new_index, "it was found where it was when it was ingested"
    assert Path.cwd() == tmp_path
    kept = str(execute(new_index, "SELECT request FROM sources"))
    assert str(tmp_path) not in kept, "an index that is passed on does not say where its owner keeps things"


def test_a_file_that_is_gone_is_said_and_no_failure(
    new_index: Index, watches: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("trials.txt").write_text("A-1 Lupus\n", encoding="utf-8")
    new_index.ingest("lines:trials.txt")
    new_index.ingest("registry")
    Path("trials.txt").unlink()
    Registry.trials_now = [trial(1, conditions=("lupus",))]
    report = sync(new_index, watches)
    assert problems(report) == {"lines:trials.txt": "trials.txt cannot be read."}
    assert not report.failed
    assert said(report.updates) == [(1, "new", "T-1")]
    new_index.forget_request("lines:trials.txt")
    assert problems(sync(new_index, watches)) == {}
    Path("trials.txt").write_text("A-1 Lupus\nA-2 New\n", encoding="utf-8")
    new_index.ingest("lines:trials.txt")
    assert len(sync(new_index, watches).refreshed) == 2, "ingested again, it is asked again"


def test_a_source_that_fails_stops_no_other_and_is_told_of(new_index: Index, watches: Watches) -> None:
    new_index.ingest("registry:b")
    new_index.ingest("registry:a")
    Registry.down = "the registry\nis closed."
    report = sync(new_index, watches)
    assert problems(report) == {"registry:a": "the registry is closed.", "registry:b": "the registry is closed."}
    assert report.failed
    Registry.down = ""
    assert not sync(new_index, watches).failed


def test_a_plugin_that_is_gone_stops_no_other(new_index: Index, watches: Watches) -> None:
    new_index.ingest("registry:a")
    new_index.ingest(ListSource(), request=Request("vanished", "x"))
    report = sync(new_index, watches)
    assert problems(report)["list"].startswith('unknown source "vanished"')
    assert report.failed


def test_trials_given_by_hand_are_nothing_to_ask(new_index: Index, watches: Watches) -> None:
    new_index.ingest(ListSource(trial(1)))
    report = sync(new_index, watches)
    assert (report.refreshed, report.failed) == ([], False)


def test_a_source_that_was_asked_by_name_is_asked_on_when_given_by_hand_as_well(
    new_index: Index, watches: Watches
) -> None:
    new_index.ingest("registry:a")
    new_index.ingest(ListSource(spec="registry:a"))
    assert [one.spec for one in sync(new_index, watches).refreshed] == ["registry:a"]


def test_a_notifier_that_fails_makes_the_round_a_failure(new_index: Index, watches: Watches) -> None:
    new_index.ingest("registry")
    Registry.trials_now = [trial(1, conditions=("lupus",))]
    Mailbox.problem = NotifierError("no.")
    report = sync(new_index, watches)
    assert report.failed
    assert said(report.updates) == [(1, "new", "T-1")]
    assert sync(new_index, watches).failed is False, "not due yet"


def test_two_rounds_at_once_are_refused(new_index: Index, watches: Watches) -> None:
    with (
        write_lock(new_index.folder, name=SYNC, doing="syncing"),
        pytest.raises(IndexLocked, match=rf"\(number {os.getpid()}\) is syncing"),
    ):
        sync(new_index, watches)
    sync(new_index, watches)


def test_while_another_process_writes_the_watches_are_told_all_the_same(new_index: Index, watches: Watches) -> None:
    new_index.ingest("registry")
    new_index.ingest(ListSource(trial(1, conditions=("lupus",))))
    with write_lock(new_index.folder):
        report = sync(new_index, watches)
    assert "writing to" in problems(report)["registry"]
    assert said(report.updates) == [(1, "new", "T-1")]


def test_an_interruption_ends_the_round_and_loses_nothing(
    new_index: Index, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_index.ingest("registry:a")
    new_index.ingest("registry:b")
    Registry.trials_now = [trial(1, conditions=("lupus",))]

    def interrupted(self: Registry, context: Any) -> Any:
        yield trial(1, conditions=("lupus",))
        context.checkpoint({})
        yield trial(2, conditions=("lupus",))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "trials", interrupted)
        report = sync(new_index, watches)
    assert (report.stopped, len(report.refreshed), report.updates) == ("interrupted", 1, [])
    assert (1, "new", "T-1") in said(sync(new_index, watches).updates)


def test_an_index_opened_by_a_relative_path_is_asked_for_by_its_whole_one(
    new_index: Index, watches: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    new_index.ingest("registry")
    monkeypatch.chdir(tmp_path)
    with Index.open("index") as relative, pytest.raises(WatchError, match="whole path"):
        sync(relative, watches)


def test_a_request_with_what_cannot_be_written_down_is_not_kept(new_index: Index, watches: Watches) -> None:
    new_index.ingest("registry", only=(object(),))
    assert [request for spec, request in new_index.requests().items() if spec != "sample"] == [None]
    request = Request.create(new_index.plugins, "registry:a", {"only": Path("a/b")}, new_index.folder)
    assert request is not None
    assert request.options == {"only": "a/b"}
    with pytest.raises(TypeError):
        new_index.ingest(ListSource(), only=1)
    Registry.down = "closed."
    with pytest.raises(SourceError):
        new_index.ingest("registry")

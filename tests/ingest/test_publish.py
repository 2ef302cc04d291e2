"""An index answers while it is being built."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.helpers import ONE_STORE, ListSource, ids, trial
from trialindex.index import Index
from trialindex.ingest import run as ingest_module
from trialindex.plugin.interfaces import IngestContext
from trialindex.trial import Trial

pytestmark = ONE_STORE


class LongSource(ListSource):
    """Asks the index by a reader of its own, between the trials that it gives."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(*(trial(number, title=f"Walking study {number}") for number in range(count)))
        self._folder = folder
        self.answers: list[list[int]] = []

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        for one in super().trials(context):
            yield one
            with Index.open(self._folder) as reader:
                if len(reader):
                    modes = ("lexical", "vector", "hybrid")
                    self.answers.append([len(reader.query("walking", mode=mode, limit=99).hits) for mode in modes])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", 2)


def test_what_is_committed_is_found_before_the_end(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "FIRST_SECONDS", 0)
    monkeypatch.setattr(ingest_module, "PUBLISH_SECONDS", 0)
    monkeypatch.setattr(ingest_module, "PUBLISH_SHARE", 1e9)
    source = LongSource(new_index.folder, 8)
    new_index.ingest(source)
    assert source.answers == [[count] * 3 for count in (2, 2, 4, 4, 6, 6)]
    assert sorted(ids(new_index.query("walking", limit=99))) == sorted(ids(new_index.trials()))
    assert new_index.check() == []


def test_it_takes_a_small_part_of_the_time(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "FIRST_SECONDS", 0)
    monkeypatch.setattr(ingest_module, "PUBLISH_SECONDS", 0)
    monkeypatch.setattr(ingest_module, "PUBLISH_SHARE", 1e-9)  # once, and then not for days
    source = LongSource(new_index.folder, 8)
    new_index.ingest(source)
    assert {count for count, *_ in source.answers} == {2}
    assert len(new_index.query("walking", limit=99).hits) == 8


def test_a_short_run_does_it_once_at_the_end(new_index: Index) -> None:
    source = LongSource(new_index.folder, 6)
    new_index.ingest(source)
    assert {count for count, *_ in source.answers} == {0}
    assert len(new_index.query("walking", limit=99).hits) == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_between_leaves_an_index_that_answers(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "FIRST_SECONDS", 0)
    folder = new_index.folder
    new_index.close()
    child = os.fork()
    if not child:
        steps = [*(trial(number, title=f"Walking study {number}") for number in range(6))]

        class Killed(ListSource):
            def trials(self, context: IngestContext) -> Iterator[Trial]:
                yield from super().trials(context)
                os.kill(os.getpid(), signal.SIGKILL)

        with Index.open(folder) as index:
            index.ingest(Killed(*steps))
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with Index.open(folder) as again:
        assert len(again.query("walking", limit=99).hits) == len(again) == 4
        assert again.check() == []

"""An index answers while it is being built: by words as soon as trials are committed, by meaning as vectors come."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.helpers import ONE_STORE, CountingEncoder, ListSource, ids, ingest_unfinished, trial
from trialindex.index import Index
from trialindex.ingest import embedding
from trialindex.ingest import run as ingest_module
from trialindex.plugin.interfaces import IngestContext
from trialindex.trial import Trial

pytestmark = ONE_STORE

MODES = ("lexical", "vector", "hybrid")
DAYS = 1e9
"""Seconds: not in this test."""


def walking(count: int) -> list[Trial]:
    return [trial(number, title=f"Walking study {number}") for number in range(count)]


def found_by(folder: Path) -> list[int]:
    """How many trials a reader of its own finds in each mode."""
    with Index.open(folder) as reader:
        return [len(reader.query("walking", mode=mode, limit=99).hits) if len(reader) else 0 for mode in MODES]


class LongSource(ListSource):
    """Asks the index by a reader of its own after each trial that it gives."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(*walking(count))
        self._folder = folder
        self.answers: list[list[int]] = []

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        for one in super().trials(context):
            yield one
            self.answers.append(found_by(self._folder))


@pytest.fixture
def answers(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What a reader finds each time that the encoder is asked."""
    seen: list[list[int]] = []
    encode = CountingEncoder.encode_documents

    def asked(self: CountingEncoder, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Any:
        seen.append(found_by(new_index.folder))
        return encode(self, texts, progress)

    monkeypatch.setattr(CountingEncoder, "encode_documents", asked)
    return seen


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", 2)
    monkeypatch.setattr(embedding, "CHUNK", 2)
    publish(monkeypatch, first=DAYS, then=DAYS)


def publish(monkeypatch: pytest.MonkeyPatch, *, first: float, then: float, share: float = 1e9) -> None:
    """Let what is committed be made searchable after so many seconds, whatever that takes."""
    monkeypatch.setattr(ingest_module, "FIRST_SECONDS", first)
    monkeypatch.setattr(ingest_module, "PUBLISH_SECONDS", then)
    monkeypatch.setattr(ingest_module, "PUBLISH_SHARE", share)
    monkeypatch.setattr(ingest_module, "READING_SHARE", share)


def test_words_are_found_before_the_end_and_vectors_as_they_come(
    new_index: Index, answers: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, first=0, then=0)
    source = LongSource(new_index.folder, 8)
    new_index.ingest(source)
    assert source.answers == [[count, 0, count] for count in (0, 0, 2, 2, 4, 4, 6, 6)]
    assert answers == [[8, count, 8] for count in (0, 2, 4, 6)]
    assert found_by(new_index.folder) == [8, 8, 8]
    assert new_index.check() == []


def test_it_takes_a_small_part_of_the_time(
    new_index: Index, answers: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, first=0, then=0, share=1e-9)  # once, and then not for days
    source = LongSource(new_index.folder, 8)
    new_index.ingest(source)
    assert {tuple(found) for found in source.answers} == {(0, 0, 0), (2, 0, 2)}
    assert {tuple(found) for found in answers} == {(2, 0, 2)}
    assert found_by(new_index.folder) == [8, 8, 8]


def test_a_short_run_does_it_once_at_the_end(new_index: Index, answers: list[list[int]]) -> None:
    new_index.ingest(ListSource(*walking(6)))
    assert {tuple(found) for found in answers} == {(0, 0, 0)}
    assert found_by(new_index.folder) == [6, 6, 6]


def test_an_index_that_answers_already_can_wait_longer(
    new_index: Index, answers: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_index.ingest(ListSource(trial(99, title="Walking before")))
    answers.clear()
    publish(monkeypatch, first=0, then=DAYS)
    new_index.ingest(ListSource(*walking(4)))
    assert {tuple(found) for found in answers} == {(1, 1, 1)}


def test_trials_that_people_can_join_are_embedded_first(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "WINDOW", 1)
    statuses = ("COMPLETED", "RECRUITING", None, "NOT_YET_RECRUITING", "WITHDRAWN", "AVAILABLE")
    new_index.ingest(ListSource(*(trial(n, title=f"{n}", status=status) for n, status in enumerate(statuses))))
    assert CountingEncoder.texts == ["1.", "5.", "3.", "2.", "0.", "4."]


def test_one_that_opens_meanwhile_is_embedded_before_the_others(
    new_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "WINDOW", 1)
    closed = [trial(n, title=f"{n}", status="COMPLETED") for n in range(3)]
    ingest_unfinished(new_index, *closed)
    new_index.ingest(ListSource(msgspec.structs.replace(closed[2], status="RECRUITING")))
    assert CountingEncoder.texts == ["2.", "0.", "1."]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("texts", [0, 1, 3])
def test_a_kill_leaves_an_index_that_answers_with_what_was_committed(
    new_index: Index, texts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the source, and between two commits of vectors."""
    publish(monkeypatch, first=0, then=0)
    folder = new_index.folder
    new_index.close()
    child = os.fork()
    if not child:
        encode = CountingEncoder.encode_documents

        def killed(self: CountingEncoder, given: Sequence[str], progress: Any = None) -> Any:
            if len(CountingEncoder.texts) >= texts:
                os.kill(os.getpid(), signal.SIGKILL)
            return encode(self, given, progress)

        CountingEncoder.encode_documents = killed  # type: ignore[method-assign, assignment]
        with Index.open(folder) as index:
            index.ingest(ListSource(*walking(6)))
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    embedded = 2 * -(-texts // 2)
    assert found_by(folder) == [6, embedded, 6]
    with Index.open(folder) as again:
        assert (again.check(), again.info().unembedded) == ([], 6 - embedded)
        again.ingest(ListSource())
        assert (again.check(), again.info().unembedded) == ([], 0)
        assert ids(again.query("walking", mode="vector", limit=99))
    assert found_by(folder) == [6, 6, 6]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_while_the_source_is_read_leaves_the_batches_before(
    new_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, first=0, then=DAYS)
    folder = new_index.folder
    new_index.close()
    child = os.fork()
    if not child:

        class Killed(ListSource):
            def trials(self, context: IngestContext) -> Iterator[Trial]:
                yield from super().trials(context)
                os.kill(os.getpid(), signal.SIGKILL)

        with Index.open(folder) as index:
            index.ingest(Killed(*walking(6)))
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with Index.open(folder) as again:
        assert sorted(ids(again.query("walking", limit=99))) == sorted(ids(again.trials()))
        assert (len(again), again.info().unembedded, again.check()) == (4, 4, [])

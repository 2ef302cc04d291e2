"""Readers and a writer at once: answers are of whole states."""

from __future__ import annotations

import threading
from itertools import count
from typing import Any

import pytest

from support.helpers import ONE_STORE, ListSource, ids, ids_by_mode, no_space, trial
from trialindex.index import Index
from trialindex.ingest import run as ingest_module
from trialindex.search.filters import Filters
from trialindex.storage import derived

# --- readers and a writer ---------------------------------------------------------------------------------------------


def test_a_reader_sees_whole_states_while_another_writes(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ingest changes the status of all trials at once: no answer may mix two of them."""
    monkeypatch.setattr(ingest_module, "BATCH", 1000)

    def version(number: int) -> ListSource:
        return ListSource(
            *(trial(n, title=f"Lupus {number}", status=("RECRUITING", "COMPLETED")[number % 2]) for n in range(8))
        )

    new_index.ingest(version(0))
    done = threading.Event()
    failures: list[str] = []
    answers = [0]

    def read() -> None:
        with Index.open(new_index.folder) as reader:
            while not done.is_set():
                for mode in ("hybrid", "vector", "lexical"):
                    found = reader.query("lupus", mode=mode)
                    titles = {hit.trial.title for hit in found.hits}
                    if len(found.hits) != 8 or len(titles) != 1:
                        failures.append(f"{mode}: {len(found.hits)} hits of {titles}")
                open_now = reader.query("lupus", status="recruiting")
                if len(open_now.hits) not in (0, 8) or any(h.trial.status != "RECRUITING" for h in open_now.hits):
                    failures.append(f"recruiting: {[h.trial.status for h in open_now.hits]}")
                answers[0] += 1

    def guarded() -> None:
        try:
            read()
        except Exception as problem:  # noqa: BLE001  told by the main thread
            failures.append(repr(problem))

    readers = [threading.Thread(target=guarded) for _ in range(2)]
    for thread in readers:
        thread.start()
    for number in count(1):
        new_index.ingest(version(number))
        if failures or (number >= 6 and answers[0] > 2):  # on a busy machine answers come late
            break
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []


def test_a_changed_trial_is_found_while_the_ingest_goes_on(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two commits of a long ingest the derived state is behind, and no trial may be missing for it."""
    monkeypatch.setattr(ingest_module, "BATCH", 1)
    new_index.ingest(ListSource(*(trial(n, title=f"Lupus {n}", summary="Old.", status="RECRUITING") for n in range(4))))

    class Looking(ListSource):
        def trials(self, context: Any) -> Any:
            for n in range(4):
                yield trial(n, title=f"Lupus again {n}", summary="New.", status="RECRUITING")
            with Index.open(new_index.folder) as reader:
                for mode in ("hybrid", "vector", "lexical"):
                    for filters in (Filters(), Filters(status=("RECRUITING",))):
                        found = reader.query("lupus", mode=mode, filters=filters)
                        assert len(found.hits) == 4
                        assert "being updated" in found.notes[0]
                        assert all(hit.match for hit in found.hits)

    new_index.ingest(Looking())
    assert new_index.query("lupus").notes == ()


def test_a_filter_sees_each_commit_of_an_ingest(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a filter left before is not asked again where the records have changed since."""
    monkeypatch.setattr(ingest_module, "BATCH", 1)
    new_index.ingest(ListSource(*(trial(n, title=f"Lupus {n}", status="RECRUITING") for n in range(3))))
    recruiting = Filters(status=("RECRUITING",))
    found = []

    class Looking(ListSource):
        def trials(self, context: Any) -> Any:
            with Index.open(new_index.folder) as reader:
                found.append(ids(reader.query("lupus", filters=recruiting)))
                for n in range(2):
                    yield trial(n, title=f"Lupus {n}", status="COMPLETED")
                found.append(ids(reader.query("lupus", filters=recruiting)))

    new_index.ingest(Looking())
    assert [sorted(each) for each in found] == [["T-0", "T-1", "T-2"], ["T-1", "T-2"]]


def test_a_removed_trial_is_gone_at_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(derived, "catch_up", no_space)
        with pytest.raises(OSError, match="No space"):
            index.remove(["EX-0009"])
        patch.setattr(derived, "catch_up", lambda *a, **k: False)
        assert all("EX-0009" not in found for found in ids_by_mode(index))
    assert all("EX-0009" not in found for found in ids_by_mode(index))
    assert index.check() == []


def test_a_check_says_nothing_wrong_of_an_index_that_is_being_written(index: Index) -> None:
    from trialindex.errors import IndexLocked

    class Checking(ListSource):
        def trials(self, context: Any) -> Any:
            with Index.open(index.folder) as other, pytest.raises(IndexLocked):
                other.check()
            yield trial(1)

    index.ingest(Checking())


@ONE_STORE
def test_threads_may_share_an_index(index: Index) -> None:
    expected = ids_by_mode(index)
    failures: list[Any] = []

    def ask() -> None:
        try:
            for _ in range(3):
                assert ids_by_mode(index) == expected
                assert len(list(index.trials())) == 12
                assert index.get("EX-0002").id == "EX-0002"
        except BaseException as problem:  # noqa: BLE001  told by the main thread
            failures.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

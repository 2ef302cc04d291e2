"""What is derived follows the records, whatever happens to either; readers see whole states."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import ONE_STORE, ListSource, execute, ids, records_of, trial
from trialindex import ingest as ingest_module
from trialindex.errors import IndexDamaged, StorageError
from trialindex.index import Index
from trialindex.storage import derived, files
from trialindex.storage.records import fold
from trialindex.testing import sample_trials


def states(index: Index) -> list[str]:
    return sorted(path.name for path in (index.folder / "derived").iterdir())


def everything(index: Index, text: str = "lupus") -> list[list[str]]:
    """What every mode answers, in order."""
    return [ids(index.query(text, mode=mode, limit=99)) for mode in ("hybrid", "vector", "lexical")]


@pytest.fixture
def behind(index: Index, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index that was killed between the commit of an ingest and the derived state of it."""
    with monkeypatch.context() as patch:
        patch.setattr(derived, "catch_up", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            index.ingest(ListSource(trial(1, title="Lupus of the pancreas"), sample_trials()[0]))
    assert (states(index), records_of(index).generation) == (["1"], 2)
    index.close()
    return index


# --- catching up --------------------------------------------------------------------------------------------------------


def test_a_kill_between_commit_and_publication_costs_nothing(behind: Index) -> None:
    with Index.open(behind.folder) as index:
        answer = index.query("lupus kidney", limit=99)
        assert len(answer.hits) == answer.total == 13
        assert answer.generation == 2
        assert answer.notes == ()
        assert ids(index.query("lupus pancreas", mode="lexical"))[0] == "T-1"
        assert (states(index), index.check()) == (["2"], [])


def test_where_it_cannot_catch_up_the_last_state_answers_and_says_so(
    behind: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(derived, "sync_tree", full)
    with Index.open(behind.folder) as index:
        answer = index.query("lupus kidney", limit=99)
        assert (len(answer.hits), answer.generation) == (12, 1)
        assert "being updated" in answer.notes[0]
    assert states(behind) == ["1"]


def test_what_a_killed_writer_left_lying_is_cleared_away(behind: Index) -> None:
    for name in (".new-killed", ".old-1"):
        (behind.folder / "derived" / name / "vectors").mkdir(parents=True)
    with Index.open(behind.folder) as index:
        index.query("lupus")
        assert states(index) == ["2"]


def _delete(folder: Path) -> None:
    shutil.rmtree(folder)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _no_vectors(folder: Path) -> None:
    shutil.rmtree(folder / "1" / "vectors")


def _no_words(folder: Path) -> None:
    shutil.rmtree(folder / "1" / "lexical")


def _garbled_vectors(folder: Path) -> None:
    for path in (folder / "1" / "vectors").iterdir():
        path.write_bytes(b"garbage")


def _garbled_words(folder: Path) -> None:
    (folder / "1" / "lexical" / "meta.json").write_bytes(b"{")


def _truncated_words(folder: Path) -> None:
    path = next((folder / "1" / "lexical").glob("*.term"))
    path.write_bytes(path.read_bytes()[:20])


DAMAGES = [_no_vectors, _no_words, _garbled_vectors, _garbled_words, _truncated_words]


@pytest.mark.parametrize("gone", [_delete, _empty])
def test_a_missing_derived_folder_is_made_again(index: Index, gone: Callable[[Path], None]) -> None:
    answers = everything(index)
    index.close()
    gone(index.folder / "derived")
    with Index.open(index.folder) as again:
        assert everything(again) == answers
        assert again.check() == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_derived_state_is_reported_and_repaired(index: Index, damage: Callable[[Path], None]) -> None:
    answers = everything(index)
    index.close()
    damage(index.folder / "derived")
    with Index.open(index.folder) as again:
        with pytest.raises(IndexDamaged, match="trialindex check --repair") as raised:
            again.query("lupus")
        assert "\n" not in str(raised.value)
        found = again.check(repair=True)
        assert [f.kind for f in found] == ["derived"]
        assert found[0].repaired
        assert again.check() == []
        assert everything(again) == answers


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_that_lags_is_made_anew(behind: Index, damage: Callable[[Path], None]) -> None:
    damage(behind.folder / "derived")
    with Index.open(behind.folder) as index:
        assert len(index.query("lupus", limit=99).hits) == 13
        assert index.check() == []


def test_an_ingest_over_a_damaged_state_makes_it_anew(index: Index) -> None:
    _garbled_vectors(index.folder / "derived")
    assert index.ingest(ListSource(trial(1))).added == 1
    assert index.check() == []
    assert len(index.query("lupus", limit=99).hits) == 13


def test_records_restored_from_an_older_copy_win(index: Index, tmp_path: Path) -> None:
    """The derived state is of a generation that the records have yet to reach, with other trials."""
    shutil.copy(index.folder / "records.db", tmp_path / "older.db")
    index.ingest(ListSource(trial(1, title="Lost")))
    index.close()
    for leftover in index.folder.glob("records.db*"):
        leftover.unlink()
    shutil.copy(tmp_path / "older.db", index.folder / "records.db")
    with Index.open(index.folder) as older:
        older.ingest(ListSource(trial(2, title="Found")))
        assert older.check() == []
        assert ids(older.query("found", mode="lexical")) == ["T-2"]
        assert ids(older.query("lost", mode="lexical")) == []


def test_a_small_change_does_what_a_rebuild_would(index: Index) -> None:
    index.ingest(ListSource(trial(1, title="Lupus"), trial(2, title="Lupus nephritis")))
    index.remove(["EX-0003", "T-1"])
    index.ingest(ListSource(trial(2, title="Gout"), trial(1, title="Lupus")))
    answers = everything(index), everything(index, "gout")
    shutil.rmtree(index.folder / "derived")
    with Index.open(index.folder) as again:
        assert [sorted(found) for found in everything(again)] == [sorted(found) for found in answers[0]]
        assert everything(again)[1] == answers[0][1]
        assert everything(again, "gout")[2] == answers[1][2] == ["T-2"]
        assert again.check() == []


# --- a full disk --------------------------------------------------------------------------------------------------------


def _no_space(*args: Any, **kwargs: Any) -> None:
    raise OSError(28, "No space left on device")


def _tantivy_full(*args: Any, **kwargs: Any) -> None:
    raise ValueError("An IO error occurred: 'No space left on device (os error 28)'")


class _FullWriter:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return _tantivy_full if name == "commit" else getattr(self._writer, name)


@pytest.mark.parametrize("where", ["sync_tree", "store", "words", "rename", "mkdtemp", "lock"])
def test_a_full_disk_leaves_an_index_that_answers_as_before(
    index: Index, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = everything(index)
    with monkeypatch.context() as patch:
        if where == "sync_tree":
            patch.setattr(derived, "sync_tree", _no_space)
        elif where == "store":
            patch.setattr(index._store, "save", _no_space)
        elif where == "words":
            from trialindex.storage.lexical import Lexical

            opened = Lexical._open

            def with_full_writer(self: Any, folder: Path) -> None:
                opened(self, folder)
                whole = self._index
                self._index = type(
                    "Full",
                    (),
                    {
                        "writer": lambda _, **k: _FullWriter(whole.writer(**k)),
                        "__getattr__": lambda _, name: getattr(whole, name),
                    },
                )()

            patch.setattr(Lexical, "_open", with_full_writer)
        elif where == "rename":
            patch.setattr(Path, "rename", _no_space)
        elif where == "mkdtemp":
            patch.setattr("tempfile.mkdtemp", _no_space)
        else:
            patch.setattr(Path, "write_text", _no_space)
        with pytest.raises(StorageError, match="the disk is full"):
            index.ingest(ListSource(trial(1, title="Lupus")))
        assert states(index) == ["1"]
        assert everything(index) == answers
    index.close()
    with Index.open(index.folder) as again:
        again.ingest(ListSource(trial(1, title="Lupus")))
        assert again.check() == []
        assert len(again.query("lupus", limit=99).hits) == 13


# --- readers and a writer -----------------------------------------------------------------------------------------------


def test_a_reader_sees_whole_states_while_another_writes(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ingest changes the status of all trials at once: no answer may mix two of them."""
    monkeypatch.setattr(ingest_module, "BATCH", 1000)

    def version(number: int) -> ListSource:
        return ListSource(*(trial(n, title=f"Lupus {number}", status=("RECRUITING", "COMPLETED")[number % 2]) for n in range(8)))

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
        except Exception as problem:
            failures.append(repr(problem))

    readers = [threading.Thread(target=guarded) for _ in range(2)]
    for thread in readers:
        thread.start()
    for number in range(1, 7):
        new_index.ingest(version(number))
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    assert answers[0] > 2


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
                    for filters in ({}, {"status": "recruiting"}):
                        found = reader.query("lupus", mode=mode, **filters)
                        assert len(found.hits) == 4
                        assert "being updated" in found.notes[0]
                        assert all(hit.match for hit in found.hits)

    new_index.ingest(Looking())
    assert new_index.query("lupus").notes == ()


def test_a_removed_trial_is_gone_at_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(derived, "catch_up", _no_space)
        with pytest.raises(OSError, match="No space"):
            index.remove(["EX-0009"])
        patch.setattr(derived, "catch_up", lambda *a, **k: False)
        assert all("EX-0009" not in found for found in everything(index))
    assert all("EX-0009" not in found for found in everything(index))
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
    expected = everything(index)
    failures: list[Any] = []

    def ask() -> None:
        try:
            for _ in range(3):
                assert everything(index) == expected
                assert len(list(index.trials())) == 12
                assert index.get("EX-0002").id == "EX-0002"
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# --- files ----------------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    files.write_atomically(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _no_space)
        with pytest.raises(StorageError, match="the disk is full"), files.storage_errors(tmp_path):
            files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "says"),
    [(28, "the disk is full"), (122, "quota"), (30, "read-only"), (13, "permission denied"), (5, "reports an error")],
)
def test_what_the_system_says_of_a_disk_becomes_one_line(number: int, says: str) -> None:
    with pytest.raises(StorageError, match=says), files.storage_errors(Path("index")):
        raise OSError(number, "x")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), files.storage_errors(Path("index")):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Sjögren's", "sjogren's"), ("SJÖGREN", "sjogren"), ("ß", "ss"), ("腎炎", "腎炎"), ("İ", "i")],
)
def test_names_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_the_derived_state_is_flushed_before_it_is_put_in_place(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    index.ingest(ListSource(trial(1)))
    names = {Path(path).name for path in flushed if "/derived/.new-" in path}
    assert {"meta.json", "checksums.json"} <= names
    assert execute(index, "PRAGMA synchronous") == [(2,)]

"""What is derived follows the records, whatever happens to either; readers see whole states."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.helpers import ONE_STORE, ListSource, execute, ids, ids_by_mode, no_space, overwrite, records_of, trial
from trialindex.errors import IndexDamaged, StorageError
from trialindex.index import Index
from trialindex.storage import derived, files
from trialindex.storage.lexical import Lexical
from trialindex.storage.records import fold
from trialindex.testing import sample_trials


def states(index: Index) -> list[str]:
    return sorted(path.name for path in (index.folder / "derived").iterdir())


@pytest.fixture
def behind(index: Index, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index that was killed between the commit of an ingest and the derived state of it."""
    with monkeypatch.context() as patch:
        patch.setattr(derived, "catch_up", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            index.ingest(ListSource(trial(1, title="Lupus of the pancreas"), sample_trials()[0]))
    assert (states(index), records_of(index).generation) == (["2"], 4)
    index.close()
    return index


# --- catching up ------------------------------------------------------------------------------------------------------


def test_a_kill_between_commit_and_publication_costs_nothing(behind: Index) -> None:
    with Index.open(behind.folder) as index:
        answer = index.query("lupus kidney", limit=99)
        assert len(answer.hits) == answer.total == 13
        assert answer.generation == 4
        assert answer.notes == ()
        assert ids(index.query("lupus pancreas", mode="lexical"))[0] == "T-1"
        assert (states(index), index.check()) == (["4"], [])


def test_where_it_cannot_catch_up_the_last_state_answers_and_says_so(
    behind: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "sync_tree", no_space)
    with Index.open(behind.folder) as index:
        answer = index.query("lupus kidney", limit=99)
        assert (len(answer.hits), answer.generation) == (12, 2)
        assert "being updated" in answer.notes[0]
    assert states(behind) == ["2"]


def test_what_a_killed_writer_left_lying_is_cleared_away(behind: Index) -> None:
    for name in (".new-killed", ".old-2"):
        (behind.folder / "derived" / name / "vectors").mkdir(parents=True)
    with Index.open(behind.folder) as index:
        index.query("lupus")
        assert states(index) == ["4"]


def test_of_two_states_the_newer_answers_and_the_older_goes(index: Index) -> None:
    """What a kill between putting the new state in place and taking the old one away leaves."""
    older = index.folder / "derived" / "2"
    shutil.copytree(older, index.folder / "kept")
    index.ingest(ListSource(trial(1)))
    shutil.move(index.folder / "kept", older)
    with Index.open(index.folder) as again:
        answer = again.query("lupus", limit=99)
        assert (answer.generation, len(answer.hits), again.check()) == (4, 13, [])
        again.ingest(ListSource(trial(2)))
    assert states(index) == ["6"]


def _delete(folder: Path) -> None:
    shutil.rmtree(folder)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _no_vectors(folder: Path) -> None:
    shutil.rmtree(folder / "2" / "vectors")


def _no_words(folder: Path) -> None:
    shutil.rmtree(folder / "2" / "lexical")


def _garbled_vectors(folder: Path) -> None:
    for path in (folder / "2" / "vectors").iterdir():
        overwrite(path, b"garbage")


def _garbled_words(folder: Path) -> None:
    overwrite(folder / "2" / "lexical" / "meta.json", b"{")


def _truncated_words(folder: Path) -> None:
    path = next((folder / "2" / "lexical").glob("*.term"))
    overwrite(path, path.read_bytes()[:20])


DAMAGES = [_no_vectors, _no_words, _garbled_vectors, _garbled_words, _truncated_words]


@pytest.mark.parametrize("gone", [_delete, _empty])
def test_a_missing_derived_folder_is_made_again(index: Index, gone: Callable[[Path], None]) -> None:
    answers = ids_by_mode(index)
    index.close()
    gone(index.folder / "derived")
    with Index.open(index.folder) as again:
        assert ids_by_mode(again) == answers
        assert again.check() == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_derived_state_is_reported_and_repaired(index: Index, damage: Callable[[Path], None]) -> None:
    answers = ids_by_mode(index)
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
        assert ids_by_mode(again) == answers


@ONE_STORE
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
    answers = ids_by_mode(index), ids_by_mode(index, "gout")
    shutil.rmtree(index.folder / "derived")
    with Index.open(index.folder) as again:
        assert [sorted(found) for found in ids_by_mode(again)] == [sorted(found) for found in answers[0]]
        assert ids_by_mode(again)[1] == answers[0][1]
        assert ids_by_mode(again, "gout")[2] == answers[1][2] == ["T-2"]
        assert again.check() == []


# --- a full disk ------------------------------------------------------------------------------------------------------


def _tantivy_full(*args: Any, **kwargs: Any) -> None:
    raise ValueError("An IO error occurred: 'No space left on device (os error 28)'")


class _FullWriter:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return _tantivy_full if name == "commit" else getattr(self._writer, name)


def _fill_words(patch: pytest.MonkeyPatch) -> None:
    """Let every commit to a word index find no space."""
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


def test_a_word_index_that_could_not_be_written_leaves_no_thread_at_work_in_its_folder(tmp_path: Path) -> None:
    """One that is still writing makes files in a folder that is being deleted."""
    words = Lexical(tmp_path / "lexical")
    whole = words._index
    writer = whole.writer(heap_size=64_000_000, num_threads=1)
    words._index = SimpleNamespace(writer=lambda **_: _FullWriter(writer))
    with pytest.raises(OSError, match="No space left"):
        words.update([], [(1, trial(1, title="Lupus"))])
    with pytest.raises(RuntimeError, match="consumed"):  # tantivy's word for a writer whose threads have ended
        writer.commit()


@pytest.mark.parametrize(
    ("store", "where"),
    [("brute-force", where) for where in ("sync_tree", "store", "words", "rename", "mkdtemp", "lock")]
    + [("faiss", "store")],
    indirect=["store"],
)
def test_a_full_disk_leaves_an_index_that_answers_as_before(
    index: Index, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ids_by_mode(index)
    with monkeypatch.context() as patch:
        if where == "sync_tree":
            patch.setattr(derived, "sync_tree", no_space)
        elif where == "store":
            patch.setattr(index._store.store, "save", no_space)
        elif where == "words":
            _fill_words(patch)
        elif where == "rename":
            patch.setattr(Path, "rename", no_space)
        elif where == "mkdtemp":
            patch.setattr("tempfile.mkdtemp", no_space)
        else:
            patch.setattr(Path, "write_text", no_space)
        with pytest.raises(StorageError, match="the disk is full"):
            index.ingest(ListSource(trial(1, title="Lupus")))
        assert states(index) == ["2"]
        assert ids_by_mode(index) == answers
    index.close()
    with Index.open(index.folder) as again:
        again.ingest(ListSource(trial(1, title="Lupus")))
        assert again.check() == []
        assert len(again.query("lupus", limit=99).hits) == 13


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    files.write_atomically(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
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
    open_files = Path("/proc/self/fd")
    monkeypatch.setattr(os, "fsync", lambda number: flushed.append(str((open_files / str(number)).readlink())))
    if not open_files.is_dir():
        pytest.skip("needs /proc")
    index.ingest(ListSource(trial(1)))
    names = {Path(path).name for path in flushed if "/derived/.new-" in path}
    assert {"meta.json", "checksums.json"} <= names
    assert execute(index, "PRAGMA synchronous") == [(2,)]

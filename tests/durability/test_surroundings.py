"""What happens around an index: the clock goes back, it is moved, copied, made read-only, its writer dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Self

import pytest

from support.helpers import ONE_STORE, ListSource, ids, ids_by_mode, trial
from trialindex.errors import IndexLocked, IndexNotFound, StorageError, TrialIndexError
from trialindex.index import Index
from trialindex.ingest import run as ingest_module
from trialindex.storage import lock

# --- the clock --------------------------------------------------------------------------------------------------------


@ONE_STORE
def test_a_clock_that_goes_back_confuses_nothing(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def on(day: str) -> None:
        class Frozen(date):
            @classmethod
            def today(cls) -> Self:
                return cls.fromisoformat(day)

        monkeypatch.setattr(ingest_module, "date", Frozen)

    days = ["2030-06-01", "2026-01-31", "1970-01-01", "2031-01-01"]
    for number, day in enumerate(days):
        on(day)
        done = new_index.ingest(ListSource(trial(1, title=f"Lupus {number}"), trial(f"new-{number}")))
        assert (done.added, done.changed) == ((2, 0) if not number else (1, 1))
    assert [one.trial.title for one in new_index.history("T-1")] == [f"Lupus {number}" for number in range(4)]
    assert [one.seen for one in new_index.history("T-1")] == days
    assert new_index.info().sources["list"] == "2031-01-01"
    assert ids(new_index.query("lupus 3", mode="lexical", limit=1)) == ["T-1"]
    assert new_index.check() == []


# --- moved and copied -------------------------------------------------------------------------------------------------


@ONE_STORE
def test_a_folder_that_is_moved_while_it_is_open_is_named(index: Index) -> None:
    index.query("lupus")
    elsewhere = index.folder.rename(index.folder.with_name("elsewhere"))
    for act in (
        lambda: index.query("lupus"),
        lambda: index.get("EX-0002"),
        lambda: list(index.trials()),
        lambda: index.ingest(ListSource(trial(1))),
        lambda: index.remove(["EX-0002"]),
        lambda: index.check(),
    ):
        with pytest.raises(IndexNotFound, match=r"any more\. Was it moved"):
            act()
    assert not index.folder.exists(), "nothing is made where it was"
    with Index.open(elsewhere) as moved:
        assert moved.check() == []
        moved.ingest(ListSource(trial(1)))


def test_a_folder_that_comes_back_is_read_on(index: Index) -> None:
    before = ids_by_mode(index)
    elsewhere = index.folder.rename(index.folder.with_name("elsewhere"))
    elsewhere.rename(index.folder)
    assert ids_by_mode(index) == before


@ONE_STORE
def test_a_copy_made_in_the_middle_of_an_ingest_is_whole_or_refused(new_index: Index, tmp_path: Path) -> None:
    """Each turn changes every title at once, so that a copy that mixes two is seen."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        with Index.open(new_index.folder) as index:
            for turn in range(1000):
                if ended.is_set():
                    return
                index.ingest(ListSource(*(trial(n, title=f"Lupus {turn}") for n in range(20))))

    def guarded() -> None:
        try:
            write()
        except BaseException as problem:  # noqa: BLE001  told by the main thread
            failures.append(problem)

    new_index.ingest(ListSource(*(trial(n, title="Lupus 0") for n in range(20))))
    writer = threading.Thread(target=guarded)
    writer.start()
    whole = 0
    try:
        for number in range(8):
            copy = tmp_path / f"copy-{number}"
            try:
                shutil.copytree(new_index.folder, copy)
            except (shutil.Error, OSError):
                continue  # a file went away meanwhile, and who copies is told
            whole += _is_whole(copy)
    finally:
        ended.set()
        writer.join()
    assert failures == []
    assert whole > 0


def _is_whole(copy: Path) -> bool:
    try:
        with Index.open(copy) as index:
            found = index.query("lupus", limit=99)
            assert len({hit.trial.title for hit in found.hits}) == 1
            assert len(found.hits) == 20
            assert index.check() == []
    except TrialIndexError as problem:
        return "\n" in str(problem)  # refused in one line
    return True


# --- read-only media --------------------------------------------------------------------------------------------------


@contextmanager
def read_only(folder: Path, mount: Path) -> Iterator[Path]:
    """The folder under another name, on a file system that takes no writes."""
    mount.mkdir()
    done = subprocess.run(["mount", "--bind", str(folder), str(mount)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this machine does not let us mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(mount)], check=True)
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def test_an_index_on_read_only_media_answers_and_says_that_it_cannot_change(index: Index, tmp_path: Path) -> None:
    before = ids_by_mode(index)
    index.close()
    with read_only(index.folder, tmp_path / "disc") as disc, Index.open(disc) as there:
        assert ids_by_mode(there) == before
        assert there.check() == []
        for act in (
            lambda: there.ingest(ListSource(trial(1))),
            lambda: there.remove(["EX-0002"]),
            lambda: there.check(repair=True),
        ):
            with pytest.raises(StorageError, match=r"read-only|permission denied") as raised:
                act()
            assert "\n" not in str(raised.value)
        assert len(there) == 12


# --- the lock ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_lock_says_who_holds_it_and_goes_with_its_holder(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    folder, ready = tmp_path / "index", tmp_path / "ready"
    holder = os.fork()
    if not holder:
        with lock.write_lock(folder):
            ready.touch()
            time.sleep(60)
        os._exit(0)
    while not ready.exists():
        time.sleep(0.01)
    with pytest.raises(IndexLocked, match=rf"another process \(number {holder}\) is writing"), lock.write_lock(folder):
        pass
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    assert (folder / "write.lock.holder").exists(), "it had no time to tidy up"
    with lock.write_lock(folder):
        assert (folder / "write.lock.holder").read_text() == f"{os.getpid()}\n"
    assert not (folder / "write.lock.holder").exists()


def test_a_writer_may_wait(tmp_path: Path) -> None:
    entered = threading.Event()
    order: list[str] = []

    def hold() -> None:
        with lock.write_lock(tmp_path):
            entered.set()
            time.sleep(0.3)
            order.append("the first is done")

    other = threading.Thread(target=hold)
    other.start()
    entered.wait()
    with lock.write_lock(tmp_path, wait=20):
        order.append("the second writes")
    other.join()
    assert order == ["the first is done", "the second writes"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\x1b[2J 12\n34"])
def test_a_garbled_holder_is_no_traceback(tmp_path: Path, content: bytes) -> None:
    with lock.write_lock(tmp_path):
        (tmp_path / "write.lock.holder").write_bytes(content)
        with pytest.raises(IndexLocked) as raised, lock.write_lock(tmp_path):
            pass
        assert "\n" not in str(raised.value)
        assert "\x1b" not in str(raised.value)


# --- half an index ----------------------------------------------------------------------------------------------------


@ONE_STORE
@pytest.mark.parametrize(
    "left",
    [
        {"records.db", "records.db-journal"},
        {"records.db-wal"},
        {"records.db-wal", "records.db-shm"},
        {"records.db-wal", "derived"},
    ],
    ids=lambda left: ", ".join(sorted(left)),
)
def test_what_was_left_of_taking_half_an_index_away_is_taken_away(new_index: Index, left: set[str]) -> None:
    """Killed while it was made, then killed again while the same command took the parts away."""
    new_index.close()
    folder = new_index.folder
    for path in folder.iterdir():
        if path.name not in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in left - {"derived"}:
        (folder / name).write_bytes(b"" if name == "records.db" else b"x" * 512)
    with Index.create(folder, encoder="counting", store="brute-force") as made:
        made.ingest(ListSource(trial(1)))
        assert made.check() == []


@ONE_STORE
def test_a_folder_of_somebody_that_is_called_as_a_part_is_left_alone(new_index: Index, tmp_path: Path) -> None:
    mine = tmp_path / "papers" / "derived"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("mine")
    with pytest.raises(TrialIndexError, match="not an empty folder"):
        Index.create(mine.parent, encoder="counting", store="brute-force")
    assert (mine / "thesis.txt").read_text() == "mine"

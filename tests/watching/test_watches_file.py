"""The file that watches are kept in: who reads it, what damages it, and the index beside it that is another one."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from support.watching_cases import add, lupus, put, said
from trialindex.errors import IndexDamaged, IndexFormatError, StorageError, WatchError
from trialindex.index import Index
from trialindex.plugin.messages import Update
from trialindex.testing import BruteForceStore
from trialindex.watching import Watches, find_updates

pytestmark = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)


def test_only_the_owner_can_read_the_file(new_index: Index, watches: Watches) -> None:
    path = new_index.folder / "watches.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)  # copied by somebody, say
    with Watches(new_index.folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_index_does_not_take_the_file_for_its_own_or_for_a_strangers(
    new_index: Index, watches: Watches, tmp_path: Path
) -> None:
    add(watches, new_index, trial="T-1")
    assert new_index.check() == []
    new_index.close()
    for name in ("manifest.json", "records.db"):
        (new_index.folder / name).unlink()
    shutil.rmtree(new_index.folder / "derived")
    with Index.create(new_index.folder, encoder="counting", store=BruteForceStore.name) as again:
        put(again, lupus(1, status="COMPLETED"), lupus(5))
        [update] = find_updates(again, watches)
        assert said([update]) == [(1, "changed", "T-1")], "of an index that was made anew"
        assert find_updates(again, watches) == []
        put(again, lupus(1))
        assert find_updates(again, watches)[0].lines == ("completed → recruiting",)


def test_an_index_restored_from_an_older_copy_goes_on(new_index: Index, watches: Watches, tmp_path: Path) -> None:
    add(watches, new_index, trial="T-1")
    shutil.copytree(new_index.folder, tmp_path / "copy")
    for number in range(3):
        put(new_index, lupus(1, enrollment=number))
    find_updates(new_index, watches)
    with Index.open(tmp_path / "copy") as older:
        put(older, lupus(1, status="COMPLETED"))
        assert [update.lines for update in find_updates(older, watches)] == [
            ("what changed cannot be shown: the index no longer has the earlier record",)
        ]


def test_without_watches_nothing_is_written(new_index: Index) -> None:
    with Watches(new_index.folder) as none:
        assert (none.all(), none.updates(), none.notifiers(), find_updates(new_index, none)) == ([], [], [], [])
        with pytest.raises(WatchError, match="no watch 1"):
            none.remove(1)
        with pytest.raises(WatchError, match="no notifier 1"):
            none.notifier(1)
    assert not (new_index.folder / "watches.db").exists()


@pytest.mark.parametrize("content", [b"no database at all, " * 500, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_one_line(new_index: Index, content: bytes) -> None:
    (new_index.folder / "watches.db").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"watches\.db is damaged") as raised:
        Watches(new_index.folder)
    assert "\n" not in str(raised.value)
    assert "add the watches again" in str(raised.value)
    assert (new_index.folder / "watches.db").read_bytes() == content


def test_another_database_and_a_newer_format_are_refused(new_index: Index) -> None:
    import sqlite3
    from contextlib import closing

    path = new_index.folder / "watches.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE other (x)")
    with pytest.raises(IndexDamaged, match=r"watches\.db is damaged"):
        Watches(new_index.folder)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(IndexFormatError, match="pip install --upgrade"):
        Watches(new_index.folder)


def test_where_nothing_can_be_written_it_says_so(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match="permission denied") as raised:
        Watches(new_index.folder, create=True)
    assert "\n" not in str(raised.value)


def test_a_full_disk_leaves_everything_untold(
    new_index: Index, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(watches, new_index, condition="lupus nephritis")
    put(new_index, lupus(9))

    def full(self: Watches, updates: list[Update]) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Watches, "record", full)
        with pytest.raises(StorageError, match="the disk is full"):
            find_updates(new_index, watches)
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]

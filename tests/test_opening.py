"""Opening what is no index, half an index, another's index, or one that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ONE_STORE, ListSource, files_of, overwrite, trial
from support.paths import ROOT
from trialindex.errors import (
    EncoderMismatch,
    IndexDamaged,
    IndexNotFound,
    IndexStateError,
    StorageError,
)
from trialindex.index import Index
from trialindex.storage import database, derived, manifest

# --- opening ----------------------------------------------------------------------------------------------------------


def test_opening_what_is_no_index_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "none", empty, file, file / "below"):
        with pytest.raises(IndexNotFound) as raised:
            Index.open(path)
        assert "\n" not in str(raised.value)
    assert files_of(tmp_path) == {"file", "empty"}
    assert files_of(empty) == set()


@ONE_STORE
@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"format": 1', b"[]", b"\xff\xfe", b'{"format": "one"}', b'{"format": 1}']
)
def test_a_broken_manifest_is_reported_in_one_line(index: Index, content: bytes) -> None:
    (index.folder / "manifest.json").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"manifest\.json cannot be read") as raised:
        Index.open(index.folder)
    assert "\n" not in str(raised.value)


def test_a_missing_part_is_reported(index: Index, tmp_path: Path) -> None:
    index.close()
    half = tmp_path / "half"
    shutil.copytree(index.folder, half)
    (half / "manifest.json").unlink()
    with pytest.raises(IndexDamaged, match=r"no manifest.json"):
        Index.open(half)
    (index.folder / "records.db").unlink()
    with pytest.raises(IndexDamaged, match=r"no file records\.db"):
        Index.open(index.folder)
    assert not (index.folder / "records.db").exists()


def test_a_newer_format_is_refused_with_advice(index: Index) -> None:
    path = index.folder / "manifest.json"
    newer = path.read_text().replace(f'"format": {manifest.FORMAT}', f'"format": {manifest.FORMAT + 1}, "unknown": []')
    path.write_text(newer)
    with pytest.raises(IndexStateError, match="pip install --upgrade trialindex"):
        Index.open(index.folder)
    assert path.read_text() == newer


def test_another_encoder_is_refused_by_name(index: Index) -> None:
    with pytest.raises(EncoderMismatch, match=r"built with the encoder counting .* not other"):
        Index.open(index.folder, encoder="other")
    path = index.folder / "manifest.json"
    sha = index.manifest.encoder.sha256
    path.write_text(path.read_text().replace(sha, "0" * 64))
    with Index.open(index.folder) as changed:
        with pytest.raises(EncoderMismatch, match=r"built with the encoder counting .sha256 000000000000"):
            changed.query("lupus")
        assert changed.query("trial", mode="lexical").total == 12
        with pytest.raises(EncoderMismatch):
            changed.ingest(ListSource(trial("new")))
        assert len(changed) == 12


def ask(folder: Path) -> None:
    with Index.open(folder) as index:
        index.query("lupus")
        list(index.trials())


@ONE_STORE
@pytest.mark.parametrize("size", [0, 100, 5000, -1])
def test_a_damaged_database_is_one_line(index: Index, size: int) -> None:
    index.close()
    path = index.folder / "records.db"
    data = path.read_bytes()
    overwrite(path, data[:size] if size >= 0 else b"no database " * 500)
    (path.parent / "records.db-wal").unlink(missing_ok=True)
    with pytest.raises(IndexDamaged, match=r"records\.db is damaged") as raised:
        ask(index.folder)
    assert "\n" not in str(raised.value)


def test_another_sqlite_database_is_no_index(index: Index) -> None:
    import sqlite3
    from contextlib import closing

    index.close()
    (index.folder / "records.db").unlink()
    with closing(sqlite3.connect(index.folder / "records.db")) as other:
        other.execute("CREATE TABLE meta (key TEXT, value)")
    with pytest.raises(IndexDamaged, match="damaged"):
        Index.open(index.folder)


# --- what cannot be written -------------------------------------------------------------------------------------------


_READ_ONLY = """
import os, sys
sys.path.insert(0, "tests")
from support.helpers import overwrite, ONE_STORE, files_of, fake_plugins
from trialindex.plugin import registry
private = fake_plugins()
registry.Plugins = lambda: private
from trialindex.errors import StorageError
from trialindex.index import Index

def ask(folder):
    with Index.open(folder) as index:
        answer = index.query("lupus")
        print(len(answer.hits), len(list(index.trials())), index.get("EX-0002").id, len(index.check()), answer.notes)
        try:
            index.remove(["EX-0002"])
        except StorageError as problem:
            print(problem)

ask(sys.argv[1])  # as we are, to load every module while we can
if os.geteuid() == 0:
    os.setuid(65534)  # the superuser may write anywhere
print("---")
ask(sys.argv[2])
"""


@pytest.mark.skipif(os.name != "posix", reason="file permissions")
@pytest.mark.parametrize(("store", "lagging"), [("brute-force", False), ("faiss", True)], indirect=["store"])
def test_a_read_only_folder_answers_and_refuses_to_change(store: str, index: Index, lagging: bool) -> None:
    if lagging:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(derived, "catch_up", lambda *a, **k: False)
            index.ingest(ListSource(trial(1)))
    index.close()
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        folder = Path(open_to_all) / "index"
        shutil.copytree(index.folder, folder)
        (folder / "write.lock").unlink(missing_ok=True)
        inside = [folder, *folder.rglob("*")]
        for path in inside:
            path.chmod(0o555 if path.is_dir() else 0o444)
        ran = subprocess.run(
            [sys.executable, "-c", _READ_ONLY, str(index.folder), str(folder)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        for path in inside:
            path.chmod(0o755)
    assert ran.returncode == 0, ran.stderr
    counts, refused = ran.stdout.partition("---\n")[2].splitlines()
    assert counts.startswith(f"10 {13 if lagging else 12} EX-0002 {1 if lagging else 0} ")
    assert ("being updated" in counts) is lagging
    assert "cannot write" in refused
    assert "permission denied" in refused


def test_media_on_which_sqlite_cannot_even_lock_are_read_as_they_lie(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    answer = index.query("lupus")
    index.close()
    opened = database._open
    tried = []

    def refuse(path: Path, how: str) -> Any:
        tried.append(how)
        if how != "immutable=1":
            raise sqlite3.OperationalError("unable to open database file")
        return opened(path, how)

    monkeypatch.setattr(database, "_open", refuse)
    with Index.open(index.folder) as read_only:
        assert read_only.query("lupus") == answer
        with pytest.raises(StorageError, match="permission denied"):
            read_only.ingest(ListSource(trial(1)))
        assert len(read_only) == 12
    assert "immutable=1" in tried

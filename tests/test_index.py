"""The façade: an index is made, filled, asked, emptied, moved, and never mistaken for another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from helpers import Checkpoint, CountingEncoder, ListSource, execute, ids, records_of, trial
from trialindex.errors import (
    EncoderMismatch,
    IndexDamaged,
    IndexEmpty,
    IndexLocked,
    IndexNotFound,
    IndexStateError,
    PluginError,
    StorageError,
    UnknownTrial,
)
from trialindex.index import Index
from trialindex.plugins import Plugins
from trialindex.search.filters import Filters
from trialindex.storage import derived, manifest, records
from trialindex.testing import sample_trials
from trialindex.trial import Contact


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


# --- the round trip -----------------------------------------------------------------------------------------------------


def test_an_index_is_made_filled_asked_and_opened_again(registered: Plugins, store: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "index"
    with Index.create(folder, encoder="counting", store=store) as index:
        assert len(index) == 0
        assert index.check() == []
        assert index.ingest(ListSource(*sample_trials())).added == 12
        answer = index.query("lupus")
        assert answer.total == answer.searched == 12
        assert len(answer.hits) == 10
    with Index.open(folder) as index:
        assert index.query("lupus") == answer
        assert [t.content_hash for t in index.trials(contacts=True)] == [t.content_hash for t in sample_trials()]
        assert [c.kind for c in index.remove(["EX-0001", "ex-0001 "])] == ["removed"]
        assert len(index) == 11
        assert "EX-0001" not in ids(index.query("lupus", limit=99))
        assert index.check() == []
        info = index.info()
        assert (info.trials, info.path, info.sources.keys()) == (11, str(folder), {"list"})
        assert info.bytes > 1000
        assert sum(info.statuses.values()) == 11


def test_a_copied_folder_is_the_same_index(index: Index, tmp_path: Path) -> None:
    answer = index.query("lupus")
    index.close()
    shutil.copytree(index.folder, tmp_path / "elsewhere")
    shutil.rmtree(index.folder)
    with Index.open(tmp_path / "elsewhere") as moved:
        assert moved.query("lupus") == answer
        assert moved.check() == []


def test_contacts_come_only_when_asked_for(new_index: Index) -> None:
    desk = Contact(name="Robin", email="robin@exemplar.test")
    new_index.ingest(ListSource(trial(contacts=(desk,), raw={"phone": "555"})))
    for found in (new_index.get("T-1"), *new_index.trials(), new_index.query("trial").hits[0].trial):
        assert not found.has_contacts
        assert found.raw is None
    assert new_index.get("T-1", contacts=True).raw == {"phone": "555"}
    assert next(new_index.trials(contacts=True)).contacts == (desk,)
    assert new_index.query("trial", contacts=True).hits[0].trial.contacts == (desk,)


def test_an_unknown_id_names_the_nearest(index: Index) -> None:
    with pytest.raises(UnknownTrial, match=r'no trial "EX-00O1".*Did you mean "EX-00'):
        index.get("EX-00O1")
    with pytest.raises(UnknownTrial, match="trialindex list"):
        index.get("nothing like it")
    assert index.get(" ex-0002 ").id == "EX-0002"


def test_remove_takes_all_or_nothing(index: Index) -> None:
    with pytest.raises(UnknownTrial):
        index.remove(["EX-0001", "EX-9999"])
    assert len(index) == 12
    assert index.info().generation == 1


def test_an_empty_index_says_so(new_index: Index) -> None:
    with pytest.raises(IndexEmpty, match="holds no trials.*trialindex ingest"):
        new_index.query("lupus")


def test_trials_pass_filters_in_the_order_they_came(new_index: Index) -> None:
    new_index.ingest(ListSource(*(trial(n, status="RECRUITING" if n % 2 else "COMPLETED") for n in range(6))))
    assert ids(new_index.trials(Filters.parse(status="recruiting"))) == ["T-1", "T-3", "T-5"]


# --- making -------------------------------------------------------------------------------------------------------------


def test_an_index_is_not_made_over_anything(index: Index, tmp_path: Path) -> None:
    with pytest.raises(IndexStateError, match="there is an index at .* already"):
        Index.create(index.folder, encoder="counting", store="brute-force")
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    with pytest.raises(IndexStateError, match="not an empty folder"):
        Index.create(full, encoder="counting", store="brute-force")
    with pytest.raises(IndexStateError, match="not an empty folder"):
        Index.create(full / "letter.txt", encoder="counting", store="brute-force")
    assert files_of(full) == {"letter.txt"}


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("option", "name"), [("encoder", "cuonting"), ("store", "fais")])
def test_an_unknown_plugin_makes_nothing(tmp_path: Path, option: str, name: str) -> None:
    with pytest.raises(PluginError, match="Did you mean"):
        Index.create(tmp_path / "index", **{"encoder": "counting", "store": "brute-force", option: name})
    assert not (tmp_path / "index").exists()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "where", ["trialindex.storage.manifest.write_atomically", "trialindex.storage.derived.sync_tree", "shutil.rmtree"]
)
def test_a_full_disk_while_making_leaves_nothing_that_looks_like_an_index(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    if where != "shutil.rmtree":
        monkeypatch.setattr(where, full)
        with pytest.raises(StorageError, match="the disk is full"):
            Index.create(folder, encoder="counting", store="brute-force")
        monkeypatch.undo()
        assert files_of(folder) <= {"write.lock"}
    with pytest.raises(IndexNotFound):
        Index.open(folder)
    Index.create(folder, encoder="counting", store="brute-force").close()
    assert manifest.is_index(folder)


# --- opening ------------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1', b"[]", b"\xff\xfe", b'{"format": "one"}', b'{"format": 1}'])
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
    with pytest.raises(IndexDamaged, match="no manifest.json"):
        Index.open(half)
    (index.folder / "records.db").unlink()
    with pytest.raises(IndexDamaged, match=r"no records\.db"):
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
    with pytest.raises(EncoderMismatch, match="built with the encoder counting .* not other"):
        Index.open(index.folder, encoder="other")
    path = index.folder / "manifest.json"
    sha = index.manifest.encoder.sha256
    path.write_text(path.read_text().replace(sha, "0" * 64))
    with Index.open(index.folder) as changed:
        with pytest.raises(EncoderMismatch, match="built with the encoder counting .sha256 000000000000"):
            changed.query("lupus")
        assert changed.query("trial", mode="lexical").total == 12
        with pytest.raises(EncoderMismatch):
            changed.ingest(ListSource(trial("new")))
        assert len(changed) == 12


@pytest.mark.parametrize("size", [0, 100, 5000, -1])
def test_a_damaged_database_is_one_line(index: Index, size: int) -> None:
    index.close()
    path = index.folder / "records.db"
    data = path.read_bytes()
    path.write_bytes(data[:size] if size >= 0 else b"no database " * 500)
    (path.parent / "records.db-wal").unlink(missing_ok=True)
    with pytest.raises(IndexDamaged, match=r"records\.db is damaged") as raised, Index.open(index.folder) as opened:
        opened.query("lupus")
        list(opened.trials())
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


# --- what cannot be written -----------------------------------------------------------------------------------------------


_READ_ONLY = """
import os, sys
sys.path.insert(0, "tests")
from helpers import fake_plugins
from trialindex import plugins
private = fake_plugins()
plugins.Plugins = lambda: private
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
@pytest.mark.parametrize("lagging", [False, True])
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
            cwd=Path(__file__).parents[1],
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
    opened = records._opened
    tried = []

    def refuse(path: Path, how: str) -> Any:
        tried.append(how)
        if how != "immutable=1":
            raise sqlite3.OperationalError("unable to open database file")
        return opened(path, how)

    monkeypatch.setattr(records, "_opened", refuse)
    with Index.open(index.folder) as read_only:
        assert read_only.query("lupus") == answer
        with pytest.raises(StorageError, match="permission denied"):
            read_only.ingest(ListSource(trial(1)))
        assert len(read_only) == 12
    assert "immutable=1" in tried


# --- one writer -------------------------------------------------------------------------------------------------------------


def test_a_second_writer_is_told_at_once_who_writes(index: Index) -> None:
    with Index.open(index.folder) as other:

        class Greedy(ListSource):
            def trials(self, context: Any) -> Any:
                for write in (
                    lambda: other.ingest(ListSource(trial(2))),
                    lambda: other.remove(["EX-0001"]),
                    lambda: other.check(repair=True),
                    lambda: index.remove(["EX-0001"]),
                ):
                    with pytest.raises(IndexLocked, match=f"number {os.getpid()}"):
                        write()
                assert other.query("lupus").total == 12
                assert index.query("lupus").total == 12
                yield trial(1)

        assert index.ingest(Greedy()).added == 1
        assert other.ingest(ListSource(trial(2))).added == 1
        assert len(index) == 14


_HOLD = """
import sys, time
from pathlib import Path
from trialindex.storage.lock import write_lock
with write_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_process_that_was_killed_is_free(index: Index) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(index.folder)], stdout=subprocess.PIPE, env=env)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(IndexLocked, match=f"number {holder.pid}"):
            index.ingest(ListSource(trial(1)))
        assert len(index.query("lupus").hits) == 10
    finally:
        holder.kill()
        holder.communicate()
    assert index.ingest(ListSource(trial(1), Checkpoint(page=1))).added == 1


def test_two_options_at_once_are_refused(index: Index) -> None:
    with pytest.raises(TypeError):
        index.ingest(ListSource(), page=1)
    with pytest.raises(TypeError):
        index.query("lupus", filters=Filters(), status="recruiting")


def test_nothing_is_left_open(index: Index) -> None:
    """Python warns of connections that are lost; here every warning is an error."""
    import gc

    for wrong in ("other", "cuonting"):
        with pytest.raises((EncoderMismatch, PluginError)):
            Index.open(index.folder, encoder=wrong)
    listing = index.trials()
    next(listing)
    del listing
    gc.collect()
    assert execute(index, "SELECT count(*) FROM trials") == [(12,)]
    assert records_of(index).generation == 1
    assert CountingEncoder.texts == []

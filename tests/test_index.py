"""The façade: an index is made, filled, asked, emptied, moved, and never mistaken for another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.helpers import Checkpoint, CountingEncoder, ListSource, execute, files_of, ids, no_space, records_of, trial
from support.paths import ROOT
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
from trialindex.plugin.registry import Plugins
from trialindex.search.filters import Filters
from trialindex.storage import manifest
from trialindex.testing import sample_trials
from trialindex.trial import Contact
from trialindex.trial.prepare import prepare

# --- the round trip ---------------------------------------------------------------------------------------------------


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
        assert [t.content_hash for t in index.trials(contacts=True)] == [
            prepare(t).content_hash for t in sample_trials()
        ]
        assert [c.kind for c in index.remove(["EX-0001", "ex-0001 "])] == ["removed"]
        assert len(index) == 11
        assert "EX-0001" not in ids(index.query("lupus", limit=99))
        assert index.check() == []
        info = index.info()
        assert (info.trials, info.path, [*info.sources]) == (11, str(folder), ["list"])
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
    assert index.info().generation == 2


def test_an_empty_index_says_so(new_index: Index) -> None:
    with pytest.raises(IndexEmpty, match=r"holds no trials.*trialindex ingest"):
        new_index.query("lupus")


def test_trials_pass_filters_in_the_order_they_came(new_index: Index) -> None:
    new_index.ingest(ListSource(*(trial(n, status="RECRUITING" if n % 2 else "COMPLETED") for n in range(6))))
    assert ids(new_index.trials(Filters.parse(status="recruiting"))) == ["T-1", "T-3", "T-5"]


# --- making -----------------------------------------------------------------------------------------------------------


def test_an_index_is_not_made_over_anything(index: Index, tmp_path: Path) -> None:
    with pytest.raises(IndexStateError, match=r"there is an index at .* already"):
        Index.create(index.folder, encoder="counting", store="brute-force")
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    with pytest.raises(IndexStateError, match="not an empty folder"):
        Index.create(full, encoder="counting", store="brute-force")
    with pytest.raises(IndexStateError, match="not an empty folder"):
        Index.create(full / "letter.txt", encoder="counting", store="brute-force")
    assert files_of(full) == {"letter.txt"}
    for ours in ("derived", ".manifest.json.5.tmp", ".git"):
        (tmp_path / ours / ours).mkdir(parents=True)
        with pytest.raises(IndexStateError, match="not an empty folder"):
            Index.create(tmp_path / ours, encoder="counting", store="brute-force")
        assert files_of(tmp_path / ours) == {ours}


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("option", "name"), [("encoder", "cuonting"), ("store", "fais")])
def test_an_unknown_plugin_makes_nothing(tmp_path: Path, option: str, name: str) -> None:
    with pytest.raises(PluginError, match="Did you mean"):
        Index.create(
            tmp_path / "index",
            encoder=name if option == "encoder" else "counting",
            store=name if option == "store" else "brute-force",
        )
    assert not (tmp_path / "index").exists()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "where", ["trialindex.storage.manifest.write_atomically", "trialindex.storage.derived.sync_tree"]
)
def test_a_full_disk_while_making_leaves_nothing_that_looks_like_an_index(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"

    with monkeypatch.context() as patch:
        patch.setattr(where, no_space)
        with pytest.raises(StorageError, match="the disk is full"):
            Index.create(folder, encoder="counting", store="brute-force")
    assert files_of(folder) <= {"write.lock"}
    with pytest.raises(IndexNotFound):
        Index.open(folder)
    Index.create(folder, encoder="counting", store="brute-force").close()
    assert manifest.is_index(folder)


# --- one writer -------------------------------------------------------------------------------------------------------


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
    assert records_of(index).generation == 2
    assert CountingEncoder.texts == []


_MAKE = """
import os, sys
sys.path.insert(0, "tests")
from support.helpers import fake_plugins
from trialindex.plugin import registry
private = fake_plugins()
registry.Plugins = lambda: private
from trialindex.index import Index
from trialindex.storage import derived, manifest
module, name = sys.argv[2].split(".")
setattr(getattr(sys.modules["trialindex.storage." + module], "Manifest", derived) if name == "write" else derived,
        name, lambda *a, **k: os._exit(9))
Index.create(sys.argv[1], encoder="counting", store="brute-force")
"""


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("where", ["derived.catch_up", "manifest.write"])
def test_an_index_whose_making_was_killed_can_be_made_again(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "index"
    ran = subprocess.run(
        [sys.executable, "-c", _MAKE, str(folder), where],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.returncode == 9
    assert "records.db" in files_of(folder)
    with Index.create(folder, encoder="counting", store="brute-force") as index:
        index.ingest(ListSource(trial(1)))
        assert index.check() == []


def test_half_an_index_with_trials_is_never_made_over(index: Index) -> None:
    index.close()
    (index.folder / "manifest.json").unlink()
    before = (index.folder / "records.db").read_bytes()
    with pytest.raises(IndexDamaged, match=r"no manifest\.json"):
        Index.create(index.folder, encoder="counting", store="brute-force")
    assert (index.folder / "records.db").read_bytes() == before

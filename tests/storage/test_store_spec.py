"""Which store an index has, and what it is told: chosen once, written down, shown, and kept through a repair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from support.helpers import ListSource, fake_plugins, ids, trial
from trialindex.cli import cli
from trialindex.errors import PluginError
from trialindex.index import Index
from trialindex.search.filters import Filters
from trialindex.storage import derived, manifest
from trialindex.storage.store_spec import StoreSpec
from trialindex.testing import BruteForceStore
from trialindex_faiss import compact, store
from trialindex_faiss.store import DESCRIPTION


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can reach."""
    monkeypatch.setattr(store, "LEAST", 700)
    monkeypatch.setattr(store, "LIMIT", 100)
    monkeypatch.setattr(store, "RECENT", 50)
    monkeypatch.setattr(compact, "WIDTH", 200)


def crowd(count: int, start: int = 1) -> list[Any]:
    return [
        trial(n, title=f"Study {n} of gout and {'lupus' if n % 2 else 'asthma'} number{n}")
        for n in range(start, start + count)
    ]


def held(folder: Path) -> dict[str, Any]:
    [state] = derived.states(folder)
    found: dict[str, Any] = json.loads((state / "vectors" / DESCRIPTION).read_text())
    return found


@pytest.mark.usefixtures("registered")
def test_the_spec_is_in_the_manifest_and_outlives_everything(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with Index.create(folder, encoder="counting", store="faiss:exact") as index:
        index.ingest(ListSource(*crowd(5)))
    assert manifest.read(folder).store == "faiss:exact"
    assert held(folder)["choice"] == "exact"
    with Index.open(folder) as index:
        index.ingest(ListSource(*crowd(3, start=6)))
        assert index.info().vectors == "exact: exact, 8 vectors in 32 bits a number"
        derived._retire(derived.states(folder)[0])
        assert len(ids(index.query("gout"))) == 8
    assert held(folder)["choice"] == "exact", "made anew from the manifest's spec"


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("faiss:hnsw", r'knows no "hnsw".*Allowed: auto, exact, compact'),
        ("brute-force:exact", "takes no argument"),
        ("nowhere", 'unknown store "nowhere"'),
        ("nowhere:exact", 'unknown store "nowhere"'),
    ],
)
def test_a_spec_that_cannot_be_used_makes_no_index(spec: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=said):
        Index.create(tmp_path / "index", encoder="counting", store=spec)
    assert not (tmp_path / "index").exists()


def test_a_store_that_takes_no_argument_is_given_none(tmp_path: Path) -> None:
    class Plain(BruteForceStore):
        name = "plain"

        @classmethod
        def create(cls, dimension: int) -> BruteForceStore:  # type: ignore[override]
            return super().create(dimension)

    assert len(StoreSpec(Plain).create(8)) == 0
    with pytest.raises(PluginError, match=r'the store "plain" takes no argument, and was given "fast".*--store plain'):
        StoreSpec(Plain, "fast").create(8)


@pytest.mark.usefixtures("registered", "narrow")
def test_an_index_becomes_compact_as_it_grows_and_answers_alike(tmp_path: Path) -> None:
    answers = {}
    for spec in ("faiss", "faiss:exact"):
        with Index.create(tmp_path / spec.replace(":", "-"), encoder="counting", store=spec) as index:
            for start in range(1, 700, 140):
                index.ingest(ListSource(*crowd(140, start)))
            index.remove(["T-3", "T-500"])
            index.ingest(ListSource(*crowd(10, 900)))
            assert ("compact" in index.info().vectors) == (spec == "faiss")
            assert index.check() == []
            answers[spec] = [
                ids(index.query(text, mode="vector", limit=20, filters=filters))
                for text in ("lupus number17", "number901 gout", "asthma number600")
                for filters in (Filters(), Filters(status=("RECRUITING",)))
            ]
    for near, exact in zip(answers["faiss"], answers["faiss:exact"], strict=True):
        assert len(near) == len(exact)
        assert len(set(near[:10]) & set(exact[:10])) >= 9 or not exact


@pytest.mark.usefixtures("registered", "narrow")
def test_a_nightly_change_leaves_most_files_as_they_are(tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder="counting") as index:
        index.ingest(ListSource(*crowd(300)))
        before = derived.open_newest(index.folder, index._store)
        assert before
        inodes = {path.name: path.stat().st_ino for path in (before.folder / "vectors").iterdir()}
        sums = before.sums()
        index.ingest(ListSource(trial(7, title="Changed")))
        after = derived.open_newest(index.folder, index._store)
        assert after
        same = [p.name for p in (after.folder / "vectors").iterdir() if p.stat().st_ino == inodes.get(p.name)]
        assert sorted(same) == ["coarse.faiss", "codes.npy", "ids.npy", "scales.npy"]
        assert after.sums()["vectors/codes.npy"] == sums["vectors/codes.npy"]
        assert after.altered() == []
        assert ids(index.query("Changed", mode="lexical")) == ["T-7"]


@pytest.mark.usefixtures("registered", "narrow")
def test_damage_to_a_file_that_is_carried_on_is_not_blessed(tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder="counting") as index:
        index.ingest(ListSource(*crowd(300)))
        [state] = derived.states(index.folder)
        path = state / "vectors" / "codes.npy"
        data = bytearray(path.read_bytes())
        data[-100] ^= 0xFF
        path.write_bytes(data)
        index.ingest(ListSource(trial(7, title="Changed")))
        assert any("codes.npy" in finding.what for finding in index.check())
        index.check(repair=True)
        assert index.check() == []


@pytest.mark.usefixtures("registered")
def test_info_and_ingest_speak_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.csv").write_text("id,title\nX-1,Gout in winter\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    private = fake_plugins()
    assert private.stores.names()
    run = CliRunner()
    with Index.create(tmp_path / "index", encoder="counting", store="faiss:compact") as index:
        index.ingest(ListSource(*crowd(2)))
    shown = run.invoke(cli, ["info", "--index", str(tmp_path / "index")])
    assert "store faiss:compact (compact: exact, 2 vectors in 32 bits a number)" in " ".join(shown.output.split())
    told = json.loads(run.invoke(cli, ["info", "--json", "--index", str(tmp_path / "index")]).output)
    assert told["manifest"]["store"] == "faiss:compact"
    assert told["vectors"].startswith("compact: exact")


@pytest.mark.usefixtures("registered")
def test_info_answers_when_what_is_derived_cannot_be_read(tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder="counting") as index:
        index.ingest(ListSource(*crowd(2)))
        [state] = derived.states(index.folder)
        (state / "vectors" / DESCRIPTION).unlink()
        info = index.info()
        assert (info.trials, info.vectors) == (2, "")

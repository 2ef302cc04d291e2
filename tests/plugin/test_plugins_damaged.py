"""A distribution whose list of entry points is damaged harms no other plugin, whether it is one of ours or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.plugin_cases import FAKES, Site

LISTS = {
    "no equals sign": b"[trialindex]\nnonsense\n",
    "not UTF-8": b"[trialindex]\nx = \xff\xfe\n",
    "of somebody else": b"[console_scripts]\n= = =\nnothing here\n",
}


@pytest.fixture(params=list(LISTS.values()), ids=list(LISTS))
def site(request: pytest.FixtureRequest, tmp_path: Path, warm_cache: Path) -> Site:
    """The fakes, and beside them a distribution with a damaged list."""
    found = Site(tmp_path / "site", warm_cache)
    found.install("fakes", FAKES)
    info = found.packages / "dist_damaged-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dist-damaged\nVersion: 2.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_bytes(request.param)
    return found


def test_it_is_named_and_left_out_and_all_others_work(site: Site) -> None:
    done = site.run("plugins")
    assert done.code == 0
    [line] = [line for line in done.out.splitlines() if "entry_points.txt" in line]
    assert line.split()[:3] == ["dist-damaged", "dist-damaged", "2.0"]
    assert [line for line in done.out.splitlines() if line.startswith("fakes ")]
    assert [line for line in done.out.splitlines() if line.startswith("faiss ")]
    [warning] = done.err.splitlines()
    assert warning.startswith('trialindex: the plugin "dist-damaged" of dist-damaged does not work and is left out: ')
    assert "Traceback" not in done.err


def test_an_index_is_made_and_asked_beside_it(site: Site) -> None:
    done = site.ingest(3)
    assert (done.code, "3 added" in done.out) == (0, True), done.err
    done = site.run("query", "trial", "--index", site.index, "--mode", "lexical")
    assert done.code == 0, done.err
    assert done.err.count("\n") <= 2

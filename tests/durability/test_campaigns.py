"""A short run of every campaign beside this file; each runs in a process of its own, since it forks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def campaign(name: str, folder: Path, *options: str) -> dict[str, Any]:
    """What a campaign prints; it fails at the first thing that is lost or silent."""
    command = [sys.executable, str(HERE / f"{name}.py"), str(folder), *options]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=290)
    if "must be superuser" in done.stderr or "permission denied" in done.stderr.lower().partition("mount:")[2]:
        pytest.skip("this machine does not let us mount")
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("rounds", "seed"), [(10, 1), pytest.param(200, 7, marks=pytest.mark.slow, id="many")])
def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path, rounds: int, seed: int) -> None:
    found = campaign("kills", tmp_path, "--rounds", str(rounds), "--seed", str(seed))
    assert found["rounds"] == rounds
    assert found["kills"] > rounds / 3


@pytest.mark.parametrize("name", ["create", "catch up", pytest.param("refresh", marks=pytest.mark.slow)])
def test_killed_at_each_named_step_nothing_is_lost(tmp_path: Path, name: str) -> None:
    found = campaign("kills", tmp_path, "--each-step", "--once", "--only", name)
    assert found["kinds of step"] > 10
    assert found["kills"] == found["rounds"] == found["kinds of step"]


@pytest.mark.parametrize(("rounds", "seed"), [(40, 1), pytest.param(300, 7, marks=pytest.mark.slow, id="many")])
def test_no_damage_is_silent(tmp_path: Path, rounds: int, seed: int) -> None:
    found = campaign("damage", tmp_path, "--rounds", str(rounds), "--seed", str(seed))
    assert found["damages"] == sum(found["outcomes"].values()) == rounds
    assert found["outcomes"]["mended"] > rounds / 4


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_a_disk_that_is_full_for_a_moment_or_for_good(tmp_path: Path, every: int) -> None:
    found = campaign("full", tmp_path, "--every", str(every), "--only", "remove")
    assert found["said"] > found.get("got round", 0)


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    found = campaign("full", tmp_path, "--mount", "--rounds", "5")
    assert found["filled"] == 5


@pytest.mark.parametrize("minutes", [0.1, pytest.param(3.0, marks=pytest.mark.slow)])
def test_readers_and_writers_at_once(tmp_path: Path, minutes: float) -> None:
    found = campaign("crowd", tmp_path, "--minutes", str(minutes))
    assert found["answers"] > 20
    assert found["turns"]["written"] > 1

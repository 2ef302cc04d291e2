"""Nothing is lost and nothing doubled when `sync` is killed at any moment; see ``crashes.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from watching import crashes

DRIVER = Path(crashes.__file__)


def campaign(folder: Path, rounds: int, kills: int, seed: int) -> dict[str, int]:
    command = [sys.executable, str(DRIVER), str(folder), "--rounds", str(rounds), "--kills", str(kills)]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, encoding="utf-8", timeout=280)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("rounds", "kills", "seed"), [(6, 4, 1), pytest.param(60, 6, 2, marks=pytest.mark.slow, id="many")]
)
def test_killed_at_any_moment_news_is_neither_lost_nor_doubled(
    tmp_path: Path, rounds: int, kills: int, seed: int
) -> None:
    found = campaign(tmp_path, rounds, kills, seed)
    assert found["rounds"] == rounds
    assert found["kills"] > rounds * kills / 2
    assert found["news"] > rounds
    assert (found["lost"], found["doubled"], found["wrong"]) == (0, 0, 0), found


def test_the_model_tells_what_happened() -> None:
    lupus = {"conditions": ["Lupus"], "status": "RECRUITING", "enrollment": 10}
    asthma = {**lupus, "conditions": ["Asthma"]}
    done = {**lupus, "status": "COMPLETED"}
    assert crashes.expected({}, {"C-5": lupus}) == Counter({(1, "new", "C-5"): 1, (2, "new", "C-5"): 1})
    assert crashes.expected({"C-0": lupus}, {"C-0": done}).keys() == {
        (1, "changed", "C-0"),
        (2, "changed", "C-0"),
        (3, "changed", "C-0"),
    }
    assert crashes.expected({"C-5": asthma}, {"C-5": {**asthma, "enrollment": 20}}) == Counter()
    assert crashes.expected({"C-5": lupus}, {"C-5": {**lupus, "keywords": ["b", "a"]}}) == Counter()

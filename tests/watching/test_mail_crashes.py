"""Nothing is lost, nobody is told twice, and nobody is signed up who did not press; see ``mail_crashes.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watching import mail_crashes

DRIVER = Path(mail_crashes.__file__)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("rounds", "kills", "seed"), [(5, 2, 1), pytest.param(60, 2, 2, marks=pytest.mark.slow, id="many")]
)
def test_killed_at_any_moment_mails_say_what_happened(tmp_path: Path, rounds: int, kills: int, seed: int) -> None:
    command = [sys.executable, str(DRIVER), str(tmp_path), "--rounds", str(rounds), "--kills", str(kills)]
    done = subprocess.run(
        [*command, "--seed", str(seed)],
        capture_output=True,
        encoding="utf-8",
        timeout=280,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (DRIVER.parents[1], *sys.path)))},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["rounds"] == rounds
    assert found["kills"] > rounds * kills
    assert found["news"] > rounds
    assert 0 < found["pressed"] < found["people"]
    wrong = {what: found[what] for what in ("lost", "doubled", "wrong", "uninvited", "strangers")}
    assert wrong == dict.fromkeys(wrong, 0), found

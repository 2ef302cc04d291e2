"""The tests notice when a number that carries meaning, or a guard, is another: each mutant dies by the tests named.

A mutant is one change to a copy of the code. The tests that kill it need no shared data. With ``-m slow``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.paths import ROOT


@dataclass(frozen=True)
class Mutant:
    """*old*, which stands once in *file*, becomes *new*; *tests* fail then: a test file, and words in test names."""

    file: str
    old: str
    new: str
    tests: str
    words: str = ""


MUTANTS = {
    "no lock": Mutant(
        "trialindex/storage/lock.py",
        "            lock.acquire()\n",
        "            pass\n",
        "tests/durability/test_surroundings.py",
        "wait",
    ),
    "neighbours count against a trial": Mutant(
        "trialindex/search/regularization.py",
        "* self._own[rows] + smoothing *",
        "* self._own[rows] - smoothing *",
        "tests/search/test_regularization.py",
    ),
    "a caution of what a criterion negates": Mutant(
        "trialindex/search/explain.py",
        "any(not mention.negated for",
        "any(mention.negated for",
        "tests/search/test_analysis.py",
    ),
    "two texts are alike that are not": Mutant(
        "trialindex/changes/matching.py",
        "MIN_SIMILARITY = 0.5",
        "MIN_SIMILARITY = 0.35",
        "tests/changes",
        "not real",
    ),
    "an older record replaces a newer one": Mutant(
        "trialindex/ingest/run.py",
        "and new_date < held.last_updated",
        "and new_date > held.last_updated",
        "tests/ingest/test_run.py",
    ),
    "a mile is a kilometre": Mutant(
        "trialindex/search/places.py",
        "KM_PER_MILE = 1.609344",
        "KM_PER_MILE = 1.0",
        "tests/search/test_places.py",
    ),
    "hidden characters stay": Mutant(
        "trialindex/trial/sanitize.py",
        '_HIDDEN = re.compile(f"[{_REMOVED}]")',
        '_HIDDEN = re.compile("(?!)")',
        "tests/trial",
    ),
    "a limit that does not fit costs nothing": Mutant(
        "trialindex/search/settings.py",
        "mismatch_penalty: float = 2.0",
        "mismatch_penalty: float = 0.0",
        "tests/search/test_analysis.py",
    ),
    "a question is weighted as a note": Mutant(
        "trialindex/search/settings.py",
        "(1 - share) * self.question_weights[name] + share * of_note[name]",
        "share * self.question_weights[name] + (1 - share) * of_note[name]",
        "tests/search/test_settings.py",
    ),
    "what a filter left is remembered too long": Mutant(
        "trialindex/search/searcher.py",
        "if self.records.generation != self.derived.generation:",
        "if self.records.generation < 0:",
        "tests/storage/test_readers.py",
        "filter_sees",
    ),
    "feedback from too few trials": Mutant(
        "trialindex/search/settings.py",
        "cutoff_rank: int = 200",
        "cutoff_rank: int = 20",
        "tests/search/test_settings.py",
    ),
    "no synonyms": Mutant(
        "trialindex/search/settings.py",
        "synonyms: int = 6",
        "synonyms: int = 0",
        "tests/search/test_analysis.py",
    ),
    "an excerpt without end": Mutant(
        "trialindex/search/explain.py",
        "LONGEST = 320",
        "LONGEST = 3200",
        "tests/search/test_explain.py",
    ),
    "a negation without end": Mutant(
        "trialindex/concepts/context.py",
        "_SCOPE = 6\n",
        "_SCOPE = 60\n",
        "tests/concepts/test_context.py",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_can_be_made(name: str) -> None:
    mutant = MUTANTS[name]
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert (ROOT / mutant.tests).exists()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and its tests."""
    folder = tmp_path_factory.mktemp("copy")
    for part in ("trialindex", "plugins", "tests", "benchmarks", "docs", "indexes"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("*.*"):
        if file.is_file():
            shutil.copy(file, folder)
    return folder


def run_tests(copy: Path, mutant: Mutant) -> bool:
    """Whether its tests pass with the copy as it is now."""
    paths = (copy, copy / "plugins", *filter(None, [os.environ.get("PYTHONPATH")]))
    options = ("-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "-k", mutant.words, mutant.tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "TRIALINDEX_SHARED_DATA": str(copy / "none")},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    return done.returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_dies(name: str, copy: Path) -> None:
    mutant = MUTANTS[name]
    file = copy / mutant.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        assert not run_tests(copy, mutant)
    finally:
        file.write_text(whole, encoding="utf-8")
    assert run_tests(copy, mutant), "its tests fail without it"

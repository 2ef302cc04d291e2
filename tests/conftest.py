"""What every test has: paths of its own, plugins of its own, and small indexes on every vector store."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from support.helpers import CountingEncoder, ListSource, OtherEncoder, fake_plugins
from trialindex.index import Index
from trialindex.plugin import registry
from trialindex.plugin.registry import Plugins
from trialindex.sample import sample_index
from trialindex.testing import BruteForceStore, sample_trials
from trialindex.trial import Trial

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""Tests run in as many processes as there are cores; with as many threads in each, FAISS has them wait for one another.
It reads this when it is first imported, which no import above does."""


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the homes of the tests lie: thousands of numbered folders in one place take milliseconds each to number."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def own_paths(homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes what belongs to the user who runs it."""
    home = Path(tempfile.mkdtemp(dir=homes))
    for name, folder in {
        "HOME": "",
        "USERPROFILE": "",
        "LOCALAPPDATA": "local",
        "XDG_DATA_HOME": "data",
        "XDG_CACHE_HOME": "cache",
        "XDG_CONFIG_HOME": "config",
        "XDG_STATE_HOME": "state",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.delenv("TRIALINDEX_INDEX", raising=False)
    return home


@pytest.fixture(scope="session")
def sample_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that holds the sample index, built once a run, whichever process of the run asks first."""
    run = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent
    cache = run / "sample-cache"
    with pytest.MonkeyPatch.context() as patch, FileLock(run / "sample-cache.lock"):
        patch.setenv("XDG_CACHE_HOME", str(cache))
        sample_index().close()
    return cache


@pytest.fixture
def warm_cache(sample_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the run in place of an empty one: what a process compiles in it, the next one finds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(sample_cache))
    return sample_cache


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests end no power; waiting until each file is on the disk would be most of their time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """Plugins of the test's own as those of the process: a fake encoder, and every vector store."""
    private = fake_plugins()
    monkeypatch.setattr(registry, "plugins", cache(lambda: private))
    CountingEncoder.texts.clear()
    OtherEncoder.give = None
    return private


@pytest.fixture(params=[BruteForceStore.name, "faiss"])
def store(request: pytest.FixtureRequest, registered: Plugins) -> str:
    """The name of a vector store; a test that asks for it runs on each."""
    return str(request.param)


@pytest.fixture
def new_index(store: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An empty index."""
    with Index.open(_copy(store, [], tmp_path, tmp_path_factory)) as index:
        yield index


@pytest.fixture
def index(store: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of the twelve sample trials."""
    with Index.open(_copy(store, sample_trials(), tmp_path, tmp_path_factory)) as index:
        yield index


_made: dict[tuple[str, int], Path] = {}


def _copy(store: str, trials: list[Trial], tmp_path: Path, factory: pytest.TempPathFactory) -> Path:
    """A copy of an index of these trials; the first one is made, which takes longer."""
    key = (store, len(trials))
    if key not in _made:
        _made[key] = factory.mktemp("made") / "index"
        with Index.create(_made[key], encoder=CountingEncoder.name, store=store) as index:
            index.ingest(ListSource(*trials, spec="sample"))
        CountingEncoder.texts.clear()
    return Path(shutil.copytree(_made[key], tmp_path / "index"))

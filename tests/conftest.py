"""What every test has: paths of its own, plugins of its own, and small indexes on every vector store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import CountingEncoder, ListSource, OtherEncoder, fake_plugins
from trialindex import plugins as plugins_module
from trialindex.index import Index
from trialindex.plugins import Plugins
from trialindex.testing import BruteForceStore, sample_trials


@pytest.fixture(autouse=True)
def own_paths(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes what belongs to the user who runs it."""
    home = tmp_path_factory.mktemp("home")
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


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    """Plugins of the test's own in place of those installed: a fake encoder, and every vector store.

    ``plugins()`` is cached and many modules hold it by its name, so what it makes is replaced, not the function.
    """
    private = fake_plugins()
    plugins_module.plugins.cache_clear()
    monkeypatch.setattr(plugins_module, "Plugins", lambda: private)
    CountingEncoder.texts.clear()
    OtherEncoder.give = None
    yield private
    plugins_module.plugins.cache_clear()


@pytest.fixture(params=[BruteForceStore.name, "faiss"])
def store(request: pytest.FixtureRequest, registered: Plugins) -> str:
    """The name of a vector store; a test that asks for it runs on each."""
    return str(request.param)


@pytest.fixture
def new_index(store: str, tmp_path: Path) -> Iterator[Index]:
    """An empty index."""
    with Index.create(tmp_path / "index", encoder=CountingEncoder.name, store=store) as index:
        yield index


@pytest.fixture
def index(new_index: Index) -> Index:
    """An index of the twelve sample trials."""
    new_index.ingest(ListSource(*sample_trials()))
    return new_index

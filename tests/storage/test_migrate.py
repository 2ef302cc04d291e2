"""From one format to the next, step by step and once, whatever kills it. The steps are made up: there is one format."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from support.helpers import execute
from trialindex.errors import IndexFormatError
from trialindex.index import Index
from trialindex.storage import manifest
from trialindex.storage.manifest import Manifest
from trialindex.storage.migrate import STEPS, Step, migrate
from trialindex.storage.records import Records


def add_table(name: str) -> Step:
    def step(records: Records, description: Manifest) -> None:
        records.database.execute(f"CREATE TABLE IF NOT EXISTS {name} (dimension INTEGER)")
        records.database.execute(f"INSERT INTO {name} VALUES (?)", (description.encoder.dimension,))

    return step


TWO_STEPS = {1: add_table("second"), 2: add_table("third")}


@pytest.fixture(autouse=True)
def format_3(monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    """This program knows three formats, and the index is of the first."""
    monkeypatch.setattr(manifest, "FORMAT", 3)


def test_every_step_leads_to_the_newest_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert sorted(STEPS) == list(range(1, manifest.FORMAT))


def test_steps_are_made_in_turn_and_once(index: Index) -> None:
    with Records(index.folder) as records:
        assert migrate(index.folder, index.manifest, records, TWO_STEPS).format == 3
        assert migrate(index.folder, manifest.read(index.folder), records, TWO_STEPS).format == 3
    assert execute(index, "SELECT (SELECT count(*) FROM second), (SELECT count(*) FROM third)") == [(1, 1)]
    assert index.check() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("moment", ["in the transaction", "after the commit", "before the rename"])
def test_a_kill_leaves_the_format_before_and_the_step_is_done_again(index: Index, moment: str) -> None:
    child = os.fork()
    if not child:
        _migrate_and_die(index.folder, moment)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert manifest.read(index.folder).format == 1, "the manifest is what makes it the next format"
    with Index.open(index.folder) as again:
        assert again.check() == []
        with Records(index.folder) as records:
            assert migrate(index.folder, again.manifest, records, TWO_STEPS).format == 3
    assert execute(index, "SELECT dimension FROM third") == [(64,)]


def _migrate_and_die(folder: Path, moment: str) -> None:
    """In a child process: as far as that moment, and no further."""

    def die(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    steps = dict(TWO_STEPS)
    if moment == "in the transaction":

        def first(records: Records, description: manifest.Manifest) -> None:
            TWO_STEPS[1](records, description)
            die()

        steps[1] = first
    elif moment == "after the commit":
        manifest.Manifest.write = die  # type: ignore[method-assign]
    else:
        Path.replace = die  # type: ignore[method-assign,assignment]
    migrate(folder, manifest.read(folder), Records(folder), steps)
    os._exit(0)


def test_a_newer_format_is_refused(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(index.folder, index.manifest, Records(index.folder), TWO_STEPS)
    monkeypatch.setattr(manifest, "FORMAT", 2)
    with pytest.raises(IndexFormatError, match="has format 3; this trialindex reads up to 2"):
        Index.open(index.folder)

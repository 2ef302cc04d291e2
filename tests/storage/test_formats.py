"""Indexes of every format that users may have: opened, asked, brought to the newest format, whole all along.

The folders in ``data/formats`` were made by ``make.py`` there, each when its format was the newest.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, ids, trial
from support.paths import DATA
from trialindex.index import Index
from trialindex.ingest.run import Request
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.registry import Plugins
from trialindex.storage import manifest, migrate
from trialindex.storage.records import Records
from trialindex.testing import FakeEncoder

FORMATS = DATA / "formats"
ALL = [1, 2, 3]
NEWEST = max(ALL)


class _Fake:
    @hookimpl
    def register_encoders(self) -> list[type[FakeEncoder]]:
        return [FakeEncoder]


@pytest.fixture(autouse=True)
def with_fake(registered: Plugins) -> None:
    registered.register(_Fake(), "fake")


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the index of one format."""
    return Path(shutil.copytree(FORMATS / str(request.param), tmp_path / "index"))


KNOWN = {
    "ctgov:lupus nephritis --status RECRUITING": None,
    "csv:trials.csv": Request("csv", "trials.csv", {"map_": ["title=Name"]}, "../studies", file=True),
    "manual": None,
}
EACH = pytest.mark.parametrize("old", ALL, indirect=True)
OLD = pytest.mark.parametrize("old", ALL[:-1], indirect=True)


def tables(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "records.db")) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def whole(index: Index) -> None:
    assert index.check() == []
    assert ids(index.query("walks in lupus nephritis"))[0] == "F-1"
    assert ids(index.query("asthma", mode="lexical")) == ["F-2"]
    assert index.get("F-1").status == "RECRUITING"
    assert set(index.info().sources) == {"ctgov:lupus nephritis --status RECRUITING", "csv:trials.csv", "manual"}


def test_there_is_a_fixture_of_every_format() -> None:
    assert sorted(int(path.name) for path in FORMATS.iterdir() if path.is_dir()) == ALL
    assert manifest.FORMAT == NEWEST
    assert sorted(migrate.STEPS) == ALL[:-1]


@EACH
def test_it_opens_answers_and_is_left_as_it_is(old: Path) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    with Index.open(old) as index:
        whole(index)
        assert index.manifest.format in ALL
        assert index.requests() == (KNOWN if index.manifest.format > 1 else {})
    after = {path: path.read_bytes() for path in old.rglob("*") if path.is_file() and ".lock" not in path.name}
    assert after == {path: data for path, data in before.items() if ".lock" not in path.name}


@EACH
def test_the_next_write_brings_it_to_the_newest_format(old: Path) -> None:
    with Index.open(old) as index:
        state = index._records.source_states()
        index.ingest(ListSource(trial(1)), request=Request("list"))
        assert index.manifest.format == NEWEST
        assert index.requests()["list"] == Request("list")
        index.remove(["T-1"])
    with Index.open(old) as again:
        assert again.manifest.format == NEWEST
        assert state.items() <= again._records.source_states().items()
        assert len(again._records.lineage) == 32
        assert len(again) == 3
        assert again.check() == []
        [(digest,)] = again._records.rows("SELECT hash FROM revisions")
        earlier = again._records.earlier("F-1", digest)
        assert earlier is not None
        assert earlier.status == "NOT_YET_RECRUITING"


@OLD
def test_a_migrated_index_is_like_one_that_was_made_in_the_newest_format(old: Path, tmp_path: Path) -> None:
    with Index.open(old) as index:
        index.ingest(ListSource())

    def schema(folder: Path) -> set[tuple[str, str]]:
        with closing(sqlite3.connect(folder / "records.db")) as database:
            rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            return {(name, " ".join(sql.replace("IF NOT EXISTS ", "").split())) for name, sql in rows}

    assert schema(old) == schema(FORMATS / str(NEWEST))


@OLD
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("moment", ["before", "in the transaction", "after the commit", "before the rename"])
def test_a_kill_in_the_middle_leaves_the_old_format_or_the_new_one(old: Path, moment: str) -> None:
    before = manifest.read(old).format
    child = os.fork()
    if not child:
        _migrate_and_die(old, moment)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert manifest.read(old).format == before, "the manifest is what makes it the next format"
    with closing(sqlite3.connect(old / "records.db")) as database:  # as the program of that format reads it
        assert len(database.execute("SELECT * FROM sources").fetchone()) == 3
        assert {len(vector) for (vector,) in database.execute("SELECT vector FROM embeddings")} == {2 * 64}
    with Index.open(old) as index:
        whole(index)
        index.ingest(ListSource(trial(1)))
        assert (index.manifest.format, index.check()) == (NEWEST, [])


def _migrate_and_die(folder: Path, moment: str) -> None:
    """In a child process: as far as that moment, and no further."""

    def die(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    records = Records(folder)
    if moment == "before":
        die()
    if moment == "in the transaction":
        run = records.run
        records.run = lambda statements: (run(statements), die())  # type: ignore[method-assign,assignment]
    elif moment == "after the commit":
        manifest.Manifest.write = die  # type: ignore[method-assign,assignment]
    else:
        Path.replace = die  # type: ignore[method-assign,assignment]
    migrate.migrate(folder, manifest.read(folder), records)
    os._exit(0)


@OLD
def test_two_programs_that_hold_it_open_migrate_it_once(old: Path) -> None:
    with Index.open(old) as one, Index.open(old) as other:
        one.ingest(ListSource(trial(1)))
        lineage = one._records.lineage
        other.ingest(ListSource(trial(2)))
        assert other.manifest.format == NEWEST
        assert other._records.lineage == lineage
        assert {"requests", "vectors"} <= tables(old)
        assert "embeddings" not in tables(old)
        assert other.check() == []


@OLD
def test_a_kill_before_the_old_vectors_go_leaves_them_to_the_next_write(old: Path) -> None:
    child = os.fork()
    if not child:
        run = Records.run

        def last(records: Records, statements: Sequence[str], parameters: Mapping[str, Any] | None = None) -> None:
            if any("embeddings" in statement for statement in statements):
                os.kill(os.getpid(), signal.SIGKILL)
            run(records, statements, parameters)

        Records.run = last  # type: ignore[method-assign]
        migrate.migrate(old, manifest.read(old), Records(old))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert manifest.read(old).format == NEWEST
    assert {"vectors", "embeddings"} <= tables(old)
    with Index.open(old) as index:
        whole(index)
        index.ingest(ListSource(trial(1)))
        assert "embeddings" not in tables(old)
        assert index.check() == []


@OLD
def test_what_an_older_program_wrote_after_a_killed_step_is_kept(old: Path) -> None:
    """The step is done again from what that program reads and writes, and not from what was left of the step."""
    with Index.open(old) as index:
        records = index._records
        with records.transaction():
            records.run(["CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL)"])
            records.write("INSERT INTO vectors SELECT hash, zeroblob(68) FROM embeddings LIMIT 2")
        whole(index)
        index.ingest(ListSource(trial(1)))
        assert index.check() == []


@OLD
def test_migrated_vectors_are_those_there_were(old: Path) -> None:
    with Index.open(old) as index:
        passages, before = next(index._records.vectors_since(0, 64))
        index.ingest(ListSource())
        again, after = next(index._records.vectors_since(0, 64))
        assert passages.tolist() == again.tolist()
        assert ((before * after).sum(axis=1) > 0.9995).all()
        assert index.info().generation == 5, "nothing changed that has to be derived anew"


@OLD
@pytest.mark.parametrize("bad", [b"", b"\x00" * 128, b"\xff" * 128, "text", 7])
def test_a_damaged_vector_of_an_older_format_is_named_migrated_and_mended(old: Path, bad: object) -> None:
    sql = "UPDATE embeddings SET vector = ? WHERE hash = (SELECT hash FROM passages ORDER BY num LIMIT 1)"
    with closing(sqlite3.connect(old / "records.db")) as database, database:
        database.execute(sql, [bad])
    with Index.open(old) as index:
        assert {(one.kind, one.trial) for one in index.check()} == {("embedding", "F-1")}
        assert all(one.repaired for one in index.check(repair=True))
        assert (index.manifest.format, index.check()) == (NEWEST, [])
        whole(index)

"""What a check proves beyond test_check.py: each test breaks exactly one claim, and says what it must cost."""

from __future__ import annotations

import dataclasses
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from support.helpers import (
    ONE_STORE,
    CountingEncoder,
    ListSource,
    execute,
    ids,
    ids_by_mode,
    overwrite,
    records_of,
    trial,
)
from trialindex.errors import IndexDamaged
from trialindex.index import Index
from trialindex.ingest.request import Request
from trialindex.plugin.progress import ProgressListener
from trialindex.storage import check, derived, integrity, manifest
from trialindex.testing import sample_trials
from trialindex.trial import encode
from trialindex.trial import passages as passages_module


@pytest.fixture
def aged(new_index: Index) -> Index:
    """Two trials, one of which has two earlier versions."""
    for version in range(3):
        new_index.ingest(
            ListSource(trial(1, title=f"Lupus, version {version}"), trial(2), spec="list:a"), request=Request("list")
        )
    return new_index


def kinds(index: Index, *, repair: bool = False) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.trial, one.repaired) for one in index.check(repair=repair)]


# --- what it says it proved -------------------------------------------------------------------------------------------


def test_it_says_in_numbers_what_it_went_through(index: Index) -> None:
    seen: list[tuple[int, int | None]] = []
    report = index.check(listener=ProgressListener(on_progress=lambda done, total: seen.append((done, total))))
    count = index.info().passages
    assert report == []
    assert report.performed[1:5] == (
        "12 records hashed and compared with what filters read",
        "0 earlier versions hashed",
        f"{count} passages cut again",
        f"{count} vectors of 64 numbers read again",
    )
    assert report.performed[5] == f"{count} searches compared with brute force over {count} vectors"
    assert report.performed[6].startswith("12 trials counted in the word index, 12 of them")
    assert seen == [(0, 12), (12, 12)]


def test_the_command_says_it_too(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex.cli import cli

    index.close()
    done = CliRunner().invoke(cli, ["check", "--index", str(index.folder)])
    assert done.exit_code == 0
    assert "Checked: " in done.output
    assert "12 records hashed" in done.output
    assert done.output.endswith("The index is whole: 12 trials.\n")
    assert CliRunner().invoke(cli, ["check", "-q", "--index", str(index.folder)]).output == ""


@ONE_STORE
def test_a_command_that_finds_much_counts_it(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex.cli import cli

    new_index.ingest(ListSource(*(trial(n) for n in range(30))))
    execute(new_index, "UPDATE trials SET status = 'WITHHELD'")
    new_index.close()
    done = CliRunner().invoke(cli, ["check", "--index", str(new_index.folder)])
    assert done.exit_code == 1
    assert done.output.count("broken: ") == 20
    assert "and 10 more of the kind: filters" in done.output


# --- earlier versions -------------------------------------------------------------------------------------------------

OTHER = zlib.compress(encode(sample_trials()[0]))


@ONE_STORE
@pytest.mark.parametrize("record", [b"garbage", OTHER, "text", None], ids=["garbage", "another's", "no bytes", "old"])
def test_a_damaged_earlier_version_is_named_and_stays(aged: Index, record: Any) -> None:
    if record is None:
        execute(aged, "UPDATE revisions SET hash = 'x'")
        expected = 2
    else:
        execute(aged, "UPDATE revisions SET record = ? WHERE replaced_in = 3", record)
        expected = 1
    assert kinds(aged) == [("revision", "T-1", False)] * expected
    assert kinds(aged, repair=True) == [("revision", "T-1", False)] * expected
    assert aged.get("T-1").title == "Lupus, version 2"
    if record == b"garbage":
        with pytest.raises(IndexDamaged):
            aged.history("T-1")


@ONE_STORE
def test_the_day_of_an_earlier_version_must_be_one(aged: Index) -> None:
    execute(aged, "UPDATE revisions SET seen = '2026-01-#1' WHERE replaced_in = 3")
    assert kinds(aged) == [("revision", "T-1", False)]


# --- the rule that cuts passages --------------------------------------------------------------------------------------


@ONE_STORE
def test_passages_of_an_older_rule_are_cut_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = passages_module.VERSION + 1
    for module in (passages_module, integrity, check):
        monkeypatch.setattr(module, "VERSION", newer)
    assert kinds(index) == [("passages", "", False)]
    before = ids_by_mode(index)
    assert kinds(index, repair=True) == [("passages", "", True)]
    assert CountingEncoder.texts == []
    assert index.manifest.passages == manifest.read(index.folder).passages == newer
    assert index.check() == []
    assert ids_by_mode(index) == before


@ONE_STORE
def test_a_new_rule_encodes_only_what_it_cuts_otherwise(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = passages_module.passages

    def with_more(one: Any) -> Any:
        yield from cut(one)
        if one.id in ("EX-0009", "EX-0010"):
            yield passages_module.Passage("more", f"More of {one.id}.")

    from trialindex.ingest import embedding
    from trialindex.storage import passage_rows

    for module in (integrity, check, passage_rows, embedding):
        monkeypatch.setattr(module, "passages", with_more)
    for module in (integrity, check):
        monkeypatch.setattr(module, "VERSION", 99)
    assert kinds(index, repair=True) == [("passages", "", True)]
    assert sorted(CountingEncoder.texts) == ["More of EX-0009.", "More of EX-0010."]
    assert index.check() == []


# --- rows -------------------------------------------------------------------------------------------------------------


ROWS: list[tuple[str, tuple[str, ...]]] = [
    ("UPDATE trials SET generation = 99 WHERE id = 'T-2'", ("passages",)),
    ("UPDATE trials SET generation = 'x' WHERE id = 'T-2'", ("passages",)),
    ("UPDATE passages SET generation = 99 WHERE position = 0", ("passages", "passages")),
    ("UPDATE trials SET first_seen = '2026-01-#1' WHERE id = 'T-1'", ("filters",)),
    ("UPDATE trials SET last_checked = CAST(x'ff' AS TEXT), first_seen = 7 WHERE id = 'T-2'", ("filters",)),
    ("UPDATE trials SET status = CAST(x'ff' AS TEXT) WHERE id = 'T-2'", ("filters",)),
    ("UPDATE sources SET state = '{' WHERE spec = 'list:a'", ("source",)),
    ("UPDATE sources SET state = CAST(x'7bff7d' AS TEXT) WHERE spec = 'list:a'", ("source",)),
    ("UPDATE sources SET request = '{\"nbme\": 1}' WHERE spec = 'list:a'", ("source",)),
    ("UPDATE sources SET request = CAST(x'ff' AS TEXT) WHERE spec = 'list:a'", ("source",)),
]


@ONE_STORE
@pytest.mark.parametrize(("sql", "expected"), ROWS)
def test_a_damaged_row_is_named_and_mended(aged: Index, sql: str, expected: tuple[str, ...]) -> None:
    execute(aged, sql)
    assert tuple(kind for kind, _, _ in kinds(aged)) == expected
    assert all(repaired for _, _, repaired in kinds(aged, repair=True))
    assert aged.check() == []
    assert sorted(ids(aged.query("lupus trial", mode="vector"))) == ["T-1", "T-2"]
    assert set(aged.requests()) == {"list:a", "sample"}
    assert aged.ingest(ListSource(trial(1), trial(3), spec="list:a")).added == 1
    assert aged.check() == []


@ONE_STORE
@pytest.mark.parametrize("column", ["request", "state"])
def test_what_a_damaged_source_says_is_no_traceback(aged: Index, column: str) -> None:
    execute(aged, f"UPDATE sources SET {column} = '['")
    with pytest.raises(IndexDamaged, match="check --repair") as raised:
        aged.requests() if column == "request" else aged.ingest(ListSource(spec="list:a"))
    assert "\n" not in str(raised.value)


@ONE_STORE
def test_rows_of_nobody_go(index: Index) -> None:
    execute(index, "PRAGMA foreign_keys = OFF")
    execute(index, "INSERT INTO phases VALUES ('PHASE1', 999)")
    execute(index, "INSERT INTO passages (trial, position, hash, generation) VALUES (999, 0, x'00', 1)")
    assert [kind for kind, _, _ in kinds(index)] == ["records", "records"]
    assert {(kind, repaired) for kind, _, repaired in kinds(index, repair=True)} == {("records", True)}
    assert index.check() == []


@ONE_STORE
def test_a_damaged_index_of_the_database_is_made_anew(index: Index) -> None:
    before = ids_by_mode(index)
    (root,) = execute(index, "SELECT rootpage FROM sqlite_master WHERE name = 'trials_generation'")[0]
    (size,) = execute(index, "PRAGMA page_size")[0]
    execute(index, "PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()
    path = index.folder / "records.db"
    data = bytearray(path.read_bytes())
    data[root * size - 3] ^= 0x04  # the number in one of its entries
    overwrite(path, bytes(data))
    with Index.open(index.folder) as damaged:
        assert {kind for kind, _, _ in kinds(damaged)} == {"records"}
        assert all(repaired for _, _, repaired in kinds(damaged, repair=True))
        assert damaged.check() == []
        assert ids_by_mode(damaged) == before


# --- what is derived --------------------------------------------------------------------------------------------------


def _rewrite(index: Index, change: Callable[[derived.Derived], None]) -> None:
    """Change the vectors of the derived state, so that its files are whole."""
    state = derived.open_newest(index.folder, index._store)
    assert state is not None
    change(state)
    shutil.rmtree(state.folder / "vectors")
    (state.folder / "vectors").mkdir()
    state.vectors.save(state.folder / "vectors")
    (state.folder / derived.CHECKSUMS).write_bytes(encode(derived.checksums(state.folder)))


def test_a_vector_under_another_number_is_found_wherever_it_is(index: Index) -> None:
    numbers, vectors = next(records_of(index).passages.vectors_since(0, 64))
    middle = len(numbers) // 2

    def change(state: derived.Derived) -> None:
        state.vectors.add(numbers[middle : middle + 1], -vectors[middle : middle + 1])

    _rewrite(index, change)
    assert kinds(index, repair=True) == [("derived", "", True)]


@ONE_STORE
def test_a_store_that_finds_others_than_brute_force_is_found(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds everything, under the right numbers, and yet its search leaves out the nearest."""
    search = index._store.store.search

    def lazy(self: Any, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, found = search(self, queries, k + 5, allowed)
        return (scores[:, 5:], found[:, 5:]) if allowed is None else (scores[:, :k], found[:, :k])

    monkeypatch.setattr(index._store.store, "search", lazy)
    (finding,) = index.check()
    assert finding.kind == "derived"
    assert "brute force" in finding.what


@ONE_STORE
def test_an_approximate_store_is_no_damaged_one(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    search = index._store.store.search

    def rounded(self: Any, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, found = search(self, queries, k, allowed)
        return np.where(np.isfinite(scores), scores - 0.004, scores), found

    monkeypatch.setattr(index._store.store, "search", rounded)
    assert index.check() == []


def test_files_that_a_person_reads_are_proved_too(index: Index, tmp_path: Path) -> None:
    """The manifest names what the vectors are: with another model's name nothing is encoded, and the check says so."""
    altered = dataclasses.replace(index.manifest.encoder, sha256="0" * 64)
    msgspec.structs.replace(index.manifest, encoder=altered).write(index.folder)
    index.close()
    with Index.open(index.folder) as other:
        assert kinds(other) == [("encoder", "", False)]


@ONE_STORE
def test_a_table_of_owners_that_is_not_of_these_records_is_found(index: Index) -> None:
    from trialindex.storage import passage_table

    state = derived.open_newest(index.folder, index._store)
    assert state is not None
    table = passage_table.read(state.folder)
    assert table is not None
    passage_table.write(state.folder, np.array(table)[:, ::-1], (), iter(()))
    (state.folder / derived.CHECKSUMS).write_bytes(encode(derived.checksums(state.folder)))
    index.close()
    with Index.open(index.folder) as other:
        assert [one.what for one in other.check() if "owners.npy" in one.what]
        assert kinds(other, repair=True)[0][2]
        assert other.check() == []


@ONE_STORE
@pytest.mark.parametrize("number", ["0", "-1"])
def test_a_format_that_there_never_was_is_damage(index: Index, number: str) -> None:
    path = index.folder / "manifest.json"
    path.write_text(path.read_text().replace(f'"format": {manifest.FORMAT}', f'"format": {number}'))
    with pytest.raises(IndexDamaged, match=r"manifest\.json cannot be read"):
        Index.open(index.folder)

"""A check finds every kind of damage, and a repair mends what it says it mends."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from support.helpers import ONE_STORE, CountingEncoder, ListSource, execute, ids, overwrite, records_of, trial
from trialindex.errors import IndexDamaged
from trialindex.index import Index
from trialindex.storage import derived
from trialindex.storage.lexical import Lexical
from trialindex.testing import sample_trials
from trialindex.trial import encode
from trialindex.trial.prepare import prepare

VICTIM = "EX-0009"


def number(index: Index) -> int:
    return int(execute(index, "SELECT num FROM trials WHERE id = ?", VICTIM)[0][0])


def _vector(index: Index, sql: str, *parameters: Any) -> None:
    passage = "SELECT hash FROM passages WHERE trial = ? AND position = 0"
    execute(index, f"{sql} WHERE hash = ({passage})", *parameters, number(index))


def _no_vector(index: Index) -> None:
    _vector(index, "DELETE FROM vectors")


def _short_vector(index: Index) -> None:
    _vector(index, "UPDATE vectors SET vector = substr(vector, 1, 60)")


def _zero_vector(index: Index) -> None:
    _vector(index, "UPDATE vectors SET vector = zeroblob(length(vector))")


def _vector_of_another_format(index: Index) -> None:
    _vector(index, "UPDATE vectors SET vector = ?", b"\xff" * 128)


def _bit_in_a_vector(index: Index) -> None:
    """Too small to change its length: SQLite does not see it, nor does one who measures."""
    passage = "SELECT hash FROM passages WHERE trial = ? AND position = 0"
    [(vector,)] = execute(index, f"SELECT vector FROM vectors WHERE hash = ({passage})", number(index))
    _vector(index, "UPDATE vectors SET vector = ?", bytes([vector[0] ^ 1]) + vector[1:])


def _no_passage(index: Index) -> None:
    execute(index, "DELETE FROM passages WHERE trial = ? AND position = 0", number(index))


def _other_passage(index: Index) -> None:
    other = "SELECT hash FROM passages WHERE trial = (SELECT num FROM trials WHERE id = 'EX-0010') AND position = 0"
    execute(index, f"UPDATE passages SET hash = ({other}) WHERE trial = ? AND position = 0", number(index))


def _other_status(index: Index) -> None:
    execute(index, "UPDATE trials SET status = 'WITHHELD' WHERE num = ?", number(index))


def _other_phase(index: Index) -> None:
    execute(index, "INSERT INTO phases VALUES ('PHASE4', ?)", number(index))


def _no_places(index: Index) -> None:
    execute(index, "DELETE FROM places")


def _stale_state(index: Index) -> None:
    execute(index, "UPDATE meta SET value = 7 WHERE key = 'generation'")


def _no_state(index: Index) -> None:
    shutil.rmtree(index.folder / "derived")


def _bit_in_vectors(index: Index) -> None:
    _flip(max((index.folder / "derived" / "2" / "vectors").iterdir(), key=lambda path: path.stat().st_size))


def _bit_in_words(index: Index) -> None:
    _flip(next((index.folder / "derived" / "2" / "lexical").glob("*.fast")))


def _cut_vectors(index: Index) -> None:
    path = max((index.folder / "derived" / "2" / "vectors").iterdir(), key=lambda path: path.stat().st_size)
    overwrite(path, path.read_bytes()[:-30])


def _no_checksums(index: Index) -> None:
    (index.folder / "derived" / "2" / "checksums.json").unlink()


def _flip(path: Any) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    overwrite(path, bytes(data))


DAMAGES: list[tuple[Callable[[Index], None], set[str]]] = [
    (_no_vector, {"embedding"}),
    (_short_vector, {"embedding"}),
    (_zero_vector, {"embedding"}),
    (_vector_of_another_format, {"embedding"}),
    (_bit_in_a_vector, {"embedding"}),
    (_no_passage, {"passages"}),
    (_other_passage, {"passages"}),
    (_other_status, {"filters"}),
    (_other_phase, {"filters"}),
    (_no_places, {"filters"}),
    (_stale_state, {"derived"}),
    (_no_state, {"derived"}),
    (_bit_in_vectors, {"derived"}),
    (_bit_in_words, {"derived"}),
    (_cut_vectors, {"derived"}),
    (_no_checksums, {"derived"}),
]


IN_STORES = (_no_vector, _no_state, _bit_in_vectors, _cut_vectors)
ON_EACH = [
    pytest.param(store, damage, kinds, id=f"{store}{damage.__name__}")
    for damage, kinds in DAMAGES
    for store in (("brute-force", "faiss") if damage in IN_STORES else ("brute-force",))
]


@pytest.mark.parametrize(("store", "damage", "kinds"), ON_EACH, indirect=["store"])
def test_damage_is_found_and_repaired(index: Index, damage: Callable[[Index], None], kinds: set[str]) -> None:
    index.close()
    with Index.open(index.folder) as damaged:
        damage(damaged)
    with Index.open(index.folder) as damaged:
        found = damaged.check()
        assert kinds <= {f.kind for f in found}
        assert not any(f.repaired for f in found)
        assert all("\n" not in f.what for f in found)
        repaired = damaged.check(repair=True)
        assert [(f.kind, f.what) for f in repaired] == [(f.kind, f.what) for f in found]
        assert all(f.repaired for f in repaired)
        assert damaged.check() == []
        assert len(damaged.query("lupus", mode="vector", limit=99).hits) == 12
    with Index.open(index.folder) as again:
        assert again.check(repair=True) == []
        assert [t.content_hash for t in again.trials(contacts=True)] == [
            prepare(t).content_hash for t in sample_trials()
        ]


def test_a_whole_index_has_no_findings_and_a_repair_does_nothing(index: Index) -> None:
    assert index.check() == []
    before = index.info()
    assert index.check(repair=True) == []
    assert index.info() == before
    assert CountingEncoder.texts == []


@ONE_STORE
@pytest.mark.parametrize("damage", [_no_passage, _other_status, _no_state])
def test_a_repair_encodes_only_what_has_no_vector(index: Index, damage: Callable[[Index], None]) -> None:
    damage(index)
    index.check(repair=True)
    assert CountingEncoder.texts == []


@ONE_STORE
def test_a_repair_encodes_a_bad_vector_once(index: Index) -> None:
    _zero_vector(index)
    index.check(repair=True)
    assert len(CountingEncoder.texts) == 1


@ONE_STORE
def test_a_damaged_vector_is_named_never_read_and_encoded_again_as_it_was(index: Index) -> None:
    before = execute(index, "SELECT hash, vector FROM vectors ORDER BY hash")
    count = index.info().passages
    _bit_in_a_vector(index)
    assert [(one.what, one.trial) for one in index.check() if one.kind == "embedding"] == [
        (f"a vector of {VICTIM} does not agree with its checksum", VICTIM)
    ]
    assert sum(len(numbers) for numbers, _ in records_of(index).passages.vectors_since(0, 64)) == count - 1
    assert all(one.repaired for one in index.check(repair=True))
    assert execute(index, "SELECT hash, vector FROM vectors ORDER BY hash") == before


RECORDS = [
    b"garbage",
    b"",
    zlib.compress(b"{"),
    zlib.compress(b'{"id": "EX-0009"}'),
    zlib.compress(encode(sample_trials()[1])),
    None,
]


@ONE_STORE
@pytest.mark.parametrize("record", RECORDS, ids=["garbage", "empty", "cut", "not a trial", "another trial", "changed"])
def test_a_damaged_record_is_named_and_its_source_heals_it(index: Index, record: bytes | None) -> None:
    if record is None:
        record = zlib.compress(encode(msgspec.structs.replace(sample_trials()[8], sex="MALE", minimum_age=2)))
    execute(index, "UPDATE trials SET record = ? WHERE id = ?", record, VICTIM)
    found = index.check(repair=True)
    (lost,) = [f for f in found if f.kind == "record"]
    assert (lost.trial, lost.repaired) == (VICTIM, False)
    assert VICTIM in lost.what
    index.ingest(ListSource(*sample_trials()))
    assert index.check(repair=True) == [] or index.check() == []
    assert index.get(VICTIM).content_hash == sample_trials()[8].masked().content_hash


def test_one_damaged_record_keeps_nothing_else_from_being_repaired(index: Index) -> None:
    execute(index, "UPDATE trials SET record = ? WHERE id = ?", b"garbage", VICTIM)
    _no_vector(index)
    execute(index, "DELETE FROM passages WHERE trial = (SELECT num FROM trials WHERE id = 'EX-0010')")
    _no_state(index)
    found = index.check(repair=True)
    mended = {f.what for f in found if f.repaired}
    assert any("EX-0010" in what for what in mended)
    assert all(VICTIM in f.what or f.kind == "derived" for f in found if not f.repaired)
    assert ids(index.query(sample_trials()[9].title, limit=1)) == ["EX-0010"]
    with pytest.raises(IndexDamaged, match="trialindex check"):
        index.get(VICTIM)
    index.ingest(ListSource(*sample_trials()))
    index.check(repair=True)
    assert index.check() == []


@ONE_STORE
def test_a_tampered_raw_record_is_damage_of_the_record(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(raw={"a": 1})))
    execute(new_index, "UPDATE raw SET record = ?", b"garbage")
    (finding,) = new_index.check()
    assert (finding.kind, finding.trial) == ("record", "T-1")
    assert new_index.get("T-1").id == "T-1"


@ONE_STORE
def test_a_row_of_nobody_is_found(index: Index) -> None:
    execute(index, "PRAGMA foreign_keys = OFF")
    execute(index, "INSERT INTO phases VALUES ('PHASE1', 999)")
    (finding,) = index.check()
    assert finding.kind == "records"
    assert "phases" in finding.what


@ONE_STORE
def test_a_damaged_page_is_found_and_not_repaired(index: Index) -> None:
    (root,) = execute(index, "SELECT rootpage FROM sqlite_master WHERE name = 'vectors'")[0]
    (size,) = execute(index, "PRAGMA page_size")[0]
    execute(index, "PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()
    path = index.folder / "records.db"
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : (root - 1) * size + 200] = b"\xa5" * 200
    overwrite(path, bytes(data))
    with Index.open(index.folder) as damaged:
        for repair in (False, True):
            found = damaged.check(repair=repair)
            assert {f.kind for f in found} == {"records"}
            assert not any(f.repaired for f in found)
        assert len(damaged.query("lupus", mode="lexical", limit=99).hits) >= 0
        assert records_of(damaged).generation == 2


def test_a_store_of_other_vectors_is_found(index: Index) -> None:
    """Files that are whole and of the right number, and yet not of these records."""
    path = index.folder / "derived" / "2"
    found = derived.open_newest(index.folder, index._store)
    assert found is not None
    passages, vectors = next(records_of(index).passages.vectors_since(0, 64))
    found.vectors.add(passages, vectors[::-1].copy())
    shutil.rmtree(path / "vectors")
    (path / "vectors").mkdir()
    found.vectors.save(path / "vectors")
    (path / "checksums.json").write_bytes(encode(derived.checksums(path)))
    (finding,) = index.check()
    assert "does not hold passage" in finding.what
    assert index.check(repair=True)[0].repaired


@ONE_STORE
def test_a_word_index_of_other_trials_is_found(index: Index) -> None:
    path = index.folder / "derived" / "2"
    shutil.rmtree(path / "lexical")
    numbers = [num for (num,) in execute(index, "SELECT num FROM trials")]
    Lexical(path / "lexical").update([], [(n, trial(n, title="Other")) for n in numbers])
    (path / "checksums.json").write_bytes(encode(derived.checksums(path)))
    (finding,) = index.check()
    assert "the word index does not hold" in finding.what
    assert index.check(repair=True)[0].repaired

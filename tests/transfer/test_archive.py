"""Whole indexes into an archive and out of one: everything is the same, and nothing bad gets in."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.helpers import (
    ONE_STORE,
    Checkpoint,
    CountingEncoder,
    ListSource,
    PartialSource,
    execute,
    files_of,
    ids_by_mode,
    no_space,
    state,
    trial,
)
from support.paths import ROOT
from trialindex.cli import cli
from trialindex.errors import EncoderMismatch, IndexDamaged, IndexFormatError, IndexStateError, StorageError
from trialindex.index import Index
from trialindex.ingest.request import Request
from trialindex.testing import sample_trials
from trialindex.transfer import archive, export
from trialindex.transfer.archive import MEMBERS, SOURCES, TRIALS, VECTORS
from trialindex.transfer.export import export_archive, import_archive
from trialindex.transfer.merge import merge
from trialindex.trial import Contact, Trial

ABOUT = MEMBERS[0]


@pytest.fixture
def full(index: Index) -> Index:
    """An index with a bit of everything."""
    old = trial(1, title="Before", contacts=(Contact(name="Ada", phone="+1"),), raw={"z": 1, "a": [1.5, None, "é"]})
    index.ingest(ListSource(old, trial(2), Checkpoint(page=3), spec="list:x"), request=Request("list", "x"))
    index.ingest(ListSource(trial(1, title="After", raw={"b": 10**18}), spec="list:y"))
    index.ingest(PartialSource(trial(3)))
    index.ingest(ListSource(trial(4)))
    index.remove(["T-4", "EX-0002"])
    index.forget_request("list:x")
    execute(index, "UPDATE origins SET gone = '2026-01-02' WHERE trial = (SELECT num FROM trials WHERE id = 'T-2')")
    execute(index, "UPDATE trials SET first_seen = '2020-05', last_checked = '2025-01-01' WHERE id = 'T-3'")
    return index


@pytest.fixture
def exported(full: Index, tmp_path: Path) -> Path:
    export_archive(full, tmp_path / "whole.zip")
    return tmp_path / "whole.zip"


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """The archive with other members, packed as ours are."""
    with zipfile.ZipFile(source) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as file:
        for name, data in members.items():
            file.writestr(name, data, zipfile.ZIP_STORED if name == VECTORS else zipfile.ZIP_DEFLATED)
    return target


# --- the same again ---------------------------------------------------------------------------------------------------


def test_an_index_comes_back_as_it_was(full: Index, exported: Path, tmp_path: Path) -> None:
    CountingEncoder.texts.clear()
    assert import_archive(exported, tmp_path / "again") == len(full) == 14
    with Index.open(tmp_path / "again") as again:
        assert state(again) == state(full)
        assert ids_by_mode(again, "kidney") == ids_by_mode(full, "kidney")
        assert again.check() == []
        assert again.get("T-2").gone_since == "2026-01-02"
        assert again.get("T-1", contacts=True).raw == {"b": 10**18}
        assert [one.trial.title for one in again.history("T-1")] == ["Before", "After"]
        source = ListSource(spec="list:x")
        again.ingest(source)
        assert source.seen_state == {"page": 3}
        export_archive(full, tmp_path / "one.zip")
    assert CountingEncoder.texts == []
    assert (tmp_path / "one.zip").read_bytes() == exported.read_bytes(), "the same content is the same bytes"


@ONE_STORE
def test_what_is_imported_and_exported_again_is_the_same_file(exported: Path, tmp_path: Path) -> None:
    import_archive(exported, tmp_path / "again")
    with Index.open(tmp_path / "again") as again:
        export_archive(again, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == exported.read_bytes()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.integers(-(2**60), 2**60) | TEXTS | st.floats(allow_nan=False)
TRIALS_ = st.builds(
    Trial,
    id=st.from_regex(r"[A-Za-z0-9]{1,4}", fullmatch=True),
    title=TEXTS.filter(bool),
    summary=st.none() | TEXTS,
    conditions=st.lists(TEXTS, max_size=3).map(tuple),
    raw=st.none() | st.dictionaries(TEXTS, VALUES, max_size=3),
)


@ONE_STORE
@given(batches=st.lists(st.lists(TRIALS_, max_size=5), max_size=3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_index_comes_back_as_it_was(
    batches: list[list[Trial]], store: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with Index.create(folder / "one", encoder="counting", store=store) as one:
        for number, batch in enumerate(batches):
            one.ingest(ListSource(*batch, Checkpoint(n=number), spec=f"list:{number % 2}"))
        export_archive(one, folder / "one.zip")
        import_archive(folder / "one.zip", folder / "two")
        with Index.open(folder / "two") as two:
            assert state(two) == state(one)
            export_archive(two, folder / "two.zip")
    assert (folder / "one.zip").read_bytes() == (folder / "two.zip").read_bytes()


@ONE_STORE
def test_what_is_watched_is_never_in_it(full: Index, tmp_path: Path) -> None:
    from trialindex.watching import Watches, baseline, watch_for

    with Watches(full.folder, create=True) as watches:
        watches.add(*baseline(full, watch_for(full, condition="a very private matter")))
    export_archive(full, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.namelist() == list(MEMBERS)
        assert not any(b"private matter" in file.read(name) for name in MEMBERS)


# --- what is refused --------------------------------------------------------------------------------------------------


def _json(name: str, **changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[name] = json.dumps(json.loads(members[name]) | changes).encode()

    return change


def _line(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        first, rest = members[TRIALS].split(b"\n", 1)
        entry = json.loads(first)
        change(entry)
        members[TRIALS] = json.dumps(entry).encode() + b"\n" + rest

    return changed


def _first_vector(vector: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[VECTORS] = members[VECTORS][:16] + vector + members[VECTORS][16 + len(vector) :]

    return change


def _sources(**known: Any) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update(
        {SOURCES: json.dumps({"x": {"state": {}, "ran": "2026-01-01"} | known}).encode()}
    )


HUGE = {"spec": "counting", "revision": "", "sha256": "", "dimension": 1 << 40}
BAD: dict[str, Callable[[dict[str, bytes]], Any]] = {
    "a member is missing": lambda members: members.pop(SOURCES),
    "a stranger's file": lambda members: members.update({"../../evil": b"x"}),
    "another order": lambda members: members.update({ABOUT: members.pop(ABOUT)}),
    "not JSON": lambda members: members.update({ABOUT: b"{"}),
    "deeply nested": lambda members: members.update({SOURCES: b'{"x":' * 5000 + b"}" * 5000}),
    "no encoder": _json(ABOUT, encoder=None),
    "a huge dimension": _json(ABOUT, encoder=HUGE),
    "a dimension below one": _json(ABOUT, encoder={"spec": "counting", "revision": "", "sha256": "", "dimension": -8}),
    "a huge dimension and nothing in it": lambda members: (
        members.update({VECTORS: b"", TRIALS: b""}),
        _json(ABOUT, vectors=0, trials=0, encoder=HUGE)(members),
    ),
    "a name that steers a terminal": _json(ABOUT, store="\x1b[2J"),
    "a field that steers a terminal": _line(lambda entry: entry.update({"\x1b[2J": 1})),
    "too few vectors": lambda members: members.update({VECTORS: members[VECTORS][: -(16 + 68)]}),
    "half a vector": lambda members: members.update({VECTORS: members[VECTORS][:-1]}),
    "other counts": _json(ABOUT, trials=3),
    "a generation that is too low": _json(ABOUT, generation=1),
    "a lineage that is none": _json(ABOUT, lineage="'; DROP TABLE trials"),
    "a wrong checksum": _first_vector(b"\x7f" * 68),
    "a vector of zeros": _first_vector(bytes(64) + zlib.crc32(bytes(64)).to_bytes(4, "little")),
    "a vector that nobody codes": _first_vector(b"\x01" * 64 + zlib.crc32(b"\x01" * 64).to_bytes(4, "little")),
    "another record than hashed": _line(lambda entry: entry["trial"].update(title="Other")),
    "an unknown field": _line(lambda entry: entry.update(extra=1)),
    "no day": _line(lambda entry: entry.update(last_checked="yesterday\x1b[2J")),
    "a raw record that is none": _line(lambda entry: entry["trial"].update(raw=[1])),
    "a number too large": _line(lambda entry: entry.update(generation=1 << 70)),
    "a generation of nought": _line(lambda entry: entry.update(generation=0)),
    "a trial twice": lambda members: members.update(
        {TRIALS: members[TRIALS] + members[TRIALS].split(b"\n")[0] + b"\n"}
    ),
    "an empty line": lambda members: members.update({TRIALS: b"\n" + members[TRIALS]}),
    "a state that is none": _sources(state=[1]),
    "a request that is none": _sources(asked=True, request={"name": 3}),
    "a day that is none": _sources(ran="today"),
}


@ONE_STORE
@pytest.mark.parametrize("what", BAD)
def test_a_bad_archive_is_refused_in_one_line_and_leaves_nothing(what: str, exported: Path, tmp_path: Path) -> None:
    bad = rewritten(exported, tmp_path / "bad.zip", BAD[what])
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "watches.db").touch()
    for folder in (tmp_path / "new", tmp_path / "there"):
        before = files_of(folder)
        with pytest.raises(IndexDamaged) as raised:
            import_archive(bad, folder)
        assert "\n" not in str(raised.value)
        assert "\x1b" not in str(raised.value)
        assert str(bad) in str(raised.value)
        assert files_of(folder) == before
    assert not (tmp_path / "new").exists()


@ONE_STORE
def test_a_newer_archive_and_another_rule_are_refused_with_advice(exported: Path, tmp_path: Path) -> None:
    bad = rewritten(exported, tmp_path / "bad.zip", _json(ABOUT, archive=2, encoder="of the future"))
    with pytest.raises(IndexFormatError, match="pip install --upgrade"):
        import_archive(bad, tmp_path / "new")
    bad = rewritten(exported, tmp_path / "bad.zip", _json(ABOUT, passages=99))
    with pytest.raises(IndexFormatError, match="rule 99"):
        import_archive(bad, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@ONE_STORE
def test_a_wrong_checksum_is_named(exported: Path, tmp_path: Path) -> None:
    bad = rewritten(exported, tmp_path / "bad.zip", BAD["a wrong checksum"])
    with pytest.raises(IndexDamaged, match="it holds a vector that does not agree with its checksum"):
        import_archive(bad, tmp_path / "new")


@ONE_STORE
def test_an_index_with_a_damaged_vector_is_not_exported_nor_merged(full: Index, tmp_path: Path) -> None:
    execute(full, "UPDATE vectors SET vector = zeroblob(68) WHERE hash IN (SELECT hash FROM passages LIMIT 1)")
    with pytest.raises(IndexDamaged, match="holds a damaged vector") as raised:
        export_archive(full, tmp_path / "b.zip")
    assert raised.value.hint == "Mend it: trialindex check --repair"
    assert not (tmp_path / "b.zip").exists()
    with pytest.raises(IndexDamaged, match="holds a damaged vector"):
        merge([full.folder], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


@ONE_STORE
def test_a_bomb_is_refused_before_it_is_unpacked(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = rewritten(exported, tmp_path / "bomb.zip", lambda members: members.update({TRIALS: bytes(50 << 20)}))
    with pytest.raises(IndexDamaged, match="claims to unpack to 52,428,800 bytes"):
        import_archive(bomb, tmp_path / "new")
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 2000)
    with pytest.raises(IndexDamaged, match=r"longer than|claims"):
        import_archive(exported, tmp_path / "new")


@ONE_STORE
def test_a_packed_or_encrypted_member_is_refused(exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported) as file, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in file.namelist():
            other.writestr(name, file.read(name), zipfile.ZIP_LZMA)
    with pytest.raises(IndexDamaged, match="packed in another way"):
        import_archive(tmp_path / "other.zip", tmp_path / "new")


@ONE_STORE
def test_bytes_that_were_altered_or_cut_are_found(exported: Path, tmp_path: Path) -> None:
    data = exported.read_bytes()
    bad = tmp_path / "bad.zip"
    steps = [*range(0, len(data), max(1, len(data) // 25)), len(data) - 1]
    for at in steps:
        bad.write_bytes(data[:at])
        with pytest.raises(IndexDamaged):
            import_archive(bad, tmp_path / "new")
        bad.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        try:
            import_archive(bad, tmp_path / "ok")
        except (IndexDamaged, IndexFormatError, IndexStateError):
            assert not (tmp_path / "ok").exists()
        else:  # a bit that means nothing, such as one of a date
            with Index.open(tmp_path / "ok") as index:
                export_archive(index, tmp_path / "same.zip")
            assert (tmp_path / "same.zip").read_bytes() == data
            shutil.rmtree(tmp_path / "ok")
    for foreign in (b"", b"PK\x05\x06" + bytes(18), b"\x1f\x8b junk", b"{}"):
        bad.write_bytes(foreign)
        with pytest.raises(IndexDamaged):
            import_archive(bad, tmp_path / "new")
    with pytest.raises(IndexDamaged, match="cannot be read: No such file"):
        import_archive(tmp_path / "nowhere.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@ONE_STORE
def test_it_goes_into_a_new_or_an_empty_index_only(full: Index, exported: Path, tmp_path: Path) -> None:
    before = state(full)
    with pytest.raises(IndexStateError, match="holds trials already"):
        import_archive(exported, full.folder)
    assert state(full) == before
    Index.create(tmp_path / "empty", encoder="counting", store="brute-force").close()
    assert import_archive(exported, tmp_path / "empty") == 14
    Index.create(tmp_path / "other", encoder="other", store="brute-force").close()
    with pytest.raises(EncoderMismatch):
        import_archive(exported, tmp_path / "other")


@ONE_STORE
def test_a_full_disk_leaves_nothing(
    full: Index, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("zipfile.ZipFile.open", no_space)
        with pytest.raises(StorageError, match="disk is full"):
            export_archive(full, tmp_path / "b.zip")
    assert files_of(tmp_path) == before
    monkeypatch.setattr(export, "restore", no_space)
    with pytest.raises(StorageError, match="disk is full"):
        import_archive(exported, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@ONE_STORE
def test_an_index_that_lacks_a_vector_is_not_exported(full: Index, tmp_path: Path) -> None:
    execute(full, "DELETE FROM vectors WHERE hash IN (SELECT hash FROM passages LIMIT 1)")
    with pytest.raises(IndexDamaged, match=r"lacks the vectors of \d+ passages.*--repair"):
        export_archive(full, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


# --- what is typed ----------------------------------------------------------------------------------------------------


@ONE_STORE
def test_the_commands(full: Index, tmp_path: Path) -> None:
    def typed(*words: str) -> Any:
        return CliRunner().invoke(cli, list(words))

    done = typed("export", "--archive", str(tmp_path / "a.zip"), "--index", str(full.folder))
    assert (done.exit_code, done.stdout.split(" written")[0]) == (0, "14 trials")
    done = typed("import", str(tmp_path / "a.zip"), "--index", str(tmp_path / "new"))
    assert done.stdout.endswith("holds 14 trials.\n")
    assert typed("export", "--archive", "x.zip", "--status", "recruiting").exit_code == 2
    done = typed("export", "--archive", str(tmp_path / "no" / "a.zip"), "--index", str(full.folder))
    assert "folder that exists" in str(done.exception)


@ONE_STORE
def test_the_samples_are_written_as_documented(new_index: Index, tmp_path: Path) -> None:
    new_index.ingest(ListSource(*sample_trials(2)))
    export_archive(new_index, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        about = json.loads(file.read(ABOUT))
        assert sorted(about) == sorted(archive.About.__struct_fields__)
        assert len(file.read(VECTORS)) == about["vectors"] * (16 + 64 + 4)
        lines = [json.loads(line) for line in io.BytesIO(file.read(TRIALS))]
    assert [line["trial"]["id"] for line in lines] == ["EX-0001", "EX-0002"]
    page = (ROOT / "docs" / "index-format.md").read_text(encoding="utf-8")
    for word in (*MEMBERS, *archive.About.__struct_fields__, *lines[0]):
        assert f"`{word}`" in page, f"docs/index-format.md does not name {word}"

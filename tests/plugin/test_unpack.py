"""``trialindex.plugin.unpack``: files that are plain, packed, cut off, locked or bombs."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from trialindex.errors import EvaluationError, SourceError
from trialindex.plugin.unpack import Limits, is_zip, open_unpacked, open_zip

TEXT = b"".join(b"line %d of a made-up file\n" % number for number in range(5000))
BOMB = b"0" * (16 << 20)


def zipped(path: Path, *members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def refusals(path: Path, limits: Limits | None = None) -> dict[str, str]:
    with open_zip(path, limits=limits or Limits()) as members:
        return {member.name: member.refusal for member in members}


@pytest.mark.parametrize("data", [TEXT, gzip.compress(TEXT), gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])])
def test_a_file_is_read_whole_plain_or_packed_whatever_its_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with open_unpacked(path) as file:
        assert file.read(4) + file.read() == TEXT
    with open_unpacked(path) as file:
        assert list(file) == TEXT.splitlines(keepends=True)


@pytest.mark.parametrize("damaged", [gzip.compress(TEXT)[:-20], gzip.compress(TEXT)[:-1], b"\x1f\x8bnonsense"])
def test_a_damaged_file_is_one_line_of_the_callers_error(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "f.gz"
    path.write_bytes(damaged)
    with (
        pytest.raises(EvaluationError) as raised,
        open_unpacked(path, error=EvaluationError, hint="Copy it again.") as file,
    ):
        file.read()
    assert str(raised.value) == f"{path} is cut off or damaged. Copy it again."


def test_what_came_before_the_damage_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(TEXT)[:-8])
    found = b""
    with pytest.raises(SourceError, match="is cut off"), open_unpacked(path) as file:  # noqa: PT012
        while data := file.read1(1000):
            found += data
    assert found == TEXT * 2


def test_a_bomb_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(BOMB))
    count = 0
    with pytest.raises(SourceError, match="unpacks to more than 200 times"), open_unpacked(path) as file:  # noqa: PT012
        while data := file.read1(1 << 16):
            count += len(data)
    assert count <= Limits().slack
    with open_unpacked(path, limits=Limits(ratio=2000)) as file:
        assert file.read() == BOMB
    with (
        pytest.raises(SourceError, match="unpacks to more than 3 MiB"),
        open_unpacked(path, limits=Limits(size=3 << 20)) as file,
    ):
        file.read()


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        assert not is_zip(path)
        with pytest.raises(SourceError, match="cannot be read: "), open_unpacked(path):
            pass
        with pytest.raises(SourceError, match="cannot be read: "), open_zip(path):
            pass


def test_a_zip_is_read_member_by_member_packed_ones_too(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z", ("folder/", b""), ("../a.txt", TEXT), ("b.txt.gz", gzip.compress(TEXT)), ("c", b"x"))
    assert is_zip(path)
    with open_zip(path, wanted=lambda name: ".txt" in name) as members:
        assert [member.name for member in members] == ["../a.txt", "b.txt.gz"]
        for member in members:
            with member.open() as file:
                assert file.read() == TEXT
    assert [one.name for one in tmp_path.iterdir()] == ["z"], "nothing is unpacked to disk"


def test_members_that_are_too_large_alone_or_together(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z", ("bomb", BOMB), ("text", TEXT))
    assert refusals(path) == {"bomb": "unpacks to more than 200 times its size", "text": ""}
    assert refusals(path, Limits(size=1000, ratio=5000))["text"] == "unpacks to more than 0 MiB"
    many = zipped(tmp_path / "many", *((str(number), b"0" * 3000) for number in range(9)))
    found = refusals(many, Limits(ratio=1, slack=10_000))
    assert list(found.values()) == [""] * 3 + ["with it, the zip unpacks to more than 1 times its size"] * 6
    with pytest.raises(SourceError, match="holds more than 8 files"), open_zip(many, limits=Limits(members=8)):
        pass
    with open_zip(path) as members, pytest.raises(SourceError, match=r"^bomb: unpacks to more"), members[0].open():
        pass


def test_hostile_members_are_refused_and_the_others_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z", ("lock", TEXT), ("Xname", TEXT), ("good", TEXT))
    data = bytearray(path.read_bytes().replace(b"Xname", b"\0name"))
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1  # as a password is marked
    path.write_bytes(data)
    assert refusals(path) == {"lock": "is locked with a password", "good": ""}
    rare = zipped(tmp_path / "rare", ("a", TEXT), kind=zipfile.ZIP_BZIP2)
    assert refusals(rare) == {"a": "is compressed in a way that is not read"}


@pytest.mark.parametrize("part", [b"PK\x03\x04", b"line 7 "], ids=["its header", "its content"])
def test_a_damaged_member_is_one_line(tmp_path: Path, part: bytes) -> None:
    path = zipped(tmp_path / "z", ("a", TEXT), ("b", TEXT), kind=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(part, part[::-1], 1))
    with open_zip(path) as members:
        with pytest.raises(SourceError) as raised, members[0].open() as file:
            file.read()
        assert str(raised.value) == "a is cut off or damaged. Download it again."
        with members[1].open() as file:
            assert file.read() == TEXT


def test_a_zip_that_is_cut_off(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z", ("a", TEXT))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"cannot be opened as a zip file .* cut off or damaged"), open_zip(path):
        pass

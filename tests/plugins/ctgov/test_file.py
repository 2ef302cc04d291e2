"""The source ``ctgov-file``: what a user downloads, whole, packed, cut off or wrong."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.ctgov_server import study
from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext
from trialindex_ctgov import documents
from trialindex_ctgov.files import CtgovFileSource

STUDIES = [study(n) for n in range(1, 6)]
IDS = [f"NCT{n:08d}" for n in range(1, 6)]


class Run:
    """One run over a path, and all it said; ``error`` is how it ended."""

    def __init__(self, path: Path) -> None:
        self.ids: list[str] = []
        self.rejected: list[tuple[str, str]] = []
        self.progress: list[tuple[int, int | None]] = []
        self.notes: list[str] = []
        self.error = ""
        context = IngestContext(
            on_progress=lambda done, total: self.progress.append((done, total)),
            on_reject=lambda where, why: self.rejected.append((where, why)),
            on_note=self.notes.append,
        )
        try:
            for trial in CtgovFileSource(str(path)).trials(context):
                assert trial.source == "ctgov-file"
                self.ids.append(trial.id)
        except SourceError as problem:
            self.error = str(problem)
        assert "\n" not in self.error


def lines(studies: list[Any]) -> bytes:
    return b"".join(json.dumps(s).encode() + b"\n" for s in studies)


def page_of_the_api(studies: list[Any]) -> bytes:
    """The API puts every study on a line of its own."""
    return (
        b'{"totalCount":5,"studies":['
        + b",\n".join(json.dumps(s).encode() for s in studies)
        + b'],"nextPageToken":"x"}'
    )


FORMS: dict[str, Callable[[list[Any]], bytes]] = {
    "array": lambda s: json.dumps(s).encode(),
    "array laid out": lambda s: json.dumps(s, indent=2).encode(),
    "page": lambda s: json.dumps({"studies": s}).encode(),
    "page laid out": lambda s: json.dumps({"totalCount": 5, "studies": s}, indent=2).encode(),
    "page of the API": page_of_the_api,
    "lines": lines,
    "lines without an end": lambda s: lines(s).rstrip(),
    "lines with blanks": lambda s: lines(s).replace(b"\n", b"\r\n\r\n"),
    "pages by lines": lambda s: lines([{"studies": s[:3]}, {"studies": s[3:]}]),
    "byte-order mark": lambda s: b"\xef\xbb\xbf \n" + json.dumps(s).encode(),
}


@pytest.fixture(params=[documents.SMALL, 100], ids=["small", "large"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in one go, and as a file that is too large for that."""
    monkeypatch.setattr(documents, "SMALL", request.param)


@pytest.mark.usefixtures("_both_ways")
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("form", "name"),
    [
        (f, n)
        for f in FORMS
        for n in ("studies.json", "studies.jsonl", "studies")
        if "lines" in f or not n.endswith("l")
    ],
)
def test_every_form_is_read(tmp_path: Path, form: str, name: str, packed: bool) -> None:
    data = FORMS[form](STUDIES)
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    found = Run(path)
    assert (found.ids, found.error, found.rejected) == (IDS, "", [])
    assert found.progress[-1] == (5, 5)
    assert all(total is None or done <= total for done, total in found.progress)


def test_one_study_by_itself(tmp_path: Path) -> None:
    for indent in (None, 2):
        path = tmp_path / "one.json"
        path.write_text(json.dumps(STUDIES[0], indent=indent))
        assert Run(path).ids == IDS[:1]


def test_a_folder_of_studies_and_of_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "NCT1.json").write_text(json.dumps(STUDIES[0]))
    (tmp_path / "a" / "NCT2.JSON").write_text(json.dumps(STUDIES[1]))
    (tmp_path / "a" / "b" / "NCT3.json.gz").write_bytes(gzip.compress(json.dumps(STUDIES[2]).encode(), mtime=0))
    (tmp_path / "a" / "b" / "rest.ndjson").write_bytes(lines(STUDIES[3:]))
    (tmp_path / "readme.txt").write_text("not a study")
    (tmp_path / ".hidden.json").write_text("{")
    (tmp_path / "a" / "b" / "broken.json").write_text('{"protocolSection": ')
    found = Run(tmp_path)
    assert sorted(found.ids) == IDS
    assert [where.endswith("broken.json") for where, _ in found.rejected] == [True]
    assert found.progress[-1] == (5, 5)


def test_a_zip_of_studies(tmp_path: Path) -> None:
    path = tmp_path / "ctg-studies.json.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, record in enumerate(STUDIES):
            archive.writestr(f"folder{number % 2}/NCT{number}.json", json.dumps(record))
        archive.writestr("__MACOSX/folder0/._NCT0.json", b"\0\5\26\7")
        archive.writestr("contents.csv", "NCT Number\n")
        archive.writestr("../../escape.json", "{}")
    found = Run(path)
    assert sorted(found.ids) == IDS
    assert [where.split("/")[-1] for where, _ in found.rejected] == ["escape.json, study 1"]
    assert found.progress[-1] == (6, 6)
    assert not (tmp_path.parent / "escape.json").exists()


def test_a_member_without_a_name_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "studies.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("NCT0.json", json.dumps(STUDIES[0]))
    listed = zipfile.ZipFile.infolist
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda self: [zipfile.ZipInfo(""), *listed(self)])
    found = Run(path)
    assert (found.ids, found.error) == (IDS[:1], "")


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "s.json").write_text(json.dumps(STUDIES))
    assert CtgovFileSource("~/s.json").path == tmp_path / "s.json"


# --- bad studies are skipped ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_both_ways")
def test_a_study_that_is_none_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps([STUDIES[0], {"no": "study"}, 7, None, "x", [], STUDIES[1]]))
    found = Run(path)
    assert (found.ids, found.error) == (IDS[:2], "")
    assert [where.split(", ")[1] for where, _ in found.rejected] == [f"study {n}" for n in range(2, 7)]
    assert "no protocolSection" in found.rejected[0][1]
    assert "not a JSON object" in found.rejected[1][1]


def test_a_line_that_is_no_json_is_skipped_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(lines(STUDIES[:2]) + b'{"broken": \n' + b"\xff\xfe\n" + lines(STUDIES[2:]))
    found = Run(path)
    assert (found.ids, found.error) == (IDS, "")
    assert [where.split(", ")[1] for where, _ in found.rejected] == ["line 3", "line 4"]


# --- bad files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [documents.SMALL, 100], ids=["small", "large"])
@pytest.mark.parametrize("form", ["array", "page", "page of the API", "lines"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_cut_file_keeps_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, packed: bool, size: int
) -> None:
    monkeypatch.setattr(documents, "SMALL", size)
    data = FORMS[form](STUDIES)
    path = tmp_path / ("s.jsonl" if form == "lines" else "s.json")
    if packed:
        whole = gzip.compress(data, compresslevel=0, mtime=0)
        path.write_bytes(whole[: len(whole) - len(whole) // 10])
    else:
        path.write_bytes(data[: len(data) - len(data) // 10])
    found = Run(path)
    assert found.ids == IDS[:4]
    assert "s.json" in found.error
    assert "cut off or damaged after 4 studies, near byte " in found.error
    assert "Download it again" in found.error


def test_a_flipped_byte_in_gzip_is_damage(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(json.dumps(STUDIES * 50).encode(), mtime=0))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "s.json.gz"
    path.write_bytes(packed)
    assert "cut off or damaged" in Run(path).error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b"\x1f\x8b", "cut off or damaged"),
        (b"[]", "holds no study"),
        (b'{"studies": []}', "holds no study"),
        (b"{}", "no protocolSection"),
        (b'[{"a": 1}]', "study 1: not a study"),
        (b"<!doctype html><html>", "a web page or XML"),
        (b"NCT Number,Study Title\nNCT00000001,x\n", "trialindex ingest csv:"),
        (b'\xef\xbb\xbf"NCT Number",Study Title\n', "trialindex ingest csv:"),
        ("[]".encode("utf-16"), "UTF-16"),
        (b"hello", "is not JSON"),
        (b"[1,", "cut off or damaged"),
        (b'{"protocolSection": {}', "cut off or damaged"),
        (b"[" * 100_000, "cut off or damaged"),
        (b"PK\x03\x04 and then nothing", "zip"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(content)
    found = Run(path)
    assert found.ids == []
    assert message in found.error
    assert "given.json" in found.error


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="needs a file"):
        CtgovFileSource()
    with pytest.raises(SourceError, match=r"nowhere\.json does not exist"):
        CtgovFileSource(str(tmp_path / "nowhere.json"))
    assert "holds no file that ends in .json" in Run(tmp_path).error


def test_a_zip_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", json.dumps(STUDIES[0]))
    path.write_bytes(path.read_bytes()[:-30])
    assert "cut off or damaged" in Run(path).error


def test_a_damaged_member_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.json", json.dumps(STUDIES[number]))
    path.write_bytes(path.read_bytes().replace(b"plan 2", b"plan X", 1))
    found = Run(path)
    assert found.ids == [IDS[0], IDS[2]]
    assert found.rejected[0][0].endswith("1.json")
    assert "damaged" in found.rejected[0][1]


def test_zip_bombs_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("huge.json", b"[" + b" " * (documents.LIMIT + 1) + b"]")
        archive.writestr("dense.json", b"[" + b" " * (5 << 20) + b"]")
        archive.writestr("good.json", json.dumps(STUDIES[0]))
    found = Run(path)
    assert found.ids == IDS[:1]
    assert [why.split(" times")[0] for _, why in found.rejected] == [
        "unpacks to more than 64 MiB",
        "unpacks to more than 200",
    ]


@pytest.mark.parametrize("name", ["bomb.json.gz", "bomb.jsonl.gz"])
def test_gzip_bombs_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(documents, "LIMIT", 1 << 20)
    monkeypatch.setattr(documents, "SMALL", 1 << 16)
    path = tmp_path / name
    with gzip.open(path, "wb") as file:
        file.write(b'[{"a": "' if name == "bomb.json.gz" else b'{"a": "')
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    found = Run(path)
    assert "more than 1 MiB without a whole study" in found.error


# --- large files ----------------------------------------------------------------------------------------------------

MEASURE = """
import resource, sys
from trialindex.plugin.interfaces import IngestContext
from trialindex_ctgov.files import CtgovFileSource
import ijson

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

before = peak()
count = sum(1 for _ in CtgovFileSource(sys.argv[1]).trials(IngestContext()))
print(count, peak() - before)
"""


@pytest.mark.parametrize("form", ["array", "lines", "page", "array.gz", "zip"])
def test_a_large_file_never_stands_in_memory(tmp_path: Path, form: str) -> None:
    text = "Made-up words of a summary. " * 1500
    record = json.dumps(study(1, descriptionModule={"briefSummary": text}))
    count = 2000  # some 85 MB
    path = tmp_path / {"lines": "s.jsonl", "zip": "s.zip", "array.gz": "s.json.gz"}.get(form, "s.json")
    if form == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for number in range(count):
                archive.writestr(f"{number}.json", record)
    else:
        opener: Any = gzip.open if form == "array.gz" else open
        forms = {"lines": ("", "\n", "\n"), "page": ('{"studies":[', ",\n", "]}")}
        start, between, end = forms.get(form, ("[", ",", "]"))
        with opener(path, "wt", encoding="utf-8") as out:
            out.write(start)
            for number in range(count):
                out.write(between * (number > 0) + record)
            out.write(end)
    shown = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    read, growth = map(int, shown.stdout.split())
    assert read == count
    assert growth < 48 << 20, f"{growth >> 20} MiB"

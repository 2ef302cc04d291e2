"""The ``csv`` source and what files may be: their encodings and delimiters, bad rows, and no CSV at all."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from support.csv_cases import exactly, read, write
from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext
from trialindex.trial import Trial, TrialDate
from trialindex_csv.source import CsvSource

# --- encodings and delimiters ---------------------------------------------------------------------------------------

FRENCH = [["id", "title", "city"], ["X", "Étude des lésions rénales à l’hôpital – phase 2", "Besançon"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_detected(tmp_path: Path, encoding: str, delimiter: str) -> None:
    run = read(write(tmp_path / "x.csv", FRENCH, encoding, delimiter))
    assert (run.trials[0].title, run.trials[0].sites[0].city) == (FRENCH[1][1], "Besançon")
    assert [note for note in run.notes if "is read as cp1252" in note] == run.notes
    assert bool(run.notes) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("cp1251", "Исследование волчанки у взрослых"), ("cp932", "全身性エリテマトーデスの臨床試験")],
)
def test_other_scripts(tmp_path: Path, encoding: str, text: str) -> None:
    assert read(write(tmp_path / "x.csv", [["id", "title"], ["X", text]], encoding)).trials[0].title == text


def test_what_is_not_utf8_may_come_late(tmp_path: Path) -> None:
    rows = [["id", "title"], *([f"X{n}", "Plain words only"] for n in range(9000)), ["Y", "Lésions à l’hôpital"]]
    run = read(write(tmp_path / "x.csv", rows, "cp1252"))
    assert run.trials[-1].title == "Lésions à l’hôpital"


def test_encoding_and_delimiter_can_be_given(tmp_path: Path) -> None:
    rows = [["id", "title"], ["X", "Łódź, żółtaczka"]]
    path = write(tmp_path / "x.csv", rows, "cp1250", ";")
    run = read(path, encoding="cp1250", delimiter="semicolon")
    assert (run.trials[0].title, run.notes) == ("Łódź, żółtaczka", [])
    with pytest.raises(
        SourceError, match=r"is not utf-8 text from beginning to end\. Give its encoding with --encoding"
    ):
        read(path, encoding="utf-8")
    with pytest.raises(SourceError, match="Its columns: id;title"):
        read(path, encoding="cp1250", delimiter=",")


def test_gzip_and_the_line_that_excel_puts_first(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(
        gzip.compress(codecs.BOM_UTF8 + b"sep=;\r\nid;title;phases\r\nX;a, b, c;1\r\nY;d, e, f;9\r\n", mtime=0)
    )
    run = read(path)
    assert run.trials[0].title == "a, b, c"
    assert run.dropped[0][0] == "line 4"


# --- bad rows -------------------------------------------------------------------------------------------------------


def test_bad_cells_and_rows_are_reported_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(
        b"id,title,status,start_date\r\n"  # 1
        b'A,"Title\r\nof two lines",recruiting,2024\r\n'  # 2, 3
        b"\r\n"  # 4
        b"B,T,recruting,2024-02-30\r\n"  # 5
        b",T,,\r\n"  # 6
        b"C,T,recruiting\r\n"  # 7
        b"D,T,recruiting,2024,more\r\n"  # 8
        b"A,Again,,\r\n"  # 9
        b'E,"a "b" c",,\r\n'  # 10
        b"F,N\0L,,\r\n"  # 11
        b"G,T,,05/06/2024\r\n"  # 12
        b"H,,,\r\n"  # 13
        b'I,"three\n\nlines",,,,\r\n'  # 14 to 16, with delimiters left over at the end
        b"J,last,,"  # 17
    )
    run = read(path)
    assert run.ids == ["B", "C", "A", "E", "F", "G", "I", "J"]
    said = dict(run.rejected)
    assert list(said) == [f"line {n}" for n in (6, 8, 9, 13)]
    dropped = [why for where, why in run.dropped if where == "line 5"]
    assert len(dropped) == 2
    assert any('status": "recruting" is not a known status. Did you mean "RECRUITING"?' in why for why in dropped)
    assert any('"start_date": "2024-02-30" is not a date' in why for why in dropped)
    assert said["line 6"] == '"id": missing'
    assert ("line 7", "the row ends 1 cell before its header does") in run.dropped
    assert said["line 8"] == "5 cells where the header has 4"
    assert said["line 9"] == "A is in line 2 already, with another title"
    assert (run.trials[3].title, run.trials[4].title) == ('"a "b" c"', "NL")
    assert "with the day or the month first" in dict(run.dropped)["line 12"]
    assert said["line 13"] == '"title": missing'
    assert run.progress[-1] == (12, 12)
    assert read(path, date_order="dmy").trials[5].start_date == TrialDate(date="2024-06-05")


def test_problems_name_the_column_of_the_file(tmp_path: Path) -> None:
    rows = [["NCT Number", "Study Title", "Age", "Study Results", "Enrollment", "Sex"]]
    rows += [["NCT1", "T", "from birth", "perhaps", "many", "x"]]
    run = read(write(tmp_path / "x.csv", rows))
    assert run.ids == ["NCT1"]
    why = "; ".join(why for _, why in run.dropped)
    for said in (
        '"Age": "from birth" is not a range of ages',
        '"Study Results": "perhaps" is neither yes nor no',
        '"Enrollment": "many" is not a whole number',
        '"Sex": "x" is not a known sex',
    ):
        assert said in why


def test_an_id_whose_row_was_bad_may_come_again(tmp_path: Path) -> None:
    run = read(write(tmp_path / "x.csv", [["id", "title", "sex"], ["A", "", "x"], ["A", "T", "all"]]))
    assert run.ids == ["A"]


def test_a_huge_cell_is_read(tmp_path: Path) -> None:
    run = read(write(tmp_path / "x.csv", [["id", "title", "description"], ["A", "T", "word " * 100_000]]))
    assert len(run.trials[0].description or "") == 499_999


# --- bad files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (
            b"PK\x03\x04" + bytes(200),
            "is a zip archive or an Excel workbook (an export of AACT is read by aact:), not a CSV file. Save or",
        ),
        (b"%PDF-1.7\n", "is a PDF, not a CSV file"),
        (bytes(range(256)) * 8, "is not text"),
        (gzip.compress(b"id,title\nA,T\n" * 5000, mtime=0)[:-20], "is cut off or damaged. Download it again"),
        (gzip.compress(b"id,title\nA,T\n" * 500, mtime=0)[:30] + b"x" * 50, "is cut off or damaged. Download it again"),
        (b"id,title\nA,T", ""),
        (b"id,title,title\nA,T,U\n", ""),
    ],
)
def test_bad_files_are_refused_with_one_line_before_anything_is_read(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    if not why:
        assert read(path).ids == ["A"]
        return
    source = CsvSource(str(path))
    trials: list[Trial] = []
    with pytest.raises(SourceError, match=exactly(why)) as error:
        trials.extend(source.trials(IngestContext()))
    assert not trials
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_no_file_a_folder_and_a_header_alone(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"csv needs a file\. Type csv:FILE"):
        CsvSource("")
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read(tmp_path / "missing.csv")
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        read(tmp_path)
    run = read(write(tmp_path / "x.csv", [["id", "title"]]))
    assert not run.trials
    assert "holds the names of its columns and no rows" in run.notes[0]


def test_a_column_that_is_there_twice_is_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", [["No", "Name", "name"], ["A", "T", "U"]])
    assert read(path, map_=("id=No", "title=Name")).trials[0].title == "T"
    with pytest.raises(SourceError, match='has 2 columns "NAME"'):
        read(path, map_=("id=No", "title=NAME"))


def test_a_quote_that_is_not_closed_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('id,title\nA,T\nB,"not closed\nC,T\nD,"two\nlines"\nE,T\n', encoding="utf-8")
    run = read(path)
    assert run.ids == ["A", "B", "C", "D", "E"]
    assert run.rejected == []
    assert (run.trials[1].title, run.trials[3].title) == ('"not closed', "two\nlines")
    assert run.progress[-1] == (5, 5)

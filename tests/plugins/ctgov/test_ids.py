"""Ids as people have them: in a file, in an address, spaced; and files that hold one page of several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.ctgov_server import study
from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext
from trialindex_ctgov.files import CtgovFileSource
from trialindex_ctgov.source import CtgovSource


def test_a_file_of_ids_in_any_form(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text(
        "NCT00000001\nnct00000002, https://clinicaltrials.gov/study/NCT00000003?term=x\nNCT 0000 0004\n"
        "no id here; NCT00000001 again; NCT123; XNCT00000009; NCT000000055\n",
        encoding="utf-8",
    )
    assert CtgovSource(ids_file=str(path)).request.ids == tuple(f"NCT0000000{n}" for n in (1, 2, 3, 4))


def test_a_file_without_ids_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(SourceError, match="names no Clinical"):
        CtgovSource(ids_file=str(path))
    with pytest.raises(SourceError, match="cannot be read"):
        CtgovSource(ids_file=str(tmp_path / "absent"))


@pytest.mark.parametrize(
    "typed", ["nct123", "NCT00000123", "NCT 0000 0123", "https://clinicaltrials.gov/study/NCT00000123", "NCT-00000123"]
)
def test_an_id_is_understood_as_people_type_it(typed: str) -> None:
    assert CtgovSource(ids=[typed]).request.ids == ("NCT00000123",)


def notes(path: Path) -> tuple[list[str], list[str]]:
    said: list[str] = []
    trials = CtgovFileSource(str(path)).trials(IngestContext(on_note=said.append))
    return [trial.id for trial in trials], said


@pytest.mark.parametrize("large", [False, True])
def test_a_file_with_one_page_of_several_says_so(tmp_path: Path, large: bool) -> None:
    page = {"studies": [study(1), study(2)], "nextPageToken": "x", "totalCount": 3}
    if large:
        page["padding"] = "x" * (5 << 20)
    path = tmp_path / "page.json"
    path.write_text(json.dumps(page), encoding="utf-8")
    ids, said = notes(path)
    assert ids == ["NCT00000001", "NCT00000002"]
    assert said == [f"{path} holds 2 of 3 studies, page 1 of 2: the other pages of the search are not in it."]


def test_a_whole_answer_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"studies": [study(1)], "totalCount": 1}), encoding="utf-8")
    assert notes(path) == (["NCT00000001"], [])


def test_an_array_of_pages_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pages.json"
    pages = [{"studies": [study(1), study(2)], "nextPageToken": "x"}, {"studies": [study(3)]}]
    path.write_text(json.dumps(pages), encoding="utf-8")
    assert notes(path)[0] == ["NCT00000001", "NCT00000002", "NCT00000003"]
    path.write_text(json.dumps([*pages, {"padding": "x" * (5 << 20), "studies": []}]), encoding="utf-8")
    assert notes(path)[0] == ["NCT00000001", "NCT00000002", "NCT00000003"]

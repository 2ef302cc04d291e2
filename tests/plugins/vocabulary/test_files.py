"""Getting the Disease Ontology: from files of every kind, and from a web server that may misbehave."""

from __future__ import annotations

import gzip
import json
import re
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import Run
from support.vocabulary_cases import (
    AS_LINES,
    GRAPH,
    NEPHRITIS,
    OBO,
    RECORDS,
    WHOLE,
    Site,
    only_vocabularies,
    runner,
)
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import SourceError
from trialindex.plugin.http import Pace
from trialindex.plugin.interfaces import Concept
from trialindex.plugin.registry import Plugins
from trialindex_vocabulary import download, formats
from trialindex_vocabulary.formats import read_edition
from trialindex_vocabulary.ontology import DiseaseOntology
from trialindex_vocabulary.projects import DISEASES, PROJECTS, Project


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of these tests needs no consideration."""
    monkeypatch.setattr(download, "PACE", Pace(interval=0.0, retries=download.PACE.retries, backoff=0.0))


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    return only_vocabularies(monkeypatch)


@pytest.fixture
def run(private: Plugins, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


# --- files of the ontology --------------------------------------------------------------------------------------------


def by_id(data: bytes) -> dict[str | None, Concept]:
    return {concept.id: concept for concept in read_edition(data, "the file").concepts}


def test_an_obo_file_is_read() -> None:
    edition = read_edition(OBO.read_bytes(), "small.obo")
    assert edition.version == "2031-05-17"
    found = by_id(OBO.read_bytes())
    assert list(found) == ["EX:1", "EX:2", "EX:3", "EX:4", "EX:6", "EX:7"]  # without the obsolete and the relation
    assert found["EX:4"] == Concept(
        "lupus nephritis",
        ("glomerulonephritis in lupus", 'class IV lupus "diffuse" nephritis', "LUN"),  # not broad, related, two letters
        "EX:4",
        "disease",
        ("EX:2", "EX:3"),
    )
    assert found["EX:6"].name == "Sjögren's syndrome"
    assert found["EX:7"].name == "chronic kidney disease, stage 5"


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(GRAPH).encode(),
        json.dumps(GRAPH, indent=2).encode(),
        AS_LINES,
        gzip.compress(AS_LINES),
        b"\xef\xbb\xbf" + AS_LINES,
        json.dumps({**RECORDS[1], "synonyms": ["glomerulonephritis in lupus"]}).encode(),
    ],
    ids=["graph", "indented graph", "lines", "gzip", "byte order mark", "one line, plain synonyms"],
)
def test_json_is_read(data: bytes) -> None:
    found = by_id(data)
    assert found["EX:4"] == NEPHRITIS
    assert "EX:5" not in found


def test_a_graph_states_its_version() -> None:
    assert read_edition(json.dumps(GRAPH).encode(), "doid.json").version == "2031-05-17"


BAD = {
    "empty": (b"", "is neither an OBO file nor JSON"),
    "blank": (b" \n\n", "is neither an OBO file nor JSON"),
    "web page": (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "is a web page or XML"),
    "owl": (b'<?xml version="1.0"?>\n<rdf:RDF/>', "is a web page or XML"),
    "table": (b"id\tname\nEX:1\tdisease\n", "is neither an OBO file nor JSON"),
    "no text": (b"\xff\xfe\x00\x01\x02", "is not text in UTF-8"),
    "cut line": (WHOLE[:-6], "is cut off: its last line does not end"),
    "cut between lines": (WHOLE[WHOLE.index(b"[Term]\nid: EX:3") :], "is cut off: 4 of the 5 broader terms"),
    "only a header": (b"format-version: 1.2\n", "holds no terms"),
    "cut gzip": (gzip.compress(AS_LINES)[:-20], "its compression does not end"),
    "broken gzip": (b"\x1f\x8b\x08\x00nonsense", "its compression does not end"),
    "cut JSON": (json.dumps(GRAPH).encode()[:-9], "is damaged or cut off"),
    "cut lines": (AS_LINES[:-12], "line 3 is no JSON; it is damaged or cut off"),
    "another JSON": (b'{"studies": []}\n', "holds no terms"),
    "JSON of wrong types": (b'{"graphs": 3}', "is damaged or cut off"),
    "a list": (b"{\n[1, 2]", "is damaged or cut off"),
    "names that are none": (b'{"id": 1, "name": 7, "synonyms": [8]}\n', "is damaged or cut off"),
    "deep": (b'{"graphs":' + b"[" * 100_000, "is damaged or cut off"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_something_else_is_refused_in_one_line(case: str, tmp_path: Path, run: Run) -> None:
    data, why = BAD[case]
    path = tmp_path / "doid.obo"
    path.write_bytes(data)
    code, out, err = run("import", "disease-ontology", path)
    assert (code, out) == (1, "")
    assert err.startswith(f"trialindex: {path}")
    assert why in err
    assert err.count("\n") == 1
    assert DiseaseOntology().version is None


def test_a_file_that_unpacks_to_far_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LARGEST", 1 << 20)
    with pytest.raises(SourceError, match="larger than 1 MB"):
        read_edition(gzip.compress(b"\n" * (3 << 20)), "bomb.gz")


# --- downloaded -------------------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.pages["/doid.obo"] = (200, {"Content-Type": "text/plain"}, WHOLE)
        yield made


def test_the_ontology_is_downloaded_and_then_found_in_text(run: Run, site: Site, private: Plugins) -> None:
    assert ConceptRecognizer.load(private).lookup("glomerulonephritis in lupus") is None
    code, out, err = run("download", "disease-ontology", "--url", site.url("/doid.obo"))
    assert (code, err) == (0, "")
    first, second, third = out.splitlines()
    assert re.fullmatch(r"disease-ontology 2031-05-17\+\w{8}: 6 concepts with 11 names\.", first)
    assert second == f"Kept at {DiseaseOntology().path}."
    assert third == "The Disease Ontology is in the public domain (CC0 1.0)."
    assert [agent.partition("/")[0] for agent in site.agents] == ["trialindex"]
    concept = ConceptRecognizer.load(private).lookup("glomerulonephritis in lupus")
    assert concept is not None
    assert concept.id == "EX:4"


def test_the_address_may_come_from_the_environment_and_move(
    run: Run, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/moved"] = (302, {"Location": site.url("/doid.obo")}, b"")
    monkeypatch.setenv(DISEASES.variable, site.url("/moved"))
    assert run("download", "disease-ontology")[0] == 0
    assert DiseaseOntology().version


def test_a_compressed_answer_is_unpacked(run: Run, site: Site) -> None:
    site.pages["/a"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(WHOLE))
    site.pages["/b"] = (200, {"Content-Type": "application/gzip"}, gzip.compress(WHOLE))
    for path in ("/a", "/b"):
        assert run("download", "disease-ontology", "--url", site.url(path))[0] == 0


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        ("/gone", (404, {}, b"nothing"), "answers 404"),
        ("/busy", (503, {}, b"later"), "answered 503, 3 times in a row"),
        (
            "/login",
            (200, {"Content-Type": "text/html"}, b"<html><title>Sign in</title></html>"),
            "is a web page or XML",
        ),
        ("/cut", (200, {}, WHOLE), "cut the connection, 3 times in a row"),
        ("/short", (200, {}, WHOLE[:-6]), "is cut off: its last line does not end"),
        ("/nothing", (200, {}, b""), "is neither an OBO file nor JSON"),
        ("/circle", (302, {"Location": "/circle"}, b""), "sends from address to address"),
        ("/zip", (200, {"Content-Encoding": "deflate"}, b"not deflated"), "cut the connection"),
        ("/nowhere", (302, {"Location": "ftp://example.org/doid.obo"}, b""), "cannot be asked"),
    ],
)
def test_a_bad_answer_is_told_in_one_line_and_what_was_there_stays(
    run: Run, site: Site, path: str, answer: tuple[int, dict[str, str], bytes], why: str
) -> None:
    run("import", "disease-ontology", OBO)
    before = DiseaseOntology().path.read_bytes()
    site.pages[path] = answer
    site.cut = {"/cut"}
    code, out, err = run("download", "disease-ontology", "--url", site.url(path))
    assert (code, out) == (1, "")
    assert err.startswith(f"trialindex: {site.url('')}")
    assert why in err
    assert err.count("\n") == 1
    assert DiseaseOntology().path.read_bytes() == before


def test_a_server_that_does_not_stop_is_left(run: Run, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LARGEST", 1 << 20)
    site.pages["/much"] = (200, {}, b"x" * (2 << 20))
    site.pages["/bomb"] = (200, {"Content-Encoding": "deflate"}, zlib.compress(b"\n" * (2 << 20)))
    for path in ("/much", "/bomb"):
        code, _, err = run("download", "disease-ontology", "--url", site.url(path))
        assert code == 1
        assert "answered with more than 1 MiB" in err


def test_a_server_that_is_not_there_is_told(run: Run) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code, _, err = run("download", "disease-ontology", "--url", f"http://127.0.0.1:{port}/doid.obo")
    assert code == 1
    assert "cannot be reached" in err
    assert "trialindex vocabulary import disease-ontology FILE" in err


def test_an_address_that_is_none_is_refused(run: Run) -> None:
    code, _, err = run("download", "disease-ontology", "--url", "doid.obo")
    assert code == 1
    assert '"doid.obo" is no web address. For a file: trialindex vocabulary import' in err


@pytest.mark.parametrize("project", PROJECTS.values(), ids=lambda project: project.name)
def test_the_default_addresses_are_encrypted(project: Project) -> None:
    assert project.url.startswith("https://")
    assert download.address(None, project) == project.url


def test_the_progress_is_reported(site: Site) -> None:
    seen: list[tuple[int, int | None]] = []
    download.fetch(site.url("/doid.obo"), DISEASES, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(WHOLE), len(WHOLE))

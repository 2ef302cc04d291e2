"""The Human Phenotype Ontology: fetched by a command, with the findings of rare illnesses beside it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import Run
from support.paths import DATA
from support.vocabulary_cases import OBO, Site, only_vocabularies, runner
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import PluginError
from trialindex.plugin.http import Pace
from trialindex.plugin.registry import Plugins
from trialindex.plugin.vocabulary_entries import Association, Concept
from trialindex.testing import check_vocabulary
from trialindex_vocabulary import download
from trialindex_vocabulary.formats import read_edition
from trialindex_vocabulary.ontology import DiseaseOntology, PhenotypeOntology
from trialindex_vocabulary.projects import PHENOTYPES

TERMS = DATA / "vocabulary" / "small-hp.obo"
TABLE = DATA / "vocabulary" / "small.hpoa"
KNOWN = [
    Association("Example disease of the lens", "Ectopia lentis", 0.45),
    Association("Example disease of the lungs", "Asthma", 0.4),
    Association("Example syndrome", "Arachnodactyly", 0.9),
    Association("Example syndrome", "Ectopia lentis", 0.6),
]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PACE", Pace(interval=0.0, retries=0, backoff=0.0))


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    return only_vocabularies(monkeypatch)


@pytest.fixture
def run(private: Plugins, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        made.pages["/hp.obo"] = (200, {}, TERMS.read_bytes())
        made.pages["/phenotype.hpoa"] = (200, {}, TABLE.read_bytes())
        yield made


def test_only_findings_are_read_with_their_clinical_and_lay_names() -> None:
    found = {one.id: one for one in read_edition(TERMS.read_bytes(), "hp.obo", PHENOTYPES).concepts}
    assert list(found) == ["HP:0001166", "HP:0001083", "HP:0002099"]
    names = ("Long slender fingers", "Spider fingers")
    assert found["HP:0001166"] == Concept("Arachnodactyly", names, "HP:0001166", "finding", ("HP:0000118",))


def test_one_command_fetches_the_terms_and_what_rare_illnesses_are_known_by(run: Run, site: Site) -> None:
    code, out, err = run("download", "phenotype-ontology", "--url", site.url("/hp.obo"))
    assert (code, err) == (0, "")
    first, second, third, last = out.splitlines()
    assert first.startswith("phenotype-ontology 2031-04-01+")
    assert first.endswith(": 3 concepts with 8 names.")
    assert second == "4 findings of 3 illnesses."
    assert third == f"Kept at {PhenotypeOntology().path}."
    assert "licence of its own: https://hpo.jax.org/license" in last
    assert list(PhenotypeOntology().associations()) == KNOWN
    assert len(check_vocabulary(PhenotypeOntology())) == 3


def test_the_address_may_come_from_the_environment(run: Run, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PHENOTYPES.variable, site.url("/hp.obo"))
    assert run("download", "phenotype-ontology")[0] == 0
    assert PhenotypeOntology().version


def test_where_the_second_file_cannot_be_had_nothing_changes(run: Run, site: Site) -> None:
    del site.pages["/phenotype.hpoa"]
    code, out, err = run("download", "phenotype-ontology", "--url", site.url("/hp.obo"))
    assert (code, out) == (1, "")
    assert "/phenotype.hpoa answers 404" in err
    assert "trialindex vocabulary import phenotype-ontology FILE ANNOTATIONS" in err
    assert err.count("\n") == 1
    assert PhenotypeOntology().version is None


def test_files_are_imported_and_the_second_may_be_left_out(run: Run, tmp_path: Path) -> None:
    packed = tmp_path / "phenotype.hpoa.gz"
    packed.write_bytes(gzip.compress(TABLE.read_bytes()))
    assert run("import", "phenotype-ontology", TERMS, packed)[0] == 0
    whole = PhenotypeOntology().version
    assert list(PhenotypeOntology().associations()) == KNOWN
    code, out, _ = run("import", "phenotype-ontology", TERMS)
    assert code == 0
    assert "Without phenotype.hpoa: it is searched for by its names alone." in out
    assert list(PhenotypeOntology().associations()) == []
    assert PhenotypeOntology().version != whole


HEAD = TABLE.read_text(encoding="utf-8").splitlines()[3] + "\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no phenotype.hpoa: it has no line of headings"),
        ("a\tb\n", "is no phenotype.hpoa"),
        (TABLE.read_text(encoding="utf-8")[:-3], "is cut off: its last line does not end"),
        (HEAD + "EX:1\tExample\n", 'is damaged: "EX:1 Example" has 2 fields of 12'),
        (HEAD, "tells of no term of the Human Phenotype Ontology"),
        ("\x00\x01" * 20, "is no phenotype.hpoa"),
    ],
)
def test_a_bad_second_file_is_told_in_one_line_and_what_was_there_stays(
    run: Run, tmp_path: Path, text: str, why: str
) -> None:
    run("import", "phenotype-ontology", TERMS, TABLE)
    before = PhenotypeOntology().path.read_bytes()
    bad = tmp_path / "bad.hpoa"
    bad.write_text(text, encoding="utf-8")
    code, out, err = run("import", "phenotype-ontology", TERMS, bad)
    assert (code, out) == (1, "")
    assert why in err
    assert err.count("\n") == 1
    assert PhenotypeOntology().path.read_bytes() == before


def test_the_file_of_before_2023_is_read_too(run: Run, tmp_path: Path) -> None:
    older = TABLE.read_text(encoding="utf-8").replace("database_id\tdisease_name\tq", "#DatabaseID\tDiseaseName\tQ")
    (tmp_path / "older.hpoa").write_text(older, encoding="utf-8")
    assert run("import", "phenotype-ontology", TERMS, tmp_path / "older.hpoa")[0] == 0
    assert list(PhenotypeOntology().associations()) == KNOWN


def test_another_ontology_is_refused(run: Run) -> None:
    code, _, err = run("import", "phenotype-ontology", OBO)
    assert code == 1
    assert "is not the Human Phenotype Ontology: it has no HP:0000118." in err


def test_more_files_than_there_are_is_a_mistake_of_typing(run: Run) -> None:
    code, _, err = run("import", "disease-ontology", OBO, TABLE)
    assert code == 2
    assert "disease-ontology takes one FILE, got 2 files." in err
    assert run("import", "phenotype-ontology", TERMS, TABLE, TABLE)[0] == 2


def test_a_damaged_file_is_told_with_what_to_type(run: Run) -> None:
    run("import", "phenotype-ontology", TERMS, TABLE)
    path = PhenotypeOntology().path
    path.write_bytes(path.read_bytes()[:-4])
    assert len(list(PhenotypeOntology().concepts())) == 3
    with pytest.raises(PluginError, match="Type: trialindex vocabulary download phenotype-ontology"):
        list(PhenotypeOntology().associations())


def test_lay_words_and_clinical_ones_are_one_finding_and_an_illness_stays_one(run: Run, private: Plugins) -> None:
    illness = ConceptRecognizer.load(private).find("I have asthma")[0].concepts
    run("import", "phenotype-ontology", TERMS, TABLE)
    recognizer = ConceptRecognizer.load(private)
    [lay] = recognizer.find("He has spider fingers")
    assert (lay.names[0], lay.concepts[0].kind) == ("Arachnodactyly", "finding")
    assert recognizer.find("I have asthma")[0].concepts == illness


def test_an_older_file_without_associations_is_read() -> None:
    ontology = DiseaseOntology()
    ontology.keep(read_edition(OBO.read_bytes(), "small.obo"), "small.obo")
    head, body = ontology.path.read_bytes().split(b"\n", 1)
    ontology.path.write_bytes(head.replace(b', "concepts": ', b', "size": ') + b"\n" + body)
    assert len(list(DiseaseOntology().concepts())) == 6
    assert list(DiseaseOntology().associations()) == []

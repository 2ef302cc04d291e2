"""The lexicon that ships, the Disease Ontology that is downloaded, and ``trialindex vocabulary``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.command import Run
from support.paths import SHARED
from support.plugin_cases import plugin
from support.timing import cost
from support.vocabulary_cases import AS_LINES, OBO, WHOLE, only_vocabularies, runner
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import PluginError, StorageError
from trialindex.plugin.interfaces import Concept, Vocabulary
from trialindex.plugin.registry import Plugins
from trialindex.testing import check_vocabulary
from trialindex_vocabulary.formats import read_edition
from trialindex_vocabulary.lexicon import Lexicon
from trialindex_vocabulary.ontology import DiseaseOntology


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    return only_vocabularies(monkeypatch)


@pytest.fixture
def run(private: Plugins, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


# --- the lexicon ------------------------------------------------------------------------------------------------------


def lines() -> list[list[str]]:
    return [line.split("\t") for line in (Lexicon.folder / "lexicon.tsv").read_text(encoding="utf-8").splitlines()]


def test_the_lexicon_keeps_the_contract_and_holds_what_was_promised() -> None:
    concepts = check_vocabulary(Lexicon())
    assert len(lines()) > 9_000
    kinds = {"disease", "lay", "abbreviation", "biomarker", "drug", "procedure", "symptom", "british"}
    assert {concept.kind for concept in concepts} == kinds


def test_every_line_of_the_lexicon_is_well_formed_and_no_phrase_is_listed_twice() -> None:
    head, *rows = lines()
    assert head == ["phrase", "kind", "terms"]
    assert [row for row in rows if len(row) != 3] == []
    texts = [text for phrase, _, terms in rows for text in (phrase, *terms.split("; "))]
    assert [text for text in texts if text != " ".join(text.split()) or not text or ";" in text] == []
    assert [phrase for phrase, count in Counter(row[0].lower() for row in rows).items() if count > 1] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("heart attack", "myocardial infarction"),
        ("sugar diabetes", "diabetes mellitus"),
        ("HTN", "hypertension"),
        ("high blood pressure", "hypertension"),
        ("water pill", "diuretic"),
        ("SLE", "systemic lupus erythematosus"),
        ("CABG", "coronary artery bypass grafting"),
    ],
)
def test_the_lexicon_knows_everyday_words(text: str, name: str) -> None:
    [mention] = ConceptRecognizer(Lexicon().concepts()).find(f"I have {text}.")
    assert any(name in one for one in mention.names)


def test_the_name_that_fits_best_comes_first() -> None:
    recognizer = ConceptRecognizer(Lexicon().concepts())
    [mention] = recognizer.find("heart attack")
    assert mention.names[0] == "myocardial infarction"


@pytest.mark.parametrize(
    ("text", "name", "treats"),
    [
        ("asthma", "asthma", False),
        ("diabetes", "diabetes mellitus", False),
        ("diabetic", "diabetes mellitus", False),
        ("breast cancer", "breast cancer", False),
        ("anaplastic astrocytoma", "anaplastic astrocytoma", False),
        ("obese", "obesity", False),
        ("failing kidneys", "kidney failure", False),
        ("stopped eating", "loss of appetite", False),
        ("COVID-19", "COVID-19", False),
        ("Cushing syndrome", "Cushing syndrome", False),
        ("mycophenolate", "mycophenolate mofetil", True),
        ("rituximab", "rituximab", True),
        ("aciclovir", "acyclovir", True),
        ("MTX", "methotrexate", True),
        ("CABG", "coronary artery bypass grafting", True),
        ("stem cell transplant", "hematopoietic stem cell transplantation", True),
    ],
)
def test_medical_names_are_known_without_an_ontology_and_illnesses_told_from_treatments(
    text: str, name: str, treats: bool
) -> None:
    [mention] = ConceptRecognizer(Lexicon().concepts()).find(f"She has {text}.")
    assert (mention.text, mention.names[0]) == (text, name)
    assert any(concept.kind in {"drug", "procedure"} for concept in mention.concepts) is treats


def test_a_name_listed_with_itself_is_one_concept_and_no_name_of_its_own() -> None:
    own = [row for row in lines()[1:] if row[0] == row[2]]
    assert len(own) > 2_000
    assert [concept for concept in Lexicon().concepts() if concept.name in concept.names] == []


def test_the_version_of_the_lexicon_changes_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Lexicon().version
    assert Lexicon().version == before
    for name in Lexicon.files:
        (tmp_path / name).write_text("headings\n", encoding="utf-8")
    (tmp_path / "lexicon.tsv").write_text("phrase\tkind\tterms\nlurgy\tlay\tinfluenza; common cold\n", encoding="utf-8")
    monkeypatch.setattr(Lexicon, "folder", tmp_path)
    assert Lexicon().version != before
    assert list(Lexicon().concepts()) == [
        Concept("influenza", ("lurgy",), kind="lay"),
        Concept("common cold", ("lurgy",), kind="lay"),
    ]


def test_the_lexicon_is_read_in_a_moment() -> None:
    assert cost(lambda: list(Lexicon().concepts())) < 20


# --- kept -------------------------------------------------------------------------------------------------------------


def test_the_ontology_is_not_here_until_it_is_fetched_and_keeps_the_contract_before_and_after() -> None:
    ontology = DiseaseOntology()
    assert check_vocabulary(ontology) == []
    ontology.keep(read_edition(WHOLE, "small.obo"), "small.obo")
    assert check_vocabulary(DiseaseOntology()) == list(read_edition(WHOLE, "small.obo").concepts)
    assert re.fullmatch(r"2031-05-17\+[0-9a-f]{8}", DiseaseOntology().version or "")


def test_another_edition_has_another_version_and_the_same_one_the_same() -> None:
    def version(data: bytes, origin: str) -> str:
        DiseaseOntology().keep(read_edition(data, origin), origin)
        return DiseaseOntology().version or ""

    first = version(WHOLE, "a/small.obo")
    assert version(WHOLE, "b/small.obo") == first
    assert version(WHOLE.replace(b"EX:4", b"EX:44"), "small.obo") != first
    assert version(AS_LINES, "data/doid-2031-06-01.jsonl.gz").startswith("2031-06-01+")
    assert version(AS_LINES, "2031-06-01/doid.jsonl").startswith("undated+")
    assert len(list(DiseaseOntology().path.parent.iterdir())) == 1


@pytest.mark.parametrize("keep", [0, 10, -20])
def test_a_damaged_file_is_told_with_what_to_type(keep: int) -> None:
    ontology = DiseaseOntology()
    ontology.keep(read_edition(WHOLE, "small.obo"), "small.obo")
    ontology.path.write_bytes(ontology.path.read_bytes()[:keep])
    with pytest.raises(PluginError, match=r"is damaged.* Type: trialindex vocabulary download disease-ontology"):
        list(DiseaseOntology().concepts())


def test_a_file_of_a_newer_trialindex_is_refused() -> None:
    ontology = DiseaseOntology()
    ontology.path.parent.mkdir(parents=True)
    ontology.path.write_bytes(b'{"format": 2, "version": "2040-01-01+0"}\nsomething else')
    with pytest.raises(PluginError, match=r"was written by a newer trialindex.* Upgrade trialindex"):
        _ = DiseaseOntology().version


def test_a_folder_that_cannot_be_written_is_told(own_paths: Path) -> None:
    (own_paths / "data").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot write"):
        DiseaseOntology().keep(read_edition(WHOLE, "small.obo"), "small.obo")


def test_a_stop_while_it_is_written_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ontology = DiseaseOntology()
    ontology.keep(read_edition(WHOLE, "small.obo"), "small.obo")
    before = ontology.version

    def stop(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        ontology.keep(read_edition(AS_LINES, "lines"), "lines")
    assert DiseaseOntology().version == before
    assert [path.name for path in ontology.path.parent.iterdir()] == ["disease-ontology.msgpack"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_list_shows_what_is_at_hand_and_what_to_type_for_the_rest(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    head, ontology, lexicon, phenotypes = out.splitlines()
    assert head.split() == ["NAME", "VERSION", "CONCEPTS", "WHERE"]
    assert ontology.endswith("not here yet; type: trialindex vocabulary download disease-ontology")
    assert re.fullmatch(r"lexicon +[0-9a-f]{8} +[\d,]+ +comes with trialindex", lexicon)
    assert phenotypes.endswith("not here yet; type: trialindex vocabulary download phenotype-ontology")
    run("import", "disease-ontology", OBO)
    line = run("list")[1].splitlines()[1]
    assert re.fullmatch(rf"disease-ontology +2031-05-17\+\w{{8}} +6 +{re.escape(str(DiseaseOntology().path))}", line)


def test_list_shows_the_vocabularies_of_others_and_those_that_fail(run: Run, private: Plugins) -> None:
    class Broken(Vocabulary):
        name = "broken"
        summary = "Fails."
        version = "1"

        def concepts(self) -> Iterator[Concept]:
            raise ZeroDivisionError("oh")

    class Working(Broken):
        name = "working"

        def concepts(self) -> Iterator[Concept]:
            yield Concept("asthma")

    private.register(plugin(register_vocabularies=lambda: [Broken, Working]), "stranger")
    code, out, _ = run("list")
    assert code == 0
    assert re.search(r"^broken +- +- +does not work: ZeroDivisionError: oh$", out, re.MULTILINE)
    assert re.search(r'^working +1 +1 +plugin "stranger"$', out, re.MULTILINE)


def test_a_file_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    for path, why in ((tmp_path / "gone.obo", "No such file or directory"), (tmp_path, "Is a directory")):
        code, _, err = run("import", "disease-ontology", path)
        assert code == 1
        assert err == f"trialindex: cannot read {path}: {why}. Check the name of the file.\n"


@pytest.mark.parametrize(
    "arguments", [["import", "disease-ontology"], ["download"], ["download", "lexicon"], ["fetch"]]
)
def test_bad_usage_exits_2(run: Run, arguments: list[str]) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "See: trialindex vocabulary" in err


def test_importing_the_plugin_and_its_classes_loads_nothing_heavy() -> None:
    code = (
        "import sys, trialindex_vocabulary as v, trialindex_vocabulary.command; v.register_vocabularies(); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"httpx2", "msgspec", "numpy", "rich", "trialindex.index"} & set(done.stdout.split())


# --- the contract check -----------------------------------------------------------------------------------------------


def vocabulary(*concepts: Any, version: str | None = "1", name: str = "wrong") -> Vocabulary:
    given = concepts

    class Wrong(Vocabulary):
        summary = "For tests."
        version: str | None = None

        def concepts(self) -> Iterator[Concept]:
            return iter(given)

    Wrong.name, Wrong.version = name, version
    return Wrong()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (vocabulary(version="1"), "no concept"),
        (vocabulary(Concept("a"), version=None), "no version"),
        (vocabulary(Concept("a"), version=""), "version must be None"),
        (vocabulary("asthma"), "yielded str"),
        (vocabulary(Concept(" ")), "has no name"),
        (vocabulary(Concept("a", ("b", ""))), "names must be a tuple"),
        (vocabulary(Concept("a", "bc")), "names must be a tuple"),  # type: ignore[arg-type]
        (vocabulary(Concept("a", id="1"), Concept("b", id="1")), "is that of another concept"),
        (vocabulary(Concept("a", id="")), "id must be None"),
        (vocabulary(Concept("a"), name="with space"), "no spaces"),
    ],
)
def test_the_check_finds_what_breaks_the_contract(wrong: Vocabulary, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        check_vocabulary(wrong)


# --- the real one -----------------------------------------------------------------------------------------------------


def test_the_whole_disease_ontology(private: Plugins) -> None:
    path = next(iter(SHARED.glob("vocab/doid-*.jsonl.gz")), None)
    if path is None:
        pytest.skip("the shared data is not here")
    DiseaseOntology().keep(read_edition(path.read_bytes(), path.name), path.name)
    concepts = check_vocabulary(DiseaseOntology())
    assert len(concepts) > 10_000
    recognizer = ConceptRecognizer.load(private)
    for text in ("Lupus Erythematosus, Systemic", "heart attack", "Diabetes Mellitus, Type 2", "NSCLC", "CKD"):
        concept = recognizer.lookup(text)
        assert concept is not None
        assert (concept.id or "").startswith("DOID:")
    kidney = recognizer.lookup("kidney disease")
    assert kidney is not None
    assert "lupus nephritis" in [concept.name for concept in recognizer.narrower(kidney)]
    assert len(ConceptRecognizer.load(private)) == len(recognizer)
    assert cost(lambda: ConceptRecognizer.load(private)) < 100

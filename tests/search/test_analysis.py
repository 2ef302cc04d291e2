"""What is understood of a text, and what follows from it in an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource
from support.terms_cases import TERMS
from trialindex.concepts.person import read_person, read_pregnancy
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.index import Index
from trialindex.plugin.results import ConceptMention, Understanding
from trialindex.search import analysis
from trialindex.search.analysis import main_problem, weigh
from trialindex.search.explain import cautions
from trialindex.search.filters import Filters
from trialindex.search.places import read_home
from trialindex.search.query import Page, search
from trialindex.search.settings import RankingSettings
from trialindex.testing import FakeEncoder
from trialindex.trial import Trial

NOTE = (
    "45 M with h/o HTN and COPD, s/p CABG, now with lupus kidney despite prednisone. No diabetes. "
    "Lupus nephritis class IV on biopsy. Mother had breast cancer."
)


@pytest.fixture(scope="module")
def recognizer() -> ConceptRecognizer:
    return ConceptRecognizer.load()


def understand(text: str, recognizer: ConceptRecognizer, **settings: Any) -> Understanding:
    return analysis.understand(text, read_person(text), recognizer.find(text), RankingSettings(**settings))


def named(understood: Understanding, role: str) -> set[str]:
    return {concern.name for concern in understood.concepts if concern.role == role}


def test_problems_history_and_treatments_are_told_apart(recognizer: ConceptRecognizer) -> None:
    found = understand(NOTE, recognizer)
    assert "hypertension" in named(found, "history")
    assert "prednisone" in named(found, "treatment")
    assert found.excluded == {"diabetes": "ruled out", "breast cancer": "a relative's"}
    assert (found.age, found.sex) == ("45 years", "male")


def test_what_the_whole_text_is_like_is_the_main_problem(recognizer: ConceptRecognizer) -> None:
    found = understand("migraine for years, now severe asthma", recognizer)
    names = [concern.name for concern in found.concepts]
    weighed = weigh(found, [0.7 if "asthma" in name else 0.2 for name in names])
    problem = main_problem(weighed)
    assert problem is not None
    assert "asthma" in problem.name
    assert [c.role for c in weighed.concepts].count("main problem") == 1
    assert problem.weight == max(c.weight for c in weighed.concepts)


def test_a_concern_unlike_the_text_weighs_nothing(recognizer: ConceptRecognizer) -> None:
    found = understand("asthma and migraine", recognizer)
    assert [c.weight for c in weigh(found, [-0.1] * len(found.concepts)).concepts] == [0.0] * len(found.concepts)


def test_naming_a_thing_more_often_weighs_more(recognizer: ConceptRecognizer) -> None:
    once, often = (understand(text, recognizer).concepts[0] for text in ("asthma", "asthma, asthma; ASTHMA again"))
    assert (once.mentions, often.mentions) == (1, 3)
    assert often.weight > once.weight == 1.0


def test_a_concept_is_looked_for_by_its_other_names_too() -> None:
    names = {count: understand("breast cancer", TERMS, synonyms=count).concepts[0].names for count in (0, 6)}
    assert names == {0: ("breast cancer",), 6: ("breast cancer", "breast carcinoma")}
    assert RankingSettings().synonyms == 6


def test_a_trial_that_uses_another_name_is_found_by_it(tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as index:
        index.ingest(ListSource(Trial(id="OTHER", title="Breast carcinoma"), Trial(id="X", title="Gout")))
        with index.searcher() as searcher:
            answer = search(replace(searcher, recognizer=lambda: TERMS), "breast cancer", "hybrid", Filters(), Page())
    assert {hit.trial.id: hit.parts.get("concepts_rank") for hit in answer.hits} == {"OTHER": 1, "X": None}


def test_a_text_that_names_nothing_is_understood_as_nothing(recognizer: ConceptRecognizer) -> None:
    assert understand("hello there", recognizer) == Understanding()


@pytest.mark.parametrize(
    ("text", "pregnant"),
    [
        ("28 weeks pregnant with lupus", True),
        ("G2P1 at 32 weeks of gestation", True),
        ("she is not pregnant", False),
        ("non-pregnant woman", False),
        ("a man with asthma", None),
    ],
)
def test_pregnancy_is_read(text: str, pregnant: bool | None) -> None:
    assert read_pregnancy(text) is pregnant


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("I live in Lyon, France and have asthma", "Lyon, France"),
        ("she lives near Toronto.", "Toronto, Ontario, Canada"),
        ("living in Pain every day", None),
        ("based on CT", None),
        ("asthma in France", None),
    ],
)
def test_a_place_is_read_only_where_somebody_lives(text: str, place: str | None) -> None:
    home = read_home(text)
    assert (home and home.name) == place


def test_an_exclusion_that_names_the_main_problem_is_said(recognizer: ConceptRecognizer) -> None:
    trial = Trial(
        id="T",
        title="T",
        exclusion=("Active lupus nephritis needing dialysis", "Patients without lupus nephritis", "Pregnant women"),
    )
    understood = understand("lupus nephritis, 20 weeks pregnant", recognizer)
    said = cautions(trial, understood, recognizer)
    assert len(said) == 2
    assert "Active lupus nephritis needing dialysis" in said[0]
    assert "pregnancy" in said[1]
    assert "Pregnant women" in said[1]
    assert cautions(trial, Understanding(), recognizer) == ()


def test_a_past_problem_in_an_exclusion_is_not_the_main_one(recognizer: ConceptRecognizer) -> None:
    problem = ConceptMention(
        name="asthma", surface="asthma", role="main problem", names=("asthma",), mentions=1, weight=1
    )
    trial = Trial(id="T", title="T", exclusion=("History of hypertension",))
    assert cautions(trial, Understanding(concepts=(problem,)), recognizer) == ()


@pytest.fixture
def pair(tmp_path: Path) -> Index:
    index = Index.create(tmp_path / "pair", encoder=FakeEncoder())
    same: dict[str, Any] = {"summary": "Asthma that steroids do not control.", "conditions": ("Asthma",)}
    index.ingest(
        ListSource(
            Trial(id="OLD", title="Asthma study", minimum_age=18, sex="MALE", **same),
            Trial(id="YOUNG", title="Asthma study", maximum_age=17, sex="ALL", **same),
        )
    )
    return index


def test_what_does_not_fit_moves_down_and_stays(pair: Index) -> None:
    for text, order in (("asthma, 9 year old girl", ["YOUNG", "OLD"]), ("asthma, 40 year old man", ["OLD", "YOUNG"])):
        answer = pair.query(text)
        assert [hit.trial.id for hit in answer.hits] == order
        first, last = answer.hits
        assert "mismatch" not in first.parts
        assert last.parts["mismatch"] > 0
        assert "does not fit" in {fit.verdict for fit in last.fits}


def test_nothing_moves_without_a_hint_or_in_the_plain_modes(pair: Index) -> None:
    assert all("mismatch" not in hit.parts for hit in pair.query("asthma").hits)
    for mode in ("vector", "lexical"):
        assert all("mismatch" not in hit.parts for hit in pair.query("asthma, 9 year old girl", mode=mode).hits)


@pytest.mark.parametrize("limit", [1, 3, 40])
def test_pages_with_misfits_are_cut_from_one_order(tmp_path: Path, limit: int) -> None:
    with Index.create(tmp_path / "many", encoder=FakeEncoder()) as index:
        about = "Asthma, a cough, and how steroids help."
        index.ingest(
            ListSource(
                *(
                    Trial(
                        id=f"T-{n}", title=f"Asthma {n}", summary=f"{about} {n % 7}.", maximum_age=17 if n % 3 else 99
                    )
                    for n in range(300)
                )
            )
        )
        text = "asthma cough, 40 year old man"
        whole = [(hit.trial.id, hit.score) for hit in index.query(text, limit=300).hits]
        assert sum("mismatch" in hit.parts for hit in index.query(text, limit=300).hits) == 200
        shown = [
            (hit.trial.id, hit.score) for page in (1, 2, 5) for hit in index.query(text, limit=limit, page=page).hits
        ]
        assert shown == [hit for page in (1, 2, 5) for hit in whole[(page - 1) * limit : page * limit]]


def test_what_was_understood_is_told_when_asked(pair: Index) -> None:
    assert pair.query("asthma").understood is None
    understood = pair.query("asthma, no diabetes", explain=True).understood
    assert understood is not None
    assert understood.excluded == {"diabetes": "ruled out"}
    assert [concern.role for concern in understood.concepts] == ["main problem"]

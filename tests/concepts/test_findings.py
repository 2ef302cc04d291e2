"""What is but a finding gives way, in a text, to whatever else it may be taken for."""

from __future__ import annotations

import pytest

from trialindex.concepts.person import read_person
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.plugin.vocabulary_entries import Concept
from trialindex.search.analysis import understand
from trialindex.search.settings import RankingSettings

ILLNESSES = [
    Concept("chronic kidney disease", (), "D:1", "disease"),
    Concept("asthma", (), "D:2", "disease"),
    Concept("hives", ("nettle rash",), None, "lay"),
]
FINDINGS = [
    Concept("Stage 5 chronic kidney disease", (), "F:1", "finding"),
    Concept("Wheezing in asthma", (), "F:2", "finding"),
    Concept("Urticaria", ("nettle rash",), "F:3", "finding"),
    Concept("Arachnodactyly", ("spider fingers",), "F:4", "finding"),
]
TEXTS = ["Stage 5 chronic kidney disease", "wheezing in asthma", "nettle rash", "spider fingers and asthma"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_names_of_findings_take_nothing_from_those_of_illnesses(text: str) -> None:
    before = ConceptRecognizer(ILLNESSES).find(text)
    after = ConceptRecognizer([*FINDINGS, *ILLNESSES]).find(text)
    assert [one for one in after if one.concepts[0].kind != "finding"] == before


def test_a_finding_that_is_nothing_else_is_recognised_by_its_lay_name() -> None:
    [found] = ConceptRecognizer([*ILLNESSES, *FINDINGS]).find("He has spider fingers.")
    assert (found.text, found.names) == ("spider fingers", ("Arachnodactyly",))


def test_a_search_has_no_concern_that_is_but_a_finding() -> None:
    text = "spider fingers and asthma"
    mentions = ConceptRecognizer([*ILLNESSES, *FINDINGS]).find(text)
    assert len(mentions) == 2
    understood = understand(text, read_person(text), mentions, RankingSettings())
    assert [one.name for one in understood.concepts] == ["asthma"]

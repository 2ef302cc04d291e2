"""Illnesses and findings that another vocabulary adds to the table, as the Human Phenotype Ontology does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.plugin_cases import plugin
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.plugin.interfaces import Vocabulary
from trialindex.plugin.registry import Plugins
from trialindex.plugin.vocabulary_entries import Association, Concept
from trialindex_readers.findings import load_table
from trialindex_readers.rules import RulesReader

TEXT = (
    "He has long slender fingers with a knobbly thumb, his eye lens is out of place, and there is a zonk of the elbow."
)


class Rare(Vocabulary):
    """Two illnesses that are made up, one that the table has, and a finding that the table calls otherwise."""

    name = "rare"
    summary = "For tests."
    version = "1"

    def concepts(self) -> Iterator[Concept]:
        yield Concept("Zonk of the elbow", ("elbow zonk",), "RARE:1", "finding")
        yield Concept("Knobbly thumb", (), "RARE:2", "finding")
        yield Concept("Breathing with effort", ("dyspnea",), "RARE:3", "finding")

    def associations(self) -> Iterator[Association]:
        yield Association("Example syndrome", "Zonk of the elbow", 0.9)
        yield Association("Example syndrome", "Knobbly thumb", 0.2)
        yield Association("Another example", "Breathing with effort", 0.5)
        yield Association("Asthma", "Zonk of the elbow", 1.0)


@pytest.fixture
def terms() -> ConceptRecognizer:
    found = Plugins(discover=False)
    found.register(plugin(register_vocabularies=lambda: [Rare]), "stranger")
    return ConceptRecognizer.load(found)


def test_an_illness_that_a_vocabulary_tells_of_is_proposed_with_its_findings(terms: ConceptRecognizer) -> None:
    assert "Example syndrome" not in {one.condition for one in RulesReader().propose(TEXT, ConceptRecognizer())}
    found = {one.condition: one for one in RulesReader().propose(TEXT, terms)}
    assert set(found["Example syndrome"].because) == {"Zonk of the elbow", "Knobbly thumb"}


def test_one_finding_of_a_rare_illness_is_not_enough(terms: ConceptRecognizer) -> None:
    assert RulesReader().propose("There is a zonk of the elbow, and nothing else to tell of it today.", terms) == []


def test_what_the_table_has_stays_as_it_is(terms: ConceptRecognizer) -> None:
    own, more = load_table(), load_table(terms.vocabularies)
    assert [one.name for one in more.illnesses[: len(own.illnesses)]] == [one.name for one in own.illnesses]
    assert {one.name for one in more.illnesses[len(own.illnesses) :]} == {"Example syndrome", "Another example"}
    asthma = own.illness_names["asthma"]
    zonk = more.names["zonk of the elbow"]
    assert asthma not in dict(more.illnesses_of(zonk))


def test_a_finding_under_another_name_is_the_one_of_the_table(terms: ConceptRecognizer) -> None:
    more = load_table(terms.vocabularies)
    another = len(more.illnesses) - 1
    assert more.illnesses[another].name == "Another example"
    assert another in dict(more.illnesses_of(more.names["dyspnea"]))
    assert more.names["breathing with effort"] == more.names["dyspnea"]

"""How close hits are to a question, and what is said when none is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.helpers import ListSource, ids, trial
from support.terms_cases import TERMS
from trialindex.index import Index
from trialindex.plugin.results import ConceptMention, Results, describe_answer
from trialindex.search.closeness import ABOUT, RELATED, ConceptNames, Evidence, TrialNames, level, probability
from trialindex.search.filters import Filters
from trialindex.search.query import Page, search
from trialindex.search.words import content_words, qualifying_words
from trialindex.testing import FakeEncoder

NOTHING = Evidence(cosine=0.2, illness=1, main=0, named=0, told=0, qualified=1, words=0, unnamed=0, phrase=0, note=0)
EVERYTHING = Evidence(cosine=0.7, illness=1, main=1, named=1, told=1, qualified=1, words=1, unnamed=0, phrase=0, note=0)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as made:
        made.ingest(
            ListSource(
                trial(1, title="Breast carcinoma and exercise", conditions=("Breast Carcinoma",)),
                trial(2, title="Gout of the toe", conditions=("Gout",)),
                trial(3, title="A registry of rare illness", conditions=("Blepharospasm",)),
            )
        )
        yield made


def ask(index: Index, text: str, **page: int | bool) -> Results:
    with index.searcher() as searcher:
        known = replace(searcher, recognizer=lambda: TERMS)
        return search(known, text, "hybrid", Filters(), Page(**page))  # type: ignore[arg-type]


# --- the model --------------------------------------------------------------------------------------------------------


def test_everything_is_about_and_nothing_is_loose() -> None:
    assert probability(EVERYTHING) > 0.8 > ABOUT > RELATED > 0.1 > probability(NOTHING) > 0
    assert (level(probability(EVERYTHING)), level(probability(NOTHING))) == ("about", "loose")
    assert (level(ABOUT), level(ABOUT - 0.01), level(RELATED), level(RELATED - 0.01)) == (
        "about",
        "related",
        "related",
        "loose",
    )


@pytest.mark.parametrize("less", [{"main": 0.0, "named": 0.0, "told": 0.0}, {"qualified": 0.0}, {"words": 0.0}])
def test_what_is_missing_makes_a_trial_less_close(less: dict[str, float]) -> None:
    assert probability(EVERYTHING._replace(**less)) < probability(EVERYTHING) - 0.05


def test_a_name_without_the_words_that_narrow_it_down_is_not_enough() -> None:
    """*Wheat allergy* is no allergy to nuts."""
    assert level(probability(EVERYTHING._replace(qualified=0.0, cosine=0.6))) != "about"


def test_a_question_without_a_known_name_needs_all_of_its_words() -> None:
    unnamed = NOTHING._replace(illness=0, unnamed=1, phrase=1, cosine=0.5)
    assert level(probability(unnamed._replace(words=1.0))) == "about"
    assert level(probability(unnamed._replace(words=0.5))) != "about"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wheat allergy", {"wheat"}),
        ("Are there trials for severe wheat allergy in children?", {"wheat"}),
        ("my son has an allergy to cats and dogs", {"cats", "dogs"}),
        ("looking for a new treatment for asthma that keeps him up at night", set()),
        ("asthma", set()),
        ("my little boy has seasonal asthma at night, is there anything?", set()),
        ("seasonal asthma", {"seasonal"}),
        ("my uncle has been living with allergy to cats for ten years", {"cats"}),
        ("my mother was told that she has Allergy, Milk: which trial is there?", {"milk"}),
        ("my mother was told that she has an allergy, milk helps", {"milk"}),
        ("my mother was told that she has an allergy, tea helps", set()),
    ],
)
def test_the_words_that_narrow_a_name_down(text: str, words: set[str]) -> None:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.interfaces import Concept

    kinds = [Concept(f"{what} allergy") for what in "abcdefghijklmnopqrstuvwxyz"]  # a broad name has many narrower ones
    recognizer = ConceptRecognizer([Concept("allergy"), Concept("asthma"), Concept("milk allergy"), *kinds])
    assert set(qualifying_words(text, recognizer.find(text), recognizer)) == words


def test_words_that_people_put_around_what_they_ask_say_nothing() -> None:
    assert content_words("Are there any new trials for my mother who has blepharospasm?") == ["blepharospasm"]


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("Extensive small cell lung cancer", True),
        ("Non-small cell lung cancer", False),
        ("Wheat in people with not-small cell lung cancer", False),
        ("Small cell lung cancer and non-small cell lung cancer", True),
    ],
)
def test_a_name_after_not_or_non_is_another(title: str, named: bool) -> None:
    concept = ConceptMention(
        name="small cell lung cancer",
        surface="small cell",
        kind="illness",
        role="problem",
        names=(),
        mentions=1,
        weight=1,
    )
    assert ConceptNames(concept).in_names(TrialNames(trial(1, title=title, conditions=()), TERMS)) is named


# --- in an answer -----------------------------------------------------------------------------------------------------


def test_each_hit_says_how_close_it_is(index: Index) -> None:
    answer = ask(index, "breast cancer")
    first, *others = answer.hits
    assert (first.trial.id, first.level) == ("T-1", "about")
    assert first.closeness is not None
    assert first.closeness > ABOUT
    assert {hit.level for hit in others} == {"loose"}
    assert (answer.subject, answer.nothing_about, answer.nothing_understood) == ("breast cancer", False, False)
    assert describe_answer(answer) == []


def test_when_nothing_is_about_it_that_is_said_first(index: Index) -> None:
    answer = ask(index, "my son has asthma")
    assert answer.nothing_about
    assert len(answer.hits) == 3
    assert {hit.level for hit in answer.hits} <= {"loose", "related"}
    first, command = describe_answer(answer)
    assert first.startswith("No trial in this index is about asthma. The closest are about ")
    assert command.endswith('trialindex ingest ctgov:"asthma"')


def test_it_is_not_said_of_one_name_in_a_description_that_a_trial_is_like(index: Index) -> None:
    """Somebody who describes an illness may name another one, that they have besides or take it for."""
    assert ask(index, "asthma, my knee is warm and swollen").nothing_about
    assert not ask(index, "asthma, gout of the toe and what a registry of rare illness knows").nothing_about


def test_a_name_that_no_vocabulary_knows_is_found_by_its_words(index: Index) -> None:
    answer = ask(index, "is there a trial for blepharospasm?")
    closest = max(answer.hits, key=lambda hit: hit.closeness or 0)
    assert closest.trial.id == "T-3"
    assert closest.level != "loose"
    assert not answer.nothing_about


@pytest.mark.parametrize("text", ["asdkjh", "hello", "good morning", "???"])
def test_nothing_is_shown_for_what_is_not_understood(index: Index, text: str) -> None:
    answer = ask(index, text)
    assert answer.nothing_understood
    assert answer.nothing_about
    assert answer.hits == ()
    assert "--anyway" in describe_answer(answer)[1]
    assert len(ask(index, text, anyway=True).hits) == 3


def test_a_trial_below_the_page_counts(index: Index) -> None:
    whole = ask(index, "breast cancer and gout of the toe")
    assert not whole.nothing_about
    for number in range(1, 4):
        assert not ask(index, "breast cancer and gout of the toe", limit=1, number=number).nothing_about


def test_closeness_does_not_depend_on_the_page(index: Index) -> None:
    whole = {hit.trial.id: hit.closeness for hit in ask(index, "breast cancer").hits}
    pages = [ask(index, "breast cancer", limit=1, number=number) for number in range(1, 4)]
    assert {hit.trial.id: hit.closeness for page in pages for hit in page.hits} == whole


@pytest.mark.parametrize("mode", ["vector", "lexical"])
def test_the_plain_modes_show_all_they_find(index: Index, mode: str) -> None:
    answer = index.query("gout zzzz", mode=mode)
    assert "T-2" in ids(answer)
    assert all(hit.level for hit in answer.hits)


def test_a_trial_that_takes_healthy_people_is_close_to_somebody_healthy(tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as index:
        index.ingest(ListSource(trial(1, healthy_volunteers=True), trial(2, healthy_volunteers=False)))
        answer = ask(index, "I am healthy and want to take part in a study")
        assert {hit.trial.id: hit.level == "about" for hit in answer.hits} == {"T-1": True, "T-2": False}


def test_of_a_name_that_is_not_held_it_is_not_said_that_nothing_was_understood(index: Index) -> None:
    (said,) = describe_answer(ask(index, "what is NCT03987919 about"))
    assert said.startswith("NCT03987919 is not in this index.")

"""Ids and other names of trials in a question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from support.helpers import ListSource, ids
from support.terms_cases import TERMS
from trialindex.index import Index
from trialindex.plugin.results import Results, describe_answer
from trialindex.search.filters import Filters
from trialindex.search.first_page import EQUAL
from trialindex.search.query import Page, search
from trialindex.testing import FakeEncoder
from trialindex.trial import Trial

TRIALS = (
    Trial(id="NCT01234567", title="Gout of the toe", conditions=("Gout",), other_ids=("IRB 2019-77881", "1234567-A")),
    Trial(id="NCT07654321", title="Asthma in adults", conditions=("Asthma",), acronym="BREATHE", status="COMPLETED"),
    Trial(id="NCT00000001", title="Asthma in children", conditions=("Asthma",), other_ids=("U01-998877",)),
    Trial(id="NCT00000002", title="Asthma at work", conditions=("Asthma",), other_ids=("U01-998877", "NCT09999999")),
    Trial(id="NCT00000003", title="A trial named as an illness is", acronym="ASTHMA"),
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as made:
        made.ingest(ListSource(*TRIALS))
        yield made


def ask(index: Index, text: str, filters: Filters | None = None, **page: int) -> Results:
    with index.searcher() as searcher:
        known = replace(searcher, recognizer=lambda: TERMS)
        return search(known, text, "hybrid", filters or Filters(), Page(**page))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "first", "said"),
    [
        ("NCT01234567", ["NCT01234567"], "You named NCT01234567: it comes first."),
        ("nct 0123 4567", ["NCT01234567"], "You named nct 0123 4567, NCT01234567: it comes first."),
        ("irb 2019-77881", ["NCT01234567"], "You named irb 2019-77881, NCT01234567: it comes first."),
        (
            "https://clinicaltrials.gov/study/NCT01234567?rank=1",
            ["NCT01234567"],
            "You named https://clinicaltrials.gov/study/NCT01234567?rank=1, NCT01234567: it comes first.",
        ),
        ("NCT09999999", ["NCT00000002"], "You named NCT09999999, NCT00000002: it comes first."),
        ("BREATHE", ["NCT07654321"], "You named BREATHE, NCT07654321: it comes first."),
        (
            "U01-998877",
            ["NCT00000001", "NCT00000002"],
            "U01-998877 is a name of 2 trials: they come first.",
        ),
    ],
)
def test_a_name_alone_gives_its_trials_and_no_others(index: Index, question: str, first: list[str], said: str) -> None:
    answer = ask(index, question)
    assert ids(answer) == first
    assert describe_answer(answer)[0] == said
    assert all(hit.named and hit.level == "about" and hit.closeness == 1 for hit in answer.hits)
    assert not answer.nothing_about
    assert not answer.nothing_understood


def test_a_named_trial_comes_first_and_the_rest_is_answered_as_usual(index: Index) -> None:
    answer = ask(index, "is NCT01234567 any good for asthma?")
    assert ids(answer)[0] == "NCT01234567"
    assert [hit.named for hit in answer.hits] == [True, False, False, False, False]
    assert answer.subject == "asthma"
    plain = ask(index, "is any good for asthma?")
    levels = {hit.trial.id: hit.level for hit in plain.hits}
    assert {hit.trial.id: hit.level for hit in answer.hits[1:]} == {
        trial: near for trial, near in levels.items() if trial != "NCT01234567"
    }  # their order may be another: a trial that stood between two kept them from being equally close
    assert all(
        after.score - before.score <= EQUAL
        for before, after in combinations(answer.hits[1:], 2)
        if after.level == before.level
    )


def test_pages_neither_overlap_nor_leave_one_out(index: Index) -> None:
    pages = [ids(ask(index, "asthma NCT01234567", limit=2, number=number)) for number in (1, 2, 3)]
    assert sorted(trial_id for page in pages for trial_id in page) == sorted(trial.id for trial in TRIALS)
    assert pages[0][0] == "NCT01234567"


def test_a_trial_that_does_not_pass_the_filters_is_said_and_not_shown(index: Index) -> None:
    answer = ask(index, "NCT01234567", Filters.parse(status="completed"))
    assert answer.hits == ()
    assert describe_answer(answer)[0] == "NCT01234567 does not pass these filters."


def test_of_several_those_that_do_not_pass_are_counted(index: Index) -> None:
    answer = ask(index, "U01-998877", Filters.parse(condition="asthma", status="recruiting"))
    assert answer.hits == ()
    assert answer.named[0].filtered == ("NCT00000001", "NCT00000002")


def test_an_id_that_is_not_held_is_said_with_how_to_fetch_it(index: Index) -> None:
    answer = ask(index, "NCT04444444 and gout")
    assert not any(hit.named for hit in answer.hits)
    assert ids(answer)[0] == "NCT01234567"
    assert "NCT04444444 is not in this index." in describe_answer(answer)[0]
    assert answer.named[0].similar == ()


def test_a_suggestion_is_one_digit_away(index: Index) -> None:
    answer = ask(index, "NCT01234568")
    assert answer.hits == ()
    assert "Did you mean NCT01234567?" in describe_answer(answer)[0]


@pytest.mark.parametrize(
    "question",
    ["covid 19", "CD19", "2024", "gout since 2024", "asthma, 12345 steps a day", "breathe", "type 2 diabetes",
     "HbA1c 7.5", "I take 1,234,567 pills"],
)  # fmt: skip
def test_numbers_and_words_that_are_no_names_name_nothing(index: Index, question: str) -> None:
    assert ask(index, question).named == ()


def test_a_word_that_names_an_illness_too_is_asked_for_as_well(index: Index) -> None:
    answer = ask(index, "ASTHMA")
    assert (answer.hits[0].trial.id, answer.hits[0].named, answer.subject) == ("NCT00000003", True, "asthma")
    assert len(answer.hits) == len(TRIALS)


def test_a_name_is_found_in_every_mode(index: Index) -> None:
    for mode in ("hybrid", "vector", "lexical"):
        assert ids(index.query("gout NCT07654321", mode=mode))[0] == "NCT07654321", mode
        assert ids(index.query("NCT07654321", mode=mode)) == ["NCT07654321"], mode

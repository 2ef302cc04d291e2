"""What a question asks for besides the illness: understood, told with the option for it, and no filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, ids, trial
from support.terms_cases import TERMS
from trialindex.index import Index
from trialindex.plugin.interfaces import RenderOptions
from trialindex.plugin.registry import plugins
from trialindex.plugin.results import Results, describe_answer, describe_constraint
from trialindex.search.constraints import read_constraints
from trialindex.search.filters import Filters
from trialindex.search.query import Page, search
from trialindex.testing import FakeEncoder
from trialindex.trial import Arm, Intervention, Site

FORMATS = ("table", "markdown", "html", "csv", "json", "jsonl")
BOSTON = Site(name="A clinic", city="Boston", country="United States", latitude=42.36, longitude=-71.06)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    drug, placebo = (
        Intervention(name="Omalizumab", other_names=("Xolair",)),
        Intervention(name="Placebo", other_names=("Dummy",)),
    )
    other = Intervention(name="Budesonide", other_names=("Pulmicort",))
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as made:
        made.ingest(
            ListSource(
                trial(1, title="Asthma A", status="COMPLETED", phases=("PHASE2",), interventions=(placebo,)),
                trial(2, title="Asthma A", status="RECRUITING", phases=("PHASE3",), interventions=(other,)),
                trial(3, title="Asthma A", status="NOT_YET_RECRUITING", interventions=(drug,), sites=(BOSTON,)),
                trial(
                    4, title="Gout", status="ENROLLING_BY_INVITATION", arms=(Arm(label="y", type="PLACEBO_COMPARATOR"),)
                ),
            )
        )
        yield made


def ask(index: Index, text: str, **filters: Any) -> Results:
    with index.searcher() as searcher:
        return search(replace(searcher, recognizer=lambda: TERMS), text, "hybrid", Filters.parse(**filters), Page())


def read(text: str) -> dict[str, str]:
    found = read_constraints(text, Filters(), TERMS.find)
    return {one.kind: one.option or one.meaning for one in found.told}


# --- what is understood -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "understood", "searched"),
    [
        ("recruiting trials for asthma", {"status": "--status recruiting"}, "asthma"),
        ("asthma studies that are currently recruiting", {"status": "--status recruiting"}, "asthma"),
        ("open trials for asthma", {"status": "--open"}, "asthma"),
        ("asthma trials I can join", {"status": "--open"}, "asthma"),
        ("Phase II asthma", {"phase": "--phase 2"}, "asthma"),
        ("phase 1/2 asthma", {"phase": "--phase 1 --phase 2"}, "asthma"),
        ("early phase 1 asthma studies", {"phase": "--phase early-phase1"}, "asthma"),
        ("observational studies of asthma", {"study type": "--study-type observational"}, "asthma"),
        ("asthma, no placebo", {"placebo": "no placebo"}, "asthma"),
        (
            "asthma near Lyon",
            {"place": '--near "Lyon, France" --within 100km'},
            "asthma",
        ),
        (
            "asthma within 50 miles of Lyon",
            {"place": '--near "Lyon, France" --within 50miles'},
            "asthma",
        ),
        ("asthma trials in Germany", {"country": "--country Germany"}, "asthma"),
        ("what are clinical trials", {}, "what are clinical trials"),
        ('"open trials" for asthma', {}, '"open trials" for asthma'),
    ],
)
def test_what_is_asked_for_is_told_with_its_option_and_not_searched_for(
    text: str, understood: dict[str, str], searched: str
) -> None:
    assert read(text) == understood
    assert read_constraints(text, Filters(), TERMS.find).text == searched


@pytest.mark.parametrize(
    "text",
    ["asthma in remission", "Turkey allergy", "allergy to turkey in adults", "trouble reading", "nice people with gout",
     "mobile app", "Lyme disease", "open angle glaucoma", "chronic phase leukemia", "phase 2 of dialysis",
     "completed chemo", "in vitro fertilization", "Rome criteria in gout", "rash in summer", "asthma in children"],
)  # fmt: skip
def test_words_that_only_look_like_it_ask_for_nothing(text: str) -> None:
    found = read_constraints(text, Filters(), TERMS.find)
    assert (found.told, found.text) == ((), text)


@pytest.mark.parametrize(
    ("text", "place"),
    [("asthma, Portland OR", "Portland, Oregon"), ("gout trials in Nice, France", "Nice"),
     ("gout in Reading, UK", "Reading"), ("gout studies in boston", "Boston"), ("gout Houston", "Houston")],
)  # fmt: skip
def test_a_place_gives_distances(text: str, place: str) -> None:
    found = read_constraints(text, Filters(), TERMS.find)
    assert found.place is not None
    assert found.place.name.startswith(place)


def test_a_postal_code_is_placed_or_said_to_be_unknown() -> None:
    [constraint] = read_constraints("asthma WA 98101", Filters(), TERMS.find).told
    assert constraint.said == "WA 98101"
    assert constraint.option in ('--near "WA 98101" --within 100km', "")
    assert constraint.option or "postal code" in constraint.meaning


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("is there anything for my dad's asthma in Ohio", "Ohio, United States (for distances name a town in it)"),
        ("asthma trials near Ontario", "Ontario, Canada (for distances name a town in it)"),
        ("asthma that I have in spring", None),
    ],
)
def test_a_state_is_read_and_not_placed(text: str, said: str | None) -> None:
    read = read_constraints(text, Filters(), TERMS.find)
    assert next((one.meaning for one in read.told if one.kind == "place"), None) == said
    assert read.place is None
    assert ("Ohio" in read.text, "Ontario" in read.text) == (False, False)


def test_the_place_of_an_option_is_the_place_that_was_understood() -> None:
    for text in (
        "asthma in Boston",
        "gout near Washington",
        "gout, Portland OR",
        "gout in São Paulo",
        "gout near Zurich",
    ):
        found = read_constraints(text, Filters(), TERMS.find)
        assert Filters.parse(**found.told[0].filters).near == found.place  # type: ignore[arg-type]


# --- in an answer -----------------------------------------------------------------------------------------------------


def test_nothing_is_filtered_and_distances_are_shown(index: Index) -> None:
    answer = ask(index, "recruiting phase 3 trials for asthma in Boston")
    assert answer.searched == answer.total == 4
    assert answer.filters == {}
    near = [hit.distance_km for hit in answer.hits if hit.trial.id == "T-3"]
    assert near[0] is not None
    assert near[0] < 1
    assert "Distances are from Boston, Massachusetts, United States." in answer.notes


def test_a_filter_that_is_given_is_not_offered(index: Index) -> None:
    [constraint] = ask(index, "recruiting trials for asthma", status="recruiting").constraints
    assert (constraint.option, constraint.filters) == ("", {})


def test_the_option_that_is_offered_does_what_it_says(index: Index) -> None:
    [constraint] = ask(index, "phase 2 trials for asthma").constraints
    assert ids(ask(index, "asthma", **constraint.filters)) == ["T-1"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_what_was_understood(index: Index, name: str) -> None:
    answer = ask(index, "recruiting trials for asthma")
    drawn = "".join(plugins().renderers.get(name)(RenderOptions()).results(answer))
    assert "--status recruiting" in drawn


def test_a_note_is_searched_as_it_is_written(index: Index) -> None:
    note = f"recruiting trials for asthma. {'She has coughed for weeks. ' * 20}I live near Lyon."
    answer = ask(index, note)
    assert [one.kind for one in answer.constraints if one.kind not in ("age", "sex")] == []
    assert "Distances are from Lyon, France." in answer.notes


# --- which come first -------------------------------------------------------------------------------------------------


def first_asthma(answer: Results) -> list[str]:
    return [trial_id for trial_id in ids(answer) if trial_id != "T-4"]


def test_of_trials_equally_close_those_that_take_people_come_first(index: Index) -> None:
    assert first_asthma(ask(index, "asthma")) == ["T-2", "T-3", "T-1"]


def test_what_was_asked_for_outweighs_that(index: Index) -> None:
    assert first_asthma(ask(index, "completed trials of asthma"))[0] == "T-1"
    assert first_asthma(ask(index, "phase 2 asthma"))[0] == "T-1"


def test_of_two_that_are_not_equally_close_the_closer_stays_first(index: Index) -> None:
    assert ids(ask(index, "completed trials of gout"))[0] == "T-4"


def test_a_treatment_that_is_asked_for_comes_first(index: Index) -> None:
    answer = index.query("Xolair for asthma")
    assert ids(answer)[0] == "T-3"
    assert answer.hits[0].parts["treatment"] > 0
    assert "omalizumab" in describe_constraint(answer.constraints[0])


@pytest.mark.parametrize("text", ["asthma, Xolair failed", "asthma after omalizumab", "I am on Xolair for asthma"])
def test_a_treatment_that_somebody_had_is_not_asked_for(index: Index, text: str) -> None:
    assert not any(one.kind == "treatment" for one in index.query(text).constraints)


def test_who_wants_no_placebo_is_told_where_one_is_given(index: Index) -> None:
    answer = ask(index, "asthma, no placebo")
    assert first_asthma(answer)[-1] == "T-1"
    given = {hit.trial.id for hit in answer.hits if "Some who take part are given a placebo." in hit.cautions}
    assert given == {"T-1", "T-4"}
    assert not any(hit.cautions for hit in ask(index, "asthma").hits)


# --- open -------------------------------------------------------------------------------------------------------------


def test_the_head_counts_those_that_take_people_now(index: Index) -> None:
    answer = ask(index, "asthma")
    assert answer.open_hits == 1
    assert "1 of these 4 takes people now." in describe_answer(answer)


def test_without_a_status_nothing_is_counted(tmp_path: Path) -> None:
    with Index.create(tmp_path / "bare", encoder=FakeEncoder()) as bare:
        bare.ingest(ListSource(trial(1, title="Asthma", status=None), trial(2, title="Asthma too", status=None)))
        answer = ask(bare, "asthma")
    assert answer.open_hits is None
    assert not any("take" in line for line in describe_answer(answer))


def test_open_is_a_filter_like_the_others(index: Index) -> None:
    assert sorted(ids(ask(index, "asthma", open=True))) == ["T-2", "T-3", "T-4"]
    assert ask(index, "asthma", open=True).filters == {"open": "to join now or later"}
    assert sorted(one.id for one in index.trials(Filters.parse(open=True))) == ["T-2", "T-3", "T-4"]
    assert Filters.parse(open=False) == Filters()

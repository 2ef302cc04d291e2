"""Whom a trial takes by its own words, and that a trial of others goes down and says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource
from trialindex.index import Index
from trialindex.plugin.results import Hit
from trialindex.search.participants import CARERS, CHILDREN, HEALTHY, NEWBORNS, PREGNANT, STAFF, STUDENTS, participants
from trialindex.search.settings import RankingSettings
from trialindex.testing import FakeEncoder
from trialindex.trial import Trial


def groups(**fields: Any) -> list[str]:
    return [one.group for one in participants(Trial(**{"id": "T", "title": "A study of asthma", **fields}))]


@pytest.mark.parametrize(
    ("group", "title"),
    [
        (CARERS, "Group support for caregivers of adults with dementia"),
        (CARERS, "A course for family carers after a stroke"),
        (CARERS, "Sleep of parents of young children with asthma"),
        (STAFF, "Hydration and asthma among hospital nurses"),
        (STAFF, "Burnout in emergency health care workers during an epidemic"),
        (STUDENTS, "Anxiety before examinations in medical students"),
        (PREGNANT, "Iron drops for pregnant women with anemia"),
        (PREGNANT, "Insulin in gestational diabetes"),
        (PREGNANT, "Spinal or epidural: labour analgesia compared"),
        (NEWBORNS, "Caffeine for preterm infants with apnea"),
        (NEWBORNS, "Early detection of neonatal sepsis"),
        (CHILDREN, "Inhalers for school age children with asthma"),
        (CHILDREN, "Oral iron in pediatric patients"),
        (HEALTHY, "A single dose of drug A in healthy male volunteers"),
        (HEALTHY, "Food and drug A in healthy Japanese adults"),
    ],
)
def test_a_title_says_whom_a_trial_takes(group: str, title: str) -> None:
    assert groups(title=title)[0] == group
    assert groups(official_title=title)[0] == group


@pytest.mark.parametrize(
    "title",
    [
        "Patients with dementia and their caregivers",
        "A nurse-led clinic for asthma",
        "How nurses talk with adult patients on dialysis",
        "College students with depression",
        "Letrozole and pregnancy in infertility",
        "Drug A in children and adults with asthma",
        "Heart disease in survivors of cancer of children",
        "Drug A in patients with asthma and in healthy volunteers",
        "Asthma and healthy controls",
        "A trial at the Children's Hospital",
        "Liver cancer, Child-Pugh class A",
        "Healthy eating for people with diabetes",
        "Fetal hemoglobin in sickle cell disease",
    ],
)
def test_a_title_that_names_others_besides_or_somebody_else_says_nothing(title: str) -> None:
    assert groups(title=title) == []


def test_conditions_and_the_first_criterion_say_it_too_and_later_criteria_do_not() -> None:
    assert groups(conditions=("Asthma", "Pregnancy")) == [PREGNANT]
    assert groups(conditions=("Healthy Volunteers",)) == [HEALTHY]
    assert groups(conditions=("Infant, Newborn, Diseases",)) == [NEWBORNS]
    assert groups(inclusion=("Pregnant women from week 20 on",)) == [PREGNANT]
    assert groups(inclusion=("Primary caregiver of somebody with asthma",)) == [CARERS]
    assert groups(inclusion=("Asthma", "Healthy volunteers")) == []
    assert groups(inclusion=("Not pregnant",)) == []


def test_a_highest_age_that_is_stated_is_compared_by_its_number_and_not_by_words() -> None:
    assert groups(title="Inhalers for children with asthma", maximum_age=17.0) == []


def test_where_it_is_said_is_quoted() -> None:
    [found] = participants(Trial(id="T", title="Asthma", official_title="Asthma in pregnant women"))
    assert (found.group, found.where) == (PREGNANT, "Asthma in pregnant women")


# --- an answer --------------------------------------------------------------------------------------------------------

OTHERS = {
    "CARERS": "Drug A for caregivers of adults with asthma",
    "STAFF": "Drug A for asthma among hospital nurses",
    "PREGNANT": "Drug A for asthma in pregnant women",
    "CHILDREN": "Drug A for children with asthma",
    "HEALTHY": "Drug A for asthma in healthy volunteers",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("participants")
    made = Index.create(folder / "index", encoder=FakeEncoder())
    about: dict[str, Any] = {"summary": "Drug A is given for asthma.", "conditions": ("Asthma",)}
    made.ingest(
        ListSource(
            *(Trial(id=name, title=title, **about) for name, title in OTHERS.items()),
            *(Trial(id=f"ALL-{n}", title="Drug A for asthma that inhalers do not help", **about) for n in range(5)),
        )
    )
    return made


def hits(index: Index, text: str, **options: Any) -> dict[str, Hit]:
    return {hit.trial.id: hit for hit in index.query(text, limit=20, **options).hits}


def test_trials_of_others_stand_further_down_and_say_why(index: Index) -> None:
    far = hits(index, "asthma, 40 year old man", ranking=RankingSettings(others_penalty=50.0))
    assert {name[:3] for name in list(far)[:5]} == {"ALL"}
    found = hits(index, "asthma, 40 year old man")
    assert len(found) == 10, "they stay in the answer"
    for name, title in OTHERS.items():
        assert found[name].parts["others"] == RankingSettings().others_penalty
        assert any(one.startswith("It seems to be for ") and title in one for one in found[name].cautions)
    assert all("others" not in hit.parts and not hit.cautions for name, hit in found.items() if name not in OTHERS)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("asthma, I am 20 weeks pregnant", {"PREGNANT", "CHILDREN"}),
        ("asthma of somebody whom I am caring for", {"CARERS", "CHILDREN"}),
        ("I work as a nurse and have asthma", {"STAFF", "CHILDREN"}),
        ("asthma in a 9 year old girl", {"CHILDREN", "CARERS"}),
        ("a vaccine for my asthma, 40 years old", {"HEALTHY"}),
        ("asthma", {"CHILDREN"}),
        ("healthy volunteer for an asthma study, 30 years old", {"HEALTHY"}),
    ],
)
def test_a_person_of_the_group_keeps_its_trials(index: Index, text: str, own: set[str]) -> None:
    found = hits(index, text)
    kept = {name for name in OTHERS if "others" not in found[name].parts}
    assert kept == own
    assert not any("seems to be for" in one for name in own for one in found[name].cautions)


def test_the_plain_modes_move_nothing(index: Index) -> None:
    for mode in ("vector", "lexical"):
        assert all("others" not in hit.parts for hit in hits(index, "asthma, 40 year old man", mode=mode).values())

"""The built-in writer, swept: over made-up trials with anything missing or hostile, and over all real studies."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.plain_asking import assert_fields_hold, named_in_vain
from support.plain_cases import STUDIES, all_slips, grade, needs_studies, read, real_trials, sentences, slips
from support.plain_facts import Facts
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.trial import (
    PHASES,
    SEXES,
    STATUSES,
    STUDY_TYPES,
    Arm,
    Intervention,
    Outcome,
    SeriousEvents,
    Site,
    Trial,
)
from trialindex.trial.sanitize import UNSAFE
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()

# --- made-up trials -------------------------------------------------------------------------------------------------

CLEAR = (
    *("Zorubicin", "Tacumab", "rBet v 1", "ANTI-IGE", "Best of Care", "Placebo", "Sham Device", "Group Therapy."),
    *("Zorubicin (ZB-12", "[unlabelled]", "Vitamin A", "Arm A: zorubicin, once daily", "Zorubicin plus tacumab"),
    *("Gouty Arthritis", "ASTHMA", "Asthma, Bronchial", "Crohn's Disease", "Healthy Volunteers", "None"),
    *("Atopy; Eczema", "Cough in Children", "- Egg Allergy", "x" * 70, "“quoted”", "Smoking Cessation"),
)
CLEAR_NAMES = st.sampled_from(CLEAR)
NAMES = st.sampled_from([*CLEAR, "", " ", "((", "…", "a", "with"])
HOSTILE = st.text(st.characters(codec="utf-8"), max_size=40)
LONG = st.sampled_from(["word " * 5000, "w" * 100_000, "\x1b[31mred\x1b[0m", "a\u202eb", "<b>bold</b>", "a\x00b\nc"])
CLEAR_MEASURES = st.sampled_from(
    ["Change in pain", "Number of adverse events", "Overall survival (OS)", "Zonk of the knee [left]", "IgE", "FEV1"]
)
MEASURES = CLEAR_MEASURES | st.sampled_from(["", "(", "..."])


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def few(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


def trials(names: st.SearchStrategy[str], measures: st.SearchStrategy[str]) -> st.SearchStrategy[Trial]:
    """Trials with any field missing."""
    kinds = st.sampled_from(["DRUG", "BIOLOGICAL", "DEVICE", "BEHAVIORAL", "OTHER", "NEW_KIND", None])
    arm_types = st.sampled_from(
        ["EXPERIMENTAL", "ACTIVE_COMPARATOR", "PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "NO_INTERVENTION", None]
    )
    ages = st.sampled_from([0.0, 0.0192, 0.5, 1.0, 11.5, 12.0, 17.0, 18.0, 65.0, 120.0, 33.3333])
    events = st.builds(SeriousEvents, affected=st.integers(0, 2), at_risk=st.integers(2, 3))
    return st.builds(
        Trial,
        id=st.just("T-1"),
        title=st.just("A study"),
        conditions=few(names),
        study_type=optional(st.sampled_from(STUDY_TYPES)),
        phases=st.sampled_from([(), *((phase,) for phase in PHASES), ("PHASE1", "PHASE2"), ("PHASE3", "PHASE2")]),
        status=optional(st.sampled_from(STATUSES)),
        why_stopped=optional(names),
        primary_purpose=optional(st.sampled_from(["TREATMENT", "PREVENTION", "BASIC_SCIENCE", "OTHER", "NEW_AIM"])),
        allocation=optional(st.sampled_from(["RANDOMIZED", "NON_RANDOMIZED", "NA"])),
        intervention_model=optional(st.sampled_from(["SINGLE_GROUP", "PARALLEL"])),
        masking=optional(st.sampled_from(["NONE", "DOUBLE"])),
        who_masked=st.sampled_from([(), ("PARTICIPANT",), ("INVESTIGATOR", "NEW_PARTY")]),
        enrollment=optional(st.sampled_from([0, 1, 2, 99, 100, 12345])),
        enrollment_type=optional(st.sampled_from(["ACTUAL", "ESTIMATED"])),
        sex=optional(st.sampled_from(SEXES)),
        minimum_age=optional(ages),
        maximum_age=optional(ages),
        healthy_volunteers=optional(st.booleans()),
        interventions=few(st.builds(Intervention, name=names, type=kinds, other_names=few(names))),
        arms=few(st.builds(Arm, label=st.just("A"), type=arm_types, interventions=few(names))),
        outcomes=few(st.builds(Outcome, measure=measures, time_frame=optional(names))),
        sites=few(
            st.builds(Site, country=st.sampled_from([None, "France", "United States", "Korea, Republic of", " "]))
        ),
        has_results=optional(st.booleans()),
        serious_events=st.lists(events, max_size=2).map(tuple),
    )


WITH_TIME = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


@WITH_TIME
@given(trials(NAMES, MEASURES))
def test_whatever_is_missing_each_fact_is_right_and_no_sentence_slips(trial: Trial) -> None:
    plain = WRITER.write(trial)
    assert list(all_slips(trial, plain)) == []
    assert Facts(trial, plain).wrong == []


@settings(WITH_TIME, max_examples=60)
@given(trials(CLEAR_NAMES, CLEAR_MEASURES))
def test_whatever_is_missing_each_sentence_names_its_fields(trial: Trial) -> None:
    assert_fields_hold(trial)


@settings(WITH_TIME, max_examples=15)
@given(trials(HOSTILE | LONG, HOSTILE | LONG))
def test_hostile_names_break_nothing(trial: Trial) -> None:
    plain = WRITER.write(trial)
    assert len(plain.headline.text) <= 90
    for sentence in sentences(plain):
        assert sentence.text.strip()
        assert UNSAFE.search(sentence.text) is None
        assert "\n" not in sentence.text
        assert len(sentence.text) < 1500
        assert all(sentence.text.count(left) == sentence.text.count(right) for left, right in ("()", "“”"))


# --- the real studies -----------------------------------------------------------------------------------------------

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def told() -> list[tuple[Trial, PlainLanguage]]:
    return [(trial, WRITER.write(trial)) for trial in real_trials(STUDIES)]


@needs_studies
def test_real_studies_read_easily(told: list[tuple[Trial, PlainLanguage]]) -> None:
    grades = [grade(trial, plain) for trial, plain in told]
    assert len(grades) == 971
    assert statistics.median(grades) <= 8
    assert sum(one > 11 for one in grades) <= 0.05 * len(grades)


@needs_studies
def test_each_fact_of_the_real_studies_is_right(told: list[tuple[Trial, PlainLanguage]]) -> None:
    facts = [(trial.id, Facts(trial, plain)) for trial, plain in told]
    wrong = [(name, wrong) for name, fact in facts for wrong in fact.wrong]
    assert len(wrong) <= 3, wrong  # numbers inside a drug's code, which the reader cannot place
    assert sum(fact.checked for _, fact in facts) > 8_000


@needs_studies
def test_real_studies_have_no_slip(told: list[tuple[Trial, PlainLanguage]]) -> None:
    assert [(trial.id, *slip) for trial, plain in told for slip in all_slips(trial, plain)] == []


@needs_studies
def test_headlines_of_real_studies_tell_them_apart(told: list[tuple[Trial, PlainLanguage]]) -> None:
    headlines = Counter(plain.headline.text for _, plain in told)
    repeated = sum(count for count in headlines.values() if count > 1)
    assert repeated <= 0.03 * len(told), "sister studies state the same in all that a headline can hold"
    assert len({read(plain) for _, plain in told}) >= len(told) - 2


@needs_studies
def test_sentences_of_real_studies_name_their_fields(told: list[tuple[Trial, PlainLanguage]]) -> None:
    some = told[::25]
    assert len(some) > 30
    vain = [found for trial, _ in some if (found := list(named_in_vain(trial)))]
    assert len(vain) <= 0.1 * len(some), vain


@needs_studies
def test_the_sweep_sees_the_real_names(told: list[tuple[Trial, PlainLanguage]]) -> None:
    trial, plain = told[0]
    assert slips(f"{plain.summary[0].text}.", trial)

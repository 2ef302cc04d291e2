"""Eligibility text in two lists, on texts written for the purpose."""

from __future__ import annotations

import pytest

from support.timing import cost
from trialindex.trial.criteria import split_criteria


def test_bullets_under_the_usual_headings() -> None:
    text = "Inclusion Criteria:\n\n* Adults with asthma\n* Non-smokers\n\nExclusion Criteria:\n\n* Pregnancy\n* Fever"
    assert split_criteria(text)[:2] == (("Adults with asthma", "Non-smokers"), ("Pregnancy", "Fever"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INCLUSION CRITERIA", "EXCLUSION CRITERIA"),
        ("Key Inclusion Criteria:", "Key Exclusion Criteria:"),
        ("Key Inclusion", "Key Exclusion"),
        ("**Inclusion**", "**Exclusion**"),
        ("Inclusion:", "Exclusions:"),
        ("Inclusion criteria :", "Exclusion criteria :"),
        ("Inclusion Criteria：", "Exclusion Criteria："),
        ("Main inclusion criterion:", "Main exclusion criterion:"),
        ("* Inclusion Criteria:", "* Exclusion Criteria:"),
        ("-INCLUSION CRITERIA:", "-EXCLUSION CRITERIA:"),
        ("Patient inclusion criteria", "Non-inclusion criteria"),
        ("Inclusion Criteria-", "Criteria for non-inclusion:"),
        ("III.1 INCLUSION CRITERIA", "III.2 EXCLUSION CRITERIA"),
        ("Subjects will be included if they:", "Subjects will be excluded if they:"),
        ("Patients must meet all of the following to be eligible for enrolment:", "Other exclusions:"),
        ("Inclusion Criteria:", "Any of the following would exclude a person from taking part:"),
        ("Inclusion Criteria:", "Patients who meet any of these will be excluded from the study:"),
        ("Inclusion Criteria:", "Participants should not meet any of the following criteria:"),
        ("Inclusion Criteria:", "Contraindications:"),
        ("Inclusion Criteria:", "No inclusion / Exclusion Criteria:"),
        ("Inclusion Criteria:", "Women were ineligible if they:"),
    ],
)
def test_headings_in_every_wording(one: str, other: str) -> None:
    text = f"{one}\n\n1. Walks unaided\n2. Speaks\n\n{other}\n\n1. Fever\n2. Cough"
    assert split_criteria(text)[:2] == (("Walks unaided", "Speaks"), ("Fever", "Cough"))


def test_without_headings_nothing_is_guessed() -> None:
    assert split_criteria("* Adults\n* No fever\n\nEligibility Criteria:\n\n* Walks")[:2] == ((), ())
    assert split_criteria("")[:2] == ((), ())


def test_text_before_the_first_heading_is_of_neither() -> None:
    assert split_criteria("Adults only.\n\nExclusion Criteria:\n\n* Fever")[:2] == ((), ("Fever",))


def test_nested_bullets_stay_with_their_parent() -> None:
    text = (
        "Inclusion Criteria:\n\n1. One of these:\n\n   * high fever\n   * a rash that\n     itches\n\n2. Age over 17\n"
        "   or consent of a parent\n\nExclusion Criteria:\n\n* Any of:\n  1. a stroke\n  2. a fall"
    )
    assert split_criteria(text)[:2] == (
        ("One of these:\n- high fever\n- a rash that itches", "Age over 17 or consent of a parent"),
        ("Any of:\n1. a stroke\n2. a fall",),
    )


def test_bullets_nested_under_a_bulleted_heading_are_items() -> None:
    text = "* Inclusion Criteria:\n\n  * Adults\n    * or older\n  * Walks\n* Exclusion Criteria:\n\n  * Fever"
    assert split_criteria(text)[:2] == (("Adults\n- or older", "Walks"), ("Fever",))


def test_paragraphs_are_items() -> None:
    text = "Inclusion Criteria:\n\nAdults with lupus.\n\nA signed form.\n\nExclusion Criteria:\n\nFever.\n\nCough."
    assert split_criteria(text)[:2] == (("Adults with lupus.", "A signed form."), ("Fever.", "Cough."))


def test_headings_of_groups_stay_as_items_on_their_side() -> None:
    text = (
        "Inclusion Criteria for Cohort A:\n\n* Mild\n\nExclusion Criteria for Cohort A:\n\n* Fever\n\n"
        "Additional Inclusion Criteria - Cohort B\n\n* Severe\n\nOther exclusion criteria:\n\n* Cough"
    )
    assert split_criteria(text)[:2] == (
        ("Inclusion Criteria for Cohort A:", "Mild", "Cohort B", "Severe"),
        ("Exclusion Criteria for Cohort A:", "Fever", "Cough"),
    )


def test_a_heading_that_says_which_exclusions_stays_as_an_item() -> None:
    text = "Inclusion Criteria:\n\n* Adults\n\nGeneral Medical Exclusions:\n\n* Fever"
    assert split_criteria(text)[:2] == (("Adults",), ("General Medical Exclusions:", "Fever"))


def test_text_on_the_line_of_the_heading() -> None:
    assert split_criteria("Inclusion Criteria: adults\nExclusion Criteria: none")[:2] == (("adults",), ("none",))
    assert split_criteria("Inclusion criteria. Age 22.\n\nStudy Exclusion Criteria. Fever.")[:2] == (
        ("Age 22.",),
        ("Fever.",),
    )
    assert split_criteria("Inclusion Criteria:1. Adults\nExclusion Criteria:1. Fever")[:2] == (("Adults",), ("Fever",))


@pytest.mark.parametrize(
    "text",
    [
        "Inclusion Criteria: adults who walk. Exclusion Criteria: fever",
        "Inclusion Criteria:\n\n* adults who walk Exclusion criteria: fever",
        "Inclusion Criteria: adults who walk. Exclusion Criteria fever",
    ],
)
def test_a_heading_in_the_middle_of_a_line(text: str) -> None:
    inclusion, exclusion, _ = split_criteria(text)
    assert [i.strip(".") for i in inclusion] == ["adults who walk"]
    assert "fever" in exclusion[0]


def test_criteria_about_criteria_are_no_headings() -> None:
    text = (
        "Inclusion Criteria:\n\n* Meets the criteria for asthma\n* Fever in the week before inclusion\n\n"
        "Exclusion Criteria:\n\n* Any inclusion criteria not met\n"
        "* Not meeting inclusion criteria\n* Inclusion in another trial"
    )
    inclusion, exclusion, _ = split_criteria(text)
    assert len(inclusion) == 2
    assert exclusion == (
        "Any inclusion criteria not met",
        "Not meeting inclusion criteria",
        "Inclusion in another trial",
    )


def test_boilerplate_of_both_sides_is_of_neither() -> None:
    note = "Note: other inclusion/exclusion criteria may apply."
    text = f"Inclusion Criteria:\n\n* Adults\n\n{note}\n\nExclusion Criteria:\n* Fever\n\n{note}"
    assert split_criteria(text)[:2] == (("Adults",), ("Fever",))


@pytest.mark.parametrize(
    ("criterion", "inclusion", "exclusion"),
    [
        ("People with a stroke will be excluded.", (), ("People with a stroke will be excluded.",)),
        ("Age 18 to 70. Children are not eligible.", ("Age 18 to 70.",), ("Children are not eligible.",)),
        ("Any cancer (leukaemia is excluded) of stage I", ("Any cancer of stage I",), ("leukaemia is excluded",)),
        ("Adults\n  * with asthma\n  * smokers are excluded", ("Adults\n- with asthma",), ("smokers are excluded",)),
        ("Patients are excluded if they have:\n\n  * fever", (), ("Patients are excluded if they have:\n- fever",)),
        ("Patients are excluded if they have:\n\n* fever", (), ("fever", "Patients are excluded if they have:")),
        ("A scan to exclude a tumour", ("A scan to exclude a tumour",), ()),
        ("Must not be pregnant", ("Must not be pregnant",), ()),
    ],
)
def test_what_speaks_of_exclusion_never_counts_as_inclusion(
    criterion: str, inclusion: tuple[str, ...], exclusion: tuple[str, ...]
) -> None:
    assert split_criteria(f"Inclusion Criteria:\n\n* {criterion}\n")[:2] == (inclusion, exclusion)


def test_a_second_eligibility_heading_ends_the_inclusion() -> None:
    assert split_criteria("Inclusion Criteria:\n\n1. Adults\n\nEligibility Criteria:\n\n1. Fever\n")[:2] == (
        ("Adults",),
        (),
    )


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ("* 1. Walks", "Walks"),
        ("• Walks", "Walks"),
        ("•Walks", "Walks"),
        ("- Walks", "Walks"),
        ("a) Walks", "Walks"),
        ("(1) Walks", "Walks"),
        ("iv. Walks", "Walks"),
        ("A. Walks", "Walks"),
        ("1.Walks", "Walks"),
        ("A. fumigatus in sputum", "A. fumigatus in sputum"),
        ("-2.5 SD or less", "-2.5 SD or less"),
        ("1.5 mg a day", "1.5 mg a day"),
        ("≥ 18 years", "≥ 18 years"),
    ],
)
def test_list_markers_go_and_numbers_stay(line: str, item: str) -> None:
    assert split_criteria(f"Inclusion Criteria:\n\n{line}\n")[:2] == ((item,), ())


@pytest.mark.parametrize(
    "unit", ["(", " ", "\t", "* a\n", "Inclusion Criteria: ", "and/or", "a", "- -", "(are excluded)"]
)
def test_hostile_text_takes_no_longer_than_any(unit: str) -> None:
    text = "Inclusion Criteria:\n* " + unit * (300_000 // len(unit))
    assert cost(lambda: split_criteria(text), runs=1) < 500


def test_headings_of_old_cancer_records_are_no_criteria() -> None:
    text = "DISEASE CHARACTERISTICS:\n\nStage III sarcoma\n\nPATIENT CHARACTERISTICS:\nAge:\n\n* 18 and over\n\n"
    text += "PRIOR CONCURRENT THERAPY:\n* None"
    assert split_criteria(text).neither == ("Stage III sarcoma", "Age:", "18 and over", "None")

"""What the reader ``rules`` proposes for what people write."""

from __future__ import annotations

import pytest

from trialindex.concepts.loading import load_recognizer
from trialindex.plugin.proposals import Proposal
from trialindex.plugin.registry import plugins
from trialindex.testing.reading import check_reader
from trialindex_readers.findings import load_names, load_table
from trialindex_readers.matching import find_findings
from trialindex_readers.model import weigh
from trialindex_readers.rules import RulesReader


def _read(text: str) -> list[Proposal]:
    return RulesReader().propose(text, load_recognizer(plugins()))


def _proposed(text: str) -> list[str]:
    return [one.condition for one in _read(text)]


def _there(text: str, age: float | None = None, sex: str | None = None) -> set[str]:
    table = load_table()
    return {table.findings[one.finding] for one in find_findings(text, table, age, sex) if not one.denied}


def _denied(text: str) -> set[str]:
    table = load_table()
    return {table.findings[one.finding] for one in find_findings(text, table) if one.denied}


@pytest.mark.parametrize(
    ("text", "illness"),
    [
        ("My hand trembles while it rests, I shuffle when I walk and my writing has become tiny.", "Parkinson disease"),
        ("28-year-old woman with a butterfly rash, sore joints and mouth ulcers; ANA positive.", "systemic lupus"),
        ("He drinks and drinks, passes a lot of urine, has lost 6 kg; glucose 24 mmol/L.", "diabetes"),
    ],
)
def test_an_illness_that_is_not_named_is_proposed_with_what_speaks_for_it(text: str, illness: str) -> None:
    proposals = _read(text)
    assert any(illness in one.condition for one in proposals), proposals
    assert all(one.because for one in proposals)
    assert proposals[0].weight == 1.0
    assert [one.weight for one in proposals] == sorted((one.weight for one in proposals), reverse=True)


@pytest.mark.parametrize("text", ["asthma", "severe lupus kidney", "my mother and I have migraine with nausea"])
def test_a_question_that_names_an_illness_gets_none(text: str) -> None:
    assert _read(text) == []


def test_what_a_note_names_stays_first_where_its_findings_speak_for_it() -> None:
    note = (
        "A 67-year-old man with Parkinson disease for six years comes for review. He has a tremor at rest, a shuffling"
        " gait and small handwriting. He takes levodopa four times a day, and wears off before each dose. He lives with"
        " his wife, walks with a stick, and sleeps badly."
    )
    assert _proposed(note)[0] == "Parkinson disease"


@pytest.mark.parametrize("text", ["", "hello", "I would like to help", "pain"])
def test_what_tells_nothing_gets_none(text: str) -> None:
    assert _proposed(text) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("BP 75/55", "low blood pressure"),
        ("Her blood pressure was 182/100.", "very high blood pressure"),
        ("BMI 34", "obesity"),
        ("HbA1c of 9%", "high HbA1c"),
        ("temperature 39.4 °C", "high fever"),
        ("39.4 °C", "high fever"),
        ("temp 103.1 F", "high fever"),
        ("serum sodium 121 mmol/L", "hyponatremia"),
        ("K 2.6", "hypokalemia"),
        ("HR 128", "tachycardia"),
        ("TSH below 0.01", "suppressed TSH"),
    ],
)
def test_a_number_reads_as_a_finding(text: str, finding: str) -> None:
    assert finding in _there(text, age=50.0), _there(text, age=50.0)


@pytest.mark.parametrize(
    "text", ["BP 120/80", "BMI 22", "HbA1c 5.1%", "temperature 36.8", "K 4.1", "vitamin k 2 tablets"]
)
def test_a_number_that_is_usual_reads_as_none(text: str) -> None:
    assert not _there(text, age=50.0) & {
        "low blood pressure",
        "hypertension",
        "obesity",
        "high HbA1c",
        "fever",
        "hypokalemia",
        "hyperkalemia",
    }


def test_a_gene_with_a_number_is_no_measure() -> None:
    assert not any("filtration" in finding for finding in _there("EGFR exon 19 deletion", age=64.0))
    assert any("filtration" in finding for finding in _there("eGFR of 19", age=64.0))


def test_names_are_read_in_any_order_and_inflection_within_a_sentence() -> None:
    assert "resting tremor" in _there("Her hands are trembling whenever they rest.")
    assert "neck stiffness" in _there("The neck is stiff.")
    assert "neck stiffness" not in _there("The neck is supple. Her shoulders are stiff.")


def test_what_is_denied_is_told_apart_and_what_denies_within_a_name_is_none() -> None:
    assert "fever" in _denied("No fever or cough.")
    assert "fever" not in _there("No fever or cough.")
    assert "pressured speech" in _there("He talks without stopping.")


def test_what_a_relative_has_is_no_finding_of_the_patient() -> None:
    there = _there("I am tired. Family history of tremor.")
    assert "tremor" not in there
    assert "family history of tremor" in there


def test_findings_add_up() -> None:
    parts = "Fever for a day. A stiff neck."
    assert {"fever", "neck stiffness"} <= _there(parts)
    assert "hematuria in a child" in _there("hematuria", age=7.0)
    assert "hematuria in a child" not in _there("hematuria", age=57.0)


def test_a_finding_that_is_denied_counts_against() -> None:
    text = "A sore throat and a barking cough since Monday, worse at night, with noisy breathing in."
    assert _weight(text + " No stridor.", "croup") <= _weight(text + " Stridor.", "croup")


def _weight(text: str, illness: str) -> float:
    return next((one.weight for one in _read(text) if one.condition == illness), 0.0)


@pytest.mark.parametrize("named", [(), (3, 700)])
@pytest.mark.parametrize(
    "text",
    [
        "A sore throat and a barking cough since Monday, worse at night, with noisy breathing in. No stridor.",
        "Pain in the chest and arm, short of breath, sweating, BP 75/55, tremor at rest, shuffling gait, fever.",
        "tired",
        "nothing",
    ],
)
def test_the_first_guesses_are_those_of_all(text: str, named: tuple[int, ...]) -> None:
    table = load_table()
    found = find_findings(text, table, 40.0, "MALE")
    every = weigh(table, found, 40.0, "MALE", named)
    for most in (1, 5, 50):
        assert weigh(table, found, 40.0, "MALE", named, most)[:most] == every[:most]


def test_the_names_are_those_of_the_table() -> None:
    names, table = load_names(), load_table()
    assert all(names.has_illness(illness.name) for illness in table.illnesses)
    assert all(map(names.has_finding, filter(lambda name: len(name) > 2, table.findings)))
    assert not any(map(names.has_illness, ("", "parkinson", "arkinson disease", "tremor at rest and a shuffling gait")))
    assert not names.has_finding("")


def test_a_male_gets_no_illness_of_women() -> None:
    text = "{} with pain in the lower belly, vaginal discharge, fever and pain on moving the cervix."
    assert "pelvic inflammatory disease" in _proposed(text.format("30-year-old woman"))
    assert "pelvic inflammatory disease" not in _proposed(text.format("30-year-old man"))


def test_long_and_odd_texts_take_no_time_to_speak_of() -> None:
    assert isinstance(_proposed("pain in the chest and arm " * 3000), list)


def test_it_keeps_the_contract_of_readers() -> None:
    check_reader(RulesReader())
    assert all(isinstance(one, Proposal) for one in _read("tremor at rest, shuffling gait"))


def test_a_symptom_is_no_illness_though_a_vocabulary_has_one_of_its_name() -> None:
    [first, *_] = _read("a painless lump in the neck with night sweats")
    assert first.condition == "Hodgkin lymphoma"

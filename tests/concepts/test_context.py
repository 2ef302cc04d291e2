"""What a text asserts of the illnesses that it names."""

from __future__ import annotations

import pytest

from support.terms_cases import TERMS


def those(text: str, what: str) -> list[str]:
    return [mention.text for mention in TERMS.find(text) if getattr(mention, what)]


# --- negated ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no asthma", ["asthma"]),
        ("denies asthma, fever, cough and chest pain", ["asthma", "fever", "cough", "chest pain"]),
        ("without fever or cough", ["fever", "cough"]),
        ("no fever, cough or chest pain", ["fever", "cough", "chest pain"]),
        ("no fever, severe cough", ["fever"]),
        ("no fever but a cough", ["fever"]),
        ("no fever and has a cough", ["fever"]),
        ("no fever; cough", ["fever"]),
        ("no fever. Cough for a week", ["fever"]),
        ("No fever\nCough\nno asthma", ["fever", "asthma"]),
        (
            "no evidence of active tuberculosis, sepsis or pulmonary embolism",
            ["tuberculosis", "sepsis", "pulmonary embolism"],
        ),
        ("negative for pulmonary embolism", ["pulmonary embolism"]),
        ("pulmonary embolism was ruled out", ["pulmonary embolism"]),
        ("MI and pulmonary embolism have been ruled out", ["MI", "pulmonary embolism"]),
        ("Asthma. Pulmonary embolism is unlikely", ["Pulmonary embolism"]),
        ("I don't have diabetes", ["diabetes"]),
        ("i dont have diabetes but asthma", ["diabetes"]),
        ("She has never had a stroke", ["stroke"]),
        ("HIV negative", ["HIV"]),
        ("HIV test was negative, asthma", ["HIV"]),
        ("Diabetes: no. Asthma: yes", ["Diabetes"]),
        ("diabetes (none), stroke - denied", ["diabetes", "stroke"]),
        ("HER2-negative breast cancer", ["HER2"]),
        ("triple-negative breast cancer", []),
        ("breast cancer, negative nodes", []),
        ("non-small cell lung cancer", []),
        ("not only asthma", []),
        ("not well controlled asthma", []),
        ("asthma not responding to steroids; depression did not improve", []),
        ("no improvement in asthma", []),
        ("no longer works because of depression", []),
        ("could not walk due to stroke", []),
        ("pulmonary embolism cannot be ruled out", []),
        ("no treatment for asthma has helped; not eligible for a trial for stroke", []),
        ("no concern for sepsis", ["sepsis"]),
        ("no history of stroke or MI", ["stroke", "MI"]),
        ("w/o asthma", ["asthma"]),
        ("no one here can say how I came to get asthma", []),
        ("without fever at the time of the first visit asthma was found", ["fever"]),  # it reaches six words
        ("no very high or long lasting fever", ["fever"]),
        ("Dr. No says asthma", ["asthma"]),  # a surname is beyond us
    ],
)
def test_what_is_negated(text: str, expected: list[str]) -> None:
    assert those(text, "negated") == expected


# --- a relative's -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mother had breast cancer", ["breast cancer"]),
        ("Her mother had breast cancer and she has asthma", ["breast cancer"]),
        ("family history of stroke, MI and diabetes. Has asthma", ["stroke", "MI", "diabetes"]),
        ("FH: stroke, diabetes\nPMH: asthma", ["stroke", "diabetes"]),
        ("Family history:\n- breast cancer (mother)\n- stroke\n\nAsthma", ["breast cancer", "stroke"]),
        ("FH: stroke. Chest pain since Monday morning", ["stroke"]),
        ("sister with multiple sclerosis, father died of a heart attack", ["multiple sclerosis", "heart attack"]),
        ("no family history of breast cancer", ["breast cancer"]),
        ("breast cancer in her mother; asthma", ["breast cancer"]),
        ("breast cancer runs in my family", ["breast cancer"]),
        ("I am 34, my mother had lupus nephritis", ["lupus nephritis"]),
        ("my mother has lupus nephritis", []),  # somebody asks for their mother
        ("My 7 year old son has asthma", []),
        ("brought in by his mother with fever", []),
        ("the mother reports fever", []),
        ("Her daughter has also noticed a cough", []),
        ("asthma", []),
    ],
)
def test_what_is_of_the_family(text: str, expected: list[str]) -> None:
    assert those(text, "family") == expected


# --- of the past ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("history of stroke", ["stroke"]),
        ("h/o HTN, CKD and stroke presents with chest pain", ["HTN", "CKD", "stroke"]),
        ("PMH: HTN, CKD. Asthma", ["HTN", "CKD", "Asthma"]),
        ("Past medical history:\n1. HTN\n2. stroke\n\nPlan: treat asthma", ["HTN", "stroke"]),
        ("Past Medical History\nHTN\nCKD\nMedications: for asthma", ["HTN", "CKD"]),
        ("s/p stroke", ["stroke"]),
        ("prior stroke, asthma", ["stroke"]),
        ("3-day history of fever", []),
        ("2 weeks history of cough", []),
        ("history of present illness: fever", []),
        ("family history of stroke", []),
        ("asthma as a child", ["asthma"]),
        ("fever over the past week", []),
    ],
)
def test_what_is_of_the_past(text: str, expected: list[str]) -> None:
    assert [text for text in those(text, "historical") if text not in ("s/p", "h/o")] == expected

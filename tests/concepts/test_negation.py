"""What a question rules out is left out of what is searched; what it only seems to rule out stays."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from trialindex.concepts.interpretation import Interpreter
from trialindex.concepts.recognizer import ConceptRecognizer

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from reading import CASES, Reader


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return Interpreter(ConceptRecognizer.load())


@pytest.mark.parametrize(
    ("asked", "searched", "ruled_out"),
    [
        ("lung cancer, no brain metastases", "lung cancer", ["brain metastases"]),
        ("COPD in a non-smoker", "chronic obstructive pulmonary disease", ["smoker"]),
        ("asthma, never had eczema", "asthma", ["eczema"]),
        ("herniated disc without surgery", "herniated disc", ["surgery"]),
        (
            "sarcoidosis, no steroids, methotrexate or infliximab",
            "sarcoidosis",
            ["steroids", "methotrexate", "infliximab"],
        ),
        ("pulmonary embolism was ruled out, pneumonia confirmed", "pneumonia confirmed", ["pulmonary embolism"]),
        ("I don't have lupus, I have scleroderma", "I have scleroderma", ["lupus"]),
        ("inflamed eye nerves, not MS", "inflamed eye nerves", ["MS"]),
        ("lung disease other than asthma", "lung disease", ["asthma"]),
        ("COPD (-), asthma (+)", "asthma (+)", ["COPD"]),
        ("psoriasis yes, psoriatic arthritis no", "psoriasis yes", ["psoriatic arthritis"]),
        ("no astma but gout", "gout", ["asthma"]),
        # what was taken and did not help, names, and what nobody can be in a trial for
        ("asthma that steroids do not control", None, []),
        ("lupus, prednisone no longer helps", None, []),
        ("heart failure, no improvement on beta blocker", None, []),
        ("not only asthma but also nasal polyps", None, []),
        ("not without pain: knee osteoarthritis", None, []),
        ("non-small cell lung cancer", None, []),
        ("dry eyes, no saliva, aching joints", None, []),
        ("is there no cure for cluster headache", None, []),
        ("healthy except for mild hypertension", None, []),
        ("no illness except asthma", None, ["illness"]),
        ("my mother had breast cancer, I have ovarian cysts", None, []),
        ('asthma "no eczema"', None, []),
    ],
)
def test_what_is_ruled_out_is_not_searched_for(
    interpreter: Interpreter, asked: str, searched: str | None, ruled_out: list[str]
) -> None:
    read = interpreter.interpret(asked)
    if searched is not None or not ruled_out:
        assert read.text == (asked if searched is None else searched)
    assert list(read.ruled_out) == ruled_out


@pytest.mark.parametrize(
    ("asked", "searched", "states"),
    [
        ("NSCLC EGFR negative", "non-small cell lung cancer", {"EGFR": "negative"}),
        ("lung adenocarcinoma, EGFR wild type", "lung adenocarcinoma", {"EGFR": "negative"}),
        ("lung cancer ALK-", "lung cancer", {"ALK": "negative"}),
        ("breast cancer HER2 neg", "breast cancer", {"HER2": "negative"}),
        ("melanoma without a BRAF mutation", "melanoma", {"BRAF": "negative"}),
        ("lung cancer, EGFR and ALK negative", "lung cancer", {"EGFR": "negative", "ALK": "negative"}),
        ("lung cancer, ALK- and ROS1-positive", None, {"ALK": "positive", "ROS1": "positive"}),
        ("breast cancer HER2 positive", None, {"HER2": "positive"}),
        ("triple negative breast cancer", None, {"ER": "negative", "PR": "negative", "HER2": "negative"}),
        ("lung cancer, EGFR not tested yet", None, {"EGFR": "unknown"}),
        ("EGFR negative", None, {"EGFR": "negative"}),  # there is nothing else to search for
        # what a treatment aims at and what is measured are no states, and short names mean something else
        ("EGFR inhibitor for lung cancer", None, {}),
        ("anti-PD-1 antibody for melanoma", None, {}),
        ("CRP 12 and a rising ESR", None, {}),
        ("I live in Philadelphia and have asthma", None, {}),
    ],
)
def test_a_negative_biomarker_is_a_state_and_not_searched_for(
    interpreter: Interpreter, asked: str, searched: str | None, states: dict[str, str]
) -> None:
    read = interpreter.interpret(asked)
    assert {one.name: one.state for one in read.biomarkers} == states
    assert read.text == (asked if searched is None else searched)


def test_a_question_that_only_denies_asks_for_nothing(interpreter: Interpreter) -> None:
    read = interpreter.interpret("no asthma")
    assert (read.text, read.ruled_out) == ("no", ("asthma",))


def test_what_is_ruled_out_is_told(interpreter: Interpreter) -> None:
    [note] = interpreter.interpret("lung cancer, EGFR negative, no brain metastases").notes()
    assert note.startswith("Ruled out: brain metastases, EGFR-positive.")
    assert "--as-written" in note


def test_of_the_written_pairs_nineteen_in_twenty_are_read_rightly() -> None:
    reader = Reader(ConceptRecognizer.load())
    for name, least in (("negation", 0.95), ("negation-held-out", 0.93)):
        cases = [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        answers = [reader.negation(case, side, None) for case in cases for side in "ab"]
        wrong = [said for good, said in answers if not good]
        assert len(wrong) <= (1 - least) * len(answers), wrong

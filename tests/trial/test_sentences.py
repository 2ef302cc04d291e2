"""Where a sentence ends."""

from __future__ import annotations

import pytest

from trialindex.trial.sentences import split_sentences


@pytest.mark.parametrize(
    "text",
    [
        "Drug A vs. Drug B in adults",
        "Biologics (e.g. Omalizumab) in hives",
        "Anticoagulants, i.e. Warfarin, are allowed",
        "Patients of St. Mary's Hospital",
        "Seen by Dr. Smith and Prof. Jones",
        "As in Miller et al. Blood 2020",
        "About approx. 20 people",
        "Doses of 0.5 mg. per day",
        "1. Asthma of adults",
        "J. R. Smith led it",
        "As Fig. 2 shows",
    ],
)
def test_a_full_stop_that_ends_no_sentence(text: str) -> None:
    assert list(split_sentences(text)) == [text]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("First we look. Then we act! Why? It is so.", ["First we look.", "Then we act!", "Why?", "It is so."]),
        ("They take vitamin D. All are adults.", ["They take vitamin D.", "All are adults."]),
        ("Steroids, pills, etc. Adults only.", ["Steroids, pills, etc.", "Adults only."]),
        ("It is given at 8 p.m. Nobody knows.", ["It is given at 8 p.m.", "Nobody knows."]),
        ("He said (loudly.) She left.", ["He said (loudly.)", "She left."]),
        ("It costs 2.5 dollars. 20 people take part.", ["It costs 2.5 dollars.", "20 people take part."]),
        ("A heading\n\nA text", ["A heading", "A text"]),
        ("Two lines\nof one sentence.", ["Two lines\nof one sentence."]),
        ("   ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert list(split_sentences(text)) == sentences

"""The glossary: what is in it, and where it is found in a text."""

from __future__ import annotations

import statistics

import pytest

from support.plain_cases import needs_studies, real_trials
from support.timing import cost
from trialindex.trial import walk_text
from trialindex_writers.glossary import Entry, entries, explain


def terms(*texts: str) -> list[str]:
    return [one.term for one in explain(texts)]


def meaning(text: str) -> str:
    [one] = explain([text])
    return one.meaning


# --- what is in it ----------------------------------------------------------------------------------------------------


def folded(entry: Entry) -> list[str]:
    """The forms as they are found: with a capital as it stands, others in any case, hyphens and spaces alike."""
    forms = [" ".join(form.replace("-", " ").split()) for form in (entry.term, *entry.forms)]
    return [form if form != form.lower() else form.casefold() for form in forms]


def test_it_is_large_and_has_no_form_twice() -> None:
    forms = [form for entry in entries() for form in folded(entry)]
    assert len(entries()) >= 300
    assert {form for form in forms if forms.count(form) > 1} == set()


def test_it_is_in_alphabetical_order() -> None:
    found = [entry.term for entry in entries()]
    assert len(found) > 100
    assert found == sorted(found, key=lambda term: (term.casefold(), term))


def test_an_entry_is_whole_and_short() -> None:
    assert entries()
    for entry in entries():
        for text in (entry.term, *entry.forms, entry.meaning):
            assert text == " ".join(text.split()) != "", entry
        assert len(entry.meaning.split()) <= 15, entry
        assert not entry.meaning.endswith("."), f"{entry.term}: it stands after its term"
        assert "you" not in entry.meaning.lower().split(), f"{entry.term}: it informs, it does not advise"


def test_no_term_is_explained_by_itself() -> None:
    assert entries()
    for entry in entries():
        assert entry.meaning not in [one.meaning for one in explain([entry.meaning])], entry


def test_every_form_is_found_and_leads_to_its_own_meaning() -> None:
    assert entries()
    for entry in entries():
        for form in (entry.term, *entry.forms):
            [found] = explain([f"Before {form}, after."])
            assert found.meaning in (entry.meaning, f"{entry.term}: {entry.meaning}"), form
            assert found.term == (form if form != form.lower() else form.lower())


def test_the_meanings_are_plain() -> None:
    textstat = pytest.importorskip("textstat")
    grades = [textstat.flesch_kincaid_grade(f"It is {entry.meaning}.") for entry in entries()]
    assert statistics.median(grades) <= 5
    assert sum(grade > 10 for grade in grades) <= 0.01 * len(grades)


# --- where it is found ------------------------------------------------------------------------------------------------


def test_each_term_once_in_the_order_of_the_texts() -> None:
    texts = ("A placebo-controlled trial with a placebo.", "", "Placebos; then a biopsy and more biopsies, refractory.")
    assert terms(*texts) == ["placebo-controlled", "placebo", "biopsy", "refractory"]


@pytest.mark.parametrize("text", ["double-blind", "Double Blind", "DOUBLE‐BLIND", "double–blind", "double\nblind"])
def test_hyphens_spaces_and_capitals_do_not_matter(text: str) -> None:
    assert meaning(text) == meaning("double-blinded")


def test_the_heading_is_what_the_text_says() -> None:
    assert terms("A Double\n Blind study of BIOPSIES") == ["double blind", "biopsies"]


def test_the_longest_term_counts() -> None:
    assert terms("progression-free survival and overall survival") == ["progression-free survival", "overall survival"]
    assert terms("serious adverse event") == ["serious adverse event"]
    assert terms("eosinophilic") == ["eosinophilic"]


@pytest.mark.parametrize(
    ("text", "short_for"),
    [("OS", "overall survival"), ("PFS", "progression-free survival"), ("RCTs", "randomised controlled trial")],
)
def test_an_abbreviation_says_what_it_is_short_for(text: str, short_for: str) -> None:
    assert meaning(f"The {text} was measured").startswith(f"{short_for}: ")
    assert meaning(short_for) == meaning(text).removeprefix(f"{short_for}: ")


def test_capitals_tell_abbreviations_apart() -> None:
    assert meaning("EGFR") != meaning("eGFR below 60")
    assert terms("os, pfs, pet, sae, Os") == []
    assert terms("We pet the dog in the ICU") == ["ICU"]


def test_british_and_us_spelling() -> None:
    for british, us in [("anaemia", "anemia"), ("randomised", "randomized"), ("tumour marker", "tumor marker")]:
        assert meaning(british) == meaning(us)


@pytest.mark.parametrize(
    "text",
    [
        "pain in the left arm",
        "patients",
        "in patients",
        "shamrock",
        "biopsychosocial",
        "lead in blood",
        "PFSX",
        "cross",
    ],
)
def test_what_only_looks_like_a_term(text: str) -> None:
    assert terms(text) == []


def test_a_mark_between_words_parts_them() -> None:
    assert terms("standard of. Care", "adverse; event", "overall (survival)") == []


def test_odd_text() -> None:
    assert terms("", "\x00\x1b[31m", "é" * 100, "-", "'", "a" * 100_000, "_placebo_") == ["placebo"]


def test_it_is_fast() -> None:
    text = "A randomised, double-blind study of many words that says very little about anything at all. " * 100
    assert cost(lambda: explain([text])) < 10


@needs_studies
def test_real_records_are_explained() -> None:
    trials = real_trials()
    found = [explain(walk_text((t.title, t.summary or "", t.inclusion, t.exclusion))) for t in trials]
    assert statistics.median(map(len, found)) >= 5
    for one in found:
        assert len({explanation.meaning for explanation in one}) == len(one)

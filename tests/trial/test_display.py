"""What a person reads instead of the registry's codes, and how registry text is made safe."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex.plugin.results import EligibilityCheck, describe_eligibility, describe_score
from trialindex.trial import PHASES, SEXES, STATUSES, STUDY_TYPES, Contact, Site, TrialDate, sanitize
from trialindex.trial import display as w

given_text = settings(deadline=None, database=None, max_examples=200)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain ≥ 18 years", "plain ≥ 18 years"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b2Jcleared", "2Jcleared"),
        ("\x1b]8;;http://evil\x07text", "]8;;http://eviltext"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("NCT0\u200b1", "NCT01"),
        ("a\r\nb\rc\x0bd\x85e\u2028f", "a\nb\nc\nd\ne\nf"),
        ("tab\tstays", "tab\tstays"),
        ("half \ud83d pair", "half � pair"),
        ("👩\u200d⚕️ नमस्ते", "👩\u200d⚕️ नमस्ते"),
    ],
)
def test_clean(text: str, safe: str) -> None:
    assert sanitize.clean(text) == safe


@given_text
@given(st.text(st.characters(categories=None)))
def test_clean_leaves_nothing_unsafe_and_can_be_written(text: str) -> None:
    cleaned = sanitize.clean(text)
    assert not sanitize.UNSAFE.search(cleaned)
    assert sanitize.clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert "\n" not in sanitize.one_line(text)


def test_paragraphs_are_cut_at_blank_lines_and_bullets() -> None:
    assert sanitize.paragraphs("One\nline.\n \n\nTwo:\n* a\n* b\n") == ("One line.", "Two:", "* a", "* b")
    assert sanitize.paragraphs(None) == ()


def test_excerpt_cuts_at_a_space_and_says_so() -> None:
    assert sanitize.excerpt("short text", 20) == "short text"
    assert sanitize.excerpt("one two three four", 12) == "one two…"
    assert sanitize.excerpt("狼疮" * 50, 11) == "狼疮" * 5 + "…"
    assert len(sanitize.excerpt("A " + "狼" * 300, 100)) == 100


@pytest.mark.parametrize("code", STATUSES)
def test_every_status_has_words(code: str) -> None:
    assert w.status(code) != w.NOT_STATED
    assert "_" not in w.status(code)
    assert w.status(code) == w.status(code).lower()


def test_statuses_do_not_share_words() -> None:
    assert len({w.status(code) for code in STATUSES}) == len(STATUSES)
    assert w.with_term(w.status("RECRUITING"), "RECRUITING") == "recruiting (RECRUITING)"


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (("PHASE1",), "phase 1"),
        (("PHASE1", "PHASE2"), "phase 1 and 2"),
        (("EARLY_PHASE1",), "early phase 1"),
        (("EARLY_PHASE1", "PHASE1"), "early phase 1 and phase 1"),
        (("PHASE1", "EARLY_PHASE1"), "phase 1 and early phase 1"),
        (("EARLY_PHASE1", "PHASE1", "PHASE2"), "early phase 1, phase 1 and 2"),
        (("EARLY_PHASE1", "PHASE2"), "early phase 1 and phase 2"),
        (("PHASE1", "PHASE2", "PHASE3", "PHASE4"), "phase 1, 2, 3 and 4"),
        (("NA", "PHASE2", "PHASE2"), "phase 2"),
        (("NA",), "does not apply"),
        ((), "not stated"),
    ],
)
def test_phase(codes: tuple[str, ...], said: str) -> None:
    assert w.phase(codes) == said


def test_every_phase_sex_and_type_has_words() -> None:
    said = [w.phase((c,)) for c in PHASES] + [w.sex(c) for c in SEXES] + [w.study_type(c) for c in STUDY_TYPES]
    assert w.NOT_STATED not in said
    assert not any("_" in words for words in said)


@pytest.mark.parametrize(
    ("minimum", "maximum", "said"),
    [
        (18, 65, "from 18 to 65 years"),
        (18, None, "18 years and older"),
        (None, 17, "up to 17 years"),
        (None, None, "not stated"),
        (0.5, 17, "from 6 months to 17 years"),
        (1, 5, "from 1 to 5 years"),
        (18, 18, "18 years"),
        (0, None, "0 years and older"),
        (1 / 12, 0.5, "from 1 to 6 months"),
    ],
)
def test_age_range(minimum: float | None, maximum: float | None, said: str) -> None:
    assert w.age_range(minimum, maximum) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (TrialDate(date="2026-06-27", type="ACTUAL"), "27 June 2026"),
        (TrialDate(date="2026-06"), "June 2026"),
        (TrialDate(date="2026"), "2026"),
        (TrialDate(date="2028-12-01", type="ESTIMATED"), "1 December 2028 (expected)"),
        ("2026-06-27T10:00:00Z", "27 June 2026"),
        ("2026-13-01", "2026-13-01"),
        ("soon\x1b", "soon"),
        (None, "not stated"),
        ("", "not stated"),
    ],
)
def test_date(value: TrialDate | str | None, said: str) -> None:
    assert w.date(value) == said


def test_numbers() -> None:
    assert w.enrollment(18, "ESTIMATED") == "18 people (expected)"
    assert w.enrollment(1, "ACTUAL") == "1 person"
    assert w.enrollment(0) == "0 people"
    assert w.enrollment(12000) == "12,000 people"
    assert w.distance(0.2) == "less than 1 km"
    assert w.distance(1240.4) == "1,240 km"
    assert w.listed(["a", "b", "c", "d"], 2) == "a; b and 2 more"


def test_design() -> None:
    assert w.masking("NONE") == "none, everybody knows who gets what (open label)"
    assert w.masking("DOUBLE", ("PARTICIPANT", "INVESTIGATOR")).endswith("(double blind): participants, investigators")
    assert w.allocation("RANDOMIZED") == "by chance (randomised)"
    assert w.purpose("SUPPORTIVE_CARE") == "supportive care"
    assert w.purpose("A purpose of its own") == "A purpose of its own"
    assert w.sponsor("Acme", "INDUSTRY") == "Acme (company)"
    assert w.sponsor("Hospital", "OTHER") == "Hospital"


def test_what_is_absent_is_not_stated() -> None:
    one = (w.status, w.study_type, w.sex, w.purpose, w.allocation, w.model, w.time_perspective, w.masking, w.date)
    assert {say(None) for say in one} == {w.NOT_STATED}
    assert {w.enrollment(None), w.distance(None), w.yes_no(None), w.listed(()), w.phase(())} == {w.NOT_STATED}
    assert {w.place(Site()), w.contact(Contact()), w.sponsor(None, None), w.sponsor(" ", "OTHER")} == {w.NOT_STATED}
    assert w.who(None, None, None) == "age not stated, sex not stated"


def test_fit_says_what_was_compared() -> None:
    assert describe_eligibility(
        EligibilityCheck(what="age", verdict="fits", given="34 years", stated="18 to 65 years")
    ) == ("age fits (34 years; trial: 18 to 65 years)")
    assert describe_eligibility(
        EligibilityCheck(what="sex", verdict="does not fit", given="male", stated="female")
    ) == ("sex does not fit (male; trial: female)")
    assert describe_eligibility(
        EligibilityCheck(what="age", verdict="not stated", given="34 years", stated="not stated")
    ) == ("age limit not stated (34 years)")


def test_score_and_its_parts() -> None:
    parts = {"vector": 0.71, "vector_rank": 1.0, "lexical": 12.4, "lexical_rank": 3.0}
    assert describe_score(0.0325, parts) == "0.0325 (meaning 0.71, rank 1; words 12.4, rank 3)"
    assert describe_score(0.5, {}) == "0.5"


def test_places_name_each_part_once() -> None:
    assert w.place(Site(name="Clinic", city="Singapore", country="Singapore")) == "Clinic, Singapore"
    assert w.contact(Contact(name="A. Person", role="STUDY_CHAIR", email="a@example.org")) == (
        "A. Person, study chair, a@example.org"
    )


def test_what_trials_like_it_gave_is_said_when_everything_is() -> None:
    parts = {"vector": 0.71, "vector_rank": 1, "regularization": -0.324, "mismatch": 2.0}
    assert describe_score(9.5, parts) == "9.5 (meaning 0.71, rank 1; less 2 for age or sex)"
    said = "9.5 (meaning 0.71, rank 1; -0.32 from trials like it; less 2 for age or sex)"
    assert describe_score(9.5, parts, every=True) == said
    assert "+0.4 from trials like it" in describe_score(9.5, {"regularization": 0.4}, every=True)

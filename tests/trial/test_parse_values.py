"""Values as people write them: every spelling that is understood, and what is said of those that are not."""

from __future__ import annotations

import datetime

import pytest

from trialindex.trial import (
    PHASES,
    SEXES,
    STATUSES,
    STUDY_TYPES,
    Trial,
    TrialDate,
    display,
    format_age,
    parse_values,
    to_mapping,
)
from trialindex.trial.from_values import FieldError, read_trial


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("recruiting", "RECRUITING"),
        ("Active, not recruiting", "ACTIVE_NOT_RECRUITING"),
        ("not-yet-recruiting", "NOT_YET_RECRUITING"),
        ("Unknown status", "UNKNOWN"),
        (" Enrolling  by invitation ", "ENROLLING_BY_INVITATION"),
    ],
)
def test_a_status_may_be_spelled_in_any_way(text: str, code: str) -> None:
    assert parse_values.normalise_status(text) == code


def test_what_the_output_says_is_understood_as_input() -> None:
    for code in STATUSES:
        assert parse_values.normalise_status(display.status(code)) == code
        assert parse_values.normalise_status(code.lower().replace("_", "-")) == code
    for code in STUDY_TYPES:
        assert parse_values.normalise_study_type(display.study_type(code)) == code
    for code in SEXES:
        assert parse_values.normalise_sex(display.sex(code)) == code
    for code in PHASES:
        assert parse_values.normalise_phases(display.phase([code])) == (code,)
    for years in (0.5, 18, 1.5, 7 / 365.25):
        assert parse_values.normalise_age(format_age(years)) == pytest.approx(years)


def test_a_wrong_status_names_the_nearest_and_all() -> None:
    with pytest.raises(
        ValueError, match=r'"recruting" is not a known status\. Did you mean "RECRUITING"\?.*WITHDRAWN'
    ) as error:
        parse_values.normalise_status("recruting")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Phase 2", ("PHASE2",)),
        ("2", ("PHASE2",)),
        ("phase 1/2", ("PHASE1", "PHASE2")),
        ("Phase 2/Phase 1", ("PHASE1", "PHASE2")),
        ("PHASE1|PHASE2", ("PHASE1", "PHASE2")),
        ("Phase I-II", ("PHASE1", "PHASE2")),
        ("phase II and III", ("PHASE2", "PHASE3")),
        ("Phase IIIb", ("PHASE3",)),
        ("iv", ("PHASE4",)),
        ("Early Phase 1", ("EARLY_PHASE1",)),
        ("early-phase1", ("EARLY_PHASE1",)),
        ("Phase 0", ("EARLY_PHASE1",)),
        ("N/A", ("NA",)),
        ("Not Applicable", ("NA",)),
    ],
)
def test_phases_may_be_spelled_in_any_way(text: str, codes: tuple[str, ...]) -> None:
    assert parse_values.normalise_phases(text) == codes


@pytest.mark.parametrize("text", ["", "phase", "phase 5", "2 of 3", "pilot", "phase 2 (early)"])
def test_what_is_no_phase_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a known phase.*Allowed: NA, EARLY_PHASE1"):
        parse_values.normalise_phases(text)


@pytest.mark.parametrize(
    ("text", "sex"), [("Female", "FEMALE"), ("women", "FEMALE"), ("m", "MALE"), ("Both", "ALL"), ("all", "ALL")]
)
def test_sex(text: str, sex: str) -> None:
    assert parse_values.normalise_sex(text) == sex


def test_study_types_of_older_exports() -> None:
    assert parse_values.normalise_study_type("Observational [Patient Registry]") == "OBSERVATIONAL"
    assert parse_values.normalise_study_type("Expanded Access:Treatment IND/Protocol") == "EXPANDED_ACCESS"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-05-17", "2024-05-17"),
        ("2024-5-7", "2024-05-07"),
        ("2024/05", "2024-05"),
        ("2024", "2024"),
        ("20240517", "2024-05-17"),
        ("2024-05-17T09:30:00Z", "2024-05-17"),
        ("2024-05-17 00:00:00", "2024-05-17"),
        ("May 2024", "2024-05"),
        ("May 17, 2024", "2024-05-17"),
        ("17th May 2024", "2024-05-17"),
        ("3-Sept-2020", "2020-09-03"),
        ("17/05/2024", "2024-05-17"),
        ("05/17/2024", "2024-05-17"),
        ("05.05.2024", "2024-05-05"),
    ],
)
def test_dates_keep_their_precision(text: str, iso: str) -> None:
    assert parse_values.normalise_date(text) == iso


def test_dates_that_are_no_text() -> None:
    assert parse_values.normalise_date(datetime.date(2024, 5, 17)) == "2024-05-17"
    assert parse_values.normalise_date(datetime.datetime(2024, 5, 17, 12)) == "2024-05-17"
    assert parse_values.normalise_date(2024) == "2024"


def test_day_and_month_are_not_guessed() -> None:
    with pytest.raises(ValueError, match="can be read with the day or the month first"):
        parse_values.normalise_date("05/06/2024")
    assert parse_values.normalise_date("05/06/2024", "dmy") == "2024-06-05"
    assert parse_values.normalise_date("05/06/2024", "mdy") == "2024-05-06"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "is not a date; write it like"),
        ("2024-02-30", "is not a date"),
        ("2024-13", "is not a date"),
        ("17/13/2024", "is not a date"),
        ("0224-05-17", "its year is 0224"),
        ("Maybe 2024", "is not a date; write it like"),
        ("", "is not a date"),
    ],
)
def test_what_is_no_date_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_values.normalise_date(text)


@pytest.mark.parametrize(
    ("text", "years"),
    [("18", 18), ("18 Years", 18), ("18y", 18), ("6 months", 0.5), ("18 years old", 18), ("N/A", None)],
)
def test_ages_are_years(text: str, years: float | None) -> None:
    assert parse_values.normalise_age(text) == years


@pytest.mark.parametrize("text", ["eighteen", "-3", "18 parsecs", "1e3", "151", "1.2.3"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f'"{text}"'):
        parse_values.normalise_age(text)


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("18 Years to 65 Years", (18, 65)),
        ("18-65", (18, 65)),
        ("6 to 18 months", (0.5, 1.5)),
        ("6 Months to 5 Years", (0.5, 5)),
        ("18 Years and older", (18, None)),
        ("65+", (65, None)),
        ("≥ 18 years", (18, None)),
        ("up to 17 Years", (None, 17)),
    ],
)
def test_ranges_of_ages(text: str, ages: tuple[float | None, float | None]) -> None:
    assert parse_values.normalise_ages(text) == ages


@pytest.mark.parametrize("text", ["adults", "", "under 18", "18 to", "from birth"])
def test_ranges_that_state_no_bound_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a range of ages"):
        parse_values.normalise_ages(text)


def test_numbers() -> None:
    assert parse_values.normalise_count("1,200") == 1200
    assert parse_values.normalise_count("120.0") == 120
    assert parse_values.normalise_count(7) == 7
    for text in ("12 people", "12 patients", "N = 12", "ca. 12", "approx. 12 subjects", "12.0"):
        assert parse_values.normalise_count(text) == 12
    assert parse_values.normalise_count("1 200 participants") == 1200
    for wrong in ("12 rooms", "30-40", "1.200", "10.000", "-1", "1.5", "1,20", "nan", ""):
        with pytest.raises(ValueError, match="is not a whole number"):
            parse_values.normalise_count(wrong)
    for wrong in ("nan", "inf", "x"):
        with pytest.raises(ValueError, match="is not a number"):
            parse_values.normalise_number(wrong)
    assert parse_values.normalise_yes_no("Yes") is True
    assert parse_values.normalise_yes_no(0) is False
    with pytest.raises(ValueError, match='"maybe" is neither yes nor no'):
        parse_values.normalise_yes_no("maybe")


# --- a whole trial --------------------------------------------------------------------------------------------------


def test_a_trial_as_people_write_it() -> None:
    trial = read_trial(
        {
            "id": 12345,
            "title": "  Two drugs in lupus nephritis ",
            "conditions": "Lupus Nephritis",
            "normalized_conditions": ["Lupus Nephritis", {"name": "Lupus", "id": "MESH:D008180"}],
            "phases": ["phase 2", "1/2"],
            "status": "Recruiting",
            "sex": "women",
            "minimum_age": "18",
            "maximum_age": "6.5",
            "healthy_volunteers": "no",
            "enrollment": "1,200",
            "enrollment_type": "anticipated",
            "start_date": "May 2024",
            "completion_date": {"date": datetime.date(2026, 1, 2), "type": "estimated"},
            "interventions": ["Drug: rituximab", "Arm A: exercise", {"name": "Scan", "type": "diagnostic test"}],
            "outcomes": ["Remission", {"measure": "Relapse", "kind": "Secondary"}],
            "arms": "Everybody",
            "masking": "None",
            "sites": {"country": "Norway", "status": "completed", "latitude": "59.9", "longitude": 10.7},
            "summary": "",
            "keywords": ["", None],
            "acronym": None,
        }
    )
    assert (trial.id, trial.title) == ("12345", "Two drugs in lupus nephritis")
    assert trial.conditions == ("Lupus Nephritis",)
    assert [term.id for term in trial.normalized_conditions] == [None, "MESH:D008180"]
    assert trial.phases == ("PHASE1", "PHASE2")
    assert (trial.status, trial.sex, trial.masking) == ("RECRUITING", "FEMALE", "NONE")
    assert (trial.minimum_age, trial.maximum_age, trial.healthy_volunteers) == (18, 6.5, False)
    assert (trial.enrollment, trial.enrollment_type) == (1200, "ESTIMATED")
    assert trial.start_date == TrialDate(date="2024-05")
    assert trial.completion_date == TrialDate(date="2026-01-02", type="ESTIMATED")
    assert [(i.type, i.name) for i in trial.interventions] == [
        ("DRUG", "rituximab"),
        (None, "Arm A: exercise"),
        ("DIAGNOSTIC_TEST", "Scan"),
    ]
    assert [(o.kind, o.measure) for o in trial.outcomes] == [("primary", "Remission"), ("secondary", "Relapse")]
    assert trial.arms[0].label == "Everybody"
    assert (trial.sites[0].status, trial.sites[0].latitude) == ("COMPLETED", 59.9)
    assert (trial.summary, trial.keywords, trial.acronym) == (None, (), None)


def test_the_plain_form_of_a_trial_is_read_back_as_it_was() -> None:
    trial = read_trial(
        {"id": "X-1", "title": "T", "phases": "1/2", "start_date": "2024-05", "minimum_age": "30 minutes"}
    )
    assert read_trial(to_mapping(trial)) == trial
    assert isinstance(trial, Trial)


def test_every_problem_is_named_with_its_place() -> None:
    with pytest.raises(FieldError) as error:
        read_trial(
            {
                "titel": "T",
                "minimum_age": "eighteen",
                "conditions": ["Lupus", ["nested"]],
                "inclusion": [{"Age": "18 or more"}],
                "sites": [{"country": "France"}, {"contry": "France", "latitude": 91}],
                "start_date": {"date": "2024-13"},
                "interventions": [{"type": "drug"}],
                "healthy_volunteers": "perhaps",
                "sponsor": True,
            }
        )
    said = [str(problem) for problem in error.value.problems]
    assert [line.partition(": ")[0] for line in said] == [
        "titel",
        "minimum_age",
        "conditions[2]",
        "inclusion[1]",
        "sites[2].contry",
        "sites[2].latitude",
        "start_date.date",
        "interventions[1].name",
        "healthy_volunteers",
        "sponsor",
        "id",
        "title",
    ]
    assert 'Did you mean "title"?' in said[0]
    assert 'Did you mean "country"?' in said[4]
    assert 'put a text that holds ": " in quotes' in said[3]
    assert said[-1] == "title: missing"


@pytest.mark.parametrize("wrong", ["two\nlines", "x" * 101, "a\0b", "\ud800"])
def test_ids_are_one_short_line(wrong: str) -> None:
    with pytest.raises(FieldError, match="is not an id"):
        read_trial({"id": wrong, "title": "T"})


@pytest.mark.parametrize("wrong", ["a\0b", "half \ud800 pair"])
def test_characters_that_no_file_can_hold_are_left_out_of_a_text(wrong: str) -> None:
    summary = read_trial({"id": "X", "title": "T", "summary": wrong}).summary
    assert summary in ("ab", "half \ufffd pair")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("3/2019", "2019-03"),
        ("03-2019", "2019-03"),
        ("March 2, 2020 00:00", "2020-03-02"),
        ("Jan  1 2020 12:00AM", "2020-01-01"),
        ("01.03.2019", "2019-03-01"),
        ("2019-03-01T00:00:00Z", "2019-03-01"),
    ],
)
def test_dates_that_show_their_order(text: str, date: str) -> None:
    assert parse_values.normalise_date(text) == date
    assert parse_values.normalise_date(text, "mdy") == date


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Planned", "NOT_YET_RECRUITING"),
        ("Approved, not started", "NOT_YET_RECRUITING"),
        ("Open to enrolment", "RECRUITING"),
        ("ENROLLING", "RECRUITING"),
        ("Closed to enrolment", "ACTIVE_NOT_RECRUITING"),
        ("Closed - in follow up", "ACTIVE_NOT_RECRUITING"),
        ("Terminated - early", "TERMINATED"),
        ("Withdrawn prior to enrolment", "WITHDRAWN"),
    ],
)
def test_words_of_sponsors_for_a_status(words: str, status: str) -> None:
    assert parse_values.normalise_status(words) == status


@pytest.mark.parametrize("words", ["In progress", "Recruiting (closed soon)", "not planned", "enrolling no more"])
def test_words_that_may_mean_another_status_are_not_guessed(words: str) -> None:
    with pytest.raises(ValueError, match=r"does not say which status|is not a known status") as caught:
        parse_values.normalise_status(words)
    assert "Did you mean" not in str(caught.value)

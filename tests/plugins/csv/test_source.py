"""The ``csv`` source, from what users have: the registry site's export, and tables of any other kind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from support.csv_cases import exactly, read, write
from support.paths import SHARED
from trialindex.errors import SourceError
from trialindex.testing import check_source
from trialindex.trial import Site, TrialDate
from trialindex_csv.cells import location
from trialindex_csv.source import CsvSource

SITE_HEADER = (
    "NCT Number,Study Title,Study URL,Acronym,Study Status,Brief Summary,Study Results,Conditions,Interventions,"
    "Primary Outcome Measures,Secondary Outcome Measures,Other Outcome Measures,Sponsor,Collaborators,Sex,Age,Phases,"
    "Enrollment,Funder Type,Study Type,Study Design,Other IDs,Start Date,Primary Completion Date,Completion Date,"
    "First Posted,Results First Posted,Last Update Posted,Locations,Study Documents"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of somebody's own, with columns that nobody could know."""
    rows = [
        ["Trial No", "Name", "Disease", "Open?", "Ages", "Where"],
        ["A-1", "Steroids in lupus nephritis", "Lupus; Nephritis", "recruiting", "18-65", "Norway"],
        ["A-2", "Exercise in asthma", "Asthma", "Completed", "6 months to 5 years", "France; Italy"],
    ]
    return write(tmp_path / "table.csv", rows)


OWN = {"map_": ("id=Trial No", "title=Name", "conditions=Disease", "status=Open?", "ages=Ages", "country=Where")}

# --- the site's export ----------------------------------------------------------------------------------------------


def test_every_column_of_the_site_goes_into_its_field(tmp_path: Path) -> None:
    row = {
        "NCT Number": "NCT01234567",
        "Study Title": "A drug, compared",
        "Study URL": "https://clinicaltrials.gov/study/NCT01234567",
        "Acronym": "COMP",
        "Study Status": "ACTIVE_NOT_RECRUITING",
        "Brief Summary": "Two drugs are compared.",
        "Study Results": "YES",
        "Conditions": "Lupus Nephritis|Kidney Diseases",
        "Interventions": "DRUG: Drug A|DIETARY_SUPPLEMENT: Vitamin D: high dose",
        "Primary Outcome Measures": "Remission, by urine protein, 12 months|Death, any cause, 5 years",
        "Secondary Outcome Measures": "Relapse, , 5 years",
        "Other Outcome Measures": "Cost, per patient, 1 year",
        "Sponsor": "A University",
        "Collaborators": "An Institute|A Company, Inc.",
        "Sex": "FEMALE",
        "Age": "ADULT, OLDER_ADULT",
        "Phases": "PHASE1|PHASE2",
        "Enrollment": "120",
        "Funder Type": "OTHER",
        "Study Type": "INTERVENTIONAL",
        "Study Design": "Allocation: RANDOMIZED|Intervention Model: PARALLEL|Masking: DOUBLE (PARTICIPANT, "
        "OUTCOMES_ASSESSOR)|Primary Purpose: TREATMENT",
        "Other IDs": "ORG-1|2020-001234-12|ORG-1",
        "Start Date": "2020-01-15",
        "Primary Completion Date": "2022-06",
        "Completion Date": "2024",
        "First Posted": "2019-12-01",
        "Results First Posted": "2023-02-03",
        "Last Update Posted": "2024-05-06",
        "Locations": "Clinic, North Wing, Oslo, 0150, Norway|Hospital, Department 3, Boston, Massachusetts, 02115, "
        "United States|Clinic, Lyon, 69003, France",
        "Study Documents": "Study Protocol, https://example.org/protocol.pdf",
    }
    assert ",".join(row) == SITE_HEADER
    run = read(write(tmp_path / "ctg-studies.csv", [list(row), list(row.values())]))
    assert not run.rejected
    assert not run.notes
    (trial,) = run.trials
    assert (trial.id, trial.title, trial.acronym, trial.source) == ("NCT01234567", "A drug, compared", "COMP", "csv")
    assert trial.url == "https://clinicaltrials.gov/study/NCT01234567"
    assert (trial.status, trial.summary, trial.has_results) == (
        "ACTIVE_NOT_RECRUITING",
        "Two drugs are compared.",
        True,
    )
    assert trial.conditions == ("Lupus Nephritis", "Kidney Diseases")
    assert [(i.type, i.name) for i in trial.interventions] == [
        ("DRUG", "Drug A"),
        ("DIETARY_SUPPLEMENT", "Vitamin D: high dose"),
    ]
    assert Counter(outcome.kind for outcome in trial.outcomes) == {"primary": 2, "secondary": 1, "other": 1}
    assert trial.outcomes[1].measure == "Death, any cause, 5 years"
    assert (trial.sponsor, trial.sponsor_class) == ("A University", "OTHER")
    assert trial.collaborators == ("An Institute", "A Company, Inc.")
    assert (trial.sex, trial.phases, trial.enrollment) == ("FEMALE", ("PHASE1", "PHASE2"), 120)
    assert (trial.minimum_age, trial.maximum_age) == (None, None), "categories of age are no bounds"
    assert (trial.study_type, trial.allocation, trial.intervention_model) == (
        "INTERVENTIONAL",
        "RANDOMIZED",
        "PARALLEL",
    )
    assert (trial.masking, trial.who_masked) == ("DOUBLE", ("PARTICIPANT", "OUTCOMES_ASSESSOR"))
    assert trial.primary_purpose == "TREATMENT"
    assert trial.other_ids == ("ORG-1", "2020-001234-12")
    assert trial.start_date == TrialDate(date="2020-01-15")
    assert trial.primary_completion_date == TrialDate(date="2022-06")
    assert trial.completion_date == TrialDate(date="2024")
    assert trial.first_posted == TrialDate(date="2019-12-01")
    assert trial.results_first_posted == TrialDate(date="2023-02-03")
    assert trial.last_updated == TrialDate(date="2024-05-06")
    assert trial.sites == (
        Site(name="Clinic, North Wing, Oslo", postal_code="0150", country="Norway"),
        Site(
            name="Hospital, Department 3",
            city="Boston",
            state="Massachusetts",
            postal_code="02115",
            country="United States",
        ),
        Site(name="Clinic", city="Lyon", postal_code="69003", country="France"),
    )
    assert trial.raw == row


def test_any_choice_of_columns_is_recognised_whatever_their_case_and_spaces(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", [["study  title ", "NCT_NUMBER"], ["T", "NCT00000001"]])
    (trial,) = read(path).trials
    assert (trial.id, trial.title) == ("NCT00000001", "T")
    assert trial.url == "https://clinicaltrials.gov/study/NCT00000001"


def test_the_export_of_the_site_before_2023(tmp_path: Path) -> None:
    header = ["Rank", "NCT Number", "Title", "Status", "Study Results", "Interventions", "Gender", "Age", "Phases"]
    header += ["Study Type", "Study Designs", "Start Date", "Locations", "URL"]
    row = ["1", "NCT00000001", "T", "Unknown status", "No Results Available", "Dietary Supplement: Zinc", "All"]
    row += ["18 Years to 65 Years   (Adult, Older Adult)", "Phase 1|Phase 2", "Interventional"]
    row += ["Allocation: Non-Randomized|Intervention Model: Single Group Assignment|Masking: None (Open Label)"]
    row += ["March 3, 2020", "Clinic, Seoul, Korea, Republic of", "https://ClinicalTrials.gov/show/NCT00000001"]
    run = read(write(tmp_path / "SearchResults.csv", [header, row]))
    (trial,) = run.trials
    assert not run.notes
    assert (trial.status, trial.has_results, trial.sex) == ("UNKNOWN", False, "ALL")
    assert (trial.minimum_age, trial.maximum_age) == (18, 65)
    assert trial.phases == ("PHASE1", "PHASE2")
    assert (trial.allocation, trial.intervention_model) == ("NON_RANDOMIZED", "SINGLE_GROUP")
    assert (trial.masking, trial.who_masked) == ("NONE", ())
    assert trial.start_date == TrialDate(date="2020-03-03")
    assert trial.sites == (Site(name="Clinic", city="Seoul", country="Korea, Republic of"),)
    assert trial.interventions[0].type == "DIETARY_SUPPLEMENT"


def test_observational_designs_as_the_site_shortens_them(tmp_path: Path) -> None:
    rows = [["NCT Number", "Study Title", "Study Design", "Phases", "Enrollment"]]
    rows += [["NCT00000001", "T", "Observational Model: COHORT|Time Perspective: p", "", "99999999"]]
    rows += [["NCT00000002", "T", "Observational Model: |Time Perspective: r", "NA", ""]]
    first, second = read(write(tmp_path / "x.csv", rows)).trials
    assert (first.observational_model, first.time_perspective, first.enrollment) == ("COHORT", "PROSPECTIVE", None)
    assert (second.observational_model, second.time_perspective) == (None, "RETROSPECTIVE")
    assert (first.phases, second.phases) == ((), ("NA",))


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Norway", {"country": "Norway"}),
        ("Oslo, Norway", {"city": "Oslo", "country": "Norway"}),
        (
            "Boston, Massachusetts, United States",
            {"city": "Boston", "state": "Massachusetts", "country": "United States"},
        ),
        ("Clinic, Praha 5, Czechia", {"name": "Clinic", "city": "Praha 5", "country": "Czechia"}),
        (
            "A, B, C, SW1A 1AA, United Kingdom",
            {"name": "A, B, C", "postal_code": "SW1A 1AA", "country": "United Kingdom"},
        ),
        ("Clinic, Kinshasa, Congo, The Democratic Republic of the", None),
        (" , ", {}),
    ],
)
def test_addresses_are_taken_apart_only_as_far_as_they_tell(text: str, site: dict[str, str] | None) -> None:
    congo = {"name": "Clinic", "city": "Kinshasa", "country": "Congo, The Democratic Republic of the"}
    assert location(text) == (congo if site is None else site)


def test_the_real_export(shared_data: Path) -> None:
    path = shared_data / "ctgov-v2" / "site-export-839.csv.gz"
    run = read(path)
    assert (len(run.trials), run.rejected, run.notes) == (839, [], [])
    assert run.progress[-1] == (839, 839)
    assert Counter(trial.status for trial in run.trials) == {"RECRUITING": 531, "ACTIVE_NOT_RECRUITING": 308}
    assert sum(not trial.interventions for trial in run.trials) == 162
    assert all(intervention.type for trial in run.trials for intervention in trial.interventions)
    assert all(trial.minimum_age is None and trial.maximum_age is None for trial in run.trials)


@pytest.fixture
def shared_data() -> Path:
    path = SHARED
    if not path.is_dir():
        pytest.skip("the shared data is not here")
    return path


# --- any other table ------------------------------------------------------------------------------------------------


def test_a_table_of_ones_own_with_map(table: Path) -> None:
    run = read(table, list_separator=";", **OWN)
    first, second = run.trials
    assert (first.id, first.title, first.status) == ("A-1", "Steroids in lupus nephritis", "RECRUITING")
    assert first.conditions == ("Lupus", "Nephritis")
    assert (first.minimum_age, first.maximum_age) == (18, 65)
    assert (second.minimum_age, second.maximum_age) == (0.5, 5)
    assert second.countries == ("France", "Italy")
    assert (first.url, run.rejected, run.notes) == (None, [], [])


def test_an_unknown_table_is_refused_with_the_map_to_type(table: Path) -> None:
    with pytest.raises(SourceError) as error:
        read(table)
    assert "Its columns: Trial No, Name, Disease, Open?, Ages, Where." in str(error.value)
    assert """--map 'id=Trial No' --map title=Name""" in str(error.value)
    with pytest.raises(SourceError, match=r"--map 'id=Trial No'$"):
        read(table, map_=("title=Name",))


def test_columns_that_are_not_used_are_noted_once(table: Path) -> None:
    run = read(table, map_=("id=Trial No", "title=Name"))
    assert run.notes == ['columns that are not used: "Open?", "Where".']
    assert len(run.trials) == 2


def test_a_table_whose_columns_are_named_as_the_fields(tmp_path: Path) -> None:
    rows = [["id", "Title", "phases", "minimum_age", "Start Date", "countries", "healthy volunteers"]]
    rows += [["X", "T", "PHASE1; PHASE2", "18", "2024-05", "Norway; France", "false"]]
    (trial,) = read(write(tmp_path / "x.csv", rows), list_separator=";").trials
    assert (trial.phases, trial.minimum_age, trial.healthy_volunteers) == (("PHASE1", "PHASE2"), 18, False)
    assert (trial.start_date, trial.countries) == (TrialDate(date="2024-05"), ("Norway", "France"))


def test_a_mapping_file(table: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'list_separator = ";"\n'
        '[columns]\nid = "Trial No"\ntitle = "name"\nconditions = ["Disease"]\nkeywords = "Where"\n'
        '[constants]\nsponsor = "Our registry"\nstudy_type = "interventional"\nas_of = 2024-05-17\ncountry = "Norway"\n'
        "has_results = false\nenrollment = 12\n"
        'normalized_conditions = ["Lupus"]\n',
        encoding="utf-8",
    )
    run = read(table, mapping=str(mapping), map_=("keywords=",))
    first = run.trials[0]
    assert (first.conditions, first.keywords) == (("Lupus", "Nephritis"), ())
    assert (first.sponsor, first.study_type, first.as_of) == ("Our registry", "INTERVENTIONAL", "2024-05-17")
    assert (first.countries, first.normalized_conditions[0].name) == (("Norway",), "Lupus")
    assert (first.has_results, first.enrollment) == (False, 12)


def test_several_columns_into_one_list(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", [["id", "title", "D1", "D2"], ["X", "T", "Lupus|Nephritis", "Lupus"]])
    (trial,) = read(path, map_=("id=id", "title=title", "conditions=D1", "conditions=D2")).trials
    assert trial.conditions == ("Lupus", "Nephritis")


def test_a_map_overrides_what_is_known(tmp_path: Path) -> None:
    rows = [["NCT Number", "Study Title", "My title", "Acronym"], ["NCT00000001", "T", "Mine", "ABC"]]
    (trial,) = read(write(tmp_path / "x.csv", rows), map_=("title=My title", "acronym=")).trials
    assert (trial.title, trial.acronym) == ("Mine", None)


def test_sites_from_several_columns_are_paired(tmp_path: Path) -> None:
    rows = [
        ["id", "title", "city", "country"],
        ["1", "T", "Lyon|Paris", "France"],
        ["2", "T", "Oslo|Bergen", "Norway|France|Chile"],
    ]
    run = read(write(tmp_path / "x.csv", rows))
    assert run.trials[0].sites == (Site(city="Lyon", country="France"), Site(city="Paris", country="France"))
    assert run.trials[1].countries == ("Norway", "France", "Chile")
    [(where, why)] = run.dropped
    assert (where, why) == ("line 3", '"city": the columns of the sites hold 2 and 3 values, so only countries count')


def test_what_programs_write_into_empty_cells_is_nothing(tmp_path: Path) -> None:
    rows = [["id", "title", "status", "minimum_age", "sponsor", "phases", "masking", "country"]]
    rows += [["X", "T", "NA", "nan", "NULL", "N/A", "None", "NA"]]
    (trial,) = read(write(tmp_path / "x.csv", rows)).trials
    assert (trial.status, trial.minimum_age, trial.sponsor) == (None, None, None)
    assert (trial.phases, trial.masking, trial.countries) == (("NA",), "NONE", ("NA",))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"map_": ("titel=Name",)}, '"titel" is no field of a trial. Did you mean "title"?'),
        ({"map_": ("title",)}, 'has no "="'),
        ({"map_": ("id=Trial No", "title=Nmae")}, 'has no column "Nmae". Did you mean "Name"?'),
        ({"map_": ("id=Trial No", "title=Name", "title=Where")}, "title takes one column, and 2 are mapped"),
        ({"encoding": "utf-99"}, '"utf-99" is not an encoding'),
        ({"encoding": "rot13"}, '"rot13" is not an encoding'),
        ({"delimiter": "::"}, '"::" cannot be a delimiter'),
        ({"delimiter": '"'}, "cannot be a delimiter"),
        ({"date_order": "ymd"}, 'the date order "ymd" is not known. Allowed: dmy, mdy'),
        ({"mapping": "missing.toml"}, "missing.toml cannot be read: No such file"),
    ],
)
def test_wrong_options_are_refused(table: Path, options: dict[str, Any], why: str) -> None:
    with pytest.raises(SourceError, match=exactly(why)):
        read(table, **options)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[columns\n", "is not a TOML file"),
        ('[colums]\nid = "x"\n', '"colums" is no setting of a mapping. Did you mean "columns"?'),
        ('columns = "x"\n', "columns must be a table"),
        ("[columns]\nid = 3\n", "id must be the name of a column"),
        ('[columns]\nidd = "x"\n', '"idd" is no field of a trial. Did you mean "id"?'),
        ('[columns]\nsponsor = "x"\n[constants]\nsponsor = "y"\n', "sponsor is a column and a constant"),
        ("encoding = 3\n", "encoding must be a text in quotes"),
        ("[constants]\nsponsor = {name = 1}\n", "the constant sponsor must be one value, or a list of them"),
        ('[constants]\nsponsor = ["a", "b"]\n', "sponsor takes one value, and the mapping's constant is a list"),
    ],
)
def test_wrong_mapping_files_are_refused(table: Path, tmp_path: Path, text: str, why: str) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=exactly(why)):
        read(table, mapping=str(mapping))


# --- habits ---------------------------------------------------------------------------------------------------------


def test_it_says_that_its_records_are_partial() -> None:
    assert CsvSource.partial
    assert all(option.help for option in CsvSource.options)


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys, trialindex_csv, trialindex_csv.source; "
        "print([m for m in ('numpy', 'rich', 'yaml', 'charset_normalizer', 'trialindex.index') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "[]"


def test_it_keeps_the_contract_of_sources(tmp_path: Path) -> None:
    rows = [["NCT Number", "Study Title", "Phases"], ["NCT00000001", "T", "PHASE1"], ["NCT00000002", "T", "nine"]]
    assert len(check_source(CsvSource(str(write(tmp_path / "x.csv", rows))))) == 2

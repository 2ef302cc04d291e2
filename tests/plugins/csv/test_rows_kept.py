"""No row is lost for one cell: words of registries, Excel's dates, quotes, headers, and what the user says of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.csv_cases import Run, read, write
from trialindex.errors import SourceError
from trialindex.trial import Site, Trial
from trialindex.trial.prepare import prepare
from trialindex_csv import full_export


def rows(tmp_path: Path, header: str, *lines: str, **options: Any) -> Run:
    path = tmp_path / "x.tsv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return read(path, **options)


def one(tmp_path: Path, target: str, cell: str, **options: Any) -> tuple[Trial, list[str]]:
    run = read(write(tmp_path / "x.csv", [["id", "title", target], ["A-1", "T", cell]]), **options)
    assert run.rejected == []
    return run.trials[0], [why for _, why in run.dropped]


@pytest.mark.parametrize("words", ["Not recruiting", "Closed", "Authorised"])
def test_words_that_do_not_say_which_status_leave_it_empty_and_suggest_no_other(tmp_path: Path, words: str) -> None:
    trial, dropped = one(tmp_path, "status", words)
    assert trial.status is None
    assert trial.raw == {"id": "A-1", "title": "T", "status": words}
    [why] = dropped
    assert why.startswith(f'"status": "{words}" does not say which status it is')
    assert "Did you mean" not in why
    assert f'--map "status.{words}=…"' in why


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Currently recruiting", "RECRUITING"),
        ("open", "RECRUITING"),
        ("Stopped early", "TERMINATED"),
        ("Ongoing, recruitment ended", "ACTIVE_NOT_RECRUITING"),
        ("Temporarily halted", "SUSPENDED"),
    ],
)
def test_words_of_other_registries_are_read(tmp_path: Path, words: str, status: str) -> None:
    assert one(tmp_path, "Recruitment Status", words)[0].status == status


def test_no_hint_suggests_the_opposite(tmp_path: Path) -> None:
    for words in ("unavailable", "not available any more", "no recruiting"):
        assert "Did you mean" not in " ".join(one(tmp_path, "status", words)[1])
    assert 'Did you mean "RECRUITING"?' in one(tmp_path, "status", "recruting")[1][0]


def test_the_user_says_what_a_word_means(tmp_path: Path) -> None:
    options = {"map_": ["status.Closed=COMPLETED", "sex.W = female"]}
    run = read(write(tmp_path / "x.csv", [["id", "title", "status", "sex"], ["A", "T", "closed", "w"]]), **options)
    assert (run.trials[0].status, run.trials[0].sex, run.dropped) == ("COMPLETED", "FEMALE", [])
    toml = tmp_path / "m.toml"
    toml.write_text('[values.status]\nClosed = "COMPLETED"\n', encoding="utf-8")
    assert one(tmp_path, "status", "Closed", mapping=str(toml))[0].status == "COMPLETED"


def test_a_field_that_is_mapped_leaves_the_known_columns_known(tmp_path: Path) -> None:
    table = write(tmp_path / "x.csv", [["number", "title", "status", "Min Age"], ["A-1", "T", "recruiting", "18Y"]])
    [trial] = read(table, map_=["id=number"]).trials
    assert (trial.id, trial.status, trial.minimum_age) == ("A-1", "RECRUITING", 18)


def test_columns_are_known_by_the_names_of_the_api(tmp_path: Path) -> None:
    header = ["NCTId", "BriefTitle", "OverallStatus", "Phase", "LeadSponsorName", "LocationCountry", "EnrollmentCount"]
    cells = ["NCT00000001", "T", "RECRUITING", "PHASE2|PHASE3", "A sponsor", "Italy|Peru", "40.0"]
    [trial] = read(write(tmp_path / "x.csv", [header, cells])).trials
    assert (trial.status, trial.phases, trial.sponsor) == ("RECRUITING", ("PHASE2", "PHASE3"), "A sponsor")
    assert (trial.countries, trial.enrollment) == (("Italy", "Peru"), 40)
    assert trial.url == "https://clinicaltrials.gov/study/NCT00000001"


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("Mar-19", "2019-03"),
        ("01-Mar-19", "2019-03-01"),
        ("43525", "2019-03-01"),
        ("25-12-2020", "2020-12-25"),
        ("1900-01-01", None),
        ("Jan  1 1900 12:00AM", None),
        ("0000-00-00", None),
    ],
)
def test_dates_of_excel(tmp_path: Path, cell: str, date: str | None) -> None:
    start = one(tmp_path, "start_date", cell)[0].start_date
    assert (start.date if start else None) == date


def test_the_order_of_day_and_month_is_read_off_the_column(tmp_path: Path) -> None:
    table = [["id", "title", "start_date", "end date"], ["A", "T", "05-06-2024", "05/06/2024"]]
    table += [["B", "T", "25-06-2024", "06/25/2024"], ["C", "T", "", ""]]
    first = read(write(tmp_path / "x.csv", table)).trials[0]
    assert first.start_date
    assert first.completion_date
    assert (first.start_date.date, first.completion_date.date) == ("2024-06-05", "2024-05-06")


def test_where_a_column_does_not_decide_the_order_the_option_is_named(tmp_path: Path) -> None:
    trial, [why] = one(tmp_path, "start_date", "05/06/2024")
    assert trial.start_date is None
    assert why.endswith("or say which with --date-order dmy or mdy")
    mixed = [
        ["id", "title", "start_date"],
        ["A", "T", "05/06/2024"],
        ["B", "T", "25/06/2024"],
        ["C", "T", "06/25/2024"],
    ]
    run = read(write(tmp_path / "y.csv", mixed))
    assert [trial.start_date and trial.start_date.date for trial in run.trials] == [None, "2024-06-25", "2024-06-25"]


def test_a_tab_separated_file_is_not_quoted(tmp_path: Path) -> None:
    run = rows(tmp_path, "id\ttitle\tstatus", 'A-1\t"Calm" at night\trecruiting', 'A-2\t5" needle\trecruiting')
    assert run.rejected == []
    assert [trial.title for trial in run.trials] == ['"Calm" at night', '5" needle']
    run = rows(tmp_path, "id\ttitle\tstatus", 'A-1\t"lone\trecruiting', "A-2\tT\trecruiting", 'A-3\t"T\trecruiting')
    assert [trial.status for trial in run.trials] == ["RECRUITING"] * 3


def test_rows_above_the_header_are_left_out_and_said(tmp_path: Path) -> None:
    table = write(tmp_path / "x.csv", [["Studies of our ward"], ["as of", "2024-05-01"], ["id", "title"], ["A", "T"]])
    run = read(table)
    assert (run.ids, run.progress[-1]) == (["A"], (1, 1))
    assert "2 rows above the names of the columns are left out." in run.notes


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Edmonton, Alberta, Canada", Site(city="Edmonton", state="Alberta", country="Canada")),
        (
            "A clinic, Perth, Western Australia, 6009, Australia",
            Site(name="A clinic", city="Perth", state="Western Australia", postal_code="6009", country="Australia"),
        ),
        ("Houston, Texas, United States", Site(city="Houston", state="Texas", country="United States")),
        ("Lyon, France", Site(city="Lyon", country="France")),
    ],
)
def test_a_place_without_a_facility_is_the_city(tmp_path: Path, text: str, site: Site) -> None:
    assert one(tmp_path, "locations", text)[0].sites == (site,)


def test_criteria_in_one_cell_or_two(tmp_path: Path) -> None:
    header = ["id", "title", "Inclusion Criteria", "Exclusion Criteria"]
    [trial] = read(write(tmp_path / "x.csv", [header, ["A", "T", "Adults", "Fever"]])).trials
    assert trial.eligibility == "Inclusion Criteria:\nAdults\n\nExclusion Criteria:\nFever"
    both = "Inclusion criteria: Adults Exclusion criteria: Fever"
    [trial] = read(write(tmp_path / "y.csv", [header, ["A", "T", both, ""]])).trials
    assert trial.eligibility == both


def test_a_list_of_the_who(tmp_path: Path) -> None:
    header = ["TrialID", "Public title", "Scientific title", "Recruitment Status", "Date registration3", "Target size"]
    header += ["Inclusion gender", "Inclusion agemax", "Phase", "Countries", "Condition", "Source Register"]
    cells = ["RBR-000000", "Walking", "A trial of walking", "Not recruiting", "20200217", "one:30;other:40;"]
    cells += ["<br>Female: yes<br>Male: yes<br>", "0", "2-3", "Chile;Peru", "Gout;Asthma", "ReBEC"]
    run = read(write(tmp_path / "x.csv", [header, cells]))
    [trial] = run.trials
    assert (trial.id, trial.title, trial.official_title) == ("RBR-000000", "Walking", "A trial of walking")
    assert (trial.status, trial.enrollment, trial.sex, trial.maximum_age) == (None, 70, "ALL", None)
    assert (trial.phases, trial.countries) == (("PHASE2", "PHASE3"), ("Chile", "Peru"))
    assert trial.conditions == ("Gout", "Asthma")
    assert trial.first_posted
    assert trial.first_posted.date == "2020-02-17"


XML = """<?xml version='1.0' encoding='UTF-8' ?><Trials_downloaded_from_ICTRP>
  <Trial><TrialID>RBR-000000</TrialID><Public_title>Walking</Public_title><Scientific_title>Long    </Scientific_title>
    <Recruitment_Status>Recruiting</Recruitment_Status><Inclusion_agemin>18Y</Inclusion_agemin><Countries>Chile;Peru</Countries>
    <Inclusion_Criteria>&lt;br&gt;Adults&lt;br&gt;</Inclusion_Criteria></Trial>
  <Trial><TrialID>RBR-000001</TrialID><Public_title>Running</Public_title><Phase>N/A</Phase></Trial>
</Trials_downloaded_from_ICTRP>"""


def test_an_export_of_the_who_in_xml(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(XML, encoding="utf-8")
    run = read(tmp_path / "x.xml")
    assert run.rejected == run.dropped == []
    first, second = run.trials
    assert (first.id, first.title, first.official_title, first.status) == (
        "RBR-000000",
        "Walking",
        "Long",
        "RECRUITING",
    )
    assert (first.minimum_age, first.countries) == (18, ("Chile", "Peru"))
    assert first.eligibility == "Inclusion Criteria:\n<br>Adults<br>"
    assert (second.id, second.phases, run.progress[-1]) == ("RBR-000001", ("NA",), (2, 2))


@pytest.mark.parametrize("text", [XML[:-80], "<a><b/></a>", '<!DOCTYPE x [<!ENTITY a "b">]><Trial/>', "no XML"])
def test_xml_that_is_none_of_the_who_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.xml").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"cut off|no export of the WHO|definitions of its own"):
        read(tmp_path / "x.xml")


def test_an_excel_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    import datetime

    book = openpyxl.Workbook()
    book.active.append(["Our studies"])
    book.active.append(["id", "title", "start date", "enrollment", "phase"])
    book.active.append(["A-1", "A trial", datetime.datetime(2019, 3, 1), 40, datetime.datetime(2020, 3, 2)])
    book.active.append([None] * 5)
    book.active.append(["A-2", "Another", "Mar-19", None, "II"])
    book.save(tmp_path / "x.xlsx")
    run = read(tmp_path / "x.xlsx")
    assert run.rejected == run.dropped == []
    first, second = run.trials
    assert first.start_date
    assert (first.start_date.date, first.enrollment, first.phases) == ("2019-03-01", 40, ("PHASE2", "PHASE3"))
    assert (second.id, second.phases) == ("A-2", ("PHASE2",))


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    (tmp_path / "x.xlsx").write_bytes(b"no workbook")
    with pytest.raises(SourceError, match="cannot be read as an Excel workbook"):
        read(tmp_path / "x.xlsx")


def test_a_return_inside_a_cell_ends_no_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,title,eligibility,sex\r\nA-1,T,Inclusion criteria:\r* gout\r* pain,all\r\nB-1,U,,all\r\n")
    run = read(path)
    assert (run.ids, run.rejected, run.dropped) == (["A-1", "B-1"], [], [])
    assert prepare(run.trials[0]).inclusion == ("gout", "pain")
    path.write_bytes(b"id,title,sex\rA-1,T,all\rB-1,U,all\r")  # as Macs once wrote
    assert read(path).ids == ["A-1", "B-1"]


def test_one_row_a_country_is_one_trial(tmp_path: Path) -> None:
    run = rows(
        tmp_path,
        "euctr_id\ttitle\tmember_state\ttrial_status\tname_of_sponsor\treg_date",
        "2017-001604-30\tAn antibody\tAustria - BASG\tCompleted\tA university\t2018-02-06",
        "2019-000001-11\tAnother\tItaly - Italian Medicines Agency\tPrematurely Ended\tA company\t2019-01-01",
        "2017-001604-30\tAn antibody.\tUK - MHRA\tRecruiting\tA hospital\t2017-09-29",
        "2017-001604-30\tUn anticorps\tFrance - ANSM\tOngoing\tA university\t2018-03-01",
    )
    other, trial = run.trials
    assert (trial.title, trial.countries, trial.status) == ("An antibody", ("Austria", "UK", "France"), "RECRUITING")
    assert trial.first_posted
    assert (trial.first_posted.date, trial.sponsor) == ("2017-09-29", "A university")
    assert trial.raw
    assert [row["member_state"] for row in trial.raw["rows"]] == ["Austria - BASG", "UK - MHRA", "France - ANSM"]
    assert (other.countries, other.status, run.rejected) == (("Italy",), "TERMINATED", [])
    assert ("line 4", "sponsor: another than in line 2 of the same trial") in run.dropped
    assert "2 rows went into the trial of an earlier row with its id." in run.notes


def test_an_id_of_your_own_that_repeats_with_another_title_is_a_mistake(tmp_path: Path) -> None:
    run = rows(tmp_path, "id\ttitle\tcity", "A-1\tGout\tOslo", "A-1\tPain\tBergen", "A-1\tGOUT\tTromsø")
    [trial] = run.trials
    assert [site.city for site in trial.sites] == ["Oslo", "Tromsø"]
    assert run.rejected == [("line 3", "A-1 is in line 2 already, with another title")]


def test_a_table_with_a_scientific_title_only(tmp_path: Path) -> None:
    run = rows(tmp_path, "EudraCT Number\tScientific title", "2017-001604-30\tAn antibody")
    assert run.trials[0].title == "An antibody"
    table = [["Our export"], ["trial id", "public title", "Full title"], ["A", "N.A.", "F"], ["B", "P", "F"]]
    assert [t.title for t in read(write(tmp_path / "y.csv", table)).trials] == ["F", "P"]
    with pytest.raises(SourceError, match="no column is known to hold the trial's title"):
        rows(tmp_path, "id\tnumber\tcondition", "grid\tACTRN12605000001695\tgout")


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("https://clinicaltrials.gov/study/NCT01234567?tab=results", "NCT01234567"),
        ("www.isrctn.com/ISRCTN12345678", "ISRCTN12345678"),
        ("https://www.clinicaltrialsregister.eu/ctr-search/search?query=2004-000406-51", "2004-000406-51"),
        ("https://trialsearch.who.int/Trial2.aspx?TrialID=EUCTR2013-001888-23-DK", "EUCTR2013-001888-23-DK"),
        ("NCT 0123 4567", "NCT01234567"),
        ("NCT-01234567", "NCT01234567"),
        ("nct01234567", "NCT01234567"),
        ("ACTRN 12605 000001695", "ACTRN12605000001695"),
        ("chictr2000034346", "ChiCTR2000034346"),
        ("jprn-UMIN000012345", "JPRN-UMIN000012345"),
        ("2017-001604-30", "2017-001604-30"),
        ("trial 20240101", "trial 20240101"),
        ("https://example.org/trials/7", "https://example.org/trials/7"),
        ("NCT 012", "NCT 012"),
    ],
)
def test_ids_are_found_as_people_write_them(tmp_path: Path, cell: str, meant: str) -> None:
    assert rows(tmp_path, "id\ttitle", f"{cell}\tT").ids == [meant]


def test_two_writings_of_one_id_are_one_trial(tmp_path: Path) -> None:
    run = rows(tmp_path, "NCT Number\tStudy Title\tcity", "nct01234567\tT\tOslo", "NCT 0123 4567\tT\tBergen")
    [trial] = run.trials
    assert (trial.url, [site.city for site in trial.sites]) == (
        "https://clinicaltrials.gov/study/NCT01234567",
        ["Oslo", "Bergen"],
    )


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Edmonton, Alberta, Canada", Site(city="Edmonton", state="Alberta", country="Canada")),
        ("Pune, Maharashtra, 411001, India",
         Site(city="Pune", state="Maharashtra", postal_code="411001", country="India")),
        ("A hospital, Melbourne, Victoria, 3000, Australia",
         Site(name="A hospital", city="Melbourne", state="Victoria", postal_code="3000", country="Australia")),
        ("A hospital, Montreal, Quebec, Canada",
         Site(name="A hospital", city="Montreal", state="Quebec", country="Canada")),
        ("A hospital, Quebec, Canada", Site(name="A hospital", city="Quebec", country="Canada")),
        ("A hospital, São Paulo, Brazil", Site(name="A hospital", city="São Paulo", country="Brazil")),
        ("A clinic, A ward, Chandigarh, India", Site(name="A clinic, A ward, Chandigarh", country="India")),
        ("Victoria, Seychelles", Site(city="Victoria", country="Seychelles")),
    ],
)  # fmt: skip
def test_states_and_provinces_in_addresses(tmp_path: Path, text: str, site: Site) -> None:
    assert one(tmp_path, "locations", text)[0].sites == (site,)


def test_countries_with_how_far_the_trial_is_in_each(tmp_path: Path) -> None:
    cells = ["2022-500244-37-00", "T", "Spain: Ongoing, recruiting, Italy: Ended", "Ongoing, recruiting"]
    header = ["Trial number", "Title of the trial", "Location(s) and recruitment status", "Overall trial status"]
    [trial] = read(write(tmp_path / "x.csv", [header, cells])).trials
    assert (trial.countries, trial.status) == (("Spain", "Italy"), "RECRUITING")
    assert one(tmp_path, "country", "Spain:4")[0].countries == ("Spain",)


def test_the_full_export_of_the_who_has_no_names_of_columns(tmp_path: Path) -> None:
    def row(trial_id: str, title: str) -> str:
        stated = {
            "public_title": title,
            "Recruitment_status": "Recruiting",
            "Agemin": "18 Years",
            "Countries": "Peru;Chile",
            "Date_registration": "31/01/2025",
            "Inclusion_Criteria": "Inclusion criteria: Gout<br>Pain",
            "Childs": " ",
        }
        cells = [f'"""{stated[name]}"""' if name in stated else "NULL" for name in full_export.COLUMNS[1:]]
        return ",".join([trial_id, *cells])

    path = tmp_path / "ICTRPWeek24February2025.csv"
    path.write_text(
        "\n".join([row("RBR-4s7gh3", "Walking, and rest"), row("KCT0000123", "T")]) + "\n", encoding="utf-8"
    )
    run = read(path)
    assert (run.ids, run.rejected, run.dropped) == (["RBR-4s7gh3", "KCT0000123"], [], [])
    trial = prepare(run.trials[0])
    assert (trial.title, trial.status, trial.minimum_age) == ("Walking, and rest", "RECRUITING", 18)
    assert (trial.countries, trial.inclusion) == (("Peru", "Chile"), ("Gout", "Pain"))
    assert trial.first_posted
    assert (trial.first_posted.date, run.progress[-1]) == ("2025-01-31", (2, 2))

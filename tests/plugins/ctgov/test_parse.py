"""ClinicalTrials.gov studies as trials: on made-up ones, and on every real one where the shared data are at hand."""

from __future__ import annotations

import gzip
import html
import json
import string
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from support.ctgov_server import study
from support.paths import SHARED
from trialindex.trial import Contact, Intervention, Site, Term, Trial, TrialDate, decode, encode, walk_text
from trialindex.trial.from_values import Problem
from trialindex.trial.prepare import prepare
from trialindex_ctgov.parse import parse_study as parse

DATA = SHARED / "ctgov-v2"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")


def parse_study(record: Any, source: str, on_problem: Callable[[Problem], None] = lambda problem: None) -> Trial:
    """The trial as an index keeps it."""
    return prepare(parse(record, source, on_problem))


def parsed(**modules: Any) -> Trial:
    return parse_study(study(1, **modules), "ctgov")


# --- made-up studies ------------------------------------------------------------------------------------------------


def test_a_study_becomes_a_trial() -> None:
    record = study(7, conditions=["Lupus \\[SLE\\]"], country="Chile")
    trial = parse_study(record, "ctgov")
    assert (trial.id, trial.source, trial.url) == (
        "NCT00000007",
        "ctgov",
        "https://clinicaltrials.gov/study/NCT00000007",
    )
    assert trial.conditions == ("Lupus [SLE]",)
    assert trial.other_ids == ("ORG-7",)
    assert (trial.minimum_age, trial.maximum_age) == (18.0, None)
    assert trial.start_date == TrialDate(date="2025-11", type="ACTUAL")
    assert (trial.inclusion, trial.exclusion) == (("Lives with it",), ("Pregnancy",))
    assert trial.sites == (Site(name="A hospital", city="Lyon", country="Chile"),)
    assert trial.as_of == "2026-02-01"
    assert trial.raw is record


def test_arms_name_interventions_as_the_interventions_do() -> None:
    trial = parsed(
        armsInterventionsModule={
            "armGroups": [
                {"label": "A", "interventionNames": ["Drug: Rituximab", "Dietary Supplement: Fish: oil", "Plain"]}
            ],
            "interventions": [{"type": "DRUG", "name": "Rituximab", "otherNames": ["R"]}, {"type": "OTHER"}],
        }
    )
    assert trial.arms[0].interventions == ("Rituximab", "Fish: oil", "Plain")
    assert trial.interventions == (
        Intervention(name="Rituximab", type="DRUG", other_names=("R",)),
        Intervention(name="", type="OTHER"),
    )


def test_unknown_status_carries_the_last_known_one() -> None:
    trial = parsed(statusModule={"overallStatus": "UNKNOWN", "lastKnownStatus": "RECRUITING"})
    assert (trial.status, trial.last_known_status) == ("UNKNOWN", "RECRUITING")


def test_an_enrollment_that_nobody_knows_is_left_empty() -> None:
    assert parsed(designModule={"enrollmentInfo": {"count": 99999999}}).enrollment is None
    assert parsed(designModule={"enrollmentInfo": {"count": 0, "type": "ACTUAL"}}).enrollment == 0


def test_ids_of_the_same_trial_are_all_kept_once() -> None:
    ident = {
        "nctId": "NCT00000001",
        "nctIdAliases": ["NCT00000099"],
        "orgStudyIdInfo": {"id": "X-1"},
        "secondaryIdInfos": [{"id": "2024-500001-11-00", "type": "CTIS"}, {"id": "X-1"}, {"id": "NCT00000001"}, {}],
        "briefTitle": "T",
    }
    assert parsed(identificationModule=ident).other_ids == ("NCT00000099", "X-1", "2024-500001-11-00")


def test_mesh_terms_and_contacts() -> None:
    record = study(1)
    record["derivedSection"]["conditionBrowseModule"] = {
        "meshes": [{"id": "D008181", "term": "Lupus Nephritis"}, {"term": "X"}],
        "ancestors": [{"id": "D005921", "term": "Glomerulonephritis"}],
    }
    record["derivedSection"]["interventionBrowseModule"] = {
        "meshes": [{"id": "D000069283", "term": "Rituximab"}],
        "ancestors": [{"id": "D058846", "term": "Antibodies, Monoclonal, Murine-Derived"}],
    }
    record["protocolSection"]["contactsLocationsModule"] = {
        "centralContacts": [
            {"name": "Desk", "role": "CONTACT", "phone": "555", "phoneExt": "9", "email": "desk@example.org"}
        ],
        "overallOfficials": [{"name": "Dr A", "affiliation": "Hospital", "role": "STUDY_CHAIR"}],
    }
    trial = parse_study(record, "ctgov")
    assert trial.normalized_conditions == (Term(name="Lupus Nephritis", id="MESH:D008181"), Term(name="X"))
    assert trial.condition_ancestors == (Term(name="Glomerulonephritis", id="MESH:D005921"),)
    assert trial.normalized_interventions == (Term(name="Rituximab", id="MESH:D000069283"),)
    assert trial.intervention_ancestors == (Term(name="Antibodies, Monoclonal, Murine-Derived", id="MESH:D058846"),)
    assert trial.contacts == (Contact(name="Desk", role="CONTACT", phone="555 ext. 9", email="desk@example.org"),)
    assert trial.officials == (Contact(name="Dr A", role="STUDY_CHAIR", affiliation="Hospital"),)


def test_values_outside_a_trials_limits_are_left_out_and_told() -> None:
    problems: list[Problem] = []
    record = study(1, status="RESHAPED")
    protocol = record["protocolSection"]
    protocol["statusModule"] |= {
        "startDateStruct": {"date": "soon"},
        "completionDateStruct": {"date": "2026", "type": "LATE"},
    }
    protocol["designModule"] = {
        "studyType": "DREAM",
        "phases": ["PHASE2", "PHASE9"],
        "enrollmentInfo": {"count": -4, "type": "GUESS"},
    }
    protocol["eligibilityModule"] |= {"sex": "QUEEN", "minimumAge": "eighteen", "maximumAge": "999 Years"}
    site = {"status": "RESHAPED", "geoPoint": {"lat": 91.0, "lon": 0.0}, "country": "Peru"}
    protocol["contactsLocationsModule"] = {"locations": [site, site]}
    trial = parse_study(record, "ctgov", problems.append)
    assert (trial.status, trial.study_type, trial.sex, trial.enrollment, trial.enrollment_type) == (None,) * 5
    assert (trial.minimum_age, trial.maximum_age, trial.start_date) == (None, None, None)
    assert trial.phases == ("PHASE2",)
    assert trial.completion_date == TrialDate(date="2026")
    assert trial.sites == (Site(country="Peru"),) * 2
    assert {problem.field for problem in problems} == {
        "sex",
        *(
            "status",
            "start_date.date",
            "completion_date.type",
            "study_type",
            "phases[2]",
            "enrollment",
            "enrollment_type",
        ),
        *("minimum_age", "maximum_age", "sites[1].status", "sites[2].status"),
        *("sites[1].latitude", "sites[2].latitude"),
    }
    assert any(str(problem).startswith('status: "RESHAPED" is not a known status') for problem in problems)
    assert decode(encode(trial)) == trial


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "no protocolSection"),
        ({"FullStudy": {}}, "no protocolSection"),
        ({"protocolSection": {}}, "no NCT id"),
        (study(1, identificationModule={"nctId": "12", "briefTitle": "T"}), '"12" is no NCT id'),
        (study(1, identificationModule={"nctId": "NCT00000001"}), "NCT00000001: title: missing"),
        (study(1, identificationModule={"nctId": "NCT00000001", "briefTitle": {}}), "title: missing"),
    ],
)
def test_what_is_no_study_says_why(record: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_study(record, "ctgov")


@pytest.mark.parametrize(
    "modules",
    [
        {"conditionsModule": {"conditions": "lupus"}},
        {"designModule": []},
        {"designModule": {"phases": "PHASE2"}},
        {"conditionsModule": {"conditions": [None, "lupus"]}},
        {"contactsLocationsModule": {"locations": ["Lyon"]}},
        {"sponsorCollaboratorsModule": "A company"},
        {"outcomesModule": {"primaryOutcomes": [{"timeFrame": "a week"}]}},
        {"eligibilityModule": None},
    ],
)
def test_a_part_of_another_form_costs_no_study(modules: dict[str, Any]) -> None:
    trial = parsed(**modules)
    assert trial.title == "Made-up study number 1"
    assert decode(encode(trial)) == trial


def test_a_study_without_a_brief_title_goes_by_its_official_one() -> None:
    assert parsed(identificationModule={"nctId": "NCT00000001", "officialTitle": "Long"}).title == "Long"


# --- every real study -----------------------------------------------------------------------------------------------


def real(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@pytest.fixture(scope="module")
def studies() -> list[dict[str, Any]]:
    return list(real("studies.jsonl.gz"))


def unescaped(text: str | None) -> str | None:
    """Written apart from the parser: one pass over the characters."""
    if text is None:
        return None
    result, characters = "", iter(text)
    for character in characters:
        if character == "\\":
            after = next(characters, "")
            result += after if after and after in string.punctuation else character + after
        else:
            result += character
    result = result.encode("cp1252").decode() if "Ã" in result else result
    result = (
        html.unescape(html.unescape(result))
        .replace("<sub>", "")
        .replace("</sub>", "")
        .replace("<br>", "\n")
        .replace("\u2028", "\n")
    )
    return (
        "".join(" " if c != "\n" and c.isspace() else c for c in result if c not in "\u200b\u00ad\ufeff").strip()
        or None
    )


def stated(record: dict[str, Any]) -> dict[str, Any]:
    """What the record states for each field of a trial, walked apart from the parser; plain values."""
    p = record["protocolSection"]
    ident, status, design = p["identificationModule"], p["statusModule"], p["designModule"]
    info, eligible = design.get("designInfo", {}), p["eligibilityModule"]
    sponsors, arms = p["sponsorCollaboratorsModule"], p.get("armsInterventionsModule", {})
    places, outcomes = p.get("contactsLocationsModule", {}), p.get("outcomesModule", {})
    browse = record["derivedSection"].get("conditionBrowseModule", {})
    used = record["derivedSection"].get("interventionBrowseModule", {})
    text = unescaped

    def person(c: dict[str, Any]) -> tuple[Any, ...]:
        assert "phoneExt" not in c or "phone" in c
        extension = f" ext. {c['phoneExt']}" if "phoneExt" in c else ""
        phone = c["phone"] + extension if "phone" in c else None
        return text(c.get("name")), c.get("role"), text(c.get("affiliation")), text(phone), text(c.get("email"))

    def years(age: str | None) -> float | None:
        if age is None:
            return None
        number, unit = age.split()
        per_year = {"Year": 1, "Month": 12, "Week": 365.25 / 7, "Day": 365.25, "Hour": 8766, "Minute": 525960}
        return round(int(number) / per_year[unit.rstrip("s")], 9)

    def day(name: str) -> tuple[str, str | None] | None:
        struct = status.get(name)
        return (struct["date"], struct.get("type")) if struct else None

    def bare_day(name: str) -> tuple[str, None] | None:
        return (status[name], None) if name in status else None

    count = design.get("enrollmentInfo", {}).get("count")
    other_ids = [
        *ident.get("nctIdAliases", []),
        ident["orgStudyIdInfo"]["id"],
        *(i["id"] for i in ident.get("secondaryIdInfos", []) if "id" in i),
    ]
    return {
        "id": ident["nctId"],
        "title": text(ident["briefTitle"]),
        "source": "ctgov",
        "url": "https://clinicaltrials.gov/study/" + ident["nctId"],
        "official_title": text(ident.get("officialTitle")),
        "acronym": text(ident.get("acronym")),
        "other_ids": {text(i) for i in other_ids} - {ident["nctId"]},
        "summary": text(p["descriptionModule"]["briefSummary"]),
        "description": text(p["descriptionModule"].get("detailedDescription")),
        "conditions": [text(c) for c in p["conditionsModule"]["conditions"]],
        "normalized_conditions": [(text(m["term"]), "MESH:" + m["id"]) for m in browse.get("meshes", [])],
        "condition_ancestors": [(text(m["term"]), "MESH:" + m["id"]) for m in browse.get("ancestors", [])],
        "normalized_interventions": [(text(m["term"]), "MESH:" + m["id"]) for m in used.get("meshes", [])],
        "intervention_ancestors": [(text(m["term"]), "MESH:" + m["id"]) for m in used.get("ancestors", [])],
        "keywords": [text(k) for k in p["conditionsModule"].get("keywords", [])],
        "study_type": design["studyType"],
        "phases": design.get("phases", []),
        "status": status["overallStatus"],
        "last_known_status": status.get("lastKnownStatus"),
        "why_stopped": text(status.get("whyStopped")),
        "primary_purpose": info.get("primaryPurpose"),
        "allocation": info.get("allocation"),
        "intervention_model": info.get("interventionModel"),
        "observational_model": info.get("observationalModel"),
        "time_perspective": info.get("timePerspective"),
        "masking": info.get("maskingInfo", {}).get("masking"),
        "who_masked": info.get("maskingInfo", {}).get("whoMasked", []),
        "enrollment": None if count == 99999999 else count,
        "enrollment_type": design.get("enrollmentInfo", {}).get("type"),
        "sex": eligible["sex"],
        "minimum_age": years(eligible.get("minimumAge")),
        "maximum_age": years(eligible.get("maximumAge")),
        "healthy_volunteers": eligible.get("healthyVolunteers"),
        "eligibility": text(eligible["eligibilityCriteria"]),
        "study_population": text(eligible.get("studyPopulation")),
        "arms": [
            (
                text(a["label"]),
                a.get("type"),
                text(a.get("description")),
                [text(n.split(": ", 1)[1]) for n in a.get("interventionNames", []) if n.split(": ", 1)[1].strip()],
            )
            for a in arms.get("armGroups", [])
        ],
        "interventions": [
            (
                text(i.get("name", "")) or "",
                i["type"],
                text(i.get("description")),
                [text(n) for n in i.get("otherNames", [])],
            )
            for i in arms.get("interventions", [])
        ],
        "outcomes": [
            (text(o["measure"]), kind, text(o.get("timeFrame")), text(o.get("description")))
            for kind in ("primary", "secondary", "other")
            for o in outcomes.get(kind + "Outcomes", [])
        ],
        "sites": [
            (
                text(s.get("facility")),
                *(text(s.get(name)) for name in ("city", "state", "zip", "country")),
                s.get("status"),
                s.get("geoPoint", {}).get("lat"),
                s.get("geoPoint", {}).get("lon"),
                [person(c) for c in s.get("contacts", [])],
            )
            for s in places.get("locations", [])
        ],
        "contacts": [person(c) for c in places.get("centralContacts", [])],
        "officials": [person(c) for c in places.get("overallOfficials", [])],
        "sponsor": text(sponsors["leadSponsor"]["name"]),
        "sponsor_class": sponsors["leadSponsor"]["class"],
        "collaborators": [text(c["name"]) for c in sponsors.get("collaborators", [])],
        "start_date": day("startDateStruct"),
        "primary_completion_date": day("primaryCompletionDateStruct"),
        "completion_date": day("completionDateStruct"),
        "first_posted": day("studyFirstPostDateStruct"),
        "last_updated": day("lastUpdatePostDateStruct"),
        "results_first_posted": day("resultsFirstPostDateStruct"),
        "has_results": record["hasResults"],
        "gender_based": eligible.get("genderBased"),
        "gender_description": text(eligible.get("genderDescription")),
        "organization": text(ident.get("organization", {}).get("fullName")),
        "has_expanded_access": status.get("expandedAccessInfo", {}).get("hasExpandedAccess"),
        "expanded_access_id": status.get("expandedAccessInfo", {}).get("nctId"),
        "expanded_access_types": [
            kind.upper() for kind, is_so in design.get("expandedAccessTypes", {}).items() if is_so
        ],
        "serious_events": [
            (text(group.get("title")), group.get("seriousNumAffected"), group.get("seriousNumAtRisk"))
            for group in record.get("resultsSection", {}).get("adverseEventsModule", {}).get("eventGroups", [])
        ],
        "references": [
            (text(r.get("citation")) or f"PMID {r['pmid']}", r.get("pmid"), r.get("type"))
            for r in p.get("referencesModule", {}).get("references", [])
        ],
        "links": [
            (text(link["url"]), text(link.get("label")))
            for link in p.get("referencesModule", {}).get("seeAlsoLinks", [])
        ],
        "results_first_submitted": bare_day("resultsFirstSubmitDate"),
        "results_first_submitted_qc": bare_day("resultsFirstSubmitQcDate"),
        "results_waived": status.get("resultsWaived"),
        "results_delay_submitted": bare_day("dispFirstSubmitDate"),
        "results_delay_submitted_qc": bare_day("dispFirstSubmitQcDate"),
        "results_delay_posted": day("dispFirstPostDateStruct"),
        "first_seen": None,
        "as_of": record["derivedSection"]["miscInfoModule"]["versionHolder"],
        "raw": record,
    }


def plain(value: Any) -> Any:
    """A field of a trial as plain values, for comparing with :func:`stated`."""
    if isinstance(value, msgspec.Struct):
        return tuple(plain(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return round(value, 9) if isinstance(value, float) else value


@needs_data
def test_no_field_of_any_real_study_is_lost(studies: list[dict[str, Any]]) -> None:
    assert len(studies) == 971
    problems: list[Problem] = []
    for record in studies:
        trial = parse_study(record, "ctgov", problems.append)
        expected = stated(record)
        assert set(expected) == set(trial.__struct_fields__) - {
            "inclusion",
            "exclusion",
            "other_criteria",
            "gone_since",
        }
        for name, value in expected.items():
            got = plain(getattr(trial, name))
            got = set(got) if name == "other_ids" else got
            if name == "sites":
                value = [tuple(round(v, 9) if isinstance(v, float) else v for v in site) for site in value]
            assert got == value, f"{trial.id}: {name}"
        assert decode(encode(trial)) == trial, trial.id
    assert problems == []


@needs_data
def test_every_revision_parses(studies: list[dict[str, Any]]) -> None:
    revisions = [line["study"] for line in real("revisions.jsonl.gz")]
    assert len(revisions) == 75
    for record in revisions:
        trial = parse_study(record, "ctgov", lambda problem: pytest.fail(str(problem)))
        assert decode(encode(trial)) == trial


@needs_data
def test_no_real_text_keeps_an_escape(studies: list[dict[str, Any]]) -> None:
    left = [
        (trial.id, text)
        for trial in (parse_study(record, "ctgov") for record in studies)
        for text in walk_text(msgspec.structs.replace(trial, raw=None))
        if any(f"\\{mark}" in text for mark in "<>*[]_~^&")
    ]
    assert left == []


@needs_data
def test_real_eligibility_splits_on_both_sides_nearly_always(studies: list[dict[str, Any]]) -> None:
    trials = [parse_study(record, "ctgov") for record in studies]
    split = [trial for trial in trials if trial.inclusion and trial.exclusion]
    assert len(split) == 951  # of 971: the other 20 have one heading, none, or nothing below one
    for trial in trials:
        assert not any(item.lower().startswith(("exclusion", "ineligib")) for item in trial.inclusion), trial.id
        assert not any("will be excluded" in item or "not eligible" in item for item in trial.inclusion), trial.id
        assert all(item.strip() == item and item for item in (*trial.inclusion, *trial.exclusion)), trial.id


@needs_data
def test_what_stands_below_a_real_exclusion_heading_is_never_inclusion(studies: list[dict[str, Any]]) -> None:
    """Apart from the parser: with one plain heading of each side, in this order, the text between them is inclusion."""
    checked = 0
    for record in studies:
        trial = parse_study(record, "ctgov")
        text = trial.eligibility or ""
        if text.count("Inclusion Criteria:\n") != 1 or text.count("\nExclusion Criteria:\n") != 1:
            continue
        between, below = text.split("\nExclusion Criteria:\n")
        if "Inclusion Criteria" not in between or "nclusion criteri" in below.replace("Inclusion", "inclusion"):
            continue
        checked += 1
        lines = {line.strip().lstrip("*0123456789.-• ") for line in below.splitlines()}
        lines -= {line.strip().lstrip("*0123456789.-• ") for line in between.splitlines()}
        assert not any(item.splitlines()[0] in lines for item in trial.inclusion), trial.id
    assert checked > 700

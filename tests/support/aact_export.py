"""AACT's export of studies for tests: its tables, columns and way to write them, from records of the registry's API.

After the schema and the exporter of github.com/ctti-clinicaltrials/aact: PostgreSQL's ``COPY … csv header`` with "|"
between cells, from which AACT then drops every doubled double quote, and writes "~" where a line ends in a cell.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

COLUMNS = {
    "studies": "nct_id study_first_posted_date study_first_posted_date_type last_update_posted_date "
    "last_update_posted_date_type results_first_posted_date results_first_posted_date_type "
    "results_first_submitted_date results_first_submitted_qc_date disposition_first_submitted_date "
    "disposition_first_submitted_qc_date disposition_first_posted_date disposition_first_posted_date_type "
    "start_month_year start_date_type start_date completion_month_year completion_date_type completion_date "
    "primary_completion_month_year primary_completion_date_type primary_completion_date study_type acronym brief_title "
    "official_title overall_status last_known_status phase enrollment enrollment_type source why_stopped "
    "has_expanded_access expanded_access_nctid expanded_access_type_individual expanded_access_type_intermediate "
    "expanded_access_type_treatment created_at updated_at",
    "brief_summaries": "id nct_id description",
    "detailed_descriptions": "id nct_id description",
    "conditions": "id nct_id name downcase_name",
    "keywords": "id nct_id name downcase_name",
    "browse_conditions": "id nct_id mesh_term downcase_mesh_term mesh_type",
    "browse_interventions": "id nct_id mesh_term downcase_mesh_term mesh_type",
    "designs": "id nct_id allocation intervention_model observational_model primary_purpose time_perspective masking "
    "subject_masked caregiver_masked investigator_masked outcomes_assessor_masked",
    "eligibilities": "id nct_id sampling_method gender minimum_age maximum_age healthy_volunteers population criteria "
    "gender_description gender_based",
    "design_groups": "id nct_id group_type title description",
    "interventions": "id nct_id intervention_type name description",
    "intervention_other_names": "id nct_id intervention_id name",
    "design_group_interventions": "id nct_id design_group_id intervention_id",
    "design_outcomes": "id nct_id outcome_type measure time_frame population description",
    "facilities": "id nct_id status name city state zip country",
    "facility_contacts": "id nct_id facility_id contact_type name email phone phone_extension",
    "facility_investigators": "id nct_id facility_id role name",
    "countries": "id nct_id name removed",
    "central_contacts": "id nct_id contact_type name phone email phone_extension role",
    "overall_officials": "id nct_id role name affiliation",
    "sponsors": "id nct_id agency_class lead_or_collaborator name",
    "id_information": "id nct_id id_source id_value id_type id_type_description id_link",
    "study_references": "id nct_id pmid reference_type citation",
    "links": "id nct_id url description",
    "calculated_values": "id nct_id number_of_facilities were_results_reported",
    "result_groups": "id nct_id ctgov_group_code result_type title description",
    "reported_event_totals": "id nct_id ctgov_group_code event_type classification subjects_affected subjects_at_risk "
    "created_at updated_at",
}
"""The columns of each table, by the names that AACT gives them; of ``studies`` those that a trial has a field for."""

Row = dict[str, Any]


def export(path: Path, studies: Iterable[dict[str, Any]], *, plain: bool = False, without: Iterable[str] = ()) -> Path:
    """Write the studies as AACT does, the rows of each table in no order.

    :param plain: as PostgreSQL writes them, with quotes and ends of lines.
    :param without: tables that are left out.
    """
    tables = _tables(studies)
    random.Random(7).shuffle(tables["studies"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, columns in COLUMNS.items():
            if name not in without:
                rows = sorted(tables[name], key=lambda row: str(row.get("id", ""))[::-1]) if name != "studies" else None
                archive.writestr(f"{name}.txt", written(columns.split(), rows or tables[name], plain=plain))
    return path


def written(columns: list[str], rows: Iterable[Row], *, plain: bool = False) -> str:
    """One table as text."""
    lines = ["|".join(columns) + "\n"]
    for row in rows:
        cells = [_cell(row.get(column)) for column in columns]
        assert not set(row) - set(columns)
        text = io.StringIO()
        csv.writer(text, delimiter="|", lineterminator="\n").writerow(cells)
        line = text.getvalue()
        if not plain:
            line = re.sub(r"\n", "~", re.sub(r"\n\s", "~", line.replace('""', "")))
            line = re.sub(r"~$", "\n", line)
        lines.append(line)
    return "".join(lines)


def _cell(value: Any) -> str:
    return "t" if value is True else "f" if value is False else "" if value is None else str(value)


def _tables(studies: Iterable[dict[str, Any]]) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    for study in studies:
        for table, row in _rows(study):
            if table != "studies":
                row.setdefault("id", len(tables[table]) + 1)
            tables[table].append({**row, "nct_id": _at(study, "protocolSection.identificationModule.nctId")})
    return tables


def _at(value: Any, path: str, default: Any = None) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return default if value is None else value


_next_id = iter(range(1_000_000, 10**9))


def _rows(study: dict[str, Any]) -> Iterator[tuple[str, Row]]:
    """Every row of the study, with its table."""
    protocol, results = study["protocolSection"], study.get("resultsSection", {})
    ident, status = protocol["identificationModule"], _at(protocol, "statusModule", {})
    design, eligible = _at(protocol, "designModule", {}), _at(protocol, "eligibilityModule", {})
    row: Row = {"brief_title": ident.get("briefTitle"), "official_title": ident.get("officialTitle")}
    for ours, theirs in (("start", "startDate"), ("completion", "completionDate")):
        row |= _month_year(ours, _at(status, f"{theirs}Struct", {}))
    row |= _month_year("primary_completion", _at(status, "primaryCompletionDateStruct", {}))
    for ours, theirs in (
        ("study_first", "studyFirst"), ("last_update", "lastUpdate"), ("results_first", "resultsFirst"),
        ("disposition_first", "dispFirst"),
    ):  # fmt: skip
        row[f"{ours}_posted_date"] = _at(status, f"{theirs}PostDateStruct.date")
        row[f"{ours}_posted_date_type"] = _at(status, f"{theirs}PostDateStruct.type")
        if ours.endswith("s_first") or ours.startswith("disposition"):
            row[f"{ours}_submitted_date"] = status.get(f"{theirs}SubmitDate")
            row[f"{ours}_submitted_qc_date"] = status.get(f"{theirs}SubmitQcDate")
    kinds = _at(design, "expandedAccessTypes", {})
    row |= {
        "study_type": design.get("studyType"),
        "acronym": ident.get("acronym"),
        "overall_status": status.get("overallStatus"),
        "last_known_status": status.get("lastKnownStatus"),
        "phase": "/".join(design.get("phases", [])) or None,
        "enrollment": _at(design, "enrollmentInfo.count"),
        "enrollment_type": _at(design, "enrollmentInfo.type"),
        "source": _at(ident, "organization.fullName"),
        "why_stopped": status.get("whyStopped"),
        "has_expanded_access": _at(status, "expandedAccessInfo.hasExpandedAccess"),
        "expanded_access_nctid": _at(status, "expandedAccessInfo.nctId"),
        **{f"expanded_access_type_{kind}": kinds.get(kind) for kind in ("individual", "intermediate", "treatment")},
        "created_at": "2026-01-01 04:05:06",
        "updated_at": "2026-01-01 04:05:06",
    }
    yield "studies", row
    for name, theirs in (("brief_summaries", "briefSummary"), ("detailed_descriptions", "detailedDescription")):
        if text := _at(protocol, f"descriptionModule.{theirs}"):
            yield name, {"description": text}
    for name in ("conditions", "keywords"):
        for word in _at(protocol, f"conditionsModule.{name}", []):
            yield name, {"name": word, "downcase_name": word.lower()}
    for name, theirs in (("browse_conditions", "condition"), ("browse_interventions", "intervention")):
        for kind, mesh in (
            ("mesh-list", "meshes"),
            ("mesh-ancestor", "ancestors"),
            ("mesh-browseLeave", "browseLeaves"),
        ):
            for term in _at(study, f"derivedSection.{theirs}BrowseModule.{mesh}", []):
                word = term.get("term") or term.get("name")
                yield name, {"mesh_term": word, "downcase_mesh_term": word.lower(), "mesh_type": kind}
    info = _at(design, "designInfo", {})
    masked = _at(info, "maskingInfo.whoMasked")
    yield (
        "designs",
        {
            **{name: info.get(theirs) for name, theirs in _DESIGN.items()},
            "masking": _at(info, "maskingInfo.masking"),
            **{name: None if masked is None else party in masked for name, party in _PARTIES.items()},
        },
    )
    yield (
        "eligibilities",
        {
            "sampling_method": eligible.get("samplingMethod"),
            "gender": eligible.get("sex"),
            "minimum_age": eligible.get("minimumAge", "N/A"),
            "maximum_age": eligible.get("maximumAge", "N/A"),
            "healthy_volunteers": eligible.get("healthyVolunteers"),
            "population": eligible.get("studyPopulation"),
            "criteria": eligible.get("eligibilityCriteria"),
            "gender_description": eligible.get("genderDescription"),
            "gender_based": eligible.get("genderBased"),
        },
    )
    groups = {}
    for arm in _at(protocol, "armsInterventionsModule.armGroups", []):
        groups[arm.get("label")] = number = next(_next_id)
        cells = {"group_type": arm.get("type"), "title": arm.get("label"), "description": arm.get("description")}
        yield "design_groups", {"id": number, **cells}
    for one in _at(protocol, "armsInterventionsModule.interventions", []):
        number = next(_next_id)
        cells = {"intervention_type": one.get("type"), "name": one.get("name"), "description": one.get("description")}
        yield "interventions", {"id": number, **cells}
        for other in one.get("otherNames", []):
            yield "intervention_other_names", {"intervention_id": number, "name": other}
        for label in one.get("armGroupLabels", []):
            if label in groups:
                yield "design_group_interventions", {"design_group_id": groups[label], "intervention_id": number}
    for kind in ("primary", "secondary", "other"):
        for outcome in _at(protocol, f"outcomesModule.{kind}Outcomes", []):
            cells = {name: outcome.get(name) for name in ("measure", "description")}
            yield "design_outcomes", {"outcome_type": kind, "time_frame": outcome.get("timeFrame"), **cells}
    yield from _places(protocol)
    sponsors = _at(protocol, "sponsorCollaboratorsModule", {})
    for role, many in (("lead", [sponsors.get("leadSponsor")]), ("collaborator", sponsors.get("collaborators", []))):
        for one in filter(None, many):
            cells = {"agency_class": one.get("class"), "name": one.get("name")}
            yield "sponsors", {"lead_or_collaborator": role, **cells}
    yield "id_information", {"id_source": "org_study_id", "id_value": _at(ident, "orgStudyIdInfo.id")}
    for one in ident.get("secondaryIdInfos", []):
        yield "id_information", {"id_source": "secondary_id", "id_value": one.get("id"), "id_type": one.get("type")}
    for alias in ident.get("nctIdAliases", []):
        yield "id_information", {"id_source": "nct_alias", "id_value": alias}
    for one in _at(protocol, "referencesModule.references", []):
        cells = {"pmid": one.get("pmid"), "reference_type": one.get("type"), "citation": one.get("citation")}
        yield "study_references", cells
    for one in _at(protocol, "referencesModule.seeAlsoLinks", []):
        yield "links", {"url": one.get("url"), "description": one.get("label")}
    places = len(_at(protocol, "contactsLocationsModule.locations", []))
    yield "calculated_values", {"number_of_facilities": places, "were_results_reported": bool(study.get("hasResults"))}
    for group in _at(results, "participantFlowModule.groups", []):
        cells = {"ctgov_group_code": group["id"], "title": group.get("title"), "description": group.get("description")}
        yield "result_groups", {"result_type": "Participant Flow", **cells}
    for group in _at(results, "adverseEventsModule.eventGroups", []):
        code = {"ctgov_group_code": group["id"]}
        cells = {"title": group.get("title"), "description": group.get("description")}
        yield "result_groups", {"result_type": "Reported Event", **code, **cells}
        for kind in ("serious", "other"):
            cells = {"event_type": kind, "classification": f"Total, {kind} adverse events"}
            cells["subjects_affected"] = group.get(f"{kind}NumAffected")
            cells["subjects_at_risk"] = group.get(f"{kind}NumAtRisk")
            yield "reported_event_totals", {**code, **cells}


_DESIGN = {
    "allocation": "allocation",
    "intervention_model": "interventionModel",
    "observational_model": "observationalModel",
    "primary_purpose": "primaryPurpose",
    "time_perspective": "timePerspective",
}
_PARTIES = {
    "subject_masked": "PARTICIPANT",
    "caregiver_masked": "CARE_PROVIDER",
    "investigator_masked": "INVESTIGATOR",
    "outcomes_assessor_masked": "OUTCOMES_ASSESSOR",
}


def _month_year(name: str, given: dict[str, Any]) -> Row:
    """A date as AACT keeps it: as stated, and as a day, the last of the month where only that is stated."""
    stated = given.get("date")
    day = f"{stated}-28" if stated and len(stated) == 7 else stated
    return {f"{name}_month_year": stated, f"{name}_date": day, f"{name}_date_type": given.get("type")}


def _places(protocol: dict[str, Any]) -> Iterator[tuple[str, Row]]:
    module = _at(protocol, "contactsLocationsModule", {})
    for place in module.get("locations", []):
        number = next(_next_id)
        cells = {name: place.get(name) for name in ("status", "city", "state", "zip", "country")}
        yield "facilities", {"id": number, "name": place.get("facility"), **cells}
        for at, person in enumerate(place.get("contacts", [])):
            if re.search("investigator|study.chair", str(person.get("role")), re.IGNORECASE):
                cells = {"role": person.get("role"), "name": person.get("name")}
                yield "facility_investigators", {"facility_id": number, **cells}
            else:
                yield "facility_contacts", {"facility_id": number, **_reached(person, at)}
    for country in dict.fromkeys(place.get("country") for place in module.get("locations", [])):
        yield "countries", {"name": country, "removed": False}
    for at, person in enumerate(module.get("centralContacts", [])):
        yield "central_contacts", {**_reached(person, at), "role": person.get("role")}
    for person in module.get("overallOfficials", []):
        yield "overall_officials", {name: person.get(name) for name in ("role", "name", "affiliation")}


def _reached(person: dict[str, Any], at: int) -> Row:
    kind = "backup" if at else "primary"
    extension = {"phone_extension": person.get("phoneExt")}
    return {"contact_type": kind, **{name: person.get(name) for name in ("name", "email", "phone")}, **extension}

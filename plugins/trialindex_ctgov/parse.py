"""A ClinicalTrials.gov API v2 study as a trial.

After the registry's OpenAPI description, version 2.0.5 (``/data-api/api`` on the site). What no field of a trial holds
stays in ``Trial.raw``. A value of another form than described costs its field, never the study.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from trialindex.trial import Trial
from trialindex.trial.from_values import FieldError, Problem, read_trial

STUDY_PAGE = "https://clinicaltrials.gov/study/"
UNKNOWN_ENROLLMENT = 99_999_999
"""What the registry writes where nobody knows how many take part."""

NCT_ID = re.compile(r"NCT[0-9]{8}")

_INTERVENTION_LABEL = re.compile(
    r"^(?:Behavioral|Biological|Combination Product|Device|Diagnostic Test|Dietary Supplement|Drug|Genetic|Procedure"
    r"|Radiation|Other):\s*"
)
"""What an arm puts before the name of an intervention: its type, in words."""


def parse_study(record: Any, source: str, on_problem: Callable[[Problem], None] = lambda problem: None) -> Trial:
    """The trial that one study of the API, or of a file downloaded from the site, describes.

    :param record: the study as JSON gives it; it becomes ``Trial.raw``.
    :param source: name of the source that delivers it.
    :param on_problem: told of a value that cannot be used, such as a status this version does not know; its field stays
        empty.
    :raises ValueError: the record is no study, or has no NCT id or title.
    """
    if not isinstance(record, dict):
        raise ValueError("not a study: not a JSON object")
    if "protocolSection" not in record:
        raise ValueError("not a study of the ClinicalTrials.gov API v2 (it has no protocolSection)")
    nct_id = study_id(record)
    if not NCT_ID.fullmatch(nct_id):
        raise ValueError(f'"{nct_id[:40]}" is no NCT id' if nct_id else "the study has no NCT id")
    try:
        return read_trial({**_fields(record, nct_id), "source": source, "raw": record}, on_problem)
    except FieldError as problem:
        raise ValueError(f"{nct_id}: {problem}") from None


_MODULES = frozenset({"identificationModule", "statusModule", "sponsorCollaboratorsModule", "designModule"})
"""Modules that every whole study of the registry has."""


def is_whole(record: Any) -> bool:
    """Whether the study holds all that the registry has, and not only some fields, as ``fields=`` asks for."""
    return set(record["protocolSection"]) >= _MODULES


def study_id(record: Any) -> str:
    """The registry's id of a study as it stands there, in capitals; empty without one."""
    return str(_get(record, "protocolSection", "identificationModule", "nctId") or "").strip().upper()


def _fields(record: dict[str, Any], nct_id: str) -> dict[str, Any]:
    """What the study states for each field of a trial, as the registry writes it."""
    protocol = record["protocolSection"]
    ident, status = _get(protocol, "identificationModule"), _get(protocol, "statusModule")
    design, eligible = _get(protocol, "designModule"), _get(protocol, "eligibilityModule")
    info, places = _get(design, "designInfo"), _get(protocol, "contactsLocationsModule")
    arms, sponsors = _get(protocol, "armsInterventionsModule"), _get(protocol, "sponsorCollaboratorsModule")
    about, outcomes = _get(protocol, "descriptionModule"), _get(protocol, "outcomesModule")
    derived, expanded = _get(record, "derivedSection"), _get(status, "expandedAccessInfo")
    cited, kinds = _get(protocol, "referencesModule"), _get(design, "expandedAccessTypes")
    count = _get(design, "enrollmentInfo", "count")
    return {
        "id": nct_id,
        "title": _get(ident, "briefTitle") or _get(ident, "officialTitle"),
        "url": STUDY_PAGE + nct_id,
        "official_title": _get(ident, "officialTitle"),
        "acronym": _get(ident, "acronym"),
        "other_ids": _other_ids(ident, nct_id),
        "summary": _get(about, "briefSummary"),
        "description": _get(about, "detailedDescription"),
        "conditions": _get(protocol, "conditionsModule", "conditions"),
        "normalized_conditions": _each(_get(derived, "conditionBrowseModule", "meshes"), _term),
        "condition_ancestors": _each(_get(derived, "conditionBrowseModule", "ancestors"), _term),
        "keywords": _get(protocol, "conditionsModule", "keywords"),
        "study_type": _get(design, "studyType"),
        "phases": _get(design, "phases"),
        "status": _get(status, "overallStatus"),
        "last_known_status": _get(status, "lastKnownStatus"),
        "why_stopped": _get(status, "whyStopped"),
        "primary_purpose": _get(info, "primaryPurpose"),
        "allocation": _get(info, "allocation"),
        "intervention_model": _get(info, "interventionModel"),
        "observational_model": _get(info, "observationalModel"),
        "time_perspective": _get(info, "timePerspective"),
        "masking": _get(info, "maskingInfo", "masking"),
        "who_masked": _get(info, "maskingInfo", "whoMasked"),
        "enrollment": None if count == UNKNOWN_ENROLLMENT else count,
        "enrollment_type": _get(design, "enrollmentInfo", "type"),
        "sex": _get(eligible, "sex"),
        "minimum_age": _get(eligible, "minimumAge"),
        "maximum_age": _get(eligible, "maximumAge"),
        "healthy_volunteers": _get(eligible, "healthyVolunteers"),
        "eligibility": _get(eligible, "eligibilityCriteria"),
        "gender_based": _get(eligible, "genderBased"),
        "gender_description": _get(eligible, "genderDescription"),
        "study_population": _get(eligible, "studyPopulation"),
        "arms": _each(_get(arms, "armGroups"), _arm),
        "interventions": _each(_get(arms, "interventions"), _intervention),
        "normalized_interventions": _each(_get(derived, "interventionBrowseModule", "meshes"), _term),
        "intervention_ancestors": _each(_get(derived, "interventionBrowseModule", "ancestors"), _term),
        "outcomes": [
            each
            for kind in ("primary", "secondary", "other")
            for each in _each(_get(outcomes, f"{kind}Outcomes"), partial(_outcome, kind))
        ],
        "sites": _each(_get(places, "locations"), _site),
        "contacts": _each(_get(places, "centralContacts"), _contact),
        "officials": _each(_get(places, "overallOfficials"), _contact),
        "sponsor": _get(sponsors, "leadSponsor", "name"),
        "sponsor_class": _get(sponsors, "leadSponsor", "class"),
        "collaborators": _each(_get(sponsors, "collaborators"), lambda one: one.get("name")),
        "organization": _get(ident, "organization", "fullName"),
        "has_expanded_access": _get(expanded, "hasExpandedAccess"),
        "expanded_access_id": _get(expanded, "nctId"),
        "expanded_access_types": [kind for kind, stated in kinds.items() if stated]
        if isinstance(kinds, dict)
        else kinds,
        "references": _each(_get(cited, "references"), _reference),
        "serious_events": _each(_get(record, "resultsSection", "adverseEventsModule", "eventGroups"), _serious_events),
        "links": _each(_get(cited, "seeAlsoLinks"), lambda one: _renamed(one, url="url", label="label")),
        "start_date": _get(status, "startDateStruct"),
        "primary_completion_date": _get(status, "primaryCompletionDateStruct"),
        "completion_date": _get(status, "completionDateStruct"),
        "first_posted": _get(status, "studyFirstPostDateStruct"),
        "last_updated": _get(status, "lastUpdatePostDateStruct"),
        "results_first_posted": _get(status, "resultsFirstPostDateStruct"),
        "has_results": record.get("hasResults"),
        "results_first_submitted": _get(status, "resultsFirstSubmitDate"),
        "results_first_submitted_qc": _get(status, "resultsFirstSubmitQcDate"),
        "results_waived": _get(status, "resultsWaived"),
        "results_delay_submitted": _get(status, "dispFirstSubmitDate"),
        "results_delay_submitted_qc": _get(status, "dispFirstSubmitQcDate"),
        "results_delay_posted": _get(status, "dispFirstPostDateStruct"),
        "as_of": _get(derived, "miscInfoModule", "versionHolder"),
    }


def _get(value: Any, *path: str) -> Any:
    """What stands at the path in nested objects; ``None`` where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _each(values: Any, convert: Callable[[dict[str, Any]], Any]) -> list[Any]:
    """Each object of a list converted; what is no object is left for :func:`read_trial` to name."""
    many = values if isinstance(values, list) else [] if values is None else [values]
    return [convert(value) if isinstance(value, dict) else value for value in many]


def _renamed(value: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {ours: value.get(theirs) for ours, theirs in names.items()}


def _other_ids(ident: Any, own: str) -> list[str]:
    """Old NCT ids, the sponsor's own number, then those of other registries and funders, each once."""
    aliases = _get(ident, "nctIdAliases")
    infos: Iterable[Any] = [_get(ident, "orgStudyIdInfo"), *_each(_get(ident, "secondaryIdInfos"), dict)]
    ids = [*(aliases if isinstance(aliases, list) else []), *(_get(info, "id") for info in infos)]
    return [one for one in dict.fromkeys(str(one).strip() for one in ids if one) if one and one != own]


def _term(mesh: dict[str, Any]) -> dict[str, Any] | None:
    identifier = mesh.get("id")
    return {"name": mesh["term"], "id": f"MESH:{identifier}" if identifier else None} if mesh.get("term") else None


def _arm(arm: dict[str, Any]) -> dict[str, Any]:
    """An arm; the registry writes ``Drug: Rituximab`` there for the intervention called ``Rituximab``."""
    names = arm.get("interventionNames")
    used = [_INTERVENTION_LABEL.sub("", str(name), count=1) for name in names] if isinstance(names, list) else names
    return {**_renamed(arm, label="label", type="type", description="description"), "interventions": used}


def _intervention(info: dict[str, Any]) -> dict[str, Any]:
    """An intervention; a few in the registry have a type and a description but no name."""
    return _renamed(info, name="name", type="type", description="description", other_names="otherNames")


def _outcome(kind: str, outcome: dict[str, Any]) -> dict[str, Any]:
    return {**_renamed(outcome, measure="measure", time_frame="timeFrame", description="description"), "kind": kind}


def _serious_events(group: dict[str, Any]) -> dict[str, Any]:
    return _renamed(group, group="title", affected="seriousNumAffected", at_risk="seriousNumAtRisk")


def _reference(reference: dict[str, Any]) -> dict[str, Any]:
    found = _renamed(reference, citation="citation", pmid="pmid", kind="type")
    if not found["citation"] and found["pmid"]:
        found["citation"] = f"PMID {found['pmid']}"
    return found


def _contact(person: dict[str, Any]) -> dict[str, Any]:
    found = _renamed(person, name="name", role="role", affiliation="affiliation", phone="phone", email="email")
    if found["phone"] and person.get("phoneExt"):
        found["phone"] = f"{str(found['phone']).strip()} ext. {person['phoneExt']}"
    return found


def _site(location: dict[str, Any]) -> dict[str, Any]:
    return {
        **_renamed(location, name="facility", city="city", state="state", postal_code="zip", country="country"),
        "status": location.get("status"),
        "latitude": _get(location, "geoPoint", "lat"),
        "longitude": _get(location, "geoPoint", "lon"),
        "contacts": _each(location.get("contacts"), _contact),
    }

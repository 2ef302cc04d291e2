"""The XML in which the registry gave its records until 2024: one ``<clinical_study>`` a file.

After ``public.xsd`` of the old site. What no field of a trial holds stays in ``Trial.raw``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from trialindex.trial import Trial
from trialindex.trial.from_values import FieldError, Problem, read_trial
from trialindex_ctgov.parse import NCT_ID, STUDY_PAGE, UNKNOWN_ENROLLMENT

_CONTACT = {"affiliation": "affiliation", "role": "role", "email": "email"}


def parse_xml(data: bytes, source: str, on_problem: Callable[[Problem], None] = lambda problem: None) -> Trial:
    """The trial that a ``<clinical_study>`` describes.

    :param data: the whole file.
    :param on_problem: told of a value that cannot be used; its field stays empty.
    :raises ValueError: it is no such XML, or has no NCT id or title.
    """
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise ValueError("XML with definitions of its own is not read")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 — entities are refused above
    except ElementTree.ParseError as problem:
        raise ValueError(f"not valid XML: {problem}") from None
    if root.tag != "clinical_study":
        raise ValueError(f"not a study of the registry: its XML begins with <{root.tag}>")
    nct_id = (_text(root, "id_info/nct_id") or "").upper()
    if not NCT_ID.fullmatch(nct_id):
        raise ValueError(f'"{nct_id[:40]}" is no NCT id' if nct_id else "the study has no NCT id")
    try:
        return read_trial(
            {**_fields(root, nct_id), "source": source, "raw": {"clinical_study": _plain(root)}}, on_problem
        )
    except FieldError as problem:
        raise ValueError(f"{nct_id}: {problem}") from None


def _fields(root: ElementTree.Element, nct_id: str) -> dict[str, Any]:
    design = root.find("study_design_info")
    ids = ("id_info/nct_alias", "id_info/org_study_id", "id_info/secondary_id")
    enrollment = _text(root, "enrollment")
    return {
        "id": nct_id,
        "title": _text(root, "brief_title") or _text(root, "official_title"),
        "url": STUDY_PAGE + nct_id,
        "official_title": _text(root, "official_title"),
        "acronym": _text(root, "acronym"),
        "other_ids": [one for path in ids for one in _texts(root, path) if one != nct_id],
        "summary": _text(root, "brief_summary/textblock"),
        "description": _text(root, "detailed_description/textblock"),
        "conditions": _texts(root, "condition"),
        "normalized_conditions": _texts(root, "condition_browse/mesh_term"),
        "keywords": _texts(root, "keyword"),
        "study_type": _text(root, "study_type"),
        "phases": _text(root, "phase"),
        "status": _text(root, "overall_status"),
        "last_known_status": _text(root, "last_known_status"),
        "why_stopped": _text(root, "why_stopped"),
        **{
            name: _text(design, name)
            for name in ("allocation", "observational_model", "time_perspective", "primary_purpose")
        },
        "intervention_model": (_text(design, "intervention_model") or "").removesuffix(" Assignment"),
        "masking": (_text(design, "masking") or "").partition("(")[0],
        "enrollment": None if enrollment == str(UNKNOWN_ENROLLMENT) else enrollment,
        "enrollment_type": _type(root.find("enrollment")),
        "sex": _text(root, "eligibility/gender"),
        "gender_based": _text(root, "eligibility/gender_based"),
        "gender_description": _text(root, "eligibility/gender_description"),
        "minimum_age": _text(root, "eligibility/minimum_age"),
        "maximum_age": _text(root, "eligibility/maximum_age"),
        "healthy_volunteers": _text(root, "eligibility/healthy_volunteers"),
        "eligibility": _text(root, "eligibility/criteria/textblock"),
        "study_population": _text(root, "eligibility/study_pop/textblock"),
        "arms": [_arm(root, arm) for arm in root.findall("arm_group")],
        "interventions": [
            {
                "name": _text(one, "intervention_name"),
                "type": _text(one, "intervention_type"),
                "description": _text(one, "description"),
                "other_names": _texts(one, "other_name"),
            }
            for one in root.findall("intervention")
        ],
        "normalized_interventions": _texts(root, "intervention_browse/mesh_term"),
        "outcomes": [
            {"kind": kind, **{name: _text(one, name) for name in ("measure", "time_frame", "description")}}
            for kind in ("primary", "secondary", "other")
            for one in root.findall(f"{kind}_outcome")
        ],
        "sites": [_site(location) for location in root.findall("location")],
        "contacts": [
            _person(one) for name in ("overall_contact", "overall_contact_backup") for one in root.findall(name)
        ],
        "officials": [_person(one) for one in root.findall("overall_official")],
        "sponsor": _text(root, "sponsors/lead_sponsor/agency"),
        "sponsor_class": (_text(root, "sponsors/lead_sponsor/agency_class") or "").removeprefix("U.S. "),
        "collaborators": _texts(root, "sponsors/collaborator/agency"),
        "organization": _text(root, "source"),
        "has_expanded_access": _text(root, "has_expanded_access"),
        "references": [
            {"citation": _text(one, "citation"), "pmid": _text(one, "PMID"), "kind": kind}
            for tag, kind in (("reference", None), ("results_reference", "RESULT"))
            for one in root.findall(tag)
        ],
        "links": [{"url": _text(one, "url"), "label": _text(one, "description")} for one in root.findall("link")],
        "start_date": _date(root, "start_date"),
        "primary_completion_date": _date(root, "primary_completion_date"),
        "completion_date": _date(root, "completion_date"),
        "first_posted": _date(root, "study_first_posted"),
        "last_updated": _date(root, "last_update_posted"),
        "results_first_posted": _date(root, "results_first_posted"),
        "has_results": root.find("clinical_results") is not None,
    }


def _text(element: ElementTree.Element | None, path: str) -> str | None:
    found = element.find(path) if element is not None else None
    return found.text if found is not None else None


def _texts(element: ElementTree.Element, path: str) -> list[str]:
    return [one.text for one in element.findall(path) if one.text]


def _type(element: ElementTree.Element | None) -> str | None:
    return element.get("type") if element is not None else None


def _date(root: ElementTree.Element, path: str) -> dict[str, str | None] | None:
    text = _text(root, path)
    return {"date": text, "type": _type(root.find(path))} if text else None


def _arm(root: ElementTree.Element, arm: ElementTree.Element) -> dict[str, Any]:
    label = _text(arm, "arm_group_label")
    given = [one for one in root.findall("intervention") if label in _texts(one, "arm_group_label")]
    return {
        "label": label,
        "type": _text(arm, "arm_group_type"),
        "description": _text(arm, "description"),
        "interventions": [_text(one, "intervention_name") for one in given],
    }


def _person(person: ElementTree.Element) -> dict[str, Any]:
    names = (_text(person, part) for part in ("first_name", "middle_name", "last_name"))
    phone, extension = _text(person, "phone"), _text(person, "phone_ext")
    return {
        "name": " ".join(filter(None, names)),
        "phone": f"{phone} ext. {extension}" if phone and extension else phone,
        **{name: _text(person, tag) for name, tag in _CONTACT.items()},
    }


def _site(location: ElementTree.Element) -> dict[str, Any]:
    address = "facility/address"
    return {
        "name": _text(location, "facility/name"),
        "city": _text(location, f"{address}/city"),
        "state": _text(location, f"{address}/state"),
        "postal_code": _text(location, f"{address}/zip"),
        "country": _text(location, f"{address}/country"),
        "status": _text(location, "status"),
        "contacts": [_person(one) for name in ("contact", "contact_backup") for one in location.findall(name)],
    }


def _plain(element: ElementTree.Element) -> Any:
    """The element as plain values: a text, or what it holds by name; what comes several times is a list."""
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        value = _plain(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found

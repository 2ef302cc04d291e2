"""A ClinicalTrials.gov API v2 study as a trial."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, get_args

import msgspec

from trialindex.trial import (
    PHASES,
    SEXES,
    STATUSES,
    STUDY_TYPES,
    Arm,
    Contact,
    DateType,
    Intervention,
    Outcome,
    OutcomeKind,
    Site,
    Term,
    Trial,
    TrialDate,
    parse_age,
)
from trialindex_ctgov import schema
from trialindex_ctgov.eligibility import split_criteria

STUDY_PAGE = "https://clinicaltrials.gov/study/"
UNKNOWN_ENROLLMENT = 99_999_999
"""What the registry writes where nobody knows how many take part."""

NCT_ID = re.compile(r"NCT[0-9]{8}")

Note = Callable[[str], None]

_PARTIAL_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_INTERVENTION_LABEL = re.compile(
    r"^(?:Behavioral|Biological|Combination Product|Device|Diagnostic Test|Dietary Supplement|Drug|Genetic|Procedure"
    r"|Radiation|Other):\s*"
)
"""What an arm puts before the name of an intervention: its type, in words."""


def once(note: Note) -> Note:
    """Passes each message on the first time only."""
    said: set[str] = set()

    def say(message: str) -> None:
        if message not in said:
            said.add(message)
            note(message)

    return say


def parse_study(record: Any, source: str, note: Note = lambda message: None) -> Trial:
    """The trial that one study of the API, or of a file downloaded from the site, describes.

    :param record: the study as JSON gives it; it becomes ``Trial.raw``.
    :param source: name of the source that delivers it.
    :param note: told of a value that cannot be used, such as a status this version does not know; its field stays
        empty.
    :raises ValueError: the record is no study, or has no NCT id or title.
    """
    if not isinstance(record, dict):
        raise ValueError("not a study: not a JSON object")
    if "protocolSection" not in record:
        raise ValueError("not a study of the ClinicalTrials.gov API v2 (it has no protocolSection)")
    study = msgspec.convert(record, schema.Study)
    protocol = study.protocol_section
    ident, status, design = protocol.identification_module, protocol.status_module, protocol.design_module
    eligible, places = protocol.eligibility_module, protocol.contacts_locations_module
    reader = _Reader(note)
    nct_id = (ident.nct_id or "").strip().upper()
    if not NCT_ID.fullmatch(nct_id):
        raise ValueError(f'"{nct_id[:40]}" is no NCT id' if nct_id else "the study has no NCT id")
    official_title = clean(ident.official_title)
    title = clean(ident.brief_title) or official_title
    if title is None:
        raise ValueError(f"{nct_id} has no title")
    criteria = clean(eligible.eligibility_criteria)
    inclusion, exclusion = split_criteria(criteria) if criteria else ((), ())
    return Trial(
        id=nct_id,
        title=title,
        source=source,
        url=STUDY_PAGE + nct_id,
        official_title=official_title,
        acronym=clean(ident.acronym),
        other_ids=_other_ids(ident, nct_id),
        summary=clean(protocol.description_module.brief_summary),
        description=clean(protocol.description_module.detailed_description),
        conditions=_texts(protocol.conditions_module.conditions),
        normalized_conditions=_terms(study.derived_section.condition_browse_module.meshes),
        keywords=_texts(protocol.conditions_module.keywords),
        study_type=reader.code("study type", design.study_type, STUDY_TYPES),
        phases=reader.codes("phase", design.phases, PHASES),
        status=reader.code("status", status.overall_status, STATUSES),
        last_known_status=reader.code("status", status.last_known_status, STATUSES),
        why_stopped=clean(status.why_stopped),
        primary_purpose=design.design_info.primary_purpose,
        allocation=design.design_info.allocation,
        intervention_model=design.design_info.intervention_model,
        observational_model=design.design_info.observational_model,
        time_perspective=design.design_info.time_perspective,
        masking=design.design_info.masking_info.masking,
        who_masked=design.design_info.masking_info.who_masked,
        enrollment=reader.enrollment(design.enrollment_info.count),
        enrollment_type=reader.code("enrollment type", design.enrollment_info.type, get_args(DateType)),
        sex=reader.code("sex", eligible.sex, SEXES),
        minimum_age=reader.age(eligible.minimum_age),
        maximum_age=reader.age(eligible.maximum_age),
        healthy_volunteers=eligible.healthy_volunteers,
        eligibility=criteria,
        inclusion=inclusion,
        exclusion=exclusion,
        study_population=clean(eligible.study_population),
        arms=_arms(protocol.arms_interventions_module),
        interventions=tuple(_intervention(i) for i in protocol.arms_interventions_module.interventions),
        outcomes=_outcomes(protocol.outcomes_module),
        sites=tuple(reader.site(location) for location in places.locations),
        contacts=tuple(_contact(person) for person in places.central_contacts),
        officials=tuple(_contact(person) for person in places.overall_officials),
        sponsor=clean(protocol.sponsor_collaborators_module.lead_sponsor.name),
        sponsor_class=protocol.sponsor_collaborators_module.lead_sponsor.class_,
        collaborators=_texts(c.name for c in protocol.sponsor_collaborators_module.collaborators),
        start_date=reader.date(status.start_date_struct),
        primary_completion_date=reader.date(status.primary_completion_date_struct),
        completion_date=reader.date(status.completion_date_struct),
        first_posted=reader.date(status.study_first_post_date_struct),
        last_updated=reader.date(status.last_update_post_date_struct),
        results_first_posted=reader.date(status.results_first_post_date_struct),
        has_results=study.has_results,
        as_of=reader.day(study.derived_section.misc_info_module.version_holder),
        raw=record,
    )


def clean(text: str | None) -> str | None:
    r"""The text without Markdown escapes (``\>`` → ``>``) and outer blanks; ``None`` if nothing is left.

    A backslash escapes ASCII punctuation only (CommonMark 0.28, section 6.1), so that ``\mu`` stays.
    """
    return _ESCAPED.sub(r"\1", text).strip() or None if text else None


def _texts(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(text for text in map(clean, values) if text)


def _other_ids(ident: schema.Identification, own: str) -> tuple[str, ...]:
    """Old NCT ids, the sponsor's own number, then those of other registries and funders, each once."""
    infos = (ident.org_study_id_info, *ident.secondary_id_infos)
    ids = _texts((*ident.nct_id_aliases, *(info.id for info in infos)))
    return tuple(i for i in dict.fromkeys(ids) if i != own)


def _terms(meshes: Iterable[schema.Mesh]) -> tuple[Term, ...]:
    terms = ((clean(mesh.term), mesh.id) for mesh in meshes)
    return tuple(Term(name=name, id=f"MESH:{id}" if id else None) for name, id in terms if name)


def _arms(module: schema.ArmsInterventions) -> tuple[Arm, ...]:
    """The arms; the registry writes ``Drug: Rituximab`` there for the intervention called ``Rituximab``."""
    return tuple(
        Arm(
            label=clean(arm.label) or "",
            type=arm.type,
            description=clean(arm.description),
            interventions=_texts(_INTERVENTION_LABEL.sub("", name, count=1) for name in arm.intervention_names),
        )
        for arm in module.arm_groups
    )


def _intervention(info: schema.InterventionInfo) -> Intervention:
    """An intervention; a few in the registry have a type and a description but no name."""
    return Intervention(
        name=clean(info.name) or "",
        type=info.type,
        description=clean(info.description),
        other_names=_texts(info.other_names),
    )


def _outcomes(module: schema.Outcomes) -> tuple[Outcome, ...]:
    kinds: tuple[tuple[OutcomeKind, tuple[schema.OutcomeInfo, ...]], ...] = (
        ("primary", module.primary_outcomes),
        ("secondary", module.secondary_outcomes),
        ("other", module.other_outcomes),
    )
    return tuple(
        Outcome(
            measure=clean(outcome.measure) or "",
            kind=kind,
            time_frame=clean(outcome.time_frame),
            description=clean(outcome.description),
        )
        for kind, outcomes in kinds
        for outcome in outcomes
    )


def _contact(person: schema.Person) -> Contact:
    phone = clean(person.phone)
    extension = clean(person.phone_ext)
    return Contact(
        name=clean(person.name),
        role=person.role,
        affiliation=clean(person.affiliation),
        phone=f"{phone} ext. {extension}" if phone and extension else phone,
        email=clean(person.email),
    )


class _Reader:
    """Reads values that a trial limits: what is outside the limits is left out and noted, and the trial kept."""

    def __init__(self, note: Note) -> None:
        self._note = note

    def code(self, what: str, value: str | None, known: tuple[str, ...]) -> Any:
        """The code if this version knows it."""
        if value is None or value in known:
            return value
        self._leave_out(what, value)
        return None

    def codes(self, what: str, values: Iterable[str], known: tuple[str, ...]) -> tuple[Any, ...]:
        return tuple(code for value in values if (code := self.code(what, value, known)))

    def age(self, text: str | None) -> float | None:
        """The age in years; ``None`` is an open bound."""
        if text is None:
            return None
        try:
            years = parse_age(text)
        except ValueError:
            years = -1
        if years is None or 0 <= years <= 150:
            return years
        self._leave_out("age", text)
        return None

    def date(self, value: schema.DateStruct | None) -> TrialDate | None:
        if value is None or value.date is None:
            return None
        day = self.day(value.date)
        return TrialDate(date=day, type=self.code("date type", value.type, get_args(DateType))) if day else None

    def day(self, text: str | None) -> str | None:
        if text is None or _PARTIAL_DATE.fullmatch(text):
            return text
        self._leave_out("date", text)
        return None

    def enrollment(self, count: int | None) -> int | None:
        if count is None or count == UNKNOWN_ENROLLMENT:
            return None
        if count < 0:
            self._leave_out("enrollment", str(count))
            return None
        return count

    def site(self, location: schema.Location) -> Site:
        point = location.geo_point
        if point and not (-90 <= point.lat <= 90 and -180 <= point.lon <= 180):
            self._leave_out("position", f"{point.lat}, {point.lon}")
            point = None
        return Site(
            name=clean(location.facility),
            city=clean(location.city),
            state=clean(location.state),
            postal_code=clean(location.zip),
            country=clean(location.country),
            status=self.code("site status", location.status, STATUSES),
            latitude=point.lat if point else None,
            longitude=point.lon if point else None,
            contacts=tuple(_contact(person) for person in location.contacts),
        )

    def _leave_out(self, what: str, value: str) -> None:
        self._note(f'ClinicalTrials.gov gives a {what} that trialindex does not know, "{value[:60]}": left empty.')

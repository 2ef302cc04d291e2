"""The parts of a ClinicalTrials.gov API v2 study that a trial is made of, as the registry names them.

After the registry's OpenAPI description, version 2.0.5 (``/data-api/api`` on the site). Fields that are not listed here
are ignored and stay in ``Trial.raw``. Codes are plain strings here: a new code must not make a study unreadable.
"""

from __future__ import annotations

import msgspec

Texts = tuple[str, ...]


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a study; any field may be absent."""


class IdInfo(_Part, frozen=True):
    id: str | None = None


class Identification(_Part, frozen=True):
    nct_id: str | None = None
    nct_id_aliases: Texts = ()
    org_study_id_info: IdInfo = IdInfo()
    secondary_id_infos: tuple[IdInfo, ...] = ()
    brief_title: str | None = None
    official_title: str | None = None
    acronym: str | None = None


class DateStruct(_Part, frozen=True):
    date: str | None = None
    type: str | None = None


class StatusModule(_Part, frozen=True):
    overall_status: str | None = None
    last_known_status: str | None = None
    why_stopped: str | None = None
    start_date_struct: DateStruct | None = None
    primary_completion_date_struct: DateStruct | None = None
    completion_date_struct: DateStruct | None = None
    study_first_post_date_struct: DateStruct | None = None
    results_first_post_date_struct: DateStruct | None = None
    last_update_post_date_struct: DateStruct | None = None


class Organisation(_Part, frozen=True):
    name: str | None = None
    class_: str | None = msgspec.field(default=None, name="class")


class SponsorCollaborators(_Part, frozen=True):
    lead_sponsor: Organisation = Organisation()
    collaborators: tuple[Organisation, ...] = ()


class Description(_Part, frozen=True):
    brief_summary: str | None = None
    detailed_description: str | None = None


class Conditions(_Part, frozen=True):
    conditions: Texts = ()
    keywords: Texts = ()


class Masking(_Part, frozen=True):
    masking: str | None = None
    who_masked: Texts = ()


class DesignInfo(_Part, frozen=True):
    allocation: str | None = None
    intervention_model: str | None = None
    primary_purpose: str | None = None
    observational_model: str | None = None
    time_perspective: str | None = None
    masking_info: Masking = Masking()


class Enrollment(_Part, frozen=True):
    count: int | None = None
    type: str | None = None


class Design(_Part, frozen=True):
    study_type: str | None = None
    phases: Texts = ()
    design_info: DesignInfo = DesignInfo()
    enrollment_info: Enrollment = Enrollment()


class ArmGroup(_Part, frozen=True):
    label: str | None = None
    type: str | None = None
    description: str | None = None
    intervention_names: Texts = ()


class InterventionInfo(_Part, frozen=True):
    type: str | None = None
    name: str | None = None
    description: str | None = None
    other_names: Texts = ()


class ArmsInterventions(_Part, frozen=True):
    arm_groups: tuple[ArmGroup, ...] = ()
    interventions: tuple[InterventionInfo, ...] = ()


class OutcomeInfo(_Part, frozen=True):
    measure: str | None = None
    description: str | None = None
    time_frame: str | None = None


class Outcomes(_Part, frozen=True):
    primary_outcomes: tuple[OutcomeInfo, ...] = ()
    secondary_outcomes: tuple[OutcomeInfo, ...] = ()
    other_outcomes: tuple[OutcomeInfo, ...] = ()


class Eligibility(_Part, frozen=True):
    eligibility_criteria: str | None = None
    healthy_volunteers: bool | None = None
    sex: str | None = None
    minimum_age: str | None = None
    maximum_age: str | None = None
    study_population: str | None = None


class Person(_Part, frozen=True):
    """A contact or an official."""

    name: str | None = None
    role: str | None = None
    affiliation: str | None = None
    phone: str | None = None
    phone_ext: str | None = None
    email: str | None = None


class GeoPoint(_Part, frozen=True):
    lat: float
    lon: float


class Location(_Part, frozen=True):
    facility: str | None = None
    status: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    contacts: tuple[Person, ...] = ()
    geo_point: GeoPoint | None = None


class ContactsLocations(_Part, frozen=True):
    central_contacts: tuple[Person, ...] = ()
    overall_officials: tuple[Person, ...] = ()
    locations: tuple[Location, ...] = ()


class ProtocolSection(_Part, frozen=True):
    identification_module: Identification = Identification()
    status_module: StatusModule = StatusModule()
    sponsor_collaborators_module: SponsorCollaborators = SponsorCollaborators()
    description_module: Description = Description()
    conditions_module: Conditions = Conditions()
    design_module: Design = Design()
    arms_interventions_module: ArmsInterventions = ArmsInterventions()
    outcomes_module: Outcomes = Outcomes()
    eligibility_module: Eligibility = Eligibility()
    contacts_locations_module: ContactsLocations = ContactsLocations()


class Mesh(_Part, frozen=True):
    id: str | None = None
    term: str | None = None


class ConditionBrowse(_Part, frozen=True):
    meshes: tuple[Mesh, ...] = ()


class MiscInfo(_Part, frozen=True):
    version_holder: str | None = None


class DerivedSection(_Part, frozen=True):
    condition_browse_module: ConditionBrowse = ConditionBrowse()
    misc_info_module: MiscInfo = MiscInfo()


class Study(_Part, frozen=True):
    """One study, as ``/studies/{nctId}`` answers it."""

    protocol_section: ProtocolSection
    derived_section: DerivedSection = DerivedSection()
    has_results: bool | None = None

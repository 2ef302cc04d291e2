"""The trial record: what a registry states, in its own words, and where it came from.

Absent is absent: a field that the source does not state is ``None`` or empty, never a guess. Codes (status, phase,
study type …) are those of ClinicalTrials.gov API v2, the largest registry's; other sources map onto them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec

Status = Literal[
    "NOT_YET_RECRUITING",
    "RECRUITING",
    "ENROLLING_BY_INVITATION",
    "ACTIVE_NOT_RECRUITING",
    "COMPLETED",
    "SUSPENDED",
    "TERMINATED",
    "WITHDRAWN",
    "AVAILABLE",
    "NO_LONGER_AVAILABLE",
    "TEMPORARILY_NOT_AVAILABLE",
    "APPROVED_FOR_MARKETING",
    "WITHHELD",
    "UNKNOWN",
]
Phase = Literal["NA", "EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4"]
StudyType = Literal["INTERVENTIONAL", "OBSERVATIONAL", "EXPANDED_ACCESS"]
Sex = Literal["ALL", "FEMALE", "MALE"]
DateType = Literal["ACTUAL", "ESTIMATED"]
OutcomeKind = Literal["primary", "secondary", "other"]

STATUSES: tuple[str, ...] = get_args(Status)
PHASES: tuple[str, ...] = get_args(Phase)
STUDY_TYPES: tuple[str, ...] = get_args(StudyType)
SEXES: tuple[str, ...] = get_args(Sex)

PartialDate = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?(?!\s)$")]
"""An ISO date of a day, a month or a year: ``2024-05-17``, ``2024-05`` or ``2024``."""

Years = Annotated[float, msgspec.Meta(ge=0, le=150)]
"""An age in years; months, weeks and days are fractions of 365.25 days."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frozen record; fields that hold their default are left out when it is written."""


class TrialDate(_Record, frozen=True):
    """A date as the registry gives it: with its precision, and whether it has happened."""

    date: PartialDate
    type: DateType | None = None

    @property
    def precision(self) -> Literal["year", "month", "day"]:
        return ("year", "month", "day")[self.date.count("-")]


class Term(_Record, frozen=True):
    """A term of a controlled vocabulary, such as ``MESH:D008181`` *Lupus Nephritis*."""

    name: str
    id: str | None = None


class Contact(_Record, frozen=True):
    """A person or desk to reach. Masked in every output until asked for."""

    name: str | None = None
    role: str | None = None
    affiliation: str | None = None
    phone: str | None = None
    email: str | None = None


class Site(_Record, frozen=True):
    """A place where the trial is run. ``latitude`` and ``longitude`` are WGS 84 degrees."""

    name: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    status: Status | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    contacts: tuple[Contact, ...] = ()


class Arm(_Record, frozen=True):
    """A group of participants and what they receive."""

    label: str
    type: str | None = None
    description: str | None = None
    interventions: tuple[str, ...] = ()


class Intervention(_Record, frozen=True):
    """What is tested or compared with."""

    name: str
    type: str | None = None
    description: str | None = None
    other_names: tuple[str, ...] = ()


class Outcome(_Record, frozen=True):
    """What the trial measures."""

    measure: str
    kind: OutcomeKind = "primary"
    time_frame: str | None = None
    description: str | None = None


class SeriousEvents(_Record, frozen=True):
    """In how many people of one group of the results something serious happened, as the results state it."""

    group: str | None = None
    affected: Annotated[int, msgspec.Meta(ge=0)] | None = None
    at_risk: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Reference(_Record, frozen=True):
    """A publication that the record names. ``kind`` is the registry's code: ``RESULT``, ``BACKGROUND``, ``DERIVED``."""

    citation: str
    pmid: str | None = None
    kind: str | None = None


class Link(_Record, frozen=True):
    """A page that the record names, such as the summary in plain language."""

    url: str
    label: str | None = None


class Trial(_Record, frozen=True):
    """One clinical trial. See the module's docstring for what its fields promise."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^\S(.*\S)?(?!\s)$")]
    title: Annotated[str, msgspec.Meta(min_length=1)]
    source: str = ""
    url: str | None = None
    official_title: str | None = None
    acronym: str | None = None
    other_ids: tuple[str, ...] = ()

    summary: str | None = None
    description: str | None = None
    conditions: tuple[str, ...] = ()
    normalized_conditions: tuple[Term, ...] = ()
    condition_ancestors: tuple[Term, ...] = ()
    """Terms above those of ``normalized_conditions`` in their vocabulary, which the registry adds by itself."""
    keywords: tuple[str, ...] = ()

    study_type: StudyType | None = None
    phases: tuple[Phase, ...] = ()
    status: Status | None = None
    last_known_status: Status | None = None
    why_stopped: str | None = None

    primary_purpose: str | None = None
    allocation: str | None = None
    intervention_model: str | None = None
    observational_model: str | None = None
    time_perspective: str | None = None
    masking: str | None = None
    who_masked: tuple[str, ...] = ()
    enrollment: Annotated[int, msgspec.Meta(ge=0)] | None = None
    enrollment_type: DateType | None = None

    sex: Sex | None = None
    gender_based: bool | None = None
    gender_description: str | None = None
    minimum_age: Years | None = None
    maximum_age: Years | None = None
    healthy_volunteers: bool | None = None
    eligibility: str | None = None
    inclusion: tuple[str, ...] = ()
    exclusion: tuple[str, ...] = ()
    other_criteria: tuple[str, ...] = ()
    """Criteria under no heading that says whether they let in or shut out."""
    study_population: str | None = None

    arms: tuple[Arm, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    normalized_interventions: tuple[Term, ...] = ()
    intervention_ancestors: tuple[Term, ...] = ()
    """Terms above those of ``normalized_interventions``, likewise."""
    outcomes: tuple[Outcome, ...] = ()
    sites: tuple[Site, ...] = ()
    contacts: tuple[Contact, ...] = ()
    officials: tuple[Contact, ...] = ()
    sponsor: str | None = None
    sponsor_class: str | None = None
    collaborators: tuple[str, ...] = ()
    organization: str | None = None
    """Who registered the trial."""

    has_expanded_access: bool | None = None
    expanded_access_id: str | None = None
    """The registry id of the record of the expanded access."""
    expanded_access_types: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    serious_events: tuple[SeriousEvents, ...] = ()
    links: tuple[Link, ...] = ()

    start_date: TrialDate | None = None
    primary_completion_date: TrialDate | None = None
    completion_date: TrialDate | None = None
    first_posted: TrialDate | None = None
    last_updated: TrialDate | None = None
    results_first_posted: TrialDate | None = None
    has_results: bool | None = None
    results_first_submitted: TrialDate | None = None
    results_first_submitted_qc: TrialDate | None = None
    results_waived: bool | None = None
    results_delay_submitted: TrialDate | None = None
    """When the sponsor first certified that results come later, or asked for more time."""
    results_delay_submitted_qc: TrialDate | None = None
    results_delay_posted: TrialDate | None = None

    first_seen: TrialDate | None = None
    """When the source itself first saw the trial, if it says so; else the index uses the day of the first ingest."""
    as_of: PartialDate | None = None
    """The day of the registry's data that this record shows."""
    gone_since: PartialDate | None = None
    """The day on which an index found that its sources no longer have the trial. The index sets it, never a source."""
    raw: dict[str, Any] | None = None
    """The record as the source delivered it."""

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything a change of which is a change of the trial (hexadecimal).

        ``source``, ``as_of``, ``gone_since`` and ``raw`` are left out: the same registry data by another way, or on
        another day, is not a change.
        """
        bare = msgspec.structs.replace(self, source="", as_of=None, gone_since=None, raw=None)
        return hashlib.sha256(encode(bare)).hexdigest()

    def masked(self) -> Trial:
        """The same trial without ``contacts``, ``officials``, the contacts of its sites, and ``raw``."""
        sites = tuple(msgspec.structs.replace(s, contacts=()) if s.contacts else s for s in self.sites)
        return msgspec.structs.replace(self, contacts=(), officials=(), sites=sites, raw=None)

    @property
    def has_contacts(self) -> bool:
        return bool(self.contacts or self.officials or any(s.contacts for s in self.sites))

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries of the sites, each once, in order of appearance."""
        return tuple(dict.fromkeys(s.country for s in self.sites if s.country))


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Trial)


def encode(value: Any) -> bytes:
    """The value as canonical JSON: UTF-8, keys in a fixed order, defaults left out."""
    return _encoder.encode(value)


def decode(data: bytes | str) -> Trial:
    """The trial that :func:`encode` wrote.

    :raises msgspec.ValidationError: the JSON is not a trial; the message names the field.
    """
    return _decoder.decode(data)


def from_mapping(data: Mapping[str, Any]) -> Trial:
    """A trial from plain values: strings, numbers, lists and mappings, as JSON, YAML or TOML give them.

    :raises msgspec.ValidationError: a field is unknown, missing or of the wrong type; the message names it.
    """
    return msgspec.convert(data, Trial)


def to_mapping(trial: Trial) -> dict[str, Any]:
    """The trial as plain values, fields at their default left out: what :func:`from_mapping` reads."""
    result: dict[str, Any] = msgspec.to_builtins(trial)
    return result


def walk_text(value: Any) -> Iterator[str]:
    """Every string inside a trial or one of its parts, for checks that sweep them all."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from walk_text(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from walk_text(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from walk_text(item)

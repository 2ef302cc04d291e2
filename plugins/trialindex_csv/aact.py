"""The source ``aact``: the export of AACT, the database of ClinicalTrials.gov's records."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial, display
from trialindex.trial.from_values import FieldError, Problem, read_trial
from trialindex_csv.aact_tables import STUDIES, TABLES, Record, Row, Tables

_STUDY_PAGE = "https://clinicaltrials.gov/study/"
_UNKNOWN_ENROLLMENT = "99999999"
_CHECKPOINT = 1000
"""After so many studies a later run may go on."""

_MADE = {
    "brief_summaries": "summary",
    "detailed_descriptions": "description",
    "conditions": "conditions",
    "keywords": "keywords",
    "browse_conditions": "terms of the conditions",
    "designs": "design",
    "eligibilities": "criteria, ages and sex",
    "design_groups": "arms",
    "design_group_interventions": "what each arm is given",
    "interventions": "interventions",
    "intervention_other_names": "other names of interventions",
    "browse_interventions": "terms of the interventions",
    "design_outcomes": "outcomes",
    "facilities": "sites",
    "sponsors": "sponsor and collaborators",
    "id_information": "other ids",
    "study_references": "publications",
    "links": "links",
    "calculated_values": "whether results are posted",
}
"""What is not known without a table."""


class AactSource(Source):
    """Trials from the pipe-delimited files of AACT: aact:FILE.zip, or a folder with the files of one.

    \b
      trialindex ingest aact:20260101_export.zip

    The rows of each study are brought together from the tables studies, conditions, interventions, facilities,
    eligibilities and some twenty more. This needs room for temporary files, about twice what the export unpacks to (set
    TMPDIR to say where), and little memory. A table that is not there costs only what it holds.
    """

    name: ClassVar[str] = "aact"
    summary: ClassVar[str] = (
        "Trials from the pipe-delimited files of AACT, the database of ClinicalTrials.gov's records."
    )
    partial: ClassVar[bool] = True

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if not argument.strip():
            raise SourceError("aact needs a file.", hint="Type for example: trialindex ingest aact:20260101_export.zip")
        self._path = Path(argument.strip()).expanduser()
        if not self._path.exists():
            raise SourceError(f"{self._path} does not exist.", hint="Check the path.")

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        stat = self._path.stat()
        export = [stat.st_size, stat.st_mtime_ns]
        after = str(context.state.get("after", "")) if context.state.get("export") == export else ""
        tables = Tables(self._path, context)
        with tables.joined(after) as (count, studies):
            if after:
                context.note(f"going on after {after}.")
            missing = [table for table in TABLES if table in _MADE and table not in tables.found]
            if missing:
                told = ", ".join(f"{table} ({_MADE[table]})" for table in missing)
                context.note(f"not in {self._path.name}: {told}. These fields stay as they are.")
            done = 0
            for study, record in studies:
                if STUDIES not in record:
                    rows = sum(map(len, record.values()))
                    context.reject(study, f"{display.count(rows, 'row')} of it, and none in {STUDIES}")
                    continue
                done += 1
                context.progress(done, count)
                try:
                    trial = parse_record(
                        study, record, functools.partial(context.drop, study), tildes=not tables.broken_lines
                    )
                except ValueError as problem:
                    context.reject(study, str(problem))
                    continue
                yield trial
                if done % _CHECKPOINT == 0:
                    context.checkpoint({"export": export, "after": study})
        context.checkpoint({})


def parse_record(
    study: str,
    record: Record,
    on_problem: Callable[[Problem], None] = lambda problem: None,
    *,
    tildes: bool = True,
) -> Trial:
    """The trial that the rows of one study describe.

    :param study: its id.
    :param record: the rows by table; it becomes ``Trial.raw``.
    :param on_problem: told of a value that cannot be used; its field stays empty.
    :param tildes: whether "~" stands for the end of a line, as AACT writes it.
    :raises ValueError: it has no title, or the id is none.
    """
    fields = _fields(study, _with_lines(record) if tildes else record)
    try:
        return read_trial({**fields, "source": AactSource.name, "raw": record}, on_problem)
    except FieldError as problem:
        raise ValueError(str(problem)) from None


_LINES = ("description", "criteria", "population", "gender_description")
"""Columns in which a text may have several lines."""
_LINE_END = re.compile(r"(?:(?<![\\(])(?<!\s(?=~\d))~|(?<=\s)~(?=\d{1,2}[.)]\s)|(?<=\\)~(?=\s*\*\s))( ?)((?:  )*)(?! )")
"""A "~" that AACT wrote where a line ends, and blanks; not one that the registry escaped, or that is before a number.

Of the blanks that a line begins with AACT takes one away, so an odd number of them was one more.
"""


def _with_lines(record: Record) -> Record:
    """The rows with the ends of lines back in the texts that have several."""
    return {
        table: [
            {
                name: _LINE_END.sub(r"\n\1\1\2", cell) if name in _LINES and "~" in cell else cell
                for name, cell in row.items()
            }
            for row in rows
        ]
        for table, rows in record.items()
    }


def _fields(study: str, record: Record) -> dict[str, Any]:
    """What the rows state for each field of a trial."""
    main = record[STUDIES][0]

    def rows(table: str) -> list[Row]:
        return record.get(table, [])

    def one(table: str) -> Row:
        return rows(table)[0] if rows(table) else {}

    def column(table: str, name: str) -> list[str]:
        return [row[name] for row in rows(table) if row.get(name)]

    design, eligible = one("designs"), one("eligibilities")
    lead = next((row for row in rows("sponsors") if row.get("lead_or_collaborator") == "lead"), {})
    return {
        "id": study,
        "title": main.get("brief_title") or main.get("official_title"),
        "url": _STUDY_PAGE + study,
        **{name: main.get(name) for name in ("official_title", "acronym", "study_type", "last_known_status")},
        **{name: main.get(name) for name in ("why_stopped", "enrollment_type", "has_expanded_access")},
        "other_ids": _other_ids(rows("id_information"), study),
        "summary": one("brief_summaries").get("description"),
        "description": one("detailed_descriptions").get("description"),
        "conditions": column("conditions", "name"),
        "keywords": column("keywords", "name"),
        "normalized_conditions": _terms(rows("browse_conditions"), "mesh-list"),
        "condition_ancestors": _terms(rows("browse_conditions"), "mesh-ancestor"),
        "normalized_interventions": _terms(rows("browse_interventions"), "mesh-list"),
        "intervention_ancestors": _terms(rows("browse_interventions"), "mesh-ancestor"),
        "status": main.get("overall_status"),
        "phases": main.get("phase"),
        "enrollment": None if main.get("enrollment") == _UNKNOWN_ENROLLMENT else main.get("enrollment"),
        **{name: design.get(name) for name in ("allocation", "observational_model", "time_perspective")},
        "primary_purpose": design.get("primary_purpose"),
        "intervention_model": design.get("intervention_model", "").removesuffix(" Assignment"),
        "masking": design.get("masking", "").partition("(")[0],
        "who_masked": [party for name, party in _PARTIES.items() if design.get(name) == "t"],
        "sex": eligible.get("gender"),
        **{name: eligible.get(name) for name in ("minimum_age", "maximum_age", "gender_based", "gender_description")},
        "healthy_volunteers": eligible.get("healthy_volunteers"),
        "eligibility": eligible.get("criteria"),
        "study_population": eligible.get("population"),
        "arms": _arms(record),
        "interventions": _interventions(record),
        "outcomes": [
            {
                "measure": row.get("measure"),
                "kind": "other" if row.get("outcome_type", "").lower().startswith("other") else row.get("outcome_type"),
                "time_frame": row.get("time_frame"),
                "description": row.get("description"),
            }
            for row in rows("design_outcomes")
        ],
        "sites": _sites(record),
        "contacts": [_person(row, role=row.get("role")) for row in rows("central_contacts")],
        "officials": [_person(row, role=row.get("role")) for row in rows("overall_officials")],
        "sponsor": lead.get("name"),
        "sponsor_class": _CLASSES.get(lead.get("agency_class", ""), lead.get("agency_class")),
        "collaborators": [row["name"] for row in rows("sponsors") if row is not lead and row.get("name")],
        "organization": main.get("source"),
        "expanded_access_id": main.get("expanded_access_nctid"),
        "expanded_access_types": [
            kind
            for kind in ("individual", "intermediate", "treatment")
            if main.get(f"expanded_access_type_{kind}") == "t"
        ],
        "references": [
            {
                "citation": row.get("citation") or (f"PMID {row['pmid']}" if row.get("pmid") else None),
                "pmid": row.get("pmid"),
                "kind": _OLD_KINDS.get(row.get("reference_type", ""), row.get("reference_type")),
            }
            for row in rows("study_references")
        ],
        "links": [{"url": row.get("url"), "label": row.get("description")} for row in rows("links")],
        "serious_events": _serious_events(record),
        "has_results": one("calculated_values").get("were_results_reported"),
        **{ours: _date(main, theirs) for ours, theirs in _DATES.items()},
    }


_PARTIES = {
    "subject_masked": "PARTICIPANT",
    "caregiver_masked": "CARE_PROVIDER",
    "investigator_masked": "INVESTIGATOR",
    "outcomes_assessor_masked": "OUTCOMES_ASSESSOR",
}
_CLASSES = {"U.S. Fed": "FED"}
_OLD_KINDS = {"results_reference": "RESULT", "reference": None}
_DATES = {
    "start_date": "start",
    "primary_completion_date": "primary_completion",
    "completion_date": "completion",
    "first_posted": "study_first_posted",
    "last_updated": "last_update_posted",
    "results_first_posted": "results_first_posted",
    "results_first_submitted": "results_first_submitted",
    "results_first_submitted_qc": "results_first_submitted_qc",
    "results_delay_submitted": "disposition_first_submitted",
    "results_delay_submitted_qc": "disposition_first_submitted_qc",
    "results_delay_posted": "disposition_first_posted",
}


def _date(main: Row, name: str) -> dict[str, str | None] | None:
    """A date as it was stated: ``…_date`` is always a day, also where only a month was stated."""
    stated = main.get(f"{name}_month_year") or main.get(f"{name}_date")
    return {"date": stated, "type": main.get(f"{name}_date_type")} if stated else None


def _other_ids(rows: list[Row], own: str) -> list[str]:
    """Old ids, the sponsor's own number, then those of other registries and funders, each once."""
    order = {"nct_alias": 0, "org_study_id": 1}
    named = sorted(rows, key=lambda row: order.get(row.get("id_source") or row.get("id_type", ""), 2))
    return [
        value for value in dict.fromkeys(row.get("id_value", "").strip() for row in named) if value not in ("", own)
    ]


def _terms(rows: list[Row], kind: str) -> list[dict[str, str]]:
    """The MeSH terms of one kind; before 2021 the tables held none but those of the first kind, without naming it."""
    return [
        {"name": row["mesh_term"]} for row in rows if row.get("mesh_term") and row.get("mesh_type", "mesh-list") == kind
    ]


def _arms(record: Record) -> list[dict[str, Any]]:
    names = {row.get("id"): row.get("name") for row in record.get("interventions", [])}
    given: dict[str, list[str]] = {}
    for row in record.get("design_group_interventions", []):
        if name := names.get(row.get("intervention_id")):
            given.setdefault(row.get("design_group_id", ""), []).append(name)
    return [
        {
            "label": row.get("title"),
            "type": row.get("group_type"),
            "description": row.get("description"),
            "interventions": given.get(row.get("id", ""), []),
        }
        for row in record.get("design_groups", [])
    ]


def _interventions(record: Record) -> list[dict[str, Any]]:
    others: dict[str | None, list[str]] = {}
    for row in record.get("intervention_other_names", []):
        others.setdefault(row.get("intervention_id"), []).append(row.get("name", ""))
    return [
        {
            "name": row.get("name"),
            "type": row.get("intervention_type"),
            "description": row.get("description"),
            "other_names": others.get(row.get("id"), []),
        }
        for row in record.get("interventions", [])
    ]


def _sites(record: Record) -> list[dict[str, Any]]:
    """The sites; the countries where no site is told."""
    people: dict[str, list[dict[str, Any]]] = {}
    for row in record.get("facility_contacts", []):
        people.setdefault(row.get("facility_id", ""), []).append(_person(row, role="CONTACT"))
    for row in record.get("facility_investigators", []):
        people.setdefault(row.get("facility_id", ""), []).append(_person(row, role=row.get("role")))
    sites = [
        {
            **{name: row.get(name) for name in ("name", "city", "state", "country", "status")},
            **{name: row.get(name) for name in ("latitude", "longitude")},
            "postal_code": row.get("zip"),
            "contacts": people.get(row.get("id", ""), []),
        }
        for row in record.get("facilities", [])
    ]
    countries = [row for row in record.get("countries", []) if row.get("removed") != "t"]
    return sites or [{"country": row.get("name")} for row in countries]


def _person(row: Row, role: str | None) -> dict[str, Any]:
    phone, extension = row.get("phone"), row.get("phone_extension")
    return {
        **{name: row.get(name) for name in ("name", "affiliation", "email")},
        "role": role,
        "phone": f"{phone} ext. {extension}" if phone and extension else phone,
    }


def _serious_events(record: Record) -> list[dict[str, Any]]:
    titles = {
        row.get("ctgov_group_code"): row.get("title")
        for row in record.get("result_groups", [])
        if row.get("result_type") == "Reported Event"
    }
    return [
        {
            "group": titles.get(row.get("ctgov_group_code")),
            "affected": row.get("subjects_affected"),
            "at_risk": row.get("subjects_at_risk"),
        }
        for row in record.get("reported_event_totals", [])
        if row.get("event_type") == "serious"
    ]

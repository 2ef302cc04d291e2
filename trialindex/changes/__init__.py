"""What a later version of a trial states otherwise than an earlier one, in words.

Noise is left out: another order of a list; case, white space, punctuation and Unicode form of a text; the same criteria
cut differently; when the record was looked at, by which source, and its raw form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trialindex.changes import criteria, fields, items, sites
from trialindex.plugin.messages import Difference
from trialindex.trial import Trial, display

NOISE = frozenset(
    {"source", "raw", "as_of", "last_updated", "first_seen", "gone_since"}
    | {"condition_ancestors", "normalized_interventions", "intervention_ancestors"}
)
"""Fields a change of which is no news: where the record came from, when it was looked at, and what the registry derives
from the trial's words by the year's edition of a vocabulary."""

RULES: tuple[tuple[tuple[str, ...], Callable[[Trial, Trial], Iterator[Difference]]], ...] = (
    (("status", "last_known_status"), fields.status),
    (("why_stopped",), fields.text("why_stopped", "why it stopped", 97)),
    (("minimum_age", "maximum_age"), fields.ages),
    (("sex",), fields.sex),
    (("gender_based",), fields.yes_no("gender_based", "chosen by gender", 84)),
    (("gender_description",), fields.text("gender_description", "limits of gender", 85)),
    (("healthy_volunteers",), fields.healthy_volunteers),
    (("eligibility", "inclusion", "exclusion", "other_criteria"), criteria.criteria),
    (("study_population",), fields.text("study_population", "people studied", 76, long=True)),
    (("sites",), sites.sites),
    (("has_results", "results_first_posted"), fields.results),
    (("results_waived",), fields.yes_no("results_waived", "results waived", 40)),
    (("serious_events",), fields.hidden("serious_events", "serious adverse events of the results changed", 40)),
    (("references",), fields.names("references", "publication", "publications", 34, display.reference)),
    (("links",), fields.names("links", "link", "links", 16, display.link)),
    (("has_expanded_access",), fields.yes_no("has_expanded_access", "expanded access", 61)),
    (("expanded_access_id",), fields.text("expanded_access_id", "expanded access record", 59)),
    (
        ("expanded_access_types",),
        fields.names("expanded_access_types", "kind of expanded access", "kinds of expanded access", 57, display.words),
    ),
    (("study_type",), fields.code("study_type", "kind of study", 62, display.study_type)),
    (("phases",), fields.phases),
    (("interventions",), items.interventions),
    (("arms",), items.arms),
    (("conditions",), fields.names("conditions", "condition", "conditions", 55)),
    (("allocation",), fields.code("allocation", "how people come into groups", 54, display.allocation)),
    (("masking",), fields.code("masking", "masking", 53, display.masking)),
    (("who_masked",), fields.names("who_masked", "masked party", "masked parties", 52, display.words)),
    (("intervention_model",), fields.code("intervention_model", "design", 51, display.model)),
    (("observational_model",), fields.code("observational_model", "design", 51, display.model)),
    (("time_perspective",), fields.code("time_perspective", "looks at", 50, display.time_perspective)),
    (("primary_purpose",), fields.code("primary_purpose", "main purpose", 50, display.purpose)),
    (("outcomes",), items.outcomes),
    (("enrollment", "enrollment_type"), fields.enrollment),
    (("start_date",), fields.date("start_date", "start", 43)),
    (("primary_completion_date",), fields.date("primary_completion_date", "main completion", 44)),
    (("completion_date",), fields.date("completion_date", "completion", 42)),
    (("sponsor", "sponsor_class"), fields.sponsor),
    (("organization",), fields.text("organization", "registered by", 19)),
    (("collaborators",), fields.names("collaborators", "collaborator", "collaborators", 30)),
    (("title",), fields.text("title", "title", 25)),
    (("summary",), fields.text("summary", "summary", 24, long=True)),
    (("official_title",), fields.text("official_title", "official title", 22)),
    (("description",), fields.text("description", "description", 21, long=True)),
    (("acronym",), fields.text("acronym", "acronym", 18)),
    (("normalized_conditions",), fields.normalized_conditions),
    (("keywords",), fields.names("keywords", "keyword", "keywords", 10)),
    (("other_ids",), fields.names("other_ids", "other id", "other ids", 8)),
    (("id",), fields.text("id", "id", 8)),
    (("url",), fields.text("url", "address of its page", 7)),
    (("first_posted",), fields.date("first_posted", "first posted", 6)),
    (("results_first_submitted",), fields.date("results_first_submitted", "results first submitted", 26)),
    (("results_first_submitted_qc",), fields.date("results_first_submitted_qc", "results past quality control", 3)),
    (("results_delay_submitted",), fields.date("results_delay_submitted", "delay of results submitted", 27)),
    (("results_delay_submitted_qc",), fields.date("results_delay_submitted_qc", "delay past quality control", 3)),
    (("results_delay_posted",), fields.date("results_delay_posted", "delay of results posted", 26)),
    (("contacts",), fields.hidden("contacts", "contacts changed", 5)),
    (("officials",), fields.hidden("officials", "people responsible changed", 4)),
)
"""Which fields each rule compares: together every field but :data:`NOISE`."""


def differences(old: Trial, new: Trial) -> tuple[Difference, ...]:
    """What *new* states otherwise than *old*, in words, most important first; empty if there is nothing but noise.

    Each difference names one field. Fields that are told in one line are told under one of them: both ages under
    ``minimum_age``, a number of people and its kind under ``enrollment``, a sponsor and its kind under ``sponsor``,
    results and their date under ``has_results``. Of contacts is only said that they changed.
    """
    found = [
        difference
        for names, rule in RULES
        if any(getattr(old, name) != getattr(new, name) for name in names)
        for difference in rule(old, new)
    ]
    return tuple(sorted(found, key=lambda difference: -difference.weight))

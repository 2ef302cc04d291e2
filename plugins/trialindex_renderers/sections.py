"""A trial as a page of sections: what it is, who can take part, where, who runs it, when."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trialindex import wording as w
from trialindex.trial import Contact, Site, Trial
from trialindex_renderers.view import Fact, Item, Page, Section, head, optional, safe_url

CONTACTS_HIDDEN = "Contacts, if the record has any, are hidden; add --contacts, or see the full record."


def page(trial: Trial, seen: Mapping[str, str], *, contacts: bool, site_limit: int | None) -> Page:
    """A trial as sections.

    :param site_limit: how many sites are named; ``None`` for all.
    """
    sections = [
        about(trial),
        status(trial),
        participants(trial),
        design(trial),
        outcomes(trial),
        sites(trial, site_limit),
        people(trial, contacts=contacts),
        dates(trial, seen),
        record(trial),
    ]
    if trial.description:
        sections.insert(-2, Section("Detailed description", paragraphs=w.paragraphs(trial.description), folded=True))
    return Page(head(trial), tuple(sections))


def about(trial: Trial) -> Section:
    """What the trial is about."""
    facts = [
        Fact("Conditions", (w.listed(trial.conditions),)),
        Fact("Testing", (w.listed(i.name for i in trial.interventions),)),
        Fact("Kind of study", (w.study_type(trial.study_type),)),
        Fact("Purpose", (w.purpose(trial.primary_purpose),)),
    ]
    facts += optional("Keywords", *trial.keywords)
    facts += optional("Full title", trial.official_title)
    return Section("What it is about", tuple(facts), w.paragraphs(trial.summary) or ("Summary not stated.",))


def status(trial: Trial) -> Section:
    """How far the trial is."""
    facts = [Fact("Status", (w.with_term(w.status(trial.status), trial.status),))]
    if trial.last_known_status:
        facts.append(Fact("Last known", (w.with_term(w.status(trial.last_known_status), trial.last_known_status),)))
    facts += optional("Why stopped", trial.why_stopped)
    facts.append(Fact("Phase", (w.with_term(w.phase(trial.phases), ", ".join(trial.phases)),)))
    facts.append(Fact("People", (w.enrollment(trial.enrollment, trial.enrollment_type),)))
    facts.append(Fact("Results", (_either(trial.has_results, "posted", "none posted"),)))
    return Section("Status", tuple(facts))


def participants(trial: Trial) -> Section:
    """Who can take part, in the record's own words."""
    facts = [
        Fact("Age", (w.age_range(trial.minimum_age, trial.maximum_age),)),
        Fact("Sex", (w.sex(trial.sex),)),
        Fact("Healthy people", (_either(trial.healthy_volunteers, "accepted", "not accepted"),)),
    ]
    facts += optional("Population", trial.study_population)
    lists = (
        Section("Inclusion criteria (who can join)", items=tuple(map(_criterion, trial.inclusion))),
        Section("Exclusion criteria (who cannot join)", items=tuple(map(_criterion, trial.exclusion))),
    )
    if trial.eligibility and not (trial.inclusion and trial.exclusion):
        # One list alone may hold less than the text does: text under no known heading is in neither.
        whole = tuple(filter(None, map(w.one_line, w.clean(trial.eligibility).splitlines())))
        return Section("Who can take part", tuple(facts), parts=(Section("Criteria", paragraphs=whole),))
    parts = tuple(part for part in lists if part.items)
    return Section("Who can take part", tuple(facts), () if parts else ("Criteria not stated.",), parts=parts)


def _criterion(text: str) -> Item:
    """A criterion; what a source nests under it comes on lines of its own."""
    first, *nested = [w.one_line(line).lstrip("*•-– ") for line in w.clean(text).strip().splitlines()] or [w.NOT_STATED]
    return Item(first, tuple(filter(None, nested)))


def design(trial: Trial) -> Section:
    """How the trial is done: groups, and what they get."""
    facts = []
    if trial.study_type != "OBSERVATIONAL":
        facts += [
            Fact("Groups formed", (w.allocation(trial.allocation),)),
            Fact("Model", (w.model(trial.intervention_model),)),
        ]
        facts += [Fact("Masking", (w.masking(trial.masking, trial.who_masked),))]
    if trial.observational_model or trial.time_perspective:
        facts += [
            Fact("Model", (w.model(trial.observational_model),)),
            Fact("Time", (w.time_perspective(trial.time_perspective),)),
        ]
    arms = []
    for arm in trial.arms:
        details = [w.one_line(arm.description)]
        details += [f"Receives: {w.listed(arm.interventions)}"] if arm.interventions else []
        arms.append(Item(_with_kind(arm.label, arm.type), tuple(filter(None, details))))
    tested = []
    for one in trial.interventions:
        details = [f"Also called: {w.listed(one.other_names)}"] if one.other_names else []
        details += [w.one_line(one.description)]
        tested.append(Item(_with_kind(one.name, one.type), tuple(filter(None, details))))
    parts = (Section("Groups", items=tuple(arms)), Section("Interventions", items=tuple(tested)))
    return Section("How it is done", tuple(facts), parts=tuple(p for p in parts if p.items))


def outcomes(trial: Trial) -> Section:
    """What the trial measures."""
    parts = []
    for kind, title in (("primary", "Main outcomes"), ("secondary", "Secondary outcomes"), ("other", "Other outcomes")):
        items = []
        for one in trial.outcomes:
            if one.kind == kind:
                when = f" (time: {w.one_line(one.time_frame)})" if one.time_frame else ""
                detail = w.one_line(one.description)
                items.append(Item(f"{w.one_line(one.measure) or w.NOT_STATED}{when}", (detail,) if detail else ()))
        if items:
            parts.append(Section(title, items=tuple(items), folded=kind != "primary"))
    return Section("What is measured", paragraphs=() if parts else ("Outcomes not stated.",), parts=tuple(parts))


_SITE_ORDER = {"RECRUITING": 0, "AVAILABLE": 0, "ENROLLING_BY_INVITATION": 1, "NOT_YET_RECRUITING": 1, None: 2}


def sites(trial: Trial, limit: int | None) -> Section:
    """Where the trial is run: by country, sites that recruit first."""
    if not trial.sites:
        return Section("Where", paragraphs=("Sites not stated.",))
    ordered = sorted(trial.sites, key=lambda site: _SITE_ORDER.get(site.status, 3))
    totals: dict[str, int] = {}
    groups: dict[str, list[Site]] = {}
    for place, site in enumerate(ordered):
        country = w.one_line(site.country) or "Country not stated"
        totals[country] = totals.get(country, 0) + 1
        if limit is None or place < limit:
            groups.setdefault(country, []).append(site)
    said = []
    if len(ordered) > 1:
        named = "; ".join(f"{country} {number}" for country, number in totals.items())
        said.append(f"{w.count(len(ordered), 'site')} in {w.count(len(totals), 'country', 'countries')}: {named}.")
    left = 0 if limit is None else len(ordered) - limit
    long = limit is None and len(ordered) > 20
    parts = [
        Section(f"{country} ({len(group)})" if long else country, items=tuple(map(_site, group)), folded=long)
        for country, group in groups.items()
    ]
    if left > 0:
        parts.append(Section(f"And {w.count(left, 'more site')}", paragraphs=("--format html lists all of them.",)))
    return Section("Where", paragraphs=tuple(said), parts=tuple(parts))


def _site(site: Site) -> Item:
    local = msgspec.structs.replace(site, country=None)
    said = f" ({w.status(site.status)})" if site.status else ""
    return Item(f"{w.place(local)}{said}", tuple(map(w.contact, site.contacts)))


def people(trial: Trial, *, contacts: bool) -> Section:
    """Who runs the trial, and whom to ask if that was asked for."""
    facts = [Fact("Sponsor", (w.sponsor(trial.sponsor, trial.sponsor_class),))]
    facts += optional("With", *trial.collaborators)
    if not contacts:
        return Section("Who runs it", tuple(facts), parts=(Section("Contacts", paragraphs=(CONTACTS_HIDDEN,)),))
    parts = (Section("Contacts", items=_persons(trial.contacts)), Section("Officials", items=_persons(trial.officials)))
    return Section("Who runs it", tuple(facts), parts=parts)


def _persons(persons: tuple[Contact, ...]) -> tuple[Item, ...]:
    return tuple(Item(w.contact(person)) for person in persons) or (Item(w.NOT_STATED),)


def dates(trial: Trial, seen: Mapping[str, str]) -> Section:
    """When what happened, at the registry and in this index."""
    facts = [
        Fact("Start", (w.date(trial.start_date),)),
        Fact("Main outcome by", (w.date(trial.primary_completion_date),)),
        Fact("End", (w.date(trial.completion_date),)),
        Fact("First posted", (w.date(trial.first_posted),)),
    ]
    if trial.results_first_posted:
        facts.append(Fact("Results", (w.date(trial.results_first_posted),)))
    facts += [
        Fact("First seen", (w.date(seen.get("first_seen") or trial.first_seen),)),
        Fact("Last updated", (w.date(seen.get("last_updated") or trial.last_updated),)),
        Fact("Last checked", (w.date(seen.get("last_checked")),)),
    ]
    return Section("Dates", tuple(facts))


def record(trial: Trial) -> Section:
    """Where the record comes from."""
    facts = [Fact("Id", (w.one_line(trial.id),), whole=True)]
    if trial.other_ids:
        facts.append(Fact("Other ids", tuple(map(w.one_line, trial.other_ids)), whole=True))
    facts += optional("Acronym", trial.acronym)
    facts.append(Fact("Full record", (w.one_line(trial.url) or w.NOT_STATED,), whole=True, url=safe_url(trial.url)))
    facts.append(Fact("Source", (w.one_line(trial.source) or w.NOT_STATED,)))
    if trial.as_of:
        facts.append(Fact("Data of", (w.date(trial.as_of),)))
    return Section("The record", tuple(facts))


def _with_kind(name: str, kind: str | None) -> str:
    line = w.one_line(name) or w.NOT_STATED
    return f"{line} ({w.words(kind)})" if kind else line


def _either(value: bool | None, yes: str, no: str) -> str:
    return w.NOT_STATED if value is None else yes if value else no

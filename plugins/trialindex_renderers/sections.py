"""A trial as a page of sections: what it is in plain words, who can take part, where, who runs it, when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from trialindex.plugin.trial_page import Country, Location, PlainLanguage, Sentence, TrialPage
from trialindex.trial import Contact, Trial
from trialindex.trial import display as w
from trialindex.trial.sanitize import clean, one_line, paragraphs
from trialindex_renderers.view import Fact, Item, Page, Section, Word, away, head, optional, safe_url

CONTACTS_HIDDEN = "Contacts, if the record has any, are hidden; add --contacts, or see the full record."
MANY_SITES = 20
"""From so many on, a page that names them all folds them by country."""


def page(card: TrialPage, *, contacts: bool, sources: bool, site_limit: int | None) -> Page:
    """A trial as sections.

    :param sources: name the fields that each plain sentence was made from.
    :param site_limit: how many sites are named; ``None`` for all.
    """
    trial, plain = card.trial, card.plain
    sections = (
        meaning(plain, one_line(card.notice), sources=sources),
        glance(card),
        conditions(card),
        participants(trial),
        whom_to_ask(trial, contacts=contacts),
        where(card, site_limit),
        design(trial),
        outcomes(trial),
        runs_it(trial, contacts=contacts),
        dates(trial),
        results(trial),
        own_words(trial),
        record(card, sources=sources),
    )
    return Page(
        headline=one_line(plain.headline.text) or one_line(trial.title) or w.NOT_STATED,
        head=head(trial),
        lead=lead(plain, sources=sources),
        notes=_lines(plain.notes),
        sections=sections,
        words=words(plain),
        closing=_lines((card.safety, card.disclaimer)),
    )


# --- in plain words -------------------------------------------------------------------------------------------------


def lead(plain: PlainLanguage, *, sources: bool) -> Section:
    """The summary: a paragraph, or with its sources a list."""
    if sources:
        headline = Item("The headline", source=_source(plain.headline))
        return Section("", items=(headline, *(Item(one_line(s.text), source=_source(s)) for s in plain.summary)))
    return Section("", paragraphs=(" ".join(_lines(s.text for s in plain.summary)) or "Summary not stated.",))


def meaning(plain: PlainLanguage, notice: str, *, sources: bool) -> Section:
    """What the trial could mean to somebody."""
    parts = (
        _sentences("Active substance", plain.substance, sources=sources),
        _sentences("What this could lead to", plain.could_lead_to, sources=sources),
        _sentences("What could go wrong", plain.could_go_wrong, sources=sources),
    )
    asked = (_sentences("Questions to take to a doctor", plain.questions, sources=sources),) if plain.questions else ()
    return Section("What this could mean", parts=(*parts, *asked), closing=(notice,))


def _sentences(title: str, sentences: tuple[Sentence, ...], *, sources: bool) -> Section:
    """One sentence is a paragraph; several, or one with its sources, are a list."""
    told = [sentence for sentence in sentences if one_line(sentence.text)]
    items = [Item(one_line(one.text), source=_source(one) if sources else "") for one in told]
    if len(items) > 1 or (items and sources):
        return Section(title, items=tuple(items))
    return Section(title, paragraphs=tuple(item.text for item in items) or ("Not stated.",))


def _source(sentence: Sentence) -> str:
    return f"from: {', '.join(_lines(sentence.fields)) or w.NOT_STATED}"


def words(plain: PlainLanguage) -> tuple[Word, ...]:
    """The glossary in alphabetical order, to look a word up."""
    known = (Word(one_line(one.term), one_line(one.meaning)) for one in plain.glossary)
    return tuple(sorted((word for word in known if word.term and word.meaning), key=lambda word: word.term.casefold()))


# --- the record -----------------------------------------------------------------------------------------------------


def glance(card: TrialPage) -> Section:
    """Which study this is, how fresh the record is, and how far the study."""
    trial, seen = card.trial, card.seen
    facts = [
        Fact("Registry id", (one_line(trial.id),), whole=True),
        Fact("First seen", (w.date(seen.get("first_seen") or trial.first_seen),)),
        Fact("Last updated", (w.date(seen.get("last_updated") or trial.last_updated),)),
        Fact("Last checked", (w.date(seen.get("last_checked")),)),
        Fact("Full record", (one_line(trial.url) or w.NOT_STATED,), whole=True, url=safe_url(trial.url)),
        Fact("Status", (w.with_term(w.status(trial.status), trial.status),)),
    ]
    if trial.gone_since:
        facts.append(Fact("Gone", (f"no longer in the registry since {w.date(trial.gone_since)}",)))
    if trial.last_known_status:
        facts.append(Fact("Last known", (w.with_term(w.status(trial.last_known_status), trial.last_known_status),)))
    facts += optional("Why stopped", trial.why_stopped)
    facts.append(Fact("Phase", (w.with_term(w.phase(trial.phases), ", ".join(trial.phases)),)))
    facts.append(Fact("People", (w.enrollment(trial.enrollment, trial.enrollment_type),)))
    facts += _expanded_access(trial)
    return Section("At a glance", tuple(facts))


def _expanded_access(trial: Trial) -> list[Fact]:
    """Whether the treatment can be had outside of a trial."""
    if trial.has_expanded_access is None and not trial.expanded_access_types:
        return []
    kinds = ", ".join(map(w.words, trial.expanded_access_types))
    stated = [] if trial.has_expanded_access is None else [w.yes_no(trial.has_expanded_access)]
    return [Fact("Expanded access", (", ".join(filter(None, (*stated, kinds, one_line(trial.expanded_access_id)))),))]


def conditions(card: TrialPage) -> Section:
    """What the trial is about: in terms of vocabularies, and as the registrant listed it."""
    listed = w.listed(card.trial.conditions)
    known = [w.with_term(one_line(term.name), term.id) for term in card.conditions]
    if not known and listed != w.NOT_STATED:
        known = ["not normalised: no vocabulary at hand knows the names that were listed"]
    parts = (Section("As listed by the registrant", paragraphs=(listed,)),)
    return Section("Conditions", paragraphs=(w.listed(known),), parts=parts)


def participants(trial: Trial) -> Section:
    """Who can take part, in the record's own words."""
    facts = [
        Fact("Age", (w.age_range(trial.minimum_age, trial.maximum_age),)),
        Fact("Sex", (w.sex(trial.sex),)),
        Fact("Healthy people", (_either(trial.healthy_volunteers, "accepted", "not accepted"),)),
    ]
    facts += optional("Limits of gender", trial.gender_description)
    facts += optional("Population", trial.study_population)
    lists = (
        Section("Inclusion criteria (who can join)", items=tuple(map(_criterion, trial.inclusion))),
        Section("Exclusion criteria (who cannot join)", items=tuple(map(_criterion, trial.exclusion))),
    )
    if trial.eligibility and not (trial.inclusion and trial.exclusion):
        # One list alone may hold less than the text does: text under no known heading is in neither.
        whole = _lines(clean(trial.eligibility).splitlines())
        return Section("Who can take part", tuple(facts), parts=(Section("Criteria", paragraphs=whole),))
    parts = tuple(part for part in lists if part.items)
    return Section("Who can take part", tuple(facts), () if parts else ("Criteria not stated.",), parts=parts)


def _criterion(text: str) -> Item:
    """A criterion; what a source nests under it comes on lines of its own."""
    first, *nested = [one_line(line).lstrip("*•-– ") for line in clean(text).strip().splitlines()] or [w.NOT_STATED]
    return Item(first, tuple(filter(None, nested)))


def whom_to_ask(trial: Trial, *, contacts: bool) -> Section:
    """The contacts, if they were asked for."""
    if not contacts:
        return Section("Contacts", paragraphs=(CONTACTS_HIDDEN,))
    return Section("Contacts", items=_persons(trial.contacts))


def where(card: TrialPage, limit: int | None) -> Section:
    """Where the trial is run: by country, in the order of the card."""
    sites = [(c, [one for one in c.locations if w.countable([one.site])]) for c in card.countries]
    locations = [location for _, here in sites for location in here]
    total = len(locations)
    if not sites:
        return Section("Where", paragraphs=("Sites not stated.",))
    said = [_number(card.countries)] if total != 1 or len(sites) > 1 else []
    if not total:
        return Section("Where", paragraphs=tuple(said))
    if card.near:
        known = any(location.distance_km is not None for location in locations)
        lacks = f"None of the sites can be placed on the map: how far they are from {one_line(card.near)} is not known."
        said.append(f"Distances are from {one_line(card.near)}, in a straight line." if known else lacks)
    told = any(location.site.status for location in locations)
    if not told:
        study = w.with_term(w.status(card.trial.status), card.trial.status)
        said.append(f"The record states no status of single sites. Status of the whole study: {study}.")
    parts: list[Section] = []
    left = limit
    for country, here in sites:
        shown = here[:left]
        left = None if left is None else left - len(shown)
        if shown:
            long = limit is None and total > MANY_SITES
            title = f"{_name(country)} ({len(shown)})" if long else _name(country)
            items = tuple(_site(location, told=told) for location in shown)
            parts.append(Section(title, items=items, folded=long and bool(parts or len(shown) > MANY_SITES)))
    if limit is not None and total > limit:
        more = w.count(total - limit, "more site")
        parts.append(Section(f"And {more}", paragraphs=("--format html lists all of them.",)))
    return Section("Where", paragraphs=tuple(said), parts=tuple(parts))


def _number(countries: tuple[Country, ...]) -> str:
    """How many sites there are in which country, as far as the record states sites and not only countries."""
    number = w.count(len(countries), "country", "countries")
    told = {c: len(c.locations) if w.countable(one.site for one in c.locations) else 0 for c in countries}
    named = "; ".join(f"{_name(c)} {sites}" if sites else _name(c) for c, sites in told.items())
    if all(told.values()):
        return f"{w.count(sum(told.values()), 'site')} in {number}: {named}."
    lacks = "How many sites there are" if not any(told.values()) else "Where no number stands, how many sites there are"
    return f"{number}: {named}. {lacks} is not stated."


def _name(country: Country) -> str:
    return one_line(country.name) or "Country not stated"


def _site(location: Location, *, told: bool) -> Item:
    """Name and place, then status and distance in brackets; *told*: some site of the trial states its status."""
    site = location.site
    place = w.place(msgspec.structs.replace(site, country=None))
    said = [w.status(site.status) if site.status else "status not stated"] if told else []
    said += filter(None, [away(location.distance_km, location.precision).removeprefix(", ")])
    return Item(f"{place} ({', '.join(said)})" if said else place, tuple(map(w.contact, site.contacts)))


def design(trial: Trial) -> Section:
    """How the trial is done: groups, and what they get."""
    facts = [
        Fact("Kind of study", (w.study_type(trial.study_type),)),
        Fact("Purpose", (w.purpose(trial.primary_purpose),)),
    ]
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
        details = [one_line(arm.description)]
        details += [f"Receives: {w.listed(arm.interventions)}"] if arm.interventions else []
        arms.append(Item(_with_kind(arm.label, arm.type), tuple(filter(None, details))))
    tested = []
    for one in trial.interventions:
        details = [f"Also called: {w.listed(one.other_names)}"] if one.other_names else []
        details += [one_line(one.description)]
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
                when = f" (time: {one_line(one.time_frame)})" if one.time_frame else ""
                detail = one_line(one.description)
                items.append(Item(f"{one_line(one.measure) or w.NOT_STATED}{when}", (detail,) if detail else ()))
        if items:
            parts.append(Section(title, items=tuple(items), folded=kind != "primary"))
    return Section("What is measured", paragraphs=() if parts else ("Outcomes not stated.",), parts=tuple(parts))


def runs_it(trial: Trial, *, contacts: bool) -> Section:
    """Who runs the trial; the officials if contacts were asked for."""
    facts = [Fact("Sponsor", (w.sponsor(trial.sponsor, trial.sponsor_class),))]
    facts += optional("With", *trial.collaborators)
    if trial.organization and trial.organization != trial.sponsor:
        facts += optional("Registered by", trial.organization)
    parts = (Section("Officials", items=_persons(trial.officials)),) if contacts else ()
    return Section("Who runs it", tuple(facts), parts=parts)


def _origin_lines(card: TrialPage) -> Iterator[str]:
    """``ctgov:asthma, 27 June 2026: all other fields``."""
    for spec, fields in card.origins.items():
        for day in sorted(set(fields.values())):
            names = [name.replace("_", " ") or "all other fields" for name, since in fields.items() if since == day]
            yield f"{one_line(spec)}, {w.date(day)}: {', '.join(map(one_line, names))}"


def _persons(persons: tuple[Contact, ...]) -> tuple[Item, ...]:
    return tuple(Item(w.contact(person)) for person in persons) or (Item(w.NOT_STATED),)


def dates(trial: Trial) -> Section:
    """When what happened."""
    facts = (
        Fact("Start", (w.date(trial.start_date),)),
        Fact("Main outcome by", (w.date(trial.primary_completion_date),)),
        Fact("End", (w.date(trial.completion_date),)),
        Fact("First posted", (w.date(trial.first_posted),)),
    )
    return Section("Dates", facts)


def results(trial: Trial) -> Section:
    """Whether the registry has results."""
    facts = [Fact("Results", (_either(trial.has_results, "posted at the registry", "none posted"),))]
    if trial.results_first_posted:
        facts.append(Fact("First posted", (w.date(trial.results_first_posted),)))
    for label, date in (
        ("Submitted", trial.results_first_submitted),
        ("Past quality control", trial.results_first_submitted_qc),
        ("Delay submitted", trial.results_delay_submitted),
        ("Delay past quality control", trial.results_delay_submitted_qc),
        ("Delay posted", trial.results_delay_posted),
    ):
        facts += optional(label, w.date(date) if date else None)
    if trial.results_waived is not None:
        facts.append(Fact("Waived", (_either(trial.results_waived, "yes", "no"),)))
    parts = [
        Section(title, items=tuple(map(Item, lines)))
        for title, lines in (
            ("Publications", list(map(w.reference, trial.references))),
            ("Links", list(map(w.link, trial.links))),
        )
        if lines
    ]
    return Section("Results", tuple(facts), parts=tuple(parts))


def summary(trial: Trial) -> Section:
    """The registrant's summary."""
    return Section("Summary", paragraphs=paragraphs(trial.summary) or ("Summary not stated.",))


def own_words(trial: Trial) -> Section:
    """The texts of the registrant."""
    parts = [summary(trial)]
    if trial.description:
        parts.append(Section("Detailed description", paragraphs=paragraphs(trial.description), folded=True))
    facts = optional("Full title", trial.official_title)
    return Section("In the registrant's words", tuple(facts), parts=tuple(parts))


def record(card: TrialPage, *, sources: bool) -> Section:
    """Where the record comes from, its other names, and who put it in plain words.

    :param sources: name the source and the day of each part of the record.
    """
    trial = card.trial
    facts = [Fact("Other ids", tuple(map(one_line, trial.other_ids)), whole=True)] if trial.other_ids else []
    facts += optional("Acronym", trial.acronym)
    facts += optional("Keywords", *trial.keywords)
    facts.append(Fact("Source", (one_line(trial.source) or w.NOT_STATED,)))
    if trial.as_of:
        facts.append(Fact("Data of", (w.date(trial.as_of),)))
    if sources and card.origins:
        facts.append(Fact("Parts from", tuple(_origin_lines(card)), whole=True))
    facts.append(Fact("Plain words by", (f"the writer “{one_line(card.plain.writer) or w.NOT_STATED}”",)))
    return Section("The record", tuple(facts))


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts that say something, each cleaned and on one line."""
    return tuple(filter(None, map(one_line, texts)))


def _with_kind(name: str, kind: str | None) -> str:
    line = one_line(name) or w.NOT_STATED
    return f"{line} ({w.words(kind)})" if kind else line


def _either(value: bool | None, yes: str, no: str) -> str:
    return w.NOT_STATED if value is None else yes if value else no

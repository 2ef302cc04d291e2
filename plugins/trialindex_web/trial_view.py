"""What the page of a trial shows, beyond its card: the map, the words, what stands behind each sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from trialindex import Trial, TrialPage
from trialindex.plugin.trial_page import PlainLanguage, Sentence
from trialindex.trial import Contact, Outcome, display
from trialindex.trial.sanitize import one_line, paragraphs
from trialindex_web.render import Words, tone
from trialindex_web.worldmap import Map, draw

SITES = 12
"""From more sites on, those of a country are folded."""
FIELDS = {
    "title": "title",
    "summary": "brief summary",
    "description": "detailed description",
    "conditions": "conditions",
    "normalized_conditions": "condition terms",
    "condition_ancestors": "broader condition terms",
    "interventions": "interventions",
    "normalized_interventions": "intervention terms",
    "intervention_ancestors": "broader intervention terms",
    "arms": "groups (arms)",
    "outcomes": "outcomes",
    "sites": "sites",
    "enrollment": "number of people",
    "inclusion": "inclusion criteria",
    "exclusion": "exclusion criteria",
    "eligibility": "eligibility criteria",
    "raw": "adverse events of the results",
}
"""Fields of the record as they are called on the page, where that is not their name in plain letters."""


class Part(NamedTuple):
    """A part of the page, for its list of contents."""

    anchor: str
    title: str


class Origin(NamedTuple):
    """A sentence, and the fields of the record it was made from, in words."""

    text: str
    fields: str


def origins(plain: PlainLanguage) -> list[Origin]:
    """Each plain sentence with the fields of the record that it was made from."""
    said: Iterable[Sentence] = (
        plain.headline,
        *plain.summary,
        *plain.substance,
        *plain.could_lead_to,
        *plain.could_go_wrong,
    )
    return [Origin(one_line(one.text), field_words(one.fields)) for one in said if one_line(one.text)]


def field_words(fields: Sequence[str]) -> str:
    """Fields of the record in words: ``brief summary, groups (arms)``."""
    named = (FIELDS.get(field, one_line(field).replace("_", " ")) for field in fields)
    return ", ".join(dict.fromkeys(named)) or display.NOT_STATED


def sites_map(card: TrialPage) -> Map | None:
    """Where the sites are, if the record states positions; places that can be joined are drawn last."""
    places: dict[tuple[float, float], tuple[bool, str]] = {}
    for country in card.countries:
        for location in country.locations:
            site = location.site
            if site.latitude is not None and site.longitude is not None:
                at = round(site.latitude, 1), round(site.longitude, 1)
                is_open = tone(site.status or card.trial.status) == "open" or places.get(at, (False, ""))[0]
                places[at] = is_open, one_line(site.city) or one_line(site.country)
    return draw((*at, is_open, name) for at, (is_open, name) in places.items())


def contacts(trial: Trial) -> list[Contact]:
    """Whom to ask about the trial as a whole."""
    return [*trial.contacts, *trial.officials]


def outcomes(trial: Trial, kind: str) -> list[Outcome]:
    return [one for one in trial.outcomes if one.kind == kind]


def questions(plain: PlainLanguage) -> list[str]:
    """What to ask the study team, if the writer knows any."""
    asked: Any = getattr(plain, "questions", ())
    return [one_line(getattr(one, "text", one)) for one in asked]


def context(card: TrialPage) -> dict[str, Any]:
    """What the template is given beside the card."""
    trial = card.trial
    return {
        "card": card,
        "trial": trial,
        "plain": card.plain,
        "words": Words(card.plain.glossary),
        "headline": one_line(card.plain.headline.text) or one_line(trial.title) or display.NOT_STATED,
        "origins": origins(card.plain),
        "map": sites_map(card),
        "site_limit": SITES,
        "sites": sum(len(country.locations) for country in card.countries),
        "contacts": contacts(trial),
        "questions": questions(card.plain),
        "outcomes": {kind: outcomes(trial, kind) for kind in ("primary", "secondary", "other")},
        "paragraphs": paragraphs,
        "parts": list(_parts(card)),
    }


def _parts(card: TrialPage) -> Iterator[Part]:
    yield Part("meaning", "What this could mean")
    yield Part("updates", "Get updates")
    yield Part("conditions", "Conditions")
    yield Part("who", "Who can take part")
    yield Part("where", "Where")
    yield Part("contacts", "Whom to ask")
    if questions(card.plain):
        yield Part("questions", "Questions to take along")
    yield Part("changes", "What changed")
    yield Part("how", "How it is done")
    yield Part("record", "The record")

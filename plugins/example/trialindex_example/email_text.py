"""The format ``email``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import ClassVar

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.results import Hit, Results, describe_eligibility
from trialindex.plugin.trial_page import Sentence, TrialPage
from trialindex.trial import Trial, display, sanitize

WIDTH = 72
"""Columns; with a few "> " before it a line still fits the 80 of old mail programs."""

SITES = 10


class EmailRenderer(Renderer):
    """Plain text that survives being pasted into an e-mail, forwarded and quoted."""

    name: ClassVar[str] = "email"
    summary: ClassVar[str] = "Plain text of 72 columns, to paste into an e-mail."

    def results(self, results: Results) -> Iterator[str]:
        yield from paragraph(f'Trials for "{sanitize.excerpt(results.query, 200)}"')
        filters = [f"{name}: {value}" for name, value in results.filters.items()]
        if filters:
            yield from paragraph(f"Only with {display.listed(filters)}.")
        for note in results.notes:
            yield from paragraph(f"Note: {note}")
        if not results.hits:
            yield from paragraph("No trial was found.")
        for hit in results.hits:
            yield "\n"
            yield from self._hit(hit)
        yield "\n"
        yield from paragraph(display.NO_ADVICE)

    def trial(self, card: TrialPage) -> Iterator[str]:
        card = card if self.options.contacts else card.masked()
        trial, plain = card.trial, card.plain
        yield from paragraph(plain.headline.text or trial.title)
        yield from head(trial)
        for note in plain.notes:
            yield from paragraph(f"Note: {note}")
        yield "\n"
        for text in self._plain_lines(plain.summary):
            yield from paragraph(text)
        yield "\n"
        yield from paragraph(f"Registered as: {trial.title}")
        yield from paragraph(f"Who: {display.who(trial.minimum_age, trial.maximum_age, trial.sex)}")
        yield from paragraph(f"Conditions: {display.listed(trial.conditions)}")
        sections = {
            "Active substance": self._plain_lines(plain.substance),
            "What this could lead to": self._plain_lines(plain.could_lead_to),
            "What could go wrong": self._plain_lines(plain.could_go_wrong),
            "Who can take part": list(trial.inclusion),
            "Who cannot": list(trial.exclusion),
            "Where": places(card),
            "Contacts": [display.contact(person) for person in trial.contacts],
            "Words explained": [f"{one.term}: {one.meaning}" for one in plain.glossary],
        }
        for title, items in sections.items():
            if items:
                yield f"\n{title}:\n"
            for item in items:
                yield from paragraph(item, "- ")
        yield "\n"
        if "last_updated" in card.seen:
            yield from paragraph(f"Last updated by the registry: {display.date(card.seen['last_updated'])}.")
        for text in (card.notice, card.safety, card.disclaimer):
            yield from paragraph(text)

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        # One by one: an export of the whole registry goes through here, and must not be held in memory.
        for trial in trials:
            yield from paragraph(f"{trial.title} ({trial.id}, {display.status(trial.status)})", "- ")

    def _hit(self, hit: Hit) -> Iterator[str]:
        trial = self._mask(hit.trial)
        yield from paragraph(trial.title, f"{hit.rank}. ")
        yield from head(trial)
        yield from paragraph(f"Who: {display.who(trial.minimum_age, trial.maximum_age, trial.sex)}")
        for fit in hit.fits:
            yield from paragraph(f"Fit: {describe_eligibility(fit)}")
        if hit.nearest_site:
            away = f", {display.distance(hit.distance_km)} away" if hit.distance_km is not None else ""
            yield from paragraph(f"Nearest place: {display.place(hit.nearest_site)}{away}")
        elif hit.closed_site:
            yield from paragraph(f"No open place; the nearest one is closed: {display.place(hit.closed_site)}")
        elif trial.sites:
            yield from paragraph(f"Where: {display.listed(map(display.place, trial.sites), 3)}")
        if hit.match:
            yield from paragraph(f'Why: "{sanitize.excerpt(hit.match.text, 300)}"')

    def _plain_lines(self, sentences: Iterable[Sentence]) -> list[str]:
        """Plain sentences; with --sources each names the fields of the record that it was made from."""
        if self.options.sources:
            return [f"{one.text} [{', '.join(one.fields)}]" for one in sentences]
        return [one.text for one in sentences]

    def _mask(self, trial: Trial) -> Trial:
        # The core masks contacts already when nobody asked for them. To do it again costs nothing, and then this
        # class cannot leak them whoever calls it.
        return trial if self.options.contacts else trial.masked()


def places(card: TrialPage) -> list[str]:
    """The first places in the order of the card, which has those that recruit first, each with its status."""
    locations = [location for country in card.countries for location in country.locations]
    said = []
    for location in locations[:SITES]:
        status = display.status(location.site.status) if location.site.status else "status not stated"
        away = f", {display.distance(location.distance_km)} away" if location.distance_km is not None else ""
        said.append(f"{display.place(location.site)}: {status}{away}")
    if len(locations) > SITES:
        said.append(f"and {len(locations) - SITES:,} more places")
    return said


def head(trial: Trial) -> Iterator[str]:
    """What names a trial and says whether it can be joined."""
    said = [trial.id, display.status(trial.status) if trial.status else "status not stated"]
    if trial.phases and trial.phases != ("NA",):
        said.append(display.phase(trial.phases))
    yield from paragraph(", ".join(said))
    if trial.url and trial.url.startswith(("https://", "http://")):
        yield f"{sanitize.one_line(trial.url)}\n"  # never broken, so that it can be clicked


def paragraph(text: str, start: str = "") -> Iterator[str]:
    """A text in lines, under its *start*.

    ``one_line`` is what makes it safe: registry text may hold anything, from line breaks to what steers a terminal.
    """
    lines = textwrap.wrap(
        sanitize.one_line(text), WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False
    )
    yield from (f"{line}\n" for line in lines)

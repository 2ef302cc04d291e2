"""``csv``: one row a hit or trial, for spreadsheets and data frames.

The form is that of RFC 4180 in UTF-8. Codes, ages and dates are the record's own (``RECRUITING``, ``18``,
``2026-06-27``), so that they sort and filter. A cell is one line. A text that a spreadsheet would take for a formula
gets an apostrophe in front (OWASP, *CSV Injection*); every text is quoted, so that a program that splits at semicolons
meets no new cell inside one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.proposals import describe_proposals
from trialindex.plugin.results import EligibilityCheck, Hit, Results, describe_constraint
from trialindex.plugin.trial_page import Location, Sentence, TrialPage
from trialindex.trial import Trial, TrialDate
from trialindex.trial.display import contact, countable, distance, place, status
from trialindex.trial.sanitize import one_line
from trialindex_renderers.view import mask_card, mask_hits, mask_trial

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def cell(value: Cell) -> Cell:
    """A value as a spreadsheet may be given it: text on one line that no program runs as a formula."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _listed(values: Iterable[str]) -> str:
    return "; ".join(filter(None, map(one_line, values)))


def _truth(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _date(value: TrialDate | None) -> str | None:
    return value.date if value else None


def _people(trial: Trial) -> str:
    everybody = [*trial.contacts, *trial.officials, *(person for site in trial.sites for person in site.contacts)]
    return _listed(dict.fromkeys(map(contact, everybody)))


TRIAL_COLUMNS: dict[str, Callable[[Trial], Cell]] = {
    "id": lambda t: t.id,
    "title": lambda t: t.title,
    "status": lambda t: t.status,
    "phases": lambda t: _listed(t.phases),
    "study_type": lambda t: t.study_type,
    "conditions": lambda t: _listed(t.conditions),
    "interventions": lambda t: _listed(one.name for one in t.interventions),
    "sex": lambda t: t.sex,
    "minimum_age": lambda t: t.minimum_age,
    "maximum_age": lambda t: t.maximum_age,
    "healthy_volunteers": lambda t: _truth(t.healthy_volunteers),
    "inclusion": lambda t: _listed(t.inclusion),
    "exclusion": lambda t: _listed(t.exclusion),
    "countries": lambda t: _listed(t.countries),
    "sites": lambda t: len(t.sites) if countable(t.sites) else None,
    "sponsor": lambda t: t.sponsor,
    "collaborators": lambda t: _listed(t.collaborators),
    "enrollment": lambda t: t.enrollment,
    "start_date": lambda t: _date(t.start_date),
    "primary_completion_date": lambda t: _date(t.primary_completion_date),
    "completion_date": lambda t: _date(t.completion_date),
    "first_posted": lambda t: _date(t.first_posted),
    "last_updated": lambda t: _date(t.last_updated),
    "has_results": lambda t: _truth(t.has_results),
    "why_stopped": lambda t: t.why_stopped,
    "summary": lambda t: t.summary,
    "keywords": lambda t: _listed(t.keywords),
    "normalized_conditions": lambda t: _listed(term.name for term in t.normalized_conditions),
    "acronym": lambda t: t.acronym,
    "official_title": lambda t: t.official_title,
    "other_ids": lambda t: _listed(t.other_ids),
    "source": lambda t: t.source,
    "url": lambda t: t.url,
    "gone_since": lambda t: t.gone_since,
}

HIT_COLUMNS: dict[str, Callable[[Hit], Cell]] = {
    "rank": lambda h: h.rank,
    "level": lambda h: h.level,
    "closeness": lambda h: h.closeness,
    "score": lambda h: h.score,
    "match_part": lambda h: h.match.part if h.match else None,
    "match_text": lambda h: h.match.text if h.match else None,
    "age_fit": lambda h: _fit(h, "age"),
    "sex_fit": lambda h: _fit(h, "sex"),
    "cautions": lambda h: _listed(h.cautions),
    "distance_km": lambda h: None if h.distance_km is None else round(h.distance_km, 1),
    "nearest_site": lambda h: place(h.nearest_site) if h.nearest_site else None,
    "distance_of": lambda h: h.precision,
    "closed_site": lambda h: place(h.closed_site) if h.closed_site else None,
    "closed_km": lambda h: h.closed_km,
    "first_seen": lambda h: h.first_seen,
}

UNDERSTOOD = "understood"
"""What the question asks for besides the illness: the same in each line of an answer."""


PAGE_COLUMNS: dict[str, Callable[[TrialPage, bool], Cell]] = {
    "first_seen": lambda c, sources: c.seen.get("first_seen"),
    "last_checked": lambda c, sources: c.seen.get("last_checked"),
    "conditions_normalized": lambda c, sources: _listed(term.name for term in c.conditions),
    "locations": lambda c, sources: _listed(_site(one) for country in c.countries for one in country.locations),
    "headline": lambda c, sources: _join_sentences((c.plain.headline,), sources),
    "plain_summary": lambda c, sources: _join_sentences(c.plain.summary, sources),
    "substance": lambda c, sources: _join_sentences(c.plain.substance, sources),
    "could_lead_to": lambda c, sources: _join_sentences(c.plain.could_lead_to, sources),
    "could_go_wrong": lambda c, sources: _join_sentences(c.plain.could_go_wrong, sources),
    "questions": lambda c, sources: _join_sentences(c.plain.questions, sources),
    "writer": lambda c, sources: c.plain.writer,
    "notes": lambda c, sources: " ".join(c.plain.notes),
    "notice": lambda c, sources: " ".join((c.notice, c.safety, c.disclaimer)),
}
"""What ``show`` has after the columns of the trial."""


def _join_sentences(sentences: Iterable[Sentence], sources: bool) -> str:
    """Plain sentences one after another; with *sources* each is followed by the fields it was made from."""
    return " ".join(f"{s.text} [{', '.join(s.fields)}]" if sources else s.text for s in sentences)


def _site(location: Location) -> str:
    site, away = location.site, location.distance_km
    city = "city " if location.precision == "city" else ""
    said = ([status(site.status)] if site.status else []) + ([f"{city}{distance(away)}"] if away is not None else [])
    return f"{place(site)} ({', '.join(said)})" if said else place(site)


def _fit(hit: Hit, what: str) -> str | None:
    fits: Iterator[EligibilityCheck] = (fit for fit in hit.fits if fit.what == what)
    return next((fit.verdict for fit in fits), None)


class CsvRenderer(Renderer):
    """Comma-separated values with a header row; see docs/renderers.md for the columns."""

    name = "csv"
    suffixes = (".csv",)
    summary = "Comma-separated values, for spreadsheets."

    def results(self, results: Results) -> Iterator[str]:
        yield _row([*HIT_COLUMNS, UNDERSTOOD, *self._columns])
        searched = describe_proposals(results.proposals)
        understood = _listed([*map(describe_constraint, results.constraints), *([searched] if searched else [])])
        for hit in mask_hits(results, contacts=self.options.contacts).hits:
            yield _row([*(get(hit) for get in HIT_COLUMNS.values()), understood, *self._cells(hit.trial)])

    def trial(self, card: TrialPage) -> Iterator[str]:
        card = mask_card(card, contacts=self.options.contacts)
        yield _row([*self._columns, *PAGE_COLUMNS])
        page = (get(card, self.options.sources) for get in PAGE_COLUMNS.values())
        yield _row([*self._cells(card.trial), *page])

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        yield _row(self._columns)
        for trial in trials:
            yield _row(self._cells(trial))

    @property
    def _columns(self) -> list[str]:
        return [*TRIAL_COLUMNS, "contacts"] if self.options.contacts else [*TRIAL_COLUMNS]

    def _cells(self, trial: Trial) -> list[Cell]:
        trial = mask_trial(trial, contacts=self.options.contacts)
        cells = [get(trial) for get in TRIAL_COLUMNS.values()]
        return [*cells, _people(trial)] if self.options.contacts else cells


def _row(cells: Iterable[Cell]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_NONNUMERIC).writerow(map(cell, cells))
    return line.getvalue()

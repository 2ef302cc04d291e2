"""What the formats for people say, before any format: an answer is a list of hits, a trial is a page of sections.

``table``, ``markdown`` and ``html`` draw these, so that all three say the same. Every text in them is cleaned and on
one line; escaping for the format is left to whoever draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from trialindex.plugin.results import (
    LEVEL_WORDS,
    ConceptMention,
    Hit,
    Results,
    Understanding,
    describe_answer,
    describe_constraint,
    describe_eligibility,
    describe_score,
)
from trialindex.plugin.trial_page import Precision, TrialPage
from trialindex.trial import Trial
from trialindex.trial import display as w
from trialindex.trial.sanitize import excerpt, one_line


class Fact(msgspec.Struct, frozen=True):
    """A label and its value.

    :param values: shown joined by semicolons.
    :param whole: ids and addresses: no value is broken over two lines.
    :param url: where the value leads; only http and https.
    :param marked: words of the value to be marked, by formats that can.
    """

    label: str
    values: tuple[str, ...]
    whole: bool = False
    url: str | None = None
    marked: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        return "; ".join(self.values)


class Item(msgspec.Struct, frozen=True):
    """One entry of a list, with what is said under it.

    :param source: where it is from, if that was asked for.
    """

    text: str
    details: tuple[str, ...] = ()
    source: str = ""


class Section(msgspec.Struct, frozen=True):
    """A part of a page.

    :param closing: what comes after everything else of it.
    :param folded: long, and read by few: may start out closed.
    """

    title: str
    facts: tuple[Fact, ...] = ()
    paragraphs: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    parts: tuple[Section, ...] = ()
    closing: tuple[str, ...] = ()
    folded: bool = False


class Head(msgspec.Struct, frozen=True):
    """The line that names a trial.

    :param tone: ``open``, ``soon`` or ``closed``: whether people can join.
    """

    id: str
    title: str
    url: str | None
    status: str
    tone: str
    phase: str


class HitCard(msgspec.Struct, frozen=True):
    """One hit: what to know before opening the trial's page. ``updated`` may be empty.

    :param divider: what stands above a line before this hit and those that follow.
    """

    rank: int
    head: Head
    updated: str
    facts: tuple[Fact, ...]
    divider: str = ""


class Answer(msgspec.Struct, frozen=True):
    """The answer to one query.

    :param lead: what comes first, a paragraph each: whether any trial is about the condition.
    :param understood: what the question asks for besides the illness, each with the option that would filter.
    :param closing: what comes after the cards.
    """

    title: str
    query: str
    lead: tuple[str, ...]
    summary: tuple[str, ...]
    understood: tuple[str, ...]
    notes: tuple[str, ...]
    cards: tuple[HitCard, ...]
    closing: tuple[str, ...]


class Word(msgspec.Struct, frozen=True):
    """A word of jargon and its meaning."""

    term: str
    meaning: str


class Page(msgspec.Struct, frozen=True):
    """One trial.

    :param headline: what it is, in plain words; its registered title is in *head*.
    :param lead: a section without a title: the summary in plain words.
    :param notes: what to know of the plain words.
    :param closing: what to do before deciding anything, and who answers for the record.
    """

    headline: str
    head: Head
    lead: Section
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    words: tuple[Word, ...]
    closing: tuple[str, ...]


def marked(text: str, words: Sequence[str], mark: Callable[[str], str]) -> str:
    """The text with each of the words, where it stands alone, put through *mark*."""
    if not words:
        return text
    pattern = rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})(?![^\W_])"
    return re.sub(pattern, lambda match: mark(match[0]), text)


def mask_trial(trial: Trial, *, contacts: bool) -> Trial:
    """The trial as it may be shown: without contacts unless they were asked for."""
    return trial if contacts else trial.masked()


def mask_card(card: TrialPage, *, contacts: bool) -> TrialPage:
    """The card as it may be shown: without contacts unless they were asked for."""
    return card if contacts else card.masked()


def mask_hits(results: Results, *, contacts: bool) -> Results:
    """The answer as it may be shown: never with raw records, without contacts unless they were asked for."""
    hits = []
    for hit in results.hits:
        nearest, closed = (
            msgspec.structs.replace(site, contacts=()) if site and not contacts else site
            for site in (hit.nearest_site, hit.closed_site)
        )
        trial = msgspec.structs.replace(mask_trial(hit.trial, contacts=contacts), raw=None)
        hits.append(msgspec.structs.replace(hit, trial=trial, nearest_site=nearest, closed_site=closed))
    return msgspec.structs.replace(results, hits=tuple(hits))


def safe_url(url: str | None) -> str | None:
    """The address if a browser may be sent there: http or https, with a host, of visible ASCII without quotes."""
    text = (url or "").strip()
    if not text.isascii() or not text.isprintable() or any(c in " \"'<>\\`{}|^" for c in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.hostname else None


# --- answers --------------------------------------------------------------------------------------------------------


def answer(results: Results) -> Answer:
    """The answer as cards."""
    filters = "; ".join(f"{one_line(name)}: {one_line(value)}" for name, value in results.filters.items())
    trials = w.count(results.total, "trial")
    if filters:
        passed = f"{results.searched:,} of {trials} passed the filters ({filters})."
    else:
        passed = (
            f"Searched {trials}."
            if results.searched == results.total
            else f"Searched {results.searched:,} of {trials}."
        )
    said = [passed]
    if results.mode != "hybrid":
        said.append({"vector": "Compared by meaning only.", "lexical": "Compared by words only."}.get(results.mode, ""))
    if results.hits:
        first, last = results.hits[0].rank, results.hits[-1].rank
        said.append(f"Showing {first:,} to {last:,}." if last > first else f"Showing number {first:,}.")
    elif not results.total:
        said.append("The index is empty.")
    elif not results.searched:
        said.append("No trial is left. Loosen a filter.")
    elif not results.nothing_understood:
        said.append(f"Page {results.page} is past the end of the answer." if results.page > 1 else "Nothing matched.")
    closing = []
    if len(results.hits) == results.limit and results.page * results.limit < results.searched:
        closing.append(f"For more, add --page {results.page + 1}.")
    query = one_line(results.query)
    return Answer(
        title=f"Trials for “{query}”" if len(query) <= 80 else "Trials for a longer description",
        query=query,
        lead=tuple(describe_answer(results)),
        summary=tuple(filter(None, said)),
        understood=tuple(map(describe_constraint, results.constraints)),
        notes=tuple(filter(None, map(one_line, [*results.notes, *understood(results.understood)]))),
        cards=tuple(_cards(results)),
        closing=tuple(closing),
    )


def understood(value: Understanding | None) -> Iterator[str]:
    """What was understood of the text, a sentence for each kind of thing."""
    if value is None:
        return
    for role, label in _ROLES.items():
        concepts = sorted((c for c in value.concepts if c.role == role), key=lambda c: -c.weight)
        if concepts:
            yield f"{label}: {'; '.join(map(_concept, concepts))}."
    if not value.concepts:
        yield "Understood: no illness, finding or treatment that the vocabularies name."
    if value.excluded:
        yield f"Left out: {'; '.join(f'“{said}” ({why})' for said, why in value.excluded.items())}."
    person = [given for given in (value.age, value.sex) if given]
    person += [] if value.pregnant is None else ["pregnant" if value.pregnant else "not pregnant"]
    person += [f"lives in {value.place}"] if value.place else []
    if person:
        yield f"Understood of the person: {', '.join(person)}."


_ROLES = {
    "main problem": "Main problem",
    "problem": "Also named",
    "possible": "Possible, feared or to be prevented",
    "history": "In the past",
    "treatment": "Tried, taken or done",
}


def _concept(concept: ConceptMention) -> str:
    said = "" if concept.surface.casefold() == concept.name.casefold() else f"“{concept.surface}”, "
    return f"{concept.name} ({said}weight {concept.weight:.2f})"


def _cards(results: Results) -> Iterator[HitCard]:
    """The hits; a line parts those at the end that are only loosely alike."""
    loose = len(results.hits)
    while loose and results.hits[loose - 1].level == "loose":
        loose -= 1
    for at, hit in enumerate(results.hits):
        card = hit_card(hit, explained=results.understood is not None)
        if at == loose and (at or results.nothing_about):
            card = msgspec.structs.replace(card, divider="Only loosely alike")
        yield card


def hit_card(hit: Hit, *, explained: bool = False) -> HitCard:
    """One hit as a card.

    :param explained: with its score in every ranking.
    """
    trial = hit.trial
    facts = [
        *optional("How close", _how_close(hit, explained)),
        Fact("Conditions", (w.listed(trial.conditions, 6),)),
        *optional("Testing", w.listed((i.name for i in trial.interventions), 4) if trial.interventions else None),
        Fact("Who", (w.who(trial.minimum_age, trial.maximum_age, trial.sex),)),
    ]
    if hit.fits:
        facts.append(Fact("Fit", tuple(describe_eligibility(fit) for fit in hit.fits)))
    facts += optional("Caution", *hit.cautions)
    facts.append(Fact("Where", (where(hit),)))
    if hit.match:
        why = f"{w.sentence(w.words(hit.match.part))}: “{excerpt(hit.match.text, 240)}”"
        facts.append(Fact("Why", (why,), marked=hit.match.words))
    if explained:
        facts.append(Fact("Score", (describe_score(hit.score, hit.parts, every=True),)))
    updated = f"updated {w.date(hit.last_updated)}" if hit.last_updated else ""
    return HitCard(hit.rank, head(trial), updated, tuple(facts))


def _how_close(hit: Hit, explained: bool) -> str | None:
    if hit.level is None:
        return None
    if hit.named:
        return "the trial that you named"
    words = LEVEL_WORDS[hit.level]
    return f"{words} ({hit.closeness:.2f})" if explained and hit.closeness is not None else words


def where(hit: Hit) -> str:
    """The nearest site that can be joined with its distance, and what is nearer but closed; else the countries."""
    sites = hit.trial.sites
    unplaced = f"; {w.count(hit.unplaced_sites, 'site')} without a known position" if hit.unplaced_sites else ""
    closed = ""
    if hit.closed_site:
        status = w.status(hit.closed_site.status)
        closed = f"{w.place(hit.closed_site)} ({status}{away(hit.closed_km)})"
    if hit.nearest_site:
        more = len(sites) - 1
        also = f", and {w.count(more, 'other site') if w.countable(sites) else 'others'}" if more > 0 else ""
        nearer = f"; nearer, but closed: {closed}" if closed else ""
        return f"{w.place(hit.nearest_site)}{away(hit.distance_km, hit.precision)}{also}{nearer}"
    if closed:
        every = "every site there is closed" if hit.closed_km is None else "every site is closed, the nearest is this"
        return f"{every}: {closed}{unplaced}"
    return f"{_countries(hit.trial)}{unplaced}"


def away(kilometres: float | None, precision: Precision | None = None) -> str:
    """``, 12 km away``; of a site of which only the city is known that is said. Empty without a distance."""
    if kilometres is None:
        return ""
    return f", {'the city is ' if precision == 'city' else ''}{w.distance(kilometres)} away"


def _countries(trial: Trial) -> str:
    sites, countries = trial.sites, trial.countries
    if len(sites) == 1:
        return w.place(sites[0])
    if not countries:
        return w.count(len(sites), "site") if sites else w.NOT_STATED
    named = w.listed(countries, 5)
    return f"{named} ({w.count(len(sites), 'site')})" if w.countable(sites) else named


def head(trial: Trial) -> Head:
    """What names a trial and says whether it can be joined."""
    tone = {"NOT_YET_RECRUITING": "soon", "RECRUITING": "open", "AVAILABLE": "open", "ENROLLING_BY_INVITATION": "soon"}
    status = label_if_missing("status", w.status(trial.status))
    if trial.gone_since:
        status = f"{status}; no longer in the registry since {w.date(trial.gone_since)}"
    return Head(
        id=one_line(trial.id) or w.NOT_STATED,
        title=one_line(trial.title) or w.NOT_STATED,
        url=safe_url(trial.url),
        status=status,
        tone="closed" if trial.gone_since else tone.get(trial.status or "", "closed"),
        phase="no phase" if trial.phases == ("NA",) else label_if_missing("phase", w.phase(trial.phases)),
    )


def label_if_missing(label: str, value: str) -> str:
    """The value where no label stands beside it: ``phase not stated`` instead of ``not stated``."""
    return f"{label} {value}" if value == w.NOT_STATED else value


def optional(label: str, *values: str | None) -> list[Fact]:
    """A fact that is left out when the record does not state it."""
    given = tuple(filter(None, map(one_line, values)))
    return [Fact(label, given)] if given else []

"""From a question to an answer: filter, find, load, explain."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trialindex.errors import QueryError, nearest
from trialindex.interfaces import Encoder
from trialindex.search import explain
from trialindex.search.filters import Filters
from trialindex.search.person import Person, read_person
from trialindex.search.places import Place
from trialindex.search.results import Hit, Match, Results
from trialindex.search.retrieval import MODES, Candidate, Mode, retrieve
from trialindex.storage.derived import Derived
from trialindex.storage.records import Records, Stored
from trialindex.trial import Site, Trial, format_age


def answer(
    text: str,
    filters: Filters,
    *,
    mode: str,
    limit: int,
    page: int,
    contacts: bool,
    derived: Derived,
    records: Records,
    encoder: Callable[[], Encoder],
) -> Results:
    """The page of hits for *text*.

    :param encoder: called when the text is to be embedded, and not before.
    :raises QueryError: an empty text, an unknown mode or filter value, a limit or page below 1.
    """
    if not text.strip():
        raise QueryError("the query is empty.", hint='Describe the condition: trialindex query "severe lupus kidney"')
    if mode not in MODES:
        raise QueryError(f'unknown mode "{mode}".', hint=nearest(mode, MODES))
    if limit < 1 or page < 1:
        raise QueryError("limit and page start at 1.")
    chosen: Mode = mode  # type: ignore[assignment]
    allowed = filters.allowed(records)
    model = None if chosen == "lexical" else encoder()
    found = retrieve(text, chosen, page * limit, derived=derived, records=records, encoder=model, allowed=allowed)
    total = len(records)
    read = read_person(text)
    person = Person(read.age if filters.age is None else filters.age, filters.sex or read.sex)
    searched = total if allowed is None else len(allowed)
    start = (page - 1) * limit
    hits = _hits(found[start : start + limit], start, text, person, filters.near, contacts, derived, records)
    return Results(
        query=text,
        mode=mode,
        filters=filters.words(),
        searched=searched,
        total=total,
        page=page,
        limit=limit,
        hits=tuple(hits),
        generation=derived.generation,
        notes=(
            *_state_notes(records, derived),
            *_result_notes(chosen, searched, found, start),
            *_person_notes(filters, read, person),
        ),
    )


def _hits(
    candidates: list[Candidate],
    start: int,
    text: str,
    person: Person,
    near: Place | None,
    contacts: bool,
    derived: Derived,
    records: Records,
) -> list[Hit]:
    by_num = {stored.num: stored for stored in records.load([c.num for c in candidates])}
    query_words = set(derived.lexical.words(text))
    hits = []
    for rank, candidate in enumerate(candidates, start=start + 1):
        stored = by_num.get(candidate.num)
        if stored is not None:  # removed since this state was made
            match = explain.match(stored.trial, candidate.passage, query_words, derived.lexical.words)
            hits.append(_hit(rank, candidate, stored, match, person, near, contacts))
    return hits


def _hit(
    rank: int,
    candidate: Candidate,
    stored: Stored,
    match: Match,
    person: Person,
    near: Place | None,
    contacts: bool,
) -> Hit:
    trial = stored.trial if contacts else stored.trial.masked()
    site, distance = nearest_site(trial, near) if near else (None, None)
    return Hit(
        rank=rank,
        score=round(candidate.score, 6),
        parts=candidate.parts,
        trial=trial,
        match=match,
        fits=person.fits(trial),
        distance_km=None if distance is None else round(distance, 1),
        nearest_site=site,
        first_seen=stored.first_seen,
        last_updated=trial.last_updated.date if trial.last_updated else None,
    )


def nearest_site(trial: Trial, place: Place) -> tuple[Site | None, float | None]:
    """The site nearest to *place* among those with a position, and its distance in kilometres."""
    best: tuple[Site | None, float | None] = (None, None)
    for site in trial.sites:
        if site.latitude is not None and site.longitude is not None:
            distance = float(place.distance_km(site.latitude, site.longitude))
            if best[1] is None or distance < best[1]:
                best = (site, distance)
    return best


def _state_notes(records: Records, derived: Derived) -> Iterator[str]:
    if derived.generation != records.generation:
        yield "The index is being updated: the newest trials are not in this answer yet."


def _result_notes(mode: Mode, searched: int, found: list[Candidate], start: int) -> Iterator[str]:
    if not searched:
        yield "No trial in this index passes these filters: leave one out."
    elif not found and mode == "lexical":
        yield "No trial holds any of these words: try --mode hybrid."
    elif found and start >= len(found):
        yield "There are no more results: this page is past the last one."


def _person_notes(filters: Filters, read: Person, person: Person) -> Iterator[str]:
    seen = []
    if read.age is not None and person.age == read.age:
        seen.append(format_age(read.age))
    if read.sex is not None and person.sex == read.sex:
        seen.append(read.sex.lower())
    if seen:
        yield f"Read in the text: {', '.join(seen)}. It is compared with each trial, and filters nothing."
    if filters.near is not None:
        yield f"Distances are from {filters.near.name}."

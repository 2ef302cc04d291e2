"""From a question to an answer: filter, find, load, explain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from trialindex.errors import QueryError, nearest
from trialindex.plugin.interfaces import Encoder, Reranker
from trialindex.plugin.results import Hit, Match, Results, Understanding
from trialindex.search import analysis, explain
from trialindex.search.filters import Filters
from trialindex.search.person import Person, read_person
from trialindex.search.places import Place
from trialindex.search.reranking import rerank
from trialindex.search.retrieval import MODES, Candidate, Mode, retrieve
from trialindex.storage.derived import Derived
from trialindex.storage.records import Records, Stored
from trialindex.trial import Site, Trial, format_age
from trialindex.trial.sanitize import replace_surrogates

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.interfaces import Ids

FILTER_CACHE_SIZE = 8
"""Filters whose trials are remembered, at most 5 MB each in an index of 600,000."""


def answer(
    text: str,
    filters: Filters,
    *,
    mode: str,
    limit: int,
    page: int,
    contacts: bool,
    explained: bool,
    reranker: Reranker | None,
    rerank_depth: int,
    derived: Derived,
    records: Records,
    encoder: Callable[[], Encoder],
    recognizer: Callable[[], ConceptRecognizer],
) -> Results:
    """The page of hits for *text*.

    :param text: with half of a surrogate pair in it, U+FFFD is read and shown in its place.
    :param explained: say what was understood of the text.
    :param reranker: puts the first *rerank_depth* trials in its own order.
    :param encoder: called when the text is to be embedded, and not before. :param recognizer: likewise.
    :raises QueryError: an empty text, an unknown mode or filter value, a limit or page below 1.
    """
    text = replace_surrogates(text)
    if not text.strip():
        raise QueryError("the query is empty.", hint='Describe the condition: trialindex query "severe lupus kidney"')
    if mode not in MODES:
        raise QueryError(f'unknown mode "{mode}".', hint=nearest(mode, MODES))
    if limit < 1 or page < 1 or rerank_depth < 1:
        raise QueryError("limit, page and rerank depth start at 1.")
    chosen: Mode = mode  # type: ignore[assignment]
    allowed = _allowed(filters, records, derived)
    model = None if chosen == "lexical" else encoder()
    vocabulary = recognizer()
    read = read_person(text)
    person = Person(read.age if filters.age is None else filters.age, filters.sex or read.sex)
    start = (page - 1) * limit
    reread = 0 if reranker is None else rerank_depth
    answered = retrieve(
        text,
        chosen,
        max(start + limit, reread),
        analysis.understand(text, vocabulary),
        person,
        derived=derived,
        records=records,
        encoder=model,
        allowed=allowed,
    )
    understood, found = answered.understood, answered.candidates
    if reranker is not None:
        found = rerank(text, found, reranker, rerank_depth, records=records)
    total = len(records)
    searched = total if allowed is None else len(allowed)
    shown = found[start : start + limit]
    hits = _hits(shown, start, text, person, filters.near, contacts, derived, records, understood, vocabulary)
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
        understood=understood if explained else None,
    )


def _allowed(filters: Filters, records: Records, derived: Derived) -> Ids | None:
    """The trials that pass the filters. What the last few left is remembered as long as the index stays as it is."""
    if records.generation != derived.generation:
        return filters.allowed(records)
    found = derived.allowed.get(filters)
    if found is None and filters:
        found = filters.allowed(records)
        assert found is not None
        for oldest in list(derived.allowed)[: 1 - FILTER_CACHE_SIZE]:
            derived.allowed.pop(oldest, None)
        derived.allowed[filters] = found
    return found


def _hits(
    candidates: Sequence[Candidate],
    start: int,
    text: str,
    person: Person,
    near: Place | None,
    contacts: bool,
    derived: Derived,
    records: Records,
    understood: Understanding,
    recognizer: ConceptRecognizer,
) -> list[Hit]:
    by_num = {stored.num: stored for stored in records.load([c.num for c in candidates])}
    query_words = set(derived.lexical.words(text))
    hits = []
    for rank, candidate in enumerate(candidates, start=start + 1):
        stored = by_num.get(candidate.num)
        if stored is not None:  # removed since this state was made
            match = explain.match(stored.trial, candidate.passage, query_words, derived.lexical.words)
            cautions = explain.cautions(stored.trial, understood, recognizer)
            hits.append(_hit(rank, candidate, stored, match, cautions, person, near, contacts))
    return hits


def _hit(
    rank: int,
    candidate: Candidate,
    stored: Stored,
    match: Match,
    cautions: tuple[str, ...],
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
        cautions=cautions,
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

"""Which trials a watch is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from trialindex.concepts.tokens import natural_order, normalize
from trialindex.errors import IndexDamaged, QueryError
from trialindex.plugin.interfaces import Concept
from trialindex.search.filters import Filters
from trialindex.storage.records import IndexStatus, Records
from trialindex.trial import Trial
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.index import Index


class MatchingTrial(NamedTuple):
    """A trial that matches a watch, as the index has it.

    :param hash: of the record.
    :param checked: ISO day on which a source last delivered it.
    :param fresh: whether it was added or changed after the generation that was asked for.
    :param rank: in the answer to a question, from 1.
    :param similarity: to the question, a cosine.
    """

    trial: Trial
    hash: str
    checked: str
    fresh: bool = True
    rank: int = 0
    similarity: float = 0.0


class WatchView(NamedTuple):
    """What a watch sees of an index.

    :param matches: the trials that match it, by id in small letters.
    :param considered: ids of all trials that were compared, in small letters; those not among *matches* do not match.
    :param generation: of the index.
    """

    matches: dict[str, MatchingTrial]
    considered: set[str]
    generation: int


class Matcher:
    """Compares watches with the trials of an index; what is costly is computed once for all of them.

    :param records: a snapshot of its records.
    """

    def __init__(self, index: Index, records: Records) -> None:
        self._index = index
        self.records = records

    @cached_property
    def recognizer(self) -> ConceptRecognizer:
        """The vocabularies, loaded when a condition is first compared."""
        from trialindex.concepts.recognizer import ConceptRecognizer

        return ConceptRecognizer.load(self._index.plugins)

    def view(self, watch: Watch, since: int) -> WatchView:
        """Compare *watch* with what was added or changed after the generation *since*.

        :raises TrialIndexError: the watch cannot be compared: its encoder is gone, say.
        """
        if watch.kind == "query":
            return self._match_query(watch, since)
        return self._match_records(watch, since)

    # --- a trial, a condition ---------------------------------------------------------------------------------------

    def _match_records(self, watch: Watch, since: int) -> WatchView:
        filters = _drop_unknown_values(watch.parsed_filters, self.records)
        allowed = None if filters is None else filters.allowed(self.records)
        passing = None if allowed is None else set(allowed.tolist())
        fits = self._condition_test(watch.subject) if watch.kind == "condition" else None
        matches: dict[str, MatchingTrial] = {}
        considered = set()
        for status in self._changed(watch, since):
            key = status.id.lower()
            considered.add(key)
            if filters is None or (passing is not None and status.num not in passing):
                continue
            try:
                stored = next(self.records.load([status.num]))
            except IndexDamaged:  # a check of the index names it
                considered.discard(key)
                continue
            if not stored.trial.gone_since and (fits is None or fits(stored.trial)):
                matches[key] = MatchingTrial(stored.trial, status.hash, stored.last_checked)
        return WatchView(matches, considered, self.records.generation)

    def _changed(self, watch: Watch, since: int) -> Iterable[IndexStatus]:
        """The trials that may be news to the watch."""
        if watch.kind != "trial":
            return self.records.statuses_since(since)
        status = self.records.status_of(watch.subject)
        return [status] if status and status.generation > since else []

    def narrower(self, condition: str) -> tuple[Concept | None, list[Concept]]:
        """The concept of a condition, if a vocabulary knows it, and every narrower one."""
        concept = self.recognizer.lookup(condition)
        return concept, self.recognizer.narrower(concept) if concept else []

    def _condition_test(self, condition: str) -> Callable[[Trial], bool]:
        """A test of trials: whether one names the condition or a narrower one."""
        concept, below = self.narrower(condition)
        wanted = {_identity(one) for one in ([concept, *below] if concept else [])}
        words = {normalize(condition), normalize(natural_order(condition))}

        @cache
        def means(name: str) -> bool:
            if normalize(name) in words or normalize(natural_order(name)) in words:
                return True
            meant = self.recognizer.lookup(name) if wanted else None
            return meant is not None and _identity(meant) in wanted

        return lambda trial: any(map(means, condition_names(trial)))

    # --- a question -------------------------------------------------------------------------------------------------

    def _match_query(self, watch: Watch, since: int) -> WatchView:
        """Compare a question: its first results that are similar enough, whenever they came into the index."""
        filters = _drop_unknown_values(watch.parsed_filters, self.records)
        if filters is None or not len(self.records):
            return WatchView({}, set(), self.records.generation)
        answer = self._index.query(watch.subject, filters=filters, limit=watch.top, reader=None)
        matches: dict[str, MatchingTrial] = {}
        for hit in answer.hits:
            similarity = hit.parts.get("vector", -1.0)
            if similarity < watch.level or hit.level == "loose" or hit.trial.gone_since:
                continue
            status = self.records.status_of(hit.trial.id)
            if status is None:
                continue
            trial = self.records.version_with_hash(hit.trial.id, status.hash) or hit.trial
            fresh = status.generation > since
            match = MatchingTrial(trial, status.hash, status.last_checked, fresh, hit.rank, similarity)
            matches[hit.trial.id.lower()] = match
        seen = min(answer.generation, self.records.generation)
        waits = self.records.waiting.first_generation()  # a trial without vectors is not close: it comes again
        return WatchView(matches, set(), seen if waits is None else min(seen, waits - 1))


def condition_names(trial: Trial) -> Iterator[str]:
    """What a trial says it is about: conditions as listed and as normalized, and keywords."""
    yield from trial.conditions
    for term in trial.normalized_conditions:
        yield term.name
    yield from trial.keywords


def _identity(concept: Concept) -> str:
    return concept.id or normalize(natural_order(concept.name))


def _drop_unknown_values(filters: Filters, records: Records) -> Filters | None:
    """The filters without countries and sources that no trial of the index has; ``None`` if no trial can pass."""
    kept = {}
    for what in ("country", "source"):
        values: tuple[str, ...] = getattr(filters, what)
        kept[what] = tuple(value for value in values if _is_known(Filters(**{what: (value,)}), records))  # type: ignore[arg-type]
        if values and not kept[what]:
            return None
    return replace(filters, **kept)  # type: ignore[arg-type]


def _is_known(filters: Filters, records: Records) -> bool:
    try:
        filters.allowed(records)
    except QueryError:
        return False
    return True

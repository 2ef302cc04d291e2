"""Which trials a watch is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

from trialindex.concepts.tokens import natural_order, normalize
from trialindex.errors import IndexDamaged, QueryError
from trialindex.plugin.interfaces import Concept
from trialindex.search.filters import Filters
from trialindex.storage.records import Records
from trialindex.trial import Trial
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.index import Index


class Found(NamedTuple):
    """A trial that a watch is about, as the index has it.

    :param checked: ISO day on which a source last delivered it. :param fresh: whether it was added or changed after the
        generation that was asked for. :param rank: :param similarity: in the answer to a question.
    """

    trial: Trial
    hash: str
    checked: str
    fresh: bool = True
    rank: int = 0
    similarity: float = 0.0


class View(NamedTuple):
    """What a watch sees of an index.

    :param found: the trials it is about, by id in small letters. :param looked_at: ids of all that were considered, in
        small letters: one that is not among *found* is none that it is about. :param generation: of the index.
    """

    found: dict[str, Found]
    looked_at: set[str]
    generation: int


class Matching:
    """Compares watches with the trials of an index, and remembers between them what is costly.

    :param records: a snapshot of its records.
    """

    def __init__(self, index: Index, records: Records) -> None:
        self._index = index
        self.records = records

    @cached_property
    def recognizer(self) -> ConceptRecognizer:
        """The vocabularies, loaded when a condition is first compared."""
        from trialindex.concepts.recognizer import ConceptRecognizer

        return ConceptRecognizer.load()

    def view(self, watch: Watch, since: int) -> View:
        """What *watch* sees of what was added or changed after the generation *since*.

        :raises TrialIndexError: the watch cannot be compared: its encoder is gone, say.
        """
        if watch.kind == "query":
            return self._asked(watch, since)
        return self._read(watch, since)

    # --- a trial, a condition ---------------------------------------------------------------------------------------

    def _read(self, watch: Watch, since: int) -> View:
        filters = _reachable(watch.parsed, self.records)
        allowed = None if filters is None else filters.allowed(self.records)
        passing = None if allowed is None else set(allowed.tolist())
        fits = self._condition(watch.subject) if watch.kind == "condition" else None
        only, parameters = ("AND id = ?", [watch.subject]) if watch.kind == "trial" else ("", [])
        sql = f"SELECT num, id, hash FROM trials WHERE generation > ? {only} ORDER BY num"  # noqa: S608
        found: dict[str, Found] = {}
        looked_at = set()
        for num, trial_id, digest in self.records.rows(sql, [since, *parameters]):
            looked_at.add(trial_id.lower())
            if filters is None or (passing is not None and num not in passing):
                continue
            try:
                stored = next(self.records.load([num]))
            except IndexDamaged:  # a check of the index names it
                looked_at.discard(trial_id.lower())
                continue
            if not stored.trial.gone_since and (fits is None or fits(stored.trial)):
                found[trial_id.lower()] = Found(stored.trial, digest, stored.last_checked)
        return View(found, looked_at, self.records.generation)

    def narrower(self, condition: str) -> tuple[Concept | None, list[Concept]]:
        """The concept that a condition is, if a vocabulary knows it, and every narrower one."""
        concept = self.recognizer.lookup(condition)
        return concept, self.recognizer.narrower(concept) if concept else []

    def _condition(self, condition: str) -> Callable[[Trial], bool]:
        """Whether a trial names the condition or a narrower one."""
        concept, below = self.narrower(condition)
        wanted = {_identity(one) for one in ([concept, *below] if concept else [])}
        words = {normalize(condition), normalize(natural_order(condition))}

        @cache
        def means(name: str) -> bool:
            if normalize(name) in words or normalize(natural_order(name)) in words:
                return True
            meant = self.recognizer.lookup(name) if wanted else None
            return meant is not None and _identity(meant) in wanted

        return lambda trial: any(map(means, names_of(trial)))

    # --- a question -------------------------------------------------------------------------------------------------

    def _asked(self, watch: Watch, since: int) -> View:
        """The first results of the question that are similar enough, whenever they came."""
        filters = _reachable(watch.parsed, self.records)
        if filters is None or not len(self.records):
            return View({}, set(), self.records.generation)
        answer = self._index.query(watch.subject, filters=filters, limit=watch.top)
        found: dict[str, Found] = {}
        sql = "SELECT hash, last_checked, generation > ? FROM trials WHERE id = ?"
        for hit in answer.hits:
            similarity = hit.parts.get("vector", -1.0)
            if similarity < watch.level or hit.trial.gone_since:
                continue
            for digest, checked, fresh in self.records.rows(sql, (since, hit.trial.id)):
                trial = self.records.earlier(hit.trial.id, digest) or hit.trial
                found[hit.trial.id.lower()] = Found(trial, digest, checked, bool(fresh), hit.rank, similarity)
        return View(found, set(), min(answer.generation, self.records.generation))


def names_of(trial: Trial) -> Iterator[str]:
    """What a trial says it is about: conditions as listed and as normalised, and keywords."""
    yield from trial.conditions
    for term in trial.normalized_conditions:
        yield term.name
    yield from trial.keywords


def _identity(concept: Concept) -> str:
    return concept.id or normalize(natural_order(concept.name))


def _reachable(filters: Filters, records: Records) -> Filters | None:
    """The filters without countries and sources that no trial of the index has; ``None`` if no trial can pass."""
    kept = {}
    for what in ("country", "source"):
        values: tuple[str, ...] = getattr(filters, what)
        kept[what] = tuple(value for value in values if _held(Filters(**{what: (value,)}), records))  # type: ignore[arg-type]
        if values and not kept[what]:
            return None
    return replace(filters, **kept)  # type: ignore[arg-type]


def _held(filters: Filters, records: Records) -> bool:
    try:
        filters.allowed(records)
    except QueryError:
        return False
    return True

"""Trials without a question: a page of those that pass filters, what they can be narrowed by, what leaves none, and
trials like one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import fields, replace

from trialindex.errors import QueryError, nearest
from trialindex.plugin.results import Listing, Relaxation, SimilarTrial
from trialindex.search.filters import Filters
from trialindex.search.retrieval import nearest_trials
from trialindex.search.searcher import Searcher
from trialindex.storage.listing import Order, count_values, page_numbers
from trialindex.storage.records import Stored

ORDERS: tuple[Order, ...] = ("added", "newest", "open")


class Browser(ABC):
    """What an index answers without a question; :class:`trialindex.Index` is one."""

    @abstractmethod
    def searcher(self) -> AbstractContextManager[Searcher]:
        """The newest state of the index, open for searching."""

    @abstractmethod
    def stored(self, trial_id: str) -> Stored:
        """The trial with that id.

        :raises UnknownTrial: there is none.
        """

    def browse(
        self,
        filters: Filters | None = None,
        *,
        order: str = "open",
        limit: int = 10,
        page: int = 1,
        contacts: bool = False,
    ) -> Listing:
        """A page of the trials that pass the filters, without a question.

        :param order: ``open``, those that people can join first and of these the last updated, ``newest``, those first
            seen last, or ``added``, as they came.
        :param limit: trials a page.
        :param page: from 1.
        :param contacts: leave the contacts in the trials; without it they are masked.
        :raises QueryError: an unknown order, or a value that is not understood.
        """
        with self.searcher() as searcher:
            return browse(searcher, filters or Filters(), order, limit, page, contacts=contacts)

    def facets(self, filters: Filters | None = None) -> dict[str, dict[str, int]]:
        """How many of the trials that pass the filters have each ``status``, ``phase``, ``study_type`` and ``country``.

        :returns: by facet the codes and countries, as the index writes them, the most frequent first.
        :raises QueryError: a filter names what no trial of the index has.
        """
        with self.searcher() as searcher:
            return count_values(searcher.records, searcher.allowed(filters or Filters()))

    def relaxations(self, filters: Filters) -> tuple[Relaxation, ...]:
        """For each of the filters how many trials pass without it: what to loosen when an answer is empty.

        :raises QueryError: a filter names what no trial of the index has.
        """
        with self.searcher() as searcher:
            return relax(searcher, filters)

    def similar(self, trial_id: str, *, limit: int = 5) -> tuple[SimilarTrial, ...]:
        """The trials that are most like the trial with that id, masked, the most similar first.

        :raises UnknownTrial: the index has no such trial; the message names ids that look alike.
        """
        num = self.stored(trial_id).num
        with self.searcher() as searcher:
            return similar_trials(searcher, num, limit)


def browse(searcher: Searcher, filters: Filters, order: str, limit: int, page: int, *, contacts: bool) -> Listing:
    """A page of the trials that pass the filters; :meth:`trialindex.Index.browse` says what is given.

    :raises QueryError: an unknown order or filter value, a limit or page below 1.
    """
    chosen = next((one for one in ORDERS if one == order), None)
    if chosen is None:
        raise QueryError(f'unknown order "{order}".', hint=nearest(order, ORDERS))
    if limit < 1 or page < 1:
        raise QueryError("limit and page start at 1.")
    records, allowed = searcher.records, searcher.allowed(filters)
    nums = page_numbers(records, allowed, chosen, limit, (page - 1) * limit)
    trials = (stored.trial for stored in records.load(nums, raw=contacts))
    return Listing(
        filters=filters.words(),
        order=chosen,
        searched=len(records) if allowed is None else len(allowed),
        total=len(records),
        page=page,
        limit=limit,
        trials=tuple(trial if contacts else trial.masked() for trial in trials),
        generation=records.generation,
    )


def relax(searcher: Searcher, filters: Filters) -> tuple[Relaxation, ...]:
    """For each filter how many trials pass without it, those that let most pass first.

    Source: query relaxation for empty answers, Mottin et al., PVLDB 6(14), 2013, here one filter at a time.

    :raises QueryError: a filter names what no trial of the index has.
    """
    found = []
    for name, text in filters.words().items():
        attribute = "within" if name == "distance" else name.replace(" ", "_")
        default = next(field.default for field in fields(Filters) if field.name == attribute)
        without = replace(filters, **{attribute: default})  # type: ignore[arg-type]
        allowed = searcher.allowed(without)
        count = len(searcher.records) if allowed is None else len(allowed)
        found.append(Relaxation(filter=attribute, words=text, trials=count))
    return tuple(sorted(found, key=lambda one: -one.trials))


def similar_trials(searcher: Searcher, num: int, limit: int) -> tuple[SimilarTrial, ...]:
    """The trials whose best passage is nearest to the mean of a trial's passages, the nearest first.

    :param num: of the trial, which is not among them.
    :returns: at most *limit*, masked; none when nothing of the trial is encoded yet.
    """
    import numpy as np

    records, derived = searcher.records, searcher.derived
    own = derived.passages_for(records, np.array([num], dtype=np.int64))
    _, vectors = derived.vectors.vectors(own)
    if not len(vectors):
        return ()
    mean = vectors.mean(axis=0, keepdims=True)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    [(found, _)] = nearest_trials(mean.astype(np.float32), limit + 1, searcher, None)
    cosines = {other: cosine for other, cosine in found.to_dict().items() if other != num}
    loaded = records.load(list(cosines)[:limit])
    return tuple(SimilarTrial(trial=one.trial.masked(), similarity=round(cosines[one.num], 4)) for one in loaded)

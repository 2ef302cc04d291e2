"""What a question is asked of: one state of an index, open for searching."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialindex.concepts.interpretation import Interpreter
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.interfaces import Encoder, Ids
    from trialindex.plugin.registry import Plugins
    from trialindex.search.filters import Filters
    from trialindex.search.settings import RankingSettings
    from trialindex.storage.derived import Derived
    from trialindex.storage.records import Records

FILTER_CACHE_SIZE = 8
"""Filters whose trials are remembered, at most 5 MB each in an index of 600,000."""


@dataclass(frozen=True)
class Searcher:
    """One state of an index, with what reads questions for it.

    :param derived: the vectors and the word index.
    :param records: a snapshot of the records.
    :param encoder: called when a text is to be embedded, and not before.
    :param recognizer: called when concepts are to be found in a text, and not before.
    :param interpreter: called when a question is read.
    :param settings: how trials are ranked.
    :param plugins: whose sources say which ids they can fetch.
    """

    derived: Derived
    records: Records
    encoder: Callable[[], Encoder]
    recognizer: Callable[[], ConceptRecognizer]
    interpreter: Callable[[], Interpreter]
    settings: RankingSettings
    plugins: Plugins

    def allowed(self, filters: Filters) -> Ids | None:
        """Sorted numbers of the trials that pass the filters, ``None`` for all.

        What the last few filters left is remembered as long as the index stays as it is: finding it takes longer than
        a query.

        :raises QueryError: a filter names what no trial of the index has.
        """
        if not filters:
            return None
        if self.records.generation != self.derived.generation:
            return filters.allowed(self.records)
        remembered = self.derived.allowed
        found = remembered.get(filters)
        if found is None:
            found = filters.allowed(self.records)
            assert found is not None
            for oldest in list(remembered)[: 1 - FILTER_CACHE_SIZE]:
                remembered.pop(oldest, None)
            remembered[filters] = found
        return found

    def count_unembedded(self) -> int:
        """How many trials have no vectors in this state yet, or not all of theirs."""
        return self.records.waiting.count_trials(self.derived.generation)

    def unembedded(self, trials: Ids) -> frozenset[int]:
        """Those of these trials, by number, that have no vectors in this state yet, or not all of theirs."""
        return self.records.waiting.select_waiting(trials, self.derived.generation)

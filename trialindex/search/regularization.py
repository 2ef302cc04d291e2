"""Trials that are alike score alike: what one text finds, it finds in families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trialindex.search.fusion import Ranking
from trialindex.search.searcher import Searcher

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors

_FEW = 100
"""Vectors that are compared with all others in blocks."""
_ROWS, _COLUMNS = 20, 32
"""Vectors that are compared at once: OpenBLAS uses one thread for up to 262,144 multiplications."""


class Neighbourhood:
    """The best trials, as many as the settings' ``pool_size``, each with those of them that are most like it.

    A trial is here the mean of its passages' vectors.

    Source: Diaz, *Regularizing ad hoc retrieval scores*, CIKM 2005: documents that are near each other are relevant
    to the same questions.

    :param scores: trials by number, with what they score so far.

    :ivar order: the numbers of all trials, best first.
    """

    def __init__(self, scores: Mapping[int, float], searcher: Searcher) -> None:
        import numpy as np

        settings, ranked = searcher.settings, Ranking.sorted(scores)
        self.order: list[int] = ranked.nums.tolist()
        self._scores = scores
        self._trials, self._vectors = trial_vectors(np.sort(ranked.nums[: settings.pool_size]), searcher)
        self._own = np.array([scores[num] for num in self._trials.tolist()])
        self._count = max(0, min(settings.neighbours, len(self._trials) - 1))

    def regularize(self, nums: Sequence[int], smoothing: float) -> dict[int, float]:
        """Each score with the mean of those of the trials most like it mixed in: of these trials those that change.

        :param smoothing: what the mean counts in the new score, above 0 and up to 1.
        """
        import numpy as np

        if not self._count:
            return {}
        asked = np.array(nums, dtype=np.int64)
        rows = np.searchsorted(self._trials, asked).clip(max=len(self._trials) - 1)
        rows = rows[self._trials[rows] == asked]
        likeness = _products(self._vectors[rows], self._vectors)
        places = np.arange(len(rows))
        likeness[places, rows] = -np.inf
        sums = np.zeros(len(rows))
        for _ in range(self._count):  # for so few, several times as fast as a partition
            nearest = likeness.argmax(axis=1)
            sums += self._own[nearest]
            likeness[places, nearest] = -np.inf
        regularized = (1 - smoothing) * self._own[rows] + smoothing * sums / self._count
        return dict(zip(self._trials[rows].tolist(), regularized.tolist(), strict=True))

    def limit(self, score: float, smoothing: float) -> float:
        """The most that a trial of this score or a lower one has afterwards."""
        best = [self._scores[num] for num in self.order[: self._count]]
        return max(score, (1 - smoothing) * score + smoothing * sum(best) / len(best)) if best else score


def _products(some: Vectors, others: Vectors) -> Vectors:
    """The inner products of some vectors with others, ``(some, others)``.

    A few are compared in blocks that are too small for numpy's library to use other threads, which wait in a loop for
    more work: for 60 that takes four times as much of the processors' time. For many, threads are worth it.
    """
    import numpy as np

    if len(some) > _FEW:
        return some @ others.T
    products = np.empty((len(some), len(others)), dtype=np.float32)
    for row in range(0, len(some), _ROWS):
        rows = slice(row, row + _ROWS)
        for column in range(0, len(others), _COLUMNS):
            columns = slice(column, column + _COLUMNS)
            np.matmul(some[rows], others[columns].T, out=products[rows, columns])
    return products


def trial_vectors(trials: Ids, searcher: Searcher) -> tuple[Ids, Vectors]:
    """A vector for each trial, the mean of those of its passages.

    :param trials: sorted numbers.
    :returns: those of them that have passages, and their vectors, ``(n, dimension)``, each of length 1.
    """
    import numpy as np

    derived, records = searcher.derived, searcher.records
    passages, vectors = derived.vectors.vectors(derived.passages_for(records, trials))
    owners = derived.trials_of(records, passages)[:, 0]
    known = np.isin(owners, trials)  # not those of a trial that went away meanwhile
    rows = np.flatnonzero(known)
    rows = rows[np.argsort(owners[rows], kind="stable")]
    found, starts, counts = np.unique(owners[rows], return_index=True, return_counts=True)
    sums = vectors[rows[starts]]
    for nth in range(1, counts.max(initial=1)):  # a trial has few passages: faster than numpy.add.reduceat
        more = np.flatnonzero(counts > nth)
        if len(more) == len(found):
            sums += vectors[rows[starts + nth]]
        else:
            sums[more] += vectors[rows[starts[more] + nth]]
    sums /= np.maximum(
        np.sqrt(np.add.reduce(sums * sums, axis=1, keepdims=True)), 1e-12
    )  # in place, unlike numpy's norm
    return found, sums

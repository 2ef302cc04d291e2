"""Trials that are alike score alike: what one text finds, it finds in families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trialindex.search.searcher import Searcher

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors


def regularize_scores(scores: Mapping[int, float], smoothing: float, searcher: Searcher) -> dict[int, float]:
    """Each score with the mean of those of the trials most like it mixed in; the order of *scores* does not count.

    A trial is here the mean of its passages' vectors, and its neighbours are the nearest among the best, as many as
    the settings' ``pool_size``. Those below keep their scores.

    Source: Diaz, *Regularizing ad hoc retrieval scores*, CIKM 2005: documents that are near each other are relevant
    to the same questions.

    :param scores: trials by number, with what they score so far.
    :param smoothing: what the mean counts in the new score, above 0 and up to 1.
    :returns: those whose scores change, with the new ones.
    """
    import numpy as np

    best = np.array(sorted(scores, key=lambda num: (-scores[num], num))[: searcher.settings.pool_size], dtype=np.int64)
    if len(best) < 2:
        return {}
    trials, vectors = trial_vectors(np.sort(best), searcher)
    neighbours = min(searcher.settings.neighbours, len(trials) - 1)
    if neighbours < 1:
        return {}
    own = np.array([scores[num] for num in trials.tolist()])
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    rows = np.arange(len(trials))
    sums = np.zeros(len(trials))
    for _ in range(neighbours):  # for so few, several times as fast as a partition
        nearest = likeness.argmax(axis=1)
        sums += own[nearest]
        likeness[rows, nearest] = -np.inf
    regularized = (1 - smoothing) * own + smoothing * sums / neighbours
    return dict(zip(trials.tolist(), regularized.tolist(), strict=True))


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
    order = np.argsort(owners[known], kind="stable")
    vectors = vectors[known][order]
    found, starts, counts = np.unique(owners[known][order], return_index=True, return_counts=True)
    sums = vectors[starts]
    for nth in range(1, counts.max(initial=1)):  # a trial has few passages: faster than numpy.add.reduceat
        sums[counts > nth] += vectors[starts[counts > nth] + nth]
    return found, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)

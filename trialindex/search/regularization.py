"""Trials that are alike score alike: what one text finds, it finds in families."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trialindex.storage.derived import Derived
from trialindex.storage.records import Records

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors

NEAREST = 3
"""How many others a trial is drawn towards."""
SMOOTHING = 0.3
"""What their mean counts in its score, for a note."""
POOL_SIZE = 2000
"""How many of the best trials are compared with each other."""


def regularize_scores(
    scores: Mapping[int, float], share: float, *, derived: Derived, records: Records
) -> dict[int, float]:
    """Each score with the mean of those of the trials most like it mixed in; the order of *scores* does not count.

    A trial is here the mean of its passages' vectors, and the most like it are the nearest among the
    :data:`POOL_SIZE` best. Those below keep their scores.

    Source: Diaz, *Regularizing ad hoc retrieval scores*, CIKM 2005: documents that are near each other are relevant
    to the same questions.

    :param scores: trials by number, with what they score so far. :param share: above 0, and up to 1.
    :returns: those whose scores change, with the new ones.
    """
    import numpy as np

    best = np.array(sorted(scores, key=lambda num: (-scores[num], num))[:POOL_SIZE], dtype=np.int64)
    if len(best) < 2:
        return {}
    trials, vectors = _of_trials(np.sort(best), derived, records)
    nearest = min(NEAREST, len(trials) - 1)
    if nearest < 1:
        return {}
    own = np.array([scores[num] for num in trials.tolist()])
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    rows = np.arange(len(trials))
    others = np.zeros(len(trials))
    for _ in range(nearest):  # for so few, several times as fast as a partition
        at = alike.argmax(axis=1)
        others += own[at]
        alike[rows, at] = -np.inf
    drawn = (1 - share) * own + share * others / nearest
    return dict(zip(trials.tolist(), drawn.tolist(), strict=True))


def _of_trials(trials: Ids, derived: Derived, records: Records) -> tuple[Ids, Vectors]:
    """Of sorted trials those that have passages, and of these the means, ``(n, dimension)``, each of length 1."""
    import numpy as np

    passages, vectors = derived.vectors.vectors(records.passages_of(trials, derived.generation))
    owners = records.owners(passages)[:, 0]
    known = np.isin(owners, trials)  # not those of a trial that went away meanwhile
    order = np.argsort(owners[known], kind="stable")
    vectors = vectors[known][order]
    found, starts, counts = np.unique(owners[known][order], return_index=True, return_counts=True)
    sums = vectors[starts]
    for nth in range(1, counts.max(initial=1)):  # a trial has few passages: faster than numpy.add.reduceat
        sums[counts > nth] += vectors[starts[counts > nth] + nth]
    return found, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)

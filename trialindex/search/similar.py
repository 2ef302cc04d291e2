"""Trials like a trial."""

from __future__ import annotations

from trialindex.search.retrieval import nearest_trials
from trialindex.storage.derived import Derived
from trialindex.storage.records import Records


def similar_trials(num: int, limit: int, *, derived: Derived, records: Records) -> dict[int, float]:
    """The *limit* trials whose best passage is nearest to the mean of a trial's passages, the nearest first.

    :param num: of the trial, which is not among them; empty when nothing of it is encoded yet.
    :returns: numbers of trials with their cosines.
    """
    import numpy as np

    own = records.passages_of(np.array([num], dtype=np.int64), derived.generation)
    _, vectors = derived.vectors.vectors(own)
    if not len(vectors):
        return {}
    mean = vectors.mean(axis=0, keepdims=True)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    [found] = nearest_trials(mean.astype(np.float32), limit + 1, derived=derived, records=records, allowed=None)
    others = [(other, score) for other, (score, _) in found.items() if other != num]
    return dict(others[:limit])

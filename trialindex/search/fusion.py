"""Several rankings made one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def fuse(
    lists: Sequence[Mapping[int, float]],
    size: int,
    weights: Sequence[float],
    depth: int,
    unrated: Sequence[Collection[int] | None] = (),
) -> dict[int, float]:
    """The weighted sum of standardised scores: each list's scores less their mean, in units of their deviation.

    Mean and standard deviation are those of a list's first *depth* scores; one that has fewer of the *size* items that
    could be in it is filled up with zeros, which is what words that do not occur score. An item that a list lacks gets
    what its last one has. Only the first *depth* of a list are summed; an item that is below that in every list gets
    less than all others, by its best rank: how deep the lists go changes no score above.

    An item that a list could not rate counts there as what that list has at the item's best rank in the others: it is
    taken to be as good as they say, and the list neither helps nor hurts it.

    Source: CombSUM (Fox and Shaw, *Combination of multiple searches*, TREC-2, 1994) over standardised scores (as in
    Renda and Straccia, *Web metasearch: rank vs. score based rank aggregation methods*, SAC 2003).

    :param lists: each maps items to scores, best first.
    :param size: how many items there are to rank.
    :param weights: of the lists.
    :param depth: how many scores of each list count.
    :param unrated: of each list the items that it could not rate; it rates all others, and is never filled up. ``None``
        for a list that lacks what scores zero, which all of them are unless given.
    """
    import numpy as np

    tops = [np.fromiter(scores, dtype=np.int64, count=len(scores))[:depth] for scores in lists]
    # np.unique loads numpy.ma, which takes a first query longer than all of this
    items = np.array(sorted({item for top in tops for item in top.tolist()}), dtype=np.int64)
    sums = np.zeros(len(items))
    count = min(depth, size)
    best_ranks = np.full(len(items), depth)
    for top in tops if any(unrated) else ():
        rows = np.searchsorted(items, top)
        best_ranks[rows] = np.minimum(best_ranks[rows], np.arange(len(top)))
    for top, scores, weight, missing in zip(tops, lists, weights, unrated or [None] * len(lists), strict=True):
        if not len(top):
            continue
        values = np.fromiter(scores.values(), dtype=np.float64, count=len(scores))[:depth]
        unfilled = max(0, count - len(values)) if missing is None else 0
        mean = values.sum() / (len(values) + unfilled)
        square = ((values - mean) ** 2).sum() + unfilled * mean**2
        deviation = float(np.sqrt(square / (len(values) + unfilled))) or 1.0
        standard = np.full(len(items), ((0.0 if unfilled else values[-1]) - mean) / deviation)
        standard[np.searchsorted(items, top)] = (values - mean) / deviation
        if missing:
            rows = np.flatnonzero(np.isin(items, list(missing)) & ~np.isin(items, top))
            standard[rows] = (values[np.minimum(best_ranks[rows], len(values) - 1)] - mean) / deviation
        sums += weight * standard
    found = dict(zip(items.tolist(), sums.tolist(), strict=True))
    floor = float(sums.min(initial=0.0)) - 2.0
    for place, scores in enumerate(lists):
        for rank, item in enumerate(list(scores)[depth:], start=depth + 1):
            if item not in found or found[item] < floor + 1:
                below = floor + 1 / (rank + place / len(lists))  # at one rank the first list goes first
                found[item] = max(found.get(item, floor), below)
    return found

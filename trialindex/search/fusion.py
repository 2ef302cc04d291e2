"""Several rankings made one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trialindex.plugin.interfaces import Ids


class Ranking(Mapping[int, float]):
    """Items with their scores, best first: a mapping that is two arrays.

    :param nums: the items.
    :param scores: of each, as long.
    """

    def __init__(self, nums: Ids, scores: NDArray[np.float64]) -> None:
        self.nums = nums
        self.scores = scores

    @classmethod
    def of(cls, scores: Mapping[int, float]) -> Ranking:
        """That of a mapping that is in order, best first."""
        import numpy as np

        if isinstance(scores, Ranking):
            return scores
        count = len(scores)
        return cls(np.fromiter(scores, np.int64, count), np.fromiter(scores.values(), np.float64, count))

    @classmethod
    def sorted(cls, scores: Mapping[int, float]) -> Ranking:
        """That of a mapping in any order; of equals the one of the lower number comes first."""
        import numpy as np

        unsorted = cls.of(scores)
        order = np.lexsort((unsorted.nums, -unsorted.scores))
        return cls(unsorted.nums[order], unsorted.scores[order])

    @cached_property
    def ranks(self) -> dict[int, int]:
        """Every item's rank, from 1."""
        return dict(zip(self.nums.tolist(), range(1, len(self.nums) + 1), strict=True))

    def places(self, nums: Ids) -> Ids:
        """The rank of each of these items, from 1; 0 where it is not ranked."""
        import numpy as np

        order = np.argsort(self.nums)
        rows = order[np.searchsorted(self.nums, nums, sorter=order).clip(max=len(order) - 1)] if len(order) else order
        return np.where(self.nums[rows] == nums, rows + 1, 0) if len(order) else np.zeros(len(nums), dtype=np.int64)

    def changed(self, gains: Mapping[int, float]) -> Ranking:
        """The same after some items gained or lost; one that is new has its gain alone."""
        import numpy as np

        if not gains:
            return self
        gained = np.fromiter(gains, np.int64, len(gains))
        change = np.fromiter(gains.values(), np.float64, len(gains))
        places = self.places(gained)
        scores = self.scores.copy()
        scores[places[places > 0] - 1] += change[places > 0]
        nums, scores = np.append(self.nums, gained[places == 0]), np.append(scores, change[places == 0])
        order = np.lexsort((nums, -scores))
        return Ranking(nums[order], scores[order])

    def to_dict(self) -> dict[int, float]:
        """The same as a dictionary."""
        return dict(zip(self.nums.tolist(), self.scores.tolist(), strict=True))

    def __getitem__(self, num: int) -> float:
        return float(self.scores[self.ranks[num] - 1])

    def __contains__(self, num: object) -> bool:
        return num in self.ranks

    def __iter__(self) -> Iterator[int]:
        return iter(self.nums.tolist())

    def __len__(self) -> int:
        return len(self.nums)


def fuse(
    lists: Sequence[Mapping[int, float]],
    size: int,
    weights: Sequence[float],
    depth: int,
    unrated: Sequence[Collection[int] | None] = (),
) -> Ranking:
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

    ranked = [Ranking.of(scores) for scores in lists]
    tops = [one.nums[:depth] for one in ranked]
    # np.unique loads numpy.ma, which takes a first query longer than all of this
    found = np.sort(np.concatenate(tops)) if tops else np.empty(0, dtype=np.int64)
    items = found[np.diff(found, prepend=-1) > 0]
    sums = np.zeros(len(items))
    count = min(depth, size)
    best_ranks = np.full(len(items), depth)
    for top in tops if any(unrated) else ():
        rows = np.searchsorted(items, top)
        best_ranks[rows] = np.minimum(best_ranks[rows], np.arange(len(top)))
    for top, one, weight, missing in zip(tops, ranked, weights, unrated or [None] * len(lists), strict=True):
        if not len(top):
            continue
        values = one.scores[:depth]
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
    if all(len(one) <= depth for one in ranked):
        order = np.argsort(-sums, kind="stable")
        return Ranking(items[order], sums[order])
    below = dict(zip(items.tolist(), sums.tolist(), strict=True))
    floor = float(sums.min(initial=0.0)) - 2.0
    for place, one in enumerate(ranked):
        for rank, item in enumerate(one.nums[depth:].tolist(), start=depth + 1):
            if item not in below or below[item] < floor + 1:
                score = floor + 1 / (rank + place / len(lists))  # at one rank the first list goes first
                below[item] = max(below.get(item, floor), score)
    return Ranking.sorted(below)

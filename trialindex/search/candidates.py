"""Fusing: from the rankings of a question to its candidates, best first."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest
from typing import TYPE_CHECKING

from trialindex.search.fusion import Ranking
from trialindex.search.participants import ParticipantChecker
from trialindex.search.question import Question
from trialindex.search.rankings import Candidate, Rankings
from trialindex.search.regularization import Neighbourhood
from trialindex.search.requirements import RequirementChecker
from trialindex.search.searcher import Searcher

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids
    from trialindex.search.settings import RankingSettings

_STEP = 10
"""Trials that are read at a time, to see which of the best fit: most questions are answered by few of them."""


def best_candidates(rankings: Rankings, searcher: Searcher, wanted: int) -> list[Candidate]:
    """The trials that match a question, best first: *wanted* of them, or all there are.

    A larger *wanted* only adds to the end, so that pages neither overlap nor leave a trial out. In ``hybrid`` mode
    trials stand further down whose stated age or sex does not fit the person, or that ask for what the question rules
    out, and further up that are for people in the state that it gives.
    """
    import numpy as np

    settings, question = searcher.settings, rankings.question
    if not rankings.scores:
        return []
    adjustments: dict[int, dict[str, float]] = {}
    gained: dict[int, float] = {}
    risen: dict[int, float] = {}
    if question.mode == "hybrid":
        weights = settings.weights(question.text, proposed=question.proposed.replaces)
        ranking = rankings.fused(weights, settings.depth)
        adjuster = _Adjuster(question, searcher)
        smoothing = settings.smoothing * settings.note_share(question.text)
        if smoothing:
            ranking, gained = _smoothed(rankings, ranking, smoothing, adjuster, wanted)
        held = ranking.places(_array(rankings.testing)) if rankings.testing else ()
        bonus = [num for num, place in zip(rankings.testing, held, strict=True) if place]
        ranking = ranking.changed(dict.fromkeys(bonus, settings.treatment_bonus))
        risen = _rise(ranking, rankings.stated, settings)
        ranking = ranking.changed(risen)
        adjustments = adjuster.adjust_best(ranking, wanted)
        ranking = ranking.changed({num: _change(parts) for num, parts in adjustments.items()})
    else:
        ranking = rankings.scores[question.mode]
    least = ranking.scores[min(wanted, len(ranking)) - 1] if len(ranking) else 0.0
    last = int(np.count_nonzero(ranking.scores >= least))  # those that score as the last one does stand in its order
    first = ranking.nums[:last]
    scores, places = (
        ranking.scores[:last].tolist(),
        [found.places(first).tolist() for found in rankings.scores.values()],
    )
    ranks = list(zip(*places, strict=True))
    nums = first.tolist()

    def order(at: int) -> tuple[float, ...]:
        return (-scores[at], *(rank or math.inf for rank in ranks[at]), nums[at])

    candidates = []
    for at in sorted(range(last), key=order)[:wanted]:
        num = nums[at]
        parts = dict(adjustments.get(num, {}))
        if num in rankings.testing:
            parts["treatment"] = settings.treatment_bonus
        if num in risen:
            parts["state"] = round(risen[num], 4)
        if num in gained:
            parts["regularization"] = round(gained[num], 4)
        for (name, found), rank in zip(rankings.scores.items(), ranks[at], strict=True):
            if rank:
                parts |= {name: round(float(found.scores[rank - 1]), 4), f"{name}_rank": rank}
        candidates.append(Candidate(num, scores[at], parts, rankings.passages.get(num)))
    return candidates


def named_first(nums: Sequence[int], candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with the trials of these numbers before all others, in this order, found or not."""
    found = {candidate.num: candidate for candidate in candidates}
    best = max((candidate.score for candidate in candidates), default=0.0)
    first = []
    for above, num in zip(range(len(nums), 0, -1), nums, strict=True):
        own = found.pop(num, Candidate(num, 0.0, {}, None))
        first.append(replace(own, score=best + above, parts=own.parts | {"named": float(above)}))
    return [*first, *found.values()]


def search_depth(wanted: int, depth: int) -> int:
    """How deep the rankings have to go for *wanted* candidates: *depth* or, for late pages, a larger multiple."""
    while depth < wanted:
        depth *= 4
    return depth


def _rise(ranking: Ranking, stated: Collection[int], settings: RankingSettings) -> dict[int, float]:
    """What trials gain for the state of a biomarker: a share of what they lack to one standard deviation above the
    best, so that they keep their order. One that no ranking found starts from the last of those that were.
    """
    if not stated or not len(ranking):
        return {}
    best = float(ranking.scores[0])
    last = float(ranking.scores[: settings.depth][-1])
    gains = {}
    for num, place in zip(stated, ranking.places(_array(stated)).tolist(), strict=True):
        own = float(ranking.scores[place - 1]) if place else last
        gains[num] = settings.state_share * (best + 1 - own) + (0.0 if place else last)
    return gains


def _array(nums: Collection[int]) -> Ids:
    import numpy as np

    return np.fromiter(nums, np.int64, len(nums))


def _smoothed(
    rankings: Rankings, fused: Ranking, smoothing: float, adjuster: _Adjuster, wanted: int
) -> tuple[Ranking, dict[int, float]]:
    """The fused ranking in which trials that are alike score alike, and what trials gained by it.

    Where that tells enough it has only as many trials as can be among the *wanted* first.
    """
    import numpy as np

    searcher, depth = adjuster.searcher, adjuster.searcher.settings.depth
    deep = set(np.concatenate([found.nums[:depth] for found in rankings.scores.values()]).tolist())
    scores = fused.to_dict()
    own = {num: scores[num] for num in deep}  # the same trials however deep the rankings go
    neighbourhood = Neighbourhood(own, searcher)
    first = None
    if not (rankings.testing or rankings.stated):
        first = _first_regularized(neighbourhood, own, smoothing, adjuster, wanted, depth)
    regularized = neighbourhood.regularize(neighbourhood.order, smoothing) if first is None else first
    gained = {num: score - own[num] for num, score in regularized.items()}
    return Ranking.sorted(scores | regularized if first is None else first), gained


def _first_regularized(
    neighbourhood: Neighbourhood,
    own: Mapping[int, float],
    smoothing: float,
    adjuster: _Adjuster,
    wanted: int,
    depth: int,
) -> dict[int, float] | None:
    """The new scores of so many of the best trials that the *wanted* first are among them, whatever these lose because
    they do not fit; ``None`` where that takes half of the *depth*: then all are compared with each other.
    """
    order, scores = neighbourhood.order, dict[int, float]()
    step = wanted + 50
    while len(scores) + step <= min(depth // 2, len(order) - 1):
        batch = order[len(scores) : len(scores) + step]
        scores |= {num: own[num] for num in batch} | neighbourhood.regularize(batch, smoothing)
        parts = adjuster.adjust_best(Ranking.sorted(scores), wanted)
        kept = nlargest(wanted, (score + _change(parts.get(num, {})) for num, score in scores.items()))
        if neighbourhood.limit(own[order[len(scores)]], smoothing) + adjuster.most < kept[-1]:
            return scores
        step *= 2
    return None


class _Adjuster:
    """Says what trials lose because they do not fit, and gain because they do, by the names of
    :class:`~trialindex.plugin.results.Hit`.

    :ivar searcher: of the question.
    :ivar most: what a trial can gain.
    """

    def __init__(self, question: Question, searcher: Searcher) -> None:
        self._person, self.searcher = question.person, searcher
        self._requirements = RequirementChecker(question, searcher)
        self._takes = ParticipantChecker(question, note=searcher.settings.note_share(question.text) > 0)
        self._limited = self._person.age is not None or self._person.sex is not None
        self._read = bool(self._requirements or self._takes or self._person.healthy)
        self._parts: dict[int, dict[str, float]] = {}
        self.most = searcher.settings.healthy_gain * self._person.healthy

    def adjust(self, nums: Sequence[int]) -> dict[int, dict[str, float]]:
        """The parts of these trials' scores, of those that have any. Each trial is looked at once."""
        settings, records = self.searcher.settings, self.searcher.records
        new = [num for num in nums if num not in self._parts]
        self._parts |= {num: {} for num in new}
        for num, stated in (records.eligibility_limits(new) if self._limited else {}).items():
            if count := self._person.mismatches(*stated):
                self._parts[num]["mismatch"] = settings.mismatch_penalty * count
        for stored in records.load_readable(new) if self._read else ():
            parts = self._parts[stored.num]
            if next(self._requirements.conflicts(stored.trial), None):
                parts["ruled_out"] = settings.ruled_out_penalty
            if self._takes.misfit(stored.trial):
                parts["others"] = settings.others_penalty
            if self._person.healthy and stored.trial.healthy_volunteers:
                parts["healthy"] = settings.healthy_gain
        return {num: self._parts[num] for num in nums if self._parts[num]}

    def adjust_best(self, ranking: Ranking, wanted: int) -> dict[int, dict[str, float]]:
        """The same of the best ``depth``, and of these only of as many as can be among the *wanted* best in the end."""
        found: dict[int, dict[str, float]] = {}
        if not (self._limited or self._read):
            return found
        depth = self.searcher.settings.depth
        best, scores = ranking.nums[:depth].tolist(), ranking.scores[:depth].tolist()
        step = max(wanted, _STEP)
        after: list[float] = []
        for start in range(0, len(best), step):
            end = start + step
            found |= self.adjust(best[start:end])
            both = zip(best[start:end], scores[start:end], strict=True)
            after += [score + _change(found.get(num, {})) for num, score in both]
            if end < len(best) and scores[end] + self.most < nlargest(wanted, after)[-1]:
                break
        return found


def _change(parts: Mapping[str, float]) -> float:
    """What the score of a trial changes by."""
    lost = parts.get("mismatch", 0.0) + parts.get("ruled_out", 0.0) + parts.get("others", 0.0)
    return parts.get("healthy", 0.0) - lost

"""Fusing: from the rankings of a question to its candidates, best first."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest
from itertools import islice

from trialindex.search.fusion import Ranking
from trialindex.search.participants import ParticipantChecker
from trialindex.search.question import Question
from trialindex.search.rankings import Candidate, Rankings
from trialindex.search.regularization import Neighbourhood
from trialindex.search.requirements import RequirementChecker
from trialindex.search.searcher import Searcher

_STEP = 10
"""Trials that are read at a time, to see which of the best fit: most questions are answered by few of them."""


def best_candidates(rankings: Rankings, searcher: Searcher, wanted: int) -> list[Candidate]:
    """The trials that match a question, best first: *wanted* of them, or all there are.

    A larger *wanted* only adds to the end, so that pages neither overlap nor leave a trial out. In ``hybrid`` mode
    trials stand further down whose stated age or sex does not fit the person, or that ask for what the question rules
    out, and further up that are for people in the state that it gives.
    """
    settings, question = searcher.settings, rankings.question
    if not rankings.scores:
        return []
    adjustments: dict[int, dict[str, float]] = {}
    gained: dict[int, float] = {}
    risen: dict[int, float] = {}
    if question.mode == "hybrid":
        weights = settings.weights(question.text, proposed=question.proposed.replaces)
        scores = rankings.fused(weights, settings.depth).to_dict()
        adjuster = _Adjuster(question, searcher)
        smoothing = settings.smoothing * settings.note_share(question.text)
        if smoothing:
            deep = {num for found in rankings.scores.values() for num in islice(found, settings.depth)}
            own = {num: scores[num] for num in deep}  # the same trials however deep the rankings go
            neighbourhood = Neighbourhood(own, searcher)
            first = None
            if not (rankings.testing or rankings.stated):
                first = _first_regularized(neighbourhood, own, smoothing, adjuster, wanted, settings.depth)
            regularized = neighbourhood.regularize(neighbourhood.order, smoothing) if first is None else first
            gained = {num: score - own[num] for num, score in regularized.items()}
            scores = scores | regularized if first is None else first
        for num in rankings.testing & scores.keys():
            scores[num] += settings.treatment_bonus
        risen = _rise(scores, rankings.stated, searcher)
        for num, gain in risen.items():
            scores[num] = scores.get(num, 0.0) + gain
        adjustments = adjuster.adjust_best(scores, wanted)
        for num, parts in adjustments.items():
            scores[num] += _change(parts)
    else:
        scores = rankings.scores[question.mode].to_dict()
    ranks = {name: found.ranks for name, found in rankings.scores.items()}

    def order(num: int) -> tuple[float, ...]:
        return (-scores[num], *(ranks[name].get(num, math.inf) for name in ranks), num)

    least = min(nlargest(wanted, scores.values()), default=0.0)
    candidates = []
    for num in sorted((num for num, score in scores.items() if score >= least), key=order)[:wanted]:
        parts = dict(adjustments.get(num, {}))
        if num in rankings.testing:
            parts["treatment"] = settings.treatment_bonus
        if num in risen:
            parts["state"] = round(risen[num], 4)
        if num in gained:
            parts["regularization"] = round(gained[num], 4)
        for name, found in rankings.scores.items():
            if num in found:
                parts |= {name: round(found[num], 4), f"{name}_rank": ranks[name][num]}
        candidates.append(Candidate(num, scores[num], parts, rankings.passages.get(num)))
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


def _rise(scores: Mapping[int, float], stated: Collection[int], searcher: Searcher) -> dict[int, float]:
    """What trials gain for the state of a biomarker: a share of what they lack to one standard deviation above the
    best, so that they keep their order. One that no ranking found starts from the last of those that were.
    """
    settings = searcher.settings
    if not stated or not scores:
        return {}
    deepest = nlargest(settings.depth, scores.values())
    own = {num: scores.get(num, deepest[-1]) for num in stated}
    missing = {num: deepest[-1] for num in stated if num not in scores}
    return {num: settings.state_share * (deepest[0] + 1 - own[num]) + missing.get(num, 0.0) for num in stated}


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
        parts = adjuster.adjust_best(scores, wanted)
        kept = nlargest(wanted, (score + _change(parts.get(num, {})) for num, score in scores.items()))
        if neighbourhood.limit(own[order[len(scores)]], smoothing) + adjuster.most < kept[-1]:
            return scores
        step *= 2
    return None


class _Adjuster:
    """Says what trials lose because they do not fit, and gain because they do, by the names of
    :class:`~trialindex.plugin.results.Hit`.

    :ivar most: what a trial can gain.
    """

    def __init__(self, question: Question, searcher: Searcher) -> None:
        self._person, self._searcher = question.person, searcher
        self._requirements = RequirementChecker(question, searcher)
        self._takes = ParticipantChecker(question, note=searcher.settings.note_share(question.text) > 0)
        self._limited = self._person.age is not None or self._person.sex is not None
        self._read = bool(self._requirements or self._takes or self._person.healthy)
        self._parts: dict[int, dict[str, float]] = {}
        self.most = searcher.settings.healthy_gain * self._person.healthy

    def adjust(self, nums: Sequence[int]) -> dict[int, dict[str, float]]:
        """The parts of these trials' scores, of those that have any. Each trial is looked at once."""
        settings, records = self._searcher.settings, self._searcher.records
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

    def adjust_best(self, scores: Mapping[int, float], wanted: int) -> dict[int, dict[str, float]]:
        """The same of the best ``depth``, and of these only of as many as can be among the *wanted* best in the end."""
        found: dict[int, dict[str, float]] = {}
        if not (self._limited or self._read):
            return found
        best = Ranking.sorted(scores).nums[: self._searcher.settings.depth].tolist()
        step = max(wanted, _STEP)
        for start in range(0, len(best), step):
            end = start + step
            found |= self.adjust(best[start:end])
            kept = nlargest(wanted, (scores[num] + _change(found.get(num, {})) for num in best[:end]))
            if end < len(best) and scores[best[end]] + self.most < kept[-1]:
                break
        return found


def _change(parts: Mapping[str, float]) -> float:
    """What the score of a trial changes by."""
    lost = parts.get("mismatch", 0.0) + parts.get("ruled_out", 0.0) + parts.get("others", 0.0)
    return parts.get("healthy", 0.0) - lost

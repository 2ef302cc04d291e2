"""Fusing: from the rankings of a question to its candidates, best first."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import nlargest
from itertools import islice

from trialindex.search.participants import ParticipantChecker
from trialindex.search.question import Question
from trialindex.search.rankings import Candidate, Rankings
from trialindex.search.regularization import regularize_scores
from trialindex.search.requirements import RequirementChecker
from trialindex.search.searcher import Searcher


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
        scores = rankings.fused(settings.weights(question.text, proposed=question.proposed.replaces), settings.depth)
        if smoothing := settings.smoothing * settings.note_share(question.text):
            deep = {num for found in rankings.scores.values() for num in islice(found, settings.depth)}
            own = {num: scores[num] for num in deep}  # the same trials however deep the rankings go
            regularized = regularize_scores(own, smoothing, searcher)
            gained = {num: score - own[num] for num, score in regularized.items()}
            scores |= regularized
        for num in rankings.testing & scores.keys():
            scores[num] += settings.treatment_bonus
        risen = _rise(scores, rankings.stated, searcher)
        for num, gain in risen.items():
            scores[num] = scores.get(num, 0.0) + gain
        adjustments = _adjustments(scores, wanted, question, searcher)
        for num, parts in adjustments.items():
            scores[num] += _change(parts)
    else:
        scores = dict(rankings.scores[question.mode])
    ranks = {name: {num: rank for rank, num in enumerate(found, 1)} for name, found in rankings.scores.items()}

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


def _adjustments(
    scores: Mapping[int, float], wanted: int, question: Question, searcher: Searcher
) -> dict[int, dict[str, float]]:
    """What trials lose because they do not fit, and gain because they do, by the names of
    :class:`~trialindex.plugin.results.Hit`.

    The first ``depth`` are looked at, and of these only as many as can be among the *wanted* best in the end.
    """
    settings, person = searcher.settings, question.person
    requirements = RequirementChecker(question, searcher)
    takes = ParticipantChecker(question, note=settings.note_share(question.text) > 0)
    known = person.age is not None or person.sex is not None
    found: dict[int, dict[str, float]] = {}
    if not (known or person.healthy or requirements or takes):
        return found
    most = settings.healthy_gain * person.healthy
    best = sorted(scores, key=lambda num: (-scores[num], num))[: settings.depth]
    done, step = 0, wanted + 50
    while done < len(best):
        batch = best[done : done + step]
        limits = searcher.records.eligibility_limits(batch) if known else {}
        for num, stated in limits.items():
            if count := person.mismatches(*stated):
                found[num] = {"mismatch": settings.mismatch_penalty * count}
        for stored in searcher.records.load_readable(batch) if requirements or person.healthy or takes else ():
            parts = found.setdefault(stored.num, {})
            if next(requirements.conflicts(stored.trial), None):
                parts["ruled_out"] = settings.ruled_out_penalty
            if takes.misfit(stored.trial):
                parts["others"] = settings.others_penalty
            if person.healthy and stored.trial.healthy_volunteers:
                parts["healthy"] = settings.healthy_gain
        done, step = done + step, 2 * step
        kept = nlargest(wanted, (scores[num] + _change(found.get(num, {})) for num in best[:done]))
        if done < len(best) and scores[best[done]] + most < kept[-1]:
            break
    return {num: parts for num, parts in found.items() if parts}


def _change(parts: Mapping[str, float]) -> float:
    """What the score of a trial changes by."""
    lost = parts.get("mismatch", 0.0) + parts.get("ruled_out", 0.0) + parts.get("others", 0.0)
    return parts.get("healthy", 0.0) - lost

"""Pseudo-relevance feedback: the words that the best trials so far share, to look for in all others."""

from __future__ import annotations

from heapq import nlargest

from trialindex.search.fusion import Ranking
from trialindex.search.searcher import Searcher

_STEP = 50
"""Words whose rarity is looked up at a time."""


def expansion_terms(scores: Ranking, searcher: Searcher) -> dict[str, float]:
    """The words of the best trials' titles and summaries, each with a weight from 0 to 1.

    Source: the relevance model RM3 of Abdul-Jaleel et al., *UMass at TREC 2004*, whose second ranking is fused with the
    others here in place of being mixed into the first query.

    :param scores: the trials so far.
    """
    settings, lexical = searcher.settings, searcher.derived.lexical
    best = scores.scores[: settings.cutoff_rank].tolist()
    if not best:
        return {}
    cutoff = best[-1] if len(best) == settings.cutoff_rank else min(0.0, best[-1])
    first = zip(scores.nums[: settings.feedback_trials].tolist(), best, strict=False)
    gains = {num: score - cutoff for num, score in first if score > cutoff}
    weights: dict[str, float] = {}
    for num, gain in gains.items():
        for stored in searcher.records.load_readable([num]):
            words = lexical.words(f"{stored.trial.title} {stored.trial.summary or ''}")
            share = gain / len(words) if words else 0.0
            for word in words:
                weights[word] = weights.get(word, 0.0) + share
    heavy: list[tuple[float, str]] = []
    ordered = sorted(weights.items(), key=lambda one: -one[1])
    for start in range(0, len(ordered), _STEP):
        full = len(heavy) >= settings.feedback_words
        if heavy and full and ordered[start][1] * lexical.highest_idf < heavy[-1][0]:
            break  # however rare the others are
        some = ordered[start : start + _STEP]
        idf = lexical.idf(word for word, _ in some)
        heavy = nlargest(settings.feedback_words, [*heavy, *((weight * idf[word], word) for word, weight in some)])
    return {word: weight / heavy[0][0] for weight, word in heavy if weight > 0}

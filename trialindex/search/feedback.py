"""Pseudo-relevance feedback: the words that the best trials so far share, to look for in all others."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from heapq import nlargest

from trialindex.errors import IndexDamaged
from trialindex.storage.lexical import Lexical
from trialindex.storage.records import Records

TRIALS = 10
"""How many trials the words are taken from."""
WORDS = 20
"""How many words are taken."""
CUTOFF_RANK = 200
"""The trial at this rank counts nothing; those above it by how much better they score."""


def expansion_terms(scores: Mapping[int, float], lexical: Lexical, records: Records) -> dict[str, float]:
    """The words of the best trials' titles and summaries, each with a weight from 0 to 1.

    Source: the relevance model RM3 of Abdul-Jaleel et al., *UMass at TREC 2004*, whose second ranking is fused with the
    others here in place of being mixed into the first query.

    :param scores: trials by number, with what they score so far.
    """
    best = nlargest(CUTOFF_RANK, scores.items(), key=lambda pair: (pair[1], -pair[0]))
    if not best:
        return {}
    floor = best[-1][1] if len(best) == CUTOFF_RANK else min(0.0, best[-1][1])
    gains = {num: score - floor for num, score in best[:TRIALS] if score > floor}
    weights: dict[str, float] = {}
    for num, gain in gains.items():
        with suppress(IndexDamaged):  # a record that cannot be read; a check of the index names it
            for stored in records.load([num]):
                words = lexical.words(f"{stored.trial.title} {stored.trial.summary or ''}")
                for word in words:
                    weights[word] = weights.get(word, 0.0) + gain / len(words)
    idf = lexical.idf(weights)
    heavy = nlargest(WORDS, ((weight * idf[word], word) for word, weight in weights.items()))
    return {word: weight / heavy[0][0] for weight, word in heavy if weight > 0}

"""Reading the first few dozen candidates again, together with the question, and putting them in that order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trialindex.errors import PluginError
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import Reranker
from trialindex.trial.sanitize import one_line

if TYPE_CHECKING:
    from trialindex.search.rankings import Candidate
    from trialindex.storage.records import Records
    from trialindex.trial import Trial

DEPTH = 50
"""How many candidates are read again unless told otherwise."""

_LONGEST = 20_000
"""Characters of a text that is read again; models read a few thousand at most."""


def rerank(
    query: str, candidates: Sequence[Candidate], reranker: Reranker, depth: int = DEPTH, *, records: Records
) -> list[Candidate]:
    """The same candidates, the first *depth* of them in the reranker's order; the others stay behind in theirs.

    A candidate that moves takes the score of the place that it moves to, so that scores still fall from first to last.
    Its parts gain ``reranker``, what the reranker gave it, and ``reranker_rank``. Of equals the one that was ahead
    stays ahead. It has to be given at least *depth* candidates on every page, or pages would overlap.

    :param records: where the titles and summaries are. A trial that is there no more is left behind the *depth*.
    :raises PluginError: the reranker fails, or does not give one finite number for each text.
    :raises EncoderError: its model fails.
    """
    texts = {stored.num: text_of(stored.trial) for stored in records.load([c.num for c in candidates[:depth]])}
    head = [candidate for candidate in candidates[:depth] if candidate.num in texts]
    gone = [candidate for candidate in candidates[:depth] if candidate.num not in texts]
    scores = _scores(reranker, query, [texts[candidate.num] for candidate in head])
    best = sorted(range(len(head)), key=lambda at: -scores[at])
    moved = [
        replace(head[at], parts={**head[at].parts, "reranker": round(scores[at], 4), "reranker_rank": rank})
        for rank, at in enumerate(best, start=1)
    ]
    places = [candidate.score for candidate in candidates[:depth]]
    front = [replace(candidate, score=score) for candidate, score in zip([*moved, *gone], places, strict=True)]
    return [*front, *candidates[depth:]]


def text_of(trial: Trial) -> str:
    """What a reranker reads of a trial: its title, and its summary or else its description."""
    title = one_line(trial.title[:_LONGEST])
    about = one_line((trial.summary or trial.description or "")[:_LONGEST])
    return f"{title}{'' if title[-1:] in {'.', '?', '!'} else '.'} {about}".strip()


def _scores(reranker: Reranker, query: str, texts: list[str]) -> list[float]:
    if not texts:
        return []
    with plugin_errors(f'the reranker "{reranker.name}"', hint="Report it to its author."):
        scores = [float(score) for score in reranker.score(query, texts)]
    if len(scores) != len(texts):
        wrong = f"{len(scores)} scores for {len(texts)} texts"
    elif not all(map(math.isfinite, scores)):
        wrong = "some that are no finite numbers"
    else:
        return scores
    raise PluginError(
        f'the reranker "{reranker.name}" gave scores that cannot be used: {wrong}.', hint="Report it to its author."
    )

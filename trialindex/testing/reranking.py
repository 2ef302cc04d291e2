"""The contract of a reranker as a check, and a reranker without a model."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from trialindex.plugin.interfaces import Reranker
from trialindex.testing.checks import _check_names, _require
from trialindex.testing.samples import HOSTILE, sample_texts

_WORD = re.compile(r"\w+")

_TEXTS = (
    *sample_texts(12),
    "",
    " \n\t ",
    "lupus",
    "狼疮性肾炎 👩🏽‍⚕️ e\u0301 \u202e ﷽",
    "half of a pair: \ud800",
    HOSTILE,
    "kidney " * 5000,
    "x" * 20000,
)
_TOLERANCE = 1e-3
"""How much the score of a text may differ alone and among others, of the largest score: models pad and round."""


class FakeReranker(Reranker):
    """Counts how much of the question's words a text has. No model, the same numbers on every machine.

    :param argument: ``reversed`` puts the least alike first.
    """

    name = "fake"
    summary = "For tests: counts shared words, needs no model."

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        """Every question with its texts, to see what a reranker is given."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        self.asked.append((query, tuple(texts)))
        sign = -1.0 if self.argument == "reversed" else 1.0
        wanted = set(_WORD.findall(query.lower()))
        return [sign * len(wanted & set(_WORD.findall(text.lower()))) / max(1, len(wanted)) for text in texts]


def check_reranker(reranker: Reranker) -> None:
    """Score ordinary and odd texts, together, alone and in another order.

    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Reranker` is broken.
    """
    _check_names(type(reranker))
    for query in ("severe lupus kidney", "", HOSTILE, "kidney " * 2000):
        scores = _scored(reranker, query, _TEXTS)
        largest = max(1.0, *map(abs, scores))
        backwards = _scored(reranker, query, _TEXTS[::-1])[::-1]
        alone = [score for text in _TEXTS for score in _scored(reranker, query, [text])]
        for what, others in (("in another order", backwards), ("alone", alone)):
            worst = max(range(len(_TEXTS)), key=lambda at: abs(scores[at] - others[at]))
            _require(
                abs(scores[worst] - others[worst]) <= _TOLERANCE * largest,
                f"{_TEXTS[worst][:40]!r} gets {scores[worst]:g}, and {what} {others[worst]:g}: "
                "is the order of the texts kept?",
            )
    _require(not _scored(reranker, "lupus", []), "score() of no texts must be empty")


def _scored(reranker: Reranker, query: str, texts: Sequence[str]) -> list[float]:
    scores = list(reranker.score(query, texts))
    _require(len(scores) == len(texts), f"score() returned {len(scores)} numbers for {len(texts)} texts")
    for score in scores:
        _require(
            isinstance(score, float | int) and math.isfinite(score),
            f"score() returned {score!r}, which is no finite number",
        )
    return scores

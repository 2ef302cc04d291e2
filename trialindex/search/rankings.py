"""What was found: the rankings of a question, and the candidates that come out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trialindex.search.fusion import Ranking, fuse
from trialindex.search.question import Question

BY_MEANING = ("vector", "focus")
"""The rankings that compare vectors; the others compare words."""


@dataclass(frozen=True)
class Candidate:
    """A trial that was found, by its number.

    :param score: what candidates are ordered by.
    :param parts: the score in each ranking that has it, and its rank there: ``vector`` and ``vector_rank``, and so on.
    :param passage: position of the passage whose vector matched best, ``None`` if found by words only.
    """

    num: int
    score: float
    parts: dict[str, float]
    passage: int | None


@dataclass(frozen=True)
class Rankings:
    """The rankings of one question.

    :param question: the question, with what each concept in it weighs.
    :param scores: by the name of the ranking: trials by number with their scores, best first.
    :param passages: of the trials that vectors found, the position of the passage that matched best.
    :param size: how many trials were ranked among.
    :param unembedded: of the trials that were found those that have no vectors yet, so that words alone tell of them.
    :param testing: those of them that test a treatment which is asked for.
    :param stated: trials that are for people in whom a biomarker is negative, as the question says it is.
    """

    question: Question
    scores: dict[str, Ranking]
    passages: Mapping[int, int | None]
    size: int
    unembedded: frozenset[int] = frozenset()
    testing: frozenset[int] = frozenset()
    stated: frozenset[int] = frozenset()

    def fused(self, weights: Mapping[str, float], depth: int) -> Ranking:
        """The rankings as one, see :func:`~trialindex.search.fusion.fuse`.

        :param weights: of the rankings, by name.
        """
        unrated = [self.unembedded if name in BY_MEANING else None for name in self.scores]
        return fuse(list(self.scores.values()), self.size, [weights[name] for name in self.scores], depth, unrated)

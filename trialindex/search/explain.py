"""Why a trial is in the answer: the words of its record that come closest to the question."""

from __future__ import annotations

import re
from collections.abc import Callable

from trialindex.passages import passages
from trialindex.search.results import Match
from trialindex.trial import Trial

LONGEST = 320
"""Characters of a match; more is cut at a word."""
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\S)")


def match(trial: Trial, position: int | None, query_words: set[str], words: Callable[[str], list[str]]) -> Match:
    """The part of the trial that matched, and the sentence of it that shares most words with the query.

    :param position: the passage found by its vector; without one the passage that shares most words is taken.
    :param query_words: the words of the query as :meth:`Lexical.words` gives them.
    :param words: that function.
    """
    cut = list(passages(trial))
    if position is None or position >= len(cut):
        position = max(range(len(cut)), key=lambda p: len(query_words & set(words(cut[p].text))))
    part = cut[position].part
    texts = {"summary": [trial.summary or trial.description or ""], "inclusion criteria": list(trial.inclusion)}
    sentences = [s.strip() for text in texts.get(part, [trial.title]) for s in _SENTENCE.split(text) if s.strip()]
    best = max(sentences or [trial.title], key=lambda s: len(query_words & set(words(s))))
    return Match(part=part, text=_shorten(best))


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"

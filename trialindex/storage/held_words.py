"""Which of some words a text holds, without stemming all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_CHANGED = 2
"""Letters at the end of a stem that a form of its word may write otherwise: *dying* becomes ``die``."""


def held_words(stems: Iterable[str], text: str, stemmed: Callable[[str], list[str]]) -> set[str]:
    """Those of the stems whose word, in any of its forms, is in a text.

    Only the words are stemmed that begin as one of the stems does, which are few, and those whose letters are folded.

    :param stemmed: the stems of a text's words.
    """
    wanted = set(stems)
    lowered = text.lower()
    starts = {stem[: max(1, len(stem) - _CHANGED)] for stem in wanted if stem.isascii()}
    alike = [word for start in starts if start in lowered for word in _beginning(start, lowered)]
    if not text.isascii():
        alike += [word for word in text.split() if not word.isascii()]
    return wanted & set(stemmed(" ".join(alike))) if alike else set()


def _beginning(start: str, text: str) -> set[str]:
    """The words that begin so."""
    rest = re.compile(rf"{re.escape(start)}[^\x00-/:-`{{-\x7f]*")  # a look behind would have all of a text read slowly
    return {match[0] for match in rest.finditer(text) if not (match.start() and text[match.start() - 1].isalnum())}

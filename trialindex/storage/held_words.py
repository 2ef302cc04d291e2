"""Which of some words a text holds, without stemming all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_CHARACTERS = 60
"""Characters of a text for each word from which looking for the words is faster than stemming all of it."""
_MANY = 20
"""Words of which a short text nearly always has something like one."""
_REST = re.compile(r"[^\x00-/:-`{-\x7f]*")
"""What follows in a word of small letters and digits; letters beyond ASCII may be any."""


def held_words(stems: Iterable[str], text: str, stemmed: Callable[[str], list[str]]) -> set[str]:
    """Those of the stems whose word, in any of its forms, is in a text.

    Only the words are stemmed that begin as one of the stems does, which are few, and those whose letters are folded.

    :param stemmed: the stems of a text's words.
    """
    wanted = set(stems)
    short = len(text) < _CHARACTERS * len(wanted)
    if short and len(wanted) > _MANY:
        return wanted.intersection(stemmed(text))
    lowered = text.lower()
    starts = {common_start(stem) for stem in wanted if stem.isascii()}
    if short and (not text.isascii() or any(start in lowered for start in starts)):
        return wanted.intersection(stemmed(text))
    alike = [word for start in starts if start in lowered for word in _beginning(start, lowered)]
    if not text.isascii():
        alike += [word for word in text.split() if not word.isascii()]
    return wanted & set(stemmed(" ".join(alike))) if alike else set()


def common_start(stem: str) -> str:
    """The letters with which every form of a word begins, if it is written in ASCII.

    A form differs from its stem in the last letter at most (*only* becomes ``onli``), but *dying* becomes ``die``.
    """
    return stem[: max(1, len(stem) - (2 if stem.endswith("ie") else 1))]


def _beginning(start: str, text: str) -> set[str]:
    """The words that begin so."""
    found = set()
    at = text.find(start)
    while at >= 0:
        rest = _REST.match(text, at + len(start))
        assert rest is not None
        if not (at and text[at - 1].isalnum()):
            found.add(text[at : rest.end()])
        at = text.find(start, rest.end())
    return found

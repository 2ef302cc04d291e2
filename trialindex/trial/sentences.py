"""Cutting text into sentences: a full stop after *vs*, *e.g.* or *St* ends none."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"[.!?]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_])")
_LAST_WORD = re.compile(r"[^\W_](?:[^\s(\[\"“]*[^\W_])?$")
_SHORT = """
al approx art av avg ca cf chap co col corp dept dr ed eds eg e.g esp est et etc excl fig figs ft gen hr hrs ie i.e
inc incl jr lt ltd max med min mr mrs ms mt no nos nr op p.o pat pp prof pt pts ref refs resp rev sect sec sen sr ss
st sts subj supp suppl tab univ v viz vol vs wk wks yr yrs a.k.a i.v i.m s.c p.m a.m u.s u.k
"""
_ABBREVIATIONS = frozenset(_SHORT.split())
"""Short forms, without their last full stop, that stand within a sentence."""
_LAST = "etc p.m a.m u.s u.k inc ltd co corp hr hrs yr yrs wk wks min max i.v i.m s.c p.o no"
_MAY_END = frozenset(_LAST.split())
"""Those of them that end a sentence if the next word begins with a capital."""


def split_sentences(text: str) -> Iterator[str]:
    """The sentences of a text in their order, trimmed; an empty line ends one too.

    A full stop ends none before a small letter, after an initial (*J. Smith*), or after the number of an item (*1.*).
    """
    for paragraph in re.split(r"\n\s*\n", text):
        start = 0
        for end in _END.finditer(paragraph):
            if _ends(paragraph, end):
                yield paragraph[start : end.end()].strip()
                start = end.end()
        if rest := paragraph[start:].strip():
            yield rest


def _ends(text: str, end: re.Match[str]) -> bool:
    if not end[0].startswith("."):
        return True
    following = text[end.end() :].lstrip("\"'“‘([")[:1]
    if following.islower():
        return False
    before = _LAST_WORD.search(text, max(0, end.start() - 40), end.start())
    if before is None:
        return True
    word = before[0].casefold()
    if word in _ABBREVIATIONS:
        return word in _MAY_END and following.isupper()
    is_initial = len(word) == 1 and before[0].isupper() and _is_name(text, before.start())
    is_item = word.isdigit() and len(word) <= 2 and not text[: before.start()].strip()
    return not (is_initial or is_item)


def _is_name(text: str, start: int) -> bool:
    """Whether a single capital is an initial and no *vitamin D*: at the beginning, or after a capital."""
    before = text[:start].split()
    return not before or before[-1].endswith(".") or before[-1][:1].isupper()

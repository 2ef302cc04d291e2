"""Who can take part, as the criteria say it: added, removed, reworded; cut differently is no difference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trialindex.changes.matching import by_likeness, contrast, fold, left, likeness
from trialindex.changes.phrasing import LONG, SHORT, long_text, summed
from trialindex.plugin.messages import Difference
from trialindex.trial import Trial, sanitize

CRITERION, TEXT = 80, 78
"""Weights: a criterion; the text around the criteria."""

_MARKERS = re.compile(
    r"^[^\S\n]*(?:(?:[^\w\s(<>=≥≤]+|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])(?:\s+|(?=[A-Z])))+", re.MULTILINE
)
_NUMBERING = re.compile(r"[\d\s.]*|[a-z]|[ivx]{1,5}")
"""What is left of the marks of a list when the criteria are taken out of a text."""


def criteria(old: Trial, new: Trial) -> Iterator[Difference]:
    """The differences between the criteria, then what is said around them.

    Where both state the whole text, and it is the same, the criteria are only cut differently, as by another version of
    a source, unless one of them is not in that text.
    """
    kept = fold(_unmarked(old.eligibility)) if fold(old.eligibility) == fold(new.eligibility) else ""
    yield from _side("inclusion", old.inclusion, new.inclusion, kept)
    yield from _side("exclusion", old.exclusion, new.exclusion, kept)
    if left(_around(old), _around(new), key=str) != ([], []):
        yield from long_text("eligibility", "text about who can take part", TEXT, old.eligibility, new.eligibility)


def _side(field: str, before: Sequence[str], after: Sequence[str], kept: str) -> Iterator[Difference]:
    gone, come = _recut(*left(before, after, key=fold))
    gone, come = ([item for item in items if not (kept and _within(item, kept))] for items in (gone, come))
    reworded, gone, come = by_likeness(gone, come, likeness)
    noun, many = f"{field} criterion", f"{field} criteria"
    for found, what in ((come, "added"), (gone, "removed")):
        told = [
            Difference(
                field=field,
                words=f"{noun} {what}: {sanitize.excerpt(item, SHORT)}",
                weight=CRITERION,
                before=sanitize.excerpt(item, LONG) if found is gone else None,
                after=sanitize.excerpt(item, LONG) if found is come else None,
            )
            for item in found
            if fold(item)
        ]
        yield from summed(told, f"{many} {what}")
    told = []
    for one, other in reworded:
        short, longer = contrast(one, other, SHORT), contrast(one, other, LONG)
        words = f"{noun} reworded: {short[0]} → {short[1]}"
        told.append(Difference(field=field, words=words, weight=CRITERION, before=longer[0], after=longer[1]))
    yield from summed(told, f"{many} reworded")


def _recut(gone: list[str], come: list[str]) -> tuple[list[str], list[str]]:
    """Without the items that the other side holds in pieces, or as pieces of one item."""
    for _ in range(2):
        whole, pieces = [], come
        for item in gone:
            rest, used = fold(_unmarked(item)), []
            for piece in sorted(pieces, key=len, reverse=True):
                words = fold(_unmarked(piece))
                if words and words in rest:
                    rest = rest.replace(words, "\0", 1)
                    used.append(piece)
            if used and not rest.replace("\0", "").strip():
                pieces = left(pieces, used, key=str)[0]
            else:
                whole.append(item)
        gone, come = pieces, whole  # the other way round
    return gone, come


def _within(item: str, text: str) -> bool:
    return all(fold(_unmarked(line)) in text for line in item.splitlines())


def _around(trial: Trial) -> list[str]:
    """What the whole text says besides its criteria, folded: headings, and all of it where nothing could be cut."""
    rest = fold(_unmarked(trial.eligibility))
    lines = {fold(_unmarked(line)) for item in (*trial.inclusion, *trial.exclusion) for line in item.splitlines()}
    for line in sorted(filter(None, lines), key=lambda line: (-len(line), line)):
        rest = rest.replace(line, "\0")
    parts = rest.split("\0")
    return [part for part in parts if part and (len(parts) == 1 or not _NUMBERING.fullmatch(part))]


def _unmarked(text: str | None) -> str:
    """The text without the bullets and numbers of its lists."""
    return _MARKERS.sub("", text or "")

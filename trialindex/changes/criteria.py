"""Criteria that were added, removed or reworded. The same text cut into other criteria is no difference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trialindex.changes.matching import canonical, contrast, pair_by_similarity, unmatched, word_similarity
from trialindex.changes.phrasing import LONG, SHORT, long_text_change, summarise
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
    """The differences between the criteria, then whether the text around them changed.

    Two records may cut the same text into other criteria, as another version of a source does. So where both state the
    same whole text, a criterion that stands in it is no difference.
    """
    kept = (
        canonical(_strip_markers(old.eligibility)) if canonical(old.eligibility) == canonical(new.eligibility) else ""
    )
    yield from _list_changes("inclusion", old.inclusion, new.inclusion, kept)
    yield from _list_changes("exclusion", old.exclusion, new.exclusion, kept)
    yield from _list_changes("other_criteria", old.other_criteria, new.other_criteria, kept)
    if unmatched(_surrounding_text(old), _surrounding_text(new), key=str) != ([], []):
        yield from long_text_change(
            "eligibility", "text about who can take part", TEXT, old.eligibility, new.eligibility
        )


def _list_changes(field: str, before: Sequence[str], after: Sequence[str], kept: str) -> Iterator[Difference]:
    removed, added = _drop_recut(*unmatched(before, after, key=canonical))
    removed, added = ([item for item in items if not (kept and _contains(item, kept))] for items in (removed, added))
    reworded, removed, added = pair_by_similarity(removed, added, word_similarity)
    side = "" if field == "other_criteria" else f"{field} "
    noun, many = f"{side}criterion", f"{side}criteria"
    for found, what in ((added, "added"), (removed, "removed")):
        parts = [
            Difference(
                field=field,
                words=f"{noun} {what}: {sanitize.excerpt(item, SHORT)}",
                weight=CRITERION,
                before=sanitize.excerpt(item, LONG) if found is removed else None,
                after=sanitize.excerpt(item, LONG) if found is added else None,
            )
            for item in found
            if canonical(item)
        ]
        yield from summarise(parts, f"{many} {what}")
    parts = []
    for one, other in reworded:
        short, longer = contrast(one, other, SHORT), contrast(one, other, LONG)
        words = f"{noun} reworded: {short[0]} → {short[1]}"
        parts.append(Difference(field=field, words=words, weight=CRITERION, before=longer[0], after=longer[1]))
    yield from summarise(parts, f"{many} reworded")


def _drop_recut(removed: list[str], added: list[str]) -> tuple[list[str], list[str]]:
    """Without the items that the other side holds in pieces, or as pieces of one item."""
    for _ in range(2):
        whole, pieces = [], added
        for item in removed:
            rest, used = canonical(_strip_markers(item)), []
            for piece in sorted(pieces, key=len, reverse=True):
                words = canonical(_strip_markers(piece))
                if words and words in rest:
                    rest = rest.replace(words, "\0", 1)
                    used.append(piece)
            if used and not rest.replace("\0", "").strip():
                pieces = unmatched(pieces, used, key=str)[0]
            else:
                whole.append(item)
        removed, added = pieces, whole  # the other way round
    return removed, added


def _contains(item: str, text: str) -> bool:
    return all(canonical(_strip_markers(line)) in text for line in item.splitlines())


def _surrounding_text(trial: Trial) -> list[str]:
    """What the whole text says besides its criteria, folded: headings, and all of it where nothing could be cut."""
    rest = canonical(_strip_markers(trial.eligibility))
    items = (*trial.inclusion, *trial.exclusion, *trial.other_criteria)
    lines = {canonical(_strip_markers(line)) for item in items for line in item.splitlines()}
    for line in sorted(filter(None, lines), key=lambda line: (-len(line), line)):
        rest = rest.replace(line, "\0")
    parts = rest.split("\0")
    return [part for part in parts if part and (len(parts) == 1 or not _NUMBERING.fullmatch(part))]


def _strip_markers(text: str | None) -> str:
    """The text without the bullets and numbers of its lists."""
    return _MARKERS.sub("", text or "")

"""How a difference is put in words, whatever the field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from trialindex.changes.matching import contrast, fold
from trialindex.plugin.messages import Difference
from trialindex.trial import display, sanitize

FEW = 3
"""So many differences of one kind are told one by one; more are summed up."""

SHORT, LONG = 120, 400
"""Characters of a text inside a line, and of one that stands by itself."""


def from_to(
    field: str, label: str, weight: int, before: str | None, after: str | None, *, colon: bool = True
) -> Difference:
    """``label: before → after``; a side that is ``None`` reads "not stated".

    :param before: in words already, on one line.
    """
    old, new = (display.NOT_STATED if side is None else side for side in (before, after))
    head = f"{label}{':' if colon else ''} " if label else ""
    return Difference(field=field, words=f"{head}{old} → {new}", weight=weight, before=before, after=after)


def text(field: str, label: str, weight: int, before: str | None, after: str | None) -> Iterator[Difference]:
    """A short text that is shown as it was and as it is; nothing if they are the same but for noise."""
    if fold(before) == fold(after):
        return
    old, new = contrast(before or "", after or "", SHORT)
    yield from_to(field, label, weight, old or None, new or None)


def long_text(field: str, label: str, weight: int, before: str | None, after: str | None) -> Iterator[Difference]:
    """A long text of which is said that it changed; what changed in it is beside."""
    if fold(before) == fold(after):
        return
    what = "changed" if fold(before) and fold(after) else "added" if fold(after) else "removed"
    old, new = contrast(before or "", after or "", LONG)
    yield Difference(field=field, words=f"{label} {what}", weight=weight, before=old or None, after=new or None)


def names(
    field: str,
    one: str,
    many: str,
    weight: int,
    before: Iterable[str],
    after: Iterable[str],
    show: Callable[[str], str] = sanitize.one_line,
) -> Iterator[Difference]:
    """Names that were added, those that were removed, or one that became another."""
    old, new = ({fold(name): show(name) for name in side if fold(name)} for side in (before, after))
    gone = [old[key] for key in old if key not in new]
    come = [new[key] for key in new if key not in old]
    if len(gone) == len(come) == 1:
        yield from_to(field, one, weight, gone[0], come[0])
        return
    for found, what in ((come, "added"), (gone, "removed")):
        if found:
            line = display.listed(found)
            words = f"{one if len(found) == 1 else many} {what}: {sanitize.excerpt(line, 2 * SHORT)}"
            side = {"after" if found is come else "before": line}
            yield Difference(field=field, words=words, weight=weight, **side)


def summed(found: Sequence[Difference], many: str) -> Iterator[Difference]:
    """A few differences of one kind as they are; many as one, which holds what each held.

    :param many: what they are when there are many, such as ``arms added``.
    """
    if len(found) <= FEW:
        yield from found
        return
    yield Difference(
        field=found[0].field,
        words=f"{len(found):,} {many}",
        weight=max(difference.weight for difference in found),
        before=_together(difference.before for difference in found),
        after=_together(difference.after for difference in found),
    )


def _together(sides: Iterable[str | None]) -> str | None:
    return "; ".join(side for side in sides if side is not None) or None

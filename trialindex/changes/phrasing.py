"""Words for a difference, whatever the field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from trialindex.changes.matching import canonical, contrast
from trialindex.plugin.messages import Difference
from trialindex.trial import display, sanitize

FEW = 3
"""More differences of one kind than these are told in one line."""

SHORT, LONG = 120, 400
"""Characters of a text inside a line, and of one that stands by itself."""


def arrow(
    field: str, label: str, weight: int, before: str | None, after: str | None, *, colon: bool = True
) -> Difference:
    """``label: before → after``; a side that is ``None`` reads "not stated".

    :param before: in words already, on one line.
    """
    old, new = (display.NOT_STATED if side is None else side for side in (before, after))
    head = f"{label}{':' if colon else ''} " if label else ""
    return Difference(field=field, words=f"{head}{old} → {new}", weight=weight, before=before, after=after)


def text_change(field: str, label: str, weight: int, before: str | None, after: str | None) -> Iterator[Difference]:
    """A short text as it was and as it is; nothing if only noise tells them apart."""
    if canonical(before) == canonical(after):
        return
    old, new = contrast(before or "", after or "", SHORT)
    yield arrow(field, label, weight, old or None, new or None)


def long_text_change(
    field: str, label: str, weight: int, before: str | None, after: str | None
) -> Iterator[Difference]:
    """That a long text was added, removed or changed.

    The words that changed stand in ``before`` and ``after``, not in the line.
    """
    if canonical(before) == canonical(after):
        return
    what = "changed" if canonical(before) and canonical(after) else "added" if canonical(after) else "removed"
    old, new = contrast(before or "", after or "", LONG)
    yield Difference(field=field, words=f"{label} {what}", weight=weight, before=old or None, after=new or None)


def list_change(
    field: str,
    one: str,
    many: str,
    weight: int,
    before: Iterable[str],
    after: Iterable[str],
    show: Callable[[str], str] = sanitize.one_line,
) -> Iterator[Difference]:
    """Names that were added or removed, or one name that became another."""
    old, new = ({canonical(name): show(name) for name in side if canonical(name)} for side in (before, after))
    removed = [old[key] for key in old if key not in new]
    added = [new[key] for key in new if key not in old]
    if len(removed) == len(added) == 1:
        yield arrow(field, one, weight, removed[0], added[0])
        return
    for found, what in ((added, "added"), (removed, "removed")):
        if found:
            line = display.listed(found)
            words = f"{one if len(found) == 1 else many} {what}: {sanitize.excerpt(line, 2 * SHORT)}"
            side = {"after" if found is added else "before": line}
            yield Difference(field=field, words=words, weight=weight, **side)


def summarise(found: Sequence[Difference], many: str) -> Iterator[Difference]:
    """Up to :data:`FEW` differences of one kind as they are; more in one difference with all of their sides.

    :param many: what the differences are, such as ``arms added``.
    """
    if len(found) <= FEW:
        yield from found
        return
    yield Difference(
        field=found[0].field,
        words=f"{len(found):,} {many}",
        weight=max(difference.weight for difference in found),
        before=_join(difference.before for difference in found),
        after=_join(difference.after for difference in found),
    )


def _join(sides: Iterable[str | None]) -> str | None:
    return "; ".join(side for side in sides if side is not None) or None

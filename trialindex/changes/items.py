"""Arms, interventions and outcomes: lists of parts that have a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trialindex.changes.matching import (
    canonical,
    contrast,
    pair_by_key,
    pair_by_similarity,
    unmatched,
    word_similarity,
)
from trialindex.changes.phrasing import LONG, SHORT, arrow, list_change, long_text_change, summarise
from trialindex.plugin.messages import Difference
from trialindex.trial import Trial, display, sanitize

_NAME = 60
"""Characters of a name before what changed of it."""


@dataclass(frozen=True)
class _Part:
    """One thing that such a part states, besides its name.

    :param label: what a person calls it.
    :param many: what a person calls several of it, where it is a list.
    :param weight: how much a change of it matters; ``None`` for as much as the part itself.
    :param long: it is a text that is not shown: the line says only that it changed.
    """

    attribute: str
    label: str
    many: str = ""
    weight: int | None = None
    long: bool = False


@dataclass(frozen=True)
class _Kind:
    """One list of a trial."""

    field: str
    noun: Callable[[Any], str]
    name: str
    weight: Callable[[Any], int]
    parts: tuple[_Part, ...]
    suffix: str | None = None
    """The attribute that follows the name in brackets where an item was added or removed."""
    renaming: str = "renamed"

    def display_name(self, item: Any, limit: int) -> str:
        name = sanitize.excerpt(getattr(item, self.name), limit)
        return name or "without a name"

    def differences(self, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
        removed, added = unmatched(old, new)
        pairs, removed, added = pair_by_key(removed, added, *self._keys())
        alike, removed, added = pair_by_similarity(removed, added, self._similarity)
        for found, what in ((added, "added"), (removed, "removed")):
            yield from self._summarise(found, what, [self._presence(item, what) for item in found])
        renamed = [
            pair for pair in (*pairs, *alike) if canonical(self._name(pair[0])) != canonical(self._name(pair[1]))
        ]
        yield from self._summarise(
            [b for _, b in renamed], self.renaming, [self._name_change(*pair) for pair in renamed]
        )
        for part in self.parts:
            changed = [(b, difference) for a, b in (*pairs, *alike) for difference in self._part_changes(part, a, b)]
            yield from self._summarise([b for b, _ in changed], f": {part.label} changed", [d for _, d in changed])

    def _name(self, item: Any) -> str:
        return str(getattr(item, self.name))

    def _keys(self) -> tuple[Callable[[Any], Any], ...]:
        first = self.parts[0].attribute

        def same_kind(item: Any) -> Any:
            return (
                (canonical(self._name(item)), canonical(getattr(item, first))) if canonical(self._name(item)) else None
            )

        def same_name(item: Any) -> Any:
            return canonical(self._name(item)) or None

        return same_kind, same_name, self._key_of_rest

    def _key_of_rest(self, item: Any) -> Any:
        """All but the name, if there is a description to know it by."""
        rest = tuple(canonical(getattr(item, part.attribute)) for part in self.parts)
        return rest if canonical(getattr(item, "description", None)) else None

    def _similarity(self, old: Any, new: Any) -> float:
        return word_similarity(self._name(old), self._name(new))

    def _presence(self, item: Any, what: str) -> Difference:
        name = self.display_name(item, SHORT)
        suffix = getattr(item, self.suffix) if self.suffix else None
        name = f"{name} ({display.words(suffix)})" if suffix else name
        words = f"{self.noun(item)} {what}: {name}"
        side = {"after" if what == "added" else "before": name}
        return Difference(field=self.field, words=words, weight=self.weight(item), **side)

    def _name_change(self, old: Any, new: Any) -> Difference:
        short, whole = (contrast(self._name(old), self._name(new), limit) for limit in (SHORT, LONG))
        words = f"{self.noun(new)} {self.renaming}: {short[0]} → {short[1]}"
        sides = [side or None for side in whole]
        return Difference(field=self.field, words=words, weight=self.weight(new), before=sides[0], after=sides[1])

    def _part_changes(self, part: _Part, old: Any, new: Any) -> Iterator[Difference]:
        before, after = getattr(old, part.attribute), getattr(new, part.attribute)
        if canonical(before) == canonical(after):
            return
        noun = self.noun(new) if part.attribute != "kind" else "outcome"
        head = f'{noun} "{self.display_name(new, _NAME)}": {part.label}'
        weight = self.weight(new) if part.weight is None else part.weight
        if part.long:
            yield from long_text_change(self.field, head, weight, before, after)
        elif isinstance(before, tuple):
            many = head.removesuffix(part.label) + part.many
            yield from list_change(self.field, head, many, weight, before, after)
        else:
            sides = (sanitize.excerpt(display.words(side), SHORT) if side else None for side in (before, after))
            yield arrow(self.field, head, weight, *sides, colon=False)

    def _summarise(self, items: Sequence[Any], what: str, found: Sequence[Difference]) -> Iterator[Difference]:
        kinds = {self.noun(item) for item in items}
        noun = kinds.pop() if len(kinds) == 1 else self.field.removesuffix("s")
        yield from summarise(found, f"{noun}s{'' if what.startswith(':') else ' '}{what}")


_ARMS = _Kind(
    field="arms",
    noun=lambda arm: "arm",
    name="label",
    weight=lambda arm: 56,
    suffix="type",
    parts=(
        _Part("type", "type"),
        _Part("interventions", "intervention", "interventions"),
        _Part("description", "description", weight=36, long=True),
    ),
)
_INTERVENTIONS = _Kind(
    field="interventions",
    noun=lambda intervention: "intervention",
    name="name",
    weight=lambda intervention: 58,
    suffix="type",
    parts=(
        _Part("type", "type"),
        _Part("other_names", "other name", "other names", weight=14),
        _Part("description", "description", weight=36, long=True),
    ),
)
_OUTCOMES = _Kind(
    field="outcomes",
    noun=lambda outcome: f"{outcome.kind} outcome",
    name="measure",
    renaming="reworded",
    weight=lambda outcome: {"primary": 46, "secondary": 38}.get(outcome.kind, 32),
    parts=(
        _Part("kind", "kind"),
        _Part("time_frame", "time frame"),
        _Part("description", "description", weight=28, long=True),
    ),
)


def arms(old: Trial, new: Trial) -> Iterator[Difference]:
    """Groups that were added, removed or renamed, and what changed in the others."""
    return _ARMS.differences(old.arms, new.arms)


def interventions(old: Trial, new: Trial) -> Iterator[Difference]:
    """What is tested: added, removed, renamed, and what changed in the others."""
    return _INTERVENTIONS.differences(old.interventions, new.interventions)


def outcomes(old: Trial, new: Trial) -> Iterator[Difference]:
    """What is measured: added, removed, reworded, and what changed in the others."""
    return _OUTCOMES.differences(old.outcomes, new.outcomes)

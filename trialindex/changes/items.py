"""Arms, interventions and outcomes: lists of parts that have a name, and more to say of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trialindex.changes.matching import by_key, by_likeness, canon, contrast, fold, left, likeness
from trialindex.changes.phrasing import LONG, SHORT, from_to, long_text, names, summed
from trialindex.plugin.messages import Difference
from trialindex.trial import Trial, display, sanitize

_NAME = 60
"""Characters of a name before what changed of it."""


@dataclass(frozen=True)
class _Part:
    """One thing that such a part states, besides its name.

    :param label: what a person calls it, and :param many: several of it, where it is a list.
    :param weight: how much a change of it matters; ``None`` for as much as the part itself.
    :param long: it is a text of which is only said that it changed.
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
    beside: str | None = None
    """What is said in brackets behind the name of one that is new or gone."""
    renaming: str = "renamed"

    def called(self, item: Any, limit: int) -> str:
        name = sanitize.excerpt(getattr(item, self.name), limit)
        return name or "without a name"

    def differences(self, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
        gone, come = left(old, new)
        pairs, gone, come = by_key(gone, come, *self._keys())
        alike, gone, come = by_likeness(gone, come, self._alike)
        for found, what in ((come, "added"), (gone, "removed")):
            yield from self._summed(found, what, [self._one(item, what) for item in found])
        renamed = [pair for pair in (*pairs, *alike) if fold(self._name(pair[0])) != fold(self._name(pair[1]))]
        yield from self._summed([b for _, b in renamed], self.renaming, [self._renamed(*pair) for pair in renamed])
        for part in self.parts:
            told = [(b, difference) for a, b in (*pairs, *alike) for difference in self._changed(part, a, b)]
            yield from self._summed([b for b, _ in told], f": {part.label} changed", [d for _, d in told])

    def _name(self, item: Any) -> str:
        return str(getattr(item, self.name))

    def _keys(self) -> tuple[Callable[[Any], Any], ...]:
        first = self.parts[0].attribute

        def same_kind(item: Any) -> Any:
            return (fold(self._name(item)), canon(getattr(item, first))) if fold(self._name(item)) else None

        def same_name(item: Any) -> Any:
            return fold(self._name(item)) or None

        return same_kind, same_name, self._rest

    def _rest(self, item: Any) -> Any:
        """All but the name, if there is a description to know it by."""
        rest = tuple(canon(getattr(item, part.attribute)) for part in self.parts)
        return rest if fold(getattr(item, "description", None)) else None

    def _alike(self, old: Any, new: Any) -> float:
        return likeness(self._name(old), self._name(new))

    def _one(self, item: Any, what: str) -> Difference:
        name = self.called(item, SHORT)
        beside = getattr(item, self.beside) if self.beside else None
        name = f"{name} ({display.words(beside)})" if beside else name
        words = f"{self.noun(item)} {what}: {name}"
        side = {"after" if what == "added" else "before": name}
        return Difference(field=self.field, words=words, weight=self.weight(item), **side)

    def _renamed(self, old: Any, new: Any) -> Difference:
        short, whole = (contrast(self._name(old), self._name(new), limit) for limit in (SHORT, LONG))
        words = f"{self.noun(new)} {self.renaming}: {short[0]} → {short[1]}"
        sides = [side or None for side in whole]
        return Difference(field=self.field, words=words, weight=self.weight(new), before=sides[0], after=sides[1])

    def _changed(self, part: _Part, old: Any, new: Any) -> Iterator[Difference]:
        before, after = getattr(old, part.attribute), getattr(new, part.attribute)
        if canon(before) == canon(after):
            return
        noun = self.noun(new) if part.attribute != "kind" else "outcome"
        head = f'{noun} "{self.called(new, _NAME)}": {part.label}'
        weight = self.weight(new) if part.weight is None else part.weight
        if part.long:
            yield from long_text(self.field, head, weight, before, after)
        elif isinstance(before, tuple):
            many = head.removesuffix(part.label) + part.many
            yield from names(self.field, head, many, weight, before, after)
        else:
            sides = (sanitize.excerpt(display.words(side), SHORT) if side else None for side in (before, after))
            yield from_to(self.field, head, weight, *sides, colon=False)

    def _summed(self, items: Sequence[Any], what: str, told: Sequence[Difference]) -> Iterator[Difference]:
        kinds = {self.noun(item) for item in items}
        noun = kinds.pop() if len(kinds) == 1 else self.field.removesuffix("s")
        yield from summed(told, f"{noun}s{'' if what.startswith(':') else ' '}{what}")


_ARMS = _Kind(
    field="arms",
    noun=lambda arm: "arm",
    name="label",
    weight=lambda arm: 56,
    beside="type",
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
    beside="type",
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

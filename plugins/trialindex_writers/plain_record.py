"""A trial that notes which of its fields are read, so that each sentence can name those that it was made from.

Nobody has to keep the list by hand. A sentence is made once, and again without each field that could change it; those
whose absence does are the ones that it was made from. Facts that many sentences share (who gets what, which illness)
are :func:`remembered`: made once, and made again only without a field that they read; a sentence is made again only if
a fact that it asked for has come out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import msgspec

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Trial

T = TypeVar("T")
Make = Callable[[Trial], Any]

_BLANK = {
    field.name: field.default if field.default is not msgspec.NODEFAULT else "x"
    for field in msgspec.structs.fields(Trial)
}
"""What a field is when nothing is stated; a trial has to have an id and a title."""


def _stated(trial: Trial) -> frozenset[str]:
    """The fields that state something."""
    return frozenset(field for field, blank in _BLANK.items() if getattr(trial, field) != blank)


class _Made:
    """What came of a function of a trial: its value, the fields that it read itself, the facts that it asked for."""

    __slots__ = ("facts", "fields", "missing", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.fields: dict[str, None] = {}
        self.facts: dict[Make, None] = {}
        self.missing: dict[str, None] = {}


class _Read:
    """Stands for a trial. It has its attributes, and notes who asks for them.

    :param whole: the trial that this one is, but for the fields in *gone*.
    """

    def __init__(self, trial: Trial, whole: _Read | None = None, gone: frozenset[str] = frozenset()) -> None:
        self._trial = trial
        self._whole = whole
        self._gone = gone
        self._stated: frozenset[str] = whole._stated - gone if whole else _stated(trial)
        self._known: dict[Make, _Made] = {}
        self._frames: list[_Made] = []
        self._without: dict[str, _Read] = {}
        self._differs: dict[tuple[Make, str], bool] = {}
        self._reads: dict[Make, dict[str, None]] = {}
        self._told: dict[Make, tuple[_Made, tuple[str, ...]]] = {}
        self._also: dict[Make, list[str]] = {}

    def __getattr__(self, name: str) -> Any:
        if self._frames:
            self._frames[-1].fields["sites" if name == "countries" else name] = None
        return getattr(self._trial, name)

    def make(self, make: Make) -> _Made:
        """What *make* gives, made now."""
        frame = _Made()
        self._frames.append(frame)
        try:
            frame.value = make(cast(Trial, self))
        finally:
            self._frames.pop()
        return frame

    def remember(self, make: Make) -> Any:
        """What *make* gives, made once, and noted as asked for."""
        if self._frames:
            self._frames[-1].facts[make] = None
        known = self._known.get(make)
        return (known or self.fact(make)).value

    def fact(self, make: Make) -> _Made:
        """What *make* gives, made once; not made at all where the fields that are gone cannot change it."""
        known = self._known.get(make)
        if known is None:
            whole = self._whole
            there = whole._known.get(make) if whole is not None else None
            same = there is not None and whole is not None and not whole.can_change(there, self._gone)
            known = self._known[make] = there if there is not None and same else self.make(make)
        return known

    def can_change(self, made: _Made, gone: frozenset[str]) -> bool:
        """Whether something that was made can be otherwise without some fields."""
        if len(gone) == 1:
            (field,) = gone
            return self.depends(made, field)
        return not gone.isdisjoint(self.reads(made))

    def depends(self, made: _Made, field: str) -> bool:
        """Whether something that was made can be otherwise without a field."""
        if field in made.fields:
            return True
        for fact in made.facts:  # a loop, for this is asked most often of all
            if field in (self._reads.get(fact) or self.fact_reads(fact)) and self.differs(fact, field):
                return True
        return False

    def differs(self, fact: Make, field: str) -> bool:
        """Whether a fact is another one without a field."""
        known = self._differs.get((fact, field))
        if known is None:
            made = self.fact(fact)
            known = self.depends(made, field) and bool(self.without(field).fact(fact).value != made.value)
            self._differs[fact, field] = known
        return known

    def without(self, field: str) -> _Read:
        """The same trial, with nothing stated in that field."""
        if field not in self._without:
            bare = msgspec.structs.replace(self._trial, **{field: _BLANK[field]})
            self._without[field] = _Read(bare, self, frozenset((field,)))
        return self._without[field]

    def only(self, fields: set[str]) -> _Read:
        """The same trial, with nothing stated in any other field."""
        gone = self._stated - fields
        bare = msgspec.structs.replace(self._trial, **{field: _BLANK[field] for field in gone})
        return _Read(bare, self, gone)

    def reads(self, made: _Made) -> dict[str, None]:
        """Every field that something was made from, in the order in which it was asked for."""
        found = dict(made.fields)
        for fact in made.facts:
            found.update(self.fact_reads(fact))
        return found

    def fact_reads(self, fact: Make) -> dict[str, None]:
        """Every field that a fact was made from."""
        if fact not in self._reads:
            self._reads[fact] = self.reads(self.fact(fact))
        return self._reads[fact]


def remembered(make: Callable[[Trial], T]) -> Callable[[Trial], T]:
    """Makes a fact of a trial that many sentences ask for once only. Of an ordinary trial it is made each time."""

    @wraps(make)
    def ask(trial: Trial) -> T:
        stand: object = trial
        return cast(T, stand.remember(make)) if isinstance(stand, _Read) else make(trial)

    return ask


def missing(trial: Trial, *fields: str) -> None:
    """Says of fields that state nothing that the sentence being made tells so."""
    stand: object = trial
    if isinstance(stand, _Read) and stand._frames:
        stand._frames[-1].missing.update(dict.fromkeys(fields))


def reading(trial: Trial) -> Trial:
    """The trial as :func:`told` needs it, with no text longer than somebody would write."""
    return cast(Trial, _Read(_bounded(trial)))


_NAME, _TEXT, _MANY = 400, 20_000, 200
"""How many characters of a name and of a text are read, and how many of a list."""


def _bounded(trial: Trial) -> Trial:
    changed = {
        field: cut
        for field in _CUT
        if (value := getattr(trial, field)) and (cut := _cut(value, _NAME if field in _NAMED else _TEXT)) != value
    }
    return msgspec.structs.replace(trial, **changed) if changed else trial


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, tuple):
        return tuple(_cut(one, longest) for one in value[:_MANY])
    if isinstance(value, msgspec.Struct):
        cut = {
            name: _cut(part, _TEXT if name == "description" else _NAME)
            for name in value.__struct_fields__
            if isinstance(part := getattr(value, name), str | tuple)
        }
        return msgspec.structs.replace(value, **cut)
    return value


_NAMED = frozenset(
    ("title", "official_title", "conditions", "keywords", "why_stopped", "interventions", "arms", "outcomes")
)
_CUT = (
    *_NAMED,
    *("normalized_conditions", "summary", "description", "eligibility", "inclusion", "exclusion", "other_criteria"),
    "study_population",
)


def told(trial: Trial, make: Callable[[Trial], str]) -> Sentence | None:
    """The sentence that *make* makes, with the fields without each of which it would be another; ``None`` if empty.

    :param trial: of :func:`reading`.
    """
    stand: object = trial
    assert isinstance(stand, _Read)
    if make not in stand._told:
        made = stand.make(make)
        stand._told[make] = made, _fields(stand, make, made) if made.value else ()
    made, fields = stand._told[make]
    more = tuple(field for field in stand._also.get(make, ()) if field not in fields)
    return Sentence(made.value, (*fields, *more)) if made.value else None


def _fields(stand: _Read, make: Make, made: _Made) -> tuple[str, ...]:
    """The fields without each of which a sentence would be another, and those that it says are not stated."""
    read = stand.reads(made)
    used = [
        field
        for field in read
        if field in stand._stated and stand.depends(made, field) and stand.without(field).make(make).value != made.value
    ]
    fields = (*used, *(field for field in made.missing if field not in stand._stated))
    return fields or tuple(made.missing) or (_last_that_tells(stand, make, made.value, read),)


def complete(trial: Trial, named: set[str]) -> bool:
    """Whether the fields that a page names are enough to write it; if not, its sentences name more from now on.

    Two fields may say the same, as a condition and its normalised name do, and the sentence is the same without either.
    One of them is named then.
    """
    stand: object = trial
    assert isinstance(stand, _Read)
    bare = stand.only(named)
    for make, (made, _) in stand._told.items():
        text = made.value
        if text and stand.can_change(made, bare._gone) and bare.make(make).value != text:
            kept = [field for field in stand.reads(made) if field in bare._gone]
            for field in tuple(kept):
                fewer = [one for one in kept if one != field]
                if stand.only({*named, *fewer}).make(make).value == text:
                    kept = fewer
            stand._also[make] = kept
            named = {*named, *kept}
            bare = stand.only(named)
    return not stand._also


def _last_that_tells(stand: _Read, make: Make, text: Any, read: dict[str, None]) -> str:
    """Of fields that each say the same, the one without which, after all before it, the sentence is another."""
    bare = stand
    for field in read:
        bare = bare.without(field)
        if bare.make(make).value != text:
            return field
    return next(iter(read))

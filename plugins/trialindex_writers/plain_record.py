"""A trial that notes which of its fields are read, so that each sentence can name those that it was made from.

Nobody has to keep the list by hand. A sentence is made once, and again without each field that could change it; those
whose absence does are the ones that it was made from. Facts that many sentences share (who gets what, which illness)
are :func:`remembered`: made once, and made again only without a field that they read; a sentence is made again only if
a fact that it asked for has come out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast

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


class _Made(NamedTuple):
    """What came of a function of a trial: its value, the fields that it read itself, the facts that it asked for."""

    value: Any
    fields: dict[str, None]
    facts: dict[Make, None]
    missing: dict[str, None]


class _Read:
    """Stands for a trial. It has its attributes, and notes who asks for them."""

    def __init__(self, trial: Trial, whole: _Read | None = None, field: str = "") -> None:
        self._trial = trial
        self._whole = whole
        self._field = field
        self._known: dict[Make, _Made] = {}
        self._frames: list[_Made] = []
        self._without: dict[str, _Read] = {}
        self._differs: dict[tuple[Make, str], bool] = {}
        self._told: dict[Make, Any] = {}
        self._also: dict[Make, list[str]] = {}

    def __getattr__(self, name: str) -> Any:
        if self._frames:
            self._frames[-1].fields["sites" if name == "countries" else name] = None
        return getattr(self._trial, name)

    def make(self, make: Make) -> _Made:
        """What *make* gives, made now."""
        frame = _Made(None, {}, {}, {})
        self._frames.append(frame)
        try:
            value = make(cast(Trial, self))
        finally:
            self._frames.pop()
        return frame._replace(value=value)

    def remember(self, make: Make) -> Any:
        """What *make* gives, made once, and noted as asked for."""
        if self._frames:
            self._frames[-1].facts[make] = None
        return self.fact(make).value

    def fact(self, make: Make) -> _Made:
        """What *make* gives, made once; not made at all where the field that is gone cannot change it."""
        if make not in self._known:
            whole = self._whole
            if whole is not None and make in whole._known and not whole.depends(whole._known[make], self._field):
                self._known[make] = whole._known[make]
            else:
                self._known[make] = self.make(make)
        return self._known[make]

    def depends(self, made: _Made, field: str) -> bool:
        """Whether something that was made can be otherwise without a field."""
        if field in made.fields:
            return True
        return any(self.differs(fact, field) for fact in made.facts)

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
            self._without[field] = _Read(bare, self, field)
        return self._without[field]

    def only(self, fields: set[str]) -> _Read:
        """The same trial, with nothing stated in any other field."""
        gone = {field: blank for field, blank in _BLANK.items() if field not in fields}
        return _Read(msgspec.structs.replace(self._trial, **gone))

    def reads(self, made: _Made) -> dict[str, None]:
        """Every field that something was made from, in the order in which it was asked for."""
        found = dict(made.fields)
        for fact in made.facts:
            found.update(self.reads(self.fact(fact)))
        return found


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
    made = stand.make(make)
    stand._told[make] = made.value
    if not made.value:
        return None
    read = stand.reads(made)
    used = [
        field
        for field in read
        if getattr(stand._trial, field) != _BLANK[field]
        and stand.depends(made, field)
        and stand.without(field).make(make).value != made.value
    ]
    fields = (*used, *(field for field in made.missing if getattr(stand._trial, field) == _BLANK[field]))
    fields = (*fields, *(field for field in stand._also.get(make, ()) if field not in fields))
    return Sentence(made.value, fields or tuple(made.missing) or (_last_that_tells(stand, make, made.value, read),))


def complete(trial: Trial, named: set[str]) -> bool:
    """Whether the fields that a page names are enough to write it; if not, its sentences name more from now on.

    Two fields may say the same, as a condition and its normalised name do, and the sentence is the same without either.
    One of them is named then.
    """
    stand: object = trial
    assert isinstance(stand, _Read)
    bare = stand.only(named)
    for make, text in stand._told.items():
        if text and bare.make(make).value != text:
            kept = [field for field in stand.reads(stand.make(make)) if field not in named]
            for field in tuple(kept):
                fewer = [one for one in kept if one != field]
                if stand.only({*named, *fewer}).make(make).value == text:
                    kept = fewer
            stand._also[make] = kept
    return not stand._also


def _last_that_tells(stand: _Read, make: Make, text: Any, read: dict[str, None]) -> str:
    """Of fields that each say the same, the one without which, after all before it, the sentence is another."""
    bare = stand
    for field in read:
        bare = bare.without(field)
        if bare.make(make).value != text:
            return field
    return next(iter(read))

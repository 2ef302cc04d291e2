"""Filters: what a user asks to see only. Applied in SQLite before anything is ranked.

A filter is declared once, as a field of :class:`Filters`: its SQL condition, its option on the command line with the
help text, and how its value is read and said. :class:`FilterWords` repeats the names for editors alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from trialindex.errors import QueryError, nearest
from trialindex.search.places import Place, find_place, parse_distance
from trialindex.search.sites import Address, locate_cities
from trialindex.storage import filter_queries as queries
from trialindex.trial import display, format_age, parse_values, sanitize
from trialindex.trial.countries import country_code
from trialindex.trial.statuses import JOINABLE

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids
    from trialindex.storage.filter_queries import Condition
    from trialindex.storage.records import Records

Words = str | Sequence[str]


class FilterWords(TypedDict, total=False):
    """The filters as a person writes them, the keyword arguments of :meth:`Filters.parse` and ``Index.query``."""

    status: Words
    open: bool | None
    phase: Words
    study_type: Words
    sex: str | None
    age: str | float | None
    country: Words
    near: str | None
    within: str | float | None
    condition: Words
    source: Words
    updated_since: str | None


@dataclass(frozen=True)
class FilterOption:
    """How a filter is given on the command line, read, applied and said.

    :param help: what it does, for ``--help``.
    :param read: one value as a person writes it → the value or, where *many* may be given, the values that are kept.
    :param conditions: the value that is kept → what a trial has to be; ``None`` if it alone leaves out no trial.
    :param resolve: the values that are kept → as the index at hand writes them.
    :param say: the value → words for a person; ``""`` where there is nothing to say.
    :param label: what it is called in :meth:`Filters.words`.
    :param metavar: what stands for a value in ``--help``.
    :param flag: it is given without a value.
    :param codes: the tuple of :mod:`trialindex.trial.record` with its likely values, for completion.
    """

    help: str
    read: Callable[[Any], Any]
    conditions: Callable[[Any], list[Condition]] | None
    say: Callable[[Any], str]
    resolve: Callable[[Records, Any], Any] | None = None
    label: str = ""
    metavar: str | None = None
    codes: str | None = None
    many: bool = False
    flag: bool = False


def _many(
    help: str, read: Callable[[str], tuple[str, ...]], conditions: Callable[[Any], list[Condition]], **more: Any
) -> Any:
    """A filter that can be given several times; unless told otherwise any of the values will do."""
    more = {"say": " or ".join, **more}
    return field(default=(), metadata={"filter": FilterOption(help, read, conditions, many=True, **more)})


def _one(
    help: str, read: Callable[[Any], Any], conditions: Callable[[Any], list[Condition]] | None, **more: Any
) -> Any:
    """A filter with one value."""
    more = {"say": str, **more}
    return field(default=None, metadata={"filter": FilterOption(help, read, conditions, **more)})


def _read_sex(text: str) -> str | None:
    """``FEMALE`` or ``MALE``; *all* is no filter."""
    code = parse_values.normalise_sex(text)
    return None if code == "ALL" else code


def _read_age(text: str | float) -> float:
    age = parse_values.normalise_age(text)
    if age is None:
        raise ValueError(f'"{text}" is not an age; write it like "34" or "6 months"')
    return age


def _known_sources(records: Records, names: Sequence[str]) -> list[str]:
    held = queries.sources(records)
    return [_known("source", name, held) for name in names]


def _known_countries(records: Records, names: Sequence[str]) -> list[str]:
    """Every way in which the index writes the countries: *South Korea* is also *Korea, Republic of*.

    :raises QueryError: no trial of the index has a site in one of them.
    """
    held = queries.countries(records)
    found = []
    for name in names:
        code = country_code(name)
        same = sorted(other for other in held if code and country_code(other) == code)
        found += same or [_known("country", name, held)]
    return found


def _known(what: str, value: str, held: Iterable[str]) -> str:
    """The value as the index writes it.

    :raises QueryError: no trial of the index has it; the nearest one that some trial has is named.
    """
    in_order = sorted(held)
    for name in in_order:
        if name.casefold() == value.casefold():
            return name
    raise QueryError(f'no trial in this index has the {what} "{value}".', hint=nearest(value, in_order))


@dataclass(frozen=True)
class Filters:
    """Only trials that pass all of these are ranked. Empty means no filter.

    A bound that a trial does not state never excludes it: a trial without an upper age takes every age above its
    lower one. What is asked *for* must be stated: ``status=("RECRUITING",)`` leaves out a trial without a status.

    :param status: any of these, registry codes.
    :param open: recruiting, enrolling by invitation, or not yet recruiting.
    :param phase: any of these, registry codes.
    :param study_type: any of these, registry codes.
    :param sex: ``FEMALE`` or ``MALE``: trials that take this sex.
    :param age: years: trials that take this age.
    :param country: a site in any of these, as the registry writes them.
    :param near: with *within*, a site at most so many kilometres away; one without a position is where its city is.
    :param condition: words that occur in the name of one of the trial's conditions, each of them.
    :param source: any of these source names.
    :param updated_since: ISO date: the registry's last update is on this day or later, as far as its precision tells.
    """

    status: tuple[str, ...] = _many(
        "Such as recruiting. Repeat for more.",
        lambda text: (parse_values.normalise_status(text),),
        queries.one_of("trials", "status"),
        say=lambda codes: " or ".join(map(display.status, codes)),
        codes="STATUSES",
    )
    open: bool | None = _one(
        "Trials that can be joined now or later: recruiting, enrolling by invitation, not yet recruiting.",
        lambda given: bool(given) or None,
        lambda given: queries.one_of("trials", "status")(sorted(JOINABLE)),
        say=lambda given: "to join now or later",
        label="open",
        flag=True,
    )
    phase: tuple[str, ...] = _many(
        'Such as 2, "phase 3" or early-phase1.',
        parse_values.normalise_phases,
        queries.one_of("phases", "phase"),
        say=lambda codes: " or ".join(display.phase((code,)) for code in codes),
        codes="PHASES",
    )
    study_type: tuple[str, ...] = _many(
        "Such as interventional.",
        lambda text: (parse_values.normalise_study_type(text),),
        queries.one_of("trials", "study_type"),
        say=lambda codes: " or ".join(map(display.study_type, codes)),
        label="study type",
        codes="STUDY_TYPES",
    )
    sex: str | None = _one(
        "female or male: trials that take this sex.", _read_sex, queries.takes_sex, say=display.sex, metavar="TEXT"
    )
    age: float | None = _one(
        '34, or "6 months": trials that take this age.', _read_age, queries.takes_age, say=format_age, metavar="AGE"
    )
    country: tuple[str, ...] = _many(
        "A site in this country.",
        lambda text: (text,),
        queries.one_of("places", "country"),
        resolve=_known_countries,
        metavar="NAME",
    )
    near: Place | None = _one(  # noqa: RUF009
        '"Lyon, France" or 45.76,4.84: shows the nearest site of each trial.',
        find_place,
        None,
        say=lambda place: "",  # said with the distance
        metavar="PLACE",
    )
    within: float | None = _one(
        "With --near: a site at most this far, 100km or 60mi.",
        lambda text: parse_distance(str(text)),
        None,
        say=lambda km: f"within {km:g} km",
        label="distance",
        metavar="DISTANCE",
    )
    condition: tuple[str, ...] = _many(
        "These words in a condition of the trial.",
        lambda text: (text,),
        queries.names_condition,
        say=" and ".join,
        metavar="WORDS",
    )
    source: tuple[str, ...] = _many(
        "Trials that came from this source.",
        lambda text: (text,),
        queries.one_of("trials", "source"),
        resolve=_known_sources,
        metavar="NAME",
    )
    updated_since: str | None = _one(
        "Updated in the registry on this day or later: 2026-01-31.",
        parse_values.normalise_date,
        queries.updated_since,
        label="updated since",
        metavar="DATE",
    )

    def __post_init__(self) -> None:
        for name, option in FILTERS.items():
            if option.many:
                object.__setattr__(self, name, tuple(map(sanitize.replace_surrogates, getattr(self, name))))
        if self.within is not None and self.near is None:
            raise QueryError("a distance needs a place.", hint='Add it: --near "Lyon, France"')

    @classmethod
    def parse(cls, **words: Unpack[FilterWords]) -> Filters:
        """Filters from words as a person writes them: ``recruiting``, ``phase 2``, ``34``, ``6 months``, ``100km``.

        :raises QueryError: a value is not understood; the message says what is allowed and which is nearest.
        """
        kept: dict[str, Any] = {}
        try:
            for name, given in words.items():
                option = FILTERS.get(name)
                if option is None:
                    raise TypeError(f"{name} is no filter; there are {', '.join(FILTERS)}")
                if option.many:
                    kept[name] = tuple(value for text in _several(given) for value in option.read(text))
                elif given is not None:
                    kept[name] = option.read(given)
        except ValueError as problem:
            raise QueryError(f"{problem}{'' if str(problem).endswith('.') else '.'}") from None
        return cls(**kept)

    def __bool__(self) -> bool:
        return bool(self.words())

    def words(self) -> dict[str, str]:
        """The filters in words for a person, those that are set."""
        said = {
            option.label or name: option.say(value)
            for name, option in FILTERS.items()
            if (value := getattr(self, name)) not in (None, ())
        }
        if self.near is not None and "distance" in said:
            said["distance"] += f" of {self.near.name}"
        return {label: text for label, text in said.items() if text}

    def allowed(self, records: Records) -> Ids | None:
        """Sorted numbers of the trials that pass, or ``None`` when there is no filter.

        :raises QueryError: a country or source that no trial of the index has.
        """
        if not self:
            return None
        import numpy as np

        sets = queries.passing(records, self.conditions(records))
        if self.near is not None and self.within is not None:
            sets.append(self._near(records, self.near, self.within))
        return reduce(partial(np.intersect1d, assume_unique=True), sets)

    def _near(self, records: Records, place: Place, within: float) -> Ids:
        """Sorted numbers of the trials with a site at most so many kilometres away."""
        import numpy as np

        of_site = queries.with_site_near(records, place.latitude, place.distance_km, within)
        rows = queries.sites_without_position(records)
        cities = locate_cities(Address(*address) for _, *address in rows)
        near = {
            address for address, city in cities.items() if place.distance_km(city.latitude, city.longitude) <= within
        }
        of_city = {num for num, *address in rows if Address(*address) in near}
        return np.union1d(of_site, np.array(sorted(of_city), dtype=np.int64))

    def unplaced(self, records: Records) -> int:
        """How many trials a distance leaves out because none of their sites can be placed; 0 without a distance."""
        if self.near is None or self.within is None:
            return 0
        rows = queries.sites_without_position(records)
        cities = locate_cities(Address(*address) for _, *address in rows)
        placed = {num for num, *address in rows if Address(*address) in cities}
        others = {num for num, *_ in rows} - placed
        allowed = replace(self, near=None, within=None).allowed(records)
        if allowed is not None:
            others &= set(allowed.tolist())
        return len(others - queries.with_position(records, sorted(others)))

    def conditions(self, records: Records) -> Iterator[Condition]:
        """What a trial has to be, but for its distance.

        :raises QueryError: a country or source that no trial of the index has.
        """
        for name, option in FILTERS.items():
            value = getattr(self, name)
            if value not in (None, ()) and option.conditions is not None:
                yield from option.conditions(option.resolve(records, value) if option.resolve else value)


FILTERS: dict[str, FilterOption] = {one.name: one.metadata["filter"] for one in fields(Filters)}
"""Every filter by its name, in the order of the command line."""


def _several(words: Any) -> tuple[str, ...]:
    several = (words,) if isinstance(words, str) else tuple(words)
    if not all(text.strip() for text in several):
        raise QueryError("a filter is empty.", hint="Leave it out, or give it a value.")
    return several

"""Filters: what a user asks to see only. Applied in SQLite before anything is ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from trialindex.errors import QueryError, nearest
from trialindex.search.places import Place, country_code, find_place, parse_distance
from trialindex.storage.records import Records, fold
from trialindex.trial import display, format_age, parse_values, sanitize

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids


@dataclass(frozen=True)
class Filters:
    """Only trials that pass all of these are ranked. Empty means no filter.

    A bound that a trial does not state never excludes it: a trial without an upper age takes every age above its
    lower one. What is asked *for* must be stated: ``status=("RECRUITING",)`` leaves out a trial without a status.

    :param status: any of these, registry codes.
    :param phase: any of these, registry codes.
    :param study_type: any of these, registry codes.
    :param sex: ``FEMALE`` or ``MALE``: trials that take this sex.
    :param age: years: trials that take this age.
    :param country: a site in any of these, as the registry writes them.
    :param near: with *within_km*, a site with a position at most so many kilometres away.
    :param condition: words that occur in the name of one of the trial's conditions, each of them.
    :param source: any of these source names.
    :param updated_since: ISO date: the registry's last update is on this day or later, as far as its precision tells.
    """

    status: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    study_type: tuple[str, ...] = ()
    sex: str | None = None
    age: float | None = None
    country: tuple[str, ...] = ()
    near: Place | None = None
    within_km: float | None = None
    condition: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    updated_since: str | None = None

    def __post_init__(self) -> None:
        for name in ("status", "phase", "study_type", "country", "condition", "source"):
            object.__setattr__(self, name, tuple(map(sanitize.replace_surrogates, getattr(self, name))))

    @classmethod
    def parse(
        cls,
        *,
        status: str | Sequence[str] = (),
        phase: str | Sequence[str] = (),
        study_type: str | Sequence[str] = (),
        sex: str | None = None,
        age: str | float | None = None,
        country: str | Sequence[str] = (),
        near: str | None = None,
        within: str | float | None = None,
        condition: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        updated_since: str | None = None,
    ) -> Filters:
        """Filters from words as a person writes them: ``recruiting``, ``phase 2``, ``34``, ``6 months``, ``100km``.

        :raises QueryError: a value is not understood; the message says what is allowed and which is nearest.
        """
        if within is not None and near is None:
            raise QueryError("a distance needs a place.", hint='Add it: --near "Lyon, France"')
        try:
            return cls(
                status=tuple(parse_values.normalise_status(text) for text in _several(status)),
                phase=tuple(code for text in _several(phase) for code in parse_values.normalise_phases(text)),
                study_type=tuple(parse_values.normalise_study_type(text) for text in _several(study_type)),
                sex=_one_sex(sex),
                age=None if age is None else _age(age),
                country=_several(country),
                near=None if near is None else find_place(near),
                within_km=None if within is None else parse_distance(str(within)),
                condition=_several(condition),
                source=_several(source),
                updated_since=None if updated_since is None else parse_values.normalise_date(updated_since),
            )
        except ValueError as problem:
            raise QueryError(f"{problem}{'' if str(problem).endswith('.') else '.'}") from None

    def __bool__(self) -> bool:
        return bool(self.words())

    def words(self) -> dict[str, str]:
        """The filters in words for a person, those that are set."""
        found = {
            "status": " or ".join(display.status(code) for code in self.status),
            "phase": " or ".join(display.phase((code,)) for code in self.phase),
            "study type": " or ".join(display.study_type(code) for code in self.study_type),
            "sex": display.sex(self.sex) if self.sex else "",
            "age": format_age(self.age) if self.age is not None else "",
            "country": " or ".join(self.country),
            "distance": (
                f"within {self.within_km:g} km of {self.near.name}" if self.near and self.within_km is not None else ""
            ),
            "condition": " and ".join(self.condition),
            "source": " or ".join(self.source),
            "updated since": self.updated_since or "",
        }
        return {name: text for name, text in found.items() if text}

    def allowed(self, records: Records) -> Ids | None:
        """Sorted numbers of the trials that pass, or ``None`` when there is no filter.

        :raises QueryError: a country or source that no trial of the index has.
        """
        if not self:
            return None
        import numpy as np

        selects, parameters = self._sql(records)
        sets = [records.numbers(select, parameters) for select in selects]
        if self.near and self.within_km is not None:
            sets.append(self._within(records))
        return reduce(partial(np.intersect1d, assume_unique=True), sets)

    def _sql(self, records: Records) -> tuple[list[str], dict[str, Any]]:
        """SELECTs of trials that all have to hold one, each answered by one index alone, and their parameters."""
        parameters: dict[str, Any] = {}
        where: list[str] = []
        selects: list[str] = []

        def among(values: tuple[str, ...]) -> str:
            marks = []
            for value in values:
                parameters[f"p{len(parameters)}"] = value
                marks.append(f":p{len(parameters) - 1}")
            return f"({', '.join(marks)})"

        if self.status:
            where.append(f"status IN {among(self.status)}")
        if self.study_type:
            where.append(f"study_type IN {among(self.study_type)}")
        if self.phase:
            selects.append(f"SELECT trial AS num FROM phases WHERE phase IN {among(self.phase)}")  # noqa: S608
        if self.sex:
            where.append(f"coalesce(sex, 'ALL') IN {among(('ALL', self.sex))}")
        if self.age is not None:
            parameters["age"] = self.age
            where.append("coalesce(minimum_age, :age) <= :age AND coalesce(maximum_age, :age) >= :age")
        if self.country:
            countries = tuple(name for text in self.country for name in _countries(records, text))
            selects.append(f"SELECT trial AS num FROM places WHERE country IN {among(countries)}")  # noqa: S608
        if self.source:
            sources = tuple(_known(records, "source", "SELECT DISTINCT source FROM trials", s) for s in self.source)
            where.append(f"source IN {among(sources)}")
        for words in self.condition:
            likes = " AND ".join(f"name LIKE {among((_like(word),))} ESCAPE '\\'" for word in fold(words).split())
            selects.append(f"SELECT trial AS num FROM conditions WHERE {likes or '1'}")  # noqa: S608
        if self.updated_since:
            parameters["since"] = self.updated_since
            where.append("last_updated >= substr(:since, 1, length(last_updated))")
        if where:
            selects.append(f"SELECT num FROM trials WHERE {' AND '.join(where)}")  # noqa: S608
        return selects, parameters

    def _within(self, records: Records) -> Ids:
        """Numbers of the trials with a site within the distance."""
        import numpy as np

        assert self.near is not None
        assert self.within_km is not None
        south, north = self.near.latitude - self.within_km / 110.5, self.near.latitude + self.within_km / 110.5
        rows = list(
            records.rows(
                "SELECT trial, latitude, longitude FROM places"
                " WHERE latitude BETWEEN ? AND ? AND longitude IS NOT NULL",
                (south, north),
            )
        )
        if not rows:
            return np.empty(0, dtype=np.int64)
        table = np.array(rows, dtype=np.float64)
        near = self.near.distance_km(table[:, 1], table[:, 2]) <= self.within_km
        return np.unique(table[near, 0].astype(np.int64))


_HELD_COUNTRIES = (
    "WITH RECURSIVE held (name) AS (SELECT min(country) FROM places UNION ALL"
    " SELECT (SELECT min(country) FROM places WHERE country > name) FROM held WHERE name IS NOT NULL)"
    " SELECT name FROM held"
)
"""Every country once: from each to the next by the index, where DISTINCT would go through all places."""


def _several(words: str | Sequence[str]) -> tuple[str, ...]:
    several = (words,) if isinstance(words, str) else tuple(words)
    if not all(text.strip() for text in several):
        raise QueryError("a filter is empty.", hint="Leave it out, or give it a value.")
    return several


def _one_sex(text: str | None) -> str | None:
    """``FEMALE`` or ``MALE``; *all* is no filter."""
    code = None if text is None else parse_values.normalise_sex(text)
    return None if code == "ALL" else code


def _age(text: str | float) -> float:
    age = parse_values.normalise_age(text)
    if age is None:
        raise ValueError(f'"{text}" is not an age; write it like "34" or "6 months"')
    return age


def _known(records: Records, what: str, sql: str, value: str) -> str:
    """The value as the index writes it.

    :raises QueryError: no trial of the index has it; the nearest one that some trial has is named.
    """
    held = sorted({row[0] for row in records.rows(sql) if row[0]})
    for name in held:
        if name.casefold() == value.casefold():
            return str(name)
    raise QueryError(f'no trial in this index has the {what} "{value}".', hint=nearest(value, held))


def _countries(records: Records, text: str) -> list[str]:
    """Every way in which the index writes the country: *South Korea* is also *Korea, Republic of*.

    :raises QueryError: no trial of the index has a site there.
    """
    code = country_code(text)
    held = {row[0] for row in records.rows(_HELD_COUNTRIES) if row[0]}
    same = sorted(name for name in held if code and country_code(name) == code)
    return same or [_known(records, "country", _HELD_COUNTRIES, text)]


def _like(word: str) -> str:
    """The word as a LIKE pattern that matches it anywhere, its own wildcards escaped."""
    for special in ("\\", "%", "_"):
        word = word.replace(special, f"\\{special}")
    return f"%{word}%"

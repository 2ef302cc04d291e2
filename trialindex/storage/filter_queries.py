"""Which trials pass filters: the SQL that looks up what :mod:`~trialindex.storage.filter_columns` keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialindex.storage.filter_columns import fold
from trialindex.trial.ages import last_birthday

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids
    from trialindex.storage.database import Database
    from trialindex.storage.records import Records


_MANY = 500
"""Numbers in one statement."""


@dataclass(frozen=True)
class Condition:
    """What a row has to be for its trial to pass.

    :param table: the rows of which table: ``trials``, or one with several rows a trial.
    :param sql: a condition with a ``{}`` for each value.
    """

    table: str
    sql: str
    values: tuple[Any, ...]


def one_of(table: str, column: str) -> Callable[[Sequence[str]], list[Condition]]:
    """The column holds one of the values."""

    def conditions(values: Sequence[str]) -> list[Condition]:
        return [Condition(table, f"{column} IN ({', '.join('{}' for _ in values)})", tuple(values))]

    return conditions


def takes_sex(sex: str) -> list[Condition]:
    """The trial takes this sex, or states none."""
    return [Condition("trials", "coalesce(sex, 'ALL') IN ('ALL', {})", (sex,))]


def takes_age(age: float) -> list[Condition]:
    """The trial states no bound that shuts this age out, in years."""
    sql = "coalesce(minimum_age, {}) <= {} AND (coalesce(maximum_age, {}) >= {} OR maximum_age = {})"
    return [Condition("trials", sql, (age, age, age, age, last_birthday(age)))]


def names_condition(texts: Sequence[str]) -> list[Condition]:
    """For each text the trial has a condition whose name holds each of its words."""
    return [
        Condition(
            "conditions",
            " AND ".join("name LIKE {} ESCAPE '\\'" for _ in words) or "1",
            tuple(map(_pattern, words)),
        )
        for words in (fold(text).split() for text in texts)
    ]


def updated_since(date: str) -> list[Condition]:
    """The registry's last update is on this ISO day or later, as far as its precision tells."""
    return [Condition("trials", "last_updated >= substr({}, 1, length(last_updated))", (date,))]


def selects(conditions: Iterable[Condition]) -> tuple[list[str], dict[str, Any]]:
    """SELECTs of trials that all have to hold one, each answered by one index alone, and their parameters."""
    parameters: dict[str, Any] = {}

    def bound(condition: Condition) -> str:
        names = [f"p{len(parameters) + at}" for at in range(len(condition.values))]
        parameters.update(zip(names, condition.values, strict=True))
        return condition.sql.format(*(f":{name}" for name in names))

    of_trials: list[str] = []
    of_others: list[str] = []
    for condition in conditions:
        if condition.table == "trials":
            of_trials.append(bound(condition))
        else:
            of_others.append(f"SELECT trial AS num FROM {condition.table} WHERE {bound(condition)}")  # noqa: S608
    if of_trials:
        of_others.append(f"SELECT num FROM trials WHERE {' AND '.join(of_trials)}")  # noqa: S608
    return of_others, parameters


def passing(records: Records, conditions: Iterable[Condition]) -> list[Ids]:
    """Sorted numbers of trials, one set or several; those pass that are in every one."""
    statements, parameters = selects(conditions)
    return [_numbers(records.database, statement, parameters) for statement in statements]


def with_site_near(records: Records, latitude: float, distance: Callable[[Any, Any], Any], within: float) -> Ids:
    """Sorted numbers of the trials with a site near a position, by the positions that registries state.

    :param latitude: of the position, degrees.
    :param distance: gives the kilometres from it to arrays of latitudes and longitudes.
    :param within: kilometres.
    """
    import numpy as np

    reach = within / 110.5  # degrees: where a degree of latitude is shortest
    sql = "SELECT trial, latitude, longitude FROM places WHERE latitude BETWEEN ? AND ?"
    rows = list(records.database.rows(sql, (latitude - reach, latitude + reach)))
    if not rows:
        return np.empty(0, dtype=np.int64)
    table = np.array(rows, dtype=np.float64)
    return np.unique(table[distance(table[:, 1], table[:, 2]) <= within, 0].astype(np.int64))


def sites_without_position(records: Records) -> list[tuple[int, str | None, str | None, str | None]]:
    """For each site without a position the number of its trial, its city, state and country."""
    return list(records.database.rows("SELECT trial, city, state, country FROM places WHERE latitude IS NULL"))


def with_position(records: Records, nums: Sequence[int]) -> set[int]:
    """Those of the trials that have a site with a position."""
    found: set[int] = set()
    for at in range(0, len(nums), _MANY):
        some = nums[at : at + _MANY]
        marks = ", ".join("?" * len(some))
        sql = f"SELECT DISTINCT trial FROM places WHERE latitude IS NOT NULL AND trial IN ({marks})"  # noqa: S608
        found |= {num for (num,) in records.database.rows(sql, some)}
    return found


def sources(records: Records) -> set[str]:
    """The names of the sources that trials came from."""
    return {str(name) for (name,) in records.database.rows("SELECT DISTINCT source FROM trials")}


def countries(records: Records) -> set[str]:
    """The countries that sites are in, as registries write them."""
    # from each to the next by the index, where DISTINCT would go through all places
    sql = (
        "WITH RECURSIVE held (name) AS (SELECT min(country) FROM places UNION ALL"
        " SELECT (SELECT min(country) FROM places WHERE country > name) FROM held WHERE name IS NOT NULL)"
        " SELECT name FROM held"
    )
    return {str(name) for (name,) in records.database.rows(sql) if name}


def _pattern(word: str) -> str:
    """The word as a LIKE pattern that matches it anywhere, its own wildcards escaped."""
    for special in ("\\", "%", "_"):
        word = word.replace(special, f"\\{special}")
    return f"%{word}%"


def _numbers(database: Database, statement: str, parameters: Mapping[str, Any]) -> Ids:
    """The column ``num`` of a SELECT, integers, each once, sorted ascending, as int64."""
    import numpy as np

    # As one text: a row of its own for each of 300,000 numbers takes four times as long.
    text = database.value(f"SELECT group_concat(num) FROM ({statement})", parameters)  # noqa: S608
    values = np.sort(np.fromstring(text or "0", dtype=np.int64, sep=","))
    return values[np.diff(values, prepend=0) > 0]  # numbers begin at 1; np.unique takes ten times as long

"""Trials without a question: how many have which value, and a page of them in an order. SQL over what filters read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids
    from trialindex.storage.records import Records

Order = Literal["added", "newest", "open"]

_COUNTS = {
    "status": "SELECT status, count(*) FROM trials WHERE {} GROUP BY status",
    "phase": "SELECT phase, count(*) FROM phases WHERE {} GROUP BY phase",
    "study_type": "SELECT study_type, count(*) FROM trials WHERE {} GROUP BY study_type",
    "country": "SELECT min(country), count(DISTINCT trial) FROM places WHERE {} GROUP BY country",
}
_ORDERS: dict[Order, str] = {
    "added": "num",
    "newest": "first_seen DESC, num DESC",
    "open": "CASE status WHEN 'RECRUITING' THEN 0 WHEN 'AVAILABLE' THEN 0 WHEN 'ENROLLING_BY_INVITATION' THEN 1"
    " WHEN 'NOT_YET_RECRUITING' THEN 1 ELSE 2 END, last_updated DESC, num",
}


def count_values(records: Records, allowed: Ids | None) -> dict[str, dict[str, int]]:
    """How many trials have each status, phase, study type and country, the most frequent first.

    :param allowed: numbers of the trials that are counted; ``None`` for all.
    """
    counts = {}
    for name, sql in _COUNTS.items():
        key = "num" if "FROM trials" in sql else "trial"
        where, parameters = _restriction(key, allowed)
        rows = [(value, int(number)) for value, number in records.database.rows(sql.format(where), parameters) if value]
        counts[name] = dict(sorted(rows, key=lambda row: (-row[1], row[0])))
    return counts


def page_numbers(records: Records, allowed: Ids | None, order: Order, limit: int, offset: int) -> list[int]:
    """Numbers of the trials of a page.

    :param order: ``added``, as they came, ``newest``, those first seen last before the others, or ``open``: those that
        people can join first, the last updated first.
    """
    where, parameters = _restriction("num", allowed)
    sql = f"SELECT num FROM trials WHERE {where} ORDER BY {_ORDERS[order]} LIMIT ? OFFSET ?"  # noqa: S608
    return [num for (num,) in records.database.rows(sql, (*parameters, limit, offset))]


def _restriction(key: str, allowed: Ids | None) -> tuple[str, tuple[str, ...]]:
    if allowed is None:
        return "1", ()
    return f"{key} IN (SELECT value FROM json_each(?))", (json.dumps(allowed.tolist()),)  # noqa: S608

"""Trials without a question: a page of those that pass filters, what they can be narrowed by, and what leaves none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from trialindex.errors import QueryError, nearest
from trialindex.plugin.results import Listing, Relaxation
from trialindex.search.filters import Filters
from trialindex.storage.listing import Order, page_numbers
from trialindex.storage.records import Records

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids

ORDERS: tuple[Order, ...] = ("added", "open")


def browse(
    filters: Filters,
    *,
    order: str,
    limit: int,
    page: int,
    contacts: bool,
    records: Records,
    allowed: Callable[[Filters], Ids | None],
) -> Listing:
    """A page of the trials that pass the filters.

    :param allowed: gives the numbers of the trials that pass.
    :raises QueryError: an unknown order or filter value, a limit or page below 1.
    """
    chosen = next((one for one in ORDERS if one == order), None)
    if chosen is None:
        raise QueryError(f'unknown order "{order}".', hint=nearest(order, ORDERS))
    if limit < 1 or page < 1:
        raise QueryError("limit and page start at 1.")
    passing = allowed(filters)
    nums = page_numbers(records, passing, chosen, limit, (page - 1) * limit)
    trials = (stored.trial for stored in records.load(nums, raw=contacts))
    return Listing(
        filters=filters.words(),
        order=chosen,
        searched=len(records) if passing is None else len(passing),
        total=len(records),
        page=page,
        limit=limit,
        trials=tuple(trial if contacts else trial.masked() for trial in trials),
        generation=records.generation,
    )


def relax(filters: Filters, allowed: Callable[[Filters], Ids | None], total: int) -> tuple[Relaxation, ...]:
    """For each filter how many trials pass without it, those that let most pass first.

    Source: query relaxation for empty answers, Mottin et al., PVLDB 6(14), 2013, here one filter at a time.

    :param allowed: gives the numbers of the trials that pass. :param total: how many trials there are.
    """
    found = []
    words = filters.words()
    for name, text in words.items():
        attribute = "within_km" if name == "distance" else name.replace(" ", "_")
        default = next(field.default for field in fields(Filters) if field.name == attribute)
        passing = allowed(replace(filters, **{attribute: default}))  # type: ignore[arg-type]
        found.append(Relaxation(filter=attribute, words=text, trials=total if passing is None else len(passing)))
    return tuple(sorted(found, key=lambda one: -one.trials))

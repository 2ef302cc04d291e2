"""What a status means to somebody who wants to take part."""

from __future__ import annotations

from typing import Literal

from trialindex.trial.record import Status

Access = Literal["open", "coming", "not stated", "closed"]

_ACCESS: dict[Status | None, Access] = {
    "RECRUITING": "open",
    "AVAILABLE": "open",
    "ENROLLING_BY_INVITATION": "coming",
    "NOT_YET_RECRUITING": "coming",
    "UNKNOWN": "not stated",
    "WITHHELD": "not stated",
    None: "not stated",
}
_ORDER: tuple[Access, ...] = ("open", "coming", "not stated", "closed")

JOINABLE: frozenset[Status] = frozenset({"RECRUITING", "ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING"})
"""Statuses of a study that can be joined, now or later."""
ENDED: frozenset[Status] = frozenset(
    {"COMPLETED", "TERMINATED", "WITHDRAWN", "NO_LONGER_AVAILABLE", "APPROVED_FOR_MARKETING"}
)
"""Statuses of a study that is over, and will take nobody any more."""


def access(status: Status | None) -> Access:
    """Whether a study or site takes people: now, later or by invitation, not stated, or not."""
    return _ACCESS.get(status, "closed")


def access_rank(status: Status | None) -> int:
    """For sorting: what is open first, what is closed last."""
    return _ORDER.index(access(status))

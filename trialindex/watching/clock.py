"""The time, which tests may turn."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """The moment as ISO 8601 has it, to the second."""
    return moment.isoformat(timespec="seconds")

"""Rows of one trial, of which tables of registries have several: one for each country, site or sponsor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from trialindex.trial import Trial, TrialDate
from trialindex.trial.sanitize import one_line

_MOST_OPEN = (
    *("RECRUITING", "ENROLLING_BY_INVITATION", "AVAILABLE", "NOT_YET_RECRUITING", "TEMPORARILY_NOT_AVAILABLE"),
    *("SUSPENDED", "ACTIVE_NOT_RECRUITING", "COMPLETED", "APPROVED_FOR_MARKETING", "NO_LONGER_AVAILABLE"),
    *("TERMINATED", "WITHDRAWN", "WITHHELD", "UNKNOWN"),
)
"""A trial that is open in one country is open; it was stopped early only if it was so everywhere."""

_DEFAULTS = {
    field.name: field.default for field in msgspec.structs.fields(Trial) if field.name not in ("id", "source", "raw")
}

_EARLIEST = {"first_posted", "start_date", "first_seen"}
"""Of these dates the first counts, of others the last."""
_OF_REGISTRY = re.compile(r"[0-9]{5}")
"""What the id of a registry holds: it means one trial, however a title is written."""

Line = tuple[int, Trial]


class Repeats:
    """The trials of a table whose rows repeat ids, each once.

    :param ids: the id of each row. A trial is held back until its last row is read.
    :param reject: told of a row that repeats an id for another trial.
    :param drop: told of what the rows of one trial state differently.
    """

    def __init__(
        self, ids: Iterable[str], reject: Callable[[str, str], None], drop: Callable[[str, str], None]
    ) -> None:
        self._left = {one: count for one, count in Counter(ids).items() if count > 1}
        self._held: dict[str, list[Line]] = {}
        self._begun: dict[str, int] = {}
        self._reject, self._drop = reject, drop
        self.joined = 0
        """How many rows went into a trial of an earlier one."""

    def take(self, row_id: str, line: int, trial: Trial | None) -> Iterator[Trial]:
        """The trial that is whole with this row, if one is.

        :param row_id: as it stands in the row.
        :param trial: ``None`` for a row that cannot be read.
        """
        if row_id not in self._left:
            if trial is not None:
                yield from self._first(line, trial)
            return
        self._left[row_id] -= 1
        held = self._held.setdefault(row_id, [])
        if trial is not None:
            own = held and not _OF_REGISTRY.search(trial.id)
            if own and _letters(held[0][1].title) != _letters(trial.title):
                self._reject(f"line {line}", f"{trial.id} is in line {held[0][0]} already, with another title")
            else:
                held.append((line, trial))
        if not self._left[row_id] and self._held.pop(row_id):
            self.joined += len(held) - 1
            yield from self._first(held[0][0], self._one_of(held))

    def _first(self, line: int, trial: Trial) -> Iterator[Trial]:
        """The trial, unless its id, which may be written in several ways, was there before."""
        if trial.id in self._begun:
            self._reject(f"line {line}", f"{trial.id} is in line {self._begun[trial.id]} already")
        else:
            self._begun[trial.id] = line
            yield trial

    def _one_of(self, rows: Sequence[Line]) -> Trial:
        """What the rows state together: all that is in lists, and of the rest what the first of them states."""
        begun, trial = rows[0]
        for line, other in rows[1:]:
            fields: dict[str, object] = {}
            for name, default in _DEFAULTS.items():
                ours, theirs = getattr(trial, name), getattr(other, name)
                if theirs in (ours, default):
                    continue
                if isinstance(ours, tuple):
                    fields[name] = tuple(dict.fromkeys((*ours, *theirs)))
                elif ours == default:
                    fields[name] = theirs
                elif isinstance(ours, TrialDate):
                    fields[name] = (min if name in _EARLIEST else max)(ours, theirs, key=lambda one: one.date)
                elif name == "status":
                    fields[name] = min(ours, theirs, key=_MOST_OPEN.index)
                else:
                    self._drop(f"line {line}", f"{name}: another than in line {begun} of the same trial")
            raws = (trial.raw or {}).get("rows") or [trial.raw]
            trial = msgspec.structs.replace(trial, **fields, raw={"rows": [*raws, other.raw]})
        return trial


def _letters(title: str) -> str:
    """A title without what two writings of it may differ in."""
    return "".join(filter(str.isalnum, one_line(title).casefold()))

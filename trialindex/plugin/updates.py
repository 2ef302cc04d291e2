"""What the hook ``index_updated`` is given: the changes, and the index to read them from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from trialindex.plugin.results import Results
    from trialindex.trial import Trial

ChangeKind = Literal["added", "changed", "removed"]


class Change(msgspec.Struct, frozen=True):
    """What happened to one trial: its id, and ``added``, ``changed`` or ``removed``."""

    id: str
    kind: ChangeKind


class UpdatedIndex(Protocol):
    """An index that was just updated, for reading only: its lock is held while the hook runs."""

    @property
    def folder(self) -> Path:
        """The index folder."""

    def __len__(self) -> int: ...

    def __contains__(self, trial_id: object) -> bool: ...

    def get(self, trial_id: str, *, contacts: bool = False) -> Trial:
        """The trial with that id.

        :raises UnknownTrial: the index has none.
        """

    def query(self, text: str, **options: Any) -> Results:
        """Trials ranked for a text; see :meth:`trialindex.Index.query`."""

    def trials(self) -> Iterator[Trial]:
        """Every trial, streaming."""

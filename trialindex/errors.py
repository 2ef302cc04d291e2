"""Everything trialindex raises on purpose.

::

    TrialIndexError
    ├── IndexStateError
    │   ├── IndexNotFound        no index at that path
    │   ├── IndexEmpty           it holds no trials
    │   ├── IndexDamaged         a file of the index is missing, half-written or corrupt
    │   ├── IndexFormatError     written by a newer trialindex
    │   ├── IndexLocked          another process is writing
    │   └── EncoderMismatch      the index was built with another encoder
    ├── UnknownTrial             no trial with that id
    ├── QueryError               empty query, unknown filter value, bad place …
    ├── SourceError              a source cannot deliver: wrong file, registry unreachable …
    ├── PluginError              unknown plugin, name collision, a plugin that fails its contract
    │   └── MissingExtra         the plugin is there, the package it needs is not
    ├── EncoderError             a model that cannot be read or that answers nonsense
    ├── WriterError              a writer of plain language cannot be used
    ├── ReaderError              a reader of questions cannot be used, or cannot tell now
    ├── NotifierError            word of changes cannot be delivered
    ├── WatchError               no such watch, or one that cannot be kept
    ├── EvaluationError          a test collection or a run that cannot be used
    └── StorageError             the disk is full, read-only, or not writable

The message says what happened and why; ``hint`` says what to type or do next. The command line prints both on one
line and exits 1 (bad usage exits 2, as click does).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 20
"""How many allowed words a message lists."""


class TrialIndexError(Exception):
    """Base of every error that trialindex raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.hint}" if self.hint else message


class IndexStateError(TrialIndexError):
    """Something is wrong with an index on disk."""


class IndexNotFound(IndexStateError):
    """There is no index at the path."""


class IndexEmpty(IndexStateError):
    """The index holds no trials."""


class IndexDamaged(IndexStateError):
    """A file of the index is missing, half-written or corrupt."""


class IndexFormatError(IndexStateError):
    """The index was written in a format this version does not know."""


class IndexLocked(IndexStateError):
    """Another process is writing to the index."""


class EncoderMismatch(IndexStateError):
    """The index was built with another encoder than the one given."""


class UnknownTrial(TrialIndexError):
    """The index holds no trial with that id."""


class QueryError(TrialIndexError):
    """The query or one of its filters cannot be understood."""


class SourceError(TrialIndexError):
    """A source cannot deliver its trials."""


class PluginError(TrialIndexError):
    """A plugin is unknown, collides with another, or breaks its contract."""


class MissingExtra(PluginError):
    """A plugin needs a package that is not installed."""


class EncoderError(TrialIndexError):
    """A model cannot be read, or gives vectors that cannot be used."""


class WriterError(TrialIndexError):
    """A writer of plain language cannot be used."""


class ReaderError(TrialIndexError):
    """A reader of questions cannot be used, or cannot tell now."""


class NotifierError(TrialIndexError):
    """Word of changes could not be delivered.

    :param permanent: trying again is no use: the address does not exist, the receiver refuses for good.
    """

    def __init__(self, message: str, *, hint: str = "", permanent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.permanent = permanent


class WatchError(TrialIndexError):
    """There is no such watch, or it cannot be kept."""


class EvaluationError(TrialIndexError):
    """A test collection, its judgements or a run cannot be used."""


class StorageError(TrialIndexError):
    """The disk is full, read-only or not writable."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A clause that names the nearest allowed word and lists what is allowed: ``did you mean "x"? Allowed: x, y.``

    :param word: what was typed.
    :param allowed: what would have been understood; the comparison ignores case.
    """
    words = list(allowed)
    by_lower = {w.lower(): w for w in words}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    guess = f'Did you mean "{by_lower[close[0]]}"? ' if close else ""
    if not words:
        return ""
    more = f" and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return f"{guess}Allowed: {', '.join(words[:_LISTED])}{more}."

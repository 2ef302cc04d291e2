"""What lies in a folder in which an index is to be made."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from trialindex.errors import IndexStateError
from trialindex.storage import derived, manifest
from trialindex.storage.database import NAME as RECORDS
from trialindex.storage.lock import BESIDE
from trialindex.storage.records import Records

_PARTS = {RECORDS, f"{RECORDS}-journal", f"{RECORDS}-wal", f"{RECORDS}-shm", derived.NAME}
"""The journal is there until the database has its log."""
_SMALLEST = 8192
"""Bytes; a smaller database has no tables yet."""


def require_empty(folder: Path) -> None:
    """Make sure that a new index can be made in *folder*.

    :raises IndexStateError: a new index cannot be made in *folder*.
    """
    if manifest.is_index(folder):
        raise IndexStateError(f"there is an index at {folder} already.", hint="Open it, or choose another folder.")
    names = {path.name for path in folder.iterdir()} - BESIDE if folder.is_dir() else {""}
    # Who was killed while it took such parts away may have left no records.db, but its log, which goes last.
    if names and not (all(map(is_leftover, names)) and any(name.startswith(RECORDS) for name in names)):
        raise IndexStateError(f"{folder} is not an empty folder.", hint="Choose another one with --index.")
    if not _only_begun(folder):
        manifest.read(folder)  # says what is wrong with half an index


def is_leftover(name: str) -> bool:
    """Whether a file of that name, without a manifest, is of an index that was never finished."""
    return name in _PARTS or name.startswith(f".{manifest.NAME}.")


def _only_begun(folder: Path) -> bool:
    """Whether what lies in *folder* is at most what a process left that was killed while it made an index."""
    path = folder / RECORDS
    if not path.exists() or path.stat().st_size < _SMALLEST:
        return True
    with closing(Records(folder)) as records:
        return len(records) == 0

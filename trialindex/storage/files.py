"""Writing files so that a kill at any moment leaves the old one or the new one."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trialindex.errors import IndexDamaged, IndexLocked, StorageError

_FREE = "Free some space and run the same command again: what was done is kept."
_REASONS = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("your disk quota is used up", _FREE),
    errno.EROFS: ("the disk is read-only", "Use --index with a folder you can write to."),
    errno.EACCES: ("permission denied", "Use --index with a folder you can write to."),
    errno.EPERM: ("permission denied", "Use --index with a folder you can write to."),
    errno.EIO: ("the disk reports an error", "Copy the folder to another disk and try there."),
}
_UNREAD = {"SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA"}
"""What SQLite calls a file that cannot be read as it should; its other disk errors are of writing."""
_DAMAGE = ("malformed", "not a database", "disk I/O", "no such table", "no such column", "Could not decode to UTF-8")
_ROOM = 256 * 1024
"""Bytes; with less left a disk is full for SQLite."""


@contextmanager
def storage_errors(folder: Path, database: str = "records.db") -> Iterator[None]:
    """Turn what the system says of a disk into a :class:`StorageError` or :class:`IndexDamaged` that names *folder*."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in _REASONS:
            raise
        why, hint = _REASONS[problem.errno]
        raise StorageError(f"cannot write to {folder}: {why}.", hint=hint) from problem
    except sqlite3.DatabaseError as problem:
        raise database_error(problem, folder, database) from problem
    except UnicodeDecodeError as problem:  # the message of an error quotes what is damaged
        raise database_error(sqlite3.DatabaseError("malformed: a text is no Unicode"), folder, database) from problem


def database_error(problem: sqlite3.DatabaseError, folder: Path, database: str = "records.db") -> Exception:
    """What a failing database means for the user; *problem* itself when it is a fault of ours."""
    text = " ".join(str(problem).split())
    unread = getattr(problem, "sqlite_errorname", "") in _UNREAD
    for sign, number in (("full", errno.ENOSPC), ("readonly", errno.EACCES), ("unable to open", errno.EACCES)):
        if sign in text:
            return _unwritable(folder, number)
    if "disk I/O" in text and not unread:  # SQLite needs room even to read: the index of its log
        return _unwritable(folder, errno.EIO)
    if "locked" in text or "busy" in text:
        return IndexLocked(
            f"another program holds {folder / database}.", hint="Close it, then run the same command again."
        )
    if any(sign in text for sign in _DAMAGE):
        return IndexDamaged(
            f"{folder / database} is damaged: {text}.",
            hint="Restore it from a copy, or move the folder away and ingest again.",
        )
    return problem


def _unwritable(folder: Path, number: int) -> StorageError:
    """SQLite does not say why it cannot write; that there is no room left can be seen."""
    with suppress(OSError):
        if number != errno.EACCES or os.access(folder, os.W_OK):
            number = errno.ENOSPC if shutil.disk_usage(folder).free < _ROOM else number
    why, hint = _REASONS[number]
    return StorageError(f"cannot write to {folder}: {why}.", hint=hint)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace *path* by a file that holds *data*; it is on the disk when this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside *folder* survive a power cut, where the system knows how."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush every file under *folder* to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def clone_tree(source: Path, target: Path, *, skip: frozenset[str] = frozenset()) -> None:
    """Copy the files of *source* into the new folder *target*, as hard links where the file system has them.

    Only for files that are replaced and never written in place.
    """
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.is_file() and path.name not in skip:
            try:
                os.link(path, target / path.name)
            except OSError:
                shutil.copy2(path, target / path.name)


def remove_entries(folder: Path, chosen: Callable[[str], bool]) -> None:
    """Delete what has a chosen name in *folder*, in the order of the names, as far as the system lets us."""
    for path in sorted(path for path in folder.iterdir() if chosen(path.name)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def folder_size(folder: Path) -> int:
    """Bytes of all files under *folder*; those that a writer takes away meanwhile are left out."""
    size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += Path(root, name).stat().st_size
    return size

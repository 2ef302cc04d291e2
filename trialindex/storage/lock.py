"""One writer at a time. The operating system releases the lock of a process that died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trialindex.errors import IndexLocked, StorageError
from trialindex.storage.files import storage_errors

NAME = "write.lock"
_HOLDER = "write.lock.holder"
LOCKS = frozenset({NAME, _HOLDER})
"""Files that may be in a folder without making it an index."""


@contextmanager
def write_lock(folder: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the right to write to the index in *folder*.

    :param wait: seconds to wait for another writer to finish.
    :raises IndexLocked: another process still writes after that.
    :raises StorageError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    holder = folder / _HOLDER
    lock = FileLock(folder / NAME, timeout=wait)
    try:
        with storage_errors(folder):
            lock.acquire()
    except Timeout:
        who = ""
        with suppress(OSError):  # the holder may be done this very moment
            who = holder.read_text(encoding="utf-8").strip()
        raise IndexLocked(
            f"another process{f' (number {who})' if who else ''} is writing to {folder}.",
            hint="Wait until it is done, then run the same command again.",
        ) from None
    except NotImplementedError:
        raise StorageError(
            f"the file system of {folder} knows no locks, which keep two writers apart.",
            hint="Put the index on a local disk with --index.",
        ) from None
    try:
        with storage_errors(folder):
            holder.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()

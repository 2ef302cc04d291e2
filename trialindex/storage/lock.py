"""One writer at a time. The operating system releases the lock of a process that died."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trialindex.errors import IndexLocked, IndexNotFound, StorageError
from trialindex.storage.files import storage_errors

NAME = "write.lock"
SYNC = "sync.lock"
WATCHES = "watches.db"
"""What the user watches, beside the index and no part of it; see ``trialindex.watching``."""
SUBSCRIBERS = "subscribers.db"
"""Who signed up at a public server, beside the index and no part of it."""
MAILS = "mails.lock"
BESIDE = frozenset(
    {f"{lock}{end}" for lock in (NAME, SYNC, MAILS) for end in ("", ".holder")}
    | {f"{database}{end}" for database in (WATCHES, SUBSCRIBERS) for end in ("", "-journal")}
)
"""Files that may be in a folder without making it an index."""


@contextmanager
def write_lock(folder: Path, *, wait: float = 0.0, name: str = NAME, doing: str = "writing to") -> Iterator[None]:
    """Hold the right to write to the index in *folder*.

    :param wait: seconds to wait for another writer to finish.
    :param name: of the lock; another one is for another right.
    :param doing: what its holder does to the folder, in words.
    :raises IndexLocked: another process still writes after that.
    :raises StorageError: the folder cannot be written.
    :raises IndexNotFound: it is not there.
    """
    from filelock import FileLock, Timeout

    if not folder.is_dir():  # else it would be made, for the lock
        hint = "Was it moved or removed? Name where it is now with --index."
        raise IndexNotFound(f"there is no index at {folder} any more.", hint=hint)
    holder = folder / f"{name}.holder"
    lock = FileLock(folder / name, timeout=wait)
    try:
        with storage_errors(folder):
            lock.acquire()
    except Timeout:
        who = ""
        with suppress(OSError):  # the holder may be done this very moment
            who = re.sub("[^0-9]", "", holder.read_text(encoding="utf-8", errors="replace"))
        raise IndexLocked(
            f"another process{f' (number {who})' if who else ''} is {doing} {folder}.",
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

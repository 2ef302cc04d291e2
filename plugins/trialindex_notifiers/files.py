"""Files that notifiers keep: one writer at a time, durable, and for their owner alone unless told otherwise."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trialindex.errors import NotifierError

PRIVATE = 0o600
_PATIENCE = 10.0  # seconds to wait for another process that writes to the same file


def whole_path(given: str, what: str) -> Path:
    """The path from the root on; one that is given in part is meant from the folder where trialindex is now.

    :param what: how the path was to be given, such as ``file:PATH``.
    :raises NotifierError: there is none, or the home in it is nobody's.
    """
    if not given:
        raise NotifierError(f"{what} needs a path.", hint=f"For example {what.replace('PATH', '~/trialindex-news')}.")
    try:
        return Path.cwd() / Path(given).expanduser()
    except RuntimeError:
        raise NotifierError(f'{what}: whose home is meant by "{given}" is not known.', hint="Write it out.") from None


def check_place(path: Path) -> None:
    """Make sure that a file can be at the path.

    :raises NotifierError: no file can be at the path.
    """
    if path.exists() and not path.is_file():
        raise NotifierError(f"{path} is a folder or a device.", hint="Name a file.")
    if not path.parent.is_dir():
        raise NotifierError(f"there is no folder {path.parent}.", hint=f"Make it: mkdir -p {path.parent}")


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """No other process writes to the file meanwhile; what the system refuses is a :class:`NotifierError`.

    An empty, hidden lock file stays beside it.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_PATIENCE, mode=PRIVATE):
            yield
    except Timeout:
        raise NotifierError(f"another program is writing to {path}.", hint="It is tried again next time.") from None
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise NotifierError(
            f"cannot write {path}: {why}.", hint="Free some space, or let trialindex write there."
        ) from problem


def sync_folder(folder: Path) -> None:
    """Make a file's name in *folder* survive a power cut, where the system knows how."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Write the file anew: a kill at any moment leaves the old content or the new one.

    It keeps its mode; a new one is for its owner alone. What a symbolic link points to is replaced, not the link.
    """
    path = path.resolve()
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else PRIVATE
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)

"""What is compiled once and kept in the user's cache folder, until what it was compiled from changes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from trialindex.storage.files import write_atomically


def cache_path(kind: str, identity: object, suffix: str) -> Path:
    """Where something compiled is kept.

    :param kind: names the folder; it holds one file at a time.
    :param identity: what the thing was compiled from, with versions; its ``repr`` names the file.
    """
    from platformdirs import user_cache_path

    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:16]
    return user_cache_path("trialindex") / kind / f"{digest}{suffix}"


def keep(path: Path, data: bytes) -> None:
    """Write what was compiled, in place of what was kept before. A folder that cannot be written costs only time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
        for old in path.parent.iterdir():
            if old != path and not old.name.startswith("."):
                old.unlink()

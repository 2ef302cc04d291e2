"""Addresses that nobody can guess, and the token of programs."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from trialindex_web.settings import ServeError


def feed_secret(identity: str, num: int) -> str:
    """What the address of the feed of a watch holds: nobody can guess it, and it ends with the watch.

    :param identity: of the watches, which is random and readable by their owner alone.
    """
    return f"{num}-{hmac.new(identity.encode(), f'feed {num}'.encode(), sha256).hexdigest()[:32]}"


def read_token(path: Path) -> str:
    """The token of a file that its owner alone may read; a new one is put there if there is no file.

    :raises ServeError: the file cannot be used.
    """
    try:
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{secrets.token_urlsafe(24)}\n")
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ServeError(f"others may read the token {path}.", hint=f"Keep it to yourself: chmod 600 {path}")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no text"
        raise ServeError(f"the token {path} cannot be read or made: {why}.", hint="Name another file.") from None
    if not re.fullmatch(r"[!-~]{20,200}", token):
        raise ServeError(f"{path} holds no token of 20 letters or more.", hint="Name a file that is not there yet.")
    return token

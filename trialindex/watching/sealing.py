"""What is kept of strangers is sealed, each row by itself: a copy of the file alone tells nothing."""

from __future__ import annotations

import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from trialindex.errors import IndexDamaged, MissingExtra, WatchError

T = TypeVar("T")

SIZE = 32
"""Bytes of a key."""


class Seal:
    """Encrypts rows, and names what has to be found again without being read.

    Rows are sealed with XChaCha20-Poly1305, bound to the kind of row that they are; names are HMAC-SHA-256. Each use
    has a key of its own, derived from the one that is given.

    :param key: 32 random bytes.
    :raises MissingExtra: PyNaCl is not installed.
    """

    def __init__(self, key: bytes) -> None:
        try:
            from nacl.secret import Aead
        except ImportError:
            raise MissingExtra(
                "what is kept of people who sign up is sealed, which needs PyNaCl.",
                hint='Install it: pip install "trialindex[public]"',
            ) from None
        self._key = key
        self._box = Aead(self.digest("rows", ""))

    def encrypt(self, kind: str, value: Any) -> bytes:
        """The value as JSON, sealed as a row of that kind."""
        return bytes(self._box.encrypt(msgspec.json.encode(value), kind.encode()))

    def decrypt(self, kind: str, sealed: bytes, shape: type[T]) -> T:
        """The value of a sealed row.

        :raises IndexDamaged: another key sealed it, it is of another kind, or it was changed.
        """
        from nacl.exceptions import CryptoError

        try:
            return msgspec.json.decode(self._box.decrypt(sealed, kind.encode()), type=shape)
        except (CryptoError, msgspec.DecodeError, ValueError, TypeError):
            raise IndexDamaged(
                "a row of subscribers.db cannot be opened: it is damaged, or was sealed with another key.",
                hint="Put the key file back that it was set up with.",
            ) from None

    def digest(self, use: str, text: str) -> bytes:
        """What stands for a text, for one use: the same for the same text, and nobody without the key can make it."""
        return hmac.digest(self._key, f"{use}\0{text}".encode(), sha256)

    def token(self, use: str, secret: str) -> str:
        """What opens a page of somebody, for one use: 128 bits, in letters that an address takes as they are."""
        return urlsafe_b64encode(self.digest(f"token {use}", secret)[:16]).decode().rstrip("=")


def read_key(path: Path, *, create: bool = False) -> bytes:
    """The key of a file that its owner alone may read.

    :param create: make the file with a new key if there is none.
    :raises WatchError: it is not there, others may read it, or it holds no key.
    """
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                _write_new(path)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise WatchError(f"others may read the key {path}.", hint=f"Keep it to yourself: chmod 600 {path}")
        key = path.read_bytes()
    except OSError as problem:
        raise WatchError(
            f"the key {path} cannot be read: {problem.strerror}.",
            hint="Without the key that was there nothing of subscribers.db can be read: put it back.",
        ) from None
    if len(key) != SIZE:
        raise WatchError(f"{path} is no key of {SIZE} bytes.", hint="Put the key back that was there.")
    return key


def _write_new(path: Path) -> None:
    """A new key, in place as a whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)  # fails where there is a key already
    finally:
        temporary.unlink()

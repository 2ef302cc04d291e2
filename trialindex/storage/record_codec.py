"""How a trial lies in ``records.db``: as JSON, compressed with zlib, without its raw record and the mark of a sweep."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from trialindex.errors import IndexDamaged
from trialindex.trial import Trial
from trialindex.trial import decode as decode_trial
from trialindex.trial import encode as encode_trial


def encode(trial: Trial) -> bytes:
    """The trial, compressed."""
    return zlib.compress(encode_trial(msgspec.structs.replace(trial, gone_since=None, raw=None)))


def decode(record: bytes) -> Trial:
    """The trial that :func:`encode` encoded.

    :raises IndexDamaged: it cannot be read.
    """
    trial: Trial = decompress(record, decode_trial)
    return trial


def decompress(data: bytes, read: Callable[[bytes], Any]) -> Any:
    """What *read* makes of the decompressed data.

    :raises IndexDamaged: they cannot be decompressed or read.
    """
    try:
        return read(zlib.decompress(data))
    except (zlib.error, msgspec.DecodeError, UnicodeError, TypeError, RecursionError) as problem:  # TypeError: no bytes
        raise IndexDamaged(
            f"a record in records.db is damaged: {problem}.", hint="Find out more: trialindex check"
        ) from None

"""How a trial lies in ``records.db``: as JSON, compressed with zlib, without its raw record and the mark of a sweep."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from trialindex.errors import IndexDamaged
from trialindex.trial import Trial
from trialindex.trial import record as trials_


def pack(trial: Trial) -> bytes:
    return zlib.compress(trials_.encode(msgspec.structs.replace(trial, gone_since=None, raw=None)))


def unpack(record: bytes) -> Trial:
    """The trial that :func:`pack` packed. :raises IndexDamaged: it cannot be read."""
    trial: Trial = unpacked(record, trials_.decode)
    return trial


def unpacked(data: bytes, decode: Callable[[bytes], Any]) -> Any:
    """What *decode* makes of the data when they are no longer compressed. :raises IndexDamaged: nothing."""
    try:
        return decode(zlib.decompress(data))
    except (zlib.error, msgspec.DecodeError, UnicodeError, TypeError, RecursionError) as problem:  # TypeError: no bytes
        raise IndexDamaged(
            f"a record in records.db is damaged: {problem}.", hint="Find out more: trialindex check"
        ) from None

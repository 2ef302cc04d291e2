"""How vectors lie in ``records.db``: a signed byte for each number, and a checksum.

The numbers of a vector are divided by the largest of them, made whole numbers from -127 to 127, and followed by the
CRC-32 of those bytes (zlib), little-endian: symmetric scalar quantisation, with a scale for each vector. The scale
itself is not kept. Every vector of an index has length 1, so its direction is all there is to say, and it is given back
with length 1. Encoded again it is the same bytes: nothing more is lost, however often it is copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trialindex.plugin.interfaces import Vectors

_LARGEST = 127
_CHECKSUM_BYTES = 4


def encoded_size(dimension: int) -> int:
    """Bytes of one encoded vector."""
    return dimension + _CHECKSUM_BYTES


def encode(vectors: NDArray[Any]) -> list[bytes]:
    """Encode vectors ``(n, dimension)``.

    :raises ValueError: one is all zeros, or holds what is no number.
    """
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True)
    if not (np.isfinite(largest) & (largest > 0)).all():
        raise ValueError("a vector is all zeros, or holds what is no number")
    codes = [row.tobytes() for row in np.rint(vectors / largest * _LARGEST).astype(np.int8)]
    return [code + crc32(code).to_bytes(_CHECKSUM_BYTES, "little") for code in codes]


def decode(blobs: Sequence[object], dimension: int) -> tuple[Vectors, NDArray[np.bool_]]:
    """Decode what :func:`encode` gave, as far as it can be used.

    :param blobs: values of the column, of any type where the database is damaged.
    :returns: the valid vectors, ``(m, dimension)``, each of length 1, and for each blob whether it is valid, ``(n,)``.
    """
    import numpy as np

    size = encoded_size(dimension)
    sized = [blob for blob in blobs if isinstance(blob, bytes) and len(blob) == size]
    valid = np.array([isinstance(blob, bytes) and len(blob) == size for blob in blobs], dtype=bool)
    rows = np.frombuffer(b"".join(sized), dtype=np.uint8).reshape(len(sized), size)
    codes = rows[:, :dimension].view(np.int8).astype(np.int16)
    checksums = np.array([crc32(blob[:-_CHECKSUM_BYTES]) for blob in sized], dtype=np.uint32)
    intact = rows[:, dimension:].copy().view("<u4")[:, 0] == checksums
    usable = intact & (np.abs(codes).max(axis=1) == _LARGEST)
    valid[valid] = usable
    numbers = codes[usable].astype(np.float32)
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True), valid


def describe_fault(blob: object, dimension: int) -> str:
    """What is wrong with a blob that is not valid, after the words "a vector"."""
    if not isinstance(blob, bytes):
        return "is no bytes"
    size = encoded_size(dimension)
    return "does not agree with its checksum" if len(blob) == size else f"has {len(blob)} bytes, not {size}"


def batches(rows: Iterable[tuple[Any, ...]], size: int = 10_000) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in lists of so many: what is decoded, and in memory, at once."""
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch

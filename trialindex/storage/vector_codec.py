"""How vectors lie in ``records.db``: a signed byte for each number, and a checksum.

The numbers of a vector are divided by the largest of them, made whole numbers from -127 to 127, and followed by the
CRC-32 of those bytes (zlib), little-endian: symmetric scalar quantisation, with a scale for each vector. The scale
itself is not kept. Every vector of an index has length 1, so its direction is all there is to say, and it is given back
with length 1. Coded again it is the same bytes: nothing more is lost, however often it is copied.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trialindex.plugin.interfaces import Vectors

    Whole = NDArray[np.bool_]

_LARGEST = 127
_SUM = 4
"""Bytes of the checksum."""
_TOLERANCE = 0.01
"""How far from 1 the length of a vector may be that was kept as float16: an encoder's own, and the rounding."""


class Coding(ABC):
    """A way to keep vectors, and the table that does, by the hashes of their texts.

    :param table: its name; its columns are ``hash`` and ``vector``.
    :param damage: what is said of a vector that has the right size and cannot be used.
    """

    table: ClassVar[str]
    damage: ClassVar[str]

    @abstractmethod
    def size(self, dimension: int) -> int:
        """Bytes of one vector."""

    @abstractmethod
    def _read(self, blobs: Sequence[bytes], dimension: int) -> tuple[Vectors, Whole]:
        """Of vectors of the right size the numbers, and which can be used."""

    def decoded(self, blobs: Sequence[object], dimension: int) -> tuple[Vectors, Whole]:
        """The vectors that were kept as *blobs*, as far as they can be used.

        :returns: those that can, ``(m, dimension)``, each of length 1, and for each blob whether it can, ``(n,)``.
        """
        import numpy as np

        size = self.size(dimension)
        fits = [blob for blob in blobs if isinstance(blob, bytes) and len(blob) == size]
        whole = np.array([isinstance(blob, bytes) and len(blob) == size for blob in blobs], dtype=bool)
        numbers, good = self._read(fits, dimension)
        whole[whole] = good
        numbers = numbers[good]
        return numbers / np.linalg.norm(numbers, axis=1, keepdims=True), whole

    def fault(self, blob: object, dimension: int) -> str:
        """What is wrong with one that cannot be used, after the words "a vector"."""
        if not isinstance(blob, bytes):
            return "is no bytes"
        size = self.size(dimension)
        return self.damage if len(blob) == size else f"has {len(blob)} bytes, not {size}"


class _Bytes(Coding):
    """Since format 3 of an index."""

    table = "vectors"
    damage = "does not agree with its checksum"

    def size(self, dimension: int) -> int:
        return dimension + _SUM

    def _read(self, blobs: Sequence[bytes], dimension: int) -> tuple[Vectors, Whole]:
        import numpy as np

        rows = np.frombuffer(b"".join(blobs), dtype=np.uint8).reshape(len(blobs), self.size(dimension))
        codes = rows[:, :dimension].view(np.int8).astype(np.int16)
        sums = np.array([crc32(blob[:-_SUM]) for blob in blobs], dtype=np.uint32)
        good = (rows[:, dimension:].copy().view("<u4")[:, 0] == sums) & (np.abs(codes).max(axis=1) == _LARGEST)
        return codes.astype(np.float32), good


class _Halves(Coding):
    """Before format 3: float16 numbers, little-endian."""

    table = "embeddings"
    damage = "has not the length 1"

    def size(self, dimension: int) -> int:
        return 2 * dimension

    def _read(self, blobs: Sequence[bytes], dimension: int) -> tuple[Vectors, Whole]:
        import numpy as np

        with np.errstate(all="ignore"):  # what is no number is told, without a warning
            rows = np.frombuffer(b"".join(blobs), dtype="<f2").reshape(len(blobs), dimension).astype(np.float32)
            good = np.abs(np.linalg.norm(rows, axis=1) - 1.0) < _TOLERANCE
        return rows, good


BYTES = _Bytes()
HALVES = _Halves()


def coded(vectors: NDArray[Any]) -> list[bytes]:
    """Vectors ``(n, dimension)`` as :data:`BYTES` keeps them.

    :raises ValueError: one is all zeros, or holds what is no number.
    """
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True)
    if not (np.isfinite(largest) & (largest > 0)).all():
        raise ValueError("a vector is all zeros, or holds what is no number")
    codes = [row.tobytes() for row in np.rint(vectors / largest * _LARGEST).astype(np.int8)]
    return [code + crc32(code).to_bytes(_SUM, "little") for code in codes]


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

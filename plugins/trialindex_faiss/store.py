"""Vectors in a flat FAISS index: every search compares with every vector, so nothing is missed.

On disk: ``vectors.faiss``, as FAISS writes it, and ``vectors.json``, which says what has to be in it. A loaded file is
mapped into memory, not read (300,000 vectors: 0.04 s instead of 0.4 s). FAISS ends the whole process when a mapped
index is changed, so it is read in full before the first change.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.errors import EncoderError, IndexDamaged, StorageError
from trialindex.interfaces import VectorStore

if TYPE_CHECKING:
    from trialindex.interfaces import Ids, Vectors

VECTORS, DESCRIPTION = "vectors.faiss", "vectors.json"
REPAIR = "Repair it: trialindex check --repair"
_BITMAP_IDS = 1 << 28
"""Ids below this are chosen by a bitmap of at most 32 MiB; a set that holds larger ones is hashed."""


class FaissStore(VectorStore):
    """Exact search by inner product.

    :param index: a FAISS index that keeps ids. :param mapped: the file behind it, when it is mapped into memory.
    """

    name = "faiss"
    summary = "FAISS, exact: compares with every vector."

    def __init__(self, index: Any, mapped: Path | None = None) -> None:
        self._index = index
        self._mapped = mapped

    @classmethod
    def create(cls, dimension: int) -> FaissStore:
        import faiss

        # IndexIDMap2 would also find a vector by its id, which nobody asks for, and is three times as slow to load.
        return cls(faiss.IndexIDMap(faiss.IndexFlatIP(dimension)))

    @classmethod
    def load(cls, folder: Path) -> FaissStore:
        """The store in *folder*. Its size and header must say that it is whole; every byte is proved by ``check``.

        :raises IndexDamaged: a file is missing, cut short, or not what :meth:`save` wrote.
        """
        import faiss

        path = folder / VECTORS
        description = _described(folder)
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except (RuntimeError, MemoryError) as problem:  # a damaged header may ask for any amount of memory
            raise _damaged(path, f"FAISS cannot read it: {str(problem).splitlines()[0]}") from None
        if (index.ntotal, index.d) != (description["count"], description["dimension"]):
            raise _damaged(path, f"it holds {index.ntotal} vectors of {index.d} dimensions")
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise _damaged(path, "it does not compare by inner product")
        return cls(index, path)

    def save(self, folder: Path) -> None:
        """Write the store into *folder*. :raises StorageError: the disk is full or not writable."""
        import faiss

        path = folder / VECTORS
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as problem:
            raise StorageError(
                f"cannot write {path}: {str(problem).splitlines()[0]}.", hint="Is the disk full?"
            ) from None
        description = {
            "count": self._index.ntotal,
            "dimension": self._index.d,
            "bytes": path.stat().st_size,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add vectors; an id that is there already, or comes twice, holds the last one.

        :raises EncoderError: the vectors have another dimension than the store, or hold numbers that are not finite.
        """
        import numpy as np

        vectors = self._checked(vectors)
        if len(ids) != len(vectors):
            raise EncoderError(f"{len(vectors)} vectors cannot be stored under {len(ids)} ids.")
        rows = list({int(number): row for row, number in enumerate(ids)}.values())
        self.remove(ids)
        self._index.add_with_ids(vectors[rows], np.asarray(ids, dtype=np.int64)[rows])

    def remove(self, ids: Ids) -> None:
        import faiss
        import numpy as np

        self._own()
        if len(ids) and len(self):
            self._index.remove_ids(faiss.IDSelectorBatch(np.ascontiguousarray(ids, dtype=np.int64)))

    def search(self, queries: Vectors, k: int, allowed: Ids | None = None) -> tuple[Vectors, Ids]:
        """The *k* nearest of the allowed ids.

        :raises EncoderError: the queries have another dimension than the store, or hold numbers that are not finite.
        """
        import numpy as np

        queries = self._checked(queries)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        ids = np.full((len(queries), k), -1, dtype=np.int64)
        found = min(k, len(self) if allowed is None else len(allowed))
        if found and len(queries):
            chosen = None if allowed is None else _parameters(allowed)
            best, numbers = self._index.search(queries, found, params=chosen)
            scores[:, :found] = np.where(numbers < 0, -np.inf, best)
            ids[:, :found] = numbers
        return scores, ids

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def _own(self) -> None:
        """Have the vectors in memory that may be changed."""
        import faiss

        if self._mapped is not None:
            self._index = faiss.read_index(str(self._mapped))
            self._mapped = None

    def _checked(self, vectors: Vectors) -> Vectors:
        import numpy as np

        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self._index.d:
            raise EncoderError(
                f"vectors of the shape {vectors.shape} do not fit a store of {self._index.d} dimensions."
            )
        if not np.isfinite(vectors).all():
            raise EncoderError("a vector holds numbers that are not finite.", hint="Report it to the encoder's author.")
        return vectors


def _parameters(allowed: Ids) -> Any:
    """What lets FAISS compare with the allowed ids only. A bitmap is never slower than hashing them."""
    import numpy as np

    faiss: Any = import_module("faiss")  # the types it ships describe the C++ calls, not their Python forms

    largest = int(allowed[-1])
    if largest >= _BITMAP_IDS:
        return faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.ascontiguousarray(allowed, dtype=np.int64)))
    chosen = np.zeros(largest + 1, dtype=np.bool_)
    chosen[allowed] = True
    return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little")))


def _described(folder: Path) -> dict[str, Any]:
    """What ``vectors.json`` says is in the folder; the file of vectors has the size that it says."""
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        size = (folder / VECTORS).stat().st_size
    except FileNotFoundError as problem:
        raise _damaged(Path(problem.filename), "it is missing") from None
    except (OSError, ValueError) as problem:
        raise _damaged(folder / DESCRIPTION, f"it cannot be read: {problem}") from None
    if not isinstance(description, dict) or description.keys() != {"count", "dimension", "bytes"}:
        raise _damaged(folder / DESCRIPTION, "it does not say what the store holds")
    if size != description["bytes"]:
        raise _damaged(folder / VECTORS, f"it has {size:,} bytes, not {description['bytes']:,}")
    return description


def _damaged(path: Path, why: str) -> IndexDamaged:
    return IndexDamaged(f"{path} is damaged: {why}.", hint=REPAIR)

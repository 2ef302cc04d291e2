"""The ``faiss`` store: exact while that is fast, and compact above.

On disk: ``vectors.faiss``, a flat index as FAISS writes it, and ``vectors.json``, which says what has to be in the
folder. A loaded file is mapped into memory, not read. FAISS ends the whole process when a mapped index is changed, so
it is read in full before the first change. With many vectors nearly all of them are in the files of
:class:`~trialindex_faiss.compact.Compact`, and the flat index holds those that came lately, so that a small change
writes little.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.errors import EncoderError, PluginError, nearest
from trialindex.plugin.interfaces import VectorStore
from trialindex_faiss.compact import LEAST, SMALL_IDS, Compact, one_thread
from trialindex_faiss.files import damaged, sizes, written_by_faiss

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors

VECTORS, DESCRIPTION = "vectors.faiss", "vectors.json"
CHOICES = ("auto", "exact", "compact")
LIMIT = 50_000
"""Vectors up to which ``auto`` is exact: comparing with all takes about 10 ms then (``docs/performance.md``)."""
RECENT = 10_000
"""Vectors that are kept flat beside compact ones."""


class FaissStore(VectorStore):
    """Search by inner product.

    ``faiss:exact`` compares with every vector. ``faiss:compact`` compares with short codes of them, and with longer
    codes of the best: much faster, and a third of the space. ``faiss``, which is ``faiss:auto``, is exact up to
    50,000 vectors and compact above.

    :param index: a flat FAISS index that keeps ids.
    :param mapped: the file behind it, when it is mapped into memory.
    :param choice: one of :data:`CHOICES`.
    """

    name = "faiss"
    summary = "FAISS: exact up to 50,000 vectors, compact above; or faiss:exact, faiss:compact."

    def __init__(
        self, index: Any, mapped: Path | None = None, choice: str = "auto", compact: Compact | None = None
    ) -> None:
        self._index = index
        self._mapped = mapped
        self._choice = choice
        self._compact = compact

    @classmethod
    def create(cls, dimension: int, argument: str = "") -> FaissStore:
        choice = argument or "auto"
        if choice not in CHOICES:
            raise PluginError(f'the store "faiss" knows no "{choice}".', hint=nearest(choice, CHOICES))
        return cls(_flat(dimension), choice=choice)

    @classmethod
    def load(cls, folder: Path) -> FaissStore:
        """The store in *folder*. Sizes and headers must say that it is whole; every byte is proved by ``check``.

        :raises IndexDamaged: a file is missing, cut short, or not what :meth:`save` wrote.
        """
        import faiss

        path = folder / VECTORS
        description = _described(folder)
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except (RuntimeError, MemoryError) as problem:  # a damaged header may ask for any amount of memory
            raise damaged(path, f"FAISS cannot read it: {str(problem).splitlines()[0]}") from None
        if (index.ntotal, index.d) != (description["count"], description["dimension"]):
            raise damaged(path, f"it holds {index.ntotal} vectors of {index.d} dimensions")
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise damaged(path, "it does not compare by inner product")
        described = description.get("compact")
        compact = Compact.load(folder, described, index.d) if described else None
        return cls(index, path, description.get("choice", "auto"), compact)

    def save(self, folder: Path) -> None:
        """Write the store into *folder*.

        :raises StorageError: the disk is full or not writable.
        """
        description = {
            "choice": self._choice,
            "count": self._index.ntotal,
            "dimension": self._index.d,
            "bytes": written_by_faiss(self._index, folder / VECTORS),
            "compact": self._compact.save(folder) if self._compact else None,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")

    @property
    def state(self) -> str:
        if self._compact is None:
            return f"{self._choice}: exact, {len(self):,} vectors in 32 bits a number"
        return (
            f"{self._choice}: compact, {len(self._compact):,} vectors in 8 bits a number, found by 1 bit a number; "
            f"{self._index.ntotal:,} recent ones exact"
        )

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
        most = {"exact": None, "compact": LEAST, "auto": LIMIT}[self._choice]
        if most is not None and self._index.ntotal > (RECENT if self._compact else most):
            self._make_compact()

    def remove(self, ids: Ids) -> None:
        import faiss
        import numpy as np

        if not len(ids):
            return
        self._own()
        if self._index.ntotal:
            self._index.remove_ids(faiss.IDSelectorBatch(np.ascontiguousarray(ids, dtype=np.int64)))
        if self._compact:
            self._compact.remove(ids)

    def search(self, queries: Vectors, k: int, allowed: Ids | None = None) -> tuple[Vectors, Ids]:
        """The *k* nearest of the allowed ids.

        :raises EncoderError: the queries have another dimension than the store, or hold numbers that are not finite.
        """
        import numpy as np

        queries = self._checked(queries)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        ids = np.full((len(queries), k), -1, dtype=np.int64)
        found = min(k, self._index.ntotal if allowed is None else min(len(allowed), self._index.ntotal))
        if found and len(queries):
            chosen = None if allowed is None else _parameters(allowed)
            with one_thread() if self._compact else nullcontext():
                best, numbers = self._index.search(queries, found, params=chosen)
            scores[:, :found] = np.where(numbers < 0, -np.inf, best)
            ids[:, :found] = numbers
        if self._compact:
            for row, (best, numbers) in enumerate(self._compact.search(queries, k, allowed)):
                if not found and len(best) == k:
                    scores[row], ids[row] = best, numbers
                    continue
                both, names = np.concatenate([scores[row], best]), np.concatenate([ids[row], numbers])
                order = np.argsort(-both, kind="stable")[:k]
                scores[row], ids[row] = both[order], names[order]
        return scores, ids

    def vectors(self, ids: Ids) -> tuple[Ids, Vectors]:
        """Those of these ids that are there, and their vectors: compact ones as near as a byte a number comes."""
        import faiss
        import numpy as np

        held: Ids = faiss.vector_to_array(self._index.id_map)
        rows = np.flatnonzero(np.isin(held, ids))
        found, vectors = held[rows], faiss.downcast_index(self._index.index).reconstruct_batch(rows)
        if self._compact is None:
            return found, vectors
        numbers, others = self._compact.vectors(ids)
        if not len(found):
            return numbers, others
        return np.concatenate([found, numbers]), np.concatenate([vectors, others])

    def __len__(self) -> int:
        return int(self._index.ntotal) + (len(self._compact) if self._compact else 0)

    def _make_compact(self) -> None:
        """Move the vectors of the flat index to the compact ones."""
        import faiss
        import numpy as np

        ids: Ids = faiss.vector_to_array(self._index.id_map)
        order = np.argsort(ids)
        vectors = faiss.downcast_index(self._index.index).reconstruct_n(0, self._index.ntotal)
        self._compact = self._compact or Compact(self._index.d)
        self._compact.add(ids[order], vectors[order])
        self._index = _flat(self._index.d)

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


def _flat(dimension: int) -> Any:
    import faiss

    # IndexIDMap2 would also find a vector by its id, which nobody asks for, and is three times as slow to load.
    return faiss.IndexIDMap(faiss.IndexFlatIP(dimension))


def _parameters(allowed: Ids) -> Any:
    """What lets FAISS compare with the allowed ids only. A bitmap is never slower than hashing them."""
    import numpy as np

    faiss: Any = import_module("faiss")  # the types it ships describe the C++ calls, not their Python forms

    largest = int(allowed[-1])
    if largest >= SMALL_IDS:
        return faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.ascontiguousarray(allowed, dtype=np.int64)))
    chosen = np.zeros(largest + 1, dtype=np.bool_)
    chosen[allowed] = True
    return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little")))


def _described(folder: Path) -> dict[str, Any]:
    """What ``vectors.json`` says is in the folder; the file of vectors has the size that it says."""
    path = folder / DESCRIPTION
    try:
        description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise damaged(path, "it is missing") from None
    except (OSError, ValueError) as problem:
        raise damaged(path, f"it cannot be read: {problem}") from None
    if not _says_all(description):
        raise damaged(path, "it does not say what the store holds")
    size = sizes(folder, [VECTORS])[VECTORS]
    if size != description["bytes"]:
        raise damaged(folder / VECTORS, f"it has {size:,} bytes, not {description['bytes']:,}")
    return description


def _says_all(description: Any) -> bool:
    """Whether it is what :meth:`FaissStore.save` writes, now or before there were compact stores."""
    if not isinstance(description, dict) or not {"count", "dimension", "bytes"} <= description.keys():
        return False
    if description.get("choice", "auto") not in CHOICES:
        return False
    compact = description.get("compact")
    if compact is None:
        return True
    return (
        isinstance(compact, dict)
        and all(isinstance(compact.get(field), int) for field in ("rows", "trained"))
        and isinstance(compact.get("bytes"), dict)
    )

"""Many vectors in little space: found by short codes in memory, compared again by longer ones on the disk.

Every vector has two codes. The coarse one, four bits for each four numbers, is one of 16 words of a code book that is
trained on the vectors; FAISS compares a question with all of them at once (``IndexIVFPQFastScan`` with one list: 1.8
million in 7 ms on one core). The best of them, several times as many as were asked for, are compared again by the fine
code: each number as a byte, and one scale for all of a vector, which needs no training and is read from a mapped file.

What is allowed is chosen before the comparison. If few rows are allowed all of them are compared by the fine code.

Source of the coarse codes: André, Kermarrec and Le Scouarnec, *Quicker ADC: unlocking the hidden potential of product
quantization with SIMD* (IEEE TPAMI, 2019), as FAISS has it. Measured against inverted lists in ``docs/performance.md``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex_faiss.files import damaged, read_array, read_rows, sizes, write_array, written_by_faiss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trialindex.plugin.interfaces import Ids, Vectors

    Codes = NDArray[np.int8]

LEAST = 1_000
"""Vectors that a code book is trained on at least."""
SMALL_IDS = 1 << 28
"""Ids below this are looked up in a table, at most 256 MiB; larger ones are sorted."""
WIDTH = 2_000
"""Rows that are compared again at least; for *k* results :data:`_WIDER` times as many if that is more."""
_WIDER = 2
GROWTH = 4
"""The code book is trained anew when there are so many times the vectors it was chosen for."""
_SAMPLE = 50_000
"""Vectors that a code book is trained on at most."""
_BATCH = 20_000
_FEW = 500
"""Rows that are compared at once: few enough for the processor's cache, and for numpy to stay on one thread."""
_SEED = 20_260_101
MAPPED_AFTER = 20_000
"""Rows that are read one by one from the file before its mapping is used. Through that the system brings 16 pages for
each row into the process: of no use to one that asks once, which would hold 600 MB for it."""
_PART = 4
"""Numbers of a vector under one word of the code book."""
_COARSE, _CODES, _SCALES, _IDS, _GONE = "coarse.faiss", "codes.npy", "scales.npy", "ids.npy", "gone.npy"
_ROWS = (_COARSE, _CODES, _SCALES, _IDS)
"""Files that change only when rows come; the others are written anew each time."""


class Compact:
    """Vectors in rows, in the order they came. A row is never changed; one that is removed is marked and passed over.

    :param trained: how many rows there were when the code book was trained.
    """

    def __init__(self, dimension: int) -> None:
        import numpy as np

        self.dimension = dimension
        self.trained = 0
        self._coarse: Any = None
        self._ids: Ids = np.empty(0, dtype=np.int64)
        self._scales: Vectors = np.empty(0, dtype=np.float32)
        self._chunks: list[Codes] = []
        self._gone: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self._origin: Path | None = None
        self._read = 0

    # --- on the disk --------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, described: dict[str, Any], dimension: int) -> Compact:
        """What :meth:`save` wrote.

        :raises IndexDamaged: a file is missing, cut short or another one's.
        """
        import numpy as np

        faiss: Any = import_module("faiss")
        rows, trained = described["rows"], described["trained"]
        if sizes(folder, described["bytes"]) != described["bytes"]:
            raise damaged(folder, "its files are not as long as they were written")
        made = cls(dimension)
        made.trained = trained
        made._ids = read_array(folder / _IDS, np.int64, (rows,))
        made._scales = read_array(folder / _SCALES, np.float32, (rows,))
        made._chunks = [read_array(folder / _CODES, np.int8, (rows, dimension))]
        made._gone = np.zeros(rows, dtype=np.bool_)
        gone = read_array(folder / _GONE, np.int64, None)
        if len(gone) and not 0 <= gone.min() <= gone.max() < rows:
            raise damaged(folder / _GONE, "it marks rows that are not there")
        made._gone[gone] = True
        try:
            made._coarse = faiss.read_index(str(folder / _COARSE))
        except (RuntimeError, MemoryError) as problem:
            raise damaged(folder / _COARSE, f"FAISS cannot read it: {str(problem).splitlines()[0]}") from None
        expected, found = _shape(_untrained(dimension)), _shape(made._coarse)
        if found != expected or made._coarse.ntotal != rows:
            raise damaged(folder / _COARSE, "it holds other codes than it should")
        made._origin = folder
        return made

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the files into *folder*: links to those they were loaded from where no row came.

        :returns: what :meth:`load` has to be told.
        :raises OSError: the disk is full or not writable.
        """
        import numpy as np

        if self._origin is None or not all(_linked(self._origin / name, folder / name) for name in _ROWS):
            for name in _ROWS:
                (folder / name).unlink(missing_ok=True)  # never write into what is linked
            written_by_faiss(self._coarse, folder / _COARSE)
            write_array(folder / _CODES, self._chunks, (len(self._ids), self.dimension))
            write_array(folder / _SCALES, [self._scales], self._scales.shape)
            write_array(folder / _IDS, [self._ids], self._ids.shape)
        gone = np.flatnonzero(self._gone)
        write_array(folder / _GONE, [gone], gone.shape)
        names = (*_ROWS, _GONE)
        return {"rows": len(self._ids), "trained": self.trained, "bytes": sizes(folder, names)}

    # --- changing -----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._ids) - int(self._gone.sum())

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add rows for ids that have none.

        The first call trains the code book; a later one trains it anew when there are :data:`GROWTH` times the rows.
        """
        import numpy as np

        if self._coarse is None:
            self._train(vectors)
        scales = np.maximum(np.abs(vectors).max(axis=1), np.float32(1e-12)) / np.float32(127)
        self._coarse.add(self._padded(vectors))
        self._chunks.append(np.rint(vectors / scales[:, None]).astype(np.int8))
        self._scales = np.concatenate([self._scales, scales])
        self._ids = np.concatenate([self._ids, ids])
        self._gone = np.concatenate([self._gone, np.zeros(len(ids), dtype=np.bool_)])
        self._changed()
        self.trained = self.trained or len(self._ids)
        if len(self._ids) >= GROWTH * self.trained:
            self._renew(np.flatnonzero(~self._gone), train=True)

    def remove(self, ids: Ids) -> None:
        """Mark the rows of these ids; once a quarter of all rows is marked they are taken out."""
        import numpy as np

        rows = self._rows_of(np.asarray(ids, dtype=np.int64))
        if not len(rows):
            return
        self._gone[rows] = True
        self.__dict__.pop("_alive", None)
        if self._gone.sum() * 4 > len(self._ids):
            self._renew(np.flatnonzero(~self._gone), train=False)

    def _renew(self, rows: Ids, *, train: bool) -> None:
        """Keep these rows only; their fine codes stay as they are, the coarse ones are made anew from them."""
        import numpy as np

        kept = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
        if train:
            chosen = np.random.default_rng(_SEED).choice(rows, min(len(rows), _SAMPLE), replace=False)
            self._train(self._vectors(np.sort(chosen)))
            self.trained = len(rows)
        else:
            self._coarse.reset()
        for part in kept:
            self._coarse.add(self._padded(self._vectors(part)))
        self._chunks = [self._gathered(part) for part in kept]
        self._ids, self._scales = np.array(self._ids[rows]), np.array(self._scales[rows])
        self._gone = np.zeros(len(rows), dtype=np.bool_)
        self._changed()

    def _train(self, vectors: Vectors) -> None:
        import numpy as np

        chosen = np.random.default_rng(_SEED).permutation(len(vectors))[:_SAMPLE]
        self._coarse = _untrained(self.dimension)
        self._coarse.train(self._padded(vectors[chosen]))

    def _changed(self) -> None:
        self._origin = None
        for cached in ("_alive", "_order"):
            self.__dict__.pop(cached, None)

    def _rows_of(self, ids: Ids) -> Ids:
        """The rows of these ids that are not marked."""
        import numpy as np

        if not len(self._ids):
            return np.empty(0, dtype=np.int64)
        order = self._order
        held = self._ids if order is None else self._ids[order]
        at = np.searchsorted(held, ids, side="right") - 1  # the last of several: the others are marked
        at = at[(at >= 0) & (held[at] == ids)]
        rows: Ids = np.unique(at if order is None else order[at])
        return rows[~self._gone[rows]]

    def vectors(self, ids: Ids) -> tuple[Ids, Vectors]:
        """Those of these ids that have a row, and their vectors by the fine code."""
        rows = self._rows_of(ids)
        return self._ids[rows], self._vectors(rows)

    @cached_property
    def _order(self) -> Ids | None:
        """The rows by id, ``None`` if that is the order they lie in, which it nearly always is."""
        import numpy as np

        return None if (np.diff(self._ids) > 0).all() else np.argsort(self._ids, kind="stable")

    # --- searching ----------------------------------------------------------------------------------------------------

    def search(self, queries: Vectors, k: int, allowed: Ids | None) -> Iterator[tuple[Vectors, Ids]]:
        """For each query the scores and ids of the *k* best allowed rows, or of all there are, best first.

        What is near to one of the queries by the coarse code is compared with all of them by the fine one.
        """
        import numpy as np

        chosen = self._alive if allowed is None else self._allowed_rows(allowed)
        count = len(self._ids) if chosen is None else int(np.count_nonzero(chosen))
        wide = max(WIDTH, _WIDER * k)
        if count <= wide:
            rows = np.arange(count) if chosen is None else np.flatnonzero(chosen)
        else:
            nearest = np.sort(self._nearest(queries, wide, chosen), axis=None)  # in the order they lie in the file
            rows = nearest[np.diff(nearest, prepend=-1) > 0]
        ids = self._ids[rows]
        for scores in self._scored(rows, queries):
            best = np.argsort(-scores, kind="stable")[:k]
            yield scores[best], ids[best]

    @cached_property
    def _alive(self) -> NDArray[np.bool_] | None:
        return ~self._gone if self._gone.any() else None

    def _allowed_rows(self, allowed: Ids) -> NDArray[np.bool_]:
        """The rows whose ids are allowed and that are not marked.

        :param allowed: sorted.
        """
        import numpy as np

        if not len(allowed) or not len(self._ids):
            return np.zeros(len(self._ids), dtype=np.bool_)
        largest = max(int(allowed[-1]), int(self._ids.max()))
        if min(int(allowed[0]), int(self._ids.min())) < 0 or largest >= SMALL_IDS:
            return np.isin(self._ids, allowed) & ~self._gone
        table = np.zeros(largest + 1, dtype=np.bool_)
        table[allowed] = True
        chosen: NDArray[np.bool_] = np.take(table, self._ids)
        chosen &= ~self._gone
        return chosen

    def _nearest(self, queries: Vectors, wide: int, chosen: NDArray[np.bool_] | None) -> Ids:
        """The *wide* best rows of each query by their coarse codes."""
        import numpy as np

        faiss: Any = import_module("faiss")  # the types it ships describe the C++ calls, not their Python forms
        parameters = None
        if chosen is not None:
            selector = faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=1)
        with one_thread():
            rows: Ids = self._coarse.search(self._padded(queries), wide, params=parameters)[1]
        return rows

    def _scored(self, rows: Ids, queries: Vectors) -> Vectors:
        """The inner products of the queries with these rows, ``(q, rows)``, by their fine codes."""
        import numpy as np

        scores = np.empty((len(rows), len(queries)), dtype=np.float32)
        for start in range(0, len(rows), _FEW):
            part = slice(start, start + _FEW)
            np.matmul(self._gathered(rows[part]).astype(np.float32), queries.T, out=scores[part])
        return np.ascontiguousarray(scores.T) * self._scales[rows]

    def _vectors(self, rows: Ids) -> Vectors:
        import numpy as np

        vectors: Vectors = self._gathered(rows).astype(np.float32)
        vectors *= self._scales[rows][:, None]
        return vectors

    def _gathered(self, rows: Ids) -> Codes:
        """The fine codes of these rows."""
        import numpy as np

        if self._origin is not None and self._read < MAPPED_AFTER:
            self._read += len(rows)
            with suppress(OSError):  # the state was replaced: what is mapped stays
                return read_rows(self._origin / _CODES, rows.tolist(), (len(self._ids), self.dimension))
        if len(self._chunks) == 1:
            return np.take(self._chunks[0], rows, axis=0)  # eight times as fast as an index
        codes = np.empty((len(rows), self.dimension), dtype=np.int8)
        start = 0
        for chunk in self._chunks:
            here = (rows >= start) & (rows < start + len(chunk))
            codes[here] = chunk[rows[here] - start]
            start += len(chunk)
        return codes

    def _padded(self, vectors: Vectors) -> Vectors:
        """The vectors with zeros behind them, up to a whole number of parts."""
        import numpy as np

        return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, -self.dimension % _PART))))


def _untrained(dimension: int) -> Any:
    """Coarse codes without a code book. One inverted list holds all, since FAISS filters inverted lists only."""
    faiss: Any = import_module("faiss")
    width = dimension + -dimension % _PART
    coarse = faiss.IndexIVFPQFastScan(faiss.IndexFlatIP(width), width, 1, width // _PART, 4, faiss.METRIC_INNER_PRODUCT)
    coarse.by_residual = False
    coarse.pq.cp.seed = _SEED % 1000
    return coarse


def _shape(coarse: Any) -> tuple[Any, ...]:
    """What tells coarse codes that are ours from others."""
    names = ("d", "nlist", "M", "nbits", "ksub", "bbs", "M2", "code_size", "by_residual", "metric_type", "nprobe")
    return (type(coarse).__name__, *(getattr(coarse, name, None) for name in names))


def _linked(source: Path, target: Path) -> bool:
    """Link or copy a file that is never changed; False when it is no longer there."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
    return True


@contextmanager
def one_thread() -> Iterator[None]:
    """Have FAISS use this thread only: measured, two questions at once are found twice as fast as by two threads."""
    faiss: Any = import_module("faiss")
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)

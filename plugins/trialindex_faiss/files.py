"""The store's files: arrays as numpy writes them, indexes as FAISS does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.errors import IndexDamaged, StorageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPAIR = "Repair it: trialindex check --repair"


def damaged(path: Path, why: str) -> IndexDamaged:
    return IndexDamaged(f"{path} is damaged: {why}.", hint=REPAIR)


def sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Bytes of these files.

    :raises IndexDamaged: one is missing.
    """
    try:
        return {name: (folder / name).stat().st_size for name in names}
    except FileNotFoundError as problem:
        raise damaged(Path(problem.filename), "it is missing") from None


def read_array(path: Path, kind: type[np.generic], shape: tuple[int, ...] | None) -> NDArray[Any]:
    """The array in a file, mapped into memory.

    :param shape: what it must have; ``None`` for one dimension of any length.
    :raises IndexDamaged: the file holds another one, or none.
    """
    import numpy as np

    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as problem:  # noqa: BLE001  # a damaged header is read as Python: any of its errors
        raise damaged(path, f"it cannot be read: {problem}") from None
    if array.dtype != kind or (array.shape != shape if shape else array.ndim != 1):
        raise damaged(path, f"it holds {array.dtype} of the shape {array.shape}")
    return array.view(np.ndarray)  # of the same bytes: a plain array is faster to index


def read_rows(path: Path, rows: Iterable[int], shape: tuple[int, int]) -> NDArray[np.int8]:
    """These rows of an array of bytes, read one by one: nothing else of the file gets into this process's memory.

    :param shape: of the whole array, which lies at the end of the file.
    :raises OSError: the file cannot be read.
    :raises IndexDamaged: it was cut short.
    """
    import numpy as np

    count, width = shape
    with path.open("rb", buffering=0) as file:
        start = os.fstat(file.fileno()).st_size - count * width
        read = []
        for row in rows:
            file.seek(start + row * width)
            read.append(file.read(width))
    found = b"".join(read)
    if len(found) != len(read) * width:
        raise damaged(path, "it was cut short")
    return np.frombuffer(found, dtype=np.int8).reshape(-1, width)


def write_array(path: Path, parts: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> None:
    """Write one array that comes in parts. Not by mapping the file: a full disk would end the process."""
    import numpy as np

    described = {"descr": np.lib.format.dtype_to_descr(parts[0].dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, described)
        for part in parts:
            file.write(np.ascontiguousarray(part).data)


def written_by_faiss(index: Any, path: Path) -> int:
    """Write a FAISS index; its bytes.

    :raises StorageError: the disk is full or not writable.
    """
    import faiss

    try:
        faiss.write_index(index, str(path))
    except RuntimeError as problem:
        raise StorageError(f"cannot write {path}: {str(problem).splitlines()[0]}.", hint="Is the disk full?") from None
    return path.stat().st_size

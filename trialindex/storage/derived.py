"""What is derived from ``records.db``: the vector store and the word index.

Both live in one folder per state, ``derived/<generation>/``, that is made aside and renamed into place, so a reader
always has the two of one generation, and a kill leaves the state before or the state after. Either can be made again
without the model, since the vectors are in ``records.db``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from trialindex.errors import IndexDamaged
from trialindex.interfaces import VectorStore
from trialindex.storage.files import clone_tree, storage_errors, sync_folder, sync_tree
from trialindex.storage.lexical import LOCKS, Lexical
from trialindex.storage.records import Records

NAME = "derived"


class Derived:
    """The vector store and the word index of one generation, open for searching.

    :raises IndexDamaged: a file is missing or cannot be read.
    """

    def __init__(self, folder: Path, store: type[VectorStore]) -> None:
        self.folder = folder
        self.generation = int(folder.name)
        self.vectors = store.load(folder / "vectors")
        if not (folder / "lexical" / "meta.json").is_file():
            raise IndexDamaged(f"{folder / 'lexical'} has no meta.json.", hint="Repair it: trialindex check --repair")
        self.lexical = Lexical(folder / "lexical")


def states(folder: Path) -> list[Path]:
    """The complete derived states of the index in *folder*, newest first."""
    found = [path for path in (folder / NAME).glob("*") if path.name.isdigit()]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def newest_generation(folder: Path) -> int | None:
    """The generation of the newest derived state, ``None`` when there is none."""
    found = states(folder)
    return int(found[0].name) if found else None


def open_newest(folder: Path, store: type[VectorStore]) -> Derived | None:
    """The newest derived state that is there, or ``None``.

    A writer may replace it between the look and the opening; then the next one is looked for.
    """
    for _ in range(10):
        found = states(folder)
        if not found:
            return None
        try:
            return Derived(found[0], store)
        except (IndexDamaged, FileNotFoundError):
            if found[0].exists():
                raise
    return None


def catch_up(folder: Path, records: Records, store: type[VectorStore], dimension: int, *, rebuild: bool = False) -> bool:
    """Bring the derived state to the generation of *records*; needs the index's lock. False if it was there already.

    Only what changed since the state at hand is added and removed; without one, or with *rebuild*, all is made anew.
    """
    target = records.generation
    current = None if rebuild else open_newest(folder, store)
    if current is not None and current.generation == target:
        return False
    if current is not None and current.generation > target:  # records.db was restored from an older copy
        current = None
    with storage_errors(folder):
        home = folder / NAME
        home.mkdir(exist_ok=True)
        for leftover in home.glob(".new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=home))
        try:
            _make(new, current, records, store, dimension)
            sync_tree(new)
            final = home / str(target)
            if final.exists():
                shutil.rmtree(final)
            new.chmod(0o755)
            new.rename(final)
            sync_folder(home)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        for old in states(folder):
            if old != final:
                with suppress(OSError):
                    shutil.rmtree(old)
    return True


def _make(new: Path, current: Derived | None, records: Records, store: type[VectorStore], dimension: int) -> None:
    import numpy as np

    since = current.generation if current else 0
    vectors = current.vectors if current else store.create(dimension)
    dropped = records.dropped_since("passage", since) if current else []
    if dropped:
        vectors.remove(np.array(dropped, dtype=np.int64))
    for ids, batch in records.vectors_since(since):
        vectors.add(ids, batch)
    (new / "vectors").mkdir()
    vectors.save(new / "vectors")

    if current:
        clone_tree(current.folder / "lexical", new / "lexical", skip=LOCKS)
    removed = [*records.dropped_since("trial", since), *_changed(records, since)] if current else []
    Lexical(new / "lexical").update(removed, records.changed_since(since))


def _changed(records: Records, since: int) -> Iterator[int]:
    for (num,) in records.rows("SELECT num FROM trials WHERE generation > ?", (since,)):
        yield num

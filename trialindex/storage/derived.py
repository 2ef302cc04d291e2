"""What is derived from ``records.db``: the vector store, the word index, and which passage is of which trial.

All live in one folder per state, ``derived/<generation>/``, that is made aside and renamed into place, so a reader
always has those of one generation, and a kill leaves the state before or the state after. All can be made again
without the model, since the vectors are in ``records.db``.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trialindex.errors import IndexDamaged
from trialindex.plugin.guard import plugin_errors
from trialindex.storage import passage_table
from trialindex.storage.files import clone_tree, storage_errors, sync_folder, sync_tree
from trialindex.storage.lexical import LOCKS, REPAIR, Lexical
from trialindex.storage.records import Records
from trialindex.storage.store_spec import StoreSpec
from trialindex.trial import encode

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids

_log = logging.getLogger(__name__)

NAME = "derived"


CHECKSUMS = "checksums.json"
"""In each state: the SHA-256 of every other file, hexadecimal, by its path."""


class Derived:
    """The vector store and the word index of one generation, open for searching.

    :raises IndexDamaged: a file is missing or cannot be read.
    """

    def __init__(self, folder: Path, store: StoreSpec) -> None:
        self.folder = folder
        self.generation = int(folder.name)
        self.allowed: dict[Hashable, Ids] = {}
        """What the last few filters left, remembered by those who search: finding it takes longer than a query."""
        try:
            with plugin_errors(
                f'{folder / "vectors"} cannot be read: the store "{store.store.name}"', IndexDamaged, REPAIR
            ):
                self.vectors = store.load(folder / "vectors")
        except IndexDamaged as problem:
            problem.hint = problem.hint or REPAIR
            raise
        if not (folder / "lexical" / "meta.json").is_file():
            raise IndexDamaged(f"{folder / 'lexical'} has no meta.json.", hint=REPAIR)
        try:
            self.lexical = Lexical(folder / "lexical")
        except OSError as problem:  # it was replaced this very moment, or the disk cannot read it
            raise IndexDamaged(f"{folder / 'lexical'} cannot be read: {problem}.", hint=REPAIR) from problem
        self._passage_table = passage_table.read(folder)

    def trials_of(self, records: Records, passage_nums: Ids) -> Ids:
        """For each passage number its trial's number and its position in the trial, shape ``(n, 2)``.

        A passage that was dropped since this state was made still leads to its trial, with the position -1. One that
        leads to no trial any more has trial 0.
        """
        import numpy as np

        found = passage_table.lookup(self._passage_table, passage_nums)
        if dropped := records.dropped_since("passage", self.generation):
            found[np.isin(passage_nums, dropped)] = 0
        unknown = np.flatnonzero(found[:, 0] == 0)
        if len(unknown):
            asked = passage_nums[unknown].tolist()
            known = records.passages.trials_of(asked)
            found[unknown] = [known.get(num, (0, -1)) for num in asked]
        return found

    def passages_for(self, records: Records, trials: Ids) -> Ids:
        """Sorted numbers of the passages that these trials have in this state."""
        import numpy as np

        if self._passage_table is not None:
            return passage_table.passages_for(self._passage_table, trials)
        pairs = records.passages.pairs(self.generation)
        kept: Ids = np.sort(pairs[np.isin(pairs[:, 1], trials), 0])
        return kept

    def altered(self) -> list[str]:
        """Paths of the files that are missing or not as they were written; reads every byte."""
        written = self.sums()
        if not written:
            return [CHECKSUMS]
        now = checksums(self.folder)
        return sorted(path for path, digest in written.items() if now.get(path) != digest)

    def sums(self) -> dict[str, str]:
        """The checksums it was written with; none when they cannot be read."""
        try:
            return msgspec.json.decode((self.folder / CHECKSUMS).read_bytes(), type=dict[str, str])
        except (OSError, UnicodeError, msgspec.DecodeError, RecursionError):
            return {}


def states(folder: Path) -> list[Path]:
    """The complete derived states of the index in *folder*, newest first."""
    found = [path for path in (folder / NAME).glob("*") if path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def newest_generation(folder: Path) -> int | None:
    """The generation of the newest derived state, ``None`` when there is none."""
    found = states(folder)
    return int(found[0].name) if found else None


def open_newest(folder: Path, store: StoreSpec) -> Derived | None:
    """The newest derived state that is there, or ``None``.

    A writer may replace it between the look and the opening; then the next one is looked for.

    :raises IndexDamaged: it cannot be read.
    """
    for pause in (0.01, 0.05, 0.2, None):
        found = states(folder)
        if found:
            try:
                return Derived(found[0], store)
            except IndexDamaged:
                if found[0].exists():
                    raise
        elif not (folder / NAME).exists() or pause is None:
            break
        else:
            time.sleep(pause)
    return None


def reopen(held: Derived | None, folder: Path, store: StoreSpec) -> Derived:
    """The newest derived state: the one that is *held* if it is still that.

    :raises IndexDamaged: there is none, or it cannot be read.
    """
    if held is not None and held.generation == newest_generation(folder):
        return held
    newest = open_newest(folder, store)
    if newest is None:
        raise IndexDamaged(
            f"the index at {folder} has no {NAME} folder and cannot be written to.",
            hint="Copy the whole folder again, or make it writable.",
        )
    return newest


def describe_vectors(folder: Path, store: StoreSpec) -> str:
    """How the newest state holds its vectors, in words; nothing when there is none to be read."""
    with suppress(IndexDamaged):
        state = open_newest(folder, store)
        return state.vectors.state if state else ""
    return ""


def catch_up(folder: Path, records: Records, store: StoreSpec, dimension: int, *, rebuild: bool = False) -> bool:
    """Bring the derived state to the generation of *records*; needs the index's lock. False if it was there already.

    Only what changed since the state at hand is added and removed; without one, with one that cannot be read, or with
    *rebuild*, all is made anew.
    """
    target = records.generation
    current = None
    if not rebuild:
        with suppress(IndexDamaged):
            current = open_newest(folder, store)
    if current is not None and current.generation == target:
        _clear(folder, current.folder)
        return False
    if current is not None and current.generation > target:  # records.db was restored from an older copy
        current = None
    began, source = time.monotonic(), f"generation {current.generation}" if current else "the records alone"
    with storage_errors(folder):
        home = folder / NAME
        home.mkdir(exist_ok=True)
        for leftover in home.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=home))
        try:
            _make(new, current, records, store, dimension)
            (new / CHECKSUMS).write_bytes(encode(checksums(new, current)))
            sync_tree(new)
            new.chmod(0o755)
            final = home / str(target)
            _retire(final)
            new.rename(final)
            sync_folder(home)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _clear(folder, final)
    _log.info("generation %d is searchable, made from %s in %.1f s", target, source, time.monotonic() - began)
    return True


def _clear(folder: Path, kept: Path) -> None:
    """Delete every derived state but one, and what a killed writer left of others."""
    for old in states(folder):
        if old != kept:
            _retire(old)
    for leftover in (folder / NAME).glob(".*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _retire(state: Path) -> None:
    """Take a state away at once, so that no reader finds half of it, then delete its files."""
    aside = state.with_name(f".old-{state.name}")
    with suppress(OSError):  # not there; or, on Windows, in use: the next ingest tries again
        state.rename(aside)
        shutil.rmtree(aside)


def checksums(folder: Path, before: Derived | None = None) -> dict[str, str]:
    """The SHA-256 of every file of a state but the one that lists them, hexadecimal, by its path.

    :param before: the state it was made from. A file that is the same on the disk keeps the sum it was written with: to
        read it again would cost as much as the index is large, and would pass over damage that came since.
    """
    known = before.sums() if before else {}
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in LOCKS | {CHECKSUMS}:
            name = path.relative_to(folder).as_posix()
            if before and name in known and _same(path, before.folder / name):
                found[name] = known[name]
                continue
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _same(path: Path, other: Path) -> bool:
    """Whether they are two names of one file."""
    try:
        return path.samefile(other)
    except OSError:
        return False


def _make(new: Path, current: Derived | None, records: Records, store: StoreSpec, dimension: int) -> None:
    import numpy as np

    since = current.generation if current else 0
    dropped = records.dropped_since("passage", since) if current else []
    table = passage_table.read(current.folder) if current else None
    if table is None:
        passage_table.write(new, None, (), records.passages.added_since(0))
    else:
        passage_table.write(new, table, dropped, records.passages.added_since(since))

    vectors = current.vectors if current else store.create(dimension)
    if dropped:
        vectors.remove(np.array(dropped, dtype=np.int64))
    for ids, batch in records.passages.vectors_since(since, dimension):
        vectors.add(ids, batch)
    (new / "vectors").mkdir()
    vectors.save(new / "vectors")
    del vectors  # which may hold all of them in memory

    if current:
        clone_tree(current.folder / "lexical", new / "lexical", skip=LOCKS)
    removed: list[int] = []
    if current:
        removed += [*records.dropped_since("trial", since), *(one.num for one in records.statuses_since(since))]
    Lexical(new / "lexical").update(removed, records.changed_since(since))

"""Fill the disk under everything that writes to an index, and see that it answers as before and goes on afterwards.

::

    python tests/durability/full.py FOLDER --seed 7            # injected: each call that writes, one after the other
    python tests/durability/full.py FOLDER --mount --rounds 60 # on a small file system of its own; needs root on Linux

*Injected* means that one call, or all from it on, fail with "no space left on device": first the first one of an
operation, then the second, to the last. On the small file system the space runs out wherever it does, also inside
SQLite, FAISS and tantivy.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kills import NAMES, STORES, Indexes, Operation, finish, verify
from steps import Steps
from world import child, use_fakes

from trialindex.errors import StorageError
from trialindex.storage import manifest

WRITES = {
    *("Path.mkdir", "Path.write_bytes", "Path.write_text", "Path.rename", "Path.replace"),
    *("os.rename", "os.replace", "os.link", "os.fsync", "tempfile.mkdtemp"),
}
"""Steps that need room on the disk; before each of them it may be full. SQL that writes is one too."""


class FullDisk(Steps):
    """From a step on, so many calls that write find the disk full.

    :param at: the number of the first of these calls.
    :param length: how many; after them there is room again.
    """

    def __init__(self, at: int | None, length: int = 1_000_000) -> None:
        super().__init__(None)
        self._from = at
        self._length = length
        self.writes = 0

    def tick(self, name: str) -> None:
        super().tick(name)
        if not name.startswith("before ") or name.removeprefix("before ") not in WRITES:
            return
        self.writes += 1
        if self._from is not None and self._from <= self.writes < self._from + self._length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refused(operation: Operation, disk: FullDisk | None) -> tuple[str, int]:
    """The operation where there is no room: what it says, empty when it came to its end; and how many calls wrote."""

    def work(tell: Callable[[Any], None]) -> None:
        counted = disk.install() if disk else None
        said = ""
        try:
            operation.act()
        except StorageError as problem:
            said = str(problem)
        assert "\n" not in said
        tell([said, counted.writes if counted else 0])

    [[said, writes]] = child(work).said
    return said, writes


def injected(home: Path, seed: int, names: Sequence[str] = NAMES, *, step: int = 1) -> Counter[str]:
    """Each operation, with each of its calls that write as the first that fails.

    :param step: try every so many of them.
    """
    counts: Counter[str] = Counter()
    for number, name in enumerate(names):
        (home / name).mkdir(parents=True)
        operation = Indexes(home / name, random.Random(seed), STORES[number % 2]).operation(name)
        before = home / f"before-{name}"
        if operation.folder.exists():
            shutil.copytree(operation.folder, before)
        _, writes = refused(operation, FullDisk(None))
        for at in range(1, writes + 1, step):
            for length in (1, 1_000_000):
                shutil.rmtree(operation.folder, ignore_errors=True)
                if before.exists():
                    shutil.copytree(before, operation.folder)
                said, _ = refused(operation, FullDisk(at, length))
                counts["injected"] += 1
                counts["said" if said else "got round"] += 1
                verify(operation, 0, 0)
                finish(operation)
    return counts


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system in memory of that size.

    :raises OSError: this machine does not allow it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise OSError(done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def grow(folder: Path, kilobytes: int) -> None:
    size = max(kilobytes, 4)  # none at all would mean no limit
    subprocess.run(["mount", "-o", f"remount,size={size}k", str(folder)], check=True)


def mounted(home: Path, rounds: int, seed: int, names: Sequence[str] = NAMES) -> Counter[str]:
    """Operations on a small file system that has so much room left, chosen by chance, then enough."""
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    for number in range(rounds):
        with small_disk(home / f"disk-{number}", 64_000) as disk:
            name = chance.choice(names)
            operation = Indexes(disk, chance, STORES[number % 2]).operation(name)
            used = _used(disk)
            grow(disk, used + chance.choice([0, 4, 8, 16, 32, 64, 128, 256]))
            said, _ = refused(operation, None)
            counts["filled"] += 1
            counts["said" if said else "fitted"] += 1
            if operation.name != "create" or manifest.is_index(operation.folder):
                grow(disk, _used(disk) + 128)  # SQLite needs a little room to be read: its shared memory
                _answers(operation)
            grow(disk, 64_000)
            verify(operation, 0, 0)
            finish(operation)
    return counts


def _answers(operation: Operation) -> None:
    """With hardly any room it answers: from the state there is, if the newest cannot be made."""
    from trialindex.index import Index

    def work(tell: Callable[[Any], None]) -> None:
        with Index.open(operation.folder) as index:
            if len(index) and operation.whole:
                index.query("lupus")

    child(work)


def _used(disk: Path) -> int:
    """Kilobytes that are taken."""
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="an empty folder, or one to be made")
    parser.add_argument("--mount", action="store_true")
    parser.add_argument("--rounds", type=int, default=60, help="with --mount")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=1, help="without --mount: fail every so many calls only")
    parser.add_argument("--only", action="append", choices=NAMES)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    use_fakes()
    home, names = given.folder.resolve(), given.only or NAMES
    began = time.perf_counter()
    if given.mount:
        counts = mounted(home, given.rounds, given.seed, names)
    else:
        counts = injected(home, given.seed, names, step=given.every)
    print(json.dumps({**counts, "lost": 0, "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()

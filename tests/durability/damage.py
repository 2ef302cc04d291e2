"""Damage every kind of file of an index, and see that no answer is wrong without a word.

::

    python tests/durability/damage.py FOLDER --rounds 1000 --seed 7       # prints what came of it, as JSON

Each round copies a whole index, one that a killed writer left with a write-ahead log or one that was closed, and flips
bits of one file of it, cuts it short, blanks a part of it, or takes it away. Then the copy is opened, asked, listed and
checked in a child: whatever is wrong must be said in one line. Where the check finds nothing, everything the index says
must be what it said before; and the same holds after ``check --repair``, but for what the repair says it cannot mend.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kills import Indexes
from world import WORD, child, held_by, one_line, use_fakes

from trialindex.errors import TrialIndexError
from trialindex.index import Index
from trialindex.watching import Watches, baseline, watch_for

LASTING = {"records", "record", "revision", "watches", "encoder"}
"""Kinds of findings that a repair may leave, each of which says what to do."""
WAYS = ("flip", "flips", "cut", "blank", "empty", "remove")


@dataclass
class Counts:
    """What a campaign came to."""

    by_file: Counter[str] = field(default_factory=Counter)
    by_way: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        return {
            "damages": self.by_file.total(),
            "by file": dict(self.by_file),
            "by way": dict(self.by_way),
            "outcomes": dict(self.outcomes),
        }


def prepare(home: Path, store: str, seed: int, *, logged: bool) -> Path:
    """A whole index with a history and watches.

    :param logged: it was left by a killed writer, its last commits are in the write-ahead log only.
    """
    chance = random.Random(seed)
    indexes = Indexes(home / store, chance, store)
    (home / store).mkdir(parents=True)
    for _ in range(4):
        operation = indexes.operation("refresh")
        operation.act_in_child()
        indexes.state = operation.final

    def watch(tell: Callable[[Any], None]) -> None:
        with Index.open(indexes.folder) as index, Watches(index.folder, create=True) as watches:
            watches.add(*baseline(index, watch_for(index, condition="lupus")))
            watches.add(*baseline(index, watch_for(index, trial=sorted(indexes.state.trials)[0])))

    child(watch)
    operation = indexes.operation("refresh")

    def killed(tell: Callable[[Any], None]) -> None:
        operation.act()
        with Index.open(indexes.folder) as index:
            index.query(WORD)
            index.requests()
            operation.act()
            os.kill(os.getpid(), signal.SIGKILL)  # an open database keeps its log

    if logged:
        child(killed)
        assert (indexes.folder / "records.db-wal").stat().st_size > 0
    return indexes.folder


def harm(path: Path, way: str, chance: random.Random) -> str:
    """Damage a file.

    :returns: what was done, to do it again.
    """
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data)) if data else 0
    if way == "remove" or not data:
        path.unlink()
        return "removed"
    if way == "empty":
        data.clear()
    elif way == "cut":
        del data[at:]
    elif way == "blank":
        data[at : at + 64] = bytes(len(data[at : at + 64]))
    else:
        for _ in range(1 if way == "flip" else 8):
            at = chance.randrange(len(data))
            data[at] ^= 1 << chance.randrange(8)
    path.unlink()
    path.write_bytes(data)
    return f"{way} at {at}"


def observed(folder: Path) -> dict[str, Any]:
    """Everything an index says.

    :raises TrialIndexError: it says that it cannot.
    """
    with Index.open(folder) as index:
        said: dict[str, Any] = {"held": held_by(index)}
        for mode in ("hybrid", "vector", "lexical"):
            found = index.query(WORD, mode=mode, limit=99)
            said[mode] = [(hit.trial.id, round(hit.score, 3)) for hit in found.hits]
        for words in ({"status": "recruiting"}, {"phase": "2"}, {"sex": "female"}, {"age": 17}, {"condition": "gout"}):
            said[str(words)] = [trial.id for trial in index.trials(_filters(words))]
        said["near"] = [trial.id for trial in index.trials(_filters({"near": "45.7,4.8", "within": "50km"}))]
        said["history"] = {
            key: [(one.since, one.seen, one.trial.title) for one in index.history(key)] for key in said["held"]
        }
        said["seen"] = {key: index.stored(key).seen for key in said["held"]}
        said["sources"] = index.info().sources
        said["states"] = {spec: source.state for spec, source in index._records.sources.all().items()}
        said["requests"] = {spec: str(request) for spec, request in index.requests().items()}
    with Watches(folder) as watches:
        said["watches"] = [str(one) for one in watches.all()]
    plain: dict[str, Any] = json.loads(json.dumps(said))
    return plain


def _filters(words: dict[str, Any]) -> Any:
    from trialindex.search.filters import Filters

    return Filters.parse(**words)


def _observed_in_child(folder: Path) -> dict[str, Any]:
    said: dict[str, Any]
    [said] = child(lambda tell: tell(observed(folder))).said
    return said


def checked(folder: Path, *, repair: bool) -> list[tuple[str, str]]:
    """What a check finds and, of a repair, leaves; with the watches, as the command line does it."""
    found: list[tuple[str, str]]
    try:
        with Index.open(folder) as index:
            found = [(one.kind, one.what) for one in index.check(repair=repair) if not one.repaired]
            with Watches(folder) as watches:
                return found + [("watches", what) for what in watches.damage()]
    except TrialIndexError as problem:
        said = one_line(problem)
        return [("watches" if "watches.db" in said else "refused", said)]


def one_round(folder: Path, before: dict[str, Any], path: str) -> str:
    """Look at a damaged index in a child.

    :returns: what came of it.
    :raises AssertionError: something is silent.
    """

    def work(tell: Callable[[Any], None]) -> None:
        signal.alarm(60)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a library may say what it thinks of the file
        said: Any = None
        try:
            said = observed(folder)
        except TrialIndexError as problem:
            one_line(problem)
        found = checked(folder, repair=False)
        assert all("\n" not in what for _, what in found)
        if not found:
            assert said is not None, "it cannot be asked, and the check finds nothing"
            different = [key for key in before if said[key] != before[key]]
            assert not different, f"silent: {[(said[key], before[key]) for key in different]}"
            tell("harmless")
            return
        left = checked(folder, repair=True)
        assert {kind for kind, _ in left} <= LASTING | {"refused"}, left
        if left:
            tell("left: " + ", ".join(sorted({kind for kind, _ in left})))
            return
        said = observed(folder)
        different = [key for key in before if _made_anew(said, key) != _made_anew(before, key)]
        assert not different, f"found {found}, and after the repair: {[(said[key], before[key]) for key in different]}"
        tell("mended")

    [outcome] = child(work).said
    return str(outcome)


def _made_anew(said: dict[str, Any], key: str) -> Any:
    """What must be the same after a repair: scores of words depend on trials that went, until all is made anew."""
    if key in ("states", "requests"):  # what is damaged of them is forgotten, and said
        return None
    return sorted(trial_id for trial_id, _ in said[key]) if key in ("hybrid", "lexical") else said[key]


def kind_of(path: Path) -> str:
    """What sort of file it is: ``records.db-wal``, ``lexical/*.term``."""
    parent = path.parent.name if path.parent.name in ("lexical", "vectors") else ""
    return f"{parent}/*{path.suffix}" if parent == "lexical" else f"{parent}/{path.name}".lstrip("/")


def campaign(home: Path, rounds: int, seed: int, *, stop: bool = True, only: str = "") -> tuple[Counts, list[str]]:
    """Many damages.

    :returns: the counts, and what was silent; with *stop* the first of them is raised.
    """
    chance = random.Random(seed)
    counts, silent = Counts(), []
    bases = []
    for store in ("faiss", "brute-force"):
        folder = prepare(home, store, seed, logged=store == "faiss")
        whole = home / f"{store}-whole"
        shutil.copytree(folder, whole)
        bases.append((whole, _observed_in_child(folder)))
    for number in range(rounds):
        whole, before = bases[number % 2]
        kinds: dict[str, list[Path]] = {}
        for path in sorted(whole.rglob("*")):
            if path.is_file() and ".lock" not in path.name:
                kinds.setdefault(kind_of(path), []).append(path.relative_to(whole))
        kind = chance.choice([kind for kind in sorted(kinds) if only in kind])
        # That watches are gone as a whole nobody can know: the file is there only if somebody watches.
        path, way = chance.choice(kinds[kind]), chance.choice(WAYS if kind != "watches.db" else WAYS[:4])
        folder = home / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        done = harm(folder / path, way, chance)
        counts.by_file[kind] += 1
        counts.by_way[way] += 1
        try:
            counts.outcomes[one_round(folder, before, str(path))] += 1
        except AssertionError as problem:
            silent.append(f"round {number}: {whole.name} {path}: {done}: {problem}")
            if stop:
                raise AssertionError(silent[-1]) from None
    return counts, silent


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="an empty folder, or one to be made")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="", help="files whose name holds this")
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first damage that is silent")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    use_fakes()
    began = time.perf_counter()
    counts, silent = campaign(given.folder.resolve(), given.rounds, given.seed, stop=not given.go_on, only=given.only)
    for one in silent:
        print(one, file=sys.stderr)
    print(json.dumps({**counts.plain(), "silent": len(silent), "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()

"""Kill an index at named steps and at random moments of everything that writes to it, and see that nothing is lost.

::

    python tests/durability/kills.py FOLDER --rounds 300 --seed 7     # random moments; prints what came of it, as JSON
    python tests/durability/kills.py FOLDER --each-step               # one after the other at every step there is

Each round does one operation on an index that lives through all rounds, in child processes that are killed (SIGKILL)
once or twice before one of them comes to its end. After a kill the index must open, hold a state that the model knows
and that is not older than what the child was told is committed, answer with it in every mode, and pass its check. Then
the same operation again must give exactly the final state, without encoding a text that has its vector.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steps import Steps
from world import (
    WORD,
    Ended,
    State,
    answers_whole,
    child,
    delivery,
    encoded_in,
    held_by,
    one_line,
    use_fakes,
    write_registry,
)

from trialindex.errors import TrialIndexError
from trialindex.index import Index
from trialindex.storage import manifest

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

STORES = ("faiss", "brute-force")
NAMES = ("create", "ingest", "refresh", "remove", "repair", "rebuild", "catch up")
"""The operations; *refresh* ingests what is new, changed and unchanged, and merges segments of the word index."""
CLEAN = ("ingest", "refresh", "remove")
"""Those that leave no older derived state lying, whatever was killed before."""


@dataclass
class Operation:
    """Something that writes, what it must lead to, and what may be seen if it is killed.

    :param act: does it.
    :param legal: the states in the order in which they may be seen; the last one is the end.
    :param whole: whether the index passes its check before it, and so after a kill in it.
    """

    name: str
    folder: Path
    act: Callable[[], Any]
    legal: Sequence[State]
    whole: bool = True

    def act_in_child(self) -> None:
        """Do it in a process of its own, to its end."""
        child(lambda tell: self.act())

    @property
    def final(self) -> State:
        return self.legal[-1]


@dataclass
class Counts:
    """What a campaign came to."""

    rounds: int = 0
    kills: int = 0
    ended: int = 0
    at: Counter[str] = field(default_factory=Counter)
    by_operation: Counter[str] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        return {
            "rounds": self.rounds,
            "kills": self.kills,
            "came to their end before the kill": self.ended,
            "kinds of step": len(self.at),
            "by operation": dict(self.by_operation),
            "lost": 0,  # the first loss ends the campaign
        }


# --- operations -------------------------------------------------------------------------------------------------------


class Indexes:
    """Makes operations: each on a folder of its own, or on one that lives on from round to round."""

    def __init__(self, home: Path, chance: random.Random, store: str) -> None:
        self._home = home
        self._chance = chance
        self._store = store
        self._version = 0
        self._made = 0
        self.registry = home / "registry.json"
        self.folder = home / "lasting"
        self.state = State()

    def operation(self, name: str) -> Operation:
        """One that can be done now."""
        maker: Callable[[], Operation] = getattr(self, f"_{name.replace(' ', '_')}")
        return maker()

    def _fresh(self) -> Path:
        self._made += 1
        folder = self._home / f"index-{self._made}"
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def _make(self, folder: Path) -> None:
        Index.create(folder, encoder="fake", store=self._store).close()

    def _create(self) -> Operation:
        folder = self._fresh()

        def act() -> None:
            if not manifest.is_index(folder):
                self._make(folder)

        return Operation("create", folder, act, [State()])

    def _ingest(self) -> Operation:
        folder = self._fresh()
        child(lambda tell: self._make(folder))
        return self._bringing("ingest", folder, State())

    def _refresh(self) -> Operation:
        if not manifest.is_index(self.folder):
            child(lambda tell: self._make(self.folder))
        return self._bringing("refresh", self.folder, self.state)

    def _bringing(self, name: str, folder: Path, state: State) -> Operation:
        self._version += 1
        delivered = delivery(state, self._version, self._chance)
        write_registry(self.registry, self._version, delivered)

        def act() -> None:
            with Index.open(folder) as index:
                index.ingest(f"registry:{self.registry}")

        legal = [state.after(delivered[:count]) for count in range(len(delivered) + 1)]
        return Operation(name, folder, act, legal)

    def _filled(self) -> None:
        """See to it that the index that lives on holds enough."""
        while len(self.state.trials) < 6:
            operation = self._refresh()
            operation.act_in_child()
            self.state = operation.final

    def _remove(self) -> Operation:
        self._filled()
        gone = self._chance.sample(sorted(self.state.trials), self._chance.randint(1, 3))

        def act() -> None:
            with Index.open(self.folder) as index:
                left = [trial_id for trial_id in gone if trial_id in index]
                index.remove(left)

        return Operation("remove", self.folder, act, [self.state, self.state.without(gone)])

    def _repair(self) -> Operation:
        self._filled()
        kind = self._chance.choice(["vectors", "passages", "filters", "derived", "bit"])
        child(lambda tell: damage(self.folder, kind, self._chance))
        return Operation("repair", self.folder, self._mend, [self.state], whole=False)

    def _rebuild(self) -> Operation:
        """All that is derived is made anew, from nothing but the records."""
        self._filled()
        shutil.rmtree(self.folder / "derived")
        return Operation("rebuild", self.folder, self._mend, [self.state], whole=False)

    def _mend(self) -> None:
        with Index.open(self.folder) as index:
            found = index.check(repair=True)
            assert all(one.repaired for one in found), found

    def _catch_up(self) -> Operation:
        """A reader finds the records ahead of what is derived, which a killed writer left so."""
        self._filled()
        operation = self._refresh()
        child(lambda tell: behind(operation.act))
        self.state = operation.final

        def act() -> None:
            with Index.open(self.folder) as index:
                index.query(WORD)

        return Operation("catch up", self.folder, act, [self.state], whole=False)


def behind(act: Callable[[], Any]) -> None:
    """Do it without what is derived, as if killed right after the commit."""
    from trialindex.storage import derived

    derived.catch_up = lambda *args, **kwargs: False
    act()


def damage(folder: Path, kind: str, chance: random.Random) -> None:
    """Break what a repair can mend."""
    with Index.open(folder) as index:
        run = index._records.database.execute
        if kind == "vectors":
            run("DELETE FROM vectors WHERE hash IN (SELECT hash FROM vectors LIMIT 3)")
        elif kind == "passages":
            run("DELETE FROM passages WHERE position = 0 AND trial IN (SELECT num FROM trials LIMIT 2)")
        elif kind == "filters":
            run("UPDATE trials SET status = 'WITHHELD', sex = NULL")
    if kind == "derived":
        shutil.rmtree(folder / "derived")
    elif kind == "bit":
        path = chance.choice(
            sorted(path for path in (folder / "derived").rglob("*") if path.is_file() and path.stat().st_size > 40)
        )
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 0x40
        path.unlink()
        path.write_bytes(data)


# --- killing and looking ----------------------------------------------------------------------------------------------


def attempt(operation: Operation, *, at: int | None = None, after: float | None = None) -> Ended:
    """The operation in a child, killed at a step or after some seconds."""

    def work(tell: Callable[[Any], None]) -> None:
        steps = Steps(at, lambda generation: tell({"committed": generation})).install()
        try:
            operation.act()
        finally:
            tell({"steps": steps.names})

    return child(work, kill_after=after)


def verify(operation: Operation, seen: int, committed: int) -> int:
    """That the index after a kill is in a legal state, whole, and answers with it.

    :param seen: number of the state that was seen before.
    :param committed: the generation it is known to have reached.
    :returns: the number of the state it is in.
    """

    def work(tell: Callable[[Any], None]) -> None:
        try:
            opened = Index.open(operation.folder)
        except TrialIndexError as problem:
            one_line(problem)
            if manifest.is_index(operation.folder) or operation.name != "create":
                raise
            tell(0)
            return
        with opened as index:
            assert index._records.generation >= committed, "a commit is lost"
            held = held_by(index)
            numbers = [n for n, state in enumerate(operation.legal) if n >= seen and state.plain() == held]
            assert numbers, f"{held}\nis none of the states from {seen} of {[s.plain() for s in operation.legal]}"
            for state in (source.state for source in index._records.sources.all().values()):
                if operation.name in ("ingest", "refresh") and state.get("version") == _version(operation):
                    assert state["done"] <= numbers[-1], f"trials are lost: {state} of {numbers}"
            if operation.whole:
                answers_whole(index)
                assert (found := index.check()) == [], found
        tell(numbers[0])

    [number] = child(work).said
    return int(number)


def _version(operation: Operation) -> int:
    path = operation.folder.parent / "registry.json"
    return int(json.loads(path.read_text())["version"])


def finish(operation: Operation) -> None:
    """The operation again, which nobody kills: it ends in the final state, and encodes nothing twice."""

    def work(tell: Callable[[Any], None]) -> None:
        from trialindex.testing import FakeEncoder
        from trialindex.trial.passages import Passage

        encoded: list[str] = []
        encode = FakeEncoder.encode_documents

        def counted(self: FakeEncoder, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
            encoded.extend(texts)
            return encode(self, texts, progress)

        FakeEncoder.encode_documents = counted  # type: ignore[method-assign]
        known = set()
        if manifest.is_index(operation.folder):
            with Index.open(operation.folder) as index:
                known = encoded_in(index._records)
        operation.act()
        twice = [text for text in encoded if Passage("", text).hash in known]
        assert not twice, f"encoded twice: {twice}"
        with Index.open(operation.folder) as index:
            assert held_by(index) == operation.final.plain()
            assert index.info().unembedded == 0, "texts are left without vectors"
            answers_whole(index)
            assert (found := index.check()) == [], found
        left = sorted(path.name for path in (operation.folder / "derived").iterdir())
        assert len(left) == 1 or operation.name not in CLEAN, f"left lying: {left}"

    child(work)


def one_round(operation: Operation, ways: Sequence[dict[str, Any]], looks: Sequence[bool], counts: Counts) -> None:
    """Kill it in these ways, looking at it after some of them, then let it come to its end."""
    seen = committed = 0
    for way, look in zip(ways, looks, strict=True):
        ended = attempt(operation, **way)
        counts.kills += ended.killed
        counts.ended += not ended.killed
        counts.by_operation[operation.name] += ended.killed
        committed = max([committed, *(told["committed"] for told in ended.said if "committed" in told)])
        if look:
            seen = verify(operation, seen, committed)
    finish(operation)
    counts.rounds += 1


# --- campaigns --------------------------------------------------------------------------------------------------------


def steps_of(operation: Operation) -> list[str]:
    """The names of the steps of an operation, which is done on a copy."""
    copy = operation.folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    if operation.folder.exists():
        shutil.copytree(operation.folder, copy)
    ended = attempt(operation)
    shutil.rmtree(operation.folder)
    if copy.exists():
        copy.rename(operation.folder)
    names: list[str] = ended.said[-1]["steps"]
    return names


def random_rounds(home: Path, rounds: int, seed: int, names: Sequence[str] = NAMES) -> Counts:
    """Rounds in which the operation, the moments and what is looked at are chosen by chance."""
    chance = random.Random(seed)
    counts = Counts()
    worlds = []
    for store in STORES:
        (home / store).mkdir(parents=True)
        worlds.append(Indexes(home / store, chance, store))
    for number in range(rounds):
        indexes = worlds[number % len(worlds)]
        operation = indexes.operation(chance.choice(names))
        began = time.perf_counter()
        steps = steps_of(operation)
        seconds = time.perf_counter() - began
        ways: list[dict[str, Any]] = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            if chance.random() < 0.5:
                ways.append({"after": chance.uniform(0, seconds)})
            else:
                ways.append({"at": chance.randint(1, len(steps))})
                counts.at[steps[ways[-1]["at"] - 1]] += 1
        one_round(operation, ways, [chance.random() < 0.6 for _ in ways], counts)
        if operation.folder == indexes.folder:
            indexes.state = operation.final
        else:
            shutil.rmtree(operation.folder)
    return counts


def each_step(home: Path, seed: int, names: Sequence[str] = NAMES, *, once: bool = False) -> Counts:
    """Every operation, killed at each of its steps in turn, on a copy of the same index each time.

    :param once: at the first step of each name only.
    """
    counts = Counts()
    for number, name in enumerate(names):
        (home / name).mkdir(parents=True)
        operation = Indexes(home / name, random.Random(seed), STORES[number % 2]).operation(name)
        before = home / f"before-{name}"
        if operation.folder.exists():
            shutil.copytree(operation.folder, before)
        steps = steps_of(operation)
        for at in _chosen(steps, once):
            shutil.rmtree(operation.folder, ignore_errors=True)
            if before.exists():
                shutil.copytree(before, operation.folder)
            one_round(operation, [{"at": at}], [True], counts)
            counts.at[steps[at - 1]] += 1
    return counts


def _chosen(steps: Sequence[str], once: bool) -> Iterator[int]:
    seen = set()
    for number, name in enumerate(steps, start=1):
        if not once or name not in seen:
            seen.add(name)
            yield number


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="an empty folder, or one to be made")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--each-step", action="store_true")
    parser.add_argument("--once", action="store_true", help="with --each-step: at the first step of each name only")
    parser.add_argument("--only", action="append", choices=NAMES)
    given = parser.parse_args()
    home = given.folder.resolve()
    home.mkdir(parents=True, exist_ok=True)
    use_fakes()
    names = given.only or NAMES
    began = time.perf_counter()
    if given.each_step:
        counts = each_step(home, given.seed, names, once=given.once)
    else:
        counts = random_rounds(home, given.rounds, given.seed, names)
    print(json.dumps({**counts.plain(), "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()

"""Kill `sync` at every kind of moment, run it again, and compare what was delivered with what happened.

::

    python tests/watching/crashes.py FOLDER --rounds 20 --seed 1      # prints what came of it, as JSON

Each round changes the registry by chance, then syncs in child processes that are killed (SIGKILL) until one of them
comes to its end. A kill falls before a statement of SQL, before or after the receiver has accepted a delivery, before a
file is renamed, or at any moment at all. A model, which knows only the registry, says what each round's news are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from trialindex.index import Index
from trialindex.plugin import registry
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import IngestContext, Notifier, Source
from trialindex.plugin.messages import Delivery
from trialindex.plugin.registry import Plugins
from trialindex.testing import BruteForceStore, FakeEncoder
from trialindex.trial import Status, Trial
from trialindex.watching import Watches, baseline, sync, watch_for
from trialindex.watching.delivery import notifier_config

IDS = [f"C-{number}" for number in range(12)]
STATES: tuple[Status, ...] = ("RECRUITING", "SUSPENDED", "COMPLETED")
World = dict[str, dict[str, Any]]


def tick(where: str) -> None:
    """A moment at which a child may be killed; the driver replaces it."""


class Registry(Source):
    """What the file says is in the registry now."""

    name = "registry"
    summary = "For tests."

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        world: World = json.loads(Path(self.argument).read_text())
        for number, (trial_id, state) in enumerate(sorted(world.items())):
            yield Trial(id=trial_id, title=f"Study {trial_id}", **state)
            if number % 4 == 3:
                context.checkpoint({"done": number})


class Receiver(Notifier):
    """Has accepted a delivery once its line is in the file and on the disk."""

    name = "receiver"
    summary = "For tests."
    options: ClassVar[tuple[Any, ...]] = ()

    def send(self, delivery: Delivery) -> None:
        tick("send")
        news = [[u.key, u.watch, u.kind, u.trial, list(u.lines)] for u in delivery.updates]
        line = json.dumps({"key": delivery.key, "news": news}).encode() + b"\n"
        descriptor = os.open(self.argument, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, line)
        os.close(descriptor)
        tick("accepted")


class _Fakes:
    @hookimpl
    def register_sources(self) -> list[type[Source]]:
        return [Registry]

    @hookimpl
    def register_notifiers(self) -> list[type[Notifier]]:
        return [Receiver]

    @hookimpl
    def register_encoders(self) -> list[type[FakeEncoder]]:
        return [FakeEncoder]

    @hookimpl
    def register_stores(self) -> list[type[BruteForceStore]]:
        return [BruteForceStore]


def fresh() -> dict[str, Any]:
    return {"conditions": ["Lupus"], "status": STATES[0], "enrollment": 10, "keywords": ["a", "b"]}


def change(world: World, chance: random.Random) -> World:
    """The registry after some things happened."""
    new = {trial_id: dict(state) for trial_id, state in world.items()}
    for trial_id in chance.sample(IDS, chance.randint(1, 4)):
        state = new.setdefault(trial_id, fresh())
        what = chance.choice(["status", "enrollment", "conditions", "noise"])
        if what == "status":
            state["status"] = chance.choice(STATES)
        elif what == "enrollment":
            state["enrollment"] = chance.randint(1, 3) * 10
        elif what == "conditions":
            state["conditions"] = [chance.choice(["Lupus", "Asthma"])]
        else:
            state["keywords"] = chance.sample(["a", "b"], 2)
    return new


def sees(watch: int, state: dict[str, Any] | None) -> bool:
    """Whether a watch is about a trial in that state: 1 lupus, 2 recruiting lupus, 3 the first trial."""
    if state is None or state["conditions"] != ["Lupus"]:
        return False
    return watch != 2 or state["status"] == "RECRUITING"


def expected(old: World, new: World) -> Counter[tuple[int, str, str]]:
    """What each watch has to be told of the difference: watch, kind, trial."""
    news: Counter[tuple[int, str, str]] = Counter()
    for trial_id, state in new.items():
        before = old.get(trial_id)
        told = {key: value for key, value in (before or {}).items() if key != "keywords"}
        differs = told != {key: value for key, value in state.items() if key != "keywords"}
        for watch in (1, 2):
            if sees(watch, state) and not sees(watch, before):
                if state["status"] == "COMPLETED":  # over: all of these are one line
                    news[watch, "backlog", ""] = 1
                else:
                    news[watch, "new", trial_id] += 1
            elif sees(watch, before) and differs:
                news[watch, "changed", trial_id] += 1
        if trial_id == IDS[0] and before is not None and differs:
            news[3, "changed", trial_id] += 1
    return news


def _kill() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def child(folder: Path, at: int | None, late: bool) -> NoReturn:
    """One sync, killed at the moment of that number; *late*: counted from the first delivery."""
    global tick
    count, delivering = 0, False

    def counting(where: str) -> None:
        nonlocal count, delivering
        delivering = delivering or where == "send"
        count += delivering or not late
        if at is not None and count == at:
            _kill()

    tick = counting
    connect = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*args, **kwargs)
        database.set_trace_callback(lambda statement: tick("sql"))
        return database

    sqlite3.connect = traced  # type: ignore[assignment]
    for name in ("rename", "replace"):
        _count_calls(Path, name)
    with Index.open(folder / "index") as index, Watches(folder / "index") as watches:
        report = sync(index, watches)
    (folder / "moments").write_text(str(count))
    os._exit(1 if report.failed else 0)


def _count_calls(cls: type, name: str) -> None:
    original: Callable[..., Any] = getattr(cls, name)

    def counted(self: Any, *args: Any) -> Any:
        tick(name)
        result = original(self, *args)
        tick(name)
        return result

    setattr(cls, name, counted)


def run(folder: Path, at: int | None = None, after: float | None = None, *, late: bool = False) -> int | None:
    """A sync in a process of its own: its exit code, ``None`` when it was killed."""
    sys.stdout.flush()
    number = os.fork()
    if not number:
        try:
            child(folder, at, late)
        except BaseException:  # noqa: BLE001  the child ends here, whatever it was
            import traceback

            traceback.print_exc()
            os._exit(3)
    if after is not None:
        time.sleep(after)
        os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def prepare(folder: Path) -> World:
    """An index of one registry, three watches, two receivers."""
    os.fsync = lambda fd: None
    private = Plugins(discover=False)
    private.register(_Fakes(), "fakes")
    registry.plugins = cache(lambda: private)
    world = change({IDS[0]: fresh()}, random.Random(0))
    (folder / "world.json").write_text(json.dumps(world))
    number = os.fork()  # whatever starts threads runs in children
    if not number:
        with Index.create(folder / "index", encoder="fake", store=BruteForceStore.name) as index:
            index.ingest(f"registry:{folder / 'world.json'}")
            with Watches(folder / "index", create=True) as watches:
                watches.add(*baseline(index, watch_for(index, condition="lupus")))
                watches.add(*baseline(index, watch_for(index, condition="lupus", status=["recruiting"])))
                watches.add(*baseline(index, watch_for(index, trial=IDS[0])))
                for name in ("one", "two"):
                    watches.add_notifier(notifier_config(f"receiver:{folder / name}", {}))
        os._exit(0)
    assert os.waitpid(number, 0)[1] == 0
    return world


def campaign(folder: Path, rounds: int, seed: int, kills_a_round: int) -> dict[str, Any]:
    """Many rounds with many kills; how the deliveries compare with the model."""
    chance = random.Random(seed)
    world = prepare(folder)
    found = Counter(rounds=0, kills=0, unkilled=0, news=0, lost=0, doubled=0, wrong=0, resent=0)
    expected_all: Counter[tuple[int, str, str]] = Counter()
    moments, seconds = 150, 0.3
    for _ in range(rounds):
        new = change(world, chance)
        (folder / "world.json").write_text(json.dumps(new))
        for _ in range(kills_a_round):
            how = chance.choice(["any", "late", "time"])
            if how == "time":
                code = run(folder, after=chance.uniform(0, seconds))
            else:
                code = run(folder, at=chance.randint(1, moments if how == "any" else 12), late=how == "late")
            found["kills" if code is None else "unkilled"] += 1
        began = time.perf_counter()
        code = run(folder)
        seconds = time.perf_counter() - began
        assert code == 0, f"a sync that nobody kills exits {code}"
        moments = max(int((folder / "moments").read_text()), 60)
        found["rounds"] += 1
        expected_all += expected(world, new)
        world = new
    for name in ("one", "two"):
        lines = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        once = {line["key"]: line for line in lines}
        found["resent"] += len(lines) - len(once)
        found["wrong"] += sum(once[line["key"]] != line for line in lines)
        told = [_plain(update) for line in once.values() for update in line["news"]]
        found["doubled"] += len(told) - len({key for key, *_ in told})
        got = Counter((watch, kind, trial) for _, watch, kind, trial in told)
        found["news"] += sum(got.values())
        found["lost"] += (expected_all - got).total()
        found["doubled"] += (got - expected_all).total()
    return dict(found)


def _plain(update: list[Any]) -> tuple[str, int, str, str]:
    return update[0], update[1], update[2], update[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=4, help="attempted in each round")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(campaign(given.folder.resolve(), given.rounds, given.seed, given.kills)))


if __name__ == "__main__":
    main()

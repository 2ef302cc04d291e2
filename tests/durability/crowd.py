"""Readers in processes and threads, and writers that take turns, all at once, for minutes.

::

    python tests/durability/crowd.py FOLDER --minutes 3        # prints what came of it, as JSON

Every ingest changes the title, the status and the place of every trial at once, in one transaction, to those of its
turn. So each answer must show all trials of one turn: by words, by meaning, behind filters, in a list, in a history.
Writers find each other's lock; every few turns one of them is killed in its work, and the next takes over.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from world import WORD, Registry, answers_whole, child, one_line, use_fakes, write_registry

from trialindex.errors import IndexLocked
from trialindex.index import Index
from trialindex.ingest import run as ingest_module
from trialindex.search.filters import Filters
from trialindex.trial import Site, Trial

TRIALS = 12
LEAST_ANSWERS = 20
"""Of each process: it goes on asking until it has more, however slow the machine is."""
STATUSES = ("RECRUITING", "COMPLETED")
COUNTRIES = ("France", "Austria")


def turn_of(number: int) -> list[Trial]:
    """All trials as they are in that turn."""
    return [
        Trial(
            id=f"D-{one}",
            title=f"Study {one} of {WORD}, turn {number}",
            status=STATUSES[number % 2],  # type: ignore[arg-type]
            sites=(Site(city="X", country=COUNTRIES[number % 2], latitude=45.0, longitude=4.0 + number % 2),),
            inclusion=(f"Written in turn {number}.",),
        )
        for one in range(TRIALS)
    ]


def turns(titles: list[str]) -> set[int]:
    return {int(title.rpartition(" ")[2]) for title in titles}


def ask(index: Index, chance: random.Random) -> str:
    """One question.

    :returns: its kind.
    :raises AssertionError: the answer is of two turns, or leaves a trial out.
    """
    kind = chance.choice(["hybrid", "vector", "lexical", "status", "country", "list", "get"])
    if kind in ("hybrid", "vector", "lexical"):
        answer = index.query(WORD, mode=kind, limit=99)
        titles = [hit.trial.title for hit in answer.hits]
        if kind == "vector" and answer.unembedded:  # a killed writer left it so
            assert len(turns(titles)) <= 1, f"{kind}: of several turns: {turns(titles)}"
            return kind
    elif kind == "status":
        hits = index.query(WORD, status="recruiting", limit=99).hits
        titles = [hit.trial.title for hit in hits]
        assert {hit.trial.status for hit in hits} <= {"RECRUITING"}
        if not titles:  # it is the turn of the other status
            return kind
    elif kind == "country":
        titles = [trial.title for trial in index.trials(Filters(near=None, status=(STATUSES[0],)))]
        if not titles:
            return kind
    elif kind == "list":
        titles = [trial.title for trial in index.trials()]
    else:
        versions = index.history("D-0")
        assert [one.number for one in versions] == list(range(1, len(versions) + 1))
        return kind
    assert len(titles) == TRIALS, f"{kind}: {len(titles)} of {TRIALS} trials"
    assert len(turns(titles)) == 1, f"{kind}: of several turns: {turns(titles)}"
    return kind


def read(folder: Path, until: float, seed: int, threads: int, tell: Callable[[Any], None]) -> None:
    """Ask with one shared index from several threads, each also with an index of its own."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    shared = Index.open(folder)

    def work(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        last = 0
        try:
            while (time.time() < until or counts.total() <= LEAST_ANSWERS) and not failures:
                if chance.random() < 0.2:
                    with Index.open(folder) as own:
                        counts[ask(own, chance)] += 1
                else:
                    counts[ask(shared, chance)] += 1
                with shared.snapshot() as records:
                    assert records.generation >= last, "an older generation than before"
                    last = records.generation
        except BaseException as problem:  # noqa: BLE001  told by the main thread
            failures.append(f"{type(problem).__name__}: {problem}")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    shared.close()
    assert not failures, failures
    tell({"answers": counts})


def write(folder: Path, registry: Path, number: int, *, die: bool) -> str:
    """One turn.

    :returns: ``written``, ``locked``, or ``killed``.
    """

    def work(tell: Callable[[Any], None]) -> None:
        ingest_module.BATCH = 10_000
        write_registry(registry, number, turn_of(number))
        try:
            with Index.open(folder) as index:
                index.ingest(OneCommit(str(registry)))
        except IndexLocked as problem:
            one_line(problem)
            tell("locked")
        else:
            tell("written")

    ended = child(work, kill_after=random.uniform(0.01, 0.25) if die else None)
    return "killed" if ended.killed else str(ended.said[-1])


class OneCommit(Registry):
    """Remembers nothing on the way, so that all trials come in one transaction."""

    name = "one-commit"

    def trials(self, context: Any) -> Any:
        from world import read_registry

        yield from read_registry(Path(self.argument))[1]


def campaign(
    home: Path, seconds: float, *, processes: int = 2, threads: int = 2, pause: float = 0.05
) -> dict[str, Any]:
    """Readers and writers for so long.

    :returns: what happened, in numbers.
    """
    home.mkdir(parents=True, exist_ok=True)
    folder = home / "index"
    child(lambda tell: Index.create(folder, encoder="fake", store="faiss").close())
    assert write(folder, home / "first.json", 0, die=False) == "written"
    until = time.time() + seconds
    readers = []
    for number in range(processes):
        path = home / f"reader-{number}"
        process = os.fork()
        if not process:
            try:
                read(folder, until, number, threads, lambda said, path=path: path.write_text(json.dumps(said)))  # type: ignore[misc]
            except BaseException as problem:  # noqa: BLE001  told by the parent
                path.write_text(json.dumps({"failed": str(problem)}))
            os._exit(0)
        readers.append((process, path))
    happened: Counter[str] = Counter()
    failures: list[str] = []

    def writers(which: int) -> None:
        number = which
        while (time.time() < until or happened["written"] < 2) and not failures:
            number += 2
            try:
                happened[write(folder, home / f"turn-{which}.json", number, die=number % 7 == 0)] += 1
            except AssertionError as problem:
                failures.append(str(problem))
            time.sleep(pause)

    writing = [threading.Thread(target=writers, args=(which,)) for which in (0, 1)]
    for thread in writing:
        thread.start()
    for thread in writing:
        thread.join()
    answers: Counter[str] = Counter()
    for process, path in readers:
        os.waitpid(process, 0)
        said = json.loads(path.read_text())
        assert "failed" not in said, said["failed"]
        answers.update(said["answers"])
    assert not failures, failures

    def last(tell: Callable[[Any], None]) -> None:
        signal.alarm(60)
        with Index.open(folder) as index:
            answers_whole(index)
            assert (found := index.check()) == [], found

    child(last)
    return {"answers": answers.total(), "by kind": dict(answers), "turns": dict(happened), "mixed": 0}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="an empty folder, or one to be made")
    parser.add_argument("--minutes", type=float, default=3.0)
    given = parser.parse_args()
    use_fakes()
    print(json.dumps(campaign(given.folder.resolve(), given.minutes * 60)))


if __name__ == "__main__":
    main()

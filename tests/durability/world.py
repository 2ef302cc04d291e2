"""What the durability campaigns share: a registry that changes, a model of what an index of it holds, and children.

The model knows the registry only, never the index. A trial's title names its version, so that an answer that mixes two
states is seen, and every title holds the word that is asked for, so that an answer that leaves one out is seen too.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import faiss
import filelock  # noqa: F401  what is loaded before a child is made, none of them has to load
import numpy.ma  # noqa: F401
import tantivy  # noqa: F401

import trialindex.search.query  # noqa: F401
import trialindex_faiss
import trialindex_faiss.store
from trialindex.index import Index
from trialindex.ingest import embedding
from trialindex.plugin import registry
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.registry import Plugins
from trialindex.storage import gazetteer
from trialindex.storage.records import Records
from trialindex.testing import BruteForceStore, FakeEncoder
from trialindex.trial import Site, Trial, decode, encode

WORD = "lupus"
"""What every trial holds and every question asks for."""
EVERY = 3
"""Trials between two checkpoints of the source."""
SITES = (
    Site(city="Lyon", country="France", latitude=45.75, longitude=4.85),
    Site(city="Graz", country="Austria", latitude=47.07, longitude=15.44),
)


class Registry(Source):
    """Gives what the file says, and goes on after its last checkpoint."""

    name = "registry"
    summary = "For tests."

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        version, trials = read_registry(Path(self.argument))
        begun = context.state.get("version") == version
        for number, trial in enumerate(trials):
            if begun and number < context.state["done"]:
                continue
            yield trial
            if number % EVERY == EVERY - 1:
                context.checkpoint({"version": version, "done": number + 1})
        context.checkpoint({"version": version, "done": len(trials)})


def write_registry(path: Path, version: int, trials: Sequence[Trial]) -> None:
    path.write_text(json.dumps({"version": version, "trials": [json.loads(encode(trial)) for trial in trials]}))


def read_registry(path: Path) -> tuple[int, list[Trial]]:
    held = json.loads(path.read_text())
    return held["version"], [decode(json.dumps(trial).encode()) for trial in held["trials"]]


class Fakes:
    """The plugins of a campaign."""

    @hookimpl
    def register_sources(self) -> list[type[Source]]:
        return [Registry]

    @hookimpl
    def register_encoders(self) -> list[type[FakeEncoder]]:
        return [FakeEncoder]

    @hookimpl
    def register_stores(self) -> list[type[BruteForceStore]]:
        return [BruteForceStore]


def use_fakes() -> None:
    """From now on this process has the plugins of the campaigns, and waits for no disk: no power fails here."""
    os.fsync = lambda fd: None
    embedding.CHUNK, embedding.WINDOW = 8, 16  # several commits of vectors in each ingest
    faiss.omp_set_num_threads(1)
    private = Plugins(discover=False)
    private.register(Fakes(), "fakes")
    private.register(trialindex_faiss, "faiss")
    registry.plugins = cache(lambda: private)
    gazetteer.region_names("US")  # compiled into the cache now, and not in a process that is to be killed


def trial(trial_id: str, version: int, chance: random.Random) -> Trial:
    """One version of a trial: every part of an index differs from version to version."""
    return Trial(
        id=trial_id,
        title=f"Study {trial_id} of {WORD}, version {version}",
        source="registry",
        summary=chance.choice([None, f"What {trial_id} is about, said in words of {version}.", "The same for many."]),
        conditions=tuple(chance.sample(["Lupus", "Asthma", "Gout"], chance.randint(0, 2))),
        status=chance.choice(["RECRUITING", "COMPLETED", None]),
        phases=tuple(chance.sample(["PHASE1", "PHASE2"], chance.randint(0, 2))),
        inclusion=tuple(chance.sample(["Older than 18 years.", f"Written in {version}."], chance.randint(0, 2))),
        sex=chance.choice(["FEMALE", None]),
        minimum_age=chance.choice([18.0, None]),
        sites=tuple(chance.sample(SITES, chance.randint(0, 2))),
        raw={"version": version} if chance.random() < 0.5 else None,
    )


def delivery(state: State, version: int, chance: random.Random, ids: int = 14) -> list[Trial]:
    """What a refresh may bring: trials that are new, changed and as they were, in any order."""
    chosen = chance.sample([f"D-{number}" for number in range(ids)], chance.randint(4, ids - 2))
    trials = []
    for trial_id in chosen:
        held = state.trials.get(trial_id)
        trials.append(held if held is not None and chance.random() < 0.4 else trial(trial_id, version, chance))
    return trials


@dataclass(frozen=True)
class State:
    """What an index must hold: of each trial the record, and the hashes of all its versions, the newest last."""

    trials: dict[str, Trial] = field(default_factory=dict)
    versions: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def after(self, delivered: Sequence[Trial]) -> State:
        """The state once these trials came in."""
        trials, versions = dict(self.trials), dict(self.versions)
        for new in delivered:
            trials[new.id] = new
            seen = versions.get(new.id, ())
            if not seen or seen[-1] != new.content_hash:
                versions[new.id] = (*seen, new.content_hash)
        return State(trials, versions)

    def without(self, ids: Sequence[str]) -> State:
        return State(
            {key: value for key, value in self.trials.items() if key not in ids},
            {key: value for key, value in self.versions.items() if key not in ids},
        )

    def plain(self) -> dict[str, Any]:
        """For comparing, and for a message that a person can read."""
        return {key: [self.trials[key].title, list(hashes)] for key, hashes in sorted(self.versions.items())}


def held_by(index: Index) -> dict[str, Any]:
    """What the records of an index hold, as :meth:`State.plain` tells it; every record is hashed."""
    held = {}
    with index.snapshot() as records:
        for stored in records.all():
            sql = "SELECT hash FROM revisions WHERE trial = ? ORDER BY replaced_in"
            earlier = [digest for (digest,) in records.database.rows(sql, (stored.num,))]
            held[stored.trial.id] = [stored.trial.title, [*earlier, stored.trial.content_hash]]
    return dict(sorted(held.items()))


def state_of(index: Index) -> State:
    """What the records of an index hold, to go on from."""
    with index.snapshot() as records:
        trials = {stored.trial.id: stored.trial for stored in records.all(raw=True)}
    return State(trials, {key: tuple(hashes) for key, (_, hashes) in held_by(index).items()})


def answers_whole(index: Index) -> None:
    """Every way of asking finds each trial of the records in the version that they hold, of one generation.

    Those that are not embedded yet are found by their words, and counted.
    """
    with index.snapshot() as records:
        titles = {stored.trial.id: stored.trial.title for stored in records.all()}
        generation = records.generation
        sql = "SELECT DISTINCT id FROM passages JOIN trials ON trial = trials.num WHERE priority IS NOT NULL"
        waiting = {trial_id for (trial_id,) in records.database.rows(sql)}
    for mode in ("hybrid", "vector", "lexical") if titles else ():
        found = index.query(WORD, mode=mode, limit=99)
        assert found.generation == generation, f"{mode}: of generation {found.generation}, not {generation}"
        assert found.unembedded == len(waiting), f"{mode}: {found.unembedded} of {waiting}"
        assert len(found.notes) == bool(waiting and mode != "lexical"), f"{mode}: {found.notes}"
        told = {hit.trial.id: hit.trial.title for hit in found.hits}
        wanted = {key: title for key, title in titles.items() if mode != "vector" or key not in waiting}
        assert all(WORD in title for title in titles.values())
        assert wanted.items() <= told.items() <= titles.items(), f"{mode}: {told} is not {wanted}"


def one_line(problem: BaseException) -> str:
    """What an error says, which must be one line."""
    assert "\n" not in str(problem), problem
    return str(problem)


def encoded_in(records: Records) -> set[bytes]:
    """The hashes of the texts that have a vector."""
    return {digest for (digest,) in records.database.rows("SELECT hash FROM vectors")}


# --- children ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    :param killed: by SIGKILL.
    :param said: what it gave back; what it acknowledged, when it was killed.
    """

    killed: bool
    said: list[Any]


def child(
    work: Callable[[Callable[[Any], None]], Any],
    *,
    kill_after: float | None = None,
) -> Ended:
    """Do some work in a process of its own, which may be killed after so many seconds.

    :param work: is given a function that tells the parent something, which is kept even of a child that is killed.
    :raises AssertionError: the work failed; with its traceback.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    number = os.fork()
    if not number:
        os.close(reading)

        def tell(value: Any) -> None:
            os.write(writing, json.dumps(value).encode() + b"\n")

        try:
            work(tell)
        except BaseException:  # noqa: BLE001  the child ends here, whatever it was
            tell({"failed": traceback.format_exc()[-3000:]})
            os._exit(3)
        os._exit(0)
    os.close(writing)
    if kill_after is not None:
        import time

        time.sleep(kill_after)
        os.kill(number, signal.SIGKILL)
    with os.fdopen(reading, "rb") as file:
        said = [json.loads(line) for line in file.read().splitlines()]
    _, status = os.waitpid(number, 0)
    killed = os.WIFSIGNALED(status)
    if killed:
        assert os.WTERMSIG(status) == signal.SIGKILL, f"the child died of signal {os.WTERMSIG(status)}"
    elif os.WEXITSTATUS(status):
        raise AssertionError(said[-1]["failed"] if said else f"the child exits {os.WEXITSTATUS(status)}")
    return Ended(killed, said)

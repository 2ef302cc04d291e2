"""Make an index in the format of the code at hand: ``python tests/data/formats/make.py FOLDER``.

A fixture is made once, when its format is the newest, and never again: it stands for the indexes that users have.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trialindex_faiss
from trialindex.index import Index
from trialindex.ingest.run import Request
from trialindex.plugin import registry as plugins_module
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.registry import Plugins
from trialindex.testing import FakeEncoder
from trialindex.trial import Site, Trial, TrialDate

SOURCES: dict[str, tuple[list[Trial], dict[str, Any]]] = {
    "ctgov:lupus nephritis --status RECRUITING": (
        [
            Trial(
                id="F-1",
                title="Evening walks in lupus nephritis",
                conditions=("Lupus Nephritis",),
                status="NOT_YET_RECRUITING",
                phases=("PHASE2",),
                minimum_age=18,
                sites=(Site(city="Lyon", country="France", latitude=45.75, longitude=4.85),),
                last_updated=TrialDate(date="2026-01-10"),
                raw={"walks": True},
            ),
            Trial(id="F-2", title="A diary for asthma", conditions=("Asthma",), status="RECRUITING", sex="FEMALE"),
        ],
        {"last": "2026-01-12"},
    ),
    "ctgov:lupus nephritis --status RECRUITING ": (  # the same source a month later
        [
            Trial(
                id="F-1",
                title="Evening walks in lupus nephritis",
                conditions=("Lupus Nephritis",),
                status="RECRUITING",
                phases=("PHASE2",),
                minimum_age=18,
                sites=(Site(city="Lyon", country="France", latitude=45.75, longitude=4.85),),
                last_updated=TrialDate(date="2026-02-10"),
                raw={"walks": True, "open": True},
            )
        ],
        {"last": "2026-02-12"},
    ),
    "csv:trials.csv": ([Trial(id="F-3", title="Warm socks in Raynaud phenomenon")], {}),
    "manual": ([Trial(id="F-4", title="A trial that was taken out again")], {}),
}


REQUEST = Request("csv", "trials.csv", {"map_": ["title=Name"]}, "../studies", file=True)


class Given(Source):
    """The trials of one entry of :data:`SOURCES`."""

    name = "given"
    summary = "For tests."

    @property
    def spec(self) -> str:
        return self.argument.strip()

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        trials, state = SOURCES[self.argument]
        yield from trials
        context.checkpoint(state)


class Fakes:
    @hookimpl
    def register_encoders(self) -> list[type[FakeEncoder]]:
        return [FakeEncoder]


def main(folder: Path) -> None:
    """Make the index and leave nothing of this process in it."""
    private = Plugins(discover=False)
    private.register(Fakes(), "fakes")
    private.register(trialindex_faiss, "faiss")
    plugins_module.plugins.cache_clear()
    plugins_module.Plugins = lambda: private  # type: ignore[misc,assignment]
    with Index.create(folder, encoder="fake") as index:
        for spec in SOURCES:
            index.ingest(Given(spec), request=REQUEST if spec.startswith("csv") else None)
        index.remove(["F-4"])
        assert index.check() == []
    (folder / "write.lock").unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

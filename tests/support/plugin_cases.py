"""Plugins for tests: in this process, and as distributions that are installed in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import IngestContext, Renderer, Source
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial


def plugin(**hooks: Any) -> SimpleNamespace:
    """A plugin object with these functions as its hooks."""
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def source_class(name: str = "shelf", *trials: Trial) -> type[Source]:
    """A source that yields these trials."""

    class Shelf(Source):
        summary = "Trials from a shelf."

        def trials(self, context: IngestContext) -> Iterator[Trial]:
            yield from trials

    Shelf.name = name
    return Shelf


def renderer_class(name: str = "loud") -> type[Renderer]:
    """A renderer that shouts ids."""

    class Loud(Renderer):
        summary = "Ids, one a line, loud."

        def results(self, results: Results) -> Iterator[str]:
            return self.trials(hit.trial for hit in results.hits)

        def trial(self, card: TrialPage) -> Iterator[str]:
            return self.trials(iter([card.trial]))

        def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
            yield from (f"{trial.id}!\n" for trial in trials)

    Loud.name = name
    return Loud


# --- installed ------------------------------------------------------------------------------------------------------

FAKES = """
    from trialindex.plugin.hookspecs import hookimpl

    @hookimpl
    def register_encoders():
        from trialindex.testing import FakeEncoder
        return [FakeEncoder]

    @hookimpl
    def register_stores():
        from trialindex.testing import BruteForceStore
        return [BruteForceStore]

    @hookimpl
    def register_sources():
        from trialindex import Source
        from trialindex.testing import sample_trials
        from msgspec.structs import replace

        class Samples(Source):
            name = "samples"
            summary = "Invented trials."

            def trials(self, context):
                yield from (replace(trial, source=self.name) for trial in sample_trials(int(self.argument or 12)))

        return [Samples]
"""
"""A plugin with all that a command needs, and no model: ``fake``, ``brute-force`` and ``samples:NUMBER``."""


@dataclass
class Done:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass
class Site:
    """A folder that is on the import path of the commands that are run here, as ``site-packages`` is.

    :param root: an empty folder.
    :param cache: the cache folder of the commands; an empty one without it.
    """

    root: Path
    cache: Path | None = None
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.packages.mkdir(parents=True)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("TRIALINDEX_")}
        self.environment |= {
            "PYTHONPATH": str(self.packages),
            "PYTHONIOENCODING": "utf-8",
            "XDG_DATA_HOME": str(self.root / "data"),
            "XDG_CACHE_HOME": str(self.cache or self.root / "cache"),
        }

    @property
    def packages(self) -> Path:
        return self.root / "packages"

    @property
    def index(self) -> str:
        return str(self.root / "index")

    def install(self, module: str, code: str, *, plugin: str = "", metadata: bool = True) -> None:
        """Write a distribution of one module that is a plugin.

        :param plugin: the name of its entry point; the module's without it.
        :param metadata: without it the distribution has lost its METADATA, as after an uninstallation that was killed.
        """
        (self.packages / f"{module}.py").write_text(dedent(code), encoding="utf-8")
        info = self.packages / f"dist_{module}-1.2.dist-info"
        info.mkdir()
        if metadata:
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: dist-{module}\nVersion: 1.2\n", encoding="utf-8"
            )
        (info / "entry_points.txt").write_text(f"[trialindex]\n{plugin or module} = {module}\n", encoding="utf-8")

    def run(self, *arguments: str) -> Done:
        """``trialindex`` with these arguments, in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "trialindex", *arguments],
            capture_output=True,
            encoding="utf-8",
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            timeout=280,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ingest(self, number: int = 12) -> Done:
        """Bring invented trials into :attr:`index`, with the fakes."""
        return self.run(
            *("ingest", f"samples:{number}", "--index", self.index, "--encoder", "fake", "--store", "brute-force")
        )

"""Refreshing an index from every source that it was built from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trialindex.errors import SourceError, TrialIndexError, WatchError
from trialindex.index import Index
from trialindex.ingest.request import Request
from trialindex.ingest.run import Summary
from trialindex.plugin.progress import ProgressListener
from trialindex.watching.sweep import SweepResult, is_due, reconcile

SweepWhen = Literal["due", "now", "force"]
"""When to ask a source which trials it still has: when one is due, now, or now and however many are gone."""


@dataclass(frozen=True)
class RefreshResult:
    """How it went with one source.

    :param spec: its spec.
    :param summary: what came of it, if it could be asked.
    :param problem: why it could not, or could not go on, in a line; empty when it could.
    :param missing: there is nothing left to ask, such as a file that is gone: no failure.
    :param sweep: what a sweep of it found, if one was made.
    """

    spec: str
    summary: Summary | None = None
    problem: str = ""
    missing: bool = False
    sweep: SweepResult | None = None


def refresh(
    index: Index,
    listeners: Callable[[], AbstractContextManager[ProgressListener]],
    sweep: SweepWhen = "due",
) -> Iterator[RefreshResult]:
    """Ask every source of the index again for what is new, one after another; one that fails stops no other.

    :param listeners: made for each source: where it says how it goes.
    :param sweep: when to ask a source which trials it still has.
    :raises WatchError: the index was opened by a relative path, and a source is to be asked in another folder.
    """
    for spec, request in sorted(index.requests().items()):
        if request is not None:
            with listeners() as where:
                yield _refresh_one(index, spec, request, where, sweep)


def _refresh_one(
    index: Index, spec: str, request: Request, listener: ProgressListener, sweep: SweepWhen
) -> RefreshResult:
    summary = swept = None
    try:
        with _working_folder(index, request):
            try:
                source = request.make_source(index.plugins)
                summary = index.ingest(source, listener=listener, request=request, shard=request.shard)
                if not summary.stopped and (sweep != "due" or is_due(index, spec)):
                    swept = reconcile(index, source, shard=request.shard, force=sweep == "force", listener=listener)
                return RefreshResult(spec, summary, sweep=swept)
            except SourceError as problem:
                missing = request.file and not Path(request.argument).expanduser().exists()
                return RefreshResult(spec, summary, _one_line(problem), missing=missing)
    except WatchError:
        raise
    except TrialIndexError as problem:
        return RefreshResult(spec, summary, _one_line(problem))


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())


@contextmanager
def _working_folder(index: Index, request: Request) -> Iterator[None]:
    """In the folder where the source was first asked for: a file may be named from there."""
    folder = Path(os.path.normpath(index.folder.resolve() / request.folder)) if request.folder else Path.cwd()
    elsewhere = folder.is_dir() and folder != Path.cwd()
    if elsewhere and not index.folder.is_absolute():
        what = f"the index at {index.folder} was opened by a relative path."
        raise WatchError(what, hint="Open it by its whole path.")
    with chdir(folder) if elsewhere else nullcontext():
        yield

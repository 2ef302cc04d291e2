"""Asking again: every source that an index was built from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from trialindex.errors import SourceError, TrialIndexError, WatchError
from trialindex.index import Index
from trialindex.ingest.run import Reports, Request, Shard, Summary
from trialindex.watching import sweep as sweeping

When = Literal["when due", "now", "now, however many"]
"""When to ask a source which of its trials are gone."""
_HOWEVER_MANY = get_args(When)[2]


@dataclass(frozen=True)
class Refreshed:
    """How it went with one source.

    :param spec: its spec. :param summary: what came of it, if it could be asked.
    :param problem: why it could not, or could not go on, in a line; empty when it could.
    :param swept: what a sweep of it found, if one was made.
    :param vanished: there is nothing left to ask, such as a file that is gone: no failure.
    """

    spec: str
    summary: Summary | None = None
    problem: str = ""
    vanished: bool = False
    swept: sweeping.Swept | None = None


def refresh(
    index: Index,
    reports: Callable[[], AbstractContextManager[Reports]],
    sweep: When = "when due",
) -> Iterator[Refreshed]:
    """Ask every source of the index again for what is new, one after another; one that fails stops no other.

    :param reports: made for each source: where it says how it goes.
    :param sweep: when to ask a source which of its trials are gone: a month after the last time, or now.
    :raises WatchError: the index was opened by a relative path, and a source is to be asked in another folder.
    """
    for spec, request in sorted(index.requests().items()):
        if request is not None:
            with reports() as where:
                yield _ask(index, spec, request, where, sweep)


def _ask(index: Index, spec: str, request: Request, reports: Reports, sweep: When) -> Refreshed:
    summary = swept = None
    try:
        with _inside(index, request):
            try:
                source = request.source()
                shard = Shard.parse(request.shard) if request.shard else None
                summary = index.ingest(source, reports=reports, request=request, shard=shard)
                if not summary.stopped and (sweep != "when due" or sweeping.due(index, spec)):
                    swept = sweeping.sweep(index, source, shard=shard, many=sweep == _HOWEVER_MANY, reports=reports)
                return Refreshed(spec, summary, swept=swept)
            except SourceError as problem:
                gone = request.file and not Path(request.argument).expanduser().exists()
                return Refreshed(spec, summary, _one_line(problem), vanished=gone)
    except WatchError:
        raise
    except TrialIndexError as problem:
        return Refreshed(spec, summary, _one_line(problem))


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())


@contextmanager
def _inside(index: Index, request: Request) -> Iterator[None]:
    """In the folder where the source was first asked for: a file may be named from there."""
    folder = Path(os.path.normpath(index.folder.resolve() / request.folder)) if request.folder else Path.cwd()
    elsewhere = folder.is_dir() and folder != Path.cwd()
    if elsewhere and not index.folder.is_absolute():
        what = f"the index at {index.folder} was opened by a relative path."
        raise WatchError(what, hint="Open it by its whole path.")
    with chdir(folder) if elsewhere else nullcontext():
        yield

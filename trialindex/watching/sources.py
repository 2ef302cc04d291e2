"""Asking again: every source that an index was built from."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from trialindex.errors import PluginError, SourceError, TrialIndexError, WatchError
from trialindex.index import Index
from trialindex.ingest.run import Reports, Request, Shard, Summary
from trialindex.plugin.interfaces import Source
from trialindex.plugin.registry import plugins
from trialindex.watching import sweep as sweeping

When = Literal["when due", "now", "now, however many"]
"""When to ask a source which of its trials are gone."""
_HOWEVER_MANY = get_args(When)[2]
_SPEC = re.compile(r"(?P<name>[^\s:]+)(?::|\s+|$)(?P<words>.*)", re.DOTALL)
_OPTIONS = re.compile(r"(?:^|\s)(?=--\w)")


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
    known = index.requests()
    for spec in sorted(index.info().sources):
        if spec in known:
            request = known[spec]
        else:
            try:
                request = from_spec(spec)
            except PluginError as problem:
                yield Refreshed(spec, problem=_one_line(problem))
                continue
            if request is None:
                index.forget_request(spec)
                yield Refreshed(spec, problem=_NOT_KNOWN, vanished=True)
        if request is not None:
            with reports() as where:
                yield _ask(index, spec, request, where, sweep)


_NOT_KNOWN = "how it was asked for is not known, so it is asked no more. If it was not typed by hand, ingest it again."


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


def from_spec(spec: str) -> Request | None:
    """The request that a spec stands for, where the spec says all of it; else ``None``.

    For what an index of format 1 remembers: a source may put its options into the spec as they are typed.

    :raises PluginError: the source is not installed.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        return None
    name, words = match["name"], match["words"]
    cls = plugins().sources.get(name)
    as_typed = cls.spec is Source.spec
    if as_typed and cls.options:
        return None  # how it was read is not in the spec
    argument, options = (words, {}) if as_typed else _split(cls, words)
    request = Request(name, argument, options, file=bool(argument))
    try:
        return request if request.source().spec == spec else None
    except SourceError:
        return request if as_typed and argument else None  # its file is gone, say


def _split(cls: type[Source], words: str) -> tuple[str, dict[str, Any]]:
    """The argument and the options in what follows the name; all of it is the argument if they cannot be told apart."""
    import click

    found = _OPTIONS.search(words)
    if found is None:
        return words, {}
    try:
        typed = shlex.split(words[found.end() :])
        context = click.Command(cls.name, params=list(cls.options)).make_context(cls.name, typed)
    except (ValueError, click.ClickException, click.exceptions.Exit):
        return words, {}
    given = {key: value for key, value in context.params.items() if value not in (None, (), False)}
    return words[: found.start()], given

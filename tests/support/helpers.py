"""Stand-ins that the tests of the core share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import trialindex_faiss
from trialindex.index import Index
from trialindex.ingest import embedding
from trialindex.ingest.run import Summary
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import Encoder, IngestContext, Source, VectorStore
from trialindex.plugin.registry import Plugins
from trialindex.storage.records import Records
from trialindex.testing import BruteForceStore, FakeEncoder
from trialindex.trial import Trial

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

ONE_STORE = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)
"""For tests of many cases in which the vector store has no part."""


class CountingEncoder(FakeEncoder):
    """Remembers every document that any of its objects encoded."""

    name = "counting"
    texts: ClassVar[list[str]] = []

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        CountingEncoder.texts.extend(texts)
        return super().encode_documents(texts, progress)


class OtherEncoder(FakeEncoder):
    """Does with its vectors what a test tells it to."""

    name = "other"
    give: ClassVar[Callable[[Vectors], Any] | None] = None

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        vectors = super().encode_queries(texts)
        give = OtherEncoder.give
        return vectors if give is None else give(vectors)


class Checkpoint(dict[str, Any]):
    """In a list of what a source does: it remembers this state."""


class ListSource(Source):
    """Yields the trials it is given; remembers a :class:`Checkpoint`, raises an exception, reports a rejection.

    :param steps: any of these, in order; a tuple is a rejection, ``(where, why)``.
    """

    name = "list"
    summary = "For tests: what it is given."

    def __init__(self, *steps: Any, spec: str = "list") -> None:
        super().__init__()
        self._steps = steps
        self._spec = spec
        self.seen_state: dict[str, Any] | None = None

    @property
    def spec(self) -> str:
        return self._spec

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        self.seen_state = dict(context.state)
        for step in self._steps:
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Checkpoint):
                context.checkpoint(step)
            elif isinstance(step, tuple):
                context.reject(*step)
            else:
                yield step


class PartialSource(ListSource):
    name = "partial-list"
    partial = True


class _Fakes:
    @hookimpl
    def register_encoders(self) -> Sequence[type[Encoder]]:
        return [CountingEncoder, OtherEncoder]

    @hookimpl
    def register_stores(self) -> Sequence[type[VectorStore]]:
        return [BruteForceStore]


def fake_plugins() -> Plugins:
    """Plugins that nothing installed is part of."""
    found = Plugins(discover=False)
    found.register(_Fakes(), "fakes")
    found.register(trialindex_faiss, "faiss")
    return found


def trial(number: int | str = 1, **fields: Any) -> Trial:
    """A small trial, ``T-1`` and so on."""
    return Trial(**{"id": f"T-{number}", "title": f"Trial number {number}", "source": "list", **fields})


def ingest_unfinished(index: Index, *trials: Trial, encoded: int = 0) -> Summary:
    """Ingest trials, and press Ctrl-C when so many texts are encoded, one at a time."""
    encode = CountingEncoder.encode_documents
    calls = 0

    def interrupted(self: CountingEncoder, texts: Sequence[str], progress: Any = None) -> Vectors:
        nonlocal calls
        calls += 1
        if calls > encoded:
            raise KeyboardInterrupt
        return encode(self, texts, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding, "CHUNK", 1)
        patch.setattr(CountingEncoder, "encode_documents", interrupted)
        summary = index.ingest(ListSource(*trials))
    assert summary.stopped == "interrupted"
    return summary


def records_of(index: Index) -> Records:
    """The records behind an index, to look at and to damage."""
    return index._records


def execute(index: Index, sql: str, *parameters: Any) -> list[Any]:
    """Run SQL on the records, committed at once."""
    return records_of(index).database.execute(sql, parameters).fetchall()


def ids(found: Any) -> list[str]:
    """The ids of the hits of an answer, or of trials, in order."""
    return [item.trial.id for item in found.hits] if hasattr(found, "hits") else [item.id for item in found]


def ids_by_mode(index: Index, text: str = "lupus") -> list[list[str]]:
    """The ids that each mode answers with, in order."""
    return [ids(index.query(text, mode=mode, limit=99)) for mode in ("hybrid", "vector", "lexical")]


def files_of(folder: Path) -> set[str]:
    """The names in a folder."""
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def no_space(*args: Any, **kwargs: Any) -> None:
    """In place of a function that writes: the disk is full."""
    raise OSError(28, "No space left on device")


def overwrite(path: Path, data: bytes) -> None:
    """Put another file in place of one that may be mapped into memory: to cut that one short would end the process."""
    path.unlink()
    path.write_bytes(data)


def state(index: Index) -> dict[str, Any]:
    """Everything that an index holds, whatever its rows are numbered."""
    tables = {
        "trials": "SELECT id, hash, generation, source, partial, first_seen, last_checked, last_updated, status, record"
        " FROM trials ORDER BY id",
        "raw": "SELECT id, raw.record FROM raw JOIN trials ON trial = num ORDER BY id",
        "revisions": "SELECT id, replaced_in, seen, revisions.hash, revisions.record FROM revisions"
        " JOIN trials ON trial = num ORDER BY id, replaced_in",
        "passages": "SELECT id, position, passages.hash FROM passages JOIN trials ON trial = trials.num ORDER BY 1, 2",
        "vectors": "SELECT * FROM vectors ORDER BY hash",
        "origins": "SELECT id, spec, gone, origins.hash, fields FROM origins JOIN trials ON trial = num ORDER BY 1, 2",
        **{name: f"SELECT * FROM {name} ORDER BY 1" for name in ("sources", "meta")},
    }
    return {name: execute(index, sql) for name, sql in tables.items()}

"""The documents of a collection as trials, and the index that is built from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from trialindex.errors import EvaluationError, SourceError
from trialindex.evaluation.files import lines
from trialindex.index import Index
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.trial import Trial

_OFTEN = 256


class _Document(msgspec.Struct):
    id: str | int = msgspec.field(name="_id")
    title: str | None = None
    text: str | None = None
    description: str | None = None


class Corpus(Source):
    """The documents of a collection in BEIR layout: ``corpus.jsonl``, one JSON object a line.

    ``_id`` becomes the id, ``title`` the title (the id where there is none), ``text`` the summary, and a
    ``description``, which not all corpora have, the description.

    :param argument: the file.
    """

    name = "beir"
    summary = "The documents of a test collection in BEIR layout."
    partial = True

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        self._path = Path(argument)

    @property
    def spec(self) -> str:
        """Without the path: an index can be copied, and its collection may lie elsewhere."""
        return f"{self.name}:{self._path.resolve().parent.name}"

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        decoder = msgspec.json.Decoder(_Document)
        try:
            total = sum(1 for _ in lines(self._path))
            for done, (number, line) in enumerate(lines(self._path), start=1):
                try:
                    yield _trial(decoder.decode(line))
                except (msgspec.MsgspecError, RecursionError) as problem:
                    context.reject(f"line {number}", str(problem))
                if done % _OFTEN == 0 or done == total:
                    context.progress(done, total)
        except EvaluationError as problem:
            raise SourceError(str(problem)) from None


def _trial(document: _Document) -> Trial:
    title = (document.title or "").strip()
    return Trial(
        id=str(document.id),
        title=title or str(document.id),
        source=Corpus.name,
        summary=(document.text or "").strip() or None,
        description=(document.description or "").strip() or None,
    )


def unfinished(index: Index) -> bool:
    """Whether *index* is one that was being built from a corpus and was interrupted.

    A source is remembered when it has come to its end; until then the index holds its trials and knows no source.
    """
    return not index.info().sources and {trial.source for trial in index.trials()} <= {Corpus.name}

"""Measure an index with the answers of a model that were recorded, in place of a reader that asks one.

::

    python benchmarks/recorded_reader.py KEYWORDS.json COLLECTION --index INDEX [options of trialindex eval]

``KEYWORDS.json`` has for every query id the conditions that a model wrote for that query, the likeliest first::

    {"trec-20211": {"conditions": ["Anaplastic astrocytoma", "Spinal tumor"]}}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from trialindex.cli.evaluate import command
from trialindex.errors import ReaderError
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import Proposal
from trialindex.plugin.registry import plugins
from trialindex.plugin.terms import Terms


class RecordedReader(Reader):
    """Proposes what a file has for a text: ``recorded:KEYWORDS.json``."""

    name: ClassVar[str] = "recorded"
    summary: ClassVar[str] = "What a model answered once, from a file."
    replaces: ClassVar[bool] = True
    queries: ClassVar[Path] = Path("queries.jsonl")

    def propose(self, text: str, terms: Terms) -> list[Proposal]:
        conditions = _recorded(self.queries, Path(self.argument)).get(_key(text))
        if conditions is None:
            raise ReaderError(f'{self.argument} has nothing for "{text[:60]}".')
        return [Proposal(name, weight=place**-0.5) for place, name in enumerate(conditions, start=1)]


@cache
def _recorded(queries: Path, keywords: Path) -> dict[str, list[str]]:
    """The conditions by the words of each text."""
    recorded: dict[str, Any] = json.loads(keywords.read_text(encoding="utf-8"))
    texts = [json.loads(line) for line in queries.read_text(encoding="utf-8").splitlines()]
    return {_key(one["text"]): recorded[one["_id"]]["conditions"] for one in texts if one["_id"] in recorded}


def _key(text: str) -> str:
    return " ".join(text.split())


@hookimpl
def register_readers() -> Sequence[type[Reader]]:
    return [RecordedReader]


def main(keywords: str, collection: str, *options: str) -> None:
    RecordedReader.queries = Path(collection) / "queries.jsonl"
    plugins().register(sys.modules[__name__], "recorded")
    command.main([collection, "--reader", f"recorded:{keywords}", *options], prog_name="recorded_reader.py")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Test collections: queries, and the judgements of which documents answer them.

The layout is that of BEIR (Thakur et al., *BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information
Retrieval Models*, NeurIPS 2021): ``queries.jsonl``, ``qrels/test.tsv``, and ``corpus.jsonl`` if the documents come
along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from trialindex.errors import EvaluationError
from trialindex.evaluation.files import bad, columns, find, lines
from trialindex.trial.parse_values import quote_input

QUERIES = "queries.jsonl"
QRELS = ("qrels/test.tsv", "qrels.tsv", "qrels.txt")
CORPUS = "corpus.jsonl"
LAYOUT = f"A collection is a folder with {QUERIES} and {QRELS[0]}"

HIGHEST = 1000
"""The best grade that is taken."""

Qrels = Mapping[str, Mapping[str, int]]
"""For each query the grades of its judged documents; 0 is not relevant, higher is better."""


class _Query(msgspec.Struct):
    id: str | int = msgspec.field(name="_id")
    text: str


@dataclass(frozen=True)
class Collection:
    """What to ask, and what the answers should be.

    :param queries: texts by id; empty when only a finished run is evaluated.
    :param qrels: all judgements of the file.
    :param corpus: the file with the documents, if they come along.
    """

    name: str
    queries: Mapping[str, str]
    qrels: Qrels
    corpus: Path | None = None

    @cached_property
    def topics(self) -> list[str]:
        """The queries that are measured: those that are judged, in the order of the queries file."""
        return [query for query in self.queries if query in self.qrels] if self.queries else list(self.qrels)

    @cached_property
    def judged(self) -> Qrels:
        """The judgements of the topics."""
        return {query: self.qrels[query] for query in self.topics}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in sentences."""
        unjudged = len(self.queries) - len(self.topics) if self.queries else 0
        unknown = len(self.qrels) - len(self.topics)
        barren = sum(max(grades.values()) < 1 for grades in self.judged.values())
        counted = (
            (unjudged, "without a judgement: left out"),
            (unknown, "judged, but not among the queries: left out"),
            (barren, "without a relevant document: 0 in every measure of relevance"),
        )
        return tuple(f"{n:,} {'query' if n == 1 else 'queries'} {what}." for n, what in counted if n)


def read_collection(
    folder: Path, *, queries: Path | None = None, qrels: Path | None = None, run_only: bool = False
) -> Collection:
    """The collection in *folder*.

    :param queries: this file in place of the folder's ``queries.jsonl``.
    :param qrels: this file in place of the folder's judgements.
    :param run_only: a finished run is evaluated, so that the texts of the queries may be missing.
    :raises EvaluationError: a file is missing or wrong, or no query has a judgement.
    """
    if not folder.is_dir():
        raise EvaluationError(f"there is no folder {folder}.", hint=f"{LAYOUT}.")
    queries = queries or find(folder, QUERIES)
    qrels = qrels or find(folder, *QRELS)
    if queries is None and not run_only:
        raise EvaluationError(f"{folder} holds no {QUERIES}.", hint=f"{LAYOUT}; or name the file with --queries.")
    if qrels is None:
        raise EvaluationError(f"{folder} holds no judgements.", hint=f"{LAYOUT}; or name the file with --qrels.")
    texts = read_queries(queries) if queries else {}
    found = Collection(folder.resolve().name, texts, read_qrels(qrels), find(folder, CORPUS))
    if not found.topics:
        raise EvaluationError(
            f"no query has a judgement: {queries} has ids like {_some(found.queries)}, "
            f"{qrels} has ids like {_some(found.qrels)}.",
            hint="Use the same ids in both.",
        )
    return found


def read_queries(path: Path) -> dict[str, str]:
    """Texts by id, from lines such as ``{"_id": "1", "text": "severe lupus kidney"}``.

    :raises EvaluationError: a line is no such object, its text is empty, or its id is there twice.
    """
    texts: dict[str, str] = {}
    decoder = msgspec.json.Decoder(_Query)
    for number, line in lines(path):
        try:
            query = decoder.decode(line)
        except (msgspec.MsgspecError, RecursionError) as problem:
            hint = 'Write one query a line: {"_id": "1", "text": "severe lupus kidney"}'
            raise bad(path, number, str(problem), hint=hint) from None
        key = str(query.id)
        if not query.text.strip():
            raise bad(path, number, f'the query "{key}" has no text')
        if key in texts:
            raise bad(path, number, f'the query "{key}" is there twice')
        texts[key] = query.text
    if not texts:
        raise EvaluationError(f"{path} holds no queries.")
    return texts


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Judgements in either of the usual forms; a grade below 0 counts as 0.

    - BEIR: ``query-id  corpus-id  score``, with or without a line that names them;
    - TREC: ``query-id  iteration  document-id  grade``.

    :raises EvaluationError: a line has other columns, a grade is no whole number, or two lines contradict each other.
    """
    found: dict[str, dict[str, int]] = {}
    width = 0
    for number, line in lines(path):
        cells = columns(line)
        if not width:
            width = len(cells)
            if width == 3 and _parse_int(cells[-1]) is None:
                continue  # the names of the columns
        if len(cells) != width or width not in (3, 4):
            above = width in (3, 4)
            hint = "Write query id, document id and grade, with a tab between them."
            wanted = f"{width} were expected, as in the lines above" if above else "3 or 4 were expected"
            raise bad(path, number, f"{_columns(len(cells))} where {wanted}", hint=hint)
        query, document, grade = cells[0], cells[-2], _parse_int(cells[-1])
        if grade is None:
            raise bad(path, number, f'the grade "{quote_input(cells[-1])}" is not a whole number')
        if grade > HIGHEST:  # trec_eval reserves memory for every grade up to the best
            raise bad(path, number, f"the grade {quote_input(grade)} is above {HIGHEST}")
        if found.setdefault(query, {}).setdefault(document, max(grade, 0)) != max(grade, 0):
            raise bad(path, number, f"{document} has another grade for {query} above")
    if not found:
        raise EvaluationError(f"{path} holds no judgements.")
    return found


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"


def _parse_int(cell: str) -> int | None:
    try:
        return int(cell)
    except ValueError:
        return None


def _some(ids: Mapping[str, object]) -> str:
    return ", ".join(f'"{quote_input(key)}"' for key in list(ids)[:2])

"""Runs: for each query the documents that were found, best first. Asked of an index, or read from a file."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trialindex.errors import EvaluationError
from trialindex.evaluation.collection import Collection
from trialindex.evaluation.files import bad, columns, lines
from trialindex.plugin.proposals import DEFAULT_READER
from trialindex.search.proposals import find_reader
from trialindex.search.query import ranked_ids
from trialindex.trial.parse_values import quote_input

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.plugin.interfaces import Reader

DEPTH = 1000
"""Documents a query: what recall@1000 needs."""
PAGE = 10
"""The hits that a user waits for: what latency is measured on."""
_WARM_UP = "severe lupus kidney"


@dataclass(frozen=True)
class Run:
    """What was found.

    :param rankings: document ids by query id, best first.
    :param latencies: milliseconds by query id, if they were measured.
    :param notes: what a reader of its figures should know, in sentences.
    """

    name: str
    rankings: Mapping[str, Sequence[str]]
    latencies: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def ask(
    index: Index,
    collection: Collection,
    *,
    mode: str = "hybrid",
    depth: int = DEPTH,
    reader: str | Reader = DEFAULT_READER,
    progress: Callable[[int], None] = lambda done: None,
) -> Run:
    """Ask an index every topic of a collection.

    The time of a query is that of a page of ten hits, asked before anything deeper, after one query of another text
    that loads the model and the index.

    :param depth: documents a query.
    :param reader: proposes what else to search for, or its spec.
    :param progress: told how many more queries are done.
    :raises EvaluationError: the index holds none of the judged documents.
    :raises PluginError: there is no such reader, or it fails.
    """
    chosen = find_reader(reader, index.plugins)
    documents = {document for grades in collection.judged.values() for document in grades}
    held = sum(document in index for document in documents)
    if not held:
        raise EvaluationError(
            f"the index at {index.folder} holds none of the {len(documents):,} judged documents, "
            f"such as {quote_input(min(documents))}.",
            hint="Name the index that holds them with --index, or one to be built from corpus.jsonl.",
        )
    missing = f"the index holds {held:,} of {len(documents):,} judged documents; it cannot find the others."
    spelling = {document.lower(): document for document in documents}  # ids of an index are equal in any case
    rankings: dict[str, list[str]] = {}
    latencies: dict[str, float] = {}
    index.query(_WARM_UP, mode=mode, limit=PAGE, reader=chosen)
    for query in collection.topics:
        text = collection.queries[query]
        start = time.perf_counter()
        index.query(text, mode=mode, limit=min(PAGE, depth), anyway=True, reader=chosen)
        latencies[query] = (time.perf_counter() - start) * 1000
        with index.searcher() as searcher:
            found = ranked_ids(searcher, text, mode, depth, chosen)
        rankings[query] = [spelling.get(trial_id.lower(), trial_id) for trial_id in found]
        progress(1)
    name = "-".join(
        [index.folder.name, mode, *([] if chosen is None or chosen.spec == DEFAULT_READER else [chosen.spec])]
    )
    return Run(name, rankings, latencies, (missing,) if held < len(documents) else ())


def read_run(path: Path) -> Run:
    """A run in the format of TREC: ``query-id  Q0  document-id  rank  score  tag``.

    The order is the one ``trec_eval`` takes: by score as a 32-bit number, then by document id, both descending. The
    rank is not looked at.

    :raises EvaluationError: a line has other columns or no score, or names a document twice for one query.
    """
    import numpy as np

    scores: dict[str, dict[str, float]] = {}
    for number, line in lines(path):
        cells = columns(line)
        if len(cells) != 6:
            hint = "Write query id, Q0, document id, rank, score and a name of the run."
            raise bad(path, number, f"{len(cells)} columns where the 6 of a TREC run were expected", hint=hint)
        query, _, document, _, written, _ = cells
        try:
            score = float(written)
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            raise bad(path, number, f'the score "{written}" is not a number')
        found = scores.setdefault(query, {})
        if document in found:
            raise bad(path, number, f"{document} is there twice for {query}")
        with np.errstate(over="ignore"):
            found[document] = float(np.float32(score))
    if not scores:
        raise EvaluationError(f"{path} holds no results.")
    rankings = {q: sorted(found, key=lambda d: (found[d], d), reverse=True) for q, found in scores.items()}
    return Run(path.name, rankings)


def run_lines(run: Run) -> Iterator[str]:
    """The lines of a TREC run file, with tabs between the columns.

    The score counts down to 1: it says the order, and cannot tie where the index's own scores do.
    """
    tag = "-".join(f"trialindex-{run.name}".split())
    for query, documents in run.rankings.items():
        for rank, document in enumerate(documents, start=1):
            yield f"{query}\tQ0\t{document}\t{rank}\t{len(documents) - rank + 1}\t{tag}\n"

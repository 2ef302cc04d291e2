"""What an evaluation says, and how two of them are compared."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trialindex.errors import EvaluationError
from trialindex.evaluation.collection import Collection
from trialindex.evaluation.files import lines
from trialindex.evaluation.measures import LATENCY, means, measure, percentiles
from trialindex.evaluation.runs import DEPTH, Run, read_run
from trialindex.evaluation.significance import Difference, compare
from trialindex.trial.parse_values import quote_input


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The other run, and each measure that both have."""

    other: str
    differences: tuple[Difference, ...]


class EvaluationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one run on one collection.

    :param depth: how many documents of each ranking were looked at.
    :param queries: how many were measured.
    :param judgements: how many judgements they have.
    :param measures: means over the queries, by the names of ir-measures.
    :param latency_ms: ``p50`` and ``p95`` in milliseconds; empty when the run came from a file.
    :param per_query: the same measures for each query, with ``latency_ms`` if it was measured.
    :param notes: what a reader should know, in sentences.
    """

    collection: str
    run: str
    depth: int
    queries: int
    judgements: int
    measures: dict[str, float]
    latency_ms: dict[str, float]
    per_query: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = None


def evaluate(collection: Collection, run: Run, depth: int = DEPTH) -> EvaluationReport:
    """Measure a run.

    :raises EvaluationError: the run has no result for any query of the collection.
    :raises MissingExtra: ir-measures is not installed.
    """
    answered = sum(bool(run.rankings.get(query)) for query in collection.topics)
    if not answered:
        raise EvaluationError(
            f"the run {run.name} has no result for any of the {len(collection.topics):,} queries, such as "
            f'"{quote_input(collection.topics[0])}".',
            hint="The ids of the queries must be those of the collection.",
        )
    silent = len(collection.topics) - answered
    found = f"{silent:,} {'query has' if silent == 1 else 'queries have'} no result and count 0."
    per_query = measure(run, collection.judged, depth)
    figures = means(per_query)
    for query, latency in run.latencies.items():
        per_query[query][LATENCY] = round(latency, 3)
    return EvaluationReport(
        collection=collection.name,
        run=run.name,
        depth=depth,
        queries=len(collection.topics),
        judgements=sum(len(grades) for grades in collection.judged.values()),
        measures=figures,
        latency_ms=percentiles(list(run.latencies.values())),
        per_query=per_query,
        notes=(*collection.notes, *run.notes, *((found,) if silent else ())),
    )


def read_other(path: Path, collection: Collection, depth: int = DEPTH) -> EvaluationReport:
    """What to compare with: a TREC run, which is measured, or a report that was saved as JSON.

    :raises EvaluationError: it is neither, or a report on other queries.
    """
    _, first = next(lines(path), (0, ""))
    if not first.lstrip().startswith("{"):
        return evaluate(collection, read_run(path), depth)
    try:
        report = msgspec.json.decode("\n".join(line for _, line in lines(path)), type=EvaluationReport)
    except (msgspec.MsgspecError, RecursionError) as problem:
        why = f"{path} is neither a TREC run nor a report of trialindex eval: {problem}."
        raise EvaluationError(why) from None
    if report.per_query.keys() != set(collection.topics):
        raise EvaluationError(
            f"{path} is a report on other queries than the {len(collection.topics):,} of {collection.name}.",
            hint="Compare with the run itself; --save-run writes one.",
        )
    return report


def with_comparison(ours: EvaluationReport, theirs: EvaluationReport) -> EvaluationReport:
    """Our report with its comparison, on every measure that both have."""
    shared = [name for name in ours.measures if all(name in values for values in theirs.per_query.values())]
    if not shared:
        raise EvaluationError(f"{ours.run} and {theirs.run} have no measure in common.")
    differences = compare(ours.per_query, theirs.per_query, shared)
    return msgspec.structs.replace(ours, comparison=Comparison(other=theirs.run, differences=differences))


def as_csv(report: EvaluationReport) -> Iterator[str]:
    """A row for each query, a column for each measure."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    names = list(next(iter(report.per_query.values())))
    writer.writerow(["query", *names])
    for query, values in report.per_query.items():
        writer.writerow([query, *(values[name] for name in names)])
    yield line.getvalue()

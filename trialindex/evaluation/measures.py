"""The measures, computed by ir-measures, which asks trec_eval."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trialindex.errors import MissingExtra
from trialindex.evaluation.collection import Qrels

if TYPE_CHECKING:
    from trialindex.evaluation.runs import Run

PerQuery = dict[str, dict[str, float]]
"""For each query the value of each measure."""
LATENCY = "latency_ms"
"""Beside the measures of a query: how long it took."""


def require_extra() -> None:
    """Make sure that the packages of the extra ``eval`` are installed.

    :raises MissingExtra: ir-measures, or trec_eval below it, is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("ir_measures", "pytrec_eval")):
        raise MissingExtra(
            "eval needs the package ir-measures, which is not installed.", hint='Type: pip install "trialindex[eval]"'
        )


def _measures(top: int, depth: int) -> list[Any]:
    """Those that a ranking of this depth can tell. *top* is the best grade of the collection."""
    from ir_measures import RR, Judged, P, R, Success, nDCG

    at_ten = [nDCG @ 10, nDCG(judged_only=True) @ 10, P(rel=top) @ 10, Judged @ 10, Success @ 10]
    recalls = [R @ 100, R @ 500, R @ 1000]
    chosen = [*at_ten[:3], RR, *recalls, *at_ten[3:]]
    return [measure for measure in chosen if measure == RR or measure["cutoff"] <= depth]


def measure(run: Run, qrels: Qrels, depth: int) -> PerQuery:
    """Every measure for every judged query, by the names of ir-measures. A query without results has 0 in all of them.

    :param depth: how much of each ranking is looked at; measures that look deeper are left out.
    :raises MissingExtra: ir-measures is not installed.
    """
    require_extra()
    import ir_measures

    measures = _measures(max(grade for grades in qrels.values() for grade in grades.values()), depth)
    # Scores that count down: no ties, about which the providers of ir-measures disagree.
    scores = {
        query: {document: float(-rank) for rank, document in enumerate(run.rankings[query][:depth])}
        for query in qrels
        if run.rankings.get(query)
    }
    found: PerQuery = {query: {str(m): 0.0 for m in measures} for query in qrels}
    for metric in ir_measures.iter_calc(measures, qrels, scores):
        found[metric.query_id][str(metric.measure)] = float(metric.value)
    return found


def means(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure over the queries; latencies are left out."""
    first: Mapping[str, float] = next(iter(per_query.values()), {})
    return {
        name: sum(values[name] for values in per_query.values()) / len(per_query) for name in first if name != LATENCY
    }


def percentiles(latencies: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, linear between the two values around it; empty without values."""
    import numpy as np

    return {f"p{p}": round(float(np.percentile(latencies, p)), 3) for p in (50, 95)} if latencies else {}

"""``trialindex eval``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, make_reader, open_for_reading, open_for_writing, reader_options, say
from trialindex.cli.output import align, json_option, json_text, print_result, progress_listener, write

if TYPE_CHECKING:
    from trialindex.evaluation.collection import Collection
    from trialindex.evaluation.report import EvaluationReport
    from trialindex.evaluation.runs import Run
    from trialindex.index import Index
    from trialindex.plugin.interfaces import Reader

_file = click.Path(path_type=Path)


@click.command("eval")
@click.argument("collection", type=click.Path(path_type=Path))
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "vector", "lexical"]),
    default="hybrid",
    show_default=True,
    help="Rank by meaning and words, by meaning, or by words.",
)
@click.option(
    "--limit", "-n", type=click.IntRange(1, 1000), default=1000, show_default=True, help="Documents a query looked at."
)
@reader_options
@click.option("--queries", type=_file, metavar="FILE", help="These queries in place of queries.jsonl.")
@click.option("--qrels", type=_file, metavar="FILE", help="These judgements in place of qrels/test.tsv.")
@click.option("--run", "run_file", type=_file, metavar="FILE", help="Measure this TREC run; no index is asked.")
@click.option("--save-run", metavar="FILE", help="Write what was found as a TREC run.")
@click.option(
    "--compare", "other", type=_file, metavar="FILE", help="Test against a TREC run, or a report written as .json."
)
@click.option("--per-query", is_flag=True, help="Show the figures of every query too.")
@click.option("--output", "-o", metavar="FILE", help="Write those to FILE.csv, or the whole report to FILE.json.")
@json_option
@click.option("--encoder", metavar="SPEC", help="For an index that is built now.  [default: minilm]")
@index_option
@click.pass_context
def command(
    ctx: click.Context,
    collection: Path,
    mode: str,
    limit: int,
    reader: str,
    allow_remote: bool,
    queries: Path | None,
    qrels: Path | None,
    run_file: Path | None,
    save_run: str | None,
    other: Path | None,
    per_query: bool,
    output: str | None,
    as_json: bool,
    encoder: str | None,
    index_path: str | None,
) -> None:
    """Measure how well an index answers queries whose right answers are known.

    COLLECTION is a folder with queries.jsonl and qrels/test.tsv (or qrels.tsv, or TREC judgements in qrels.txt), and
    corpus.jsonl if the documents come along; each may be compressed (.gz). Documents that are not in an index yet are
    brought into one: at --index, or without it into one that is deleted afterwards.

    \b
    Examples:
      trialindex eval my-queries
      trialindex eval trec-ct-2021 --index indexes/trec --save-run hybrid.run
      trialindex eval trec-ct-2021 --index indexes/trec --mode lexical --compare hybrid.run
      trialindex eval trec-ct-2021 --run theirs.run --per-query
    """
    from trialindex.evaluation import report as reports
    from trialindex.evaluation.collection import read_collection
    from trialindex.evaluation.measures import require_extra
    from trialindex.evaluation.runs import read_run, run_lines

    _refuse_combinations(ctx, output)
    require_extra()
    data = read_collection(collection, queries=queries, qrels=qrels, run_only=run_file is not None)
    theirs = reports.read_other(other, data, limit) if other else None
    chosen = make_reader(reader, allow_remote)
    run = read_run(run_file) if run_file else _ask_index(data, index_path, encoder, mode, limit, chosen)
    if save_run:
        write(run_lines(run), save_run)
    ours = reports.evaluate(data, run, limit)
    report = reports.with_comparison(ours, theirs) if theirs else ours
    for note in report.notes:
        say(note)
    if output:
        write(reports.as_csv(report) if output.lower().endswith(".csv") else [f"{json_text(report)}\n"], output)
    print_result(report, _lines(report, per_query), as_json=as_json)


def _refuse_combinations(ctx: click.Context, output: str | None) -> None:
    """Refuse options that contradict each other before anything is read.

    :raises click.UsageError: options that do not go together, or a file of a kind we do not write.
    """
    if ctx.params["run_file"]:
        for name, option in {
            "mode": "--mode",
            "reader": "--reader",
            "allow_remote": "--allow-remote",
            "save_run": "--save-run",
            "encoder": "--encoder",
            "index_path": "--index",
        }.items():
            if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--run measures a run that is there already: leave {option} out.", ctx)
    if output and Path(output).suffix.lower() not in (".csv", ".json"):
        raise click.UsageError(f"--output {output} ends neither in .csv nor in .json.", ctx)


def _ask_index(
    collection: Collection, index_path: str | None, encoder: str | None, mode: str, limit: int, reader: str | Reader
) -> Run:
    from trialindex.evaluation.runs import ask

    with _index(collection, index_path, encoder) as index:
        length, hidden = len(collection.topics), not sys.stderr.isatty()
        with click.progressbar(length=length, label="queries", file=sys.stderr, hidden=hidden) as bar:
            return ask(index, collection, mode=mode, depth=limit, reader=reader, progress=bar.update)


@contextmanager
def _index(collection: Collection, index_path: str | None, encoder: str | None) -> Iterator[Index]:
    """The index to ask; it is built first where the documents are in none."""
    import tempfile

    from trialindex.index import Index

    if collection.corpus is None:
        if encoder:
            raise click.UsageError(
                f"--encoder is for an index that is built now, and {collection.name} has no corpus.jsonl."
            )
        with open_for_reading(index_path) as index:
            yield index
    elif index_path:
        _build(collection.corpus, index_path, encoder)
        with Index.open(index_path, encoder=encoder) as index:
            yield index
    else:
        say("a temporary index is built from corpus.jsonl. Name one with --index to keep it.")
        with tempfile.TemporaryDirectory(prefix="trialindex-eval-") as folder:
            _build(collection.corpus, f"{folder}/index", encoder)
            with Index.open(f"{folder}/index") as index:
                yield index


def _build(corpus: Path, index_path: str, encoder: str | None) -> None:
    """Bring the corpus into the index, unless it was built before."""
    from trialindex.evaluation.corpus import Corpus, unfinished
    from trialindex.index import Index
    from trialindex.storage import manifest

    if manifest.is_index(Path(index_path)):
        with Index.open(index_path) as index:
            if not unfinished(index):
                return
    with open_for_writing(index_path, encoder=encoder) as index, progress_listener(quiet=False) as listener:
        summary = index.ingest(Corpus(str(corpus)), listener=listener)
    if summary.stopped:
        say(f"{summary.stopped}. With --index the same command goes on where it stopped.")
        raise click.exceptions.Exit(130)


# --- tables -----------------------------------------------------------------------------------------------------------


def _lines(report: EvaluationReport, per_query: bool) -> Iterator[str]:
    from trialindex.trial.display import count
    from trialindex.trial.sanitize import one_line

    counts = f"{count(report.queries, 'query', 'queries')}, {count(report.judgements, 'judgement')}"
    yield f"{one_line(report.run)} on {one_line(report.collection)}: {counts}"
    yield ""
    if report.comparison:
        yield f"compared with {one_line(report.comparison.other)}"
        yield ""
        yield from align(_comparison(report), right=True)
    else:
        means = [[name, f"{value:.4f}"] for name, value in report.measures.items()]
        yield from align([["measure", "mean"], *means], right=True)
    if report.latency_ms:
        yield ""
        p50, p95 = report.latency_ms["p50"], report.latency_ms["p95"]
        yield f"latency of a page of 10: p50 {p50:.0f} ms, p95 {p95:.0f} ms"
    if per_query:
        yield ""
        yield from align(_per_query(report), right=True)


def _comparison(report: EvaluationReport) -> list[list[str]]:
    assert report.comparison
    heads = ["measure", "mean", "other", "difference", "p", "p (t-test)", "won", "lost", "tied"]
    rows = [
        [
            d.measure,
            f"{d.mean:.4f}",
            f"{d.other:.4f}",
            f"{d.difference:+.4f}",
            _format_p(d.p),
            _format_p(d.p_t),
            *map(str, (d.won, d.lost, d.tied)),
        ]
        for d in report.comparison.differences
    ]
    return [heads, *rows]


def _format_p(value: float | None) -> str:
    return "-" if value is None else "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _per_query(report: EvaluationReport) -> list[list[str]]:
    from trialindex.trial import sanitize

    names = list(next(iter(report.per_query.values())))
    rows = [
        [sanitize.one_line(query), *(f"{values[name]:.{1 if name == 'latency_ms' else 4}f}" for name in names)]
        for query, values in report.per_query.items()
    ]
    return [["query", *names], *rows]

"""What ``trialindex eval`` is made of: collections, measures, runs, significance."""

from __future__ import annotations

import gzip
import math
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.eval_cases import file, write_collection
from support.helpers import CountingEncoder, ListSource, trial
from support.paths import ROOT
from trialindex.errors import EvaluationError, MissingExtra, SourceError
from trialindex.evaluation import significance
from trialindex.evaluation.collection import Collection, read_collection, read_qrels, read_queries
from trialindex.evaluation.corpus import Corpus, unfinished
from trialindex.evaluation.measures import means, measure, percentiles
from trialindex.evaluation.report import evaluate, read_other
from trialindex.evaluation.runs import Run, ask, read_run, run_lines
from trialindex.evaluation.significance import compare, randomisation_test, t_test
from trialindex.index import Index
from trialindex.plugin.interfaces import IngestContext
from trialindex.testing import check_source, sample_trials

SHARED = Path(os.environ.get("TRIALINDEX_SHARED_DATA") or ROOT.parent / "shared" / "data")
TREC_CT = SHARED / "bench" / "trec-ct-2021-101k"


def lg(rank: int) -> float:
    """The discount of a rank."""
    return math.log2(rank + 1)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return write_collection(tmp_path / "mine")


# --- measures --------------------------------------------------------------------------------------------------------

QRELS = {"1": {"a": 2, "b": 1, "c": 0}, "2": {"d": 1}}


def test_the_measures_are_those_computed_by_hand() -> None:
    found = measure(Run("r", {"1": ["x", "a", "c", "b"], "2": ["d"]}), QRELS, 1000)
    ideal = 2 / lg(1) + 1 / lg(2)
    assert found["1"] == pytest.approx(
        {
            "nDCG@10": (2 / lg(2) + 1 / lg(4)) / ideal,
            "nDCG(judged_only=True)@10": (2 / lg(1) + 1 / lg(3)) / ideal,  # x is taken out: a, c, b
            "P(rel=2)@10": 0.1,
            "RR": 0.5,
            "R@100": 1.0,
            "R@500": 1.0,
            "R@1000": 1.0,
            "Judged@10": 0.75,
            "Success@10": 1.0,
        },
        abs=1e-12,
    )
    assert found["2"]["nDCG@10"] == 1.0
    assert found["2"]["P(rel=2)@10"] == 0.0
    assert means(found)["nDCG@10"] == pytest.approx((found["1"]["nDCG@10"] + 1) / 2)


def test_the_gain_is_the_grade_and_not_a_power_of_it() -> None:
    found = measure(Run("r", {"1": ["b", "a"]}), {"1": {"a": 2, "b": 1}}, 10)
    assert found["1"]["nDCG@10"] == pytest.approx((1 + 2 / lg(2)) / (2 + 1 / lg(2)), abs=1e-12)


def test_a_query_without_results_counts_zero() -> None:
    report = evaluate(Collection("c", {}, QRELS), Run("r", {"1": ["a", "b"], "2": []}))
    assert set(report.per_query["2"].values()) == {0.0}
    assert report.measures["nDCG@10"] == 0.5
    assert report.queries == 2
    assert report.notes == ("1 query has no result and count 0.",)


def test_results_of_other_queries_are_not_counted() -> None:
    found = measure(Run("r", {"1": ["a", "b"], "99": ["d"]}), QRELS, 1000)
    assert found.keys() == QRELS.keys()


def test_the_best_grade_is_the_one_of_the_collection() -> None:
    binary = measure(Run("r", {"2": ["d"]}), {"2": {"d": 1}}, 1000)
    assert binary["2"]["P@10"] == 0.1
    assert "P(rel=2)@10" not in binary["2"]


def test_no_measure_looks_deeper_than_the_ranking() -> None:
    assert list(measure(Run("r", {"1": ["a"]}), QRELS, 100)["1"])[-3:] == ["R@100", "Judged@10", "Success@10"]
    shallow = measure(Run("r", {"1": ["x", "a"]}), QRELS, 1)["1"]
    assert shallow == {"RR": 0.0}


@pytest.mark.parametrize("seed", range(5))
def test_a_run_with_ties_is_measured_as_trec_eval_does(seed: int, tmp_path: Path) -> None:
    import pytrec_eval

    pick = random.Random(seed)
    documents = [f"d{n}" for n in range(300)]
    qrels = {str(q): {d: pick.choice([0, 0, 1, 2]) for d in pick.sample(documents, 60)} for q in range(8)}
    scores = {str(q): {d: pick.choice([1.0, 0.5, 0.5 + 1e-9, 0.1]) for d in documents[::2]} for q in range(8)}
    lines = (f"{q} Q0 {d} 0 {score!r} r" for q, found in scores.items() for d, score in found.items())
    ours = measure(read_run(file(tmp_path, "\n".join(lines))), qrels, 1000)
    names = {
        "nDCG@10": "ndcg_cut_10",
        "RR": "recip_rank",
        "R@100": "recall_100",
        "R@500": "recall_500",
        "Success@10": "success_10",
    }
    for judged_only, wanted in ((False, names), (True, {"nDCG(judged_only=True)@10": "ndcg_cut_10"})):
        theirs = pytrec_eval.RelevanceEvaluator(qrels, {*names.values()}, judged_docs_only_flag=judged_only)
        for query, values in theirs.evaluate(scores).items():
            assert {name: ours[query][name] for name in wanted} == {n: values[t] for n, t in wanted.items()}
    graded = pytrec_eval.RelevanceEvaluator(qrels, {"P_10"}, relevance_level=2).evaluate(scores)
    assert {q: v["P(rel=2)@10"] for q, v in ours.items()} == {q: v["P_10"] for q, v in graded.items()}
    for query, values in ours.items():
        first = sorted(scores[query], key=lambda d: (np.float32(scores[query][d]), d), reverse=True)[:10]
        assert values["Judged@10"] == sum(d in qrels[query] for d in first) / 10


def test_percentiles() -> None:
    assert percentiles([float(n) for n in range(101)]) == {"p50": 50.0, "p95": 95.0}
    assert percentiles([7.0]) == {"p50": 7.0, "p95": 7.0}
    assert percentiles([]) == {}


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "trialindex\[eval\]"'):
        measure(Run("r", {"1": ["a"]}), QRELS, 10)


# --- significance ----------------------------------------------------------------------------------------------------


def test_few_queries_are_tested_exactly() -> None:
    three = np.array([[0.1, 0.1, 0.0], [0.2, -0.2, 0.0], [0.3, 0.3, 0.0]])
    # Of 8 patterns of signs: only all alike reach 0.6; 0.2 is reached by all but those that sum to nothing.
    assert randomisation_test(three).tolist() == [2 / 8, 6 / 8, 1.0]


def test_many_queries_are_tested_by_samples_of_a_fixed_seed() -> None:
    from scipy import stats

    table = np.random.default_rng(1).normal(0.15, 0.5, size=(40, 2))
    found = randomisation_test(table)
    assert randomisation_test(table).tolist() == found.tolist()
    for column in range(2):
        exact = stats.permutation_test(
            (table[:, column],), np.mean, permutation_type="samples", n_resamples=5_000, rng=2
        )
        assert found[column] == pytest.approx(exact.pvalue, abs=0.02)
    assert randomisation_test(np.ones((40, 1)))[0] == 1 / (significance.SAMPLES + 1)


def test_exact_and_sampled_tests_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(3).normal(0.2, 0.5, size=(14, 3))
    exact = randomisation_test(table)
    monkeypatch.setattr(significance, "EXACT", 2)
    assert randomisation_test(table) == pytest.approx(exact, abs=0.005)


def test_the_t_test_is_that_of_scipy() -> None:
    from scipy import stats

    first, second = np.random.default_rng(4).normal(size=(2, 30))
    assert t_test(first - second) == pytest.approx(stats.ttest_rel(first, second).pvalue, rel=1e-9)
    assert t_test(np.array([0.5])) is None
    assert t_test(np.full(5, 0.1)) is None


def test_won_lost_and_tied() -> None:
    ours = {"1": {"m": 0.5}, "2": {"m": 0.1}, "3": {"m": 0.2}, "4": {"m": 0.9}}
    theirs = {"4": {"m": 0.5}, "3": {"m": 0.2}, "2": {"m": 0.3}, "1": {"m": 0.1}}
    [found] = compare(ours, theirs, ["m"])
    assert (found.won, found.lost, found.tied) == (2, 1, 1)
    assert found.difference == pytest.approx(0.15)
    assert (found.mean, found.other) == pytest.approx((0.425, 0.275))


# --- collections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t0\n",
        "1\ta\t2\n1\tb\t0",
        "1 0 a 2\n1 0 b 0\n",
        "1\t0\ta\t2\r\n\r\n1\t0\tb\t-2\r\n",
        "\ufeffquery-id corpus-id score\n1 a 2\n1 b 0\n1 a 2\n",
    ],
)
def test_judgements_in_every_usual_form(text: str, tmp_path: Path) -> None:
    assert read_qrels(file(tmp_path, text)) == {"1": {"a": 2, "b": 0}}


def test_an_id_may_hold_a_space_where_tabs_part_the_columns(tmp_path: Path) -> None:
    assert read_qrels(file(tmp_path, "my query\tTrial 12\t1\n")) == {"my query": {"Trial 12": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("query-id\tcorpus-id\tscore\n1\ta\n", "line 2: 2 columns where 3 were expected, as in the lines above"),
        ("1\n", "line 1: 1 column where 3 or 4 were expected"),
        ("1 0 a 2 x\n", "line 1: 5 columns where 3 or 4"),
        ("1 0 a 2\n1 a 2\n", "line 2: 3 columns where 4"),
        ("1\ta\t2\n1\tb\thigh\n", 'line 2: the grade "high" is not a whole number'),
        ("1\ta\t0.5\n1\tb\t0.5\n", 'line 2: the grade "0.5" is not a whole number'),
        ("1\ta\t5000\n", "line 1: the grade 5000 is above 1000"),
        ("1\ta\t2\n1\ta\t1\n", "line 2: a has another grade for 1 above"),
        ("query-id\tcorpus-id\tscore\n", "holds no judgements"),
        ("", "holds no judgements"),
    ],
)
def test_judgements_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_qrels(file(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"_id": "1", "text": "a"}\n{"id": "2", "text": "b"}\n', "line 2: .*missing required field `_id`"),
        ('{"_id": "1"}\n', "line 1: .*missing required field `text`"),
        ('{"_id": "1", "text": ["a"]}\n', r"line 1: Expected `str`, got `array`"),
        ("1\tlupus\n", r'line 1: .* Write one query a line: \{"_id"'),
        ('{"_id": "1", "text": " "}\n', 'line 1: the query "1" has no text'),
        ('{"_id": "1", "text": "a"}\n\n{"_id": 1, "text": "b"}\n', 'line 3: the query "1" is there twice'),
        ("\n", "holds no queries"),
        ('{"_id": "1", "text": "a", "more": ' + "[" * 100_000, "line 1: .*recursion"),
    ],
)
def test_queries_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_queries(file(tmp_path, text))


def test_files_may_be_compressed(collection: Path) -> None:
    for name in ("queries.jsonl", "qrels/test.tsv", "corpus.jsonl"):
        (collection / f"{name}.gz").write_bytes(gzip.compress((collection / name).read_bytes()))
        (collection / name).unlink()
    found = read_collection(collection)
    assert found.topics == ["1", "2"]
    assert found.corpus == collection / "corpus.jsonl.gz"
    assert [t.id for t in check_source(Corpus(str(found.corpus)))] == ["D-1", "D-2", "D-3"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"_id": "1", "text": "lupus"}\n')[:-12])
    with pytest.raises(EvaluationError, match=r"queries.jsonl.gz is cut off or damaged"):
        read_queries(path)
    path.write_bytes(b'{"_id": "1", "text": "a"}\n{"_id": "2", "text": "\xff"}\n')
    with pytest.raises(EvaluationError, match="line 2: it is not UTF-8 text"):
        read_queries(path)
    with pytest.raises(EvaluationError, match="there is no file"):
        read_queries(tmp_path / "nothing")
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_queries(tmp_path)


def test_what_is_left_out_is_said() -> None:
    qrels = {"1": {"a": 1}, "2": {"a": 0}, "9": {"a": 1}}
    found = Collection("c", {"1": "x", "2": "y", "3": "z", "4": "z"}, qrels)
    assert found.topics == ["1", "2"]
    assert found.notes == (
        "2 queries without a judgement: left out.",
        "1 query judged, but not among the queries: left out.",
        "1 query without a relevant document: 0 in every measure of relevance.",
    )


def test_a_collection_that_lacks_a_file(collection: Path) -> None:
    with pytest.raises(EvaluationError, match=r"there is no folder .*nowhere. A collection is a folder with queries"):
        read_collection(collection / "nowhere")
    other = write_collection(collection / "other")
    (collection / "queries.jsonl").unlink()
    with pytest.raises(EvaluationError, match=r"holds no queries.jsonl. .* --queries"):
        read_collection(collection)
    assert read_collection(collection, run_only=True).topics == ["1", "2"]
    assert read_collection(collection, queries=other / "queries.jsonl").queries["1"] == "lupus nephritis"
    (other / "qrels" / "test.tsv").unlink()
    with pytest.raises(EvaluationError, match=r"holds no judgements. .* --qrels"):
        read_collection(other)
    (other / "qrels.txt").write_text("1 0 D-1 1\n", encoding="utf-8")
    assert read_collection(other).qrels == {"1": {"D-1": 1}}


def test_ids_that_have_nothing_in_common(collection: Path, tmp_path: Path) -> None:
    qrels = file(tmp_path, "q1\tD-1\t1\nq2\tD-1\t1\nq3\tD-1\t1\n")
    with pytest.raises(EvaluationError, match=r'no query has a judgement: .* "1", "2", .* "q1", "q2"\. Use the same'):
        read_collection(collection, qrels=qrels)


@pytest.mark.skipif(not TREC_CT.is_dir(), reason="needs the shared data")
def test_the_development_set_can_be_read() -> None:
    found = read_collection(TREC_CT)
    assert len(found.topics) == 75
    assert {grade for grades in found.judged.values() for grade in grades.values()} == {0, 1, 2}
    assert found.corpus
    assert found.notes == ()


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = Run("my index-hybrid", {"1": [f"D {n}" for n in range(1200)], "2": ["b", "a"]})
    text = "".join(run_lines(run))
    assert text.splitlines()[0] == "1\tQ0\tD 0\t1\t1200\ttrialindex-my-index-hybrid"
    assert read_run(file(tmp_path, text)).rankings == run.rankings


def test_the_order_of_a_run_is_that_of_its_scores_not_of_its_ranks(tmp_path: Path) -> None:
    run = read_run(file(tmp_path, "1 Q0 a 1 0.1 x\n1 Q0 b 2 0.3 x\n1 Q0 c 3 0.10000000001 x\n1 Q0 d 4 1e300 x\n"))
    assert run.rankings == {"1": ["d", "b", "c", "a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 Q0 a 1 0.5 x\n1 Q0 b 2 0.4\n", "line 2: 5 columns where the 6 of a TREC run were expected"),
        ("1 Q0 a 1 high x\n", 'line 1: the score "high" is not a number'),
        ("1 Q0 a 1 nan x\n", 'line 1: the score "nan" is not a number'),
        ("1 Q0 a 1 2 x\n1 Q0 a 2 1 x\n", "line 2: a is there twice for 1"),
        ("", "holds no results"),
    ],
)
def test_runs_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_run(file(tmp_path, text))


def test_a_run_of_other_queries_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r'has no result for any of the 2 queries, such as "1"'):
        evaluate(Collection("c", {}, QRELS), Run("r", {"q1": ["a"]}))


def judged(*trial_ids: str, text: str = "lupus nephritis") -> Collection:
    return Collection("c", {"1": text}, {"1": dict.fromkeys(trial_ids, 1)})


@pytest.mark.parametrize("mode", ["hybrid", "vector", "lexical"])
def test_an_index_is_asked_every_query(mode: str, index: Index) -> None:
    hits = index.query("lupus nephritis", mode=mode, limit=1000).hits
    run = ask(index, judged(hits[0].trial.id), mode=mode)
    assert run.rankings == {"1": [hit.trial.id for hit in hits]}
    assert run.name == f"index-{mode}"
    assert run.latencies["1"] > 0
    assert run.notes == ()


def test_latency_is_that_of_a_page_and_nothing_has_seen_its_query_before(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    query: Callable[..., Any] = index.query

    def spy(text: str, **options: Any) -> Any:
        asked.append((text, options["limit"]))
        return query(text, **options)

    monkeypatch.setattr(index, "query", spy)
    ask(index, judged(sample_trials()[0].id, text="asthma"), depth=500)
    assert asked[0][0] != "asthma"
    assert asked[1:] == [("asthma", 10)]
    asked.clear()
    ask(index, judged(sample_trials()[0].id, text="asthma"), depth=5)
    assert asked[1:] == [("asthma", 5)]


def test_ids_are_equal_in_any_case(index: Index) -> None:
    first = sample_trials()[0]
    collection = judged(first.id.lower(), text=first.title)
    assert first.id.lower() != first.id
    assert evaluate(collection, ask(index, collection)).measures["R@100"] == 1.0


def test_documents_that_the_index_lacks(index: Index) -> None:
    run = ask(index, judged(sample_trials()[0].id, "X-1", "X-2"))
    assert run.notes == ("the index holds 1 of 3 judged documents; it cannot find the others.",)
    with pytest.raises(EvaluationError, match=r"holds none of the 2 judged documents, such as X-1. Name the index"):
        ask(index, judged("X-1", "X-2"))


def test_what_a_run_can_be_compared_with(tmp_path: Path) -> None:
    collection = Collection("c", {}, QRELS)
    path = file(tmp_path, '{"a": 1}')
    with pytest.raises(EvaluationError, match="neither a TREC run nor a report"):
        read_other(path, collection)
    with pytest.raises(EvaluationError, match="there is no file"):
        read_other(tmp_path / "nothing", collection)


# --- the corpus ------------------------------------------------------------------------------------------------------


def test_documents_become_trials(collection: Path) -> None:
    first, second, _ = check_source(Corpus(str(collection / "corpus.jsonl")))
    assert (first.id, first.title, first.summary) == ("D-1", "Kidney trial", "Rituximab for lupus nephritis.")
    assert first.description is None
    assert second.description == "Long."
    assert first.source == "beir"


def test_documents_that_cannot_be_used_are_named_by_line(tmp_path: Path) -> None:
    path = file(tmp_path, '{"_id": "a", "title": "", "text": "x"}\n\nnonsense\n{"title": "b"}\n{"_id": 7}\n')
    rejected: list[str] = []
    context = IngestContext(on_reject=lambda where, why: rejected.append(where))
    trials = list(Corpus(str(path)).trials(context))
    assert [(t.id, t.title) for t in trials] == [("a", "a"), ("7", "7")]
    assert rejected == ["line 3", "line 4"]


def test_a_corpus_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"_id": "1", "title": "lupus"}\n' * 50)[:-12])
    with pytest.raises(SourceError, match="cut off or damaged"):
        list(Corpus(str(path)).trials(IngestContext()))


# --- membership ------------------------------------------------------------------------------------------------------


def test_an_index_knows_what_it_holds(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1)))
    assert "T-1" in new_index
    assert "t-1" in new_index
    assert "T-2" not in new_index
    assert 1 not in new_index


class BegunCorpus(ListSource):
    name = Corpus.name


def test_an_index_that_was_being_built_from_something_else_is_no_unfinished_corpus(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trialindex.ingest.run.BATCH", 1)
    with Index.create(tmp_path / "begun", encoder=CountingEncoder.name, store=store) as index:
        assert unfinished(index)
        index.ingest(BegunCorpus(trial(1), trial(2), KeyboardInterrupt()))
        assert unfinished(index)
        index.ingest(ListSource(trial(3), trial(4), KeyboardInterrupt()))
        assert len(index) == 2
        assert not unfinished(index)

"""Asking: what is found, in which order, why, and on how many pages."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.helpers import ONE_STORE, CountingEncoder, ListSource, ids, trial
from trialindex.errors import EncoderError, QueryError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.search.fusion import fuse
from trialindex.search.question import MODES
from trialindex.search.retrieval import embed_query
from trialindex.search.searcher import FILTER_CACHE_SIZE
from trialindex.search.settings import RANKINGS, RankingSettings
from trialindex.storage.lexical import Lexical
from trialindex.testing import sample_texts
from trialindex.trial import Intervention, Outcome, Term, Trial
from trialindex.trial.passages import lexical_fields, passages

WORDS = ["lupus", "kidney", "asthma", "gout", "stroke", "cancer", "lung", "skin", "heart", "liver"]


def crowd(count: int = 300) -> list[Trial]:
    """Trials that all hold the word *illness*, and a few words by chance."""
    rng = random.Random(7)
    return [
        trial(
            n,
            title=f"Illness {' '.join(rng.choices(WORDS, k=3))}",
            summary=" ".join(rng.choices(WORDS, k=20)) + ".",
            inclusion=(" ".join(rng.choices(WORDS, k=5)),),
            status="RECRUITING" if n % 19 == 3 else "COMPLETED",
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {store: tmp_path_factory.mktemp("crowd") / store for store in ("brute-force", "faiss")}


@pytest.fixture
def many(registered: Plugins, store: str, crowded: dict[str, Path]) -> Any:
    """Three hundred trials, for tests that only read."""
    if not crowded[store].exists():
        with Index.create(crowded[store], encoder="counting", store=store) as made:
            made.ingest(ListSource(*crowd()))
    with Index.open(crowded[store]) as index:
        yield index


# --- words that find, and words that must not -------------------------------------------------------------------------


def test_a_trial_is_found_by_its_names_and_prose(new_index: Index) -> None:
    new_index.ingest(
        ListSource(
            trial(
                1,
                title="Titleword",
                official_title="Officialword",
                acronym="ACRO",
                summary="Summaryword.",
                description="Descriptionword.",
                conditions=("Conditionword",),
                normalized_conditions=(Term(name="Meshword"),),
                keywords=("Keyword",),
                interventions=(Intervention(name="Drugword", other_names=("Brandword",)),),
                inclusion=("Inclusionword",),
                study_population="Populationword",
            ),
            trial(2, title="Another"),
        )
    )
    names = ("title", "official", "summary", "description", "condition", "mesh", "key", "drug", "brand")
    for word in (*(f"{name}word" for name in (*names, "inclusion", "population")), "acro"):
        assert ids(new_index.query(word, mode="lexical")) == ["T-1"], word


def test_exclusion_criteria_are_no_reason_to_show_a_trial(new_index: Index) -> None:
    shut_out = trial(
        1,
        title="Gout",
        summary="A study of gout.",
        inclusion=("Adults with gout",),
        exclusion=("Lupus nephritis",),
        eligibility="Inclusion: adults with gout. Exclusion: lupus nephritis",
        outcomes=(Outcome(measure="Lupus flares"),),
    )
    new_index.ingest(ListSource(shut_out, trial(2, title="Asthma")))
    assert new_index.query("lupus nephritis", mode="lexical").hits == ()
    assert not any("upus" in p.text for p in passages(shut_out))
    assert not any("upus" in text for text in lexical_fields(shut_out).values())
    for hit in new_index.query("lupus nephritis").hits:
        assert hit.match is not None
        assert "upus" not in hit.match.text


def test_stems_case_and_accents_do_not_count(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1, title="Sjögren's syndrome in kidneys"), trial(2, title="Other")))
    for words in ("SJOGREN", "sjögren", "kidney", "Kidneys", "syndromes"):
        assert ids(new_index.query(words, mode="lexical")) == ["T-1"], words


@pytest.mark.parametrize("text", ["the and of", "?!", "🙂", "zzzzqq", 'AND OR ("', "x" * 500, "\x00"])
def test_a_query_without_a_known_word_still_answers(index: Index, text: str) -> None:
    lexical = index.query(text, mode="lexical")
    assert lexical.hits == ()
    assert "try --mode hybrid" in lexical.notes[0]
    assert len(index.query(text).hits) == len(index.query(text, mode="vector").hits) == 10


@ONE_STORE
@pytest.mark.parametrize("text", ["head:lupus", '"lupus', "lupus^ ~", "(lupus", "-lupus", "lupus*", "NOT lupus"])
def test_a_query_has_no_syntax(index: Index, text: str) -> None:
    assert len(index.query(text, mode="lexical").hits) == len(index.query("lupus", mode="lexical").hits) > 0


@ONE_STORE
@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u00a0"])
def test_an_empty_query_is_refused(index: Index, text: str) -> None:
    with pytest.raises(QueryError, match="the query is empty"):
        index.query(text)


@ONE_STORE
def test_wrong_modes_limits_and_pages_are_refused(index: Index) -> None:
    with pytest.raises(QueryError, match=r'unknown mode "hybird".*Did you mean "hybrid"'):
        index.query("lupus", mode="hybird")
    for limit, page in ((0, 1), (1, 0), (-1, 1)):
        with pytest.raises(QueryError, match="start at 1"):
            index.query("lupus", limit=limit, page=page)


# --- long and short texts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_five_thousand_words_work_as_well_as_three(many: Index, mode: str) -> None:
    note = " ".join(sample_texts(200))
    note = " ".join(note.split()[:2500]) + " gout stroke skin illness " + " ".join(note.split()[2500:5000])
    assert len(note.split()) > 4500
    for text in (note, "gout stroke skin"):
        answer = many.query(text, mode=mode, limit=5)
        assert len(answer.hits) == 5
        assert answer.query == text


def test_every_part_of_a_long_text_counts(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1, title="Zebra stripes"), trial(2, title="Other thing")))
    filler = " ".join(f"filler{n}" for n in range(3000))
    for text in (f"zebra stripes {filler}", f"{filler} zebra stripes", f"{filler} zebra stripes {filler}"):
        assert ids(new_index.query(text, mode="lexical")) == ["T-1"]


class _Windows(CountingEncoder):
    max_words = 180


@pytest.mark.parametrize("count", [1, 179, 180, 181, 360, 361, 5000])
def test_windows_hold_every_word_once_and_are_about_equal(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    encoder = _Windows()

    def remember(texts: list[str]) -> Any:
        seen.extend(texts)
        return CountingEncoder.encode_queries(encoder, texts)

    monkeypatch.setattr(encoder, "encode_queries", remember)
    words = [f"w{n}" for n in range(count)]
    vector = embed_query("  ".join(words), encoder)
    assert [word for window in seen for word in window.split()] == words
    lengths = [len(window.split()) for window in seen]
    assert max(lengths) <= 180
    assert max(lengths) - min(lengths) <= 1
    assert vector.shape == (1, 64)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_names_are_embedded_with_the_text_and_change_nothing_of_it() -> None:
    encoder = CountingEncoder()
    alone, beside = embed_query("lupus of the kidney", encoder), embed_query("lupus of the kidney", encoder, ["gout"])
    assert beside.shape == (2, 64)
    assert np.array_equal(beside[:1], alone)
    assert np.array_equal(beside[1:], encoder.encode_queries(["gout"]))


def test_a_query_encoder_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = CountingEncoder()
    monkeypatch.setattr(encoder, "encode_queries", lambda texts: [[1.0]])
    with pytest.raises(EncoderError, match="counting"):
        embed_query("lupus", encoder)


# --- ranking ----------------------------------------------------------------------------------------------------------


def test_fusion_is_the_sum_of_standard_scores() -> None:
    scores = fuse([{1: 3.0, 2: 1.0}, {2: 8.0, 3: 2.0}], 3, [1.0, 2.0], 1000)
    first, second = np.array([3.0, 1.0, 0.0]), np.array([0.0, 8.0, 2.0])
    expected = (first - first.mean()) / first.std() + 2 * (second - second.mean()) / second.std()
    assert scores == pytest.approx({num: expected[num - 1] for num in (1, 2, 3)})


def test_a_full_list_gives_those_it_lacks_what_its_last_one_has() -> None:
    scores = fuse([{1: 9.0, 2: 8.0, 3: 7.0}, {4: 5.0, 1: 4.0, 5: 3.0}], 100, [1.0, 1.0], 3)
    assert scores[4] == pytest.approx((7 - 8) / (2 / 3) ** 0.5 + (5 - 4) / (2 / 3) ** 0.5)
    assert max(scores, key=scores.__getitem__) == 1


def test_a_ranking_without_differences_moves_nothing() -> None:
    assert fuse([{1: 2.0, 2: 2.0}, {}], 2, [1.0, 1.0], 1000) == {1: 0.0, 2: 0.0}
    assert fuse([{}, {}], 5, [1.0, 1.0], 1000) == {}


def test_what_a_ranking_could_not_rate_counts_there_as_much_as_in_the_others() -> None:
    by_meaning = {1: 9.0, 2: 8.0, 3: 1.0}
    by_words = {4: 7.0, 1: 6.0, 5: 5.0, 2: 2.0}
    scores = fuse([by_meaning, by_words], 5, [4.0, 1.0], 1000, [{4, 5}, None])
    first = {1: 9.0, 2: 8.0, 3: 1.0, 4: 9.0, 5: 1.0}  # 4 is the first by words, 5 the third
    second = {3: 0.0, **by_words}
    known, all_of = np.array(list(by_meaning.values())), np.array(list(second.values()))
    expected = {
        num: 4 * (first[num] - known.mean()) / known.std() + (second[num] - all_of.mean()) / all_of.std()
        for num in range(1, 6)
    }
    assert scores == pytest.approx(expected)


def test_a_ranking_that_rates_all_it_can_is_not_filled_up() -> None:
    scores = fuse([{1: 0.8, 2: 0.6}], 100, [1.0], 1000, [set()])
    assert scores == pytest.approx({1: 1.0, 2: -1.0})


def test_deeper_lists_only_add_to_the_end() -> None:
    rng = random.Random(3)
    first, second = list(range(50)), list(range(50))
    rng.shuffle(first)
    rng.shuffle(second)
    scored = [{num: 1 / (rank + 2) for rank, num in enumerate(order)} for order in (first, second)]
    whole = fuse(scored, 50, [1.0, 1.0], 10)
    assert set(whole) == set(range(50))
    for deep in (10, 20, 35):
        part = fuse([dict(list(one.items())[:deep]) for one in scored], 50, [1.0, 1.0], 10)
        best = sorted(whole, key=lambda num: -whole[num])[:deep]
        above = [num for num in best if num in part and whole[num] > min(part.values())]
        assert {num: part[num] for num in above} == pytest.approx({num: whole[num] for num in above})
        assert all(whole[num] <= min(part.values()) for num in whole if num not in part)


@pytest.mark.parametrize(
    ("words", "vector", "feedback"), [(3, 4.0, 0.33), (30, 4.0, 0.33), (60, 2.25, 0.665), (400, 0.5, 1.0)]
)
def test_meaning_counts_most_for_a_short_text(words: int, vector: float, feedback: float) -> None:
    weights = RankingSettings().weights("word " * words)
    assert (weights["vector"], weights["feedback"]) == pytest.approx((vector, feedback))


def test_hybrid_is_its_rankings_fused(registered: Plugins, many: Index) -> None:
    import trialindex_vocabulary

    settings = RankingSettings(smoothing=0.0)
    registered.register(trialindex_vocabulary, "vocabulary")
    text = "lupus of the kidney and skin " * 6  # long enough for the focus
    ranks = {
        m: {n: r for r, n in enumerate(ids(many.query(text, mode=m, limit=300)), 1)} for m in ("vector", "lexical")
    }
    answer = many.query(text, limit=300, ranking=settings)
    assert answer.hits
    for hit in answer.hits:
        for mode, found in ranks.items():
            assert hit.parts.get(f"{mode}_rank") == found.get(hit.trial.id)
    assert {name for hit in answer.hits for name in hit.parts if "rank" not in name} == set(RANKINGS)
    lists = []
    for name in RANKINGS:
        scored = [
            (hit.parts[f"{name}_rank"], hit.trial.id, hit.parts[name]) for hit in answer.hits if name in hit.parts
        ]
        lists.append({int(trial[2:]): score for _, trial, score in sorted(scored)})
    expected = fuse(lists, 300, list(settings.weights(text).values()), settings.depth)
    fused = {int(hit.trial.id[2:]): hit.score for hit in answer.hits}
    assert fused == pytest.approx(expected, abs=0.05)  # parts are rounded
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)


def test_the_vector_ranking_is_that_of_the_best_passage(many: Index) -> None:
    encoder = CountingEncoder()
    query = encoder.encode_queries(["gout of the liver"])[0]
    best = {t.id: max(float(v @ query) for v in encoder.encode_queries([p.text for p in passages(t)])) for t in crowd()}
    answer = many.query("gout of the liver", mode="vector", limit=300)
    assert len(answer.hits) == 300
    for hit in answer.hits:
        assert hit.score == pytest.approx(best[hit.trial.id], abs=2e-3)
    assert [h.score for h in answer.hits] == sorted((h.score for h in answer.hits), reverse=True)


def test_both_stores_give_one_answer(registered: Plugins, crowded: dict[str, Path]) -> None:
    answers = []
    for store, folder in crowded.items():
        if not folder.exists():
            with Index.create(folder, encoder="counting", store=store) as made:
                made.ingest(ListSource(*crowd()))
        with Index.open(folder) as index:
            answers.append([index.query(text, limit=300).hits for text in ("gout", "lupus skin")])
    for one, other in zip(*answers, strict=True):
        assert [hit.trial.id for hit in one] == [hit.trial.id for hit in other]
        assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-3)


# --- filters before ranking, pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_that_leaves_sixteen_of_three_hundred_returns_all_sixteen(many: Index, mode: str) -> None:
    answer = many.query("illness of the kidney", mode=mode, status="recruiting", limit=20)
    assert answer.searched == 16
    assert {h.trial.status for h in answer.hits} == {"RECRUITING"}
    assert len(answer.hits) == 16


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_changes_no_order(many: Index, mode: str) -> None:
    whole = [h.trial for h in many.query("illness gout", mode=mode, limit=300).hits]
    some = ids(many.query("illness gout", mode=mode, limit=300, status="recruiting"))
    if mode != "hybrid":  # there, ranks among fewer are other ranks
        assert some == [t.id for t in whole if t.status == "RECRUITING"]
    assert set(some) == {t.id for t in whole if t.status == "RECRUITING"}


@pytest.mark.parametrize("limit", [23, 299])
@pytest.mark.parametrize("mode", MODES)
def test_pages_reach_every_trial_exactly_once(many: Index, mode: str, limit: int) -> None:
    found: list[str] = []
    page = 1
    while hits := (answer := many.query("illness gout lung", mode=mode, limit=limit, page=page)).hits:
        assert [h.rank for h in hits] == list(range(len(found) + 1, len(found) + len(hits) + 1))
        found += ids(answer)
        page += 1
    assert len(found) == len(set(found)) == 300
    assert "past the last one" in answer.notes[0]
    assert found == ids(many.query("illness gout lung", mode=mode, limit=300))


@pytest.mark.parametrize("mode", MODES)
def test_pages_beyond_the_depth_of_fusion_do_too(many: Index, mode: str) -> None:
    settings = RankingSettings(depth=20, cutoff_rank=15)
    found: list[str] = []
    for page in range(1, 17):
        found += ids(many.query("illness gout lung", mode=mode, page=page, limit=19, ranking=settings))
    assert len(found) == len(set(found)) == 300


def test_trials_with_the_same_text_are_paged_too(new_index: Index) -> None:
    settings = RankingSettings(depth=8, cutoff_rank=8)
    new_index.ingest(ListSource(*(trial(n, title="The same", summary="Of all.") for n in range(70))))
    for mode in MODES:
        pages = [new_index.query("the same", mode=mode, limit=5, page=page, ranking=settings) for page in range(1, 16)]
        found = [trial_id for answer in pages for trial_id in ids(answer)]
        assert len(found) == len(set(found)) == 70, mode


def test_what_a_filter_left_is_remembered_until_the_index_changes(new_index: Index) -> None:
    new_index.ingest(
        ListSource(trial(1, title="Gout", status="RECRUITING"), trial(2, title="Gout", status="COMPLETED"))
    )
    for _ in range(2):
        assert ids(new_index.query("gout", status="recruiting")) == ["T-1"]
    new_index.ingest(
        ListSource(trial(2, title="Gout", status="RECRUITING"), trial(3, title="Gout", status="RECRUITING"))
    )
    assert sorted(ids(new_index.query("gout", status="recruiting"))) == ["T-1", "T-2", "T-3"]
    for age in range(3 * FILTER_CACHE_SIZE):
        assert len(ids(new_index.query("gout", age=age))) == 3
    assert len(new_index._current().allowed) == FILTER_CACHE_SIZE


def test_no_trial_passes_is_said(index: Index) -> None:
    answer = index.query("lupus", status="withheld", age=0, sex="male", study_type="expanded access")
    assert (answer.hits, answer.searched, answer.total) == ((), 0, 12)
    assert "leave one out" in answer.notes[0]


# --- the word index ---------------------------------------------------------------------------------------------------


def test_many_allowed_trials_are_found_as_few_are(tmp_path: Path) -> None:
    words = Lexical(tmp_path / "words")
    words.update([], enumerate(crowd(), start=1))
    allowed = np.array([n for n in range(1, 301) if n % 3])
    few = words.search("illness gout", 200, allowed)  # as a set: so many are wanted that all would have to be fetched
    assert words.search("illness gout", 50, allowed).nums.tolist() == few.nums[:50].tolist()
    assert len(words.search("illness", 300, allowed)) == 200
    assert not len(words.search("illness", 5, allowed[:0]))
    assert not len(words.search("illness", 0))


def test_a_word_said_often_weighs_more_but_not_without_end(tmp_path: Path) -> None:
    words = Lexical(tmp_path / "words")
    words.update([], [(1, trial(1, title="gout")), (2, trial(2, title="lupus"))])
    once, often, always = (
        dict(zip(found.nums.tolist(), found.scores.tolist(), strict=True))
        for found in (words.search(f"{'gout ' * times}lupus", 2) for times in (1, 3, 500))
    )
    assert once[1] == pytest.approx(once[2])
    assert once[1] < often[1] < always[1] < 9 * once[1]
    assert often[2] == pytest.approx(once[2])

"""Trials that are alike score alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.helpers import ListSource, ids, trial
from trialindex.index import Index
from trialindex.search.regularization import Neighbourhood, trial_vectors
from trialindex.search.settings import RankingSettings
from trialindex.testing import FakeEncoder

NOTE = "gout in the big toe, and " + " ".join(f"word{n}" for n in range(RankingSettings().note_words))


@pytest.fixture
def families(tmp_path: Path) -> Index:
    """Four trials of gout, four of asthma, each a little different, by numbers from 1 on."""
    index = Index.create(tmp_path / "index", encoder=FakeEncoder())
    for n in range(1, 9):
        what = "Gout of the toe, swollen and red" if n <= 4 else "Asthma of children that wheeze at night"
        index.ingest(ListSource(trial(n, title=f"{what} {n}", summary=f"{what}, seen {n} times.")))
    return index


def regularized(index: Index, scores: dict[int, float], smoothing: float, pool_size: int = 2000) -> dict[int, float]:
    with index.searcher(RankingSettings(pool_size=pool_size)) as searcher:
        return Neighbourhood(scores, searcher).regularize(list(scores), smoothing)


def test_a_score_is_drawn_towards_those_of_the_most_alike(families: Index) -> None:
    found = regularized(families, {1: 5.0, 2: 1.0, 3: 1.0, 4: 1.0, 5: 0.0, 6: 0.0, 7: 0.0, 8: 0.0}, 0.3)
    assert found[1] == pytest.approx(0.7 * 5 + 0.3 * 1)
    for num in (2, 3, 4):
        assert found[num] == pytest.approx(0.7 * 1 + 0.3 * (5 + 1 + 1) / 3)
    assert [found[num] for num in (5, 6, 7, 8)] == [0, 0, 0, 0]


def test_nothing_is_drawn_without_others(families: Index) -> None:
    assert regularized(families, {1: 5.0}, 0.3) == {}
    assert regularized(families, {}, 0.3) == {}
    assert regularized(families, {1: 5.0, 99: 1.0}, 0.3) == {}, "one that is gone is no neighbour"
    assert regularized(families, {1: 5.0, 2: 1.0}, 0.3) == pytest.approx({1: 0.7 * 5 + 0.3, 2: 0.7 + 0.3 * 5})


def test_those_below_the_best_keep_their_scores(families: Index) -> None:
    assert regularized(families, {1: 5.0, 2: 4.0, 3: 3.0, 4: 2.0}, 0.3, pool_size=3).keys() == {1, 2, 3}


def test_a_trial_is_the_mean_of_its_passages(families: Index) -> None:
    with families.searcher() as searcher:
        found, vectors = trial_vectors(np.array([2, 5]), searcher)
        derived, records = searcher.derived, searcher.records
        passages, single = derived.vectors.vectors(derived.passages_for(records, found))
        owners = derived.trials_of(records, passages)[:, 0]
    assert found.tolist() == [2, 5]
    for num, vector in zip(found, vectors, strict=True):
        mean = single[owners == num].mean(axis=0)
        assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_notes_are_drawn_together_and_questions_are_not(families: Index) -> None:
    assert any("regularization" in hit.parts for hit in families.query(NOTE).hits)
    assert all("regularization" not in hit.parts for hit in families.query("gout in the big toe").hits)
    for mode in ("vector", "lexical"):
        assert all("regularization" not in hit.parts for hit in families.query(NOTE, mode=mode).hits)


@pytest.mark.parametrize("limit", [1, 3])
def test_pages_of_a_note_are_cut_from_one_order(families: Index, limit: int) -> None:
    settings = RankingSettings(pool_size=5)
    whole = ids(families.query(NOTE, limit=8, ranking=settings))
    pages = [ids(families.query(NOTE, limit=limit, page=page, ranking=settings)) for page in range(1, 9)]
    assert [trial_id for page in pages for trial_id in page] == whole


@pytest.mark.parametrize("limit", [1, 3])
def test_the_first_of_many_are_those_of_all_compared(tmp_path: Path, limit: int) -> None:
    index = Index.create(tmp_path / "index", encoder=FakeEncoder())
    what = ("gout of the big toe", "asthma at night", "a toe that is broken", "kidney stones")
    index.ingest(
        ListSource(
            *(trial(n, title=f"{what[n % 4]} {n}", summary=f"word{n} word{n + 1} {what[n % 4]}") for n in range(400))
        )
    )
    shown, whole = index.query(NOTE, limit=limit), index.query(NOTE, limit=400)
    assert [(hit.trial.id, hit.parts) for hit in shown.hits] == [
        (hit.trial.id, hit.parts) for hit in whole.hits[:limit]
    ]
    with index.searcher() as searcher:
        scores = {num: float(num % 97) for num in range(1, 401)}
        neighbourhood = Neighbourhood(scores, searcher)
        all_of_them = neighbourhood.regularize(neighbourhood.order, 0.3)
        some = neighbourhood.regularize(neighbourhood.order[:20], 0.3)
        assert some == pytest.approx({num: all_of_them[num] for num in neighbourhood.order[:20]})
        for at in range(0, 400, 40):
            limit_below = neighbourhood.limit(scores[neighbourhood.order[at]], 0.3)
            assert all(all_of_them[num] <= limit_below + 1e-9 for num in neighbourhood.order[at:])

"""The words that the best trials share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, trial
from trialindex.index import Index
from trialindex.search.feedback import expansion_terms
from trialindex.search.fusion import Ranking
from trialindex.search.settings import RankingSettings
from trialindex.testing import FakeEncoder


@pytest.fixture
def index(tmp_path: Path) -> Index:
    index = Index.create(tmp_path / "index", encoder=FakeEncoder())
    titles = ("gout toe", "gout heel", "asthma wheeze", "stroke")
    index.ingest(ListSource(*(trial(number, title=title) for number, title in enumerate(titles, 1))))
    return index


def words(index: Index, scores: dict[int, float], **settings: Any) -> dict[str, float]:
    with index.searcher(RankingSettings(**settings)) as searcher:
        return expansion_terms(Ranking.sorted(scores), searcher)


def test_words_weigh_by_the_scores_of_their_trials_above_the_cutoff(index: Index) -> None:
    found = words(index, {1: 5.0, 2: 3.0, 3: 1.0, 4: 0.0}, cutoff_rank=3)
    assert set(found) == {"gout", "toe", "heel"}, "the third trial is the cutoff, and gives nothing"
    assert max(found.values()) == 1
    assert found["toe"] == pytest.approx(2 * found["heel"]), "5 is twice as far above 1 as 3"


def test_so_many_trials_and_so_many_words_at_most(index: Index) -> None:
    scores = {1: 5.0, 2: 4.0, 3: 3.0, 4: 2.0}
    assert set(words(index, scores, feedback_trials=1)) == {"gout", "toe"}
    assert len(words(index, scores, feedback_words=3)) == 3
    assert words(index, scores, feedback_words=0) == words(index, {}) == {}


def test_a_cutoff_below_the_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="below the depth"):
        RankingSettings(depth=20)


def test_the_heaviest_words_are_those_of_all(index: Index) -> None:
    """Of a long trial each word weighs little, and is not looked up where it cannot be among the heaviest."""
    index.ingest(ListSource(trial(7, title=" ".join(f"word{n}" for n in range(300)), summary="gout"), trial(8)))
    scores = {5: 9.0, 1: 8.0, 2: 7.0, 3: 1.0}
    every = list(words(index, scores, feedback_words=10_000, cutoff_rank=4).items())
    assert len(every) > 300
    for most in (1, 5, 60):
        assert list(words(index, scores, feedback_words=most, cutoff_rank=4).items()) == every[:most]

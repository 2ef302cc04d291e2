"""A watched question is read each time as it was the first: its typing errors, its constraints, what is only alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, trial
from support.watching_cases import said
from trialindex.index import Index
from trialindex.testing import FakeEncoder
from trialindex.watching import Watches, baseline, find_updates, watch_for


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as made:
        made.ingest(ListSource(trial(1, title="Gout of the toe", conditions=("Gout",))))
        yield made


@pytest.fixture
def watches(index: Index) -> Iterator[Watches]:
    with Watches(index.folder, create=True) as made:
        yield made


def watch(index: Index, watches: Watches, query: str, **filters: Any) -> str:
    return watches.add(*baseline(index, watch_for(index, query=query, level=-1, **filters))).label


def put_asthma(index: Index) -> None:
    index.ingest(
        ListSource(
            trial(8, title="Asthma", conditions=("Asthma",), status="ACTIVE_NOT_RECRUITING"),
            trial(9, title="Bees and wasps", conditions=("Insect stings",), status="RECRUITING"),
        )
    )


def test_a_misspelt_question_is_kept_as_typed_and_read_as_meant(index: Index, watches: Watches) -> None:
    assert watch(index, watches, "astma") == "the question astma"
    put_asthma(index)
    assert said(find_updates(index, watches)) == [(1, "new", "T-8")]


def test_words_that_ask_for_a_status_and_a_place_are_understood_and_filter_nothing(
    index: Index, watches: Watches
) -> None:
    watch(index, watches, "recruiting trials for asthma in Boston")
    put_asthma(index)
    assert said(find_updates(index, watches)) == [(1, "new", "T-8")]


def test_of_what_is_only_loosely_alike_nothing_is_told(index: Index, watches: Watches) -> None:
    watch(index, watches, "amyotrophic lateral sclerosis")
    put_asthma(index)
    assert find_updates(index, watches) == []


def test_open_is_a_filter_of_a_watch(index: Index, watches: Watches) -> None:
    assert watch(index, watches, "asthma", open=True) == "the question asthma, open to join now or later"
    put_asthma(index)
    assert find_updates(index, watches) == []
    index.ingest(ListSource(trial(8, title="Asthma", conditions=("Asthma",), status="RECRUITING")))
    assert said(find_updates(index, watches)) == [(1, "new", "T-8")]

"""Trials without a question: pages of them, counts, what leaves none, and what is like one."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, trial
from trialindex.errors import QueryError, UnknownTrial
from trialindex.index import Index
from trialindex.search.filters import Filters
from trialindex.trial import Site, TrialDate


def test_the_pages_hold_every_trial_once_in_each_order(index: Index) -> None:
    every = [one.id for one in index.trials()]
    for order in ("open", "added", "newest"):
        pages = [index.browse(order=order, limit=5, page=page) for page in (1, 2, 3, 4)]
        found = [one.id for page in pages for one in page.trials]
        assert sorted(found) == sorted(every)
        assert [len(page.trials) for page in pages] == [5, 5, 2, 0]
        assert {(page.searched, page.total, page.generation) for page in pages} == {(12, 12, index.generation)}
    assert [one.id for one in index.browse(order="added", limit=99).trials] == every


def test_those_that_can_be_joined_come_first_and_of_them_the_last_updated(new_index: Index) -> None:
    def dated(number: int, status: str, date: str) -> object:
        return trial(number, status=status, last_updated=TrialDate(date=date))

    new_index.ingest(
        ListSource(
            dated(1, "COMPLETED", "2026-01-01"),
            dated(2, "NOT_YET_RECRUITING", "2026-01-01"),
            dated(3, "RECRUITING", "2024-01-01"),
            dated(4, "RECRUITING", "2025-01-01"),
            trial(5),
        )
    )
    assert [one.id for one in new_index.browse().trials] == ["T-4", "T-3", "T-2", "T-1", "T-5"]


def test_filters_narrow_and_contacts_are_masked(index: Index) -> None:
    recruiting = index.browse(Filters.parse(status="recruiting"), limit=99)
    assert {one.status for one in recruiting.trials} == {"RECRUITING"}
    assert recruiting.searched == len(recruiting.trials) < recruiting.total
    assert recruiting.filters == {"status": "recruiting"}
    assert not any(one.contacts for one in index.browse(limit=99).trials)
    assert any(one.contacts for one in index.browse(limit=99, contacts=True).trials)


@pytest.mark.parametrize("wrong", [{"order": "best"}, {"limit": 0}, {"page": 0}])
def test_what_cannot_be_browsed_is_said(index: Index, wrong: dict[str, object]) -> None:
    with pytest.raises(QueryError):
        index.browse(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [{}, {"status": "recruiting"}, {"condition": "lupus"}])
def test_facets_count_the_trials_that_pass(index: Index, words: dict[str, Any]) -> None:
    filters = Filters.parse(**words)
    passing = list(index.trials(filters))
    facets = index.facets(filters)
    assert facets["status"] == Counter(one.status for one in passing if one.status)
    assert facets["phase"] == Counter(phase for one in passing for phase in one.phases)
    assert facets["study_type"] == Counter(one.study_type for one in passing if one.study_type)
    assert facets["country"] == Counter(country for one in passing for country in one.countries)
    for counts in facets.values():
        assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_a_country_counts_a_trial_once(new_index: Index) -> None:
    sites = tuple(Site(city=city, country="France", latitude=lat) for city, lat in (("Lyon", 45.0), ("Paris", 48.0)))
    new_index.ingest(ListSource(trial(1, sites=sites), trial(2, sites=sites[:1])))
    assert new_index.facets()["country"] == {"France": 2}


def test_each_filter_is_told_by_what_it_keeps_out(index: Index) -> None:
    filters = Filters.parse(status="recruiting", condition="zzyzx", near="Lyon, France", within="5000km")
    assert list(index.trials(filters)) == []
    told = {one.filter: one for one in index.relaxations(filters)}
    assert set(told) == {"status", "condition", "within"}
    assert told["condition"].trials == sum(
        1 for _ in index.trials(Filters.parse(status="recruiting", near="Lyon, France", within="5000km"))
    )
    assert told["condition"].trials > 0 == told["status"].trials == told["within"].trials
    assert told["condition"].words == "zzyzx"
    assert next(iter(index.relaxations(filters))).filter == "condition", "what lets most pass comes first"
    assert index.relaxations(Filters()) == ()


def test_a_trial_is_most_like_those_that_say_the_same(new_index: Index) -> None:
    new_index.ingest(
        ListSource(
            trial(1, title="Walking for people on dialysis"),
            trial(2, title="Walking for people on dialysis at home"),
            trial(3, title="Vitamin drops for newborns"),
            trial(4, title="Walking on dialysis"),
        )
    )
    found = new_index.similar("t-1", limit=3)
    assert [one.trial.id for one in found][-1] == "T-3"
    assert {one.trial.id for one in found} == {"T-2", "T-3", "T-4"}
    cosines = [one.similarity for one in found]
    assert cosines == sorted(cosines, reverse=True)
    assert all(-1 <= one <= 1 for one in cosines)
    assert len(new_index.similar("T-1", limit=1)) == 1
    with pytest.raises(UnknownTrial):
        new_index.similar("T-9")


def test_one_trial_alone_is_like_none(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1)))
    assert new_index.similar("T-1") == ()


def test_an_index_knows_that_another_one_took_its_place(index: Index, tmp_path: Path) -> None:
    states = [index.is_replaced]
    index.ingest(ListSource(trial(1)))
    states.append(index.is_replaced)
    copy = shutil.copytree(index.folder, tmp_path / "copy")
    index.folder.rename(tmp_path / "old")
    states.append(index.is_replaced)
    Path(copy).rename(index.folder)
    states.append(index.is_replaced)
    assert states == [False, False, True, True], "what is added to it is still it"
    with Index.open(index.folder) as now:
        assert not now.is_replaced


def test_each_commit_that_changes_a_trial_raises_the_generation(new_index: Index) -> None:
    before = new_index.generation
    new_index.ingest(ListSource(trial(1)))
    assert new_index.generation == before + 2  # the trial, then its vectors
    new_index.ingest(ListSource(trial(1)))
    assert new_index.generation == before + 2

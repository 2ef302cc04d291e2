"""A poorer record never takes anything away: what it does not give stays as it was, with where it came from."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from support.helpers import ONE_STORE, ListSource, PartialSource, execute, trial
from trialindex.index import Index
from trialindex.plugin.interfaces import IngestContext
from trialindex.storage.provenance import ALL_OTHERS
from trialindex.trial import Outcome, Site, Term, Trial, TrialDate

pytestmark = ONE_STORE

TODAY = date.today().isoformat()
EARLIER = "2026-01-01"
FULL = trial(
    1,
    title="Inhaled drug in asthma",
    status="NOT_YET_RECRUITING",
    minimum_age=18,
    sites=(Site(city="Lyon", country="France"),),
    inclusion=("Asthma",),
    raw={"full": True},
)


class PageSource(ListSource):
    """Each of its trials is an excerpt, as a page of an API that was asked for some fields."""

    def trials(self, context: IngestContext) -> Any:
        for one in super().trials(context):
            yield context.excerpt(one)


def page(**fields: Any) -> PageSource:
    return PageSource(trial(1, title=FULL.title, **fields), spec="page")


@pytest.fixture
def held(new_index: Index) -> Index:
    """An index that holds the full record, delivered on an earlier day."""
    new_index.ingest(ListSource(FULL, spec="full"))
    execute(new_index, "UPDATE origins SET fields = replace(fields, ?, ?)", TODAY, EARLIER)
    return new_index


def told(index: Index) -> list[str]:
    return [difference.words for difference in index.history("T-1")[-1].differences]


def test_only_what_a_page_gives_is_news(held: Index) -> None:
    assert held.ingest(page(status="RECRUITING")).changed == 1
    now = held.get("T-1", contacts=True)
    assert (now.status, now.sites, now.minimum_age, now.inclusion) == ("RECRUITING", FULL.sites, 18, FULL.inclusion)
    assert (now.raw, now.source) == ({"full": True}, "list")
    assert told(held) == ["not yet recruiting → recruiting"]
    assert held.check() == []


def test_a_source_that_is_partial_takes_nothing_away_either(held: Index) -> None:
    held.ingest(PartialSource(trial(1, title="Inhaled drug in asthma", status="COMPLETED")))
    assert (held.get("T-1").status, held.get("T-1").sites) == ("COMPLETED", FULL.sites)


def test_what_a_full_record_no_longer_states_is_news(held: Index) -> None:
    held.ingest(ListSource(trial(1, title=FULL.title, status="RECRUITING"), spec="full"))
    assert held.get("T-1").sites == ()
    assert "site removed: Lyon, France" in told(held)


def test_what_a_page_stated_and_states_no_longer_is_news(held: Index) -> None:
    held.ingest(page(status="TERMINATED", why_stopped="No money"))
    held.ingest(page(status="TERMINATED"))
    assert held.get("T-1").why_stopped is None
    assert held.get("T-1").sites == FULL.sites


def test_a_trial_known_from_one_poor_source_alone_follows_it(new_index: Index) -> None:
    new_index.ingest(page(status="RECRUITING", summary="Some words."))
    new_index.ingest(page(status="RECRUITING"))
    assert new_index.get("T-1").summary is None


def test_saying_the_same_again_is_no_news(held: Index) -> None:
    """A file that lies there is read at every sync: it must not undo what another source said since."""
    held.ingest(page(status="RECRUITING"))
    held.ingest(ListSource(trial(1, title=FULL.title, status="COMPLETED", sites=FULL.sites), spec="full"))
    summary = held.ingest(page(status="RECRUITING"))
    assert (summary.changed, summary.unchanged) == (0, 1)
    assert held.get("T-1").status == "COMPLETED"
    held.ingest(page(status="SUSPENDED"))
    assert held.get("T-1").status == "SUSPENDED"
    again = ListSource(trial(1, title=FULL.title, status="COMPLETED", sites=FULL.sites), spec="full")
    assert held.ingest(again).changed == 0


def test_an_older_page_is_left(held: Index) -> None:
    dated = [TrialDate(date=day) for day in ("2026-05-01", "2026-04-01")]
    held.ingest(page(status="RECRUITING", last_updated=dated[0]))
    summary = held.ingest(page(status="COMPLETED", last_updated=dated[1]))
    assert [why for _, why in summary.kept] == ["the index holds a newer record, of 2026-05-01"]
    assert held.get("T-1").status == "RECRUITING"


def test_which_source_and_day_each_part_is_from_is_kept(held: Index) -> None:
    held.ingest(page(status="RECRUITING"))
    origins = held.origins("T-1")
    assert {spec: origin.fields for spec, origin in origins.items()} == {
        "full": {ALL_OTHERS: EARLIER},
        "page": {"status": TODAY, "title": TODAY},
    }
    held.ingest(ListSource(trial(1, title="Another title", status="RECRUITING"), spec="full"))
    assert {spec: origin.fields for spec, origin in held.origins("T-1").items()} == {
        "full": {ALL_OTHERS: TODAY},
        "page": {},
    }


def test_a_file_that_shrank_takes_nothing_away(new_index: Index) -> None:
    """The same spec gives a full record first, then an excerpt."""
    new_index.ingest(ListSource(FULL, spec="file"))
    new_index.ingest(PageSource(trial(1, title=FULL.title, status="RECRUITING"), spec="file"))
    assert (new_index.get("T-1").status, new_index.get("T-1").sites) == ("RECRUITING", FULL.sites)
    assert new_index.origins("T-1")["file"].fields.keys() == {ALL_OTHERS, "status", "title"}


def test_trials_of_excerpts_are_trials(new_index: Index) -> None:
    new_index.ingest(page(status="RECRUITING"))
    assert isinstance(new_index.get("T-1"), Trial)
    assert new_index.check() == []


RICH = trial(
    1,
    title='A "calm" night',
    eligibility='Inclusion Criteria:\n\n* Age < 18\n* "Calm"',
    inclusion=("Age < 18", '"Calm"'),
    normalized_conditions=(Term(name="Gout", id="MESH:D006073"), Term(name="Pain", id="MESH:D010146")),
    outcomes=(Outcome(measure="Pain", time_frame="12 weeks"), Outcome(measure="Sleep", description="Hours.")),
    sites=(
        Site(name="A", city="Lyon", country="France", status="RECRUITING", latitude=45.7, longitude=4.8),
        Site(name="B", city="Oslo", country="Norway", status="WITHDRAWN"),
        Site(name="B", city="Oslo", country="Norway", status="COMPLETED"),
    ),
    start_date=TrialDate(date="2025-11-03", type="ACTUAL"),
)


def poorer(index: Index, **fields: Any) -> tuple[Trial, list[str]]:
    """What the index holds, and what is news, when a poorer record of the trial follows the rich one."""
    index.ingest(ListSource(RICH, spec="rich"))
    index.ingest(PageSource(trial(1, **{"title": RICH.title, **fields}), spec="page"))
    return index.get("T-1"), told(index)


def test_what_is_stated_less_fully_stays_as_it_was(new_index: Index) -> None:
    now, news = poorer(
        new_index,
        title="A calm night",
        inclusion=("Age < 18", "Calm"),
        normalized_conditions=(Term(name="Gout"), Term(name="Pain")),
        outcomes=(Outcome(measure="Pain"), Outcome(measure="Sleep")),
        sites=(Site(city="Lyon", country="France"), *(Site(name="B", city="Oslo", country="Norway"),) * 2),
        start_date=TrialDate(date="2025-11"),
    )
    assert news == []
    assert (now.sites, now.outcomes, now.start_date) == (RICH.sites, RICH.outcomes, RICH.start_date)
    assert (now.title, now.inclusion, now.normalized_conditions) == (
        RICH.title,
        RICH.inclusion,
        RICH.normalized_conditions,
    )


def test_what_is_stated_differently_is_news(new_index: Index) -> None:
    now, news = poorer(
        new_index,
        eligibility="Inclusion Criteria: Age > 18",
        inclusion=("Age > 18",),
        sites=(Site(name="A", city="Lyon", country="France", status="SUSPENDED"), Site(city="Oslo", country="Norway")),
        start_date=TrialDate(date="2025-12"),
    )
    assert now.inclusion == ("Age > 18",)
    assert (now.sites[0].status, now.sites[1]) == ("SUSPENDED", RICH.sites[1])
    assert now.start_date == TrialDate(date="2025-12")
    assert any("site removed" in line for line in news)

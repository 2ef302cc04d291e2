"""What each watch is told: new, changed, removed, and nothing twice."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from support.helpers import ingest_unfinished, trial
from support.watching_cases import add, lupus, put, said
from trialindex.errors import IndexDamaged, QueryError, UnknownTrial, WatchError
from trialindex.index import Index
from trialindex.testing import BruteForceStore
from trialindex.trial import Site, Term, TrialDate
from trialindex.watching import Watches, find_updates, watch_for
from trialindex.watching.updates import LISTED, NEW_DAYS

pytestmark = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)


# --- a trial ----------------------------------------------------------------------------------------------------------


def test_a_watched_trial_is_told_when_it_changes_and_once(new_index: Index, watches: Watches) -> None:
    watch = add(watches, new_index, trial="t-1")
    assert watch.subject == "T-1", "under the id that the index has"
    assert find_updates(new_index, watches) == [], "nothing old is told"
    put(new_index, lupus(1, status="COMPLETED", url="https://example.org/T-1"), lupus(4))
    [update] = find_updates(new_index, watches)
    assert said([update]) == [(1, "changed", "T-1")]
    assert update.lines[0] == "recruiting → completed"
    assert (update.url, update.asked) == ("https://example.org/T-1", "the trial T-1")
    assert find_updates(new_index, watches) == []
    assert watches.updates() == [update]


def test_several_ingests_between_are_one_update_from_the_version_last_told(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, trial="T-1")
    put(new_index, lupus(1, enrollment=20))
    put(new_index, lupus(1, enrollment=30, status="SUSPENDED"))
    [update] = find_updates(new_index, watches)
    assert update.lines == ("recruiting → suspended", "enrollment not stated → 30")
    put(new_index, lupus(1, enrollment=31))
    put(new_index, lupus(1, enrollment=30, status="SUSPENDED"))
    assert find_updates(new_index, watches) == [], "it is again as it was told"


def test_noise_is_not_told_and_hides_nothing(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, trial="T-3")
    put(new_index, trial(3, conditions=("SLE",), keywords=("b", "a"), sites=(Site(city="Lyon", country="France"),)))
    find_updates(new_index, watches)
    put(new_index, trial(3, conditions=("SLE",), keywords=("a", "b"), sites=(Site(city="Lyon", country="France"),)))
    assert find_updates(new_index, watches) == []
    put(new_index, trial(3, conditions=("SLE",), keywords=("a", "b"), status="RECRUITING"))
    [update] = find_updates(new_index, watches)
    assert any("recruiting" in line for line in update.lines)
    assert any("Lyon" in line for line in update.lines)


def test_a_trial_that_goes_and_comes_back(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, trial="T-1")
    new_index.remove(["T-1"])
    [gone] = find_updates(new_index, watches)
    assert said([gone]) == [(1, "removed", "T-1")]
    assert gone.title == "Trial number 1"
    assert find_updates(new_index, watches) == []
    put(new_index, lupus(1))
    [back] = find_updates(new_index, watches)
    assert said([back]) == [(1, "new", "T-1")]
    new_index.remove(["T-1"])
    [again] = find_updates(new_index, watches)
    assert again.kind == "removed"
    assert again.key != gone.key, "else whoever knows the first would drop the second"


def test_going_and_coming_back_between_two_rounds(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, trial="T-1")
    new_index.remove(["T-1"])
    put(new_index, lupus(1))
    assert find_updates(new_index, watches) == [], "as it was"
    new_index.remove(["T-1"])
    put(new_index, lupus(1, status="COMPLETED"))
    [update] = find_updates(new_index, watches)
    assert (update.kind, update.lines) == (
        "changed",
        ("what changed cannot be shown: the index no longer has the earlier record",),
    )


def test_the_same_change_twice_has_two_keys(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, trial="T-1")
    keys = []
    for status in ("SUSPENDED", "RECRUITING", "SUSPENDED", "RECRUITING"):
        put(new_index, lupus(1, status=status))
        keys += [update.key for update in find_updates(new_index, watches)]
    assert len(set(keys)) == 4
    assert all(len(key) == 64 and key.isascii() for key in keys)


# --- a condition ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"conditions": ("Lupus Nephritis",)}, True),
        ({"conditions": ("kidney lupus",)}, True),
        ({"conditions": ("Systemic Lupus Erythematosus",)}, True),
        ({"normalized_conditions": (Term(name="Lupus Nephritis"),)}, True),
        ({"keywords": ("LN",)}, True),
        ({"conditions": ("Asthma",)}, False),
        ({"title": "A trial of lupus"}, False),
    ],
)
def test_a_condition_is_told_with_its_narrower_terms(
    new_index: Index, watches: Watches, fields: dict[str, Any], told: bool
) -> None:
    add(watches, new_index, condition="lupus")
    put(new_index, trial(9, **fields))
    assert said(find_updates(new_index, watches)) == ([(1, "new", "T-9")] if told else [])


def test_a_narrower_watch_is_not_told_of_what_is_broader(new_index: Index, watches: Watches) -> None:
    watch = add(watches, new_index, condition="lupus nephritis")
    assert set(watches.members(watch.num)) == {"t-1"}
    put(new_index, trial(9, conditions=("Lupus",)))
    assert find_updates(new_index, watches) == []


@pytest.mark.parametrize("listed", ["Dance, Tremor", "tremor dance", "Tremor  Dances"])
def test_a_condition_that_no_vocabulary_knows_is_compared_by_its_words(
    new_index: Index, watches: Watches, listed: str
) -> None:
    add(watches, new_index, condition="Tremor dance")
    put(new_index, trial(9, conditions=(listed,)), trial(10, conditions=("tremor",)))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]


def test_what_a_new_trial_says_of_itself(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus nephritis")
    put(new_index, lupus(9, phases=("PHASE2",), minimum_age=18, sites=(Site(country="Malta"),)))
    [update] = find_updates(new_index, watches)
    assert update.lines == (
        "status: recruiting",
        "phase: phase 2",
        "conditions: Lupus Nephritis",
        "takes: 18 years and older, sex not stated",
        "countries: Malta",
    )


def test_filters_leave_trials_out_and_tell_when_one_leaves(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus nephritis", status=["recruiting"])
    put(new_index, lupus(8, status="COMPLETED"), lupus(9))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]
    put(new_index, lupus(9, status="COMPLETED"))
    [left] = find_updates(new_index, watches)
    assert (left.kind, left.lines[0]) == ("changed", "recruiting → completed")
    assert "no longer fits this watch" in left.why
    put(new_index, lupus(9, status="COMPLETED", enrollment=12))
    assert find_updates(new_index, watches) == [], "it is none of its trials any more"
    put(new_index, lupus(9, enrollment=12), lupus(8))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-8"), (1, "new", "T-9")]


def test_a_country_without_a_trial_can_be_watched(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus nephritis", country=["Malta", "Iceland"])
    put(new_index, lupus(8), lupus(9, sites=(Site(country="Malta"),)))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]
    new_index.remove(["T-9"])
    assert said(find_updates(new_index, watches)) == [(1, "removed", "T-9")]


# --- a question -------------------------------------------------------------------------------------------------------


def test_a_question_is_told_what_enters_its_first_results(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, query="walking after a kidney transplant", top=2, level=0.5)
    put(new_index, trial(8, title="Walking after a kidney transplant"), trial(9, title="Bees and wasps"))
    [update] = find_updates(new_index, watches)
    assert said([update]) == [(1, "new", "T-8")]
    assert update.why == "It is number 1 among the results of a question that you watch, with a similarity of 1.00."
    assert "transplant" not in update.why
    put(new_index, trial(8, title="Walking after a kidney transplant", status="WITHDRAWN"))
    assert said(find_updates(new_index, watches)) == [(1, "changed", "T-8")]


def test_a_question_has_a_level_and_a_number_of_results(new_index: Index, watches: Watches) -> None:
    text = "walking after a kidney transplant"
    add(watches, new_index, query=text, top=1, level=0.0)
    add(watches, new_index, query=text, top=20, level=0.99)
    put(new_index, trial(8, title="Walking after a kidney transplant today"), trial(9, title="Kidney walking"))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-8")]


def test_an_old_trial_that_moves_up_is_no_news_to_a_question(new_index: Index, watches: Watches) -> None:
    put(new_index, trial(8, title="Kidney walks"), trial(9, title="Kidney walks at night"))
    watch = add(watches, new_index, query="kidney walks", top=1, level=-1)
    assert set(watches.members(watch.num)) == {"t-8"}
    new_index.remove(["T-8"])
    assert said(find_updates(new_index, watches)) == [(1, "removed", "T-8")]
    put(new_index, trial(9, title="Kidney walks at night", status="RECRUITING"))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]


def test_what_fell_out_of_the_first_results_and_returns_is_not_new_again(new_index: Index, watches: Watches) -> None:
    put(new_index, trial(8, title="Kidney walks at night"))
    add(watches, new_index, query="kidney walks", top=1, level=-1)
    put(new_index, trial(9, title="Kidney walks"))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]
    new_index.remove(["T-9"])
    assert said(find_updates(new_index, watches)) == [(1, "removed", "T-9")]
    put(new_index, trial(7))
    assert find_updates(new_index, watches) == []


def test_a_trial_that_is_embedded_later_is_told_to_a_question_then_and_once(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, query="walking after a kidney transplant", level=0.5)
    new = [trial(8, title="Walking after a kidney transplant today"), trial(9, title="Gout")]
    ingest_unfinished(new_index, *new, lupus(1, title="Changed meanwhile"))
    assert find_updates(new_index, watches) == []
    put(new_index, trial(7, title="Of another day"))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-8")]
    assert find_updates(new_index, watches) == []


def test_a_question_to_an_index_that_was_emptied(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, query="lupus", level=-1)
    new_index.remove(["T-1", "T-2", "T-3"])
    assert {kind for _, kind, _ in said(find_updates(new_index, watches))} == {"removed"}


# --- watches ----------------------------------------------------------------------------------------------------------


def test_a_paused_watch_is_told_when_it_is_resumed(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, trial="T-1")
    assert watches.pause(1, True).paused
    put(new_index, lupus(1, status="COMPLETED"))
    assert find_updates(new_index, watches) == []
    watches.pause(1, False)
    assert said(find_updates(new_index, watches)) == [(1, "changed", "T-1")]


def test_a_removed_watch_is_forgotten_and_its_number_not_given_again(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus nephritis", name="a name that nobody else has")
    put(new_index, lupus(9))
    find_updates(new_index, watches)
    watches.remove(1)
    assert (watches.all(), watches.updates()) == ([], [])
    assert b"a name that nobody" not in (new_index.folder / "watches.db").read_bytes()
    assert add(watches, new_index, trial="T-1").num == 2


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({}, WatchError, "one thing"),
        ({"trial": "T-1", "query": "x"}, WatchError, "one thing"),
        ({"trial": "T-77"}, UnknownTrial, "T-77"),
        ({"condition": "!?"}, WatchError, "no condition"),
        ({"condition": "lupus", "status": ["recruting"]}, QueryError, "RECRUITING"),
        ({"condition": "lupus", "country": ["Frnace"]}, QueryError, "France"),
        ({"condition": "lupus", "country": ["Malta", "Frnace"]}, QueryError, "France"),
        ({"condition": "lupus", "source": ["nosuch"]}, QueryError, "nosuch"),
        ({"condition": "lupus", "near": "Lyon, France"}, QueryError, "--within"),
        ({"query": "x", "top": 0}, WatchError, "1 to 1000"),
        ({"query": "x", "level": 1.5}, WatchError, "-1 to 1"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_a_line(
    new_index: Index, watches: Watches, asked: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        watch_for(new_index, **asked)
    assert "\n" not in str(raised.value)
    assert watches.all() == []


def test_the_same_is_watched_once(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="Lupus", status=["recruiting"])
    with pytest.raises(WatchError, match="watch 1 is for the same"):
        add(watches, new_index, condition="lupus", status=["Recruiting"])
    assert add(watches, new_index, condition="lupus").num == 2


def test_what_is_asked_is_safe_to_show(new_index: Index, watches: Watches) -> None:
    watch = add(watches, new_index, query="ki\x1b[2Jdney\nwalks", status=["recruiting"])
    assert watch.label == "the question ki[2Jdney walks, status recruiting"
    assert add(watches, new_index, query="b", name="my  \x07name").label == "my name"


def test_a_watch_that_cannot_be_followed_stops_no_other(
    new_index: Index, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(watches, new_index, query="kidney")
    add(watches, new_index, trial="T-1")
    put(new_index, lupus(1, status="COMPLETED"))
    notes: list[str] = []

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise IndexDamaged("the model is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(Index, "query", refuse)
        assert said(find_updates(new_index, watches, notes.append)) == [(2, "changed", "T-1")]
    assert notes == ["watch 1 cannot be followed: the model is gone."]
    assert watches.get(1).last_generation < watches.get(2).last_generation, "it is told later"


def test_a_damaged_record_is_passed_over(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus nephritis")
    put(new_index, lupus(8), lupus(9))
    new_index._records.database.execute("UPDATE trials SET record = x'00' WHERE id IN ('T-1', 'T-8')")
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]


# --- news is news -----------------------------------------------------------------------------------------------------


def posted(days: int) -> TrialDate:
    return TrialDate(date=(date.today() - timedelta(days=days)).isoformat())


def test_studies_that_are_not_new_are_one_update_with_a_count(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus")
    about: dict[str, Any] = {"conditions": ("lupus",)}
    put(
        new_index,
        trial(11, **about, status="NOT_YET_RECRUITING", first_posted=posted(3)),
        trial(12, **about, status="RECRUITING", first_posted=posted(NEW_DAYS + 1)),
        trial(13, **about, status="COMPLETED", first_posted=posted(3)),
        trial(14, **about, status="RECRUITING"),
        trial(15, **about, status="ACTIVE_NOT_RECRUITING", first_posted=TrialDate(date="2019")),
        trial(16, **about, status="RECRUITING", first_posted=posted(NEW_DAYS)),
    )
    updates = find_updates(new_index, watches)
    assert said(updates) == [(1, "new", "T-14"), (1, "new", "T-16"), (1, "new", "T-11"), (1, "backlog", "")]
    backlog = updates[-1]
    assert backlog.count == 3
    assert backlog.title == (
        f"3 studies that came into the index: 2 first posted more than {NEW_DAYS} days ago, 1 that ended"
    )
    assert [line.split(",")[0] for line in backlog.lines] == ["T-12", "T-13", "T-15"]
    assert find_updates(new_index, watches) == [], "it is told once"


def test_a_study_of_the_backlog_is_known_from_then_on(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus")
    old = trial(9, conditions=("lupus",), status="NOT_YET_RECRUITING", first_posted=posted(400))
    put(new_index, old)
    assert said(find_updates(new_index, watches)) == [(1, "backlog", "")]
    put(new_index, msgspec.structs.replace(old, status="RECRUITING"))
    assert said(find_updates(new_index, watches)) == [(1, "changed", "T-9")]


def test_a_study_that_the_index_had_is_new_to_a_watch_that_it_comes_to(new_index: Index, watches: Watches) -> None:
    """It is old, and was not open: that it recruits now is news."""
    old = trial(9, conditions=("lupus",), status="NOT_YET_RECRUITING", first_posted=posted(400))
    put(new_index, old)
    add(watches, new_index, condition="lupus", status="recruiting")
    put(new_index, msgspec.structs.replace(old, status="RECRUITING"))
    assert said(find_updates(new_index, watches)) == [(1, "new", "T-9")]


def test_a_backlog_of_any_size_is_one_update(new_index: Index, watches: Watches) -> None:
    add(watches, new_index, condition="lupus")
    put(new_index, *(trial(n, conditions=("lupus",), status="COMPLETED") for n in range(100, 105 + LISTED)))
    [update] = find_updates(new_index, watches)
    assert (update.count, len(update.lines)) == (LISTED + 5, LISTED + 1)
    assert update.lines[-1] == "and 5 more"
    assert update.title == f"{LISTED + 5} studies that came into the index: {LISTED + 5} that ended"

"""Word reaches every notifier at least once, under one key, and tells strangers nothing that was typed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.helpers import ListSource, trial
from support.watching_cases import Mailbox, Postcard, add_fakes, said
from trialindex.errors import IndexDamaged, NotifierError, PluginError, WatchError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.storage.lock import WATCHES as NAME
from trialindex.testing import BruteForceStore
from trialindex.watching import Watches, baseline, deliver, find_updates, send_test, watch_for
from trialindex.watching.delivery import notifier_config

pytestmark = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)

CONDITION = "my secret lupus words"


@pytest.fixture
def watches(new_index: Index, registered: Plugins) -> Iterator[Watches]:
    """One watch, and a mailbox."""
    add_fakes(registered)
    with Watches(new_index.folder, create=True) as made:
        made.add(*baseline(new_index, watch_for(new_index, condition="lupus", name=CONDITION)))
        made.add_notifier(notifier_config("mailbox:home", {}))
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time that deliveries see: put another first."""
    now = [datetime(2026, 7, 1, 12, tzinfo=UTC)]
    monkeypatch.setattr("trialindex.watching.clock.now", lambda: now[0])
    return now


def news(index: Index, watches: Watches, number: int) -> None:
    """One new trial, told."""
    index.ingest(ListSource(trial(number, conditions=("lupus",), url=f"https://example.org/{number}")))
    assert said(find_updates(index, watches)) == [(1, "new", f"T-{number}")]


def test_what_is_told_is_delivered_once(new_index: Index, watches: Watches) -> None:
    news(new_index, watches, 1)
    assert [(one.accepted, one.error) for one in deliver(watches)] == [(1, "")]
    assert deliver(watches) == []
    [got] = Mailbox.got
    assert got.updates == tuple(watches.updates())
    assert len(got.key) == 64
    assert datetime.fromisoformat(got.created).utcoffset() == timedelta(0)
    one = watches.notifier(1)
    assert (one.sent, one.waiting, one.suspended) == (1, 0, 0)
    assert one.last_sent


def test_all_news_of_a_round_is_one_delivery_for_each_notifier(new_index: Index, watches: Watches) -> None:
    watches.add_notifier(notifier_config("mailbox:work", {}))
    watches.add(*baseline(new_index, watch_for(new_index, condition="asthma")))
    new_index.ingest(ListSource(trial(1, conditions=("lupus",)), trial(2, conditions=("asthma",))))
    find_updates(new_index, watches)
    deliver(watches)
    assert [said(got.updates) for got in Mailbox.got] == [[(1, "new", "T-1"), (2, "new", "T-2")]] * 2
    assert len({got.key for got in Mailbox.got}) == 2


def test_a_notifier_is_told_from_when_it_was_added(new_index: Index, watches: Watches) -> None:
    news(new_index, watches, 1)
    watches.add_notifier(notifier_config("mailbox:late", {}))
    news(new_index, watches, 2)
    deliver(watches)
    assert [said(got.updates)[0][2] for got in Mailbox.got] == ["T-1", "T-2", "T-2"]


# --- privacy ----------------------------------------------------------------------------------------------------------


def test_nothing_that_was_typed_leaves_the_machine(new_index: Index, watches: Watches) -> None:
    watches.add(*baseline(new_index, watch_for(new_index, query="lupus and swollen ankles of mine", level=-1)))
    watches.add(*baseline(new_index, watch_for(new_index, condition="lupus", country=["Malta"])))
    watches.add_notifier(notifier_config("postcard:somebody", {}))
    new_index.ingest(ListSource(trial(1, conditions=("SLE",), sites=({"country": "Malta"},))))
    find_updates(new_index, watches)
    new_index.remove(["T-1"])
    find_updates(new_index, watches)
    deliver(watches)
    sent = msgspec.json.encode(Postcard.got).decode()
    assert len(Postcard.got) == 2
    assert sent.count('"asked":null') == 6
    for typed in (CONDITION, "swollen", "ankles", "condition lupus"):
        assert typed not in sent
    assert CONDITION in msgspec.json.encode(Mailbox.got).decode(), "what stays here says whose news it is"


# --- failures ---------------------------------------------------------------------------------------------------------


def test_what_fails_is_tried_again_later_and_later(new_index: Index, watches: Watches, clock: list[datetime]) -> None:
    news(new_index, watches, 1)
    Mailbox.problem = NotifierError("the letter box is full.", hint="Empty it.")
    pauses = []
    for _ in range(12):
        [one] = deliver(watches)
        assert (one.accepted, one.error, one.suspended) == (0, "the letter box is full. Empty it.", 0)
        assert deliver(watches)[0].error == "", "it is not due"
        due = datetime.fromisoformat(watches.notifier(1).due)
        pauses.append((due - clock[0]).total_seconds() / 60)
        clock[0] = due
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == 24 * 60
    one_now = watches.notifier(1)
    assert (one_now.waiting, one_now.attempts, one_now.error) == (1, 12, "the letter box is full. Empty it.")
    Mailbox.problem = None
    [sent] = deliver(watches)
    assert (sent.accepted, len(Mailbox.got)) == (1, 1)
    assert watches.notifier(1).error == ""


def test_a_clock_that_was_set_back_delays_nothing(new_index: Index, watches: Watches, clock: list[datetime]) -> None:
    news(new_index, watches, 1)
    Mailbox.problem = NotifierError("the letter box is full.")
    right, clock[0] = clock[0], clock[0] + timedelta(days=400)
    deliver(watches)
    clock[0] = right
    [one] = deliver(watches)
    assert one.error == "the letter box is full.", "what was put off for more than the longest pause is due"
    [one] = deliver(watches)
    assert (one.accepted, one.error) == (0, ""), "and was put off by the clock of now"
    clock[0] += timedelta(minutes=20)
    Mailbox.problem = None
    [one] = deliver(watches)
    assert one.accepted == 1


@pytest.mark.parametrize("damage", ["'{'", "x'ff'", "cast(x'22ff22' as text)", "5", "'[]'", "NULL"])
@pytest.mark.parametrize(
    ("table", "column"),
    [("watches", "filters"), ("updates", "content"), ("notifiers", "options"), ("outbox", "content")],
)
def test_damaged_bytes_in_the_file_are_one_error(
    new_index: Index, watches: Watches, table: str, column: str, damage: str
) -> None:
    news(new_index, watches, 1)
    with sqlite3.connect(watches.folder / NAME) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table'")
    db.close()
    with sqlite3.connect(watches.folder / NAME) as db:
        db.execute(f"UPDATE {table} SET {column} = {damage}")
    db.close()
    reads: dict[str, Callable[[Watches], Any]] = {
        "watches": Watches.all,
        "updates": Watches.updates,
        "notifiers": Watches.notifiers,
        "outbox": lambda watches: watches.due(1),
    }
    with Watches(new_index.folder) as again:
        with pytest.raises(IndexDamaged, match=NAME) as raised:
            reads[table](again)
        assert "\n" not in str(raised.value)
        assert list(again.damage())


def test_a_delivery_is_the_same_at_every_attempt(new_index: Index, watches: Watches, clock: list[datetime]) -> None:
    tried: list[Any] = []

    def refuse(self: Mailbox, parcel: Any) -> None:
        tried.append(parcel)
        raise RuntimeError("full")

    news(new_index, watches, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Mailbox, "send", refuse)
        deliver(watches)
        clock[0] += timedelta(days=2)
        news(new_index, watches, 2)
        deliver(watches)
    clock[0] += timedelta(days=2)
    deliver(watches)
    assert {got.key: got for got in Mailbox.got} == {got.key: got for got in [*tried, *Mailbox.got]}
    assert [said(got.updates)[0][2] for got in Mailbox.got] == ["T-1", "T-2"]


def test_news_waits_no_longer_for_what_failed_before(new_index: Index, watches: Watches, clock: list[datetime]) -> None:
    """A delivery that its receiver never takes does not hold up those after it."""
    news(new_index, watches, 1)
    send = Mailbox.send

    def choosy(self: Mailbox, parcel: Any) -> None:
        if parcel.updates[0].trial == "T-1":
            raise NotifierError("not this one.")
        send(self, parcel)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Mailbox, "send", choosy)
        deliver(watches)
        clock[0] += timedelta(days=2)
        news(new_index, watches, 2)
        [one] = deliver(watches)
    assert (one.accepted, one.error) == (1, "not this one.")


def test_a_refusal_for_good_is_parked_until_a_test_succeeds(new_index: Index, watches: Watches) -> None:
    news(new_index, watches, 1)
    news(new_index, watches, 2)
    Mailbox.problem = NotifierError("there is no such letter box.", permanent=True)
    [one] = deliver(watches)
    assert (one.accepted, one.suspended) == (0, 2)
    Mailbox.problem = None
    assert deliver(watches) == []
    assert (watches.notifier(1).suspended, watches.notifier(1).waiting) == (2, 0)
    tested = send_test(watches, 1)
    assert (tested.suspended, tested.waiting, tested.error) == (0, 2, "")
    [sent] = deliver(watches)
    assert sent.accepted == 2
    assert [got.updates[0].trial for got in Mailbox.got] == ["TEST", "T-1", "T-2"]


@pytest.mark.parametrize("problem", [ZeroDivisionError("0"), SystemExit(3), RuntimeError("two\nlines")])
def test_a_strangers_failure_harms_no_other_notifier(
    new_index: Index, watches: Watches, problem: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Postcard, parcel: Any) -> None:
        raise problem

    monkeypatch.setattr(Postcard, "send", fail)
    watches.add_notifier(notifier_config("postcard", {}))
    watches.add_notifier(notifier_config("mailbox:other", {}))
    news(new_index, watches, 1)
    first, second, third = deliver(watches)
    assert (first.accepted, second.accepted, third.accepted) == (1, 0, 1)
    assert type(problem).__name__ in second.error
    assert "\n" not in second.error
    with pytest.raises(NotifierError, match='the notifier "postcard" failed'):
        send_test(watches, 2)


def test_a_notifier_that_is_no_longer_installed_waits(new_index: Index, watches: Watches) -> None:
    with watches.transaction():
        watches._db.execute("UPDATE notifiers SET name = 'gone'")
    news(new_index, watches, 1)
    [one] = deliver(watches)
    assert 'unknown notifier "gone"' in one.error
    assert (watches.notifier(1).waiting, watches.notifier(1).is_local(watches.plugins)) == (1, False)
    with pytest.raises(PluginError, match="unknown notifier"):
        send_test(watches, 1)


def test_ctrl_c_during_a_delivery_leaves_it_waiting(new_index: Index, watches: Watches) -> None:
    news(new_index, watches, 1)
    Mailbox.problem = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        deliver(watches)
    Mailbox.problem = None
    assert deliver(watches)[0].accepted == 1


# --- notifiers --------------------------------------------------------------------------------------------------------


def test_a_test_says_that_it_is_one(new_index: Index, watches: Watches) -> None:
    send_test(watches, 1)
    send_test(watches, 1)
    first, second = Mailbox.got
    assert first.key != second.key, "else the second would be taken for the first"
    [update] = first.updates
    assert (update.trial, update.watch) == ("TEST", 0)
    assert "test" in update.title
    assert watches.updates() == []


def test_a_notifier_is_kept_with_its_options_and_made_where_it_was_set_up(
    new_index: Index, watches: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    one = watches.add_notifier(notifier_config("mailbox", {"colour": "red", "other": None}))
    assert (one.num, one.spec, one.options, one.is_local(watches.plugins)) == (2, "mailbox", {"colour": "red"}, True)
    monkeypatch.chdir(tmp_path)
    where: list[tuple[Path, Any]] = []
    monkeypatch.setattr(Mailbox, "send", lambda self, parcel: where.append((Path.cwd(), self.given)))
    news(new_index, watches, 1)
    deliver(watches)
    assert where[1] == (
        tmp_path / "there",
        {"colour": "red"},
    )
    assert Path.cwd() == tmp_path


def test_a_notifier_that_cannot_be_used_is_not_kept(new_index: Index, watches: Watches) -> None:
    with pytest.raises(NotifierError, match="nowhere is no address"):
        notifier_config("mailbox:nowhere", {})
    with pytest.raises(PluginError, match='unknown notifier "mailbx"'):
        notifier_config("mailbx", {})
    with pytest.raises(NotifierError, match="cannot be kept"):
        notifier_config("mailbox", {"colour": object()})


def test_a_removed_notifier_is_sent_nothing_more(new_index: Index, watches: Watches) -> None:
    news(new_index, watches, 1)
    watches.remove_notifier(1)
    assert deliver(watches) == []
    with pytest.raises(WatchError, match="no notifier 1"):
        send_test(watches, 1)
    assert watches.add_notifier(notifier_config("mailbox", {})).num == 2

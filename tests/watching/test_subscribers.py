"""People who sign up at a public server: who asked, who confirmed, what they are told, and what is left of them."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.helpers import ListSource, trial
from support.watching_cases import Letters, Mailbox, add_fakes
from trialindex.errors import IndexDamaged, NotifierError, WatchError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.storage.lock import MAILS, write_lock
from trialindex.testing import BruteForceStore
from trialindex.trial import Trial
from trialindex.watching import MailResult, MailSettings, PublicLinks, Subscribers, Watches, send_mails, sync, watch_for
from trialindex.watching import mailing as module
from trialindex.watching import subscribers as people

pytestmark = pytest.mark.parametrize("store", [BruteForceStore.name], indirect=True)

ANNA, BEN = "anna@example.org", "ben@example.org"
SITE = "https://trials.example.org"
LINKS = PublicLinks(
    site="trials.example.org",
    confirm=f"{SITE}/confirm/{{}}",
    stop=f"{SITE}/stop/{{}}",
    manage=f"{SITE}/manage/{{}}",
    trial=f"{SITE}/trial/{{}}",
)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "subscribers.key"


@pytest.fixture
def subscribers(new_index: Index, registered: Plugins, key_file: Path) -> Iterator[Subscribers]:
    """Nobody yet, beside an index of two trials."""
    add_fakes(registered)
    put(new_index, lupus(1), trial(2, conditions=("Asthma",), status="RECRUITING"))
    settings = MailSettings(notifier="letters", options={}, key_file=str(key_file))
    with Subscribers.set_up(new_index.folder, settings) as made:
        made.set_links(LINKS)
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time: put another first."""
    now = [datetime(2026, 7, 1, 12, tzinfo=UTC)]
    monkeypatch.setattr("trialindex.watching.clock.now", lambda: now[0])
    return now


def lupus(number: int, **fields: Any) -> Trial:
    return trial(number, **{"conditions": ("Lupus",), "status": "RECRUITING", **fields})


def put(index: Index, *trials: Trial) -> None:
    index.ingest(ListSource(*trials))


def ask(subscribers: Subscribers, index: Index, address: str = ANNA, **wanted: Any) -> None:
    subscribers.sign_up(address, [watch_for(index, **wanted or {"condition": "lupus"})], "1")


def last_token(page: str = "confirm") -> str:
    """The token of the last invitation."""
    return Letters.asked[-1][1].confirm.rpartition("/")[2]


def join(subscribers: Subscribers, index: Index, address: str = ANNA, **wanted: str) -> str:
    """Sign somebody up who presses the button; the token of their page."""
    ask(subscribers, index, address, **wanted)
    send_mails(subscribers)
    links = subscribers.confirm(index, last_token())
    assert links is not None
    return links.manage.rpartition("/")[2]


def tell(index: Index, subscribers: Subscribers) -> list[tuple[str, str, str]]:
    """Sync; to whom what was told of which trial."""
    before = len(Letters.told)
    with Watches(index.folder) as watches:
        assert not sync(index, watches, subscribers).failed
    return [(to, update.kind, update.trial) for to, one in Letters.told[before:] for update in one.updates]


# --- signing up -------------------------------------------------------------------------------------------------------


def test_nobody_is_told_anything_who_did_not_confirm(new_index: Index, subscribers: Subscribers) -> None:
    ask(subscribers, new_index)
    assert send_mails(subscribers) == MailResult(sent=1)
    [(to, invitation)] = Letters.asked
    assert to == ANNA
    assert invitation.confirm == f"{SITE}/confirm/{last_token()}"
    assert send_mails(subscribers) == MailResult(), "they are asked once"
    assert subscribers.pending_sign_up(last_token()) is not None, "to look confirms nothing"
    put(new_index, lupus(3))
    assert tell(new_index, subscribers) == []
    assert subscribers.rows.counts()["subscribers"] == 0


def test_who_confirms_is_told_of_what_comes_from_then_on(new_index: Index, subscribers: Subscribers) -> None:
    join(subscribers, new_index)
    assert tell(new_index, subscribers) == [], "what is there already is not news"
    put(new_index, lupus(3), trial(4, conditions=("Asthma",)))
    assert tell(new_index, subscribers) == [(ANNA, "new", "T-3")]
    assert tell(new_index, subscribers) == []
    put(new_index, lupus(3, status="COMPLETED"))
    assert tell(new_index, subscribers) == [(ANNA, "changed", "T-3")]


def test_a_token_works_once_and_for_two_days(new_index: Index, subscribers: Subscribers, clock: list[datetime]) -> None:
    join(subscribers, new_index)
    assert subscribers.confirm(new_index, last_token()) is None
    ask(subscribers, new_index, BEN)
    send_mails(subscribers)
    clock[0] += people.PENDING + timedelta(seconds=1)
    assert subscribers.confirm(new_index, last_token()) is None
    send_mails(subscribers)
    assert subscribers.rows.counts()["sign_ups"] == 0, "nothing is left of it"
    for guess in ("", "x", "é", last_token()[:-1], last_token().lower()):
        assert subscribers.confirm(new_index, guess) is None


def test_the_same_happens_for_every_address(new_index: Index, subscribers: Subscribers) -> None:
    """Known, unknown, asked often: the same statements, and the same answer."""
    join(subscribers, new_index, ANNA)
    statements: list[list[str]] = []
    for address in (ANNA, ANNA.upper(), BEN, BEN, BEN, BEN, BEN):
        seen: list[str] = []
        subscribers.rows._db.set_trace_callback(seen.append)
        ask(subscribers, new_index, address)
        statements.append(seen)
    subscribers.rows._db.set_trace_callback(None)
    assert [[sql.partition(" VALUES")[0] for sql in seen] for seen in statements] == [
        ["INSERT INTO sign_ups (address, token, made, sealed)"]
    ] * 7


def test_nobody_can_fill_the_mailbox_of_somebody_else(new_index: Index, subscribers: Subscribers) -> None:
    for _ in range(9):
        ask(subscribers, new_index)
    ask(subscribers, new_index, BEN)
    send_mails(subscribers)
    asked = [to for to, _ in Letters.asked]
    assert (asked.count(ANNA), asked.count(BEN)) == (module.ASKED_AT_ONCE, 1)


def test_what_is_asked_for_twice_is_followed_once(new_index: Index, subscribers: Subscribers) -> None:
    token = join(subscribers, new_index)
    assert join(subscribers, new_index, ANNA.upper()) == token, "the address is the same one"
    join(subscribers, new_index, trial="T-1")
    row, _ = subscribers.managed_by(token) or pytest.fail("no page")
    assert [one.watch.subject for one in subscribers.followed(row)] == ["lupus", "T-1"]
    put(new_index, lupus(1, status="SUSPENDED"), lupus(5))
    assert sorted(tell(new_index, subscribers)) == [(ANNA, "changed", "T-1"), (ANNA, "new", "T-5")]


def test_one_address_follows_so_many_things(
    new_index: Index, subscribers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MOST", 1)
    token = join(subscribers, new_index)
    ask(subscribers, new_index, condition="asthma")
    send_mails(subscribers)
    with pytest.raises(WatchError, match="can follow 1 thing"):
        subscribers.confirm(new_index, last_token())
    row, _ = subscribers.managed_by(token) or pytest.fail("no page")
    assert len(subscribers.followed(row)) == 1


def test_an_address_that_is_none_is_refused(new_index: Index, subscribers: Subscribers) -> None:
    with pytest.raises(NotifierError):
        ask(subscribers, new_index, "nowhere")
    assert subscribers.rows.counts()["sign_ups"] == 0


# --- what they are told -----------------------------------------------------------------------------------------------


def test_a_mail_names_pages_and_not_the_words_of_the_person(new_index: Index, subscribers: Subscribers) -> None:
    token = join(subscribers, new_index, condition="Lupus")
    put(new_index, lupus(3), lupus(4, status="COMPLETED"))
    tell(new_index, subscribers)
    [(_, delivery)] = Letters.told
    assert delivery.subscriber is not None
    assert delivery.subscriber.manage == f"{SITE}/manage/{token}"
    assert delivery.subscriber.stop.startswith(f"{SITE}/stop/")
    assert [update.asked for update in delivery.updates] == [None, None]
    assert [update.url for update in delivery.updates] == [f"{SITE}/trial/T-3", None]
    assert [update.kind for update in delivery.updates] == ["new", "backlog"], "what is over is a line with a count"
    row, _ = subscribers.managed_by(token) or pytest.fail("no page")
    assert {update.asked for update in subscribers.news(row)} == {"the condition Lupus"}, "they alone read their page"


def test_what_two_things_have_in_common_is_told_once(new_index: Index, subscribers: Subscribers) -> None:
    join(subscribers, new_index, condition="lupus")
    join(subscribers, new_index, trial="T-1")
    join(subscribers, new_index, BEN, trial="T-1")
    put(new_index, lupus(1, status="SUSPENDED"))
    assert sorted(tell(new_index, subscribers)) == [(ANNA, "changed", "T-1"), (BEN, "changed", "T-1")]


def test_a_mail_that_could_not_be_sent_goes_out_later_under_its_key(
    new_index: Index, subscribers: Subscribers, clock: list[datetime]
) -> None:
    join(subscribers, new_index)
    put(new_index, lupus(3))
    Mailbox.problem = NotifierError(f"the server refuses <{ANNA}> for now.")
    with Watches(new_index.folder) as watches:
        result = sync(new_index, watches, subscribers)
    assert result.mails == MailResult(error="the server refuses <…> for now.")
    assert result.failed
    Mailbox.problem = None
    assert send_mails(subscribers) == MailResult(), "not at once"
    clock[0] += timedelta(minutes=6)
    assert send_mails(subscribers) == MailResult(sent=1)


def test_a_refusal_for_good_ends_a_mail_and_a_server_that_is_down_is_left_alone(
    new_index: Index, subscribers: Subscribers, clock: list[datetime]
) -> None:
    for number in range(8):
        ask(subscribers, new_index, f"p{number}@example.org")
    tried = 0

    class Counted(Exception):
        pass

    Mailbox.problem = NotifierError("there is no such address.", permanent=True)
    assert send_mails(subscribers) == MailResult(refused=8)
    assert subscribers.rows.counts()["sign_ups"] == 0
    for number in range(8):
        ask(subscribers, new_index, f"p{number}@example.org")
    Mailbox.problem = Counted("down")
    result = send_mails(subscribers)
    assert "Counted" in result.error
    tried = sum(row.attempts for row in subscribers.rows.uninvited("9999", ""))
    assert tried == module.FAILURES
    Mailbox.problem = None
    assert send_mails(subscribers) == MailResult(sent=5)
    clock[0] += timedelta(minutes=6)
    assert send_mails(subscribers) == MailResult(sent=3)


def test_one_process_sends_at_a_time(new_index: Index, subscribers: Subscribers) -> None:
    ask(subscribers, new_index)
    with write_lock(new_index.folder, name=MAILS):
        assert send_mails(subscribers) == MailResult()
    assert send_mails(subscribers) == MailResult(sent=1)


def test_a_topic_that_cannot_be_followed_is_said_without_its_words(
    new_index: Index, subscribers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(subscribers, new_index, query="violet kidneys")
    put(new_index, lupus(3))

    def fail(*_: Any, **__: Any) -> None:
        raise WatchError("violet kidneys cannot be asked for.")

    monkeypatch.setattr(Index, "query", fail)
    with Watches(new_index.folder) as watches:
        [line] = sync(new_index, watches, subscribers).unfollowed
    assert "violet" not in line


# --- leaving, and what is kept ----------------------------------------------------------------------------------------


def test_whoever_stops_is_deleted(new_index: Index, subscribers: Subscribers) -> None:
    join(subscribers, new_index)
    put(new_index, lupus(3))
    tell(new_index, subscribers)
    [(_, delivery)] = Letters.told
    assert delivery.subscriber is not None
    token = delivery.subscriber.stop.rpartition("/")[2]
    subscribers.stop("guess")
    assert subscribers.rows.counts()["subscribers"] == 1
    ask(subscribers, new_index, condition="asthma")
    for _ in range(2):  # a mail program may ask twice
        subscribers.stop(token)
    assert set(subscribers.rows.counts().values()) == {0}
    assert subscribers.rows.topics() == []


def test_each_thing_can_be_followed_no_more_and_with_the_last_one_goes_everything(
    new_index: Index, subscribers: Subscribers
) -> None:
    join(subscribers, new_index)
    token = join(subscribers, new_index, condition="asthma")
    other = join(subscribers, new_index, BEN)
    row, _ = subscribers.managed_by(token) or pytest.fail("no page")
    first, second = subscribers.followed(row)
    theirs, _ = subscribers.managed_by(other) or pytest.fail("no page")
    subscribers.drop(theirs, first.num)
    assert len(subscribers.followed(row)) == 2, "another one cannot end it"
    subscribers.drop(row, second.num)
    assert [one.watch.subject for one in subscribers.followed(row)] == ["lupus"]
    subscribers.drop(row, first.num)
    assert subscribers.managed_by(token) is None
    assert subscribers.managed_by(other) is not None


def test_all_that_is_kept_can_be_taken_along(new_index: Index, subscribers: Subscribers) -> None:
    token = join(subscribers, new_index, condition="lupus")
    put(new_index, lupus(3))
    tell(new_index, subscribers)
    row, _ = subscribers.managed_by(token) or pytest.fail("no page")
    kept = json.loads(json.dumps(subscribers.export(row)))
    assert kept["address"] == ANNA
    [followed] = kept["followed"]
    assert (followed["kind"], followed["subject"]) == ("condition", "lupus")
    assert followed["consent"]["version"] == "1"
    assert followed["consent"]["given"] <= followed["consent"]["confirmed"]
    assert [one["trial"] for one in kept["told"]] == ["T-3"]


def test_after_a_year_they_are_asked_again_and_then_deleted(
    new_index: Index, subscribers: Subscribers, clock: list[datetime]
) -> None:
    for address in (ANNA, BEN):
        join(subscribers, new_index, address)
    clock[0] += people.KEPT - timedelta(days=20)
    assert send_mails(subscribers) == MailResult(sent=2)
    asked = dict(Letters.asked[-2:])
    assert asked[ANNA].renewal
    assert send_mails(subscribers) == MailResult(), "they are asked once"
    row, _ = subscribers.managed_by(asked[ANNA].confirm.rpartition("/")[2]) or pytest.fail("no page")
    subscribers.renew(row)
    clock[0] += timedelta(days=31)
    send_mails(subscribers)
    assert subscribers.known_as(ANNA) is not None
    assert subscribers.known_as(BEN) is None


def test_who_could_not_be_asked_again_is_not_deleted_for_it(
    new_index: Index, subscribers: Subscribers, clock: list[datetime]
) -> None:
    join(subscribers, new_index)
    clock[0] += people.KEPT + timedelta(days=2)
    assert send_mails(subscribers) == MailResult(sent=1)
    clock[0] += module.NOTICE - timedelta(days=1)
    send_mails(subscribers)
    assert subscribers.known_as(ANNA) is not None, "they have a month from the day on which they were asked"
    clock[0] += timedelta(days=2)
    send_mails(subscribers)
    assert subscribers.known_as(ANNA) is None


def test_news_of_long_ago_are_not_kept(new_index: Index, subscribers: Subscribers, clock: list[datetime]) -> None:
    token = join(subscribers, new_index)
    put(new_index, lupus(3))
    tell(new_index, subscribers)
    row, _ = subscribers.managed_by(token) or pytest.fail("no page")
    assert len(subscribers.news(row)) == 1
    clock[0] += module.NEWS_KEPT + timedelta(days=1)
    send_mails(subscribers)
    assert subscribers.news(row) == []


# --- the file and the key ---------------------------------------------------------------------------------------------


def test_a_copy_of_the_file_tells_nothing(new_index: Index, subscribers: Subscribers, key_file: Path) -> None:
    token = join(subscribers, new_index, condition="lupus")
    ask(subscribers, new_index, BEN, query="violet kidneys")
    put(new_index, lupus(3))
    tell(new_index, subscribers)
    path = new_index.folder / "subscribers.db"
    content = path.read_bytes().lower().replace(b"trials.example.org", b"")
    for word in (ANNA, BEN, "example.org", "lupus", "violet", "t-3", token, last_token()):
        assert word.lower().encode() not in content, word
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert key_file.stat().st_mode & 0o777 == 0o600


def test_rows_cannot_be_put_in_the_place_of_others(new_index: Index, subscribers: Subscribers) -> None:
    ask(subscribers, new_index)
    [row] = subscribers.rows.uninvited("9999", "")
    with pytest.raises(IndexDamaged, match="cannot be opened"):
        subscribers.seal.decrypt("subscriber", row.sealed, msgspec.Raw)
    broken = bytes([row.sealed[0] ^ 1]) + row.sealed[1:]
    with pytest.raises(IndexDamaged):
        subscribers.seal.decrypt("sign-up", broken, msgspec.Raw)


@pytest.mark.parametrize("wrong", ["gone", "open", "short", "other"])
def test_a_key_that_cannot_be_used_is_said(
    new_index: Index, subscribers: Subscribers, key_file: Path, wrong: str
) -> None:
    match wrong:
        case "gone":
            key_file.unlink()
        case "open":
            key_file.chmod(0o640)
        case "short":
            key_file.write_bytes(b"x")
        case _:
            key_file.write_bytes(bytes(32))
    with pytest.raises((WatchError, IndexDamaged)) as told:
        Subscribers(new_index.folder)
    assert told.value.hint
    settings = MailSettings(notifier="letters", options={"colour": "red"}, key_file=str(key_file))
    with pytest.raises((WatchError, IndexDamaged)):
        Subscribers.set_up(new_index.folder, settings)
    assert key_file.exists() == (wrong != "gone"), "no new key is made where one is missing"


def test_the_key_may_not_lie_in_the_index(new_index: Index, registered: Plugins) -> None:
    add_fakes(registered)
    settings = MailSettings(notifier="letters", options={}, key_file=str(new_index.folder / "key"))
    with pytest.raises(WatchError, match="made to be copied"):
        Subscribers.set_up(new_index.folder, settings)
    assert not Subscribers.exist(new_index.folder)
    with pytest.raises(WatchError, match="is not set up") as told:
        Subscribers(new_index.folder)
    assert "subscribers setup" in told.value.hint


def test_setting_up_again_keeps_everybody(new_index: Index, subscribers: Subscribers, key_file: Path) -> None:
    token = join(subscribers, new_index)
    settings = MailSettings(notifier="letters", options={"colour": "red"}, key_file=str(key_file))
    with Subscribers.set_up(new_index.folder, settings) as again:
        assert again.settings.options == {"colour": "red"}
        assert again.managed_by(token) is not None


def test_what_is_deleted_is_overwritten(new_index: Index, subscribers: Subscribers) -> None:
    ask(subscribers, new_index)
    [row] = subscribers.rows.uninvited("9999", "")
    path = new_index.folder / "subscribers.db"
    assert row.sealed in path.read_bytes()
    subscribers.rows.drop_sign_up(row.num)
    assert row.sealed not in path.read_bytes()


def test_a_file_of_something_else_is_left_alone(new_index: Index, subscribers: Subscribers) -> None:
    subscribers.close()
    path = new_index.folder / "subscribers.db"
    path.write_bytes(b"these are my notes, and no database " * 40)
    with pytest.raises(IndexDamaged):
        Subscribers(new_index.folder)
    assert path.read_bytes().startswith(b"these are my notes")
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE mine (a)").connection.close()
    with pytest.raises(IndexDamaged, match="no database of subscribers"):
        Subscribers(new_index.folder)


def test_a_check_reads_every_row(new_index: Index, subscribers: Subscribers) -> None:
    join(subscribers, new_index)
    put(new_index, lupus(3))
    tell(new_index, subscribers)
    assert subscribers.damage() == []
    subscribers.rows.put_topic(1, b"x" * 100)
    [said] = subscribers.damage()
    assert "cannot be opened" in said
    assert ANNA not in said

"""Sign-up by e-mail at a public server, from the form to the last mail, over a real mail server."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import trialindex_notifiers
from support.helpers import ListSource, trial
from support.smtp_server import Mail, SmtpServer
from support.web_cases import PUBLIC, Browser, Outline, serve
from trialindex.errors import WatchError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.trial import Trial
from trialindex.watching import MailSettings, Subscribers, Watches, send_mails, sync
from trialindex_web import consent, mails
from trialindex_web.application import make_application
from trialindex_web.settings import Settings

ANNA = "anna@example.org"
MARK = "quokkaemia"
AGREED = {"address": ANNA, "consent": consent.VERSION}


@pytest.fixture
def post() -> Iterator[SmtpServer]:
    with SmtpServer() as found:
        yield found


@pytest.fixture
def people(pages: None, index: Index, registered: Plugins, post: SmtpServer, tmp_path: Path) -> Index:
    """An index beside which people can sign up."""
    registered.register(trialindex_notifiers, "notifiers")
    options = {"host": "localhost", "port": post.port, "security": "none", "from_": "news@example.org"}
    settings = MailSettings(notifier="email", options=options, key_file=str(tmp_path / "subscribers.key"))
    Subscribers.set_up(index.folder, settings).close()
    return index


@pytest.fixture
def visitor(people: Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser at the server; a mail goes out when somebody signs up, before the answer is read, and never else."""
    monkeypatch.setattr(mails.Mails, "run", idle)
    monkeypatch.setattr(mails.Mails, "wake", mails.Mails._send)
    with serve(people, public=True, sign_up=True) as made:
        yield made


async def idle(self: mails.Mails) -> None:
    """In place of sending when there is time."""


def links_in(mail: Mail) -> list[str]:
    """The addresses of our server that a mail names, as paths."""
    text = next(iter(mail.message.iter_parts())).get_content()
    return [link.removeprefix(PUBLIC) for link in re.findall(r"https://\S+", text) if link.startswith(PUBLIC)]


def join(visitor: Browser, post: SmtpServer, **fields: Any) -> str:
    """Sign up and press the button; the path of the page of what is kept."""
    answer = visitor.submit("/updates/sign-up", {**AGREED, **(fields or {"trial": "EX-0002"})})
    assert answer.headers["location"] == "/updates/asked", answer.text
    [confirm] = links_in(post.mails[-1])
    done = visitor.client.post(confirm)
    assert done.status_code == 303, done.text
    return done.headers["location"]


def counted(index: Index) -> dict[str, int]:
    with Subscribers(index.folder) as subscribers:
        return subscribers.rows.counts()


def tell(index: Index, *trials: Trial) -> None:
    index.ingest(ListSource(*trials))
    with Watches(index.folder) as watches, Subscribers(index.folder) as subscribers:
        assert not sync(index, watches, subscribers).failed


# --- from the form to the last mail -----------------------------------------------------------------------------------


def test_from_the_page_of_a_study_to_the_news(visitor: Browser, people: Index, post: SmtpServer) -> None:
    sent = visitor.fields("/trial/EX-0002", "/updates/sign-up")
    assert {name for name, _ in sent} >= {"token", "trial", "choose", "this", "address", "website"}
    page = Outline(visitor.get("/trial/EX-0002").text)
    assert page.wrong == []
    answer = visitor.submit("/updates/sign-up", [*sent, ("consent", consent.VERSION), ("address", ANNA)])
    assert (answer.status_code, answer.headers["location"]) == (303, "/updates/asked")
    assert "Look into your mailbox" in visitor.get("/updates/asked").text
    [asked] = post.mails
    assert asked.receivers == (ANNA,)
    [confirm] = links_in(asked)
    assert "changes of the study EX-0002" in visitor.get(confirm).text
    manage = visitor.client.post(confirm).headers["location"]
    mine = visitor.get(manage).text
    assert ANNA in mine
    assert "EX-0002" in mine
    tell(people, trial(7), _changed(people.get("EX-0002")))
    news = post.mails[-1]
    assert news.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"{PUBLIC}/trial/EX-0002" in str(next(iter(news.message.iter_parts())).get_content())
    assert "Changed" in visitor.get(manage).text


def _changed(one: Trial) -> Trial:
    return msgspec.structs.replace(one, status="TERMINATED")


def test_what_is_not_ticked_is_not_followed(visitor: Browser, people: Index, post: SmtpServer) -> None:
    condition = people.get("EX-0002").conditions[0]
    manage = join(visitor, post, trial="EX-0002", choose="1", condition=condition)
    mine = visitor.get(manage).text
    assert f"new studies for {condition}".lower() in mine.lower()
    assert "changes of the study" not in mine.lower()
    refused = visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002", "choose": "1"})
    assert refused.status_code == 422
    assert "Please tick what you want to be told of" in refused.text


def test_a_question_is_followed_and_only_their_own_page_repeats_it(
    visitor: Browser, people: Index, post: SmtpServer
) -> None:
    question = visitor.search(f"{MARK} of the kidney", age="34").rpartition("/")[2]
    visitor.submit("/updates/sign-up", {**AGREED, "question": question})
    [confirm] = links_in(post.mails[-1])
    page = visitor.get(confirm).text
    assert MARK not in page, "somebody else may have typed it, for the owner of the mailbox to read"
    assert "a question that was asked here" in page
    manage = visitor.client.post(confirm).headers["location"]
    assert MARK in visitor.get(manage).text
    assert all(MARK not in mail.content.decode() for mail in post.mails)


def test_a_scanner_confirms_and_ends_nothing(visitor: Browser, people: Index, post: SmtpServer) -> None:
    visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002"})
    [confirm] = links_in(post.mails[-1])
    for _ in range(3):
        assert visitor.get(confirm).status_code == 200
        assert visitor.client.head(confirm).status_code == 200
        assert visitor.client.options(confirm).status_code in (200, 405)
    assert counted(people)["subscribers"] == 0
    manage = visitor.client.post(confirm).headers["location"]
    tell(people, _changed(people.get("EX-0002")))
    stop, kept = (link for link in links_in(post.mails[-1]) if "/updates/" in link)
    assert kept == manage
    for path in (stop, manage, f"{manage}/my-data.json"):
        assert visitor.get(path).status_code == 200
        assert visitor.client.head(path).status_code == 200
    assert counted(people)["subscribers"] == 1
    assert visitor.client.post(confirm).status_code == 404, "it works once"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        ("", ""),
    ],
)
def test_a_mail_program_ends_it_by_one_click(
    visitor: Browser, people: Index, post: SmtpServer, body: str, kind: str
) -> None:
    """RFC 8058: no cookie, no redirect, no form of ours; from anywhere, and as often as it likes."""
    join(visitor, post)
    tell(people, _changed(people.get("EX-0002")))
    header = post.mails[-1].message["List-Unsubscribe"]
    stop = re.findall(r"<https://[^/]+(/[^>]+)>", header)[0]
    visitor.client.cookies.clear()
    for _ in range(2):
        answer = visitor.client.post(
            stop, content=body, headers={"Content-Type": kind, "Origin": "https://mail.test"} if kind else {}
        )
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert set(counted(people).values()) == {0}
    assert visitor.client.post("/updates/unsubscribe/guess").text == answer.text, "nobody learns who is known"


def test_my_data_is_seen_taken_along_changed_and_deleted(visitor: Browser, people: Index, post: SmtpServer) -> None:
    join(visitor, post, trial="EX-0002")
    condition = people.get("EX-0002").conditions[0]
    manage = join(visitor, post, condition=condition)
    export = visitor.get(f"{manage}/my-data.json")
    assert export.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert export.headers["cache-control"] == "no-store"
    kept = export.json()
    assert kept["address"] == ANNA
    assert [one["kind"] for one in kept["followed"]] == ["trial", "condition"]
    assert {one["consent"]["version"] for one in kept["followed"]} == {consent.VERSION}
    drops = re.findall(r'name="do" value="(drop \d+)"', visitor.get(manage).text)
    assert len(drops) == 2
    assert visitor.client.post(manage, data={"do": drops[0]}).status_code == 303
    assert "EX-0002" not in visitor.get(manage).text
    assert visitor.client.post(manage, data={"do": "renew"}).status_code == 303
    for wrong in ("", "x", "drop", "drop x", "drop 99999999999999", "delete 1"):
        assert visitor.client.post(manage, data={"do": wrong}).status_code == 400
    foreign = visitor.client.post(manage, data={"do": "delete"}, headers={"Origin": "https://evil.test"})
    assert foreign.status_code == 403
    assert counted(people)["subscribers"] == 1
    gone = visitor.client.post(manage, data={"do": "delete"})
    assert "What was kept of you is deleted" in gone.text
    assert visitor.get(manage).status_code == 404
    assert set(counted(people).values()) == {0}


# --- one answer for everybody -----------------------------------------------------------------------------------------


def test_the_answer_is_the_same_for_every_address(visitor: Browser, people: Index, post: SmtpServer) -> None:
    join(visitor, post)
    answers = set()
    for address in (ANNA, "nobody@example.org", "ANNA@EXAMPLE.ORG"):
        answer = visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002", "address": address})
        answers.add((answer.status_code, answer.headers["location"], answer.text))
    program = visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002", "website": "https://spam.test"})
    answers.add((program.status_code, program.headers["location"], program.text))
    assert len(answers) == 1
    assert [mail.receivers[0] for mail in post.mails].count("nobody@example.org") == 1
    assert len(post.mails) == 4, "the program was not heard"


def test_a_mail_server_that_is_slow_or_down_changes_no_answer(
    people: Index, post: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request keeps what is asked for; another thread writes to people."""
    woken: list[mails.Mails] = []
    monkeypatch.setattr(mails.Mails, "run", idle)
    monkeypatch.setattr(mails.Mails, "wake", lambda self: woken.append(self))
    with serve(people, public=True, sign_up=True) as visitor:
        before = len(post.mails)
        assert visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002"}).status_code == 303
        assert (len(woken), len(post.mails)) == (1, before)
        assert counted(people)["sign_ups"] == 1
    post.answer("MAIL", "421 4.3.2 shutting down")
    with Subscribers(people.folder) as subscribers:
        assert send_mails(subscribers).error
    assert counted(people)["sign_ups"] == 1, "nothing is lost"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"address": ""}, "no e-mail address"),
        ({"address": "nowhere"}, "no e-mail address"),
        ({"address": "a@b\r\nBcc: c@d"}, "no e-mail address"),
        ({"consent": ""}, "Please tick that you agree"),
        ({"consent": "0"}, "Please tick that you agree"),
        ({"trial": "", "condition": f"{MARK} syndrome"}, "No trial in here names that condition"),
        ({"trial": ""}, "Please tick what you want"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_form_stays_filled(
    visitor: Browser, people: Index, post: SmtpServer, fields: dict[str, str], said: str
) -> None:
    answer = visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002", **fields})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert Outline(answer.text).wrong == []
    if fields.get("trial") != "":
        assert 'value="EX-0002"' in answer.text
    if "address" not in fields:
        assert f'value="{ANNA}"' in answer.text
    assert set(counted(people).values()) == {0}
    assert post.mails == []


def test_an_address_can_be_too_long_or_a_study_unknown(visitor: Browser, people: Index) -> None:
    long = visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002", "address": f"{'x' * 300}@example.org"})
    assert long.status_code == 413
    assert visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-9999"}).status_code == 404
    assert visitor.submit("/updates/sign-up", {**AGREED, "question": "gone"}).status_code == 404
    assert set(counted(people).values()) == {0}


@pytest.mark.parametrize("path", ["confirm", "manage"])
def test_a_guess_opens_nothing(visitor: Browser, path: str) -> None:
    for guess in ("x", "A" * 22, "%00", "é"):
        assert visitor.get(f"/updates/{path}/{guess}").status_code == 404
        assert visitor.client.post(f"/updates/{path}/{guess}", data={"do": "delete"}).status_code == 404
    assert visitor.get("/updates/manage/x/my-data.json").status_code == 404


def test_another_site_cannot_sign_anybody_up(visitor: Browser, people: Index) -> None:
    answer = visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002"}, Origin="https://evil.test")
    assert answer.status_code == 403
    assert visitor.client.post("/updates/sign-up", data={**AGREED, "trial": "EX-0002"}).status_code == 403
    assert counted(people)["sign_ups"] == 0


def test_one_client_signs_up_so_many_an_hour(visitor: Browser) -> None:
    statuses = [visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002"}).status_code for _ in range(8)]
    assert statuses == [303] * 5 + [429] * 3


# --- programs ---------------------------------------------------------------------------------------------------------


def test_programs_sign_people_up_too_and_learn_nothing(visitor: Browser, people: Index, post: SmtpServer) -> None:
    asked = {"address": ANNA, "consent": consent.VERSION}
    for wanted in ({"trial": "ex-0002"}, {"condition": people.get("EX-0002").conditions[0]}, {"query": "lupus"}):
        answer = visitor.client.post("/api/v1/subscriptions", json={**asked, **wanted})
        assert (answer.status_code, answer.json()) == (202, {"status": "asked"}), answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert len(post.mails) == 3
    for wrong in ({}, {"trial": "EX-0002", "query": "lupus"}, {"condition": MARK}):
        assert visitor.client.post("/api/v1/subscriptions", json={**asked, **wrong}).status_code in (422, 429)
    assert "subscribe" in visitor.get("/openapi.json").text


def test_what_waits_is_sent_beside_the_requests(people: Index, post: SmtpServer) -> None:
    """The server itself sends, when it is woken and at its start."""
    with serve(people, public=True, sign_up=True) as visitor:
        visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002"})
        while not post.mails:  # the limit of the test ends this
            time.sleep(0.01)
        assert post.mails[0].receivers == (ANNA,)
    assert counted(people)["sign_ups"] == 1


# --- where nobody can sign up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("public", [False, True])
def test_without_the_setup_nobody_can_sign_up(pages: None, index: Index, public: bool) -> None:
    with serve(index, public=public) as browser:
        for path in ("/updates/asked", "/updates/confirm/x", "/updates/manage/x", "/updates/unsubscribe/x"):
            assert browser.get(path).status_code == 404
        assert 'type="email"' not in browser.get("/trial/EX-0002").text
        assert "subscriptions" not in browser.get("/openapi.json").text


def test_a_key_that_is_gone_is_said_at_the_start(people: Index, tmp_path: Path) -> None:
    (tmp_path / "subscribers.key").unlink()
    settings = Settings.for_address(("127.0.0.1", 8477), public=True, base_url=PUBLIC, sign_up=True)
    with pytest.raises(WatchError, match="cannot be read"):
        make_application(people, settings)


def test_the_text_that_people_agree_to_has_one_version(visitor: Browser) -> None:
    """Another text needs another number, or consents would be to what nobody saw."""
    known = {"1": "e18e962fb8a83dfd"}
    assert known[consent.VERSION] == hashlib.sha256(consent.TEXT.encode()).hexdigest()[:16]
    assert consent.TEXT.partition(",")[0] in visitor.get("/trial/EX-0002").text


def test_every_page_is_whole_and_has_no_word_of_theirs_in_its_title(
    visitor: Browser, people: Index, post: SmtpServer
) -> None:
    visitor.submit("/updates/sign-up", {**AGREED, "trial": "EX-0002"})
    [confirm] = links_in(post.mails[-1])
    answers = {"confirm": visitor.get(confirm)}
    manage = visitor.client.post(confirm).headers["location"]
    tell(people, _changed(people.get("EX-0002")))
    stop = next(link for link in links_in(post.mails[-1]) if "unsubscribe" in link)
    others = ("/updates/asked", manage, stop, "/privacy", "/condition/lupus%20nephritis")
    answers |= {path: visitor.get(path) for path in others}
    for path, answer in answers.items():
        assert answer.status_code == 200, path
        outline = Outline(answer.text)
        assert outline.wrong == [], path
        assert len(outline.find("h1")) == 1
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        if "condition" not in path:
            [title] = re.findall(r"<title>(.*?)</title>", answer.text)
            assert title in {"Confirm", "My updates", "No more e-mails", "Look into your mailbox", "Privacy"}

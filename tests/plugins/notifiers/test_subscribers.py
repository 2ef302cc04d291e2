"""Mails to people who signed up at a public server: how they are asked, and how they stop it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from support.notifier_cases import delivery, update
from support.smtp_server import Mail, SmtpServer
from trialindex.errors import NotifierError
from trialindex.plugin.messages import Invitation, SubscriberLinks
from trialindex_notifiers.email import EmailNotifier
from trialindex_notifiers.file import FileNotifier

SITE = "https://trials.example.org/updates"
LINKS = SubscriberLinks(stop=f"{SITE}/unsubscribe/abc", manage=f"{SITE}/manage/xyz")
ASKED = Invitation(
    key="5e1f",
    created="2026-03-05T07:00:00+00:00",
    site="trials.example.org",
    confirm=f"{SITE}/confirm/123",
    until="2026-03-07T07:00:00+00:00",
)


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as found:
        yield found


def notifier(server: SmtpServer, **options: Any) -> EmailNotifier:
    return EmailNotifier("anna@example.org", host="localhost", port=server.port, security="none", **options)


def texts_of(mail: Mail) -> list[str]:
    return [" ".join(part.get_content().split()) for part in mail.message.iter_parts()]


def test_news_can_be_stopped_by_one_click_of_the_mail_program(server: SmtpServer) -> None:
    """RFC 8058: an https address, and the header that says that a POST there is enough."""
    sent = msgspec.structs.replace(delivery(update()), subscriber=LINKS)
    notifier(server, from_="news@example.org").send(sent)
    [mail] = server.mails
    assert mail.message["List-Unsubscribe"] == f"<{LINKS.stop}>, <mailto:news@example.org?subject=unsubscribe>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.message["List-Id"] == "<news.trials.example.org>"
    assert mail.message["Auto-Submitted"] == "auto-generated"


def test_news_name_pages_and_no_commands(server: SmtpServer) -> None:
    news = [
        update(1, kind="changed", lines=("recruiting → completed",) * 30),
        update(2, kind="backlog", trial="", url=None, count=7, title="7 studies that came into the index"),
        *(update(number) for number in range(3, 40)),
    ]
    sent = msgspec.structs.replace(delivery(*news), subscriber=LINKS)
    notifier(server).send(sent)
    for text in texts_of(server.mails[0]):
        assert LINKS.stop in text
        assert text.count(LINKS.manage) >= 2, "for the rest, and for what is kept"
        assert "trialindex watch" not in text
        assert "trialindex notify" not in text
        assert "trialindex diff" not in text
        assert "trialindex updates" not in text
        assert "And 14 more." in text


def test_whoever_signs_up_is_asked_in_words_of_ours_alone(server: SmtpServer) -> None:
    notifier(server, from_="news@example.org").invite(ASKED)
    [mail] = server.mails
    assert mail.message["Subject"] == "Please confirm your sign-up at trials.example.org"
    assert mail.message["Message-ID"] == "<trialindex.5e1f@example.org>"
    assert "List-Unsubscribe" not in mail.message
    for text in texts_of(mail):
        assert ASKED.confirm in text
        assert "7 March 2026, 07:00 UTC" in text
        assert "press the button" in text


def test_after_a_year_they_are_asked_again(server: SmtpServer) -> None:
    notifier(server).invite(msgspec.structs.replace(ASKED, renewal=True))
    [mail] = server.mails
    assert mail.message["Subject"] == "Do you still want news from trials.example.org?"
    assert all("what is kept of you is deleted" in text for text in texts_of(mail))


@pytest.mark.parametrize("page", ["javascript:alert(1)", "", 'https://x.test/"><b>'])
def test_a_page_that_is_none_is_not_sent(server: SmtpServer, page: str) -> None:
    with pytest.raises(NotifierError):
        notifier(server).invite(msgspec.structs.replace(ASKED, confirm=page))
    assert server.mails == []


def test_a_notifier_that_cannot_ask_says_so(tmp_path: Any) -> None:
    assert not FileNotifier.invites
    with pytest.raises(NotifierError, match="cannot ask people") as told:
        FileNotifier(str(tmp_path / "news")).invite(ASKED)
    assert told.value.permanent

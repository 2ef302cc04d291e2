"""The ``email`` notifier over real sockets: what arrives, and what a refusal means."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import trustme

from support.notifier_cases import delivery, refusal, update
from support.smtp_server import HANG_UP, Greeter, SmtpServer, Step
from trialindex.errors import NotifierError
from trialindex.plugin.trial_page import NOTICE
from trialindex.testing import check_notifier, sample_deliveries
from trialindex.testing.notifying import ASKED
from trialindex_notifiers import email as module
from trialindex_notifiers.email import EmailNotifier, compose, message_id

TO = "anna@example.org"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as found:
        yield found


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost that this process trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return context


def notifier(server: SmtpServer | Greeter, to: str = TO, **options: Any) -> EmailNotifier:
    return EmailNotifier(to, **{"host": "localhost", "port": server.port, "security": "none", **options})


# --- what arrives -----------------------------------------------------------------------------------------------------


def test_it_keeps_the_contract(server: SmtpServer) -> None:
    check_notifier(lambda: notifier(server), lambda: [mail.message["Message-ID"] for mail in server.mails])


def test_the_headers(server: SmtpServer) -> None:
    notifier(server, from_="me@example.net").send(delivery(update(1), update(2, kind="changed"), key="4f2a-1"))
    [mail] = server.mails
    assert (mail.sender, mail.receivers) == ("me@example.net", (TO,))
    assert mail.message["Subject"] == "trialindex: 1 new study, 1 changed study"
    assert mail.message["From"] == "trialindex <me@example.net>"
    assert mail.message["To"] == TO
    assert mail.message["Message-ID"] == "<trialindex.4f2a-1@example.net>"
    assert parsedate_to_datetime(mail.message["Date"]).isoformat() == "2026-03-05T07:00:00+00:00"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["List-Unsubscribe"] == "<mailto:me@example.net?subject=unsubscribe>"


def test_the_name_of_the_computer_is_not_told(server: SmtpServer) -> None:
    notifier(server).send(delivery(update()))
    assert server.mails[0].greeting == "[127.0.0.1]"


def test_plain_text_comes_first_and_html_says_the_same(server: SmtpServer) -> None:
    lines = ("recruiting → completed", "site added: Lyon, France")
    notifier(server).send(delivery(update(1, kind="changed", lines=lines), update(2, watch=5)))
    message = server.mails[0].message
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = (" ".join(part.get_content().split()) for part in message.iter_parts())
    seen = _Reader()
    seen.feed(html)
    for words in (
        "Changed: Home exercise number 1",
        "A new study: Home exercise number 2",
        "NCT00000001",
        "https://clinicaltrials.gov/study/NCT00000001",
        "5 March 2026",
        "It lists a condition of this watch.",
        *lines,
        NOTICE,
        "trialindex watch remove 3",
        "trialindex watch remove 5",
        "trialindex notify remove",
        "Message 4f2a",
    ):
        assert words in text
        assert words in seen.text
    assert text.index(lines[0]) < text.index(lines[1]) < text.index("A new study") < text.index(NOTICE)


class _Reader(HTMLParser):
    """The text of a page, its tags, and every attribute of them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self._pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self._pieces).split())


def test_hostile_text_is_text_and_nothing_is_fetched(server: SmtpServer) -> None:
    for sample in sample_deliveries():
        notifier(server).send(sample)
    for mail in server.mails:
        html = mail.message.get_body(("html",))
        assert html is not None
        seen = _Reader()
        seen.feed(html.get_content())
        assert not seen.tags & {"script", "img", "link", "style", "iframe", "object", "form"}
        assert {name for name, _ in seen.attributes} <= {"lang", "charset", "name", "content", "style", "href"}
        assert all(re.match(r"https?://", value or "") for name, value in seen.attributes if name == "href")
        assert "url(" not in html.get_content()
        for part in mail.message.iter_parts():
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", part.get_content().replace("\r", ""))
        assert max(map(len, mail.content.splitlines())) <= 998
    assert "<script>alert('EX')</script>" in server.mails[2].message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_nothing_that_was_typed_goes_out_even_if_it_is_handed_over(server: SmtpServer) -> None:
    for sample in sample_deliveries(local=True):
        notifier(server).send(sample)
    everything = b"".join(mail.content for mail in server.mails).replace(b"=\r\n", b"")
    assert len(server.mails) == 4
    assert ASKED.encode() not in everything
    assert b"violet" not in everything


def test_the_subject_does_not_tell_what_the_news_are_about(server: SmtpServer) -> None:
    notifier(server).send(delivery(update(title="Lupus nephritis in adults", why="A lupus watch.")))
    assert "upus" not in server.mails[0].message["Subject"]


def test_the_same_delivery_is_the_same_bytes() -> None:
    first, second = (compose(delivery(update()), sender=TO, to=TO).as_bytes() for _ in range(2))
    assert first == second


def test_message_ids_are_valid_and_differ() -> None:
    assert message_id("a.b-1", TO) == "<trialindex.a.b-1@example.org>"
    for odd in ("a@b", "a>b", "..", '"', "a:b"):
        assert re.fullmatch(r"<trialindex\.[0-9a-f]{64}@example\.org>", message_id(odd, TO))
    assert message_id("a@b", TO) != message_id("a>b", TO)


@pytest.mark.parametrize("key", ["", "two words", "a\r\nBcc: eve@example.org", "é", "k" * 65])
def test_a_key_that_could_end_a_header_is_refused(key: str) -> None:
    with pytest.raises(NotifierError, match="key"):
        compose(delivery(update(), key=key), sender=TO, to=TO)


def test_long_addresses_and_keys_stay_readable() -> None:
    sender = f"{'a' * 64}@{'very-long-label-indeed.' * 6}example.org"
    made = compose(delivery(update(), key="k" * 64), sender=sender, to=sender).as_bytes()
    assert f"List-Unsubscribe: <mailto:{sender}?subject=unsubscribe>".encode() in made
    assert message_id("k" * 64, sender).encode() in made


# --- encryption and names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [False, True])
def test_it_sends_encrypted_with_name_and_password(
    certificate: ssl.SSLContext, wrapped: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "a: long = secret")
    with SmtpServer(context=certificate, wrapped=wrapped, users={TO: "a: long = secret"}) as server:
        sender = notifier(server, security="tls" if wrapped else "starttls", user=TO, password_env="MAIL_PASSWORD")
        sender.send(delivery(update()))
        (tmp_path / "password").write_text("a: long = secret\n", encoding="utf-8")
        again = {"user": TO, "password_file": str(tmp_path / "password")}
        notifier(server, security="tls" if wrapped else "starttls", **again).send(delivery(update(), key="b"))
    assert [(mail.encrypted, mail.user, mail.sender) for mail in server.mails] == [(True, TO, TO)] * 2
    assert "a: long = secret" not in str(vars(sender))


def test_a_wrong_password_may_be_mended(certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with SmtpServer(context=certificate, users={TO: "right"}) as server:
        error = refusal(notifier(server, security="starttls", user=TO, password_env="MAIL_PASSWORD"))
    assert "does not let anna@example.org in: 535" in str(error)
    assert "wrong" not in str(error).replace("wrong password", "")
    assert not error.permanent
    assert server.mails == []


def test_a_server_that_wants_a_name_gets_no_mail_without_one(certificate: ssl.SSLContext) -> None:
    with SmtpServer(context=certificate, users={TO: "right"}) as server:
        error = refusal(notifier(server, security="starttls"))
    assert "530" in str(error)
    assert not error.permanent


def test_a_password_that_smtp_cannot_hold(certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "pässword")
    with SmtpServer(context=certificate, users={TO: "right"}) as server:
        error = refusal(notifier(server, security="starttls", user=TO, password_env="MAIL_PASSWORD"))
    assert "not ASCII" in str(error)
    assert "pässword" not in str(error)


def test_the_password_is_read_when_it_is_needed(server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = notifier(server, user=TO, password_env="MAIL_PASSWORD")
    assert "MAIL_PASSWORD is empty or not set" in str(refusal(sender))
    assert not refusal(sender).permanent
    sender = notifier(server, user=TO, password_file="/nowhere/password")
    assert "/nowhere/password" in str(refusal(sender))


def test_a_server_without_starttls_gets_nothing(server: SmtpServer) -> None:
    error = refusal(notifier(server, security="starttls"))
    assert "STARTTLS" in str(error)
    assert not error.permanent
    assert server.mails == []


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    certificate: ssl.SSLContext, wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with SmtpServer(context=certificate, wrapped=wrapped) as server:
        error = refusal(notifier(server, security="tls" if wrapped else "starttls"))
    assert "cannot prove that it is localhost" in str(error)
    assert not error.permanent
    assert server.mails == []


def test_a_certificate_of_another_host_is_refused(certificate: ssl.SSLContext) -> None:
    with SmtpServer(context=certificate, wrapped=True) as server:
        error = refusal(notifier(server, host="127.0.0.1", security="tls"))
    assert "cannot prove that it is 127.0.0.1" in str(error)


def test_tls_to_a_server_that_speaks_plainly(server: SmtpServer) -> None:
    error = refusal(notifier(server, security="tls"))
    assert "no encrypted connection to localhost" in str(error)
    assert "--security" in error.hint


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "answer", "permanent"),
    [
        ("RCPT", "451 4.7.1 greylisted, come back later", False),
        ("RCPT", "452 4.2.2 mailbox full", False),
        ("RCPT", "421 4.3.0 too busy", False),
        ("RCPT", "550 5.1.1 no such user", True),
        ("RCPT", "554 5.7.1 relaying denied", True),
        ("RCPT", "530 5.7.0 authentication required", False),
        ("MAIL", "451 4.3.0 try again", False),
        ("MAIL", "553 5.7.1 not your address", True),
        ("DATA", "451 4.3.0 try again", False),
        ("DATA", "552 5.3.4 message too big", True),
    ],
)
def test_what_may_pass_is_told_from_what_does_not(server: SmtpServer, step: Step, answer: str, permanent: bool) -> None:
    server.answer(step, answer)
    error = refusal(notifier(server))
    assert answer in str(error)
    assert error.permanent is permanent
    assert error.hint
    assert server.mails == []


def test_after_greylisting_the_same_message_is_taken(server: SmtpServer) -> None:
    server.answer("RCPT", "451 4.7.1 greylisted")
    sender = notifier(server)
    refusal(sender)
    sender.send(delivery(update()))
    assert len(server.mails) == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_a_server_that_hangs_up_in_the_middle(server: SmtpServer, step: Step) -> None:
    server.answer(step, HANG_UP)
    error = refusal(notifier(server))
    assert "cut the connection" in str(error)
    assert not error.permanent
    assert server.mails == []


def test_when_the_answer_is_lost_the_second_message_is_seen_to_be_the_first(server: SmtpServer) -> None:
    server.answer("DATA", HANG_UP)
    assert not refusal(notifier(server)).permanent
    notifier(server).send(delivery(update()))
    first, second = server.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert first.content == second.content


@pytest.mark.parametrize("answer", [HANG_UP, "500 what?", "421 gone"])
def test_what_is_said_at_the_end_does_not_matter(server: SmtpServer, answer: str) -> None:
    server.answer("QUIT", answer)
    notifier(server).send(delivery(update()))
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"421 4.3.2 too busy\r\n", "421 4.3.2 too busy"),
        (b"554 5.7.1 not from there\r\n", "554 5.7.1 not from there"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "localhost"),
        (b"220 \x1b[2Jevil\r\n", "cut the connection"),
        (b"\xff\xfe\x00garbage", "localhost"),
    ],
)
def test_a_server_that_does_not_want_to_talk(greeting: bytes, words: str) -> None:
    with Greeter(greeting) as server:
        error = refusal(notifier(server))
    assert words in str(error)
    assert "\x1b" not in str(error)
    assert not error.permanent


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", 0.2)
    with Greeter(b"") as server:
        error = refusal(notifier(server))
    assert "timed out" in str(error)
    assert not error.permanent


def test_a_server_that_is_not_there() -> None:
    with Greeter(b"") as server:
        pass
    error = refusal(notifier(server))
    assert "cannot be reached" in str(error)
    assert not error.permanent


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "options", "words"),
    [
        ("", {}, "there is no e-mail address"),
        ("anna", {}, '"anna" is no e-mail address'),
        ("anna@", {}, "no e-mail address"),
        ("anna@example..org", {}, "no e-mail address"),
        ("anna@example.org\r\nBcc: eve@example.org", {}, "no e-mail address"),
        ("anna@example.org\n", {}, "no e-mail address"),
        ("Anna <anna@example.org>", {}, "no e-mail address"),
        ("änna@example.org", {}, "no e-mail address"),
        (f"{'a' * 65}@example.org", {}, "no e-mail address"),
        ("anna@example.org,ben@example.org", {}, "one address"),
        (TO, {"from_": "x@y\r\nBcc: eve@example.org"}, "--from"),
        (TO, {"host": ""}, "--host"),
        (TO, {"host": "smtp.example.org\r\nx"}, "--host"),
        (TO, {"host": "smtp.example.org", "security": "none"}, "must be encrypted"),
        (TO, {"host": "localhost.example.org", "security": "none"}, "must be encrypted"),
        (TO, {"security": "ssl"}, "Allowed: starttls, tls, none"),
        (TO, {"user": "anna"}, "--password-env or --password-file"),
        (TO, {"password_env": "X"}, "Add --user"),
        (TO, {"user": "anna", "password_env": "X", "password_file": "/x"}, "named twice"),
        (TO, {"user": "anna", "password_file": "~nobody-of-that-name/x"}, "--password-file"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(to: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(NotifierError, match=re.escape(words)) as caught:
        EmailNotifier(to, **{"host": "localhost", "security": "none"} | options)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_unencrypted_only_on_this_computer(host: str) -> None:
    EmailNotifier(TO, host=host, security="none")


def test_a_domain_in_another_script_is_written_as_the_network_writes_it(server: SmtpServer) -> None:
    notifier(server, to="anna@exämple.org").send(delivery(update()))
    assert server.mails[0].receivers == ("anna@xn--exmple-cua.org",)

"""The ``webhook`` notifier over real sockets: what arrives, who vouches for it, and what is tried again."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks import Webhook, WebhookVerificationError

from support.markdown_pages import blocks
from support.notifier_cases import delivery, update
from support.notifier_cases import refusal as refused
from support.paths import ROOT
from support.webhook_server import HANG_UP, Answer, Request, WebhookServer
from trialindex.errors import NotifierError
from trialindex.plugin.http import Pace, retry_after
from trialindex.plugin.trial_page import NOTICE
from trialindex.testing import check_notifier, sample_deliveries
from trialindex.testing.notifying import ASKED
from trialindex_notifiers import webhook as module
from trialindex_notifiers.webhook import WebhookNotifier

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def secret_and_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing for this computer may go there
    monkeypatch.setattr(WebhookNotifier, "pace", Pace(interval=0, timeout=60, retries=3, backoff=0.01, longest=2))


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    with WebhookServer() as found:
        yield found


def notifier(server: WebhookServer, **options: Any) -> WebhookNotifier:
    return WebhookNotifier(server.url, **{"secret_env": "HOOK_SECRET", **options})


def refusal(sender: WebhookNotifier) -> NotifierError:
    error = refused(sender)
    assert "/news" not in str(error), "the path of an address may be as good as a password"
    return error


# --- what arrives -----------------------------------------------------------------------------------------------------


def test_it_keeps_the_contract(server: WebhookServer) -> None:
    check_notifier(lambda: notifier(server), lambda: [got.headers["idempotency-key"] for got in server.requests])


def test_the_request(server: WebhookServer) -> None:
    lines = ("recruiting → completed", "site added: Lyon, France")
    notifier(server).send(delivery(update(1, kind="changed", lines=lines), update(2, url=None), key="4f2a-1"))
    [got] = server.requests
    assert got.path == "/news"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["idempotency-key"] == got.headers["webhook-id"] == "4f2a-1"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    body = json.loads(got.body)
    assert (body["type"], body["timestamp"]) == ("trialindex.news", "2026-03-05T07:00:00Z")
    first, second = body["data"].pop("updates")
    assert body["data"] == {
        "key": "4f2a-1",
        "summary": "1 new study, 1 changed study",
        "notice": NOTICE,
        "stop": ["trialindex watch remove 3", "trialindex notify list", "trialindex notify remove N"],
    }
    assert first == {
        "key": "3:NCT00000001:1",
        "kind": "changed",
        "says": "Changed",
        "trial": "NCT00000001",
        "status": None,
        "count": 1,
        "title": "Home exercise number 1",
        "url": "https://clinicaltrials.gov/study/NCT00000001",
        "when": "2026-03-05",
        "why": "It lists a condition of this watch.",
        "lines": list(lines),
        "watch": 3,
    }
    assert second["url"] is None


def test_nothing_that_was_typed_goes_out_even_if_it_is_handed_over(server: WebhookServer) -> None:
    for sample in sample_deliveries(local=True):
        notifier(server).send(sample)
    everything = "".join(str(got.headers) + got.body.decode() + got.path for got in server.requests)
    assert len(server.requests) == 4
    assert ASKED not in everything
    assert "violet" not in everything


def test_registry_text_arrives_without_what_steers_a_terminal(server: WebhookServer) -> None:
    notifier(server).send(sample_deliveries()[2])
    body = json.loads(server.requests[0].body)
    assert body["data"]["updates"][0]["url"] is None
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", "".join(map(str, body["data"]["updates"][0].values())))


def test_https_with_a_certificate_that_is_vouched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with WebhookServer(context) as server:
        sender = notifier(server)
        assert "localhost cannot prove who it is" in str(refusal(sender))
        assert not refusal(sender).permanent
        assert server.requests == []
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        sender.send(delivery(update()))
        assert len(server.requests) == 1


# --- who vouches for it -----------------------------------------------------------------------------------------------


def verify(request: Request, secret: str = SECRET) -> Any:
    """As a receiver does that uses the library of the specification."""
    return Webhook(secret).verify(request.body, request.headers)


def test_the_signature_is_that_of_the_specification(server: WebhookServer) -> None:
    notifier(server).send(sample_deliveries()[3])
    [got] = server.requests
    assert verify(got)["data"]["key"] == "sample-4"
    with pytest.raises(WebhookVerificationError):
        verify(got, "whsec_" + base64.b64encode(bytes(32)).decode())
    for headers, body in (
        (got.headers, got.body.replace(b"sample-4", b"sample-5")),
        (got.headers | {"webhook-id": "other"}, got.body),
        (got.headers | {"webhook-timestamp": str(int(got.headers["webhook-timestamp"]) + 1)}, got.body),
    ):
        with pytest.raises(WebhookVerificationError):
            verify(Request(got.path, headers, body, got.at))


def test_the_verification_in_the_documentation(server: WebhookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = [block.text for block in blocks(ROOT / "docs" / "notifiers.md") if "def verified(" in block.text]
    page: dict[str, Any] = {}
    exec(code, page)
    notifier(server).send(delivery(update()))
    [got] = server.requests
    assert page["verified"](SECRET, got.headers, got.body) is True
    assert page["verified"](SECRET, got.headers, got.body + b" ") is False
    assert page["verified"]("whsec_" + base64.b64encode(bytes(32)).decode(), got.headers, got.body) is False
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    assert page["verified"](SECRET, got.headers, got.body) is False


def test_the_signature_of_a_known_case() -> None:
    # Worked out with openssl: printf 'k.1700000000.{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f -binary
    assert module.signature(bytes(range(32)), "k", 1_700_000_000, b"{}") == KNOWN


KNOWN = "v1,Xv/r2KQ+6qy6qk28yWohLEE5FXlCh792jbXMjcbLKCs="


def test_each_try_is_signed_with_its_own_time(server: WebhookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_700_000_000, 1_700_000_010))
    monkeypatch.setattr(time, "time", lambda: next(moments))
    server.answer(Answer(503))
    notifier(server).send(delivery(update()))
    first, second = server.requests
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_the_secret_is_read_from_a_file_and_never_held(server: WebhookServer, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    sender = notifier(server, secret_env=None, secret_file=str(tmp_path / "secret"))
    assert SECRET not in str(vars(sender))
    assert sender.given["secret_file"] == str(tmp_path / "secret")
    sender.send(delivery(update()))
    assert verify(server.requests[0])


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2",
        "whsec_",
        "whsec_!!!!",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        base64.b64encode(bytes(32)).decode(),
    ],
)
def test_a_secret_that_is_none_is_never_shown_nor_used(
    server: WebhookServer, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", secret)
    error = refusal(notifier(server))
    assert "secret" in str(error)
    assert error.hint
    assert not error.permanent
    assert server.requests == []
    if len(secret) > 6:
        assert secret not in str(error)


# --- what is tried again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [*(Answer(status) for status in (408, 425, 429, 500, 502, 503, 504)), HANG_UP],
    ids=lambda answer: "cut" if answer.cut else str(answer.status),
)
def test_what_may_pass_is_tried_again_under_the_same_key(server: WebhookServer, answer: Answer) -> None:
    server.answer(answer, answer)
    notifier(server).send(delivery(update()))
    assert [got.headers["idempotency-key"] for got in server.requests] == ["4f2a"] * 3
    assert len({got.body for got in server.requests}) == 1


def test_after_some_tries_it_is_left_for_the_next_run(server: WebhookServer) -> None:
    server.answer(*[Answer(503)] * 9)
    error = refusal(notifier(server))
    assert "localhost answered 503, 4 times in a row." in str(error)
    assert not error.permanent
    assert len(server.requests) == 4


def test_the_waits_grow(server: WebhookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(WebhookNotifier, "pace", Pace(interval=0, retries=3, backoff=1.0, longest=30))
    server.answer(*[Answer(500)] * 3)
    notifier(server).send(delivery(update()))
    assert [0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits)] == [True] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_other_refusals_are_for_good(server: WebhookServer, status: int) -> None:
    server.answer(Answer(status))
    error = refusal(notifier(server))
    assert f"({status})" in str(error)
    assert error.permanent
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server: WebhookServer, status: int) -> None:
    with WebhookServer() as elsewhere:
        server.answer(Answer(status, {"Location": elsewhere.url}))
        error = refusal(notifier(server))
        assert elsewhere.requests == []
    assert "redirects are not followed" in str(error)
    assert error.permanent


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_yes_is_one(server: WebhookServer, status: int) -> None:
    server.answer(Answer(status))
    notifier(server).send(delivery(update()))
    assert len(server.requests) == 1


@pytest.mark.parametrize("date", [False, True])
def test_retry_after_is_obeyed(server: WebhookServer, date: bool) -> None:
    # A date has whole seconds, so that the second after the next is at least one away.
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if date else "1"
    server.answer(Answer(429, {"Retry-After": header}))
    notifier(server).send(delivery(update()))
    first, second = server.requests
    assert second.at - first.at >= 0.9


@pytest.mark.parametrize("header", ["3600", "999999999999999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_receiver_that_asks_for_too_long_a_wait_is_left_alone(server: WebhookServer, header: str) -> None:
    server.answer(Answer(503, {"Retry-After": header}))
    error = refusal(notifier(server))
    assert "asks to wait" in str(error)
    assert not error.permanent
    assert len(server.requests) == 1


@pytest.mark.parametrize("header", ["", "soon", "-1", "²", "nan", "Wed, 99 Oct 2099 07:28:00 GMT"])
def test_a_retry_after_that_says_nothing(header: str) -> None:
    assert retry_after(header) is None


def test_a_receiver_that_does_not_answer(server: WebhookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebhookNotifier, "pace", Pace(interval=0, timeout=0.2, retries=1, backoff=0.01))
    server.answer(Answer(slow=1), Answer(slow=1))
    error = refusal(notifier(server))
    assert "did not answer within" in str(error)
    assert not error.permanent


def test_a_receiver_that_is_not_there() -> None:
    with WebhookServer() as server:
        pass
    error = refusal(notifier(server))
    assert "cannot be reached" in str(error)
    assert not error.permanent


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("", {}, "https address"),
        ("example.org/news", {}, "https address"),
        ("ftp://example.org/", {}, "https address"),
        ("https:///news", {}, "https address"),
        ("https://example.org/a b", {}, "https address"),
        ("https://example.org/\r\nX: y", {}, "https address"),
        ("https://[::1/", {}, "https address"),
        ("http://example.org/news", {}, "must be encrypted"),
        ("http://localhost.example.org/news", {}, "must be encrypted"),
        ("http://10.0.0.1/news", {}, "must be encrypted"),
        ("https://me:pass@example.org/news", {}, "user name or password"),
        ("https://example.org:99999/news", {}, "port"),
        ("https://example.org/news", {"secret_env": ""}, "--secret-env"),
        ("https://example.org/news", {"secret_file": "/x"}, "named twice"),
        ("https://example.org/news", {"secret_env": "", "secret_file": "~nobody-of-that-name/x"}, "--secret-file"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(url: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(NotifierError, match=re.escape(words)) as caught:
        WebhookNotifier(url, **{"secret_env": "HOOK_SECRET"} | options)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_unencrypted_only_on_this_computer(host: str) -> None:
    WebhookNotifier(f"http://{host}:8080/news", secret_env="HOOK_SECRET")

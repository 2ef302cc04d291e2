"""The ``webhook`` notifier, after the Standard Webhooks specification, version 1.0.0."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import click

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery
from trialindex_notifiers import texts
from trialindex_notifiers.secret import Named

if TYPE_CHECKING:
    import httpx2

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes of a secret, as the specification has it
_PASSING = {408, 425, 429}
"""Refusals that may pass, beside those from 500 on: too slow, too early, too many (RFC 9110, 8470, 6585)."""
_MAKE_ONE = (
    "python3 -c \"import base64, secrets; print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
)


@dataclass(frozen=True)
class Pace:
    """How patiently one send tries. All times in seconds.

    :param timeout: for a connection, and for an answer to begin. :param tries: in one send.
    :param backoff: before the second try; it doubles each time, less up to half by chance.
    :param longest: no wait is longer. A receiver that asks for more is left alone until the next run.
    """

    timeout: float = 20.0
    tries: int = 4
    backoff: float = 1.0
    longest: float = 30.0


class _PassingError(Exception):
    """A failure that may pass. :param wait: seconds that the receiver asks to wait, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class WebhookNotifier(Notifier):
    """News as a signed POST of JSON to an address: webhook:URL.

    The address must be https, unless it is on this computer. Each request is signed after the Standard Webhooks
    specification with the secret that you name, and has an Idempotency-Key that stays the same when it is tried again.
    What you typed is not sent; the registry's facts of the trials are. Redirects are not followed.

    \b
    Make a secret:
      python3 -c "import base64, secrets; print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())"
    """

    name: ClassVar[str] = "webhook"
    summary: ClassVar[str] = "News as signed JSON to a web address."
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(["--secret-env"], metavar="NAME", help="The environment variable that holds the secret, whsec_…"),
        click.Option(["--secret-file"], metavar="PATH", help="The file that holds the secret."),
    )
    pace: ClassVar[Pace] = Pace()

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        self._url = argument
        self._host, self._local = _check_address(argument)
        self._secret = Named("secret", options)
        if not self._secret:
            raise NotifierError(
                "webhook needs a secret to sign with.",
                hint=f"Make one: {_MAKE_ONE} and name where it is: --secret-env NAME or --secret-file PATH.",
            )

    def send(self, delivery: Delivery) -> None:
        import httpx2

        key, secret = texts.key(delivery), _decoded(self._secret.read())
        body = payload(delivery)
        with httpx2.Client(
            timeout=self.pace.timeout,
            follow_redirects=False,
            verify=httpx2.create_ssl_context(),
            trust_env=not self._local,  # what goes to this computer goes past no proxy
        ) as client:
            for attempt in range(self.pace.tries):
                try:
                    return self._post(client, key, body, secret)
                except _PassingError as problem:
                    time.sleep(self._wait(attempt, problem))
        raise AssertionError("unreachable: the last try returns or raises")

    def _post(self, client: httpx2.Client, key: str, body: bytes, secret: bytes) -> None:
        """One try. :raises _PassingError: it failed in a way that may pass. :raises NotifierError: for good."""
        import httpx2

        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _user_agent(),
            "Idempotency-Key": key,
            "webhook-id": key,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(secret, key, now, body),
        }
        try:
            with client.stream("POST", self._url, content=body, headers=headers) as answer:
                status, after = answer.status_code, answer.headers.get("retry-after")
        except httpx2.TimeoutException:
            raise _PassingError(f"did not answer within {self.pace.timeout:.0f} s") from None
        except httpx2.ConnectError as problem:
            if "CERTIFICATE_VERIFY_FAILED" in str(problem):
                raise NotifierError(
                    f"{self._host} cannot prove that it is {self._host}: its certificate is not vouched for.",
                    hint="Check the address; for an authority of your own set SSL_CERT_FILE.",
                ) from None
            raise _PassingError(f"cannot be reached ({problem})") from None
        except httpx2.HTTPError:
            raise _PassingError("cut the connection") from None
        if 200 <= status < 300:
            return
        if status in _PASSING or status >= 500:
            raise _PassingError(f"answered {status}", _retry_after(after))
        if 300 <= status < 400:
            raise NotifierError(
                f"{self._host} answered {status}: it sends elsewhere, and redirects are not followed.",
                hint="Add a webhook with the address that it sends to, and remove this one.",
                permanent=True,
            )
        raise NotifierError(
            f"{self._host} refuses the message ({status}).",
            hint="Check the address and the secret with whoever receives it, or remove this webhook.",
            permanent=True,
        )

    def _wait(self, attempt: int, problem: _PassingError) -> float:
        """Seconds before the next try. :raises NotifierError: there is none in this run."""
        later = "It is tried again next time."
        if attempt + 1 == self.pace.tries:
            raise NotifierError(f"{self._host} {problem}, {self.pace.tries} times in a row.", hint=later) from None
        wait = float(self.pace.backoff * 2**attempt)
        wait = min(wait * (1 - random.random() / 2), self.pace.longest)  # noqa: S311 — so that not all come at once
        if problem.wait is None:
            return wait
        if problem.wait > self.pace.longest:
            minutes = max(1, round(problem.wait / 60))
            raise NotifierError(f"{self._host} {problem} and asks to wait {minutes} min.", hint=later) from None
        return max(wait, problem.wait)


def payload(delivery: Delivery) -> bytes:
    """The body of the request, the same for the same delivery."""
    told = texts.data(delivery)
    body = {"type": "trialindex.news", "timestamp": told.pop("created"), "data": told}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature``: HMAC-SHA256 of id, time and body, joined by full stops."""
    digest = hmac.digest(secret, f"{key}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def is_loopback(host: str) -> bool:
    """Whether the host is this computer, by its name (RFC 6761) or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _check_address(url: str) -> tuple[str, bool]:
    """Its host, and whether that is this computer. :raises NotifierError: it cannot be used. The path is not repeated:
    with many receivers it is as good as a password.
    """
    if texts.address(url) is None:
        raise NotifierError(
            "webhook needs an https address in plain ASCII.", hint="For example webhook:https://example.org/news."
        )
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise NotifierError(f"the address at {host} has a port that does not exist.", hint="Mend it.")
    if parts.username is not None or parts.password is not None:
        raise NotifierError(
            f"the address at {host} holds a user name or password, which would be stored.",
            hint="Leave it out: the signature says who sends.",
        )
    local = is_loopback(host)
    if parts.scheme != "https" and not local:
        raise NotifierError(f"what goes to {host} must be encrypted.", hint="Use its https address.")
    return host, local


def _decoded(secret: str) -> bytes:
    """The bytes of a secret as the specification writes them."""
    try:
        if not secret.startswith(_PREFIX):
            raise ValueError
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        if not _SHORTEST <= len(found) <= _LONGEST:
            raise ValueError
    except (ValueError, binascii.Error):
        raise NotifierError(
            f"the secret is not {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64.",
            hint=f"Make one: {_MAKE_ONE}",
        ) from None
    return found


def _retry_after(header: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header: a number or a date (RFC 9110, section 10.2.3); ``None`` without one."""
    if not header:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _user_agent() -> str:
    try:
        return f"trialindex/{metadata.version('trialindex')}"
    except metadata.PackageNotFoundError:
        return "trialindex"

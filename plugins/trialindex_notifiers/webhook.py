"""The ``webhook`` notifier, after the Standard Webhooks specification, version 1.0.0."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

import click

from trialindex.errors import NotifierError
from trialindex.plugin.http import HttpError, Pace, PoliteClient, is_loopback
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery
from trialindex_notifiers import texts
from trialindex_notifiers.secret import Named

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes of a secret, as the specification has it
_MAKE_ONE = (
    "python3 -c \"import base64, secrets; print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
)


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
    pace: ClassVar[Pace] = Pace(interval=0.0, timeout=20.0, retries=3, backoff=1.0, longest=30.0)

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

        key, secret, body = texts.key(delivery), _decoded(self._secret.read()), payload(delivery)

        def headers() -> dict[str, str]:
            now = int(time.time())
            return {
                "Content-Type": "application/json",
                "Idempotency-Key": key,
                "webhook-id": key,
                "webhook-timestamp": str(now),
                "webhook-signature": signature(secret, key, now, body),
            }

        client = PoliteClient(
            self.pace,
            limit=0,  # what a receiver has to say is of no use
            redirects=0,
            insist=True,
            trust_env=not self._local,  # what goes to this computer goes past no proxy
            context=httpx2.create_ssl_context(),
        )
        try:
            with client:
                answer = client.request("POST", self._url, content=body, headers=headers)
        except HttpError as problem:
            hint = "It is tried again next time."
            if problem.kind == "certificate":
                hint = "Check the address; for an authority of your own set SSL_CERT_FILE."
            raise NotifierError(f"{self._host} {problem}.", hint=hint) from None
        self._check(answer.status)

    def _check(self, status: int) -> None:
        """Read the receiver's answer by its status.

        :raises NotifierError: the receiver refuses the message, for good.
        """
        if 200 <= status < 300:
            return
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


def payload(delivery: Delivery) -> bytes:
    """The body of the request, the same for the same delivery."""
    told = texts.data(delivery)
    body = {"type": "trialindex.news", "timestamp": told.pop("created"), "data": told}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature``: HMAC-SHA256 of id, time and body, joined by full stops."""
    digest = hmac.digest(secret, f"{key}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _check_address(url: str) -> tuple[str, bool]:
    """Its host, and whether that is this computer.

    :raises NotifierError: it cannot be used. The path is not repeated:
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

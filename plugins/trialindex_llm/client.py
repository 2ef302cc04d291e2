"""A client of endpoints that speak OpenAI's chat completions: hosted ones, and Ollama, llama.cpp, vLLM and others.

The request is ``POST {base}/chat/completions`` with a model and messages, the answer ``choices[0].message.content``
(OpenAI API reference, *Create chat completion*); no option is used that some of them refuse.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec

from trialindex.errors import TrialIndexError, WriterError
from trialindex.plugin.http import is_loopback, retry_after
from trialindex.trial.sanitize import one_line
from trialindex_llm.answer import BadAnswer

if TYPE_CHECKING:
    import httpx2

DEFAULT_URL = "http://localhost:11434/v1"
URL_VARIABLE = "TRIALINDEX_LLM_URL"
KEY_VARIABLE = "TRIALINDEX_LLM_KEY"
TIMEOUT_VARIABLE = "TRIALINDEX_LLM_TIMEOUT"
DEFAULT_TIMEOUT = 120.0
"""Seconds for an answer to be complete."""


class NoAnswer(Exception):
    """No text came; the message says why, in words that follow a colon, and never holds the key.

    :param sent: whether the request went out.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class _PassingError(NoAnswer):
    """It may go well on a second try.

    :param wait: seconds the server asks to wait, if it does.
    """

    def __init__(self, message: str, wait: float | None = None, *, sent: bool = True) -> None:
        super().__init__(message, sent=sent)
        self.wait = wait


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]


@dataclass(frozen=True)
class Endpoint:
    """Where a model is asked.

    :param url: base address, up to ``/v1``.
    :param key: sent as a bearer token; empty for none.
    :param timeout: seconds for an answer to be complete.
    """

    url: str
    key: str = field(default="", repr=False)
    timeout: float = DEFAULT_TIMEOUT

    backoff: ClassVar[float] = 1.0
    """Seconds before the second try, if the server does not say."""
    longest_wait: ClassVar[float] = 30.0
    """No wait is longer; a server that asks for more is not asked again."""
    limit: ClassVar[int] = 1_000_000
    """Bytes of an answer, at most."""

    @classmethod
    def from_environment(cls, error: type[TrialIndexError] = WriterError) -> Endpoint:
        """The endpoint that the environment variables describe.

        :param error: what is raised when the address, the key or the timeout cannot be used.
        """
        url = (os.environ.get(URL_VARIABLE) or DEFAULT_URL).strip().rstrip("/")
        _check(url, error)
        given = os.environ.get(TIMEOUT_VARIABLE) or str(DEFAULT_TIMEOUT)
        try:
            timeout = float(given)
        except ValueError:
            timeout = 0.0
        if not 0 < timeout <= 3600:
            raise error(f'{TIMEOUT_VARIABLE} is "{given}".', hint="Set it to seconds, from 1 to 3600.")
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not key.isascii() or any(letter.isspace() for letter in key):
            raise error(f"{KEY_VARIABLE} holds what no key holds.", hint="Copy the key again, on one line.")
        return cls(url, key, timeout)

    @property
    def local(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")

    @property
    def where(self) -> str:
        """The server, as a person knows it: its name and port."""
        return urlsplit(self.url).netloc + (" (this machine)" if self.local else "")

    def ask(self, model: str, messages: Sequence[dict[str, str]]) -> str:
        """What the model answers to the messages. A failure that may pass is tried once more.

        :raises NoAnswer: the server cannot be reached, refuses, or does not finish in time.
        :raises BadAnswer: the model stopped before its text was whole.
        """
        body = msgspec.json.encode({"model": model, "messages": list(messages), "stream": False})
        try:
            return self._ask(body)
        except _PassingError as problem:
            wait = self.backoff if problem.wait is None else problem.wait
            if wait > self.longest_wait:
                raise NoAnswer(f"{problem} and asks to wait {wait:.0f} s") from None
            time.sleep(wait)
        return self._ask(body)

    def _ask(self, body: bytes) -> str:
        import httpx2

        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        timeout = httpx2.Timeout(self.timeout, connect=min(self.timeout, 20.0))
        deadline = time.monotonic() + self.timeout
        try:
            # A proxy of the environment has no business between this machine and itself.
            with (
                httpx2.Client(timeout=timeout, trust_env=not self.local, follow_redirects=False) as client,
                client.stream("POST", f"{self.url}/chat/completions", content=body, headers=headers) as response,
            ):
                return self._read(response, self._body(response, deadline))
        except (httpx2.ConnectTimeout, httpx2.ConnectError):
            raise _PassingError(f"{self.where} cannot be reached", sent=False) from None
        except httpx2.TimeoutException:
            raise NoAnswer(
                f"{self.where} did not finish within {self.timeout:g} s; {TIMEOUT_VARIABLE} allows more"
            ) from None
        except httpx2.TransportError:
            raise _PassingError(f"{self.where} cut the connection") from None
        except httpx2.HTTPError:
            raise NoAnswer(f"{self.where} cannot be asked") from None

    def _body(self, response: httpx2.Response, deadline: float) -> bytes:
        """All of the body, if it is not too large and comes in time."""
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self.limit:
                raise NoAnswer(f"{self.where} sends more than {self.limit:,} bytes")
            if time.monotonic() > deadline:
                raise NoAnswer(f"{self.where} did not finish within {self.timeout:g} s; {TIMEOUT_VARIABLE} allows more")
        return bytes(body)

    def _read(self, response: httpx2.Response, body: bytes) -> str:
        status = response.status_code
        if status == 429 or status >= 500:
            raise _PassingError(f"{self.where} answered {status}", retry_after(response.headers.get("retry-after")))
        if response.is_redirect:
            raise NoAnswer(f"{self.where} sends on to another address, which is not followed ({status})")
        if status in (401, 403):
            raise NoAnswer(f"{self.where} refuses the key in {KEY_VARIABLE} ({status})")
        if status != 200:
            raise NoAnswer(f"{self.where} answered {status}{self._error_message(body)}")
        try:
            choice = msgspec.json.decode(body, type=_Completion).choices[0]
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            raise NoAnswer(f"{self.where} answered with something else than a chat completion") from None
        if choice.finish_reason == "length":
            raise BadAnswer("it stopped before its end")
        return choice.message.content or ""

    def _error_message(self, body: bytes) -> str:
        """What an error says, as OpenAI's have it, without the key."""
        with suppress(msgspec.DecodeError, RecursionError, UnicodeError, KeyError, TypeError):
            said = one_line(str(msgspec.json.decode(body)["error"]["message"]))[:150]
            return f": {said.replace(self.key, '…') if self.key else said}"
        return ""


def _check(url: str, error: type[TrialIndexError]) -> None:
    """Make sure that texts and a key can be sent to the address.

    :param error: what is raised when the address is none, is no private way to send a key, or holds one itself.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise error(f"{URL_VARIABLE} is no web address.", hint=f"Write it like {DEFAULT_URL}")
    if parts.username is not None or parts.password is not None:
        raise error(f"{URL_VARIABLE} holds a name or password.", hint=f"Put the key in {KEY_VARIABLE}.")
    if parts.scheme == "http" and not is_loopback(host):
        raise error(
            f"{URL_VARIABLE} leads to {host} without encryption.", hint="Use https, or a server on this machine."
        )

"""A polite HTTP client for plugins that ask a server.

::

    from trialindex.plugin.http import HttpError, PoliteClient

    with PoliteClient(note=context.note) as client:
        answer = client.get("https://example.org/trials", {"page": "1"})

It says who is asking, keeps a second between two requests to one server, tries again what may work the next time (too
many requests, a server's errors, timeouts, cut connections), waits as long as the server asks, and reads no answer
without end.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import metadata
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    import httpx2
    import tenacity

_log = logging.getLogger(__name__)

T = TypeVar("T")

LARGEST = 256 << 20
"""Bytes of an answer, unpacked."""


@dataclass(frozen=True)
class Pace:
    """How hard a server may be pressed. All times in seconds.

    :param interval: at least so long between the starts of two requests to one server.
    :param timeout: for an answer to begin, or to go on.
    :param retries: tries after the first one.
    :param backoff: before the first of them; it doubles each time, less up to half by chance.
    :param longest: no wait is longer. A server that asks for more is left alone.
    """

    interval: float = 1.0
    timeout: float = 60.0
    retries: int = 5
    backoff: float = 2.0
    longest: float = 300.0


class Answer(NamedTuple):
    """What a server answered.

    :param url: the address that answered, after redirects.
    :param body: unpacked.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class PassingError(Exception):
    """A failure that may pass; :meth:`PoliteClient.read` takes it also for an answer that is worth another try.

    The message follows the server's name: ``answered 503``.

    :param wait: seconds the server asks to wait, if it does.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class HttpError(Exception):
    """No answer that can be used; the message follows the server's name: ``did not answer within 60 s``.

    :param kind: ``passing``: it failed each time, or asks for too long a wait; ``unreachable``: it could not be reached
        at all; ``certificate``: it cannot prove who it is; ``size``: its answer is too large; ``redirect``: it sends
        from address to address, or to one that is not encrypted; ``request``: the address cannot be asked.
    """

    Kind = Literal["passing", "unreachable", "certificate", "size", "redirect", "request"]

    def __init__(self, message: str, kind: Kind) -> None:
        super().__init__(message)
        self.kind = kind


class PoliteClient:
    """Asks a server, one request after another.

    :param pace: how fast, and how patiently.
    :param note: told in one line of every retry.
    :param headers: sent with each request, beside the ``User-Agent``.
    :param limit: bytes of an answer at most, unpacked; 0 to leave answers unread.
    :param redirects: how many are followed for one request; never from https to http.
    :param passing: statuses that are worth another try, beside those from 500 on.
    :param insist: try again also where the server cannot be reached at the first request.
    :param trust_env: use the proxies that the environment names.
    :param context: what certificates are checked by, in place of the usual authorities.
    """

    _last_start: ClassVar[dict[str, float]] = {}
    """When the last request to each server began, for all clients of this process."""

    def __init__(
        self,
        pace: Pace = Pace(),
        *,
        note: Callable[[str], None] = lambda message: None,
        headers: Mapping[str, str] | None = None,
        limit: int = LARGEST,
        redirects: int = 5,
        passing: frozenset[int] = frozenset({408, 425, 429}),
        insist: bool = False,
        trust_env: bool = True,
        context: object = None,
    ) -> None:
        import httpx2

        self.pace = pace
        self._note = note
        self._limit = limit
        self._redirects = redirects
        self._passing = passing
        self._reached = insist
        verify = {} if context is None else {"verify": context}
        self._http = httpx2.Client(
            headers={"User-Agent": user_agent(), **(headers or {})},
            timeout=httpx2.Timeout(pace.timeout, connect=min(pace.timeout, 20.0)),
            trust_env=trust_env,
            **verify,  # type: ignore[arg-type]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, url: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """What is at *url*.

        :raises HttpError: no answer came that can be used.
        """
        return self.request("GET", url, parameters)

    def request(
        self,
        method: str,
        url: str,
        parameters: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
        headers: Callable[[], Mapping[str, str]] = dict,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> Answer:
        """The answer to a request, tried again while that may help.

        :param headers: asked before each try, for what holds the time of the request.
        :param progress: told how many bytes came and how many there are, when known.
        :raises HttpError: no answer came that can be used.
        """
        return self.read(
            method, url, lambda answer: answer, parameters, content=content, headers=headers, progress=progress
        )

    def read(
        self,
        method: str,
        url: str,
        convert: Callable[[Answer], T],
        parameters: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
        headers: Callable[[], Mapping[str, str]] = dict,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> T:
        """What *convert* makes of the answer to a request, as :meth:`request` gets it.

        :param convert: raises :class:`PassingError` for an answer that is worth another try, such as one that is cut
            off; whatever else it raises goes to the caller.
        :raises HttpError: no answer came that can be used.
        """
        import httpx2
        import tenacity

        asked = httpx2.URL(url, params=dict(parameters)) if parameters is not None else httpx2.URL(url)
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.pace.retries + 1),
            retry=tenacity.retry_if_exception_type(PassingError),
            wait=self._wait,
            before_sleep=self._tell,
            sleep=lambda seconds: time.sleep(seconds),
            reraise=True,
        )
        try:
            return retrying(lambda: convert(self._ask(method, asked, content, headers, progress)))
        except PassingError as problem:
            times = f", {self.pace.retries + 1} times in a row" if self.pace.retries else ""
            raise HttpError(f"{problem}{times}", "passing") from None

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds before the next try.

        :raises HttpError: the server asks for a longer wait than any.
        """
        problem = state.outcome.exception() if state.outcome else None
        wait = self.pace.backoff * 2 ** (state.attempt_number - 1)
        wait = min(wait * (1 - random.random() / 2), self.pace.longest)  # noqa: S311 — so that not all come at once
        stated = getattr(problem, "wait", None)
        if stated is None:
            return float(wait)
        if stated > self.pace.longest:
            minutes = max(1, round(stated / 60))
            plural = "minute" if minutes == 1 else "minutes"
            raise HttpError(f"{problem} and asks to wait {minutes} {plural}", "passing")
        return float(max(wait, stated))

    def _tell(self, state: tenacity.RetryCallState) -> None:
        problem = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        self._note(f"{problem}; trying again in {wait:.0f} s ({state.attempt_number} of {self.pace.retries})")

    def _ask(
        self,
        method: str,
        url: httpx2.URL,
        content: bytes | None,
        headers: Callable[[], Mapping[str, str]],
        progress: Callable[[int, int | None], None],
    ) -> Answer:
        """One try.

        :raises PassingError: it failed in a way that may pass.
        """
        import httpx2

        start = url
        for _ in range(self._redirects + 1):
            self._wait_turn(url.host)
            try:
                with self._http.stream(method, url, content=content, headers=dict(headers())) as response:
                    self._reached = True
                    moved = response.has_redirect_location and self._redirects > 0
                    body = b"" if moved or not self._limit else self._body(response, progress)
            except httpx2.TimeoutException:
                raise PassingError(f"did not answer within {self.pace.timeout:.0f} s") from None
            except httpx2.ConnectError as problem:
                if "CERTIFICATE_VERIFY_FAILED" in str(problem):
                    raise HttpError(
                        "cannot prove who it is: its certificate is not vouched for", "certificate"
                    ) from None
                # Before the first answer it is this computer that is offline or the address that is wrong.
                if self._reached:
                    raise PassingError(f"cannot be reached ({problem})") from None
                raise HttpError(f"cannot be reached ({problem})", "unreachable") from None
            except (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.DecodingError):
                raise PassingError("cut the connection") from None
            except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
                raise HttpError(f"cannot be asked: {str(problem).rstrip('.')}", "request") from None
            if not moved:
                _log.debug("%s %s answered %d", method, response.url.host, response.status_code)
                if response.status_code in self._passing or response.status_code >= 500:
                    wait = retry_after(response.headers.get("retry-after"))
                    raise PassingError(f"answered {response.status_code}", wait)
                return Answer(str(response.url), response.status_code, response.headers, body)
            url = response.url.join(response.headers["location"])
            if start.scheme == "https" and url.scheme != "https":
                raise HttpError(f"leads to an address that is not encrypted: {url}", "redirect")
        raise HttpError(f"sends from address to address, last to {url}", "redirect")

    def _wait_turn(self, host: str) -> None:
        """Wait until the interval since the last request to the server is over."""
        last = self._last_start.get(host)
        if last is not None and (wait := last + self.pace.interval - time.monotonic()) > 0:
            time.sleep(wait)
        self._last_start[host] = time.monotonic()

    def _body(self, response: httpx2.Response, progress: Callable[[int, int | None], None]) -> bytes:
        """The body, unpacked.

        :raises HttpError: it is larger than any answer, or has no end.
        """
        body = bytearray()
        stated = response.headers.get("content-length", "")
        total = int(stated) if stated.isdecimal() else None
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self._limit:
                raise HttpError(f"answered with more than {self._limit / 2**20:,.0f} MiB", "size")
            progress(response.num_bytes_downloaded, total)
        return bytes(body)


def retry_after(header: str | None) -> float | None:
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


def is_loopback(host: str) -> bool:
    """Whether the host is this computer, by its name (RFC 6761) or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


@cache
def user_agent() -> str:
    """Who is asking: name, version and the project's address, as far as the installed distribution states one."""
    try:
        about = metadata.metadata("trialindex")
    except metadata.PackageNotFoundError:
        return "trialindex"
    urls = [entry.partition(",")[2].strip() for entry in about.get_all("Project-URL") or ()]
    return f"trialindex/{about['Version']}" + (f" (+{urls[0]})" if urls else "")

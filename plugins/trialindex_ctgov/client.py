"""A polite HTTP client of the ClinicalTrials.gov API v2.

The registry publishes no rate limit; its robots.txt asks for one request a second. See ``docs/sources/ctgov.md``.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import metadata
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from trialindex.errors import SourceError

if TYPE_CHECKING:
    import httpx2

BASE_URL = "https://clinicaltrials.gov/api/v2"
BASE_URL_VARIABLE = "TRIALINDEX_CTGOV_URL"
"""Environment variable that names another server, such as a mirror."""

LARGEST = 256 * 1024 * 1024
"""Bytes of an answer, unpacked. A page of 1000 studies is some 30 MB; what is larger than this is no answer."""

WAY_OUT = (
    "Search on https://clinicaltrials.gov in a browser, choose Download, JSON, "
    "then type: trialindex ingest ctgov-file:PATH-OF-THE-FILE"
)
GO_ON = "What was fetched is kept; the same command goes on from there."


@dataclass(frozen=True)
class Pace:
    """How hard the registry may be pressed. All times in seconds.

    :param interval: at least so long between the starts of two requests.
    :param timeout: for an answer to begin, or to go on.
    :param retries: tries after the first one.
    :param backoff: before the first of them; it doubles each time, less up to half by chance.
    :param longest: no wait is longer. A registry that asks for more is left alone.
    """

    interval: float = 1.0
    timeout: float = 60.0
    retries: int = 5
    backoff: float = 2.0
    longest: float = 300.0


class BadRequestError(SourceError):
    """The registry refuses the request as it stands (400)."""


class NotFoundError(SourceError):
    """The registry has nothing at that address (404)."""


class _PassingError(Exception):
    """A failure that may pass: the request is worth another try.

    :param wait: seconds the server asks to wait, if it does.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Client:
    """Asks the registry, one request after another.

    :param pace: how fast, and how patiently.
    :param note: told in one line of every retry.
    :raises SourceError: the address in the environment is none.
    """

    _last_start: ClassVar[dict[str, float]] = {}
    """When the last request to each server began, for all clients of this process."""

    def __init__(self, pace: Pace, note: Callable[[str], None]) -> None:
        import httpx2

        self.base_url = (os.environ.get(BASE_URL_VARIABLE) or BASE_URL).rstrip("/")
        if not self.base_url.startswith(("http://", "https://")):
            raise SourceError(
                f'{BASE_URL_VARIABLE} is "{self.base_url}", which is no web address.',
                hint=f"Unset it to use {BASE_URL}.",
            )
        self.pace = pace
        self._note = note
        self._answered = False
        self._http = httpx2.Client(
            headers={"User-Agent": user_agent(), "Accept": "application/json"},
            timeout=httpx2.Timeout(pace.timeout, connect=min(pace.timeout, 20.0)),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._http.close()

    def data_timestamp(self) -> str | None:
        """When the registry's data were last refreshed, in its own format, or ``None`` if it does not say."""
        stamp = self.get("version").get("dataTimestamp")
        return stamp if isinstance(stamp, str) else None

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at *path* below the base address.

        :raises BadRequestError: 400; the message holds what the registry says. :raises NotFoundError: 404.
        :raises SourceError: it refuses this computer, cannot be reached, or keeps failing.
        """
        for attempt in range(self.pace.retries + 1):
            try:
                return self._ask(path, parameters)
            except _PassingError as problem:
                wait = self._wait_before_retry(attempt, problem)
                count = f"{attempt + 1} of {self.pace.retries}"
                self._note(f"ClinicalTrials.gov {problem}; trying again in {wait:.0f} s ({count}).")
                time.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait_before_retry(self, attempt: int, problem: _PassingError) -> float:
        """Seconds to wait. :raises SourceError: enough tries were made, or the registry asks for too long a wait."""
        if attempt == self.pace.retries:
            raise SourceError(f"ClinicalTrials.gov {problem}, {attempt + 1} times in a row.", hint=GO_ON) from None
        wait: float = self.pace.backoff * 2**attempt
        wait *= 1 - random.random() / 2  # noqa: S311 — so that clients do not come back all at once
        wait = min(wait, self.pace.longest)
        if problem.wait is not None:
            if problem.wait > self.pace.longest:
                raise SourceError(
                    f"ClinicalTrials.gov {problem} and asks to wait {problem.wait / 60:.0f} minutes.", hint=GO_ON
                ) from None
            wait = max(wait, problem.wait)
        return wait

    def _ask(self, path: str, parameters: Mapping[str, str] | None) -> dict[str, Any]:
        """One try. :raises _PassingError: it failed in a way that may pass."""
        import httpx2

        url = httpx2.URL(f"{self.base_url}/{path}", params=dict(parameters or {}))
        for _ in range(5):
            self._wait_turn()
            try:
                with self._http.stream("GET", url) as response:
                    self._answered = True
                    moved = response.has_redirect_location
                    body = b"" if moved else _body(response)
            except httpx2.TimeoutException:
                raise _PassingError(f"did not answer within {self.pace.timeout:.0f} s") from None
            except httpx2.ConnectError as problem:
                # Before the first answer it is this computer that is offline or the address that is wrong.
                if self._answered:
                    raise _PassingError("cannot be reached") from None
                raise SourceError(
                    f"{url.host} cannot be reached ({problem}).",
                    hint="Check the internet connection, or read a downloaded file: trialindex ingest ctgov-file:PATH",
                ) from None
            except (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.DecodingError):
                raise _PassingError("cut the connection") from None
            except httpx2.HTTPError as problem:
                raise SourceError(
                    f"{url} cannot be asked: {problem}", hint="Check the address and the proxy."
                ) from None
            if not moved:
                return self._read(response, body)
            url = response.url.join(response.headers["location"])
        raise SourceError(f"ClinicalTrials.gov sends from address to address, last to {url}.", hint=WAY_OUT)

    def _wait_turn(self) -> None:
        """Wait until the interval since the last request is over."""
        last = self._last_start.get(self.base_url)
        if last is not None:
            time.sleep(max(0.0, last + self.pace.interval - time.monotonic()))
        self._last_start[self.base_url] = time.monotonic()

    def _read(self, response: httpx2.Response, body: bytes) -> dict[str, Any]:
        """The JSON object of an answer, or the error that it means."""
        status = response.status_code
        html = body[:100].lstrip()[:1] == b"<" or "html" in response.headers.get("content-type", "")
        said = "" if html else " ".join(body[:4000].decode("utf-8", "replace").split())[:300]
        if status == 429 or status >= 500:
            raise _PassingError(f"answered {status}", _retry_after(response.headers.get("retry-after")))
        if status == 400:
            raise BadRequestError(
                f"ClinicalTrials.gov refuses the request: {said or 'it gives no reason.'}",
                hint="Put the condition in plain words.",
            )
        if status == 404:
            raise NotFoundError(
                f"ClinicalTrials.gov has nothing at {response.url.path}{': ' + said if said else '.'}",
                hint=f"Check {BASE_URL_VARIABLE}." if self.base_url != BASE_URL else "Check the id.",
            )
        if status == 403:
            raise SourceError("ClinicalTrials.gov refuses requests from this computer or network (403).", hint=WAY_OUT)
        if html:
            raise SourceError("ClinicalTrials.gov answered with a web page in place of data.", hint=WAY_OUT)
        if status != 200:
            raise SourceError(f"ClinicalTrials.gov answered {status}{': ' + said if said else '.'}", hint=WAY_OUT)
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _PassingError("answered with data that are cut off or damaged") from None
        if not isinstance(answer, dict):
            raise SourceError(f"ClinicalTrials.gov answered with something else than data: {said[:80]}", hint=WAY_OUT)
        return answer


def _body(response: httpx2.Response) -> bytes:
    """The body, unpacked. :raises SourceError: it is larger than any answer of the registry, or has no end."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > LARGEST:
            raise SourceError(
                f"ClinicalTrials.gov answered with more than {LARGEST / 2**20:,.0f} MiB, which is no answer of it.",
                hint=f"Check {BASE_URL_VARIABLE} and the proxy. {GO_ON}",
            )
    return bytes(body)


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


@cache
def user_agent() -> str:
    """Who is asking: name, version and the project's address, as far as the installed distribution states one."""
    try:
        about = metadata.metadata("trialindex")
    except metadata.PackageNotFoundError:
        return "trialindex"
    urls = [entry.partition(",")[2].strip() for entry in about.get_all("Project-URL") or ()]
    return f"trialindex/{about['Version']}" + (f" (+{urls[0]})" if urls else "")

"""What the ClinicalTrials.gov API v2 answers, and what its errors mean.

The registry publishes no rate limit; its robots.txt asks for one request a second. See ``docs/sources/ctgov.md``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from trialindex.errors import SourceError
from trialindex.plugin.http import Answer, HttpError, Pace, PassingError, PoliteClient

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


class BadRequestError(SourceError):
    """The registry refuses the request as it stands (400)."""


class NotFoundError(SourceError):
    """The registry has nothing at that address (404)."""


class Client:
    """Asks the registry, one request after another.

    :param pace: how fast, and how patiently.
    :param note: told in one line of every retry.
    :raises SourceError: the address in the environment is none.
    """

    def __init__(self, pace: Pace, note: Callable[[str], None]) -> None:
        self.base_url = (os.environ.get(BASE_URL_VARIABLE) or BASE_URL).rstrip("/")
        if not self.base_url.startswith(("http://", "https://")):
            raise SourceError(
                f'{BASE_URL_VARIABLE} is "{self.base_url}", which is no web address.',
                hint=f"Unset it to use {BASE_URL}.",
            )
        self._http = PoliteClient(
            pace,
            note=lambda message: note(f"ClinicalTrials.gov {message}."),
            headers={"Accept": "application/json"},
            limit=LARGEST,
            passing=frozenset({429}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._http.__exit__(None, None, None)

    def data_timestamp(self) -> str | None:
        """When the registry's data were last refreshed, in its own format, or ``None`` if it does not say."""
        stamp = self.get("version").get("dataTimestamp")
        return stamp if isinstance(stamp, str) else None

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at *path* below the base address.

        :raises BadRequestError: 400; the message holds what the registry says.
        :raises NotFoundError: 404.
        :raises SourceError: it refuses this computer, cannot be reached, or keeps failing.
        """
        url = f"{self.base_url}/{path}"
        try:
            return self._http.read("GET", url, self._read, parameters or {})
        except HttpError as problem:
            if problem.kind == "unreachable":
                raise SourceError(
                    f"{urlsplit(url).hostname} {problem}.",
                    hint="Check the internet connection, or read a downloaded file: trialindex ingest ctgov-file:PATH",
                ) from None
            if problem.kind in ("request", "certificate"):
                raise SourceError(f"{url} {problem}.", hint="Check the address and the proxy.") from None
            if problem.kind == "size":
                raise SourceError(
                    f"ClinicalTrials.gov {problem}, which is no answer of it.",
                    hint=f"Check {BASE_URL_VARIABLE} and the proxy. {GO_ON}",
                ) from None
            hint = WAY_OUT if problem.kind == "redirect" else GO_ON
            raise SourceError(f"ClinicalTrials.gov {problem}.", hint=hint) from None

    def _read(self, answer: Answer) -> dict[str, Any]:
        """The JSON object of an answer, or the error that it means."""
        status, body = answer.status, answer.body
        html = body[:100].lstrip()[:1] == b"<" or "html" in answer.headers.get("content-type", "")
        said = "" if html else " ".join(body[:4000].decode("utf-8", "replace").split())[:300]
        if status == 400:
            raise BadRequestError(
                f"ClinicalTrials.gov refuses the request: {said or 'it gives no reason.'}",
                hint="Put the condition in plain words.",
            )
        if status == 404:
            raise NotFoundError(
                f"ClinicalTrials.gov has nothing at {urlsplit(answer.url).path}{': ' + said if said else '.'}",
                hint=f"Check {BASE_URL_VARIABLE}." if self.base_url != BASE_URL else "Check the id.",
            )
        if status == 403:
            raise SourceError("ClinicalTrials.gov refuses requests from this computer or network (403).", hint=WAY_OUT)
        if html:
            raise SourceError("ClinicalTrials.gov answered with a web page in place of data.", hint=WAY_OUT)
        if status != 200:
            raise SourceError(f"ClinicalTrials.gov answered {status}{': ' + said if said else '.'}", hint=WAY_OUT)
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise PassingError("answered with data that are cut off or damaged") from None
        if not isinstance(value, dict):
            raise SourceError(f"ClinicalTrials.gov answered with something else than data: {said[:80]}", hint=WAY_OUT)
        return value

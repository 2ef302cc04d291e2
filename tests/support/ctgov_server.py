"""A ClinicalTrials.gov API v2 for tests: a real HTTP server on this machine that answers as the registry does.

It follows the registry's OpenAPI description (2.0.5) and what clients of it reported: pages and their tokens, 301 for
an old id, errors in plain text, and, on demand, everything that goes wrong on the way::

    with CtgovServer([study(1), study(2, conditions=["Asthma"])]) as server:
        monkeypatch.setenv("TRIALINDEX_CTGOV_URL", server.url)
        server.fail(Answer(429), times=2)
        …
        assert server.requests[-1].query["query.cond"] == "asthma"

Written by hand, because pytest-httpserver cannot cut a connection in the middle of a body.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from trialindex.plugin.http import Pace
from trialindex.plugin.interfaces import IngestContext
from trialindex_ctgov.source import CtgovSource

FAST = Pace(interval=0.0, timeout=60.0, retries=2, backoff=0.01, longest=1.0)
"""For a server that nobody has to spare."""
_AREAS = ("cond", "term", "locn", "titles", "intr", "outc", "spons", "lead", "id", "patient")
_FILTERS = ("overallStatus", "geo", "ids", "advanced", "synonyms")
PARAMETERS = {
    *("format", "markupFormat", "aggFilters", "geoDecay", "fields", "sort", "countTotal", "pageSize", "pageToken"),
    *(f"query.{area}" for area in _AREAS),
    *(f"{when}.{what}" for when in ("filter", "postFilter") for what in _FILTERS),
}
"""What ``GET /studies`` knows; anything else is refused."""
STATUSES = {
    *("ACTIVE_NOT_RECRUITING", "COMPLETED", "ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING", "RECRUITING", "SUSPENDED"),
    *("TERMINATED", "WITHDRAWN", "AVAILABLE", "NO_LONGER_AVAILABLE", "TEMPORARILY_NOT_AVAILABLE"),
    *("APPROVED_FOR_MARKETING", "WITHHELD", "UNKNOWN"),
}
NCT_ID = re.compile(r"[Nn][Cc][Tt]0*[1-9]\d{0,7}")


def study(
    number: int,
    *,
    conditions: Iterable[str] = ("Lupus Nephritis",),
    status: str = "RECRUITING",
    updated: str = "2026-01-15",
    country: str = "France",
    aliases: Iterable[str] = (),
    **modules: Any,
) -> dict[str, Any]:
    """A made-up study of the registry's shape. *modules* replace or add modules of its protocol section."""
    protocol: dict[str, Any] = {
        "identificationModule": {
            "nctId": f"NCT{number:08d}",
            "orgStudyIdInfo": {"id": f"ORG-{number}"},
            "briefTitle": f"Made-up study number {number}",
        },
        "statusModule": {
            "overallStatus": status,
            "startDateStruct": {"date": "2025-11", "type": "ACTUAL"},
            "lastUpdatePostDateStruct": {"date": updated, "type": "ACTUAL"},
        },
        "descriptionModule": {"briefSummary": f"We compare two ways of care, plan {number}, in adults \\>= 18 years."},
        "conditionsModule": {"conditions": list(conditions)},
        "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE2"]},
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* Lives with it\n\nExclusion Criteria:\n\n* Pregnancy",
            "sex": "ALL",
            "minimumAge": "18 Years",
        },
        "contactsLocationsModule": {"locations": [{"facility": "A hospital", "city": "Lyon", "country": country}]},
    }
    if aliases:
        protocol["identificationModule"]["nctIdAliases"] = list(aliases)
    return {
        "protocolSection": protocol | modules,
        "derivedSection": {"miscInfoModule": {"versionHolder": "2026-02-01"}},
        "hasResults": False,
    }


@dataclass(frozen=True)
class Answer:
    """What the server says instead of the truth, to one request.

    :param cut: close the connection after half of the body.
    :param slow: seconds before it answers.
    """

    status: int = 200
    body: str | bytes = ""
    content_type: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    slow: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request that came in; *at* is in seconds of a steady clock."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


class _BadRequestError(Exception):
    pass


class CtgovServer:
    """The registry, holding *studies*. ``url`` is the base address; ``requests`` everything that was asked."""

    def __init__(self, studies: Iterable[dict[str, Any]] = (), *, timestamp: str = "2026-02-01T09:00:05") -> None:
        self.studies = list(studies)
        self.timestamp = timestamp
        self.requests: list[Asked] = []
        self._failures: deque[tuple[str, Answer]] = deque()
        self._moves: dict[int, str] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/v2"

    def __enter__(self) -> CtgovServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening; a connection that is open stays open."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # --- what a test arranges and asks --------------------------------------------------------------------------------

    def fail(self, answer: Answer, *, times: int = 1, path: str = "") -> None:
        """Answer the next *times* requests (to a path that ends in *path*) with *answer*."""
        self._failures.extend([(path, answer)] * times)

    def move(self, timestamp: str, *, before_search: int) -> None:
        """Refresh the data, so that older tokens are void, just before search number *before_search* (from 1)."""
        self._moves[before_search] = timestamp

    @property
    def searches(self) -> list[Asked]:
        """The requests to ``/studies``."""
        return [request for request in self.requests if request.path.endswith("/studies")]

    @property
    def intervals(self) -> list[float]:
        """Seconds between the arrivals of requests."""
        times = [request.at for request in self.requests]
        return [later - earlier for earlier, later in pairwise(times)]

    # --- answering ----------------------------------------------------------------------------------------------------

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.requests.append(Asked(parts.path, query, dict(handler.headers.items()), time.monotonic()))
        if parts.path.endswith("/studies"):
            self.timestamp = self._moves.pop(len(self.searches), self.timestamp)
        if self._failures and parts.path.endswith(self._failures[0][0]):
            answer = self._failures.popleft()[1]
            if answer.slow:
                time.sleep(answer.slow)
            if answer != Answer(slow=answer.slow):
                self._send(handler, answer)
                return
        try:
            self._send(handler, self._truth(parts.path.removeprefix("/api/v2"), query))
        except _BadRequestError as problem:
            self._send(handler, Answer(400, str(problem)))

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        handler.send_response(answer.status)
        for name, value in {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(body)),
            **answer.headers,
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if answer.cut else body)
        if answer.cut:
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True

    def _truth(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/version":
            return _json({"apiVersion": "2.0.5", "dataTimestamp": self.timestamp})
        if path == "/studies":
            return _json(self._search(query))
        name = path.removeprefix("/studies/")
        if not NCT_ID.fullmatch(name):
            raise _BadRequestError("Path parameter `nctId` has incorrect format")
        for record in self.studies:
            ident = record["protocolSection"]["identificationModule"]
            if ident["nctId"] == name.upper():
                return _json(record)
            if name.upper() in ident.get("nctIdAliases", ()):
                return Answer(301, headers={"Location": f"/api/v2/studies/{ident['nctId']}"})
        return Answer(404, f"NCT number {name} not found")

    def _search(self, query: dict[str, str]) -> dict[str, Any]:
        for name in query:
            if name not in PARAMETERS:
                raise _BadRequestError(f"`{name}` is unknown parameter")
        size = query.get("pageSize", "10")
        if not size.isdigit():
            raise _BadRequestError("`pageSize` must be an integer")
        size_ = min(int(size) or 10, 1000)
        found = [record for record in self.studies if self._matches(record, query)]
        asked = json.dumps({k: v for k, v in sorted(query.items()) if k not in ("countTotal", "pageSize", "pageToken")})
        start = self._start(query["pageToken"], asked) if "pageToken" in query else 0
        page: dict[str, Any] = {"studies": [_only(one, query.get("fields")) for one in found[start : start + size_]]}
        if len(page["studies"]) == size_:  # even if nothing comes after it
            page["nextPageToken"] = base64.urlsafe_b64encode(
                json.dumps([self.timestamp, asked, start + size_]).encode()
            ).decode()
        if query.get("countTotal") == "true" and "pageToken" not in query:
            page["totalCount"] = len(found)
        return page

    def _start(self, token: str, asked: str) -> int:
        try:
            timestamp, asked_then, start = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            raise _BadRequestError("Page token is malformed") from None
        if timestamp != self.timestamp:
            raise _BadRequestError("Page token has expired")
        if asked_then != asked:
            raise _BadRequestError("Page token does not fit the other parameters")
        return int(start)

    def _matches(self, record: dict[str, Any], query: dict[str, str]) -> bool:
        protocol = record["protocolSection"]
        ident = protocol["identificationModule"]
        ids = {ident["nctId"], *ident.get("nctIdAliases", ())}
        for name, text in query.items():
            if name.startswith("query.") and re.fullmatch(r"(NCT\d+[\s,]*)+", text, re.IGNORECASE):
                return bool(ids & set(re.split(r"[\s,]+", text.upper())))  # and every filter is ignored
        if "query.cond" in query:
            words = " ".join((*protocol["conditionsModule"]["conditions"], ident["briefTitle"])).lower()
            if not all(word in words for word in _terms("query.cond", query["query.cond"])):
                return False
        if "query.term" in query and not all(
            word in json.dumps(record).lower() for word in _terms("query.term", query["query.term"])
        ):
            return False
        if "filter.ids" in query:
            wanted = re.split(r"[,|]", query["filter.ids"])
            if not all(NCT_ID.fullmatch(one) for one in wanted):
                raise _BadRequestError("`filter.ids` has incorrect format")
            if not ids & {one.upper() for one in wanted}:
                return False
        if "filter.overallStatus" in query:
            statuses = set(re.split(r"[,|]", query["filter.overallStatus"]))
            if not statuses <= STATUSES:
                raise _BadRequestError(f"`filter.overallStatus` has unknown values: {sorted(statuses - STATUSES)}")
            if protocol["statusModule"]["overallStatus"] not in statuses:
                return False
        return all(_holds(part, protocol) for part in query.get("filter.advanced", "").split(" AND ") if part)


def _only(record: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """The parts of a record that were asked for; of those that can be, tests ask for the id."""
    if fields is None:
        return record
    if fields != "NCTId":
        raise _BadRequestError("`fields` has unknown values")
    nct_id = record["protocolSection"]["identificationModule"]["nctId"]
    return {"protocolSection": {"identificationModule": {"nctId": nct_id}}}


def _json(value: Any) -> Answer:
    return Answer(200, json.dumps(value), "application/json")


def _terms(name: str, text: str) -> list[str]:
    """The words of a search text, all of which must occur. Refuses what the registry's parser refuses."""
    plain = re.sub(r"AREA\[\w+\](RANGE\[[^\]]*\])?", " ", text)
    if "[" in plain or "]" in plain:
        raise _BadRequestError(f"Error parsing query in {name}: mismatched input '['")
    if plain.count("(") != plain.count(")") or plain.count('"') % 2:
        raise _BadRequestError(f"Error parsing query in {name}: missing ')'")
    return [word.lower() for word in re.findall(r"[^\s,()\"]+", plain) if word != "AND"]


def _holds(expression: str, protocol: dict[str, Any]) -> bool:
    """One part of ``filter.advanced``: a range of update dates, or countries joined by OR."""
    dates = re.fullmatch(r"AREA\[LastUpdatePostDate\]RANGE\[([\d-]+|MIN),([\d-]+|MAX)\]", expression)
    if dates:
        day = protocol["statusModule"]["lastUpdatePostDateStruct"]["date"]
        return (dates[1] == "MIN" or day >= dates[1]) and (dates[2] == "MAX" or day <= dates[2])
    names = re.findall(r'AREA\[LocationCountry\]"([^"]+)"', expression)
    if re.sub(r'AREA\[LocationCountry\]"[^"]+"|[()]|\bOR\b|\s', "", expression) or not names:
        raise _BadRequestError(f"Error parsing query in filter.advanced: {expression}")
    return any(place["country"] in names for place in protocol["contactsLocationsModule"]["locations"])


class Run:
    """One run of a source, and all it said."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.notes: list[str] = []
        self.rejected: list[tuple[str, str]] = []
        self.dropped: list[tuple[str, str]] = []
        self.progress: list[tuple[int, int | None]] = []
        self.context = IngestContext(
            state=state or {},
            on_note=self.notes.append,
            on_reject=lambda where, why: self.rejected.append((where, why)),
            on_drop=lambda where, why: self.dropped.append((where, why)),
            on_progress=lambda done, total: self.progress.append((done, total)),
        )

    def of(self, source: CtgovSource) -> list[str]:
        return [trial.id for trial in source.trials(self.context)]

    @property
    def state(self) -> dict[str, Any]:
        assert self.context.pending_state is not None
        return self.context.pending_state

"""What stands between the network and every page: whom it answers, how much it reads, what it lets out."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from trialindex_web.limits import Limits
from trialindex_web.refusal import SORRY, Refusal
from trialindex_web.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Refuse = Callable[[Request, Refusal], Response]

BODY = 64 * 1024
NOTE = 256 * 1024
"""Bytes of a request, and of one that may bring a note."""
NOTES = ("/search", "/r/", "/api/v1/search", "/api/v1/facets")
PATIENCE = 20.0
"""Seconds in which a request has to be there."""
URL = 2048

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
YEAR = 31_536_000
SAFE = ("GET", "HEAD", "OPTIONS")
ONE_CLICK = "/updates/unsubscribe/"
"""Where a mail program posts without a page of ours (RFC 8058); the path holds the secret."""

log = logging.getLogger("trialindex.web")


class Guard:
    """Wraps the application. Every answer passes through here, also those to requests that nobody else sees.

    :param refuse: makes the answer to a request that is refused.
    """

    def __init__(self, application: Application, settings: Settings, limits: Limits, refuse: Refuse) -> None:
        self._application = application
        self._settings = settings
        self._limits = limits
        self._refuse = refuse
        self._headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        if settings.public:
            self._headers.append((b"strict-transport-security", f"max-age={YEAR}; includeSubDomains".encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._with_headers(scope, message.get("headers", []))
            await send(message)

        request = Request(scope)
        try:
            try:
                self._check(request)
                body = await self._body(request, receive)
                await self._application(scope, _replay(body, receive), send_guarded)
            except Refusal as refusal:
                await self._refuse(request, refusal)(scope, receive, send_guarded)
        except Exception as problem:  # noqa: BLE001  its words may quote what somebody typed: they go nowhere
            log.error("%s in %s", type(problem).__name__, _places(problem))
            if not status:
                await self._refuse(request, Refusal(500, SORRY))(scope, receive, send_guarded)
        route = getattr(scope.get("route"), "path", "-")
        log.debug("%s %s %d %.0f ms", scope["method"], route, status, 1000 * (time.monotonic() - started))

    # --- whom it answers ----------------------------------------------------------------------------------------------

    def _check(self, request: Request) -> None:
        """Refuse a request that no page of ours would send.

        :raises Refusal: the request is for another host, comes from another site, or is too much.
        """
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._settings.hosts:
            raise Refusal(421, "This server does not answer for that address.")
        if len(request.scope.get("raw_path") or b"") + len(request.scope["query_string"]) > URL:
            raise Refusal(414, "That address is too long.")
        if request.method not in SAFE and not request.url.path.startswith(ONE_CLICK):
            self._check_origin(request)
        self._limits.admit(request)

    def _check_origin(self, request: Request) -> None:
        """Refuse what another site sent.

        :raises Refusal: another site sent this.

        Browsers send ``Origin: null`` from our own pages, which ask for no referrer; then ``Sec-Fetch-Site`` tells, or
        else the token of the form.
        """
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        foreign = Refusal(403, "This was sent from another site, and is not accepted.")
        if site is not None and site not in ("same-origin", "none"):
            raise foreign
        if origin not in (None, "null") and origin not in self._settings.origins:
            raise foreign
        if origin == "null" and site is None and request.url.path.startswith("/api/"):
            raise foreign

    # --- how much it reads --------------------------------------------------------------------------------------------

    async def _body(self, request: Request, receive: Receive) -> bytes:
        """The whole body.

        :raises Refusal: it is too long, or takes too long to come.
        """
        limit = NOTE if request.url.path.startswith(NOTES) else BODY
        too_long = Refusal(413, f"That is too much: at most {limit // 1024} KiB can be sent.")
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            raise too_long
        pieces, size = [], 0
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(400, "The request was not sent to its end.")
                    pieces.append(message.get("body", b""))
                    size += len(pieces[-1])
                    if size > limit:
                        raise too_long
                    if not message.get("more_body"):
                        return b"".join(pieces)
        except TimeoutError:
            raise Refusal(408, "The request took too long to come.", Connection="close") from None

    # --- what it lets out ---------------------------------------------------------------------------------------------

    def _with_headers(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        given = {name.lower() for name, _ in headers}
        added = [(name, value) for name, value in self._headers if name not in given]
        if not (self._settings.public and scope["path"].startswith("/trial/")):
            added.append((b"x-robots-tag", b"noindex"))
        if b"cache-control" not in given:
            added.append((b"cache-control", b"no-store"))
        return [*headers, *added]


def _replay(body: bytes, receive: Receive) -> Receive:
    """What gives the body once more, and after it whatever the network says."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _places(problem: BaseException) -> str:
    """Where an exception came from, without its words."""
    frames = traceback.extract_tb(problem.__traceback__)[-4:]
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))

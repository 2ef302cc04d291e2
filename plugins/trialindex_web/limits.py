"""How often one client may ask, where everybody can."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from hashlib import sha256

from starlette.requests import Request

from trialindex_web.refusal import Refusal
from trialindex_web.settings import Settings

RATES = {"sign up": (5, 5 / 3600), "search": (30, 0.5), "any": (240, 4.0)}
"""Requests at once, and a second after that."""
SIGN_UP = ("/updates/sign-up", "/api/v1/subscriptions")
SEARCH = ("/search", "/r/", "/api/v1/search", "/api/v1/facets")
CLIENTS = 20_000


class Limits:
    """A token bucket a client and kind of request, kept in memory under a keyed hash of the client's address.

    In private mode nothing is limited: there is one person.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = secrets.token_bytes(32)
        self._buckets: OrderedDict[tuple[str, bytes], tuple[float, float]] = OrderedDict()
        self._mutex = threading.Lock()

    def admit(self, request: Request) -> None:
        """Count a request, and refuse it when its client asks too often.

        :raises Refusal: this client asks too often.
        """
        if not self._settings.public:
            return
        path, posts = request.url.path, request.method == "POST"
        kinds = ["any"]
        if posts and path.startswith(SIGN_UP):
            kinds.append("sign up")
        elif posts and path.startswith(SEARCH):
            kinds.append("search")
        client = hmac.digest(self._key, self.client(request).encode(), sha256)[:16]
        for kind in kinds:
            wait = self._take(kind, client)
            if wait:
                raise Refusal(429, "That is too often; please wait a little.", Retry_After=str(int(wait) + 1))

    def client(self, request: Request) -> str:
        """The address of the client; of one behind a web server that is believed, what that server says."""
        if self._settings.proxy:
            forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            if forwarded:
                return forwarded
        return request.client.host if request.client else ""

    def _take(self, kind: str, client: bytes) -> float:
        """Take one token; the seconds to wait when there is none."""
        size, rate = RATES[kind]
        now = time.monotonic()
        with self._mutex:
            left, then = self._buckets.pop((kind, client), (float(size), now))
            left = min(size, left + (now - then) * rate)
            taken = left >= 1
            self._buckets[kind, client] = (left - 1 if taken else left, now)
            while len(self._buckets) > CLIENTS:
                self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / rate

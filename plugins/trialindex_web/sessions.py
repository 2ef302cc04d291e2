"""The one cookie, the tokens of forms, and the way in for the one person of a private server."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from trialindex_web.settings import Settings

KEPT = 5_000
"""Sessions about which something is remembered."""


@dataclass
class Session:
    """One browser, until it is closed.

    :param name: random, and signed, so that nobody can choose it.
    :param near: the place that distances are from, if one was given; it is kept here and nowhere else.
    :param fresh: the browser does not have the cookie yet.
    """

    name: str
    fresh: bool = False
    owner: bool = False
    near: str = ""
    notes: list[str] = field(default_factory=list)


class Sessions:
    """The sessions of one server; they end with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = secrets.token_bytes(32)
        self._remembered: OrderedDict[str, Session] = OrderedDict()
        self._entrances: set[str] = set()
        self._mutex = threading.Lock()
        # RFC 6265bis: a browser takes a cookie of this name only over HTTPS and for this host alone.
        self._cookie = "__Host-trialindex" if settings.public else "trialindex"

    def find(self, request: Request) -> Session:
        """The session of a request, a new one if it has none of ours."""
        given = request.cookies.get(self._cookie, "")
        with self._mutex:
            if given in self._remembered:
                self._remembered.move_to_end(given)
                return self._remembered[given]
        if self._is_ours(given):
            return Session(given)
        return self._new()

    def remember(self, session: Session) -> None:
        """Keep what is known of a session, in memory."""
        with self._mutex:
            self._remembered[session.name] = session
            self._remembered.move_to_end(session.name)
            while len(self._remembered) > KEPT:
                self._remembered.popitem(last=False)

    def give(self, session: Session, response: Response) -> None:
        """Give the browser its cookie, if it has none yet."""
        if session.fresh:
            session.fresh = False
            response.set_cookie(
                self._cookie, session.name, secure=self._settings.public, httponly=True, samesite="strict", path="/"
            )

    # --- forms --------------------------------------------------------------------------------------------------------

    def token(self, session: Session) -> str:
        """What every form of ours holds, and no other site can know."""
        return self._sign(f"form {session.name}")

    def is_token(self, session: Session, given: str) -> bool:
        return hmac.compare_digest(self.token(session).encode(), given.encode())

    # --- the way in ---------------------------------------------------------------------------------------------------

    def entrance(self) -> str:
        """The path of a way in, which works once."""
        token = secrets.token_urlsafe(16)
        with self._mutex:
            self._entrances.add(token)
        return f"/enter/{token}"

    def enter(self, token: str) -> Session | None:
        """A new session of the owner, if *token* opens a way in that was not used yet."""
        with self._mutex:
            if token not in self._entrances:
                return None
            self._entrances.remove(token)
        session = self._new()
        session.owner = True
        self.remember(session)
        return session

    # ------------------------------------------------------------------------------------------------------------------

    def _new(self) -> Session:
        name = secrets.token_urlsafe(16)
        return Session(f"{name}.{self._sign(name)}", fresh=True)

    def _is_ours(self, name: str) -> bool:
        random, _, signature = name.partition(".")
        return bool(signature) and hmac.compare_digest(self._sign(random).encode(), signature.encode())

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), sha256).hexdigest()[:32]

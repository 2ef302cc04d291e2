"""What all pages of one server share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from trialindex_web.forms import Form, check_token, read_form
from trialindex_web.library import Library
from trialindex_web.mails import Mails
from trialindex_web.questions import Questions
from trialindex_web.render import Pages
from trialindex_web.sessions import Session, Sessions
from trialindex_web.settings import Settings

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Site:
    """What all pages of one server share.

    :param announce: tells whoever started the server the path of a way in.
    :param mails: sends those to people who sign up, where they can.
    """

    settings: Settings
    library: Library
    sessions: Sessions
    questions: Questions
    pages: Pages
    announce: Callable[[str], None]
    mails: Mails | None = None

    def form_endpoint(self, answer: Callable[[Request, Form, Session], Response]) -> Endpoint:
        """An endpoint that a form of ours is sent to: its token is checked before anything else.

        :param answer: called in a thread of its own.
        """

        @wraps(answer)
        async def endpoint(request: Request) -> Response:
            form, session = await read_form(request), self.sessions.find(request)
            check_token(form, session, self.sessions)
            return await run_in_threadpool(answer, request, form, session)

        return endpoint


def first(message: Any) -> str:
    """The first sentence or more of an error: what it says without what to type in a terminal."""
    return str(message.args[0]) if getattr(message, "args", None) else str(message)

"""The application: every address that is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Match, Route

from trialindex.errors import IndexEmpty, IndexStateError, QueryError, StorageError, TrialIndexError, UnknownTrial
from trialindex_web.api import Api
from trialindex_web.feeds import Feeds
from trialindex_web.guard import Guard
from trialindex_web.library import Library
from trialindex_web.limits import Limits
from trialindex_web.mails import Mails, tell_links
from trialindex_web.questions import Questions
from trialindex_web.refusal import SORRY, Refusal
from trialindex_web.render import STYLE, Pages
from trialindex_web.search_pages import SearchPages
from trialindex_web.sessions import Sessions
from trialindex_web.settings import Settings
from trialindex_web.sign_up_pages import SignUpPages
from trialindex_web.site import Site
from trialindex_web.text_pages import TextPages
from trialindex_web.trial_pages import TrialPages
from trialindex_web.watch_pages import WatchPages

if TYPE_CHECKING:
    from trialindex import Index

PARTS = (SearchPages, TrialPages, WatchPages, SignUpPages, TextPages, Api, Feeds)
SWEEP = 60.0
"""Seconds between two looks for questions that are kept no longer."""
YEAR = 31_536_000
WORDS = {
    400: "The request could not be understood.",
    404: "There is nothing at this address.",
    405: "That cannot be done at this address.",
}

log = logging.getLogger("trialindex.web")


def make_application(
    index: Index, settings: Settings, announce: Callable[[str], None] = lambda path: None
) -> tuple[Guard, str]:
    """The application that serves *index*, and the path of the owner's way in.

    :param announce: is told the path of the next way in when one was used.
    :raises TrialIndexError: people can sign up, and those who did cannot be read.
    """
    sessions = Sessions(settings)
    pages = Pages(settings, sessions)
    library = Library(index)
    if settings.sign_up:
        tell_links(index, settings)
    site = Site(
        settings,
        library,
        sessions,
        Questions(settings.reader),
        pages,
        announce,
        Mails(library) if settings.sign_up else None,
    )

    def refuse(request: Request, refusal: Refusal) -> Response:
        return _problem(refusal) if request.url.path.startswith("/api/") else pages.refuse(request, refusal)

    routes = [
        *(route for part in PARTS for route in part(site).routes()),
        Route(pages.style_path, _style),
        Route("/healthz", _health),
        Route("/robots.txt", _robots),
        Route("/.well-known/security.txt", _security(settings)),
    ]
    application = Starlette(
        routes=routes,
        lifespan=_lifespan(site),
        exception_handlers={
            Refusal: lambda request, problem: refuse(request, problem),
            HTTPException: lambda request, problem: refuse(request, _of_http(request, problem)),
            TrialIndexError: lambda request, problem: refuse(request, _of_error(problem)),
            Exception: lambda request, problem: refuse(request, Refusal(500, SORRY)),  # the guard logs it
        },
    )
    application.router.redirect_slashes = False
    return Guard(application, settings, Limits(settings), refuse), sessions.entrance()


def _lifespan(site: Site) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[None]:
        async def warm() -> None:
            try:
                await run_in_threadpool(site.library.warm)
            except Exception as problem:  # noqa: BLE001  whoever asks first is told
                log.error("%s while warming up", type(problem).__name__)

        async def forget() -> None:
            while True:
                await asyncio.sleep(SWEEP)
                site.questions.forget()

        warming, forgetting = asyncio.create_task(warm()), asyncio.create_task(forget())
        mailing = [asyncio.create_task(site.mails.run())] if site.mails else []
        try:
            yield
        finally:
            forgetting.cancel()
            if site.mails:
                site.mails.stop()
            await asyncio.wait([warming, forgetting, *mailing])  # a thread still reads the index that is closed next
            site.library.close()

    return lifespan


# --- refusals -------------------------------------------------------------------------------------------------------


def _of_http(request: Request, problem: HTTPException) -> Refusal:
    """The refusal for what Starlette refuses."""
    if problem.status_code == 405 and request.url.path == "/search":
        return Refusal(
            405, "A question is sent with the form, so that it stands in no address; go to the search.", Allow="POST"
        )
    words = WORDS.get(problem.status_code, "That does not work.")
    allowed = {"Allow": ", ".join(_methods(request))} if problem.status_code == 405 else {}
    return Refusal(problem.status_code, words, **{**(problem.headers or {}), **allowed})


def _methods(request: Request) -> list[str]:
    """What can be done at the address of a request, by all of its routes; Starlette names those of the first one."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = (route.methods or set() for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted(set().union(*found))


def _of_error(problem: TrialIndexError) -> Refusal:
    """The refusal for an error of the library, whose words may quote what was typed and are not repeated here."""
    match problem:
        case UnknownTrial():
            return Refusal(404, "There is no trial of that number in here.")
        case QueryError():
            return Refusal(400, "A filter was not understood.")
        case IndexEmpty():
            return Refusal(503, "No trials are in here yet.", Retry_After="60")
        case StorageError():
            log.error("%s", type(problem).__name__)
            return Refusal(503, "That cannot be kept at this moment; please try again later.", Retry_After="60")
        case IndexStateError():
            log.error("%s", type(problem).__name__)
            return Refusal(503, "The trials cannot be read at this moment; please try again later.", Retry_After="60")
        case _:
            log.error("%s", type(problem).__name__)
            return Refusal(500, SORRY)


def _problem(refusal: Refusal) -> Response:
    """The refusal for a program, RFC 9457."""
    content = {"type": "about:blank", "title": refusal.title, "status": refusal.status, "detail": refusal.detail}
    return JSONResponse(content, refusal.status, headers=refusal.headers, media_type="application/problem+json")


# --- small things ---------------------------------------------------------------------------------------------------


def _style(request: Request) -> Response:
    headers = {"Cache-Control": f"public, max-age={YEAR}, immutable"}
    return PlainTextResponse(STYLE.read_text(encoding="utf-8"), media_type="text/css", headers=headers)


def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _security(settings: Settings) -> Callable[[Request], Response]:
    """Where to write about a hole in the security, RFC 9116; it is promised for half a year from when it is asked."""

    def answer(request: Request) -> Response:
        if not settings.security:
            raise Refusal(404, "Nobody is named here to write to.")
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=180)
        lines = (
            f"Contact: {settings.security}",
            f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
            "Preferred-Languages: en",
            f"Canonical: {settings.base_url}/.well-known/security.txt",
        )
        return PlainTextResponse("".join(f"{line}\n" for line in lines))

    return answer


def _robots(request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nAllow: /trial/\nDisallow: /\n")

"""Sign-up by e-mail at a public server: asked on a page, confirmed by a button, ended by one click."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from trialindex import Filters
from trialindex.errors import NotifierError, WatchError
from trialindex.trial.sanitize import one_line
from trialindex_web import consent
from trialindex_web.forms import Form, read_form
from trialindex_web.refusal import Refusal
from trialindex_web.sessions import Session
from trialindex_web.site import Endpoint, Site, first
from trialindex_web.watch_pages import wanted_by

if TYPE_CHECKING:
    from trialindex import Index
    from trialindex.watching import Subscribers, Watch

TRAP = "website"
"""A field that no person sees: who fills it in is a program."""
GONE = (
    "This link was used already, or is older than two days. If you still want to be told, sign up again on the page "
    "of a study."
)
NEWS = 100
"""Pieces of news that the page of a subscriber shows, the newest first."""


@contextmanager
def open_subscribers(site: Site) -> Iterator[tuple[Index, Subscribers]]:
    """The index, and those who signed up beside it."""
    from trialindex.watching import Subscribers

    with site.library.index() as index, Subscribers(index.folder) as subscribers:
        yield index, subscribers


def sign_up(site: Site, address: str, wanted: list[dict[str, Any]], agreed: str) -> None:
    """Keep that somebody wants to be told, and have them asked whether it was they.

    The same is done for every address, and the mail is sent later, so that neither an answer nor its time tells who is
    known here.

    :param wanted: what :func:`trialindex.watching.watch_for` takes, of each thing.
    :param agreed: the version of the text that they agreed to.
    :raises Refusal: something of it cannot be used.
    """
    from trialindex.watching import watch_for

    if not wanted:
        raise Refusal(422, "Please tick what you want to be told of.")
    if agreed != consent.VERSION:
        raise Refusal(422, "Please tick that you agree: without that nothing may be kept of you.")
    with open_subscribers(site) as (index, subscribers):
        for one in wanted:
            name = one.get("condition")
            if name and not index.browse(Filters(condition=(name,)), limit=1).trials:
                raise Refusal(422, "No trial in here names that condition.")
        try:
            subscribers.sign_up(address, [watch_for(index, **one) for one in wanted], agreed)
        except NotifierError:
            raise Refusal(422, "That is no e-mail address that can be written to.") from None
        except WatchError as problem:
            raise Refusal(422, first(problem)) from None
    if site.mails:
        site.mails.wake()


class SignUpPages:
    """Nothing here needs a cookie but the form that signs up: whoever has the address of a page may open it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        if not self._site.settings.sign_up:
            return []
        return [
            Route("/updates/sign-up", self._site.form_endpoint(self.sign_up), methods=["POST"]),
            Route("/updates/asked", self.next_step_page),
            Route("/updates/confirm/{token}", self.confirm_page),
            Route("/updates/confirm/{token}", self.confirm, methods=["POST"]),
            Route("/updates/unsubscribe/{token}", self.stop_page),
            Route("/updates/unsubscribe/{token}", self.stop, methods=["POST"]),
            Route("/updates/manage/{token}", self.manage_page),
            Route("/updates/manage/{token}", self._keyed(self.manage), methods=["POST"]),
            Route("/updates/manage/{token}/my-data.json", self.export),
        ]

    # --- signing up ---------------------------------------------------------------------------------------------------

    def sign_up(self, request: Request, form: Form, session: Session) -> Response:
        """Take what somebody wants to be told of, and their address."""
        if not form.get(TRAP):
            address, wanted = form.text("address", 254), wanted_by(self._site, form, session)
            try:
                sign_up(self._site, address, wanted, form.get("consent", ""))
            except Refusal as refusal:
                return self._site.pages.draw(
                    request,
                    "sign_up.html",
                    status=refusal.status,
                    error=refusal.detail,
                    address=address,
                    agreed=form.get("consent") == consent.VERSION,
                    trial=form.get("trial", "") if form.get("this", "1") else "",
                    conditions=form.all("condition"),
                    question=form.get("question", ""),
                )
        return RedirectResponse("/updates/asked", status_code=303)

    def next_step_page(self, request: Request) -> Response:
        """What comes next; the same for everybody."""
        return self._site.pages.draw(request, "asked.html")

    def confirm_page(self, request: Request) -> Response:
        """What is to be confirmed, and the button; opening this confirms nothing, since programs open it too."""
        with open_subscribers(self._site) as (index, subscribers):
            asked = subscribers.pending_sign_up(request.path_params["token"])
            if asked is None:
                raise Refusal(404, GONE)
            return self._site.pages.draw(
                request, "confirm.html", wanted=[_describe(index, watch) for watch in asked.watches]
            )

    def confirm(self, request: Request) -> Response:
        """Sign somebody up who pressed the button."""
        with open_subscribers(self._site) as (index, subscribers):
            try:
                links = subscribers.confirm(index, request.path_params["token"])
            except WatchError as problem:
                raise Refusal(409, first(problem)) from None
        if links is None:
            raise Refusal(404, GONE)
        return RedirectResponse(links.manage.removeprefix(self._site.settings.base_url), status_code=303)

    # --- leaving ------------------------------------------------------------------------------------------------------

    def stop_page(self, request: Request) -> Response:
        """The button that ends it; opening this ends nothing."""
        return self._site.pages.draw(request, "unsubscribe.html", done=False)

    def stop(self, request: Request) -> Response:
        """End it, for a person on the page or a mail program that has no page (RFC 8058).

        There is no cookie, no form of ours, no redirect, and the same answer when it was ended already.
        """
        with open_subscribers(self._site) as (_, subscribers):
            subscribers.stop(request.path_params["token"])
        return self._site.pages.draw(request, "unsubscribe.html", done=True)

    # --- my data ------------------------------------------------------------------------------------------------------

    def manage_page(self, request: Request) -> Response:
        """What somebody follows, was told, and agreed to."""
        with open_subscribers(self._site) as (index, subscribers):
            row, subscriber = self._find_subscriber(subscribers, request)
            return self._site.pages.draw(
                request,
                "manage.html",
                address=subscriber.address,
                until=row.until,
                followed=[(one, _describe(index, one.watch, private=True)) for one in subscribers.followed(row)],
                news=subscribers.news(row)[:NEWS],
                base=request.url.path,
            )

    def manage(self, request: Request, form: Form) -> Response:
        """Follow one thing no more, go on for another year, or delete all of it."""
        with open_subscribers(self._site) as (_, subscribers):
            row, _ = self._find_subscriber(subscribers, request)
            match form.get("do", "").partition(" ")[::2]:
                case ("drop", number) if number.isascii() and number.isdecimal() and len(number) < 10:
                    subscribers.drop(row, int(number))
                case ("renew", ""):
                    subscribers.renew(row)
                case ("delete", ""):
                    subscribers.delete(row)
                case _:
                    raise Refusal(400, "The form could not be read.")
            if subscribers.managed_by(request.path_params["token"]) is None:
                return self._site.pages.draw(request, "unsubscribe.html", done=True)
        return RedirectResponse(request.url.path, status_code=303)

    def export(self, request: Request) -> Response:
        """All that is kept of somebody, as a file."""
        with open_subscribers(self._site) as (_, subscribers):
            row, _ = self._find_subscriber(subscribers, request)
            content = subscribers.export(row)
        return JSONResponse(content, headers={"Content-Disposition": 'attachment; filename="my-data.json"'})

    # ------------------------------------------------------------------------------------------------------------------

    def _find_subscriber(self, subscribers: Subscribers, request: Request) -> Any:
        """The subscriber whose page is asked for.

        :raises Refusal: there is none any more.
        """
        found = subscribers.managed_by(request.path_params["token"])
        if found is None:
            raise Refusal(404, "Nothing is kept under this address, or no longer.")
        return found

    def _keyed(self, answer: Any) -> Endpoint:
        """An endpoint for a form on a page whose address is the key: it needs no token."""

        async def endpoint(request: Request) -> Response:
            form = await read_form(request)
            response: Response = await run_in_threadpool(answer, request, form)
            return response

        return endpoint


def _describe(index: Index, watch: Watch, *, private: bool = False) -> str:
    """What is followed, in words.

    :param private: only whoever asked it reads this. Else a question is not repeated: somebody else may have typed it,
        to have us show it to the owner of the mailbox.
    """
    match watch.kind:
        case "trial":
            title = one_line(index.get(watch.subject).title) if watch.subject in index else ""
            return f"changes of the study {watch.subject}{f': {title}' if title else ''}"
        case "condition":
            return f"new studies for {one_line(watch.subject)}, and changes of those"
        case _:
            return one_line(watch.label)[:300] if private else "new studies for a question that was asked here"

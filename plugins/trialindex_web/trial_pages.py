"""The page of a trial, its contacts, its changes; the page of a condition."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from trialindex import Filters
from trialindex.errors import QueryError
from trialindex.trial.sanitize import one_line
from trialindex_web.forms import Form
from trialindex_web.refusal import Refusal
from trialindex_web.render import segment
from trialindex_web.sessions import Session
from trialindex_web.site import Site, first
from trialindex_web.trial_view import context

SIMILAR = 4
LISTED = 20
"""Trials on a page of a condition."""


class TrialPages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        return [
            Route("/trial/{id:path}/contacts", self._site.form_endpoint(self.contacts), methods=["POST"]),
            Route("/trial/{id:path}/near", self._site.form_endpoint(self.near), methods=["POST"]),
            Route("/trial/{id:path}", self.trial),  # an id may hold a slash
            Route("/condition/{name:path}", self.condition),
        ]

    def trial(self, request: Request) -> Response:
        return self._draw(request, contacts=self._site.settings.contacts)

    def contacts(self, request: Request, form: Form, session: Session) -> Response:
        """The same page with contacts: they are persons, and shown to whoever asks, not to programs that pass by."""
        return self._draw(request, contacts=True)

    def near(self, request: Request, form: Form, session: Session) -> Response:
        """Remember where somebody is, to put the sites near them first."""
        session.near = form.text("near")
        self._site.sessions.remember(session)
        if session.near:
            try:
                Filters.parse(near=session.near)
            except QueryError as problem:
                session.near = ""
                return self._draw(request, contacts=self._site.settings.contacts, error=first(problem), status=422)
        return RedirectResponse(f"/trial/{segment(request.path_params['id'])}#where", status_code=303)

    def _draw(self, request: Request, *, contacts: bool, error: str = "", status: int = 200) -> Response:
        session = self._site.sessions.find(request)
        trial_id = request.path_params["id"]
        with self._site.library.index() as index:
            card = index.card(trial_id, contacts=contacts, near=session.near or None)
            versions = index.history(trial_id)
            similar = index.similar(trial_id, limit=SIMILAR)
        return self._site.pages.draw(
            request,
            "trial.html",
            status=status,
            revealed=contacts,
            versions=versions,
            similar=similar,
            near=session.near,
            error=error,
            **context(card),
        )

    def condition(self, request: Request) -> Response:
        """The trials of a condition that some trial in here is about."""
        name = one_line(request.path_params["name"])
        page = request.query_params.get("page", "1")
        if not (page.isascii() and page.isdecimal() and 1 <= int(page[:6]) <= 100_000):
            raise Refusal(404, "There is no such page.")
        with self._site.library.index() as index:
            listing = index.browse(Filters(condition=(name,)), limit=LISTED, page=int(page))
            counts = index.facets(Filters(condition=(name,))) if listing.searched else {}
        if not listing.trials:
            raise Refusal(404, "No trial in here names that condition.")
        pages = -(-listing.searched // LISTED)
        return self._site.pages.draw(
            request, "condition.html", name=name, listing=listing, counts=counts, page=int(page), pages=pages
        )

"""The watches of the one person of a private server, and what they were told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from trialindex.errors import WatchError
from trialindex.trial.sanitize import one_line
from trialindex_web.forms import Form
from trialindex_web.refusal import Refusal
from trialindex_web.search_pages import EXPIRED
from trialindex_web.secrets import feed_secret
from trialindex_web.sessions import Session
from trialindex_web.site import Site, first

if TYPE_CHECKING:
    from trialindex import Index
    from trialindex.plugin.messages import Update
    from trialindex.watching import Watches

NEWS = 100
"""Pieces of news that the page shows, the newest first."""
STRANGER = "Only the person who started this server may do that. Open the address that the terminal shows."


@contextmanager
def open_watches(site: Site, *, create: bool) -> Iterator[tuple[Index, Watches]]:
    """The index, and the watches beside it."""
    from trialindex.watching import Watches

    with site.library.index() as index, Watches(index.folder, create=create) as watches:
        yield index, watches


def latest(updates: list[Update]) -> list[Update]:
    """The updates of the newest day first, those of a day as they were told: new trials first."""
    return sorted(updates, key=lambda update: update.when, reverse=True)  # stays in order where the days are the same


def wanted_by(site: Site, form: Form, session: Session) -> list[dict[str, Any]]:
    """What a form wants to be told of, each as :func:`trialindex.watching.watch_for` takes it.

    :raises Refusal: it is a question that is kept no longer.
    """
    wanted: list[dict[str, Any]] = []
    if form.get("trial") and (form.get("this") or not form.get("choose")):
        wanted.append({"trial": form.text("trial")})
    wanted += [{"condition": name[:200]} for name in form.all("condition")]
    if form.get("question"):
        question = site.questions.get(session.name, form.text("question"))
        if question is None:
            raise Refusal(404, EXPIRED)
        filters = {key: value for key, value in question.words.items() if key != "near" or "within" in question.words}
        wanted.append({"query": question.text, **filters})
    return wanted


class WatchPages:
    """Kept as `trialindex watch` keeps them, in watches.db beside the index, and told by `trialindex sync`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        if self._site.settings.public:
            return []
        return [
            Route("/enter/{token}", self.enter),
            Route("/watches", self.watches),
            Route("/watches", self._site.form_endpoint(self.add), methods=["POST"]),
            Route("/watches/{num:int}", self._site.form_endpoint(self.change), methods=["POST"]),
        ]

    def enter(self, request: Request) -> Response:
        """Let the owner in, once for each address that the terminal shows."""
        session = self._site.sessions.enter(request.path_params["token"])
        if session is None:
            raise Refusal(404, "That address was used already. The terminal shows the next one.")
        self._site.announce(self._site.sessions.entrance())
        response = RedirectResponse("/", status_code=303)
        self._site.sessions.give(session, response)
        return response

    def watches(self, request: Request) -> Response:
        """What is watched, and what is new."""
        session = self._site.sessions.find(request)
        if not session.owner:
            return self._site.pages.draw(
                request, "watches.html", status=403, watches=None, news=[], notes=[], sample=False
            )
        notes, session.notes = session.notes, []
        if self._site.settings.sample:
            return self._site.pages.draw(request, "watches.html", watches=[], news=[], notes=notes, sample=True)
        with open_watches(self._site, create=False) as (_, watches):
            listed = [
                (watch, watches.count_members(watch.num), feed_secret(watches.identity, watch.num))
                for watch in watches.all()
            ]
            news = latest(watches.updates())[:NEWS]
        return self._site.pages.draw(request, "watches.html", watches=listed, news=news, notes=notes, sample=False)

    def add(self, request: Request, form: Form, session: Session) -> Response:
        """Watch a trial, conditions, or a question that was asked here."""
        from trialindex.watching import baseline, watch_for

        self._check(session)
        wanted = wanted_by(self._site, form, session)
        if not wanted:
            raise Refusal(422, "Please tick what you want to watch.")
        with open_watches(self._site, create=True) as (index, watches):
            for one in wanted:
                try:
                    watch = watches.add(*baseline(index, watch_for(index, **one)))
                    session.notes.append(f"From now on you are told of {one_line(watch.label)[:200]}.")
                except WatchError as problem:
                    session.notes.append(f"Not added: {first(problem)}")
        self._site.sessions.remember(session)
        return RedirectResponse("/watches", status_code=303)

    def change(self, request: Request, form: Form, session: Session) -> Response:
        """Pause a watch, go on with it, or remove it."""
        self._check(session)
        num: int = request.path_params["num"]
        with open_watches(self._site, create=False) as (_, watches):
            try:
                match form.get("do"):
                    case "remove":
                        session.notes.append(f"Removed: {one_line(watches.remove(num).label)[:200]}.")
                    case "pause" | "resume" as what:
                        watches.pause(num, what == "pause")
                    case _:
                        raise Refusal(400, "The form could not be read.")
            except WatchError:
                raise Refusal(404, "There is no such watch any more.") from None
        self._site.sessions.remember(session)
        return RedirectResponse("/watches", status_code=303)

    def _check(self, session: Session) -> None:
        """Make sure that the owner asks, and that watches can be kept.

        :raises Refusal: it is not the owner who asks, or nothing can be kept.
        """
        if not session.owner:
            raise Refusal(403, STRANGER)
        if self._site.settings.sample:
            raise Refusal(
                409, "This is the bundled sample, beside which nothing is kept. Build an index of your own first."
            )

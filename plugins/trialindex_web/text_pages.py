"""The pages that say what this is: safety, terms, privacy, what is in here, and how programs ask."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trialindex_web.questions import LIFETIME
from trialindex_web.site import Site


def _kept() -> dict[str, int]:
    """How long what is kept of people who sign up is kept."""
    from trialindex.watching import NEWS_KEPT, PENDING

    return {"news": NEWS_KEPT.days, "hours": int(PENDING.total_seconds()) // 3600}


class TextPages:
    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        return [
            Route("/safety", self.safety),
            Route("/terms", self.terms),
            Route("/privacy", self.privacy),
            Route("/about", self.about),
        ]

    def safety(self, request: Request) -> Response:
        return self._site.pages.draw(request, "safety.html")

    def terms(self, request: Request) -> Response:
        return self._site.pages.draw(request, "terms.html")

    def privacy(self, request: Request) -> Response:
        """Made from the settings in force: it says what this server does."""
        return self._site.pages.draw(request, "privacy.html", minutes=LIFETIME // 60, kept=_kept())

    def about(self, request: Request) -> Response:
        """What the index holds, from where, of which day, and what it cannot do."""
        with self._site.library.index() as index:
            info = index.info()
        return self._site.pages.draw(request, "about.html", info=info)

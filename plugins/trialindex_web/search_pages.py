"""The pages of a search: the question, its results, and what can be taken along."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from trialindex import Index, RenderOptions
from trialindex.errors import QueryError
from trialindex.plugin.registry import plugins
from trialindex.plugin.results import describe_open
from trialindex.trial.sanitize import excerpt
from trialindex_web import results_view
from trialindex_web.forms import Form
from trialindex_web.questions import Question
from trialindex_web.refusal import Refusal
from trialindex_web.sessions import Session
from trialindex_web.site import Site, first

FORMATS = {"csv": ("csv", "text/csv"), "md": ("markdown", "text/markdown"), "json": ("json", "application/json")}
"""Files that results can be taken along as: by their ending the format, and the media type."""
EXPIRED = (
    "This answer is no longer here. Answers are kept for half an hour, and only for the browser that asked. "
    "Please ask again."
)


class SearchPages:
    """The question goes in by POST and stands in no address: results have a random one, which this browser alone
    may open.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._newest: tuple[tuple[int, int], str] = ((-1, -1), "")

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home),
            Route("/search", self._site.form_endpoint(self.search), methods=["POST"]),
            Route("/r/{name}", self.results),
            Route("/r/{name}", self._site.form_endpoint(self.refine), methods=["POST"]),
            Route("/r/{name}/trials.{ending}", self.download),
        ]

    def home(self, request: Request) -> Response:
        return self._form(request, Question(text=""))

    def search(self, request: Request, form: Form, session: Session) -> Response:
        """Answer a question, and lead to its results."""
        return self._ask(request, Question.from_form(form), session)

    def _ask(self, request: Request, question: Question, session: Session) -> Response:
        if not question.text:
            return self._form(request, question, "Please say in a few words what it is about.", status=422)
        try:
            with self._site.library.ranking() as index:
                self._site.questions.answer(index, question)
        except QueryError as problem:
            return self._form(request, question, first(problem), status=422)
        session.near = question.near
        self._site.sessions.remember(session)
        name = self._site.questions.put(session.name, question)
        return RedirectResponse(f"/r/{name}", status_code=303)

    def refine(self, request: Request, form: Form, session: Session) -> Response:
        """Ask again, with other words or filters."""
        _, before = self._question(request, session)
        question = Question.from_form(form).dropping(form)
        if offered := form.get("add"):
            with self._site.library.ranking() as index:
                constraints = self._site.questions.answer(index, before).constraints
            chosen = [one.filters for one in constraints if one.option == offered]
            question = question.adding(chosen[0]) if chosen else question
        return self._ask(request, question, session)

    def results(self, request: Request) -> Response:
        """A page of the results of a question."""
        session = self._site.sessions.find(request)
        name, question = self._question(request, session)
        with self._site.library.ranking() as index:
            results = self._site.questions.answer(index, question)
            hints = self._hints(index, question) if not results.searched else []
            pages = results_view.page_count(results)
            page = _page(request, pages)
            start = (page - 1) * results_view.SHOWN
            hits = results_view.arrange(results.hits, question.order)[start : start + results_view.SHOWN]
            views = [results_view.view(index, hit, question.near) for hit in hits if hit.trial.id in index]
        return self._site.pages.draw(
            request,
            "results.html",
            results=results,
            question=question,
            name=name,
            page=page,
            pages=pages,
            views=views,
            chips=results_view.chips(results),
            offers=results_view.offers(results),
            chosen=results_view.chosen(question),
            facets=results_view.facets(results.hits, question),
            hints=hints,
            warnings=results_view.warnings(results),
            notes=results_view.notes(results),
            excerpt=excerpt,
            marked=results_view.marked,
            joinable=describe_open(results),
            closeness=results_view.closeness,
        )

    def download(self, request: Request) -> Response:
        """The results as a file."""
        ending = request.path_params["ending"]
        if ending not in FORMATS:
            raise Refusal(404, f"Results can be had as {', '.join(FORMATS)}.")
        name, media_type = FORMATS[ending]
        _, question = self._question(request, self._site.sessions.find(request))
        with self._site.library.ranking() as index:
            results = self._site.questions.answer(index, question)
        text = "".join(plugins().renderers.get(name)(RenderOptions()).results(results))
        headers = {"Content-Disposition": f'attachment; filename="trials.{ending}"'}
        return PlainTextResponse(text, media_type=media_type, headers=headers)

    # ------------------------------------------------------------------------------------------------------------------

    def _form(self, request: Request, question: Question, error: str = "", *, status: int = 200) -> Response:
        with self._site.library.index() as index:
            trials, newest = len(index), self._last_day(index)
        field = next((name for name in ("age", "near") if error and _names(error, name, question)), "")
        return self._site.pages.draw(
            request,
            "home.html",
            status=status,
            question=question,
            error=error,
            field=field,
            trials=trials,
            newest=newest,
        )

    def _last_day(self, index: Index) -> str:
        """The ISO day on which a source last delivered, empty if that is not known; looked up once a minute, since
        counting a large index takes a while.
        """
        key = index.generation, int(time.monotonic() // 60)
        if self._newest[0] != key:
            self._newest = key, max(index.info().sources.values(), default="")
        return self._newest[1]

    def _question(self, request: Request, session: Session) -> tuple[str, Question]:
        """The name and the question of the results that are asked for.

        :raises Refusal: they are not to be had.
        """
        name = request.path_params["name"]
        question = self._site.questions.get(session.name, name)
        if question is None:
            raise Refusal(404, EXPIRED)
        return name, question

    def _hints(self, index: Index, question: Question) -> list[str]:
        """What leaving out each filter would give."""
        return [
            f"Without {one.words}: {one.trials:,} {'trial' if one.trials == 1 else 'trials'}."
            for one in index.relaxations(question.filters())
        ]


def _names(error: str, field: str, question: Question) -> bool:
    """Whether a message is about what was typed into a field."""
    typed = getattr(question, field)
    return bool(typed) and f'"{typed}"' in error


def _page(request: Request, pages: int) -> int:
    """The page that is asked for.

    :raises Refusal: there is none of that number.
    """
    asked: Any = request.query_params.get("page", "1")
    if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= pages):
        raise Refusal(404, f"There is no such page: these results have {pages}.")
    return int(asked)

"""The JSON API, version 1: what the pages do, for programs."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trialindex import Index, RenderOptions
from trialindex.errors import QueryError, WatchError
from trialindex.plugin.registry import plugins
from trialindex_web.bodies import (
    IN_ADDRESS,
    ChangesAnswer,
    FacetsAnswer,
    FilterFields,
    SearchAnswer,
    SearchRequest,
    SimilarAnswer,
    SubscriptionAnswer,
    SubscriptionRequest,
    TrialsAnswer,
    Version,
    WatchesAnswer,
    WatchRequest,
    WatchView,
)
from trialindex_web.cursors import Cursors
from trialindex_web.openapi import document
from trialindex_web.refusal import Refusal
from trialindex_web.sign_up_pages import sign_up
from trialindex_web.site import Endpoint, Site, first
from trialindex_web.watch_pages import STRANGER, latest, open_watches

T = TypeVar("T", bound=msgspec.Struct)


class Api:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._cursors = Cursors()
        self._start = secrets.token_hex(4)

    def routes(self) -> list[Route]:
        base = "/api/v1"
        routes = [
            Route(f"{base}/search", self._json(SearchRequest, self.search), methods=["POST"]),
            Route(f"{base}/facets", self._json(FilterFields, self.facets), methods=["POST"]),
            Route(f"{base}/trials", self.trials),
            Route(f"{base}/trials/{{id:path}}/changes", self.changes),
            Route(f"{base}/trials/{{id:path}}/similar", self.similar),
            Route(f"{base}/trials/{{id:path}}", self.trial),
            Route("/openapi.json", self.openapi),
            Route("/api", self.page),
        ]
        if not self._site.settings.public:
            routes += [
                Route(f"{base}/watches", self.watches),
                Route(f"{base}/watches", self._json(WatchRequest, self.add_watch), methods=["POST"]),
                Route(f"{base}/watches/{{num:int}}", self.remove_watch, methods=["DELETE"]),
            ]
        if self._site.settings.sign_up:
            routes.append(
                Route(f"{base}/subscriptions", self._json(SubscriptionRequest, self.subscribe), methods=["POST"])
            )
        return routes

    # --- questions ----------------------------------------------------------------------------------------------------

    def search(self, request: Request, asked: SearchRequest) -> Response:
        """Rank the trials for a question. There is no GET of this: a question belongs in no address."""
        filters = asked.filters()
        if not asked.text.strip():
            raise Refusal(422, "The field text is empty.")
        same = msgspec.structs.replace(asked, cursor=None)
        with self._site.library.ranking() as index:
            page = self._cursors.page(asked.cursor, index.generation, same)
            try:
                found = index.query(
                    asked.text,
                    filters=filters,
                    mode=asked.mode,
                    limit=asked.limit,
                    page=page,
                    explain=asked.explain,
                    reader=self._site.settings.reader,
                )
            except QueryError as problem:
                raise Refusal(422, first(problem)) from None
        more = len(found.hits) == found.limit and page * found.limit < found.searched
        following = self._cursors.make(found.generation, same, page + 1) if more else None
        return _answer(
            SearchAnswer(**msgspec.structs.asdict(found), next=following), following=following, personal=True
        )

    def facets(self, request: Request, asked: FilterFields) -> Response:
        """Count the trials that pass, by what they can be narrowed by."""
        filters = asked.filters()
        with self._site.library.index() as index:
            try:
                return _answer(FacetsAnswer(facets=index.facets(filters), generation=index.generation), personal=True)
            except QueryError as problem:
                raise Refusal(422, first(problem)) from None

    # --- trials -------------------------------------------------------------------------------------------------------

    def trials(self, request: Request) -> Response:
        """List trials that pass filters which say nothing of a person."""
        asked = self._listing(request)
        with self._site.library.index() as index:
            page = self._cursors.page(asked.pop("cursor"), index.generation, asked)
            limit = asked["limit"]
            filters = FilterFields(**{name: asked[name] for name in IN_ADDRESS}).filters()
            try:
                listing = index.browse(filters, order="added", limit=limit, page=page)
            except QueryError as problem:
                raise Refusal(422, first(problem)) from None
            tag = self._tag(index)
        more = page * limit < listing.searched
        following = self._cursors.make(listing.generation, asked, page + 1) if more else None
        body = TrialsAnswer(
            trials=tuple(msgspec.structs.replace(trial, raw=None) for trial in listing.trials),
            searched=listing.searched,
            total=listing.total,
            generation=listing.generation,
            next=following,
        )
        return _answer(body, request, tag, following=following)

    def trial(self, request: Request) -> Response:
        """One trial with all that its page shows, in the format `json`."""
        with self._site.library.index() as index:
            card = index.card(request.path_params["id"], contacts=self._site.settings.contacts)
            tag = self._tag(index)
        options = RenderOptions(contacts=self._site.settings.contacts)
        text = "".join(plugins().renderers.get("json")(options).trial(card))
        return _tagged(request, tag, json.loads(text))

    def changes(self, request: Request) -> Response:
        """Every version of a trial that was seen."""
        with self._site.library.index() as index:
            versions = index.history(request.path_params["id"])
            tag = self._tag(index)
        said = [Version(number=v.number, since=v.since, seen=v.seen, differences=v.differences) for v in versions]
        return _answer(ChangesAnswer(trial=versions[-1].trial.id, versions=said), request, tag)

    def similar(self, request: Request) -> Response:
        """The trials most like one."""
        limit = _number(request, "limit", 5)
        with self._site.library.ranking() as index:
            trial = index.get(request.path_params["id"])
            similar = index.similar(trial.id, limit=limit)
            tag = self._tag(index)
        return _answer(SimilarAnswer(trial=trial.id, similar=similar), request, tag)

    # --- watches ------------------------------------------------------------------------------------------------------

    def watches(self, request: Request) -> Response:
        """What is watched, and what is new."""
        self._check_owner(request)
        with open_watches(self._site, create=False) as (_, watches):
            listed = [
                WatchView(
                    num=one.num,
                    kind=one.kind,
                    label=one.label,
                    added=one.added,
                    paused=one.paused,
                    trials=watches.count_members(one.num),
                )
                for one in watches.all()
            ]
            return _answer(WatchesAnswer(watches=listed, news=latest(watches.updates())), personal=True)

    def add_watch(self, request: Request, asked: WatchRequest) -> Response:
        """Watch a trial, a condition or a question."""
        from trialindex.watching import baseline, watch_for

        self._check_owner(request)
        words = _wanted(asked)
        with open_watches(self._site, create=True) as (index, watches):
            try:
                watch = watches.add(*baseline(index, watch_for(index, **words)))
            except (WatchError, QueryError) as problem:
                raise Refusal(422, first(problem)) from None
            trials = watches.count_members(watch.num)
        view = WatchView(
            num=watch.num, kind=watch.kind, label=watch.label, added=watch.added, paused=watch.paused, trials=trials
        )
        return _answer(view, personal=True, status=201)

    def remove_watch(self, request: Request) -> Response:
        """Forget a watch and its news."""
        self._check_owner(request)
        with open_watches(self._site, create=False) as (_, watches):
            try:
                watches.remove(request.path_params["num"])
            except WatchError:
                raise Refusal(404, "There is no such watch.") from None
        return Response(status_code=204)

    def subscribe(self, request: Request, asked: SubscriptionRequest) -> Response:
        """Have somebody asked whether they want to be told; the answer is the same for every address."""
        wanted = _wanted(asked)
        address, agreed = wanted.pop("address"), wanted.pop("consent", "")
        sign_up(self._site, address, [wanted] if wanted else [], agreed)
        return _answer(SubscriptionAnswer(), personal=True, status=202)

    def _check_owner(self, request: Request) -> None:
        if not self._site.sessions.find(request).owner and not self._has_token(request):
            raise Refusal(401, STRANGER, WWW_Authenticate="Bearer")
        if self._site.settings.sample:
            raise Refusal(409, "This is the bundled sample, beside which nothing is kept.")

    def _has_token(self, request: Request) -> bool:
        """Whether the request brings the token of programs (RFC 6750)."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = self._site.settings.token
        return (
            bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
        )

    # --- the description of all this ----------------------------------------------------------------------------------

    def openapi(self, request: Request) -> Response:
        """The description of this API, OpenAPI 3.1."""
        return JSONResponse(document(self._site.settings), headers={"Cache-Control": "no-cache"})

    def page(self, request: Request) -> Response:
        """The same for people."""
        return self._site.pages.draw(request, "api.html", paths=document(self._site.settings)["paths"])

    # ------------------------------------------------------------------------------------------------------------------

    def _json(self, kind: type[T], answer: Callable[[Request, T], Response]) -> Endpoint:
        """An endpoint that is given JSON of that kind."""

        async def endpoint(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                raise Refusal(415, "JSON is expected here: Content-Type: application/json.")
            asked = _decode(await request.body(), kind)
            return await run_in_threadpool(answer, request, asked)

        return endpoint

    def _listing(self, request: Request) -> dict[str, Any]:
        """What a list of trials is asked for by its address."""
        allowed = {*IN_ADDRESS, "limit", "cursor"}
        for name in request.query_params:
            if name not in allowed:
                raise Refusal(422, f"There are the parameters {', '.join(sorted(allowed))}, and no others.")
        one = request.query_params
        asked: dict[str, Any] = {
            name: one.getlist(name) for name in IN_ADDRESS if name not in ("open", "updated_since")
        }
        if one.get("open", "true") not in ("true", "false"):
            raise Refusal(422, "open is true or false.")
        asked |= {"open": one.get("open") == "true", "updated_since": one.get("updated_since")}
        asked["limit"] = _number(request, "limit", 10)
        return asked | {"cursor": one.get("cursor")}

    def _tag(self, index: Index) -> str:
        """The entity tag of what is read from an index: it lasts as long as nothing in it changes."""
        return f'"{self._start}-{index.generation}"'


def _wanted(asked: WatchRequest | SubscriptionRequest) -> dict[str, Any]:
    """The fields that were given, as :func:`trialindex.watching.watch_for` takes them, and the others."""
    given = msgspec.structs.asdict(asked)
    words: dict[str, Any] = {name: value for name, value in given.items() if value not in (None, [], "")}
    if isinstance(condition := words.get("condition"), list):
        words["condition"] = " ".join(condition)
    return words


def _number(request: Request, name: str, default: int) -> int:
    """A number of the address, from 1 to 100.

    :raises Refusal: it is none.
    """
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= 100):
        raise Refusal(422, f"{name} goes from 1 to 100.")
    return int(text)


def _decode(body: bytes, kind: type[T]) -> T:
    """The JSON of a request.

    :raises Refusal: it is none of that kind; the field is named, and never its value.
    """
    try:
        given = msgspec.json.decode(body)
        if isinstance(given, dict) and isinstance(limit := given.get("limit"), float) and limit.is_integer():
            given["limit"] = int(limit)  # to JSON Schema 10.0 is an integer too
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as problem:
        field = re.search(r"at `\$\.?([\w.\[\]]*)`|field `(\w+)`", str(problem))
        name = (field[1] or field[2] or "") if field else ""
        known = name.partition(".")[0].partition("[")[0] in kind.__struct_fields__
        where = f"The field {name}" if known else "A field"
        raise Refusal(422, f"{where} is missing, unknown, or of another kind than the description says.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "The body is no JSON.") from None


def _answer(
    body: msgspec.Struct,
    request: Request | None = None,
    tag: str = "",
    *,
    following: str | None = None,
    personal: bool = False,
    status: int = 200,
) -> Response:
    """The answer as JSON in ASCII, which steers no terminal.

    :param personal: it is for whoever asked, and not kept.
    """
    headers = {"X-Next-Cursor": following} if following else {}
    content = msgspec.to_builtins(body)
    if personal or request is None:
        return _Ascii(content, status, headers=headers)
    return _tagged(request, tag, content, headers)


def _tagged(request: Request, tag: str, content: Any, headers: dict[str, str] | None = None) -> Response:
    """An answer that may be kept, and asked again whether it still stands."""
    headers = {"ETag": tag, "Cache-Control": "no-cache", **(headers or {})}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return _Ascii(content, headers=headers)


class _Ascii(JSONResponse):
    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False).encode("ascii")

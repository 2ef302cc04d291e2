"""The description of the API, OpenAPI 3.1, made from the types that it reads and writes."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from trialindex_web import bodies
from trialindex_web.settings import Settings

REF = "#/components/schemas/{name}"
PROBLEM = {
    "type": "object",
    "description": "What went wrong, RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}
TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "That of the file which --token-file names; the browser of the owner needs none.",
}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}


@cache
def document(settings: Settings) -> dict[str, Any]:
    """The description, for a server of these settings."""
    kinds = (
        bodies.SearchRequest,
        bodies.SearchAnswer,
        bodies.FilterFields,
        bodies.FacetsAnswer,
        bodies.TrialsAnswer,
        bodies.ChangesAnswer,
        bodies.SimilarAnswer,
        *(() if settings.public else (bodies.WatchRequest, bodies.WatchView, bodies.WatchesAnswer)),
        *((bodies.SubscriptionRequest, bodies.SubscriptionAnswer) if settings.sign_up else ()),
    )
    _, components = msgspec.json.schema_components(kinds, ref_template=REF)
    lists = [_parameter(name) for name in bodies.IN_ADDRESS]
    cursor = {"name": "cursor", "in": "query", "schema": {"type": "string"}}
    paths: dict[str, Any] = {
        "/api/v1/search": {
            "post": _operation("search", "Rank trials for a question.", "SearchAnswer", "SearchRequest")
        },
        "/api/v1/facets": {
            "post": _operation("facets", "Count the trials that pass filters.", "FacetsAnswer", "FilterFields")
        },
        "/api/v1/trials": {
            "get": _operation("trials", "List trials.", "TrialsAnswer", parameters=[*lists, LIMIT, cursor])
        },
        "/api/v1/trials/{id}": {
            "get": _operation("trial", "One trial, with all that its page shows.", None, parameters=[ID])
        },
        "/api/v1/trials/{id}/changes": {
            "get": _operation("changes", "Every version of a trial that was seen.", "ChangesAnswer", parameters=[ID])
        },
        "/api/v1/trials/{id}/similar": {
            "get": _operation("similar", "The trials most like one.", "SimilarAnswer", parameters=[ID, LIMIT])
        },
    }
    if not settings.public:
        num = {"name": "num", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
        paths["/api/v1/watches"] = {
            "get": _operation("watches", "What is watched, and its news.", "WatchesAnswer"),
            "post": _operation(
                "watch", "Watch a trial, a condition or a question.", "WatchView", "WatchRequest", "201"
            ),
        }
        paths["/api/v1/watches/{num}"] = {
            "delete": _operation("unwatch", "Forget a watch and its news.", "", parameters=[num], status="204")
        }
        for operation in (*paths["/api/v1/watches"].values(), *paths["/api/v1/watches/{num}"].values()):
            operation["security"] = [{"token": []}]
    if settings.sign_up:
        paths["/api/v1/subscriptions"] = {
            "post": _operation(
                "subscribe",
                "Have somebody asked by e-mail whether they want to be told.",
                "SubscriptionAnswer",
                "SubscriptionRequest",
                "202",
            )
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "trialindex",
            "version": version("trialindex"),
            "description": "Search and read clinical trials. For information only; this is not medical advice.",
        },
        "servers": [{"url": settings.base_url}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            **({} if settings.public else {"securitySchemes": {"token": TOKEN}}),
        },
    }


def _operation(
    name: str,
    summary: str,
    answer: str | None,
    request: str = "",
    status: str = "200",
    *,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """One operation.

    :param answer: the schema of its answer, none for any object, or empty for no body.
    """
    made: dict[str, Any] = {"operationId": name, "summary": summary}
    if parameters:
        made["parameters"] = parameters
    if request:
        body = {"application/json": {"schema": {"$ref": REF.format(name=request)}}}
        made["requestBody"] = {"required": True, "content": body}
    said: dict[str, Any] = {"description": "As asked."}
    if answer != "":
        schema = {"$ref": REF.format(name=answer)} if answer else {"type": "object"}
        said["content"] = {"application/json": {"schema": schema}}
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    made["responses"] = {
        status: said,
        "4XX": {"description": "Not as asked; one sentence says why.", "content": problem},
        "5XX": {"description": "Not now.", "content": problem},
    }
    return made


def _parameter(name: str) -> dict[str, Any]:
    if name == "open":
        return {"name": name, "in": "query", "schema": {"type": "boolean"}}
    if name == "updated_since":
        return {"name": name, "in": "query", "schema": {"type": "string"}}
    return {"name": name, "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}

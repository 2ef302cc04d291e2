"""Atom feeds (RFC 4287): the changes of a trial, the trials of a condition, the news of a watch."""

from __future__ import annotations

import hmac
import re
import uuid
from collections import Counter
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trialindex import Filters
from trialindex.trial import display
from trialindex.trial.sanitize import clean, one_line
from trialindex_web.refusal import Refusal
from trialindex_web.render import segment
from trialindex_web.secrets import feed_secret
from trialindex_web.site import Site
from trialindex_web.watch_pages import open_watches

ATOM = "http://www.w3.org/2005/Atom"
ENTRIES = 50
LOOKED_AT = 200
"""Trials of a condition, those seen last, among which the new ones are looked for."""
_NEWS = uuid.UUID("2c4f7f0e-5d1c-4f5e-8a43-0b6f4c4f7a10")
"""The namespace of ids: that of an entry is the UUID, version 5, of what it tells."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, section 2.2."""

ElementTree.register_namespace("", ATOM)


class Entry(NamedTuple):
    """What a feed tells: under which name for ever, its title, its day, its lines, and the page it leads to."""

    key: str
    title: str
    day: str
    lines: tuple[str, ...]
    path: str


class Feeds:
    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        routes = [
            Route("/feeds/trial/{id:path}.atom", self.trial),
            Route("/feeds/condition/{name:path}.atom", self.condition),
        ]
        return routes if self._site.settings.public else [*routes, Route("/feeds/watch/{secret}.atom", self.watch)]

    def trial(self, request: Request) -> Response:
        """What changed in a trial."""
        with self._site.library.index() as index:
            versions = index.history(request.path_params["id"])
        newest = versions[-1].trial
        path = f"/trial/{segment(newest.id)}"
        entries = [
            Entry(
                f"{newest.id} {version.number} {version.since}",
                "Changed" if version.number > 1 else "First seen",
                version.since,
                tuple(difference.words for difference in version.differences[:20]),
                path,
            )
            for version in versions[-ENTRIES:]
        ]
        return self._draw(request, f"trial {newest.id}", newest.title, path, entries[::-1])

    def condition(self, request: Request) -> Response:
        """The trials of a condition that some trial in here is about, those first seen last before the others.

        What was not new when it came into the index is one entry a day, with a count.
        """
        from trialindex.watching import is_news

        name = one_line(request.path_params["name"])
        with self._site.library.index() as index:
            trials = index.browse(Filters(condition=(name,)), order="newest", limit=LOOKED_AT).trials
            seen = {trial.id: index.stored(trial.id).first_seen for trial in trials}
        if not trials:
            raise Refusal(404, "No trial in here names that condition.")
        news = [trial for trial in trials if is_news(trial, seen[trial.id])]
        others = Counter(seen[trial.id] for trial in trials) - Counter(seen[trial.id] for trial in news)
        entries = [
            Entry(
                f"condition {trial.id}",
                trial.title,
                seen[trial.id],
                (
                    f"Status: {display.status(trial.status)}",
                    f"Takes: {display.who(trial.minimum_age, trial.maximum_age, trial.sex)}",
                    f"Countries: {display.listed(trial.countries, 5)}",
                ),
                f"/trial/{segment(trial.id)}",
            )
            for trial in news
        ]
        entries += [
            Entry(
                f"condition {name} {day}",
                display.count(number, "study that came in and is not new", "studies that came in and are not new"),
                day,
                (),
                f"/condition/{segment(name)}",
            )
            for day, number in others.items()
        ]
        entries = sorted(entries, key=lambda entry: entry.day, reverse=True)[:ENTRIES]
        return self._draw(request, f"condition {name}", f"Trials for {name}", f"/condition/{segment(name)}", entries)

    def watch(self, request: Request) -> Response:
        """The news of a watch, for a feed reader that has no cookie: the address is the key. What is watched is not in
        it.
        """
        secret: str = request.path_params["secret"]
        number = secret.partition("-")[0]
        with open_watches(self._site, create=False) as (_, watches):
            known = {watch.num: watch for watch in watches.all()}
            num = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
            if num not in known or not hmac.compare_digest(feed_secret(watches.identity, num), secret):
                raise Refusal(404, "There is no such feed any more.")
            updates = watches.updates(watch=num)[-ENTRIES:]
        words = {"new": "New: ", "changed": "Changed: ", "removed": "Gone: ", "backlog": "Not new: "}
        entries = [
            Entry(
                one.key,
                f"{words.get(one.kind, '')}{one.title}",
                one.when,
                () if one.kind == "backlog" else one.lines[:20],
                f"/trial/{segment(one.trial)}" if one.trial else "/watches",
            )
            for one in updates
        ]
        return self._draw(request, f"watch {secret}", "News of a watch", "/watches", entries[::-1])

    # ------------------------------------------------------------------------------------------------------------------

    def _draw(self, request: Request, key: str, title: str, path: str, entries: list[Entry]) -> Response:
        base = self._site.settings.base_url
        root = Element(_tag("feed"))
        _add(root, "id", uuid.uuid5(_NEWS, key).urn)
        _add(root, "title", one_line(title))
        _add(root, "updated", max((_moment(entry.day) for entry in entries), default="1970-01-01T00:00:00Z"))
        _add(_add(root, "author"), "name", "trialindex")
        _add(root, "link", rel="self", href=f"{base}{quote(request.url.path)}")
        _add(root, "link", rel="alternate", type="text/html", href=f"{base}{path}")
        _add(root, "subtitle", display.NO_ADVICE)
        for entry in entries:
            made = _add(root, "entry")
            _add(made, "id", uuid.uuid5(_NEWS, f"{key} {entry.key}").urn)
            _add(made, "title", one_line(entry.title) or display.NOT_STATED)
            _add(made, "updated", _moment(entry.day))
            _add(made, "link", rel="alternate", type="text/html", href=f"{base}{entry.path}")
            _add(made, "content", "\n".join(map(one_line, entry.lines)), type="text")
        body: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
        tag = f'"{sha256(body).hexdigest()[:24]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/atom+xml; charset=utf-8", headers=headers)


def _moment(day: str) -> str:
    """A date of any precision as RFC 3339 has it: its first moment, UTC."""
    parts = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?.*", day)
    return f"{parts[1]}-{parts[2] or '01'}-{parts[3] or '01'}T00:00:00Z" if parts else "1970-01-01T00:00:00Z"


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _add(parent: Element, name: str, text: str = "", **attributes: Any) -> Element:
    """A new element under *parent*, without what XML cannot hold."""
    child = SubElement(parent, _tag(name), {key: _NO_XML.sub("", clean(value)) for key, value in attributes.items()})
    child.text = _NO_XML.sub("", clean(text)) or None
    return child

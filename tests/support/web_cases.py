"""A browser for the tests of `trialindex serve`: it keeps its cookie, sends forms, and runs no script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import httpx2
from starlette.testclient import TestClient

import trialindex_renderers
import trialindex_writers
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex_web.application import make_application
from trialindex_web.settings import Settings

HOST = "127.0.0.1:8477"
PUBLIC = "https://trials.example.org"


def add_page_plugins(plugins: Plugins) -> None:
    """The formats and the writer that pages need."""
    plugins.register(trialindex_renderers, "renderers")
    plugins.register(trialindex_writers, "writers")


class Browser:
    """One person's browser.

    :param entrance: the path of the owner's way in.
    :param announced: the paths of those that came after it.
    """

    def __init__(self, client: TestClient, entrance: str, announced: Sequence[str]) -> None:
        self.client = client
        self.entrance = entrance
        self._announced = announced

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.client.get(path, headers=headers)

    def token(self) -> str:
        """The token that forms of this browser hold."""
        found = re.search(r'name="token" value="(\w+)"', self.get("/").text)
        assert found is not None
        return found[1]

    def submit(
        self, path: str, fields: dict[str, Any] | Sequence[tuple[str, str]] = (), **headers: str
    ) -> httpx2.Response:
        """Send a form of ours; what it leads to is not followed."""
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        data: dict[str, Any] = {"token": self.token()}
        for name, value in pairs:
            data.setdefault(name, []).append(value) if name != "token" else data.update(token=value)
        return self.client.post(path, data=data, headers=headers)

    def search(self, text: str, **fields: Any) -> str:
        """Ask a question; the path of its results."""
        answer = self.submit("/search", {"text": text, **fields})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def fields(self, page: str, action: str) -> list[tuple[str, str]]:
        """What a browser sends of the form with that action when nothing is changed, as far as inputs go."""
        text = self.get(page).text
        form = text[text.index(f'action="{action}"') :]
        inputs = Outline(form[form.index(">") + 1 : form.index("</form>")] + "").find("input")
        return [
            (one["name"], one.get("value", ""))
            for one in inputs
            if one.get("type") not in ("checkbox", "radio") or "checked" in one
        ]

    def enter(self) -> None:
        """Come in as the owner."""
        assert self.get(self.entrance).status_code == 303

    def enter_again(self) -> None:
        """Come in by the way that the terminal shows after another was used."""
        assert self.get(self._announced[-1]).status_code == 303


@contextmanager
def serve(index: Index, *, public: bool = False, **options: Any) -> Iterator[Browser]:
    """The application over an index, and a browser at it."""
    if public:
        settings = Settings.for_address(("127.0.0.1", 8477), public=True, base_url=PUBLIC, **options)
    else:
        settings = Settings.for_address(("127.0.0.1", 8477), **options)
    announced: list[str] = []
    application, entrance = make_application(index, settings, announced.append)
    with TestClient(application, base_url=settings.base_url, follow_redirects=False) as client:
        yield Browser(client, entrance, announced)


class Outline(HTMLParser):
    """A page as a browser reads it: tags and attributes, and what must not be in it."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "path", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in {"script", "img", "iframe", "object", "base", "style"}:
            self.wrong.append(f"<{tag}>")
        for name, value in values.items():
            if name.startswith("on") or name in {"srcdoc", "formaction", "style"}:
                self.wrong.append(f"{tag} {name}")
            if name in {"href", "src", "action"} and not value.startswith(
                ("http://", "https://", "/", "#", "?", "data:,")
            ):
                self.wrong.append(f"{name}={value!r}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")

    def handle_comment(self, data: str) -> None:
        self.wrong.append("a comment")

    def find(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such tag."""
        return [values for name, values in self.tags if name == tag]

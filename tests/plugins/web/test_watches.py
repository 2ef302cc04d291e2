"""The watches of the one person of a private server: by page, by program, and in which order news come."""

from __future__ import annotations

import re
from pathlib import Path

import feedparser
import pytest

from support.helpers import ListSource, trial
from support.web_cases import Browser, serve
from trialindex.index import Index
from trialindex.watching import Watches, find_updates
from trialindex_web.secrets import read_token
from trialindex_web.settings import ServeError, Settings


def test_a_program_with_the_token_reaches_the_watches(pages: None, index: Index, tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = read_token(path)
    assert read_token(path) == token, "it stays the same"
    assert path.stat().st_mode & 0o077 == 0
    with serve(index, token=token) as browser:
        allowed = {"Authorization": f"Bearer {token}"}
        for wrong in ("", "Bearer", "Bearer x", f"Basic {token}", f"Bearer {token}x", "Bearer é"):
            refused = browser.client.get("/api/v1/watches", headers={b"Authorization": wrong.encode("latin-1")})
            assert refused.status_code == 401, wrong
        made = browser.client.post("/api/v1/watches", json={"trial": "EX-0002"}, headers=allowed)
        assert made.status_code == 201
        listed = browser.client.get("/api/v1/watches", headers=allowed).json()["watches"]
        assert [one["label"] for one in listed] == ["the trial EX-0002"]
        assert browser.client.delete("/api/v1/watches/1", headers=allowed).status_code == 204
        assert browser.client.get("/watches", headers=allowed).status_code == 403, "pages are for the browser"
        described = browser.get("/openapi.json").json()
        assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
        assert described["paths"]["/api/v1/watches"]["get"]["security"] == [{"token": []}]
    with serve(index) as browser:
        assert browser.client.get("/api/v1/watches", headers={"Authorization": "Bearer "}).status_code == 401


def test_a_token_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    short, open_to_all = tmp_path / "short", tmp_path / "open"
    short.write_text("x")
    short.chmod(0o600)
    open_to_all.write_text("x" * 40)
    open_to_all.chmod(0o644)
    for path in (short, open_to_all, tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(ServeError) as told:
            read_token(path)
        assert told.value.hint
    with pytest.raises(ServeError, match="one person"):
        Settings.for_address(("127.0.0.1", 1), public=True, base_url="https://x.test", token="x" * 30)


def test_news_come_newest_day_first_and_of_a_day_the_new_ones_first(browser: Browser, index: Index) -> None:
    browser.enter()
    browser.submit("/watches", {"condition": "lupus nephritis"})
    closed = [trial(number, conditions=("Lupus Nephritis",), status="COMPLETED") for number in range(20, 23)]
    index.ingest(ListSource(trial(19, conditions=("Lupus Nephritis",), status="RECRUITING"), *closed))
    with Watches(index.folder) as watches:
        find_updates(index, watches)
    news = browser.get("/api/v1/watches").json()["news"]
    assert [(one["kind"], one["count"]) for one in news] == [("new", 1), ("backlog", 3)]
    page = browser.get("/watches").text
    assert page.index("New:") < page.index("Not new:")
    assert page.count("T-20") == 1, "in the list that opens"
    feed = feedparser.parse(browser.get(re.findall(r'href="(/feeds/watch/[^"]+)"', page)[0]).text)
    assert sorted(entry.title.partition(":")[0] for entry in feed.entries) == ["New", "Not new"]
    assert not any("T-20" in str(entry) for entry in feed.entries)


def test_what_is_not_ticked_is_not_watched(browser: Browser) -> None:
    browser.enter()
    browser.submit("/watches", {"trial": "EX-0002", "choose": "1", "condition": "lupus nephritis"})
    assert [one["kind"] for one in browser.get("/api/v1/watches").json()["watches"]] == ["condition"]


def test_a_number_that_no_watch_can_have_is_no_watch(browser: Browser) -> None:
    browser.enter()
    browser.submit("/watches", {"trial": "EX-0002"})
    assert browser.client.delete(f"/api/v1/watches/{2**80}").status_code == 404
    assert browser.submit(f"/watches/{2**80}", {"do": "remove"}).status_code == 404

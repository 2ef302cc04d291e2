"""``markdown`` and ``html``: pages to send on, in which no registry text is more than text."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from support.renderer_cases import (
    ANSWER,
    TEXTS,
    draw,
    draw_all,
    filled_answer,
    filled_card,
    plain,
    renderer,
    sweep,
)
from trialindex.trial import Trial
from trialindex.trial.sanitize import one_line
from trialindex_renderers.markdown import escape
from trialindex_renderers.view import safe_url

# --- markdown -------------------------------------------------------------------------------------------------------


def tokens(text: str) -> list[Any]:
    found = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        found += [token, *(token.children or [])]
    return found


@given(text=TEXTS)
@sweep
def test_markdown_is_nothing_but_headings_lists_and_safe_links(text: str) -> None:
    expected = {
        "heading",
        "paragraph",
        "inline",
        "text",
        "strong",
        "em",
        "bullet_list",
        "list_item",
        "link",
        "blockquote",
    }
    for drawn in draw_all(renderer("markdown", contacts=True), filled_answer(text), (filled_card(text),)):
        found = tokens(drawn)
        assert found
        for token in found:
            assert re.sub("_(open|close)$", "", token.type) in expected, token
            if token.type == "link_open":
                assert token.attrs["href"].startswith(("http://", "https://"))
            assert token.type != "heading_open" or token.tag in {"h1", "h2", "h3"}


@given(text=TEXTS)
@sweep
def test_markdown_shows_the_text_itself(text: str) -> None:
    drawn = draw(renderer("markdown"), Trial(id="T1", title="T"), plain=plain(text or "-"))
    inline = next(token for token in tokens(drawn) if token.type == "inline")
    shown = "".join(child.content for child in inline.children)
    assert shown == (one_line(text or "-") or "T")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("- 5 mg", r"\- 5 mg"),
        ("+ 5", r"\+ 5"),
        ("1. First", r"1\. First"),
        ("# 1", r"\# 1"),
        ("> 18 years", r"\> 18 years"),
        ("HbA1c > 7.5 and eGFR < 30", r"HbA1c > 7.5 and eGFR \< 30"),
        ("0.5 mg, R&D, phase 1-2 #3", "0.5 mg, R&D, phase 1-2 #3"),
        ("a &amp; b", r"a \&amp; b"),
    ],
)
def test_markdown_escapes_what_it_must_and_little_else(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_markdown_answer() -> None:
    text = "".join(renderer("markdown").results(ANSWER))
    assert "# Trials for “severe lupus kidney”\n" in text
    assert "## 1. [NK Cells Combined" in text
    assert "](<https://clinicaltrials.gov/study/NCT06676631>)" in text
    assert "- **Who:** from 18 to 65 years, all sexes\n" in text


# --- html -----------------------------------------------------------------------------------------------------------

DOCUMENT = {"html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav"}
CONTENT = {"a", "p", "span", "article", "section", "h1", "h2", "h3", "h4", "dl", "div", "dt", "dd", "ul", "li"}
ELEMENTS = DOCUMENT | CONTENT | {"details", "summary"}


class Outline(HTMLParser):
    """The elements of a page, and a few things about them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@given(text=TEXTS)
@sweep
def test_html_holds_no_element_beyond_its_own(text: str) -> None:
    for drawn in draw_all(renderer("html", contacts=True), filled_answer(text), (filled_card(text),)):
        page = Outline(drawn)
        assert set(page.tags) <= ELEMENTS
        assert page.open == []
        for link in page.all("a"):
            assert re.match(r"https?://[^\s\"'<>]+$|#[a-z0-9-]+$", link["href"] or ""), link
        for tag, attrs in page.elements:
            known = {"lang", "charset", "name", "content", "http-equiv", "class", "href", "id", "dir", "rel"}
            assert set(attrs) <= known | {"aria-labelledby", "aria-label", "aria-describedby", "title"}, (tag, attrs)


def test_html_is_one_accessible_page() -> None:
    for drawn in draw_all(renderer("html")):
        page = Outline(drawn)
        assert drawn.startswith("<!doctype html>\n")
        assert page.all("html") == [{"lang": "en"}]
        assert [page.tags.count(tag) for tag in ("title", "h1", "header", "main", "footer")] == [1, 1, 1, 1, 1]
        first_link = page.all("a")[0]
        assert first_link["href"] == "#main"
        assert page.all("main")[0]["id"] == "main"
        levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h\d", tag)]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        for attrs in page.all("a"):
            target = attrs["href"] or ""
            assert target.removeprefix("#") in ids if target[0] == "#" else "noopener" in (attrs["rel"] or "")


def test_html_fetches_and_runs_nothing() -> None:
    for drawn in draw_all(renderer("html")):
        page = Outline(drawn)
        assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
        assert "url(" not in drawn
        assert "@import" not in drawn
        assert "default-src 'none'" in drawn


def test_html_shows_hostile_text_as_text() -> None:
    drawn = "".join(renderer("html").trial(filled_card("<script>alert(1)</script> {{ 7 * 7 }}")))
    assert "<script" not in drawn
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in Outline(drawn).text
    assert "49" not in drawn


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_html_colours_have_the_contrast_that_wcag_aa_asks_for(scheme: str) -> None:
    style = "".join(renderer("html").trials(iter(())))
    light, dark = style.split("@media (prefers-color-scheme: dark)", 1)
    colours = dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6});", (light if scheme == "light" else dark.split("@media")[0]))
    )
    pairs = [(ink, "paper") for ink in ("ink", "soft", "link")] + [(f"{t}-ink", t) for t in ("open", "soon", "closed")]
    assert {pair: contrast(colours[pair[0]], colours[pair[1]]) >= 4.5 for pair in pairs} == dict.fromkeys(pairs, True)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://clinicaltrials.gov/study/NCT1", True),
        ("http://example.org/a?b=c&d=1", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("https://[bad", False),
        ('https://a.org/"onclick=x', False),
        ("https://a.org/>)", False),
        ("https://a.org/\x00", False),
        (None, False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, safe: bool) -> None:
    assert safe_url(url) == (url if safe else None)

"""Everything that a renderer can draw, and whether it is valid in its format and holds nothing that does harm."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from support.hostile_cases import controls
from trialindex.plugin.interfaces import Renderer
from trialindex.testing import sample_card, sample_results
from trialindex.trial import Trial
from trialindex_renderers.documents import JsonLinesRenderer, JsonRenderer
from trialindex_renderers.markdown import MarkdownRenderer
from trialindex_renderers.spreadsheet import CsvRenderer
from trialindex_renderers.table import TableRenderer
from trialindex_renderers.webpage import HtmlRenderer

RENDERERS = (TableRenderer, JsonRenderer, JsonLinesRenderer, CsvRenderer, MarkdownRenderer, HtmlRenderer)
VOID = {"meta", "link", "br", "hr", "img", "input"}


def drawings(renderer: Renderer, trials: list[Trial]) -> list[str]:
    """Everything that a renderer can draw of these trials; none of it is nothing."""
    drawn = [
        "".join(renderer.results(sample_results(trials))),
        *("".join(renderer.trial(sample_card(trial, contacts=True))) for trial in trials),
        "".join(renderer.trials(iter(trials))),
    ]
    assert all(drawn)
    return drawn


class Balanced(HTMLParser):
    """Reads a page as a browser would, and notes what it must not hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"script", "img", "svg", "iframe", "object", "base", "form"}:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in {"srcdoc", "formaction"}:
                self.wrong.append(f"{tag} {name}")
            if name in {"href", "src"} and not (value or "").startswith(("http://", "https://", "#")):
                self.wrong.append(f"{name}={value!r}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")

    def handle_comment(self, data: str) -> None:
        self.wrong.append("a comment")


def check_html(text: str) -> None:
    page = Balanced()
    page.feed(text)
    page.close()
    assert page.wrong == []
    assert page.open == []


def check_markdown(text: str) -> None:
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        assert token.type not in {"html_block", "fence", "code_block", "table_open"}, token.content
        for child in token.children or ():
            assert child.type not in {"html_inline", "image", "code_inline"}, child.content
            if child.type == "link_open":
                assert str(child.attrs["href"]).startswith(("http://", "https://"))


def check_csv(text: str, rows: int | None = None) -> list[list[str]]:
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in read}) == 1
    for cell in (cell for row in read for cell in row):
        assert not cell.startswith(("=", "+", "@", "\t", "\r", "＝", "＋", "－", "＠")), cell
        assert "\n" not in cell
        if cell.startswith("-"):
            float(cell)
    assert rows is None or len(read) == rows + 1
    return read


def check_drawing(renderer: Renderer, text: str) -> None:
    """That one drawing is valid in its format."""
    kept = text.replace("\r\n", "\n") if renderer.name == "csv" else text  # its line ends, RFC 4180
    assert controls(kept, colour=renderer.options.color) == []
    text.encode()
    match renderer.name:
        case "html":
            check_html(text)
        case "markdown":
            check_markdown(text)
        case "csv":
            check_csv(text)
        case "json":
            json.loads(text)
        case "jsonl":
            for line in text.splitlines():
                json.loads(line)

"""The documentation as the tests of it see it: its pages, their blocks, links and anchors.

A block of a page may have an HTML comment before it that says what it is:

- ``<!-- run -->`` before ``console``: each ``$`` command is run, must exit 0 and print what is shown;
  ``<!-- run: exits 1 -->`` where it must fail so;
- ``<!-- output -->``: what the ``python`` block before it prints;
- ``<!-- file: NAME -->``: a file of that name holds the block when what follows is run;
- ``<!-- network -->`` before ``python``: not run, because it asks somebody on the network;
- ``<!-- not run: WHY -->`` before ``python``: not run, for another reason.

Every other ``python`` block is run. In what is shown a line ``[…]`` stands for lines that are left out, and ``[…]``
inside a line for the rest of it up to what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, pairwise
from pathlib import Path

from markdown_it import MarkdownIt

from support.paths import ROOT

SHELLS = ("console", "sh", "bash", "shell", "")
LEFT_OUT = "[…]"

_NOT_OURS = {"build", "dist", "venv", "node_modules", "__pycache__"}
_COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
_parser = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the comment right before it, its text, and the line it starts on."""

    language: str
    mark: str
    text: str
    line: int


def files(*patterns: str) -> list[Path]:
    """Files of the repository that match, sorted; nothing hidden, built or in a virtual environment."""

    def ours(path: Path) -> bool:
        parts = path.relative_to(ROOT).parts
        inside = not any(part.startswith(".") or part in _NOT_OURS or part.endswith(".egg-info") for part in parts)
        return inside and (parts[0] != "indexes" or parts[1] == "sample")

    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path for path in found if ours(path))


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    return files("*.md", "docs/**/*.md", "plugins/**/*.md", "benchmarks/**/*.md")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order, also those inside lists."""
    mark = ""
    for token in _parser.parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            language = token.info.split()[0] if token.info.strip() else ""
            yield Block(language, mark, token.content, (token.map or [0])[0] + 1)
            mark = ""
        elif token.type == "html_block" and (comment := _COMMENT.search(token.content)):
            mark = comment[1]
        elif token.type in ("inline", "heading_open"):
            mark = ""


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """The commands of a shell block, each with the lines that are shown below it.

    In ``console`` a command starts with ``$``; elsewhere every line is one. A backslash continues it on the next line.
    """
    command = ""
    shown: list[str] = []
    continued = False
    for line in block.text.splitlines():
        if continued:
            command = f"{command[:-1]}{line.strip()}"
        elif block.language != "console" or line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), []
        else:
            shown.append(line)
            continue
        continued = command.endswith("\\")
    if command:
        yield command, shown


def links(page: Path) -> Iterator[str]:
    """Targets of all links and images of a page."""
    for token in _parser.parse(page.read_text(encoding="utf-8")):
        for child in token.children or []:
            target = child.attrs.get("href") if child.type == "link_open" else child.attrs.get("src")
            if isinstance(target, str):
                yield target


def headings(page: Path) -> list[str]:
    """The text of every heading, without its formatting."""
    return [
        "".join(child.content for child in inline.children or [])
        for opening, inline in pairwise(_parser.parse(page.read_text(encoding="utf-8")))
        if opening.type == "heading_open"
    ]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    counts: dict[str, int] = {}
    result = set()
    for heading in headings(page):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = counts.get(slug, 0)
        counts[slug] = count + 1
        result.add(f"{slug}-{count}" if count else slug)
    return result


def rows(page: Path) -> Iterator[list[str]]:
    """The rows of all tables of a page, as the text of their cells in Markdown."""
    row: list[str] = []
    for token in _parser.parse(page.read_text(encoding="utf-8")):
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(token.content)
        elif token.type == "tr_close":
            yield row


def missing(shown: list[str], printed: str) -> str | None:
    """The first line of *shown* that *printed* does not hold in its place; ``None`` if all are there.

    Blank lines and white space do not count, and numbers with a decimal point are alike: scores and seconds differ from
    machine to machine. After ``[…]`` the lines go on anywhere below.
    """
    wanted, there = _plain(shown), _plain(printed.splitlines())
    at, anywhere = 0, True
    for line in wanted:
        if line == LEFT_OUT:
            anywhere = True
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split(LEFT_OUT))))
        candidates = range(at, len(there) if anywhere else min(at + 1, len(there)))
        found = next((i for i in candidates if pattern.fullmatch(there[i])), None)
        if found is None:
            return line
        at, anywhere = found + 1, False
    return None


def refreshed(shown: list[str], printed: str) -> list[str]:
    """What a page shows, anew: all that was printed.

    Where *shown* begins with ``[…]`` it goes on doing so, in place of the lines that are no output (``trialindex: …``);
    where it ends with ``[…]``, it keeps its length. What leaves lines or words out elsewhere stays as it is.
    """
    head, tail = shown[:1] == [LEFT_OUT], shown[1:] and shown[-1] == LEFT_OUT
    kept = shown[int(head) : len(shown) - int(bool(tail))]
    if not kept or any(LEFT_OUT in line for line in kept):
        return shown
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    if head:
        lines = list(dropwhile(lambda line: line.startswith("trialindex: "), lines))
    cut = bool(tail) and len(lines) > len(kept)
    return [*[LEFT_OUT] * head, *(lines[: len(kept)] if cut else lines), *[LEFT_OUT] * cut]


def _plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\d+\.\d+", "0.0", " ".join(line.split())) for line in lines if line.strip()]

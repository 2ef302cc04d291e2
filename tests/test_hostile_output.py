"""Whatever a record, a file or an argument holds: no command prints what steers a terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

import trialindex_csv
import trialindex_ctgov
import trialindex_renderers
import trialindex_writers
from support.helpers import CountingEncoder, ListSource
from support.hostile_cases import ATTACKS, EVERYTHING, controls, filled
from trialindex.cli import main
from trialindex.errors import PluginError
from trialindex.index import Index
from trialindex.plugin.guard import describe_error
from trialindex.plugin.interfaces import Renderer, RenderOptions
from trialindex.plugin.messages import Delivery, Update
from trialindex.plugin.registry import Plugins
from trialindex.testing import BruteForceStore, sample_card, sample_results
from trialindex.trial import Trial
from trialindex_notifiers import texts
from trialindex_renderers.documents import JsonLinesRenderer, JsonRenderer
from trialindex_renderers.markdown import MarkdownRenderer
from trialindex_renderers.spreadsheet import CsvRenderer
from trialindex_renderers.table import TableRenderer
from trialindex_renderers.webpage import HtmlRenderer

STORABLE = {name: text for name, text in ATTACKS.items() if name != "half pairs"}
"""JSON cannot hold half of a pair, so that no record that is stored does."""
WHOLE = " ".join(STORABLE.values())
RENDERERS = (TableRenderer, JsonRenderer, JsonLinesRenderer, CsvRenderer, MarkdownRenderer, HtmlRenderer)
VOID = {"meta", "link", "br", "hr", "img", "input"}


def drawings(renderer: Renderer, trials: list[Trial]) -> Iterator[str]:
    """Everything that a renderer can draw of these trials."""
    yield "".join(renderer.results(sample_results(trials)))
    for trial in trials:
        yield "".join(renderer.trial(sample_card(trial, contacts=True)))
    yield "".join(renderer.trials(iter(trials)))


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


@pytest.mark.parametrize("cls", RENDERERS, ids=lambda cls: cls.name)
@pytest.mark.parametrize("attack", [*ATTACKS, "all of them"])
def test_no_attack_goes_through_a_renderer(cls: type[Renderer], attack: str) -> None:
    text = ATTACKS.get(attack, EVERYTHING)
    for colour in (False, True):
        renderer = cls(RenderOptions(width=80 if colour else None, color=colour, contacts=True, sources=True))
        for drawn in drawings(renderer, [filled(text), filled(f"{text} {EVERYTHING}", 2)]):
            check_drawing(renderer, drawn)


def test_json_gives_back_what_the_registry_states() -> None:
    trial = filled(EVERYTHING)
    drawn = "".join(JsonRenderer(RenderOptions(contacts=True)).trial(sample_card(trial, contacts=True)))
    assert json.loads(drawn)["trial"]["summary"] == EVERYTHING
    assert json.loads(drawn)["trial"]["raw"] == trial.raw


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r\n=1", " =1", "＝1", "\u200b=1", "\x00=1", "'=1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    drawn = "".join(CsvRenderer(RenderOptions(contacts=True)).trials(iter([filled(text)])))
    check_csv(drawn, rows=1)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_goes_through_a_message(attack: str) -> None:
    text = ATTACKS[attack]
    update = Update(
        key="k",
        watch=1,
        kind="changed",
        trial=text,
        title=text,
        url=text,
        when=text,
        asked=text,
        why=text,
        lines=(text,),
    )
    delivery = Delivery(key="d", created="2026-03-05T07:00:00+00:00", updates=(update, update))
    assert controls(texts.text(delivery, asked=True)) == []
    check_html(texts.page(delivery))
    assert "javascript:" not in json.dumps(texts.data(delivery)["updates"][0]["url"])
    from trialindex_notifiers.email import compose

    message = compose(delivery, sender="a@example.org", to="b@example.org")
    assert set(message.keys()) <= {
        *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "MIME-Version"),
        "Content-Type",
    }
    assert str(message["To"]) == "b@example.org"
    assert b"\n.\n" not in message.as_bytes()


def test_a_feed_is_well_formed_whatever_it_tells(tmp_path: Path) -> None:
    from trialindex_notifiers.feed import FeedNotifier

    for rss in (False, True):
        path = tmp_path / f"feed-{rss}.xml"
        for number, text in enumerate(STORABLE.values()):
            update = Update(
                key=f"k{number}{text}", watch=1, kind="new", trial=text, title=text, url=text, when=text, lines=(text,)
            )
            delivery = Delivery(key=f"d{number}", created="2026-03-05T07:00:00+00:00", updates=(update,))
            FeedNotifier(str(path), rss=rss).send(delivery)
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        titles = [one for one in root.iter() if one.tag.rpartition("}")[2] in ("entry", "item")]
        assert len(titles) == len(STORABLE)
        assert controls("".join(root.itertext())) == []


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><feed>&b;</feed>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><feed/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><feed>&e;</feed>',
    ],
)
def test_entities_of_a_feed_are_never_resolved(bomb: str, tmp_path: Path) -> None:
    from trialindex.errors import NotifierError
    from trialindex_notifiers.feed import FeedNotifier

    path = tmp_path / "feed.xml"
    path.write_text(bomb, encoding="utf-8")
    update = Update(key="k", watch=1, kind="new", trial="T", title="t", when="2026-03-05")
    delivery = Delivery(key="d", created="2026-03-05T07:00:00+00:00", updates=(update,))
    with pytest.raises(NotifierError, match="left as it is"):
        FeedNotifier(str(path)).send(delivery)
    assert path.read_text(encoding="utf-8") == bomb


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of trials that mean harm, in two versions each, with news of both."""
    return tmp_path_factory.mktemp("hostile") / "index"


@pytest.fixture
def folder(hostile_index: Path, registered: Plugins) -> Path:
    for plugin in (trialindex_renderers, trialindex_writers, trialindex_csv, trialindex_ctgov):
        registered.register(plugin, plugin.__name__)
    if not hostile_index.exists():
        with Index.create(hostile_index, encoder=CountingEncoder.name, store=BruteForceStore.name) as index:
            for turn in ("", "again "):
                trials = [filled(turn + text, n) for n, text in enumerate(STORABLE.values())]
                trials.append(filled(turn + WHOLE, 99, id="H\x1b[2J\u202e99"))
                index.ingest(ListSource(*trials, ("\x1b[2Jwhere", f"why {EVERYTHING}")))
    return hostile_index


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


READ = [
    ("list",),
    *(("query", "script evil", "--format", one.name) for one in RENDERERS),
    ("query", WHOLE.replace("\x00", " "), "--explain"),
    *(("show", "H-1", "--format", one.name, "--contacts") for one in RENDERERS),
    *(("export", "--format", one.name) for one in RENDERERS),
    ("history", "H-10"),
    ("history", "H-1", "--json"),
    ("diff", "H-5"),
    ("diff", "H-5", "--json"),
    ("diff", "H-8", "--json"),
    ("history", "H\x1b[2J\u202e99"),
    ("show", "H\x1b[2J\u202e99"),
    ("info",),
    ("info", "--json"),
    ("check",),
    ("plugins",),
]


@pytest.mark.parametrize("arguments", READ, ids=lambda a: " ".join(a)[:30])
def test_no_command_prints_what_steers_a_terminal(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed = () if arguments == ("plugins",) else ("--index", str(folder))
    code, out, err = run(capsys, *arguments, *indexed)
    out = out.replace("\r\n", "\n") if "csv" in arguments else out
    assert code == 0, err
    assert (controls(out), controls(err)) == ([], [])
    if "--json" in arguments:
        json.loads(out)


ASKED_WRONGLY = [
    ("show", EVERYTHING),
    ("query", "lupus", "--status", EVERYTHING),
    ("query", "lupus", "--near", EVERYTHING),
    ("query", "lupus", "--country", EVERYTHING),
    ("query", "lupus", "--format", "\x1b[2Jx"),
    ("diff", "H-1", "--from", EVERYTHING),
    ("ingest", f"csv:{EVERYTHING}"),
    ("ingest", "\x1b[2Jx:y"),
    ("remove", EVERYTHING, "--yes"),
    ("\x1b[2Jx",),
    ("query", "--\x1b[2Jx"),
]


@pytest.mark.parametrize("arguments", ASKED_WRONGLY, ids=lambda a: " ".join(a)[:30])
def test_no_error_prints_what_steers_a_terminal(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = tuple(one.replace("\x00", " ") for one in arguments)  # no operating system passes a NUL
    indexed = () if arguments[0].startswith("\x1b") else ("--index", str(folder))
    code, out, err = run(capsys, *arguments, *indexed)
    assert code in (1, 2)
    assert (controls(out), controls(err)) == ([], [])
    assert err.startswith("trialindex: ") or "trialindex: " in err


def test_a_question_before_deleting_is_clean(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, err = run(capsys, "remove", "H\x1b[2J\u202e99", "--index", str(folder))
    assert (code, controls(out), controls(err)) == (130, [], [])
    assert "again" in err


@pytest.mark.parametrize("arguments", [("query", "caf\udce9 lupus"), ("query", "lupus", "--condition", EVERYTHING)])
def test_a_question_with_bytes_that_are_no_text_is_answered(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *(one.replace("\x00", " ") for one in arguments), "--index", str(folder))
    assert code == 0, err
    assert (controls(out), controls(err)) == ([], [])
    assert "\udce9" not in out


@pytest.mark.parametrize("arguments", [("show", "\udcff"), ("query", "lupus", "--near", "\udcff")])
def test_bytes_that_are_no_text_are_one_line(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *arguments, "--index", str(folder))
    assert code == 1
    assert err.count("\n") == 1
    assert err.startswith("trialindex: ")


def test_a_note_that_is_no_utf_8_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9"), encoding="utf-8"))
    code, _, err = run(capsys, "query", "-", "--index", str(folder))
    assert (code, err.count("\n")) == (1, 1)
    assert "not UTF-8 text" in err


def test_news_in_json_are_json(folder: Path) -> None:
    from trialindex.cli.output import json_text
    from trialindex.cli.updates import format_updates

    text = WHOLE
    update = Update(
        key="k", watch=1, kind="new", trial=text, title=text, when=text, asked=text, why=text, lines=(text,)
    )
    assert controls(json_text([update])) == []
    assert json.loads(json_text([update]))[0]["trial"]
    assert controls("".join(format_updates([update]))) == []


def test_what_a_plugin_says_of_its_failure_is_clean() -> None:
    assert controls(describe_error(ValueError(EVERYTHING))) == []
    assert controls(describe_error(PluginError(EVERYTHING))) == []

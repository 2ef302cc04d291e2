"""Whatever a record, a file or an argument holds: no command prints what steers a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

import trialindex_csv
import trialindex_ctgov
import trialindex_renderers
import trialindex_writers
from support.command import run_command
from support.drawings import RENDERERS, check_csv, check_drawing, check_html, drawings
from support.helpers import CountingEncoder, ListSource
from support.hostile_cases import ATTACKS, EVERYTHING, STORABLE, WHOLE, controls, filled
from trialindex.errors import PluginError
from trialindex.index import Index
from trialindex.plugin.guard import describe_error
from trialindex.plugin.interfaces import Renderer, RenderOptions
from trialindex.plugin.messages import Delivery, Update
from trialindex.plugin.registry import Plugins
from trialindex.testing import BruteForceStore, sample_card
from trialindex_notifiers import texts
from trialindex_renderers.documents import JsonRenderer
from trialindex_renderers.spreadsheet import CsvRenderer


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

    path = tmp_path / "feed.xml"
    for number, text in enumerate(STORABLE.values()):
        update = Update(
            key=f"k{number}{text}", watch=1, kind="new", trial=text, title=text, url=text, when=text, lines=(text,)
        )
        delivery = Delivery(key=f"d{number}", created="2026-03-05T07:00:00+00:00", updates=(update,))
        FeedNotifier(str(path)).send(delivery)
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert len(root.findall("{http://www.w3.org/2005/Atom}entry")) == len(STORABLE)
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
    code, out, err = run_command(capsys, *arguments, *indexed)
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
    code, out, err = run_command(capsys, *arguments, *indexed)
    assert code in (1, 2)
    assert (controls(out), controls(err)) == ([], [])
    assert err.startswith("trialindex: ") or "trialindex: " in err


def test_a_question_before_deleting_is_clean(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, err = run_command(capsys, "remove", "H\x1b[2J\u202e99", "--index", str(folder))
    assert (code, controls(out), controls(err)) == (130, [], [])
    assert "again" in err


@pytest.mark.parametrize("arguments", [("query", "caf\udce9 lupus"), ("query", "lupus", "--condition", EVERYTHING)])
def test_a_question_with_bytes_that_are_no_text_is_answered(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run_command(capsys, *(one.replace("\x00", " ") for one in arguments), "--index", str(folder))
    assert code == 0, err
    assert (controls(out), controls(err)) == ([], [])
    assert "\udce9" not in out


@pytest.mark.parametrize("arguments", [("show", "\udcff"), ("query", "lupus", "--near", "\udcff")])
def test_bytes_that_are_no_text_are_one_line(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run_command(capsys, *arguments, "--index", str(folder))
    assert code == 1
    assert err.count("\n") == 1
    assert err.startswith("trialindex: ")


def test_a_note_that_is_no_utf_8_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9"), encoding="utf-8"))
    code, _, err = run_command(capsys, "query", "-", "--index", str(folder))
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

"""What all notifiers share: the words of a message; and the ``terminal``, where a person reads them."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import textwrap

import msgspec
import pytest

from support.notifier_cases import delivery, refusal, update
from trialindex.errors import NotifierError
from trialindex.plugin.trial_page import NOTICE
from trialindex.testing import check_notifier, sample_deliveries
from trialindex_notifiers import texts
from trialindex_notifiers.terminal import TerminalNotifier

# --- the words --------------------------------------------------------------------------------------------------------


def test_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys; from trialindex_notifiers import register_notifiers\n"
        "print(sorted(cls.name for cls in register_notifiers()), [cls.local for cls in register_notifiers()])\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, loaded = done.stdout.splitlines()
    assert names == "['email', 'feed', 'file', 'terminal', 'webhook'] [False, True, True, True, False]"
    assert not {"httpx2", "jinja2", "smtplib", "filelock", "numpy", "rich"} & set(loaded.split())


def test_a_summary_counts_each_kind() -> None:
    def said(*kinds: str) -> str:
        return texts.summary(delivery(*(update(number, kind=kind) for number, kind in enumerate(kinds))))

    assert said("new") == "1 new study"
    assert said("new", "new", "changed") == "2 new studies, 1 changed study"
    assert said("removed", "changed", "changed") == "2 changed studies, 1 study no longer in the index"
    assert said("removed", "removed") == "2 studies no longer in the index"


def test_a_test_says_that_it_is_one_and_names_no_watch() -> None:
    test = delivery(update(watch=0, title="No trial is new."))
    text = texts.text(test)
    assert text.splitlines()[0] == "trialindex: a test"
    assert "A test: No trial is new." in text
    assert "trialindex watch" not in text
    assert "trialindex notify remove N" in text
    assert texts.data(test)["updates"][0]["says"] == "A test"


def test_many_watches_and_many_lines_stay_readable() -> None:
    news = [update(number, watch=number, lines=[f"a → {n}" for n in range(25)]) for number in range(1, 9)]
    text = texts.text(delivery(*news))
    assert text.count("trialindex watch remove") == 5
    assert "  trialindex watch list\n" in text
    assert "a → 19" in text
    assert "a → 20" not in text
    assert "and 5 more; to see all, type: trialindex diff NCT00000001" in " ".join(text.split())


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/a?b=c&d=%20#e", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://example.org/ x", False),
        ('https://example.org/"onclick="', False),
        ("https://example.org/<script>", False),
        ("https://example.org/\u202e", False),
        ("//example.org/", False),
        ("https://[", False),
        ("https://example.org/" + "x" * 1000, False),
        ("", False),
        (None, False),
    ],
)
def test_only_addresses_of_the_web_are_linked_to(url: str | None, kept: bool) -> None:
    assert texts.address(url) == (url if kept else None)


def test_a_command_that_is_shown_is_safe_to_type() -> None:
    news = update(trial="$(rm -rf ~)", lines=[f"a → {n}" for n in range(25)])
    assert "trialindex diff '$(rm -rf ~)'" in " ".join(texts.text(delivery(news)).split())


@pytest.mark.parametrize("created", ["2026-03-05T07:00:00", "2026-03-05T07:00:00.123456Z", "2026-03-05T08:00:00+01:00"])
def test_the_moment_is_utc_however_it_is_written(created: str) -> None:
    assert texts.stamp(delivery(update(), created=created)) == "2026-03-05T07:00:00Z"


def test_studies_that_are_not_new_are_one_line_with_a_count() -> None:
    old = update(
        2, kind="backlog", trial="", url=None, count=12, title="12 studies: 9 posted before 2026, 3 that ended",
        why="They name a condition that you watch.", lines=["NCT00000009, completed: Rest"],
    )  # fmt: skip
    text = texts.text(delivery(update(1), old))
    assert text.splitlines()[0] == "trialindex: 1 new study, 12 studies that are not new"
    assert text[text.index("Not new") :].split("\n\n")[0].splitlines() == [
        "Not new: 12 studies: 9 posted before 2026, 3 that ended",
        "  Noticed    5 March 2026",
        "  Why        They name a condition that you watch.",
        "  To list    trialindex updates --watch 3 --since 2026-03-05",
    ]
    assert "Rest" not in texts.page(delivery(old))
    assert texts.update_data(old)["lines"] == ["NCT00000009, completed: Rest"]


def test_a_message_that_is_cut_says_how_to_see_the_rest() -> None:
    news = [update(number, when=f"2026-03-{number:02}") for number in range(1, 8)]
    text = texts.text(delivery(*news), limit=5)
    assert text.count("A new study: ") == 5
    assert "And 2 more. To see them:\n  trialindex updates --since 2026-03-01\n" in text
    assert "And 1 more. To see it:" in texts.text(delivery(*news), limit=6)
    assert "more. To see" not in texts.text(delivery(*news), limit=7)
    page = texts.page(delivery(*news), limit=5)
    assert page.count("<h2") == 5
    assert "<code>trialindex updates --since 2026-03-01</code>" in page


@pytest.mark.parametrize(("url", "shown"), [("https://trials.example/w/4?a=b&c", True), ("javascript:alert(1)", False)])
def test_the_rest_of_a_message_is_linked_to_where_it_has_a_page(url: str, shown: bool) -> None:
    cut = msgspec.structs.replace(delivery(update(1), update(2)), url=url)
    assert (f"\n  {url}\n" in texts.text(cut, limit=1)) is shown
    assert ('<a href="https://trials.example/w/4?a=b&amp;c">' in texts.page(cut, limit=1)) is shown
    assert ("trialindex updates --since 2026-03-05" in texts.text(cut, limit=1)) is not shown


# --- terminal ---------------------------------------------------------------------------------------------------------


def test_the_terminal_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    printed = ""

    def received() -> list[str]:
        nonlocal printed
        printed += capsys.readouterr().out
        return re.findall(r"^Message (\S+)$", printed, re.MULTILINE)

    check_notifier(TerminalNotifier, received)


def test_the_terminal_says_everything_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ("recruiting → completed", "site added: Lyon, France")
    asked = update(1, kind="changed", lines=lines, asked="lupus of the kidney")
    TerminalNotifier().send(delivery(asked, update(2, kind="removed", watch=8, url=None)))
    assert capsys.readouterr().out.splitlines() == [
        "trialindex: 1 changed study, 1 study no longer in the index",
        "",
        "Changed: Home exercise number 1",
        "  Id         NCT00000001",
        "  Page       https://clinicaltrials.gov/study/NCT00000001",
        "  Noticed    5 March 2026",
        "  Why        It lists a condition of this watch.",
        "  You watch  lupus of the kidney",
        "  - recruiting → completed",
        "  - site added: Lyon, France",
        "",
        "No longer in the index: Home exercise number 2",
        "  Id         NCT00000002",
        "  Page       not stated",
        "  Noticed    5 March 2026",
        "  Why        It lists a condition of this watch.",
        "",
        *textwrap.wrap(NOTICE, 100),
        "To stop a watch, type on the computer that runs trialindex:",
        "  trialindex watch remove 3",
        "  trialindex watch remove 8",
        "To stop all that comes this way, find its number N there, and remove it:",
        "  trialindex notify list",
        "  trialindex notify remove N",
        "Message 4f2a",
    ]


class _Screen(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], coloured: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm", "COLUMNS": "60"} | settings).items():
        monkeypatch.setenv(name, value)
    screen = _Screen(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    for sample in sample_deliveries(local=True):
        TerminalNotifier().send(sample)
    assert isinstance(screen.buffer, io.BytesIO)
    shown = screen.buffer.getvalue().decode("ascii")
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    assert ("\x1b" in shown) is coloured
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", plain)
    broken = [line for line in plain.splitlines() if not re.search(r" x{9}|http|\\|javascript", line)]
    assert max(map(len, broken)) <= 60


def test_a_terminal_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with pytest.MonkeyPatch.context() as patch, open(write, "wb", buffering=0) as pipe:  # noqa: PTH123
        stream = io.TextIOWrapper(pipe, write_through=True)
        patch.setattr(sys, "stdout", stream)
        error = refusal(TerminalNotifier())
        stream.detach()
    assert "the terminal takes no output" in str(error)
    assert not error.permanent


def test_the_terminal_takes_nothing_after_a_colon() -> None:
    with pytest.raises(NotifierError, match="file:PATH"):
        TerminalNotifier("x")

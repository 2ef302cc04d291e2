"""`watch`, `sync`, `updates` and `notify` as a user types them."""

from __future__ import annotations

import json
import os
import stat
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from support.command import Run, run_command
from support.helpers import trial
from support.plugin_cases import plugin
from support.watching_cases import Mailbox, Postcard, Registry, add_fakes
from trialindex.errors import NotifierError
from trialindex.index import Index
from trialindex.plugin.messages import Delivery
from trialindex.plugin.registry import Plugins
from trialindex.testing import BruteForceStore
from trialindex.trial import Site
from trialindex_notifiers.terminal import TerminalNotifier


@pytest.fixture
def run(registered: Plugins, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command line about an index of two trials: its exit code, stdout and stderr."""
    add_fakes(registered)
    Registry.trials_now = [
        trial(1, title="Walks in lupus", conditions=("LN", "Asthma"), status="RECRUITING"),
        trial(2, title="Sleep", conditions=("Insomnia",)),
    ]
    monkeypatch.setenv("TRIALINDEX_INDEX", str(tmp_path / "index"))
    with Index.create(tmp_path / "index", encoder="counting", store=BruteForceStore.name) as index:
        index.ingest("registry:all")
    return partial(run_command, capfd)


def complete() -> None:
    """The registry's next day."""
    Registry.trials_now = [
        trial(1, title="Walks in lupus", conditions=("LN", "Asthma"), status="COMPLETED"),
        trial(2, title="Sleep", conditions=("Insomnia",)),
        trial(3, title="More \x1b[31mwalks", conditions=("SLE",), url="https://example.org/3"),
    ]


def test_from_the_first_watch_to_the_news(run: Run, tmp_path: Path) -> None:
    assert "nothing is watched yet" in run("watch", "list")[2]
    code, out, err = run("watch", "add", "t-1")
    assert (code, out.splitlines()[:2]) == (0, ["Watch 1: the trial T-1.", "It is: Walks in lupus"])
    assert 'trialindex watch add --condition "lupus nephritis"' in err
    code, out, err = run("watch", "add", "--condition", "lupus", "--status", "recruiting")
    assert (code, err) == (0, "")
    assert "With it go: lupus nephritis.\n1 trial of the index matches now." in out
    code, out, _ = run("watch", "add", "--query", "sleep", "--top", "5", "--level", "0.1", "--name", "sleep")
    assert (code, out.splitlines()[:2]) == (
        0,
        ["Watch 3: sleep.", "Of the first 5 results, 1 have a similarity of 0.1 or more now."],
    )
    code, out, err = run("watch", "list")
    assert [line.split(";")[0] for line in out.splitlines()] == [
        "1  the trial T-1",
        "2  the condition lupus, status recruiting, 1 trial",
        "3  sleep, 1 trial",
    ]
    assert stat.S_IMODE((tmp_path / "index" / "watches.db").stat().st_mode) == 0o600
    complete()
    code, out, err = run("sync")
    assert code == 0
    assert out.split("\n\n")[0].splitlines() == [
        "changed  T-1  Walks in lupus",
        "         watch 1, the trial T-1. This is a trial that you watch.",
        "         - recruiting → completed",
    ]
    assert "registry:all: 1 added, 1 changed, 1 unchanged in " in err
    assert out.count("changed  T-1") == 2
    assert run("updates") == (0, out, "")
    assert run("sync", "--quiet") == (0, "", "")
    assert "nothing new for your watches" in run("sync")[2]


def test_without_watches_and_without_an_index(run: Run, tmp_path: Path) -> None:
    code, out, err = run("sync")
    assert (code, out) == (0, "")
    assert "nothing is watched" in err
    assert run("updates") == (0, "", "trialindex: there is no news so far. Look for some: trialindex sync\n")
    assert not (tmp_path / "index" / "watches.db").exists()
    for command in (("watch", "list"), ("sync",), ("updates",), ("notify", "list"), ("watch", "add", "T-1")):
        code, out, err = run(*command, "--index", str(tmp_path / "none"))
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "there is no index" in err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("watch", "add"), 2, "give one of ID, --condition and --query"),
        (("watch", "add", "T-1", "--query", "x"), 2, "give one of ID"),
        (("watch", "add", "T-1", "--top", "3"), 2, "go with --query"),
        (("watch", "add", "--condition", "x", "--conditions"), 2, "go with an ID"),
        (("watch", "add", "--query", "x", "--level", "2"), 2, "level"),
        (("watch", "add", "T-9"), 1, 'no trial "T-9"'),
        (("watch", "add", "--query", "x", "--phase", "9"), 1, "phase"),
        (("watch", "remove", "7"), 1, "there is no watch 7"),
        (("watch", "pause", "x"), 2, "not a valid integer"),
        (("updates", "--watch", "7"), 1, "there is no watch 7"),
        (("updates", "--since", "yesterday"), 2, "--since"),
        (("notify", "add", "mailbx"), 1, 'unknown notifier "mailbx". Did you mean "mailbox"'),
        (("notify", "add", "mailbox:nowhere"), 1, "nowhere is no address"),
        (("notify", "add", "mailbox", "--color", "red"), 2, "--colour"),
        (("notify", "test", "1"), 1, "there is no notifier 1"),
        (("notify", "remove", "1"), 1, "there is no notifier 1"),
        (("sync", "--forget", "registry:al"), 1, 'Did you mean "registry:all"'),
    ],
)
def test_what_is_mistyped_is_one_line(run: Run, arguments: tuple[str, ...], code: int, says: str) -> None:
    got, out, err = run(*arguments)
    assert (got, out) == (code, "")
    assert says in err
    assert err.count("\n") == 1


# --- the conditions of a trial ----------------------------------------------------------------------------------------


def test_the_conditions_are_offered_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def confirm(text: str, **options: Any) -> bool:
        asked.append(text)
        return True

    monkeypatch.setattr("click.confirm", confirm)
    _, out, _ = run("watch", "add", "T-1")
    assert asked == ["Watch its conditions too (lupus nephritis; asthma)?"]
    assert "Watch 2: the condition lupus nephritis." in out
    assert "Watch 3: the condition asthma." in out


def test_the_conditions_are_not_watched_when_the_user_declines(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda text, **k: False)
    run("watch", "add", "T-1")
    assert len(run("watch", "list")[1].splitlines()) == 1


@pytest.mark.parametrize(("flag", "watches"), [("--conditions", 3), ("--no-conditions", 1)])
def test_the_conditions_by_option(run: Run, flag: str, watches: int) -> None:
    assert run("watch", "add", "T-1", flag)[2] == ""
    assert len(run("watch", "list")[1].splitlines()) == watches


def test_a_condition_that_is_watched_already_is_not_offered(run: Run) -> None:
    run("watch", "add", "--condition", "asthma")
    assert "asthma" not in run("watch", "add", "T-1")[2]


def test_a_condition_that_nobody_knows_is_said(run: Run) -> None:
    assert "no vocabulary at hand knows this condition" in run("watch", "add", "--condition", "the blues")[2]


# --- the others -------------------------------------------------------------------------------------------------------


def test_pause_resume_remove(run: Run) -> None:
    run("watch", "add", "T-1", "--no-conditions")
    assert run("watch", "pause", "1")[1].startswith("Paused watch 1: the trial T-1.")
    assert ", paused" in run("watch", "list")[1]
    complete()
    assert run("sync")[1] == ""
    run("watch", "resume", "1")
    assert run("sync")[1].startswith("changed  T-1")
    assert "1 piece of news" in run("watch", "list")[1]
    assert run("watch", "remove", "1")[1] == "Removed watch 1: the trial T-1.\n"
    assert run("updates")[1] == ""


def test_updates_can_be_chosen_and_read_by_programs(run: Run) -> None:
    run("watch", "add", "T-1", "--no-conditions")
    run("watch", "add", "--condition", "lupus")
    complete()
    run("sync")
    code, out, _ = run("updates", "--json")
    found = json.loads(out)
    assert code == 0
    assert [(one["watch"], one["kind"], one["trial"]) for one in found] == [
        (2, "new", "T-3"),
        (1, "changed", "T-1"),
        (2, "changed", "T-1"),
    ]
    assert "\x1b" not in out
    assert "\x1b" not in run("updates")[1]
    assert len(json.loads(run("updates", "--json", "--watch", "1")[1])) == 1
    assert json.loads(run("updates", "--json", "--since", "2099-01-01")[1]) == []
    assert len(json.loads(run("updates", "--json", "--since", "2020")[1])) == 3


def test_notifiers(run: Run) -> None:
    assert "there is no notifier" in run("notify", "list")[2]
    code, out, err = run("notify", "add", "mailbox:home", "--colour", "red")
    assert (code, out, err) == (0, "Notifier 1: mailbox:home. Try it: trialindex notify test 1\n", "")
    assert "never what you typed" in run("notify", "add", "postcard")[2]
    assert run("notify", "test", "1")[1] == "Notifier 1 (mailbox:home) took the test.\n"
    run("watch", "add", "T-1", "--no-conditions")
    complete()
    assert "notifier 1 (mailbox:home) took 1 delivery." in run("sync")[2]
    assert [got.updates[0].asked for got in (*Mailbox.got[1:], *Postcard.got)] == ["the trial T-1", None]
    assert run("notify", "list")[1].startswith("1  mailbox:home  1 delivery taken, last on 20")
    assert run("notify", "remove", "2")[1] == "Removed notifier 2: postcard.\n"
    assert len(run("notify", "list")[1].splitlines()) == 1


class Screen(Mailbox):
    """Shows what it is sent where the program runs."""

    name = "screen"
    shows = True
    got: ClassVar[list[Delivery]] = []


def test_what_a_notifier_shows_is_not_printed_too(run: Run, registered: Plugins) -> None:
    registered.register(plugin(register_notifiers=lambda: [Screen, TerminalNotifier]), "screens")
    Screen.got.clear()
    run("notify", "add", "screen")
    run("watch", "add", "T-1", "--no-conditions")
    complete()
    code, out, err = run("sync")
    assert (code, out) == (0, "")
    assert "took" not in err
    assert [update.trial for got in Screen.got for update in got.updates] == ["T-1"]

    Mailbox.problem = NotifierError("the screen is dark.")
    Registry.trials_now = [trial(1, title="Walks in lupus", conditions=("LN", "Asthma"), status="WITHDRAWN")]
    code, out, err = run("sync")
    assert (code, out.count("Walks in lupus")) == (1, 1), "what it could not show is printed"
    assert "the screen is dark" in err

    run("notify", "remove", "1")
    run("notify", "add", "terminal")
    Registry.trials_now = [trial(1, title="Walks in lupus", conditions=("LN", "Asthma"), status="RECRUITING")]
    code, out, err = run("sync")
    assert code == 0
    assert out.count("Walks in lupus") == 1
    assert "terminal" not in err


def test_a_notifier_that_fails_is_said_and_the_exit_code_is_1(run: Run) -> None:
    run("notify", "add", "mailbox")
    run("watch", "add", "T-1", "--no-conditions")
    complete()
    Mailbox.problem = NotifierError("the letter box is full.")
    code, out, err = run("sync", "--quiet")
    assert code == 1
    assert out.startswith("changed  T-1"), "the news itself is printed"
    assert (
        err == "trialindex: notifier 1 (mailbox) could not deliver, a later sync tries again: the letter box is full.\n"
    )
    assert "1 waiting, tried up to 1 time, next after 20" in run("notify", "list")[1]
    code, _, err = run("notify", "test", "1")
    assert (code, err) == (1, "trialindex: the letter box is full.\n")


def test_a_refusal_for_good_says_how_to_go_on(run: Run) -> None:
    run("notify", "add", "mailbox")
    run("watch", "add", "T-1", "--no-conditions")
    complete()
    Mailbox.problem = NotifierError("no such box.", permanent=True)
    assert "refuses for good: no such box. When it is mended: trialindex notify test 1" in run("sync")[2]
    assert "1 refused for good until this succeeds: trialindex notify test 1" in run("notify", "list")[1]


def test_a_source_that_fails_is_said_and_the_exit_code_is_1(run: Run) -> None:
    Registry.down = "closed\non Sundays."
    code, out, err = run("sync", "-q")
    assert (code, out, err) == (1, "", "trialindex: registry:all: closed on Sundays.\n")
    assert run("sync", "--forget", "registry:all")[0] == 0
    assert run("sync", "-q") == (0, "", "")


def test_sync_finds_a_file_from_anywhere(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    Path("trials.txt").write_text("A-1 One\n", encoding="utf-8")
    assert run("ingest", "lines:trials.txt", "--separator", " ", "--index", os.path.relpath(tmp_path / "index"))[0] == 0
    Path("trials.txt").write_text("A-1 One\nA-2 Two\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "lines:trials.txt: 1 added, 1 unchanged" in run("sync", "--index", "index")[2]
    Path("desk/trials.txt").unlink()
    code, _, err = run("sync", "--index", "index")
    assert code == 0
    assert 'lines:trials.txt: trials.txt cannot be read. To leave it out: trialindex sync --forget "lines:trials' in err


def test_what_is_watched_is_in_no_export(run: Run, tmp_path: Path) -> None:
    run("watch", "add", "--condition", "my very own words")
    Registry.trials_now.append(trial(5, sites=(Site(city="Lyon"),)))
    run("sync")
    for command in (("info",), ("info", "--json"), ("check",)):
        code, out, err = run(*command)
        assert code == 0
        assert "very own" not in out + err


def test_an_ingest_into_a_folder_that_only_has_watches_makes_an_index_and_keeps_them(run: Run, tmp_path: Path) -> None:
    run("watch", "add", "T-1", "--no-conditions")
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "index" / "watches.db").rename(other / "watches.db")
    Registry.down = "closed."
    options = ("--encoder", "counting", "--store", BruteForceStore.name, "--index", str(other))
    assert run("ingest", "registry", *options)[0] == 1
    assert [path.name for path in other.iterdir()] == ["watches.db"]
    Registry.down = ""
    assert run("ingest", "registry", *options)[0] == 0
    assert run("watch", "list", "--index", str(other))[1].startswith("1  the trial T-1")


def test_a_number_that_no_watch_can_have_is_no_watch(run: Run) -> None:
    run("watch", "add", "t-1", "--no-conditions")
    for command in (("watch", "remove", 2**80), ("watch", "pause", 2**64), ("notify", "remove", 2**80)):
        code, _, err = run(*command)
        assert (code, err.count("\n"), "there is no" in err) == (1, 1, True), err
    assert run("updates", "--watch", 2**80)[0] in (0, 1)

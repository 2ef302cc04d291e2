"""Options stand where people put them: before the name of a command as well as after it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from trialindex.cli import cli
from trialindex.cli.groups import OptionsAnywhere, _options_below
from trialindex.index import Index
from trialindex.watching import Watches


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    path = tmp_path / "studies.csv"
    path.write_text("Number;Name\nA-1;Breathing exercises in asthma\n", encoding="utf-8")
    return path


@pytest.fixture
def index(tmp_path: Path) -> Path:
    Index.create(tmp_path / "index").close()
    return tmp_path / "index"


def typed(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done


MAP = ("--map", "id=Number", "--map=title=Name", "-q")


def test_options_of_ingest_and_of_its_source_stand_before_the_source(studies: Path, index: Path) -> None:
    typed("ingest", "--index", index, *MAP, f"csv:{studies}")
    assert "A-1" in typed("list", "--index", index).output


def test_options_of_all_commands_stand_before_any_of_them(studies: Path, index: Path) -> None:
    typed("--index", index, "ingest", *MAP[:2], f"csv:{studies}", *MAP[2:])
    assert "A-1" in typed("--index", index, "-fjsonl", "list").output


def test_options_of_watch_and_notify_stand_before_what_they_do(index: Path) -> None:
    typed("watch", "--index", index, "add", "--condition", "asthma")
    typed("--index", index, "watch", "--condition=gout", "add")
    typed("notify", "add", "--index", index, f"file:{index}.jsonl")
    typed("notify", f"--index={index}", "add", "feed:news.xml")
    with Watches(index) as watches:
        assert [watch.subject for watch in watches.all()] == ["asthma", "gout"]
        assert [notifier.name for notifier in watches.notifiers()] == ["file", "feed"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ingest", "--index", "x"], "Missing command"),
        (["ingest", "--bach-size", "3", "csv:y"], "No such option '--bach-size'. Did you mean '--batch-size'?"),
        (["ingest", "--index", "x", "--wat", "csv:y"], "No such option '--wat'"),
        (["ingest", "--full", "csv:y"], "No such option '--full'"),
        (["--", "--index"], "Missing command"),
        (["-"], "No such command '-'"),
    ],
)
def test_what_is_wrong_is_said_of_the_option_that_is_wrong(arguments: list[str], says: str) -> None:
    assert says in typed(*arguments, code=2).output


def test_an_option_takes_a_value_in_all_commands_or_in_none() -> None:
    """Else nobody could tell what follows it before the name of the command is known."""
    kinds: dict[str, set[bool]] = {}
    for name, takes_value in _options_below(cli, click.Context(cli)):
        kinds.setdefault(name, set()).add(takes_value)
    assert len(kinds) > 40
    assert {name for name, found in kinds.items() if len(found) > 1} == set()


def test_commands_are_not_looked_at_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OptionsAnywhere, "list_commands", lambda self, ctx: pytest.fail("they were"))
    typed("completion", "bash")

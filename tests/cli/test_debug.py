"""``--debug`` and ``TRIALINDEX_DEBUG``: the author of a plugin sees where it failed; nobody else does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.plugin_cases import plugin
from trialindex.cli import main
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.registry import Plugins
from trialindex.trial import Trial


class Broken(Source):
    name = "broken"
    summary = "A source with a mistake in it."

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        logging.getLogger("trialindex_broken").info("asked the server\x1b[2J")
        yield Trial(id="B-1", title="One", enrollment=1 // 0)


def ingest(registered: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str], *before: str) -> str:
    """What the failing ingest says on stderr."""
    registered.register(plugin(register_sources=lambda: [Broken]), "broken")
    index = ("--index", str(tmp_path / "index"), "--encoder", "counting", "--store", "brute-force")
    with pytest.raises(SystemExit) as stop:
        main([*before, "ingest", "broken", *index])
    assert stop.value.code == 1
    return capsys.readouterr().err


def test_a_plugin_that_fails_is_told_in_one_line(
    registered: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ingest(registered, tmp_path, capsys)
    assert said.count("\n") == 1
    assert 'the source "broken" failed: ZeroDivisionError' in said


def test_the_option_shows_the_traceback_and_what_the_plugin_logs(
    registered: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ingest(registered, tmp_path, capsys, "--debug")
    assert "Traceback (most recent call last)" in said
    assert "enrollment=1 // 0" in said
    assert "INFO trialindex_broken: asked the server[2J" in said
    assert said.splitlines()[-1].startswith('trialindex: the source "broken" failed: ZeroDivisionError')


def test_the_environment_shows_it_too_and_only_for_that_command(
    registered: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALINDEX_DEBUG", "1")
    assert "Traceback" in ingest(registered, tmp_path, capsys)
    monkeypatch.delenv("TRIALINDEX_DEBUG")
    with pytest.raises(SystemExit):
        main(["ingest", "broken", "--index", str(tmp_path / "other"), "--encoder", "counting"])
    assert "Traceback" not in capsys.readouterr().err


def test_a_plugin_that_cannot_be_asked_shows_its_traceback(
    registered: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    registered.register(plugin(register_sources=lambda: 1 / 0), "halves")
    with pytest.raises(SystemExit):
        main(["--debug", "plugins"])
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "Traceback" in said

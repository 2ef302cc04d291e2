"""Which format an output file gets: that of its ending, or a clear word."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import run_command
from support.plugin_cases import plugin, renderer_class
from trialindex.index import Index
from trialindex.plugin.registry import Plugins


@pytest.fixture
def citing(registered: Plugins) -> Plugins:
    """Plugins with a format that claims ``.ris``, and one that claims no ending."""
    ris, loud = renderer_class("ris"), renderer_class("loud")
    ris.suffixes = (".ris",)
    registered.register(plugin(register_renderers=lambda: [ris, loud]), "citing")
    return registered


def test_a_format_of_a_plugin_is_chosen_by_the_ending_that_it_declares(
    citing: Plugins, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("found.ris", "FOUND.RIS"):
        code, _, _ = run_command(capsys, "list", "--index", str(index.folder), "--output", str(tmp_path / name))
        assert code == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("EX-0001!\n")


def test_an_unknown_ending_is_refused_with_those_that_are_known_and_nothing_is_written(
    citing: Plugins, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "found.xlsx"
    code, out, err = run_command(capsys, "query", "lupus", "--index", str(index.folder), "--output", str(path))
    assert (code, out) == (1, "")
    assert "no format writes files that end in .xlsx" in err
    assert "ris .ris" in err
    assert "--format" in err
    assert not path.exists()


def test_a_format_that_is_named_writes_a_file_of_any_ending(
    citing: Plugins, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "found.xlsx"
    code, _, _ = run_command(capsys, "list", "--index", str(index.folder), "--output", str(path), "--format", "loud")
    assert code == 0
    assert path.read_text(encoding="utf-8").startswith("EX-0001!\n")


def test_two_formats_of_one_ending_are_both_named(
    citing: Plugins, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = renderer_class("endnote")
    other.suffixes = (".ris",)
    citing.register(plugin(register_renderers=lambda: [other]), "other")
    code, _, err = run_command(capsys, "list", "--index", str(index.folder), "--output", str(tmp_path / "found.ris"))
    assert code == 1
    assert "the formats endnote and ris both write files that end in .ris" in err


def test_the_help_of_format_lists_what_is_installed(citing: Plugins, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "list", "--help")
    assert code == 0
    assert "One of loud, ris." in out


def test_endings_that_are_no_tuple_of_endings_are_refused(registered: Plugins) -> None:
    wrong = renderer_class("wrong")
    wrong.suffixes = ("ris",)
    registered.register(plugin(register_renderers=lambda: [wrong]), "wrong")
    assert registered.renderers.names() == []
    [failed] = registered.failed
    assert 'Loud.suffixes is not a tuple of endings such as (".txt",)' in str(failed.error)

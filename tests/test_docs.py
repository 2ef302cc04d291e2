"""The documentation holds: what it shows runs, what it names exists, and what exists is in it."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import inspect
import io
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

import trialindex
from support.command import run_command
from support.markdown_pages import (
    LEFT_OUT,
    SHELLS,
    Block,
    anchors,
    blocks,
    commands,
    files,
    headings,
    links,
    missing,
    name,
    pages,
    refreshed,
    rows,
)
from support.paths import ROOT
from trialindex import errors
from trialindex.plugin.registry import plugins
from trialindex.storage.schema import SCHEMA

SHIM = """\
#!{python}
import sys
from pathlib import Path
from trialindex.cli import common, main
common.default_path = lambda: Path({default!r})
main()
"""
"""``trialindex`` as a reader of the documentation has it: with no index of their own."""


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def contexts() -> list[click.Context]:
    """The context of every built-in command."""
    from trialindex.cli import cli
    from trialindex.plugin import registry as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "plugins", module.plugins)  # the generator replaces it
        patch.setattr(cli, "commands", {})
        made: list[click.Context] = _generator().contexts()
    return made


@pytest.fixture
def reader(tmp_path: Path, sample_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder a reader works in; ``trialindex`` on their path knows no index."""
    from trialindex.cli import cli, common

    tools, desk = tmp_path / "bin", tmp_path / "desk"
    tools.mkdir()
    desk.mkdir()
    default = tmp_path / "data" / "index"
    shim = tools / "trialindex"
    shim.write_text(SHIM.format(python=sys.executable, default=str(default)), encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(sample_cache))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("TRIALINDEX_INDEX", raising=False)
    monkeypatch.setattr(common, "default_path", lambda: default)
    monkeypatch.setattr(cli, "commands", {})
    plugins.cache_clear()
    monkeypatch.chdir(desk)
    return desk


# --- what is shown runs -----------------------------------------------------------------------------------------------


def _is_step(block: Block) -> bool:
    return (
        (block.language == "python" and not block.mark.startswith(("network", "not run")))
        or block.mark == "output"
        or block.mark.startswith(("file:", "run"))
    )


RUNNING = [page for page in pages() if any(_is_step(block) for block in blocks(page))]
NOT_RUN = [
    pytest.param(block, id=f"{name(page)}:{block.line}")
    for page in pages()
    for block in blocks(page)
    if block.language == "python" and block.mark.startswith(("network", "not run"))
]


@pytest.mark.parametrize("page", RUNNING, ids=name)
def test_what_a_page_shows_works(page: Path, reader: Path, capfd: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, object] = {"__name__": "documentation"}
    printed = ""
    for block in filter(_is_step, blocks(page)):
        where = f"{name(page)}:{block.line}"
        if block.mark.startswith("file:"):
            (reader / block.mark.removeprefix("file:").strip()).write_text(block.text, encoding="utf-8")
        elif block.mark.startswith("run"):
            _run_console(page, block, where, capfd)
        elif block.mark == "output":
            _compare(page, "", block.text.splitlines(), printed, where)
        else:
            output = io.StringIO()
            code = compile("\n" * block.line + block.text, str(page), "exec")
            with contextlib.redirect_stdout(output):
                exec(code, namespace)
            printed = output.getvalue()


def _run_console(page: Path, block: Block, where: str, capfd: pytest.CaptureFixture[str]) -> None:
    expected = int(match[1]) if (match := re.fullmatch(r"run: exits (\d+)", block.mark)) else 0
    for command, shown in commands(block):
        simple = page.name != "README.md" and re.fullmatch(r"trialindex [^|<>;&$`]*", command)
        code, printed = _run_here(shlex.split(command)[1:], capfd) if simple else _run_in_shell(command)
        assert code == expected, f"{where}: {command}\nexits {code}:\n{printed}"
        _compare(page, f"$ {command}\n", shown, printed, f"{where}: {command}")


def _run_here(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """``trialindex`` in this process, which needs no second to start: its exit code, and all that it prints."""
    code, out, err = run_command(capfd, *arguments)
    return code, err + out


def _run_in_shell(command: str) -> tuple[int, str]:
    """A line that asks more of a shell than to split words, and those of the README."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=280,
    )
    return done.returncode, done.stderr + done.stdout


def _compare(page: Path, typed: str, shown: list[str], printed: str, where: str) -> None:
    """That the page shows what was printed; with ``TRIALINDEX_REFRESH_DOCS=1`` it is made to."""
    absent = missing(shown, printed)
    if absent is not None and os.environ.get("TRIALINDEX_REFRESH_DOCS"):
        text = page.read_text(encoding="utf-8")
        old, new = ("\n".join([*lines, ""]) if lines else "" for lines in (shown, refreshed(shown, printed)))
        assert f"{typed}{old}" in text, f"{where}: change this one by hand"
        page.write_text(text.replace(f"{typed}{old}", f"{typed}{new}", 1), encoding="utf-8")
    else:
        assert absent is None, f"{where}\ndoes not print:\n{absent}\nbut:\n{printed}"


@pytest.mark.parametrize("block", NOT_RUN)
def test_what_is_not_run_is_python_at_least(block: Block) -> None:
    assert ast.parse(block.text).body


def test_a_shown_line_that_is_not_printed_is_noticed() -> None:
    printed = "one\ntwo 1.25\n\nthree\nfour\n"
    assert missing(["one", "two 0.98", "three"], printed) is None
    assert missing(["one", LEFT_OUT, "four"], printed) is None
    assert missing(["one", "t[…] 1.25"], printed) is None
    assert missing(["one", "three"], printed) == "three"
    assert missing(["t[…] 1.25", "f[…]"], printed) == "f[…]"
    assert missing(["four", LEFT_OUT, "one"], printed) == "one"
    assert missing(["one", "two 1.25", "three", "four", "five"], printed) == "five"


def test_what_is_shown_can_be_made_anew() -> None:
    printed = "trialindex: a notice\none\n\ntwo\nthree\n"
    assert refreshed(["old"], printed) == ["trialindex: a notice", "one", "", "two", "three"]
    assert refreshed([LEFT_OUT, "old", "old", LEFT_OUT], printed) == [LEFT_OUT, "one", "", LEFT_OUT]
    assert refreshed([LEFT_OUT, "old"], printed) == [LEFT_OUT, "one", "", "two", "three"]
    assert refreshed(["old", LEFT_OUT, "old"], printed) == ["old", LEFT_OUT, "old"]


# --- what is named exists ---------------------------------------------------------------------------------------------

TYPED = [
    pytest.param(command, id=f"{name(page)}:{block.line}: {command[:60]}")
    for page in pages()
    for block in blocks(page)
    if block.language in SHELLS and "exits" not in block.mark
    for line, _ in commands(block)
    for command in re.split(r"\s(?:&&|\|\|?|;)\s", line)
    if re.match(r"(?:\S*/)?trialindex ", command)
]


@pytest.fixture
def with_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugins that are installed, and the example, which several pages install first."""
    from trialindex.plugin import registry as module

    found = module.Plugins()
    if "noticeboard" not in found.sources.names():
        monkeypatch.syspath_prepend(str(ROOT / "plugins" / "example"))
        found.register(importlib.import_module("trialindex_example"), "example")
    monkeypatch.setattr(module, "plugins", lambda: found)


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.usefixtures("with_example")
def test_a_command_that_is_shown_can_be_typed(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from trialindex.cli import cli

    monkeypatch.setattr(cli, "commands", {})

    words = shlex.split(re.sub(r"\s\d?>{1,2}\s*\S+|\s<\s*\S+", "", typed), comments=True)[1:]
    context = _parsed(cli, "trialindex", words)
    assert context is None or context.command.help


def _parsed(
    command: click.Command, called: str, words: list[str], parent: click.Context | None = None
) -> click.Context | None:
    """The context in which the last command of the line would run; ``None`` for ``--help`` and the like.

    :raises click.UsageError: it is mistyped.
    """
    try:
        context = command.make_context(called, list(words), parent=parent)
    except click.exceptions.Exit:
        return None
    if not isinstance(command, click.Group):
        return context
    child_name, child, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    assert child
    return _parsed(child, child_name or "", rest, context)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)} links to {link}, which is not there"
        if anchor:
            assert anchor in anchors(target), f"{name(page)} links to {link}: no such heading"


@pytest.mark.parametrize("mark", ["main", "tests"])
def test_the_readme_has_the_command_that_ci_takes_from_it(mark: str) -> None:
    readme = ROOT / "README.md"
    assert f"\n<!-- {mark} -->\n" in readme.read_text(encoding="utf-8")
    [block] = [block for block in blocks(readme) if block.mark == mark]
    [line] = block.text.strip().splitlines()
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install -c constraints.txt")


# --- what exists is in it ---------------------------------------------------------------------------------------------


def test_the_command_reference_is_what_the_commands_say() -> None:
    script = ROOT / "docs" / "generate_cli.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, encoding="utf-8", timeout=280)
    assert done.returncode == 0, done.stderr


def test_every_command_and_option_has_help_and_is_documented(contexts: list[click.Context]) -> None:
    documented = headings(ROOT / "docs" / "cli.md")
    for context in contexts:
        assert context.command.help, f"{context.command_path} has no help"
        assert context.command_path in documented
        for option in context.command.get_params(context):
            if isinstance(option, click.Option):
                assert option.help, f"{context.command_path} {option.opts[0]} has no help"


def test_every_public_name_is_in_the_python_reference() -> None:
    documented = headings(ROOT / "docs" / "python-api.md")
    assert {public for public in trialindex.__all__ if public not in documented} == set()


def test_every_error_is_documented_with_its_exit_code() -> None:
    page = ROOT / "docs" / "errors.md"
    text = page.read_text(encoding="utf-8")
    classes = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.TrialIndexError)]
    assert {cls.__name__ for cls in classes if f"`{cls.__name__}`" not in text} == set()
    codes = {code for code in ("0", "1", "2", "130") if re.search(rf"^\| *`{code}` *\|", text, re.MULTILINE)}
    assert codes == {"0", "1", "2", "130"}


def test_every_table_and_column_of_an_index_is_documented() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        schema = {
            table: {column[1] for column in database.execute(f"PRAGMA table_info({table})")}
            for table in tables
            if not table.startswith("sqlite_")
        }
    described = {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in rows(ROOT / "docs" / "index-format.md")
    }
    assert {table: described.get(table) for table in schema} == schema


def test_every_field_of_a_trial_is_documented() -> None:
    cells = [row[1] for row in rows(ROOT / "docs" / "python-api.md") if len(row) == 2]
    documented = {field for cell in cells for field in re.findall(r"`(\w+)`", cell)}
    assert set(trialindex.Trial.__struct_fields__) - documented == set()


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link]
    assert {name(page) for page in files("docs/**/*.md")} - {name(page) for page in seen} == set()


# --- the house rules --------------------------------------------------------------------------------------------------

MODULES = files("trialindex/**/*.py", "plugins/**/*.py", "benchmarks/**/*.py", "docs/**/*.py", "tests/**/*.py")
TEXTS = files("*", "*/*.*", "trialindex/**/*.py", "plugins/**/*.*", "tests/**/*.*", "docs/**/*.*", "benchmarks/**/*.*")
_HOMES = re.compile(r"(?<![\w./:-])/(?:home|Users|root|work)/[\w.-]+")


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_fits_in_a_head(module: Path) -> None:
    lines = module.read_text(encoding="utf-8").count("\n")
    assert lines <= 500


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = {}
    for path in TEXTS:
        if path.suffix in {".onnx", ".gz", ".zip", ".png"}:
            continue
        with contextlib.suppress(UnicodeDecodeError):
            if match := _HOMES.search(path.read_text(encoding="utf-8")):
                found[name(path)] = match[0]
    assert found == {}

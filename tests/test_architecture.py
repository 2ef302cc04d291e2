"""The walls of docs/architecture.md, read off the imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import trialindex
from support.paths import ROOT

CORE = sorted(ROOT.glob("trialindex/**/*.py"))
PLUGINS = sorted(path for path in ROOT.glob("plugins/**/*.py") if not path.relative_to(ROOT).parts[2].startswith("."))

PUBLIC = {
    "trialindex",
    "trialindex.cli.common",
    "trialindex.cli.output",
    "trialindex.concepts.context",
    "trialindex.concepts.loading",
    "trialindex.concepts.person",
    "trialindex.concepts.recognizer",
    "trialindex.concepts.tokens",
    "trialindex.concepts.vocabularies",
    "trialindex.errors",
    "trialindex.plugin",
    "trialindex.plugin.guard",
    "trialindex.plugin.hookspecs",
    "trialindex.plugin.http",
    "trialindex.plugin.interfaces",
    "trialindex.plugin.messages",
    "trialindex.plugin.proposals",
    "trialindex.plugin.registry",
    "trialindex.plugin.results",
    "trialindex.plugin.terms",
    "trialindex.plugin.trial_page",
    "trialindex.plugin.unpack",
    "trialindex.plugin.updates",
    "trialindex.plugin.vocabulary_entries",
    "trialindex.testing",
    "trialindex.trial",
    "trialindex.trial.countries",
    "trialindex.trial.display",
    "trialindex.trial.from_values",
    "trialindex.trial.parse_values",
    "trialindex.trial.repair",
    "trialindex.trial.sanitize",
    "trialindex.trial.statuses",
    "trialindex.watching",
}
"""What a plugin may import; docs/writing-plugins.md says what each is for."""

BUILT_ON = {"trialindex_llm": "trialindex_writers"}
"""The one plugin that imports another: it falls back to the plain writer, and checks a model with its words."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, *, typing: bool = True) -> Iterator[tuple[str, str, int]]:
    """Every import of a file: the module, the name that is taken from it or nothing, and the line.

    :param typing: also those under ``if TYPE_CHECKING``.
    """
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing:
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno} imports by a relative name"
            yield from ((node.module or "", alias.name, node.lineno) for alias in node.names)


def package(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_imports_no_plugin(path: Path) -> None:
    assert [(module, line) for module, _, line in imports(path) if package(module).startswith("trialindex_")] == []
    assert re.search(r"\btrialindex_\w+", path.read_text(encoding="utf-8")) is None, "nor does it know one by name"


@pytest.mark.parametrize("path", PLUGINS, ids=name)
def test_a_plugin_imports_public_names_only_and_no_other_plugin(path: Path) -> None:
    own = next(part for part in path.relative_to(ROOT / "plugins").parts if part != "example")
    own = "trialindex_example" if own == "tests" else own.removesuffix(".py")
    for module, taken, line in imports(path):
        where = f"{name(path)}:{line}"
        if package(module).startswith("trialindex_"):
            assert package(module) in {own, BUILT_ON.get(own)}, f"{where} imports another plugin, {module}"
        if package(module) != "trialindex":
            continue
        assert module in PUBLIC, f"{where} imports {module}, which is not public"
        if module == "trialindex":
            assert taken in trialindex.__all__ or f"trialindex.{taken}" in PUBLIC, f"{where} imports {taken}"
        assert not taken.startswith("_"), f"{where} imports {taken}, which is private"


SQL = re.compile(r"\b(SELECT|PRAGMA|CREATE TABLE|INSERT (OR \w+ )?INTO|DELETE FROM|UPDATE \w+ SET)\b")


def test_the_sql_of_the_core_stands_in_storage_alone() -> None:
    holding = {path for path in CORE if SQL.search(path.read_text(encoding="utf-8"))}
    assert holding
    assert {name(path) for path in holding if path.parent.name != "storage"} == set()


def test_the_guide_for_authors_lists_what_is_public() -> None:
    guide = (ROOT / "docs" / "writing-plugins.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(trialindex[\w.]*)` \|", guide, re.MULTILINE)
    assert sorted(listed) == sorted(PUBLIC)


def test_the_tests_above_would_notice(tmp_path: Path) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from trialindex.index import Index\n"
        "def f():\n    import trialindex_csv.rows\n",
        encoding="utf-8",
    )
    assert ("trialindex.index", "Index", 3) in imports(probe)
    assert ("trialindex.index", "Index", 3) not in imports(probe, typing=False)
    assert ("trialindex_csv.rows", "", 5) in imports(probe, typing=False)

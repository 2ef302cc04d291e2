"""Every hook is documented with its exact arguments, has a test of its own, and its example works.

What there is to document and to test is read off ``trialindex.plugin.hookspecs``: a new hook fails here until it has
both.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

import trialindex.plugin.registry
from support.paths import ROOT
from support.plugin_cases import plugin, source_class
from trialindex.cli import LazyGroup
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import NotifierError
from trialindex.index import Index
from trialindex.plugin import hookspecs
from trialindex.plugin.interfaces import Concept, IngestContext, RenderOptions
from trialindex.plugin.messages import Delivery, Update
from trialindex.plugin.proposals import Proposal
from trialindex.plugin.registry import Plugins
from trialindex.testing import (
    BruteForceStore,
    FakeEncoder,
    check_encoder,
    check_reader,
    check_renderer,
    check_reranker,
    check_source,
    check_store,
    check_writer,
    sample_trials,
)

PAGE = ROOT / "docs" / "hooks.md"


def is_hook(value: object) -> bool:
    return inspect.isfunction(value) and hasattr(value, "trialindex_spec")


HOOKS: dict[str, Callable[..., Any]] = dict(inspect.getmembers(hookspecs, is_hook))


def signature(function: Callable[..., Any]) -> str:
    """The hook as the page has to show it."""
    [node] = ast.parse(inspect.getsource(function)).body
    assert isinstance(node, ast.FunctionDef)
    assert node.returns
    return f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"


def sections() -> dict[str, list[tuple[str, str]]]:
    """What stands under each heading: the kind and the text of its blocks."""
    found: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] = []
    tokens = MarkdownIt().parse(PAGE.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            section = found.setdefault(token.content, [])
        elif token.type == "fence":
            section.append((token.info or "signature", token.content))
        elif token.type == "inline":
            section.append(("text", token.content))
    return found


def example(hook: str) -> ModuleType:
    """The example of a hook, imported as a plugin's module would be."""
    [code] = [text for kind, text in sections()[hook] if kind == "python"]
    module = ModuleType(f"example_of_{hook}")
    exec(compile(code, f"{PAGE.name}: {hook}", "exec"), module.__dict__)
    return module


def registered(hook: str) -> Plugins:
    """The plugins of a process in which nothing is installed but the example of this hook."""
    found = Plugins(discover=False)
    found.register(example(hook), "example")
    assert [name for name, _ in found.each(hook)] == ["example"]
    return found


def provided(kind: str) -> Any:
    """The class that the example for this kind of plugin provides."""
    [hook] = [one.hook for one in Plugins(discover=False).registries if one.label == kind]
    found = registered(hook)
    [registry] = [one for one in found.registries if one.label == kind]
    [cls] = registry.classes().values()
    assert found.failed == []
    return cls


# --- the page ---------------------------------------------------------------------------------------------------------


def test_there_are_hooks_and_all_kinds_of_plugins_have_one() -> None:
    assert "index_updated" in HOOKS
    assert {one.hook for one in Plugins(discover=False).registries} <= HOOKS.keys()


def test_the_page_has_a_section_for_each_hook_and_no_others_in_the_order_of_the_module() -> None:
    in_order = sorted(HOOKS, key=lambda name: HOOKS[name].__code__.co_firstlineno)
    assert list(sections())[1:] == in_order


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_documented_with_its_exact_arguments(hook: str) -> None:
    blocks = sections()[hook]
    assert [text.strip() for kind, text in blocks if kind == "signature"] == [signature(HOOKS[hook])]
    words = [text for kind, text in blocks if kind == "text"]
    for argument in inspect.signature(HOOKS[hook]).parameters:
        assert any(text.startswith(f"`{argument}`: ") for text in words), f"{argument} is not explained"
    assert any(text.startswith("**Called** ") for text in words), "it does not say when it is called"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_docstring_and_a_test_of_its_own(hook: str) -> None:
    assert len(inspect.getdoc(HOOKS[hook]) or "") > 40
    assert callable(globals().get(f"test_hook_{hook}")), f"write test_hook_{hook}, which runs its example"


# --- the examples -----------------------------------------------------------------------------------------------------


def test_hook_register_sources(tmp_path: Path) -> None:
    source = provided("source")
    path = tmp_path / "trials.txt"
    path.write_text("EX-1 Walking on dialysis\nEX-2\nEX-3 A diary for lupus\n", encoding="utf-8")
    trials = check_source(source(str(path)), rejects=1)
    assert [(trial.id, trial.title) for trial in trials] == [
        ("EX-1", "Walking on dialysis"),
        ("EX-3", "A diary for lupus"),
    ]
    rejected: list[tuple[str, str]] = []
    context = IngestContext(on_reject=lambda where, why: rejected.append((where, why)))
    list(source(str(path)).trials(context))
    assert rejected == [("line 2", "there is no title")]


def test_hook_register_encoders() -> None:
    encoder = provided("encoder")()
    check_encoder(encoder)
    kidney, skin = encoder.encode_documents(["lupus of the kidney", "a rash on the skin"])
    [asked] = encoder.encode_queries(["kidney"])
    assert asked @ kidney > asked @ skin


def test_hook_register_stores() -> None:
    check_store(provided("store"))


def test_hook_register_renderers() -> None:
    renderer = provided("format")
    check_renderer(renderer)
    drawn = "".join(renderer(RenderOptions()).trials(iter(sample_trials(2))))
    assert drawn.splitlines()[0] == "EX-0001 A trial of which nothing else is known"


def test_hook_register_writers() -> None:
    writer = provided("writer")()
    written = check_writer(writer)
    assert written[0].summary[0].text == "Tested: not stated. People: not stated."


def test_hook_register_notifiers(tmp_path: Path) -> None:
    notifier = provided("notifier")
    update = Update(
        key="u",
        watch=1,
        kind="changed",
        trial="EX-1",
        title="Walks",
        when="2026-07-01",
        lines=("recruiting → completed",),
    )
    delivery = Delivery(key="0123456789abcdef", created="2026-07-01T12:00:00+00:00", updates=(update,))
    for _ in range(2):
        notifier(str(tmp_path)).send(delivery)
    [file] = tmp_path.iterdir()
    assert file.name == "2026-07-01 0123456789ab.txt"
    assert file.read_text(encoding="utf-8") == "changed EX-1 recruiting → completed\n"
    with pytest.raises(NotifierError, match=r"cannot be written.*Make the folder"):
        notifier(str(tmp_path / "none")).send(delivery)


def test_hook_register_vocabularies() -> None:
    vocabulary = provided("vocabulary")()
    assert vocabulary.version
    concepts = list(vocabulary.concepts())
    assert all(isinstance(concept, Concept) for concept in concepts)
    assert ("lupus nephritis", ("LN",)) in [(concept.name, concept.names) for concept in concepts]


def test_hook_register_rerankers() -> None:
    reranker = provided("reranker")()
    check_reranker(reranker)
    assert reranker.score("severe lupus kidney", ["asthma", "lupus of the kidney"]) == [0.0, 2.0]


def test_hook_register_readers() -> None:
    reader = provided("reader")()
    check_reader(reader)
    [proposal] = reader.propose("A tremor at rest, and a shuffling gait.", ConceptRecognizer())
    assert proposal == Proposal("Parkinson's disease", ("tremor at rest", "shuffling gait"), 1.0)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index of three trials, in a process with the fakes and the example for ``index_updated``."""
    found = registered("index_updated")
    trials = sample_trials(3)
    found.register(
        plugin(
            register_sources=lambda: [source_class("shelf", *trials)],
            register_encoders=lambda: [FakeEncoder],
            register_stores=lambda: [BruteForceStore],
        ),
        "fakes",
    )
    monkeypatch.setattr(trialindex.plugin.registry, "plugins", cache(lambda: found))
    with Index.create(tmp_path / "index", encoder="fake", store="brute-force") as made:
        made.ingest("shelf")
        yield made


def test_hook_register_commands(index: Index) -> None:
    cli = LazyGroup("trialindex")
    found = registered("register_commands")
    found.add_commands(cli)
    assert found.failed == []
    done = CliRunner().invoke(cli.commands["countries"], ["--index", str(index.folder)])
    assert done.exception is None
    assert done.output == "       1  France\n"
    assert cli.commands["countries"].help == "Count the trials of each country."


def test_hook_index_updated(index: Index) -> None:
    index.remove(["EX-0003"])
    news = (index.folder.parent / "news.txt").read_text(encoding="utf-8").splitlines()
    assert news == [
        "added EX-0001 A trial of which nothing else is known",
        "added EX-0002 Home exercise for people with lupus nephritis",
        "added EX-0003 Warm wraps for newborns in the first day of life",
        "removed EX-0003",
    ]

"""The plugins of a process: added, looked up, refused, and kept from harming each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

import trialindex.plugin.registry
from support.plugin_cases import plugin, renderer_class, source_class
from trialindex.cli import LazyGroup
from trialindex.errors import PluginError, SourceError
from trialindex.index import Index
from trialindex.plugin.interfaces import IngestContext, Renderer, Source
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.registry import Plugins, Registry, split_spec
from trialindex.plugin.updates import Change
from trialindex.testing import BruteForceStore, FakeEncoder, sample_trials
from trialindex.trial import Trial


@pytest.fixture
def found() -> Plugins:
    """No plugins but those that a test registers."""
    return Plugins(discover=False)


def failures(found: Plugins) -> dict[str, str]:
    return {one.name: one.error or "" for one in found.failed}


# --- looked up --------------------------------------------------------------------------------------------------------


def test_what_a_plugin_registers_is_found_by_name(found: Plugins) -> None:
    shelf, loud = source_class("shelf"), renderer_class("loud")
    found.register(plugin(register_sources=lambda: [shelf], register_renderers=lambda: [loud]), "library")
    assert found.sources.get("shelf") is shelf
    assert found.renderers.get("loud") is loud
    assert found.sources.classes() == {"shelf": shelf}
    assert found.sources.plugin_of("shelf") == "library"
    assert found.encoders.names() == []


def test_a_plugin_that_is_added_later_is_found_too(found: Plugins) -> None:
    assert found.sources.names() == []
    found.register(plugin(register_sources=lambda: [source_class("late")]), "late")
    assert found.sources.names() == ["late"]


BUILT_IN = {
    "sources": {"aact", "csv", "ctgov", "ctgov-file", "manual", "ris"},
    "encoders": {"minilm", "sentence-transformers"},
    "stores": {"faiss"},
    "renderers": {"table", "json", "jsonl", "csv", "markdown", "html", "ris", "nbib"},
    "vocabularies": {"disease-ontology", "lexicon", "phenotype-ontology"},
}


def of_kind(found: Plugins, kind: str) -> Registry[Any]:
    registry: Registry[Any] = getattr(found, kind)
    return registry


@pytest.mark.parametrize("kind", BUILT_IN)
def test_the_built_in_plugins_come_in_as_anyones(kind: str) -> None:
    everything = Plugins()
    ours = {one.name for one in everything.installed if one.distribution == "trialindex"}
    registry = of_kind(everything, kind)
    assert {name for name in registry.names() if registry.plugin_of(name) in ours} == BUILT_IN[kind]
    assert not [one for one in everything.failed if one.distribution == "trialindex"]


@pytest.mark.parametrize("kind", BUILT_IN)
def test_an_unknown_name_is_refused_with_the_nearest_and_all_there_are(kind: str) -> None:
    everything = Plugins()
    registry = of_kind(everything, kind)
    known = registry.names()[0]
    with pytest.raises(PluginError) as problem:
        registry.get(f"{known}x")
    assert str(problem.value).startswith(f'unknown {registry.label} "{known}x". Did you mean "{known}"? Allowed: ')
    assert all(name in str(problem.value) for name in registry.names())


def test_an_unknown_name_may_be_that_of_a_plugin_that_failed_and_this_is_said(found: Plugins) -> None:
    found.register(plugin(register_sources=lambda: 1 / 0), "broken")
    with pytest.raises(PluginError, match=r'unknown source "gone".* Plugins that failed to load: broken'):
        found.sources.get("gone")


def test_a_spec_is_a_name_and_what_follows_the_first_colon() -> None:
    assert split_spec("csv:trials.csv") == ("csv", "trials.csv")
    assert split_spec(" csv : C:\\trials.csv ") == ("csv", "C:\\trials.csv")
    assert split_spec("ctgov") == ("ctgov", "")


def test_an_object_is_made_with_the_argument_and_the_options_of_its_spec(found: Plugins) -> None:
    found.register(plugin(register_sources=lambda: [source_class("shelf")]), "library")
    made = found.sources.make("shelf:top:left", limit=3)
    assert (made.argument, made.given) == ("top:left", {"limit": 3})


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused(found: Plugins) -> None:
    found.register(plugin(), "library")
    with pytest.raises(PluginError, match="its name is that of the plugin"):
        found.register(plugin(register_sources=lambda: [source_class("other")]), "library")
    assert found.sources.names() == []


def test_two_plugins_with_one_source_are_both_named_and_other_kinds_still_work(found: Plugins) -> None:
    found.register(plugin(register_sources=lambda: [source_class("shelf")]), "first")
    found.register(
        plugin(
            register_sources=lambda: [source_class("shelf")],
            register_renderers=lambda: [renderer_class("loud")],
        ),
        "second",
    )
    for _ in range(2):  # it does not go away by asking again
        with pytest.raises(PluginError, match=r'"first" .* and "second" .* both provide the source "shelf"'):
            found.sources.get("shelf")
    assert found.renderers.names() == ["loud"]


def test_a_hook_that_does_not_exist_is_refused_and_nothing_of_the_plugin_stays(found: Plugins) -> None:
    def register_renderer() -> Sequence[type[Renderer]]:
        return [renderer_class()]

    misspelt = plugin(register_sources=lambda: [source_class()], register_renderer=register_renderer)
    with pytest.raises(PluginError, match="\"typo\" does not fit the hooks: unknown hook 'register_renderer'"):
        found.register(misspelt, "typo")
    assert found.sources.names() == []
    found.register(plugin(register_sources=lambda: [source_class("shelf")]), "typo")
    assert found.sources.names() == ["shelf"]


def test_a_hook_with_other_arguments_is_refused_and_they_are_named(found: Plugins) -> None:
    def index_updated(index: Index, chagnes: Sequence[Change]) -> None: ...

    wrong = plugin(register_sources=lambda: [source_class()], index_updated=index_updated)
    with pytest.raises(PluginError, match="chagnes"):
        found.register(wrong, "typo")
    assert found.sources.names() == []
    assert list(found.each("index_updated")) == []


def test_a_hook_may_take_fewer_arguments(found: Plugins) -> None:
    got: list[Any] = []
    found.register(plugin(index_updated=lambda changes: got.append(changes)), "few")
    [(name, call)] = found.each("index_updated")
    call(index=None, changes=[Change("A", "added")])
    assert (name, got) == ("few", [[Change("A", "added")]])


class NoSummary(Source):
    name = "plain"

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        yield from ()


class NoTrials(Source):
    name = "empty"
    summary = "Forgot its one method."


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (source_class()("argument"), "is not a subclass of Source"),
        (renderer_class(), "is not a subclass of Source"),
        (dict, "is not a subclass of Source"),
        (None, "is not a subclass of Source"),
        (source_class(None), "Shelf.name is not a string"),  # type: ignore[arg-type]
        (source_class(""), "cannot be a name"),
        (source_class("my:shelf"), '"my:shelf" cannot be a name'),
        (source_class("my shelf"), '"my shelf" cannot be a name'),
        (NoSummary, "NoSummary.summary is not a string"),
        (NoTrials, "NoTrials does not define trials"),
    ],
)
def test_a_class_that_breaks_the_contract_is_left_out_with_its_plugin_named(
    found: Plugins, given: Any, why: str
) -> None:
    found.register(plugin(register_sources=lambda: [source_class("good"), given]), "bad")
    found.register(plugin(register_sources=lambda: [source_class("other")]), "fine")
    assert found.sources.names() == ["other"]
    assert failures(found).keys() == {"bad"}
    assert failures(found)["bad"].startswith("register_sources: ")
    assert why in failures(found)["bad"]


@pytest.mark.parametrize("problem", [ValueError("first line\nsecond"), SystemExit(3), ImportError(), KeyError("x")])
def test_a_hook_that_raises_is_noted_on_one_line_and_the_rest_works(found: Plugins, problem: BaseException) -> None:
    def register_sources() -> Sequence[type[Source]]:
        raise problem

    found.register(
        plugin(register_sources=register_sources, register_renderers=lambda: [renderer_class("loud")]), "bad"
    )
    found.register(plugin(register_sources=lambda: [source_class("other")]), "fine")
    assert found.sources.names() == ["other"]
    assert found.renderers.names() == ["loud"]
    assert failures(found)["bad"].startswith(f"register_sources: {type(problem).__name__}")
    assert len(failures(found)["bad"].splitlines()) == 1


def test_a_hook_that_returns_nothing_is_noted(found: Plugins) -> None:
    found.register(plugin(register_sources=lambda: None), "forgot")
    assert found.sources.names() == []
    assert "TypeError" in failures(found)["forgot"]


def test_a_class_that_cannot_be_made_is_named_and_its_own_errors_come_through(found: Plugins) -> None:
    class Careless(Source):
        name, summary = "careless", "Divides by its options."

        def __init__(self, argument: str = "", **options: Any) -> None:
            if not argument:
                raise SourceError("careless needs a number.")
            super().__init__(str(1 / int(argument)))

        def trials(self, context: IngestContext) -> Iterator[Trial]:
            yield from ()

    found.register(plugin(register_sources=lambda: [Careless]), "careless")
    assert found.sources.make("careless:2").argument == "0.5"
    with pytest.raises(SourceError, match="needs a number"):
        found.sources.make("careless")
    with pytest.raises(PluginError, match='the source "careless" failed: ZeroDivisionError: division by zero'):
        found.sources.make("careless:0")


# --- commands ---------------------------------------------------------------------------------------------------------


def command(name: str) -> click.Command:
    return click.Command(name, callback=lambda: None)


def test_a_plugin_adds_a_command_once(found: Plugins) -> None:
    called: list[click.Group] = []

    def register_commands(cli: click.Group) -> None:
        called.append(cli)
        cli.add_command(command("hello"))

    found.register(plugin(register_commands=register_commands), "greeter")
    cli = LazyGroup("trialindex")
    found.add_commands(cli)
    found.add_commands(cli)
    assert called == [cli]
    assert "hello" in cli.commands


@pytest.mark.parametrize("taken", ["query", "greet"])
def test_a_command_whose_name_is_taken_is_refused_and_its_plugin_named(found: Plugins, taken: str) -> None:
    found.register(plugin(register_commands=lambda cli: cli.add_command(command("greet"))), "first")
    found.register(plugin(register_commands=lambda cli: cli.add_command(command(taken))), "second")
    cli = LazyGroup("trialindex")
    found.add_commands(cli)
    [(name, error)] = failures(found).items()
    assert name in ("first", "second")
    assert error == f'register_commands: there is a command "{taken}" already'
    assert "greet" in cli.commands
    assert "query" not in cli.commands  # the built-in one is not among these, and is still the one that runs


# --- after an update --------------------------------------------------------------------------------------------------


@pytest.fixture
def shelved(found: Plugins, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """Plugins with the fakes and a source, instead of those of this process."""
    trials = sample_trials(6)
    found.register(
        plugin(
            register_sources=lambda: [source_class("shelf", *trials), source_class("again", trials[0])],
            register_encoders=lambda: [FakeEncoder],
            register_stores=lambda: [BruteForceStore],
        ),
        "fakes",
    )
    monkeypatch.setattr(trialindex.plugin.registry, "plugins", lambda: found)
    return found


def new_index(tmp_path: Path) -> Index:
    return Index.create(tmp_path / "index", encoder="fake", store="brute-force")


def test_index_updated_gets_what_changed_when_it_can_be_queried(shelved: Plugins, tmp_path: Path) -> None:
    calls: list[tuple[int, list[tuple[str, str]], str]] = []

    def index_updated(index: Index, changes: Sequence[Change]) -> None:
        if changes[0].kind == "removed":
            first = ""
        else:
            first = index.query(index.get(changes[0].id).title, limit=1).hits[0].trial.id
        calls.append((len(index), [(change.id, change.kind) for change in changes], first))

    shelved.register(plugin(index_updated=index_updated), "listener")
    with new_index(tmp_path) as index:
        index.ingest("shelf")
        assert calls == [(6, [(f"EX-{n:04}", "added") for n in range(1, 7)], "EX-0001")]
        index.ingest("shelf")
        index.ingest("again")
        assert len(calls) == 1, "nothing changed, so nobody is told"
        index.remove(["EX-0002"])
        assert calls[1:] == [(5, [("EX-0002", "removed")], "")]


@pytest.mark.parametrize("problem", [RuntimeError("no mail server"), SystemExit(1)])
def test_index_updated_that_fails_is_told_and_changes_nothing(
    shelved: Plugins, tmp_path: Path, problem: BaseException
) -> None:
    def fails(index: Index, changes: Sequence[Change]) -> None:
        raise problem

    told: list[int] = []
    shelved.register(plugin(index_updated=fails), "mailer")
    shelved.register(plugin(index_updated=lambda changes: told.append(len(changes))), "other")
    notes: list[str] = []
    with new_index(tmp_path) as index:
        assert index.ingest("shelf", listener=ProgressListener(on_note=notes.append)).added == 6
        index.remove(["EX-0002"], listener=ProgressListener(on_note=notes.append))
    assert told == [6, 1]
    assert len(notes) == 2
    assert all(note.startswith('the plugin "mailer" failed after the update, which is kept: ') for note in notes)
    with Index.open(tmp_path / "index") as index:
        assert len(index) == 5
        assert index.query("wrist").hits
        assert index.check() == []

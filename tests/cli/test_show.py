"""``trialindex show``: its options, and the one line that a mistake gets."""

from __future__ import annotations

import json

import msgspec
import pytest

import trialindex_renderers
from support.command import Run, run_command
from support.plugin_cases import plugin
from trialindex.errors import WriterError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.testing import FakeWriter, sample_trials
from trialindex.trial import Trial

OF_LYON = next(trial for trial in sample_trials() if trial.sites and trial.sites[0].city == "Lyon")


class PlainStandIn(FakeWriter):
    """Called when nobody names a writer."""

    name = "plain"


class Noting(FakeWriter):
    name = "noting"

    def write(self, trial: Trial) -> PlainLanguage:
        return msgspec.structs.replace(super().write(trial), notes=("Another text was thrown away.",))


class Failing(FakeWriter):
    name = "failing"

    def write(self, trial: Trial) -> PlainLanguage:
        raise WriterError("no model is set.", hint="Set one.") if self.argument == "unset" else ValueError("no\nwords")


@pytest.fixture
def show(registered: Plugins, index: Index, capfd: pytest.CaptureFixture[str]) -> Run:
    """``trialindex show`` in this process: its exit code, stdout and stderr."""
    registered.register(plugin(register_writers=lambda: [PlainStandIn, FakeWriter, Noting, Failing]), "writers")
    registered.register(trialindex_renderers, "renderers")

    return lambda *arguments: run_command(capfd, "show", *arguments, "--index", index.folder)


pytestmark = pytest.mark.parametrize("store", ["brute-force"], indirect=True)


def test_the_writer_is_plain_unless_another_is_named(show: Run) -> None:
    code, out, err = show(OF_LYON.id, "-f", "json")
    assert (code, err) == (0, "")
    page = json.loads(out)
    assert page["plain"]["writer"] == "plain"
    assert sorted(page["seen"]) == ["first_seen", "last_checked"]
    assert json.loads(show(OF_LYON.id, "-f", "json", "--writer", "fake:other")[1])["plain"]["writer"] == "fake:other"


def test_near_gives_each_site_its_distance(show: Run) -> None:
    _, out, _ = show(OF_LYON.id, "--near", "Grenoble, France")
    assert "Distances are from Grenoble, France, in a straight line." in out
    assert "km away)" in out
    assert "km away" not in show(OF_LYON.id)[1]


def test_sources_names_the_fields_of_the_record(show: Run) -> None:
    _, out, _ = show(OF_LYON.id, "--sources")
    assert "• The headline\n  [from: title]\n" in out
    assert "[from: why_stopped]" in out
    assert "[from:" not in show(OF_LYON.id)[1]


def test_the_notes_of_a_writer_are_on_stderr_and_on_the_page(show: Run) -> None:
    code, out, err = show(OF_LYON.id, "--writer", "noting")
    assert (code, err) == (0, "trialindex: Another text was thrown away.\n")
    assert "Note: Another text was thrown away." in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--writer", "plan"], 'unknown writer "plan". Did you mean "plain"? Allowed: failing, fake, noting, plain.'),
        (["--writer", "failing:unset"], "no model is set. Set one."),
        (
            ["--writer", "failing"],
            'the writer "failing" failed: ValueError: no words. '
            "Choose another one with --writer, and report it to its author.",
        ),
        (
            ["--near", "Nowhereville"],
            'no place called "Nowhereville" is known. '
            "Name a city of 15,000 people or more, or give coordinates: --near 45.76,4.84",
        ),
    ],
)
def test_a_mistake_is_one_line(show: Run, arguments: list[str], said: str) -> None:
    assert show(OF_LYON.id, *arguments) == (1, "", f"trialindex: {said}\n")

"""Plugins that give nonsense: named in one clean line, and the index stays whole."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.command import run_command
from support.helpers import ListSource, OtherEncoder, ids_by_mode, trial
from support.hostile_cases import EVERYTHING, WHOLE, controls, within
from support.plugin_cases import plugin
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import EncoderError, PluginError, SourceError, TrialIndexError
from trialindex.index import Index
from trialindex.plugin.guard import describe_error
from trialindex.plugin.interfaces import Concept, IngestContext, Notifier, Renderer, Source, Vocabulary
from trialindex.plugin.messages import Delivery
from trialindex.plugin.registry import Plugins
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.testing import BruteForceStore
from trialindex.trial import Site, Trial

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors


class Silent(Exception):
    """Cannot even say what is wrong."""

    def __str__(self) -> str:
        raise ValueError("nor this")


# --- sources --------------------------------------------------------------------------------------------------------

GARBAGE: list[Any] = [
    None,
    5,
    "a trial",
    {"id": "X", "title": "t"},
    Trial,
    object(),
    trial(id="bad id\x1b[2J", title=5),
    trial(title="half of a pair \ud800"),
    trial(id="\ud800"),
    trial(id=""),
    trial(id="x" * 5000),
    trial(enrollment=10**30),
    trial(enrollment=-1),
    trial(minimum_age=float("nan")),
    trial(minimum_age=-(10.0**300)),
    trial(sites=(Site(latitude=float("inf")),)),
    trial(sites=[1, 2]),
    trial(conditions="not a tuple"),
    trial(conditions=(None,)),
    trial(status="DANCING"),
    trial(raw={"x": object()}),
    trial(raw={"x": "\ud800"}),
    trial(raw={"x": float("nan")}),
    trial(raw={1: 2}),
    trial(raw={"x": {1, 2}}),
    trial(start_date="2024"),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_what_a_source_yields_is_stored_or_skipped(garbage: Any, new_index: Index) -> None:
    summary = new_index.ingest(ListSource(trial("good-1"), garbage, trial("good-2")))
    assert {"T-good-1", "T-good-2"} <= {change.id for change in summary.changes}
    assert len(summary.rejected) + summary.added == 3
    assert new_index.check() == [] or not list(new_index.check())
    assert all(ids_by_mode(new_index, "trial"))


def test_a_source_of_every_sort_of_failure(new_index: Index) -> None:
    for problem in (ValueError(EVERYTHING), Silent(), KeyError(5), RecursionError(), MemoryError(), UnicodeError("x")):
        with pytest.raises(SourceError, match="failed") as raised:
            new_index.ingest(ListSource(trial(f"{type(problem).__name__}"), problem, spec=type(problem).__name__))
        assert "kept" in str(raised.value)
    assert len(new_index) == 6


@pytest.mark.parametrize("given", [None, 5, [None], "text"])
def test_a_source_that_gives_no_iterator(given: Any, new_index: Index) -> None:
    class Odd(Source):
        name = "odd"
        summary = "For tests."

        def trials(self, context: IngestContext) -> Iterator[Trial]:
            return given  # type: ignore[no-any-return]

    with contextlib.suppress(SourceError):
        assert not new_index.ingest(Odd()).changes
    assert len(new_index) == 0


def test_a_million_sites_and_huge_texts(new_index: Index) -> None:
    many = trial(sites=tuple(Site(city="Lyon", country=f"C{n % 50}") for n in range(100_000)))
    huge = trial("2", summary="word " * 400_000, inclusion=("x" * 1_000_000,), title="t" * 200_000)
    with within(120):
        assert new_index.ingest(ListSource(many, huge)).added == 2
        assert all(ids_by_mode(new_index, "word"))


# --- encoders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "give",
    [
        lambda v: v * np.nan,
        lambda v: v * np.inf,
        lambda v: v * 0,
        lambda v: v * 2,
        lambda v: v[:-1],
        lambda v: v[:, :-1],
        lambda v: v.T,
        lambda v: v[0],
        lambda v: None,
        lambda v: "vectors",
        lambda v: [[object()] * v.shape[1]] * len(v),
        lambda v: [[1.0], [1.0, 2.0]],
        lambda v: (_ for _ in ()).throw(Silent()),
    ],
    ids=itertools.count(),
)
def test_vectors_that_are_none_are_refused(give: Callable[[Any], Any], registered: Plugins, tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder="other", store="brute-force") as index:
        index.ingest(ListSource(trial("good"), spec="good"))
        OtherEncoder.give = give
        with pytest.raises(EncoderError) as raised:
            index.ingest(ListSource(trial("bad"), trial("worse"), spec="bad"))
        assert 'the encoder "other"' in str(raised.value)
        with pytest.raises(EncoderError):
            index.query("trial", mode="vector")
        OtherEncoder.give = None
        assert [hit.trial.id for hit in index.query("trial", mode="vector").hits] == ["T-good"]
        assert len(index.query("trial").hits) == 3, "the others are found by their words"


# --- stores ---------------------------------------------------------------------------------------------------------


class OddStore(BruteForceStore):
    name = "odd"
    give: Any = staticmethod(lambda scores, ids: (scores, ids))

    def search(self, queries: Vectors, k: int, allowed: Ids | None = None) -> tuple[Vectors, Ids]:
        return type(self).give(*super().search(queries, k, allowed))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "give",
    [
        lambda scores, ids: (scores, ids + 10**9),
        lambda scores, ids: (scores, np.full_like(ids, -1)),
        lambda scores, ids: (scores, np.full_like(ids, ids[0, 0])),
        lambda scores, ids: (scores[:, ::-1], ids),
    ],
    ids=itertools.count(),
)
def test_a_store_that_finds_nonsense_ends(
    give: Any, registered: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered.register(plugin(register_stores=lambda: [OddStore]), "odd")
    with Index.create(tmp_path / "index", encoder="counting", store="odd") as index:
        index.ingest(ListSource(*(trial(n) for n in range(20))))
        monkeypatch.setattr(OddStore, "give", staticmethod(give))
        with contextlib.suppress(TrialIndexError), within(20):
            found = index.query("trial").hits
            assert len({hit.trial.id for hit in found}) == len(found)


# --- renderers ------------------------------------------------------------------------------------------------------


def odd_renderer(pieces: Any) -> type[Renderer]:
    class Odd(Renderer):
        name = "odd"
        summary = "For tests."

        def results(self, results: Results) -> Iterator[str]:
            if isinstance(pieces, BaseException):
                raise pieces
            return pieces  # type: ignore[no-any-return]

        def trial(self, card: TrialPage) -> Iterator[str]:
            return self.results(None)  # type: ignore[arg-type]

        def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
            return self.results(None)  # type: ignore[arg-type]

    return Odd


@pytest.mark.parametrize(
    "pieces", [[5], [None], [b"x"], [["x"]], None, 5, Silent(), ValueError(EVERYTHING)], ids=range(8)
)
def test_a_renderer_that_gives_no_text_is_told_in_one_line(
    pieces: Any, index: Index, registered: Plugins, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registered.register(plugin(register_renderers=lambda: [odd_renderer(pieces)]), "odd")
    for more in ((), ("--output", str(tmp_path / "out.txt"))):
        code, _, err = run_command(capsys, "list", "--format", "odd", "--index", str(index.folder), *more)
        assert code == 1
        assert err.count("\n") == 1
        assert "format" in err
        assert controls(err) == []
    assert not (tmp_path / "out.txt").exists()


# --- notifiers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem", [Silent(), KeyError(5), ValueError(EVERYTHING), SystemExit(3), RecursionError(), MemoryError()]
)
def test_a_notifier_that_fails_oddly_is_told_in_one_line(
    problem: BaseException, index: Index, registered: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    class Odd(Notifier):
        name = "odd"
        summary = "For tests."
        local = True

        def send(self, delivery: Delivery) -> None:
            raise problem

    registered.register(plugin(register_notifiers=lambda: [Odd]), "odd")
    folder = str(index.folder)
    index.close()
    assert run_command(capsys, "notify", "add", "odd:x", "--index", folder)[0] == 0
    code, _, err = run_command(capsys, "notify", "test", "1", "--index", folder)
    assert code == 1
    assert controls(err) == []
    assert err.count("\n") == 1


# --- vocabularies ---------------------------------------------------------------------------------------------------


def test_a_vocabulary_with_cycles_and_odd_names_ends() -> None:
    concepts = [
        Concept("ring one", ("lupus",), "A:1", "disease", ("A:2",)),
        Concept("ring two", ("lupus kidney",), "A:2", "disease", ("A:3", "A:404")),
        Concept("ring three", (WHOLE,), "A:3", "disease", ("A:1", "A:3")),
        Concept("", ("",), "A:4", "", ("A:4",)),
        Concept("x " * 2000, ("y" * 100_000,), None),
        *(Concept(f"chain {n}", (), f"C:{n}", "disease", (f"C:{n + 1}",)) for n in range(5000)),
    ]
    with within(20):
        recognizer = ConceptRecognizer(concepts)
        found = list(recognizer.find("lupus kidney of ring three " + "x " * 2000))
        assert found
        for concept in (*concepts[:4], concepts[5]):
            assert len(recognizer.narrower(concept)) <= len(concepts)
            recognizer.synonyms(concept.name)
            recognizer.lookup(concept.name)


def test_a_vocabulary_of_no_text_is_named(registered: Plugins) -> None:
    for name in ("half \ud800", 5, None):

        class Odd(Vocabulary):
            name = "odd"
            summary = "For tests."
            version = "1"

            def concepts(self) -> Iterator[Concept]:
                yield Concept("fine", (name,))  # type: ignore[arg-type]  # noqa: B023

        own = Plugins(discover=False)
        own.register(plugin(register_vocabularies=lambda: [Odd]), "odd")
        with pytest.raises(PluginError, match="vocabulary"):
            ConceptRecognizer.load(own)


def test_errors_of_a_plugin_are_short_and_clean() -> None:
    assert describe_error(Silent()) == "Silent"
    assert controls(describe_error(ValueError(EVERYTHING))) == []


def test_a_plugin_that_cannot_be_used_is_named(
    registered: Plugins, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    def register_renderers() -> Sequence[Any]:
        raise ValueError(f"\x1b[2J{EVERYTHING}")

    registered.register(plugin(register_renderers=register_renderers), "odd")
    _, out, err = run_command(capsys, "list", "--index", index.folder)
    assert controls(out + err) == []
    with pytest.raises(PluginError):
        registered.renderers.get("nothing")

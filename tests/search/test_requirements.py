"""A trial that asks for what a question rules out stands further down and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.helpers import ListSource
from trialindex.index import Index
from trialindex.plugin.results import BiomarkerReading, Results
from trialindex.search.requirements import RequirementChecker
from trialindex.testing import FakeEncoder
from trialindex.trial import Trial

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors


class Encoder(FakeEncoder):
    """Remembers what it was asked for, and finds all trials equally near."""

    asked: tuple[str, ...] = ()

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return super().encode_documents([""] * len(texts), progress)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += tuple(texts)
        return super().encode_queries(texts)


PAIRS: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    (
        "lung cancer, no brain metastases",
        "lung cancer",
        "brain metastases",
        {"title": "Drug A for lung cancer with brain metastases"},
        {"title": "Drug A for lung cancer with bone metastases"},
    ),
    (
        "lung cancer EGFR negative",
        "lung cancer",
        "EGFR mutation",
        {"title": "Drug A for lung cancer", "inclusion": ("EGFR mutation in the tumor",)},
        {"title": "Drug A for lung cancer", "inclusion": ("EGFR wild type in the tumor",)},
    ),
    (
        "lung cancer, EGFR wild type",
        "lung cancer",
        "EGFR-mutated",
        {"title": "Drug A for EGFR-mutated lung cancer"},
        {"title": "Drug A for EGFR-negative lung cancer"},
    ),
    (
        "lung cancer ALK-",
        "lung cancer",
        "ALK-positive",
        {"title": "Drug A for ALK-positive lung cancer"},
        {"title": "Drug A for ALK-negative lung cancer"},
    ),
    (
        "breast cancer HER2 neg",
        "breast cancer",
        "HER2-positive",
        {"title": "Drug A for breast cancer", "inclusion": ("HER2-positive tumor",)},
        {"title": "Drug A for breast cancer", "inclusion": ("HER2-negative tumor",)},
    ),
    (
        "COPD in a non-smoker",
        "",
        "smokers",
        {"title": "Rehabilitation of smokers with COPD"},
        {"title": "COPD in women"},
    ),
    (
        "asthma, never had eczema",
        "asthma",
        "eczema",
        {"title": "Asthma and eczema", "conditions": ("Asthma", "Eczema")},
        {"title": "Asthma and obesity", "conditions": ("Asthma", "Obesity")},
    ),
    (
        "herniated disc without surgery",
        "herniated disc",
        "surgery",
        {"title": "Early surgery for herniated disc"},
        {"title": "Early exercise for herniated disc"},
    ),
]


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder) -> Iterator[Index]:
    with Index.create(tmp_path / "index", encoder=encoder) as index:
        yield index


def found(answer: Results) -> list[str]:
    return [hit.trial.id for hit in answer.hits]


@pytest.mark.parametrize(("asked", "embedded", "what", "asks", "other"), PAIRS)
def test_what_asks_for_it_goes_down(
    index: Index, encoder: Encoder, asked: str, embedded: str, what: str, asks: dict[str, Any], other: dict[str, Any]
) -> None:
    index.ingest(ListSource(Trial(id="ASKS", **asks), Trial(id="OTHER", **other)))
    answer = index.query(asked)
    if embedded:
        assert embedded in encoder.asked
    assert found(answer) == ["OTHER", "ASKS"]
    first, last = answer.hits
    assert "ruled_out" not in first.parts
    assert first.cautions == ()
    assert last.parts["ruled_out"] > 0
    assert any(caution.startswith(f"It asks for {what}, which you ruled out") for caution in last.cautions)
    assert any(note.startswith("Ruled out: ") for note in answer.notes)


def test_as_written_searches_for_it(index: Index, encoder: Encoder) -> None:
    _, _, _, asks, other = PAIRS[0]
    index.ingest(ListSource(Trial(id="ASKS", **asks), Trial(id="OTHER", **other)))
    answer = index.query("lung cancer, no brain metastases", as_written=True)
    assert "lung cancer, no brain metastases" in encoder.asked
    assert found(answer) == ["ASKS", "OTHER"]
    assert (answer.ruled_out, answer.hits[0].cautions) == ((), ())
    assert not any("Ruled out" in note for note in answer.notes)


def test_the_state_that_is_asked_for_goes_up(index: Index) -> None:
    index.ingest(
        ListSource(
            Trial(id="ANY", title="Drug A for lung cancer"),
            Trial(id="NEGATIVE", title="Drug A for lung cancer", inclusion=("EGFR-negative tumor",)),
        )
    )
    answer = index.query("lung cancer, EGFR negative")
    assert found(answer) == ["NEGATIVE", "ANY"]
    assert answer.hits[0].parts["state"] > 0
    assert answer.biomarkers == (BiomarkerReading(name="EGFR", state="negative"),)


def test_a_state_comes_up_from_below_many_other_trials_of_the_illness(index: Index) -> None:
    long = "Drug A before surgery in postmenopausal women with locally advanced, HER2-negative"
    index.ingest(
        ListSource(
            *(Trial(id=f"ANY-{n}", title=f"Breast cancer {'and exercise ' * n}") for n in range(40)),
            Trial(id="NEGATIVE", title=f"{long} breast cancer"),
            Trial(id="STOMACH", title=f"{long} gastric cancer"),
        )
    )
    parts = {
        hit.trial.id: (hit.rank, hit.parts.get("state", 0.0))
        for hit in index.query("HER2- breast cancer", limit=42).hits
    }
    assert parts["NEGATIVE"][0] <= 10
    assert parts["NEGATIVE"][1] > 0
    assert parts.get("STOMACH", (42, 0.0)) == (42, 0.0)


@pytest.mark.parametrize(
    ("asked", "trial", "asks"),
    [
        ("lung cancer, no brain metastases", {"title": "Lung cancer with or without brain metastases"}, False),
        ("lung cancer, no brain metastases", {"title": "T", "inclusion": ("No brain metastases",)}, False),
        (
            "lung cancer, no brain metastases",
            {"title": "T", "inclusion": ("Treated brain metastases are allowed",)},
            False,
        ),
        ("lung cancer, no brain metastases", {"title": "T", "inclusion": ("At least one brain metastasis",)}, True),
        ("lung cancer, no brain metastases", {"title": "T", "exclusion": ("Brain metastases",)}, False),
        ("lung cancer, EGFR negative", {"title": "EGFR inhibitor for lung cancer"}, False),
        ("lung cancer, EGFR negative", {"title": "T", "inclusion": ("EGFR mutation or ALK rearrangement",)}, False),
        ("lung cancer, EGFR not tested yet", {"title": "EGFR-mutated lung cancer"}, False),
        ("breast cancer HER2 positive", {"title": "HER2-negative breast cancer"}, True),
        ("lung disease other than asthma", {"title": "Children with asthma"}, True),
    ],
)
def test_a_line_that_leaves_a_choice_asks_for_nothing(
    index: Index, asked: str, trial: dict[str, Any], asks: bool
) -> None:
    index.ingest(ListSource(Trial(id="T", **trial)))
    [hit] = index.query(asked, anyway=True).hits
    assert ("ruled_out" in hit.parts, any("ruled out" in said for said in hit.cautions)) == (asks, asks)


def test_a_criterion_that_lets_the_person_in_is_no_caution(index: Index) -> None:
    index.ingest(
        ListSource(
            Trial(
                id="IN",
                title="Asthma",
                exclusion=(
                    "A lung disease other than asthma",
                    "Any illness except asthma",
                    "Illness apart from asthma",
                ),
            ),
            Trial(id="OUT", title="Asthma", exclusion=("Asthma in the last year",)),
        )
    )
    assert {hit.trial.id: len(hit.cautions) for hit in index.query("asthma").hits} == {"IN": 0, "OUT": 1}


def test_trials_that_take_healthy_people_go_up_for_them(index: Index) -> None:
    same = {"title": "How drug A is taken up", "summary": "Volunteers take one dose."}
    index.ingest(
        ListSource(
            Trial(id="ILL", healthy_volunteers=False, **same),  # type: ignore[arg-type]
            Trial(id="HEALTHY", healthy_volunteers=True, **same),  # type: ignore[arg-type]
        )
    )
    for asked in ("healthy volunteer", "healthy volunteer, 30", "I am healthy and want to take part"):
        answer = index.query(asked)
        assert found(answer) == ["HEALTHY", "ILL"]
        assert answer.hits[0].parts["healthy"] > 0
        assert not answer.nothing_about
        assert not answer.nothing_understood
        assert any("healthy" in note for note in answer.notes)
    assert found(index.query("drug A for asthma, eating healthy")) == ["ILL", "HEALTHY"]


def test_nothing_is_compared_when_nothing_is_ruled_out(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    index.ingest(ListSource(Trial(id="T", title="Asthma")))
    monkeypatch.setattr(RequirementChecker, "conflicts", lambda *_: iter(()))
    assert index.query("asthma").hits[0].parts.keys().isdisjoint({"ruled_out", "state", "healthy"})

"""References in and out: what a reference manager or a library exports, and what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Renderer, RenderOptions
from trialindex.testing import check_renderer, check_source, sample_trials
from trialindex.trial import Trial, TrialDate
from trialindex_csv.citations import RisSource
from trialindex_renderers.citations import NbibRenderer, RisRenderer

RIS = """TY  - JOUR
TI  - Walking after a
 fracture
AN  - CN-0001
AB  - Registered as NCT00000001.
KW  - gait
KW  - fracture
UR  - https://example.org/1
ER  -

TY  - WEB
T1  - Another trial
AN  - ISRCTN00000002
ER  -
"""
NBIB = """PMID- 1
TI  - Walking after a
      fracture
AB  - We walked.
SI  - ClinicalTrials.gov/NCT00000001
OT  - gait

PMID- 2
TI  - No registry
"""


def file(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_references_in_ris(tmp_path: Path) -> None:
    first, second = check_source(RisSource(file(tmp_path, "x.ris", RIS)))
    assert (first.id, first.title, first.keywords) == ("NCT00000001", "Walking after a fracture", ("gait", "fracture"))
    assert (first.summary, first.url) == ("Registered as NCT00000001.", "https://example.org/1")
    assert (second.id, second.title) == ("ISRCTN00000002", "Another trial")


def test_references_of_pubmed(tmp_path: Path) -> None:
    rejected: list[tuple[str, str]] = []
    context = IngestContext(on_reject=lambda where, why: rejected.append((where, why)))
    [trial] = RisSource(file(tmp_path, "x.nbib", NBIB)).trials(context)
    assert (trial.id, trial.title, trial.keywords) == ("NCT00000001", "Walking after a fracture", ("gait",))
    assert rejected == [("reference 2", "it names no id of a registry")]


@pytest.mark.parametrize(
    ("line", "trial_id"),
    [
        ("C1  - clinicaltrials.gov: nct 0123 4567", "NCT01234567"),
        ("M1  - EudraCT 2004-000406-51", "2004-000406-51"),
        ("UR  - https://trialsearch.who.int/Trial2.aspx?TrialID=chictr2000034346", "ChiCTR2000034346"),
        ("N1  - Registered as ISRCTN 12345678.", "ISRCTN12345678"),
        ("ID  - RBR-4s7gh3", "RBR-4s7gh3"),
    ],
)
def test_ids_in_references_as_people_write_them(tmp_path: Path, line: str, trial_id: str) -> None:
    text = f"\ufeffTY  - JOUR\r\nTI  - T\r\nMH  - *Gout\r\n{line}\r\nER  -\r\n"
    [trial] = RisSource(file(tmp_path, "x.ris", text)).trials(IngestContext())
    assert (trial.id, trial.keywords) == (trial_id, ("Gout",))


@pytest.mark.parametrize("text", ["", "no references here\n"])
def test_a_file_without_references_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match="holds no reference"):
        list(RisSource(file(tmp_path, "x.ris", text)).trials(IngestContext()))


@pytest.mark.parametrize("renderer", [RisRenderer, NbibRenderer])
def test_the_formats_keep_the_contract(renderer: type[Renderer]) -> None:
    check_renderer(renderer)


@pytest.mark.parametrize("renderer", [RisRenderer, NbibRenderer])
def test_what_is_written_is_read_again(tmp_path: Path, renderer: type[Renderer]) -> None:
    trials = [
        Trial(id="NCT00000001", title="One", summary="What  is\ntested.", conditions=("gout",), sponsor="A hospital"),
        Trial(id="ISRCTN00000002", title="Two", first_posted=TrialDate(date="2024-05"), url="https://example.org"),
    ]
    text = "".join(renderer(RenderOptions()).trials(iter(trials)))
    first, second = RisSource(file(tmp_path, "x.ris", text)).trials(IngestContext())
    assert (first.id, first.title, first.summary, first.keywords) == (
        "NCT00000001",
        "One",
        "What is tested.",
        ("gout",),
    )
    assert (second.id, second.url) == ("ISRCTN00000002", "https://example.org")


def test_a_reference_in_ris_as_reference_managers_expect_it() -> None:
    def written(trials: Iterator[Trial]) -> list[str]:
        return "".join(RisRenderer(RenderOptions()).trials(trials)).splitlines()

    lines = written(iter([Trial(id="NCT00000001", title="One", sponsor="A hospital")]))
    assert lines == [
        "TY  - WEB",
        "TI  - One",
        "AU  - A hospital,",
        "AN  - NCT00000001",
        "N1  - Status: not stated",
        "ER  - ",
        "",
    ]
    assert written(iter(sample_trials()))[-2:] == ["ER  - ", ""]

"""The numbers of the ranking, and those that docs/ranking.md gives."""

from __future__ import annotations

import re

import pytest

from support.paths import ROOT
from trialindex.search.settings import RANKINGS, RankingSettings

PAGE = (ROOT / "docs" / "ranking.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("start", "name"), [("a note, from", "note_weights"), ("a question, up to", "question_weights")]
)
def test_the_weights_on_the_page_are_those_in_use(start: str, name: str) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {start}")]
    _, label, *cells, _ = (cell.strip() for cell in row.split("|"))
    settings = RankingSettings()
    weights = getattr(settings, name)
    assert [float(cell) for cell in cells] == [weights[ranking] for ranking in RANKINGS]
    words = settings.note_words if "note" in start else settings.question_words
    assert re.findall(r"\d+", label) == [str(words)]


def test_other_numbers_on_the_page_are_those_in_use() -> None:
    settings = RankingSettings()
    assert f"e^(cos / {settings.temperature:g})" in PAGE
    assert f"loses {settings.mismatch_penalty:g} standard deviations for each" in PAGE
    assert f"above the one at rank {settings.cutoff_rank} |" in PAGE
    assert f"{1 - settings.smoothing:g} of its own and {settings.smoothing:g} of the mean" in PAGE


def test_a_question_and_a_note_have_weights_of_their_own() -> None:
    settings = RankingSettings()
    assert settings.weights("lupus of the kidney") == settings.question_weights
    assert settings.weights("word " * settings.note_words) == settings.note_weights


def test_between_a_question_and_a_note_weights_are_interpolated() -> None:
    settings = RankingSettings(question_words=10, note_words=20)
    assert [settings.note_share("word " * count) for count in (1, 10, 15, 20, 99)] == [0, 0, 0.5, 1, 1]
    weights = settings.weights("word " * 15)
    assert weights["vector"] == pytest.approx(
        (settings.question_weights["vector"] + settings.note_weights["vector"]) / 2
    )

"""Why a trial is in the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.helpers import ListSource, trial
from support.terms_cases import TERMS
from trialindex.index import Index
from trialindex.search.filters import Filters
from trialindex.search.query import Page, search
from trialindex.search.question import MODES
from trialindex.testing import sample_trials
from trialindex.trial import walk_text

# --- explanations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_every_match_is_from_the_trial(index: Index, mode: str) -> None:
    for text in ("lupus kidney adults", sample_trials()[8].title, "asthma"):
        hits = index.query(text, mode=mode, limit=12).hits
        assert hits
        for hit in hits:
            assert hit.match is not None
            assert 0 < len(hit.match.text) <= 320
            shown = " ".join(" ".join(walk_text(index.get(hit.trial.id))).split())
            assert hit.match.text.removesuffix("…").strip() in shown


def test_the_sentence_that_matches_is_shown(new_index: Index) -> None:
    summary = "First we look at gout. Then lupus of the kidney is treated! Last comes asthma; it is rare."
    new_index.ingest(ListSource(trial(1, title="Three things", summary=summary)))
    for mode in MODES:
        (hit,) = new_index.query("lupus kidney", mode=mode).hits
        assert hit.match is not None
        assert (hit.match.part, hit.match.text) == ("summary", "Then lupus of the kidney is treated!")


def test_an_inclusion_criterion_that_matches_is_shown(new_index: Index) -> None:
    new_index.ingest(
        ListSource(
            trial(
                1,
                title="X",
                summary="About it.",
                inclusion=("Adults", "Proteinuria above 1 g"),
                exclusion=("Proteinuria above 9 g",),
            )
        )
    )
    (hit,) = new_index.query("proteinuria above", mode="lexical").hits
    assert hit.match is not None
    assert (hit.match.part, hit.match.text) == ("inclusion criteria", "Proteinuria above 1 g")


def test_a_long_sentence_is_cut_at_a_word(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1, summary="lupus " + "and more words " * 90)))
    (hit,) = new_index.query("lupus", mode="lexical").hits
    assert hit.match is not None
    assert hit.match.text.endswith(("words…", "more…", "and…"))
    assert len(hit.match.text) <= 320


def test_a_trial_of_nothing_but_a_title_matches_by_it(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1, title="Lupus", summary="  ")))
    for mode in MODES:
        (hit,) = new_index.query("lupus", mode=mode).hits
        assert hit.match is not None
        assert hit.match.text == "Lupus"


def test_fits_come_from_the_text_and_filters_overrule_it(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1, title="Lupus", minimum_age=18.0, maximum_age=65.0, sex="FEMALE")))
    answer = new_index.query("34-year-old woman with lupus")
    assert [(f.what, f.verdict) for f in answer.hits[0].fits] == [("age", "fits"), ("sex", "fits")]
    assert [(one.kind, one.meaning, one.option) for one in answer.constraints] == [
        ("age", "34 years", "--age 34"),
        ("sex", "female", "--sex female"),
    ]
    answer = new_index.query("70-year-old man with lupus")
    assert [(f.what, f.verdict) for f in answer.hits[0].fits] == [("age", "does not fit"), ("sex", "does not fit")]
    answer = new_index.query("70-year-old man with lupus", age=34, sex="female")
    assert [(f.what, f.verdict) for f in answer.hits[0].fits] == [("age", "fits"), ("sex", "fits")]
    assert [one.option for one in answer.constraints] == ["", ""]
    assert new_index.query("lupus").hits[0].fits == ()


def test_a_short_form_ends_no_sentence_and_what_matched_is_marked(new_index: Index) -> None:
    summary = "About health. Rituximab vs. Belimumab (e.g. Benlysta) for lupus at St. Mary's. Gout is left out."
    new_index.ingest(ListSource(trial(1, title="Three things", summary=summary)))
    (hit,) = new_index.query("lupus belimumab", mode="lexical").hits
    assert hit.match is not None
    assert hit.match.text == "Rituximab vs. Belimumab (e.g. Benlysta) for lupus at St. Mary's."
    assert hit.match.words == ("Belimumab", "lupus")


def test_another_name_of_what_is_asked_is_a_reason(new_index: Index) -> None:
    summary = "A cancer ward. Women with breast carcinoma take part."
    new_index.ingest(ListSource(trial(1, title="Three things", summary=summary)))
    with new_index.searcher() as searcher:
        known = replace(searcher, recognizer=lambda: TERMS)
        (hit,) = search(known, "breast cancer", "lexical", Filters(), Page()).hits
    assert hit.match is not None
    assert (hit.match.text, hit.match.words) == ("Women with breast carcinoma take part.", ("breast", "carcinoma"))

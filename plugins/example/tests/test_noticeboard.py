"""The source ``noticeboard``: what a file becomes, what is skipped and why, what is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext
from trialindex.testing import check_source
from trialindex.trial import Contact, Site, Trial, TrialDate
from trialindex_example.noticeboard import NoticeboardSource

STUDIES = Path(__file__).with_name("studies.txt")


def run(source: NoticeboardSource, state: dict[str, Any] | None = None) -> tuple[list[Trial], IngestContext, list[str]]:
    """One run: the trials, what was checkpointed, and what was said."""
    said: list[str] = []
    context = IngestContext(
        state=state or {}, on_reject=lambda where, why: said.append(f"{where}: {why}"), on_note=said.append
    )
    return list(source.trials(context)), context, said


def board(folder: Path, text: str) -> NoticeboardSource:
    path = folder / "board.txt"
    path.write_text(text, encoding="utf-8")
    return NoticeboardSource(str(path))


def test_keeps_the_contract_of_a_source() -> None:
    trials = check_source(NoticeboardSource(str(STUDIES)), rejects=2)
    assert [trial.id for trial in trials] == ["NB-014", "NB-015"]


def test_a_paragraph_becomes_a_trial() -> None:
    first, second = run(NoticeboardSource(str(STUDIES)))[0]
    assert first.raw is not None
    assert first.raw["text"].startswith("Id: NB-014\nTitle: Guided walks")
    assert first.status == "RECRUITING"
    assert first.conditions == ("kidney transplant", "fatigue")
    assert first.interventions[0].name == "guided walks"
    assert (first.minimum_age, first.maximum_age, first.sex) == (18, 70, "ALL")
    assert first.sites == (Site(name="City Hospital", city="Lyon", country="France"),)
    assert first.inclusion == ("a kidney transplant more than a year ago",)
    assert first.exclusion == ("a broken bone in the last year", "a pacemaker")
    assert first.last_updated == TrialDate(date="2026-05-04")
    assert first.contacts == (Contact(name="Ana Example", phone="+00 555 0123", email="walks@hospital.example"),)
    assert first.summary == "Twelve weeks of walks in groups of eight, once in the park and once in the gym."
    # What is not said is absent, and a bound that is not there is open.
    assert (second.minimum_age, second.maximum_age, second.summary) == (0.5, None, None)
    assert second.sites == (Site(country="Portugal"),)
    assert second.contacts == ()


def test_what_cannot_be_read_is_named_with_its_line_and_skipped() -> None:
    trials, _, said = run(NoticeboardSource(str(STUDIES)))
    assert len(trials) == 2
    assert said[0] == "line 26: id: missing"
    assert said[1].startswith('line 29: "colour" is not a label.')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Id: X\nTitle: T\nStatus: recuriting", "Did you mean"),
        ("Id: X\nTitle: T\nAges: old enough", "not a range of ages"),
        ("Id: X\nTitle: T\nUpdated: 30 February 2026", "not a date"),
        ("Id: X\nTitle: T\nTitle: U", '"title" is there twice'),
        ("Id: X\nTitle: T\nwithout a colon", "not a label and its value"),
        ("Id: X\nTitle: \0", "title: missing"),
    ],
)
def test_a_wrong_value_says_what_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    trials, _, said = run(board(tmp_path, text))
    assert trials == []
    assert said[0].startswith("line 1: ")
    assert why in said[0]


def test_an_unchanged_file_is_left_alone_and_a_changed_one_is_not(tmp_path: Path) -> None:
    source = board(tmp_path, "Id: X\nTitle: One")
    _, context, _ = run(source)
    assert context.pending_state is not None
    trials, _, said = run(source, context.pending_state)
    assert trials == []
    assert "--full" in said[0]
    assert len(run(NoticeboardSource(source.argument, full=True), context.pending_state)[0]) == 1
    assert [t.title for t in run(board(tmp_path, "Id: X\nTitle: Two"), context.pending_state)[0]] == ["Two"]


def test_nothing_is_remembered_before_the_last_trial_was_delivered() -> None:
    context = IngestContext()
    trials = NoticeboardSource(str(STUDIES)).trials(context)
    next(trials)
    assert context.pending_state is None
    list(trials)
    assert context.pending_state is not None


def test_recruiting_asks_for_other_trials_and_is_remembered_apart() -> None:
    source = NoticeboardSource(str(STUDIES), recruiting=True)
    assert [trial.id for trial in run(source)[0]] == ["NB-014"]
    assert source.spec != NoticeboardSource(str(STUDIES)).spec
    assert NoticeboardSource(str(STUDIES), full=True).spec == NoticeboardSource(str(STUDIES)).spec


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"", "no study"), (b" \n\n", "no study"), (b"Id: \xff", "not UTF-8")],
)
def test_a_file_that_cannot_be_used_is_an_error_that_names_it(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "board.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=message) as problem:
        run(NoticeboardSource(str(path)))
    assert str(path) in str(problem.value)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        run(NoticeboardSource(str(tmp_path)))


def test_without_a_file_it_says_what_to_type() -> None:
    with pytest.raises(SourceError, match="noticeboard:FILE"):
        NoticeboardSource()

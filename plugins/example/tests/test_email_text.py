"""The format ``email``: what it says, and that any mail program can take it."""

from __future__ import annotations

import pytest

from trialindex.plugin.interfaces import RenderOptions
from trialindex.plugin.results import EligibilityCheck, Hit, Match, Results
from trialindex.testing import check_renderer, sample_card, sample_results, sample_trials
from trialindex.trial import Contact, Site, Trial
from trialindex_example.email_text import WIDTH, EmailRenderer

TRIAL = Trial(
    id="EX-1",
    title="Guided walks after a kidney transplant, in the park or in the gym, for people who are often tired",
    url="https://registry.example/EX-1",
    status="RECRUITING",
    phases=("PHASE2",),
    minimum_age=18.0,
    summary="Twelve weeks of walks.",
    conditions=("kidney transplant",),
    inclusion=("a kidney transplant more than a year ago",),
    exclusion=("a pacemaker",),
    sites=(Site(name="City Hospital", city="Lyon", country="France"),),
    contacts=(Contact(name="Ana Example", phone="+00 555 0123"),),
)
HIT = Hit(
    rank=1,
    score=0.03,
    parts={},
    trial=TRIAL,
    match=Match(part="summary", text="Twelve weeks of walks."),
    fits=(EligibilityCheck(what="age", verdict="fits", given="34 years", stated="18 years and older"),),
    nearest_site=TRIAL.sites[0],
    distance_km=12.4,
)


def answer(*hits: Hit) -> Results:
    return Results(
        query="tired after a transplant",
        mode="hybrid",
        filters={"status": "recruiting"},
        searched=3,
        total=9,
        page=1,
        limit=10,
        hits=hits,
        generation=1,
    )


def draw(*hits: Hit) -> str:
    return "".join(EmailRenderer(RenderOptions()).results(answer(*hits)))


def test_keeps_the_contract_of_a_renderer() -> None:
    check_renderer(EmailRenderer)


def test_an_answer_says_what_was_asked_and_why_each_trial_is_in_it() -> None:
    lines = draw(HIT).splitlines()
    assert lines[:2] == ['Trials for "tired after a transplant"', "Only with status: recruiting."]
    assert lines[3:5] == [
        "1. Guided walks after a kidney transplant, in the park or in the gym,",
        "   for people who are often tired",
    ]
    assert "EX-1, recruiting, phase 2" in lines
    assert "https://registry.example/EX-1" in lines
    assert "Fit: age fits (34 years; trial: 18 years and older)" in lines
    assert "Nearest place: City Hospital, Lyon, France, 12 km away" in lines
    assert 'Why: "Twelve weeks of walks."' in lines
    assert "not medical advice" in " ".join(lines)


def test_an_empty_answer_says_so() -> None:
    assert "No trial was found." in draw()


def test_a_page_holds_who_can_take_part_and_contacts_only_when_they_were_asked_for() -> None:
    plain = "".join(EmailRenderer(RenderOptions()).trial(sample_card(TRIAL, contacts=True)))
    full = "".join(EmailRenderer(RenderOptions(contacts=True)).trial(sample_card(TRIAL, contacts=True)))
    assert "Who can take part:\n- a kidney transplant more than a year ago\n" in plain
    assert "Who cannot:\n- a pacemaker\n" in plain
    assert "Where:\n- City Hospital, Lyon, France: status not stated\n" in plain
    assert "Last updated by the registry: 17 May 2024." in plain
    assert "+00 555 0123" not in plain
    assert "Contacts:\n- Ana Example, +00 555 0123\n" in full


def test_a_page_says_in_plain_words_what_it_could_mean_and_with_sources_where_that_is_from() -> None:
    card = sample_card(TRIAL)
    page = "".join(EmailRenderer(RenderOptions()).trial(card))
    sourced = "".join(EmailRenderer(RenderOptions(sources=True)).trial(card))
    assert "What could go wrong:\n- The phase: phase 2.\n" in page
    assert "- The phase: phase 2. [phases]\n" in sourced
    assert "- placebo: a look-alike without an active substance\n" in page
    assert card.safety in " ".join(page.split())


def test_a_list_has_an_entry_for_each_trial() -> None:
    entries = "".join(EmailRenderer(RenderOptions()).trials(iter([TRIAL, TRIAL])))
    assert entries.count("- Guided walks") == 2
    assert "(EX-1,\n  recruiting)" in entries or "(EX-1, recruiting)" in entries


@pytest.mark.parametrize("trial", sample_trials(), ids=lambda trial: trial.id)
def test_no_line_is_longer_than_mail_programs_like(trial: Trial) -> None:
    renderer = EmailRenderer(RenderOptions())
    drawn = "".join([*renderer.trial(sample_card(trial)), *renderer.results(sample_results([trial]))])
    assert max(len(line) for line in drawn.splitlines() if not line.startswith("https://")) <= WIDTH

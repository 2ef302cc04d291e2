"""The output formats: what every one of them promises, and the one for terminals."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import trialindex_renderers
from support.renderer_cases import (
    ANSWER,
    BARE,
    FULL,
    HOSTILE,
    RENDERERS,
    SECRETS,
    TEXTS,
    WIDE,
    answer,
    card_of,
    draw,
    draw_all,
    filled,
    filled_answer,
    filled_card,
    hit,
    renderer,
    sweep,
)
from trialindex.plugin import trial_page
from trialindex.plugin.registry import Plugins
from trialindex.plugin.results import Match, Results
from trialindex.plugin.trial_page import NOTICE, SAFETY
from trialindex.trial import Trial, TrialDate, from_mapping, to_mapping
from trialindex.trial.display import NO_ADVICE
from trialindex.trial.sanitize import UNSAFE
from trialindex_renderers import view

# --- the plugin -----------------------------------------------------------------------------------------------------


def test_the_plugin_provides_six_formats() -> None:
    plugins = Plugins(discover=False)
    plugins.register(trialindex_renderers, "renderers")
    assert plugins.renderers.names() == ["csv", "html", "json", "jsonl", "markdown", "nbib", "ris", "table"]
    assert all(cls.summary.endswith(".") for cls in RENDERERS.values())


def test_heavy_libraries_are_loaded_only_by_who_needs_them() -> None:
    code = (
        "import sys, trialindex_renderers as r\n"
        "loaded = lambda: {'rich', 'jinja2', 'numpy', 'trialindex.index'} & set(sys.modules)\n"
        "assert not loaded() and 'msgspec' not in sys.modules, loaded()\n"
        "made = {c.name: c for c in r.register_renderers()}\n"
        "assert not loaded(), loaded()\n"
        "from trialindex.plugin.interfaces import RenderOptions\n"
        "from trialindex.trial import Trial\n"
        "list(made['table'](RenderOptions()).trials(iter([Trial(id='a', title='b')])))\n"
        "assert loaded() == {'rich'}, loaded()\n"
        "assert 'rich.console' not in sys.modules\n"
    )
    paths = {"PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=paths, timeout=280)


@pytest.mark.parametrize("name", RENDERERS)
@pytest.mark.parametrize("contacts", [False, True])
def test_pieces_are_text_that_ends_its_lines(name: str, contacts: bool) -> None:
    one = renderer(name, contacts=contacts, width=80)
    for pieces in (one.results(ANSWER), one.trial(card_of(FULL)), one.trials(iter([FULL, BARE])), one.trials(iter(()))):
        assert all(isinstance(piece, str) and piece.endswith("\n") for piece in pieces)


@pytest.mark.parametrize("name", RENDERERS)
def test_many_trials_are_streamed(name: str) -> None:
    taken = 0

    def trials() -> Iterator[Trial]:
        nonlocal taken
        for taken in range(1, 1001):
            yield Trial(id=f"T{taken}", title="Title")

    pieces = renderer(name).trials(trials())
    while "T1" not in next(pieces):
        pass
    assert taken < 20
    assert "T1000" in "".join(pieces)


@pytest.mark.parametrize("name", RENDERERS)
def test_contacts_are_never_shown_unasked(name: str) -> None:
    assert FULL.has_contacts
    for text in draw_all(renderer(name)):
        assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("name", sorted(RENDERERS.keys() - {"ris", "nbib"}))  # a reference has no place for them
def test_contacts_are_shown_when_asked_for(name: str) -> None:
    text = draw(renderer(name, contacts=True), FULL)
    wanted = ("Pat Example", "+1 555 0100", "robin@example.org")
    assert [secret for secret in wanted if secret.replace("_", r"\_") not in text] == []


@pytest.mark.parametrize("name", RENDERERS)
def test_the_raw_record_is_only_in_the_json_of_one_trial(name: str) -> None:
    one = renderer(name, contacts=True)
    assert "raw-secret" not in "".join(one.results(ANSWER))
    assert "raw-secret" not in "".join(one.trials(iter([FULL])))
    assert ("raw-secret" in draw(one, FULL)) == (name in {"json", "jsonl"})


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
def test_formats_for_people_say_what_is_not_stated_and_that_this_is_no_advice(name: str) -> None:
    one = renderer(name)
    page = draw(one, BARE, seen={})
    assert page.count("not stated") >= 15
    assert "Contacts, if the record has any, are hidden; add --contacts" in page
    assert NO_ADVICE in " ".join("".join(one.results(ANSWER)).split())
    assert all(text in " ".join(page.split()) for text in (NOTICE, SAFETY, trial_page.DISCLAIMER))


@pytest.mark.parametrize("name", RENDERERS)
@given(text=TEXTS)
@sweep
def test_no_text_brings_control_characters_into_any_format(name: str, text: str) -> None:
    for drawn in draw_all(renderer(name, contacts=True), filled_answer(text), (filled_card(text),)):
        found = UNSAFE.search(drawn.replace("\r\n", "\n") if name == "csv" else drawn)
        assert found is None, repr(found)
        drawn.encode("utf-8")


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
@pytest.mark.parametrize(
    ("results", "said"),
    [
        (answer(searched=0), "No trial is left. Loosen a filter."),
        (answer(page=9), "Page 9 is past the end of the answer."),
        (answer(mode="lexical"), "Nothing matched."),
        (answer(searched=0, total=0, filters={}), "The index is empty."),
        (answer(hit(BARE), limit=1), "For more, add --page 2."),
        (answer(hit(BARE, 11), hit(BARE, 12), page=2), "Showing 11 to 12."),
        (answer(hit(BARE), notes=("From the sample.",)), "From the sample."),
    ],
)
def test_an_answer_says_what_it_is_an_answer_to(name: str, results: Results, said: str) -> None:
    text = "".join(renderer(name).results(results))
    assert "severe lupus kidney" in text
    assert said in text


# --- table ----------------------------------------------------------------------------------------------------------


def test_a_card_at_80_columns() -> None:
    text = "".join(renderer("table", width=80).results(answer(*ANSWER.hits[:1])))
    assert text.splitlines()[:13] == [
        "Trials for “severe lupus kidney”",
        "213 of 230 trials passed the filters (status: recruiting). Showing number 1.",
        "",
        "1. NK Cells Combined With Rituximab in Refractory Systemic Lupus Erythematosus",
        "   and Lupus Nephritis",
        "   NCT06676631 · recruiting · phase 1 · updated 27 June 2026",
        "   Conditions  Systemic Lupus Erythematosus; Lupus Nephritis",
        "   Testing     NK010; Rituximab",
        "   Who         from 18 to 65 years, all sexes",
        "   Fit         age fits (34 years; trial: 18 to 65 years)",
        "   Where       Guangdong Provincial People's Hospital, Guangzhou, China, 12 km",
        "               away",
        "   Why         Inclusion criteria: “Two earlier treatments that did not help.”",
    ]


@pytest.mark.parametrize("width", [60, 80, 200, None])
def test_the_table_fits_the_terminal(width: int | None) -> None:
    texts = list(draw_all(renderer("table", width=width), trials=(FULL, WIDE)))
    for text in texts if width else texts[:-1]:  # without a terminal, titles in lists are whole
        lines = text.splitlines()
        assert max(map(cell_len, lines)) <= (width or 100)
        assert not [line for line in lines if line != line.rstrip()]


@given(text=TEXTS, width=st.integers(40, 130))
@sweep
def test_the_table_fits_the_terminal_whatever_the_text(text: str, width: int) -> None:
    # Ids and addresses are never broken, so they alone may be longer than the line.
    whole = {"id": "T1", "other_ids": (), "url": None}
    trial = msgspec.structs.replace(filled(text), **whole)
    results = answer(hit(trial, match=Match(part="summary", text=text)), query=text)
    one = renderer("table", width=width, contacts=True)
    for drawn in ("".join(one.results(results)), draw(one, trial)):
        assert max(map(cell_len, drawn.split("\n"))) <= width


def test_ids_and_addresses_are_never_broken() -> None:
    long = "CTRI/2026/01/" + "0" * 60
    trial = msgspec.structs.replace(
        FULL, id=long, other_ids=("EU CT 2024 512345 12 00", "ISRCTN12345678"), url="https://example.org/" + "a" * 90
    )
    one = renderer("table", width=40)
    page = draw(one, trial).splitlines()
    for whole in (long, "EU CT 2024 512345 12 00;", "ISRCTN12345678", trial.url or ""):
        assert any(whole in line for line in page)
    assert any(long in line for line in "".join(one.results(answer(hit(trial)))).splitlines())
    assert long in "".join(one.trials(iter([trial])))


def test_colour_only_when_asked_for_and_it_changes_nothing_else() -> None:
    plain = list(draw_all(renderer("table", width=80)))
    coloured = list(draw_all(renderer("table", width=80, color=True)))
    assert "\x1b" not in "".join(plain)
    assert "\x1b[32mrecruiting\x1b[0m" in coloured[0]
    assert [re.sub(r"\x1b\[[\d;]*m", "", text) for text in coloured] == plain


def test_a_hostile_record_cannot_colour_a_terminal() -> None:
    one = renderer("table", width=80, color=True)
    drawn = "".join(draw_all(one, filled_answer(HOSTILE), (filled_card(HOSTILE),)))
    assert {code for code in re.findall(r"\x1b(.{0,4})", drawn) if not re.match(r"\[\d+m", code)} == set()
    assert "\x1b[31m" not in drawn


def test_one_line_a_trial_in_lists() -> None:
    trials = [FULL, BARE, Trial(id="Y", title="Two\nlines\x1b[2J")]
    for width in (60, 120, None):
        lines = "".join(renderer("table", width=width).trials(iter(trials))).splitlines()
        assert [line.split()[0] for line in lines] == ["NCT06676631", "X-1", "Y"]
        assert "recruiting  " in lines[0]
        assert "phase 1" in lines[0]
    assert lines[0].endswith("Lupus Nephritis")  # no terminal: the title is whole


def test_recruiting_sites_come_first_and_the_rest_are_counted() -> None:
    closed = [{"name": f"Closed {n}", "country": "France", "status": "COMPLETED"} for n in range(30)]
    trial = from_mapping(
        {**to_mapping(BARE), "sites": [*closed, {"name": "Open", "country": "Peru", "status": "RECRUITING"}]}
    )
    text = draw(renderer("table", width=80), trial)
    assert "31 sites in 2 countries: Peru 1; France 30." in text
    assert text.index("Open (recruiting)") < text.index("Closed 0 (completed)")
    assert "And 11 more sites" in text
    assert "Closed 19" not in text
    assert "Closed 29" in draw(renderer("html"), trial)


def test_a_country_alone_is_no_site_that_could_be_counted() -> None:
    def where(*sites: dict[str, str]) -> str:
        return draw(renderer("table", width=100), from_mapping({**to_mapping(BARE), "sites": list(sites)}))

    some = where({"name": "A clinic", "country": "Peru"}, {"country": "Chile"})
    assert "2 countries: Peru 1; Chile. Where no number stands, how many sites there are is not stated." in some
    assert "• A clinic\n" in some
    none = where({"country": "Peru"}, {"country": "Chile"})
    assert "WHERE\n  2 countries: Peru; Chile. How many sites there are is not stated.\n" in none
    for page in (some, none):
        assert "• not stated" not in page


def test_an_answer_names_countries_and_counts_sites() -> None:
    def where(*sites: dict[str, str]) -> str:
        trial = from_mapping({**to_mapping(BARE), "sites": list(sites)})
        text = "".join(renderer("table", width=100).results(answer(hit(trial))))
        return next(line for line in text.splitlines() if "Where" in line).split("Where")[1].strip()

    assert where({"name": "A clinic", "country": "Peru"}, {"city": "Lima", "country": "Peru"}) == "Peru (2 sites)"
    assert where({"name": "A clinic", "country": "Peru"}, {"country": "Chile"}) == "Peru; Chile"
    assert where({"country": "Chile"}) == "Chile"


def test_criteria_keep_what_is_nested_under_them() -> None:
    text = draw(renderer("table", width=80), FULL)
    assert "• Two earlier treatments, for example:\n      – steroids\n      – rituximab\n" in text


def test_the_whole_eligibility_text_is_shown_where_it_could_not_be_split() -> None:
    trial = from_mapping({**to_mapping(BARE), "eligibility": "Ask us.\nNo smokers.", "inclusion": ["Ask us."]})
    text = draw(renderer("table", width=80), trial)
    assert "No smokers." in text


def test_a_long_description_of_a_person_is_shortened_in_the_heading() -> None:
    text = "".join(renderer("table", width=80).results(answer(hit(BARE), query="word " * 3000)))
    assert text.startswith("Trials for a longer description\n“word word")
    assert len(text) < 2000


# --- the contract that trialindex.testing states --------------------------------------------------------------------


@pytest.mark.parametrize("name", RENDERERS)
def test_the_contract_for_renderers(name: str) -> None:
    testing = pytest.importorskip("trialindex.testing")
    testing.check_renderer(RENDERERS[name])


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
def test_an_answer_about_nothing_begins_with_that_and_draws_a_line(name: str) -> None:
    hits = [msgspec.structs.replace(one, level="loose", closeness=0.05) for one in ANSWER.hits]
    text = "".join(renderer(name).results(answer(*hits, subject="gout", nothing_about=True, filters={})))
    plain = " ".join(html.unescape(re.sub(r"<[^>]*>|\\", " ", text)).split())
    order = ["No trial in this index is about gout.", "trialindex ingest ctgov", "Only loosely alike", "NK Cells"]
    places = [plain.find(words) for words in order]
    assert -1 not in places
    assert places == sorted(places)
    assert text.count("Only loosely alike") == 1


def test_a_line_parts_the_last_hits_that_are_loosely_alike() -> None:
    levels = ("about", "loose", "loose")
    hits = [
        msgspec.structs.replace(one, level=level, closeness=0.5) for one, level in zip(ANSWER.hits, levels, strict=True)
    ]
    cards = view.answer(answer(*hits)).cards
    assert [bool(card.divider) for card in cards] == [False, True, False]
    assert [fact.value for fact in cards[0].facts if fact.label == "How close"] == ["about your condition"]
    assert not any(fact.label == "Score" for card in cards for fact in card.facts), "scores are for --explain"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_long_label_does_not_run_into_its_value(width: int) -> None:
    trial = Trial(
        id="EX-1",
        title="T",
        results_first_submitted_qc=TrialDate(date="2025-03-09"),
        results_delay_submitted_qc=TrialDate(date="2024-07-05"),
    )
    drawn = draw(renderer("table", width=width), trial)
    assert "9 March 2025" in drawn
    assert not re.search(r"control\S", drawn)

"""A trial's page in the formats for people: what it says and in which order, its sources, its jargon explained."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import msgspec
import pytest

from support.renderer_cases import BARE, FULL, WIDE, card_of, draw, plain, renderer
from trialindex import card
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.plugin.trial_page import Explanation, Sentence
from trialindex.testing import FakeWriter
from trialindex.trial import Trial, from_mapping, to_mapping
from trialindex_renderers.view import Word
from trialindex_renderers.webpage import explainer

PAGES = ["table", "markdown", "html"]
HEADINGS = [
    "What this could mean",
    "At a glance",
    "Conditions",
    "Who can take part",
    "Contacts",
    "Where",
    "How it is done",
    "What is measured",
    "Who runs it",
    "Dates",
    "Results",
    "In the registrant's words",
    "The record",
    "Words explained",
]


def text_of(name: str, trial: Trial = FULL, *, options: dict[str, Any] | None = None, **changes: Any) -> str:
    """The page as a reader sees it: no markup, one space between words."""
    drawn = draw(renderer(name, **{"width": 80, **(options or {})}), trial, **changes)
    if name == "html":
        drawn = re.sub(r"<[^>]*>", " ", drawn.partition("<header>")[2])
        drawn = drawn.replace("&#39;", "'").replace("&#34;", '"').replace("&lt;", "<").replace("&amp;", "&")
    if name == "markdown":
        drawn = re.sub(r"[*\\]", "", drawn)
    return " ".join(drawn.split())


def near_lyon(trial: Trial) -> Any:
    return card(trial, writer=FakeWriter(), recognizer=ConceptRecognizer(), near="Lyon, France").countries


# --- what it says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_the_plain_words_come_first_and_the_safety_recommendation_last(name: str) -> None:
    text = text_of(name, plain=plain("Plain words A", headline=Sentence("Cells for lupus")))
    assert text.lstrip("# ").startswith("Cells for lupus")
    order = [text.index(part) for part in ("Cells for lupus", FULL.title, "Plain words A", "Read the full study")]
    assert order == sorted(order)
    assert text.rstrip("_").endswith("has judged the study.")
    assert text.index("This is a reading of what the registry states") < text.index("First seen")


@pytest.mark.parametrize("name", PAGES)
def test_the_sections_stand_in_the_order_in_which_people_ask(name: str) -> None:
    drawn = draw(renderer(name), FULL)
    if name == "table":
        found = re.findall(r"^([A-Z' ]+)$", drawn, re.MULTILINE)
        assert found == [heading.upper() for heading in HEADINGS]
    else:
        pattern = r"^## (.*)$" if name == "markdown" else r"<h2>(.*?)</h2>"
        found = re.findall(pattern, drawn, re.MULTILINE)
        assert [heading.replace("&#39;", "'") for heading in found] == HEADINGS


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "said",
    [
        "Active substance",
        "What this could lead to",
        "What could go wrong",
        "27 June 2026",
        "20 November 2026",
        "https://clinicaltrials.gov/study/NCT06676631",
        "recruiting (RECRUITING)",
        "phase 1 (PHASE1)",
        "18 people (expected)",
        "Lupus Nephritis (MESH:D008181)",
        "As listed by the registrant",
        "Systemic Lupus Erythematosus; Lupus Nephritis",
        "from 18 to 65 years",
        "Inclusion criteria (who can join)",
        "Exclusion criteria (who cannot join)",
        "Contacts, if the record has any, are hidden; add --contacts",
        "Guangdong Provincial People's Hospital, Guangzhou (recruiting)",
        "not by chance (non-randomised)",
        "Dose-limiting side effects (time: 28 days)",
        "31 December 2028 (expected)",
        "none posted",
        "Adults receive donor cells.",
        "the writer “fake”",
    ],
)
def test_the_page_of_a_trial_says(name: str, said: str) -> None:
    assert said in text_of(name)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_writer_says_of_its_work_is_on_the_page(name: str) -> None:
    text = text_of(name, plain=plain("A", notes=("Another text was thrown away.",)))
    assert text.index("Another text was thrown away.") < text.index("At a glance" if name != "table" else "AT A GLANCE")


@pytest.mark.parametrize("name", PAGES)
def test_a_writer_that_says_nothing_leaves_a_page_that_says_so(name: str) -> None:
    nothing = plain("", summary=(), substance=(), could_lead_to=(), could_go_wrong=())
    text = text_of(name, BARE, plain=nothing, conditions=())
    assert text.lstrip("# ").startswith(BARE.title)
    assert "Summary not stated." in text
    assert text.count("Not stated.") == 3
    assert "Words explained" not in text


@pytest.mark.parametrize("name", PAGES)
def test_names_that_no_vocabulary_knows_are_not_called_normalised(name: str) -> None:
    text = text_of(name, WIDE, conditions=())
    assert "no vocabulary at hand knows the names that were listed" in text
    assert "狼疮性肾炎; 👩‍⚕️ 系统性红斑狼疮 🇨🇳" in text
    assert "no vocabulary" not in text_of(name, BARE, conditions=())


# --- sources --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_with_sources_each_plain_sentence_names_its_fields(name: str) -> None:
    told = plain("First.", "Second.", headline=Sentence("Cells for lupus", ("title", "conditions")))
    told = msgspec.structs.replace(told, substance=(Sentence("Only."),))
    sourced = text_of(name, plain=told, options={"sources": True})
    assert "from:" not in text_of(name, plain=told)
    assert sourced.count("from: title, phases") == 6
    assert "from: title, conditions" in sourced
    assert re.search(r"Only\. [-\[_ ]*from: not stated", sourced)
    lines = draw(renderer("table", width=80, sources=True), FULL, plain=told).splitlines()
    assert "    [from: title, phases]" in lines or "      [from: title, phases]" in lines


def test_json_has_the_fields_of_each_sentence_always() -> None:
    told = json.loads(draw(renderer("json"), FULL))["plain"]
    assert told["could_go_wrong"][0] == {"text": "The phase: phase 1.", "fields": ["phases"]}
    assert told["writer"] == "fake"


# --- sites ----------------------------------------------------------------------------------------------------------

FRENCH = from_mapping(
    {
        **to_mapping(BARE),
        "status": "COMPLETED",
        "sites": [
            {"city": "Paris", "country": "France", "status": "RECRUITING", "latitude": 48.86, "longitude": 2.35},
            {"city": "Nice", "country": "France"},
            {"city": "Lima", "country": "Peru", "status": "TERMINATED", "latitude": -12.05, "longitude": -77.04},
        ],
    }
)


@pytest.mark.parametrize("name", PAGES)
def test_each_site_has_its_status_and_its_distance(name: str) -> None:
    text = text_of(name, FRENCH, countries=near_lyon(FRENCH), near="Lyon, France")
    assert "Distances are from Lyon, France, in a straight line." in text
    expected = (
        "Paris (recruiting, 394 km away)",
        "Nice (status not stated, the city is 297 km away)",
        "Lima (stopped early, 10,347 km away)",
    )
    order = [text.index(part) for part in expected]
    assert order == sorted(order)


@pytest.mark.parametrize("name", PAGES)
def test_where_no_site_states_its_status_that_of_the_study_is_said_once(name: str) -> None:
    sites = [
        {**site, "status": None, "latitude": None, "longitude": None, "city": "Xanadu"}
        for site in to_mapping(FRENCH)["sites"]
    ]
    trial = from_mapping({**to_mapping(FRENCH), "sites": sites})
    text = text_of(name, trial, countries=near_lyon(trial), near="Lyon, France")
    assert "The record states no status of single sites. Status of the whole study: completed (COMPLETED)." in text
    assert "status not stated" not in text
    assert "None of the sites can be placed on the map: how far they are from Lyon, France is not known." in text


def test_csv_has_the_page_after_the_columns_of_the_trial() -> None:
    [row] = csv.DictReader(
        io.StringIO(draw(renderer("csv", sources=True), FRENCH, countries=near_lyon(FRENCH)), newline="")
    )
    assert row["locations"].startswith(
        "Paris, France (recruiting, 394 km); Nice, France (city 297 km); Lima, Peru (stopped early, "
    )
    assert row["could_lead_to"] == "Its aim: not stated. [primary_purpose]"
    assert row["headline"] == "A trial that states nothing else [title]"
    assert "talk to your doctor" in row["notice"]


# --- jargon ---------------------------------------------------------------------------------------------------------

WORDS = (Word("OS", "how long people live"), Word("dose", "an amount"), Word("dose escalation", "more each time"))


def test_a_word_is_explained_where_it_is_first_used() -> None:
    explain = explainer(WORDS)
    text = explain("Dose escalation, then doses for the os; overdose, <b>OS</b> and dose")
    linked = re.findall(r'href="#word-(\d)" title="([^"]*)" aria-describedby="meaning-\1">(.*?)</a>', text)
    assert linked == [
        ("3", "more each time", "Dose escalation"),
        ("2", "an amount", "doses"),
        ("1", "how long people live", "OS"),
    ]
    assert "for the os; overdose, &lt;b&gt;" in text
    assert "<a" not in explain("OS, dose")


def test_text_without_words_is_only_escaped() -> None:
    assert explainer(())("<i> & dose") == "&lt;i&gt; &amp; dose"


def test_in_html_a_word_leads_to_its_meaning() -> None:
    told = plain("A placebo is given.", glossary=(Explanation("placebo", 'no drug, "sugar"'), Explanation("arm", "x")))
    drawn = draw(renderer("html"), FULL, plain=told)
    assert drawn.count('<a class="word" href="#word-2" title="no drug, &#34;sugar&#34;"') == 1
    assert '<div id="word-2"><dt dir="auto">placebo</dt><dd id="meaning-2" dir="auto">' in drawn
    assert drawn.index('id="word-1"') < drawn.index('id="word-2"')


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_in_text_words_are_a_list_in_alphabetical_order(name: str) -> None:
    glossary = (Explanation("placebo", "no drug"), Explanation("Arm", "a group"), Explanation("", "nothing"))
    text = text_of(name, plain=plain("A.", glossary=glossary))
    assert re.search(r"(?i)words explained [•-] Arm: a group [•-] placebo: no drug", text)


def test_a_page_is_drawn_without_the_contacts_of_its_sites() -> None:
    page = card_of(FULL)
    assert page.countries[0].locations[0].site.contacts
    assert "555 0100" not in "".join(renderer("json").trial(page))
    assert "555 0100" in "".join(renderer("json", contacts=True).trial(page))

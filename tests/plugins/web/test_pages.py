"""What a person sees and does on the pages, without a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape

import msgspec
import pytest

from support.helpers import ListSource
from support.hostile_cases import ATTACKS, controls, filled
from support.web_cases import Browser, Outline, serve
from trialindex.index import Index
from trialindex.plugin import Concept, Vocabulary, hookimpl
from trialindex.plugin.registry import Plugins
from trialindex.testing import FakeReader
from trialindex.testing.samples import CONTACT
from trialindex.trial import Site, Trial


def titles(page: str) -> list[str]:
    """The headings of the hits."""
    return [unescape(one) for one in re.findall(r'<h2 id="hit-\d+" dir="auto"><a href="[^"]+">([^<]*)</a>', page)]


def ids(page: str) -> list[str]:
    """The trials that a page leads to, in order."""
    return [unescape(one) for one in re.findall(r'<a href="/trial/([^"]+)">', page)]


def test_a_question_leads_to_results_and_they_to_a_trial(browser: Browser) -> None:
    path = browser.search("lupus nephritis")
    results = browser.get(path)
    assert results.status_code == 200
    assert len(titles(results.text)) == 10
    found = ids(results.text)
    assert "EX-0002" in found
    trial = browser.get("/trial/EX-0002")
    assert trial.status_code == 200
    assert "Home exercise for people with lupus nephritis" in trial.text


def test_the_pages_of_results_hold_each_hit_once(browser: Browser) -> None:
    path = browser.search("lupus nephritis")
    both = ids(browser.get(path).text) + ids(browser.get(f"{path}?page=2").text)
    assert len(both) == len(set(both)) == 12
    assert browser.get(f"{path}?page=3").status_code == 404
    assert browser.get(f"{path}?page=x").status_code == 404
    assert browser.get(f"{path}?page=-1").status_code == 404


def test_those_that_people_can_join_come_first_unless_the_closest_are_asked_for(browser: Browser, index: Index) -> None:
    text = "a study"
    ranked = [hit.trial for hit in index.query(text, limit=100).hits]
    assert ranked[0].status != "RECRUITING", "else this test shows nothing"
    first = ids(browser.get(browser.search(text)).text)[0]
    assert index.get(first).status == "RECRUITING"
    closest = ids(browser.get(browser.search(text, order="closest")).text)
    assert closest == [trial.id for trial in ranked[:10]]


def test_an_empty_question_is_asked_for_again_with_what_was_typed(browser: Browser) -> None:
    answer = browser.submit("/search", {"text": "  ", "age": "34", "near": "Lyon"})
    assert answer.status_code == 422
    assert "Please say in a few words" in answer.text
    fields = {field["name"]: field.get("value") for field in Outline(answer.text).find("input")}
    assert fields["age"] == "34"
    assert fields["near"] == "Lyon"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"age": "very old"}, "is not an age"),
        ({"near": "Nowhere-upon-Nothing"}, "no place called"),
        ({"sex": "purple"}, "purple"),
        ({"near": "Lyon, France", "within": "far"}, "far"),
        ({"country": "Atlantis"}, "Atlantis"),
    ],
)
def test_a_filter_that_is_not_understood_is_said_on_the_form(
    browser: Browser, fields: dict[str, str], said: str
) -> None:
    answer = browser.submit("/search", {"text": "lupus", **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert said in unescape(answer.text)
    assert "--" not in re.findall(r'role="alert">(.*?)</p>', answer.text)[0], "nothing to type in a terminal"


def test_results_are_narrowed_by_what_the_trials_found_have(browser: Browser, index: Index) -> None:
    path = browser.search("lupus")
    page = browser.get(path).text
    offered = re.findall(r'name="status" value="(\w+)"> <span>[^<]*<span class="count">\((\d+)', page)
    counts = {code: int(number) for code, number in offered}
    assert counts["RECRUITING"] == sum(trial.status == "RECRUITING" for trial in index.trials())
    narrowed = browser.submit(path, {"text": "lupus", "status": "RECRUITING"})
    assert narrowed.status_code == 303
    assert narrowed.headers["location"] != path, "so that Back leads to what was there"
    found = ids(browser.get(narrowed.headers["location"]).text)
    assert len(found) == counts["RECRUITING"]
    assert {index.get(one).status for one in found} == {"RECRUITING"}


def test_filters_stay_filled(browser: Browser) -> None:
    path = browser.search("lupus", age="34", sex="female", near="Lyon, France", within="1000km", status="RECRUITING")
    page = Outline(browser.get(path).text)
    assert {"name": "age", "value": "34"}.items() <= next(
        f for f in page.find("input") if f.get("name") == "age"
    ).items()
    assert [f["value"] for f in page.find("option") if "selected" in f] == ["female", "1000km"]
    assert [f["value"] for f in page.find("input") if f.get("type") == "checkbox" and "checked" in f] == ["RECRUITING"]


def test_when_nothing_passes_it_is_said_which_filter_does_it(browser: Browser) -> None:
    page = browser.get(browser.search("lupus", age="34", status="WITHDRAWN", updated_since="2030-01-01")).text
    assert "No trial passes all of the filters." in page
    hints = [unescape(one) for one in re.findall(r"<li>(Without .*?)</li>", page)]
    assert len(hints) == 3
    assert any(one.startswith("Without 2030-01-01") for one in hints)


def test_the_nearest_site_and_its_distance_are_on_a_hit(browser: Browser) -> None:
    page = browser.get(browser.search("home exercise lupus nephritis", near="Paris, France")).text
    assert re.search(r"Example Clinic, Lyon, France[^<]*, 39\d km away", page)


@pytest.mark.parametrize(("ending", "begins"), [("csv", '"rank"'), ("md", "# "), ("json", "{")])
def test_results_can_be_taken_along(browser: Browser, ending: str, begins: str) -> None:
    answer = browser.get(f"{browser.search('lupus')}/trials.{ending}")
    assert answer.status_code == 200
    assert answer.text.lstrip("\ufeff").startswith(begins)
    assert answer.headers["content-disposition"] == f'attachment; filename="trials.{ending}"'
    assert CONTACT.email is not None
    assert CONTACT.email not in answer.text
    if ending == "json":
        assert len(json.loads(answer.text)["hits"]) == 12


def test_what_was_understood_is_shown_and_what_was_set_aside(browser: Browser) -> None:
    page = browser.get(browser.search("a 34-year-old woman, not pregnant")).text
    chips = re.findall(r'<(?:span|button) class="chip[^>]*>([^<]*[^ <])', page)
    assert "34 years" in chips
    assert "female" in chips
    assert "not pregnant" in chips


def test_what_a_question_asks_for_is_offered_as_a_filter(browser: Browser) -> None:
    text = "recruiting trials for lupus"
    path = browser.search(text)
    offered = re.findall(r'name="add" value="([^"]+)"', browser.get(path).text)
    assert offered == ["--status recruiting"]
    narrowed = browser.get(browser.submit(path, {"text": text, "add": offered[0]}).headers["location"]).text
    assert 'name="add"' not in narrowed, "what is chosen is not offered"
    assert 'name="clear" value="status"' in narrowed
    open_page = browser.get(browser.submit(path, {"text": "lupus", "open": "true"}).headers["location"]).text
    assert 'name="clear" value="open"' in open_page


def test_the_words_that_matched_are_marked(browser: Browser) -> None:
    assert re.search(r"<mark>[Ll]upus</mark>", browser.get(browser.search("lupus")).text)


@pytest.fixture
def two_words(registered: Plugins) -> None:
    """A vocabulary of two words, there before the server reads the vocabularies."""
    registered.register(Words(), "words")


def test_what_was_understood_can_be_taken_out_and_put_back(two_words: None, browser: Browser) -> None:
    text = "Lupus with asthma, and ASTHMA at night"
    path = browser.search(text)
    page = browser.get(path).text
    assert re.findall(r'name="drop" value="([^"]+)"', page) == ["Lupus", "asthma"]
    without = browser.submit(path, {"text": text, "drop": "asthma"}).headers["location"]
    page = browser.get(without).text
    assert re.findall(r'name="drop" value="([^"]+)"', page) == ["Lupus"]
    assert re.findall(r'name="ignored" value="([^"]+)"', page) == ["asthma"], "it stays out in what is asked next"
    assert text in page, "the question stands as it was typed"
    again = browser.submit(without, {"text": text, "ignored": "asthma", "restore": "asthma"}).headers["location"]
    assert re.findall(r'name="drop" value="([^"]+)"', browser.get(again).text) == ["Lupus", "asthma"]


class Words:
    @hookimpl
    def register_vocabularies(self) -> list[type[Vocabulary]]:
        return [_Words]


class _Words(Vocabulary):
    name = "two"
    summary = "For tests: two words."

    @property
    def version(self) -> str:
        return "1"

    def concepts(self) -> Iterator[Concept]:
        yield Concept("lupus", (), "X:1")
        yield Concept("asthma", (), "X:3")


# --- a trial --------------------------------------------------------------------------------------------------------


def test_the_page_of_a_trial_has_its_parts(browser: Browser) -> None:
    page = browser.get("/trial/ex-0002").text
    headings = [unescape(one) for one in re.findall(r"<h[23][^>]*>([^<]*)</h", page)]
    for part in (
        "What this could mean",
        "Active substance",
        "What this could lead to",
        "What could go wrong",
        "Get updates",
        "Conditions",
        "As the registrant listed them",
        "Who can take part",
        "Where",
        "Whom to ask",
        "What changed",
        "How it is done",
        "The record",
        "Trials like this one",
    ):
        assert part in headings, part
    assert "Our safety recommendation." in page
    assert 'href="/terms"' in page
    assert "First seen" in page
    assert '<svg class="map"' in page
    assert "Where each sentence comes from" in page
    contents = re.findall(r'<a href="#([\w-]+)"', page)
    assert set(contents) - {"main"} <= set(re.findall(r' id="([\w-]+)"', page)), "each leads somewhere"


def test_contacts_are_shown_when_they_are_asked_for(browser: Browser, index: Index) -> None:
    [with_contacts] = [trial.id for trial in index.trials(contacts=True) if CONTACT in trial.contacts]
    assert CONTACT.email is not None
    assert CONTACT.email not in browser.get(f"/trial/{with_contacts}").text
    answer = browser.submit(f"/trial/{with_contacts}/contacts")
    assert answer.status_code == 200
    assert CONTACT.email in answer.text
    assert CONTACT.email not in browser.get(f"/trial/{with_contacts}").text
    assert browser.get(f"/trial/{with_contacts}/contacts").status_code == 404, "not by an address"


def test_with_contacts_the_server_shows_them_at_once(pages: None, index: Index) -> None:
    [with_contacts] = [trial.id for trial in index.trials(contacts=True) if CONTACT in trial.contacts]
    with serve(index, contacts=True) as open_browser:
        assert str(CONTACT.email) in open_browser.get(f"/trial/{with_contacts}").text


def test_a_place_puts_the_nearest_sites_first_and_stands_in_no_address(browser: Browser, index: Index) -> None:
    cities = {"Paris": (48.86, 2.35), "Lyon": (45.76, 4.84), "Grenoble": (45.19, 5.72)}
    sites = [Site(city=name, country="France", latitude=lat, longitude=long) for name, (lat, long) in cities.items()]
    index.ingest(ListSource(Trial(id="SITES", title="Three cities", sites=tuple(sites))))
    answer = browser.submit("/trial/SITES/near", {"near": "Grenoble, France"})
    assert answer.status_code == 303
    assert "Grenoble" not in answer.headers["location"]
    page = browser.get("/trial/SITES").text
    assert "Distances are from Grenoble" in page
    assert re.findall(r"<li dir=\"auto\">(Grenoble|Lyon|Paris)", page) == ["Grenoble", "Lyon", "Paris"]
    assert re.findall(r">([\w ]+) km away", page) == ["1", "94", "482"]
    wrong = browser.submit("/trial/SITES/near", {"near": "Nowhere-upon-Nothing"})
    assert wrong.status_code == 422
    assert "no place called" in wrong.text


def test_a_place_of_a_search_is_not_asked_for_again(browser: Browser) -> None:
    browser.search("lupus", near="Lyon, France")
    assert "Distances are from Lyon" in browser.get("/trial/EX-0002").text


def test_an_id_may_hold_a_slash(browser: Browser, index: Index) -> None:
    index.ingest(ListSource(Trial(id="EU 2012/34#5?6", title="A number with everything")))
    page = browser.get(browser.search("A number with everything", order="closest")).text
    [path] = [one for one in re.findall(r'href="(/trial/[^"]+)"', page) if "2012" in one]
    answer = browser.get(unescape(path))
    assert answer.status_code == 200
    assert "A number with everything" in answer.text


def test_what_changed_is_on_the_page(browser: Browser, index: Index) -> None:
    before = index.get("EX-0002")
    index.ingest(ListSource(msgspec.structs.replace(before, status="COMPLETED"), spec="sample"))
    page = browser.get("/trial/EX-0002").text
    assert "completed" in page[page.index('id="changes"') : page.index('id="how"')]


def test_a_condition_has_a_page_and_what_no_trial_has_none(browser: Browser) -> None:
    answer = browser.get("/condition/lupus%20nephritis")
    assert answer.status_code == 200
    assert "EX-0002" in ids(answer.text)
    assert browser.get("/condition/zzyzx").status_code == 404
    assert browser.get("/condition/lupus%20nephritis?page=99").status_code == 404


@pytest.mark.parametrize("path", ["/safety", "/terms", "/privacy", "/about"])
def test_the_pages_of_text_are_there(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200
    assert Outline(answer.text).wrong == []


def test_privacy_says_what_is_in_force(browser: Browser, visitor: Browser) -> None:
    assert "stays on this computer" in browser.get("/privacy").text
    assert "without giving an address" in visitor.get("/privacy").text
    assert "watches.db" not in visitor.get("/privacy").text


@pytest.mark.parametrize("public", [False, True])
def test_a_reader_that_sends_what_is_typed_is_named_where_it_is_typed(pages: None, index: Index, public: bool) -> None:
    reader = FakeReader("asthma")
    with serve(index, public=public, reader=reader) as made:
        assert "sent to" not in made.get("/").text + made.get("/privacy").text
        reader.receiver = "model.example"
        for path in ("/", "/privacy"):
            text = made.get(path).text
            assert "sent to model.example" in text or "at model.example" in text
            assert not re.search("stays on this computer|sent nowhere|seen by nobody", text)


def test_the_reader_of_the_server_reads_what_is_asked_and_is_named(pages: None, index: Index) -> None:
    reader = FakeReader("asthma")
    with serve(index, reader=reader) as made:
        page = made.get(made.search("a whistling chest")).text
        assert reader.read == ["a whistling chest"]
        assert "by the reader fake:asthma." in page
        assert "Also searched: asthma" in page
        made.get(made.search("a whistling chest", as_written="1"))
        asked = made.client.post("/api/v1/search", json={"text": "a tight chest"})
        assert asked.json()["reader"] == "fake:asthma"
        assert reader.read == ["a whistling chest", "a tight chest"]


# --- hostile records --------------------------------------------------------------------------------------------------

STORABLE = {name: text for name, text in ATTACKS.items() if name != "half pairs"}


@pytest.mark.parametrize("attack", STORABLE.values(), ids=STORABLE)
def test_no_page_does_what_a_record_says(browser: Browser, index: Index, attack: str) -> None:
    index.ingest(ListSource(filled(attack, id="H-1", title=attack), spec="enemy"))
    browser.submit("/trial/H-1/near", {"near": "Lyon, France"})
    path = browser.search(f"{attack} study", order="closest")
    drawn = [
        browser.get(path),
        browser.get("/trial/H-1"),
        browser.submit("/trial/H-1/contacts"),
        browser.submit("/search", {"text": attack, "age": attack[:40], "near": attack[:90]}),
        browser.get("/about"),
    ]
    for answer in drawn:
        outline = Outline(answer.text)
        assert outline.wrong == []
        assert controls(answer.text) == []
        assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|\b49\b", answer.text), "no template is run"

"""``trialindex.card``: what a trial's page is made of, and that no writer and no page learns of contacts unasked."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from support.plugin_cases import plugin
from trialindex import Index, card
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import PluginError, QueryError, UnknownTrial, WriterError
from trialindex.plugin.interfaces import Concept, Writer
from trialindex.plugin.registry import Plugins
from trialindex.plugin.trial_page import DISCLAIMER, NOTICE, SAFETY, PlainLanguage, Sentence
from trialindex.search.places import Place
from trialindex.testing import FakeWriter, sample_trials
from trialindex.trial import SeriousEvents, Term, Trial, encode, from_mapping

LYON = Place("Lyon, France", 45.76, 4.84)
PEOPLE = {"name": "Pat Example", "phone": "+1 555 0100"}
WALKS = from_mapping(
    {
        "id": "X-1",
        "title": "Walks after a kidney transplant",
        "contacts": [PEOPLE],
        "officials": [PEOPLE],
        "sites": [{"name": "City Hospital", "country": "France", "contacts": [PEOPLE]}],
        "first_seen": {"date": "2024-05"},
        "last_updated": {"date": "2026-06-27"},
        "serious_events": [{"group": "Walks", "affected": 1, "at_risk": 9}],
        "raw": {
            "protocolSection": {"contactsLocationsModule": {"centralContacts": [PEOPLE]}},
            "resultsSection": {"moreInfoModule": {"pointOfContact": PEOPLE}},
        },
    }
)


def make(trial: Trial, **options: Any) -> Any:
    """A card that needs no plugin."""
    return card(trial, **{"writer": FakeWriter(), "recognizer": ConceptRecognizer(), **options})


# --- what it holds --------------------------------------------------------------------------------------------------


def test_it_holds_the_plain_words_and_what_every_page_has_to_say() -> None:
    page = make(WALKS)
    assert page.plain.headline == Sentence("Walks after a kidney transplant", ("title",))
    assert (page.notice, page.safety, page.disclaimer) == (NOTICE, SAFETY, DISCLAIMER)


def test_the_days_are_those_of_the_index_or_else_those_that_the_record_states() -> None:
    assert make(WALKS, seen={"last_checked": "2026-11-20"}).seen == {"last_checked": "2026-11-20"}
    assert make(WALKS).seen == {"first_seen": "2024-05", "last_updated": "2026-06-27"}
    assert make(Trial(id="X-2", title="Nothing else")).seen == {}


# --- contacts -------------------------------------------------------------------------------------------------------


def test_a_writer_is_given_no_contact_and_no_raw_record_even_if_contacts_were_asked_for() -> None:
    for contacts in (False, True):
        writer = FakeWriter()
        make(WALKS, writer=writer, contacts=contacts)
        [given] = writer.given
        assert given.raw is None
        assert not given.has_contacts
        assert b"Pat Example" not in encode(given)
        assert given.serious_events == (SeriousEvents(group="Walks", affected=1, at_risk=9),)


def test_contacts_and_the_raw_record_are_masked_until_asked_for() -> None:
    masked, full = make(WALKS), make(WALKS, contacts=True)
    assert masked.trial == WALKS.masked()
    assert "555 0100" not in msgspec.json.encode(masked).decode()
    assert full.trial == WALKS
    assert full.countries[0].locations[0].site.contacts
    assert full.masked() == masked


# --- writers --------------------------------------------------------------------------------------------------------


class Failing(Writer):
    """Does what a test tells it to."""

    name = "failing"
    summary = "Fails."

    def write(self, trial: Trial) -> Any:
        if self.argument == "unset":
            raise WriterError("no model is set.", hint="Set one.")
        if self.argument == "words":
            return "words"
        if self.argument == "torn":
            return PlainLanguage("failing", Sentence("A"), ("B",), (), (), ())  # type: ignore[call-arg, arg-type]
        if self.argument == "wrong":
            told = FakeWriter().write(trial)
            return msgspec.structs.replace(told, summary=("only text",))
        if self.argument == "exit":
            raise SystemExit(3)
        raise KeyError("title")


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", "KeyError: 'title'"),
        ("words", "it wrote str, not PlainLanguage"),
        ("torn", "TypeError: "),
        ("wrong", "ValidationError: "),
        ("exit", "SystemExit: 3"),
    ],
)
def test_a_writer_that_fails_is_one_line_that_names_it(argument: str, said: str) -> None:
    with pytest.raises(PluginError, match=re.escape(said)) as caught:
        make(WALKS, writer=Failing(argument))
    text = str(caught.value)
    assert text.startswith('the writer "failing" failed: ')
    assert text.endswith("Choose another one with --writer, and report it to its author.")
    assert "\n" not in text


def test_a_writer_that_cannot_be_used_says_so_itself() -> None:
    with pytest.raises(WriterError, match=r"no model is set\. Set one\."):
        make(WALKS, writer=Failing("unset"))


def test_writers_are_found_by_their_spec(registered: Plugins) -> None:
    registered.register(plugin(register_writers=lambda: [FakeWriter, Failing]), "writers")
    assert make(WALKS, writer="fake:other").plain.writer == "fake:other"
    with pytest.raises(PluginError, match=r'unknown writer "fak"\. Did you mean "fake"\? Allowed: failing, fake\.'):
        make(WALKS, writer="fak")


# --- conditions -----------------------------------------------------------------------------------------------------

TERMS = ConceptRecognizer(
    [
        Concept("lupus nephritis", ("lupus kidney",), "DOID:0080162"),
        Concept("systemic lupus erythematosus", ("SLE",), "DOID:9074"),
        Concept("chronic kidney disease", ("CKD",), kind="abbreviation"),
    ]
)
MESH = Term(name="Lupus Nephritis", id="MESH:D008181")


def normalised(
    *listed: str, registry: tuple[Term, ...] = (), recognizer: ConceptRecognizer = TERMS
) -> list[tuple[str, str | None]]:
    trial = Trial(id="X-1", title="T", conditions=listed, normalized_conditions=registry)
    return [(term.name, term.id) for term in make(trial, recognizer=recognizer).conditions]


def test_conditions_are_named_as_a_vocabulary_does_each_once() -> None:
    found = normalised("SLE", "Lupus kidney", "Lupus Nephritis", "CKD", "Tiredness of unknown kind")
    assert found == [
        ("systemic lupus erythematosus", "DOID:9074"),
        ("lupus nephritis", "DOID:0080162"),
        ("chronic kidney disease", None),
    ]


def test_the_terms_of_the_registry_come_first_and_are_not_said_twice() -> None:
    found = normalised("lupus kidney", "SLE", "CKD", registry=(MESH, MESH))
    assert found == [("Lupus Nephritis", "MESH:D008181"), ("systemic lupus erythematosus", "DOID:9074")]
    assert normalised(registry=(Term(name="Lupus Erythematosus, Systemic"), Term(name="SLE"))) == [
        ("Lupus Erythematosus, Systemic", None)
    ]


def test_what_nobody_has_normalised_is_not_called_normalised() -> None:
    assert normalised("Lupus Nephritis", recognizer=ConceptRecognizer()) == []
    assert normalised() == []
    assert normalised("", " ", "\x00") == []


# --- sites ----------------------------------------------------------------------------------------------------------

SITES: list[dict[str, Any]] = [
    {"city": "Paris", "country": "France", "status": "COMPLETED", "latitude": 48.86, "longitude": 2.35},
    {"city": "Nantes", "country": "France", "status": "RECRUITING", "latitude": 47.22, "longitude": -1.55},
    {"city": "Grenoble", "country": "France", "status": "RECRUITING", "latitude": 45.19, "longitude": 5.72},
    {"city": "Nice", "country": "France", "status": "RECRUITING"},
    {"city": "Geneva", "country": "Switzerland", "status": "RECRUITING", "latitude": 46.2, "longitude": 6.15},
    {"city": "Lyon", "country": " ", "status": "RECRUITING", "latitude": 45.76, "longitude": 4.84},
    {"city": "Turin", "country": "Italy", "latitude": 45.07, "longitude": 7.69},
    {"city": "Peru", "country": "Peru", "status": "NOT_YET_RECRUITING"},
]


def places(near: Place | str | None = None) -> dict[str | None, list[tuple[str | None, float | None]]]:
    trial = from_mapping({"id": "X-1", "title": "T", "sites": SITES})
    page = make(trial, near=near)
    return {one.name: [(place.site.city, place.distance_km) for place in one.locations] for one in page.countries}


def test_without_a_place_sites_that_recruit_come_first_and_so_do_their_countries() -> None:
    found = places()
    assert list(found) == ["France", "Switzerland", "Peru", "Italy", None]
    assert [city for city, _ in found["France"]] == ["Nantes", "Grenoble", "Nice", "Paris"]
    assert {distance for several in found.values() for _, distance in several} == {None}


def test_with_a_place_the_nearest_that_recruits_comes_first() -> None:
    found = places(LYON)
    assert list(found) == ["France", "Switzerland", "Peru", "Italy", None]
    assert found["France"] == [("Grenoble", 93.4), ("Nice", 298.4), ("Nantes", 515.2), ("Paris", 392.5)]
    assert list(places("Genève"))[:2] == ["Switzerland", "France"]
    assert found[None] == [("Lyon", 0.0)]


def test_a_place_is_named_as_it_was_found() -> None:
    assert make(WALKS, near="lyon").near == "Lyon, France"
    with pytest.raises(QueryError, match='no place called "Nowhereville" is known'):
        make(WALKS, near="Nowhereville")


# --- from an index --------------------------------------------------------------------------------------------------


def test_an_index_gives_the_card_with_what_it_knows(index: Index) -> None:
    trial = next(trial for trial in sample_trials() if trial.contacts)
    page = index.card(trial.id.lower(), writer=FakeWriter())
    assert page.seen == index.stored(trial.id).seen
    assert page.trial == index.get(trial.id)
    assert index.card(trial.id, writer=FakeWriter(), contacts=True).trial.has_contacts
    with pytest.raises(UnknownTrial, match="Did you mean"):
        index.card("EX-00011", writer=FakeWriter())

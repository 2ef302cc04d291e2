"""Near means a place that can be joined: sites placed by their city, closed ones not the nearest, nothing hidden."""

from __future__ import annotations

import re
import sys
from typing import Any

import msgspec
import pytest

from support.helpers import ListSource, ids, trial
from trialindex.errors import QueryError
from trialindex.index import Index
from trialindex.plugin.results import Hit
from trialindex.search.places import find_place
from trialindex.search.sites import Address, locate_cities
from trialindex.storage import gazetteer
from trialindex.trial import Site, Trial, regions
from trialindex_renderers.view import where

LYON = Site(name="Hospital", city="Lyon", country="France", latitude=45.75, longitude=4.85)
OSLO = Site(name="Sykehus", city="Oslo", country="Norway", latitude=59.91, longitude=10.75, status="RECRUITING")


def site(base: Site, **changes: Any) -> Site:
    return msgspec.structs.replace(base, **changes)


def ask(index: Index, *trials: Trial, **filters: Any) -> dict[str, Hit]:
    index.ingest(ListSource(*trials))
    return {hit.trial.id: hit for hit in index.query("trial", limit=50, **filters).hits}


# --- the nearest site that can be joined ------------------------------------------------------------------------------


def test_a_site_that_was_withdrawn_is_not_the_nearest_one(new_index: Index) -> None:
    one = trial(1, status="RECRUITING", sites=(site(LYON, status="WITHDRAWN"), OSLO))
    hit = ask(new_index, one, near="Lyon, France")["T-1"]
    assert (hit.nearest_site, hit.closed_site) == (OSLO, one.sites[0])
    assert hit.distance_km == pytest.approx(1622, abs=1)
    assert hit.closed_km is not None
    assert hit.closed_km < 2
    assert where(hit) == (
        "Sykehus, Oslo, Norway, 1,622 km away, and 1 other site; nearer, but closed: "
        "Hospital, Lyon, France (withdrawn before it began, less than 1 km away)"
    )


@pytest.mark.parametrize(
    "status", ["WITHDRAWN", "COMPLETED", "SUSPENDED", "TERMINATED", "ACTIVE_NOT_RECRUITING", "NO_LONGER_AVAILABLE"]
)
def test_what_takes_nobody_is_closed(new_index: Index, status: Any) -> None:
    hit = ask(new_index, trial(1, sites=(site(LYON, status=status), OSLO)), near="Lyon, France")["T-1"]
    assert hit.nearest_site == OSLO


@pytest.mark.parametrize(
    "status", ["RECRUITING", "AVAILABLE", "ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING", "UNKNOWN", None]
)
def test_what_may_take_somebody_is_not(new_index: Index, status: Any) -> None:
    hit = ask(new_index, trial(1, sites=(site(LYON, status=status), OSLO)), near="Lyon, France")["T-1"]
    assert hit.nearest_site == site(LYON, status=status)
    assert hit.closed_site is None


def test_a_closed_site_that_is_farther_is_not_told(new_index: Index) -> None:
    hit = ask(new_index, trial(1, sites=(OSLO, site(LYON, status="COMPLETED"))), near="Oslo")["T-1"]
    assert (hit.nearest_site, hit.closed_site, hit.closed_km) == (OSLO, None, None)


def test_a_trial_with_closed_sites_only_says_so(new_index: Index) -> None:
    hit = ask(new_index, trial(1, sites=(site(LYON, status="COMPLETED"),)), near="Oslo")["T-1"]
    assert (hit.nearest_site, hit.distance_km) == (None, None)
    assert where(hit) == "every site is closed, the nearest is this: Hospital, Lyon, France (completed, 1,622 km away)"


def test_a_distance_keeps_a_trial_whose_near_site_is_closed_and_says_it(new_index: Index) -> None:
    hits = ask(
        new_index, trial(1, sites=(site(LYON, status="WITHDRAWN"), OSLO)), trial(2, sites=(OSLO,)),
        near="Lyon, France", within="100km",
    )  # fmt: skip
    assert list(hits) == ["T-1"]
    assert "nearer, but closed: Hospital" in where(hits["T-1"])


def test_with_a_country_the_open_site_there_is_shown(new_index: Index) -> None:
    closed, open_ = site(LYON, status="COMPLETED"), site(LYON, city="Nice", status="RECRUITING")
    hits = ask(
        new_index, trial(1, sites=(closed, OSLO, open_)), trial(2, sites=(OSLO, closed)), country="FR",
    )  # fmt: skip
    assert (hits["T-1"].nearest_site, hits["T-1"].distance_km) == (open_, None)
    assert where(hits["T-1"]) == "Hospital, Nice, France, and 2 other sites"
    assert (hits["T-2"].nearest_site, hits["T-2"].closed_site) == (None, closed)
    assert where(hits["T-2"]) == "every site there is closed: Hospital, Lyon, France (completed)"


# --- sites without a position -----------------------------------------------------------------------------------------


def test_a_site_without_a_position_is_where_its_city_is_and_says_so(new_index: Index) -> None:
    hits = ask(
        new_index, trial(1, sites=(Site(city="Villeurbanne", country="France"),)),
        trial(2, sites=(Site(city="Oslo", country="Norway"),)), near="Lyon, France", within="30km",
    )  # fmt: skip
    assert list(hits) == ["T-1"]
    assert hits["T-1"].precision == "city"
    assert where(hits["T-1"]) == "Villeurbanne, France, the city is 3 km away"
    assert ask(new_index, trial(3, sites=(LYON,)), near="Lyon, France")["T-3"].precision == "site"


def test_a_trial_that_cannot_be_placed_is_said_and_not_hidden(new_index: Index) -> None:
    nowhere = trial(1, sites=(Site(country="France"), Site(city="Xanadu Xyz", country="France")))
    hit = ask(new_index, nowhere, trial(2, sites=(LYON,)), trial(3), near="Lyon, France")["T-1"]
    assert (hit.nearest_site, hit.unplaced_sites) == (None, 2)
    assert "2 sites without a known position" in where(hit)
    answer = new_index.query("trial", near="Lyon, France", within="50km")
    assert ids(answer) == ["T-2"]
    assert "1 more trial is left out: none of its sites can be placed on the map." in " ".join(answer.notes)
    assert "left out" not in " ".join(new_index.query("trial", near="Lyon, France").notes)


def test_only_trials_that_pass_the_other_filters_are_counted_as_left_out(new_index: Index) -> None:
    unknown = (Site(country="France"),)
    new_index.ingest(
        ListSource(
            trial(1, sites=unknown, status="RECRUITING"),
            trial(2, sites=unknown, status="COMPLETED"),
            trial(3, sites=(*unknown, LYON), status="RECRUITING"),
        )
    )
    answer = new_index.query("trial", near="Lyon, France", within="50km", status="recruiting")
    assert "1 more trial is left out" in " ".join(answer.notes)
    assert ids(answer) == ["T-3"]


@pytest.mark.parametrize(
    ("city", "state", "country", "found"),
    [
        ("Lyon", None, "France", "Lyon"),
        ("LYON", "Rhône", "France", "Lyon"),
        ("Portland", "Maine", "United States", "Portland"),
        ("Portland", None, "United States", None),  # Oregon, or Maine
        ("Boston, MA", None, "USA", "Boston"),
        ("London", "Ontario", "Canada", "London"),
        ("London", "ON", "Canada", "London"),
        ("London", "Quebec", "Canada", None),
        ("Bengaluru", "Karnataka", "India", "Bengaluru"),
        ("Newcastle", "New South Wales", "Australia", "Newcastle"),
        ("Campinas", "SP", "Brazil", "Campinas"),
        ("Lyon", None, "Germany", None),
        ("Lyon", None, "Narnia", None),
        ("Lyon", None, None, "Lyon"),
        (None, "Ontario", "Canada", None),
        ("Xanadu Xyz", None, "France", None),
    ],
)
def test_an_address_is_placed_only_where_it_names_one_city(
    city: str | None, state: str | None, country: str | None, found: str | None
) -> None:
    address = Address(city, state, country)
    assert {a: c.name for a, c in locate_cities([address, address]).items()} == ({address: found} if found else {})


# --- regions ----------------------------------------------------------------------------------------------------------

SEATS = {
    "CA": "Calgary, AB; Vancouver, BC; Winnipeg, MB; Moncton, NB; St. John's, NL; Halifax, NS; Toronto, ON; "
    "Charlottetown, PE; Montreal, QC; Saskatoon, SK; Whitehorse, YT; Yellowknife, NT",
    "AU": "Canberra, ACT; Sydney, NSW; Darwin, NT; Brisbane, QLD; Adelaide, SA; Hobart, TAS; Melbourne, VIC; Perth, WA",
    "BR": "Rio Branco, AC; Maceió, AL; Macapá, AP; Manaus, AM; Salvador, BA; Fortaleza, CE; Brasília, DF; Vitória, ES; "
    "Campo Grande, MS; São Luís, MA; Cuiabá, MT; Belo Horizonte, MG; Belém, PA; João Pessoa, PB; Curitiba, PR; "
    "Teresina, PI; Rio de Janeiro, RJ; Natal, RN; Porto Alegre, RS; Porto Velho, RO; Boa Vista, RR; Florianópolis, SC; "
    "São Paulo, SP; Aracaju, SE; Goiânia, GO; Recife, PE; Palmas, TO",
    "IN": "Port Blair, AN; Visakhapatnam, AP; Guwahati, AS; Chandigarh, CH; New Delhi, DL; Ahmedabad, GJ; Gurgaon, HR; "
    "Shimla, HP; Srinagar, JK; Kochi, KL; Mumbai, MH; Imphal, MN; Shillong, ML; Bengaluru, KA; Dimapur, NL; "
    "Bhubaneswar, OD; Puducherry, PY; Ludhiana, PB; Jaipur, RJ; Chennai, TN; Agartala, TR; Kolkata, WB; Gangtok, SK; "
    "Itanagar, AR; Aizawl, MZ; Panaji, GA; Patna, BR; Indore, MP; Kanpur, UP; Raipur, CG; Ranchi, JH; Dehradun, UK; "
    "Hyderabad, TG; Leh, LA; Daman, DH",
}


@pytest.mark.parametrize("country", SEATS)
def test_a_city_of_each_region_lies_in_it(country: str) -> None:
    """Every row of the table is right: each region has a city that is found under its abbreviation."""
    found = {place.rpartition(", ")[2]: find_place(f"{place}, {country}").name for place in SEATS[country].split("; ")}
    names = {names[1]: names[0] for code, _, names in regions.rows() if code == country}
    assert {region: name.split(", ")[1] for region, name in found.items()} == {
        region: names[region] for region in found
    }
    assert len(found) >= len(names) - 2  # without Nunavut or Lakshadweep, where no city has 15,000 people


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Washington, D.C.", "Washington, District of Columbia, United States"),
        ("Washington DC", "Washington, District of Columbia, United States"),
        ("Portland OR", "Portland, Oregon, United States"),
        ("Perth Western Australia", "Perth, Western Australia, Australia"),
        ("Québec, QC, Canada", "Québec, Quebec, Canada"),
        ("Victoria BC", "Victoria, British Columbia, Canada"),
        ("Boston 02139", "Boston, Massachusetts, United States"),
        ("10115 Berlin", "Berlin, Germany"),
        ("Salt Lake City", "Salt Lake City, Utah, United States"),
    ],
)
def test_regions_are_understood_as_people_write_them(text: str, label: str) -> None:
    assert find_place(text).name == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("98101", "Seattle, Washington, United States (postal code 98101)"),
        ("98101-2345", "Seattle, Washington, United States (postal code 98101)"),
        ("WA 98101", "Seattle, Washington, United States (postal code 98101)"),
        ("Washington 98101", "Seattle, Washington, United States (postal code 98101)"),
        ("98101 USA", "Seattle, Washington, United States (postal code 98101)"),
        ("CA 94305", "Stanford, California, United States (postal code 94305)"),
        ("New York 10001", "New York, United States (postal code 10001)"),
        ("75001 Paris", "Paris, France"),
        ("London SW1A 1AA", "London, United Kingdom"),
        ("Luxembourg 1234", "Luxembourg, Luxembourg"),
    ],
)
def test_postal_codes_of_the_united_states_are_places(text: str, label: str) -> None:
    assert find_place(text).name.replace("New York, New York", "New York") == label


@pytest.mark.parametrize(
    "text", ["K1A 0B6", "SW1A 1AA", "SW1A 1AA, UK", "75001, France", "DE 10115", "WA 10115", "1010"]
)
def test_a_postal_code_that_is_not_known_is_refused_by_name(text: str) -> None:
    """And never taken for a city that is called as a state is: Wa is in Ghana."""
    code = re.sub(r"(?:DE|WA) |, .*", "", text)
    with pytest.raises(
        QueryError, match=f'"{code}" is a postal code, and none are known but those of the United States'
    ):
        find_place(text)


@pytest.mark.parametrize("text", ["02139", "WA 98101", "98101-2345"])
def test_without_the_package_the_refusal_names_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zipcodes", None)
    with pytest.raises(QueryError, match="is a postal code, and none are known") as caught:
        find_place(text)
    assert caught.value.hint
    assert 'Name the city: --near "Boston, Massachusetts"' in caught.value.hint
    assert 'pip install "trialindex[postal]"' in caught.value.hint


def test_the_regions_of_the_table_are_those_of_the_gazetteer() -> None:
    assert {code for code, _, _ in regions.rows()} | {"US"} == set(regions.COUNTRIES)
    assert gazetteer.regions("US")["dc"] == "DC"

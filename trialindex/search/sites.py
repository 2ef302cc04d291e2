"""Where the sites of trials are, and which is the nearest one that can be joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trialindex.plugin.trial_page import Location, Precision
from trialindex.search.places import Place, in_region, read_city
from trialindex.storage.gazetteer import City, cities_called, regions
from trialindex.trial import Site
from trialindex.trial.countries import country_code, place_key
from trialindex.trial.regions import COUNTRIES
from trialindex.trial.statuses import access

DOMINANCE = 10
"""Of several cities that an address may mean one is taken only if it has this many times the people of the next."""


class Address(NamedTuple):
    """What a site without a position states of where it is."""

    city: str | None
    state: str | None
    country: str | None


class Position(NamedTuple):
    """WGS 84 degrees, and what lies there: the site itself, or only its city."""

    latitude: float
    longitude: float
    precision: Precision


@dataclass(frozen=True)
class NearestSites:
    """The sites of one trial as somebody at a place sees them.

    :param joinable: the nearest one that takes people, may later, or does not say.
    :param closed: the nearest one that does not take people, if it is nearer or none does.
    :param unplaced: how many sites cannot be placed.
    """

    joinable: Location | None = None
    closed: Location | None = None
    unplaced: int = 0


def locate_cities(addresses: Iterable[Address]) -> dict[Address, City]:
    """The city of each address that names one beyond doubt; of the others nothing is said.

    Cities are those of GeoNames with 15,000 people or more.
    """
    readings = {address: list(read_city(address.city)) for address in set(addresses) if address.city}
    called = cities_called(name for several in readings.values() for name, _ in several)
    found = {}
    for address, several in readings.items():
        for name, wanted in several:
            main, other = called.get(place_key(name), ([], []))
            if city := _only(main, address, wanted) or _only(other, address, wanted):
                found[address] = city
                break
    return found


def _only(cities: Sequence[City], address: Address, wanted: Sequence[str]) -> City | None:
    """The city that fits the address; of several the one that is much larger than the others."""
    code = country_code(address.country) if address.country else None
    if address.country and code is None:
        return None
    fitting = sorted(
        (
            city
            for city in cities
            if code in (None, city.country)
            and all(in_region(city, region) for region in wanted)
            and (not _knows_region(city, address.state) or in_region(city, address.state or ""))
        ),
        key=lambda city: -city.population,
    )
    clear = len(fitting) == 1 or (fitting and fitting[0].population >= DOMINANCE * fitting[1].population)
    return fitting[0] if clear else None


def _knows_region(city: City, state: str | None) -> bool:
    """Whether *state* is one that can be compared: in most countries the gazetteer knows none."""
    return bool(state) and city.country in COUNTRIES and place_key(state or "") in regions(city.country)


def unplaced_addresses(sites: Iterable[Site]) -> list[Address]:
    """The addresses of the sites that state no position."""
    return [_address(site) for site in sites if site.latitude is None or site.longitude is None]


def _address(site: Site) -> Address:
    return Address(site.city, site.state, site.country)


def position(site: Site, cities: Mapping[Address, City]) -> Position | None:
    """Where the site is: where its registry says, else in its city.

    :param cities: what :func:`locate_cities` knows of the addresses of sites without a position.
    """
    if site.latitude is not None and site.longitude is not None:
        return Position(site.latitude, site.longitude, "site")
    city = cities.get(_address(site))
    return Position(city.latitude, city.longitude, "city") if city else None


def locate(site: Site, place: Place | None, cities: Mapping[Address, City]) -> Location:
    """The site with its distance from *place*, to 100 metres: registries give positions no better than that."""
    found = position(site, cities) if place else None
    if place is None or found is None:
        return Location(site)
    return Location(site, round(float(place.distance_km(found.latitude, found.longitude)), 1), found.precision)


def nearest_sites(sites: Sequence[Site], place: Place, cities: Mapping[Address, City]) -> NearestSites:
    """The nearest sites of a trial, see :class:`NearestSites`."""
    located = [locate(site, place, cities) for site in sites]
    placed = sorted((one for one in located if one.distance_km is not None), key=_distance)
    joinable = next((one for one in placed if access(one.site.status) != "closed"), None)
    closed = next((one for one in placed if access(one.site.status) == "closed"), None)
    if joinable and closed and _distance(joinable) <= _distance(closed):
        closed = None
    return NearestSites(joinable, closed, len(located) - len(placed))


def sites_in(sites: Sequence[Site], countries: Sequence[str]) -> NearestSites:
    """The first site in any of the countries that can be joined, or the first closed one where none can."""
    codes = {country_code(country) or country.casefold() for country in countries}
    there = [
        site for site in sites if site.country and (country_code(site.country) or site.country.casefold()) in codes
    ]
    for site in there:
        if access(site.status) != "closed":
            return NearestSites(joinable=Location(site))
    return NearestSites(closed=Location(there[0])) if there else NearestSites()


def _code(country: str) -> str:
    return country_code(country) or country.casefold()


def _distance(location: Location) -> float:
    assert location.distance_km is not None
    return location.distance_km

"""Places: city names and coordinates, without asking anybody on the network."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from trialindex.errors import QueryError
from trialindex.search import postal
from trialindex.storage.gazetteer import City, cities_called, main_names, region_names, regions
from trialindex.trial.countries import country_code, place_key
from trialindex.trial.parse_values import quote_input
from trialindex.trial.regions import COUNTRIES

EARTH_RADIUS_KM = 6371.0088
KM_PER_MILE = 1.609344
_COORDINATES = re.compile(r"^\s*([+-]?\d+(?:\.\d+)?)\s*[,; ]\s*([+-]?\d+(?:\.\d+)?)\s*$")
_HOME = re.compile(
    r"\b(?:liv(?:e|es|ing)|based|reside[sd]?|residing)\s+(?:in|near|outside|around)\s+"
    r"(?P<place>[A-ZÀ-Þ][\w'’.-]*(?:[ -][A-ZÀ-Þ][\w'’.-]*){0,3}(?:,\s*[A-ZÀ-Þ][\w'’.]*(?: [A-ZÀ-Þ][\w'’.]*)?)?)"
)
_HOMES = 3
"""Places that are looked up before it is given up."""
_DISTANCE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(km|kilomet(?:er|re)s?|mi|miles?)?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A position, WGS 84 degrees, and what to call it."""

    name: str
    latitude: float
    longitude: float

    def distance_km(self, latitude: Any, longitude: Any) -> Any:
        """Great-circle distance in kilometres (haversine), of numbers or of arrays of degrees."""
        import numpy as np

        lat1, lat2 = math.radians(self.latitude), np.radians(latitude)
        half = np.sin((lat2 - lat1) / 2) ** 2
        half = half + math.cos(lat1) * np.cos(lat2) * np.sin(np.radians(longitude - self.longitude) / 2) ** 2
        return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))


def parse_distance(text: str) -> float:
    """``100km``, ``60 miles`` or ``100`` (kilometres) in kilometres.

    :raises QueryError: it is no distance.
    """
    match = _DISTANCE.match(text)
    if match is None:
        raise QueryError(f'"{quote_input(text)}" is not a distance.', hint='Write it like "100km" or "60 miles".')
    unit = (match[2] or "km").lower()
    return float(match[1]) * (KM_PER_MILE if unit.startswith("mi") else 1.0)


def find_place(text: str) -> Place:
    """The place called *text*: ``Lyon``, ``Lyon, France``, ``Portland, Oregon``, ``London ON``, or ``45.76,4.84``.

    Of several cities with the name the largest is taken, and the place's name says which one that is. Cities come
    from GeoNames (15,000 inhabitants and more).

    :raises QueryError: no such place is known.
    """
    if match := _COORDINATES.match(text):
        latitude, longitude = float(match[1]), float(match[2])
        if abs(latitude) > 90 or abs(longitude) > 180:
            raise QueryError(
                f'"{quote_input(text)}" is not a position.', hint="Write latitude, then longitude: --near 45.76,4.84"
            )
        return Place(f"{latitude:g}, {longitude:g}", latitude, longitude)
    code, region = "", ""
    if match := postal.CODE.search(text):
        code, text = match[0], postal.CODE.sub(" ", text)
        region = text.strip(" ,")
        if not region or names_region(region):
            area = postal.find_area(code)
            if area and (
                not region or country_code(region) == "US" or regions("US").get(place_key(region)) == area.state
            ):
                return Place(area.name, area.latitude, area.longitude)
        if not region:
            why, hint = postal.refusal(code)
            raise QueryError(why, hint=hint)
    readings = list(read_city(text))
    if code and names_region(region):  # "WA 98101" is no city of Ghana; "New York 10001" is a city of its state
        readings = [(name, [*wanted, region]) for name, wanted in readings]
    called = cities_called(name for name, _ in readings)
    for name, wanted in readings:
        for candidates in called.get(place_key(name), ()):
            matching = [city for city in candidates if all(in_region(city, region) for region in wanted)]
            if matching:
                city = max(matching, key=_population)
                return Place(city_label(city), city.latitude, city.longitude)
    if code and names_region(region):
        why, hint = postal.refusal(code)
        raise QueryError(why, hint=hint)
    name, wanted = readings[0]
    main, other = called.get(place_key(name), ([], []))
    raise QueryError(f'no place called "{quote_input(text)}" is known.', hint=_advice(name, wanted, main or other))


def read_city(text: str) -> Iterator[tuple[str, list[str]]]:
    """Names of a city, and of the regions and countries that it lies in, as *text* may mean them."""
    name, *regions = [part.strip() for part in text.split(",") if part.strip()] or [""]
    yield name, regions
    words = name.split()
    for size in (1, 2, 3):  # Portland OR, Perth Western Australia
        if len(words) > size:
            yield " ".join(words[:-size]), [" ".join(words[-size:]), *regions]


def names_region(text: str) -> bool:
    """Whether this is the name or the code of a country, or of a state or province."""
    key = place_key(text)
    return country_code(text) is not None or any(
        name in regions(country) for country in COUNTRIES for name in (key, key.replace(" ", ""))
    )


def _population(city: City) -> int:
    return city.population


def _advice(name: str, regions: list[str], found: Sequence[City]) -> str:
    import difflib

    if found and regions:
        return f"There is {'; '.join(city_label(city) for city in sorted(found, key=_population, reverse=True)[:3])}."
    close = difflib.get_close_matches(place_key(name), main_names(), n=1, cutoff=0.8)
    guess = f'Did you mean "{city_label(max(cities_called(close)[close[0]][0], key=_population))}"? ' if close else ""
    return f"{guess}Name a city of 15,000 people or more, or give coordinates: --near 45.76,4.84"


def in_region(city: City, region: str) -> bool:
    """Whether the city lies in the region or country of that name or code."""
    key = place_key(region)
    if city.admin1 in (code for name in (key, key.replace(" ", "")) if (code := regions(city.country).get(name))):
        return True  # D.C. is DC
    return country_code(region) == city.country


def city_label(city: City) -> str:
    country = region_names("country").get(city.country, city.country)
    region = region_names(city.country).get(city.admin1)
    return ", ".join(filter(None, (city.name, region, country)))


def read_home(text: str) -> Place | None:
    """Where *text* says that the patient lives, if that is a place the gazetteer knows: *I live near Lyon, France*."""
    for found in islice(_HOME.finditer(text), _HOMES):  # looking for one that is not there takes a while
        name = found["place"].rstrip(".")
        while name:
            try:
                return find_place(name)
            except QueryError:
                name = name.rpartition(",")[0]
    return None

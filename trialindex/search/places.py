"""Places: city names and coordinates, without asking anybody on the network."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trialindex.errors import QueryError
from trialindex.search.gazetteer import City, cities_called, main_names, place_key, region_names, regions
from trialindex.trial.parse_values import short

EARTH_RADIUS_KM = 6371.0088
KM_PER_MILE = 1.609344
_COORDINATES = re.compile(r"^\s*([+-]?\d+(?:\.\d+)?)\s*[,; ]\s*([+-]?\d+(?:\.\d+)?)\s*$")
_DISTANCE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(km|kilomet(?:er|re)s?|mi|miles?)?\s*$", re.IGNORECASE)


_OTHER_NAMES = {
    "america": "US",
    "bahamas": "BS",
    "bolivia plurinational state of": "BO",
    "brunei darussalam": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "china people s republic of": "CN",
    "congo": "CG",
    "congo the democratic republic of the": "CD",
    "cote d ivoire": "CI",
    "czech republic": "CZ",
    "east timor": "TL",
    "england": "GB",
    "falkland islands malvinas": "FK",
    "federated states of micronesia": "FM",
    "great britain": "GB",
    "holland": "NL",
    "holy see": "VA",
    "holy see vatican city state": "VA",
    "iran islamic republic of": "IR",
    "korea": "KR",
    "korea democratic people s republic of": "KP",
    "korea republic of": "KR",
    "lao people s democratic republic": "LA",
    "libyan arab jamahiriya": "LY",
    "macau": "MO",
    "macedonia": "MK",
    "macedonia the former yugoslav republic of": "MK",
    "micronesia federated states of": "FM",
    "moldova republic of": "MD",
    "northern ireland": "GB",
    "palestine": "PS",
    "palestine state of": "PS",
    "palestinian territories occupied": "PS",
    "palestinian territory occupied": "PS",
    "people s republic of china": "CN",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "republic of moldova": "MD",
    "russian federation": "RU",
    "saint martin": "MF",
    "scotland": "GB",
    "swaziland": "SZ",
    "syrian arab republic": "SY",
    "taiwan province of china": "TW",
    "tanzania united republic of": "TZ",
    "the bahamas": "BS",
    "the gambia": "GM",
    "the netherlands": "NL",
    "turkiye": "TR",
    "u k": "GB",
    "u s": "US",
    "u s a": "US",
    "uk": "GB",
    "united republic of tanzania": "TZ",
    "united states of america": "US",
    "venezuela bolivarian republic of": "VE",
    "viet nam": "VN",
    "virgin islands u s": "VI",
    "wales": "GB",
}
"""Names of countries that registries and people use and GeoNames does not, by their keys."""


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
        raise QueryError(f'"{short(text)}" is not a distance.', hint='Write it like "100km" or "60 miles".')
    unit = (match[2] or "km").lower()
    return float(match[1]) * (KM_PER_MILE if unit.startswith("mi") else 1.0)


def find_place(text: str) -> Place:
    """The place called *text*: ``Lyon``, ``Lyon, France``, ``Portland, Oregon``, or ``45.76,4.84``.

    Of several cities with the name the largest is taken, and the place's name says which one that is. Cities come
    from GeoNames (15,000 inhabitants and more).

    :raises QueryError: no such place is known.
    """
    if match := _COORDINATES.match(text):
        latitude, longitude = float(match[1]), float(match[2])
        if abs(latitude) > 90 or abs(longitude) > 180:
            raise QueryError(
                f'"{short(text)}" is not a position.', hint="Write latitude, then longitude: --near 45.76,4.84"
            )
        return Place(f"{latitude:g}, {longitude:g}", latitude, longitude)
    name, *wanted = [part.strip() for part in text.split(",") if part.strip()] or [""]
    found = cities_called(name)
    for candidates in found:
        matching = [city for city in candidates if all(_in_region(city, region) for region in wanted)]
        if matching:
            city = max(matching, key=_population)
            return Place(_label(city), city.latitude, city.longitude)
    raise QueryError(f'no place called "{short(text)}" is known.', hint=_advice(name, wanted, found[0] or found[1]))


def _population(city: City) -> int:
    return city.population


def _advice(name: str, regions: list[str], found: Sequence[City]) -> str:
    import difflib

    if found and regions:
        return f"There is {'; '.join(_label(city) for city in sorted(found, key=_population, reverse=True)[:3])}."
    close = difflib.get_close_matches(place_key(name), main_names(), n=1, cutoff=0.8)
    guess = f'Did you mean "{_label(max(cities_called(close[0])[0], key=_population))}"? ' if close else ""
    return f"{guess}Name a city of 15,000 people or more, or give coordinates: --near 45.76,4.84"


def country_code(name: str) -> str | None:
    """The ISO 3166 code of a country: ``UK``, ``United Kingdom`` → ``GB``; ``Korea, Republic of`` → ``KR``."""
    for written in (re.sub(r"[()]", " ", name), re.sub(r"\(.*?\)", " ", name)):
        key = place_key(written)
        if code := regions("country").get(key) or _OTHER_NAMES.get(key):
            return code
    return None


def _in_region(city: City, region: str) -> bool:
    key = place_key(region)
    if city.country == "US" and regions("state").get(key) == city.admin1:
        return True
    return (regions("country").get(key) or _OTHER_NAMES.get(key)) == city.country


def _label(city: City) -> str:
    country = region_names("country").get(city.country, city.country)
    if city.country == "US":
        return f"{city.name}, {region_names('state').get(city.admin1, city.admin1)}, {country}"
    return f"{city.name}, {country}"

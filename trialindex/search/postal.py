"""Postal codes of the United States, by the package ``zipcodes`` if it is installed; it asks nobody on the network."""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.storage.gazetteer import region_names

CODE = re.compile(
    r"\b(?:[0-9]{4,6}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])\b"
)
"""A postal code of most countries, of the United Kingdom, and of Canada."""
_OF_THE_US = re.compile(r"([0-9]{5})(?:-[0-9]{4})?")


class Area(NamedTuple):
    """Where a postal code is used: a name for it, the code of its state, and a position in WGS 84 degrees."""

    name: str
    state: str
    latitude: float
    longitude: float


def find_area(code: str) -> Area | None:
    """Where the postal code is used; ``None`` if it is none of the United States, or the package is not there."""
    match = _OF_THE_US.fullmatch(code.strip())
    if match is None or not is_installed():
        return None
    import zipcodes

    found = zipcodes.matching(match[1])
    if not found or not float(found[0]["lat"] or 0):
        return None
    one = found[0]
    state = region_names("US").get(one["state"], one["state"])
    name = f"{one['city']}, {state}, United States (postal code {match[1]})"
    return Area(name, one["state"], float(one["lat"]), float(one["long"]))


def is_installed() -> bool:
    """Whether the package is there."""
    try:
        import zipcodes  # noqa: F401
    except ImportError:
        return False
    return True


def refusal(code: str) -> tuple[str, str]:
    """Why a postal code says nothing here, and what to type next."""
    way_out = 'Name the city: --near "Boston, Massachusetts"; or give coordinates: --near 45.76,4.84'
    if is_installed() or _OF_THE_US.fullmatch(code) is None:
        return f'"{code}" is a postal code, and none are known but those of the United States.', way_out
    return (
        f'"{code}" is a postal code, and none are known.',
        f'{way_out}. For those of the United States: pip install "trialindex[postal]"',
    )

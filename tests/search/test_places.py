"""Filters and places: each alone and all together, against the same rules in plain Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.helpers import ListSource, ids, trial
from trialindex.errors import QueryError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.search.filters import FILTERS, Filters, FilterWords
from trialindex.search.place_reading import read_places
from trialindex.search.places import Place, find_place, parse_distance
from trialindex.storage import gazetteer
from trialindex.trial import PHASES, STATUSES, STUDY_TYPES, Site, Term, Trial, TrialDate

LYON, AUCKLAND = (45.75, 4.85), (-36.85, 174.76)
KOREA = ("South Korea", "Korea, Republic of")
COUNTRIES = ("France", *KOREA, "United States", "Turkey (Türkiye)", None)
CONDITIONS = ("Lupus Nephritis", "Systemic lupus", "Sjögren's Syndrome", "100% sure_thing", "Asthma", "Nephritis\\x")
DATES = ("2024-05-17", "2024-05-01", "2024-05", "2024-06", "2024", "2023-12-31", "2025", None)


def chance_trials(count: int = 250) -> list[Trial]:
    rng = random.Random(11)

    def site() -> Site:
        place = rng.choice([LYON, LYON, AUCKLAND, None])
        return Site(
            country=rng.choice(COUNTRIES),
            latitude=None if place is None else place[0] + rng.uniform(-3, 3),
            longitude=None if place is None else place[1] + rng.uniform(-3, 3),
        )

    def one(n: int) -> Trial:
        date = rng.choice(DATES)
        low, high = sorted(rng.choice([0.0, 0.5, 6.0, 18.0, 40.0, 65.0, 120.0]) for _ in range(2))
        return trial(
            n,
            title="Illness",
            status=rng.choice([None, *STATUSES[:5]]),
            phases=tuple(rng.sample(PHASES, rng.randrange(3))),
            study_type=rng.choice([None, *STUDY_TYPES]),
            sex=rng.choice([None, "ALL", "FEMALE", "MALE"]),
            minimum_age=rng.choice([None, low]),
            maximum_age=rng.choice([None, high]),
            sites=tuple(site() for _ in range(rng.randrange(4))),
            conditions=tuple(rng.sample(CONDITIONS, rng.randrange(3))),
            normalized_conditions=(Term(name="Lupus Nephritis"),) if rng.random() < 0.2 else (),
            last_updated=TrialDate(date=date) if date else None,
        )

    return [one(n) for n in range(count)]


TRIALS = chance_trials()


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    (lat1, lon1), (lat2, lon2) = [tuple(math.radians(x) for x in point) for point in (a, b)]
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(h))


def _near(point: tuple[float, float], km: float) -> Callable[[Trial], bool]:
    return lambda t: any(
        s.latitude is not None and s.longitude is not None and haversine(point, (s.latitude, s.longitude)) <= km
        for s in t.sites
    )


def _plain(text: str) -> str:
    return text.lower().replace("ö", "o")


def _condition(words: str) -> Callable[[Trial], bool]:
    return lambda t: any(
        all(_plain(word) in _plain(name) for word in words.split())
        for name in (*t.conditions, *(term.name for term in t.normalized_conditions))
    )


def _since(day: str) -> Callable[[Trial], bool]:
    """May the last update be on the day or later, as far as the trial says?"""
    return lambda t: t.last_updated is not None and t.last_updated.date >= day[: len(t.last_updated.date)]


def _age(age: float) -> Callable[[Trial], bool]:
    def takes(t: Trial) -> bool:
        upper = t.maximum_age is None or age <= t.maximum_age or (age >= 3 and t.maximum_age == math.floor(age))
        return upper and (t.minimum_age is None or t.minimum_age <= age)

    return takes


CASES: list[tuple[dict[str, Any], Callable[[Trial], bool]]] = [
    ({"status": "recruiting"}, lambda t: t.status == "RECRUITING"),
    ({"status": ["Recruiting", "NOT_YET_RECRUITING"]}, lambda t: t.status in ("RECRUITING", "NOT_YET_RECRUITING")),
    ({"phase": "2"}, lambda t: "PHASE2" in t.phases),
    ({"phase": "1/2"}, lambda t: bool({"PHASE1", "PHASE2"} & set(t.phases))),
    ({"phase": ["early phase 1", "n/a"]}, lambda t: bool({"EARLY_PHASE1", "NA"} & set(t.phases))),
    ({"study_type": "observational"}, lambda t: t.study_type == "OBSERVATIONAL"),
    ({"sex": "female"}, lambda t: t.sex in (None, "ALL", "FEMALE")),
    ({"sex": "men"}, lambda t: t.sex in (None, "ALL", "MALE")),
    ({"sex": "all"}, lambda t: True),
    ({"age": 34}, _age(34)),
    ({"age": "6 months"}, _age(0.5)),
    ({"age": 0}, _age(0)),
    ({"age": 65.0}, _age(65)),
    ({"age": 65.5}, _age(65.5)),
    ({"country": "france"}, lambda t: "France" in t.countries),
    ({"country": "Korea"}, lambda t: bool(set(KOREA) & set(t.countries))),
    ({"country": "Republic of Korea"}, lambda t: bool(set(KOREA) & set(t.countries))),
    ({"country": "KR"}, lambda t: bool(set(KOREA) & set(t.countries))),
    ({"country": ["USA", "Turkey"]}, lambda t: bool({"United States", "Turkey (Türkiye)"} & set(t.countries))),
    ({"country": "Türkiye"}, lambda t: "Turkey (Türkiye)" in t.countries),
    ({"near": "45.75,4.85", "within": "100km"}, _near(LYON, 100)),
    ({"near": "45.75,4.85", "within": "60 miles"}, _near(LYON, 60 * 1.609344)),
    ({"near": "-36.85, 174.76", "within": 300}, _near(AUCKLAND, 300)),
    ({"near": "45.75,4.85", "within": "20000km"}, _near(LYON, 20000)),
    ({"near": "45.75,4.85"}, lambda t: True),
    ({"condition": "lupus"}, _condition("lupus")),
    ({"condition": "nephritis LUPUS"}, _condition("nephritis LUPUS")),
    ({"condition": ["lupus", "asthma"]}, lambda t: _condition("lupus")(t) and _condition("asthma")(t)),
    ({"condition": "sjogren"}, _condition("sjogren")),
    ({"condition": "SJÖGREN'S"}, _condition("sjogren's")),
    ({"condition": "100%"}, _condition("100%")),
    ({"condition": "%"}, _condition("%")),
    ({"condition": "_"}, _condition("_")),
    ({"condition": "e_t"}, _condition("e_t")),
    ({"condition": "\\"}, _condition("\\")),
    ({"condition": "' OR 1=1 --"}, lambda t: False),
    ({"source": "LIST"}, lambda t: True),
    ({"updated_since": "2024-05-17"}, _since("2024-05-17")),
    ({"updated_since": "2024-05"}, _since("2024-05")),
    ({"updated_since": "2024"}, _since("2024")),
    ({"updated_since": "2024-06-01"}, _since("2024-06-01")),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {}


@pytest.fixture
def chance(registered: Plugins, made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not made:
        made["index"] = tmp_path_factory.mktemp("chance") / "index"
        with Index.create(made["index"], encoder="counting", store="faiss") as index:
            index.ingest(ListSource(*TRIALS))
    with Index.open(made["index"]) as index:
        yield index


@pytest.mark.parametrize(("filters", "passes"), CASES, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_each_filter_is_what_plain_python_says(
    chance: Index, filters: dict[str, Any], passes: Callable[[Trial], bool]
) -> None:
    assert ids(chance.trials(Filters.parse(**filters))) == [t.id for t in TRIALS if passes(t)]


def test_filters_together_are_each_of_them(chance: Index) -> None:
    rng = random.Random(5)
    useful = 0
    for _ in range(60):
        chosen = rng.sample(CASES, rng.randrange(2, 5))
        filters: dict[str, Any] = {}
        rules = []
        for given, passes in chosen:
            if not filters.keys() & given.keys():
                filters |= given
                rules.append(passes)
        expected = {t.id for t in TRIALS if all(passes(t) for passes in rules)}
        answer = chance.query("illness", limit=300, **filters)
        assert {h.trial.id for h in answer.hits} == expected, filters
        assert answer.searched == len(expected)
        useful += 0 < len(expected) < len(TRIALS)
    assert useful > 20


def test_filters_are_said_in_words() -> None:
    filters = Filters.parse(
        status=["recruiting", "completed"], phase="2", sex="f", age=0.5, near="45.75,4.85", within="60 mi", country="KR"
    )
    assert filters.words() == {
        "status": "recruiting or completed",
        "phase": "phase 2",
        "sex": "female only",
        "age": "6 months",
        "distance": "within 96.5606 km of 45.75, 4.85",
        "country": "KR",
    }
    assert not Filters()
    assert not Filters.parse(near="Lyon")


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"status": "recuiting"}, 'Did you mean "RECRUITING"'),
        ({"phase": "9"}, "Allowed: NA"),
        ({"study_type": "x"}, "Allowed: INTERVENTIONAL"),
        ({"sex": "x"}, "Allowed: ALL, FEMALE, MALE"),
        ({"age": "abc"}, "is not an age"),
        ({"age": "n/a"}, "is not an age"),
        ({"age": ""}, "is not an age"),
        ({"age": -1}, "is not an age"),
        ({"age": 151}, "above 150"),
        ({"age": float("nan")}, "is not an age"),
        ({"country": "Frence"}, 'Did you mean "France"'),
        ({"country": ""}, "a filter is empty"),
        ({"condition": ["lupus", " "]}, "a filter is empty"),
        ({"country": "Iceland"}, "no trial in this index"),
        ({"source": "lisst"}, 'Did you mean "list"'),
        ({"updated_since": "yesterday"}, "is not a date"),
        ({"updated_since": "2024-02-31"}, "is not a date"),
        ({"near": "Lyonn", "within": "5km"}, 'Did you mean "Lyon, France"'),
        ({"near": "91,4", "within": "5km"}, "is not a position"),
        ({"near": "", "within": "5km"}, "no place"),
        ({"near": "Lyon", "within": "five"}, "is not a distance"),
        ({"near": "Lyon", "within": -5}, "is not a distance"),
        ({"within": "5km"}, "needs a place"),
    ],
)
def test_a_value_that_is_not_understood_is_refused_in_one_line(
    chance: Index, filters: dict[str, Any], says: str
) -> None:
    with pytest.raises(QueryError) as raised:
        chance.query("illness", **filters)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_nearest_site_is_the_nearest(chance: Index) -> None:
    answer = chance.query("illness", near="45.75,4.85", limit=300)
    assert "Distances are from 45.75, 4.85." in answer.notes
    for hit in answer.hits:
        placed = [s for s in hit.trial.sites if s.latitude is not None]
        if not placed:
            assert (hit.distance_km, hit.nearest_site) == (None, None)
            continue
        best = min(placed, key=lambda s: haversine(LYON, (s.latitude or 0, s.longitude or 0)))
        assert hit.nearest_site == best
        assert hit.distance_km == pytest.approx(haversine(LYON, (best.latitude or 0, best.longitude or 0)), abs=0.06)


@pytest.mark.parametrize(
    ("place", "other", "km"),
    [
        ((0, 179.9), (0, -179.9), 22.24),
        ((89.9, 0), (89.9, 180), 22.24),
        ((0, 0), (0, 180), 20015.1),
        ((48.8566, 2.3522), (45.764, 4.8357), 391.5),
        ((10, 10), (10, 10), 0),
    ],
)
def test_distances_are_right_over_the_date_line_and_the_poles(
    place: tuple[float, float], other: tuple[float, float], km: float
) -> None:
    assert float(Place("here", *place).distance_km(*other)) == pytest.approx(km, abs=0.1)


def test_sites_over_the_date_line_and_beyond_the_pole_are_near(new_index: Index) -> None:
    new_index.ingest(
        ListSource(
            trial(1, sites=(Site(latitude=-17.0, longitude=-179.9),)),
            trial(2, sites=(Site(latitude=89.9, longitude=180.0),)),
            trial(3, sites=(Site(latitude=10.0),)),
        )
    )
    assert ids(new_index.query("trial", near="-17,179.9", within="30km")) == ["T-1"]
    assert ids(new_index.query("trial", near="89.9,0", within="30km")) == ["T-2"]


@pytest.mark.parametrize(
    ("text", "label", "latitude"),
    [
        ("Lyon", "Lyon, France", 45.7),
        ("lyon, france", "Lyon, France", 45.7),
        ("Lyon,FR", "Lyon, France", 45.7),
        ("Zurich", "Zürich, Switzerland", 47.4),
        ("ZÜRICH", "Zürich, Switzerland", 47.4),
        ("Munich", "Munich, Germany", 48.1),
        ("München", "Munich, Germany", 48.1),
        ("Portland, Oregon", "Portland, Oregon, United States", 45.5),
        ("Portland, ME", "Portland, Maine, United States", 43.7),
        ("Paris", "Paris, France", 48.9),
        ("Paris, TX", "Paris, Texas, United States", 33.7),
        ("London", "London, United Kingdom", 51.5),
        ("London, UK", "London, United Kingdom", 51.5),
        ("London, England", "London, United Kingdom", 51.5),
        ("London, Canada", "London, Ontario, Canada", 43.0),
        ("Seoul, Korea", "Seoul, South Korea", 37.6),
        ("Guangzhou", "Guangzhou, China", 23.1),
        ("Boston", "Boston, Massachusetts, United States", 42.4),
        ("Boston, USA", "Boston, Massachusetts, United States", 42.4),
        ("Saint-Denis, Réunion", "Saint-Denis, Reunion", -20.9),
        ("45.76,4.84", "45.76, 4.84", 45.76),
        (" -33.9 ; 151.2 ", "-33.9, 151.2", -33.9),
        ("+45.76 4.84", "45.76, 4.84", 45.76),
    ],
)
def test_places_are_found(text: str, label: str, latitude: float) -> None:
    place = find_place(text)
    assert place.name == label
    assert place.latitude == pytest.approx(latitude, abs=0.1)


@pytest.mark.parametrize("text", ["", ",", "  ", "Xanadu Xyz", "Lyon, Germany", "91,0", "0,181", "France", "45.76,"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        find_place(text)


def test_a_place_in_another_country_is_said() -> None:
    with pytest.raises(QueryError, match="There is Lyon, France"):
        find_place("Lyon, Germany")


@pytest.mark.parametrize(
    ("text", "km"),
    [
        ("100km", 100),
        ("100", 100),
        (" 2.5 KM ", 2.5),
        ("10 kilometres", 10),
        ("60mi", 96.56),
        ("1 mile", 1.609),
        ("0", 0),
    ],
)
def test_distances_are_read(text: str, km: float) -> None:
    assert parse_distance(text) == pytest.approx(km, abs=0.01)


@pytest.mark.parametrize("text", ["", "km", "-5km", "5 parsecs", "1e3", "5,5km"])
def test_what_is_no_distance_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="is not a distance"):
        parse_distance(text)


def test_the_gazetteer_is_compiled_once_and_made_again_when_it_is_damaged(
    own_paths: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from platformdirs import user_cache_path

    gazetteer._compiled.cache_clear()
    assert find_place("Lyon, France").name == "Lyon, France"
    [compiled] = (user_cache_path("trialindex") / "places").iterdir()
    compiled.write_bytes(b"not a database")
    gazetteer._compiled.cache_clear()
    assert find_place("Lyon, France").name == "Lyon, France"
    assert compiled.stat().st_size > 1_000_000
    gazetteer._compiled.cache_clear()
    monkeypatch.setattr(gazetteer, "_in_memory", lambda: pytest.fail("what was compiled is there"))
    assert find_place("Portland, OR").name == "Portland, Oregon, United States"
    gazetteer._compiled.cache_clear()


def test_without_a_cache_folder_places_are_found_all_the_same(own_paths: Path) -> None:
    (own_paths / "cache").write_text("a file where a folder should be", encoding="utf-8")
    gazetteer._compiled.cache_clear()
    assert find_place("Lyon, France").name == "Lyon, France"
    gazetteer._compiled.cache_clear()


def test_the_keywords_of_filters_are_their_fields() -> None:
    assert tuple(FilterWords.__annotations__) == tuple(FILTERS)


@pytest.mark.parametrize(
    "text", ["a tremor at rest", "pain in pecs and arms", "please add in add a note", "sick of soul"]
)
def test_words_in_small_letters_are_no_places(text: str) -> None:
    assert read_places(text) == []

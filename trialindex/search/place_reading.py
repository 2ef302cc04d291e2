"""The place that a question asks for: *trials in Boston*, *near Lyon, France*, *lupus, Houston TX*, *WA 98101*.

Many words are also names of cities: *reading*, *mobile*, *turkey*. So a name counts only where the words around it, its
capital, its region or its size make it one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from trialindex.errors import QueryError
from trialindex.search.places import Place, city_label, find_place, in_region, read_city
from trialindex.storage.gazetteer import City, cities_called, region_names, regions
from trialindex.trial.countries import place_key
from trialindex.trial.regions import COUNTRIES

_LONGEST = 4
"""Words of a place with its region."""
_SIZE = {"near": 15_000, "near, in small letters": 100_000, "in": 15_000, "in, in small letters": 100_000, "": 300_000}
"""People of the smallest city that is understood without its region, by the word before it."""
_OTHER_NAME = 500_000
"""People of the smallest city that is understood by another name than its main one: *New York*, *Bombay*."""
_OTHER_NAME_IN_SMALL_LETTERS = 2_000_000
"""The same where the name has no capital, since another name may be a word: Rasht is also *Rest*."""
_BIG_AS_ITS_REGION = 500_000
"""People of the smallest city that is meant by a name that a state or province has too: *New York*, *Washington*."""

_DISTANCE = r"(?P<within>\d{1,4}(?:\.\d+)?\s?(?:km|kilomet(?:er|re)s?|mi|miles?))"
_NEAR = re.compile(
    rf"\b(?:(?:with)?in\s+{_DISTANCE}\s+(?:of|from|around)|near(?:by|est\s+to)?|close\s+to|around|outside(?:\s+of)?"
    r"|(?:i\s+am|i['’]m|we\s+are|we['’]re)\s+(?:from|in|near)"
    r"|(?:(?:i|we|he|she|they|who)\s+)?(?:liv(?:e|es|ing)|based|located|resid(?:e|es|ing))\s+(?:in|near|around|outside))\s+"
    r"(?:the\s+)?",
    re.IGNORECASE,
)
_IN = re.compile(r"\b(?:in|at)\s+(?:the\s+)?", re.IGNORECASE)
_WORD = re.compile(r"(?:St\.|[^\W\d_](?:[^\W\d_]|['’.-](?=[^\W\d_]))*)\.?")
_ZIP = re.compile(
    r"\b(?:(?:(?:near|in|around|zip|zip\s?code|postal\s?code)\s+)+(?P<alone>\d{5})|(?P<state>[A-Z]{2}),?\s+(?P<with_state>\d{5}))"
    r"(?:-\d{4})?\b",
)

_OTHER_COUNTRIES = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "us": "US", "america": "US",
    "south korea": "KR", "korea": "KR", "holland": "NL", "czech republic": "CZ", "turkiye": "TR",
}  # fmt: skip
"""Countries by other names than that of GeoNames."""
_WORDS = """
along an and anal are army art at bad band bar bath bay bear best big bone boo both bra bury bus but can central cocoa
cold coin come cork corona crystal dale deal deer dream drip each early eye fall fleet flint for fresh gap gay general
god goes golden good grand gravity green hale ham hand heart heath hell hem her hip his hit home hook hope humble hun
hyde in independence is it itch jump just lens lice liberty lima limerick lip lodi long male man many march marina mary
me mental metro mobile moss most much muscle nan nausea normal nice no non not of oral orange orchard or our pain pale
pan para paradise paris plaster pearl peel pen plum police pole pool poole pop progress prosper providence pump punch
reading red remission rib rice rich rugby rye sale salt same sandy save savannah sea shock shore sleep slough small
soft sore south spa split spring stage start stress summit sun sunrise sunset superior surprise tank tar tea temple than
that the them this tire toe tours troy turbo turkey two union university uptown us van vein vera vice vista wake
walnut war ware waste water wave wedding well white whole why will with wood work young your china chad jordan guinea
jersey togo mali oman hungary chile
deli hang lime limo lira mesa pecs perm rest ruse saga sari soul
"""
_ALSO_WORDS = frozenset(_WORDS.split())
"""Words that are no place unless they are written with a capital in the middle of a question, or with their region."""
_NO_PLACE_BEFORE = re.compile(
    r"\s+(?:criteria|classification|score|scale|consensus|definition|protocol|heart|syndrome|disease|virus|fever"
    r"|encephalitis|chromosome|guidelines?|staging|system|grade|type|variant|mutation|diet|study\s+of|breakage)\b",
    re.IGNORECASE,
)
"""What makes another thing of a place: *Rome criteria*, *West Nile virus*."""


@dataclass(frozen=True)
class PlaceReading:
    """A place in a text, of which one of *place*, *country* and *unknown* is given.

    :param start: where what is said of it begins, in characters, with the words before it.
    :param end: where it ends.
    :param name_start: where its name begins.
    :param country: ISO 3166 code.
    :param postal_code: that *place* is from.
    :param unknown: what cannot be placed: a state or province, or why a postal code cannot.
    :param within: the distance that the text gives, as it is written.
    """

    start: int
    end: int
    name_start: int
    place: Place | None = None
    country: str = ""
    postal_code: str = ""
    unknown: str = ""
    within: str = ""


def read_places(text: str, taken: Sequence[tuple[int, int]] = ()) -> list[PlaceReading]:
    """The first place and the first country that *text* asks for, in its order.

    :param taken: parts of it that are known to be something else, such as names of illnesses.
    """
    found: list[PlaceReading] = []
    for reading in _readings(text):
        is_other = any(start <= reading.name_start < end or start < reading.end < end for start, end in taken)
        if not is_other and not any(bool(one.country) == bool(reading.country) for one in found):
            found.append(reading)
    return sorted(found, key=lambda one: one.start)


def _readings(text: str) -> Iterator[PlaceReading]:
    for match in _ZIP.finditer(text):
        if match["alone"] or match["state"] in regions("US").values():
            code = match["alone"] or f"{match['state']} {match['with_state']}"
            try:
                place = find_place(code)
            except QueryError as problem:
                yield PlaceReading(match.start(), match.end(), match.start(), unknown=str(problem))
            else:
                yield PlaceReading(match.start(), match.end(), match.start(), place, postal_code=code)
    for pattern, how in ((_NEAR, "near"), (_IN, "in")):
        for match in pattern.finditer(text):
            words = list(_words_from(text, match.end()))
            if reading := _longest(text, words, how):
                within = match.groupdict().get("within") or ""
                yield replace(reading, start=match.start(), within=within)
    yield from _unannounced(text)


def _unannounced(text: str) -> Iterator[PlaceReading]:
    """A place at the end of the text or of a part between commas: *lupus trials, Portland OR*."""
    words = [match.span() for match in _WORD.finditer(text)]
    for first in range(1, len(words)):
        part = words[first : first + _LONGEST]
        closed = text[part[-1][1] :].strip(" .?!") == "" or text[part[-1][1] :].lstrip().startswith(",")
        for size in range(len(part), 0, -1):
            at_end = text[part[size - 1][1] :].strip(" .?!") == ""
            ends = at_end or (closed and size == len(part))
            if ends and _may_be_place(text, part[:size]) and (reading := _read(text, part[:size], "")):
                yield reading
                return


def _may_be_place(text: str, words: Sequence[tuple[int, int]]) -> bool:
    """Whether words that nothing announces are worth a look into the gazetteer: a capital, or a region behind them."""
    last = place_key(text[slice(*words[-1])])
    is_region = len(last) > 3 and any(last in regions(kind) for kind in ("country", *COUNTRIES))
    return text[words[0][0]].isupper() or (len(words) > 1 and is_region)


def _words_from(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The words that follow, as long as spaces or a single comma part them."""
    end = start
    for match in _WORD.finditer(text, start):
        if text[end : match.start()].strip() not in ("", ",") or (end == start and match.start() > end):
            return
        yield match.span()
        end = match.end()


def _longest(text: str, words: Sequence[tuple[int, int]], how: str) -> PlaceReading | None:
    for size in range(min(_LONGEST, len(words)), 0, -1):
        if reading := _read(text, words[:size], how):
            return reading
    return None


def _read(text: str, words: Sequence[tuple[int, int]], how: str) -> PlaceReading | None:
    """The place that exactly these words name."""
    start, end = words[0][0], words[-1][1]
    name = text[start:end].rstrip(".") if not re.search(r"\.\w\.$", text[start:end]) else text[start:end]
    first = text[words[0][0] : words[0][1]]
    capital = first[:1].isupper() and not _is_shouted(text)
    if _NO_PLACE_BEFORE.match(text, end):
        return None
    if how and (code := _country(name)) and (len(name) > 3 or name.isupper()):
        if capital or place_key(name) not in _ALSO_WORDS:
            return PlaceReading(start, end, start, country=code)
        return None
    if city := _city(name, how, capital=capital):
        return PlaceReading(start, end, start, place=Place(city_label(city), city.latitude, city.longitude))
    if how and len(name) > 3 and (capital or place_key(name) not in _ALSO_WORDS) and (region := _region(name)):
        return PlaceReading(start, end, start, unknown=f"{region} (for distances name a town in it)")
    return None


def _country(name: str) -> str | None:
    key = place_key(name)
    return regions("country").get(key) or _OTHER_COUNTRIES.get(key)


def _region(name: str) -> str | None:
    """The state or province of that name, with its country."""
    for country in COUNTRIES:
        if code := regions(country).get(place_key(name)):
            return f"{region_names(country)[code]}, {region_names('country')[country]}"
    return None


def _city(name: str, how: str, *, capital: bool) -> City | None:
    readings = [(city, wanted) for city, wanted in read_city(name) if all(map(_is_region, wanted))]
    called = cities_called(city for city, _ in readings)
    for written, wanted in readings:
        for other, cities in enumerate(called.get(place_key(written), ())):
            fitting = [city for city in cities if all(in_region(city, region) for region in wanted)]
            city = max(fitting, key=lambda one: one.population, default=None)
            if city and (wanted or _is_meant(written, city, how, capital=capital, other=bool(other))):
                return city
    return None


def _is_region(text: str) -> bool:
    """Whether a text can be a region: a code only in capitals, since *or* and *in* are words."""
    return len(text.replace(".", "")) > 3 or text.isupper()


def _is_meant(name: str, city: City, how: str, *, capital: bool, other: bool) -> bool:
    """Whether a city is meant by its name alone."""
    key = place_key(name)
    if key in _ALSO_WORDS and not (capital and how):
        return False
    if any(key in regions(country) for country in COUNTRIES) and city.population < _BIG_AS_ITS_REGION:
        return False
    if not how and not capital:
        return False
    least = _SIZE[how if capital or not how else f"{how}, in small letters"]
    if other and not capital and len(key) < 4 and key != "nyc":
        return False  # codes of airports are words: "add", "bog"
    if other:
        least = max(least, _OTHER_NAME if capital else _OTHER_NAME_IN_SMALL_LETTERS)
    return city.population >= least


def _is_shouted(text: str) -> bool:
    """Whether capitals tell nothing, since all words have them."""
    words = [word for word in text.split() if word[:1].isalpha()]
    return len(words) > 2 and all(word[:1].isupper() for word in words)

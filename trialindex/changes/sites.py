"""Where the trial runs: sites that were added or removed, that opened or closed, and what else changed of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from trialindex.changes.matching import (
    canonical,
    letter_similarity,
    pair_by_key,
    pair_by_similarity,
    unmatched,
    word_similarity,
)
from trialindex.changes.phrasing import FEW, arrow, summarise
from trialindex.plugin.messages import Difference
from trialindex.trial import Site, Trial, display, sanitize

OPENING, LAST = 76, 72
"""Weights: the first site, or the first that recruits, in a country; the last one there gone."""
RECRUITS, ADDED, REMOVED, STATUS = 68, 66, 65, 64
DETAIL, CONTACTS, POSITION = 16, 3, 2

_COUNTRIES = 4
"""So many countries are named."""


def sites(old: Trial, new: Trial) -> Iterator[Difference]:
    """The differences between the sites; more than a few of a kind are summed up by country.

    A registry gives its sites no ids: they are matched by name, city and country, then by likeness within a city.
    """
    removed, added = unmatched(old.sites, new.sites)
    pairs, removed, added = pair_by_key(
        removed, added, _key_without("contacts"), _address_key("state", "postal_code"), _address_key()
    )
    alike, removed, added = pair_by_similarity(removed, added, _similarity)
    pairs += alike
    before, after = (_countries(trial.sites) for trial in (old, new))
    yield from _presence_changes(added, "added", ADDED, before, OPENING, "none{} before")
    yield from _presence_changes(removed, "removed", REMOVED, after, LAST, "none left{}")
    yield from _status_changes(pairs, _countries(filter(_is_recruiting, old.sites)))
    yield from summarise(
        [
            arrow("sites", "site", DETAIL, _address(a), _address(b))
            for a, b in pairs
            if any(canonical(getattr(a, part)) != canonical(getattr(b, part)) for part in _PLACE)
        ],
        "sites named or placed otherwise",
    )
    yield from _hidden_changes(pairs, "position on the map", POSITION, lambda site: (site.latitude, site.longitude))
    yield from _hidden_changes(pairs, "contacts", CONTACTS, lambda site: canonical(site.contacts))


_PLACE = ("name", "city", "state", "postal_code", "country")


def _key_without(left_out: str) -> Callable[[Site], Any]:
    return lambda site: canonical(msgspec.structs.replace(site, **{left_out: ()}))


def _address_key(*more: str) -> Callable[[Site], Any]:
    parts = ("name", "city", "country", *more)

    def key(site: Site) -> Any:
        named = tuple(canonical(getattr(site, part)) for part in parts)
        return named if any(named) else None

    return key


def _similarity(old: Site, new: Site) -> float:
    """One country, and there one city and a name that is alike or not stated, or one name and a city that is alike."""
    if canonical(old.country) != canonical(new.country):
        return 0.0
    if canonical(old.city) == canonical(new.city):
        if not (canonical(old.name) and canonical(new.name)):
            return 0.9 if canonical(old.city) else 0.0
        return max(word_similarity(old.name, new.name), letter_similarity(old.name, new.name))
    return (
        word_similarity(old.city, new.city)
        if canonical(old.name) and canonical(old.name) == canonical(new.name)
        else 0.0
    )


def _is_recruiting(site: Site) -> bool:
    return site.status == "RECRUITING"


def _countries(found: Any) -> dict[str, str]:
    return {canonical(site.country): sanitize.one_line(site.country) for site in found if canonical(site.country)}


def _phrase_countries(countries: Iterable[str]) -> str:
    """``in France, Germany and Italy``; nothing where no country is stated."""
    named = list(countries)
    if not named:
        return ""
    if (more := len(named) - _COUNTRIES) > 0:
        named[_COUNTRIES:] = [display.count(more, "more country", "more countries")]
    return f" in {', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else f" in {named[0]}"


def _note(found: Sequence[Site], elsewhere: dict[str, str], note: str) -> str:
    """``(none in France before)``: the countries of these sites that are not *elsewhere*, where there is any."""
    alone = [name for key, name in _countries(found).items() if key not in elsewhere] if elsewhere else []
    return f" ({note.format(_phrase_countries(alone))})" if alone else ""


def _presence_changes(
    found: Sequence[Site], what: str, weight: int, elsewhere: dict[str, str], country: int, alone: str
) -> Iterator[Difference]:
    side = "after" if what == "added" else "before"
    groups = [[site] for site in found] if len(found) <= FEW else [list(found)]
    for group in groups:
        note = _note(group, elsewhere, alone)
        places = display.listed(map(display.place, group))
        if len(group) == 1:
            status = f", {display.status(group[0].status)}" if what == "added" and group[0].status else ""
            words = f"site {what}: {places}{status}{note}"
        else:
            words = f"{len(group):,} sites {what}{_phrase_countries(_countries(group).values())}{note}"
        yield Difference(field="sites", words=words, weight=country if note else weight, **{side: places})


def _status_changes(pairs: Sequence[tuple[Site, Site]], recruiting: dict[str, str]) -> Iterator[Difference]:
    turns: dict[tuple[str, str], list[Site]] = {}
    for old, new in pairs:
        if old.status != new.status:
            turns.setdefault((display.status(old.status), display.status(new.status)), []).append(new)
    for (before, after), found in turns.items():
        groups = [[site] for site in found] if len(found) <= FEW else [found]
        for group in groups:
            note = _note(group, recruiting, "none recruited{} before") if _is_recruiting(group[0]) else ""
            weight = STATUS
            if _is_recruiting(group[0]):
                opens = before != display.NOT_STATED and not _countries(group).keys() <= recruiting.keys()
                weight = OPENING if opens else RECRUITS
            where = display.listed(map(display.place, group))
            label = where if len(group) == 1 else f"{len(group):,} sites{_phrase_countries(_countries(group).values())}"
            yield Difference(
                field="sites",
                words=f"{label}: {before} → {after}{note}",
                weight=weight,
                before=_side(before, group),
                after=_side(after, group),
            )


def _side(status: str, group: Sequence[Site]) -> str | None:
    """A status, with the sites that have it where these are several."""
    if len(group) > 1:
        return f"{status}: {display.listed(map(display.place, group))}"
    return None if status == display.NOT_STATED else status


def _hidden_changes(
    pairs: Sequence[tuple[Site, Site]], what: str, weight: int, part: Callable[[Site], Any]
) -> Iterator[Difference]:
    """That a part of some sites changed, without the part: it is not shown."""
    changed = [display.place(new) for old, new in pairs if part(old) != part(new)]
    parts = [
        Difference(field="sites", words=f"{what} of the site changed: {place}", weight=weight) for place in changed
    ]
    yield from summarise(parts, f"sites: {what} changed")


def _address(site: Site) -> str:
    """The place with its postal code."""
    code = sanitize.one_line(site.postal_code)
    return f"{display.place(site)}{f' ({code})' if code else ''}"

"""Where the trial runs: sites that were added or removed, that opened or closed, and what else changed of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from trialindex.changes.matching import by_key, by_likeness, canon, fold, left, likeness, misspelt
from trialindex.changes.phrasing import FEW, from_to, summed
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
    gone, come = left(old.sites, new.sites)
    pairs, gone, come = by_key(gone, come, _all_but("contacts"), _address("state", "postal_code"), _address())
    alike, gone, come = by_likeness(gone, come, _alike)
    pairs += alike
    before, after = (_countries(trial.sites) for trial in (old, new))
    yield from _moves(come, "added", ADDED, before, OPENING, "none{} before")
    yield from _moves(gone, "removed", REMOVED, after, LAST, "none left{}")
    yield from _statuses(pairs, _countries(filter(_recruits, old.sites)))
    yield from summed(
        [
            from_to("sites", "site", DETAIL, _full(a), _full(b))
            for a, b in pairs
            if any(fold(getattr(a, part)) != fold(getattr(b, part)) for part in _PLACE)
        ],
        "sites named or placed otherwise",
    )
    yield from _said(pairs, "position on the map", POSITION, lambda site: (site.latitude, site.longitude))
    yield from _said(pairs, "contacts", CONTACTS, lambda site: canon(site.contacts))


_PLACE = ("name", "city", "state", "postal_code", "country")


def _all_but(left_out: str) -> Callable[[Site], Any]:
    return lambda site: canon(msgspec.structs.replace(site, **{left_out: ()}))


def _address(*more: str) -> Callable[[Site], Any]:
    parts = ("name", "city", "country", *more)

    def key(site: Site) -> Any:
        named = tuple(fold(getattr(site, part)) for part in parts)
        return named if any(named) else None

    return key


def _alike(old: Site, new: Site) -> float:
    """One country, and there one city and a name that is alike or not stated, or one name and a city that is alike."""
    if fold(old.country) != fold(new.country):
        return 0.0
    if fold(old.city) == fold(new.city):
        if not (fold(old.name) and fold(new.name)):
            return 0.9 if fold(old.city) else 0.0
        return max(likeness(old.name, new.name), misspelt(old.name, new.name))
    return likeness(old.city, new.city) if fold(old.name) and fold(old.name) == fold(new.name) else 0.0


def _recruits(site: Site) -> bool:
    return site.status == "RECRUITING"


def _countries(found: Any) -> dict[str, str]:
    return {fold(site.country): sanitize.one_line(site.country) for site in found if fold(site.country)}


def _in(countries: Sequence[str]) -> str:
    """``in France, Germany and Italy``; nothing where no country is stated."""
    if not countries:
        return ""
    named = list(countries[:_COUNTRIES])
    if len(countries) > _COUNTRIES:
        named.append(display.count(len(countries) - _COUNTRIES, "more country", "more countries"))
    return f" in {', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else f" in {named[0]}"


def _note(found: Sequence[Site], elsewhere: dict[str, str], note: str) -> str:
    """``(none in France before)``: the countries of these sites that are not *elsewhere*, where there is any."""
    alone = [name for key, name in _countries(found).items() if key not in elsewhere] if elsewhere else []
    return f" ({note.format(_in(alone))})" if alone else ""


def _moves(
    found: Sequence[Site], what: str, weight: int, elsewhere: dict[str, str], country: int, alone: str
) -> Iterator[Difference]:
    side = "after" if what == "added" else "before"
    groups = [[site] for site in found] if len(found) <= FEW else [list(found)]
    for group in groups:
        note = _note(group, elsewhere, alone)
        places = display.listed(map(display.place, group))
        if len(group) == 1:
            words = f"site {what}: {places}{note}"
        else:
            words = f"{len(group):,} sites {what}{_in(list(_countries(group).values()))}{note}"
        yield Difference(field="sites", words=words, weight=country if note else weight, **{side: places})


def _statuses(pairs: Sequence[tuple[Site, Site]], recruiting: dict[str, str]) -> Iterator[Difference]:
    turns: dict[tuple[str, str], list[Site]] = {}
    for old, new in pairs:
        if old.status != new.status:
            turns.setdefault((display.status(old.status), display.status(new.status)), []).append(new)
    for (before, after), found in turns.items():
        groups = [[site] for site in found] if len(found) <= FEW else [found]
        for group in groups:
            note = _note(group, recruiting, "none recruited{} before") if _recruits(group[0]) else ""
            weight = STATUS
            if _recruits(group[0]):
                opens = before != display.NOT_STATED and not _countries(group).keys() <= recruiting.keys()
                weight = OPENING if opens else RECRUITS
            where = display.listed(map(display.place, group))
            label = where if len(group) == 1 else f"{len(group):,} sites{_in(list(_countries(group).values()))}"
            yield Difference(
                field="sites",
                words=f"{label}: {before} → {after}{note}",
                weight=weight,
                before=_beside(before, group),
                after=_beside(after, group),
            )


def _beside(status: str, group: Sequence[Site]) -> str | None:
    """A status, with the sites that have it where these are several."""
    if len(group) > 1:
        return f"{status}: {display.listed(map(display.place, group))}"
    return None if status == display.NOT_STATED else status


def _said(
    pairs: Sequence[tuple[Site, Site]], what: str, weight: int, part: Callable[[Site], Any]
) -> Iterator[Difference]:
    """That something changed which is not shown."""
    changed = [display.place(new) for old, new in pairs if part(old) != part(new)]
    told = [Difference(field="sites", words=f"{what} of the site changed: {place}", weight=weight) for place in changed]
    yield from summed(told, f"sites: {what} changed")


def _full(site: Site) -> str:
    """The place with its postal code."""
    code = sanitize.one_line(site.postal_code)
    return f"{display.place(site)}{f' ({code})' if code else ''}"

"""What a page of results shows: what was understood, the hits in order, and what they can be narrowed by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from trialindex import Hit, Index, Results, TrialPage
from trialindex.plugin.results import describe_named
from trialindex.trial import Site, Trial, display
from trialindex.trial.sanitize import clean, one_line
from trialindex.trial.statuses import access_rank
from trialindex_web.questions import Question

SHOWN = 10
"""Hits a page."""
ALIKE = 20
"""So many hits, one after another, are taken to be about as close to the question, where nobody says how close."""
LEVELS = {"about": "about your condition", "related": "related to your condition", "loose": "only loosely alike"}
"""How close a hit is, in words, the closest first."""
FACETS = ("status", "phase", "study_type", "country")
_TYPED = re.compile(r"(?: or|; to search for it) add --as-written| To leave them out add --as-written\.")
_AGE = r"(?:(?:i am|i'm|aged?)\s+)?{}(?:[\s-]*(?:years?|yrs?|months?|weeks?|days?)(?:[\s-]*olds?)?)?"
_SEX = {"female": "female|woman|lady|girl", "male": "male|man|gentleman|boy"}
"""How a text says age and sex, as far as it can be left out."""
VALUES = 12
"""Values of a facet that are offered, those that most trials have."""


class Chip(NamedTuple):
    """One thing that was understood.

    :param label: in words.
    :param said: how the text says it, if otherwise; of what counts for nothing, why.
    :param drop: what to leave out of the text so that it is not understood any more; empty where that cannot be done.
    """

    label: str
    said: str = ""
    out: bool = False
    drop: str = ""


class Value(NamedTuple):
    """A value of a facet: how it is sent and said, how many of the trials found have it, and whether it is chosen."""

    code: str
    label: str
    number: int
    chosen: bool


class HitView(NamedTuple):
    """A hit with its page, of which only the head is shown; *nearest* is the site to go to, *away* in kilometres."""

    hit: Hit
    card: TrialPage
    nearest: Site | None
    away: float | None


def chips(results: Results) -> list[Chip]:
    """What was understood of the text, and last what of it counts for nothing."""
    understood = results.understood
    if understood is None:
        return []
    said = {one.kind: one.said for one in results.constraints}
    found = [Chip(one.name, _other_wording(one.name, one.surface), drop=one.surface) for one in understood.concepts]
    if understood.age:
        age = _AGE.format(re.escape(understood.age.split()[0]))
        found.append(Chip(understood.age, drop=_find_words(age, results.query)))
    if understood.sex:
        found.append(Chip(understood.sex, drop=_find_words(_SEX[understood.sex], results.query)))
    if understood.pregnant is not None:
        found.append(Chip("pregnant" if understood.pregnant else "not pregnant"))
    if understood.place:
        found.append(Chip(f"lives in {understood.place}", drop=said.get("place", "")))
    aside = (Chip(phrase, why, out=True) for phrase, why in understood.excluded.items())
    return [*found, *aside]


def offers(results: Results) -> list[tuple[str, str]]:
    """What the question asks for besides the illness, each by the filter for it and in words."""
    return [(one.option, one_line(one.meaning)) for one in results.constraints if one.option]


def chosen(question: Question) -> list[tuple[str, str]]:
    """The filters of a question, each by the field that it comes from and in words."""
    near = f"within {question.within} of {question.near}" if question.within else f"distances from {question.near}"
    said = {
        "open": "can be joined",
        "age": f"age {question.age}",
        "sex": question.sex,
        "near": near,
        "updated_since": f"updated since {question.updated_since}",
        "source": ", ".join(question.source),
    }
    for facet in FACETS:
        said[facet] = ", ".join(_label(facet, code) for code in getattr(question, facet))
    return [(field, one_line(words)) for field, words in said.items() if field in question.words]


def _find_words(pattern: str, text: str) -> str:
    """The words of a text that say a thing, to be left out; empty where other words say it."""
    found = re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE)
    return found[0] if found else ""


def _other_wording(name: str, surface: str) -> str:
    return "" if name.casefold() == surface.casefold() else surface


def arrange(hits: Sequence[Hit], order: str) -> list[Hit]:
    """The hits as asked for: the closest first, or among those that are about as close the ones that can be joined."""
    if order == "closest":
        return list(hits)

    def turn(hit: Hit) -> tuple[int, bool, int, int]:
        if hit.named:
            return -1, False, 0, hit.rank
        level = hit.level
        near = list(LEVELS).index(level) if level in LEVELS else (hit.rank - 1) // ALIKE
        return near, hit.trial.gone_since is not None, access_rank(hit.trial.status), hit.rank

    return sorted(hits, key=turn)


def facets(hits: Iterable[Hit], question: Question) -> dict[str, list[Value]]:
    """Of each facet the values that the trials found have, the most frequent first; those chosen are always there."""
    trials = [hit.trial for hit in hits]
    made = {}
    for name in FACETS:
        counted = Counter(code for trial in trials for code in set(_codes(trial, name)))
        chosen = getattr(question, name)
        codes = [*chosen, *(code for code, _ in counted.most_common(VALUES) if code not in chosen)]
        values = [Value(code, _label(name, code), counted[code], code in chosen) for code in codes]
        if len(values) > 1 or chosen:
            made[name] = values
    return made


def _codes(trial: Trial, facet: str) -> Iterable[str]:
    match facet:
        case "status":
            return (trial.status,) if trial.status else ()
        case "phase":
            return (phase for phase in trial.phases if phase != "NA")
        case "study_type":
            return (trial.study_type,) if trial.study_type else ()
        case _:
            return trial.countries


def _label(facet: str, code: str) -> str:
    match facet:
        case "status":
            return display.sentence(display.status(code))
        case "phase":
            return display.sentence(display.phase((code,)))
        case "study_type":
            return display.sentence(display.study_type(code))
        case _:
            return code


def closeness(hit: Hit) -> str:
    """How close a hit is to the question, in words; empty where nobody says."""
    if hit.named:
        return "the trial that you named"
    return LEVELS.get(hit.level or "", "")


def marked(text: str, words: Sequence[str]) -> Markup:
    """The text as HTML with these words marked."""
    pattern = rf"(?<![^\W_])({'|'.join(map(re.escape, words))})(?![^\W_])" if words else "((?!))"
    return Markup(re.sub(pattern, r"<mark>\1</mark>", str(escape(clean(text)))))  # noqa: S704  the text is escaped


def warnings(results: Results) -> list[str]:
    """What to know before reading the hits: which trials were named, and that none is about the condition."""
    named = (describe_named(one).partition(" To fetch it:")[0] for one in results.named)  # that is for a terminal
    return [*named, *_nothing_about(results)]


def _nothing_about(results: Results) -> list[str]:
    if not results.searched:
        return []
    if results.nothing_understood:
        more = " What follows is only loosely alike." if results.hits else ""
        return [
            "Nothing of this was understood: it names no illness, finding or treatment that is known here. "
            f"Please write what the illness is called, in medical or everyday words.{more}"
        ]
    if not results.nothing_about:
        return []
    those = " that passes the filters" if results.filters else ""
    closest = dict.fromkeys(one_line(name) for hit in results.hits[:3] for name in hit.trial.conditions[:1])
    more = f" The closest are about {', '.join(closest)}." if closest else ""
    return [f"No trial in here{those} is about {one_line(results.subject)}.{more}"]


def notes(results: Results) -> list[str]:
    """What to know of how the question was read, without what is typed in a terminal."""
    return [_TYPED.sub("", note) for note in results.notes] if results.searched else []


def view(index: Index, hit: Hit, near: str) -> HitView:
    """A hit with its headline in plain words and the site to go to: one that takes people, and of these the nearest."""
    page = index.card(hit.trial.id, near=near or None)
    first = page.countries[0].locations[0] if page.countries and page.countries[0].locations else None
    if first is None:
        return HitView(hit, page, None, None)
    return HitView(hit, page, first.site, first.distance_km)


def page_count(results: Results) -> int:
    """How many pages of hits there are, at least one."""
    return max(1, -(-len(results.hits) // SHOWN))

"""The fields that hold one value or a list of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trialindex.changes import phrasing
from trialindex.changes.matching import canonical
from trialindex.plugin.messages import Difference
from trialindex.trial import Term, Trial, TrialDate, display, format_age, sanitize

Rule = Callable[[Trial, Trial], Iterator[Difference]]

_STOPS = {"TERMINATED", "WITHDRAWN", "SUSPENDED", "WITHHELD", "NO_LONGER_AVAILABLE", "TEMPORARILY_NOT_AVAILABLE"}


def text(field: str, label: str, weight: int, *, long: bool = False) -> Rule:
    """A text.

    :param long: say only that it changed.
    """
    tell = phrasing.long_text_change if long else phrasing.text_change
    return lambda old, new: tell(field, label, weight, getattr(old, field), getattr(new, field))


def code(field: str, label: str, weight: int, words: Callable[[str | None], str] = display.words) -> Rule:
    """A code of the registry, in words."""

    def rule(old: Trial, new: Trial) -> Iterator[Difference]:
        before, after = getattr(old, field), getattr(new, field)
        if canonical(before) != canonical(after):
            yield phrasing.arrow(field, label, weight, *(words(c) if c else None for c in (before, after)))

    return rule


def yes_no(field: str, label: str, weight: int) -> Rule:
    """A yes or no: ``expanded access: no → yes``."""

    def rule(old: Trial, new: Trial) -> Iterator[Difference]:
        before, after = (getattr(trial, field) for trial in (old, new))
        if before != after:
            sides = (None if side is None else display.yes_no(side) for side in (before, after))
            yield phrasing.arrow(field, label, weight, *sides)

    return rule


def names(field: str, one: str, many: str, weight: int, show: Callable[[Any], str] = sanitize.one_line) -> Rule:
    """A list of names, whose order says nothing."""
    return lambda old, new: phrasing.list_change(
        field, one, many, weight, getattr(old, field), getattr(new, field), show
    )


def hidden(field: str, words: str, weight: int) -> Rule:
    """A field that is never shown, such as people to reach: the line says only that it changed."""

    def rule(old: Trial, new: Trial) -> Iterator[Difference]:
        if canonical(getattr(old, field)) != canonical(getattr(new, field)):
            yield Difference(field=field, words=words, weight=weight)

    return rule


def date(field: str, label: str, weight: int) -> Rule:
    """A date: ``main completion June 2025 → March 2026``."""

    def rule(old: Trial, new: Trial) -> Iterator[Difference]:
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield phrasing.arrow(field, label, weight, *_dates(before, after), colon=False)

    return rule


def _dates(old: TrialDate | None, new: TrialDate | None) -> tuple[str | None, str | None]:
    """Both dates in words; whether each is expected or has happened is said where that differs."""
    if old is None or new is None or old.type == new.type:
        return tuple(display.date(d) if d else None for d in (old, new))  # type: ignore[return-value]
    return tuple(f"{display.date(d.date)}{_kind(d.type)}" for d in (old, new))  # type: ignore[return-value]


def _kind(of: str | None) -> str:
    return {"ESTIMATED": " (expected)", "ACTUAL": " (actual)"}.get(of or "", "")


# --- rules of one field, or of fields that are told together ----------------------------------------------------------


def status(old: Trial, new: Trial) -> Iterator[Difference]:
    """Most of all, that it stopped."""
    if old.status != new.status:
        weight = 100 if new.status in _STOPS else 95
        known = new.last_known_status
        yield phrasing.arrow(
            "status", "", weight, *(display.status(t.status) if t.status else None for t in (old, new))
        )
        if known == old.last_known_status or known in (None, old.status):
            return  # what was last known is the status that went before
    if old.last_known_status != new.last_known_status:
        known_before, known_after = (t.last_known_status for t in (old, new))
        sides = (display.status(s) if s else None for s in (known_before, known_after))
        yield phrasing.arrow("last_known_status", "last known status", 88, *sides)


def ages(old: Trial, new: Trial) -> Iterator[Difference]:
    """The ages it takes: both bounds in one line."""
    if (old.minimum_age, old.maximum_age) == (new.minimum_age, new.maximum_age):
        return
    before, after = (_age_range(t.minimum_age, t.maximum_age) for t in (old, new))
    yield Difference(
        field="minimum_age" if old.minimum_age != new.minimum_age else "maximum_age",
        words=f"now takes ages {after} (was {before or display.NOT_STATED})"
        if after
        else f"states no ages any more (was {before})",
        weight=86,
        before=before,
        after=after,
    )


def _age_range(low: float | None, high: float | None) -> str | None:
    """``12 and up``, ``6 months to 17 years``, ``up to 65``: years are left out where all is in years."""
    first, last = (None if age is None else format_age(age) for age in (low, high))
    if all(age is None or age.endswith((" year", " years")) for age in (first, last)):
        first, last = (age and age.split(" ")[0] for age in (first, last))
    if first is None:
        return f"up to {last}" if last else None
    return f"{first} to {last}" if last else f"{first} and up"


def sex(old: Trial, new: Trial) -> Iterator[Difference]:
    if old.sex != new.sex:
        before, after = (display.sex(t.sex) if t.sex else None for t in (old, new))
        words = (
            f"now takes {after} (was {before or display.NOT_STATED})"
            if after
            else f"states no sex any more (was {before})"
        )
        yield Difference(field="sex", words=words, weight=86, before=before, after=after)


def healthy_volunteers(old: Trial, new: Trial) -> Iterator[Difference]:
    if old.healthy_volunteers != new.healthy_volunteers:
        before, after = (t.healthy_volunteers for t in (old, new))
        if before is False and after:
            words = "now takes healthy volunteers"
        elif before and after is False:
            words = "no longer takes healthy volunteers"
        else:
            words = f"takes healthy volunteers: {display.yes_no(before)} → {display.yes_no(after)}"
        sides = {n: None if v is None else display.yes_no(v) for n, v in (("before", before), ("after", after))}
        yield Difference(field="healthy_volunteers", words=words, weight=84, **sides)


def phases(old: Trial, new: Trial) -> Iterator[Difference]:
    if set(old.phases) != set(new.phases):
        before, after = (display.phase(sorted(t.phases)) if t.phases else None for t in (old, new))
        label = "" if "phase" in f"{before}{after}" else "phase"
        yield phrasing.arrow("phases", label, 60, before, after)


def enrollment(old: Trial, new: Trial) -> Iterator[Difference]:
    """How many take part: ``enrollment 18 → 30``, ``enrollment 35 (expected) → 4 (actual)``."""
    kinds = old.enrollment_type != new.enrollment_type
    if old.enrollment == new.enrollment and not kinds:
        return
    sides = (
        f"{'not stated' if t.enrollment is None else f'{t.enrollment:,}'}{_kind(t.enrollment_type) if kinds else ''}"
        for t in (old, new)
    )
    before, after = (side if side != display.NOT_STATED else None for side in sides)
    field = "enrollment" if old.enrollment != new.enrollment else "enrollment_type"
    yield phrasing.arrow(field, "enrollment", 45, before, after, colon=False)


def results(old: Trial, new: Trial) -> Iterator[Difference]:
    """That results were posted, and when."""
    before, after = old.results_first_posted, new.results_first_posted
    if old.has_results != new.has_results:
        on = f" on {display.date(after.date)}" if after and after != before else ""
        if new.has_results:
            words = f"results posted{on}"
        elif old.has_results:
            words = "results are no longer posted"
        else:
            words = f"results posted: {display.yes_no(old.has_results)} → {display.yes_no(new.has_results)}"
        sides = [None if flag is None else display.yes_no(flag) for flag in (old.has_results, new.has_results)]
        weight = 70 if new.has_results or old.has_results else 10
        yield Difference(field="has_results", words=words, weight=weight, before=sides[0], after=sides[1])
        if on:
            return
    if before != after:
        first = before is None and old.has_results == new.has_results
        yield phrasing.arrow(
            "results_first_posted", "results first posted", 70 if first else 26, *_dates(before, after), colon=False
        )


def sponsor(old: Trial, new: Trial) -> Iterator[Difference]:
    """Who is responsible; what kind of body it is, where the sponsor stays."""
    if canonical(old.sponsor) != canonical(new.sponsor):
        yield from phrasing.text_change("sponsor", "sponsor", 35, old.sponsor, new.sponsor)
    elif canonical(old.sponsor_class) != canonical(new.sponsor_class):
        before, after = (display.words(t.sponsor_class) if t.sponsor_class else None for t in (old, new))
        yield phrasing.arrow("sponsor_class", "kind of sponsor", 20, before, after)


def normalized_conditions(old: Trial, new: Trial) -> Iterator[Difference]:
    def labels(terms: tuple[Term, ...]) -> list[str]:
        return [f"{t.name} ({t.id})" if t.id else t.name for t in terms]

    one, many = "condition as normalised", "conditions as normalised"
    before, after = labels(old.normalized_conditions), labels(new.normalized_conditions)
    yield from phrasing.list_change("normalized_conditions", one, many, 12, before, after)

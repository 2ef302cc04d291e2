"""What a record states, as phrases that fit in a sentence, each with the fields that it was made from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Intervention, Trial
from trialindex.trial.display import count, countable, phase
from trialindex_writers.grammar import Part, country, first_of, joined, quoted
from trialindex_writers.plain_measures import LooksAt, looks_at
from trialindex_writers.plain_names import can_have, illness, treatment, unlike

# --- how early ------------------------------------------------------------------------------------------------------

STAGES = {
    ("EARLY_PHASE1",): "very early",
    ("PHASE1",): "early-stage",
    ("PHASE1", "PHASE2"): "early to mid-stage",
    ("PHASE2",): "mid-stage",
    ("PHASE2", "PHASE3"): "mid- to late-stage",
    ("PHASE3",): "late-stage",
    ("PHASE4",): "after-approval",
}
"""The phases in words. The registry uses phase 4 for drugs that the United States have approved for sale."""


def stage(trial: Trial) -> Part:
    """``late-stage``; empty if no phase is stated, or none applies."""
    text = STAGES.get(tuple(sorted(trial.phases)), "")
    return Part(text, ("phases",) if text else ())


def registered_phase(trial: Trial) -> Part:
    """The registry's own term: ``phase 2 and 3``, ``no phase applies``, ``phase not stated``."""
    if not trial.phases:
        return Part("phase not stated", ("phases",))
    return Part("no phase applies" if set(trial.phases) == {"NA"} else phase(trial.phases), ("phases",))


# --- what is tested -------------------------------------------------------------------------------------------------

_COMPARATORS = {"PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "ACTIVE_COMPARATOR", "NO_INTERVENTION"}
_PLACEBO = re.compile(r"placebo|\bsham\b|\bdummy\b", re.IGNORECASE)
_BOTH = re.compile(r"/|\+|\b(?:or|and|plus|with)\b", re.IGNORECASE)
_KINDS = {
    "DRUG": "a drug",
    "BIOLOGICAL": "a biological product",
    "DEVICE": "a device",
    "BEHAVIORAL": "a behavioural method",
    "PROCEDURE": "a procedure",
    "RADIATION": "radiation",
    "GENETIC": "a genetic treatment",
    "DIETARY_SUPPLEMENT": "a food supplement",
    "DIAGNOSTIC_TEST": "a test",
    "COMBINATION_PRODUCT": "a product of several parts",
}


class Tested(NamedTuple):
    """What is tested and what with, as names of the record.

    :param names: those tested, in the record's order.
    :param unnamed: how many more there are whose names are too long.
    :param kind: what sort of thing the first is, with its article, for where its name is too long.
    :param against: what it is compared with: other names, ``placebo``, ``a sham treatment``.
    """

    names: tuple[str, ...]
    unnamed: int
    kind: str
    against: tuple[str, ...]

    def told(self, shown: int) -> str:
        """The first names, or the kind where none is short enough; empty if nothing is stated."""
        return first_of(self.names, shown, unnamed=self.unnamed) if self.names else self.kind

    def versus(self, shown: int) -> str:
        """`` against placebo``; empty if nothing is compared."""
        return f" against {joined(self.against[:shown])}" if self.against else ""


def is_placebo(name: str) -> bool:
    """Whether an intervention is a placebo or a sham and nothing else."""
    return bool(_PLACEBO.search(name)) and not _BOTH.search(name)


def tested(trial: Trial, limit: int) -> Tested:
    """Experimental groups against comparators; what both get is left out where something else tells them apart.

    :param limit: how many characters a name may have.
    """
    types = {arm.type for arm in trial.arms}
    real = [i for i in trial.interventions if not is_placebo(i.name)]
    placebos = [i for i in trial.interventions if is_placebo(i.name)]
    sham = "SHAM_COMPARATOR" in types or any(re.search(r"\bsham\b", i.name, re.IGNORECASE) for i in placebos)
    placebo = "PLACEBO_COMPARATOR" in types or any("placebo" in i.name.lower() for i in placebos)
    ours = _given(real, {name for arm in trial.arms if arm.type not in _COMPARATORS for name in arm.interventions})
    theirs = _given(real, {name for arm in trial.arms if arm.type in _COMPARATORS for name in arm.interventions})
    only_ours, only_theirs = [i for i in ours if i not in theirs], [i for i in theirs if i not in ours]
    against: list[Intervention] = []
    if only_ours and only_theirs:
        ours, against = only_ours, only_theirs
    elif only_ours and (placebo or sham):
        ours = only_ours
    ours = ours or real or placebos
    names = unlike(treatment(i.name, i.type, limit) for i in ours)
    unnamed = len({i.name.casefold() for i in ours if not treatment(i.name, i.type, limit)})
    others = [name for name in unlike(treatment(i.name, i.type, limit) for i in against) if name not in names]
    controls = [*(["placebo"] if placebo and real else []), *(["a sham treatment"] if sham and real else [])]
    kind = _KINDS.get(ours[0].type or "", "an intervention") if ours else ""
    return Tested(tuple(names), unnamed, kind, (*controls, *others))


def _given(interventions: list[Intervention], names: set[str]) -> list[Intervention]:
    return [i for i in interventions if i.name in names]


def with_arms(trial: Trial, make: Callable[[Trial], Sentence]) -> Sentence:
    """The sentence, with the arms among its fields if they make a difference to it."""
    told = make(trial)
    if not trial.arms or make(msgspec.structs.replace(trial, arms=())).text == told.text:
        return told
    return Sentence(told.text, (*told.fields, "arms"))


# --- in whom --------------------------------------------------------------------------------------------------------

_PEOPLE = {
    ("ADULT", "FEMALE"): ("woman", "women"),
    ("ADULT", "MALE"): ("man", "men"),
    ("ADULT", ""): ("adult", "adults"),
    ("CHILD", "FEMALE"): ("girl", "girls"),
    ("CHILD", "MALE"): ("boy", "boys"),
    ("CHILD", ""): ("child", "children"),
    ("", "FEMALE"): ("woman or girl", "women and girls"),
    ("", "MALE"): ("man or boy", "men and boys"),
    ("", ""): ("person", "people"),
}


def people(trial: Trial, number: int | None = None, *, healthy: bool = False) -> Part:
    """``adults``, ``girls``, ``40 people``: adults from 18 years on, children under 18, else people."""
    age = "ADULT" if (trial.minimum_age or 0) >= 18 else "CHILD" if _under_18(trial) else ""
    sex = trial.sex if trial.sex in {"FEMALE", "MALE"} else ""
    fields = (
        *({"ADULT": ("minimum_age",), "CHILD": ("maximum_age",)}.get(age, ())),
        *(("sex",) if sex else ()),
    )
    one, many = (f"healthy {who}" if healthy else who for who in _PEOPLE[age, sex or ""])
    return Part(many if number is None else count(number, one, many), fields)


def _under_18(trial: Trial) -> bool:
    return trial.maximum_age is not None and trial.maximum_age < 18


class Whom(NamedTuple):
    """Those who take part.

    :param people: ``40 adults with asthma``, or only ``40 adults``.
    :param topic: the condition, where it cannot be said that those who take part have it; else empty.
    :param more: how many more conditions are listed.
    :param named: whether a condition is named.
    """

    people: Part
    topic: Part
    more: int
    named: bool


_HEALTHY = re.compile(r"(?:normal )?healthy(?: (?:adults?|volunteers?|subjects?|people|persons?|participants?))?")


def whom(trial: Trial, limit: int, *, numbered: bool = False) -> Whom:
    """The people and the first condition whose name has at most *limit* characters.

    That they have the condition is said only of an illness, and only if the record does not invite healthy people.
    """
    number = trial.enrollment if numbered and trial.enrollment else None
    who = people(trial, number)
    fields = (*who.fields, *(("enrollment",) if number else ()))
    names = unlike(illness(name, limit) for name in trial.conditions)
    if not names:
        return Whom(Part(who.text, fields), Part(""), 0, False)
    name, more = names[0], len({c.casefold() for c in trial.conditions}) - 1
    if _HEALTHY.fullmatch(name):
        healthy = people(trial, number, healthy=True)
        return Whom(Part(healthy.text, (*fields, "conditions")), Part(""), more, True)
    if not can_have(name):
        return Whom(Part(who.text, fields), Part(name, ("conditions",)), more, True)
    if trial.healthy_volunteers:
        return Whom(Part(who.text, fields), Part(name, ("conditions", "healthy_volunteers")), more, True)
    return Whom(Part(f"{who.text} with {name}", (*fields, "conditions")), Part(""), more, True)


def topic(trial: Trial, limit: int) -> str:
    """The first condition, or how it begins; empty if none is stated."""
    named = unlike(illness(name, limit) for name in trial.conditions)
    return named[0] if named else next(filter(None, (quoted(name, limit) for name in trial.conditions)), "")


# --- where ----------------------------------------------------------------------------------------------------------


def places(trial: Trial) -> Part:
    """``at 12 sites in France, Spain and 3 more countries``, without a number where sites are no more than countries;
    empty without a site.
    """
    if not trial.sites:
        return Part("", ("sites",))
    names = list(dict.fromkeys(map(country, trial.countries)))
    names = [name for name in names if name]
    shown = len(names) if len(names) < 4 else 2
    where = f"in {first_of(names, shown, 'countries')}" if names else ""
    if where and not countable(trial.sites):
        return Part(where, ("sites",))
    return Part(f"at {count(len(trial.sites), 'site')}{f' {where}' if where else ', country not stated'}", ("sites",))


# --- what is looked at ----------------------------------------------------------------------------------------------


def main_measures(trial: Trial) -> LooksAt:
    return looks_at(o.measure for o in trial.outcomes if o.kind == "primary" and o.measure.strip())


def looked_at(trial: Trial) -> str:
    """``side effects and pain, among other things``, or a measure in quotation marks; empty if none is stated."""
    found = main_measures(trial)
    if found.known:
        return joined(found.known) + (", among other things" if found.more else "")
    return found.quoted + (", among other things" if found.more and found.quoted else "")

"""Who gets what: which of the interventions is tested, what it is added to, what it is compared with, what is inactive.

It is read from the arms. What only placebo and sham arms get is inactive, whatever it is called; what the tested and
the compared arms share is background; an arm with nothing of its own is the control. Where arms do not tell, titles do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from trialindex.trial import Arm, Intervention, Trial
from trialindex_writers.plain_names import can_have
from trialindex_writers.plain_placebo import INACTIVE_ARMS, of_an_earlier_study, placebo_within
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_rules import rule
from trialindex_writers.plain_things import (
    Thing,
    is_accessory,
    is_blank,
    is_code,
    is_inactive,
    is_nothing,
    is_usual,
    thing,
    things,
)

_CONTROL_LABEL = rule(
    r"""
    controls?
    comparators?
    standard
    usual
    conventional
    routine
    observation
    no (?:treatment|intervention)
    placebo
    sham
    avoidance
    untreated
    wait(?:ing)?[- ]?list
    SOC
    alone
    without
    """,
    whole=True,
)
_PART_LABEL = rule(
    r"""
    (?:parts?|cohorts?|stages?|phase|module) ?[A-Z]?\d*
    run-in
    lead-in
    expansion
    escalation
    sub-?study
    extension
    open[- ]label
    """,
    whole=True,
)
_PEOPLE_LABEL = rule(
    r"""
    \bhealthy
    \bnormal (?:pregnan|subjects?|controls?|volunteers?|women|individuals?)
    \bvolunteers?\b
    \b(?:patients?|women|children|subjects|participants|infants|adults) with(?:out)?\b
    \bnon-?(?:allergic|atopic|asthma)
    """
)
_PREPARES = rule(
    r"""
    fludarabine
    cyclophosphamide
    bendamustine
    lymphodeplet
    apheresis
    mesna
    aldesleukin
    \bIL-?2\b
    """
)
_CELLS = re.compile(r"\bCAR\b|CAR[- ]?T|T[- ]?cells?|\bTILs?\b|TCR|leucel|CART\b", re.IGNORECASE)
_STANDARD = rule(
    r"""
    \b(?:nab-?)?(?:pacli|doce)taxel\b
    \b(?:cis|carbo|oxali)platin\b
    \bpemetrexed\b
    \bgemcitabine\b
    \bvinorelbine\b
    \betoposide\b
    \b(?:irino|topo)tecan\b
    fluorouracil
    \b5-?fu\b
    \bcapecitabine\b
    \bleucovorin\b
    \bfolfox
    \bfolfiri
    \b(?:xelox|capox)\b
    \btemozolomide\b
    \bcyclophosphamide\b
    \bdoxorubicin\b
    \btrifluridine
    chemotherap
    chemoradi
    \bsurgery\b
    surgical procedure
    tumou?r resection
    \bbevacizumab\b
    \bramucirumab\b
    platinum[- ](?:based|doublet)
    standard therapy
    """
)
"""Treatments of cancer that new ones are added to."""
_KNOWN_PARTNER = rule(
    r"""
    pembrolizumab|keytruda
    nivolumab|opdivo
    atezolizumab|tecentriq
    durvalumab
    avelumab
    cemiplimab
    sintilimab
    toripalimab
    tislelizumab
    camrelizumab
    penpulimab
    PD-?1
    osimertinib
    furmonertinib|aflutinib|almonertinib
    gefitinib|erlotinib|icotinib
    EGFR-TKI
    lenvatinib
    cetuximab
    """
)
"""Drugs in use, which new ones are tried with."""
_RADIATION = re.compile(r"radiotherapy|radiation", re.IGNORECASE)
_TREATS = {"TREATMENT", "PREVENTION", "SUPPORTIVE_CARE"}
_ROUTINE = re.compile(r"^(?:standard|usual|routine|conventional)\b", re.IGNORECASE)
_NOWHERE = 10_000


class Roles(NamedTuple):
    """The interventions by what they are for.

    :param tested: what the study is about, each product once.
    :param background: what those tested get besides, which the others get too, or everybody.
    :param control: what it is compared with and that does something.
    :param inactive: placebos, shams, saline, vehicles.
    :param placebo: whether some get a placebo.
    :param sham: whether some get a sham.
    :param untreated: whether there is a group that gets none of what is tested, and nothing instead of it.
    :param doses: whether groups differ in nothing but dose, form, time or length, as far as their names tell.
    """

    tested: tuple[Thing, ...]
    background: tuple[Thing, ...]
    control: tuple[Thing, ...]
    inactive: tuple[Thing, ...]
    placebo: bool
    sham: bool
    untreated: bool
    doses: bool


class _Arm(NamedTuple):
    """An arm with the products in it that do something, by what they are called in a sentence.

    :param blank: whether a placebo or a sham is among what it gets.
    """

    arm: Arm
    keys: frozenset[str]
    control: bool
    blank: bool = False


@remembered
def registered(trial: Trial) -> list[Thing]:
    """What is registered as an intervention, with the name to show for each."""
    texts = (trial.title, trial.official_title or "", trial.summary or "")
    watched = trial.study_type == "OBSERVATIONAL"
    found = [t for i in trial.interventions if i.name.strip() for t in things(i, texts)]
    return _apart([t for t in found if not (watched and t.type == "OTHER" and _is_illness(t.shown))])


@remembered
def roles(trial: Trial) -> Roles:
    """Who gets what. It reads titles, summary, interventions, arms, outcomes, study type, purpose and allocation."""
    found = registered(trial)
    titles = (trial.title, trial.official_title or "")
    if found and all(_PREPARES.search(one.name) for one in found) and (cells := _unlisted_cells(trial)):
        return Roles(cells, tuple(found), (), (), placebo=False, sham=False, untreated=False, doses=False)
    arms, types = trial.arms, {arm.type for arm in trial.arms}
    dull = {t.name for t in found if _dull(t, arms, titles)}
    if earlier := of_an_earlier_study(trial, dull):
        found, dull = [t for t in found if t.name not in dull], set()
        types -= INACTIVE_ARMS
    nothing = any(is_nothing(t.name) for t in found)
    live = [t for t in found if t.name not in dull and not is_nothing(t.name)]
    live = [t for t in live if not is_accessory(t.name)] or live
    live = [t for t in live if not _is_measured(t, trial)]
    if trial.primary_purpose in _TREATS:
        live = [t for t in live if t.type != "DIAGNOSTIC_TEST"] or live
    products = {key(t): t for t in reversed(live)}
    real = _without_forms([*reversed(products.values())])
    groups = [one._replace(blank=not dull.isdisjoint(one.arm.interventions)) for one in _arms(arms, live, trial)]
    split = _controls_apart(_split(real, groups, trial, titles), titles)
    return Roles(
        tuple(split.tested),
        tuple(split.background),
        tuple(split.control),
        tuple(t for t in found if t.name in dull),
        placebo="PLACEBO_COMPARATOR" in types
        or any(re.search("placebo", name, re.IGNORECASE) for name in dull)
        or (not earlier and placebo_within(trial)),
        sham="SHAM_COMPARATOR" in types or any(re.search(r"\bsham", name, re.IGNORECASE) for name in dull),
        untreated=split.untreated or "NO_INTERVENTION" in types or (nothing and bool(split.tested)),
        doses=split.doses,
    )


_FORM = re.compile(
    r"\W*(?:injections?|infusions?|tablets?|capsules?|sprays?|solutions?|doses?|administration|therapy|treatment|group"
    r"|only|alone|\W)+",
    re.IGNORECASE,
)


def _without_forms(found: list[Thing]) -> list[Thing]:
    """The things without those that are another one in a form: "substance P injections" beside "substance P"."""
    names = {t.shown.casefold() for t in found if len(t.shown) > 3}
    return [t for t in found if not any(_is_form(t.shown.casefold(), name) for name in names)]


def _is_form(shown: str, name: str) -> bool:
    return shown != name and shown.startswith(name) and bool(_FORM.fullmatch(shown, len(name)))


def _unlisted_cells(trial: Trial) -> tuple[Thing, ...]:
    """Cells that only the label of a group names, where what is registered merely prepares for them."""
    for arm in trial.arms:
        bare = re.sub(r"\s*\([^()]*\).*", "", arm.label).strip(" .")
        if re.search(r"\bcells?\b", bare, re.IGNORECASE):
            return (thing(Intervention(name=bare, type="BIOLOGICAL", description=arm.label)),)
    return ()


def _is_measured(one: Thing, trial: Trial) -> bool:
    """Whether what is registered as an intervention is something in the body that a main measure counts."""
    if one.type not in {"OTHER", "GENETIC", "BIOLOGICAL"} or trial.primary_purpose in _TREATS or len(one.shown) < 3:
        return False
    name = re.escape(one.shown.removesuffix("s"))
    counted = r"(?:express\w*|levels?|concentrations?|percentages?|numbers?|counts?)"
    pattern = re.compile(rf"\b{counted}\b.{{0,60}}\b{name}|\b{name}\w*.{{0,20}}\b{counted}\b", re.IGNORECASE)
    return any(o.kind == "primary" and pattern.search(o.measure) for o in trial.outcomes)


def _is_illness(name: str) -> bool:
    """Whether what is registered as an intervention is the illness that the study looks at."""
    return can_have(name) and not re.search(
        r"test|protocol|challenge|treat|therap|question|vaccin|training", name, re.IGNORECASE
    )


def _apart(things: list[Thing]) -> list[Thing]:
    """The things; those that only what stands in brackets tells apart are called by it too: ``Chiba needle``."""
    shown = [t.shown for t in things]
    return [t._replace(shown=_told(t)) if shown.count(t.shown) > 1 else t for t in things]


def _told(one: Thing) -> str:
    inside = None if one.code else re.search(r"\(([A-Za-z][a-z]{3,}(?: [a-z]{3,})?)\)", one.name)
    return (
        f"{inside[1]} {one.shown}"
        if inside and not re.match("version|single|dose|phase|part", inside[1].lower())
        else one.shown
    )


def key(one: Thing) -> str:
    """One product, though it may be registered for each dose."""
    return (one.shown or one.name).casefold()


def _dull(one: Thing, arms: Iterable[Arm], titles: Iterable[str]) -> bool:
    """Whether an intervention is a placebo or a sham: by its name, by its other names, or by who gets it."""
    given, number = [arm for arm in arms if one.name in arm.interventions], len([*arms])
    also = any(name.casefold() in {"placebo", "sham", "placebo control"} for name in one.other_names)
    if is_inactive(one.name) or (also and all(arm.type != "EXPERIMENTAL" for arm in given)):
        return True
    if not given or len(given) == number:
        return not given and number > 1 and is_blank(one.name)
    if all(arm.type in INACTIVE_ARMS for arm in given):
        return not is_usual(one.name) and not _ROUTINE.match(one.name)
    named = re.search(r"saline|vehicle", " ".join(titles), re.IGNORECASE)
    return bool(is_blank(one.name) and not named) and all(
        arm.type != "EXPERIMENTAL" or len(arm.interventions) > 1 or _CONTROL_LABEL.search(arm.label) for arm in given
    )


def _arms(arms: Iterable[Arm], live: list[Thing], trial: Trial) -> list[_Arm]:
    """The arms, each a control or not. If there is an experimental one, all others are controls."""
    known: dict[str, set[str]] = {}
    for product in live:
        known.setdefault(product.name, set()).add(key(product))
    found = [
        _Arm(arm, frozenset(key for name in arm.interventions for key in known.get(name, ())), _is_control(arm))
        for arm in arms
    ]
    if any(one.arm.type == "EXPERIMENTAL" and not one.control for one in found):
        found = [one._replace(control=one.control or one.arm.type != "EXPERIMENTAL") for one in found]
    elif all(one.control for one in found):
        found = [one._replace(control=False) for one in found]
    if not any(one.control for one in found):
        for index, one in enumerate(found):
            if one.keys and _alone(one, trial) and any(one.keys < other.keys for other in found):
                found[index] = one._replace(control=not any(o.keys and o.keys < one.keys for o in found))
    return found


def _alone(one: _Arm, trial: Trial) -> bool:
    """Whether an arm that gets less stands for the comparison, and not for the first part of a first test."""
    return (
        trial.allocation == "RANDOMIZED" or trial.study_type == "OBSERVATIONAL" or one.arm.type == "ACTIVE_COMPARATOR"
    )


def _is_control(arm: Arm) -> bool:
    if arm.type in {"PLACEBO_COMPARATOR", "SHAM_COMPARATOR", "NO_INTERVENTION"}:
        return True
    if arm.type == "EXPERIMENTAL":
        return bool(re.match(r"\s*(?:controls?(?: (?:group|arm))?|placebo|sham)\W*$", arm.label, re.IGNORECASE))
    return bool(_CONTROL_LABEL.search(arm.label))


class _Split(NamedTuple):
    tested: list[Thing]
    background: list[Thing]
    control: list[Thing]
    untreated: bool
    doses: bool


def _split(real: list[Thing], arms: list[_Arm], trial: Trial, titles: tuple[str, str]) -> _Split:
    ours = [one for one in arms if not one.control and one.keys]
    theirs = [one for one in arms if one.control]
    cells = re.search(r"\bcells?\b|\bCAR\b|TCR|leucel", f"{' '.join(titles)} {trial.summary or ''}", re.IGNORECASE)
    if real and cells and not _named(real, titles) and all(_PREPARES.search(t.name) for t in real):
        return _Split([], real, [], False, False)  # they prepare for what is tested, and that is not registered
    if not ours:
        return _Split(_named(real, titles) or real, [], [], False, False)
    mine = frozenset[str]().union(*(one.keys for one in ours))
    your = frozenset[str]().union(*(one.keys for one in theirs)) if theirs else frozenset[str]()
    only = mine - your
    given = [t for t in real if key(t) in mine]
    without = any(not one.keys for one in theirs if one.arm.type not in INACTIVE_ARMS and not one.blank)
    if not your:
        tested, background = _without_control(given, ours, trial, titles)
        if any(len(one.arm.interventions) > 1 and not one.keys for one in theirs):  # a placebo for each of them
            tested, background = given, []
        return _Split(tested, background, [], without, len(ours) > 1 and len({one.keys for one in ours}) == 1)
    if not only:  # the same on both sides: they differ in dose, form or time, which names may not tell
        tested = _named(given, titles) or given
        return _Split(tested, [t for t in given if t not in tested], [], without, True)
    tested = [t for t in given if key(t) in only]
    background = [t for t in given if key(t) in your]
    control = [t for t in real if key(t) in your - mine]
    minor = [t for t in tested if _minor(t, tested, titles)]
    tested, background = [t for t in tested if t not in minor], [*background, *minor]
    parts = all(one.arm.type == "EXPERIMENTAL" for one in theirs)  # of a platform, where none is the control
    new = [t for t in background if not _known(t) and (parts or _named([t], titles))]
    if new and all(map(_known, tested)):  # a new drug for all, with and without a known one
        tested, background = new, [*(t for t in background if t not in new), *tested]
    shared = {key(t) for t in background}
    alone = any(one.keys <= shared for one in theirs if one.arm.type not in INACTIVE_ARMS and not one.blank)
    return _Split(tested, background, control, alone or without, False)


def _controls_apart(split: _Split, titles: tuple[str, str]) -> _Split:
    """What is called a control, by its own name or by a title that says "versus", is not tested."""
    called = [t for t in split.tested if re.match(r"(?:active )?(?:control|comparator)\b", t.name, re.IGNORECASE)]
    for title in titles:
        before, word, after = _VERSUS.sub("\n", title, 1).partition("\n")
        ours, theirs = (_named(split.tested, (part, "")) for part in (before, after))
        if word and ours and len(split.tested) > 1 and not called:
            called = [t for t in theirs if t not in ours and split.background]
    if not called or len(called) == len(split.tested):
        return split
    return split._replace(tested=[t for t in split.tested if t not in called], control=[*split.control, *called])


_VERSUS = re.compile(r"\b(?:versus|vs\.?|compared (?:with|to)|in comparison (?:with|to))(?=\s)", re.IGNORECASE)


def _minor(one: Thing, tested: list[Thing], titles: tuple[str, str]) -> bool:
    """Whether a thing only prepares for another one that is tested, or is a standard treatment beside a new one."""
    others = [t for t in tested if t is not one]
    cells = any(_CELLS.search(f"{t.name} {t.description} {' '.join(titles)}") for t in others)
    if cells and _PREPARES.search(one.name) and not _named([one], titles):
        return True
    standard = [
        bool(_STANDARD.search(t.name) or (_RADIATION.search(t.name) and not _named([t], titles)))
        for t in (one, *others)
    ]
    return standard[0] and not all(standard)


def _without_control(
    given: list[Thing], ours: list[_Arm], trial: Trial, titles: tuple[str, str]
) -> tuple[list[Thing], list[Thing]]:
    """Tested and background where no arm is there to compare with."""
    every = frozenset[str](ours[0].keys).intersection(*(one.keys for one in ours))
    shared = [t for t in given if key(t) in every]
    rest = [t for t in given if key(t) not in every]
    solo = trial.allocation != "RANDOMIZED" and any(one.keys == every for one in ours)
    if shared and rest and solo and all(map(_known, shared)):
        return given, []  # a drug in use, alone too and not only with the rest
    if shared and rest:
        new = [t for t in shared if not _known(t)]
        if not new:
            return rest, shared
        if trial.allocation != "RANDOMIZED" or all(map(_known, rest)):
            tested = [t for t in given if t in new or not _known(t)]
            return tested, [t for t in given if t not in tested]
    minor = [t for t in given if is_usual(t.name) or _minor(t, given, titles)]
    left = [t for t in given if t not in minor] or given
    named = _named(left, titles)
    behind = [
        t for t in left if _known(t) and ((named and t not in named) or (_code_among(left) and not is_code(t.shown)))
    ]
    if len(behind) < len(left):
        left = [t for t in left if t not in behind]
    return left, [t for t in given if t not in left]


def _code_among(things: Iterable[Thing]) -> bool:
    """Whether one of them has no better name than a code, as new drugs have."""
    return any(t.code for t in things)


def _known(one: Thing) -> bool:
    """Whether it is a treatment that new ones are often added to."""
    return bool(_STANDARD.search(one.name) or _KNOWN_PARTNER.search(one.name) or _ROUTINE.search(one.name))


def _named(things: list[Thing], titles: tuple[str, str]) -> list[Thing]:
    """Those that a title names."""
    return [t for t in things if _position(t, titles) < _NOWHERE]


def _position(one: Thing, titles: tuple[str, str]) -> int:
    """Where the title names it first, of the two titles the one that does."""
    words = {word.casefold().removesuffix("e") for word in (one.shown, one.name, *one.other_names) if len(word) > 2}
    for title in map(str.casefold, titles):
        found = [title.find(word) for word in words if word in title]
        if found:
            return min(found)
    return _NOWHERE


# --- chance ---------------------------------------------------------------------------------------------------------


_NOT_CHANCE = re.compile(r"non-?randomi[sz]ed (?:part|phase|portion|cohort|safety|run)", re.IGNORECASE)
"""Words of a summary for a part of a trial that chance does not decide."""


@remembered
def chance(trial: Trial) -> str:
    """Between whom chance decides: ``all`` or ``some`` of the arms, ``none``; empty if that is not stated."""
    if trial.allocation != "RANDOMIZED":
        return "none" if trial.allocation else ""
    if _NOT_CHANCE.search(trial.summary or ""):
        return "some"
    if placebo_within(trial):
        return "all"
    labels = [arm.label for arm in trial.arms]
    people = [bool(_PEOPLE_LABEL.search(label)) for label in labels]
    untreated = any(arm.type == "NO_INTERVENTION" for arm in trial.arms)
    if len(labels) > 1 and (
        (all(people) and len({arm.interventions for arm in trial.arms}) < 3) or (any(people) and untreated)
    ):
        return "none"  # the groups are people with and without an illness, which chance cannot give
    parts = [part and part[0].casefold() for part in map(_PART_LABEL.search, labels)]
    if any(len(_PART_LABEL.findall(label)) > 1 for label in labels):
        return "some"  # "experimental group in cohort 1, 2 and 3"
    if len(labels) < 3 or not any(parts):
        return "all"
    return "all" if all(parts.count(part) > 1 for part in parts) else "some"

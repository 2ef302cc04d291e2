"""What is tested, and what it is compared with, in words: a name with its kind beside it, or the kind alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.trial import Trial
from trialindex_writers.grammar import joined
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_kinds import Kind, kind
from trialindex_writers.plain_names import is_generic_name, short
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_roles import Roles, roles
from trialindex_writers.plain_things import Thing, is_accessory, is_usual

_LONGEST = 48
"""How many characters a name may have in a sentence."""
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_JARGON = re.compile(
    r"immunotherapy|subcutaneous|sublingual|intradermal|epicutaneous|transforaminal|percutaneous|fluoroscop|extract"
    r"|neuroplasty|provocation|seeding|hydroly|infiltration|plane block|allergoid|polymeri[sz]ed|recombinant"
    r"|humani[sz]ed|monoclonal|injection|autologous|chimeric|technology|system|supplement|protein|challenge|sampl|assay|antigen|intervention|technique",
    re.IGNORECASE,
)
_BROAD = {
    "instrument",
    "test",
    "food",
    "diet",
    "diets",
    "skin cream",
    "device",
    "worn device",
    "drugs",
    "targeted drug",
    "lab-made protein",
    "hormone",
}
"""Nouns that say too little to stand before a name."""
_TYPES = {
    "DRUG": "a drug",
    "BIOLOGICAL": "a biological product",
    "DEVICE": "a device",
    "BEHAVIORAL": "a behavioural method",
    "PROCEDURE": "a procedure",
    "RADIATION": "radiation",
    "GENETIC": "a genetic test or treatment",
    "DIETARY_SUPPLEMENT": "a food supplement",
    "DIAGNOSTIC_TEST": "a test",
    "COMBINATION_PRODUCT": "a product of several parts",
}


class Told(NamedTuple):
    """A thing that is tested.

    :param name: as it is shown; empty if it has only a jumble of words for a name.
    :param kind: what kind of thing it is, if that is known.
    """

    thing: Thing
    name: str
    kind: Kind | None


@remembered
def tested(trial: Trial) -> tuple[Told, ...]:
    """What is tested, each with its kind."""
    found = roles(trial).tested
    illness = about(trial)
    cancer = bool(illness and illness.group == "cancer")
    titles = (
        (trial.title, trial.official_title or "", trial.summary or "", " ".join(trial.keywords))
        if len(found) == 1
        else ()
    )
    return tuple(Told(one, _name(one), kind(one, cancer=cancer, titles=titles)) for one in found)


def _name(one: Thing) -> str:
    if one.generic:
        return ""
    name = one.shown if len(one.shown) <= _LONGEST else short(one.shown, _LONGEST)
    if name != one.shown and re.fullmatch(r"\w+(?:ic|al|ive|ed|ing)", name):
        return ""  # an adjective that was cut off from its noun
    return "" if re.fullmatch(r"[\W\d]*", name) else name


def is_nice(one: Told) -> bool:
    """Whether a name can stand in a headline: that of a drug, a brand, a food, not a code or a string of jargon."""
    name = one.name
    if not name or one.thing.code or len(name) > 30 or _JARGON.search(name) or re.search(r"[;:=%]|\d{2,}", name):
        return False
    words = name.split()
    return len(words) <= 3 and not re.search(r"[A-Z]{4,}|[a-z]\d|\d[a-z]", name.replace("COVID", ""))


_LOOKING = {
    "samples",
    "blood test",
    "skin test",
    "scan",
    "questions",
    "test",
    "worn device",
    "provocation test",
    "food tests under watch",
    "airway test",
}


def is_looking(one: Told) -> bool:
    """Whether it only looks: a sample, a test, a scan, questions."""
    return is_accessory(one.thing.name) or (one.kind is not None and one.kind.noun in _LOOKING)


# --- in a sentence --------------------------------------------------------------------------------------------------


@remembered
def in_full(trial: Trial) -> str:
    """As a sentence says it first: ``omalizumab, a lab-made antibody against allergy,``; empty if nothing is tested.

    The comma behind is for the sentence to drop at its end.
    """
    found = tested(trial)
    if not found:
        return ""
    if len(found) == 1:
        return _one(found[0])
    kinds = {one.kind for one in found}
    same = next(iter(kinds)) if len(kinds) == 1 else None
    names = [one.name or (one.kind.alone if one.kind else "") for one in found]
    if same and same.plural and len(found) in _NUMBERS:
        if all(names) and len(found) < 4:
            return f"{joined(names)}, {_NUMBERS[len(found)]} {same.plural},"
        return f"{_NUMBERS[len(found)]} {same.plural}"
    if same and len(found) > 3:
        return f"several forms of {same.noun}" if not same.plural else f"several {same.plural}"
    told = [_brief(one) for one in found[:3]]
    more = len(found) - 3
    text = joined([*dict.fromkeys(filter(None, told))])
    return f"{text}, among others," if more > 0 and text else text or "several treatments"


def _one(one: Told) -> str:
    if one.kind is None:
        sort = _TYPES.get(one.thing.type, "")
        if not one.name:
            return sort or "something that has no short name"
        return (
            f"{one.name}, {'a new drug' if one.thing.type in {'DRUG', 'BIOLOGICAL'} else sort},"
            if one.thing.code and sort
            else one.name
        )
    if not one.name:
        return one.kind.phrase
    if _says(one.name, one.kind):
        return one.name if not _JARGON.search(one.name) and one.kind.risk != "cells" else _with_name(one)
    if _JARGON.search(one.name) or (one.kind.mass and not is_nice(one) and not one.thing.code):
        return _with_name(one)
    return f"{one.name}, {one.kind.phrase},"


def _with_name(one: Told) -> str:
    """``allergy shots (AVANZ Phleum pratense)``; the name gives way where the kind has brackets or a comma."""
    assert one.kind
    phrase = re.sub(r"\s*\([^)]*\)", "", one.kind.phrase)
    return one.kind.phrase if "," in phrase and _JARGON.search(one.name) else f"{phrase} ({one.name})"


def _brief(one: Told) -> str:
    """Of several: the name with its noun behind, or one of them."""
    if not one.name:
        return one.kind.alone if one.kind else ""
    if one.kind is None or _says(one.name, one.kind) or one.kind.mass:
        return one.name
    return f"{one.name} ({one.kind.alone})"


def _says(name: str, its: Kind) -> bool:
    """Whether the name says what kind it is: "omega-3 fats", "wheat", "peanut SLIT" do."""
    words = {word.rstrip("s") for word in re.findall(r"[a-z]{4,}", name.lower())} - {"treatment"}
    return bool(words & {word.rstrip("s") for word in re.findall(r"[a-z]{4,}", f"{its.noun} {its.phrase}".lower())})


@remembered
def in_short(trial: Trial) -> str:
    """As a sentence says it again: the name, ``the two drugs``, ``it``."""
    found = tested(trial)
    if len(found) == 1:
        one = found[0]
        return (
            one.name
            if one.name and not _JARGON.search(one.name) and len(one.name) < 31
            else one.kind.alone
            if one.kind
            else one.name or "it"
        )
    names = [one.name or (one.kind.alone if one.kind else "") for one in found]
    if not all(names) or len(found) > 3 or sum(map(len, names)) > 60:
        return "one of them"
    return joined(names, "with" if together(trial) else "or")


@remembered
def together(trial: Trial) -> bool:
    """Whether one group gets several of the things that are tested."""
    names = {one.thing.name for one in tested(trial)}
    return any(len(names.intersection(arm.interventions)) > 1 for arm in trial.arms)


# --- in a headline --------------------------------------------------------------------------------------------------


@remembered
def for_headline(trial: Trial) -> list[str]:
    """What a headline may call it, the most telling first."""
    found = tested(trial)
    if not found:
        return []
    if len(found) == 1:
        return [*dict.fromkeys(filter(None, _calls(trial, found[0])))]
    kinds = {one.kind for one in found}
    names = [one.name for one in found if is_nice(one)]
    options = []
    if len(found) == 2 and len(names) == 2:
        options.append(joined(names))
    if len(kinds) == 1 and (same := next(iter(kinds))) is not None:
        noun = same.noun if same.mass else re.sub(r"ys$", "ies", f"{same.noun}s")
        options.append(f"{_NUMBERS.get(len(found), 'several')} {noun}" if not same.mass else noun)
    nouns = [*dict.fromkeys(one.kind.alone for one in found if one.kind)]
    if 1 < len(nouns) < 4:
        options.append(joined(nouns))
    if len(names) > 1 and len(found) < 4:
        options.append(joined(names))
    first = names[0] if is_nice(found[0]) else found[0].kind.alone if found[0].kind else ""
    if first:
        options.append(f"{first} with {'another treatment' if len(found) == 2 else 'other treatments'}")
    return options or ["several treatments"]


def _calls(trial: Trial, one: Told) -> list[str]:
    nice, its = is_nice(one), one.kind
    new = "new " if {"PHASE1", "PHASE2", "EARLY_PHASE1"} & set(trial.phases) and one.thing.code else ""
    if its is None:
        if nice:
            return [one.name]
        sort = (
            "a new drug"
            if one.thing.type in {"DRUG", "BIOLOGICAL"} and one.thing.code
            else _TYPES.get(one.thing.type, "")
        )
        longer = one.name if one.name and not one.thing.code and len(one.name) < 41 else ""
        return [longer, sort] if longer else [sort or "a treatment"]
    alone = f"a {new}{its.noun}" if new and not its.mass else its.alone
    if not nice:
        return [alone]
    if _says(one.name, its):
        return [one.name, alone]
    generic = is_generic_name(one.name.split()[-1]) or re.match(r"[A-Z]", one.name)
    if its.mass:
        return [f"{its.noun} ({one.name})" if generic else one.name, its.noun if generic else one.name, its.noun]
    named = f"the {its.noun} {one.name}" if generic and its.noun not in _BROAD else one.name
    return [named, one.name, alone]


# --- what it is compared with ---------------------------------------------------------------------------------------


@remembered
def background(trial: Trial) -> str:
    """What it is added to: ``carboplatin and pemetrexed``, ``chemotherapy``, ``usual care``; empty if nothing is."""
    illness = about(trial)
    cancer = bool(illness and illness.group == "cancer")
    kinds = {one.kind for one in tested(trial)}
    found = [
        one
        for one in roles(trial).background
        if (its := kind(one, cancer=cancer)) is None or not its.mass or its not in kinds
    ]
    return _listed(tuple(found), cancer=cancer)


def _listed(things: tuple[Thing, ...], *, cancer: bool) -> str:
    if not things:
        return ""
    if any(is_usual(one.name) for one in things) and len(things) == 1:
        return "usual care" if "care" in things[0].name.lower() else "usual treatment"
    names = []
    for one in things:
        its = kind(one, cancer=cancer)
        name = one.shown if 0 < len(one.shown) <= 34 and not one.generic else ""
        if its and its.noun == "chemotherapy":
            name = "chemotherapy"
        elif (not name or one.code or _JARGON.search(name)) and its:
            name = its.alone
        names.append(name or _TYPES.get(one.type, "another treatment"))
    names = [*dict.fromkeys(names)]
    return joined(names) if len(names) < 4 else f"{', '.join(names[:2])} and others"


@remembered
def versus(trial: Trial) -> list[str]:
    """What others get instead: ``a placebo``, ``pembrolizumab``, ``usual care``, ``carboplatin alone``."""
    found: Roles = roles(trial)
    illness = about(trial)
    cancer = bool(illness and illness.group == "cancer")
    said = [_listed((one,), cancer=cancer) for one in found.control]
    said = [*dict.fromkeys(said)]
    if len(said) > 3:
        said = ["other treatments"]
    if found.placebo:
        said.append(_placebo(found))
    if found.sham:
        said.append("a sham of it")
    if found.untreated and background(trial):
        said.append(f"{background(trial)} alone")
    elif found.untreated and not found.control:
        said.append("nothing of the kind")
    return said


def _placebo(found: Roles) -> str:
    """``a placebo``, with what it is if that is another food or plain saline."""
    shown = [one.shown or one.name for one in found.inactive if not re.search("placebo|sham", one.name, re.IGNORECASE)]
    names = [name for name in shown if re.search(r"\w", name)]  # brackets alone are no name
    if len(names) == 1 and len(names[0]) < 31:
        if re.search(r"saline|sodium chloride", names[0], re.IGNORECASE):
            return "salt water (placebo)"
        return f"a placebo ({names[0]})"
    return "a placebo"

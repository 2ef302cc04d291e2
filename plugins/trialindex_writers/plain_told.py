"""What is tested, and what it is compared with, in words: a name with its kind beside it, or the kind alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.trial import Trial
from trialindex_writers.grammar import an, joined
from trialindex_writers.plain_allergens import allergen
from trialindex_writers.plain_design import design
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_kinds import Kind, kind, kind_in
from trialindex_writers.plain_names import is_generic_name, short
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_roles import roles
from trialindex_writers.plain_things import Thing, is_accessory

_LONGEST = 48
"""How many characters a name may have in a sentence."""
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
JARGON = re.compile(
    r"immunotherapy|(?-i:\bSLIT\b|\bSCIT\b|\bS?OIT\b|\bAIT\b)|subcutaneous|sublingual|intradermal|epicutaneous|transforaminal|percutaneous|fluoroscop|extract"
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
TYPES = {
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
    cancer = is_cancer(trial)
    titles = (
        (trial.title, trial.official_title or "", trial.summary or "", " ".join(trial.keywords))
        if len(found) == 1
        else ()
    )
    told = []
    watched = trial.study_type == "OBSERVATIONAL"
    for one in found:
        if watched:  # what it describes of a study that only looks may be anything
            one = one._replace(description="")
        its, name = kind(one, cancer=cancer, titles=() if watched else titles), _name(one)
        if its is None and len(found) == 1 and len(trial.normalized_interventions) == 1:
            terms = (*trial.normalized_interventions, *trial.intervention_ancestors)
            its = kind_in("\n".join(term.name for term in terms), "ndm", cancer=cancer)
        if its and its.noun == "steroid spray" and not _INHALED.search(one.name) and _injected(one, trial):
            its = kind_in("corticosteroid", "n")
        if its and one.type == "PROCEDURE" and _either(one.name, titles, cancer=cancer):
            its = None
        if (its is None or its.noun in _FOODS) and (eaten := _eaten(one, trial)):
            its, name = eaten, ""
        food = allergen(illness.name) if illness else ""
        baked = "baked " if food and re.search(r"\bbaked\b", f"{one.name} {trial.title}", re.IGNORECASE) else ""
        told.append(Told(one, name, exact_kind(its, f"{baked}{food}")))
    named = {one.kind for one in told if one.name and one.kind}
    return tuple(one for one in told if one.name or one.kind not in named)


def _either(name: str, titles: tuple[str, ...], *, cancer: bool) -> bool:
    """Whether a name lists two kinds of things that a title puts against each other."""
    kinds = {kind_in(part, "n", cancer=cancer) for part in name.split(",")} if "," in name else set()
    return len(kinds) > 1 and bool(re.search(r"\bor\b|versus|\bvs\b", " ".join(titles[:2]), re.IGNORECASE))


@remembered
def is_cancer(trial: Trial) -> bool:
    """Whether the trial is about cancer, or may be as far as is stated."""
    illness = about(trial)
    return illness.group == "cancer" if illness else bool(_CANCER.search(f"{trial.title} {trial.official_title}"))


_CANCER = re.compile(r"cancer|tumou?r|carcinoma|leuk|lymphoma|neoplas|metasta|malignan|oncolog", re.IGNORECASE)
_FOODS = {"milk", "peanut", "food", "baked milk or egg", "lab-made protein", "diet"}
_EATEN = re.compile(r"oral immuno|\bS?OIT\b|tolerance induction|desensiti[sz]|\bSOTI\b", re.IGNORECASE)
_UNDER_TONGUE = re.compile(r"sublingual", re.IGNORECASE)


_INHALED = re.compile(r"inhal|spray|nasal|aerosol|turbuhaler|irrigation|rinse|respule", re.IGNORECASE)


def _injected(one: Thing, trial: Trial) -> bool:
    """Whether a steroid that most people breathe in is injected or put on the skin here."""
    text = f"{one.name} {one.description[:300]} {trial.title}"
    return bool(re.search(r"inject|intrapolyp|intralesion|infiltrat|\bcream\b|ointment", text, re.IGNORECASE))


def _eaten(one: Thing, trial: Trial) -> Kind | None:
    """The kind of a food that is given to get the body used to it."""
    illness = about(trial)
    if not illness or illness.group not in {"food", "allergy"} or trial.primary_purpose == "PREVENTION":
        return None
    text = f"{one.name} {one.description[:300]} {trial.title} {trial.official_title or ''}"
    if _UNDER_TONGUE.search(text):
        return kind_in("peanut sublingual" if allergen(illness.name) else "sublingual immunotherapy", "d")
    return kind_in("oral immunotherapy", "d") if _EATEN.search(text) else None


def exact_kind(its: Kind | None, food: str) -> Kind | None:
    """The kind with the food that it is about: ``rising amounts of peanut``."""
    if its is None or not food or "the food" not in its.phrase:
        return its
    phrase, noun = its.phrase.replace("the food", food), its.noun.replace("the food", food)
    return its._replace(phrase=phrase, noun=noun.replace("food drops", f"{food} drops"))


_COUNTED = re.compile(
    r".*\b(?:probiotic|mixture|device|stimulator|test|app|program(?:me)?|system|spray|vaccine|tablet|capsule|cream|gel"
    r"|formula|drug|medicine|brace|belt|implant|injection|block|infusion|invitation|balloon|diet|patch|solution|extract"
    r"|supplement|antibody|inhibitor|session|intervention|drink|textile|game|shot|mattress|device|headset|procedure)",
)
"""Ends of names that take an article."""


_GROUP = re.compile(r"\bgroup$", re.IGNORECASE)


def _name(one: Thing) -> str:
    if one.generic or _GROUP.search(one.shown):
        return ""  # the name of a sort of thing, or of a group of people
    name = one.shown if len(one.shown) <= _LONGEST else short(one.shown, _LONGEST)
    if re.fullmatch(r"\w+(?:ic|al|ive|ed|ing)", name) and (name != one.shown or name.islower()) and name not in _NOUNS:
        return ""  # an adjective that was cut off from its noun
    if (
        re.fullmatch(r"[a-z][^A-Z]*", name)
        and len(name.split()) < (6 if one.type == "DEVICE" else 4)
        and _COUNTED.fullmatch(name)
    ):
        name = an(name)
    return "" if re.fullmatch(r"[\W\d]*", name) else name


_NOUNS = {"acetylsalicylic", "feeding", "walking", "cooling", "training", "stretching", "breathing", "counseling"}


def is_nice(one: Told) -> bool:
    """Whether a name can stand in a headline: that of a drug, a brand, a food, not a code or a string of jargon."""
    name = one.name
    if not name or one.thing.code or len(name) > 30 or JARGON.search(name) or re.search(r"[;:=%]|\d{2,}", name):
        return False
    words = name.split()
    return len(words) <= 3 and not re.search(r"[A-Z]{4,}|[A-Za-z]\d|\d[a-z]", re.sub(r"COVID|[Vv]itamin \w+", "", name))


TESTS = {
    "tests",
    "breath test",
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
    "look inside with a tube",
}
"""Nouns of kinds that only look."""


def is_looking(one: Told) -> bool:
    """Whether it only looks: a sample, a test, a scan, questions."""
    return is_accessory(one.thing.name) or (one.kind is not None and one.kind.noun in TESTS)


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
            return f"{joined([*dict.fromkeys(names)])}, {_how_many(trial)} {same.plural},"
        return f"{_how_many(trial)} {same.plural}"
    if same and len(found) > 3:
        return f"several forms of {same.noun}" if not same.plural else f"several {same.plural}"
    told = [*dict.fromkeys(filter(None, map(_brief, found)))]
    if len(found) > 3:
        listed = f", {joined(told)}," if len(found) < 6 and len(" ".join(told)) < 90 else ""
        return _mixed(trial, f"{_number(trial)}{listed}")
    if len(found) == 2:
        first, second = map(_one, found)
        return _mixed(trial, f"{first} and {second}" if first != second else first)
    return _mixed(trial, joined(told)) if told else "several treatments"


def _mixed(trial: Trial, text: str) -> str:
    mixed = together(trial) and design(trial).sort == "mixed"
    return f"{text.rstrip(',')}, in different combinations," if mixed else text


@remembered
def _how_many(trial: Trial) -> str:
    """``two``; ``several`` where as many are not registered, so that some may stand for the same."""
    found = tested(trial)
    return _NUMBERS.get(len(found), "several") if len(found) <= len(trial.interventions) else "several"


def _number(trial: Trial) -> str:
    """``four new drugs``."""
    found = tested(trial)
    drugs = all(one.thing.type in {"DRUG", "BIOLOGICAL"} for one in found)
    new = "new " if drugs and all(one.thing.code for one in found) else ""
    return f"{_how_many(trial)} {new}{'drugs' if drugs else 'treatments'}"


@remembered
def listed(trial: Trial) -> str:
    """All that is tested, each with its kind in brackets, for the one place that has room for it."""
    found = tested(trial)
    if len(found) < 2:
        return in_full(trial).rstrip(",")
    told = [*dict.fromkeys(filter(None, map(_with_kind, found)))]
    if not told:
        return "several treatments"
    return joined(told) if len(told) < 7 else f"{', '.join(told[:6])} and others"


def _with_kind(one: Told) -> str:
    if not one.name:
        return one.kind.alone if one.kind else ""
    if one.kind is None or _says(one.name, one.kind) or one.kind.mass:
        return one.name
    return f"{one.name} ({one.kind.alone})"


def _one(one: Told) -> str:
    if one.kind is None:
        sort = TYPES.get(one.thing.type, "")
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
        return one.name if not JARGON.search(one.name) and one.kind.risk != "cells" else _with_name(one)
    if JARGON.search(one.name) or (one.kind.mass and not is_nice(one) and not one.thing.code):
        return _with_name(one)
    return f"{one.name}, {one.kind.phrase},"


def _with_name(one: Told) -> str:
    """``allergy shots (AVANZ Phleum pratense)``; the name gives way where the kind has brackets or a comma."""
    assert one.kind
    phrase = re.sub(r"\s*\([^)]*\)", "", one.kind.phrase)
    return one.kind.phrase if "," in phrase and JARGON.search(one.name) else f"{phrase} ({one.name})"


def _brief(one: Told) -> str:
    """Of several: the name, or what it is where it has none that tells something."""
    if one.name and not one.thing.code:
        return one.name
    return one.kind.alone if one.kind else one.name


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
            if one.name and not JARGON.search(one.name) and len(one.name) < 31
            else one.kind.alone
            if one.kind
            else one.name or "it"
        )
    names = [*dict.fromkeys(one.name or (one.kind.alone if one.kind else "") for one in found)]
    if not all(names) or len(found) > 3 or sum(map(len, names)) > 60:
        return "these treatments" if together(trial) else "one of them"
    if not together(trial):
        return joined(names, "or")
    return joined(names, "and" if design(trial).sort == "mixed" or len(names) > 2 else "with")


@remembered
def together(trial: Trial) -> bool:
    """Whether one group gets several of the things that are tested."""
    names = {one.thing.name for one in tested(trial)}
    if len(names) < len(tested(trial)):
        return True  # registered as one
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
    word = "and" if together(trial) else "or"
    if len(found) == 2 and len(names) == 2:
        options.append(joined(names, word))
    if len(kinds) == 1 and (same := next(iter(kinds))) is not None:
        noun = same.noun if same.mass else re.sub(r"ys$", "ies", f"{same.noun}s")
        number = "" if noun.startswith("two") else _how_many(trial)
        options.append(noun if same.mass else f"{number} {noun}")
    nouns = [*dict.fromkeys(one.kind.alone for one in found if one.kind)]
    each = [one.kind for one in found if one.kind and not (one.kind.mass and one.name)]  # cells are named for several
    told = all(one.kind for one in found) and len(each) == len({*each})
    if told and 1 < len(nouns) < 4 and len(nouns) == len({noun.split()[-1] for noun in nouns}):
        options.append(joined(nouns, word))
    if len(names) == len(found) < 4:
        options.append(joined(names, word))
    drugs = all(one.thing.type in {"DRUG", "BIOLOGICAL"} for one in found)
    new = "new " if drugs and any(one.thing.code for one in found) else ""
    ends = {one.kind.noun.split()[-1] for one in found if one.kind and not one.kind.mass}
    if len(ends) == 1 and all(one.kind and not one.kind.mass for one in found) and len(kinds) > 1:
        noun = re.sub(r"ys$", "ies", f"{next(iter(ends))}s")
        options.append(f"{_how_many(trial)} {'lab-made ' if noun == 'antibodies' else ''}{noun}")
    first = names[0] if is_nice(found[0]) else found[0].kind.alone if found[0].kind else ""
    if first and together(trial) and design(trial).sort != "mixed":
        options.append(f"{first} with {'another treatment' if len(found) == 2 else 'other treatments'}")
    return [*options, f"{_how_many(trial)} {new}{'drugs' if drugs else 'treatments'}"]


def _calls(trial: Trial, one: Told) -> list[str]:
    nice, its = is_nice(one), one.kind
    new = "new " if {"PHASE1", "PHASE2", "EARLY_PHASE1"} & set(trial.phases) and one.thing.code else ""
    if its is None:
        if nice:
            return [one.name]
        sort = (
            "a new drug"
            if one.thing.type in {"DRUG", "BIOLOGICAL"} and one.thing.code
            else TYPES.get(one.thing.type, "")
        )
        longer = one.name if one.name and not one.thing.code and len(one.name) < 41 else ""
        return [longer, sort] if longer else [sort or "a treatment"]
    alone = f"a {new}{its.noun}" if new and not its.mass else its.alone
    if not nice:
        return [alone]
    if _says(one.name, its):
        proper = is_generic_name(one.name.split()[-1]) or (its.mass and one.name == one.name.lower())
        return [one.name, alone] if proper else [alone, one.name]
    drug = one.thing.type in {"DRUG", "BIOLOGICAL"} and re.fullmatch(r"[a-z]{6,}", one.name)
    generic = bool(is_generic_name(one.name.split()[-1]) or re.match(r"[A-Z]", one.name) or drug)
    if its.mass:
        return [f"{its.noun} ({one.name})", its.noun] if generic else [its.noun, one.name]
    if not generic:
        return [alone, one.name]
    named = f"the {its.noun} {one.name}" if its.noun not in _BROAD else one.name
    return [named, one.name, alone]

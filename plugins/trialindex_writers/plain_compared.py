"""What is tested is added to, and what it is compared with, in words."""

from __future__ import annotations

import re

from trialindex.trial import Trial
from trialindex_writers.grammar import joined
from trialindex_writers.plain_design import design
from trialindex_writers.plain_kinds import kind
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_roles import Roles, roles
from trialindex_writers.plain_things import Thing, is_usual
from trialindex_writers.plain_told import JARGON, TYPES, is_cancer, tested


@remembered
def background(trial: Trial) -> str:
    """What it is added to: ``carboplatin and pemetrexed``, ``chemotherapy``, ``usual care``; empty if nothing is."""
    shared, some = design(trial).shared, design(trial).sort != "unknown"
    return _base(trial, frozenset(one.name for one in roles(trial).background if not some or one.name in shared))


@remembered
def partly(trial: Trial) -> str:
    """What only some of the groups get besides: ``pembrolizumab``; empty if nothing is."""
    return _base(trial, design(trial).partly, "or")


def _base(trial: Trial, names: frozenset[str], word: str = "and") -> str:
    cancer = is_cancer(trial)
    kinds = {one.kind for one in tested(trial)}
    found = [
        one
        for one in roles(trial).background
        if one.name in names and ((its := kind(one, cancer=cancer)) is None or not its.mass or its not in kinds)
    ]
    return _listed(tuple(found), word, cancer=cancer)


def _listed(things: tuple[Thing, ...], word: str = "and", *, cancer: bool) -> str:
    if not things:
        return ""
    if len(things) == 1 and is_usual(re.sub(r"\([^()]*\)", "", things[0].name)):
        return "usual follow-up" if re.search("follow", things[0].name, re.IGNORECASE) else "usual care"
    names = []
    for one in things:
        its = kind(one, cancer=cancer)
        name = one.shown if 0 < len(one.shown) <= 34 and not one.generic else ""
        if its and its.noun == "chemotherapy":
            name = "chemotherapy"
        elif (not name or one.code or JARGON.search(name)) and its:
            name = its.alone
        if re.fullmatch(r"(?:active[- ]?)?(?:control|comparator)s?(?: \w+)?", name, re.IGNORECASE):
            name = "another treatment"
        names.append(name or TYPES.get(one.type, "another treatment"))
    names = [*dict.fromkeys(names)]
    return joined(names, word) if len(names) < 4 else f"{', '.join(names[:2])} {word} others"


NOTHING = "no such treatment"
_USUAL = re.compile(r"traditional|standard|usual|conventional|routine|current|regular", re.IGNORECASE)


@remembered
def versus(trial: Trial) -> list[str]:
    """What others get instead: ``a placebo``, ``pembrolizumab``, ``usual care``, ``carboplatin alone``."""
    found: Roles = roles(trial)
    cancer = is_cancer(trial)
    sets = [{one.name for one in found.control} & set(arm.interventions) for arm in trial.arms]
    both = len(found.control) > 1 and any(len(names) == len({one.name for one in found.control}) for names in sets)
    ours = " ".join(one.name.casefold() for one in found.tested)
    said = [
        f"{_listed((one,), cancer=cancer)}{' alone' if one.name.casefold() in ours else ''}" for one in found.control
    ]
    said = [joined([*dict.fromkeys(said)])] if both and len(said) < 4 else [*dict.fromkeys(said)]
    if len(said) > 3:
        said = ["other treatments"]
    how = design(trial)
    if found.placebo and how.placebo:
        said.append(_placebo(found))
    if found.sham and how.placebo:
        said.append("a sham of it")
    if found.untreated and background(trial):
        said += [f"{background(trial)} alone"] if how.alone else []
    elif found.untreated and not found.control and how.nothing:
        said.append(_instead(trial))
    return said


def _instead(trial: Trial) -> str:
    """What a group without an intervention has, by its label."""
    idle = [arm.label for arm in trial.arms if arm.type == "NO_INTERVENTION"]
    alone = [label for label in idle if re.fullmatch(r"[A-Z][a-z]+(?: [a-z]+)? (?:alone|only)", label)]
    if alone and len(idle) == 1:
        return alone[0][:1].lower() + alone[0][1:]
    labels = [label for label in idle if _USUAL.search(label)]
    if not labels:
        return NOTHING
    follow = re.search(r"follow|visit|monitor|surveill", labels[0], re.IGNORECASE)
    return "usual follow-up" if follow else "usual care"


def _placebo(found: Roles) -> str:
    """``a placebo``, with what it is if that is another food or plain saline."""
    shown = [one.shown or one.name for one in found.inactive if not re.search("placebo|sham", one.name, re.IGNORECASE)]
    names = [name for name in shown if re.search(r"\w", name)]  # brackets alone are no name
    if len(names) == 1 and len(names[0]) < 31:
        if re.search(r"saline|sodium chloride", names[0], re.IGNORECASE):
            return "salt water (placebo)"
        return f"a placebo ({names[0]})"
    return "a placebo"

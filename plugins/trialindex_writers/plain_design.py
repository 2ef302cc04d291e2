"""How the groups differ: whether all that is tested is one thing in all of them, one each, or several combinations.

Sentences that pair what is tested with what it is compared with hold of simple designs alone. Of all others it is said
that there are several groups, which is true of each of them.
"""

from __future__ import annotations

from typing import NamedTuple

from trialindex.trial import Arm, Trial
from trialindex_writers.plain_placebo import INACTIVE_ARMS, placebo_within
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_roles import key, registered, roles
from trialindex_writers.plain_things import Thing


class Design(NamedTuple):
    """How the groups differ.

    :param sort: ``pair`` (those that get what is tested all get the same of it, and the others are alike), ``each``
        (on top of what all get, a group gets one thing), ``mixed`` (anything else) or ``unknown`` (no arm says).
    :param shared: names of what all groups get that get something that is tested.
    :param partly: names of what only some of them get.
    :param placebo: whether a group gets a placebo or a sham in place of what is tested, and nothing else for it.
    :param alone: whether a group gets what all get and nothing on top.
    :param nothing: whether a group gets nothing at all.
    :param solo: whether a group gets one of the things that are tested and nothing of what only some get.
    """

    sort: str
    shared: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()
    placebo: bool = True
    alone: bool = True
    nothing: bool = True
    solo: bool = False


@remembered
def design(trial: Trial) -> Design:
    """How the groups differ, by what is registered for each."""
    found = roles(trial)
    known: dict[str, set[str]] = {}
    for one in registered(trial):
        known.setdefault(one.name, set()).add(key(one))
    dull = frozenset(one.name for one in found.inactive)
    tested, control, base = (_keys(role) for role in (found.tested, found.control, found.background))
    given = [{k for name in arm.interventions for k in known.get(name, ())} for arm in trial.arms]
    if not any(keys & tested for keys in given):
        return Design("unknown")
    ours = [keys for keys in given if keys & tested]
    shared = base.intersection(*ours)
    names = {key(one): one.name for one in found.background}
    partly = base - shared
    options = [_option(arm, keys, dull, tested, control) for arm, keys in zip(trial.arms, given, strict=True)]
    bases = {frozenset(keys & base) for keys in given if keys}
    mine = {o for o in options if o[0]}
    others = {o for o in options if not o[0]}
    double = others and all(theirs for _, theirs, _ in others)  # each has a placebo of the other
    clean = all(not (has and theirs) for has, theirs, _ in options) and (
        double or not any(dull for has, _, dull in mine if has != tested)
    )
    if any(arm.type in INACTIVE_ARMS and keys & tested for arm, keys in zip(trial.arms, given, strict=True)):
        labels = [arm for arm in trial.arms if arm.type not in INACTIVE_ARMS]
        told = all(arm.type == "EXPERIMENTAL" and "placebo" not in arm.label.lower() for arm in labels)
        sort = "pair" if len(tested) == 1 and (told or len(trial.arms) == 2) else "mixed"
    elif clean and len(bases) < 2 and len({has for has, _, _ in mine}) == 1 and len(others) < 2:
        sort = "pair" if next(iter(mine))[0] == tested else "mixed"
    elif clean and len(bases) < 2 and all(len(has) == 1 or has == tested for has, _, _ in mine):
        alone = all(len(has) == 1 for has, _, _ in mine) or len({has for has, _, _ in mine}) == 1
        sort = "each" if alone else "mixed"
    else:
        sort = "mixed"
    return Design(
        sort,
        frozenset(names[k] for k in shared),
        frozenset(names[k] for k in partly if any(k in keys for keys in ours)),
        placebo=any(inactive and not theirs for _, theirs, inactive in others) or _only_named(trial),
        alone=any(
            not (has or theirs or inactive) and keys & base
            for (has, theirs, inactive), keys in zip(options, given, strict=True)
        ),
        nothing=any(
            not (keys or inactive) or arm.type == "NO_INTERVENTION"
            for arm, keys, (*_, inactive) in zip(trial.arms, given, options, strict=True)
        ),
        solo=any(not keys & partly for keys in ours),
    )


def fewer_than_groups(trial: Trial) -> bool:
    """Whether fewer people took part than there are groups, so that nobody was in some of them."""
    return trial.enrollment_type == "ACTUAL" and (trial.enrollment or 0) < max(len(trial.arms), 2)


def _only_named(trial: Trial) -> bool:
    """Whether a placebo is told by an arm's type or its words alone, and what is tested is listed there."""
    return placebo_within(trial) or any(arm.type in INACTIVE_ARMS for arm in trial.arms)


Option = tuple[frozenset[str], frozenset[str], bool]


def _option(arm: Arm, keys: set[str], dull: frozenset[str], tested: frozenset[str], control: frozenset[str]) -> Option:
    """What a group gets of what is tested, of what it is compared with, and whether it gets something inactive."""
    inactive = arm.type in INACTIVE_ARMS or not dull.isdisjoint(arm.interventions)
    return frozenset(keys & tested), frozenset(keys & control), inactive


def _keys(role: tuple[Thing, ...]) -> frozenset[str]:
    return frozenset(map(key, role))

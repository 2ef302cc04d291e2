"""What the findings of a text may be: naive Bayes over the table, with what speaks for each illness."""

from __future__ import annotations

import math
import operator
from bisect import insort
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from trialindex_readers.findings import LEVELS, Illness, Table, likelihood
from trialindex_readers.matching import Found

_DENIED = {1: 0.1, 2: 0.5, 3: 1.5}
"""What an illness loses for a finding that the text denies, by its level, in units of log-odds."""
_SAME_WORDS = 0.5
"""The share of a finding's words that may have spoken for the illness already, in another finding."""
_AGE_SPAN = 10.0
"""Years outside of the typical age that make an illness e times less likely."""
_SEX = 0.4
"""What an illness that is more often one sex's gains with it, and loses with the other."""
_NAMED = 6.0
"""What it tells that the text names the illness."""
_ROUNDING = 1e-9
"""By how much the same sum may differ when it is added in another order."""


@dataclass(frozen=True)
class Guess:
    """An illness, how likely it is, and what speaks for it.

    :param odds: a logarithm, comparable within one text.
    :param because: the findings, by their numbers, the strongest first.
    :param telling: they are two or more, or one that nearly tells it by itself.
    """

    illness: int
    odds: float
    because: tuple[int, ...]
    telling: bool


def weigh(
    table: Table,
    found: Sequence[Found],
    age: float | None,
    sex: str | None,
    named: Collection[int] = (),
    most: int | None = None,
) -> list[Guess]:
    """The illnesses that have any of these findings, the likeliest first.

    Each finding speaks for an illness by how much oftener it is met there than in all texts (the likelihood ratio of
    naive Bayes); what two findings say in the same words counts once.

    :param named: illnesses that the text names.
    :param most: how many are wanted: what cannot be among them is not weighed.
    """
    speaking: dict[int, list[tuple[float, int, Found]]] = defaultdict(list)
    odds: dict[int, float] = defaultdict(float)
    for one in found:
        usual = table.frequencies[one.finding]
        gains = {level: math.log(likelihood(level) / usual) for level in LEVELS}
        for number, level in table.illnesses_of(one.finding):
            if one.denied:
                odds[number] -= _DENIED[level]
            elif gains[level] > 0:
                speaking[number].append((gains[level] * one.share, level, one))
    before = {}
    for number in {*speaking, *named}:
        illness = table.illnesses[number]
        total = odds[number] + math.log(illness.prevalence) + _prior(illness, age, sex)
        before[number] = total + (_NAMED if number in named else 0.0)
    limits = {number: total + sum(gain for gain, _, _ in speaking[number]) for number, total in before.items()}
    guesses: list[Guess] = []
    best: list[float] = []
    for number in sorted(limits, key=lambda one: -limits[one]):
        if most is not None and len(best) >= most and limits[number] + _ROUNDING < best[most - 1]:
            break
        guesses.append(_guess(number, before[number], speaking[number]))
        insort(best, guesses[-1].odds, key=operator.neg)
    return sorted(guesses, key=lambda guess: (-guess.odds, guess.illness))


def _guess(number: int, total: float, gains: Sequence[tuple[float, int, Found]]) -> Guess:
    """An illness with what speaks for it: each finding by its gain, its level, and where it stands."""
    heard: set[int] = set()
    because = []
    alone = False
    for gain, level, one in sorted(gains, key=lambda told: (-told[0], told[2].finding)):
        new = len(one.words - heard) / len(one.words)
        if new >= _SAME_WORDS:
            total += gain * new
            heard |= one.words
            because.append(one.finding)
            alone = alone or (level == 3 and one.share == 1)
    return Guess(number, total, tuple(because), alone or len(because) > 1)


def _prior(illness: Illness, age: float | None, sex: str | None) -> float:
    """What age and sex say of an illness before any finding."""
    total = 0.0
    if age is not None:
        total -= max(0.0, illness.age_from - age, age - illness.age_to) / _AGE_SPAN
    if sex is not None and illness.sex:
        how, _, only = illness.sex.rpartition(" ")
        same = only == sex.lower()
        total += (_SEX if same else -_SEX) if how else (0.0 if same else -20.0)
    return total

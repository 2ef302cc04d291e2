"""Who takes part: children, women, healthy adults, people with an illness; how many; how old."""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.trial import Trial
from trialindex.trial.display import count
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_whom import when, which


class People(NamedTuple):
    """Who takes part.

    :param one: ``adult``.
    :param many: ``adults``.
    :param ages: ``aged 18 to 65``; empty if not stated.
    :param tail: what they have or do: `` with asthma``, `` who smoke``, `` at risk of asthma``; empty if not known.
    """

    one: str
    many: str
    ages: str
    tail: str

    def counted(self, number: int | None) -> str:
        """``51 children``, or ``children``."""
        return self.many if number is None else count(number, self.one, self.many)


_SPECIAL = tuple(
    (re.compile(pattern, re.IGNORECASE), one, many)
    for pattern, one, many in (
        (r"\bcaregivers?\b|\bcarers?\b|\bparents of\b", "carer", "carers"),
        (
            r"\b(?:physicians|nurses|health ?care workers|healthcare professionals|clinicians|medical staff)\b",
            "health worker",
            "health workers",
        ),
        (r"\bmothers of\b", "mother", "mothers"),
        (r"\bveterans?\b", "veteran", "veterans"),
        (r"\b(?:university|college) students?\b", "student", "students"),
    )
)
_PREGNANT = re.compile(r"\bpregnant|\bpregnanc|\bmaternal\b|\bprenatal|\bantenatal", re.IGNORECASE)
_TO_BE_PREGNANT = re.compile(r"\W*(?:healthy )?(?:pregnan|were .{0,12}pregnan)", re.IGNORECASE)
_NOT_PREGNANT = re.compile(r"(?:not|non-?)\s*(?:be |currently )?pregnan|pregnancy test", re.IGNORECASE)


def _pregnant(trial: Trial) -> bool:
    """Whether it takes pregnant women: the title says so, or a criterion begins with it."""
    asked = " ".join(text for text in trial.inclusion[:3] if _TO_BE_PREGNANT.match(text))
    text = f"{trial.title} {asked}"
    return bool(_PREGNANT.search(text)) and not _NOT_PREGNANT.search(text)


HABITS = {"smoking": "smoke", "vaping": "vape"}


@remembered
def people(trial: Trial) -> People:
    """The people that a trial takes."""
    one, many = _who(trial)
    return People(one, many, _ages(trial, many), _tail(trial))


def _who(trial: Trial) -> tuple[str, str]:
    low, high = trial.minimum_age, trial.maximum_age
    if trial.sex != "MALE" and not (high is not None and high < 12) and _pregnant(trial):
        return "pregnant woman", "pregnant women"
    for pattern, one, many in _SPECIAL:
        if pattern.search(trial.title):
            return one, many
    sex = trial.sex if trial.sex in {"FEMALE", "MALE"} else ""
    adult, child = (low or 0) >= 18, high is not None and high < 18
    names = {
        ("adult", "FEMALE"): ("woman", "women"),
        ("adult", "MALE"): ("man", "men"),
        ("adult", ""): ("adult", "adults"),
        ("child", "FEMALE"): ("girl", "girls"),
        ("child", "MALE"): ("boy", "boys"),
        ("child", ""): ("child", "children"),
        ("", "FEMALE"): ("woman or girl", "women and girls"),
        ("", "MALE"): ("man or boy", "men and boys"),
        ("", ""): ("person", "people"),
    }
    one, many = names["adult" if adult else "child" if child else "", sex]
    if high is not None and high <= 0.25:
        one, many = "newborn", "newborns"
    elif high is not None and high <= 1.5 and not sex:
        one, many = "baby", "babies"
    if healthy(trial):
        one, many = f"healthy {one}", f"healthy {many}"
    return one, many


_HEALTHY = re.compile(
    r"\bhealthy (?:\w+ )?(?:adult|volunteer|subject|participant|male|men|women|people|human"
    r"|individual|chinese|japanese|newborn|infant)",
    re.IGNORECASE,
)


@remembered
def healthy(trial: Trial) -> bool:
    """Whether all who take part are healthy: titles or criteria say so, and no illness is asked for."""
    if trial.study_type == "OBSERVATIONAL" or not trial.healthy_volunteers:
        return False
    illness = about(trial)
    if illness and illness.had:
        return False
    titles = f"{trial.title} {trial.official_title or ''}"
    if re.search(
        r"\b(?:and|or)\b.{0,40}\b(?:patients|subjects|participants|adults) with\b|\bpatients?\b", titles, re.IGNORECASE
    ):
        return False
    listed = (
        any(re.fullmatch(r"(?:normal )?healthy.*", name, re.IGNORECASE) for name in trial.conditions)
        and len(trial.conditions) == 1
    )
    criteria = " ".join(trial.inclusion[:4])
    asked = _HEALTHY.search(criteria) or re.match(r"\W*healthy\b", criteria, re.IGNORECASE)
    allergic = re.search(r"allerg|asthma|atopic|diagnosis|history of", criteria, re.IGNORECASE)
    return bool(listed or _HEALTHY.search(titles) or (asked and not allergic))


def _ages(trial: Trial, many: str) -> str:
    """``aged 18 to 65``, ``of 18 and older``, ``from 6 months to 5 years old``, ``up to 17 years old``."""
    low, high = trial.minimum_age or None, trial.maximum_age
    if high is not None and high >= 95:
        high = None
    if low is None and high is None:
        return ""
    if "newborn" in many and low is None:
        return f"up to {_age(high or 0)} old"
    if low is None:
        return f"up to {_age(high or 0)} old"
    if high is None:
        plain = low == 18 and re.search(r"adult|women|\bmen\b", many)
        return "" if plain else f"of {_number(low)} and older" if low == int(low) else f"of {_age(low)} and older"
    months = [round(one * 12) for one in (low, high) if abs(one * 12 - round(one * 12)) < 0.02]
    if len(months) == 2 and high < 8 and high != int(high):
        return f"from {months[0]} to {months[1]} months old"
    if low == int(low) and high == int(high):
        return f"aged {int(low)} to {int(high)}" if low != high else f"aged {int(low)}"
    return f"from {_age(low)} to {_age(high)} old"


def _number(years: float) -> str:
    return f"{int(years)}"


def _age(years: float) -> str:
    """``6 months``, ``5 years``, ``3 weeks``: rounded to the unit that says it shortest."""
    for unit, per in (
        ("year", 1.0),
        ("month", 12.0),
        ("week", 365.25 / 7),
        ("day", 365.25),
        ("hour", 365.25 * 24),
        ("minute", 365.25 * 1440),
    ):
        value = years * per
        if abs(value - round(value)) < 0.02 and round(value) >= 1:
            return count(round(value), unit)
    return f"{years:.1f} years" if years >= 0.05 else "a day"


def _tail(trial: Trial) -> str:
    illness = about(trial)
    if illness is None:
        return when(trial) if "childbirth" in when(trial) else ""
    if illness.name in HABITS:
        return f" who {HABITS[illness.name]}"
    if illness.had:
        return f" with {illness.name}{which(trial)}"
    if healthy(trial):
        return ""
    if trial.primary_purpose == "PREVENTION" and trial.study_type != "OBSERVATIONAL":
        return ""
    if mixed(trial):
        return "" if illness.several else f", with {illness.name} or without,"
    return ""


@remembered
def mixed(trial: Trial) -> bool:
    """Whether people with and without the illness are looked at side by side."""
    illness = about(trial)
    if illness is None or illness.had:
        return False
    looks = trial.primary_purpose in {"DIAGNOSTIC", "BASIC_SCIENCE", "SCREENING"} and trial.allocation != "RANDOMIZED"
    if trial.study_type != "OBSERVATIONAL" and not looks:
        return False
    groups = " ".join(arm.label for arm in trial.arms)
    text = f"{groups} {trial.title} {trial.study_population or ''}"
    return bool(trial.healthy_volunteers or re.search(r"control|healthy|without|non-", text, re.IGNORECASE))

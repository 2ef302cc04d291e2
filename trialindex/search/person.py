"""What a text says of the person it is about: age and sex. A hint that is shown, never a filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from trialindex import wording
from trialindex.search.results import Fit, Verdict
from trialindex.trial import Trial, format_age

_PER_YEAR = {"y": 1.0, "m": 12.0, "w": 365.25 / 7, "d": 365.25}
_UNIT = r"(?P<unit>years?|yrs?|y|months?|mos?|weeks?|wks?|days?)"
_AGES = (
    re.compile(rf"\b(?P<age>\d{{1,3}})[\s-]*{_UNIT}[\s-]*(?:/|of\s+)?(?:olds?|o|age)\b", re.IGNORECASE),
    re.compile(r"\b(?P<age>\d{1,3})\s*(?P<unit>y)/?o\b", re.IGNORECASE),
    re.compile(r"\b(?:aged?|i am|i'm|he is|she is|who is)\s+(?:about\s+)?(?P<age>\d{1,3})\b(?!\s*(?:%|mg|weeks|months|days))", re.IGNORECASE),
    re.compile(r"\b(?P<age>\d{1,3})\s?(?P<sex>[MF])\b"),
)
_FEMALE = re.compile(r"\b(woman|female|lady|girl|pregnant|mother|daughter|wife|she|her)\b", re.IGNORECASE)
_MALE = re.compile(r"\b(man|male|gentleman|boy|father|son|husband|he|his)\b", re.IGNORECASE)
_FAMILY = re.compile(r"\b(?:his|her|my|the patient's)\s+(?:\w+\s+)?(?:mother|father|son|daughter|wife|husband|sister|brother)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Person:
    """What is known of the person: age in years and sex, each from the user or from the text, or not at all."""

    age: float | None = None
    sex: Literal["FEMALE", "MALE"] | None = None

    def fits(self, trial: Trial) -> tuple[Fit, ...]:
        """How the trial's stated limits compare with what is known."""
        found = []
        if self.age is not None:
            stated = wording.age_range(trial.minimum_age, trial.maximum_age)
            verdict: Verdict = "fits"
            if trial.minimum_age is None and trial.maximum_age is None:
                verdict = "not stated"
            elif self.age < (trial.minimum_age or 0) or (trial.maximum_age is not None and self.age > trial.maximum_age):
                verdict = "does not fit"
            found.append(Fit(what="age", verdict=verdict, given=format_age(self.age), stated=stated))
        if self.sex is not None:
            verdict = "not stated" if trial.sex is None else "fits" if trial.sex in ("ALL", self.sex) else "does not fit"
            found.append(Fit(what="sex", verdict=verdict, given=self.sex.lower(), stated=wording.sex(trial.sex)))
        return tuple(found)


def read_person(text: str) -> Person:
    """The age and sex that *text* says the patient has; the first statement of each counts.

    Reads ``34 years old``, ``45-year-old man``, ``48 M``, ``6 mo old``, ``aged 70``, ``I am 34``.
    """
    age: float | None = None
    sex: Literal["FEMALE", "MALE"] | None = None
    matches = [match for pattern in _AGES if (match := pattern.search(text))]
    if matches:
        first = min(matches, key=lambda match: match.start())
        groups = first.groupdict()
        age = float(first["age"]) / _PER_YEAR[(groups.get("unit") or "y")[0].lower()]
        if groups.get("sex"):
            sex = "FEMALE" if groups["sex"].upper() == "F" else "MALE"
        if age > 120:
            age = None
    if sex is None:
        own = _FAMILY.sub(" ", text)
        female, male = _FEMALE.search(own), _MALE.search(own)
        if female and (not male or female.start() < male.start()):
            sex = "FEMALE"
        elif male:
            sex = "MALE"
    return Person(age, sex)

"""What a text says of the person it is about: age and sex. A hint that is shown, never a filter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trialindex.plugin.results import EligibilityCheck, Verdict
from trialindex.trial import Trial, display, format_age
from trialindex.trial.ages import last_birthday

_PER_YEAR = {"y": 1.0, "m": 12.0, "w": 365.25 / 7, "d": 365.25}
OLDEST = 120
"""Years; above it a number is no age."""

_NUMBER = r"(?<![\d./])(?P<age>\d{1,3}(?:\.\d+)?)"
_UNIT = r"(?P<unit>years?|yrs?|y|months?|mos?|weeks?|wks?|days?)"
_FEMALE_WORDS = "woman|female|lady|girl|mother|mom|mum|daughter|wife|sister|grandmother|aunt"
_MALE_WORDS = "man|male|gentleman|boy|father|dad|son|husband|brother|grandfather|uncle"
_PERSON = r"(?:woman|female|lady|girl|man|male|gentleman|boy)"
_RELATIVE = r"(?:(?:grand)?(?:mother|father|son|daughter)|mom|mum|dad|wife|husband|sister|brother|aunt|uncle|cousin)"
_STOP = r"(?=\s*(?:$|[,;!?)]|\.(?!\d)|(?:and|with|but|now|male|female|man|woman)\b))"
"""What ends a bare number that is an age; kilograms, weeks of pregnancy and ``of 3 children`` do not."""

_AGES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMBER}[\s-]*{_UNIT}[\s-]*(?:olds?|of\s+age)\b(?:[\s,]*(?-i:(?P<sex>[MF])\b))?",
        rf"{_NUMBER}[\s-]*(?P<unit>y)(?:r|ear)?[./]?\s?o\b\.?(?:[\s,]*(?-i:(?P<sex>[MF])\b))?",
        rf"(?<!at )(?<!since )(?<!from )(?<!by )\baged?\b\s*[:=]?\s*(?:about\s+|around\s+)?{_NUMBER}\b"
        rf"(?:\s*{_UNIT}\b)?(?!\s*(?:-|to|and)\s*\d)(?!\s*(?:%|mg|kg))",
        rf"\b(?:i am|i'?m|s?he is|s?he's|who is|patient is|{_RELATIVE} is)\s+(?:about\s+|now\s+)?{_NUMBER}"
        rf"(?:\s*(?:years?|yrs?))?{_STOP}",
        rf"\b{_PERSON}[\s,(]+(?:of\s+)?{_NUMBER}(?=\s*(?:$|[,;)]|\.(?!\d)))",
        rf"{_NUMBER}[\s,/]+{_PERSON}\b",
        rf"{_NUMBER}\s?(?-i:(?P<sex>[MF])\b)(?!\s*(?:spike|cells?|fever)\b)",
        r"^\W*(?-i:(?P<sex>[MF]))[\s/,]+(?P<age>\d{1,3})\b(?!\s*(?:%|mg|kg))",
    )
)
_NO_AGE_AFTER = re.compile(
    r"(?:\d\s*(?:years?)?\s*(?:-|to|and|or)|at least|over|under|above|below|than|up to|[<>≥≤]=?"
    r"|\bat|fever(?: of)?|temp(?:erature)?(?: of)?|grade|stage|class|type|phase|day|week|month|ecog)\s*$",
    re.IGNORECASE,
)
"""What stands before a number that looks like an age and is none: a limit, an age at an event, a degree."""
_FAHRENHEIT = range(95, 111)

_OTHERS = re.compile(
    r"family history\b[^.;\n]*"
    rf"|\bin\s+(?:(?:her|his|the)\s+)?{_RELATIVE}\b(?:\s*(?:,|and)\s*{_RELATIVE}\b)*"
    rf"|(?:(?<=\bhis\b)|(?<=\bher\b)|\bwhose|\bpatient's)\s+(?:\w+\s+)?{_RELATIVE}\b[^.;,\n]*"
    rf"|\b(?:my\s+)?(?:maternal\s+|paternal\s+|late\s+)?{_RELATIVE}\s+"
    rf"(?:(?:who\s+)?(?:had|died|was|passed|suffered|developed)|with)\b[^.;,\n]*"
    rf"|\b(?:fe)?male\s+pattern\b|\b{_PERSON}\s*(?:/|and|or)\s*{_PERSON}\b",
    re.IGNORECASE,
)
"""What a text says of somebody else than the patient."""
_MY_RELATIVE = re.compile(rf"\bmy\s+(?:\w+\s+)?{_RELATIVE}\b[^.;,\n]*", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:i am|i'?m|i have|i've)\b", re.IGNORECASE)
_FEMALE = re.compile(rf"\b(?:{_FEMALE_WORDS}|pregnant|she|her)\b", re.IGNORECASE)
_MALE = re.compile(rf"\b(?:{_MALE_WORDS}|he|his)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Person:
    """What is known of the person: age in years and sex, each from the user or from the text, or not at all.

    :param healthy: somebody who has no illness and wants to take part.
    """

    age: float | None = None
    sex: str | None = None
    healthy: bool = False

    def fits(self, trial: Trial) -> tuple[EligibilityCheck, ...]:
        """How the trial's stated limits compare with what is known."""
        found = []
        if self.age is not None:
            stated = display.age_range(trial.minimum_age, trial.maximum_age)
            verdict = _age_verdict(self.age, trial.minimum_age, trial.maximum_age)
            found.append(EligibilityCheck(what="age", verdict=verdict, given=format_age(self.age), stated=stated))
        if self.sex is not None:
            verdict = _sex_verdict(self.sex, trial.sex)
            found.append(
                EligibilityCheck(what="sex", verdict=verdict, given=self.sex.lower(), stated=display.sex(trial.sex))
            )
        return tuple(found)

    def mismatches(self, sex: str | None, minimum: float | None, maximum: float | None) -> int:
        """How many of a trial's limits do not fit what is known: 0, 1 or 2."""
        age_off = self.age is not None and _age_verdict(self.age, minimum, maximum) == "does not fit"
        return age_off + (self.sex is not None and _sex_verdict(self.sex, sex) == "does not fit")


def _age_verdict(age: float, minimum: float | None, maximum: float | None) -> Verdict:
    if minimum is None and maximum is None:
        return "not stated"
    above = maximum is not None and age > maximum and last_birthday(age) != maximum
    return "does not fit" if above or age < (minimum or 0) else "fits"


def _sex_verdict(sex: str, stated: str | None) -> Verdict:
    if stated is None:
        return "not stated"
    return "fits" if stated in ("ALL", sex) else "does not fit"


def read_person(text: str) -> Person:
    """The age and sex that *text* says the patient has; the first statement of each counts.

    Reads ``34 years old``, ``45-year-old man``, ``48 M``, ``6 mo old``, ``aged 70``, ``I am 34``, ``my son is 9``. What
    is said of the patient's relatives, or of an age at which something happened, is left out.
    """
    lines = [" ".join(line.split()) for line in text.splitlines()]  # long runs of blanks would cost minutes
    plain = re.sub("[‐-―]", "-", "\n".join(filter(None, lines))).replace("’", "'")
    plain = _OTHERS.sub(" ", plain)
    if _FIRST_PERSON.search(plain):  # else the relative is the patient: "my mother has lupus"
        plain = _MY_RELATIVE.sub(" ", plain)
    stated = min(filter(None, (_first_age(pattern, plain) for pattern in _AGES)), key=lambda m: m.start(), default=None)
    age = sex = None
    if stated is not None:
        groups = stated.groupdict()
        age = float(stated["age"]) / _PER_YEAR[(groups.get("unit") or "y")[0].lower()]
        sex = {"F": "FEMALE", "M": "MALE", None: None}[groups.get("sex")]
    if sex is None:
        female, male = _FEMALE.search(plain), _MALE.search(plain)
        if female and (not male or female.start() < male.start()):
            sex = "FEMALE"
        elif male:
            sex = "MALE"
    return Person(age, sex)


def _first_age(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    for match in pattern.finditer(text):
        start, age = match.start("age"), float(match["age"])
        fahrenheit = age in _FAHRENHEIT and match.groupdict().get("sex") == "F" and "unit" not in match.groupdict()
        if age <= OLDEST and not fahrenheit and not _NO_AGE_AFTER.search(text, max(0, start - 30), start):
            return match
    return None


_VOLUNTEER = re.compile(
    r"\bhealthy\s+(?:\w+\s+)?(?:volunteer|control|subject|participant)s?\b|\bnormal\s+volunteers?\b", re.IGNORECASE
)
_HEALTHY = re.compile(
    r"(?<!otherwise )(?<!previously )(?<!generally )\bhealthy\b(?!\s+(?:diet|eating|food|life))", re.IGNORECASE
)


def read_healthy(text: str, *, ill: bool) -> bool:
    """Whether *text* says that somebody healthy wants to take part.

    :param ill: it names an illness of theirs, so that only a *healthy volunteer* is one.
    """
    return bool(_VOLUNTEER.search(text) or (not ill and _HEALTHY.search(text)))


_PREGNANT = re.compile(
    r"\b(?P<no>not|isn'?t|never|non|denies (?:being)?|no longer|ruled out)?[\s-]*"
    r"(?:\b(?:currently|now)\s+)?(?:\d+\s*(?:weeks?|months?)\s+)?pregnant\b"
    r"|\bgravida?\b|\bG\d+\s?P\d+\b(?=[^.]{0,80}\b(?:weeks?|gestation)\b)|\bweeks?'?\s+(?:of\s+)?gestation\b",
    re.IGNORECASE,
)


def read_pregnancy(text: str) -> bool | None:
    """Whether *text* says that the patient is pregnant; ``None`` when it says nothing of it."""
    found = _PREGNANT.search(text)
    return None if found is None else not found["no"]

"""A reader of plain language that knows its sentences only from outside: it takes every fact out of them again.

It checks numbers, phases, ages, places, the state of the trial, who gets what, and what is said of everybody. A number
that it cannot place counts as wrong. The roles are read from the arms anew here, by rules of three lines: what only
placebo and sham arms get is never tested, what stands in every arm is never "compared".
"""

from __future__ import annotations

import re

from support.plain_cases import without_names
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.trial import Trial
from trialindex.trial.display import phase

_OPEN = {
    "is open to new people": {"RECRUITING"},
    "takes people by invitation only": {"ENROLLING_BY_INVITATION"},
    "is closed to new people": {"ACTIVE_NOT_RECRUITING"},
    "has ended": {"COMPLETED"},
    "does not know how far it has come": {"UNKNOWN"},
    "not yet open": {"NOT_YET_RECRUITING"},
    "was stopped early": {"TERMINATED"},
    "withdrawn before it began": {"WITHDRAWN"},
    "no longer on offer": {"NO_LONGER_AVAILABLE", "APPROVED_FOR_MARKETING"},
    "on hold": {"SUSPENDED", "TEMPORARILY_NOT_AVAILABLE"},
    "called off": {"WITHDRAWN"},
    "stopped early": {"TERMINATED"},
}
_OVER = {"COMPLETED", "TERMINATED", "WITHDRAWN", "NO_LONGER_AVAILABLE", "APPROVED_FOR_MARKETING"}
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_SEXES = {"FEMALE": r"\b(?:women|woman|girls?|pregnant)\b", "MALE": r"\b(?<!wo)m[ae]n\b|\bboys?\b"}


class Facts:
    """What was checked in headline and summary, and what of it is wrong."""

    def __init__(self, trial: Trial, plain: PlainLanguage) -> None:
        self.trial = trial
        self.checked = 0
        self.wrong: list[str] = []
        headline, sentences = plain.headline.text, [one.text for one in plain.summary]
        self.everything = " ".join([f"{headline}.", *sentences])
        self.own = re.sub(r"“[^”]*”", " ", without_names(self.everything, trial, "it"))
        self._states(headline, sentences)
        self._numbers()
        self._people()
        self._roles(headline, sentences)
        self._parts()

    def claim(self, true: bool, what: str) -> None:
        self.checked += 1
        if not true:
            self.wrong.append(what)

    def _states(self, headline: str, sentences: list[str]) -> None:
        status = self.trial.status
        for words, allowed in _OPEN.items():
            if words in self.own:
                self.claim(status in allowed, f'says "{words}" of a trial that is {status}')
        begun = (
            re.search(r"^This (?:[\w -]+ )?(?:trial|study)(?: \([^)]*\))?,? (\w+)", sentences[0]) if sentences else None
        )
        if begun and begun[1] in {"tests", "tested", "looks", "looked", "compares", "compared", "follows", "followed"}:
            past = begun[1].endswith("ed")
            self.claim(past == (status in _OVER), f'begins "{begun[0]}" and is {status}')
        access = self.trial.study_type == "EXPANDED_ACCESS"
        if status in {"TERMINATED", "WITHDRAWN", "SUSPENDED"} and sentences and not access:
            told = "stopped early|withdrawn|no longer on offer|on hold|never began"
            self.claim(bool(re.search(told, sentences[0])), "its first sentence does not say what became of it")
        if status == "NOT_YET_RECRUITING" and sentences:
            self.claim(
                "not yet open" in sentences[0] or self.trial.study_type == "EXPANDED_ACCESS", "not said to be planned"
            )

    def _numbers(self) -> None:
        trial = self.trial
        known = {trial.enrollment, len(trial.sites), len(set(trial.countries)) - 2, len(set(trial.countries))}
        text = self.own
        stated = re.findall(r"\((early phase 1(?: and phase 1)?|phase \d(?:(?:, | and )\d)*)\)", text)
        for said in stated:
            self.claim(said == phase(trial.phases), f"says {said}")
        text = re.sub(r"\((?:early )?phase [^)]*\)", " ", text)
        for unit, per in (("year", 1.0), ("month", 12.0), ("week", 365.25 / 7), ("day", 365.25), ("hour", 8766.0)):
            for low, high in re.findall(rf"from (\d+)(?: {unit}s?)? to (\d+) {unit}s? old", text):
                self.claim(
                    self._age(low, trial.minimum_age, per) and self._age(high, trial.maximum_age, per),
                    f"says {low}-{high}",
                )
        text = re.sub(r"from [^,;.]*? to [^,;.]*? old", self._between, text)
        for low, high in re.findall(r"aged (\d+)(?: to (\d+))?", text):
            right = self._age(low, trial.minimum_age, 1) and self._age(high or low, trial.maximum_age, 1)
            self.claim(right, f"says aged {low} to {high}")
        for high, unit in re.findall(r"up to (\d+) (\w+?)s? old", text):
            per = {"year": 1, "month": 12, "week": 365.25 / 7, "day": 365.25, "hour": 8766, "minute": 525960}.get(
                unit, 0
            )
            self.claim(self._age(high, trial.maximum_age, per), f"says up to {high} {unit}")
        for low, unit in re.findall(r"of (\d+)(?: (\w+?)s?)? and older", text):
            per = {"": 1, "year": 1, "month": 12, "week": 365.25 / 7, "day": 365.25}.get(unit, 0)
            self.claim(self._age(low, trial.minimum_age, per), f"says {low} and older")
        text = re.sub(r"aged \d+(?: to \d+)?|up to \d+ \w+ old|of \d+(?: \w+)? and older|COVID-19|type \d\b", " ", text)
        for number in re.findall(r"(?<![\w-])\d[\d,]*(?![\w-]*[A-Za-z]|\.\d)", text):
            self.claim(int(number.replace(",", "")) in known, f"says {number}")
        for place in re.findall(r"(\d[\d,]*) sites?\b", text):
            self.claim(int(place.replace(",", "")) == len(trial.sites), f"says {place} sites")

    def _between(self, found: re.Match[str]) -> str:
        """Ages with two units, such as "from 6 months to 11 years old"."""
        units = {"year": 1, "month": 12, "week": 365.25 / 7, "day": 365.25, "hour": 8766}
        ages = re.findall(r"(\d+) (year|month|week|day|hour)", found[0])
        for (number, unit), stated in zip(ages, (self.trial.minimum_age, self.trial.maximum_age), strict=False):
            if len(ages) == 2:
                self.claim(self._age(number, stated, units[unit]), f"says {number} {unit}")
        return " "

    @staticmethod
    def _age(said: str, stated: float | None, per: float) -> bool:
        return stated is not None and abs(int(said) - stated * per) < 0.6

    def _people(self) -> None:
        for sex, words in _SEXES.items():
            other = "MALE" if sex == "FEMALE" else "FEMALE"
            counted = re.search(rf"\d (?:healthy )?(?:{words})", self.own)
            if counted and not ("women and girls" in counted[0] or "men and boys" in counted[0]):
                self.claim(self.trial.sex != other, f"says {counted[0]} of a trial for {self.trial.sex}")
        if re.search(r"\d healthy", self.own):
            self.claim(self.trial.healthy_volunteers is True, "says healthy")
        known = {word for country in self.trial.countries for word in re.findall(r"[A-Z][a-z]+", country)}
        known |= {"Russia", "Vietnam", "Iran", "Turkey"} if known & {"Russian", "Viet", "Islamic", "Türkiye"} else set()
        for name in _COUNTRIES.intersection(re.findall(r"[A-Z][a-z]+", self.own)):
            self.claim(name in known, f"says {name}")

    def _roles(self, headline: str, sentences: list[str]) -> None:
        trial = self.trial
        dull = {
            n for arm in trial.arms if arm.type in {"PLACEBO_COMPARATOR", "SHAM_COMPARATOR"} for n in arm.interventions
        }
        real = {
            n
            for arm in trial.arms
            if arm.type not in {"PLACEBO_COMPARATOR", "SHAM_COMPARATOR"}
            for n in arm.interventions
        }
        first = re.sub(r"“[^”]*”", " ", sentences[0]) if sentences else ""
        for name in dull - real:
            if len(name) > 3 and re.search("placebo|sham", name, re.IGNORECASE):
                self.claim(
                    name.casefold() not in f"{headline} {first}".casefold(),
                    f"tests {name}, which only placebo arms get",
                )
        if re.search(r"chance deci", self.own):
            self.claim(trial.allocation == "RANDOMIZED", "says that chance decides")
        if re.search(r"\ball (?:get|got) (?:it|the same)", self.own):
            self.claim(len(trial.arms) < 2 or trial.intervention_model == "SINGLE_GROUP", "says that all get it")
        if "no treatment" in self.own:
            self.claim(trial.study_type == "OBSERVATIONAL", "says that no treatment is given")
        if "a placebo" in self.own or "(placebo)" in self.own:
            said = " ".join(
                [
                    *(i.name for i in trial.interventions),
                    *(o for i in trial.interventions for o in i.other_names),
                    *(f"{arm.label} {arm.description or ''}" for arm in trial.arms if trial.allocation == "RANDOMIZED"),
                ]
            )
            types = {arm.type for arm in trial.arms}
            self.claim("PLACEBO_COMPARATOR" in types or "placebo" in said.casefold(), "says that some get a placebo")

    def _parts(self) -> None:
        self.claim(
            " more" not in re.sub(r"\d+ more countries", "", self.own)
            or "more of" in self.own
            or "show more" in self.own,
            "counts what it does not name",
        )
        self.claim("None" not in self.own and "nan" not in self.own.split(), "an empty value")


_COUNTRIES = frozenset(
    """
    Argentina Australia Austria Belgium Brazil Bulgaria Canada Chile China Colombia Croatia Czechia Denmark Egypt
    Estonia Finland France Germany Greece Hungary India Indonesia Iran Ireland Israel Italy Japan Kenya Latvia Lithuania
    Malaysia Mexico Morocco Netherlands Norway Pakistan Peru Poland Portugal Romania Russia Serbia Singapore Slovakia
    Slovenia Spain Sweden Switzerland Taiwan Thailand Tunisia Turkey Ukraine Vietnam
    """.split()  # noqa: SIM905
)

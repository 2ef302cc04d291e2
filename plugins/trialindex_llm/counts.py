"""How many: people, sites, countries, groups, what is listed and not named, doses and times.

A number is checked by what it counts, which the words around it tell. One that counts people has to be the enrollment,
and so on; one of which they tell nothing has to stand in a field that its sentence names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from trialindex.plugin.trial_page import Sentence
from trialindex_llm.limits import ages, dates, phases
from trialindex_llm.numbers import UNIT, Number, lasts, numbers
from trialindex_llm.record import Record
from trialindex_writers.plain_kinds import kind_phrases

_PEOPLE = (
    "people|persons?|participants?|adults?|patients?|volunteers?|subjects?|individuals?|members?|survivors?|parents?|"
    "child(?:ren)?|m[ae]n|wom[ae]n|boys?|girls?|babies|baby|infants?|newborns?|teenagers?|adolescents?|carers?|caregivers?"
)
_NOUNS = {
    "people": _PEOPLE,
    "sites": "sites?|places?|locations?|cent(?:re|er)s?|hospitals?|clinics?|facilit(?:y|ies)",
    "countries": "countr(?:y|ies)",
    "groups": "groups?|arms?",
}
_ADJECTIVES = r"(?:(?!(?:in|of|at|for|and|or|to|by|with|per)\b)[a-z-]+ ){0,2}"
_COUNTED = {role: re.compile(rf"[ -]{_ADJECTIVES}(?:{nouns})\b", re.IGNORECASE) for role, nouns in _NOUNS.items()}
_ENROLLED_BEFORE = re.compile(
    r"\b(?:plan(?:s|ned)? (?:is |was )?(?:for|to (?:include|enroll?|recruit))|number (?:given|planned) is"
    r"|a (?:test|look|closer look) (?:in|at)|enroll?(?:s|ed|ment(?: is| of)?)?|recruit(?:s|ed)?|includ(?:es?|ed|ing))"
    r" (?:about |around |up to |a total of |roughly |some )?$",
    re.IGNORECASE,
)
_ENROLLED_AFTER = re.compile(
    r" (?:(?:was|were|are|is|have been|will be|to be) )?"
    r"(?:included|enrolled|recruited|join(?:ed)?\b|t(?:ook|ake) part)",
    re.IGNORECASE,
)
_MORE = re.compile(r" (?:more|other|further|additional)\b(?: main)?(?: (?P<noun>[a-z]+))?", re.IGNORECASE)
_LISTED = {"condit": "conditions", "illnes": "conditions", "treatm": "interventions", "interv": "interventions"}
_LISTED |= {"measur": "outcomes", "outcom": "outcomes", "countr": "countries", "site": "sites", "group": "arms"}
_NAMED = 4
"""How many of a list a sentence names at most."""
_DOSE = re.compile(
    r" ?(?:(?P<share>%|per ?cent\b)|(?P<unit>(?:mg|kg|g|mcg|µg|ml|l|cm|mm|km|gy|mmhg)\b(?:/\w+)?))", re.IGNORECASE
)
_KIND = re.compile(
    r"\b(type|stage|grade|class|level|part|version|cohort|factor|vitamin|step|group|arm)[ -]$", re.IGNORECASE
)
_TIME = re.compile(rf"[ -]({UNIT})\b", re.IGNORECASE)
_VAGUE = re.compile(
    r"\b(?:dozens?|hundreds|thousands|millions|hal(?:f|ves)|(?:a|one|two)[ -]thirds?|(?:a|one|three)[ -]quarters?|twice"
    r"|thrice|tens of|a couple)\b",
    re.IGNORECASE,
)
_UNSTATED = "which the fields it names do not state"


def problems(sentence: Sentence, record: Record) -> Iterator[str]:
    """Numbers that the record does not state, one line each."""
    text = re.sub(r"\s", " ", record.without_names(sentence.text))
    text, wrong_phases = phases(text, record)
    text, wrong_dates = dates(text, sentence, record)
    text, wrong_ages = ages(text, record)
    yield from (*wrong_phases, *wrong_dates, *wrong_ages)
    counts = _Counts(sentence, record)
    for number in numbers(text):
        if complaint := counts.complaint(number, text):
            around = text[max(0, number.start - 15) : number.end + 25].replace("\u00b7", " ")
            yield f'it says "{" ".join(around.split())}", {complaint}'
    for vague in _VAGUE.finditer(text):
        if vague[0].lower() not in counts.text.lower():
            yield f'it says "{vague[0]}", {_UNSTATED}'


class _Counts:
    """What a record counts, and what the fields of one sentence state in numbers."""

    def __init__(self, sentence: Sentence, record: Record) -> None:
        self.sentence = sentence
        self.record = record
        self.trial = record.trial
        self.text = record.text(sentence.fields)

    @cached_property
    def stated(self) -> set[float]:
        """Every number in those fields, and how much each of them lists."""
        found = {number.value for number in numbers(self.text)}
        for field in self.sentence.fields:
            value = getattr(self.trial, field)
            if isinstance(value, tuple):
                found.add(float(len(value)))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found.add(float(value))
        return found

    def complaint(self, number: Number, text: str) -> str:
        """What is wrong with a number; empty if it is stated."""
        before, after = text[: number.start], text[number.end :]
        if more := _MORE.match(after):
            return self._more(number.value, more["noun"] or "")
        if _ENROLLED_BEFORE.search(before) or _ENROLLED_AFTER.match(after):
            return self._counted("people", number.value, after)
        for role, pattern in _COUNTED.items():
            if found := pattern.match(after):
                return self._counted(role, number.value, after[found.end() :])
        if dose := _DOSE.match(after):
            unit = "(?:%|per ?cent)" if dose["share"] else re.escape(dose["unit"])
            written = rf"(?<![\d.,]){re.escape(number.text)}[\s-]*{unit}"
            return "" if re.search(written, self.text, re.IGNORECASE) else _UNSTATED
        if kind := _KIND.search(before):
            written = rf"\b{re.escape(kind[1])}[ -]{re.escape(number.text)}\b"
            return "" if re.search(written, self.record.everything, re.IGNORECASE) else _UNSTATED
        if time := _TIME.match(after):
            return "" if lasts(number.value, time[1], self.text) else _UNSTATED
        kinds, several = kind_phrases()
        if several.match(after):
            return "" if 2 <= number.value <= len(self.trial.interventions) else _UNSTATED
        if any(words.start() <= number.start < words.end() for words in kinds.finditer(text)):
            return ""  # two targets of an antibody: what the kind is, not how many
        if number.text.lower() == "one" or number.value in self.stated:
            return ""  # "one" is a word of every day where it counts nothing of the above
        return _UNSTATED

    def _counted(self, role: str, value: float, after: str) -> str:
        trial = self.trial
        if role == "people":
            number = trial.enrollment
            return "" if value == number else f"and the record's enrollment is {_or_not(number)}"
        if role == "groups":
            if value == len(trial.arms) or after.startswith(" or more") or (not trial.arms and value in self.stated):
                return ""
            single = value == 1 and trial.intervention_model == "SINGLE_GROUP"
            return "" if single else f"and the record has {len(trial.arms)}"
        if role == "countries":
            return "" if value == len(trial.countries) else f"and the record has {len(trial.countries)}"
        for country in trial.countries:
            if re.match(rf" in (?:the )?{re.escape(country)}(?!\w|,| and )", after):
                number = sum(site.country == country for site in trial.sites)
                return "" if value == number else f"and the record has {number} in {country}"
        return "" if value == len(trial.sites) else f"and the record has {len(trial.sites)}"

    def _more(self, value: float, noun: str) -> str:
        """``3 more conditions``: as many as a list has besides the few that a sentence can name."""
        known = next((field for start, field in _LISTED.items() if noun.lower().startswith(start)), None)
        fields = [known] if known else ["conditions", "interventions", "outcomes", "countries"]
        return "" if any(value in self._left(field) for field in fields) else "and the record does not bear it out"

    def _left(self, field: str) -> set[int]:
        trial = self.trial
        lists = [getattr(trial, field)]
        if field == "outcomes":
            lists.append([one for one in trial.outcomes if one.kind == "primary"])
        elif field == "conditions":
            lists.append({name.casefold() for name in trial.conditions})
        elif field == "interventions":
            lists += [one.other_names for one in trial.interventions]
        return {len(items) - named for items in lists for named in range(1, _NAMED + 1)}


def _or_not(number: int | None) -> str:
    return "not stated" if number is None else f"{number:,}"

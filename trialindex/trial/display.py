"""The registry's codes in words that a person uses.

Every function answers ``not stated`` for what the record does not state. A code that is not known here is shown as the
registry writes it, in small letters. The codes and what they mean are those of the ClinicalTrials.gov API v2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from trialindex.trial.ages import format_age
from trialindex.trial.record import Site
from trialindex.trial.sanitize import one_line

if TYPE_CHECKING:
    from trialindex.trial.record import Contact, Link, Reference, TrialDate

NOT_STATED = "not stated"

NO_ADVICE = (
    "For information only; this is not medical advice. Talk to your doctor, and read the full study record before "
    "you decide anything."
)


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 trial``, ``1,200 trials``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(items: Iterable[str], limit: int | None = None) -> str:
    """The items joined by semicolons; from *limit* on only counted: ``a; b and 3 more``."""
    lines = [line for line in map(one_line, items) if line]
    if limit is None or len(lines) <= limit:
        return "; ".join(lines) or NOT_STATED
    return f"{'; '.join(lines[:limit])} and {len(lines) - limit:,} more"


# --- codes ----------------------------------------------------------------------------------------------------------

_STATUS = {
    "ACTIVE_NOT_RECRUITING": "active, not recruiting",
    "ENROLLING_BY_INVITATION": "by invitation only",
    "TERMINATED": "stopped early",
    "WITHDRAWN": "withdrawn before it began",
    "AVAILABLE": "available outside a trial",
    "WITHHELD": "withheld by the registry",
}
_PHASE = {
    "EARLY_PHASE1": "early phase 1",
    "PHASE1": "phase 1",
    "PHASE2": "phase 2",
    "PHASE3": "phase 3",
    "PHASE4": "phase 4",
}
_STUDY_TYPE = {
    "INTERVENTIONAL": "a study that tests a treatment or other intervention",
    "OBSERVATIONAL": "a study that observes, without assigning a treatment",
    "EXPANDED_ACCESS": "access to a treatment outside a trial",
}
_SEX = {"ALL": "all sexes", "FEMALE": "female only", "MALE": "male only"}
_PURPOSE = {
    "DIAGNOSTIC": "diagnosis",
    "ECT": "education, counselling or training",
    "HEALTH_SERVICES_RESEARCH": "how care is organised",
    "DEVICE_FEASIBILITY": "whether a device works as designed",
}
_ALLOCATION = {
    "RANDOMIZED": "by chance (randomised)",
    "NON_RANDOMIZED": "not by chance (non-randomised)",
    "NA": "does not apply, there is one group",
}
_MODEL = {
    "SINGLE_GROUP": "one group",
    "PARALLEL": "groups side by side (parallel)",
    "CROSSOVER": "each group gets the interventions in turn (crossover)",
    "FACTORIAL": "interventions alone and combined (factorial)",
    "SEQUENTIAL": "groups one after another (sequential)",
    "COHORT": "a group of people followed (cohort)",
    "CASE_CONTROL": "people with and without the condition (case-control)",
    "CASE_ONLY": "people with the condition only (case-only)",
    "CASE_CROSSOVER": "each person compared with themselves at another time (case-crossover)",
    "ECOLOGIC_OR_COMMUNITY": "whole communities compared (ecologic)",
    "FAMILY_BASED": "members of families (family-based)",
}
_TIME = {
    "PROSPECTIVE": "looks forward (prospective)",
    "RETROSPECTIVE": "looks back (retrospective)",
    "CROSS_SECTIONAL": "one point in time (cross-sectional)",
}
_MASKING = {
    "NONE": "none, everybody knows who gets what (open label)",
    "SINGLE": "one party does not know who gets what (single blind)",
    "DOUBLE": "two parties do not know who gets what (double blind)",
    "TRIPLE": "three parties do not know who gets what (triple blind)",
    "QUADRUPLE": "four parties do not know who gets what (quadruple blind)",
}
_MASKED = {
    "PARTICIPANT": "participants",
    "CARE_PROVIDER": "care providers",
    "INVESTIGATOR": "investigators",
    "OUTCOMES_ASSESSOR": "those who assess the outcomes",
}
_SPONSOR = {
    "NIH": "US National Institutes of Health",
    "FED": "US federal agency",
    "OTHER_GOV": "government",
    "INDIV": "individual",
    "INDUSTRY": "company",
    "NETWORK": "research network",
    "AMBIG": "",
    "OTHER": "",
    "UNKNOWN": "",
}


def words(code: str | None, known: Mapping[str, str] | None = None) -> str:
    """The words for a code; without an entry in *known* the code itself, in small letters: ``DIETARY_SUPPLEMENT`` →
    ``dietary supplement``. Text that is no code is left as it is.
    """
    if not code:
        return NOT_STATED
    if known and code in known:
        return known[code]
    line = one_line(code)
    return line.replace("_", " ").lower() if re.fullmatch(r"[A-Z0-9_]+", line) else line or NOT_STATED


def with_term(text: str, code: str | None) -> str:
    """The words with the registry's own term beside them: ``recruiting (RECRUITING)``."""
    return f"{text} ({one_line(code)})" if code else text


def status(code: str | None) -> str:
    """``RECRUITING`` → ``recruiting``; ``TERMINATED`` → ``stopped early``."""
    return words(code, _STATUS)


def phase(codes: Sequence[str]) -> str:
    """``PHASE1, PHASE2`` → ``phase 1 and 2``; ``EARLY_PHASE1, PHASE1`` → ``early phase 1 and phase 1``; ``NA`` → ``does
    not apply``.
    """
    names = [words(code, _PHASE) for code in dict.fromkeys(codes) if code != "NA"]
    if not names:
        return "does not apply" if codes else NOT_STATED
    said = names[:1]
    for before, name in pairwise(names):
        said.append(name.removeprefix("phase ") if before.startswith("phase ") else name)
    return " and ".join(filter(None, [", ".join(said[:-1]), said[-1]]))


def study_type(code: str | None) -> str:
    """``OBSERVATIONAL`` → ``a study that observes, without assigning a treatment``."""
    return words(code, _STUDY_TYPE)


def sex(code: str | None) -> str:
    """``ALL`` → ``all sexes``."""
    return words(code, _SEX)


def purpose(code: str | None) -> str:
    """``DIAGNOSTIC`` → ``diagnosis``."""
    return words(code, _PURPOSE)


def allocation(code: str | None) -> str:
    """How people come into groups: ``RANDOMIZED`` → ``by chance (randomised)``."""
    return words(code, _ALLOCATION)


def model(code: str | None) -> str:
    """The intervention model or the observational model: ``CROSSOVER``, ``COHORT`` …"""
    return words(code, _MODEL)


def time_perspective(code: str | None) -> str:
    """``RETROSPECTIVE`` → ``looks back (retrospective)``."""
    return words(code, _TIME)


def masking(code: str | None, who: Iterable[str] = ()) -> str:
    """Who does not know which treatment is given, with the parties that the record names."""
    parties = ", ".join(words(party, _MASKED) for party in who)
    if not code:
        return f"not told who gets what: {parties}" if parties else NOT_STATED
    return f"{words(code, _MASKING)}: {parties}" if parties else words(code, _MASKING)


def sponsor(name: str | None, code: str | None) -> str:
    """The sponsor's name, with what kind of body it is where the registry's class says more than "other"."""
    kind = words(code, _SPONSOR) if code else ""
    line = one_line(name) or NOT_STATED
    return f"{line} ({kind})" if kind else line


# --- numbers, dates, places -----------------------------------------------------------------------------------------


def age_range(minimum: float | None, maximum: float | None) -> str:
    """Ages in years as words: ``from 18 to 65 years``, ``18 years and older``, ``up to 17 years``."""
    if minimum is None and maximum is None:
        return NOT_STATED
    if maximum is None:
        return f"{format_age(minimum or 0)} and older"
    last = format_age(maximum)
    if minimum is None:
        return f"up to {last}"
    first = format_age(minimum)
    if first == last:
        return last
    number, unit = first.split(" ", 1)
    return f"from {number if unit.rstrip('s') == last.split(' ', 1)[1].rstrip('s') else first} to {last}"


def who(minimum: float | None, maximum: float | None, code: str | None) -> str:
    """Age and sex together: ``from 18 to 65 years, all sexes``."""
    ages, sexes = age_range(minimum, maximum), sex(code)
    ages = "age not stated" if ages == NOT_STATED else ages
    return f"{ages}, {'sex not stated' if sexes == NOT_STATED else sexes}"


MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?=T|\s|$)")


def date(value: TrialDate | str | None) -> str:
    """A date with the precision it has: ``27 June 2026``, ``June 2026``, ``2026``; ``(expected)`` after estimated ones.

    An ISO date and time is shown as its date; other text as it is.
    """
    if not value:
        return NOT_STATED
    text, kind = (value, None) if isinstance(value, str) else (value.date, value.type)
    match = _DATE.match(text)
    if match is None or not 1 <= int(match[2] or 1) <= 12:
        return one_line(text) or NOT_STATED
    year, month, day = match.groups()
    parts = ([str(int(day))] if day else []) + ([MONTHS[int(month) - 1]] if month else []) + [year]
    return " ".join(parts) + (" (expected)" if kind == "ESTIMATED" else "")


def enrollment(number: int | None, kind: str | None = None) -> str:
    """How many people take part: ``18 people (expected)``."""
    if number is None:
        return NOT_STATED
    return count(number, "person", "people") + (" (expected)" if kind == "ESTIMATED" else "")


def distance(kilometres: float | None) -> str:
    """``less than 1 km``, ``12 km``, ``1,240 km``."""
    if kilometres is None:
        return NOT_STATED
    return "less than 1 km" if kilometres < 1 else f"{round(kilometres):,} km"


def yes_no(value: bool | None) -> str:
    return NOT_STATED if value is None else "yes" if value else "no"


def place(site: Site) -> str:
    """A site's name, city, state and country, those that are stated and each once."""
    parts = map(one_line, (site.name, site.city, site.state, site.country))
    return ", ".join(dict.fromkeys(filter(None, parts))) or NOT_STATED


def countable(sites: Iterable[Site]) -> bool:
    """Whether they can be counted: one of which nothing but a country is stated stands for any number of sites."""
    return not any(one_line(site.country) and site == Site(country=site.country) for site in sites)


def contact(person: Contact) -> str:
    """Name, role, affiliation, telephone and e-mail, those that are stated."""
    role = words(person.role) if person.role else None
    parts = map(one_line, (person.name, role, person.affiliation, person.phone, person.email))
    return ", ".join(filter(None, parts)) or NOT_STATED


def reference(publication: Reference) -> str:
    """A publication: what it is cited as, and its number in PubMed."""
    pmid = f"PubMed {one_line(publication.pmid)}" if publication.pmid else None
    return ", ".join(filter(None, (one_line(publication.citation), pmid))) or NOT_STATED


def link(page: Link) -> str:
    """A page: what it is called, and its address."""
    return " ".join(filter(None, (one_line(page.label), one_line(page.url)))) or NOT_STATED

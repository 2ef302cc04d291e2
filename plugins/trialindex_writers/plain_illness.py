"""The illness that a trial is about, by its everyday name, and whether everybody who takes part has it.

Everyday names stand in ``illnesses.tsv``, written for this project: by MeSH id, by MeSH name and by other names. Of
several registered conditions the trial is about the one that its titles name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from trialindex.trial import Trial
from trialindex_writers.plain_allergens import exact_allergy
from trialindex_writers.plain_everyday import Everyday, everyday, fold, table
from trialindex_writers.plain_names import can_have, illness, short
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_rules import rule


class Illness(NamedTuple):
    """What a trial is about.

    :param name: as it stands after "people with", such as ``severe asthma`` or ``lung cancer that came back``.
    :param gloss: what it is in a few words; empty if the name says it.
    :param group: see :class:`Everyday`.
    :param had: whether everybody who takes part has it.
    :param several: whether it names several illnesses.
    """

    name: str
    gloss: str
    group: str
    had: bool
    several: bool = False


class _Named(NamedTuple):
    """A registered condition: how it is called, where it stands in the titles, whether it is an illness."""

    entry: Everyday
    clinical: str
    place: int


_SECOND = 1000
"""From where on a place is in the second title."""
_NOWHERE = 10_000


@remembered
def conditions(trial: Trial) -> tuple[_Named, ...]:
    """The registered conditions that are illnesses, each once, those that the titles name first."""
    by_id = table()[0]
    found: dict[str, _Named] = {}
    titles = [fold(trial.title), fold(trial.official_title or "")]
    ids = {fold(term.name): by_id[term.id] for term in trial.normalized_conditions if term.id in by_id}
    spare = [by_id[term.id] for term in trial.normalized_conditions if term.id in by_id]
    for name in trial.conditions:
        entry = everyday(name) or ids.get(fold(name)) or ids.get(fold(" ".join(reversed(name.split(", ")))))
        if entry is None and len(trial.conditions) == 1 and spare:
            entry = spare[0]
        if entry is None:
            said = illness(name, 60)
            if not can_have(said) or len(said) < 3 or _NO_STATE.search(said):
                continue
            exact = exact_allergy("allergy", said) if _group(said) in {"allergy", "food"} else None
            entry = Everyday(exact[0], "", "allergy") if exact else _inside(said)
        place = min(_place(words, titles) for words in (fold(name), fold(entry.name), *_also(entry)))
        entry, place = _narrowed(entry, place, trial)
        found.setdefault(entry.name, _Named(entry, short(name), place))
    if not found:
        for term in trial.normalized_conditions:
            if term.id in by_id:
                entry = by_id[term.id]
                found.setdefault(entry.name, _Named(entry, term.name, _place(fold(term.name), titles)))
    if not found and not any(re.match("healthy|normal", name, re.IGNORECASE) for name in trial.conditions):
        titled = next(filter(None, map(_in_title, titles)), None)
        if titled:
            entry, place = _narrowed(titled, 0, trial)
            found[entry.name] = _Named(entry, entry.name, place)
    return tuple(sorted(found.values(), key=lambda one: one.place))


def _inside(said: str) -> Everyday:
    """An illness that the table does not know: by the name within it that the table knows, or as it is called."""
    group = _group(said)
    known = _in_title(fold(said)) if len(said.split()) > 2 else None
    if known and (group == known.group or {group, known.group} <= _ALLERGIC):
        return known
    return Everyday(_with_article(said), "", group)


_VAPING = re.compile(r"\bvap(?:e|ing)\b|e-?cigarette", re.IGNORECASE)


def _narrowed(entry: Everyday, place: int, trial: Trial) -> tuple[Everyday, int]:
    """The allergy that a title names, for an illness that is broader: ``peanut allergy`` for food allergy."""
    if entry.name == "smoking" and _VAPING.search(trial.title):
        return Everyday("vaping", entry.gloss, entry.group), place
    if entry.name == "cancer" and not _BASKET.search(f"{trial.title} {trial.official_title or ''}"):
        exact_cancer = _in_title(fold(trial.title)) or _in_title(fold(trial.official_title or ""))
        if exact_cancer and exact_cancer.group == "cancer":
            return exact_cancer, 0
    for number, title in enumerate((trial.title, trial.official_title or "")):
        exact = exact_allergy(entry.name, title)
        if exact:
            return Everyday(exact[0], "", entry.group), exact[1] + _SECOND * number
    return entry, place


_MILDER = re.compile(
    r"\b(?:mild|moderate|non-?severe|less severe|any severity|prevent\w*|predict\w*|risk)\b", re.IGNORECASE
)


def _severe(entry: Everyday, trial: Trial) -> bool:
    """Whether a title speaks of the illness only where it is severe."""
    if entry.name.startswith(("a ", "an ", "severe ")) or _MILDER.search(f"{trial.title} {trial.official_title or ''}"):
        return False
    folded = f" {fold(trial.title)} "
    names = [name for name in {fold(entry.name), *_also(entry)} if f" severe {name} " in folded]
    return any(folded.count(f" {name} ") == folded.count(f" severe {name} ") for name in names)


@lru_cache(maxsize=512)
def _in_title(title: str) -> Everyday | None:
    """The longest name of an illness that a folded title holds."""
    names, words = table()[1], title.split()
    for length in range(min(7, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            entry = names.get(" ".join(words[start : start + length]))
            if entry and entry.group not in {"addiction", "weight"} and entry.name not in _UMBRELLA:
                return entry
    return None


@cache
def _also(entry: Everyday) -> tuple[str, ...]:
    """All folded names that stand for an entry, its qualifiers apart."""
    return tuple(name for name, one in table()[1].items() if one == entry)


def _place(words: str, titles: list[str]) -> int:
    """Where a title names it, counted in characters; the brief title first."""
    for number, title in enumerate(titles):
        at = f" {title} ".find(f" {words} ") if words else -1
        if at >= 0:
            return at + _SECOND * number
    return _NOWHERE


_UMBRELLA = {
    "squamous cell cancer",
    "adenocarcinoma",
    "mental illness",
    "a lung disease",
    "an illness of the immune system",
    "illness of stomach or bowel",
    "heart disease",
    "mood disorders",
    "infections of the airways",
    "infections",
    "swelling",
    "pain",
    "stress",
    "cough",
    "airway disease",
    "leukocyte disorder",
    "hematologic diseases",
    "a movement disorder",
    "liver disease",
    "blood cancer",
    "injuries",
    "skin inflammation",
    "becoming allergic",
    "cancer linked to smoking",
}
"""Names that say nothing beside a more exact one."""
_NO_STATE = re.compile(
    r"\b(?:prognosis|risk|biomarkers?|quality|outcome|mortality|side effects?|immunotherapy|non-communicable)\b",
    re.IGNORECASE,
)
_COUNTED = rule(
    r"""
    (?:tumor|tumour|cyst|fracture|injury|wound|ulcer|hernia|infection|carcinoma|stenosis|lesion|aneurysm|stroke|attack)$
    """
)
_MASS = re.compile(r"(?:carcinoma|infection|stenosis)$", re.IGNORECASE)


def _with_article(name: str) -> str:
    if re.search(r"(?:disorder|syndrome|disease)$", name) and not re.search(r"^[A-Z]|['’]s ", name):
        return name
    counted = _COUNTED.search(name) and not _MASS.search(name) and not re.match(r"(?:an?|the) ", name)
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}" if counted else name


_GROUPS = (
    (
        "cancer",
        r"cancer|carcinoma|tumou?r|neoplas|sarcoma|lymphoma|leuk[ae]*mia|myeloma|melanoma|blastoma|glioma|metasta",
    ),
    ("food", r"(?:food|milk|egg|nut|peanut|wheat|fish|sesame|soy) (?:protein )?(?:allerg|hypersens)"),
    ("allergy", r"allerg|hypersensitiv|anaphyla|atop"),
    ("pain", r"pain|algia|sciatica|disc\b|disk\b|radicul|arthr"),
    ("headache", r"headache|migraine"),
    ("lungs", r"asthma|pulmon|lung|bronch|respirat"),
    ("skin", r"dermat|urticari|eczema|skin|prurit|psoria"),
    ("infection", r"infect|virus|sepsis|pneumon|tubercul|malaria"),
    ("mind", r"depress|anxi|schizo|stress|autis|psycho"),
)


def _group(name: str) -> str:
    return next((group for group, pattern in _GROUPS if re.search(pattern, name, re.IGNORECASE)), "other")


# --- which one, and who has it --------------------------------------------------------------------------------------

_BASKET = re.compile(r"solid tum|solid malign|solid cancer|malignan|cancers\b|tumou?rs\b|neoplasms\b", re.IGNORECASE)
_WITHOUT = rule(
    r"""
    \bhealthy\b
    \bnormal (?:controls?|subjects?|volunteers?|children|pregnan|women|individuals?)
    \bcontrols?\b
    \bcontrol group\b
    \bvolunteers?\b
    \b(?:wheat|milk|egg|peanut|nut|food|drug)[- ]tolerant
    \btolerant (?:controls?|patients|children|group)
    \bnon-?(?:allergic|atopic|asthmatic|sensiti[sz]ed|diseased)
    \bwith and without\b
    \bwithout (?:a )?(?:history of |known )?(?:asthma|allerg|atop|cancer|diabetes|disease|the disease)
    \bsiblings?\b
    """
)
_NEVER = re.compile(r"\bno (?:known |previous |prior )?(?:history|diagnosis) of\b|\bna[iï]ve\b", re.IGNORECASE)
"""Words for a group that lacks the illness."""
_INTRODUCED = re.compile(r"\b(?:early|timely|first) .{0,20}introduc|introduction of", re.IGNORECASE)
"""Titles of studies that give a food early, to those who may or may not become allergic."""
_RELATIVES = re.compile(
    r"\b(?:mothers|fathers|parents|(?:family )?(?:caregivers|carers)|families|relatives|spouses|partners) of\b",
    re.IGNORECASE,
)
"""Titles of studies in those who are close to people with the illness."""
_AT_RISK = rule(
    r"""
    \b(?:at (?:high |increased )?risk|high[- ]risk|predispos|family history|first[- ]degree)\b
    \b(?:parents?|siblings?|mother|father)\b
    """
)
_SUSPECTED = re.compile(r"-like symptoms|\bsuspect|\blabel(?:l?ed)?\b|\bpossible\b|\bsuspicion\b", re.IGNORECASE)


@remembered
def _labels(trial: Trial) -> str:
    return " ".join(arm.label for arm in trial.arms)


@remembered
def about(trial: Trial) -> Illness | None:
    """The illness that the trial is about; ``None`` if no illness is registered."""
    named = conditions(trial)
    if not named:
        return None
    first, *others = [one for one in named if not _within(one, named)] or [*named]
    titled = [one for one in (first, *others) if one.place < _NOWHERE]
    if others and all(one.entry.group == "cancer" for one in (first, *others)):
        return _cancers(trial, [first, *others], titled)
    cancers = [one for one in (first, *others) if one.entry.group == "cancer"]
    if len(cancers) > 1 and first in cancers:
        return _cancers(trial, cancers, [one for one in titled if one in cancers])
    if len(titled) > 1 and titled[0].place < _SECOND <= titled[1].place:
        titled = titled[:1]
    looks = trial.study_type == "OBSERVATIONAL" or trial.primary_purpose in _LOOKING
    if looks and len(titled) > 1 and len(trial.arms) in {1, 2}:
        titled = _grouped(titled, _labels(trial)) or titled
    several = titled if len(titled) > 1 else []
    if not titled and others and not _same_area([first, *others]):
        several = [first, *others]
    if len(several) > 1:
        joint = _joint(several, trial)
        had = _had(trial, several[0]) if joint == "and" else _had(trial, *several)
        joint = joint if had else "and" if trial.study_type == "OBSERVATIONAL" and len(several) == 2 else "or"
        if len(several) > 3:
            main, other = several[0].entry.name, several[1].entry.name
            allergic = all(one.entry.group in _ALLERGIC for one in several)
            listed = f"allergies such as {main}" if allergic else f"{main}, {other} or another illness"
            return Illness(listed, "", several[0].entry.group, had, True)
        names = [one.entry.name for one in several]
        both = f"{names[0]}, {names[1]} or both"
        listed = both if len(names) == 2 and joint == "or" and had else f"{', '.join(names[:-1])} {joint} {names[-1]}"
        return Illness(listed, "", several[0].entry.group, had, True)
    one = titled[0] if titled else first
    name = f"severe {one.entry.name}" if _severe(one.entry, trial) else one.entry.name
    return Illness(name, one.entry.gloss, one.entry.group, _had(trial, one))


def _grouped(named: list[_Named], labels: str) -> list[_Named]:
    """The one illness that the groups are told apart by; the others are what is looked for in them."""
    text = f" {fold(labels)} "
    found = [one for one in named if any(f" {name} " in text for name in _names(one))]
    return found if len(found) == 1 else []


def _within(one: _Named, named: Iterable[_Named]) -> bool:
    """Whether another condition says the same more exactly, as "severe asthma" does beside "asthma"."""
    words = set(fold(one.entry.name).split()) - {"a", "an", "the"}
    for other in named:
        theirs = set(fold(other.entry.name).split())
        if other is not one and words < theirs and other.place <= max(one.place, _SECOND - 1):
            return True
    if one.entry.name in _UMBRELLA and any(
        other.entry.name not in _UMBRELLA and other.place <= max(one.place, _SECOND - 1) for other in named
    ):
        return True
    alike = [other for other in named if other is not one and other.entry.group == one.entry.group]
    if one.entry.name in _BROAD and len(alike) == 1:
        return True
    allergic = [other for other in named if other.entry.group in _ALLERGIC and other is not one]
    return one.entry.name == "allergy" and bool(allergic) and min(other.place for other in allergic) <= one.place


_BROAD = {"food allergy", "cancer", "infections", "headaches", "pain"}
_ALLERGIC = {"allergy", "food", "nose", "lungs", "skin"}


def _same_area(named: list[_Named]) -> bool:
    return len({one.entry.group for one in named}) == 1


_TISSUES = {"squamous cell cancer", "carcinoma", "adenocarcinoma", "cancer", "a solid tumour"}
"""Names of cancers by their tissue, which say nothing beside where they sit."""


def _cancers(trial: Trial, named: list[_Named], titled: list[_Named]) -> Illness:
    """Of several cancers: none may be said of everybody."""
    words = [set(fold(one.entry.name).split()) for one in named]
    named = [one for one, its in zip(named, words, strict=True) if not any(other < its for other in words)]
    titled = [one for one in titled if one in named] or (named if len(named) == 1 else [])
    sited = [one for one in named if one.entry.name not in _TISSUES]
    if sited and len(sited) < len(named) and all(one in sited or one.place < _NOWHERE for one in named):
        named, titled = sited, [one for one in titled if one in sited]
        if len(named) == 1:
            titled = named
    had = _had(trial, *named)
    text = f"{trial.title} {trial.official_title or ''}"
    if len(titled) == 1 and not _BASKET.search(text) and not re.search(r"\bor\b|and/or", text):
        one = titled[0]
        return Illness(one.entry.name, one.entry.gloss, "cancer", had)
    advanced = (
        "advanced "
        if re.search(r"advanced|metasta|unresect|relapsed|refractory|recurrent", text, re.IGNORECASE)
        else ""
    )
    if len(named) > 3 or (_BASKET.search(text) and not titled):
        return Illness(f"{advanced}cancer of several kinds", "", "cancer", had, True)
    if len(named) < 2 or any(one.entry.name == "cancer" for one in named):
        return Illness(f"{advanced}cancer", "", "cancer", had, len(named) > 1)
    names = [one.entry.name for one in named]
    return Illness(f"{', '.join(names[:-1])} or {names[-1]}", "", "cancer", had, True)


def _joint(named: list[_Named], trial: Trial) -> str:
    """Whether people have both or one of them: ``and`` where the title says so and the criteria do not say "or"."""
    if len(named) != 2 or named[1].place >= _SECOND:
        return "or"
    between = fold(trial.title)[named[0].place : named[1].place]
    if re.search(r"\bwith$|\bwith (?:\w+ )?$", between):
        return "and"  # one that comes with the other
    criteria = fold(" ".join(trial.inclusion[:15]))
    pair = "|".join(re.escape(fold(one.entry.name)) for one in named)
    either = re.search(rf"\b(?:{pair})\b \w* ?or \w* ?(?:{pair})\b", criteria)
    joined = re.search(r"\b(?:and|with)\b", between) or all(_required(trial, one) for one in named)
    return "and" if joined and " or " not in between and not either else "or"


def _had(trial: Trial, one: _Named, *others: _Named) -> bool:
    """Whether everybody who takes part has the illness: no healthy people, and none who are only at risk.

    :param others: what people may have instead.
    """
    if _RELATIVES.search(f"{trial.title} {trial.official_title or ''}"):
        return False
    if one.entry.group == "food" and _INTRODUCED.search(f"{trial.title} {trial.official_title or ''}"):
        return False
    required = _required(trial, one)
    if one.entry.group == "infection" and trial.primary_purpose != "TREATMENT" and not required and _vaccine(trial):
        return False
    titles = f"{trial.title} {trial.official_title or ''}"
    labels = _labels(trial)
    if _HEALTHY.search(titles) and not re.search(r"\bwith\b", titles):
        return False
    healthy = re.search(r"\bhealthy\b", f"{titles} {' '.join(trial.inclusion[:12])}", re.IGNORECASE)
    if trial.healthy_volunteers and not (required and _titled_with(one, titles)) and (not required or healthy):
        return False
    looks = trial.study_type == "OBSERVATIONAL" or trial.primary_purpose in _LOOKING
    apart = trial.study_type == "OBSERVATIONAL" or trial.allocation != "RANDOMIZED"  # chance makes nobody ill
    if looks and apart and _WITHOUT.search(f"{labels} {trial.title} {trial.study_population or ''}"):
        return False
    if trial.study_type == "OBSERVATIONAL" and trial.healthy_volunteers:
        told = " ".join(arm.description or "" for arm in trial.arms)
        if trial.observational_model == "CASE_CONTROL" or _NEVER.search(f"{told} {trial.study_population or ''}"):
            return False
    if (looks or trial.primary_purpose == "HEALTH_SERVICES_RESEARCH") and trial.study_type != "EXPANDED_ACCESS":
        text = f"{titles} {trial.study_population or ''}"
        known = not trial.eligibility or any(_required(trial, any_) or _patients(any_, text) for any_ in (one, *others))
        return known and not _SUSPECTED.search(f"{' '.join(trial.inclusion[:4])} {trial.study_population or ''}")
    if trial.primary_purpose == "PREVENTION":
        return required and not _AT_RISK.search(" ".join(trial.inclusion[:6]))
    return True


@remembered
def _vaccine(trial: Trial) -> bool:
    return any(re.search("vaccin", one.name, re.IGNORECASE) for one in trial.interventions)


_LOOKING = {"DIAGNOSTIC", "BASIC_SCIENCE", "SCREENING", None}
"""Purposes of studies that compare people with and without an illness."""
_HEALTHY = re.compile(
    r"\bhealthy (?:\w+ )?(?:adult|volunteer|subject|participant|male|men|women|people|human|individual)", re.IGNORECASE
)


def _names(one: _Named) -> set[str]:
    return {name for name in (fold(one.clinical), fold(one.entry.name), *_also(one.entry)) if name}


def _titled_with(one: _Named, titles: str) -> bool:
    """Whether a title says "with" the illness, as in "in Subjects With Hay Fever"."""
    text = fold(titles)
    return any(
        re.search(r"\b(?:with|have|having) (?:\w+ ){0,3}$", text[:at])
        for name in _names(one)
        for at in _finds(name, text)
    )


def _finds(name: str, text: str) -> Iterator[int]:
    """Where a name begins in a folded text."""
    at = f" {text}".find(f" {name}")
    while at >= 0:
        yield at
        at = f" {text}".find(f" {name}", at + 1)


def _patients(one: _Named, text: str) -> bool:
    """Whether a text speaks of people with the illness: "asthma patients", "children with hives"."""
    folded = fold(text)
    return any(
        _PEOPLE_AFTER.match(folded, at + len(name)) or _PEOPLE_BEFORE.search(folded[max(0, at - 60) : at])
        for name in _names(one)
        for at in _finds(name, folded)
    )


_WHO = "patient|subject|adult|child|children|infant|people|participant|women|men|individual|adolescent|volunteer"
_PEOPLE_AFTER = re.compile(rf" (?:{_WHO})")
_PEOPLE_BEFORE = re.compile(rf"\b(?:{_WHO}) (?:with|who have) (?:\w+ ){{0,3}}$")


@remembered
def _asked_for(trial: Trial) -> str:
    """The first criteria, folded."""
    return fold(" ".join(trial.inclusion[:15]) or (trial.eligibility or "")[:1500])


def _required(trial: Trial, one: _Named) -> bool:
    """Whether the criteria ask for the illness."""
    text = _asked_for(trial)
    return any(f" {name}" in f" {text}" for name in _names(one))

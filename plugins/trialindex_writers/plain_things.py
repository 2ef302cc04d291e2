"""What is registered as an intervention: the name to show for it, and what the name itself tells of it.

A registrant's name is often a code with a dose and a form. What is shown is cut to what names; a bare code gives way to
a better name where the record has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import msgspec

from trialindex.trial import Intervention
from trialindex_writers.plain_names import can_have, has_name, is_generic_name, short, treatment
from trialindex_writers.plain_rules import rule

_LEAD = re.compile(
    r"^(?:(?:dose|cohort) (?:escalation|expansion)|evaluation|part|phase|cohort|arm|group|treatment|test|experimental"
    r"|drug|device|biological|procedure|dietary supplement|behavioral|other)\b[^:–-]{0,30}?(?::| [-–] )\s*(?=\S)",
    re.IGNORECASE,
)
"""What a registrant put before a name: ``Part 1: ``."""
_ALONE = re.compile(r"^(?:single[- ]agent|monotherapy(?: with)?|combination)\s+(?=\w+$)", re.IGNORECASE)
"""What tells before a name that it is given alone or not."""
_GOAL = re.compile(r"(?<=\w)\s+for (?:the )?(?:treatment|therapy|prevention) of .*$", re.IGNORECASE)
_UNIT = r"(?:mg|mcg|µg|ug|g|ml|mL|iu|IU|ui|du|DU|kg|%|ppm|units?|mci|mCi|nm|Gy|cfu|CFU|microgram\w*)(?:/\w+)*(?![\w-])"
_DOSE = re.compile(
    rf"[\s,(]*(?<![\w-])(?:at a dose of |goal (?:dose )?(?:of )?)?\d[\d.,/^]*\s*-?\s*{_UNIT}.*$", re.IGNORECASE
)
_FORMS = rule(
    r"""
    injections?
    tablets?
    tab\.?
    capsules?
    pre-?filled syringe
    infusion
    oral
    subcutaneous(?:ly)?
    intravenous
    intramuscular
    intrathecal
    s\.?c\.?
    i\.?v\.?
    i\.?d\.?
    inj\.?
    (?:low|lower|medium|high|higher|full|intermediate) dose
    (?:lower |higher )?dose ?\d*
    schedule \d
    version [ab\d]
    (?:once|twice) daily dosing
    (?:as )?monotherapy
    powder
    solution
    drops
    nasal spray
    hydrochloride
    tartrate
    sodium
    succinate
    mesylate
    """
)
_FORM = re.compile(rf"(?:^|[\s,]+)(?:for )?(?:{_FORMS.pattern})$", re.IGNORECASE)
_THERAPY = re.compile(r"\s+(?:treatments?|therapy)$", re.IGNORECASE)
_CODE = re.compile(
    r"(?:[A-Z]{1,7}[a-z]{0,3}\d?[-/ ]?\d{2,}[\w.-]*|\d{3,4}[A-Z]?|[A-Z]+\d?-[A-Z]{0,4}\d[\w-]*|[A-Z]{2,6}\d+[\w-]*)"
    r"(?: ?\(.*\))?"
)
_STRONG = re.compile(
    r".{2,}(?:mab|tinib|sertib|platin|taxel|parib|citabine|trexed|rubicin|tecan|dotin|tansine|leucel|limus|lukast"
    r"|triptan|gepant|gabalin|tide|bercept|fusp|alfa|kinra)(?: \w{2,14})?",
    re.IGNORECASE,
)
"""Endings that only generic names have."""
_CLASS = rule(
    r"""
    inhibitors?
    antibod(?:y|ies)
    (?:ant)?agonists?
    blockers?
    therapy
    treatment
    extract
    vaccin(?:e|ation)
    allergens?
    immunotherapy
    group
    arm(?: [a-z])?
    control
    standard
    experimental
    intervention
    drug
    device
    test
    app
    study
    placebo
    saline
    diluent
    pharma
    inc
    ltd
    gmbh
    corp
    laborator(?:y|ies)
    company
    usa
    korea
    seoul
    germany
    denmark
    n/?a
    none
    not applicable
    adc
    slit
    scit
    oit
    epit
    ait
    combination
    capsules?
    tablets?
    injections?
    powder
    solution
    syringe
    cells?
    infusion
    subcutaneous
    intravenous
    oral
    sampl(?:e|ing)
    active
    """,
    whole=True,
)
"""Words of makers, places, routes, forms and classes: another name that holds one is no better name."""
_PLACEBO = rule(
    r"""
    placebo
    \bshams?\b
    \bdummy\b
    \bmock\b
    """
)
_OR_PLACEBO = re.compile(
    r"^(?!\W*(?:placebo|sham)).{3,}?(?:\bor\b|\band\b|\+|/|\bvs\.?)\s*(?:placebo|sham)\b", re.IGNORECASE
)
_BLANKS = rule(
    r"""
    saline
    sodium chloride
    vehicle
    diluent
    (?:formulation )?buffer
    maltodextrin
    medical air
    cream base
    excipients?
    sugar pills?
    tapioca(?: powder)?
    starch
    lactose
    """
)
_BLANK = re.compile(
    rf"(?:(?:{_BLANKS.pattern}|0[.,]\d+ ?%|normal|sterile|isotonic|physiologic\w*|water|solution|serum"
    r"|cream|gel|ointment|base|group|alk|human albumin|air|injections?|for|of|control|nasal spray)[\s,()]*)+",
    re.IGNORECASE,
)
_ACCESSORY = rule(
    r"""
    specimen
    \bdelivery (?:system|device)
    ^conve\w+[- ]enhanced delivery
    ^catheter
    tissue (?:collection|bank)
    ^(?:monitoring|measurement|determination|assessment|evaluation) of\b
    \bbiops(?:y|ies)\b
    blood (?:sampl|draw|collect|test|profile|volume)
    \bsampl(?:e|es|ing)\b
    ven[ie]puncture
    vein punction
    collection of
    qu?e?ationnaires?\b
    questionnaires?\b
    \bsurveys?\b
    interview
    quality[- ]of[- ]life assess
    biomarker analysis
    gene expression analysis
    \bMRI\b
    magnetic resonance (?:imaging|spectro)
    (?:computed|positron emission) tomography
    \bPET\b
    \bCT scan
    bone scan
    cardiogra
    spirometry
    fibroscan
    actigraphy
    polysomnography
    tumou?r assessment
    pregnancy test
    immune evaluation
    stool collection
    microbiota$
    medical record
    chart review
    data ?base analysis
    pharmaco(?:logical|kinetic) study
    wearable sensor
    monthly telephone contact
    visits to the study site
    registration of
    symptom registration
    no intervention
    not applicable
    there (?:is|are) no intervention
    """
)
_NOTHING = rule(
    r"""
    ^no (?:intervention|treatment|therapy)$
    ^observation(?: only| alone)?$
    ^not? applicable
    ^none$
    ^there (?:is|are) no\b
    ^watchful waiting$
    ^avoidance
    ^no .{0,30}(?:treatment|intervention)
    """
)
_USUAL = rule(
    r"""
    (?:standard|usual|routine|conventional|current|regular) (?:of )?(?:(?:medical|clinical|oncology) )?care
    (?:standard|usual|routine|conventional|current|regular) (?:(?:medical|clinical|oncology) )?treatment
    (?:standard|usual|routine|conventional|current|regular) (?:therapy|management|practice|medicine|chemotherapy)
    treatment[- ]as[- ]usual
    SOC
    TAU
    best supportive care
    """,
    whole=True,
)
_GENERIC = re.compile(
    r"(?:(?:smartphone|mobile|phone|digital|therapeutics?|device|app|application|intervention|control|treatment|therapy"
    r"|group|arm|drug|experimental|test|article|active|dietary|supplement|version|study|product|\(?[ab\d]\)?"
    r"|immunotherapy|investigational|medical|software|procedure|surgery|injection|vaccine|vaccination|biological"
    r"|combination)\s*)+",
    re.IGNORECASE,
)


class Thing(NamedTuple):
    """A registered intervention.

    :param name: as it is registered.
    :param shown: as it stands in a sentence; empty if nothing short is left.
    :param code: whether *shown* is a bare code, which tells a reader nothing.
    :param generic: whether the name only says what sort of thing it is, such as "Smartphone app".
    :param part: whether it is one of several that are registered under *name*.
    """

    name: str
    type: str
    description: str
    other_names: tuple[str, ...]
    shown: str
    code: bool
    generic: bool
    part: bool = False


_TOGETHER = re.compile(
    r"\s*(?:\+|\bplus\b|\bin combination with\b|\bcombined with\b|\bin addition to\b|,)\s*", re.IGNORECASE
)
_COMBINATION = re.compile(r"^(?:(?:triplet|triple|dual|doublet|double) )?combination (?:therapy )?of ", re.IGNORECASE)
_NOUNS = re.compile(r"(?:chemotherapy|radiotherapy|tablets?|injections?|capsules?)", re.IGNORECASE)


_REGIMEN = re.compile(r"m?FOLFO?X(?:IRI)?\d?|FOLFIRI(?:NOX)?|XELOX|CAPOX|R-?CHOP|GEMOX|SOX", re.IGNORECASE)
"""Names of combinations of chemotherapy."""


def things(intervention: Intervention, texts: Iterable[str] = ()) -> list[Thing]:
    """The intervention, or each of the drugs that are registered as one: ``ZB-123 in combination with zorumab``.

    Each keeps the registered name, and has its own to show.
    """
    whole = thing(intervention, texts)
    if whole.type not in {"DRUG", "BIOLOGICAL", "COMBINATION_PRODUCT"}:
        return [whole]
    bare = re.sub(r"\([^()]*\)", " ", _LEAD.sub("", intervention.name)).strip(" .")
    parts = [part.strip(" .") for part in _TOGETHER.split(_COMBINATION.sub("", bare))]
    if len(parts) == 1:
        parts = bare.split(" and ")
    if not 1 < len(parts) < 5 or not any(map(_drug, parts)):
        return [whole]
    if not all(_drug(part) or _WORD.fullmatch(part) for part in parts):
        return [whole]
    found = []
    for part in parts:
        one = thing(msgspec.structs.replace(intervention, name=part, other_names=()), texts)
        found.append(one._replace(name=whole.name, description=whole.description if one.code else "", part=True))
    return found


_WORD = re.compile(r"[A-Z][a-z]{5,}")


def _drug(part: str) -> bool:
    """Whether a part of a name is that of a drug: a code or a generic name, with its form."""
    bare = _DOSE.sub("", part)
    words = [word for word in bare.split() if not _NOUNS.fullmatch(word)]
    if not words:
        return bool(re.fullmatch("chemotherapy|radiotherapy", part, re.IGNORECASE))
    if len(words) == 1 and _REGIMEN.fullmatch(words[0]):
        return True
    return len(words) < 3 and (is_code(" ".join(words)) or any(is_generic_name(word) for word in words))


def thing(intervention: Intervention, texts: Iterable[str] = ()) -> Thing:
    """The intervention with the name to show.

    :param texts: titles, in which a code may stand beside its better name.
    """
    shown = _cut(intervention.name, intervention.type)
    bare = shown or intervention.name
    code = is_code(bare)
    others = [part for name in intervention.other_names for part in re.split(r",\s+|;\s*", name)]
    said = (*texts, intervention.description or "")
    others = [name for name in others if len(name) > 60 or not partner(name, bare, said)]
    if code or is_generic(bare):
        better = next(filter(None, (*_beside(bare, texts), *_better(intervention, others, code=code))), "")
        if better:
            shown = treatment(better, intervention.type)
            code = is_code(shown)
    if shown[:1].isupper() and not code:
        small = shown[:1].lower() + shown[1:]
        plain = all(re.fullmatch(r"[A-Z][a-z]+|[a-z]+", word) for word in shown.split())
        if plain and " " in shown and any(shown.lower() in text for text in (*texts, intervention.description or "")):
            shown = small = shown.lower()  # Sodium Oxybate, which the record also writes small
        rest = shown[1:] == shown[1:].lower()
        written = any(f" {small}" in text for text in texts)
        if rest and (written or " " in shown) and not has_name(shown):
            shown = small  # the record writes it small too, or it is a phrase with a capital
    return Thing(
        name=intervention.name,
        type=intervention.type or "",
        description=intervention.description or "",
        other_names=tuple(others),
        shown=shown,
        code=code,
        generic=is_generic(shown or bare),
    )


@lru_cache(maxsize=4096)
def _cut(name: str, kind: str | None) -> str:
    """The name without lead, dose and form where enough is left, as it stands in a sentence."""
    line = _GOAL.sub("", _ALONE.sub("", _LEAD.sub("", " ".join(name.split()).strip(" ."))))
    inside = re.search(r"\(([^()]{3,40})\)", line)
    dosed = _DOSE.sub("", line)
    line = dosed if len(dosed) > 2 else line
    before = ""
    while line != before:
        before = line
        cut = _FORM.sub("", line).strip(" ,-–")
        line = cut if len(cut) > 2 and _names(cut) else line
        cut = _THERAPY.sub("", line)
        line = cut if is_code(cut) or is_generic_name(cut) else line
    bare = short(line, 100)
    if inside and is_code(bare) and is_generic_name(inside[1]) and not _CLASS.search(inside[1]):
        bare = inside[1]
    if bare.isupper() and " " in bare and inside and inside[1].isupper() and len(inside[1]) < 12:
        bare = inside[1].capitalize()  # ANTI-IGE THERAPY (XOLAIR)
    return treatment(bare or short(name, 100), kind, 100)


def _names(text: str) -> bool:
    """Whether a name is left when a form goes: one that is a code, a generic name or a capitalised word."""
    words = text.split()
    last = words[-1] if words else ""
    known = is_code(last) or is_code(text) or is_generic_name(last) or (last[:1].isupper() and len(last) > 4)
    return len(words) <= 3 and known


def is_code(name: str) -> bool:
    """Whether a name is a bare code: ``MGD009``, ``AK-112``, ``611``; not ``CAR-T cells`` or ``Vitamin D3``."""
    bare = re.sub(r"\(.*\)", "", name)
    return bool(_CODE.fullmatch(name.strip()) and re.search(r"\d", bare)) and not re.search(r"[a-z]{4}", bare)


def is_generic(name: str) -> bool:
    """Whether a name only says what sort of thing it is."""
    return bool(_GENERIC.fullmatch(name.strip()))


def partner(name: str, code: str, texts: Iterable[str]) -> bool:
    """Whether a text names one thing beside another, as in "ZB-123 combined with zorumab": then they are two."""
    joint = r"[^.;()]{0,60}(?:\b(?:plus|with|without|and|or)\b|[+/])[^.;()]{0,40}"
    beside = re.compile(rf"{re.escape(code)}\b{joint}\b{re.escape(name)}\b", re.IGNORECASE)
    return any(map(beside.search, texts))


def _better(intervention: Intervention, others: list[str], *, code: bool) -> list[str]:
    """Other names that tell more than a code or a word for a sort: generic names first, then other words."""
    inside = re.findall(r"\(([^()]{3,40})\)", intervention.name)
    given = [name.strip(" .®™") for name in (*inside, *others)]
    given = [
        name
        for name in given
        if len(name) > 3
        and not is_code(name)
        and not _CLASS.search(name)
        and not _PLACEBO.search(name)
        and name != intervention.name
        and not can_have(name)
    ]
    strong = [
        name
        for name in given
        if _STRONG.fullmatch(name) and " " not in name.replace(" alfa", "").replace(" vedotin", "")
    ]
    if not code:
        return [name for name in given if re.match(r"[A-Z]|[a-z]?[A-Z]", name) and not is_generic(name)]
    return [*strong, *(name for name in given if re.fullmatch(r"[A-Za-z][a-z]{4,}(?: [a-z]{4,})?", name))]


def _beside(code: str, texts: Iterable[str]) -> list[str]:
    """Generic names that stand beside a code in a text: ``enoblituzumab (MGA271)``, ``MGA271 (enoblituzumab)``."""
    if not is_code(code):
        return []
    for text in texts:
        at = text.find(code)
        if at < 0:
            continue
        before, after = text[max(0, at - 40) : at], text[at + len(code) : at + len(code) + 40]
        found = re.search(r"([A-Za-z]{6,}) ?\(\s*$", before) or re.match(r" ?\(\s*([A-Za-z]{6,})\s*\)", after)
        if found and _STRONG.fullmatch(found[1]):
            return [found[1].lower()]
    return []


def is_inactive(name: str) -> bool:
    """Whether a name is that of a placebo or a sham and of nothing else."""
    return bool(_PLACEBO.search(name)) and not _OR_PLACEBO.search(name)


def is_blank(name: str) -> bool:
    """Whether a name is that of what placebos are made of: saline, vehicle, maltodextrin."""
    return bool(_BLANK.fullmatch(name.strip()) and _BLANKS.search(name))


def is_accessory(name: str) -> bool:
    """Whether it is a sample, a scan or a questionnaire: a way to look, which treats nobody."""
    return bool(_ACCESSORY.search(name))


def is_nothing(name: str) -> bool:
    """Whether a registered intervention says that there is none."""
    return bool(_NOTHING.search(name.strip()))


def is_usual(name: str) -> bool:
    """Whether it is the care that people would get anyway."""
    return bool(_USUAL.search(name))


def is_no_name(text: str) -> bool:
    """Whether another name is that of a maker, a place, a route, a form or a class, or says that there is none."""
    return bool(_CLASS.search(text)) or text.casefold() in {"na", "none", "experimental", "active", "treatment"}

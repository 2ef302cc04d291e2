"""What a trial wants to find out, as a question: whether something can ease, prevent, shrink or show an illness.

The verb follows from the purpose, the main measures and the sort of illness. Where none of them tells more, it asks
whether the thing can help. Nothing is promised: each verb stands behind "can" or "whether".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.trial import Trial
from trialindex_writers.grammar import quoted
from trialindex_writers.plain_everyday import fold
from trialindex_writers.plain_illness import Illness, about
from trialindex_writers.plain_measures import LooksAt, looks_at, plain_phrase
from trialindex_writers.plain_names import short
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_roles import roles
from trialindex_writers.plain_told import Told, is_looking, tested

SAFETY = {"side effects", "which dose people can take", "thoughts of suicide"}
BODY = {"how the drug moves through the body"}
USE = {"whether people use it as planned", "what people think of it", "whether it can be done"}
SIGNS = {
    "antibodies",
    "cells of the immune system",
    "bacteria in or on the body",
    "signs in the blood or tissue",
    "skin tests",
    "a breath value",
    "genes",
    "how the immune system reacts",
    "what a scan shows",
    "signs of inflammation in the blood",
    "traces of cancer that are left",
    "whether people become allergic",
}
"""Signs of an effect that nobody feels."""
_PLAIN = {
    "nasal polyps": "shrink nasal polyps",
    "blood sugar": "lower blood sugar",
    "blood pressure": "improve blood pressure",
    "low mood": "lift low mood",
    "worry and stress": "ease worry and stress",
    "drug, drink or tobacco use": "help people to quit",
    "how well people think and remember": "help people to think and remember",
    "infections": "prevent infections",
    "allergic reactions": "prevent allergic reactions",
    "use of medicines": "cut the need for drugs",
    "whether bones grow together": "help bones grow together",
    "fear of moving": "ease the fear of moving",
    "seizures": "prevent seizures",
    "wheezing": "prevent wheezing",
    "eyesight": "sharpen eyesight",
    "hospital stays": "keep people out of hospital",
    "nausea and vomiting": "ease nausea and vomiting",
    "confusion (delirium)": "prevent confusion (delirium)",
    "how people walk": "help people to walk",
    "balance": "help people to keep their balance",
    "muscle strength": "make muscles stronger",
    "how people move": "help people to move",
    "how fit people are": "make people fitter",
    "how much people move": "get people moving",
    "how well the heart pumps": "help the heart to pump",
    "how regularly the heart beats": "keep the heartbeat regular",
    "cholesterol and other blood fats": "lower blood fats",
    "how well the kidneys work": "help the kidneys to work",
    "protein in the urine": "cut the loss of protein in the urine",
    "how much virus is in the blood": "hold the virus down",
    "heart attacks, strokes and deaths": "prevent heart attacks, strokes or death",
    "bone density": "make bones stronger",
    "falls": "prevent falls",
    "loss of blood": "cut the loss of blood",
    "blood clots": "prevent blood clots",
    "how many become pregnant": "help people to become pregnant",
    "births that come too early": "prevent births that come too early",
    "how wounds heal": "help wounds to heal",
    "pressure in the eye": "lower the pressure in the eye",
    "hearing": "help people to hear",
    "tiredness": "ease tiredness",
    "hot flushes": "ease hot flushes",
    "trouble with the bladder": "ease trouble with the bladder",
    "leaking of urine or stool": "prevent leaking of urine or stool",
    "how the bowel works": "help the bowel to work",
    "swallowing": "help people to swallow",
    "hair growth": "help hair to grow",
    "how much pain medicine people need": "cut the need for pain medicine",
    "how long people stay in hospital": "shorten the time in hospital",
    "craving": "ease craving",
    "how well people recover after surgery": "help people recover after surgery",
}


_ONLY_IN = {
    "cholesterol and other blood fats": r"cholesterol|fat|lipid|heart|artery|vessel|diabetes|weight|obes",
    "how well the kidneys work": r"kidney|nephr|transplant|cystin",
    "protein in the urine": r"kidney|nephr|urine|lupus|diabetes",
    "how well the heart pumps": r"heart|cardi",
    "muscle strength": r"muscle|weak|stroke|dystroph|sarcopeni|frail|arthr|knee|hip|shoulder|ageing",
}
"""What is a sign of an effect in most illnesses, and what is hoped for only in these: words of the illness."""


class Aim(NamedTuple):
    """What is asked.

    :param sort: ``effect``, ``safety``, ``dose``, ``body`` (what the body does with it), ``stop`` (what happens
        without a treatment, or with less of it), ``use`` (whether people can use it), ``show`` (whether it shows an
        illness), ``provoke`` (whether it sets one off), ``reaction`` (what happens when it does), ``signs``, ``care``
        or ``watch``.
    :param verb: what it is hoped to do, as it stands after "can": ``ease long-lasting hives``.
    """

    sort: str
    verb: str


@remembered
def measures(trial: Trial) -> tuple[str, ...]:
    """Plain phrases for the main measures, each once, in the order of the record."""
    main = [o.measure for o in trial.outcomes if o.kind == "primary" and o.measure.strip()]
    return tuple(dict.fromkeys(_harmed(trial, phrase) for phrase in map(plain_phrase, main) if phrase))


def _harmed(trial: Trial, phrase: str) -> str:
    """The phrase; of a treatment with an allergen, reactions are its harm, unless a title speaks of accidents."""
    if phrase != "allergic reactions" or not any(one.kind and one.kind.risk == "allergen" for one in tested(trial)):
        return phrase
    return phrase if re.search("accident|prevent|protect", _titles(trial), re.IGNORECASE) else "side effects"


def _titles(trial: Trial) -> str:
    return f"{trial.title} {trial.official_title or ''}"


@remembered
def aim(trial: Trial) -> Aim:
    """What the trial asks."""
    illness, known, purpose = about(trial), measures(trial), trial.primary_purpose
    if trial.study_type == "OBSERVATIONAL":
        return Aim("watch", "")
    if stopped(trial):
        return Aim("stop", "")
    early = bool({"PHASE1", "EARLY_PHASE1"} & set(trial.phases))
    verb = _verb(trial, illness, known)
    feasible = re.search("feasib", _titles(trial), re.IGNORECASE) and not set(known) & SAFETY
    if purpose == "DEVICE_FEASIBILITY" or feasible:
        return Aim("feasible", "")
    if purpose == "HEALTH_SERVICES_RESEARCH":
        return Aim("care", "")
    if purpose == "BASIC_SCIENCE" and any(one.kind and one.kind.risk == "challenge" for one in tested(trial)):
        return Aim("reaction", "")
    if any(one.kind and one.kind.noun == "headache trigger" for one in tested(trial)):
        return Aim("provoke", f"set off {illness.name}" if illness else "set off an illness")
    looks = [one for one in roles(trial).tested if one.type == "DIAGNOSTIC_TEST" or _TEST.search(one.name)]
    only = bool(tested(trial)) and all(is_looking(one) for one in tested(trial))
    if (purpose in {"DIAGNOSTIC", "SCREENING"} and looks) or (looks and len(looks) == len(roles(trial).tested)) or only:
        return Aim("show", "")
    if _USABLE.search(_titles(trial)) and not _drugs(trial) and set(known) & USE:
        return Aim("use", "")
    effects = [phrase for phrase in known if phrase not in SAFETY | BODY | USE]
    strong = [phrase for phrase in effects if phrase not in SIGNS]
    if known and not strong:
        if "which dose people can take" in known:
            return Aim("dose", "")
        if "side effects" in known:
            return Aim("safety", "")
        if not effects:
            return Aim("body" if set(known) & BODY else "use", "")
    if early and set(known) & SAFETY:
        return Aim("dose" if "which dose people can take" in known else "safety", verb)
    treats = purpose in {"TREATMENT", "PREVENTION", "SUPPORTIVE_CARE"}
    if (purpose in {"BASIC_SCIENCE", "DIAGNOSTIC"} or not treats) and not strong:
        outside = all(one.thing.type in {"DEVICE", "BEHAVIORAL", "OTHER"} and _is_app(one) for one in tested(trial))
        return Aim("use" if outside and tested(trial) else "signs", "")
    return Aim("effect", verb)


_STOPPED = re.compile(
    r"\b(?:withdraw\w*|discontinu\w+|stopping|taper\w*|de-?escalation|deprescri\w+|dose reduction)\b", re.IGNORECASE
)
_HABITS = re.compile(r"smok|nicotine|tobacco|alcohol|opioid|opiate|vap(?:e|ing)|benzodiazepine", re.IGNORECASE)


def stopped(trial: Trial) -> str:
    """The registered name of what is tested where that is stopping a treatment, or having less of it; or empty."""
    found = roles(trial).tested
    if len(found) != 1 or _HABITS.search(f"{_titles(trial)} {found[0].name}"):
        return ""
    return found[0].name if _STOPPED.search(found[0].name) else ""


_TEST = re.compile(
    r"\btests?\b|testing|challenge|provocation|imaging|tomography|assay|\bPCR\b|\bprick\b|endomicroscop|probe",
    re.IGNORECASE,
)


_AFTER = re.compile(
    r"(?:after|following|undergoing) .{0,60}(?:surger|d[ie]s[ck]ectom|fusion|laminectom|operation|arthroplast)"
    r"|post-?operative|post-?surgical",
    re.IGNORECASE,
)
"""People who have had an operation, which is not what is tested."""


_USABLE = re.compile(r"acceptab|usabilit", re.IGNORECASE)


def _drugs(trial: Trial) -> bool:
    return any(one.thing.type in {"DRUG", "BIOLOGICAL"} for one in tested(trial))


_ACUTE = re.compile(r"\bacute\b|abort|rescue|pain[- ]free|pain relief|reliev", re.IGNORECASE)


def _is_app(one: Told) -> bool:
    return bool(one.kind and re.search(r"\bapp\b|game|headset", one.kind.noun))


def _at_once(trial: Trial) -> bool:
    """Whether an attack is treated while it lasts, and not prevented."""
    main = [o for o in trial.outcomes if o.kind == "primary"]
    titles = f"{trial.title} {trial.official_title or ''}"
    if re.search(r"prevent|prophyla", titles, re.IGNORECASE):
        return False
    return bool(_ACUTE.search(titles)) or any(re.search(r"\bmin(?:ute)?s?\b", o.time_frame or "") for o in main)


def _operates(trial: Trial) -> bool:
    return any(one.kind and one.kind.risk in {"surgery", "implant"} for one in tested(trial))


def _verb(trial: Trial, illness: Illness | None, known: tuple[str, ...]) -> str:
    name = illness.name if illness else ""
    group = illness.group if illness else ""
    whom = whom_of(illness)
    prevents = trial.primary_purpose == "PREVENTION" and illness is not None and not illness.had
    prevents = prevents and not re.search(r"\btreat(?:ment of|ing)\b", _titles(trial), re.IGNORECASE)
    if prevents:
        return f"prevent {name}"
    for phrase in known:
        if phrase in SAFETY | BODY | USE:
            continue
        if _AFTER.search(f"{trial.title} {trial.official_title or ''}") and not _operates(trial):
            where = f" for {name}" if name else ""
            if phrase in {"pain", "how bad people say it is"}:
                return f"ease pain after surgery{where}"
            if phrase in {"how well people recover after surgery", "how people manage everyday tasks", "sleep"}:
                return f"help people after surgery{where}"
        if group == "headache" and phrase in {"headache attacks", "pain", "symptoms"} and _at_once(trial):
            return f"stop attacks of {name}"
        if phrase == "allergic reactions" and any(one.kind and one.kind.risk == "allergen" for one in tested(trial)):
            continue  # they may be what the allergen itself sets off
        if phrase in _PLAIN and re.search(_ONLY_IN.get(phrase, ""), name):
            return _PLAIN[phrase]
        if (verb := _by_measure(phrase, name, group, whom)) is not None:
            return verb
    if group == "addiction":
        return "help people to quit" if name in {"smoking", "vaping"} else f"help {whom}"
    if not name:
        return "help people"
    if group in {"pain", "headache", "skin", "nose", "sleep", "gut"} and not illness_several(illness):
        return f"ease {name}"
    return f"help {whom}"


def whom_of(illness: Illness | None) -> str:
    """``people with asthma``, ``people who smoke``."""
    if illness is None:
        return "people"
    return {"smoking": "people who smoke", "vaping": "people who vape"}.get(illness.name, f"people with {illness.name}")


def illness_several(illness: Illness | None) -> bool:
    return bool(illness and illness.several)


def _by_measure(phrase: str, name: str, group: str, whom: str) -> str | None:
    if not name:
        return {
            "symptoms": "ease symptoms",
            "pain": "ease pain",
            "sleep": "help people to sleep",
            "body weight": "help people to lose weight",
            "how well the lungs work": "help people to breathe better",
            "quality of life": "make life better",
        }.get(phrase)
    painful = bool(re.search(r"pain|ache|sciatica|migraine|algia", name))
    food = "the food" if name.startswith("food") else "it"
    verbs = {
        "how long people live without their illness getting worse": f"hold back {name}",
        "how long people live": f"help {whom} to live longer",
        "how many people die": f"keep {whom} alive",
        "how much cancer is left in what surgery takes out": f"shrink {name}",
        "how many people respond to treatment": f"shrink {name}" if group == "cancer" else f"ease {name}",
        "whether the illness is held in check": f"hold back {name}",
        "quality of life": f"make life with {name} better",
        "sleep": f"help {whom} to sleep",
        "headache attacks": f"prevent attacks of {name}" if group == "headache" else "make headaches fewer",
        "pain": f"ease {name}" if painful else f"ease the pain of {name}",
        "how people manage everyday tasks": f"help {whom} in everyday life",
        "flare-ups of the illness": f"prevent flare-ups of {name}",
        "how well the illness is kept in check": f"keep {name} in check",
        "how well the lungs work": f"help {whom} to breathe better",
        "how freely air passes the nose": "open the nose",
        "skin signs of the illness": f"clear the skin in {name}" if group == "skin" else "clear the skin",
        "symptoms": f"ease {name}",
        "how active the illness is": f"calm {name}",
        "swollen and painful joints": f"ease {name}",
        "how far people can walk in six minutes": f"help {whom} to walk further",
        "symptoms and use of medicines": f"ease {name}",
        "how bad people say it is": f"ease {name}",
        "getting along with others": f"help {whom} to get along with others",
        "signs of cancer in the blood": f"keep {name} from coming back",
        "how much of a food people can eat without a reaction": f"let {whom} eat more of {food}",
        "body weight": "help people to lose weight" if group in {"weight", "sugar"} else None,
        "whether the illness comes back": f"keep {name} from coming back",
    }
    if "blood" in name or re.search(r"leukaemia|lymphoma|myeloma|myelo", name):
        verbs["how many people respond to treatment"] = f"push back {name}"
    return verbs.get(phrase)


@remembered
def looked_at(trial: Trial) -> str:
    """``side effects and pain``, with at most two plain phrases; a quoted measure where no rule knows one; or empty."""
    found = looks_at(o.measure for o in trial.outcomes if o.kind == "primary" and o.measure.strip())
    if "allergic reactions" in found.known:
        known = tuple(dict.fromkeys(_harmed(trial, phrase) for phrase in found.known))
        found = found._replace(known=known)
    illness = about(trial)
    if found.known == ("how common it is",) and illness and illness.had:  # of which something else is counted
        first = next(o.measure for o in trial.outcomes if o.kind == "primary" and o.measure.strip())
        found = LooksAt((), quoted(short(first) or first, 60), found.more)
    if found.known:
        told = [
            f"how many get {illness.name}"
            if phrase == "how common it is" and illness and not illness.had and trial.primary_purpose == "PREVENTION"
            else phrase
            for phrase in found.known
        ]
        return " and ".join(told) + (", among other things" if found.more else "")
    said = found.quoted and illness and trial.primary_purpose == "PREVENTION" and not illness.had
    if said and illness and fold(illness.name) in fold(" ".join(o.measure for o in trial.outcomes)):
        return f"how many get {illness.name}" + (", among other things" if found.more else "")
    return found.quoted + (", among other things" if found.more and found.quoted else "")

"""Questions to take to the doctor and to the study team, chosen by what the record states: five to ten of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Trial
from trialindex_writers.grammar import joined
from trialindex_writers.plain_aim import aim
from trialindex_writers.plain_compared import NOTHING, versus
from trialindex_writers.plain_design import design
from trialindex_writers.plain_fate import fate
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_people import HABITS, people
from trialindex_writers.plain_record import remembered, told
from trialindex_writers.plain_roles import roles
from trialindex_writers.plain_told import in_short, is_looking, tested

_MOST = 8


def questions(trial: Trial) -> tuple[Sentence, ...]:
    """The questions that this trial gives cause for, most particular first."""
    makers = _JOINABLE if _joinable(trial) else _OVER
    made: Iterator[Sentence | None] = (told(trial, make) for make in makers)
    return tuple([one for one in made if one][:_MOST])


def _joinable(trial: Trial) -> bool:
    return fate(trial).state in {"planned", "open", "invited", "offered", "held", ""}


@remembered
def _criteria(trial: Trial) -> str:
    return trial.eligibility or " ".join((*trial.inclusion, *trial.exclusion))


@remembered
def _text(trial: Trial) -> str:
    return " ".join((trial.summary or "", trial.description or "", *(i.name for i in trial.interventions)))


def _treats(trial: Trial) -> bool:
    return any(not is_looking(one) for one in tested(trial))


def _when(pattern: str, question: str, where: Callable[[Trial], str] = _criteria) -> Callable[[Trial], str]:
    """A question that is asked where a text of the record gives cause for it."""
    rule = re.compile(pattern, re.IGNORECASE)

    def ask(trial: Trial) -> str:
        return question if rule.search(where(trial)) else ""

    return ask


# --- of a trial that can be joined ----------------------------------------------------------------------------------


def _known(trial: Trial) -> str:
    if not _treats(trial):
        return ""
    it = in_short(trial)
    many = " and " in it or it == "these treatments"
    return f"What is known so far of how well {it} {'work' if many else 'works'}, and of what harm there can be?"


def _placebo(trial: Trial) -> str:
    found = roles(trial)
    if not (found.placebo or found.sham):
        return ""
    what = "sham" if found.sham and not found.placebo else "placebo"
    return f"How likely am I to get the {what}, and what is done for me if I get worse on it?"


def _other(trial: Trial) -> str:
    others = [other for other in versus(trial) if "placebo" not in other and "sham" not in other]
    if not others or trial.allocation != "RANDOMIZED":
        return ""
    if design(trial).sort == "mixed":
        return "Which of the groups might I join, and is each as good for me?"
    if others == [NOTHING]:
        return "If chance puts me in the group without it, can I get it later?"
    return f"What if chance gives me {joined(others, 'or')}: is that as good for me?"


def _instead(trial: Trial) -> str:
    illness = about(trial)
    if not illness or not _treats(trial) or aim(trial).sort not in {"effect", "safety", "dose"}:
        return ""
    if any(one.thing.type == "OTHER" or (one.kind and "app" in one.kind.noun.split()) for one in tested(trial)):
        return ""
    name = illness.name if not illness.several else "my illness"
    return f"Which other treatments for {name} could I have instead?" if illness.had or illness.name in HABITS else ""


def _kind(trial: Trial) -> str:
    kinds = {one.kind.risk: one for one in tested(trial) if one.kind}
    nouns = " ".join(one.kind.noun for one in tested(trial) if one.kind)
    if "cells" in kinds:
        return "How long does it take to make the cells, and what happens to me until then?"
    if "allergen" in kinds or "challenge" in kinds:
        return "What is done if I have a strong allergic reaction, and who watches over me?"
    if "implant" in kinds or "surgery" in kinds:
        return "Can it be taken out or undone if it does not help?"
    if re.search(r"\bapp\b|game|headset", nouns):
        return "Which phone or computer do I need, and who sees what I enter?"
    if "chemo" in kinds or "adc" in kinds or "immune" in kinds or "targeted" in kinds:
        return "Which side effects are common, and whom do I call at night or at the weekend?"
    return ""


def _child(trial: Trial) -> str:
    if trial.maximum_age is not None and trial.maximum_age < 18:
        return "How is my child asked, and can we stop at any time?"
    return ""


def _travel(trial: Trial) -> str:
    if len(trial.sites) == 1:
        where = trial.sites[0].city
        plain = where and where.isascii() and where.replace(" ", "").isalpha()
        return f"How often would I have to come{f' to {where}' if plain else ''}, and is travel paid?"
    return (
        "Which place is nearest to me, how often would I have to come, and is travel paid?"
        if trial.sites
        else "Where would I have to go, how often, and is travel paid?"
    )


def _long(trial: Trial) -> str:
    frame = next((o.time_frame for o in trial.outcomes if o.time_frame), "")
    if re.search(r"year|month|week", frame or "", re.IGNORECASE):
        return "How long would I take part in all, and what is done at each visit?"
    return ""


def _after(trial: Trial) -> str:
    if not _treats(trial) or trial.study_type == "OBSERVATIONAL":
        return ""
    return f"Can I go on with {in_short(trial)} afterwards if it helps me?"


def _cost(trial: Trial) -> str:
    if trial.study_type == "OBSERVATIONAL":
        return "Do I have to do anything besides my usual care, and does it cost me anything?"
    return "What would I or my insurance have to pay, and who pays if I am harmed?"


def _leave(trial: Trial) -> str:
    return (
        "Can I stop at any time, and what happens to what is known of me then?"
        if trial.study_type != "EXPANDED_ACCESS"
        else "Can I stop at any time?"
    )


def _papers(trial: Trial) -> str:
    return (
        "May I take the papers home and talk them over before I say yes?" if trial.study_type != "OBSERVATIONAL" else ""
    )


def _told(trial: Trial) -> str:
    return "Will I be told what the study finds?" if trial.study_type != "EXPANDED_ACCESS" else ""


_STOP = (
    r"\bwash-?out|discontinu|stopp?(?:ed|ing)? .{0,30}(?:medic|drug|treatment|antihistamine|therapy)|withhold"
    r"|refrain from .{0,30}(?:medic|drug|use)|(?:antihistamine|corticosteroid|antibiotic|medication)s? .{0,40}within"
)
_JOINABLE: tuple[Callable[[Trial], str], ...] = (
    _known,
    _placebo,
    _other,
    _kind,
    _when(_STOP, "Would I have to stop any of my medicines, for how long, and is that safe for me?"),
    _when(r"\bbiops", "How many biopsies would I have, and how are they done?", lambda t: _criteria(t) + _text(t)),
    _when(
        r"hospitali[sz]ed|inpatient|in-patient|confined|admitted|overnight",
        "Would I have to stay in hospital, and for how many days?",
        _text,
    ),
    _when(
        r"pregnan|contracep|childbearing|breast-?feed|lactat",
        "What if I am pregnant, breast-feed or want to have a child?",
    ),
    _child,
    _travel,
    _long,
    _instead,
    _after,
    _cost,
    _leave,
    _told,
    _papers,
)


# --- of a trial that cannot -----------------------------------------------------------------------------------------


def _found(trial: Trial) -> str:
    state = fate(trial).state
    if trial.has_results:
        return "What do the posted results mean for somebody like me?"
    if state in {"withdrawn", "gone"}:
        return ""
    return (
        "Has anything been published about what this study found?"
        if fate(trial).over
        else "When are results to be expected?"
    )


def _like(trial: Trial) -> str:
    illness = about(trial)
    name = illness.name if illness and not illness.several else "my illness"
    return (
        f"Is there a trial on {name} that I could join now?"
        if illness
        else "Is there a trial like this one that I could join now?"
    )


def _now(trial: Trial) -> str:
    if not _treats(trial):
        return ""
    return f"Can I get {in_short(trial)} outside a trial, and would it be right for me?"


def _applies(trial: Trial) -> str:
    if fate(trial).state == "withdrawn":
        return ""
    who = people(trial)
    if fate(trial).state == "withdrawn" or trial.enrollment == 0:
        return ""
    group = f"{who.many}{' ' + who.ages if who.ages else ''}"
    return (
        f"The study was in {group}: does what it looked at hold for me?"
        if fate(trial).over
        else f"The study is in {group}: does what it looks at hold for me?"
    )


def _stopped(trial: Trial) -> str:
    return (
        "Why was it stopped, and does that say anything about the treatment?"
        if fate(trial).state in {"stopped", "withdrawn"} and _treats(trial)
        else ""
    )


def _own(trial: Trial) -> str:
    illness = about(trial)
    return (
        f"Which treatments for {illness.name} are best for me now?"
        if illness and not illness.several and (illness.had or trial.primary_purpose == "TREATMENT")
        else ""
    )


def _harmful(trial: Trial) -> str:
    return f"What is known of the harm that {in_short(trial)} can do?" if _treats(trial) else ""


def _learn(trial: Trial) -> str:
    return "Does my doctor know the study, and who could tell us more about it?" if fate(trial).state else ""


_OVER: tuple[Callable[[Trial], str], ...] = (_stopped, _found, _now, _harmful, _like, _own, _applies, _learn)

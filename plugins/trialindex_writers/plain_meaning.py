"""What a trial could mean: what is tested, what it could lead to, what could go wrong. A few sentences, each about it.

It reads what is registered and predicts nothing. Typical risks of a kind of thing are general knowledge, written for
this project; adverse events follow the results section of the ClinicalTrials.gov API v2.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Outcome, Trial
from trialindex.trial.display import count
from trialindex_writers.grammar import first_of, joined, quoted
from trialindex_writers.plain_aim import BODY, SAFETY, SIGNS, USE, aim, looked_at, measures, stopped
from trialindex_writers.plain_compared import background, partly, versus
from trialindex_writers.plain_design import design, fewer_than_groups
from trialindex_writers.plain_everyday import everyday
from trialindex_writers.plain_fate import fate
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_measures import plain_phrase
from trialindex_writers.plain_names import can_have, is_generic_name
from trialindex_writers.plain_people import people
from trialindex_writers.plain_record import missing, remembered, told
from trialindex_writers.plain_roles import roles
from trialindex_writers.plain_summary import sentence
from trialindex_writers.plain_things import is_code, is_inactive, is_no_name
from trialindex_writers.plain_told import Told, in_short, is_cancer, is_looking, listed, tested
from trialindex_writers.plain_watched import in_title, repeats
from trialindex_writers.plain_whom import such

_DRUGS = {"DRUG", "BIOLOGICAL", "COMBINATION_PRODUCT"}


# --- the active substance -------------------------------------------------------------------------------------------


def substance(trial: Trial) -> tuple[Sentence, ...]:
    """One line: what is tested, what kind of thing it is, how else it is called."""
    made = told(trial, _substance)
    assert made is not None
    return (made,)


def _substance(trial: Trial) -> str:
    found = tested(trial)
    drugs = [one for one in found if one.thing.type in _DRUGS]
    if name := stopped(trial):
        return sentence(f"No new drug is tested, but stopping a treatment or having less of it: {quoted(name, 80)}")
    if not drugs:
        missing(trial, "interventions")
        what = listed(trial)
        if not found and roles(trial).background and trial.study_type == "INTERVENTIONAL":
            return sentence("What is tested is not registered by its name")
        if found and all(is_looking(one) for one in found):
            names = first_of([quoted(one.thing.name, 80) for one in found], 2)
            return sentence(f"No drug is listed; what is, in the registrant's words: {names}")
        if not what and (kind := in_title(trial)):
            return sentence(f"The record lists no treatment; its title names {kind.phrase}")
        return sentence(
            f"No drug is tested; what is: {what}" if what else "The record lists no drug or other treatment"
        )
    also = also_called(trial, drugs[0]) if len(found) == 1 else []
    said = listed(trial)
    start = "What is tested" if len(found) > 1 or not drugs[0].name else "The drug"
    return sentence(f"{start}: {said}{'; also called ' + first_of(also, 2) if also else ''}")


def also_called(trial: Trial, one: Told) -> list[str]:
    """Other names that are names: no maker, route, class, illness, placebo or other drug of the trial."""
    registered = {i.name.casefold() for i in trial.interventions if i.name != one.thing.name}
    generic = is_generic_name(one.name.split()[-1]) if one.name else False
    names = []
    for name in dict.fromkeys(part.strip(" .®™") for part in one.thing.other_names):
        if not 2 < len(name) < 31 or name.casefold() in {one.name.casefold(), one.thing.name.casefold()} | registered:
            continue
        if (
            is_no_name(name)
            or is_inactive(name)
            or can_have(name)
            or everyday(name)
            or (generic and is_generic_name(name.split()[-1]))
        ):
            continue
        if is_code(name) and one.name and not one.thing.code:
            continue  # it tells nothing beside a name
        if is_code(name) or is_generic_name(name) or re.fullmatch(r"[A-Z][A-Za-z]+(?: [A-Z]?[a-z]+)?", name):
            names.append(name)
    return names if len(names) < 4 else names[:3]


# --- what it could lead to ------------------------------------------------------------------------------------------


def could_lead_to(trial: Trial) -> tuple[Sentence, ...]:
    """What a good result would mean, and whether results are there, in one sentence."""
    made = told(trial, _leads)
    assert made is not None
    return (made,)


def _leads(trial: Trial) -> str:
    return sentence(f"{_hope(trial).rstrip('.')}{_results(trial)}")


def _hope(trial: Trial) -> str:
    """What a good result would mean."""
    asked, illness, state = aim(trial), about(trial), fate(trial)
    name = illness.name if illness else ""
    whose = f" with {name}" if illness and illness.had else ""
    later = _later(trial)
    if trial.study_type == "EXPANDED_ACCESS":
        return sentence("It gives a treatment and is not set up to find out more about it")
    if state.state == "withdrawn":
        return sentence("It never began, so nothing can be learnt from it")
    if not tested(trial) and asked.sort != "watch" and not (asked.sort == "signs" and measures(trial)):
        missing(trial, "interventions")
        return "What it could lead to is not stated."
    it = in_short(trial) if tested(trial) else "it"
    if asked.sort == "watch" or not tested(trial):
        about_it = f" of {name}" if name else ""
        about_in = f" in {name}" if illness and illness.had else f", and of {name}" if name else ""
        if any(not is_looking(one) for one in tested(trial)):
            return sentence(f"It could show how people{whose} fare with {it}")
        seen = looked_at(trial)
        if seen and "“" not in seen and not repeats(seen, name):
            return sentence(f"It could add to what is known of {seen.removesuffix(', among other things')}{about_in}")
        return sentence(f"It could add to what is known{about_it or ' so far'}")
    if asked.sort == "stop":
        who = f"people with {name}" if whose else "people"
        return sentence(f"It could show how {who} fare without a treatment, or with less of it")
    if asked.sort == "feasible":
        return sentence(f"It could show whether larger trials of {it} make sense")
    if asked.sort == "dose":
        return sentence(f"It could show which dose of {it} people can take{later}")
    if asked.sort == "safety" and not asked.verb:
        return sentence(f"It could show how well people bear {it}{later}")
    if asked.sort == "body":
        return sentence(f"It could show what the body does with {it}, for later trials to use")
    if asked.sort == "use":
        return sentence(f"It could show whether people{whose} can live with {it} day by day, before larger trials")
    if asked.sort in {"reaction", "provoke"}:
        return sentence(f"It could show how {name or 'the illness'} comes about, not yet how to treat it")
    if asked.sort == "show":
        if whose:
            return sentence(f"It could show what {it} can tell of {name}")
        return sentence(f"If it works well, {it} could become a way to find {name or 'an illness'}")
    if asked.sort == "care":
        return sentence(f"It could lead to better care{' for people with ' + name if name else ''}")
    if asked.sort == "signs":
        place = f" in {name}" if whose else ""
        if not measures(trial):
            return sentence(f"It could add to what is known of {it}{place}")
        return sentence(f"It could show what {it} can do in the body{place}, not yet whether people feel better")
    if "PHASE4" in trial.phases:
        return sentence(f"If it works, doctors would know better when {it} can {asked.verb}")
    if len(tested(trial)) == 2 and design(trial).sort == "each" and not versus(trial) and " or " in it:
        return sentence(f"It could show whether {it} is the better way to {such(trial, asked.verb)}")
    return sentence(f"A good result would speak for {it} as a way to {such(trial, asked.verb)}")


@remembered
def _later(trial: Trial) -> str:
    """Whether it is left for later to see if it helps: only where nothing in the record asks for it now."""
    first = set(trial.phases) <= {"PHASE1", "EARLY_PHASE1"} and bool(trial.phases)
    said = f"{trial.title} {trial.official_title or ''} {trial.summary or ''}"
    effect = bool(_EFFECT.search(said)) or any(_EFFECT.search(o.measure) or _helps(o.measure) for o in trial.outcomes)
    if not effect:
        return ", not yet whether it helps" if first else ""
    return "; whether it helps is looked at too" if any(map(_helped, trial.outcomes)) else ""


_EFFECT = re.compile(
    r"efficac|effective|respon[sd]|anti-?tumou?r|activity|benefit|improve|surviv|reduc|symptom", re.IGNORECASE
)


def _helps(measure: str) -> bool:
    phrase = plain_phrase(measure)
    return bool(phrase) and phrase not in SAFETY | BODY | USE | SIGNS


def _helped(outcome: Outcome) -> bool:
    return outcome.kind in {"primary", "secondary"} and _helps(outcome.measure)


def _results(trial: Trial) -> str:
    if trial.has_results:
        return "; results are posted in the registry"
    if trial.has_results is False and fate(trial).state in {"ended", "stopped"}:
        return "; it is over, and no results are posted in the registry"
    return ""


# --- what could go wrong --------------------------------------------------------------------------------------------

_RISKS = {
    "cells": "Immune cells given as a treatment can set off strong reactions of the body, even dangerous ones",
    "immune": "Drugs that free the immune system can make it attack healthy parts of the body",
    "adc": "The cancer drug that the antibody carries can harm healthy cells too",
    "radiation": "Radiation can harm healthy tissue too",
    "chemo": "Chemotherapy harms healthy cells too",
    "targeted": "Drugs of this kind can cause rash, loose bowels and other troubles",
    "allergen": "What people are allergic to can set off reactions, even strong ones",
    "allergyab": "Rarely, a drug of this kind itself sets off a strong allergic reaction",
    "challenge": "The test can set off the very reaction that people have come to avoid",
    "steroid": "Steroids can raise blood sugar and thin skin or bones if they are taken for long",
    "implant": "An implant has to be put into the body, which can lead to infection or bleeding",
    "surgery": "Surgery can lead to bleeding, infection or damage",
    "vaccine": "A shot can make the arm sore and bring fever",
}


def could_go_wrong(trial: Trial) -> tuple[Sentence, ...]:
    """At most three sentences: harms that were counted, or the risk of this kind of thing; who gets what; how few."""
    makers = (_never, _harm, _risk, _lot, _few)
    made: list[Sentence] = []
    for make in makers:
        if make is _few and len(made) > 1:
            break  # that it is small says least of this trial
        if one := told(trial, make):
            made.append(one)
    return tuple(made[:3]) or tuple(filter(None, [told(trial, _unstated)]))


def _never(trial: Trial) -> str:
    return "Nobody took part, so nobody was helped or harmed by it." if fate(trial).state == "withdrawn" else ""


def _unstated(trial: Trial) -> str:
    missing(trial, "interventions")
    return "What could go wrong is not stated."


def _risk(trial: Trial) -> str:
    """The typical risk of what is tested, and how early it is."""
    if fate(trial).state == "withdrawn":
        return ""
    if trial.study_type == "OBSERVATIONAL" and not any(not is_looking(one) for one in tested(trial)):
        illness = about(trial)
        name = f" about {illness.name}" if illness else ""
        if trial.enrollment and trial.enrollment < _SMALL:
            who = people(trial).counted(trial.enrollment)
            return sentence(f"With {who} and no comparison by chance, what it finds{name} may have other causes")
        return sentence(f"It does not compare by chance, so what it finds{name} may have other causes")
    risks = [one.kind.risk for one in tested(trial) if one.kind and one.kind.risk in _RISKS]
    risks = [risk for risk in risks if risk != "immune" or is_cancer(trial)]
    phases = set(trial.phases)
    early = bool({"PHASE1", "EARLY_PHASE1"} & phases)
    drug = any(one.thing.type in _DRUGS for one in tested(trial))
    text = _RISKS[risks[0]] if risks else ""
    if stopped(trial):
        return sentence("Without a treatment, or with less of it, an illness may get worse or come back")
    if trial.study_type == "EXPANDED_ACCESS":
        return sentence(
            f"{text}; outside a trial nothing is compared"
            if text
            else "Outside a trial nothing is compared, and harms may go uncounted"
        )
    if early and drug:
        begin = f"It is an early test of {in_short(trial)}, so little may be known of harms"
        return sentence(f"{text}; {begin[:1].lower()}{begin[1:]}" if text else begin)
    if text:
        return sentence(text)
    if "PHASE2" in phases and drug:
        return sentence(f"Not all side effects of {in_short(trial)} may be known, and it may turn out not to help")
    if "PHASE3" in phases and drug:
        return sentence(f"{in_short(trial)} may turn out not to help, and rare side effects may show only later")
    return ""


def _lot(trial: Trial) -> str:
    """Who goes without, and whether they are told."""
    if trial.study_type == "OBSERVATIONAL" and any(not is_looking(one) for one in tested(trial)):
        return sentence("Chance does not decide who gets what here, so what it finds may have other causes")
    if trial.study_type != "INTERVENTIONAL" or fate(trial).state == "withdrawn" or not tested(trial):
        return ""
    if fewer_than_groups(trial):
        return ""
    found, others = roles(trial), versus(trial)
    past = fate(trial).over
    get = "got" if past else "get"
    if found.placebo or found.sham:
        what = next((other for other in others if "placebo" in other or "sham" in other), "a placebo")
        told_ = ", and nobody who took part was told which" if past else ", and those who take part are not told which"
        if trial.intervention_model == "CROSSOVER":
            return sentence(
                f"For a part of the time people {get} {what}{told_ if 'PARTICIPANT' in trial.who_masked else ''}"
            )
        not_told = told_ if "PARTICIPANT" in trial.who_masked else ""
        if found.sham and not found.inactive and design(trial).sort == "mixed":
            return ""  # a sham by the type of its group alone, which gets what is tested
        if design(trial).sort == "mixed" or not found.tested:
            return sentence(f"In some of the groups people {get} {what}{not_told}")
        besides = f", both with {background(trial)}" if background(trial) else ""
        return sentence(f"Some {get} {what} instead of {in_short(trial)}{besides}{not_told}")
    if found.untreated and others:
        who = "For a part of the time people" if trial.intervention_model == "CROSSOVER" else "Some"
        return sentence(f"{who} {get} {joined(others, 'or')}")
    same = design(trial).sort == "pair" and not others and not partly(trial) and trial.allocation != "RANDOMIZED"
    single = trial.intervention_model == "SINGLE_GROUP" and (len(trial.arms) < 2 or same)
    if aim(trial).sort in {"show", "reaction", "provoke"}:
        return ""  # it is no treatment that people would otherwise go without
    if single or len(trial.arms) == 1 or (same and trial.arms):
        return sentence(
            f"Everybody {get if past else 'gets'} {in_short(trial)}, so nothing shows how people fare without it"
        )
    if trial.allocation == "NON_RANDOMIZED" and len({arm.interventions for arm in trial.arms}) > 1:
        who = "who gets what" if not past else "who got what"
        return sentence(f"Chance {'did' if past else 'does'} not decide {who}, so the groups may differ from the start")
    return ""


_SMALL = 60
"""Below so many people it is told how many they are."""


def _few(trial: Trial) -> str:
    number = trial.enrollment
    looks = trial.study_type == "OBSERVATIONAL" and not any(not is_looking(one) for one in tested(trial))
    if not number or number >= _SMALL or looks or fate(trial).state == "withdrawn":
        return ""
    who = people(trial).counted(number)
    return sentence(f"With {who}, chance can have a large part in what is found")


# --- registered adverse events --------------------------------------------------------------------------------------


class Harm(NamedTuple):
    """A group of the results, and in how many of its people something serious happened."""

    group: str
    affected: int
    at_risk: int


_OTHERS = re.compile(r"placebo|sham|control|comparator|standard|usual|alone", re.IGNORECASE)


def _harm(trial: Trial) -> str:
    """How many had a serious event. Groups larger than the trial count something else than people, and are left out."""
    found = harms(trial)
    if trial.enrollment:
        found = [harm for harm in found if harm.at_risk <= trial.enrollment]
    if not found:
        return ""
    total, affected = sum(harm.at_risk for harm in found), sum(harm.affected for harm in found)
    if trial.enrollment and total > trial.enrollment:  # people stand in several groups
        largest = max(found, key=lambda harm: harm.at_risk)
        total, affected, found = largest.at_risk, largest.affected, [largest]
    if affected == 0:
        return sentence(f"The results say of {count(total, 'person', 'people')} that nobody had a serious event")
    compared = roles(trial)
    nobody = not (compared.placebo or compared.sham or compared.untreated or compared.control)
    theirs = [] if nobody else [harm for harm in found if _OTHERS.search(harm.group)]
    ours = [harm for harm in found if harm not in theirs]
    if len(found) == 2 and not theirs:
        told_ = [
            f"{h.affected:,} of {h.at_risk:,} in the group {quoted(h.group, 60) or 'without a name'}" for h in found
        ]
        return sentence(f"A serious event happened to {joined(told_)}, the results say")
    if theirs and ours:
        mine = f"{sum(h.affected for h in ours):,} of {sum(h.at_risk for h in ours):,} who got {in_short(trial)}"
        placebo = all(re.search("placebo|sham", h.group, re.IGNORECASE) for h in theirs)
        whose = "with placebo" if placebo else "of the others"
        other = f"{sum(h.affected for h in theirs):,} of {sum(h.at_risk for h in theirs):,} {whose}"
        return sentence(f"A serious event happened to {mine} and to {other}, the results say")
    return sentence(f"A serious event happened to {affected:,} of {count(total, 'person', 'people')}, the results say")


def harms(trial: Trial) -> list[Harm]:
    """The groups of the results that had people, and not more of them affected."""
    return [
        Harm(one.group or "", one.affected, one.at_risk)
        for one in trial.serious_events
        if one.affected is not None and one.at_risk and one.affected <= one.at_risk
    ]

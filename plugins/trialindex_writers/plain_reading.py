"""What a study could mean: the active substance, what it could lead to, what could go wrong.

It reads what is registered and predicts nothing. What each phase is for follows the glossary of ClinicalTrials.gov
(https://clinicaltrials.gov/study-basics/glossary); adverse events follow the results section of its API v2.
"""

from __future__ import annotations

from collections.abc import Iterator

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Intervention, SeriousEvents, Trial
from trialindex.trial.display import count, words
from trialindex_writers.grammar import Part, first_of, joined, quoted, say
from trialindex_writers.phrases import is_placebo, topic
from trialindex_writers.plain_names import short, treatment, unlike

_SUBSTANCES = {"DRUG": "drug", "BIOLOGICAL": "biological product", "COMBINATION_PRODUCT": "combination product"}
_OTHER_NAMES = 3
_SMALL = 100
"""From how many people on a study is not called small."""


# --- the active substance -------------------------------------------------------------------------------------------


def substance(trial: Trial) -> tuple[Sentence, ...]:
    """The registered drugs and biological products, each with its other names; or that none is stated."""
    given = [(_name(i), i) for i in trial.interventions if not is_placebo(i.name)]
    substances = {name.casefold(): (name, i) for name, i in reversed(given) if name and i.type in _SUBSTANCES}
    if substances:
        return tuple(_substance(name, intervention) for name, intervention in reversed(substances.values()))
    others = unlike(name for name, _ in given)
    if others:
        text = f"No drug or biological product is registered; what is: {joined(others)}"
    elif any(is_placebo(intervention.name) for intervention in trial.interventions):
        text = "Only a placebo or sham is registered, so the active substance is not stated"
    else:
        text = "The active substance is not stated"
    return (say(Part(text, ("interventions",))),)


def _name(intervention: Intervention) -> str:
    """The name, or how it begins; empty if it says nothing."""
    return treatment(intervention.name, intervention.type, 100) or quoted(intervention.name, 100)


def _substance(name: str, intervention: Intervention) -> Sentence:
    others = [n for n in unlike(short(n, 60) for n in intervention.other_names) if n.casefold() != name.casefold()]
    also = f", also called {first_of(others, _OTHER_NAMES)}" if others else ""
    return say(Part(f"The registered {_SUBSTANCES[intervention.type or '']} is {name}{also}", ("interventions",)))


# --- what it could lead to ------------------------------------------------------------------------------------------

_PURPOSES = {
    "TREATMENT": "treatment",
    "PREVENTION": "prevention",
    "DIAGNOSTIC": "diagnosis",
    "SCREENING": "screening",
    "SUPPORTIVE_CARE": "supportive care",
    "HEALTH_SERVICES_RESEARCH": "how care is organised",
    "DEVICE_FEASIBILITY": "whether a device is worth a larger study",
    "BASIC_SCIENCE": "what is known of the body or of an illness",
    "ECT": "how people are taught and advised",
}
_NEXT = {
    "EARLY_PHASE1": "An early phase 1 study gives few people very little of a drug, to see what the body does with it",
    "PHASE1": "A phase 1 study mostly asks what is safe and at what dose; others have to follow before wider use",
    "PHASE1-PHASE2": "A phase 1 and 2 study asks what is safe and for first signs of effect; larger ones must follow",
    "PHASE2": "A phase 2 study looks for first signs of effect and for side effects; larger ones have to follow",
    "PHASE2-PHASE3": "A phase 2 and 3 study goes from first signs of effect to a larger test",
    "PHASE3": "A phase 3 study is a larger test of safety and effect; what regulators decide is another matter",
    "PHASE4": "A phase 4 study is about a drug that has been approved for sale, and asks more about its use",
}


def could_lead_to(trial: Trial) -> tuple[Sentence, ...]:
    """What the results could inform, what the phase can show, what is measured first, and whether results are there."""
    return (_informs(trial), *_step(trial), _measure(trial), _results(trial))


def _informs(trial: Trial) -> Sentence:
    if trial.study_type == "EXPANDED_ACCESS":
        return say(
            Part("This gives access to a treatment; it is not set up to find out more about it", ("study_type",))
        )
    about = Part(f"; its topic is {topic(trial, 100) or 'not stated'}", ("conditions",))
    if trial.study_type == "OBSERVATIONAL":
        return say(Part("Its results could add to what is known", ("study_type",)), about)
    if not trial.primary_purpose:
        return say(Part("Its aim is not stated, so what it could lead to is not either", ("primary_purpose",)))
    could = _PURPOSES.get(trial.primary_purpose, "what is known")
    return say("Whatever they turn out to be, its results could inform ", Part(could, ("primary_purpose",)), about)


def _step(trial: Trial) -> Iterator[Sentence]:
    text = _NEXT.get("-".join(sorted(trial.phases)))
    if text:
        yield say(Part(text, ("phases",)))


def _measure(trial: Trial) -> Sentence:
    main = [(quoted(o.measure, 200), quoted(o.time_frame or "", 120)) for o in trial.outcomes if o.kind == "primary"]
    main = [(measure, frame) for measure, frame in main if measure]
    if not main:
        return say(Part("The main result that it looks for is not stated", ("outcomes",)))
    (measure, frame), *others = main
    when = f", over this time: {frame}" if frame else ""
    more = f"; {count(len(others), 'more main measure')} {'is' if len(others) == 1 else 'are'} listed" if others else ""
    return say(Part(f"The first main measure is {measure}{when}{more}", ("outcomes",)))


def _results(trial: Trial) -> Sentence:
    said: dict[bool | None, str] = {
        True: "Results are posted in the registry",
        False: "No results are posted in the registry",
    }
    return say(Part(said.get(trial.has_results, "Whether results are posted is not stated"), ("has_results",)))


# --- what could go wrong --------------------------------------------------------------------------------------------


def could_go_wrong(trial: Trial) -> tuple[Sentence, ...]:
    """For those who take part and for the study: the most telling first."""
    if trial.study_type == "EXPANDED_ACCESS":
        return (*_stopped(trial), _access(trial), *_harms(trial))
    if trial.study_type == "OBSERVATIONAL":
        return (*_stopped(trial), _observed(trial), *_chance(trial), *_harms(trial))
    return (*_stopped(trial), _known(trial), *_groups(trial), _masked(trial), _size(trial), *_harms(trial))


def _stopped(trial: Trial) -> Iterator[Sentence]:
    texts = {
        "TERMINATED": "The study was stopped early",
        "WITHDRAWN": "The study was withdrawn before it began",
        "SUSPENDED": "The study is on hold",
        "UNKNOWN": "Whether the study goes on is unknown: its record has not been kept up to date",
    }
    text = texts.get(trial.status or "", "")
    reason = quoted(trial.why_stopped or "", 300)
    if reason:
        yield say(
            Part(
                f"{text}; the reason given: " if text else "A reason for stopping is given: ",
                ("status",) if text else (),
            ),
            Part(reason, ("why_stopped",)),
        )
    elif trial.status == "UNKNOWN":
        yield say(Part(text, ("status",)))
    elif text:
        yield say(Part(text, ("status",)), Part("; the reason is not stated", ("why_stopped",)))


def _access(trial: Trial) -> Sentence:
    return say(
        Part(
            "The treatment is given outside a trial, so nothing is compared and harms may go uncounted", ("study_type",)
        )
    )


def _observed(trial: Trial) -> Sentence:
    return say(
        Part("No treatment is assigned: the study watches, and what it finds may have other causes", ("study_type",))
    )


_RISKS = {
    "EARLY_PHASE1": "At this very early stage, next to nothing may be known of side effects in people",
    "PHASE1": "At this early stage, little may be known of side effects in people",
    "PHASE1-PHASE2": "At this early to middle stage, much may still be unknown about side effects",
    "PHASE2": "At this middle stage, not all side effects may be known, and it may turn out not to work",
    "PHASE2-PHASE3": "At this middle to late stage, rarer side effects may be unknown, and it may turn out not to work",
    "PHASE3": "Even at this late stage, rare side effects may not be known, and it may turn out not to work",
    "PHASE4": "Approved drugs have side effects too, and new ones may come to light",
}


def _known(trial: Trial) -> Sentence:
    if not trial.phases:
        return say(Part("The phase is not stated, so it does not say how much is known of side effects", ("phases",)))
    text = _RISKS.get(
        "-".join(sorted(trial.phases)), "No phase applies, so none says how much is known of side effects"
    )
    return say(Part(text, ("phases",)))


def _groups(trial: Trial) -> Iterator[Sentence]:
    """Who gets what: by chance or not, with a placebo or not, or one group alone."""
    if trial.allocation == "RANDOMIZED":
        groups = f"{len(trial.arms)} groups" if len(trial.arms) > 1 else "groups"
        yield say(
            Part("Chance decides who gets what", ("allocation",)),
            Part(f" in the {groups}" if len(trial.arms) > 1 else "", ("arms",) if len(trial.arms) > 1 else ()),
            "; nobody can choose",
        )
    elif trial.intervention_model == "SINGLE_GROUP":
        yield say(
            Part(
                "There is one group without a comparison, so effects are harder to tell",
                ("intervention_model",),
            )
        )
    elif trial.allocation == "NON_RANDOMIZED":
        yield say(Part("Groups are not formed by chance, so they may differ from the start", ("allocation",)))
    elif not trial.allocation:
        yield say(Part("How people come into groups is not stated", ("allocation",)))
    yield from _controls(trial)


def _controls(trial: Trial) -> Iterator[Sentence]:
    for kind, noun, word in (
        ("PLACEBO_COMPARATOR", "a placebo, which holds no active substance", "placebo"),
        ("SHAM_COMPARATOR", "a sham, which only looks like the real thing", "sham"),
    ):
        if any(arm.type == kind for arm in trial.arms):
            yield say(Part(f"Some people get {noun}", ("arms",)))
        elif any(is_placebo(i.name) and word in i.name.lower() for i in trial.interventions):
            yield say(Part(f"Some people may get {noun}", ("interventions",)))
    if any(arm.type == "NO_INTERVENTION" for arm in trial.arms):
        yield say(Part("One group or more gets none of what is tested", ("arms",)))


def _masked(trial: Trial) -> Sentence:
    if "PARTICIPANT" in trial.who_masked:
        return say(Part("Those who take part are not told which treatment they get", ("who_masked",)))
    if trial.who_masked:
        parties = joined([_PARTIES.get(party) or words(party) for party in trial.who_masked])
        return say(Part(f"Who gets what is kept from {parties}", ("who_masked",)))
    if trial.masking == "NONE":
        return say(Part("Everybody knows who gets what, which can colour how results are judged", ("masking",)))
    if trial.masking:
        return say(Part("Some of those involved are not told who gets what", ("masking",)))
    return say(Part("Whether people are told what they get is not stated", ("masking", "who_masked")))


_PARTIES = {
    "CARE_PROVIDER": "those who give care",
    "INVESTIGATOR": "the researchers",
    "OUTCOMES_ASSESSOR": "those who judge the results",
}


def _size(trial: Trial) -> Sentence:
    number = trial.enrollment
    if number is None:
        return say(
            Part(
                "How many people take part is not stated, so how sure the results can be is not either", ("enrollment",)
            )
        )
    if number == 0:
        return say(Part("Nobody takes part, so nothing can be learnt", ("enrollment",)))
    people = count(number, "person", "people")
    if number < _SMALL:
        return say(
            Part(f"With {people} it is small: results can be due to chance, and rare harms missed", ("enrollment",))
        )
    return say(Part(f"With {people}, harms that are rare can still be missed", ("enrollment",)))


def _chance(trial: Trial) -> Iterator[Sentence]:
    """The size of an observational study, which puts nobody at the risk of a treatment."""
    if trial.enrollment is None:
        yield _size(trial)
    elif 0 < trial.enrollment < _SMALL:
        people = count(trial.enrollment, "person", "people")
        yield say(Part(f"With {people} it is small, so results can be due to chance", ("enrollment", "study_type")))


# --- registered adverse events --------------------------------------------------------------------------------------


_GROUPS = 3
"""How many groups of the results are told of."""


def _harms(trial: Trial) -> Iterator[Sentence]:
    """Serious adverse events, group by group as the results state them: groups can overlap, so nothing is added up."""
    found = [events for events in trial.serious_events if _is_plausible(events)]
    for events in found[:_GROUPS]:
        title = quoted(events.group or "", 100)
        name = f"the group {title}" if title else "a group without a name"
        yield say(
            Part(
                f"In {name}, {events.affected:,} of {events.at_risk:,} had a serious adverse event",
                ("serious_events",),
            )
        )
    if found[_GROUPS:]:
        yield say(
            Part(
                f"Serious adverse events are registered for {count(len(found) - _GROUPS, 'more group')} too",
                ("serious_events",),
            )
        )
    if found:
        return
    if trial.has_results:
        yield say(
            Part("Results are posted; the harms in them are not stated by group", ("has_results", "serious_events"))
        )
    elif trial.has_results is False:
        yield say(Part("No results are posted, so no harms are registered", ("has_results",)))
    else:
        yield say(Part("Whether harms are registered is not stated", ("has_results",)))


def _is_plausible(events: SeriousEvents) -> bool:
    """Whether the group had people, and not more of them were affected."""
    return events.affected is not None and bool(events.at_risk) and events.affected <= (events.at_risk or 0)

"""The summary: what is tested and how early; in whom, where and in how many; what is looked at."""

from __future__ import annotations

from collections.abc import Iterator

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Trial
from trialindex.trial.display import purpose
from trialindex_writers.grammar import Part, ages, joined, say
from trialindex_writers.phrases import (
    Whom,
    looked_at,
    places,
    registered_phase,
    stage,
    tested,
    topic,
    whom,
    with_arms,
)

_LIMIT = 100
"""How many characters of a name are told."""


def summary(trial: Trial) -> tuple[Sentence, ...]:
    """Three sentences, each with what is not stated said in it."""
    return with_arms(trial, _what), _who(trial), _why(trial)


def _what(trial: Trial) -> Sentence:
    found, group = tested(trial, _LIMIT), whom(trial, _LIMIT)
    what = Part(found.told(3), ("interventions",))
    if trial.study_type == "OBSERVATIONAL":
        told = [what, Part(" in ")] if what.text else []
    elif not what.text:
        told = [Part("something that is not stated, in ", ("interventions",))]
    elif trial.study_type == "EXPANDED_ACCESS":
        told = [what, Part(" for ")]
    else:
        told = [what, Part(found.versus(3)), Part(" in ")]
    return say(*_opening(trial), *told, group.people, *_condition(trial, group))


def _opening(trial: Trial) -> list[Part]:
    """``This late-stage study (phase 3) tests``; the phase is told of other types only where one is stated."""
    early, registered = stage(trial), registered_phase(trial)
    if trial.study_type == "INTERVENTIONAL":
        return [
            Part(f"This {early.text} study".replace("  ", " "), early.fields),
            Part(f" ({registered.text})", registered.fields),
            Part(" tests ", ("study_type",)),
        ]
    phase = Part(f" ({registered.text})", registered.fields) if early.text else Part("")
    if trial.study_type == "OBSERVATIONAL":
        return [Part("This observational study", ("study_type",)), phase, Part(" looks at ")]
    if trial.study_type == "EXPANDED_ACCESS":
        return [Part("This programme", ("study_type",)), phase, Part(" gives access, outside a trial, to ")]
    known = f"{registered.text}; " if trial.phases else "phase and "
    return [
        Part(f"This {early.text} study".replace("  ", " "), early.fields),
        Part(f" ({known}type not stated) looks at ", (*registered.fields, "study_type")),
    ]


def _condition(trial: Trial, group: Whom) -> Iterator[Part]:
    """What is left to say of the conditions."""
    if group.topic.text:
        yield Part(f"; its topic is {group.topic.text}", group.topic.fields)
    elif not group.named:
        said = topic(trial, _LIMIT)
        yield Part(f"; its topic is {said}" if said else "; the condition is not stated", ("conditions",))
    if group.more:
        are = "condition is" if group.more == 1 else "conditions are"
        yield Part(f" ({group.more:,} more {are} listed)", ("conditions",))


def _who(trial: Trial) -> Sentence:
    where = places(trial)
    return say(
        "It is for ",
        *_limits(trial),
        Part(f", {where.text}" if where.text else "", where.fields),
        _how_many(trial),
        Part("; where is not stated" if not where.text and trial.enrollment is not None else "", where.fields),
        Part("; healthy people may join", ("healthy_volunteers",)) if trial.healthy_volunteers else Part(""),
    )


_SEXES = {"FEMALE": "women and girls", "MALE": "men and boys", "ALL": "people of any sex"}


def _limits(trial: Trial) -> list[Part]:
    """``women aged from 18 to 65 years``, ``people of any sex and age``."""
    low, high = trial.minimum_age, trial.maximum_age
    aged = ages(low, high)
    sex, sex_fields = _SEXES.get(trial.sex or "", "people"), ("sex",)
    if low == 0 and high is not None:
        low = None  # "up to" says as much
    fields = [field for field, value in (("minimum_age", low), ("maximum_age", high)) if value is not None]
    if trial.sex in {"FEMALE", "MALE"} and low is not None and low >= 18:
        sex = "women" if trial.sex == "FEMALE" else "men"
    elif trial.sex in {"FEMALE", "MALE"} and high is not None and high < 18:
        sex = "girls" if trial.sex == "FEMALE" else "boys"
    missing = [*([] if trial.sex else ["sex"]), *([] if aged else ["age limits"])]
    gap = f" ({joined(missing)} not stated)" if missing else ""
    return [
        Part(sex, sex_fields),
        Part(f" {aged}" if aged else "", tuple(fields) or ("minimum_age", "maximum_age")),
        Part(gap),
    ]


def _how_many(trial: Trial) -> Part:
    """``; 40 were included``, ``; the plan is for 40``, ``; how many is not stated``."""
    number = trial.enrollment
    if number is None:
        return Part(
            "; how many is not stated" if trial.sites else "; how many and where are not stated", ("enrollment",)
        )
    fields = ("enrollment", "enrollment_type")
    if trial.enrollment_type == "ESTIMATED":
        return Part(f"; the plan is for {number:,}", fields)
    if trial.enrollment_type is None:
        return Part(f"; the number given is {number:,}", ("enrollment",))
    if number == 0:
        return Part("; nobody was included", fields)
    return Part(f"; {number:,} {'was' if number == 1 else 'were'} included", fields)


def _why(trial: Trial) -> Sentence:
    """``Its aim is treatment, and it mainly looks at side effects.``"""
    looks = looked_at(trial)
    if not trial.primary_purpose:
        aim = Part("; its aim is not stated", ("primary_purpose",))
        if trial.study_type in {"OBSERVATIONAL", "EXPANDED_ACCESS"}:  # the registry asks no purpose of these
            aim = Part("", ("study_type",))
        return say(
            Part(f"It mainly looks at {looks}" if looks else "What it mainly looks at is not stated", ("outcomes",)),
            aim,
        )
    aim = Part(f"Its aim is {_AIMS.get(trial.primary_purpose) or purpose(trial.primary_purpose)}", ("primary_purpose",))
    if not looks:
        return say(aim, Part("; what it mainly looks at is not stated", ("outcomes",)))
    return say(aim, Part(f", and it mainly looks at {looks}", ("outcomes",)))


_AIMS = {
    "HEALTH_SERVICES_RESEARCH": "to study how care is organised",
    "DEVICE_FEASIBILITY": "to see whether a device works as designed",
    "OTHER": "of another kind",
}

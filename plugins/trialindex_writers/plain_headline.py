"""The headline: what is tested, against what, in how many of whom, and at what stage, as much of it as fits."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import NamedTuple

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Trial
from trialindex_writers.grammar import Part, an, say
from trialindex_writers.phrases import main_measures, stage, tested, topic, whom, with_arms

LONGEST = 90
"""How many characters a headline may have."""

_PURPOSES = {
    "PREVENTION": "prevention study",
    "DIAGNOSTIC": "study of diagnosis",
    "SUPPORTIVE_CARE": "study of supportive care",
    "SCREENING": "screening study",
    "HEALTH_SERVICES_RESEARCH": "study of how care is organised",
    "BASIC_SCIENCE": "basic science study",
    "DEVICE_FEASIBILITY": "study of how a device works",
    "ECT": "study of education and advice",
}
_ACCESS = "access outside a trial"


class _Shape(NamedTuple):
    """What a headline holds.

    :param name: how long the name of what is tested may be, in characters; with 0 its kind stands for it.
    :param illness: how long the name of the condition may be; with 0 it is left out.
    """

    name: int
    illness: int
    shown: int
    compared: bool
    numbered: bool
    kind: bool

    @property
    def loss(self) -> int:
        """How much a reader misses."""
        names = {60: 0, 45: 1, 30: 2, 20: 3}
        return (
            names.get(self.name, 14)
            + names.get(self.illness, 12)
            + 2 * (2 - self.shown)
            + 3 * (not self.compared)
            + 4 * (not self.numbered)
            + 7 * (not self.kind)
        )


_LIMITS = (60, 45, 30, 20, 0)
_HELD = tuple(product((True, False), (True, False), (True, False)))
_SHAPES = sorted(
    (_Shape(*limits, shown, *held) for limits in product(_LIMITS, _LIMITS) for shown in (2, 1) for held in _HELD),
    key=lambda shape: shape.loss,
)


def headline(trial: Trial) -> Sentence:
    """The headline of at most :data:`LONGEST` characters that leaves out least, without a full stop."""
    return with_arms(trial, _headline)


def _headline(trial: Trial) -> Sentence:
    made = _Headline(trial)
    parts = next(parts for parts in map(made.parts, _SHAPES) if 0 < sum(len(part.text) for part in parts) <= LONGEST)
    told = say(*parts)
    return Sentence(told.text.removesuffix("."), told.fields)


class _Headline:
    """Headlines of one trial, in any shape."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.kind = _kind(trial)
        self.joint = " for " if trial.study_type == "EXPANDED_ACCESS" else " in "
        self.tested = cache(lambda limit: tested(trial, limit))
        self.whom = cache(lambda limit, numbered: whom(trial, limit, numbered=numbered))

    def parts(self, shape: _Shape) -> list[Part]:
        """The parts of that shape; none if it asks for a name that the trial does not have at that length."""
        trial, found, group = self.trial, self.tested(shape.name), self.whom(shape.illness, shape.numbered)
        nameless = found.kind and not found.names
        if (shape.name and nameless) or (shape.illness and trial.conditions and not group.named):
            return []
        what = Part(found.told(shape.shown), ("interventions",)) if found.kind else _measured(trial)
        about = Part(f" on {group.topic.text}", group.topic.fields) if group.topic.text else Part("")
        if not what.text:
            if not group.named:
                return self._nameless(group.people)
            return [self.kind, about, Part(self.joint), group.people]
        if trial.study_type == "EXPANDED_ACCESS":
            return [what, Part(self.joint), group.people, Part(": "), self.kind, about]
        kind = self.kind if shape.kind else Part("study")
        return [
            what,
            Part(found.versus(2) if shape.compared and found.kind else ""),
            Part(self.joint),
            group.people,
            Part(f": {an(kind.text)}", kind.fields) if about.text or kind.fields else Part(""),
            about,
        ]

    def _nameless(self, people: Part) -> list[Part]:
        """Of a trial that names nothing tested, and no condition that is short enough."""
        begins = topic(self.trial, 30)
        if begins:
            return [self.kind, Part(f" on {begins}", ("conditions",)), Part(self.joint), people]
        return [self.kind, Part(self.joint), people, Part("; topic not stated", ("conditions", "interventions"))]


def _measured(trial: Trial) -> Part:
    """What an observational study looks at, for one that names nothing that people receive."""
    known = main_measures(trial).known if trial.study_type == "OBSERVATIONAL" else ()
    noun = known and not known[0].startswith(("how", "what", "whether", "which"))
    return Part(known[0], ("outcomes", "study_type")) if noun else Part("")


def _kind(trial: Trial) -> Part:
    """What sort of study it is: by its type, its phase and its purpose."""
    if trial.study_type == "EXPANDED_ACCESS":
        return Part(_ACCESS, ("study_type",))
    if trial.study_type == "OBSERVATIONAL":
        return Part("observational study", ("study_type",))
    early = stage(trial)
    purpose = _PURPOSES.get(trial.primary_purpose or "", "")
    if not purpose and not early.text and trial.primary_purpose == "TREATMENT":
        purpose = "treatment study"
    fields = (*early.fields, *(("primary_purpose",) if purpose else ()))
    return Part(f"{early.text} {purpose or 'study'}".strip(), fields)

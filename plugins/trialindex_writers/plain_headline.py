"""The headline: what a good editor would write in 90 characters, as a question where the trial asks one.

Candidates are made from the most telling to the plainest, and the first that fits is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex.trial import Trial
from trialindex.trial.display import count
from trialindex.trial.sanitize import one_line
from trialindex_writers.plain_aim import aim, looked_at, measures
from trialindex_writers.plain_compared import background, versus
from trialindex_writers.plain_design import design
from trialindex_writers.plain_fate import fate, reason
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_people import people
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_told import for_headline, tested, together
from trialindex_writers.plain_watched import treated, watched, with_illness

LONGEST = 90
"""How many characters a headline may have."""


def headline(trial: Trial) -> str:
    """The most telling headline that fits, without a full stop."""
    found = next(text for text in (_capital(text) for text in _candidates(trial)) if len(text) <= LONGEST)
    return _longer(trial, found)


def _capital(text: str) -> str:
    text = one_line(text)
    return text if re.match(r"[a-z]+[A-Z]", text) else text[:1].upper() + text[1:]


def _longer(trial: Trial, found: str) -> str:
    """With how many people it tries, where there is room for it."""
    state = fate(trial).state
    if state == "planned":
        number = f" A test in {people(trial).counted(trial.enrollment)}, not yet open" if trial.enrollment else ""
        options = [
            number if aim(trial).sort != "watch" else "",
            " Not yet open" if found.endswith("?") else ": not yet open",
        ]
        return next((found + option for option in options if option and len(found + option) <= LONGEST), found)
    if not trial.enrollment or state in {"stopped", "withdrawn", "gone"}:
        return found
    who, watched = people(trial), aim(trial).sort == "watch"
    counted = who.counted(trial.enrollment) if who.many not in found else count(trial.enrollment, "person", "people")
    if found.endswith("?"):
        tails = [
            f" A {'look at' if watched else 'test in'} {counted}",
            f" A {'look at' if watched else 'test in'} {count(trial.enrollment, 'person', 'people')}",
            f" ({count(trial.enrollment, 'person', 'people')})",
        ]
    elif found.startswith(f"A look at {who.many} ") and len(found) + len(counted) < LONGEST:
        return found.replace(who.many, who.counted(trial.enrollment), 1)
    else:
        tails = [f"{':' if watched else ' in'} {counted}"] if who.many not in found else []
    return next((found + tail for tail in tails if tail and len(found + tail) <= LONGEST), found)


def _candidates(trial: Trial) -> Iterator[str]:
    state = fate(trial).state
    names = for_headline(trial)
    illness = _illness(trial)
    if trial.study_type == "EXPANDED_ACCESS":
        yield from _access(trial, names, illness)
    elif state == "withdrawn":
        yield from _ended(trial, names, illness, "called off before it began", "called off")
    elif state == "stopped":
        yield from _ended(trial, names, illness, "stopped early", "stopped early")
    elif state == "held":
        yield from _ended(trial, names, illness, "on hold", "on hold")
    if trial.study_type == "OBSERVATIONAL" or not tested(trial):
        yield from watched(trial, names, illness)
    for name in names if trial.study_type == "INTERVENTIONAL" else ():
        yield from _asked(trial, name, illness)
    for name in names if trial.study_type == "INTERVENTIONAL" and illness else ():
        yield from _asked(trial, name, [])
    yield from _last(trial, names, illness)


@remembered
def _illness(trial: Trial) -> list[str]:
    """The illness with its gloss, and without."""
    found = about(trial)
    if found is None:
        return []
    name = found.name
    options = (
        [f"{name} ({found.gloss})"]
        if found.gloss and len(found.gloss) < 26 and not found.gloss.startswith(("in ", "spread", "womb"))
        else []
    )
    bare = re.sub(r"\s*\([^)]*\)", "", name)
    first = re.split(r", | or | and ", bare)[0]
    short = re.sub(r" that .*$", "", bare)
    several = (
        ["advanced cancer" if bare.startswith("advanced") else "cancer"] if bare.endswith("of several kinds") else []
    )
    return [
        *options,
        name,
        bare,
        *([short] if short != bare else []),
        *several,
        *([f"{first} or another illness"] if found.several and first != bare and _lists(found.name) else []),
    ]


def _lists(name: str) -> bool:
    """Whether a name lists illnesses of which people have one, and not two of which they may have both."""
    return " or " in name and not name.endswith(" or both")


def _ended(trial: Trial, names: list[str], illness: list[str], end: str, brief: str) -> Iterator[str]:
    why = reason(trial)
    because = {
        "too few people joining": "as too few joined",
        "a lack of money": "for lack of money",
        "a decision of the sponsor": "as the sponsor decided",
        "little hope of a benefit": "with little hope of a benefit",
        "a look at safety": "after a look at safety",
        "the COVID-19 pandemic": "in the pandemic",
    }.get(why, "")
    ends = [f"{end} {because}", end, brief] if because else [end, brief]
    topic = " for " if trial.primary_purpose in {"TREATMENT", None} and trial.study_type != "OBSERVATIONAL" else " and "
    subject = names if trial.study_type != "OBSERVATIONAL" or treated(trial) else []
    for text in ends:
        for name in subject:
            for ill in illness:
                yield f"{name}{topic}{ill}: {text}"
        for ill in illness:
            if not subject:
                yield f"Study of {ill}: {text}"
    for text in ends:
        for name in subject:
            yield f"{name}{_in(trial)}: {text}"
    for text in ends:
        for ill in illness:
            yield f"Study of {ill}: {text}"
        yield f"Study{_in(trial)}: {text}"


@remembered
def _in(trial: Trial) -> str:
    return f" in {people(trial).many}"


def _access(trial: Trial, names: list[str], illness: list[str]) -> Iterator[str]:
    end = "no longer on offer" if fate(trial).state == "gone" else "access outside a trial"
    outside = " outside a trial" if fate(trial).state == "gone" else ""
    for name in names or ["a treatment"]:
        for ill in illness:
            yield f"{name} for {ill}{outside}: {end}"
        yield f"{name}{outside}: {end}"


def _asked(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    """Questions about one name for what is tested; without an illness, those that name none."""
    asked = aim(trial)
    make = _SORTS.get(asked.sort) or (_signs if asked.sort == "signs" and not asked.verb else _effect)
    yield from make(trial, name, illness)


def _safe(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    added, many = background(trial), _many(trial)
    end = "which dose is safe?" if aim(trial).sort == "dose" else "are they safe?" if many else "is it safe?"
    for ill in illness:
        if _had(trial):
            if added and len(added) < 20 and " with " not in name:
                yield f"{name} with {added} for {ill}: {end}"
            yield f"{name} for {ill}: {end}"
        elif trial.primary_purpose == "PREVENTION":
            yield f"{name} to prevent {ill}: {end}"
        else:
            yield f"{name} meant for {ill}: {end}"
    if not illness:
        yield f"{name}{_in(trial)}: {end}"


def _body(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield f"What does the body do with {name}{' in ' if _had(trial) else ', meant for '}{ill}?"
    if not illness:
        yield f"What does the body do with {name}?"


def _use(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield (
            f"Can {with_illness(ill)} make good use of {name}?"
            if _had(trial)
            else f"Can people make good use of {name} for {ill}?"
        )
    if not illness:
        yield f"Can people make good use of {name}?"


def _care(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield f"Can {name} make care of {ill} better?"
        yield f"{name} to make care better for {with_illness(ill)}"
    if not illness:
        yield f"Can {name} make care better?"


def _show(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness if name == "samples" else ():
        yield f"Which signs in the body tell of {ill}?"
    for ill in illness:
        yield f"What can {name} show in {ill}?" if _had(trial) else f"How well can {name} show {ill}?"
    if not illness:
        yield f"How well does {name} work?" if name[:2] in {"a ", "an"} else f"What can {name} show?"


def _provoke(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield f"Can {name} set off {ill}?"
    if not illness:
        yield f"What can {name} set off?"


def _reaction(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield f"What happens in the body when {ill} is set off on purpose?"
    if not illness:
        yield "What happens in the body when an allergy is set off on purpose?"


def _signs(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    do = "do" if _many(trial) else "does"
    if not measures(trial):
        for ill in illness:
            yield f"A look at {name} in {ill}" if _had(trial) else f"A look at {name} and {ill}"
    for ill in illness:
        yield f"What {do} {name} do in the body{f' in {ill}?' if _had(trial) else f'? A study on {ill}'}"
    if not illness:
        yield f"What {do} {name} do in the body?"


def _effect(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    asked, added, found = aim(trial), background(trial), tested(trial)
    apart = design(trial).sort == "each" and not together(trial)
    if len(found) > 1 and trial.allocation == "RANDOMIZED" and not versus(trial) and not added and apart:
        for ill in illness if " or " in name else ():
            yield f"{name} for {ill}: which works {'better' if len(found) == 2 else 'best'}?"
        for ill in illness if re.match(r"(?:two|three|four|five|six|several) ", name) else ():
            yield f"{name} for {ill}: which works {'better' if len(found) == 2 else 'best'}?"
    whole = about(trial)
    verbs = [asked.verb.replace(whole.name, ill) for ill in illness] if whole else [asked.verb] if not illness else []
    for verb in verbs:
        if added and len(added) < 26 and added != name:
            yield f"Can {name}, added to {added}, {verb}?"
        yield f"Can {name} {verb}?"
    if illness:
        yield f"Can {name} help in {illness[-1]}?"
        yield f"{name} for {illness[-1]}: does it help?"


def _stop(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield (
            f"What happens when {with_illness(ill)} stop a treatment, or have less of it?"
            if _had(trial)
            else f"What happens when people stop a treatment for {ill}?"
        )
        yield f"What happens when a treatment of {ill} is stopped?"
    if not illness:
        yield "What happens when people stop a treatment, or have less of it?"


def _feasible(trial: Trial, name: str, illness: list[str]) -> Iterator[str]:
    for ill in illness:
        yield (
            f"{name} for {with_illness(ill)}: can it be done?" if _had(trial) else f"{name} and {ill}: can it be done?"
        )
    if not illness:
        yield f"{name}{_in(trial)}: can it be done?"


_SORTS = {
    "feasible": _feasible,
    "stop": _stop,
    "safety": _safe,
    "dose": _safe,
    "body": _body,
    "use": _use,
    "care": _care,
    "show": _show,
    "provoke": _provoke,
    "reaction": _reaction,
}


def _many(trial: Trial) -> bool:
    """Whether what is tested takes "are"."""
    found = tested(trial)
    return len(found) > 1 or any(one.kind and one.kind.many for one in found)


def _had(trial: Trial) -> bool:
    found = about(trial)
    return bool(found and found.had)


def _last(trial: Trial, names: list[str], illness: list[str]) -> Iterator[str]:
    """When nothing better fits."""
    who = people(trial).many
    for name in names[-1:]:
        for ill in illness[-1:]:
            yield f"{name} and {ill}: a study"
        yield f"{name} in {who}: a study"
        yield f"{name}: a study"
    for ill in illness:
        yield f"What can be learnt about {ill}?"
        yield f"A study of {ill}"
    looks = looked_at(trial)
    if looks and "“" not in looks:
        yield f"A study in {who}: {looks}"
    yield f"A study in {who}"

"""The headline: what a good editor would write in 90 characters, as a question where the trial asks one.

Candidates are made from the most telling to the plainest, and the first that fits is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex.trial import Trial
from trialindex_writers.plain_aim import aim, looked_at, measures
from trialindex_writers.plain_fate import fate, reason
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_people import people
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_told import background, for_headline, is_looking, tested, versus

LONGEST = 90
"""How many characters a headline may have."""


def headline(trial: Trial) -> str:
    """The most telling headline that fits, without a full stop."""
    found = next(text for text in (_capital(text) for text in _candidates(trial)) if len(text) <= LONGEST)
    return _longer(trial, found)


def _capital(text: str) -> str:
    text = " ".join(text.split())
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
    counted = who.counted(trial.enrollment) if who.many not in found else f"{trial.enrollment:,}"
    if found.endswith("?"):
        tails = [
            f" A {'look at' if watched else 'test in'} {counted}",
            f" A {'look at' if watched else 'test in'} {trial.enrollment:,}",
        ]
    else:
        tails = [f" in {counted}"] if who.many not in found else []
    return next((found + tail for tail in tails if len(found + tail) <= LONGEST), found)


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
    if trial.study_type == "OBSERVATIONAL":
        yield from _watched(trial, names, illness)
    elif names:
        for name in names:
            yield from _asked(trial, name, illness)
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
    return [
        *options,
        name,
        bare,
        *([f"{first} or another illness"] if found.several and first != bare and found.had else []),
    ]


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
    subject = names if trial.study_type != "OBSERVATIONAL" or _treats(trial) else []
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
    asked = aim(trial)
    whom = f" in {people(trial).many}"
    bare = illness[-1] if illness else ""
    added = background(trial)
    others = versus(trial)
    if asked.sort in {"safety", "dose"}:
        end = "which dose is safe?" if asked.sort == "dose" else "are they safe?" if _many(trial) else "is it safe?"
        for ill in illness:
            if _had(trial):
                yield f"{name}{' with ' + added if added and len(added) < 20 else ''} for {ill}: {end}"
                yield f"{name} for {ill}: {end}"
            elif trial.primary_purpose == "PREVENTION":
                yield f"{name} to prevent {ill}: {end}"
            else:
                yield f"{name} meant for {ill}: {end}"
        yield f"{name}{whom}: {end}"
        return
    if asked.sort == "body":
        for ill in illness:
            yield f"What does the body do with {name}{', meant for ' + ill if not _had(trial) else ' in ' + ill}?"
        yield f"What does the body do with {name}?"
        return
    if asked.sort == "use":
        for ill in illness:
            yield (
                f"Can {_with(ill)} make good use of {name}?" if _had(trial) else f"Can people make good use of {name}?"
            )
        yield f"Can people make good use of {name}?"
        return
    if asked.sort == "care":
        yield f"Can {name} make care{' of ' + bare if bare else ''} better?"
        yield f"{name} to make care better{' for people with ' + bare if bare else ''}"
        return
    if asked.sort == "show":
        for ill in illness:
            yield f"What can {name} show in {ill}?" if _had(trial) else f"How well can {name} show who has {ill}?"
        yield f"How well can {name} do as a test?"
        return
    if asked.sort == "signs" and not asked.verb:
        do = "do" if _many(trial) else "does"
        for ill in illness:
            yield f"What {do} {name} do in the body{' in ' + ill if _had(trial) else ''}?"
        yield f"What {do} {name} do in the body?"
        return
    if (
        len(tested(trial)) > 1
        and not others
        and trial.allocation == "RANDOMIZED"
        and not added
        and len(tested(trial)) == 2
    ):
        pair = name.replace(" and ", " or ")
        for ill in illness:
            yield f"{pair} for {ill}: which works better?"
    verbs = [asked.verb.replace(bare, ill) if bare and ill != bare else asked.verb for ill in illness] or [asked.verb]
    if about(trial):
        verbs = [asked.verb.replace(about(trial).name, ill) for ill in illness]  # type: ignore[union-attr]
    for verb in verbs:
        if added and len(added) < 26:
            yield f"Can {name}, added to {added}, {verb}?"
        yield f"Can {name} {verb}?"
    if about(trial) and illness:
        yield f"Can {name} help in {bare}?"
        yield f"{name} for {bare}: does it help?"


def _with(ill: str) -> str:
    return {"smoking": "people who smoke", "vaping": "people who vape"}.get(ill, f"people with {ill}")


def _many(trial: Trial) -> bool:
    """Whether what is tested takes "are"."""
    found = tested(trial)
    return len(found) > 1 or any(one.kind and one.kind.many for one in found)


def _had(trial: Trial) -> bool:
    found = about(trial)
    return bool(found and found.had)


def _treats(trial: Trial) -> bool:
    """Whether what an observational study names is a treatment, and no sample or test."""
    return any(not is_looking(one) for one in tested(trial))


_CUES = (
    (
        r"prevalence|incidence|epidemiolog|how common|frequency of|sensiti[sz]ation (?:rate|pattern)",
        "How common is {ill}?",
    ),
    (r"risk factors?|predict|prognos|associat", "What goes along with {ill}, and who is at risk?"),
    (r"quality of life|burden|impact of", "What is life with {ill} like?"),
    (r"genetic|genom|gene\b|genes\b|polymorphism|transcript", "Which genes play a part in {ill}?"),
    (r"microbio", "Which germs play a part in {ill}?"),
    (
        r"biomarker|basophil|eosinophil|cytomet|phenotyp|\bIgE\b|immun|cytokine|cells?\b|inflammat|serum|metabol",
        "Which signs in the body go with {ill}?",
    ),
    (r"diagnos|accuracy|test\b|detect|validat|screen", "How well can {ill} be found?"),
    (
        r"registry|cohort|natural history|follow-?up|long[- ]term|outcome|real[- ]world|retrospective",
        "How do {with_ill} fare?",
    ),
    (r"adheren|knowledge|attitude|aware|survey|questionnaire", "What do people know and do about {ill}?"),
    (r"pattern|practice|management|treatment", "How is {ill} treated in everyday care?"),
)


def _watched(trial: Trial, names: list[str], illness: list[str]) -> Iterator[str]:
    titles = f"{trial.title} {trial.official_title or ''}"
    cue = next((text for pattern, text in _CUES if re.search(pattern, titles, re.IGNORECASE)), "")
    if _treats(trial) and names:
        for name in names:
            for ill in illness:
                yield (
                    f"How do {_with(ill)} fare with {name}?"
                    if _had(trial)
                    else f"{name} and {ill}: what happens in everyday care?"
                )
            yield f"How do people fare with {name}?"
        return
    shows = [name for name in names if not _treats(trial)]
    if shows and re.search(r"diagnos|accuracy|test\b|detect|validat|sensitivity", titles, re.IGNORECASE):
        for ill in illness:
            yield f"How well can {shows[0]} show {ill}?"
    for ill in illness:
        if cue:
            yield cue.format(ill=ill, with_ill=_with(ill))
    signs = {"antibodies", "cells of the immune system", "signs in the blood or tissue", "bacteria in or on the body"}
    if set(measures(trial)) & signs:
        for ill in illness:
            yield f"Which signs in the body go with {ill}?"
    for ill in illness:
        yield f"A closer look at {ill}"


def _last(trial: Trial, names: list[str], illness: list[str]) -> Iterator[str]:
    """When nothing better fits."""
    who = people(trial).many
    for name in names[-1:]:
        for ill in illness[-1:]:
            yield f"{name} and {ill}: a study"
        yield f"{name} in {who}: a study"
        yield f"{name}: a study"
    for ill in illness:
        yield f"A study of {ill}"
    looks = looked_at(trial)
    if looks and "“" not in looks:
        yield f"A study in {who}: {looks}"
    yield f"A study in {who}"

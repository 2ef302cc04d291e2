"""The summary, three sentences: what is asked of what; who takes part, where, and who gets what; what is looked at."""

from __future__ import annotations

import re

from trialindex.plugin.trial_page import Sentence
from trialindex.trial import Trial
from trialindex.trial.display import countable, phase
from trialindex.trial.sanitize import one_line
from trialindex_writers.grammar import country, first_of, joined, quoted
from trialindex_writers.plain_aim import aim, looked_at, measures, stopped, whom_of
from trialindex_writers.plain_compared import background, partly, versus
from trialindex_writers.plain_design import design, fewer_than_groups
from trialindex_writers.plain_fate import fate, reason
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_own_words import in_own_words, own_aim
from trialindex_writers.plain_people import people
from trialindex_writers.plain_record import missing, remembered, told
from trialindex_writers.plain_roles import chance, roles
from trialindex_writers.plain_told import in_full, in_short, is_looking, tested, together
from trialindex_writers.plain_whom import when, which

_STAGES = {
    ("EARLY_PHASE1",): "early",
    ("PHASE1",): "early",
    ("PHASE1", "PHASE2"): "early to mid-stage",
    ("PHASE2",): "mid-stage",
    ("PHASE2", "PHASE3"): "mid- to late-stage",
    ("PHASE3",): "late-stage",
}


def summary(trial: Trial) -> tuple[Sentence, ...]:
    """Three sentences; two where nothing more is stated."""
    made = (told(trial, one) for one in (what, who, looks))
    return tuple(one for one in made if one)


def sentence(text: str) -> str:
    """The text as a sentence: a capital first, one full stop last, no comma before a mark."""
    text = re.sub(r",\s*(?=[.;:?,])", ",", text)
    text = re.sub(r",\s*(?=[.;:?])", "", f"{one_line(text).rstrip('.,;')}.")
    return text if re.match(r"[a-z]+[A-Z]", text) else text[:1].upper() + text[1:]


# --- what is asked --------------------------------------------------------------------------------------------------


def what(trial: Trial) -> str:
    """``This late-stage trial (phase 3) tested whether …``; what has become of it stands here if it never began."""
    if trial.study_type == "EXPANDED_ACCESS":
        return sentence(_access(trial))
    state = fate(trial)
    subject = _subject(trial)
    if state.state == "withdrawn":
        return sentence(f"{subject} {_of(trial)} was withdrawn before it began{_why(trial)}")
    opening = (
        f"{subject}, not yet open,"
        if state.state == "planned"
        else f"{subject}, now on hold{_why(trial)},"
        if state.state == "held"
        else subject
    )
    question = _question(trial, _tense(trial))
    after = when(trial)
    text = f"{opening} {question}{after if after.split()[-1:] and after.split()[-1] not in question else ''}"
    if aim(trial).sort == "watch":
        text += in_own_words(trial)
    elif aim(trial).sort == "signs" and own_aim(trial):
        text += f"; its aim, in the researchers' words: {own_aim(trial)}"
    if state.state == "stopped":
        text = f"{text}; it was stopped early{_why(trial)}"
    return sentence(text)


@remembered
def _subject(trial: Trial) -> str:
    early = _STAGES.get(tuple(sorted(trial.phases)), "")
    number = f" ({phase(trial.phases)})" if trial.phases and set(trial.phases) != {"NA"} else ""
    noun = (
        "study"
        if trial.study_type != "INTERVENTIONAL" or aim(trial).sort in {"show", "signs", "care", "use"}
        else "trial"
    )
    if not early and number:
        return (
            f"This {noun} of a treatment in use{number}"
            if set(trial.phases) == {"PHASE4"} and trial.study_type == "INTERVENTIONAL"
            else f"This {noun}{number}"
        )
    return f"This {early} {noun}{number}".replace("  ", " ")


def _why(trial: Trial) -> str:
    why = reason(trial)
    if why:
        return f"; the reason given{': ' if why.startswith('“') else ' is '}{why}"
    if fate(trial).state in {"stopped", "withdrawn", "held"}:
        missing(trial, "why_stopped")
        return "; no reason is given"
    return ""


def _tense(trial: Trial) -> str:
    state = fate(trial)
    return "will" if state.state in {"planned", "held"} else "past" if state.over else "now"


_WORDS = dict(enumerate(("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 2))
_VERBS = {
    "test": {"now": "tests", "past": "tested", "will": "is to test"},
    "look": {"now": "looks", "past": "looked", "will": "is to look"},
    "compare": {"now": "compares", "past": "compared", "will": "is to compare"},
    "follow": {"now": "follows", "past": "followed", "will": "is to follow"},
    "ask": {"now": "asks", "past": "asked", "will": "is to ask"},
    "seek": {"now": "looks", "past": "looked", "will": "is to look"},
}


@remembered
def _illness(trial: Trial) -> str:
    found = about(trial)
    if found is None:
        return ""
    return f"{found.name} ({found.gloss})" if found.gloss else found.name


def _question(trial: Trial, tense: str) -> str:
    asked, illness, thing = aim(trial), about(trial), in_full(trial)
    verb = {name: forms[tense] for name, forms in _VERBS.items()}
    if asked.sort == "watch":
        return _watching(trial, verb)
    if not thing:
        missing(trial, "interventions")
        about_it = f" in {_illness(trial)}" if illness else ""
        return f"{verb['look']} at {looked_at(trial) or 'something that is not named'}{about_it}"
    if asked.sort == "stop":
        whose = f" in {_illness(trial)}" if illness else ""
        name = quoted(stopped(trial), 60)
        return f"{verb['test']} what happens when a treatment is stopped, or people have less of it ({name}),{whose}"
    added = f" {added_to(trial)}," if added_to(trial) else ""
    thing = f"{thing.rstrip(',')},{added}" if added else thing
    name = _illness(trial)
    had = bool(illness and illness.had)
    meant = "to prevent" if trial.primary_purpose == "PREVENTION" else "for"
    ill = (
        f" in {name}"
        if had
        else f"; {'they are' if _several(trial) else 'it is'} meant {meant} {name}"
        if illness and trial.primary_purpose in {"TREATMENT", "PREVENTION", "OTHER"}
        else ""
    )
    if asked.sort == "safety":
        more = (
            f" and whether {'they' if _several(trial) else 'it'} can {_again(trial, asked.verb)}"
            if asked.verb and had
            else ""
        )
        return f"{verb['test']} the safety of {thing}{ill}{more}"
    if asked.sort == "dose":
        return f"{verb['look']} for the dose of {thing} that people can safely take{ill}"
    if asked.sort == "body":
        return f"{verb['test']} what the body does with {thing}{ill}"
    if asked.sort == "use":
        return f"{verb['test']} whether people{' with ' + name if had else ''} can use {thing} well and like it"
    if asked.sort == "care":
        whose = f" for people with {name}" if had else f" in {name}" if illness else ""
        return f"{verb['test']} {thing} as a way to make care better{whose}"
    if asked.sort == "show":
        if not illness:
            return f"{verb['test']} how well {thing} can do as a test"
        return (
            f"{verb['test']} what {thing} can show in {name}"
            if had
            else f"{verb['test']} how well {thing} can show who has {name}"
        )
    if asked.sort == "provoke":
        return f"{verb['test']} whether {thing} can {_glossed(trial, asked.verb)}"
    if asked.sort == "reaction":
        return f"{verb['look']} at what happens in the body when {name or 'an illness'} is set off by {thing}"
    if asked.sort == "signs" and not asked.verb:
        if not measures(trial):
            return f"{verb['look']} at {thing}{ill if had else ''}"
        return f"{verb['look']} at what {thing} can do in the body{ill if had else ''}"
    both = tested(trial)
    if (
        len(both) == 2
        and not versus(trial)
        and trial.allocation == "RANDOMIZED"
        and not added
        and not together(trial)
        and all(one.name for one in both)
    ):
        can = _glossed(trial, asked.verb).removesuffix(" better")
        better = f"to see whether one of them can {can} better"
        return f"{verb['compare']} {both[0].name} with {both[1].name}{ill}, {better}"
    if asked.sort == "feasible":
        return f"{verb['test']} whether {thing} can be carried out{' with people with ' + name if had else ''}"
    return f"{verb['test']} whether {thing} can {_glossed(trial, asked.verb)}"


@remembered
def added_to(trial: Trial) -> str:
    """``added to chemotherapy``, ``alone or with chemotherapy``; empty if nothing is told of all the groups."""
    if background(trial):
        return f"added to {background(trial)}"
    some = partly(trial) if len(tested(trial)) == 1 else ""
    return f"{'alone or ' if design(trial).solo else ''}with {some}" if some else ""


def _several(trial: Trial) -> bool:
    found = tested(trial)
    return len(found) > 1 or any(one.kind and one.kind.many for one in found)


def _glossed(trial: Trial, verb: str) -> str:
    found = about(trial)
    if found and found.gloss and found.name in verb:
        return verb.replace(found.name, _illness(trial), 1)
    return verb


def _again(trial: Trial, verb: str) -> str:
    """The verb with "it" for an illness that the sentence has named."""
    found = about(trial)
    if found and re.search(rf"(?<!people with ){re.escape(found.name)}$", verb):
        return f"{verb.removesuffix(found.name)}it"
    return verb


def _watching(trial: Trial, verb: dict[str, str]) -> str:
    name, illness = _illness(trial), about(trial)
    looks = looked_at(trial)
    thing = in_full(trial).rstrip(",")
    found = tested(trial)
    treats = bool(found) and any(not is_looking(one) for one in found)
    whom = (
        whom_of(illness).replace(illness.name, name)
        if illness and illness.had
        else f"people with {name} and others"
        if illness
        and not illness.several
        and re.search(
            r"control|healthy|without|non-",
            f"{' '.join(a.label for a in trial.arms)} {trial.study_population or ''} {trial.title}",
            re.IGNORECASE,
        )
        else people(trial).many
    )
    past = trial.time_perspective == "RETROSPECTIVE"
    if treats and thing:
        others = versus(trial)
        against = f", compared with {joined(others)}" if others else ""
        start = "looked back at" if past and verb["look"] == "looked" else "looks back at" if past else verb["follow"]
        return (
            f"{start} {whom} who get {thing}{against}"
            if verb["follow"] != "followed"
            else f"{'looked back at' if past else 'followed'} {whom} who got {thing}{against}"
        )
    start = f"{verb['look']} back at {whom}" if past else f"{verb['look']} at {whom}"
    if illness and not illness.had and "and others" not in whom:
        return f"{start.replace(whom, name)} in {whom}" if whom != "people" else start.replace(whom, name)
    if not illness and not looks:
        missing(trial, "conditions")
    return f"{start}"


def _of(trial: Trial) -> str:
    """``of omalizumab, a lab-made antibody, for hives``."""
    thing, illness = in_full(trial), about(trial)
    ill = f" {'for' if trial.study_type == 'INTERVENTIONAL' and thing else 'of'} {_illness(trial)}" if illness else ""
    if trial.study_type == "OBSERVATIONAL" and not any(not is_looking(one) for one in tested(trial)):
        thing = ""
        ill = f"of {_illness(trial)}" if illness else ""
    return f"{'of ' + thing if thing else ''}{ill}".strip() or "that was planned"


def _access(trial: Trial) -> str:
    thing, illness = in_full(trial) or "a treatment", about(trial)
    ill = f" to people with {_illness(trial)}" if illness else ""
    state = fate(trial).state
    if state == "withdrawn":
        return f"This programme was to give {thing}{ill} outside a trial, and never began"
    if state == "gone":
        return f"This programme, no longer on offer, was set up to give {thing} outside a trial{ill}"
    return f"This programme gives {thing} outside a trial{ill}"


# --- who takes part -------------------------------------------------------------------------------------------------


def who(trial: Trial) -> str:
    """How many of whom, where, and who gets what."""
    found, state, number = people(trial), fate(trial), trial.enrollment
    tail = found.tail
    group = f"{found.many}{' ' + found.ages if found.ages else ''}{tail}"
    if state.state == "withdrawn" or number == 0:
        return sentence(f"It was meant for {group}{_where(trial, 'at')}")
    if number is None:
        missing(trial, "enrollment")
        start = "It was for" if state.over else "It is for"
        return sentence(f"{start} {group}{_where(trial, 'at')}{_given(trial)}")
    counted = f"{found.counted(number)}{' ' + found.ages if found.ages else ''}{tail}"
    if trial.enrollment_type == "ESTIMATED" and not state.over:
        plan = "planned" if state.state == "unknown" else "plans"
        return sentence(
            f"It {plan} for {counted}{',' * bool(which(trial) and trial.sites)}{_where(trial, 'at')}{_given(trial)}"
        )
    if state.over or trial.enrollment_type == "ACTUAL":
        place = f"{_where(trial, 'In').strip()}, " if trial.sites else ""
        part = "take part" if state.state in {"open", "invited"} else "took part"
        return sentence(f"{place}{counted} {part}{_given(trial)}")
    return sentence(
        f"It counts on {counted}{',' * bool(which(trial) and trial.sites)}{_where(trial, 'at')}{_given(trial)}"
    )


def _where(trial: Trial, form: str) -> str:
    """`` in Japan``, `` in 28 countries``; with *form* ``In`` as a beginning: ``In Japan``."""
    if not trial.sites:
        return ""
    names = [name for name in dict.fromkeys(map(country, trial.countries)) if name]
    sites = len(trial.sites)
    if names and not countable(trial.sites):
        return (
            f" In {joined(names)}"
            if form == "In"
            else f" in {joined(names)}"
            if len(names) < 4
            else f" in {first_of(names, 2, 'countries')}"
        )
    if not names:
        place = f"at {sites:,} site{'s' if sites > 1 else ''}"
    elif len(names) < 4:
        place = f"in {joined(names)}"
    else:
        place = f"in {first_of(names, 2, 'countries')}"
    if sites > 1 and len(names) < 4 and form != "In" and names:
        place = f"at {sites:,} sites {place}"
    return f" {place[:1].upper()}{place[1:]}" if form == "In" else f" {place}"


def _given(trial: Trial) -> str:
    """Who gets what, and whether chance decides: ``; chance decides who gets it and who a placebo``."""
    if trial.study_type != "INTERVENTIONAL":
        return "; it is registered as a study that only observes" if trial.study_type == "OBSERVATIONAL" else ""
    past = fate(trial).over
    get, gets, decide = ("got", "got", "decided") if past else ("get", "gets", "decides")
    found, between = roles(trial), chance(trial)
    others, short_name = versus(trial), in_short(trial)
    if not found.tested and not others:
        return ""
    if fewer_than_groups(trial):
        compared = joined(others, "or") if found.tested else ""
        return f"; it was set up to compare {short_name} with {compared}" if compared and between == "all" else ""
    if not short_name:
        return _divided(trial, between, past=past) if len(trial.arms) > 1 else ""
    if (
        trial.intervention_model == "CROSSOVER"
        and len(trial.arms) != 1
        and (others or len(found.tested) > 1 or found.doses)
    ):
        what = f"{short_name} and {joined(others)}" if others else "both" if len(trial.arms) == 2 else "all of them"
        return (
            f"; everybody {gets} {what} in turn, in an order set by chance"
            if between == "all"
            else f"; everybody {gets} {what} in turn"
        )
    if stopped(trial) and others and between == "all":
        return f"; chance {decide} who {'stopped' if past else 'stops'} and who {'did' if past else 'does'} not"
    groups = len(trial.arms)
    several = len(found.tested) > 1 and any(one.part for one in found.tested)  # which group gets which is not told
    if (design(trial).sort == "mixed" or several) and groups > 1 and between != "some":
        some = (
            f", and some groups {get} {partly(trial)}" if partly(trial) and partly(trial) not in added_to(trial) else ""
        )
        return f"{_divided(trial, between, past=past)}{some}"
    if between == "all" and others:
        if len(others) > 1 or len(found.tested) > 1:
            return (
                f"; chance {decide} who {gets} {_or([short_name, *others])}"
                if " or " not in short_name
                else f"; chance {decide} who {gets} {re.sub(',? or ', ', ', short_name)} or {_or(others)}"
            )
        return f"; chance {decide} who {gets} {short_name} and who {others[0]}"
    if between == "all" and len(found.tested) > 1:
        return f"; chance {decide} who {gets} which"
    if between == "all":
        return _divided(trial, between, past=past) if groups > 1 else ""
    if between == "some":
        return f"; in a part of the study chance {decide} who {gets} what"
    if others:
        return (
            f"; some {get} {short_name} and others {_or(others)}"
            if trial.allocation != "NON_RANDOMIZED"
            else f"; some {get} {short_name} and others {_or(others)}, and chance does not decide"
            if not past
            else f"; some {get} {short_name} and others {_or(others)}, not by chance"
        )
    single = len(trial.arms) < 2 and trial.intervention_model == "SINGLE_GROUP"
    return f"; all {get} {'it' if len(found.tested) == 1 else 'the same'}" if single else ""


def _divided(trial: Trial, between: str, *, past: bool) -> str:
    """``; chance decides who joins which of three groups``: true of every design with several groups."""
    number = f"{_WORDS.get(len(trial.arms), 'many')} groups"
    if between == "all":
        return f"; chance {'decided' if past else 'decides'} who {'joined' if past else 'joins'} which of {number}"
    there = f"; there {'were' if past else 'are'} {number}"
    if trial.allocation != "NON_RANDOMIZED":
        return there
    return f"{there}, and chance {'did' if past else 'does'} not decide"


def _or(items: list[str]) -> str:
    return joined(items, "or")


# --- what is looked at ----------------------------------------------------------------------------------------------


def looks(trial: Trial) -> str:
    """What is mainly looked at, and what has become of the trial."""
    state, found = fate(trial), looked_at(trial)
    if trial.study_type == "EXPANDED_ACCESS":
        return sentence(_capital(state.said)) if state.said else ""
    ended = f"; {state.said}" if state.said and state.state != "planned" else ""
    if not found:
        missing(trial, "outcomes")
        return sentence(f"What it mainly looks at is not stated{ended}")
    if state.state == "withdrawn":
        return sentence(f"It would mainly have looked at {found}")
    if state.state in {"planned", "held"}:
        return sentence(f"It is mainly to look at {found}{ended}")
    return sentence(f"It mainly {'looked' if state.over else 'looks'} at {found}{ended}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

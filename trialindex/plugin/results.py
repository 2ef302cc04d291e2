"""What a query returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from trialindex.plugin.proposals import Proposal
from trialindex.plugin.trial_page import Precision
from trialindex.trial import Site, Trial
from trialindex.trial.display import NOT_STATED
from trialindex.trial.sanitize import one_line

Verdict = Literal["fits", "does not fit", "not stated"]


class EligibilityCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How one limit that the trial states compares with what is known of the person.

    ``given`` is what the user gave or the text says (``34 years``), ``stated`` what the trial states (``18 to 65
    years``), ``not stated`` without a limit. It compares two numbers and says no more than that.
    """

    what: Literal["age", "sex"]
    verdict: Verdict
    given: str
    stated: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The sentence of the trial that matched best.

    :param part: which part of the record it is from.
    :param text: the sentence, or its beginning.
    :param words: the words of it that matched: those of the question, or of another name of what it says.
    """

    part: str
    text: str
    words: tuple[str, ...] = ()


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A typing error: what was typed, and what was read in its place."""

    typed: str
    read: str


class AbbreviationReading(msgspec.Struct, frozen=True, kw_only=True):
    """How an abbreviation of the question was read.

    :param meanings: what was searched in its place: one meaning, or several when the question does not tell which.
    :param others: what else it can mean.
    """

    abbreviation: str
    meanings: tuple[str, ...]
    others: tuple[str, ...] = ()


BiomarkerState = Literal["positive", "negative", "unknown"]


class BiomarkerReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a question says of a biomarker: *EGFR wild type* is a negative one.

    :param name: as the vocabularies have it.
    :param state: ``unknown`` where it says that nobody looked yet.
    """

    name: str
    state: BiomarkerState


class QuestionLanguage(msgspec.Struct, frozen=True, kw_only=True):
    """The language of a question that is not English.

    :param languages: its name in English; several when it may be any of them.
    :param names: what was understood, as it was asked, and in English.
    :param whole: whether that is the whole question.
    """

    languages: tuple[str, ...]
    names: dict[str, str]
    whole: bool


ConstraintKind = Literal["status", "phase", "study type", "placebo", "place", "country", "age", "sex", "treatment"]
FilterWord = str | tuple[str, ...] | bool
"""The value of a filter as :meth:`trialindex.Filters.parse` takes it."""


class Constraint(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a question asks for besides the illness. It filters nothing.

    :param said: the words of the text; empty for age and sex, which many words may tell.
    :param meaning: what was understood, for a person.
    :param filters: what would leave out the other trials, as :meth:`trialindex.Filters.parse` takes it; empty where
        there is no such filter, or it was given already.
    :param option: the same as it is typed: ``--status recruiting``.
    """

    kind: ConstraintKind
    said: str
    meaning: str
    filters: dict[str, FilterWord] = {}
    option: str = ""


class NamedTrial(msgspec.Struct, frozen=True, kw_only=True):
    """An id, or another name of a trial, that a question names.

    :param name: as it was typed.
    :param ids: the trials of that name; none if the index has no such trial.
    :param filtered: those of them that the filters leave out.
    :param similar: of a name that no trial has: ids that are one digit, or leading zeros, away.
    :param fetch: the spec that fetches it, such as ``ctgov:NCT01234567``; empty if it is held, or no source can.
    """

    name: str
    ids: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    fetch: str = ""


Role = Literal["main problem", "problem", "possible", "history", "treatment"]
ConceptKind = Literal["illness", "symptom", "biomarker", "treatment"]


class ConceptMention(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a text says of the patient.

    :param name: the medical name.
    :param surface: how the text first says it.
    :param kind: ``illness``, ``symptom``, ``biomarker`` or ``treatment``.
    :param role: the ``main problem`` is what the text as a whole is most like; what is ``possible`` is feared,
        suspected or to be prevented; ``treatment`` is a drug or a procedure.
    :param names: every name it is looked for by.
    :param mentions: how often the text names it.
    :param weight: how much it counts in ranking; only comparable within one answer.
    """

    name: str
    surface: str
    kind: ConceptKind = "illness"
    role: Role
    names: tuple[str, ...]
    mentions: int
    weight: float


class Understanding(msgspec.Struct, frozen=True, kw_only=True):
    """What was understood of a text, by rules and word lists on this machine.

    :param concepts: what the patient has, had and was given, in the order of the text.
    :param excluded: what counts for nothing, as it was said, and why: ``ruled out`` or ``a relative's``.
    :param age: such as ``34 years``.
    :param sex: ``female`` or ``male``.
    :param pregnant: said, denied or ``None``.
    :param place: where the text says the patient lives.
    """

    concepts: tuple[ConceptMention, ...] = ()
    excluded: dict[str, str] = {}
    age: str | None = None
    sex: str | None = None
    pregnant: bool | None = None
    place: str | None = None


Level = Literal["about", "related", "loose"]
"""How close a trial is to a question: about the condition, related, or only loosely alike."""
LEVEL_WORDS: dict[Level, str] = {
    "about": "about your condition",
    "related": "related to your condition",
    "loose": "only loosely alike",
}


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of the answer.

    :param rank: from 1, over all pages.
    :param level: how close it is.
    :param closeness: the same as a number from 0 to 1: the probability that a judge would call it relevant, so that
        hits of different answers can be compared.
    :param score: what the hits are ordered by; only comparable within one answer.
    :param parts: what the score is made of, those that apply, each with its ``_rank``: ``vector`` and ``focus`` (cosine
        of the best passage with the text, and with the text drawn towards what it is about), ``lexical`` (BM25 of the
        text), ``concepts`` (BM25 of the names of what it says), ``feedback`` (BM25 of words that the best trials
        share). ``regularization`` is what the score gained or lost through those of the trials most like it,
        ``treatment`` what it gained for a treatment that is asked for,
        ``mismatch`` what was taken off because age or sex do not fit, ``ruled_out`` because the trial asks for what the
        text rules out, ``others`` because by its own words it takes others than the person; ``state`` was added because
        it is for people in whom a biomarker is negative, as the text says, and ``healthy`` because it takes healthy
        people, as the text asks.
        Among the first ten those of one level are in another order: see ``docs/ranking.md``.
    :param named: the question names it, so that it comes first.
    :param match: why it is here.
    :param fits: age and sex, where the user gave them or the text says them.
    :param cautions: what the trial asks for and the text rules out, others whom it seems to be for, and exclusion
        criteria that seem to name what the text says, each in a sentence.
    :param nearest_site: the nearest site that takes people, may do so later, or does not say; or with a country and no
        place the first such one there.
    :param distance_km: from the place given to *nearest_site*, kilometres; ``None`` without a place.
    :param precision: whether that is the distance of the site or only of its city.
    :param closed_site: a site that takes nobody: nearer than *nearest_site*, or the nearest where there is no other.
    :param closed_km: its distance, kilometres.
    :param unplaced_sites: how many sites cannot be placed on the map, where a place was given.
    :param first_seen: ISO date when the index, or the source before it, first saw the trial.
    :param last_updated: ISO date of the registry's last update, if it states one.
    """

    rank: int
    score: float
    parts: dict[str, float]
    trial: Trial
    level: Level | None = None
    closeness: float | None = None
    named: bool = False
    match: Match | None = None
    fits: tuple[EligibilityCheck, ...] = ()
    cautions: tuple[str, ...] = ()
    nearest_site: Site | None = None
    distance_km: float | None = None
    precision: Precision | None = None
    closed_site: Site | None = None
    closed_km: float | None = None
    unplaced_sites: int = 0
    first_seen: str | None = None
    last_updated: str | None = None


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one query.

    :param query: the text asked.
    :param mode: ``hybrid``, ``vector`` or ``lexical``.
    :param filters: the filters that were applied, as words for a person: ``{"status": "recruiting"}``.
    :param searched: how many trials passed the filters and were ranked among.
    :param total: how many trials the index holds.
    :param unembedded: how many of them have no vectors yet, so that they are found by their words alone.
    :param page: from 1.
    :param limit: hits a page.
    :param hits: best first; empty when no trial passed the filters or the page is past the end.
    :param generation: the state of the index that answered.
    :param notes: what a user should know about this answer, in sentences.
    :param understood: what was understood of the text, if that was asked for.
    :param corrections: typing errors that were mended.
    :param readings: how abbreviations were read.
    :param language: of a question that is not English.
    :param named: the trials that the question names.
    :param ruled_out: what the question denies, as it says it; it is not searched for.
    :param biomarkers: what it says of biomarkers; one that is negative is not searched for either.
    :param constraints: what else the question asks for, besides the illness.
    :param reader: the reader whose proposals were searched for; empty where none was asked.
    :param proposals: conditions that were searched for besides the text, the likeliest first: words, and no diagnosis.
    :param open_hits: how many of the hits take people now; ``None`` where none of them states a status.
    :param subject: what the question is about: its main problem by name, or its own words.
    :param nothing_about: no trial that was searched is about that; never where the question names no illness, of which
        that could be said.
    :param nothing_understood: the text names nothing that the vocabularies know, and is close to no trial. There are no
        hits then, unless they were asked for anyway.
    """

    query: str
    mode: str
    filters: dict[str, str]
    searched: int
    total: int
    unembedded: int = 0
    page: int
    limit: int
    hits: tuple[Hit, ...]
    generation: int
    notes: tuple[str, ...] = ()
    understood: Understanding | None = None
    corrections: tuple[Correction, ...] = ()
    readings: tuple[AbbreviationReading, ...] = ()
    language: QuestionLanguage | None = None
    named: tuple[NamedTrial, ...] = ()
    ruled_out: tuple[str, ...] = ()
    biomarkers: tuple[BiomarkerReading, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    reader: str = ""
    proposals: tuple[Proposal, ...] = ()
    open_hits: int | None = None
    subject: str = ""
    nothing_about: bool = False
    nothing_understood: bool = False


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the trials that pass filters, without a question.

    :param filters: as words for a person.
    :param order: ``added``, as they came, or ``open``, those that people can
        join first.
    :param searched: how many trials pass, of *total*.
    :param page: from 1.
    :param limit: trials a page.
    :param generation: the state of the index that answered.
    """

    filters: dict[str, str]
    order: str
    searched: int
    total: int
    page: int
    limit: int
    trials: tuple[Trial, ...]
    generation: int


class Relaxation(msgspec.Struct, frozen=True, kw_only=True):
    """What leaving out one filter gives.

    :param filter: its name, as :class:`~trialindex.Filters` has it.
    :param words: what it asks for, for a person.
    :param trials: how many trials pass all the others.
    """

    filter: str
    words: str
    trials: int


class SimilarTrial(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that is like another one.

    :param similarity: a cosine, comparable within one encoder.
    """

    trial: Trial
    similarity: float


def describe_eligibility(value: EligibilityCheck) -> str:
    """How one limit compares: ``age fits (34 years; trial: 18 to 65 years)``."""
    given, stated = one_line(value.given) or NOT_STATED, one_line(value.stated) or NOT_STATED
    verdict = "limit not stated" if value.verdict == NOT_STATED else value.verdict
    return (
        f"{value.what} {verdict} ({given}; trial: {stated})"
        if stated != NOT_STATED
        else f"{value.what} {verdict} ({given})"
    )


_PARTS = {
    "vector": "meaning",
    "lexical": "words",
    "focus": "meaning of what it is about",
    "concepts": "names of what it says",
    "feedback": "words of the best trials",
}


def describe_score(total: float, parts: Mapping[str, float], *, every: bool = False) -> str:
    """The score and what it is made of: ``12.7 (meaning 0.71, rank 1; words 12.4, rank 3)``.

    :param every: name every ranking, not only meaning and words, and what trials like it gave or took.
    """
    said = []
    for key, name in _PARTS.items():
        if key in parts and (every or key in ("vector", "lexical")):
            rank = f", rank {parts[f'{key}_rank']:g}" if f"{key}_rank" in parts else ""
            said.append(f"{name} {parts[key]:.3g}{rank}")
    if every and "regularization" in parts:
        said.append(f"{parts['regularization']:+.2g} from trials like it")
    if "treatment" in parts:
        said.append(f"{parts['treatment']:+.2g} for the treatment asked for")
    if "mismatch" in parts:
        said.append(f"less {parts['mismatch']:g} for age or sex")
    if "ruled_out" in parts:
        said.append(f"less {parts['ruled_out']:g} for what you ruled out")
    if "others" in parts:
        said.append(f"less {parts['others']:g} for being for others")
    if "state" in parts:
        said.append(f"{parts['state']:+g} for a biomarker")
    if "healthy" in parts:
        said.append(f"{parts['healthy']:+g} for taking healthy people")
    return f"{total:.3g} ({'; '.join(said)})" if said else f"{total:.3g}"


def describe_option(filters: Mapping[str, FilterWord]) -> str:
    """Filters as they are typed: ``--near "Lyon, France" --within 100km``."""
    options = []
    for name, value in filters.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            options.append(option)
        for word in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            options.append(f"{option} {word}" if word.replace("-", "").isalnum() else f'{option} "{word}"')
    return " ".join(options)


def describe_constraint(constraint: Constraint) -> str:
    """What a question asks for, and the option for it: ``recruiting; to see no others: --status recruiting``."""
    said, meaning = one_line(constraint.said), one_line(constraint.meaning)
    named = meaning if said.casefold() in ("", meaning.casefold()) else f"{meaning} (“{said}”)"
    told = f"{constraint.kind}: {named}" if constraint.kind != "placebo" else "no placebo"
    if constraint.kind == "treatment":
        return f"{told}; trials that test it come up"
    if constraint.kind == "placebo":
        return f"{told}; trials that give one say so, and come after others that are as close"
    return f"{told}; to see no others: {constraint.option}" if constraint.option else told


def describe_open(results: Results) -> str:
    """How many of the hits take people now; empty where that is not known, or none is about the condition."""
    if results.open_hits is None or results.nothing_about or not results.hits:
        return ""
    if len(results.hits) == 1:
        return "This trial takes people now." if results.open_hits else "This trial takes nobody now."
    if results.open_hits == len(results.hits):
        return f"All of these {len(results.hits):,} take people now."
    number = "None" if not results.open_hits else f"{results.open_hits:,}"
    return f"{number} of these {len(results.hits):,} {'takes' if results.open_hits == 1 else 'take'} people now."


def describe_answer(results: Results) -> list[str]:
    """What comes before the hits, in sentences: which trials the question names, whether any trial is about the
    condition, and what to do if none is.
    """
    if results.page > 1:
        return []
    return [*map(describe_named, results.named), *_describe_closest(results), *filter(None, [describe_open(results)])]


def describe_named(named: NamedTrial) -> str:
    """A sentence of a trial that the question names: that it comes first, or how to fetch it."""
    name, ids = one_line(named.name), [one_line(trial_id) for trial_id in named.ids]
    if not ids:
        said = f"{name} is not in this index."
        said += f" Did you mean {' or '.join(map(one_line, named.similar))}?" if named.similar else ""
        return f"{said} To fetch it: trialindex ingest {named.fetch}" if named.fetch else said
    if len(named.filtered) == len(ids):
        return f"{name} does not pass these filters."
    if len(ids) > 1:
        left_out = f"; {len(named.filtered):,} of them do not pass these filters" if named.filtered else ""
        return f"{name} is a name of {len(ids):,} trials: they come first{left_out}."
    is_called = "" if name.casefold() == ids[0].casefold() else f", {ids[0]}"
    return f"You named {name}{is_called}: it comes first."


def _describe_closest(results: Results) -> list[str]:
    if not results.searched:
        return []
    subject = one_line(results.subject)
    if results.nothing_understood and results.named:  # the name was, and what is said of it stands above
        return []
    if results.nothing_understood:
        found = f"Nothing was understood of “{subject}”: it names no illness, finding or treatment that is known here."
        advice = "Write what the illness is called, in medical or everyday words."
        more = "What follows is only loosely alike." if results.hits else "To see what is only loosely alike: --anyway"
        return [f"{found} {advice}", more]
    if not results.nothing_about:
        return []
    those = "that passes these filters" if results.filters else "in this index"
    said = f"No trial {those} is about {subject}."
    closest = dict.fromkeys(one_line(name) for hit in results.hits[:3] for name in hit.trial.conditions[:1])
    if closest:
        said += f" The closest are about {', '.join(closest)}."
    if results.filters:
        return [said]
    return [said, f'To fetch trials about it: trialindex ingest ctgov:"{subject.replace(chr(34), "")}"']

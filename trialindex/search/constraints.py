"""What a question asks for besides the illness: a status, a phase, a place, a treatment, no placebo.

It filters nothing: it is told with the option that would. Words that only say so are not searched for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from trialindex.concepts.person import Person
from trialindex.concepts.spelling import QUOTED
from trialindex.concepts.tokens import normalize
from trialindex.plugin.results import Constraint, ConstraintKind, FilterWord, describe_option
from trialindex.search.named_trials import remove_spans
from trialindex.search.patterns import Pattern
from trialindex.search.place_reading import PlaceReading, read_places
from trialindex.search.places import Place
from trialindex.search.words import content_words
from trialindex.storage.gazetteer import region_names
from trialindex.trial import Trial, display, format_age, parse_values

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import Mention
    from trialindex.search.filters import Filters

NEARBY = "100km"
"""The distance of the filter that is offered where a text names a place and no distance."""

_STUDIES = r"(?:(?:clinical|research|medical|treatment|drug)\s+)?(?:trials?|stud(?:y|ies)|research)"
_ARE = (
    r"(?:(?:that|which|who)\s+)?(?:(?:is|are|have|has|were|was)\s+)?(?:been\s+)?"
    r"(?:(?:currently|actively|still|now|already)\s+)*"
)
_PEOPLE = r"(?:(?:new|more|adult)\s+)?(?:patients|participants|volunteers|people|subjects)"


_STATUSES: tuple[tuple[Pattern, str], ...] = tuple(
    (Pattern(text, *parts), status)
    for text, status, *parts in (
        (
            rf"\b{_ARE}not\s+yet\s+(?:recruiting|open|started|enrol+ing)\b|\bupcoming(?=\s+{_STUDIES}\b)",
            "NOT_YET_RECRUITING",
            "not",
            "upcoming",
        ),
        (rf"\b{_ARE}(?:active,?\s+)?(?:not|no\s+longer)\s+recruiting\b", "ACTIVE_NOT_RECRUITING", "recruiting"),
        (
            rf"\b{_ARE}recruiting(?:\s+(?:now|right\s+now|{_PEOPLE}))?\b(?!\s+(?:muscle|cells?|motor|fib))",
            "RECRUITING",
            "recruiting",
        ),
        (
            rf"\b(?:completed|finished)(?=\s+{_STUDIES}\b)|(?<=trials )(?:{_ARE})(?:completed|finished)\b",
            "COMPLETED",
            "completed",
            "finished",
        ),
        (
            rf"\b(?:terminated|stopped)(?=\s+{_STUDIES}\b)|(?<=trials )(?:{_ARE})(?:terminated)\b",
            "TERMINATED",
            "terminated",
            "stopped",
        ),
        (rf"\bwithdrawn(?=\s+{_STUDIES}\b)|(?<=trials )(?:{_ARE})withdrawn\b", "WITHDRAWN", "withdrawn"),
        (rf"\bsuspended(?=\s+{_STUDIES}\b)|(?<=trials )(?:{_ARE})suspended\b", "SUSPENDED", "suspended"),
    )
)
_OPEN = Pattern(
    rf"\b(?:(?:currently|still)\s+)?open(?=\s+{_STUDIES}\b)"
    rf"|(?<=trials )(?:{_ARE})open\b(?:\s+(?:to|for)\s+(?:{_PEOPLE}|enrol+ment|recruitment|me|anyone))?(?:\s+with\b)?"
    rf"|(?<=studies )(?:{_ARE})open\b(?:\s+(?:to|for)\s+(?:{_PEOPLE}|enrol+ment|recruitment|me|anyone))?(?:\s+with\b)?"
    rf"|\b{_ARE}(?:accepting|taking|looking\s+for|seeking)\s+{_PEOPLE}\b(?:\s+with\b)?"
    rf"|\b{_ARE}enrol+ing(?:\s+{_PEOPLE})?(?:\s+(?:now|right\s+now))?\b"
    r"|\b(?:(?:that|which)\s+)?(?:i|we|he|she|they|people)\s+(?:can|could|may|might)\s+(?:still\s+)?"
    r"(?:join|enter|enrol+\s+in|participate\s+in|take\s+part\s+in|sign\s+up\s+for)\b",
    *("open", "accepting", "taking", "looking", "seeking", "enrol", "join", "enter", "participate", "take", "sign"),
)
_NUMBER = r"(?:[1-4]|i{1,3}|iv)[ab]?"
_PHASE = Pattern(
    r"\b(?<!chronic )(?<!acute )(?<!luteal )(?<!blast )(?<!accelerated )(?<!second )(?<!first )(?<!follicular )"
    rf"(?P<early>early[\s-]+)?phases?[\s-]*(?P<numbers>{_NUMBER}(?:\s*(?:/|-|,|or|and|to|&)\s*(?:phase\s*)?{_NUMBER})*)\b"
    r"(?!\s+(?:of\b|cardiac|rehab|pulmonary|block|reaction|dialysis|wound|sleep))(?:\s+(?=trials?|stud))?",
    "phase",
)
_ONE_NUMBER = Pattern(r"\b(?:([1-4])|(i{1,3}|iv))[ab]?\b")
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
_TYPES: tuple[tuple[Pattern, str], ...] = tuple(
    (Pattern(text, *parts), code)
    for text, code, *parts in (
        (rf"\bobservational(?=\s+{_STUDIES}\b)", "OBSERVATIONAL", "observational"),
        (rf"\binterventional(?=\s+{_STUDIES}\b)", "INTERVENTIONAL", "interventional"),
        (
            r"\b(?:expanded\s+access|compassionate\s+use)(?:\s+(?:programs?|programmes?|for))*\b",
            "EXPANDED_ACCESS",
            "expanded",
            "compassionate",
        ),
    )
)
_NO_PLACEBO = Pattern(
    r"\b(?:(?:i\s+)?(?:do\s+not|don'?t|does\s+not|doesn'?t|not)\s+want\s+(?:to\s+(?:get|take|be\s+given|be\s+on)\s+)?"
    r"|(?:no|without|avoid(?:ing)?|instead\s+of)\s+)(?:a\s+|the\s+|any\s+)?(?:risk\s+of\s+)?placebos?\b(?:\s+please)?"
    r"|\bplacebo[\s-]free\b",
    "placebo",
)
_FRAME = Pattern(
    r"(?:\b(?:are|is)\s+there\s+(?:any\s+|an?\s+)?|\b(?:find|show|give|list)\s+(?:me\s+)?(?:any\s+|all\s+|some\s+)?"
    r"|\b(?:looking|searching)\s+for\s+(?:an?\s+|any\s+|some\s+)?)?(?:\b(?:any|all|some|which|what|the)\s+)?"
    r"\b(?:(?:clinical|research|medical|treatment|drug)\s+(?:trials?|stud(?:y|ies))|trials|studies)\b"
    r"(?:\s+(?:for|on|of|in|about|with|into|regarding|testing)\b)?",
    *("trial", "stud"),
)
_LOOSE_ENDS = Pattern(
    r"^(?:[\s,;:.?!-]|\b(?:for|of|on|in|about|with|and|that|which|are|is|there|any)\b)+"
    r"|(?:[\s,;:-]|\b(?:for|of|on|in|about|with|and|that|which|are|is|there|any|near)\b)+(?=[\s.?!]*$)"
)
"""What is left at the ends of a question when such words were taken out."""
_WANTED = Pattern(
    r"(?:^|\b(?:could|can|would|will|does|is\s+there|are\s+there|any|anyone|tested|testing|tests?|about|interested\s+in|what\s+about"
    r"|looking\s+for|want|try)\s+)(?:(?:a|an|any|some|the|new|with)\s+)*$"
)
"""What stands before a treatment that is asked for; a question may also begin with it."""
_HELPS = Pattern(r"^\s+(?:help|work|calm|cure|be\s+used|make|lower|slow|stop)\b|^s?\s*\?")
_FOR = Pattern(
    r"^\s*(?:(?:therapy|treatment|injections?|tablets?|pills?)\s+)?(?:for|in|against|to\s+treat|and|or|with|$)\b|^\s*[?.!,;]|^\s*$"
)
_NO_WISH = Pattern(
    r"\b(?:not|never|no\s+longer|isn'?t|doesn'?t|don'?t|didn'?t|failed|failing|fails|useless|failure|alternatives?|instead|after|since|stop\w*"
    r"|despite|allergic|allergy\s+to|intoleran\w+|resistan\w+|refractory|induced|withdrawal|overdose|toxicity|reacts?|recovery"
    r"|dependen\w+|naive|completed|finished|rehab\w*|on|taking|took|takes|tried|had|has|have|was|were|am|is|users?)\b"
)
"""Words of a short question that tell what somebody had rather than ask for it."""
_BARE = 5
"""Words of a question that is no sentence: its first or last ones may name the treatment that is asked for."""
_KINDS = Pattern(
    r"\b(?:(?:cancer|mrna|dna|therapeutic)\s+)?vaccin(?:e|es|ation)|\b(?:aerobic\s+|strength\s+)?exercise(?:\s+(?:program|training))?"
    r"|\byoga|\btai\s+chi|\b(?:mindfulness|meditation|hypnosis|massage|biofeedback|physiotherapy|physical\s+therapy"
    r"|music\s+therapy|radiation(?:\s+therapy)?|surgery|stem\s+cells?|gene\s+editing|crispr|biologics?|light\s+therapy)\b",
    *(
        "vaccin",
        "exercise",
        "yoga",
        "tai",
        "mindfulness",
        "meditation",
        "hypnosis",
        "massage",
        "biofeedback",
        "therapy",
    ),
    *("radiation", "surgery", "stem", "editing", "crispr", "biologic"),
)
"""Kinds of treatment that the vocabularies do not list."""


@dataclass(frozen=True)
class Constraints:
    """What a question asks for besides the illness.

    :param text: the text without the words that only said so.
    :param told: each thing, in the order of the text.
    :param place: the place that distances are from.
    :param placebo: whether one may be given.
    :param treatments: the names of each treatment that trials should test.
    """

    text: str
    told: tuple[Constraint, ...] = ()
    place: Place | None = None
    placebo: bool = True
    treatments: tuple[tuple[str, ...], ...] = ()


def read_constraints(text: str, filters: Filters, find: Callable[[str], Sequence[Mention]]) -> Constraints:
    """What a question asks for besides the illness, before its words are interpreted.

    What stands between quotation marks is left as it is.

    :param filters: those that are given already are not offered.
    :param find: what the vocabularies know of a text: that is no place.
    """
    parts: list[_Part] = list(_parts(text))
    readings = read_places(text)
    if readings:
        names = [(mention.start, mention.end) for mention in find(text) if not mention.general]
        readings = read_places(text, names)
    parts += map(_place_part, readings)
    quoted = [match.span() for match in QUOTED.finditer(text)]
    parts = [part for part in parts if not any(start < part.end and part.start < end for start, end in quoted)]
    asked = sorted((part for part in parts if part.kind), key=lambda part: part.start)
    rest = remove_spans(text, [(part.start, part.end) for part in parts])
    rest = _LOOSE_ENDS.compiled.sub("", rest).strip() if parts else text
    return Constraints(
        text=rest if content_words(rest) else text,
        told=tuple(part.constraint(text, filters) for part in asked),
        place=next((reading.place for reading in readings if reading.place), None),
        placebo=all(part.kind != "placebo" for part in asked),
    )


def add_person(constraints: Constraints, person: Person, filters: Filters) -> Constraints:
    """The same with the age and sex of the patient, as the text states them.

    :param filters: those that are given already are not offered.
    """
    told = list(constraints.told)
    if person.age is not None:
        age = format_age(person.age)
        typed = f"{person.age:g}" if person.age.is_integer() else age
        told.append(_constraint("age", "", age, filters, age=typed))
    if person.sex is not None:
        sex = person.sex.lower()
        told.append(_constraint("sex", "", sex, filters, sex=sex))
    return replace(constraints, told=tuple(told))


def add_treatments(constraints: Constraints, text: str, mentions: Sequence[Mention]) -> Constraints:
    """The same with what is to be tested: a drug or a kind of treatment that is asked for, and not what somebody takes.

    :param text: the question as it is searched for.
    :param mentions: what the vocabularies know of it.
    """
    found = list(_treatments(text, mentions))
    told = [Constraint(kind="treatment", said=said, meaning=names[0]) for said, names in found]
    return replace(constraints, told=(*constraints.told, *told), treatments=tuple(names for _, names in found))


def tests(trial: Trial, treatments: Collection[Sequence[str]]) -> bool:
    """Whether the trial's interventions have each of the treatments, by any of its names."""
    if not treatments:
        return True
    listed = [name for one in trial.interventions for name in (one.name, *one.other_names)]
    written = " | ".join(f" {normalize(name)} " for name in listed)
    return all(any(f" {normalize(name)} " in written for name in names) for names in treatments)


@dataclass(frozen=True)
class _Part:
    """Some words of a question, and what they ask for: nothing if *kind* is empty."""

    start: int
    end: int
    kind: ConstraintKind | Literal[""] = ""
    meaning: str = ""
    filters: Mapping[str, FilterWord] = field(default_factory=dict)

    def constraint(self, text: str, filters: Filters) -> Constraint:
        assert self.kind
        return _constraint(self.kind, text[self.start : self.end].strip(" ,"), self.meaning, filters, **self.filters)


def _parts(text: str) -> Iterator[_Part]:
    """The words that ask for something but a place, and those that say that trials are looked for; none overlap."""
    taken: list[tuple[int, int]] = []

    def free(found: re.Match[str]) -> bool:
        if any(found.start() < end and start < found.end() for start, end in taken):
            return False
        taken.append(found.span())
        return True

    for pattern, status in _STATUSES:
        for match in filter(free, pattern.finditer(text)):
            yield _Part(*match.span(), "status", display.status(status), {"status": _typed(status)})
    for match in filter(free, _OPEN.finditer(text)):
        yield _Part(*match.span(), "status", "can be joined", {"open": True})
        break
    for match in filter(free, _PHASE.finditer(text)):
        phases = tuple(_phases(match))
        codes = [code for phase in phases for code in parse_values.normalise_phases(phase)]
        yield _Part(*match.span(), "phase", " or ".join(display.phase((code,)) for code in codes), {"phase": phases})
    for pattern, code in _TYPES:
        for match in filter(free, pattern.finditer(text)):
            yield _Part(*match.span(), "study type", display.study_type(code), {"study_type": _typed(code)})
    for match in filter(free, _NO_PLACEBO.finditer(text)):
        yield _Part(*match.span(), "placebo", "no placebo")
    for match in filter(free, _FRAME.finditer(text)):
        yield _Part(*match.span())


def _phases(match: re.Match[str]) -> Iterator[str]:
    for one in _ONE_NUMBER.finditer(match["numbers"]):
        number = one[1] or _ROMAN[one[2].lower()]
        yield f"early-phase{number}" if match["early"] and number == "1" else number


def _place_part(reading: PlaceReading) -> _Part:
    span = reading.start, reading.end
    if reading.country:
        name = region_names("country")[reading.country]
        return _Part(*span, "country", name, {"country": name})
    if reading.unknown:
        return _Part(*span, "place", reading.unknown)
    assert reading.place is not None
    distance = re.sub(r"\s", "", reading.within) or NEARBY
    near = reading.postal_code or reading.place.name
    return _Part(*span, "place", reading.place.name, {"near": near, "within": distance})


def _treatments(text: str, mentions: Sequence[Mention]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is asked for as a treatment, as it is said and by its names; not what somebody had or takes."""
    for mention in mentions:
        kinds = {concept.kind for concept in mention.concepts}
        aside = mention.negated or mention.family or mention.historical or mention.general
        if kinds & {"drug", "procedure"} and not aside and _is_asked_for(text, mention.start, mention.end):
            names = [*mention.names[:1], mention.text]
            names += [name for concept in mention.concepts[:1] for name in concept.names]
            yield mention.text, tuple(dict.fromkeys(names))
    for match in _KINDS.finditer(text):
        inside = any(mention.start < match.end() and match.start() < mention.end for mention in mentions)
        if not inside and _is_asked_for(text, *match.span()):
            yield match[0], (match[0],)


def _is_asked_for(text: str, start: int, end: int) -> bool:
    """Whether a question asks for what is named there, so that it is nothing that somebody had or takes."""
    before, after = text[:start], text[end:]
    if not before.strip():
        plain = _FOR.match(after) or len(text.split()) <= _BARE
        return bool(plain) and not _NO_WISH.search(after)
    if not after.strip(" ?.!") and len(text.split()) <= _BARE:
        return not _NO_WISH.search(before)
    return bool(_WANTED.search(before) and (_FOR.match(after) or _HELPS.match(after)))


def _constraint(kind: ConstraintKind, said: str, meaning: str, given: Filters, **filters: FilterWord) -> Constraint:
    """What is asked for, with the filter for it unless it is given."""
    missing = {name: value for name, value in filters.items() if getattr(given, name) in (None, ())}
    wanted = missing if len(missing) == len(filters) else {}
    return Constraint(kind=kind, said=said, meaning=meaning, filters=wanted, option=describe_option(wanted))


def _typed(code: str) -> str:
    """A code as it is typed: ``NOT_YET_RECRUITING`` → ``not-yet-recruiting``."""
    return code.lower().replace("_", "-")

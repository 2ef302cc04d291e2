"""Whom a trial takes, read in its own words: carers, staff, students, pregnant women, newborns, children, the healthy.

Registries have fields for age, sex and healthy volunteers alone, and many records leave those empty. What is read are
titles, conditions and the first criterion. It is a comparison of words, so that what is said of it begins with *seems*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from trialindex.search.patterns import Pattern
from trialindex.search.question import Question
from trialindex.trial import Trial


@dataclass(frozen=True)
class Participants:
    """Who takes part in a trial.

    :param group: in words that follow *for*: ``children``.
    :param where: the line of the record that says so.
    """

    group: str
    where: str


def _words(pattern: str) -> Pattern:
    return Pattern(rf"\b(?:{pattern})")


_STAFF = (
    r"(?:health[- ]?care|healthcare|medical|nursing|hospital|clinical|dental|ICU) "
    r"(?:workers|professionals|providers|personnel|staff|residents|trainees)|nurses|physicians|clinicians|doctors|surgeons"
    r"|midwives|dentists|paramedics|an(?:a)?esthesiologists|anaesthetists|radiologists|pharmacists"
)
_STUDENTS = r"(?:medical|nursing|dental|university|college|undergraduate|pharmacy) students|undergraduates"
_AMONG = r"(?:in|among|of|for|on|with) (?:\w+[ -]){0,3}?"
_CARERS = r"care[ -]?givers?|carers?"

CARERS, STAFF, STUDENTS = "people who care for somebody", "people who work in health care", "students"
PREGNANT, NEWBORNS, CHILDREN, HEALTHY = "women in pregnancy or childbirth", "newborns", "children", "healthy people"

_TITLES: dict[str, Pattern] = {
    CARERS: _words(
        rf"{_CARERS}|(?:parents|spouses|mothers|families|relatives) of (?:\w+[ -]){{0,2}}(?:children|patients)"
    ),
    STAFF: _words(rf"{_AMONG}(?:{_STAFF})\b"),
    STUDENTS: _words(rf"{_AMONG}(?:{_STUDENTS})\b"),
    PREGNANT: _words(
        r"pregnant\b|(?:in|during|of|and) (?:\w+ )?pregnanc(?:y|ies)\b|pregnancies complicated|gestational|prenatal"
        r"|antenatal|antepartum|peripartum|postpartum|parturients?|labou?r (?:analgesia|induction|pain|ward)"
        r"|induction of labou?r|c(?:a)?esarean|pre-?eclampsia|fo?etal growth|fo?etus(?:es)?|obstetrics?\b"
    ),
    NEWBORNS: _words(
        r"newborns?|neonat\w*|(?:preterm|premature|term|low birth ?weight) (?:infants?|babies|neonates?)|prematurity"
    ),
    CHILDREN: _words(
        rf"{_AMONG}(?:children|adolescents|infants|toddlers|teenagers|youths?)\b(?!['’]s)"
        r"|p(?:a)?ediatric (?:patients?|subjects?|participants?|population|\w+ patients?)|preschool(?:ers)?\b"
    ),
    HEALTHY: _words(
        r"healthy (?:\w+[ -]){0,3}?"
        r"(?:volunteers?|subjects?|participants?|adults|men|women|males|females|people|individuals)\b"
    ),
}
"""What a title says that names who takes part."""
_CONDITIONS: dict[str, Pattern] = {
    PREGNANT: _words(r"pregnan\w*|labou?r pain|obstetric \w+|c(?:a)?esarean\b|pre-?eclampsia|post-?partum|gestational"),
    NEWBORNS: _words(r"(?:infant, )?newborn|neonat\w*|prematurity|infant, (?:premature|low birth)|preterm infant"),
    HEALTHY: _words(r"healthy(?:$| (?:volunteers?|subjects?|participants?|adults?|people|individuals)$)"),
}
_FIRST: dict[str, Pattern] = {
    CARERS: Pattern(rf"\W*(?:(?:a|an|the|primary|main|family|informal|adult) )*(?:{_CARERS})\b"),
    PREGNANT: Pattern(r"\W*(?:healthy )?(?:pregnant|parturients?|nulliparous|singleton pregnan)"),
    NEWBORNS: Pattern(r"\W*(?:newborns?|neonates?|(?:pre)?term (?:infants?|newborns?|neonates?))\b"),
    HEALTHY: Pattern(
        r"\W*(?:normal,? )?healthy,? (?:\w+[ -]){0,3}?"
        r"(?:volunteers?|subjects?|participants?|adults|males?|females?|men|women)\b"
    ),
}
"""What the first criterion says that names who takes part."""
_ALSO = {
    CARERS: _words(rf"(?:and|&|or|/) (?:their )?(?:\w+ )?(?:{_CARERS})|dyads?\b|(?:{_CARERS}) and (?:their|patients)"),
    STAFF: _words(r"patients?\b|people with\b"),
    STUDENTS: _words(r"students with\b|patients?\b"),
    PREGNANT: _words(r"non-?pregnant|planning|conceive|contracept|infertil|IVF|assisted reproduc|in vitro fertili"),
    NEWBORNS: _words(r"adults?\b"),
    CHILDREN: _words(r"adults?\b|all ages|survivors?\b|elderly|older people|(?:wo)?men\b|parents|mothers"),
    HEALTHY: _words(
        r"patients?\b|with (?!or without)\w+|controls?\b|participants with|and (?:subjects|people|adults) with"
    ),
}
"""What else a title says of others who take part, so that it names no one group."""

_OBSTETRIC = _words(
    r"pregnan\w*|gestation\w*|obstet\w*|gravid\w*|prenatal|antenatal|post-?partum|trimester|labou?r\b|deliver(?:y|ed)"
    r"|c(?:a)?esarean|(?:pre)?-?eclamp\w*|f(?:o)?etus|f(?:o)?etal|miscarr\w*|G\d+\s?P\d+|expecting"
    r"|give birth|gave birth|breast-?feed\w*|infertil\w*|fertility|ivf|conceiv\w*|newborn|neonat\w*|unborn"
)
_BABY = _words(r"newborn|neonat\w*|bab(?:y|ies)|infants?|preterm|premature|born")
_CARE = _words(rf"{_CARERS}|care[ -]?giving|caring for|cares? for (?:him|her|my|a)|look(?:s|ing)? after")
_CHILD = _words(r"child\w*|kids?\b|sons?\b|daughters?\b|niece|nephew|toddler|bab(?:y|ies)|infants?|boy\b|girl\b")
"""Trials of children's parents are for the child, too."""
_VACCINE = _words(r"vaccin\w*|immuni[sz]ation")
"""Vaccines are given to people who are well."""
_AT_WORK = _words(
    r"(?:i am|i'm|i’m|we are|works? (?:as|in)|working (?:as|in)|is) (?:an? |the )?(?:\w+ ){0,3}?"
    r"(?:nurse|doctor|physician|surgeon|clinician|paramedic|midwife|dentist|pharmacist|hospital|health ?care)"
)
_STAFF_ASKED = _words(_STAFF)
_STUDY = _words(r"students?|undergraduates?|universit(?:y|ies)|college|campus|freshm[ae]n")
_WELL = _words(r"healthy|volunteers?")

_INFANCY, _ADULT = 1.0, 21.0
"""Years: from them on somebody is no newborn, and no child."""


class ParticipantChecker:
    """Compares whom trials take with the person that a question is about.

    :param question: the question. One that speaks of pregnancy, of caring for somebody, of work in health care, of
        students or of being healthy asks for such trials too.
    """

    def __init__(self, question: Question, *, note: bool) -> None:
        text, person = question.asked, question.person
        names = bool(question.understood.concepts) or bool(question.proposed.concepts)
        age = person.age
        unfit = {
            CARERS: not (_CARE.search(text) or _CHILD.search(text)),
            STAFF: not _AT_WORK.search(text) and (note or not _STAFF_ASKED.search(text)),
            STUDENTS: not _STUDY.search(text),
            PREGNANT: question.understood.pregnant is not True and not _OBSTETRIC.search(text),
            NEWBORNS: age is not None and age >= _INFANCY and not _BABY.search(text),
            CHILDREN: age is not None and age >= _ADULT,
            HEALTHY: not person.healthy and (note or not _WELL.search(text)) and not _VACCINE.search(text),
        }
        self._unfit = [group for group, wrong in unfit.items() if wrong and names]

    def __bool__(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self._unfit)

    def misfit(self, trial: Trial) -> Participants | None:
        """Whom the trial takes, if that is a group to which the person does not belong."""
        return next(participants(trial, self._unfit), None)


def participants(trial: Trial, groups: Collection[str] = tuple(_TITLES)) -> Iterator[Participants]:
    """The groups that alone can take part in a trial by its own words; none where it takes whoever has the illness.

    :param groups: those that are looked for.
    """
    titles = [title for title in (trial.title, trial.official_title) if title]
    for group, pattern in _TITLES.items():
        if group not in groups:
            continue
        if group == CHILDREN and trial.maximum_age is not None:
            continue  # the field says it, and is compared by its number
        said = [title for title in titles if pattern.search(title)]
        if group in _CONDITIONS:
            said += filter(_CONDITIONS[group].match, trial.conditions)
        if group in _FIRST:
            said += filter(_FIRST[group].match, trial.inclusion[:1])
        also = _ALSO.get(group)
        if said and not (also and any(map(also.search, titles))):
            yield Participants(group, said[0])

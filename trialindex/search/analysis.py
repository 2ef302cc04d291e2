"""What a text says the patient has: which problems, which is the main one, what was tried, what to set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from trialindex.concepts.person import Person, read_pregnancy
from trialindex.plugin.results import ConceptKind, ConceptMention, Role, Understanding
from trialindex.search.settings import RankingSettings
from trialindex.trial import format_age

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import Mention
    from trialindex.plugin.interfaces import Vectors

_TREATMENTS = {"drug", "procedure"}


def understand(
    text: str,
    person: Person,
    mentions: Sequence[Mention],
    settings: RankingSettings,
    ruled_out: Sequence[str] = (),
    place: str | None = None,
) -> Understanding:
    """What *text* says, by the names that the vocabularies list.

    The concepts come in the order of the text, and weigh by how often they are named until :func:`weigh` compares them
    with the whole.

    :param person: whom the text is about, as it was read.
    :param mentions: what the recogniser found in the text that is searched.
    :param ruled_out: what was left out of that.
    :param place: where the text says that the patient is.
    """
    found: dict[str, list[Mention]] = {}
    aside: dict[str, str] = dict.fromkeys(ruled_out, "ruled out")
    for mention in mentions:
        if mention.general or all(concept.kind == "finding" for concept in mention.concepts):
            continue  # what findings may be is for a reader to say
        if mention.negated or mention.family:
            aside.setdefault(mention.text, "a relative's" if mention.family else "ruled out")
        else:
            found.setdefault(mention.names[0], []).append(mention)
    return Understanding(
        concepts=_roles([describe_concept(name, mentions, settings.synonyms) for name, mentions in found.items()]),
        excluded=aside,
        age=None if person.age is None else format_age(person.age),
        sex=None if person.sex is None else person.sex.lower(),
        pregnant=read_pregnancy(text),
        place=place,
    )


def describe_concept(
    name: str, mentions: Sequence[Mention], synonyms: int, weight: float | None = None
) -> ConceptMention:
    """What is meant by *name*: what sort of thing it is, and every name that it is looked for by.

    :param mentions: where a text names it; none of a name that no vocabulary knows.
    :param synonyms: how many other names of each concept are taken.
    :param weight: what it counts; by how often it is named unless given.
    """
    names: dict[str, str] = {} if mentions else {name.casefold(): name}
    kinds = set()
    for mention in mentions:
        listed = [mention.text, *mention.names]
        for concept in mention.concepts:
            kinds.add(concept.kind)
            listed += concept.names[:synonyms] if concept.id else ()
        for written in listed:
            names.setdefault(written.casefold(), written)
    kind: ConceptKind = "illness"
    if kinds & _TREATMENTS:
        kind = "treatment"
    elif kinds and kinds <= {"symptom", "finding"}:
        kind = "symptom"
    elif kinds == {"biomarker"}:
        kind = "biomarker"
    role: Role = "problem"
    if kind == "treatment":
        role = "treatment"
    elif mentions and all(mention.historical for mention in mentions):
        role = "history"
    elif mentions and all(mention.possible for mention in mentions):
        role = "possible"
    return ConceptMention(
        name=name,
        surface=mentions[0].text if mentions else name,
        kind=kind,
        role=role,
        names=tuple(names.values()),
        mentions=len(mentions),
        weight=round(1 + math.log(max(1, len(mentions))), 4) if weight is None else weight,
    )


def weigh(understood: Understanding, similarities: Sequence[float]) -> Understanding:
    """The same with every concept weighed: by how like the whole text it is, and how often it is named.

    What a note is about is what it resembles as a whole; what it mentions in passing, it does not.

    :param similarities: the cosine of each concept's name with the text, in their order.
    """
    concepts = [
        msgspec.structs.replace(concept, weight=round(concept.weight * max(0.0, float(likeness)), 4))
        for concept, likeness in zip(understood.concepts, similarities, strict=True)
    ]
    return msgspec.structs.replace(understood, concepts=_roles(concepts))


def _roles(concepts: Sequence[ConceptMention]) -> tuple[ConceptMention, ...]:
    """The heaviest illness is the main problem, or else the heaviest symptom; one that is only possible or past if
    there is no other, and never a biomarker.
    """
    plain = [msgspec.structs.replace(c, role="problem") if c.role == "main problem" else c for c in concepts]
    problems = [c for c in plain if c.role == "problem"] or [c for c in plain if c.role in ("possible", "history")]
    candidates = [c for c in problems if c.kind == "illness"] or [c for c in problems if c.kind == "symptom"]
    main = max(candidates, key=lambda c: c.weight, default=None)
    return tuple(msgspec.structs.replace(c, role="main problem") if c is main else c for c in plain)


def main_problem(understood: Understanding) -> ConceptMention | None:
    """The concept that the text is about, if it names any."""
    return next((concept for concept in understood.concepts if concept.role == "main problem"), None)


def focus_vector(
    text: Vectors, names: Vectors, emphasis: Sequence[float], settings: RankingSettings, pull: float
) -> Vectors:
    """The text's vector drawn towards what the text is about, ``(1, dimension)``, of length 1.

    :param text: the text's vector, ``(1, dimension)``.
    :param names: those of the concepts' names, ``(n, dimension)`` with n at least 1.
    :param emphasis: what each concept counts beside its likeness to the text, such as how often it is named.
    :param pull: what they weigh together, beside the text itself.
    """
    import numpy as np

    likeness = (names @ text[0]).astype(np.float64)
    centre = (np.array(emphasis) * np.exp((likeness - likeness.max()) / settings.temperature)) @ names
    mixed = text + pull * centre / max(float(np.linalg.norm(centre)), 1e-12)
    unit: Vectors = (mixed / max(float(np.linalg.norm(mixed)), 1e-12)).astype(np.float32)
    return unit

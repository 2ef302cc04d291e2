"""What a text says the patient has: which problems, which is the main one, what was tried, what to set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from trialindex.plugin.results import Concern, Role, Understanding
from trialindex.search.person import read_person, read_place, read_pregnancy
from trialindex.trial import format_age

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import Mention, Terms
    from trialindex.plugin.interfaces import Vectors

SYNONYMS = 6
"""Names of one concept that are looked for, beside those that the text and the word lists use."""
SHARPNESS = 0.1
"""Cosine by which a concern falls behind the most similar one when its share in :func:`with_focus` is divided by e."""
PULL = 0.5
"""What the concerns weigh in :func:`with_focus` beside the text itself."""
_TREATMENTS = {"drug", "procedure"}


def understand(text: str, terms: Terms) -> Understanding:
    """What *text* says, by the names that the vocabularies list.

    The concerns come in the order of the text, and weigh by how often they are named until :func:`weigh` compares them
    with the whole.
    """
    found: dict[str, list[Mention]] = {}
    aside: dict[str, str] = {}
    for mention in terms.find(text):
        if mention.general:
            continue
        if mention.negated or mention.family:
            aside.setdefault(mention.text, "a relative's" if mention.family else "negated")
        else:
            found.setdefault(mention.names[0], []).append(mention)
    person = read_person(text)
    return Understanding(
        concerns=_roles([_concern(name, mentions) for name, mentions in found.items()]),
        set_aside=aside,
        age=None if person.age is None else format_age(person.age),
        sex=None if person.sex is None else person.sex.lower(),
        pregnant=read_pregnancy(text),
        place=read_place(text),
    )


def _concern(name: str, mentions: Sequence[Mention]) -> Concern:
    names: dict[str, str] = {}
    kinds = set()
    for mention in mentions:
        listed = [mention.text, *mention.names]
        for concept in mention.concepts:
            kinds.add(concept.kind)
            listed += concept.names[:SYNONYMS] if concept.id else ()
        for one in listed:
            names.setdefault(one.casefold(), one)
    role: Role = "problem"
    if kinds & _TREATMENTS:
        role = "treatment"
    elif all(mention.historical for mention in mentions):
        role = "history"
    return Concern(
        name=name,
        said=mentions[0].text,
        role=role,
        names=tuple(names.values()),
        mentions=len(mentions),
        weight=round(1 + math.log(len(mentions)), 4),
    )


def weigh(understood: Understanding, similarities: Sequence[float]) -> Understanding:
    """The same with every concern weighed: by how like the whole text it is, and how often it is named.

    What a note is about is what it resembles as a whole; what it mentions in passing, it does not.

    :param similarities: the cosine of each concern's name with the text, in their order.
    """
    concerns = [
        msgspec.structs.replace(concern, weight=round(concern.weight * max(0.0, float(likeness)), 4))
        for concern, likeness in zip(understood.concerns, similarities, strict=True)
    ]
    return msgspec.structs.replace(understood, concerns=_roles(concerns))


def _roles(concerns: Sequence[Concern]) -> tuple[Concern, ...]:
    """The heaviest problem is the main one; a past one only if there is no other."""
    plain = [msgspec.structs.replace(c, role="problem") if c.role == "main problem" else c for c in concerns]
    candidates = [c for c in plain if c.role == "problem"] or [c for c in plain if c.role == "history"]
    main = max(candidates, key=lambda c: c.weight, default=None)
    return tuple(msgspec.structs.replace(c, role="main problem") if c is main else c for c in plain)


def main_problem(understood: Understanding) -> Concern | None:
    """The concern that the text is about, if it names any."""
    return next((concern for concern in understood.concerns if concern.role == "main problem"), None)


def with_focus(text: Vectors, names: Vectors, concerns: Sequence[Concern]) -> Vectors:
    """The text's vector, and below it the same drawn towards what the text is about: shape ``(2, dimension)``.

    :param text: ``(1, dimension)``. :param names: the concerns' names, ``(n, dimension)`` with n at least 1.
    """
    import numpy as np

    likeness = (names @ text[0]).astype(np.float64)
    mentions = np.array([1 + math.log(concern.mentions) for concern in concerns])
    centre = (mentions * np.exp((likeness - likeness.max()) / SHARPNESS)) @ names
    mixed = text + PULL * centre / max(float(np.linalg.norm(centre)), 1e-12)
    both = np.concatenate([text, mixed / max(float(np.linalg.norm(mixed)), 1e-12)])
    return np.ascontiguousarray(both, dtype=np.float32)

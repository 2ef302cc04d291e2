"""What a vocabulary may list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LetterCase = Literal["any", "upper", "exact"]


@dataclass(frozen=True)
class Concept:
    """One meaning and the words for it.

    :param name: the preferred medical name.
    :param names: other names and spellings; what is found in a text is any of these or *name*.
    :param id: in its vocabulary, such as ``DOID:0080162`` or ``MESH:D008181``.
    :param kind: ``disease``, or ``lay``, ``abbreviation``, ``biomarker``, ``drug``, ``procedure``, ``symptom``,
        ``finding``, ``british``: what sort of word the *names* are for *name*. What is a ``finding`` in one vocabulary
        and an illness in another is an illness; a ``symptom`` is none.
    :param broader: ids of the concepts that this one is a kind of.
    """

    name: str
    names: tuple[str, ...] = ()
    id: str | None = None
    kind: str = "disease"
    broader: tuple[str, ...] = ()


@dataclass(frozen=True)
class Abbreviation:
    """One thing that an abbreviation can mean.

    :param short: as it is usually written, such as ``MS``.
    :param name: the medical name of what it means.
    :param kind: ``disease``, ``symptom``, ``finding``, ``drug``, ``procedure``, or ``other`` for what is no matter of
        medicine, such as a unit or a department.
    :param case: ``any``; ``upper`` if only capitals are the abbreviation (*AS*, never *as*); ``exact`` if it is none
        spelt otherwise (*PsA* beside *PSA*).
    :param context: words and phrases in small letters that speak for this meaning when they stand near.
    :param trials: how many trials of some large registry are about it: how usual the meaning is in questions.
    """

    short: str
    name: str
    kind: str = "disease"
    case: LetterCase = "any"
    context: tuple[str, ...] = ()
    trials: int = 0


@dataclass(frozen=True)
class Biomarker:
    """What somebody, or their tumor, is tested for: a gene or its change, a receptor, a protein, an antibody, a virus.

    :param name: as it is usually written, such as ``EGFR``.
    :param names: other names and spellings.
    :param positive: phrases that say by themselves that it is there: *triple positive*. Several may share one.
    :param negative: phrases that say that it is not: *triple negative*.
    """

    name: str
    names: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


@dataclass(frozen=True)
class Association:
    """A finding that those who have an illness are known to have.

    :param illness: its name.
    :param finding: one of the names of a concept of the same vocabulary.
    :param share: in what part of those who have the illness it is met, above 0 and at most 1.
    """

    illness: str
    finding: str
    share: float


@dataclass(frozen=True)
class Translation:
    """What an illness is called in another language than English.

    :param name: as it is written there.
    :param language: code of ISO 639-1, such as ``es``.
    :param english: the medical name.
    """

    name: str
    language: str
    english: str

"""What finds the names of the vocabularies in a text, as a plugin is given it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trialindex.plugin.vocabulary_entries import Association, Concept


class NamedTerm(Protocol):
    """Where a text names something that a vocabulary knows: a :class:`trialindex.concepts.recognizer.Mention`."""

    @property
    def text(self) -> str:
        """What stands there."""

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """What it may mean."""

    @property
    def names(self) -> tuple[str, ...]:
        """The medical names of that."""

    @property
    def negated(self) -> bool:
        """The text says that it is absent."""

    @property
    def family(self) -> bool:
        """A relative has it."""

    @property
    def historical(self) -> bool:
        """It belongs to the past."""

    @property
    def possible(self) -> bool:
        """It is only possible, feared, or to be prevented."""

    @property
    def general(self) -> bool:
        """It says too little to search for, as *disease* or *pain*."""


class Edition(Protocol):
    """A vocabulary that is at hand: a :class:`trialindex.concepts.vocabularies.UsableVocabulary`."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """It changes whenever what the vocabulary lists does."""

    @property
    def origin(self) -> str:
        """The plugin that brings it, with its version."""

    @property
    def has_associations(self) -> bool:
        """Whether it can tell which illnesses go with which findings."""

    def concepts(self) -> Iterator[Concept]:
        """All that it lists."""

    def associations(self) -> Iterator[Association]:
        """Which illnesses go with which findings."""


class Terms(Protocol):
    """The names of some vocabularies: a :class:`trialindex.concepts.recognizer.ConceptRecognizer`."""

    @property
    def vocabularies(self) -> Sequence[Edition]:
        """Those vocabularies."""

    def find(self, text: str) -> Sequence[NamedTerm]:
        """What *text* names, in order and without overlap."""

    def lookup(self, condition: str) -> Concept | None:
        """The concept that *condition* as a whole names; ``None`` if it is no name that is known."""

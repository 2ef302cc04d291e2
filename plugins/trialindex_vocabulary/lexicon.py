"""``lexicon``: what patients say and doctors abbreviate, with the medical names for it. Written for this project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from trialindex.interfaces import Concept, Vocabulary


class Lexicon(Vocabulary):
    """The file ``lexicon.tsv`` of this package: a phrase, its kind, and the medical names it stands for.

    Each name is one concept for each kind of phrase, called by every such phrase that lists it. Those with few phrases
    come first: they say most (*diphenhydramine* before *antihistamine*).
    """

    name = "lexicon"
    summary = "Everyday words, abbreviations, drugs and British spellings, with the medical names for them."
    where = "comes with trialindex"

    path = Path(__file__).with_name("lexicon.tsv")

    @cached_property
    def _data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def version(self) -> str:
        """A digest of the file: it changes with every edit."""
        return hashlib.sha256(self._data).hexdigest()[:8]

    def concepts(self) -> Iterator[Concept]:
        _, *lines = self._data.decode("utf-8").splitlines()
        phrases: dict[tuple[str, str], list[str]] = {}
        for line in lines:
            phrase, kind, terms = line.split("\t")
            for term in terms.split("; "):
                phrases.setdefault((term, kind), []).append(phrase)
        for (term, kind), names in sorted(phrases.items(), key=lambda item: len(item[1])):
            yield Concept(term, tuple(names), kind=kind)

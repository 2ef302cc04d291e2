"""``lexicon``: common medical names, and what patients say and doctors abbreviate. Written for this project."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from trialindex.plugin.interfaces import Concept, Vocabulary


class Lexicon(Vocabulary):
    """The file ``lexicon.tsv`` of this package: a phrase, its kind, and the medical names it stands for.

    Each name is one concept for each kind of phrase, called by every such phrase that lists it. A line lists the name
    that fits best first; those that mostly stand first come first (*diphenhydramine* before *antihistamine*).
    A name that is its own medical name, such as *asthma*, is listed with itself.
    """

    name = "lexicon"
    summary = "Common illnesses, drugs and procedures, with the everyday words, abbreviations and brands for them."
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
        phrases: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        places: defaultdict[tuple[str, str], int] = defaultdict(int)
        for line in lines:
            phrase, kind, terms = line.split("\t")
            for place, term in enumerate(terms.split("; ")):
                phrases[term, kind].append(phrase)
                places[term, kind] += place
        for (term, kind), names in sorted(phrases.items(), key=lambda item: places[item[0]] / len(item[1])):
            yield Concept(term, tuple(name for name in names if name != term), kind=kind)

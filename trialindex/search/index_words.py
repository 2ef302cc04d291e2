"""What the words of an index tell of a question: which are typing errors, and what abbreviations mean in its trials."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from trialindex.concepts.word_lists import words_of
from trialindex.storage.derived import Derived
from trialindex.storage.held_words import common_start
from trialindex.storage.records import Records
from trialindex.trial.passages import lexical_fields

_ERRORS = 2
"""How many errors away a word of the index may be from what was typed."""
_SEVERAL = 3
"""Trials that use a word which can be what was meant."""
_LOOKED_INTO = 5
"""Trials that are read to see how they write a word."""
_NEAREST = 5
"""Words that are looked up as trials write them."""


class IndexWords:
    """The words of one state of an index, by its word index.

    An index with few trials knows few words, so that what it lacks tells little.
    """

    def __init__(self, derived: Derived, records: Records) -> None:
        self._lexical = derived.lexical
        self._records = records
        self._stem = lru_cache(10_000)(self._stem_of)

    def __len__(self) -> int:
        """How many trials there are."""
        return len(self._lexical)

    def trials_with(self, word: str) -> int:
        """How many trials use a word, in any of its forms."""
        stem = self._stem(word)
        return self._lexical.frequency(stem) if stem else 0

    def is_written(self, word: str) -> bool:
        """Whether a trial uses a word in this very form, among those that use it most."""
        return word in self._forms(self._stem(word), _LOOKED_INTO)

    def count(self, name: str = "", word: str = "") -> int:
        """How many trials have every word of *name* among their titles and conditions, and *word* anywhere."""
        return self._lexical.count(self._lexical.words(name), self._lexical.words(word))

    def alike(self, word: str) -> list[str]:
        """Words that trials use and that begin like *word*, at most two errors away."""
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        stem = self._stem(word)
        if len(stem) < 4:
            return []
        stems = self._lexical.stems(stem[:2]) | self._lexical.stems(stem[1] + stem[0])
        several = [one for one, trials in stems.items() if trials >= _SEVERAL]
        near = extract(stem, several, scorer=OSA.distance, score_cutoff=_ERRORS, limit=None)
        best = sorted(near, key=lambda found: (found[1], -stems[found[0]]))[:_NEAREST]
        forms = (self._forms(found, 1) for found, _, _ in best)
        return [max(written, key=lambda form: written[form]) for written in forms if written]

    def _stem_of(self, word: str) -> str:
        return next(iter(self._lexical.words(word)), "")

    def _forms(self, stem: str, trials: int) -> Counter[str]:
        """How the trials that use a word most write it, folded."""
        found = self._lexical.search_words({stem: 1.0}, trials)
        forms: Counter[str] = Counter()
        start = common_start(stem)
        for stored in self._records.load(found.nums.tolist()):
            for text in lexical_fields(stored.trial).values():
                likely = (form for form in words_of(text) if form.startswith(start) or not form.isascii())
                forms.update(form for form in likely if self._stem(form) == stem)
        return forms

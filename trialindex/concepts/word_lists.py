"""Which words are no typing errors: those of the vocabularies, and those of everyday English."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from trialindex.concepts.tokens import fold_letters

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
POSSESSIVE = re.compile(r"['’]s?$", re.IGNORECASE)
SHORTEST = 3
"""Letters of the shortest word that is looked into."""
_STEM = 4
"""Letters that a word has to have besides its prefix."""
_PREFIXES = (
    "anti", "co", "de", "endo", "extra", "hyper", "hypo", "inter", "intra", "micro", "mini", "multi", "neo", "non",
    "over", "para", "peri", "post", "pre", "pseudo", "re", "semi", "sub", "super", "trans", "un", "under", "uni",
)  # fmt: skip
"""What makes another word of a word."""


class SortedWords:
    """A set of words that needs no time to be read.

    :param text: the words in order, each between two line ends.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __contains__(self, word: str) -> bool:
        start, end = self._section(word[:1])
        return self._text.find(f"\n{word}\n", start, end) >= 0

    def _section(self, first: str) -> tuple[int, int]:
        """Where the words begin and end that begin with this letter."""
        if first not in self._sections:
            start = max(0, self._text.find(f"\n{first}"))
            end = self._text.find(f"\n{chr(ord(first) + 1)}", start) if first else -1
            self._sections[first] = (start, len(self._text) if end < 0 else end + 1)
        return self._sections[first]

    @cached_property
    def _sections(self) -> dict[str, tuple[int, int]]:
        return {}

    @cached_property
    def by_length(self) -> dict[int, list[str]]:
        """The words by how long they are."""
        found: dict[int, list[str]] = {}
        for word in self._text.split():
            found.setdefault(len(word), []).append(word)
        return found


@dataclass(frozen=True)
class WordLists:
    """The words that are no typing errors, folded.

    :param vocabulary: those of the vocabularies' names.
    :param written: how they are written, where that is not as they are folded: ``Crohn's`` for ``crohns``.
    :param everyday: other words of everyday English and names of people.
    """

    vocabulary: SortedWords
    written: Mapping[str, str]
    everyday: SortedWords

    def knows(self, word: str) -> bool:
        """Whether a folded word is one of them, or a form of one."""
        return any(form in self.vocabulary or form in self.everyday for form in _forms(word))

    def is_medical(self, word: str) -> bool:
        """Whether a folded word stands in a name of the vocabularies, in any of its forms."""
        return any(form in self.vocabulary for form in _forms(word))

    def is_derived(self, word: str) -> bool:
        """Whether a folded word is one of them with a syllable before it, as in *prehospital*."""
        rests = (word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix))
        return any(rest in self.vocabulary or rest in self.everyday for rest in rests if len(rest) > _STEM)


def words_of(text: str) -> Iterator[str]:
    """The words of a text, folded."""
    return (fold_letters(match[0]) for match in WORD.finditer(text))


CompiledLists = tuple[str, dict[str, str], str]
"""What :func:`compile_lists` makes of names and words, to be given to :func:`word_lists`."""


def compile_lists(names: Iterable[str], everyday: Iterable[str]) -> CompiledLists:
    """The word lists as they are kept.

    :param names: of the vocabularies. Abbreviations in them are no words.
    :param everyday: words, folded.
    """
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        for match in WORD.finditer(name):
            base = POSSESSIVE.sub("", match[0])
            folded = fold_letters(base)
            if len(base) < SHORTEST or not folded.isascii() or any(letter.isupper() for letter in base[1:]):
                continue
            forms[folded][base] += 1
            if base != match[0]:
                forms[folded + "s"][match[0]] += 1
    written = {folded: max(found, key=lambda form: (form[0].isupper(), found[form])) for folded, found in forms.items()}
    for folded in written:  # a person's name keeps its capital
        if written.get(folded[:-1], "")[:1].isupper() and "'" in written[folded]:
            written[folded] = written[folded].capitalize()
    return (
        "\n".join(["", *sorted(written), ""]),
        {folded: form for folded, form in written.items() if form != folded},
        "\n".join(["", *sorted(set(everyday)), ""]),
    )


def word_lists(compiled: CompiledLists) -> WordLists:
    """The word lists that were compiled."""
    vocabulary, written, everyday = compiled
    return WordLists(SortedWords(vocabulary), written, SortedWords(everyday))


def _forms(word: str) -> Iterator[str]:
    """A word, its singular, and both in American spelling."""
    for form in _singulars(word):
        yield form
        american = form.replace("isation", "ization").replace("ised", "ized").replace("ise", "ize")
        american = american.replace("ae", "e").replace("oe", "e").replace("our", "or")
        if american != form:
            yield american


def _singulars(word: str) -> Iterator[str]:
    yield word
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]
        if word.endswith("es"):
            yield word[:-2]
        if word.endswith("ies"):
            yield word[:-3] + "y"

"""Which words of a question say what it is about, beside the concepts that the vocabularies name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from trialindex.concepts.fillers import is_filler
from trialindex.concepts.tokens import Words, read_keys, read_words

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer, Mention

_LINKS = frozenset({"to", "of"})
"""Words after which a name is narrowed down."""
_INVERTED = frozenset({"", ",", ";"})
"""What stands between a name and the word that narrows it down in *allergy, milk*."""
_QUALIFIERS = 2
"""Words: how many on a side narrow a name down."""
_PHRASE = 4
"""Words of a text that is no sentence but a name."""
_BROAD = 18
"""A name that so many longer ones end with is narrowed down by the words beside it: *allergy*, *cancer*, *headache*."""


def is_phrase(text: str, *, named: bool) -> bool:
    """Whether a text is a name rather than a sentence.

    :param named: whether it has a name that the vocabularies know; else its words that say something are counted.
    """
    return len(text.split()) <= _PHRASE if named else len(content_words(text)) < _PHRASE


def content_words(text: str) -> list[str]:
    """The words of a question that say what it is about, folded."""
    return [key for key in read_keys(text) if _says_something(key)]


def qualifying_words(text: str, mentions: Sequence[Mention], recognizer: ConceptRecognizer) -> list[str]:
    """The words that narrow down what is named: *wheat* allergy, allergy to *cats*, cancer of the *tongue*.

    In a text of a few words all others narrow it down; in a sentence those beside a name that has many narrower ones,
    also behind it where that is how lists write a name: *allergy, milk*.
    """
    words = read_words(text)
    taken = {at for m in mentions for at, start in enumerate(words.starts) if m.start <= start < m.end}
    if is_phrase(text, named=True):
        return [key for at, key in enumerate(words.keys) if at not in taken and _says_something(key)]
    found: list[str] = []
    for mention in mentions:
        asserted = not (mention.negated or mention.family or mention.general)
        if asserted and recognizer.extensions(mention.text) >= _BROAD:
            first, after = (
                next((at for at, start in enumerate(words.starts) if start >= place), len(words.keys))
                for place in (mention.start, mention.end)
            )
            places = list(range(first - 1, first - 1 - _QUALIFIERS, -1))
            found += _adjacent(words, taken, places, before=True)
            following = words.keys[after] if after < len(words.keys) else ""
            if following in _LINKS:
                found += _adjacent(words, taken, range(after + 1, after + 2 + _QUALIFIERS), before=False)
            elif following and after not in taken and words.gaps[after].strip() in _INVERTED:
                found += [following] * (recognizer.lookup(f"{following} {mention.text}") is not None)
    return found


def _adjacent(words: Words, taken: set[int], places: Iterable[int], *, before: bool) -> Iterator[str]:
    """Those of the words at *places*, one next to the other, that say something."""
    for at in places:
        if not 0 <= at < len(words.keys) or at in taken or words.gaps[at + before] not in " -":
            return
        if _says_something(words.keys[at]):
            yield words.keys[at]
        elif before:
            return


def _says_something(key: str) -> bool:
    return not is_filler(key) and len(key) > 1 and not key.isdigit()

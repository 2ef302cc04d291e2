"""Which words a text holds, told without stemming all of it."""

from __future__ import annotations

import pytest

from trialindex.storage.held_words import held_words
from trialindex.storage.lexical import _analyzer

STEMMED = _analyzer().analyze
LONG = " and so on" * 50
TEXTS = (
    "The dying abilities of Sjögren’s café–heart patients; lungs_years ears",
    "ear years EARS Ear-ly, in-vitro 3mg IL-6 β-blocker naïve 日本語 x",
    "Lying happily, only she tied early skies; hoping, disability, allergies, babies",
    "generalizations of capability and the nationality of possibly early readers",
    "",
)
OTHERS = {
    "die",
    "lie",
    "tie",
    "sky",
    "caf",
    "cafe",
    "ear",
    "earli",
    "日本",
    "lung",
    "year",
    "vitro",
    "6",
    "capabl",
    "a",
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_words_are_held_as_when_all_of_a_text_is_stemmed(text: str) -> None:
    stems = set(STEMMED(text))
    for word in stems.union(OTHERS, *map(STEMMED, TEXTS)):
        for as_it_is_or_long in (text, LONG + text + LONG):  # a long text is not stemmed as a whole
            assert held_words([word], as_it_is_or_long, STEMMED) == {word}.intersection(STEMMED(as_it_is_or_long))
    assert held_words(stems | OTHERS, text, STEMMED) == stems


def test_no_words_are_held_by_no_text() -> None:
    assert held_words([], TEXTS[0], STEMMED) == held_words(["heart"], "", STEMMED) == set()

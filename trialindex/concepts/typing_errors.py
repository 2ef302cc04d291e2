"""How far two words are apart for somebody who types, and which words are no errors for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SOUNDS = "iy ie ea ae ao ou ck cs kq sz fv gj tz td mn bp xs uw ue oi ai"
"""Letters that sound alike."""


def near_words(word: str, by_length: Mapping[int, Sequence[str]], errors: int = 0) -> list[str]:
    """The words that are at most so many errors away, by optimal string alignment.

    :param by_length: the words to look among, by how long they are.
    :param errors: more in a longer word unless it is given.
    """
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    errors = errors or (1 if len(word) < 5 else 2 if len(word) < 11 else 3)
    found: list[str] = []
    for length in range(len(word) - errors, len(word) + errors + 1):
        near = extract(word, by_length.get(length, ()), scorer=OSA.distance, score_cutoff=errors, limit=None)
        found += [other for other, _, _ in near]
    return found


@lru_cache(maxsize=4096)
def weigh_errors(word: str, other: str) -> float:
    """What the errors between two words weigh: optimal string alignment in which likely errors weigh less than 1."""
    rows = [[0.0] * (len(other) + 1) for _ in range(len(word) + 1)]
    for i in range(1, len(word) + 1):
        rows[i][0] = rows[i - 1][0] + _gap_cost(word, i - 1)
    for j in range(1, len(other) + 1):
        rows[0][j] = rows[0][j - 1] + _gap_cost(other, j - 1)
    for i, a in enumerate(word, 1):
        for j, b in enumerate(other, 1):
            cost = min(
                rows[i - 1][j] + _gap_cost(word, i - 1),
                rows[i][j - 1] + _gap_cost(other, j - 1),
                rows[i - 1][j - 1] + (0.0 if a == b else _substitution_cost(a, b)),
            )
            if i > 1 and j > 1 and a == other[j - 2] and word[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + 0.8)
            rows[i][j] = cost
    first = 0.0 if has_same_start(word, other) else 0.2  # few err in the first letter
    return rows[-1][-1] + first


def has_same_start(word: str, other: str) -> bool:
    """Whether two words begin with the same letter, or with the same two that changed places."""
    return word[:1] == other[:1] or (len(word) > 1 and word[:2] == other[1::-1])


def _gap_cost(word: str, at: int) -> float:
    """What a letter too many or too few weighs: less if it doubles its neighbour or is not heard."""
    doubles = (at and word[at - 1] == word[at]) or word[at : at + 2] == 2 * word[at]
    return 0.6 if doubles or word[at] in "he'" else 1.0


def _substitution_cost(one: str, other: str) -> float:
    if frozenset((one, other)) in _alike():
        return 0.7
    return 0.8 if other in _beside(one) else 1.0


@cache
def _beside(key: str) -> frozenset[str]:
    """The keys beside a key."""
    found = set()
    for row, letters in enumerate(_KEYBOARD):
        if key in letters:
            at = letters.index(key)
            found |= set(letters[max(0, at - 1) : at + 2])
            for other in (row - 1, row + 1):
                if 0 <= other < len(_KEYBOARD):
                    found |= set(_KEYBOARD[other][max(0, at - 1) : at + 2])
    return frozenset(found - {key})


@cache
def _alike() -> frozenset[frozenset[str]]:
    return frozenset(map(frozenset, _SOUNDS.split()))


_SUFFIXES = frozenset(
    {
        "s",
        "es",
        "ed",
        "d",
        "ing",
        "ly",
        "al",
        "ally",
        "ic",
        "ical",
        "y",
        "ity",
        "er",
        "ers",
        "ion",
        "ions",
        "ive",
        "n",
        "r",
        "ist",
        "ists",
    }
)


def is_inflection(word: str, other: str) -> bool:
    """Whether one of two words is the other with an ending of English."""
    short, long = sorted((word, other), key=len)
    if long.endswith(("is", "us", "ss")):  # "meningiti" is no singular
        return False
    stem = short[:-1] if short[-1:] in "ey" and not long.startswith(short) else short
    return long.startswith(stem) and long[len(stem) :] in _SUFFIXES


_OPPOSITES = (
    ("hypo", "hyper"),
    ("micro", "macro"),
    ("intra", "inter", "extra", "infra", "ultra"),
    ("pre", "post", "pro", "peri", "para"),
)
_ENDINGS = (
    ("graphy", "graphic", "graphical", "graph"), ("scopy", "scopic", "scope"), ("metry", "metric", "meter"),
    ("osis", "otic", "oses"), ("emia", "emic"), ("plasty", "plastic"), ("trophy", "trophic"), ("pathy", "pathic"),
    ("genic", "genetic", "genesis"), ("logy", "logic", "logical"), ("itis", "itic"), ("ectomy", "ostomy", "otomy"),
    ("al", "ar", "ae", "um", "us", "ic"),
)  # fmt: skip
"""Endings that make other words of one stem; the words of one line are not each other's typing errors."""


def is_other_form(word: str, other: str) -> bool:
    """Whether two words are two forms of one word, or opposites, so that neither is an error for the other."""
    for opposites in _OPPOSITES:
        one, two = (next((p for p in opposites if w.startswith(p)), "") for w in (word, other))
        if one and two and one != two:
            return True
    for endings in _ENDINGS:
        one, two = (max((e for e in endings if w.endswith(e)), key=len, default="") for w in (word, other))
        if one and two and one != two and word.removesuffix(one) == other.removesuffix(two):
            return True
    return False

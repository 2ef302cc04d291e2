"""What counts as the same in two versions of a record, and which part of one is which part of the other."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, TypeVar, overload

import msgspec

from trialindex.trial import sanitize

Item = TypeVar("Item")

MIN_SIMILARITY = 0.5
"""From this :func:`word_similarity` on two texts are one text that was reworded."""

_DECORATION = str.maketrans(dict.fromkeys("®™©|", " "))
_EQUIVALENT = str.maketrans({"≥": ">=", "≤": "<=", "⩾": ">=", "⩽": "<=", **dict.fromkeys("−‐‑‒–—", "-")})
_SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹]+")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_TOKEN = re.compile(
    r"[0-9]+(?:\.[0-9]+)*|(?<![\w.])\.[0-9]+"  # a number with its decimals
    r"|(?<![^\s(<>=:])-(?=\.?[0-9])"  # its minus
    r"|[a-z]+|[<>=+~%^$]|[^\x00-\x7f]"
)


@overload
def canonical(value: str | None) -> str: ...
@overload
def canonical(value: Any) -> Any: ...
def canonical(value: Any) -> Any:
    """A hashable form of a value: two values with the same form differ in nothing but noise.

    A text loses its case, white space, punctuation and Unicode form (Unicode Standard Annex 15), and keeps what carries
    meaning: digits and where numbers end, decimals, a minus, signs such as ``<``, ``+`` and ``%``, and accents; ``≥``
    is ``>=``. A tuple loses its order and its repetitions. ``None`` is the empty text.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _compute_key(value) if len(value) > _MAX_CACHED else _cached_key(value)
    if isinstance(value, tuple):
        return tuple(sorted({canonical(item) for item in value}, key=repr))
    if isinstance(value, msgspec.Struct):
        return tuple(canonical(getattr(value, name)) for name in value.__struct_fields__)
    return value


_MAX_CACHED = 500
"""Characters: longer texts are compared once, shorter ones with many others."""


@lru_cache(maxsize=1 << 13)
def _cached_key(text: str) -> str:
    return _compute_key(text)


def _compute_key(text: str) -> str:
    plain = _SUPERSCRIPT.sub(lambda match: f"^{match[0]}", text.translate(_DECORATION))  # 10⁹ is 10^9, not 109
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold()).translate(_EQUIVALENT)
    plain = _THOUSANDS.sub("", plain)
    kept: list[str] = []
    for match in _TOKEN.finditer(plain):
        piece = match[0]
        if piece == "-":
            if not _follows_number(plain, match.start()):
                kept.append(piece)
        elif piece[0] in ".0123456789":
            if kept and kept[-1][-1].isdigit():
                kept.append(" ")
            kept.append(f"0{piece}" if piece[0] == "." else piece)
        elif piece[0].isascii() or unicodedata.category(piece)[0] in "LMNS":
            kept.append(piece)
    return "".join(kept)


def _follows_number(text: str, at: int) -> bool:
    while at and text[at - 1].isspace():
        at -= 1
    return at > 0 and text[at - 1].isdigit()


def unmatched(
    old: Iterable[Item], new: Iterable[Item], key: Callable[[Item], Any] = canonical
) -> tuple[list[Item], list[Item]]:
    """The items of each side that the other lacks, in their order: equal items are taken out pair by pair."""
    first, second = [(key(item), item) for item in old], [(key(item), item) for item in new]
    return _subtract(first, Counter(k for k, _ in second)), _subtract(second, Counter(k for k, _ in first))


def _subtract(items: list[tuple[Any, Item]], taken: Counter[Any]) -> list[Item]:
    kept = []
    for key, item in items:
        if taken[key]:
            taken[key] -= 1
        else:
            kept.append(item)
    return kept


def pair_by_key(
    old: list[Item], new: list[Item], *keys: Callable[[Item], Any]
) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pair items that agree in the first key, then those of the rest that agree in the second, and so on.

    :param keys: each gives ``None`` for an item that it cannot name.
    :returns: the pairs, and the items of each side that found no partner.
    """
    found: list[tuple[Item, Item]] = []
    for key in keys:
        waiting: dict[Any, list[int]] = {}
        for number, item in enumerate(new):
            waiting.setdefault(key(item), []).append(number)
        alone, taken = [], set()
        for item in old:
            name = key(item)
            if name is not None and waiting.get(name):
                number = waiting[name].pop(0)
                taken.add(number)
                found.append((item, new[number]))
            else:
                alone.append(item)
        old, new = alone, [item for number, item in enumerate(new) if number not in taken]
    return found, old, new


def pair_by_similarity(
    old: Sequence[Item], new: Sequence[Item], similarity: Callable[[Item, Item], float]
) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pair items that are similar, the most similar first.

    :param similarity: of two items, from 0 to 1; below :data:`MIN_SIMILARITY` they are no pair.
    :returns: the pairs, and the items of each side that found no partner.
    """
    scores = [(similarity(a, b), i, j) for i, a in enumerate(old) for j, b in enumerate(new)]
    first: dict[int, int] = {}
    second: set[int] = set()
    for score, i, j in sorted(scores, key=lambda s: (-s[0], s[1], s[2])):
        if score < MIN_SIMILARITY:
            break
        if i not in first and j not in second:
            first[i] = j
            second.add(j)
    found = [(old[i], new[j]) for i, j in sorted(first.items())]
    return (
        found,
        [a for i, a in enumerate(old) if i not in first],
        [b for j, b in enumerate(new) if j not in second],
    )


def word_similarity(first: str | None, second: str | None) -> float:
    """The Dice coefficient of the words of two texts, from 0 to 1."""
    a, b = _words(first or ""), _words(second or "")
    both = a.total() + b.total()
    return 2 * (a & b).total() / both if both else 0.0


@lru_cache(maxsize=1024)
def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


_MIN_LETTER_SIMILARITY = 0.75


def letter_similarity(first: str | None, second: str | None) -> float:
    """How similar two names are letter by letter, for names that lost their accents; 0 below 0.75."""
    matcher = SequenceMatcher(None, canonical(first), canonical(second), autojunk=False)
    for bound in (matcher.real_quick_ratio, matcher.quick_ratio):  # upper bounds that cost less
        if bound() < _MIN_LETTER_SIMILARITY:
            return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _MIN_LETTER_SIMILARITY else 0.0


def contrast(before: str, after: str, limit: int) -> tuple[str, str]:
    """Cut two texts, each on one line, to what differs and a few words around it.

    :param limit: characters of each, at most.
    """
    old, new = sanitize.one_line(before).split(), sanitize.one_line(after).split()
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if canonical(old[n]) != canonical(new[n])), shorter)
    tail = next((n for n in range(shorter - head) if canonical(old[-1 - n]) != canonical(new[-1 - n])), shorter - head)
    if max(len(" ".join(old)), len(" ".join(new))) <= limit:
        head = tail = 0
    return _trim(old, head, tail, limit), _trim(new, head, tail, limit)


_CONTEXT_WORDS = 4
"""Words that :func:`contrast` leaves on each side."""


def _trim(words: list[str], head: int, tail: int, limit: int) -> str:
    start, end = max(0, head - _CONTEXT_WORDS), len(words) - max(0, tail - _CONTEXT_WORDS)
    text = " ".join(words[start:end])
    text = f"{'… ' if start else ''}{text}{' …' if end < len(words) else ''}"
    return sanitize.excerpt(text, limit)

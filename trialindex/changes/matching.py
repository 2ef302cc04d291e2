"""What counts as the same: texts without their dress, lists without their order, parts that found each other again."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from trialindex.trial import sanitize

Item = TypeVar("Item")

ALIKE = 0.5
"""Two texts this alike (:func:`likeness`) are one text, reworded."""

_DRESS = str.maketrans(dict.fromkeys("®™©|", " "))
_SIGNS = str.maketrans({"≥": ">=", "≤": "<=", "⩾": ">=", "⩽": "<=", **dict.fromkeys("−‐‑‒–—", "-")})
_RAISED = re.compile("[⁰¹²³⁴-⁹]+")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_KEPT = re.compile(
    r"[0-9]+(?:\.[0-9]+)*|(?<![\w.])\.[0-9]+"  # a number with its decimals
    r"|(?<![^\s(<>=:])-(?=\.?[0-9])"  # its minus
    r"|[a-z]+|[<>=+~%^$]|[^\x00-\x7f]"
)


def fold(text: str | None) -> str:
    """The text without what may change and nothing changes: case, white space, punctuation, its Unicode form.

    What carries meaning stays: digits and where numbers end, decimals, a minus, signs such as ``<``, ``+`` and ``%``,
    and accents. ``≥`` is ``>=``. The forms are those of Unicode Standard Annex 15.
    """
    if not text:
        return ""
    return _folded(text) if len(text) > _REMEMBERED else _remembered(text)


_REMEMBERED = 500
"""Characters: longer texts are compared once, shorter ones with many others."""


@lru_cache(maxsize=1 << 13)
def _remembered(text: str) -> str:
    return _folded(text)


def _folded(text: str) -> str:
    plain = _RAISED.sub(lambda match: f"^{match[0]}", text.translate(_DRESS))  # 10⁹ is 10^9, not 109
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold()).translate(_SIGNS)
    plain = _THOUSANDS.sub("", plain)
    kept: list[str] = []
    for match in _KEPT.finditer(plain):
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


def canon(value: Any) -> Any:
    """A value such that two of them are equal when nothing but noise tells them apart; it can be hashed."""
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, tuple):
        return tuple(sorted({canon(item) for item in value}, key=repr))
    if isinstance(value, msgspec.Struct):
        return tuple(canon(getattr(value, name)) for name in value.__struct_fields__)
    return "" if value is None else value


def left(old: Iterable[Item], new: Iterable[Item], key: Callable[[Item], Any] = canon) -> tuple[list[Item], list[Item]]:
    """What is in one only, each in its order: what both hold is taken out pair by pair."""
    first, second = [(key(item), item) for item in old], [(key(item), item) for item in new]
    return _without(first, Counter(k for k, _ in second)), _without(second, Counter(k for k, _ in first))


def _without(items: list[tuple[Any, Item]], taken: Counter[Any]) -> list[Item]:
    kept = []
    for key, item in items:
        if taken[key]:
            taken[key] -= 1
        else:
            kept.append(item)
    return kept


def by_key(
    old: list[Item], new: list[Item], *keys: Callable[[Item], Any]
) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pairs that agree in the first key, then those of the rest that agree in the second, and so on; and what is left.

    :param keys: each gives ``None`` for an item that it cannot name.
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


def by_likeness(
    old: Sequence[Item], new: Sequence[Item], alike: Callable[[Item, Item], float]
) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pairs that are alike (:data:`ALIKE` at least), the most alike first; and what is left."""
    scores = [(alike(a, b), i, j) for i, a in enumerate(old) for j, b in enumerate(new)]
    first: dict[int, int] = {}
    second: set[int] = set()
    for score, i, j in sorted(scores, key=lambda s: (-s[0], s[1], s[2])):
        if score < ALIKE:
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


def likeness(first: str | None, second: str | None) -> float:
    """How alike two texts are, from 0 to 1: the Dice coefficient of their words."""
    a, b = _words(first or ""), _words(second or "")
    both = a.total() + b.total()
    return 2 * (a & b).total() / both if both else 0.0


@lru_cache(maxsize=1024)
def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


_MISSPELT = 0.75


def misspelt(first: str | None, second: str | None) -> float:
    """How alike two names are by their letters, for those that were written with broken accents; 0 below 0.75."""
    matcher = SequenceMatcher(None, fold(first), fold(second), autojunk=False)
    score = matcher.ratio() if matcher.real_quick_ratio() >= _MISSPELT and matcher.quick_ratio() >= _MISSPELT else 0.0
    return score if score >= _MISSPELT else 0.0


def contrast(before: str, after: str, limit: int) -> tuple[str, str]:
    """Both texts on one line and cut to what differs, with a few words around it.

    :param limit: characters of each, at most.
    """
    old, new = sanitize.one_line(before).split(), sanitize.one_line(after).split()
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if fold(old[n]) != fold(new[n])), shorter)
    tail = next((n for n in range(shorter - head) if fold(old[-1 - n]) != fold(new[-1 - n])), shorter - head)
    if max(len(" ".join(old)), len(" ".join(new))) <= limit:
        head = tail = 0
    return _cut(old, head, tail, limit), _cut(new, head, tail, limit)


_AROUND = 4
"""Words that :func:`contrast` leaves on each side."""


def _cut(words: list[str], head: int, tail: int, limit: int) -> str:
    start, end = max(0, head - _AROUND), len(words) - max(0, tail - _AROUND)
    text = " ".join(words[start:end])
    text = f"{'… ' if start else ''}{text}{' …' if end < len(words) else ''}"
    return sanitize.excerpt(text, limit)

"""Words as they are compared: *Crohn's*, *crohns* and *CROHN* are one word, *kidneys* is *kidney*.

What a text says and what a vocabulary lists go through the same folding, so it need not be right English, only the same
on both sides: *diabetes* becomes ``diabete`` everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

VERSION = 1
"""Raised whenever a text may fold to something else than before."""

# Soft hyphens, zero-width characters and combining accents stand inside a word, not between two.
_INSIDE = "\u00ad\u200b-\u200d\u0300-\u036f"
_WORD = re.compile(rf"([^\W_]+(?:[{_INSIDE}]+[^\W_]*)*)(?:['’ʼ`´][sS]\b)?|(?<=[^\W_])\+")
_LETTERS = str.maketrans(
    dict.fromkeys(map(chr, (0xAD, 0x200B, 0x200C, 0x200D)))
    | {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"}
    | {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda"}
    | {"μ": "mu", "σ": "sigma", "ς": "sigma", "ω": "omega"}
)
_IRREGULAR = {"feet": "foot", "teeth": "tooth", "women": "woman", "men": "man", "children": "child"}
_IRREGULAR |= {
    plural: plural[:-1] for plural in ("arms", "ears", "eyes", "hips", "legs", "lips", "ribs", "toes", "cuts")
}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7"}
_NUMBERED = {"type", "stage", "grade", "class", "phase"}
"""Words after which a Roman numeral is a number."""
_WRAPPED, _SURELY_WRAPPED = 50, 65
"""Characters: a line so long was broken by its width if what follows is in small letters, or in any case; a shorter
one ends where its writer ended it."""


_PLAIN_GAPS = {" ": " ", "": " ", "-": "-", "/": "/", ", ": ","}
"""Nearly all there are."""
_FULL_STOP = re.compile(r"\.[\"'”’)\]]*\s")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_BULLET = re.compile(r"\n\s*[^\s\w(\"'“‘]")
_SHORT = re.compile(r"(?P<item>(?:^|\n)[^\S\n]*\d{1,2}$)|(?:^|\s)\w{1,3}$")
_DASH = re.compile("[-‐-―−]")
MINUS = re.compile(r"(?<=[A-Z0-9])[-−–](?![^\s,;/.)])(?!\s+(?:and|or|to)\s+[^\s-]+-\w)|(?<=[^\W_])\s?\([-−–]\)")
"""A minus sign that denies the word before it; none that stands for the end of a word (*ALK- and ROS1-positive*)."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, as parallel lists.

    :param keys: each word folded.
    :param starts: where it begins in the text, in characters.
    :param ends: where it ends.
    :param gaps: what lies before it: ``" "`` or ``"-"`` or ``"/"`` or ``"."`` join two words, ``","`` (also a dash
        between spaces), ``"("`` (a bracket), ``":"``, ``"|"`` (the end of a sentence), ``"\\n"`` (of a line) and
        ``"¶"`` (an empty line) part them more and more.
    :param minus: the places of words with a minus sign that denies them: ``ALK-``, ``asthma (-)``.
    """

    keys: list[str]
    starts: list[int]
    ends: list[int]
    gaps: list[str]
    minus: frozenset[int] = frozenset()


def read_words(text: str) -> Words:
    """The words of *text*. A plus sign that follows a word directly counts as one: ``HER2+``."""
    keys: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        start = match.start()
        word = normalize_word(match[1]) if match[1] else "+"
        if word in _ROMAN and keys and keys[-1] in _NUMBERED:
            word = _ROMAN[word]
        gap = text[end:start]
        gaps.append(_PLAIN_GAPS.get(gap) or _gap(text, end, start))
        keys.append(word)
        starts.append(start)
        end = match.end()
        ends.append(end)
    minus = (bisect_right(starts, match.start()) - 1 for match in MINUS.finditer(text))
    return Words(keys, starts, ends, gaps, frozenset(minus))


def casefold_words(text: str) -> str:
    """The words of *text* as they are but for case, with a space between two: what a search engine sees."""
    return " ".join(match[0] for match in _WORD.finditer(text.casefold()))


def read_keys(text: str) -> list[str]:
    """The folded words of *text*, as :func:`read_words` gives them: in a third of its time."""
    keys: list[str] = []
    for written in _WORD.findall(text):
        word = normalize_word(written) if written else "+"
        if word in _ROMAN and keys and keys[-1] in _NUMBERED:
            word = _ROMAN[word]
        keys.append(word)
    return keys


def normalize(text: str) -> str:
    """The folded words of *text*, with a space between two."""
    return " ".join(read_keys(text))


def fold_letters(text: str) -> str:
    """The text without case and accents, Greek letters in full: ``Sjögren`` → ``sjogren``, ``β`` → ``beta``."""
    plain = text.casefold()
    if plain.isascii():
        return plain
    letters = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in letters if not unicodedata.combining(c)).translate(_LETTERS)


@lru_cache(maxsize=1 << 16)
def normalize_word(word: str) -> str:
    """One word without case, accents, plural and British spelling: ``Tumours`` → ``tumor``, ``lupus`` → ``lupus``."""
    plain = fold_letters(word)
    if len(plain) > 4:
        plain = plain.replace("ae", "e").replace("oe", "e").replace("our", "or")  # oedema, anaemia, tumour
    if plain in _IRREGULAR:
        return _IRREGULAR[plain]
    if not plain.endswith("s") or (word.isupper() and len(word) <= 6):  # POTS is no plural
        return plain
    if word[:-1].isupper() and word.endswith("s"):  # UTIs is one
        return plain[:-1]
    return _singular(plain) if len(plain) > 4 else plain


def _singular(word: str) -> str:
    if word.endswith(("ss", "us", "is")):  # abscess, lupus, sepsis
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "tches", "xes")):  # rashes, but headaches
        return word[:-2]
    if len(word) > 7 and (word.endswith("tases") or (word.endswith("oses") and not word.endswith("doses"))):
        return word[:-2] + "is"  # metastases, diagnoses
    return word[:-1]


def _gap(text: str, start: int, end: int) -> str:
    """What lies between two words, as one of the signs of :class:`Words`."""
    gap = text[start:end]
    if "\n" in gap or "\r" in gap:
        gap = gap.replace("\r\n", "\n").replace("\r", "\n")
        if _BLANK_LINE.search(gap):
            return "¶"
        length = start - text.rfind("\n", 0, start)
        wrapped = length > _WRAPPED and (
            text[end : end + 1].islower() or (length > _SURELY_WRAPPED and not gap.strip())
        )
        if not wrapped or _BULLET.search(gap):
            return "\n"
    if any(sign in gap for sign in ";!?•|"):
        return "|"
    if "." in gap and _FULL_STOP.search(gap):
        # "Pt. has", "hx. of", "1. Asthma": after a short word and before a small letter, or after the number of an
        # item, a full stop ends no sentence
        before = _SHORT.search(text, max(0, start - 5), start)
        return " " if before and (before["item"] or text[end : end + 1].islower()) else "|"
    for sign in ":(,":
        if sign in gap:
            return sign
    if any(sign in gap for sign in ")[]"):
        return "("
    if _DASH.search(gap):
        return "," if " " in gap else "-"
    return "/" if "/" in gap else "." if "." in gap else " "


# --- the ways a name may be written ---------------------------------------------------------------------------------

_CANCER_OF = re.compile(r"(.+) (cancer)")
_TYPE = re.compile(r"(type \w+) (.+)")


def name_variants(name: str) -> Iterator[str]:
    """The keys under which a name of a vocabulary is to be found, the plain one first; some may be the same.

    Besides the name itself: its words in natural order (``Lupus Erythematosus, Systemic``, as MeSH inverts them),
    ``diabetes type 2`` for ``type 2 diabetes``, ``cancer of the breast`` for ``breast cancer``, hyphens left out, and
    a number that is written apart or together (``IL-6``, ``IL6``).
    """
    words = read_words(name)
    plain = " ".join(words.keys)
    yield plain
    if ", " in name:
        yield normalize(natural_order(name))
    if "-" in words.gaps:
        yield "".join(k if gap == "-" else f" {k}" for k, gap in zip(words.keys, words.gaps, strict=True)).strip()
    if plain.startswith("type ") and (match := _TYPE.fullmatch(plain)):
        yield f"{match[2]} {match[1]}"
    if plain.endswith(" cancer") and (match := _CANCER_OF.fullmatch(plain)):
        yield f"{match[2]} of {match[1]}"
        yield f"{match[2]} of the {match[1]}"
    if any(map(str.isdigit, plain)):
        yield re.sub(r"\b([a-z]{2,6}) (?=\d)", r"\1", plain)
        yield re.sub(r"\b([a-z]{2,6})(?=\d)", r"\1 ", plain)


def natural_order(name: str) -> str:
    """A name whose head stands first in natural order: ``Leukemia, Myeloid, Acute`` → ``Acute Myeloid Leukemia``.

    This is the inverted form of MeSH, the vocabulary in which ClinicalTrials.gov gives conditions.
    """
    if re.search(r"\b(?:and|or|with|without)\b|;", name):  # a list, not an inversion
        return name
    return " ".join(reversed(name.split(", ")))

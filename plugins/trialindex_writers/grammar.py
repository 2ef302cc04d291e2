"""Small rules of English for sentences that are put together: lists, numbers, articles, ages, full stops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from trialindex.plugin.trial_page import Sentence
from trialindex.trial.display import NOT_STATED, age_range
from trialindex.trial.display import sentence as capital
from trialindex.trial.sanitize import excerpt, one_line

_THE = re.compile(
    r"(?:United|Netherlands|Philippines|Bahamas|Maldives|Gambia|Comoros|Seychelles)\b|.*\b(?:Republic|Federation"
    r"|Emirates|Islands|States|Kingdom|Territory|Territories)\b"
)
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_CODE = re.compile(r"[a-z]+[A-Z]")
"""A name such as rPhleum, which a capital would make another."""


_SHORT = {
    "Korea, Republic of": "South Korea",
    "Republic of Korea": "South Korea",
    "Turkey (Türkiye)": "Turkey",
    "Iran, Islamic Republic of": "Iran",
    "Russian Federation": "Russia",
    "Viet Nam": "Vietnam",
}
"""Everyday names of countries that a registry writes at length."""


class Part(NamedTuple):
    """A piece of a sentence, and the fields of the trial that it was made from."""

    text: str
    fields: tuple[str, ...] = ()


def joined(items: Sequence[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``; a comma before "and" where an item holds one."""
    if len(items) < 2:
        return "".join(items)
    heavy = any(f" {word} " in item or ", " in item for item in items)
    return f"{', '.join(items[:-1])}{',' if heavy else ''} {word} {items[-1]}"


def first_of(items: Sequence[str], shown: int, noun: str = "", *, unnamed: int = 0) -> str:
    """The first items in a list, the others counted: ``a, b and 3 more``; with *noun*, ``3 more countries``.

    :param unnamed: how many there are besides *items*.
    """
    left = len(items) - min(shown, len(items)) + unnamed
    return joined([*items[:shown], *([f"{left:,} more{f' {noun}' if noun else ''}"] if left else [])])


def an(text: str) -> str:
    """The text with ``a`` or ``an`` before it; by the first letter, which holds for the words of this package."""
    return f"{'an' if text[:1].lower() in 'aeiou' else 'a'} {text}"


def country(name: str) -> str:
    """The country as it stands after "in": ``the United States``; ``Korea, Republic of`` is turned round."""
    line = _SHORT.get(one_line(name), one_line(name))
    last, comma, first = line.partition(", ")
    if comma and first.endswith((" of", "The")):
        line = f"{first} {last}"
    line = line.removeprefix("The ").removeprefix("the ")
    return f"the {line}" if _THE.match(line) else line


def ages(minimum: float | None, maximum: float | None) -> str:
    """``aged 18 years and older``, ``aged from 6 months to 5 years``, ``of any age``; empty without a limit."""
    if minimum == 0 and maximum is None:
        return "of any age"
    stated = age_range(minimum or None, maximum)
    return "" if stated == NOT_STATED else f"aged {stated}"


def quoted(text: str, limit: int) -> str:
    """The text in quotation marks, without its own, cut at *limit* characters; empty if there is none.

    Brackets that have lost their partner go.
    """
    line = excerpt(re.sub(r"[\"“”]", "", text), limit).strip(" .")
    if any(line.count(left) != line.count(right) for left, right in _BRACKETS):
        line = one_line(re.sub(r"[()\[\]{}]", " ", line))
    return f"“{line}”" if line else ""


def say(*parts: Part | str) -> Sentence:
    """One sentence from its parts: a capital first, one full stop last, every field once."""
    given = [part if isinstance(part, Part) else Part(part) for part in parts]
    text = one_line("".join(part.text for part in given))
    if not _CODE.match(text):
        text = capital(text)
    fields = dict.fromkeys(field for part in given for field in part.fields)
    return Sentence(f"{text.rstrip('.')}.", tuple(fields))

"""The glossary: words of clinical trials and of medicine, each with what it means. Written for this project.

It is the file ``glossary.tsv`` of this package: a term, its other forms with ``|`` between them, and its meaning. A
form in small letters is found however a text writes it, one with a capital (*OS*, *eGFR*, *Kaplan-Meier*) only as it
stands; a regular plural is found by itself. Hyphens and spaces are the same, so that *double blind* is *double-blind*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from trialindex.plugin.trial_page import Explanation

_FILE = Path(__file__).with_name("glossary.tsv")
_TOKEN = re.compile(r"[^\W_]+|[^\w\s'’‐‑–-]")
"""A word or a mark; white space, hyphens, en rules and apostrophes only part words."""


class Entry(NamedTuple):
    """A line of the glossary."""

    term: str
    forms: tuple[str, ...]
    meaning: str


class _Form(NamedTuple):
    """One way to write a term: its words folded, and as they must stand if it has a capital."""

    folded: list[str]
    exact: list[str] | None
    entry: Entry
    meaning: str


@cache
def entries() -> tuple[Entry, ...]:
    """Every line of the glossary, in alphabetical order."""
    _, *lines = _FILE.read_text(encoding="utf-8").splitlines()
    fields = (line.split("\t") for line in lines)
    return tuple(Entry(term, tuple(filter(None, forms.split("|"))), meaning) for term, forms, meaning in fields)


def explain(texts: Iterable[str]) -> tuple[Explanation, ...]:
    """The terms that the texts use, each once, in the order in which they first occur.

    Of several terms that begin at one word the longest counts. An explanation is headed by what stands in the text, so
    that it can be found there; the meaning of an abbreviation begins with what it is short for: *OS*, "overall
    survival: how long people live …".
    """
    found: dict[str, Explanation] = {}
    for text in texts:
        for form, shown in _find(text):
            if form.entry.term not in found:
                shown = " ".join(shown.split())
                found[form.entry.term] = Explanation(shown if form.exact else shown.lower(), form.meaning)
    by_heading = {one.term.casefold(): one for one in reversed(found.values())}  # eGFR and EGFR: the first counts
    return tuple(one for one in found.values() if by_heading[one.term.casefold()] is one)


def used(text: str) -> frozenset[str]:
    """The terms that a text uses in any of their forms, as the glossary heads them."""
    return frozenset(form.entry.term for form, _ in _find(text))


def _find(text: str) -> Iterator[tuple[_Form, str]]:
    """The forms in a text, and how they stand there."""
    forms = _forms()
    tokens = list(_TOKEN.finditer(text))
    words = [token[0] for token in tokens]
    folded = [word.casefold() for word in words]
    free = 0
    for at, word in enumerate(folded):
        if at < free or word not in forms:
            continue
        for form in forms[word]:
            end = at + len(form.folded)
            if folded[at:end] == form.folded and (form.exact is None or words[at:end] == form.exact):
                free = end
                yield form, text[tokens[at].start() : tokens[end - 1].end()]
                break


@cache
def _forms() -> dict[str, list[_Form]]:
    """Every form by its first word folded, the longest first, those with a capital before those without."""
    found: dict[str, list[_Form]] = {}
    for entry in entries():
        for form in (entry.term, *entry.forms):
            meaning = _meaning(form, entry)
            *start, last = _TOKEN.findall(form)
            for words in ([*start, last], [*start, f"{last}s"]):
                folded = [word.casefold() for word in words]
                exact = None if form == form.lower() else words
                found.setdefault(folded[0], []).append(_Form(folded, exact, entry, meaning))
    for forms in found.values():
        forms.sort(key=lambda form: (-len(form.folded), form.exact is None))
    return found


def _meaning(form: str, entry: Entry) -> str:
    """What a form means; *form* is an abbreviation if it is one word with a capital for a term in small letters."""
    short = form != form.lower() and " " not in form and entry.term == entry.term.lower()
    return f"{entry.term}: {entry.meaning}" if short else entry.meaning

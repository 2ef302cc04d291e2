"""What kind of thing is tested, in words that everybody knows: ``kinds.tsv``, written for this project.

Its rows are tried from the first on, against names first, then descriptions, then titles. Among them are the endings
that the World Health Organization keeps for generic names ("The use of stems in the selection of International
Nonproprietary Names", 2018).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from trialindex_writers.plain_names import is_generic_name
from trialindex_writers.plain_things import Thing

_FILE = Path(__file__).with_name("kinds.tsv")


class Kind(NamedTuple):
    """A kind of thing.

    :param phrase: what one is: ``a lab-made antibody against allergy``, ``allergy shots``.
    :param plural: what several are; empty where *phrase* says it of several too.
    :param noun: as it stands before a name or alone: ``allergy antibody``.
    :param mass: whether it takes no article.
    :param risk: which risk is typical of it; see :mod:`.plain_meaning`.
    """

    phrase: str
    plural: str
    noun: str
    mass: bool
    risk: str

    @property
    def alone(self) -> str:
        """``an allergy antibody``, ``friendly bacteria``."""
        return self.noun if self.mass else f"{'an' if self.noun[0].lower() in 'aeiou' else 'a'} {self.noun}"

    @property
    def many(self) -> bool:
        """Whether the noun takes "are": ``allergy shots``, ``friendly bacteria``."""
        last = (
            re.sub(r"\s*\(.*", "", self.noun).split(" in ")[0].split(" under ")[0].split(" into ")[0].split(" of ")[0]
        )
        return self.mass and bool(re.search(r"(?:[^s]s|bacteria)$", last))


class _Row(NamedTuple):
    """A row of the table, and whether it holds of cancer alone, as endings and words that mean it do."""

    where: str
    pattern: re.Pattern[str]
    kind: Kind
    cancer: bool


@cache
def _rows() -> tuple[_Row, ...]:
    _, *lines = _FILE.read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        where, pattern, phrase, plural, noun, risk = line.split("\t")
        kind = Kind(phrase, plural, noun.removeprefix("~"), noun.startswith("~"), risk)
        cancer = where[0] == "C" or bool(re.search("cancer|tumour", phrase + kind.noun))
        found.append(_Row(where[-1], re.compile(pattern, re.IGNORECASE), kind, cancer))
    return tuple(found)


@cache
def kind_phrases() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Finds the words for a kind that hold a number, and after a number the words for several of a kind."""
    kinds = [row.kind for row in _rows()]
    numbered = {
        words for kind in kinds for words in (kind.phrase, kind.plural, kind.noun) if re.search(r"\btwo\b", words)
    }
    several = {words for kind in kinds for words in (kind.plural, f"{kind.noun}s") if words}
    longest = sorted(numbered, key=len, reverse=True), sorted(several, key=len, reverse=True)
    first, second = ("|".join(map(re.escape, words)) for words in longest)
    return re.compile(first, re.IGNORECASE), re.compile(f" (?:{second})", re.IGNORECASE)


def kind(one: Thing, *, cancer: bool, titles: Iterable[str] = ()) -> Kind | None:
    """The kind of a registered intervention; ``None`` if nothing tells it.

    :param cancer: whether the trial is about cancer; some endings mean something else there.
    :param titles: of a trial that tests this thing alone; what they say of kinds is said of it.
    """
    return (
        _find(one.shown, "ndt", cancer)
        or _find("" if one.part or _names_another(one, one.name) else one.name, "ndt", cancer)
        or _find("\n".join(one.other_names), "ndt", cancer)
        or _find("" if _names_another(one, one.description[:600]) else one.description[:600], "dt", cancer, beside=True)
        or _find(
            "\n".join(title for title in titles if not _names_another(one, title)),
            "dt" if one.code or one.generic else "t",
            cancer,
        )
    )


def _names_another(one: Thing, text: str) -> bool:
    """Whether a text speaks of another drug, so that a kind in it may be that one's."""
    own = f"{one.shown} {' '.join(one.other_names)}".casefold()
    words = re.findall(r"[A-Za-z]{6,}", text)
    return any(is_generic_name(word) and word.casefold() not in own for word in words)


def kind_in(text: str, where: str, *, cancer: bool = False) -> Kind | None:
    """The kind that a text tells.

    :param where: which rows are tried: ``n`` those for names, ``d`` for descriptions, ``t`` for titles, ``m`` for MeSH.
    """
    return _find(text, where, cancer)


_BESIDE = re.compile(
    r"\b(?:and|or|plus|against|versus|vs|compared|without|before|alongside)\b[^.;,:]{0,12}$", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def _find(text: str, where: str, cancer: bool, *, beside: bool = False) -> Kind | None:
    """The kind of the first row that matches.

    :param beside: whether what a text names beside something else, as in "with X and an allergen", does not count.
    """
    if not text:
        return None
    for row in _rows():
        if row.where not in where or (row.cancer and not cancer):
            continue
        found = row.pattern.search(text)
        if found and not (beside and _BESIDE.search(text, max(0, found.start() - 40), found.start())):
            return row.kind
    return None

"""Everyday names of illnesses: ``illnesses.tsv``, written for this project, by MeSH id and by name."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from trialindex_writers.plain_rules import rule

_FILE = Path(__file__).with_name("illnesses.tsv")


class Everyday(NamedTuple):
    """A line of the table.

    :param name: the everyday name, as it stands after "people with".
    :param gloss: what it is, for a name that needs it.
    :param group: what sort of illness it is, such as ``cancer``, ``pain``, ``food`` (allergy to a food).
    """

    name: str
    gloss: str
    group: str


_BEFORE = {
    "severe": "severe",
    "mild": "mild",
    "moderate": "moderate",
    "advanced": "advanced",
    "newly diagnosed": "newly found",
    "uncontrolled": "badly controlled",
    "difficult-to-treat": "hard-to-treat",
    "early": "early",
    "early-stage": "early",
    "early stage": "early",
}
_AFTER = {
    "recurrent": "that came back",
    "relapsed": "that came back",
    "refractory": "that resists treatment",
    "treatment-resistant": "that resists treatment",
    "metastatic": "that has spread",
    "extensive stage": "that has spread",
    "extensive-stage": "that has spread",
    "unresectable": "that cannot be operated on",
    "inoperable": "that cannot be operated on",
    "intractable": "that resists treatment",
}
_MODIFIERS = [*_BEFORE, *_AFTER]
_DROPPED = rule(
    r"""
    (?:stage|grade|type) ?(?:[0-4ivxabc/&-]+\b)
    \b(?:conditions or focus of study|relapsed/advanced)\b
    \b(?:in )?(?:adults?|children|pediatrics?|paediatrics?|childhood|infants?|patients?|subjects?|human)\b
    \b(?:chronic|acute|primary|secondary|persistent|locally|locoregionally|atypical|idiopathic)\b
    \b(?:moderate to severe|mild to moderate|resectable|degenerative|episodic|high grade|ajcc v\d)\b
    \b(?:disease|disorders?|neoplasms?|nos|ige|mediated|induced|with|and|or|of|the|to|by|in|due|other|unspecified|stage)\b
    \b(?:egfr|her2|kras|braf|alk|pd-?l1|idh|hpv|b7-?h3|tigit|mutations?|mutant|wild-?type|wildtype|positive|negative|expressing)\b
    \b(?:squamous|non-?squamous|cell|adenocarcinoma|exon|insertion|deletion|resistance|lumbar|cervical|specific|\d+)\b
    """
)
"""Words around a known name that an everyday name can do without."""


@cache
def table() -> tuple[dict[str, Everyday], dict[str, Everyday]]:
    """The everyday names by MeSH id and by folded name."""
    by_id: dict[str, Everyday] = {}
    by_name: dict[str, Everyday] = {}
    _, *lines = _FILE.read_text(encoding="utf-8").splitlines()
    for line in lines:
        mesh, name, also, everyday, gloss, group = line.split("\t")
        entry = Everyday(everyday, gloss, group)
        if mesh:
            by_id[f"MESH:{mesh}"] = entry
        for one in (name, *filter(None, also.split(";"))):
            by_name.setdefault(fold(one), entry)
            by_name.setdefault(fold(" ".join(reversed(one.split(", ")))), entry)
        by_name.setdefault(fold(everyday), entry)
    return by_id, by_name


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """The words of a name in small letters, without brackets, marks and the *s* of a plural."""
    bare = re.sub(r"\([^()]*\)", " ", name.lower()).replace("tumour", "tumor").replace("’", "'")
    words = re.findall(r"[a-z0-9']+", bare.replace("-", " "))
    return " ".join(
        word[:-1] if len(word) > 4 and word.endswith("s") and word[-2] not in "su'" else word for word in words
    )


@lru_cache(maxsize=2048)
def everyday(name: str) -> Everyday | None:
    """The everyday name of a condition, whole or with words around it that can go; ``None`` if none is known."""
    names = table()[1]
    folded = re.sub(r"^allergy (?:to )?(.+)", r"\1 allergy", fold(name))
    turned = fold(" ".join(reversed(name.split(", "))))
    for whole in (folded, turned):
        if whole in names:
            return names[whole]
    for words in (folded.split(), turned.split()):
        for length in range(len(words) - 1, 0, -1):
            for start in range(len(words) - length + 1):
                part = " ".join(words[start : start + length])
                if part in names and _can_go(words[:start], words[start + length :]):
                    return _qualified(names[part], [*words[:start], *words[start + length :]])
    return None


def _can_go(before: list[str], after: list[str]) -> bool:
    rest = " ".join((*before, *after))
    for modifier in sorted(_MODIFIERS, key=len, reverse=True):
        rest = re.sub(rf"\b{fold(modifier)}\b", " ", rest)
    return not _DROPPED.sub(" ", rest).strip()


def _qualified(entry: Everyday, words: list[str]) -> Everyday:
    text = " ".join(words)
    before = [said for word, said in _BEFORE.items() if re.search(rf"\b{fold(word)}\b", text)]
    after = list(dict.fromkeys(said for word, said in _AFTER.items() if re.search(rf"\b{fold(word)}\b", text)))
    article = re.match(r"(an?) ", entry.name)
    bare = entry.name[article.end() :] if article else entry.name
    named = " ".join(filter(None, [*(before[:1] if "that " not in bare else []), bare]))
    if article:
        named = f"{'an' if named[0] in 'aeiou' else 'a'} {named}"
    return Everyday(" ".join([named, *(after[:1] if "that " not in bare else [])]), entry.gloss, entry.group)

"""Who is what in a text: a placebo or a comparison is not what is tested, and what is tested is no comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from trialindex_llm.record import Record
from trialindex_writers.plain_roles import Roles, roles
from trialindex_writers.plain_things import Thing

_SMALL = r"(?:(?:an?|the|adding|taking|giving|using|getting|daily|new|oral|experimental|drug|treatment|called)\s+){0,4}"
"""Words that may stand between a verb and the name that it is about."""
_TESTED = (
    rf"\b(?:test(?:s|ed|ing)?(?:\s+of)?|tr(?:y|ies|ied|ying)(?:\s+out)?|whether|if|how\s+(?:well|safe))\s+{_SMALL}"
)
_ASKED = rf"^\s*(?:can|could|does|do|will|would|is|are)\s+{_SMALL}"
_COMPARED = rf"\b(?:compared\s+(?:with|to)|versus|vs\.?)\s+{_SMALL}"
_INACTIVE = (
    rf"\b(?:placebo|dummy|sham|inactive\s+(?:treatment|substance))\s+(?:called|named|such\s+as|like|is)\s+{_SMALL}"
)
_SHORTEST = 3
"""Letters of a name that is looked for."""


def problems(text: str, record: Record) -> Iterator[str]:
    """Roles that the arms do not bear out, one line each."""
    found = roles(record.trial)
    tested = _names(found.tested)
    others = (("placebo or sham", found.inactive), ("comparison", found.control), ("background", found.background))
    for role, things in others:
        if name := _name_after((_TESTED, _ASKED), _names(things) - tested, text):
            yield f'it says that "{name}" is tested, which is {role} in the record'
    if name := _name_after((_COMPARED, _INACTIVE) if _alone(found) else (_INACTIVE,), tested, text):
        yield f'it says that "{name}" is what is compared with, which is tested in the record'


def _alone(found: Roles) -> bool:
    """Whether one thing is tested, in one way: others are compared with each other."""
    return len(found.tested) == 1 and not found.doses


def _names(things: Iterable[Thing]) -> set[str]:
    names = {name for one in things for name in (one.shown, one.name, *one.other_names)}
    return {" ".join(name.casefold().split()) for name in names if len(name) >= _SHORTEST}


def _name_after(leads: Iterable[str], names: set[str], text: str) -> str:
    """The name that stands right after one of the words that give it a role; empty if none does."""
    if not names:
        return ""
    longest = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = rf"(?:{'|'.join(leads)})(?P<name>{longest})(?!\w)"
    match = re.search(pattern, " ".join(text.split()), re.IGNORECASE)
    return match["name"] if match else ""

"""The aim of a study in the words of those who registered it, for where no rule can say it in ours."""

from __future__ import annotations

import re

from trialindex.trial import Trial
from trialindex_writers.grammar import quoted
from trialindex_writers.plain_record import remembered

_LONGEST = 230
"""How many characters of an aim are quoted."""
_STATED = (
    re.compile(
        r"\b(?:purposes?|aims?|objectives?|goals?)\b(?! is not)[^.:;]{0,90}?\b(?:is|was|are|were)(?: also)?:? "
        r"(to (?!be\b|\w+[lt]ical\b|\w+inical\b)[a-z].+)"
    ),
    re.compile(
        r"\b(?:study|trial|project|survey|investigators?|researchers?|we|authors?)\b[^.:;]{0,40}?"
        r"\b(?:aims?|aimed|intends?|wants?|is designed|was designed|was planned|is planned|seeks?|sought)"
        r" (to (?!\w+[lt]ical\b|\w+inical\b)[a-z].+)",
        re.IGNORECASE,
    ),
    re.compile(r"^\s*(To (?:determine|evaluate|assess|investigate|examine|compare|study|explore|describe|find)\b.+)"),
)
_END = re.compile(r"(?<=[a-z)%\d])[.;](?:\s|$)")
_OPEN = re.compile(r":|\(?(?:i|1|a)\)|\b(?:including|following|for|of|to|and|the)$")
"""Words after which something is missing, such as a list."""
_TITLE = 150


@remembered
def own_aim(trial: Trial) -> str:
    """``“to compare the blood of people with and without hives”``, from the registrant's summary; empty if none."""
    text = " ".join((trial.summary or "")[:3000].split())
    for rule in _STATED:
        found = rule.search(text)
        said = _END.split(found[1], maxsplit=1)[0].strip(" .,") if found else ""
        if 20 < len(said) <= _LONGEST and not _OPEN.search(said):
            return quoted(said[:1].lower() + said[1:], _LONGEST)
    return ""


def in_own_words(trial: Trial) -> str:
    """``; its aim, in the researchers' words: “to …”``; the title where the summary states no aim that is short."""
    if aim := own_aim(trial):
        return f"; its aim, in the researchers' words: {aim}"
    title = trial.official_title or "" if len(trial.title) > _TITLE else trial.title
    title = title if 20 < len(title) <= _TITLE else ""
    return f"; its title: {quoted(title, _TITLE)}" if title else ""

"""Patterns written one alternative a line, so that a list of words can be read and added to."""

from __future__ import annotations

import re


def rule(alternatives: str, *, whole: bool = False) -> re.Pattern[str]:
    """A pattern that finds any of the lines, each a regular expression, whatever its capitals.

    :param whole: a match is between word boundaries.
    """
    joined = "|".join(line.strip() for line in alternatives.strip().splitlines() if line.strip())
    return re.compile(rf"\b(?:{joined})\b" if whole else joined, re.IGNORECASE)

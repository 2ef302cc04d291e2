"""Patterns that are compiled when a text needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property


class Pattern:
    """A pattern, compiled when first a text has one of the parts of words without which it finds nothing.

    Most questions have none of them, and compiling all patterns would take a first question 5 ms.

    :param parts: in small letters; none where it is looked for only with cause.
    """

    def __init__(self, text: str, *parts: str) -> None:
        self._text = text
        self._parts = parts

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self._text, re.IGNORECASE)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        lowered = text.casefold()
        if not self._parts or any(part in lowered for part in self._parts):
            yield from self.compiled.finditer(text)

    def search(self, text: str) -> re.Match[str] | None:
        return self.compiled.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        return self.compiled.match(text)

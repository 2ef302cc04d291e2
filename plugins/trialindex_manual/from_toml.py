"""TOML as plain values with their lines, as far as they can be told."""

from __future__ import annotations

import bisect
import re
import tomllib
from typing import Any

from trialindex.errors import SourceError
from trialindex.trial.from_values import Place
from trialindex_manual.document import Document


def parse_toml(text: str, name: str) -> Document:
    """A TOML document. :raises SourceError: it is not valid TOML."""
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        why, _, position = str(problem).partition(" (at ")
        line = re.match(r"line (\d+)", position)
        raise SourceError(f"{name}{f':{line[1]}' if line else ''}: not valid TOML: {why}.") from None
    except RecursionError:
        raise SourceError(f"{name}: nested too deeply.") from None

    def line_of(place: Place) -> int | None:
        found = (_toml_line(text.split("\n"), place[:n]) for n in range(len(place), 0, -1))
        return next(filter(None, found), None)

    return Document(name, value, line_of)


def _toml_line(lines: list[str], place: Place) -> int | None:
    """The line in which the statement begins that brings *place* into the document.

    The standard library's parser tells no lines. So the lines that look like it are tried: the right one is the last
    before which the document does not hold the place, and with which it does. Where that cannot be shown: ``None``.
    """
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    looks = re.compile(rf"""\s*(?:\[|(?:[\w-]+\s*\.\s*)*["']?{re.escape(key)}["']?\s*[=.])""")
    candidates = [number for number, line in enumerate(lines) if looks.match(line)]
    number = bisect.bisect_left(candidates, True, key=lambda n: bool(_toml_holds(lines[:n], place, shorten=True))) - 1
    if number < 0 or _toml_holds(lines[: candidates[number]], place) is not False:
        return None
    for end in range(candidates[number] + 1, len(lines) + 1):
        holds = _toml_holds(lines[:end], place)
        if holds is not None:
            return candidates[number] + 1 if holds else None
    return None


def _toml_holds(lines: list[str], place: Place, *, shorten: bool = False) -> bool | None:
    """Whether the lines hold the place; ``None`` if they end amid a statement, which *shorten* leaves out."""
    for end in range(len(lines), -1, -1):
        try:
            value: Any = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            if not shorten:
                return None
            continue
        try:
            for part in place:
                value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
        return True
    return False

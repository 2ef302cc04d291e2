"""A file of plain values that knows the lines they are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trialindex.trial.from_values import Place


@dataclass(frozen=True)
class Document:
    """What a file says.

    :param name: how messages call it.
    :param value: text, numbers, lists and mappings. From YAML every scalar is text, as it was written, or ``None``.
    :param line: the line, from 1, that a place begins in, or that of what is around it; ``None`` if it cannot be told.
    """

    name: str
    value: Any
    line: Callable[[Place], int | None]

    def at(self, place: Place) -> str:
        """``name:line`` of a place."""
        line = self.line(place)
        return f"{self.name}:{line}" if line else self.name


def nearest_line(lines: Mapping[Place, int], place: Place) -> int | None:
    """The line of a place, or of the nearest one around it."""
    return next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), None)

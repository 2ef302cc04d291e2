"""A file of plain values that knows where they are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trialindex.trial.from_values import Place, Problem


@dataclass(frozen=True)
class Document:
    """What a file says.

    :param name: how messages call it.
    :param value: text, numbers, lists and mappings. From YAML every scalar is text, as it was written, or ``None``.
    :param lines: the line, from 1, that each place begins in; ``None`` if the parser of the language tells none.
    """

    name: str
    value: Any
    lines: Mapping[Place, int] | None = None

    def locate(self, trial: Place, field: Place, label: str = "") -> str:
        """Where a field is: ``a.yaml:7: status``; without lines ``a.toml: trials[2].status (LOCAL-2)``.

        :param trial: the place of the trial that it is of.
        :param field: its place within the trial.
        :param label: the id of the trial, to find it by where there are no lines.
        """
        place = (*trial, *field)
        if self.lines is None:
            words = Problem(place, "").field
            return f"{self.name}: {words}" + (f" ({label})" if label else "") if words else self.name
        found = (self.lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self.lines)
        words, line = Problem(field, "").field, next(found, None)  # the line of the nearest place around it
        return ": ".join(filter(None, (f"{self.name}:{line}" if line else self.name, words)))

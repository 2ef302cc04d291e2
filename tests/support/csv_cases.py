"""How the tests of the ``csv`` source write files and read them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trialindex.plugin.interfaces import IngestContext
from trialindex.trial import Trial
from trialindex_csv.source import CsvSource


@dataclass
class Run:
    """What one reading of a file gave."""

    trials: list[Trial] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    progress: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [trial.id for trial in self.trials]


def read(path: Path, **options: Any) -> Run:
    run = Run()
    context = IngestContext(
        on_reject=lambda where, why: run.rejected.append((where, why)),
        on_drop=lambda where, why: run.dropped.append((where, why)),
        on_note=run.notes.append,
        on_progress=lambda done, total: run.progress.append((done, total)),
    )
    run.trials.extend(CsvSource(str(path), **options).trials(context))
    return run


def write(path: Path, rows: Iterable[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def exactly(text: str) -> str:
    return re.escape(text)

"""The formats ``ris`` and ``nbib``: trials as references, for reference managers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial, display
from trialindex.trial.sanitize import one_line


class _CitationRenderer(Renderer):
    """One reference a trial; a line holds a tag and its value."""

    def results(self, results: Results) -> Iterator[str]:
        return self.trials(hit.trial for hit in results.hits)

    def trial(self, card: TrialPage) -> Iterator[str]:
        return self.trials(iter([card.trial]))

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        for trial in trials:
            yield "".join(f"{tag:<4}{self.dash}{one_line(value)}\n" for tag, value in self._lines(trial) if value)
            yield self.end

    dash: ClassVar[str]
    end: ClassVar[str]

    @abstractmethod
    def _lines(self, trial: Trial) -> Iterator[tuple[str, str]]:
        """Tags and values; those without a value are left out."""


def _year(trial: Trial) -> str:
    date = trial.first_posted or trial.start_date
    return date.date[:4] if date else ""


def _status(trial: Trial) -> str:
    status = f"Status: {display.status(trial.status)}"
    return f"{status}; no longer in the registry since {display.date(trial.gone_since)}" if trial.gone_since else status


class RisRenderer(_CitationRenderer):
    name: ClassVar[str] = "ris"
    suffixes = (".ris",)
    summary: ClassVar[str] = "References in RIS, for reference managers."
    dash = "- "
    end = "ER  - \n\n"

    def _lines(self, trial: Trial) -> Iterator[tuple[str, str]]:
        yield "TY", "WEB"
        yield "TI", trial.title
        yield "AU", f"{one_line(trial.sponsor)}," if trial.sponsor else ""  # the comma: it is no person
        yield "AN", trial.id
        yield "PY", _year(trial)
        yield "AB", trial.summary or ""
        yield from (("KW", word) for word in (*trial.conditions, *trial.keywords))
        yield "N1", _status(trial)
        yield "DB", trial.source
        yield "UR", trial.url or ""


class NbibRenderer(_CitationRenderer):
    name: ClassVar[str] = "nbib"
    suffixes = (".nbib",)
    summary: ClassVar[str] = "References in PubMed's format, for reference managers."
    dash = "- "
    end = "\n"

    def _lines(self, trial: Trial) -> Iterator[tuple[str, str]]:
        yield "TI", trial.title
        yield "CN", trial.sponsor or ""
        yield "SI", trial.id
        yield "DP", _year(trial)
        yield "AB", trial.summary or ""
        yield from (("OT", word) for word in (*trial.conditions, *trial.keywords))
        yield "GN", _status(trial)
        yield "UR", trial.url or ""

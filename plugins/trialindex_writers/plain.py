"""The writer that is built in: a record in plain words, from what is registered alone, the same every time."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from trialindex.errors import WriterError
from trialindex.plugin.interfaces import Writer
from trialindex.plugin.trial_page import PlainLanguage, Sentence
from trialindex.trial import Trial
from trialindex_writers.glossary import explain
from trialindex_writers.plain_headline import headline
from trialindex_writers.plain_meaning import could_go_wrong, could_lead_to, substance
from trialindex_writers.plain_questions import questions
from trialindex_writers.plain_record import complete, reading, told
from trialindex_writers.plain_summary import summary


class PlainWriter(Writer):
    """Plain words from registered facts."""

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = "From registered facts alone, offline, the same every time."

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise WriterError(f'The writer "plain" takes no argument, got "{argument}".', hint="Write: --writer plain")
        super().__init__(argument)

    def write(self, trial: Trial) -> PlainLanguage:
        read = reading(trial)
        plain = self._page(read)
        if not complete(read, {field for sentence in _sentences(plain) for field in sentence.fields}):
            plain = self._page(read)
        said = [sentence.text for sentence in _sentences(plain)]
        return msgspec.structs.replace(plain, glossary=explain([*said, *_record(trial)]))

    def _page(self, read: Trial) -> PlainLanguage:
        first = told(read, headline)
        assert first is not None
        return PlainLanguage(
            writer=self.name,
            headline=first,
            summary=summary(read),
            substance=substance(read),
            could_lead_to=could_lead_to(read),
            could_go_wrong=could_go_wrong(read),
            questions=questions(read),
        )


def _sentences(plain: PlainLanguage) -> list[Sentence]:
    parts = (plain.summary, plain.substance, plain.could_lead_to, plain.could_go_wrong, plain.questions)
    return [plain.headline, *(sentence for part in parts for sentence in part)]


def _record(trial: Trial) -> list[str]:
    """What a page shows of the record in the registrant's own words."""
    return [
        trial.title,
        *trial.conditions,
        *(intervention.name for intervention in trial.interventions),
        *(outcome.measure for outcome in trial.outcomes),
        *trial.inclusion,
        *trial.exclusion,
    ]

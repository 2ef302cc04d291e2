"""The writer that is built in: a record in plain words, from what is registered alone, the same every time."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from trialindex.errors import WriterError
from trialindex.plugin.interfaces import Writer
from trialindex.plugin.trial_page import PlainLanguage
from trialindex.trial import Trial
from trialindex_writers.glossary import explain
from trialindex_writers.plain_headline import headline
from trialindex_writers.plain_meaning import could_go_wrong, could_lead_to, substance
from trialindex_writers.plain_questions import questions
from trialindex_writers.plain_record import reading, told
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
        first = told(read, headline)
        assert first is not None
        plain = PlainLanguage(
            writer=self.name,
            headline=first,
            summary=summary(read),
            substance=substance(read),
            could_lead_to=could_lead_to(read),
            could_go_wrong=could_go_wrong(read),
            questions=questions(read),
        )
        return msgspec.structs.replace(plain, glossary=explain([*_sentences(plain), *_record(trial)]))


def _sentences(plain: PlainLanguage) -> list[str]:
    every = (plain.headline, *plain.summary, *plain.substance, *plain.could_lead_to, *plain.could_go_wrong)
    return [sentence.text for sentence in every]


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

"""``trialindex.testing`` for writers: the stand-in keeps the contract, and each way to break it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from trialindex.plugin.trial_page import Explanation, PlainLanguage, Sentence
from trialindex.testing import FakeWriter, check_writer, sample_card, sample_trials
from trialindex.trial import Trial

SAID = ("title",)


def broken(**changes: Any) -> FakeWriter:
    """A writer whose words are right but for these."""
    return changed(lambda plain, trial: replace(plain, **changes))


def changed(change: Callable[[PlainLanguage, Trial], Any]) -> FakeWriter:
    class Broken(FakeWriter):
        def write(self, trial: Trial) -> Any:
            return change(super().write(trial), trial)

    return Broken()


def test_a_good_writer_is_accepted_and_what_it_wrote_returned() -> None:
    writer = FakeWriter("other")
    written = check_writer(writer)
    assert writer.given == sample_trials()
    assert {plain.writer for plain in written} == {"fake:other"}
    assert written[0].headline == Sentence("A trial of which nothing else is known", SAID)


@pytest.mark.parametrize(
    ("writer", "said"),
    [
        (changed(lambda plain, trial: "words"), "write() returned str, not PlainLanguage"),
        (broken(summary=("words", "words")), "a field has a wrong type: Expected `object`, got `str`"),
        (broken(writer="another"), 'writer is "another", not of "fake"'),
        (broken(headline=Sentence("x" * 91, SAID)), "the headline has 91 characters, 90 at most"),
        (broken(headline=Sentence("A trial.", SAID)), "the headline ends with a full stop"),
        (broken(headline=Sentence("", SAID)), "'' is empty"),
        (broken(summary=(Sentence("One.", SAID),)), "the summary has 1 sentences"),
        (broken(could_go_wrong=()), "could_go_wrong is empty"),
        (broken(substance=(Sentence("One."),)), "names no field"),
        (broken(substance=(Sentence("One.", ("drug",)),)), "was made from drug, which no trial has"),
        (broken(substance=(Sentence("Two\nlines.", SAID),)), "on one line"),
        (broken(notes=("\x1b[2J",)), "not clean"),
        (broken(glossary=(Explanation("phase", ""),)), "'' is empty"),
        (broken(glossary=(Explanation("Phase", "a"), Explanation("phase", "b"))), "explains a word twice"),
        (
            changed(lambda plain, trial: replace(plain, notes=tuple(str(one.email) for one in trial.contacts))),
            'it tells the contact "robin@exemplar.test"',
        ),
        (
            changed(lambda plain, trial: replace(plain, headline=Sentence(trial.title, SAID))),
            "not clean|91 characters|the headline has",
        ),
    ],
)
def test_a_broken_writer_is_found(writer: FakeWriter, said: str) -> None:
    escaped = said if "|" in said else "".join(f"\\{c}" if c in "()[]." else c for c in said)
    with pytest.raises(AssertionError, match=escaped):
        check_writer(writer)


def test_a_sample_card_masks_contacts_unless_they_are_asked_for() -> None:
    trial = next(trial for trial in sample_trials() if trial.contacts)
    assert not sample_card(trial).trial.has_contacts
    assert sample_card(trial, contacts=True).trial == trial

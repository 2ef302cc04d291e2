"""What trials ask for beside an illness, compared with what a question rules out and what it says of biomarkers.

It is a comparison of words in titles, conditions, keywords and inclusion criteria. A line that leaves a choice ("or",
"allowed", "with or without") asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trialindex.concepts.tokens import fold_letters, normalize
from trialindex.search.analysis import main_problem
from trialindex.search.question import Question
from trialindex.search.searcher import Searcher
from trialindex.trial import Trial

if TYPE_CHECKING:
    from trialindex.concepts.biomarkers import BiomarkerMention
    from trialindex.concepts.context import Assertion
    from trialindex.concepts.recognizer import Mention
    from trialindex.plugin.interfaces import Ids

_CHOICE = re.compile(
    r"\b(?:or|and/or|allowed|permitted|acceptable|eligible|may|if|unless|regardless|irrespective|either|any|prior"
    r"|previous(?:ly)?|history|treated|stable|controlled|no longer|exclu\w*|except|unknown)\b",
    re.IGNORECASE,
)
"""Words with which a criterion leaves a choice, or speaks of the past."""
_TITLE_CHOICE = re.compile(r"\b(?:or|and/or|with and without|regardless|irrespective)\b", re.IGNORECASE)
"""The same of a title."""
_NEGATIVE = ("negative", "wild type", "wildtype")
_NAMES = 4
"""Names of a biomarker that are looked for."""
_MOST = 300
"""Trials that name a state of which it is looked whether they are for people in it."""
_STATED = ("triple", "seronegative", "seropositive", "tnbc")
"""Words that say the state of several biomarkers without their names."""
_OPPOSITES = {"positive": "negative", "negative": "positive"}
_STEM = 5
"""Letters by which a line is known that may name something."""


@dataclass(frozen=True)
class Requirement:
    """What a trial asks for.

    :param what: as the trial writes it.
    :param where: the line in which it does.
    """

    what: str
    where: str


class RequirementChecker:
    """Compares trials with what one question rules out and with the states of biomarkers that it gives.

    :param question: the question.
    """

    def __init__(self, question: Question, searcher: Searcher) -> None:
        self._recognizer = searcher.recognizer()
        self._states = {one.name: one.state for one in question.interpretation.biomarkers if one.state != "unknown"}
        self._phrases: list[_Phrase] = []
        said = {normalize(concept.name) for concept in question.understood.concepts}
        for phrase in question.interpretation.ruled_out:
            mentions = [mention for mention in self._recognizer.find(phrase) if not mention.general]
            names = frozenset(normalize(name) for mention in mentions for name in mention.names)
            if said.isdisjoint(names):  # "no tuberculosis before, now tuberculosis"
                self._phrases.append(_Phrase(normalize(phrase).split(), names))
        needles = {
            max(name.split(), key=len)[:_STEM]
            for phrase in self._phrases
            for name in (" ".join(phrase.words), *phrase.names)
            if name
        }
        if self._states:
            self._biomarkers = searcher.interpreter().biomarkers
            needles |= {
                key.split()[0][:_STEM] for name in self._states for key in (*self._biomarkers.names_of(name), *_STATED)
            }
        self._needles = re.compile("|".join(map(re.escape, sorted(needles))) or r"(?!)")

    def __bool__(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self._states or self._phrases)

    def conflicts(self, trial: Trial) -> Iterator[Requirement]:
        """What the trial asks for and the question rules out, each thing once."""
        seen: set[str] = set()
        for line, choice in self._lines(trial):
            if choice.search(line):
                continue
            for what in self._ruled_out_in(line):
                if normalize(what) not in seen:
                    seen.add(normalize(what))
                    yield Requirement(what, line)

    def fits(self, trial: Trial) -> bool:
        """Whether the trial is for people with a biomarker that is negative as the question's is, and asks for nothing
        that the question rules out.
        """
        if next(self.conflicts(trial), None):
            return False
        negative = {name for name, state in self._states.items() if state == "negative"}
        return bool(negative) and any(
            one.name in negative and one.state == "negative"
            for line, choice in self._lines(trial)
            if choice is _TITLE_CHOICE or not choice.search(line)
            for one in self._biomarkers_in(line)
        )

    def _lines(self, trial: Trial) -> Iterator[tuple[str, re.Pattern[str]]]:
        """The lines that say whom a trial is for and can name what is compared, and how each leaves a choice."""
        for line in dict.fromkeys((trial.title, trial.official_title, *trial.conditions, *trial.keywords)):
            if line and self._needles.search(fold_letters(line)):
                yield line, _TITLE_CHOICE
        for line in trial.inclusion:
            if self._needles.search(fold_letters(line)):
                yield line, _CHOICE

    def _biomarkers_in(self, line: str) -> list[BiomarkerMention]:
        words, context, _ = self._recognizer.read(line)
        return self._biomarkers.read(line, words, context)

    def _ruled_out_in(self, line: str) -> Iterator[str]:
        words, context, mentions = self._recognizer.read(line)
        for one in self._biomarkers.read(line, words, context) if self._states else ():
            if one.state in _OPPOSITES and self._states.get(one.name) == _OPPOSITES[one.state]:
                yield line[words.starts[one.start] : words.ends[one.end - 1]]
        for phrase in self._phrases:
            length = len(phrase.words)
            places = [
                (one.start, one.end)
                for one in mentions
                if phrase.names & {normalize(name) for name in one.names} and _is_asserted(one)
            ]
            places += [
                (words.starts[at], words.ends[at + length - 1])
                for at in range(len(words.keys) - length + 1)
                if words.keys[at : at + length] == phrase.words and _is_asserted(context.words[at])
            ]
            yield from (line[start:end] for start, end in places[:1])


def _is_asserted(said: Mention | Assertion) -> bool:
    return not (said.negated or said.family or said.possible)


class _Phrase(NamedTuple):
    """What is ruled out: its words, folded, and the medical names of it."""

    words: list[str]
    names: frozenset[str]


def trials_in_state(question: Question, searcher: Searcher, allowed: Ids | None) -> frozenset[int]:
    """The trials that are for people in whom a biomarker is negative, as the question says, and for its main problem.

    :param allowed: sorted numbers of the trials to search among; ``None`` for all.
    """
    import numpy as np

    negative = [one.name for one in question.interpretation.biomarkers if one.state == "negative"]
    problem = main_problem(question.understood)
    if not negative or problem is None:
        return frozenset()
    lexical, reader = searcher.derived.lexical, searcher.interpreter().biomarkers
    names = [[f"{key} {word}" for key in reader.names_of(name)[:_NAMES] for word in _NEGATIVE] for name in negative]
    stated = {num for one in names for num in lexical.search_names([(1.0, one)], _MOST, allowed).nums.tolist()}
    if not stated:
        return frozenset()
    among = np.array(sorted(stated), dtype=np.int64)
    named = lexical.search_names([(1.0, problem.names)], len(among), among).nums.tolist()
    checker = RequirementChecker(question, searcher)
    return frozenset(stored.num for stored in searcher.records.load_readable(named) if checker.fits(stored.trial))

"""Reading: what somebody asks, and what is understood of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from trialindex.concepts.interpretation import Interpretation
from trialindex.errors import QueryError, nearest
from trialindex.plugin.results import Understanding
from trialindex.search.analysis import understand
from trialindex.search.filters import Filters
from trialindex.search.index_words import IndexWords
from trialindex.search.named_trials import NamedTrials, read_named_trials
from trialindex.search.person import Person, read_healthy, read_person
from trialindex.trial.sanitize import replace_surrogates

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import Mention
    from trialindex.search.searcher import Searcher

Mode = Literal["hybrid", "vector", "lexical"]
MODES: tuple[str, ...] = get_args(Mode)


@dataclass(frozen=True)
class Question:
    """A text that was read.

    :param asked: as it was asked; U+FFFD stands for half of a surrogate pair.
    :param text: what is searched: in English, typing errors mended, abbreviations written out, without the names of
        trials and what is ruled out; empty when it names nothing else.
    :param interpretation: what was read otherwise than it was typed.
    :param mode: which rankings answer it.
    :param filters: only trials that pass them are ranked.
    :param stated: age and sex as the text states them.
    :param person: the same as they are known: a filter overrules the text.
    :param mentions: what the vocabularies know of the text, in order.
    :param understood: what the text says. What each concept in it weighs is known once the text was embedded.
    :param named: the trials that the text names.
    """

    asked: str
    text: str
    interpretation: Interpretation
    mode: Mode
    filters: Filters
    stated: Person
    person: Person
    mentions: tuple[Mention, ...]
    understood: Understanding
    named: NamedTrials


def read_question(searcher: Searcher, text: str, mode: str, filters: Filters, *, as_written: bool = False) -> Question:
    """Read what somebody asks.

    :param as_written: search for just what was typed.
    :raises QueryError: the text is empty, or the mode unknown.
    """
    text = replace_surrogates(text)
    if not text.strip():
        raise QueryError("the query is empty.", hint='Describe the condition: trialindex query "severe lupus kidney"')
    if mode not in MODES:
        raise QueryError(f'unknown mode "{mode}".', hint=nearest(mode, MODES))
    names, rest = read_named_trials(text, searcher.records, searcher.recognizer(), searcher.plugins)
    if as_written or not rest:
        interpretation = Interpretation(text, rest)
    else:
        interpretation = searcher.interpreter().interpret(rest, IndexWords(searcher.derived, searcher.records))
    stated = read_person(text)
    mentions = tuple(searcher.recognizer().find(interpretation.text))
    understood = understand(text, stated, mentions, searcher.settings, interpretation.ruled_out)
    ill = any(concept.role in ("main problem", "problem") for concept in understood.concepts)
    return Question(
        asked=text,
        text=interpretation.text,
        interpretation=interpretation,
        mode=mode,  # type: ignore[arg-type]
        filters=filters,
        stated=stated,
        person=Person(
            stated.age if filters.age is None else filters.age,
            filters.sex or stated.sex,
            read_healthy(interpretation.text, ill=ill) and not searcher.settings.note_share(text),
        ),
        mentions=mentions,
        named=NamedTrials.of(names, searcher.records, searcher.allowed(filters) if names else None),
        understood=understood,
    )

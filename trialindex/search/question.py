"""Reading: what somebody asks, and what is understood of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from trialindex.concepts.interpretation import Interpretation
from trialindex.concepts.person import Person, read_healthy, read_person
from trialindex.errors import QueryError, nearest
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.results import Understanding
from trialindex.search.analysis import understand
from trialindex.search.constraints import Constraints, add_person, add_treatments, read_constraints
from trialindex.search.filters import Filters
from trialindex.search.index_words import IndexWords
from trialindex.search.named_trials import NamedTrials, read_named_trials
from trialindex.search.places import read_home
from trialindex.search.proposals import Proposed, propose
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
    :param filters: only trials that pass them are ranked; with the place that the text names, unless one is given.
    :param stated: age and sex as the text states them.
    :param person: the same as they are known: a filter overrules the text.
    :param mentions: what the vocabularies know of the text, in order.
    :param understood: what the text says. What each concept in it weighs is known once the text was embedded.
    :param named: the trials that the text names.
    :param constraints: what else it asks for, besides the illness.
    :param proposed: conditions that the text does not name, and that are searched for.
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
    constraints: Constraints
    proposed: Proposed


def read_question(
    searcher: Searcher,
    text: str,
    mode: str,
    filters: Filters,
    *,
    as_written: bool = False,
    reader: Reader | None = None,
) -> Question:
    """Read what somebody asks.

    :param as_written: search for just what was typed.
    :param reader: proposes what else to search for, in ``hybrid`` mode; none is asked of what is searched as written.
    :raises QueryError: the text is empty, or the mode unknown.
    :raises PluginError: the reader fails.
    """
    text = replace_surrogates(text)
    if not text.strip():
        raise QueryError("the query is empty.", hint='Describe the condition: trialindex query "severe lupus kidney"')
    if mode not in MODES:
        raise QueryError(f'unknown mode "{mode}".', hint=nearest(mode, MODES))
    recognizer, settings = searcher.recognizer(), searcher.settings
    names, rest = read_named_trials(text, searcher.records, recognizer, searcher.plugins)
    if settings.note_share(rest):  # a note tells of a patient, and asks for nothing else
        constraints = Constraints(rest, place=read_home(rest))
    else:
        constraints = read_constraints(rest, filters, recognizer.find)
    if as_written or not rest:
        interpretation = Interpretation(text, rest)
    else:
        words = IndexWords(searcher.derived, searcher.records)
        interpretation = searcher.interpreter().interpret(constraints.text, words)
    stated = read_person(text)
    mentions = tuple(recognizer.find(interpretation.text))
    constraints = add_person(constraints, stated, filters)
    if not settings.note_share(rest):
        constraints = add_treatments(constraints, interpretation.text, mentions)
    place = constraints.place
    where = place.name if place else None
    understood = understand(text, stated, mentions, settings, interpretation.ruled_out, where)
    ill = any(concept.role in ("main problem", "problem") for concept in understood.concepts)
    return Question(
        asked=text,
        text=interpretation.text,
        interpretation=interpretation,
        mode=mode,  # type: ignore[arg-type]
        filters=filters if filters.near or place is None else replace(filters, near=place),
        stated=stated,
        person=Person(
            stated.age if filters.age is None else filters.age,
            filters.sex or stated.sex,
            read_healthy(interpretation.text, ill=ill) and not searcher.settings.note_share(text),
        ),
        mentions=mentions,
        constraints=constraints,
        named=NamedTrials.of(names, searcher.records, searcher.allowed(filters) if names else None),
        understood=understood,
        proposed=propose(None if as_written or mode != "hybrid" or not rest else reader, interpretation.text, searcher),
    )

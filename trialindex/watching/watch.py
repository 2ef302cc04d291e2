"""What a watch is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trialindex.errors import QueryError, WatchError
from trialindex.search.filters import Filters
from trialindex.trial import sanitize
from trialindex.trial.countries import country_code

if TYPE_CHECKING:
    from trialindex.index import Index

WatchKind = Literal["trial", "condition", "query"]

TOP = 20
"""How many of the first results a trial must be among, unless the user says otherwise."""
LEVEL = 0.45
"""How similar it must be to the question, as a cosine. Chosen on lay questions: docs/watching.md has the figures."""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a user wants to be told of.

    :param kind: ``trial`` (changes of one), ``condition`` (trials that name it or a narrower one), ``query`` (trials
        that enter the first results of a question).
    :param subject: the id, the condition or the question.
    :param filters: as :meth:`~trialindex.search.filters.Filters.parse` takes them: a trial that does not pass them is
        not there for the watch.
    :param name: what the user calls it.
    :param num: its number, which is never given again.
    :param top: for a query: a trial must be among so many first results.
    :param level: for a query: and have at least this cosine similarity, from -1 to 1.
    :param last_generation: generation of the index up to which updates were found.
    :param lineage: of the records that *last_generation* counts.
    :param added: ISO day.
    """

    kind: WatchKind
    subject: str
    filters: dict[str, Any] = {}
    name: str = ""
    num: int = 0
    top: int = TOP
    level: float = LEVEL
    paused: bool = False
    last_generation: int = 0
    lineage: str = ""
    added: str = ""

    @property
    def label(self) -> str:
        """What is watched, in the user's words, on one line."""
        if self.name:
            return sanitize.one_line(self.name)
        subject = sanitize.one_line(self.subject)
        words = [f"the {self.kind if self.kind != 'query' else 'question'} {subject}"]
        words += [f"{name} {value}" for name, value in self.parsed_filters.words().items()]
        return ", ".join(words)

    @property
    def parsed_filters(self) -> Filters:
        """The filters of the watch, read from the words that were kept.

        :raises QueryError: a filter is not understood, any more.
        """
        return Filters.parse(**self.filters)

    def same_as(self, other: Watch) -> bool:
        """Whether both watch the same."""
        mine, theirs = ((w.kind, w.subject.casefold(), w.parsed_filters, w.top, w.level) for w in (self, other))
        return mine == theirs


def watch_for(
    index: Index,
    *,
    trial: str = "",
    condition: str = "",
    query: str = "",
    name: str = "",
    top: int = TOP,
    level: float = LEVEL,
    **filters: Any,
) -> Watch:
    """A watch, not yet stored (:meth:`Watches.add <trialindex.watching.store.Watches.add>`).

    :param trial: id of a trial in the index; or *condition*, or *query*: one of the three.
    :param filters: as words, see :meth:`~trialindex.search.filters.Filters.parse`. In these and in the other texts
        U+FFFD takes the place of half of a surrogate pair.
    :raises UnknownTrial: the index has no such trial.
    :raises QueryError: a filter is not understood.
    :raises WatchError: there is nothing to watch, or more than one thing.
    """
    given: dict[WatchKind, str] = {"trial": trial, "condition": condition, "query": query}
    given = {kind: sanitize.replace_surrogates(text.strip()) for kind, text in given.items()}
    filled = {kind: subject for kind, subject in given.items() if subject}
    if len(filled) != 1:
        raise WatchError(
            "a watch is for one thing.", hint="Give the id of a trial, or --condition WORDS, or --query TEXT."
        )
    [(kind, subject)] = filled.items()
    if kind == "trial":
        subject = index.get(subject).id
    if kind == "condition" and not any(map(str.isalnum, subject)):
        raise WatchError(f'"{sanitize.one_line(subject)}" is no condition.', hint="Write it in words.")
    if not 1 <= top <= 1000 or not -1 <= level <= 1:
        raise WatchError("top goes from 1 to 1000, level from -1 to 1.")
    stored = {key: _plain_value(value) for key, value in filters.items() if value not in (None, (), [])}
    name = sanitize.replace_surrogates(name.strip())
    watch = Watch(kind=kind, subject=subject, filters=stored, name=name, top=top, level=level)
    _check(index, watch.parsed_filters)
    return watch


def _plain_value(value: Any) -> Any:
    """The value of a filter as it can be stored: a text, several, or a number."""
    if isinstance(value, str):
        return sanitize.replace_surrogates(value)
    return [_plain_value(one) for one in value] if isinstance(value, list | tuple) else value


def _check(index: Index, filters: Filters) -> None:
    """Make sure that the filters can be applied.

    :raises QueryError: a filter names what neither the index nor the world has.

    A country in which no trial has a site so far is worth a watch.
    """
    if filters.near is not None and filters.within is None:
        raise QueryError("a place alone leaves out no trial.", hint="Add a distance: --within 100km")
    with index.snapshot() as records:
        for country in filters.country:
            if country_code(country) is None:
                Filters(country=(country,)).allowed(records)
        Filters(source=filters.source).allowed(records)

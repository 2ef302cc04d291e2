"""What the API reads and writes, as types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from trialindex import Filters
from trialindex.errors import QueryError
from trialindex.plugin.messages import Difference, Update
from trialindex.plugin.results import Results, SimilarTrial
from trialindex.trial import Trial
from trialindex_web.questions import TEXT
from trialindex_web.refusal import Refusal
from trialindex_web.site import first

Words = str | list[str]
Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
IN_ADDRESS = ("status", "open", "phase", "study_type", "country", "source", "updated_since")
"""Filters that may stand in an address: none says anything of a person."""


class FilterFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to ask for only; docs/python-api.md says what each takes."""

    status: Words = []
    open: bool | None = None
    phase: Words = []
    study_type: Words = []
    sex: str | None = None
    age: str | float | None = None
    country: Words = []
    near: str | None = None
    within: str | None = None
    condition: Words = []
    source: Words = []
    updated_since: str | None = None

    def filters(self) -> Filters:
        """The filters of the request.

        :raises Refusal: one is not understood.
        """
        given = {name: getattr(self, name) for name in FilterFields.__struct_fields__}
        words: Any = {name: value for name, value in given.items() if value not in (None, [], "")}
        try:
            return Filters.parse(**words)
        except QueryError as problem:
            raise Refusal(422, first(problem)) from None


class SearchRequest(FilterFields, kw_only=True):
    """A question: a few words or a whole note, in English."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT)]
    mode: Literal["hybrid", "vector", "lexical"] = "hybrid"
    limit: Limit = 10
    explain: bool = False
    cursor: str | None = None


class SearchAnswer(Results, frozen=True, kw_only=True):
    """The results of a question, and the cursor of the next ones; null on the last page."""

    schema: Literal["trialindex.results/1"] = "trialindex.results/1"
    next: str | None = None


class TrialsAnswer(msgspec.Struct, kw_only=True):
    """A page of trials; *searched* of *total* pass the filters, and *next* is the cursor of the next page."""

    schema: Literal["trialindex.trials/1"] = "trialindex.trials/1"
    trials: tuple[Trial, ...]
    searched: int
    total: int
    generation: int
    next: str | None = None


class Version(msgspec.Struct, kw_only=True):
    """A version of a trial: since when it stood, when it was last seen, and what it states otherwise."""

    number: int
    since: str
    seen: str
    differences: tuple[Difference, ...]


class ChangesAnswer(msgspec.Struct, kw_only=True):
    """Every version of a trial that was seen, the newest last."""

    trial: str
    versions: list[Version]


class SimilarAnswer(msgspec.Struct, kw_only=True):
    """The trials most like a trial, the most similar first."""

    trial: str
    similar: tuple[SimilarTrial, ...]


class FacetsAnswer(msgspec.Struct, kw_only=True):
    """How many of the trials that pass the filters have each status, phase, study type and country."""

    facets: dict[str, dict[str, int]]
    generation: int


class WatchRequest(FilterFields, kw_only=True):
    """What to be told of: a trial, or a question; or a condition, alone in the filter of that name."""

    trial: str = ""
    query: Annotated[str, msgspec.Meta(max_length=TEXT)] = ""
    name: str = ""


class SubscriptionRequest(FilterFields, kw_only=True):
    """What somebody wants to be told of by e-mail: a trial, or a question; or a condition, in the filter of that name.

    :param consent: the version of the text that they agreed to, which the page of a study shows.
    """

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    consent: str
    trial: str = ""
    query: Annotated[str, msgspec.Meta(max_length=TEXT)] = ""


class SubscriptionAnswer(msgspec.Struct, kw_only=True):
    """The same for every address: if it can be written to, it is asked whether it was its owner."""

    status: Literal["asked"] = "asked"


class WatchView(msgspec.Struct, kw_only=True):
    """A watch, by its number."""

    num: int
    kind: str
    label: str
    added: str
    paused: bool
    trials: int


class WatchesAnswer(msgspec.Struct, kw_only=True):
    """The watches of whoever started the server, and their news, the newest first."""

    watches: list[WatchView]
    news: list[Update]

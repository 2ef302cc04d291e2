"""What a query returns."""

from __future__ import annotations

from typing import Literal

import msgspec

from trialindex.trial import Site, Trial

Verdict = Literal["fits", "does not fit", "not stated"]


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How one limit that the trial states compares with what is known of the person.

    ``given`` is what the user gave or the text says (``34 years``), ``stated`` what the trial states (``18 to 65
    years``), ``not stated`` without a limit. It compares two numbers and says no more than that.
    """

    what: Literal["age", "sex"]
    verdict: Verdict
    given: str
    stated: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The passage of the trial that matched best: which part of the record it is from, and its text."""

    part: str
    text: str


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of the answer.

    :param rank: from 1, over all pages.
    :param score: what the hits are ordered by; only comparable within one answer.
    :param parts: what the score is made of: ``vector`` (cosine of the best passage) and ``lexical`` (BM25), with
        ``vector_rank`` and ``lexical_rank``, those that apply.
    :param match: why it is here.
    :param fits: age and sex, where the user gave them or the text says them.
    :param distance_km: from the place given to the nearest site that has a position, kilometres.
    :param nearest_site: that site.
    :param first_seen: ISO date when the index, or the source before it, first saw the trial.
    :param last_updated: ISO date of the registry's last update, if it states one.
    """

    rank: int
    score: float
    parts: dict[str, float]
    trial: Trial
    match: Match | None = None
    fits: tuple[Fit, ...] = ()
    distance_km: float | None = None
    nearest_site: Site | None = None
    first_seen: str | None = None
    last_updated: str | None = None


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one query.

    :param query: the text asked.
    :param mode: ``hybrid``, ``vector`` or ``lexical``.
    :param filters: the filters that were applied, as words for a person: ``{"status": "recruiting"}``.
    :param searched: how many trials passed the filters and were ranked among.
    :param total: how many trials the index holds.
    :param page: from 1.
    :param limit: hits a page.
    :param hits: best first; empty when no trial passed the filters or the page is past the end.
    :param generation: the state of the index that answered.
    :param notes: what a user should know about this answer, in sentences.
    """

    query: str
    mode: str
    filters: dict[str, str]
    searched: int
    total: int
    page: int
    limit: int
    hits: tuple[Hit, ...]
    generation: int
    notes: tuple[str, ...] = ()

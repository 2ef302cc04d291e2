"""What a trial's page says in plain words, and the page itself. Writers make the first, renderers draw the second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from trialindex.trial import Site, Term, Trial

NOTICE = (
    "This is a reading of what the registry states, to inform. It is no advice, and it predicts nothing for any person."
)
SAFETY = "Read the full study, and talk to your doctor before you decide anything about it."
DISCLAIMER = (
    "The sponsor and the registry are responsible for the record; being listed does not mean that a regulator or "
    "anybody else has judged the study."
)


class Sentence(msgspec.Struct, frozen=True):
    """One sentence, and where it comes from.

    :param text: what it says, on one line.
    :param fields: names of the fields of :class:`~trialindex.trial.Trial` that it was made from, most telling first;
        those that say nothing too, if the sentence is that they are not stated.
    """

    text: str
    fields: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """A word of jargon and what it means, in a few plain words."""

    term: str
    meaning: str


class PlainLanguage(msgspec.Struct, frozen=True, kw_only=True):
    """A trial in plain words, as one writer tells it.

    :param writer: the spec of the writer whose words these are.
    :param headline: what the trial is, in at most 90 characters, without a full stop.
    :param summary: two or three sentences: what is tested, in whom, how many, where, what is looked at, how early it
        is.
    :param substance: the active substance, or that none is stated.
    :param could_lead_to: what the trial could lead to.
    :param could_go_wrong: what could go wrong, for those who take part and for the trial.
    :param questions: questions to take to the doctor and to the study team, as somebody who may take part asks them.
    :param glossary: the jargon that is used in these texts and in the record's own, explained.
    :param notes: what the reader should know of the writing itself, such as that another writer's text was thrown away.
    """

    writer: str
    headline: Sentence
    summary: tuple[Sentence, ...]
    substance: tuple[Sentence, ...]
    could_lead_to: tuple[Sentence, ...]
    could_go_wrong: tuple[Sentence, ...]
    questions: tuple[Sentence, ...] = ()
    glossary: tuple[Explanation, ...] = ()
    notes: tuple[str, ...] = ()


Precision = Literal["site", "city"]
"""What a position is that of: the site, as its registry states it, or only the city that it is in."""


class Location(msgspec.Struct, frozen=True):
    """A site and its distance from the place that was given.

    :param distance_km: kilometres; ``None`` without a place, or if the site cannot be placed on the map.
    :param precision: whether that is the distance of the site or only of its city.
    """

    site: Site
    distance_km: float | None = None
    precision: Precision | None = None


class Country(msgspec.Struct, frozen=True):
    """The sites in one country, those that recruit first and the nearest first. *name* is ``None`` if not stated."""

    name: str | None
    locations: tuple[Location, ...]


class TrialPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page shows of one trial.

    :param trial: the record; its contacts are masked unless they were asked for.
    :param seen: what an index knows of it: ``first_seen``, ``last_updated``, ``last_checked`` as ISO dates.
    :param origins: by spec of each source that it came from, the fields that are from there with the ISO day on which
        it stated them; the field ``""`` stands for all that no other source is said to have given.
    :param plain: the trial in plain words.
    :param conditions: the conditions normalised, each with its id where a vocabulary has one. *As listed by the
        registrant* they are in ``trial.conditions``.
    :param countries: the sites, by country; the country with the nearest or most recruiting site first.
    :param near: the place that distances are from, if one was given.
    """

    trial: Trial
    seen: Mapping[str, str]
    plain: PlainLanguage
    conditions: tuple[Term, ...]
    countries: tuple[Country, ...]
    near: str | None = None
    origins: Mapping[str, Mapping[str, str]] = {}
    notice: str = NOTICE
    safety: str = SAFETY
    disclaimer: str = DISCLAIMER

    def masked(self) -> TrialPage:
        """The same card without contacts, those of its sites included, and without the raw record."""

        def bare(location: Location) -> Location:
            return msgspec.structs.replace(location, site=msgspec.structs.replace(location.site, contacts=()))

        countries = tuple(Country(one.name, tuple(map(bare, one.locations))) for one in self.countries)
        return msgspec.structs.replace(self, trial=self.trial.masked(), countries=countries)

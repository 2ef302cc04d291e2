"""A trial's page: the record, told in plain words, its conditions normalised, its sites in the order a reader asks for.

::

    from trialindex import Trial, card

    print(card(Trial(id="MINE-1", title="A trial of walking"), writer="plain").plain.headline.text)

:meth:`trialindex.Index.card` makes the page of a trial that an index holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

import msgspec

from trialindex.concepts.tokens import natural_order, normalize
from trialindex.plugin import registry
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import Concept, Writer
from trialindex.plugin.trial_page import Country, Location, PlainLanguage, TrialPage
from trialindex.search.places import Place, find_place
from trialindex.search.sites import locate, locate_cities, unplaced_addresses
from trialindex.trial import Site, Term, Trial
from trialindex.trial.statuses import access_rank

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.registry import Plugins

DEFAULT_WRITER = "plain"


def card(
    trial: Trial,
    *,
    seen: Mapping[str, str] | None = None,
    writer: Writer | str = DEFAULT_WRITER,
    contacts: bool = False,
    near: Place | str | None = None,
    origins: Mapping[str, Mapping[str, str]] | None = None,
    recognizer: ConceptRecognizer | None = None,
    plugins: Plugins | None = None,
) -> TrialPage:
    """Everything a page shows of one trial.

    :param seen: what an index knows of it: ``first_seen``, ``last_updated``, ``last_checked`` as ISO dates. Without it
        the dates are those that the record states.
    :param writer: whose plain words: a spec such as ``plain``, or a writer. It never sees contacts.
    :param contacts: leave the contacts and the raw record in; without it they are masked.
    :param near: a place, or its name such as ``Lyon, France``: sites are ordered by their distance from it.
    :param origins: what an index knows of where its parts are from, see
        :class:`~trialindex.plugin.trial_page.TrialPage`.
    :param recognizer: what conditions are normalised with; those of every vocabulary at hand unless given.
    :param plugins: where the writer and the vocabularies are looked up; those of this process unless given.
    :raises PluginError: there is no such writer, or it fails.
    :raises WriterError: it cannot be used.
    :raises QueryError: no such place is known.
    """
    place = find_place(near) if isinstance(near, str) else near
    plugins = plugins or registry.plugins()
    author = plugins.writers.make(writer) if isinstance(writer, str) else writer
    shown = trial if contacts else trial.masked()
    return TrialPage(
        trial=shown,
        seen=_dates(trial) if seen is None else dict(seen),
        plain=_written(author, trial),
        conditions=_conditions(trial, recognizer, plugins),
        countries=_countries(shown.sites, place),
        near=place.name if place else None,
        origins={spec: dict(fields) for spec, fields in (origins or {}).items()},
    )


def _dates(trial: Trial) -> dict[str, str]:
    dates = {"first_seen": trial.first_seen, "last_updated": trial.last_updated}
    return {name: date.date for name, date in dates.items() if date}


# --- plain words ----------------------------------------------------------------------------------------------------


def _written(author: Writer, trial: Trial) -> PlainLanguage:
    """What the writer writes.

    :raises PluginError: it fails with an error that is none of ours, or gives no PlainLanguage.
    """
    hint = "Choose another one with --writer, and report it to its author."
    with plugin_errors(f'the writer "{author.name}"', hint=hint):
        plain = author.write(trial.masked())
        if not isinstance(plain, PlainLanguage):
            raise TypeError(f"it wrote {type(plain).__name__}, not PlainLanguage")
        # checked here: a renderer must not fail for a writer's mistake
        return msgspec.convert(msgspec.to_builtins(plain), PlainLanguage)


# --- conditions -----------------------------------------------------------------------------------------------------


def _conditions(trial: Trial, recognizer: ConceptRecognizer | None, plugins: Plugins) -> tuple[Term, ...]:
    """The conditions normalised, each once: the terms that the registry gives, then those that a vocabulary knows.

    A listed condition that no vocabulary knows is not among them: nobody has normalised it. What a mere list of words
    knows, without an id, says less than a registry's own recognizer, and counts only where there are none.
    """
    if not trial.conditions and not trial.normalized_conditions:
        return ()
    if recognizer is None:
        from trialindex.concepts.recognizer import ConceptRecognizer

        recognizer = ConceptRecognizer.load(plugins)
    found: dict[str, Term] = {}
    for term in trial.normalized_conditions:
        found.setdefault(_meaning(term.name, recognizer.lookup(term.name)), term)
    for name in trial.conditions:
        concept = recognizer.lookup(name)
        if concept and (concept.id or not trial.normalized_conditions):
            found.setdefault(_meaning(name, concept), Term(name=concept.name, id=concept.id))
    return tuple(found.values())


def _meaning(name: str, concept: Concept | None) -> str:
    """The same for two names of one thing."""
    return concept.id if concept and concept.id else normalize(natural_order(concept.name if concept else name))


# --- sites ----------------------------------------------------------------------------------------------------------


def _countries(sites: Sequence[Site], near: Place | None) -> tuple[Country, ...]:
    """The sites by country. Sites that recruit come first, and of those the nearest; so do their countries.

    Without a place the country in which most sites recruit comes first; sites of no stated country come last.
    """
    cities = locate_cities(unplaced_addresses(sites)) if near else {}
    groups: dict[str | None, list[Location]] = {}
    for site in sites:
        groups.setdefault((site.country or "").strip() or None, []).append(locate(site, near, cities))
    countries = [Country(name, tuple(sorted(group, key=_rank))) for name, group in groups.items()]
    return tuple(sorted(countries, key=_country_rank))


def _rank(location: Location) -> tuple[int, float]:
    distance = inf if location.distance_km is None else location.distance_km
    return access_rank(location.site.status), distance


def _country_rank(country: Country) -> tuple[bool, int, float, int]:
    rank, distance = _rank(country.locations[0])
    alike = sum(_rank(location)[0] == rank for location in country.locations)
    return country.name is None, rank, distance, -alike

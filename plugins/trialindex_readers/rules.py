"""The reader ``rules``, which needs no model and sends nothing anywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import Proposal

if TYPE_CHECKING:
    from trialindex.plugin.terms import NamedTerm, Terms
    from trialindex_readers.findings import Table

_PROPOSED = 10
"""More than are searched for: the search compares them with the text."""
_SHOWN = 4
"""Findings that are told of each proposal."""
_LEAST = 0.02
"""The least weight of a proposal; that of the first is 1."""
_TEMPERATURE = 6.0
"""The difference of log-odds that makes an illness e times lighter; chosen by cross-validation, since naive Bayes takes
findings for independent that are not, and so is too sure."""
_QUESTION = 30
"""Words of the longest text that asks for what it names."""


class RulesReader(Reader):
    """Proposes what the findings of a text may be, by the table of this package. It is the default.

    It proposes nothing of a question that names an illness. In a note, an illness that is named is weighed with the
    others: which of all that it names the findings speak for is what its writer is about.
    """

    name: ClassVar[str] = "rules"
    summary: ClassVar[str] = "By a table of findings, on this machine."

    def propose(self, text: str, terms: Terms) -> list[Proposal]:
        there = [
            one
            for one in terms.find(text)
            if not (one.negated or one.family or one.general)
            and any(concept.kind != "finding" for concept in one.concepts)
        ]
        short = len(text.split()) <= _QUESTION
        if short and any(_is_illness(one, terms) for one in there):
            return []

        from trialindex_readers.findings import load_table

        if short and any(_is_listed(one, terms) for one in there):
            return []  # before the table is read

        from trialindex.concepts.person import read_person
        from trialindex_readers.matching import find_findings
        from trialindex_readers.model import weigh

        table, person = load_table(terms.vocabularies), read_person(text)
        named = _named(there, table)
        found = find_findings(text, table, person.age, person.sex)
        guesses = weigh(table, found, person.age, person.sex, named, _PROPOSED)
        proposals: list[Proposal] = []
        for guess in guesses[:_PROPOSED]:
            weight = math.exp((guess.odds - guesses[0].odds) / _TEMPERATURE)
            if weight >= _LEAST and (guess.telling or guess.illness in named):
                because = tuple(table.findings[one] for one in guess.because[:_SHOWN])
                proposals.append(Proposal(table.illnesses[guess.illness].name, because, weight))
        return proposals


def _is_illness(mention: NamedTerm, terms: Terms) -> bool:
    if any(concept.kind == "symptom" for concept in mention.concepts):
        return False  # though a vocabulary may have an illness of the name: night sweats, hyperhidrosis
    meant = filter(None, map(terms.lookup, mention.names))
    return any(concept.kind == "disease" for concept in (*mention.concepts, *meant))


def _is_listed(mention: NamedTerm, terms: Terms) -> bool:
    """Whether the table has an illness of the name, and no finding."""
    from trialindex_readers.findings import load_names

    names = load_names(terms.vocabularies)
    return any(map(names.has_illness, (mention.text, *mention.names))) and not names.has_finding(mention.text)


def _named(mentions: list[NamedTerm], table: Table) -> set[int]:
    """The illnesses of the table that are mentioned."""
    from trialindex.concepts.tokens import normalize

    names = (name for one in mentions for name in (one.text, *one.names))
    return {table.illness_names[key] for key in map(normalize, names) if key in table.illness_names}

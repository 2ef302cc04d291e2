"""Asking a reader what else to search for, and making of it what rankings take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from trialindex.errors import PluginError, ReaderError
from trialindex.plugin.guard import REPORT, plugin_errors
from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import DEFAULT_READER, Proposal
from trialindex.plugin.results import ConceptMention
from trialindex.search.analysis import describe_concept
from trialindex.search.settings import RankingSettings

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.registry import Plugins
    from trialindex.search.searcher import Searcher


@dataclass(frozen=True)
class Proposed:
    """What a reader made of a question.

    :param reader: its spec; empty where none was asked.
    :param proposals: the conditions that are searched for, the likeliest first.
    :param concepts: the same with every name that they are looked for by, and the weight of each proposal.
    :param replaces: the proposals take the place of what a note names.
    :param notes: what to know of it, in sentences.
    """

    reader: str = ""
    proposals: tuple[Proposal, ...] = ()
    concepts: tuple[ConceptMention, ...] = ()
    replaces: bool = False
    notes: tuple[str, ...] = ()

    def weigh(self, similarities: Sequence[float], share: float, settings: RankingSettings) -> Proposed:
        """The same, the likeliest first by what the reader says of each and by how like the whole text its name is.

        Findings of an illness that is mentioned in passing speak for that illness; what the text is about it resembles
        as a whole. A reader that proposes what the text names too has seen the whole text, so that its order stays.

        :param similarities: the cosine of each proposal's name with the text, in their order.
        :param share: what the first of them counts.
        """
        if self.replaces or not self.proposals:
            return self
        nearest = max(similarities)
        weights = [
            one.weight * math.exp((likeness - nearest) / settings.proposal_temperature)
            for one, likeness in zip(self.proposals, similarities, strict=True)
        ]
        weights = [share * weight / max(weights) for weight in weights]
        order = sorted(range(len(weights)), key=lambda number: -weights[number])[: settings.proposals_beside]
        kept = [(number, weights[number]) for number in order if weights[number] >= settings.least_proposal]
        return replace(
            self,
            proposals=tuple(replace(self.proposals[number], weight=weight) for number, weight in kept),
            concepts=tuple(msgspec.structs.replace(self.concepts[number], weight=weight) for number, weight in kept),
        )


def find_reader(reader: Reader | str | None, plugins: Plugins) -> Reader | None:
    """The reader of a spec; ``None`` of the default one where no plugin provides it.

    :raises PluginError: there is no such reader.
    :raises ReaderError: it cannot be used as it is named.
    """
    if isinstance(reader, str):
        absent = reader == DEFAULT_READER and reader not in plugins.readers.names()
        return None if absent else plugins.readers.make(reader)
    return reader


def propose(reader: Reader | None, text: str, searcher: Searcher) -> Proposed:
    """What to search for besides the *text*.

    A reader that cannot tell now is replaced by the default one, and a note says so.

    :raises PluginError: the reader fails, or proposes what cannot be searched for.
    :raises ReaderError: the default reader cannot tell.
    """
    if reader is None:
        return Proposed()
    notes, recognizer = [], searcher.recognizer()
    try:
        proposals = _ask(reader, text, recognizer)
    except ReaderError as problem:
        default = find_reader(DEFAULT_READER, searcher.plugins)
        if reader.name == DEFAULT_READER or default is None:
            raise
        notes.append(f"{problem} So the reader {DEFAULT_READER} was asked instead.")
        reader, proposals = default, _ask(default, text, recognizer)
    if reader.receiver:
        notes.append(f"Your text was sent to {reader.receiver}.")
    kept = tuple(proposals[: searcher.settings.proposals])
    concepts = tuple(_concept(one, recognizer, searcher.settings.synonyms) for one in kept)
    return Proposed(reader.spec, kept, concepts, reader.replaces and bool(kept), tuple(notes))


def _ask(reader: Reader, text: str, recognizer: ConceptRecognizer) -> list[Proposal]:
    who = f'the reader "{reader.spec}"'
    with plugin_errors(who):
        proposals = list(reader.propose(text, recognizer))
    for one in proposals:
        if not isinstance(one, Proposal) or not one.condition.strip():
            raise PluginError(f"{who} proposed what is no condition.", hint=REPORT)
        if not 0 < one.weight < math.inf:
            raise PluginError(f"{who} gave a weight that cannot be used: {one.weight}.", hint=REPORT)
    return proposals


def _concept(proposal: Proposal, recognizer: ConceptRecognizer, synonyms: int) -> ConceptMention:
    name = " ".join(proposal.condition.split())
    named = [one for one in recognizer.find(name) if not one.general]
    whole = [one for one in named if one.text == name]
    found = describe_concept(name, whole or named, synonyms, weight=proposal.weight)
    return msgspec.structs.replace(found, names=tuple(dict.fromkeys([name, *found.names])))

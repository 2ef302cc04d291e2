"""``json`` and ``jsonl``: everything that is known, for programs, with a versioned schema.

Text is written exactly as the registry states it. Characters that could steer a terminal or mislead a reader are
written as ``\\uXXXX`` escapes (RFC 8259, section 7): a parser gives back the same text, a terminal shows it harmless.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from trialindex.plugin.interfaces import Renderer
from trialindex.plugin.proposals import Proposal
from trialindex.plugin.results import Constraint, Hit, Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial, to_mapping
from trialindex.trial.sanitize import UNSAFE
from trialindex_renderers.view import mask_card, mask_hits, mask_trial

RESULTS = "trialindex.results/1"
HIT = "trialindex.hit/1"
TRIAL = "trialindex.trial/1"
TRIALS = "trialindex.trials/1"


class HitLine(Hit, frozen=True, kw_only=True):
    constraints: tuple[Constraint, ...] = ()
    proposals: tuple[Proposal, ...] = ()


HitLine.__doc__ = (
    f"{Hit.__doc__}    :param constraints: what the question asks for besides the illness.\n"
    "    :param proposals: conditions that were searched for besides the text: words, and no diagnosis."
)


def dumps(value: Any, indent: int | None = None) -> str:
    """JSON without any character that :func:`~trialindex.trial.sanitize.clean` lets not through, save line breaks."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)


class JsonRenderer(Renderer):
    """One JSON document. ``schema`` names its shape and version; see docs/json-schema.md."""

    name = "json"
    suffixes = (".json",)
    summary = "One JSON document with a versioned schema, for programs."

    def results(self, results: Results) -> Iterator[str]:
        fields = msgspec.to_builtins(mask_hits(results, contacts=self.options.contacts))
        yield dumps({"schema": RESULTS, **fields}, indent=2) + "\n"

    def trial(self, card: TrialPage) -> Iterator[str]:
        yield dumps(_page(card, contacts=self.options.contacts), indent=2) + "\n"

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        yield f'{{"schema": "{TRIALS}", "trials": [\n'
        previous = None
        for trial in trials:
            if previous is not None:
                yield f"{previous},\n"
            previous = dumps(_compact(trial, contacts=self.options.contacts))
        if previous is not None:
            yield f"{previous}\n"
        yield "]}\n"


class JsonLinesRenderer(Renderer):
    """One JSON object a line, each naming its schema; the first line is a hit or a trial like all others."""

    name = "jsonl"
    suffixes = (".jsonl",)
    summary = "One JSON object a line, for programs that read a stream."

    def results(self, results: Results) -> Iterator[str]:
        read = msgspec.to_builtins({"constraints": results.constraints, "proposals": results.proposals})
        for hit in mask_hits(results, contacts=self.options.contacts).hits:
            yield dumps({"schema": HIT, **msgspec.to_builtins(hit), **read}) + "\n"

    def trial(self, card: TrialPage) -> Iterator[str]:
        yield dumps(_page(card, contacts=self.options.contacts)) + "\n"

    def trials(self, trials: Iterator[Trial]) -> Iterator[str]:
        for trial in trials:
            yield dumps({"schema": TRIAL, "trial": _compact(trial, contacts=self.options.contacts)}) + "\n"


def _page(card: TrialPage, *, contacts: bool) -> dict[str, Any]:
    """One trial with all that its page shows; the record first, as the registry states it."""
    card = mask_card(card, contacts=contacts)
    said = {
        "plain": card.plain,
        "conditions_normalized": card.conditions,
        "locations": card.countries,
        "near": card.near,
        "notice": card.notice,
        "safety": card.safety,
        "disclaimer": card.disclaimer,
    }
    return {
        "schema": TRIAL,
        "trial": to_mapping(card.trial),
        "seen": dict(card.seen),
        **msgspec.to_builtins(said),
    }


def _compact(trial: Trial, *, contacts: bool) -> dict[str, Any]:
    """One of many trials: without the raw record, which is several times as long as all the rest."""
    return to_mapping(msgspec.structs.replace(mask_trial(trial, contacts=contacts), raw=None))

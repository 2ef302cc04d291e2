"""What a reader makes of a text: conditions to search for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_READER = "rules"
_SHOWN = 80
"""Characters of a name that are shown."""


@dataclass(frozen=True)
class Proposal:
    """A condition to search for: words, and nothing else. It is no diagnosis, and never shown as one.

    :param condition: its medical name, such as ``Parkinson's disease``.
    :param because: what in the text speaks for it, in a few words each; empty where the reader cannot say.
    :param weight: how strongly it is proposed, above 0 up to 1; comparable within one text.
    """

    condition: str
    because: tuple[str, ...] = ()
    weight: float = 1.0


def describe_proposals(proposals: Sequence[Proposal]) -> str:
    """What else was searched for: ``Also searched: Parkinson's disease (tremor at rest)``; empty of nothing."""
    return f"Also searched: {'; '.join(map(_describe, proposals))}" if proposals else ""


def _describe(proposal: Proposal) -> str:
    because = ", ".join(_short(what) for what in proposal.because)
    return _short(proposal.condition) + (f" ({because})" if because else "")


def _short(text: str) -> str:
    from trialindex.trial.sanitize import one_line

    text = one_line(text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"

"""The reader ``rules``, which needs no model and sends nothing anywhere."""

from __future__ import annotations

from typing import ClassVar

from trialindex.plugin.interfaces import Reader
from trialindex.plugin.proposals import Proposal


class RulesReader(Reader):
    """Proposes what the findings of a text may be. It is the default, and knows no finding yet."""

    name: ClassVar[str] = "rules"
    summary: ClassVar[str] = "By a table of findings, on this machine."

    def propose(self, text: str) -> list[Proposal]:
        return []

"""The reader ``rules``: conditions to search for from the findings that a text names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Reader


@hookimpl
def register_readers() -> Sequence[type[Reader]]:
    from trialindex_readers.rules import RulesReader

    return [RulesReader]

"""The writer ``llm``: plain words by a language model that the user chooses, checked against the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Writer


@hookimpl
def register_writers() -> Sequence[type[Writer]]:
    from trialindex_llm.writer import LlmWriter

    return [LlmWriter]

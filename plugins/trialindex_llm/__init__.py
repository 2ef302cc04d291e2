"""A language model that the user chooses, as the writer and the reader ``llm``.

The writer's words are checked against the record; the reader's conditions are words to search for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Reader, Writer


@hookimpl
def register_writers() -> Sequence[type[Writer]]:
    from trialindex_llm.writer import LlmWriter

    return [LlmWriter]


@hookimpl
def register_readers() -> Sequence[type[Reader]]:
    from trialindex_llm.reader import LlmReader

    return [LlmReader]

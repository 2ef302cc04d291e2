"""The ``minilm`` encoder, the default one: all-MiniLM-L6-v2 in int8, with its weights in this package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Encoder


@hookimpl
def register_encoders() -> Sequence[type[Encoder]]:
    from trialindex_minilm.encoder import MiniLM

    return [MiniLM]

"""The ``sentence-transformers`` encoder: any model of that family, by name or folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.interfaces import Encoder


@hookimpl
def register_encoders() -> Sequence[type[Encoder]]:
    from trialindex_sentence_transformers.encoder import SentenceTransformers

    return [SentenceTransformers]

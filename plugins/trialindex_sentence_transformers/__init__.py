"""Models of the sentence-transformers family, by name or folder: encoders and rerankers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Encoder, Reranker


@hookimpl
def register_encoders() -> Sequence[type[Encoder]]:
    from trialindex_sentence_transformers.encoder import SentenceTransformers

    return [SentenceTransformers]


@hookimpl
def register_rerankers() -> Sequence[type[Reranker]]:
    from trialindex_sentence_transformers.reranker import CrossEncoders

    return [CrossEncoders]

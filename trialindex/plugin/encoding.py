"""Asking an encoder for vectors, and believing only those that keep its contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trialindex.errors import EncoderError
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import Encoder

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

_TOLERANCE = 0.01
"""How far from 1 the length of a vector may be: int8 models round."""


def encode_documents(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Vectors of passages.

    :raises EncoderError: the encoder fails, or gives what is no vector of a text.
    """
    return _checked(encoder, encoder.encode_documents, texts)


def encode_queries(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Vectors of questions.

    :raises EncoderError: the encoder fails, or gives what is no vector of a text.
    """
    return _checked(encoder, encoder.encode_queries, texts)


def _checked(encoder: Encoder, encode: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
    import numpy as np

    name, dimension = encoder.identity.spec, encoder.identity.dimension
    with plugin_errors(f'the encoder "{name}"', EncoderError, "Report it to the encoder's author."):
        vectors = np.asarray(encode(texts), dtype=np.float32)
    if vectors.shape != (len(texts), dimension):
        shape = " × ".join(map(str, vectors.shape))
        wrong = f"{shape} numbers for {len(texts)} texts in {dimension} dimensions"
    elif not np.isfinite(vectors).all():
        wrong = "some that are no numbers"
    elif not (np.abs(np.linalg.norm(vectors, axis=1) - 1.0) < _TOLERANCE).all():
        wrong = "some whose length is not 1"
    else:
        return vectors
    raise EncoderError(
        f'the encoder "{name}" gave vectors that cannot be used: {wrong}.', hint="Report it to its author."
    )

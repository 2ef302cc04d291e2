"""Asking an encoder for vectors, and believing only those that keep its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from trialindex.errors import EncoderError
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import Encoder

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

_TOLERANCE = 0.01
"""How far from 1 the length of a vector may be: int8 models round."""


CHUNK = 256
"""Texts that are encoded between two commits of vectors: some seconds, which is all that a kill may cost."""
_READ = 2000
"""About as many characters of a text as an encoder reads; what is longer takes no more time."""


def embed(
    encoder: Encoder,
    texts: Mapping[bytes, str],
    keep: Callable[[Sequence[bytes], Vectors], None],
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Encode many texts, the longest first, so that texts of alike length meet and no core waits for a long one.

    :param texts: by their hash.
    :param keep: given hashes and vectors after every few seconds of work; what it was given is never lost.
    :param progress: told which share of the work is done, up to 1.
    :raises EncoderError: the encoder fails, or gives what is no vector of a text.
    """
    order = sorted(texts, key=lambda digest: (-len(texts[digest]), digest))
    whole = sum(min(len(text), _READ) + 1 for text in texts.values())
    done = 0
    for start in range(0, len(order), CHUNK):
        hashes = order[start : start + CHUNK]
        keep(hashes, encode_documents(encoder, [texts[digest] for digest in hashes]))
        done += sum(min(len(texts[digest]), _READ) + 1 for digest in hashes)
        progress(done / whole)


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

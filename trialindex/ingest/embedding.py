"""Embedding: the passages that wait for their vector get it, whichever run left them.

Words are searchable as soon as trials are committed, and vectors follow behind: those of trials that people can join
first. Nothing but the records says what is left to do, so that it goes on wherever it was stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from trialindex.plugin.encoding import encode_documents
from trialindex.plugin.interfaces import Encoder
from trialindex.plugin.progress import ProgressListener
from trialindex.storage.records import Records
from trialindex.storage.waiting_passages import FIRST, Turn
from trialindex.trial.passages import passages

CHUNK = 256
"""Texts that are encoded between two commits of vectors: some seconds, which is all that a kill may cost."""
WINDOW = 12 * CHUNK
"""Passages that are cut at once: enough that texts of alike length meet in the encoder, in little memory."""


class Embedding:
    """Encodes what waits in the records of an index; the caller holds the index's lock.

    :param encoder: called when there is something to encode, and not before.
    :param listener: told how many passages are encoded, and how many there are to encode.
    :param committed: called after each commit of vectors.
    :ivar encoded: how many texts were encoded.
    :ivar seconds: in the encoder.
    """

    def __init__(
        self,
        records: Records,
        encoder: Callable[[], Encoder],
        listener: ProgressListener,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._records = records
        self._encoder = encoder
        self._listener = listener
        self._committed = committed
        self.encoded = 0
        self.seconds = 0.0

    def run(self) -> None:
        """Encode every passage that waits. What was committed before an error or an interruption stays.

        One whose text cannot be cut, because its record is damaged, waits on; a check of the index names it.

        :raises EncoderError: the encoder fails, or gives what is no vector of a text.
        """
        waiting, turn = self._records.waiting, FIRST
        left = total = waiting.count()
        while window := waiting.next_batch(turn, WINDOW):
            turn = window[-1][0]
            texts = self._texts(window)
            for hashes in _chunks(texts):
                self._encode(hashes, [texts[digest] for digest in hashes])
                left = waiting.count()
                self._listener.embedded(total - left, total)
                self._committed()

    def _texts(self, window: Iterable[tuple[Turn, bytes]]) -> dict[bytes, str]:
        """The texts of passages, by their hash, cut from the records again."""
        wanted = {digest for _, digest in window}
        texts: dict[bytes, str] = {}
        for stored in self._records.load_readable(dict.fromkeys(turn.trial for turn, _ in window)):
            texts |= {p.hash: p.text for p in passages(stored.trial) if p.hash in wanted}
        return texts

    def _encode(self, hashes: Sequence[bytes], texts: Sequence[str]) -> None:
        start = time.perf_counter()
        try:
            vectors = encode_documents(self._encoder(), texts)
        finally:
            self.seconds += time.perf_counter() - start
        generation = self._records.generation + 1
        with self._records.transaction():
            self._records.passages.put_vectors(hashes, vectors, generation)
            self._records.set_generation(generation)
        self.encoded += len(hashes)


def _chunks(texts: dict[bytes, str]) -> Iterable[Sequence[bytes]]:
    """The hashes of the texts, the longest first: texts of alike length meet, and no core waits for a long one."""
    order = sorted(texts, key=lambda digest: (-len(texts[digest]), digest))
    return (order[start : start + CHUNK] for start in range(0, len(order), CHUNK))

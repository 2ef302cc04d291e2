"""Finding: which trials a text is like, by meaning and by words, and the two fused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

from trialindex.encoding import encode_queries
from trialindex.interfaces import Encoder
from trialindex.storage.derived import Derived
from trialindex.storage.records import Records

if TYPE_CHECKING:
    from trialindex.interfaces import Ids, Vectors

Mode = Literal["hybrid", "vector", "lexical"]
MODES: tuple[str, ...] = get_args(Mode)

RRF_K = 60
"""The constant of reciprocal rank fusion, as its authors chose it."""
DEPTH = 1000
"""How deep each ranking is fused. Pages beyond it go deeper, and leave the order above as it was."""


@dataclass(frozen=True)
class Candidate:
    """A trial that was found, by its number.

    :param score: what candidates are ordered by.
    :param parts: ``vector`` and ``lexical`` scores and their ranks, those that apply.
    :param passage: position of the passage whose vector matched best, ``None`` if found by words only.
    """

    num: int
    score: float
    parts: dict[str, float]
    passage: int | None


def retrieve(
    text: str,
    mode: Mode,
    wanted: int,
    *,
    derived: Derived,
    records: Records,
    encoder: Encoder | None,
    allowed: Ids | None,
) -> list[Candidate]:
    """The trials that match *text*, best first: *wanted* of them and perhaps more, or all there are.

    A larger *wanted* only adds to the end, so that pages neither overlap nor leave a trial out.

    :param encoder: needed unless *mode* is ``lexical``.
    :param allowed: sorted numbers of the trials to rank among; ``None`` for all.
    """
    depth = DEPTH
    while depth < wanted:
        depth *= 4
    vector: dict[int, tuple[float, int | None]] = {}
    lexical: dict[int, float] = {}
    if mode != "lexical":
        assert encoder is not None
        query = embed_query(text, encoder)
        vector = nearest_trials(query, depth, derived=derived, records=records, allowed=allowed)
    if mode != "vector":
        lexical = dict(derived.lexical.search(text, depth, allowed))
    scores = fuse([vector, lexical]) if mode == "hybrid" else None
    vector_ranks = {num: rank for rank, num in enumerate(vector, start=1)}
    lexical_ranks = {num: rank for rank, num in enumerate(lexical, start=1)}
    found = []
    for num in {**vector, **lexical}:
        parts: dict[str, float] = {}
        if num in vector:
            parts |= {"vector": round(vector[num][0], 4), "vector_rank": vector_ranks[num]}
        if num in lexical:
            parts |= {"lexical": round(lexical[num], 4), "lexical_rank": lexical_ranks[num]}
        score = scores[num] if scores else parts["lexical" if mode == "lexical" else "vector"]
        found.append(Candidate(num, score, parts, vector[num][1] if num in vector else None))
    found.sort(key=lambda c: (-c.score, c.parts.get("vector_rank", math.inf), c.parts.get("lexical_rank", 0), c.num))
    return found


def fuse(lists: Sequence[Mapping[int, object]], *, k: int = RRF_K, depth: int = DEPTH) -> dict[int, float]:
    """Reciprocal rank fusion: each list gives the item at rank r (from 1) 1 / (k + r); the sums order the items.

    Only the first *depth* ranks of a list are summed. An item below that in every list gets its best rank alone, which
    puts it after all others: how deep the lists go changes no score.

    Source: Cormack, Clarke, Büttcher, *Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods*, SIGIR 2009.

    :param lists: each maps items, best first, to anything.
    """
    scores: dict[int, float] = {}
    below: dict[int, float] = {}
    for ranked in lists:
        for rank, num in enumerate(ranked, start=1):
            gain = 1.0 / (k + rank)
            if rank <= depth:
                scores[num] = scores.get(num, 0.0) + gain
            else:
                below[num] = max(below.get(num, 0.0), gain)
    return below | scores


def embed_query(text: str, encoder: Encoder) -> Vectors:
    """The text as one unit vector, shape ``(1, dimension)``.

    A text longer than the model reads is cut into windows of whole words, about equally long, and the mean of their
    vectors is taken, so that nothing of a long note is left unread and its last few words weigh no more than others.

    :raises EncoderError: the encoder fails.
    """
    import numpy as np

    words = text.split()
    count = math.ceil(len(words) / encoder.max_words)
    cuts = [len(words) * n // count for n in range(count + 1)]
    vectors = encode_queries(encoder, [" ".join(words[start:end]) for start, end in pairwise(cuts)])
    mean = vectors.mean(axis=0, keepdims=True)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)


def nearest_trials(
    query: Vectors, depth: int, *, derived: Derived, records: Records, allowed: Ids | None
) -> dict[int, tuple[float, int | None]]:
    """The *depth* trials whose best passage is nearest to *query*: number → (cosine, passage position), best first.

    Equally near trials are in the order of their numbers, however many are asked for.
    """
    permitted = None if allowed is None else records.passages_of(allowed, derived.generation)
    available = len(derived.vectors) if permitted is None else len(permitted)
    fetch = min(depth * 2, available)
    while True:
        found: dict[int, tuple[float, int | None]] = {}
        if fetch == 0:
            return found
        scores, ids = derived.vectors.search(query, fetch, permitted)
        owners = records.owners(ids[0][ids[0] >= 0])  # without those of trials removed since this state was made
        hits = [
            (-float(score), *owners[num])
            for num, score in zip(ids[0].tolist(), scores[0], strict=True)
            if num in owners
        ]
        for score, trial, position in sorted(hits, key=lambda hit: (hit[0], hit[1], hit[2] or 0)):
            found.setdefault(trial, (-score, position))
        best = dict(list(found.items())[:depth])
        if fetch >= available or (len(best) == depth and scores[0, -1] < min(score for score, _ in best.values())):
            return best
        fetch = min(fetch * 2, available)

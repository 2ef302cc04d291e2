"""Finding: which trials a text is like, by meaning and by words, and the two fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from trialindex.interfaces import Encoder
from trialindex.storage.derived import Derived
from trialindex.storage.records import Records

if TYPE_CHECKING:
    from trialindex.interfaces import Ids, Vectors

Mode = Literal["hybrid", "vector", "lexical"]
MODES: tuple[str, ...] = get_args(Mode)

RRF_K = 60
"""The constant of reciprocal rank fusion, as its authors chose it."""


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
    depth: int,
    *,
    derived: Derived,
    records: Records,
    encoder: Encoder | None,
    allowed: Ids | None,
) -> list[Candidate]:
    """Up to *depth* trials and more that match *text*, best first.

    :param encoder: needed unless *mode* is ``lexical``.
    :param allowed: sorted numbers of the trials to rank among; ``None`` for all.
    """
    vector: dict[int, tuple[float, int]] = {}
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
    found.sort(key=lambda c: (-c.score, c.parts.get("vector_rank", depth * 10), c.num))
    return found


def fuse(lists: Sequence[Mapping[int, object]], k: int = RRF_K) -> dict[int, float]:
    """Reciprocal rank fusion: each list gives the item at rank r (from 1) 1 / (k + r); the sums order the items.

    Source: Cormack, Clarke, Büttcher, *Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods*, SIGIR 2009.

    :param lists: each maps items, best first, to anything.
    """
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, num in enumerate(ranked, start=1):
            scores[num] = scores.get(num, 0.0) + 1.0 / (k + rank)
    return scores


def embed_query(text: str, encoder: Encoder) -> Vectors:
    """The text as one unit vector, shape ``(1, dimension)``.

    A text longer than the model reads is cut into windows of whole words, and the mean of their vectors is taken, so
    that nothing of a long note is left unread.
    """
    import numpy as np

    words = text.split()
    size = encoder.max_words
    windows = [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
    vectors = encoder.encode_queries(windows)
    mean = vectors.mean(axis=0, keepdims=True)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)


def nearest_trials(
    query: Vectors, depth: int, *, derived: Derived, records: Records, allowed: Ids | None
) -> dict[int, tuple[float, int]]:
    """The *depth* trials whose best passage is nearest to *query*: number → (cosine, passage position), best first."""
    permitted = None if allowed is None else passages_of(records, allowed)
    available = len(derived.vectors) if permitted is None else len(permitted)
    fetch = min(depth * 2, available)
    while True:
        found: dict[int, tuple[float, int]] = {}
        if fetch == 0:
            return found
        scores, ids = derived.vectors.search(query, fetch, permitted)
        hits = [(int(num), float(score)) for num, score in zip(ids[0], scores[0], strict=True) if num >= 0]
        owners = records.owners(ids[0][ids[0] >= 0])
        for num, score in hits:
            if num in owners:  # gone since this state was made
                trial, position = owners[num]
                found.setdefault(trial, (score, position))
        if len(found) >= depth or fetch >= available:
            return dict(list(found.items())[:depth])
        fetch = min(fetch * 2, available)


def passages_of(records: Records, trials: Ids) -> Ids:
    """Sorted numbers of the passages of these trials."""
    import numpy as np

    pairs = np.array(list(records.rows("SELECT num, trial FROM passages ORDER BY num")), dtype=np.int64).reshape(-1, 2)
    kept: Ids = pairs[np.isin(pairs[:, 1], trials), 0]
    return kept

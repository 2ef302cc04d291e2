"""Finding: which trials a text is like, by meaning, by its words, and by what it says the patient has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Literal, get_args

from trialindex.plugin.encoding import encode_queries
from trialindex.plugin.interfaces import Encoder
from trialindex.plugin.results import Understanding
from trialindex.search import analysis
from trialindex.search.feedback import expansion_terms
from trialindex.search.fusion import DEPTH, fuse
from trialindex.search.person import Person
from trialindex.search.regularization import SMOOTHING, regularize_scores
from trialindex.storage.derived import Derived
from trialindex.storage.records import Records

if TYPE_CHECKING:
    from concurrent.futures import Future

    from trialindex.plugin.interfaces import Ids, Vectors

Mode = Literal["hybrid", "vector", "lexical"]
MODES: tuple[str, ...] = get_args(Mode)

SHORT_WORDS, NOTE_WORDS = 30, 90
SHORT = {"vector": 4.0, "focus": 0.0, "lexical": 1.0, "concepts": 1.0, "feedback": 0.33}
"""What the rankings count for a text of :data:`SHORT_WORDS` or fewer; between the two lengths it is drawn straight."""
NOTE = {"vector": 0.5, "focus": 0.5, "lexical": 1.0, "concepts": 0.5, "feedback": 1.0}
"""The same for a text of :data:`NOTE_WORDS` or more. Both by cross-validation over topics, ``docs/ranking.md``."""
MISMATCH_PENALTY = 2.0
"""What a trial loses for each limit, of age or of sex, that does not fit what is known of the person. It falls behind
those that match about as well, and stays in the answer."""


@dataclass(frozen=True)
class Candidate:
    """A trial that was found, by its number.

    :param score: what candidates are ordered by.
    :param parts: the score in each ranking that has it, and its rank there: ``vector`` and ``vector_rank``, and so on.
    :param passage: position of the passage whose vector matched best, ``None`` if found by words only.
    """

    num: int
    score: float
    parts: dict[str, float]
    passage: int | None


@dataclass(frozen=True)
class Found:
    """What :func:`retrieve` found.

    :param candidates: best first: as many as were wanted, or all there are.
    :param understood: the text as it was understood, with what each part of it weighs.
    """

    candidates: list[Candidate]
    understood: Understanding


@dataclass
class Rankings:
    """What :func:`rank` found.

    :param scores: by ranking, ``vector``, ``focus``, ``lexical``, ``terms`` and ``feedback``: trials by number with
        their scores, best first.
    :param passages: of the trials that vectors found, the position of the passage that matched best.
    :param size: how many trials were ranked among.
    """

    scores: dict[str, Mapping[int, float]]
    passages: dict[int, int | None]
    understood: Understanding
    size: int

    def fused(self, weights: Mapping[str, float]) -> dict[int, float]:
        """The rankings at hand as one, see :func:`~trialindex.search.fusion.fuse`."""
        return fuse(list(self.scores.values()), self.size, weights=[weights[name] for name in self.scores])


def retrieve(
    text: str,
    mode: Mode,
    wanted: int,
    understood: Understanding,
    person: Person,
    *,
    derived: Derived,
    records: Records,
    encoder: Encoder | None,
    allowed: Ids | None,
) -> Found:
    """The trials that match *text*, best first: *wanted* of them, or all there are.

    A larger *wanted* only adds to the end, so that pages neither overlap nor leave a trial out.

    :param understood: what the text says; ``hybrid`` also looks for that, the other modes for the text alone.
    :param person: whom it is about; ``hybrid`` puts trials further down whose stated age or sex does not fit.
    :param encoder: needed unless *mode* is ``lexical``.
    :param allowed: sorted numbers of the trials to rank among; ``None`` for all.
    """
    depth = DEPTH
    while depth < wanted:
        depth *= 4
    ranked = rank(text, mode, depth, understood, derived=derived, records=records, encoder=encoder, allowed=allowed)
    mismatches: dict[int, int] = {}
    own: dict[int, float] = {}
    drawn: dict[int, float] = {}
    if mode == "hybrid":
        scores = ranked.fused(weights_for(text))
        if share := SMOOTHING * note_share(text):
            deep = {num for found in ranked.scores.values() for num in islice(found, DEPTH)}  # the same at every depth
            own = {num: scores[num] for num in deep}
            drawn = regularize_scores(own, share, derived=derived, records=records)
            scores |= drawn
        mismatches = _mismatches(scores, wanted, person, records)
        for num, count in mismatches.items():
            scores[num] -= MISMATCH_PENALTY * count
    else:
        scores = dict(ranked.scores[mode])
    ranks = {name: {num: rank for rank, num in enumerate(found, 1)} for name, found in ranked.scores.items()}

    def order(num: int) -> tuple[float, ...]:
        return (-scores[num], *(ranks[name].get(num, math.inf) for name in ranks), num)

    least = min(nlargest(wanted, scores.values()), default=0.0)
    candidates = []
    for num in sorted((num for num, score in scores.items() if score >= least), key=order)[:wanted]:
        parts = {"mismatch": MISMATCH_PENALTY * mismatches[num]} if num in mismatches else {}
        if num in drawn:
            parts["regularization"] = round(drawn[num] - own[num], 4)
        for name, found in ranked.scores.items():
            if num in found:
                parts |= {name: round(found[num], 4), f"{name}_rank": ranks[name][num]}
        candidates.append(Candidate(num, scores[num], parts, ranked.passages.get(num)))
    return Found(candidates, ranked.understood)


def rank(
    text: str,
    mode: Mode,
    depth: int,
    understood: Understanding,
    *,
    derived: Derived,
    records: Records,
    encoder: Encoder | None,
    allowed: Ids | None,
) -> Rankings:
    """The rankings of *mode*, each *depth* trials deep; see :func:`retrieve` for what is given."""
    from concurrent.futures import ThreadPoolExecutor

    size = len(records) if allowed is None else len(allowed)
    ranked = Rankings({}, {}, understood, size)
    with ThreadPoolExecutor(1) as lexical_thread:  # words are looked up while vectors are compared
        by_words = by_names = None

        def look_up() -> Future[list[tuple[int, float]]]:
            return lexical_thread.submit(derived.lexical.search, text, depth, allowed)

        if mode == "lexical" or (mode == "hybrid" and note_share(text) > 0):  # of a note already while it is embedded
            by_words = look_up()
        if mode != "lexical":
            assert encoder is not None
            concerned = mode == "hybrid" and bool(understood.concepts)
            vectors = embed_query(text, encoder, [c.name for c in understood.concepts] if concerned else [])
            queries, names = vectors[:1], vectors[1:]
            if concerned:
                ranked.understood = analysis.weigh(understood, (names @ queries[0]).tolist())
                if weights_for(text)["focus"]:
                    queries = analysis.focus_vector(queries, names, understood.concepts)
            if mode == "hybrid":
                by_words = by_words or look_up()
                concepts = [(concept.weight, concept.names) for concept in ranked.understood.concepts]
                by_names = lexical_thread.submit(derived.lexical.search_names, concepts, depth, allowed)
            nearest = nearest_trials(queries, depth, derived=derived, records=records, allowed=allowed)
            for name, found in zip(("vector", "focus"), nearest, strict=False):
                ranked.scores[name] = {num: score for num, (score, _) in found.items()}
                ranked.passages = {num: position for num, (_, position) in found.items()} | ranked.passages
        if by_words is not None:
            ranked.scores["lexical"] = dict(by_words.result())
    if by_names is not None:
        ranked.scores["concepts"] = dict(by_names.result())
        words = expansion_terms(ranked.fused(weights_for(text)), derived.lexical, records)
        ranked.scores["feedback"] = dict(derived.lexical.search_words(words, depth, allowed))
    return ranked


def _mismatches(scores: Mapping[int, float], wanted: int, person: Person, records: Records) -> dict[int, int]:
    """How many limits of a trial do not fit the person, of those that have any.

    The first :data:`DEPTH` are looked at, and of these only as many as can be among the *wanted* best in the end.
    """
    counts: dict[int, int] = {}
    if person.age is None and person.sex is None:
        return counts
    best = sorted(scores, key=lambda num: (-scores[num], num))[:DEPTH]
    done, step = 0, wanted + 50
    while done < len(best):
        limits = records.limits(best[done : done + step])
        counts |= {num: count for num, of in limits.items() if (count := person.mismatches(*of))}
        done, step = done + step, 2 * step
        kept = nlargest(wanted, (scores[num] - MISMATCH_PENALTY * counts.get(num, 0) for num in best[:done]))
        if done < len(best) and scores[best[done]] < kept[-1]:
            break
    return counts


def weights_for(text: str) -> dict[str, float]:
    """What each ranking counts in fusion, by how long the text is.

    A short question is one thought that its vector holds whole, in words that are often not those of the trials. A note
    says so much that its vector blurs, and its words are many enough to match.
    """
    share = note_share(text)
    return {name: (1 - share) * SHORT[name] + share * NOTE[name] for name in NOTE}


def note_share(text: str) -> float:
    """How much of a note a text is by its length: from 0, a short question, to 1."""
    return min(1.0, max(0.0, (len(text.split()) - SHORT_WORDS) / (NOTE_WORDS - SHORT_WORDS)))


def embed_query(text: str, encoder: Encoder, names: Sequence[str] = ()) -> Vectors:
    """The text as one unit vector, and below it each of the names as one, shape ``(1 + names, dimension)``.

    A text longer than the model reads is cut into windows of whole words, about equally long, and the mean of their
    vectors is taken, so that nothing of a long note is left unread and its last few words weigh no more than others.

    :raises EncoderError: the encoder fails.
    """
    import numpy as np

    words = text.split()
    count = math.ceil(len(words) / encoder.max_words)
    cuts = [len(words) * n // count for n in range(count + 1)]
    windows = [" ".join(words[start:end]) for start, end in pairwise(cuts)]
    vectors = encode_queries(encoder, [*windows, *names])
    mean = vectors[:count].mean(axis=0, keepdims=True)
    text_vector = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return np.concatenate([text_vector, vectors[count:]]).astype(np.float32, copy=False)


def nearest_trials(
    queries: Vectors, depth: int, *, derived: Derived, records: Records, allowed: Ids | None
) -> list[dict[int, tuple[float, int | None]]]:
    """For each query the *depth* trials whose best passage is nearest: number → (cosine, passage position), best first.

    Equally near trials are in the order of their numbers, however many are asked for.

    :param queries: shape ``(q, dimension)``.
    """
    import numpy as np

    permitted = None if allowed is None else records.passages_of(allowed, derived.generation)
    available = len(derived.vectors) if permitted is None else len(permitted)
    trials = len(records) if allowed is None else len(allowed)
    fetch = min(depth * max(2, math.ceil(available / max(trials, 1))), available)
    while fetch:
        scores, ids = derived.vectors.search(queries, fetch, permitted)
        owners = np.zeros((*ids.shape, 2), dtype=np.int64)
        owners[ids >= 0] = records.owners(ids[ids >= 0])
        best = [_best_passages(row, of, depth) for row, of in zip(scores, owners, strict=True)]
        if fetch >= available or all(
            len(found) == depth and row[-1] < next(reversed(found.values()))[0]
            for found, row in zip(best, scores, strict=True)
        ):
            return best
        fetch = min(fetch * 2, available)
    return [{} for _ in queries]


def _best_passages(scores: Vectors, owners: Ids, depth: int) -> dict[int, tuple[float, int | None]]:
    """The *depth* best trials by the best of their passages.

    :param owners: trial and position of the passages, shape ``(n, 2)``; trial 0 for those of trials that are gone.
    """
    import numpy as np

    scores, owners = scores[owners[:, 0] > 0], owners[owners[:, 0] > 0]
    order = np.lexsort((owners[:, 1], owners[:, 0], -scores))
    rows = order[np.sort(np.unique(owners[order, 0], return_index=True)[1])[:depth]]
    found = zip(owners[rows].tolist(), scores[rows].tolist(), strict=True)
    return {trial: (score, None if position < 0 else position) for (trial, position), score in found}

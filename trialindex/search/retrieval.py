"""Finding: which trials a question is like, by meaning, by its words, and by what it says the patient has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from trialindex.plugin.encoding import encode_queries
from trialindex.plugin.interfaces import Encoder
from trialindex.search import analysis
from trialindex.search.constraints import tests
from trialindex.search.feedback import expansion_terms
from trialindex.search.fusion import Ranking
from trialindex.search.question import Question
from trialindex.search.rankings import BY_MEANING, Rankings
from trialindex.search.requirements import trials_in_state
from trialindex.search.searcher import Searcher
from trialindex.search.words import content_words

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors
    from trialindex.storage.lexical import Lexical, Matches

_LOOKED_INTO = 100
"""Trials that name a treatment and are read to see whether they test it."""


class Beside:
    """What is done in other threads while a question is read and ranked.

    The vectors of its text come first: most texts are searched as they were asked.

    :param text: as it was asked. Of one that can be the name of a trial and no more none are made.
    :param mode: how it is searched; words alone need no vectors.

    :ivar threads: two, for what leaves the interpreter's lock.
    """

    def __init__(self, text: str, mode: str, searcher: Searcher) -> None:
        self._words = text.split()
        self.threads = ThreadPoolExecutor(2)
        needed = mode in ("hybrid", "vector") and not all(any(map(str.isdigit, word)) for word in self._words)
        self._vectors = self.threads.submit(self._encode, searcher) if needed else None

    def _encode(self, searcher: Searcher) -> Vectors:
        encoder = searcher.encoder()
        return encode_queries(encoder, _windows(self._words, encoder.max_words))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.threads.shutdown(cancel_futures=True)

    def vectors(self, words: Sequence[str]) -> Vectors | None:
        """Those of the windows of a text of these words; ``None`` if the text that was asked has others.

        :raises EncoderError: the encoder fails.
        """
        return self._vectors.result() if self._vectors and words == self._words else None


def rank(question: Question, searcher: Searcher, depth: int, beside: Beside | None = None) -> Rankings:
    """The rankings of the question's mode, each *depth* trials deep; none if it names trials and nothing else.

    :param beside: what was begun of it in other threads.
    :raises QueryError: a filter names what no trial of the index has.
    :raises EncoderError: the encoder fails.
    """
    allowed = searcher.allowed(question.filters)
    size = len(searcher.records) if allowed is None else len(allowed)
    lexical = searcher.derived.lexical
    scores: dict[str, Ranking] = {}
    if not question.text:
        return Rankings(question, scores, {}, size)
    if question.mode == "lexical":
        scores["lexical"] = _ranking(lexical.search(question.text, depth, allowed))
        return Rankings(question, scores, {}, size)
    if question.mode == "vector":
        vectors = embed_query(_embedded_text(question, searcher.encoder()), searcher.encoder(), beside=beside)
        [(scores["vector"], passages)] = nearest_trials(vectors, depth, searcher, allowed)
        return Rankings(question, scores, passages, size)
    return _rank_hybrid(question, searcher, depth, allowed, size, beside)


def _rank_hybrid(
    question: Question, searcher: Searcher, depth: int, allowed: Ids | None, size: int, beside: Beside | None
) -> Rankings:
    """All rankings; the word index is asked in a thread of its own while vectors are compared."""
    settings, lexical = searcher.settings, searcher.derived.lexical
    weights = settings.weights(question.text, proposed=question.proposed.replaces)
    with ThreadPoolExecutor(1) if beside is None else nullcontext(beside.threads) as lexical_thread:

        def search_words() -> Future[Matches]:
            return lexical_thread.submit(lexical.search, question.text, depth, allowed)

        by_words = search_words() if settings.note_share(question.text) > 0 else None  # takes as long as embedding
        encoder, own = searcher.encoder(), question.understood.concepts
        listed = [one.name for one in (*own, *question.proposed.concepts)]
        vectors = embed_query(_embedded_text(question, encoder), encoder, listed, beside)
        queries, likeness = vectors[:1], (vectors[1:] @ vectors[0]).tolist()
        understood = analysis.weigh(question.understood, likeness[: len(own)])
        problem = analysis.main_problem(understood)
        named = likeness[listed.index(problem.name)] if problem and problem.kind == "illness" else -1.0
        behind = named - max(likeness[len(own) :], default=named)
        share = settings.share_of_proposals(question.text, behind)
        weighed = question.proposed.weigh(likeness[len(own) :], share, settings)
        question = replace(question, understood=understood, proposed=weighed)
        proposed = weighed.concepts
        names = vectors[[1 + listed.index(one.name) for one in (*own, *proposed)]]
        strongest = min(1.0, max((concept.weight for concept in proposed), default=0.0))
        share = settings.share_of_own(question.text, strongest=strongest, replaced=question.proposed.replaces)
        first = 0 if share else len(own)
        of_proposed = [settings.proposal_weight * concept.weight for concept in proposed]
        emphasis = [*(share * concept.weight for concept in own), *of_proposed][first:]
        if emphasis and weights["focus"]:
            pull = settings.proposal_focus_weight if question.proposed.replaces else settings.focus_weight
            queries = _stack(queries, analysis.focus_vector(queries, names[first:], emphasis, settings, pull))
        by_words = by_words or search_words()
        counts = [*(share * concept.weight for concept in question.understood.concepts), *of_proposed]
        searched = [*own, *proposed]
        concepts: list[tuple[float, Sequence[str]]] = [
            (count, concept.names) for count, concept in list(zip(counts, searched, strict=True))[first:]
        ]
        if not concepts:  # names that no vocabulary knows: a trial that has all of the question's words has the name
            concepts = [(1.0, [" ".join(content_words(question.text))])]
        by_concepts = lexical_thread.submit(lexical.search_names, concepts, depth, allowed)
        treated = lexical_thread.submit(_treated, question, lexical, depth, allowed)
        stated = lexical_thread.submit(trials_in_state, question, searcher, allowed)
        nearest = nearest_trials(queries, depth, searcher, allowed)
    scores: dict[str, Ranking] = {}
    passages: dict[int, int | None] = {}
    for name, (found, positions) in zip(("vector", "focus"), nearest, strict=False):
        scores[name] = found
        passages = positions | passages
    scores["lexical"] = _ranking(by_words.result())
    scores["concepts"] = _ranking(by_concepts.result())
    testing = _testing(treated.result(), question, searcher)
    rankings = Rankings(question, scores, passages, size, _unembedded(scores, searcher), testing, stated.result())
    words = expansion_terms(rankings.fused(weights, settings.depth), searcher)
    scores["feedback"] = _ranking(lexical.search_words(words, depth, allowed))
    return replace(rankings, unembedded=_unembedded(scores, searcher))


def _ranking(found: Matches) -> Ranking:
    return Ranking(found.nums, found.scores)


def _unembedded(scores: Mapping[str, Ranking], searcher: Searcher) -> frozenset[int]:
    """The trials that words found, and that have no vectors yet."""
    import numpy as np

    found = np.concatenate([ranked.nums for name, ranked in scores.items() if name not in BY_MEANING])
    waiting = searcher.unembedded(found)
    return waiting.difference(scores["vector"].nums.tolist()) if waiting else waiting


def _treated(question: Question, lexical: Lexical, depth: int, allowed: Ids | None) -> list[int]:
    """The trials among whose names for things is a treatment that is asked for, and that tell of the main problem."""
    treatments = question.constraints.treatments
    if not treatments:
        return []
    found = lexical.search_names([(1.0, names) for names in treatments], depth, allowed, ("head",))
    problem = analysis.main_problem(question.understood)
    nums: list[int] = found.nums.tolist()
    if problem is None:
        return nums
    told = set(lexical.search_names([(1.0, problem.names)], len(lexical), allowed).nums.tolist())
    return [num for num in nums if num in told]


def _testing(nums: Sequence[int], question: Question, searcher: Searcher) -> frozenset[int]:
    """Those of the first trials that list a treatment which is asked for among their interventions."""
    stored = searcher.records.load_readable(nums[:_LOOKED_INTO])
    return frozenset(one.num for one in stored if tests(one.trial, question.constraints.treatments))


def _stack(*vectors: Vectors) -> Vectors:
    import numpy as np

    return np.concatenate(vectors)


def _embedded_text(question: Question, encoder: Encoder) -> str:
    """The text whose vector is looked for: a question in another language as it was asked, if the model reads that."""
    foreign = question.interpretation.language is not None
    return question.asked if foreign and encoder.multilingual else question.text


def embed_query(text: str, encoder: Encoder, names: Sequence[str] = (), beside: Beside | None = None) -> Vectors:
    """The text as one unit vector, and below it each of the names as one, shape ``(1 + names, dimension)``.

    A text longer than the model reads is cut into windows of whole words, about equally long, and the mean of their
    vectors is taken, so that nothing of a long note is left unread and its last few words weigh no more than others.

    :param beside: has the vectors of a text that was asked; they are taken if it is the same.
    :raises EncoderError: the encoder fails.
    """
    import numpy as np

    words = text.split()
    of_text = beside.vectors(words) if beside else None
    if of_text is None:
        windows = _windows(words, encoder.max_words)
        vectors = encode_queries(encoder, [*windows, *names])
        of_text, of_names = vectors[: len(windows)], vectors[len(windows) :]
    else:
        of_names = encode_queries(encoder, names) if names else of_text[:0]
    mean = of_text.mean(axis=0, keepdims=True)
    text_vector = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return np.concatenate([text_vector, of_names]).astype(np.float32, copy=False)


def _windows(words: Sequence[str], most: int) -> list[str]:
    """The words as texts of *most* words at most, about equally long."""
    count = math.ceil(len(words) / most)
    cuts = [len(words) * n // count for n in range(count + 1)]
    return [" ".join(words[start:end]) for start, end in pairwise(cuts)]


def nearest_trials(
    queries: Vectors, depth: int, searcher: Searcher, allowed: Ids | None
) -> list[tuple[Ranking, dict[int, int | None]]]:
    """For each query the *depth* trials whose best passage is nearest, by its cosine, and the position of that passage.

    Equally near trials are in the order of their numbers, however many are asked for.

    :param queries: shape ``(q, dimension)``.
    :param allowed: sorted numbers of the trials to search among; ``None`` for all.
    """
    import numpy as np

    derived, records = searcher.derived, searcher.records
    permitted = None if allowed is None else derived.passages_for(records, allowed)
    available = min(len(derived.vectors), len(derived.vectors if permitted is None else permitted))
    trials = len(records) if allowed is None else len(allowed)
    fetch = min(depth * max(2, math.ceil(available / max(trials, 1))), available)
    while fetch:
        scores, ids = derived.vectors.search(queries, fetch, permitted)
        owners = np.zeros((*ids.shape, 2), dtype=np.int64)
        owners[ids >= 0] = derived.trials_of(records, ids[ids >= 0])
        best = [_best_passages(row, of, depth) for row, of in zip(scores, owners, strict=True)]
        if fetch >= available or all(
            len(found) == depth and row[-1] < found.scores[-1] for (found, _), row in zip(best, scores, strict=True)
        ):
            return best
        fetch = min(fetch * 2, available)
    return [(Ranking.of({}), {}) for _ in queries]


def _best_passages(scores: Vectors, owners: Ids, depth: int) -> tuple[Ranking, dict[int, int | None]]:
    """The *depth* best trials by the best of their passages.

    :param owners: trial and position of the passages, shape ``(n, 2)``; trial 0 for those of trials that are gone.
    """
    import numpy as np

    scores, owners = scores[owners[:, 0] > 0], owners[owners[:, 0] > 0]
    order = np.lexsort((owners[:, 1], -scores, owners[:, 0]))
    order = order[np.diff(owners[order, 0], prepend=0) > 0]  # of each trial its best passage
    order = order[np.argsort(-scores[order], kind="stable")[:depth]]
    nums, positions = owners[order, 0], owners[order, 1].tolist()
    known = (None if position < 0 else position for position in positions)
    return Ranking(nums, scores[order].astype(np.float64)), dict(zip(nums.tolist(), known, strict=True))

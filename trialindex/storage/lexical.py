"""The word index: BM25 over trials, by tantivy."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.errors import IndexDamaged
from trialindex.storage.held_words import held_words
from trialindex.trial import Trial
from trialindex.trial.passages import lexical_fields

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIELDS = ("head", "body")
LOCKS = frozenset({".tantivy-writer.lock", ".tantivy-meta.lock"})
_ANALYZER = "english"
REPAIR = "Repair it: trialindex check --repair"
_HEAP = 64_000_000
_SHORT, _REMEMBERED = 60, 10_000
"""Characters of a text whose words are remembered, such as a name, and how many such texts."""
_COUNTED = 50_000
"""Words whose counts are remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Trials by number with their BM25 scores, best first, as two arrays."""

    nums: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.nums)


class Lexical:
    """BM25 over the ``head`` and ``body`` of every trial, keyed by the trial's number.

    English is stemmed and its stop words left out; accents are folded, so *Sjögren* and *Sjogren* are one word.

    :param folder: where tantivy keeps its files; made when missing.
    :raises IndexDamaged: the files cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        import tantivy

        self._folder = folder
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)  # not what it lies in: a reader must not make a state that was taken away
        builder = tantivy.SchemaBuilder().add_unsigned_field("num", stored=False, indexed=True, fast=True)
        for field in FIELDS:
            builder = builder.add_text_field(field, tokenizer_name=_ANALYZER, index_option="freq")
        self._schema = builder.build()
        self._analyzer = _analyzer()
        self._short = lru_cache(_REMEMBERED)(self._analyzer.analyze)
        with self._damage():
            try:
                self._open(folder)
            except ValueError as problem:
                if "Lockfile" not in str(problem):
                    raise
                self._open(self._mirror())

    def _open(self, folder: Path) -> None:
        import tantivy

        self._index = tantivy.Index(self._schema, path=str(folder))
        self._index.register_tokenizer(_ANALYZER, self._analyzer)
        self._renewed()

    def _renewed(self) -> None:
        """Search what was committed last."""
        self._searcher = self._index.searcher()
        self._count = lru_cache(_COUNTED)(partial(self._searcher.doc_freq, "body"))
        self._idf = lru_cache(_COUNTED)(self._rarity)

    def _mirror(self) -> Path:
        """A folder of links to the files, for a folder that cannot be written: tantivy locks even to read."""
        mirror = Path(tempfile.mkdtemp(prefix="trialindex-"))
        weakref.finalize(self, shutil.rmtree, mirror, ignore_errors=True)
        for path in self._folder.iterdir():
            if path.name not in LOCKS:
                try:
                    (mirror / path.name).symlink_to(path.resolve())
                except OSError:  # Windows asks for a right that few have
                    shutil.copyfile(path, mirror / path.name)
        return mirror

    @contextmanager
    def _damage(self) -> Iterator[None]:
        """Turn what tantivy says of files it cannot read, which includes a panic, into :class:`IndexDamaged`."""
        try:
            yield
        except BaseException as problem:
            if not isinstance(problem, ValueError) and type(problem).__name__ != "PanicException":
                raise
            why = " ".join(str(problem).split())[:200]  # it may quote a whole file
            raise IndexDamaged(f"the word index in {self._folder} cannot be read: {why}.", hint=REPAIR) from None

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def update(self, removed: Iterable[int], added: Iterable[tuple[int, Trial]]) -> None:
        """Forget the trials with the numbers *removed*, then add *added*; one atomic commit."""
        import tantivy

        writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        with self._finished(writer):
            for num in removed:
                writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "num", num))
            for num, trial in added:
                document = tantivy.Document()
                document.add_unsigned("num", num)
                for field, text in lexical_fields(trial).items():
                    document.add_text(field, text)
                writer.add_document(document)
            writer.commit()
            writer.garbage_collect_files()
        self._index.reload()
        self._renewed()

    @contextmanager
    def _finished(self, writer: Any) -> Iterator[None]:
        """Wait for the writer's threads at the end, also of a failure: they may still be making files in the folder.

        :raises OSError: the disk could not be written.
        """
        try:
            try:
                yield
            except BaseException:
                with suppress(ValueError):  # what went wrong first is told
                    writer.wait_merging_threads()
                raise
            writer.wait_merging_threads()
        except ValueError as problem:  # tantivy tells an OSError only by its text
            raise OSError(28 if "No space" in str(problem) else 5, str(problem)) from problem

    def words(self, text: str) -> list[str]:
        """The text as the index sees it: lower-cased, without stop words, stemmed."""
        return list(self._short(text)) if len(text) <= _SHORT else self._analyzer.analyze(text)

    def held(self, words: Iterable[str], text: str) -> set[str]:
        """Those of the words, as :meth:`words` gives them, that a text holds."""
        return held_words(words, text, self.words)

    def search(self, text: str, k: int, allowed: NDArray[np.int64] | None = None) -> Matches:
        """The *k* trials that match the words of *text* best.

        :param allowed: sorted numbers of the trials to search among; ``None`` for all. A small set goes into the
            query; for a large one as many hits are fetched as should hold *k* allowed ones, and more until they do.
        """
        counts: dict[str, int] = {}
        for word in self.words(text):
            counts[word] = counts.get(word, 0) + 1
        # A word that the query says n times weighs as in BM25's query term frequency with k3 = 8.
        return self.search_words({word: 9 * count / (8 + count) for word, count in counts.items()}, k, allowed)

    def search_words(self, weights: Mapping[str, float], k: int, allowed: NDArray[np.int64] | None = None) -> Matches:
        """As :meth:`search`, for words as :meth:`words` gives them, each with its weight."""
        import tantivy

        clauses = [
            (tantivy.Occur.Should, _boost(self._term(field, word), weight))
            for word, weight in weights.items()
            for field in FIELDS
        ]
        return self._search(clauses, k, allowed)

    def search_names(
        self,
        concepts: Iterable[tuple[float, Iterable[str]]],
        k: int,
        allowed: NDArray[np.int64] | None = None,
        fields: Sequence[str] = FIELDS,
    ) -> Matches:
        """As :meth:`search`, for things with several names: a field counts that holds every word of one of them.

        :param concepts: the weight of a thing, and its names; of those that a field holds the best one counts.
        :param fields: those that are looked at.
        """
        import tantivy

        clauses = []
        for weight, names in concepts:
            cut = dict.fromkeys(tuple(dict.fromkeys(self.words(name))) for name in names)
            for field in fields:
                whole = [self._all_of(field, words) for words in cut if words]
                if whole and weight > 0:
                    best = tantivy.Query.disjunction_max_query(whole)
                    clauses.append((tantivy.Occur.Should, _boost(best, weight)))
        return self._search(clauses, k, allowed)

    def indexed_words(self, words: Iterable[str]) -> set[str]:
        """Those of the words, as :meth:`words` gives them, that a trial has in its prose."""
        with self._damage():
            return {word for word in words if self._count(word)}

    def idf(self, words: Iterable[str]) -> dict[str, float]:
        """The inverse document frequency of words of the prose, as BM25 has it."""
        with self._damage():
            return {word: self._idf(word) for word in words}

    def _rarity(self, word: str) -> float:
        return self._idf_of(self._searcher.doc_freq("body", word))

    @property
    def highest_idf(self) -> float:
        """The inverse document frequency of a word that no trial has in its prose."""
        return self._idf_of(0)

    def _idf_of(self, count: int) -> float:
        return math.log(1 + (len(self) - count + 0.5) / (count + 0.5))

    def frequency(self, stem: str) -> int:
        """How many trials use a word as :meth:`words` gives it, in the field that has more of them."""
        with self._damage():
            return max(int(self._searcher.doc_freq(field, stem)) for field in FIELDS)

    def count(self, head: Iterable[str], anywhere: Iterable[str] = ()) -> int:
        """How many trials have all these words as :meth:`words` gives them: those of *head* in that field."""
        import tantivy

        clauses = [(tantivy.Occur.Must, self._term("head", word)) for word in head]
        for word in anywhere:
            either = [(tantivy.Occur.Should, self._term(field, word)) for field in FIELDS]
            clauses.append((tantivy.Occur.Must, tantivy.Query.boolean_query(either)))
        if not clauses:
            return 0
        with self._damage():
            found = self._searcher.search(tantivy.Query.boolean_query(clauses), limit=1, count=True)
        return int(found.count or 0)

    def stems(self, start: str) -> dict[str, int]:
        """Words as :meth:`words` gives them that start so, with how many trials use each in the prose."""
        with self._damage():
            return dict(self._searcher.terms_with_prefix("body", start))

    def _search(self, clauses: Sequence[Any], k: int, allowed: NDArray[np.int64] | None) -> Matches:
        import tantivy

        if not clauses or k <= 0 or (allowed is not None and not len(allowed)):
            return _matches((), ())
        query = tantivy.Query.boolean_query(clauses)
        everything = len(self)
        if allowed is None:
            return self._collect(query, k, None)
        if len(allowed) ** 2 <= k * everything:  # the set is smaller than the hits among which k allowed ones are
            return self._collect(self._restrict(query, allowed.tolist()), k, None)
        fetch = 100 + 5 * k * everything // (4 * len(allowed))
        while True:
            kept = self._collect(query, fetch, allowed)
            if len(kept) >= k or fetch >= everything:
                return Matches(kept.nums[:k], kept.scores[:k])
            fetch *= 4

    def _term(self, field: str, word: str) -> Any:
        import tantivy

        return tantivy.Query.term_query(self._schema, field, word, "freq")

    def _all_of(self, field: str, words: Sequence[str]) -> Any:
        import tantivy

        terms = [self._term(field, word) for word in words]
        if len(terms) == 1:
            return terms[0]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, term) for term in terms])

    def _restrict(self, query: Any, nums: list[int]) -> Any:
        import tantivy

        among = tantivy.Query.const_score_query(tantivy.Query.term_set_query(self._schema, "num", nums), 0.0)
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, among)])

    def _collect(self, query: Any, k: int, allowed: NDArray[np.int64] | None) -> Matches:
        """The *k* best, those that are not allowed left out."""
        import numpy as np

        with self._damage():
            hits = self._searcher.search(query, limit=k, count=False).hits
            nums = self._searcher.fast_field_values("num", [address for _, address in hits])
        found = _matches(nums, [score for score, _ in hits])
        if allowed is None:
            return found
        here = allowed[np.searchsorted(allowed, found.nums).clip(max=len(allowed) - 1)] == found.nums
        return Matches(found.nums[here], found.scores[here])


def _matches(nums: Sequence[int], scores: Sequence[float]) -> Matches:
    import numpy as np

    return Matches(np.array(nums, dtype=np.int64), np.array(scores, dtype=np.float64))


def _boost(clause: Any, weight: float) -> Any:
    import tantivy

    return clause if weight == 1 else tantivy.Query.boost_query(clause, weight)


def _analyzer() -> Any:
    import tantivy

    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(60),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stopword("english"),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()

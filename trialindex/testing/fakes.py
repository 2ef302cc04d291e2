"""An encoder without a model, a store without a library, and a writer without a word of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.errors import IndexDamaged, PluginError
from trialindex.page.build import card
from trialindex.plugin.interfaces import Encoder, EncoderIdentity, VectorStore, Writer
from trialindex.plugin.trial_page import Explanation, PlainLanguage, Sentence, TrialPage
from trialindex.trial import Trial
from trialindex.trial.display import NOT_STATED, listed, phase, purpose
from trialindex.trial.sanitize import excerpt, one_line

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids, Vectors

_WORD = re.compile(r"\w+")


class FakeEncoder(Encoder):
    """Texts that share words are near each other; the same text always gets the same vector.

    Each word stands for a direction taken from its hash, and a text is the sum of its words. No model, no file, the
    same numbers on every machine.

    :param argument: makes another encoder, with an identity and vectors of its own: ``fake:other``.
    """

    name = "fake"
    summary = "For tests: hashes words, needs no model."
    dimension = 64

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        self.encoded: list[str] = []
        """Every document encoded so far, to see that none is encoded twice."""

    @property
    def identity(self) -> EncoderIdentity:
        spec = f"{self.name}:{self.argument}" if self.argument else self.name
        return EncoderIdentity(spec, "1", hashlib.sha256(spec.encode()).hexdigest(), self.dimension)

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        self.encoded.extend(texts)
        vectors = self.encode_queries(texts)
        if progress is not None:
            progress(len(texts))
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _WORD.findall(text.lower()) or [""]:
                vectors[row] += self._direction(word)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _direction(self, word: str) -> Vectors:
        import numpy as np

        key = hashlib.sha256(self.argument.encode()).digest()
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=self.dimension, key=key).digest()
        return np.frombuffer(digest, dtype=np.uint8).astype(np.float32) - 127.5


class BruteForceStore(VectorStore):
    """Compares with every vector. Slow, obvious, and what every other store has to agree with."""

    name = "brute-force"
    summary = "For tests: compares with every vector."

    def __init__(self, ids: Ids, vectors: Vectors) -> None:
        self._ids = ids
        self._vectors = vectors

    @classmethod
    def create(cls, dimension: int, argument: str = "") -> BruteForceStore:
        import numpy as np

        if argument:
            raise PluginError(f'the store "{cls.name}" takes no argument, and was given "{argument}".')
        return cls(np.empty(0, dtype=np.int64), np.empty((0, dimension), dtype=np.float32))

    @classmethod
    def load(cls, folder: Path) -> BruteForceStore:
        import numpy as np

        try:
            with (folder / "vectors.npz").open("rb") as file, np.load(file, allow_pickle=False) as saved:
                return cls(saved["ids"], saved["vectors"])
        except Exception as problem:  # noqa: BLE001  # numpy, zipfile and zlib each have errors of their own for a damaged file
            raise IndexDamaged(f"{folder / 'vectors.npz'} cannot be read: {problem}.") from None

    def save(self, folder: Path) -> None:
        import numpy as np

        np.savez(folder / "vectors.npz", ids=self._ids, vectors=self._vectors)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        import numpy as np

        last = {int(number): row for row, number in enumerate(ids)}  # an id given twice: the last one counts
        rows = list(last.values())
        self.remove(ids)
        self._ids = np.concatenate([self._ids, ids[rows]])
        self._vectors = np.concatenate([self._vectors, vectors[rows]])

    def remove(self, ids: Ids) -> None:
        import numpy as np

        kept = ~np.isin(self._ids, ids)
        self._ids, self._vectors = self._ids[kept], self._vectors[kept]

    def search(self, queries: Vectors, k: int, allowed: Ids | None = None) -> tuple[Vectors, Ids]:
        import numpy as np

        rows = np.arange(len(self)) if allowed is None else np.flatnonzero(np.isin(self._ids, allowed))
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        ids = np.full((len(queries), k), -1, dtype=np.int64)
        products = queries @ self._vectors[rows].T
        best = np.argsort(-products, axis=1, kind="stable")[:, :k]
        scores[:, : best.shape[1]] = np.take_along_axis(products, best, axis=1)
        ids[:, : best.shape[1]] = self._ids[rows][best]
        return scores, ids

    def vectors(self, ids: Ids) -> tuple[Ids, Vectors]:
        import numpy as np

        rows = np.flatnonzero(np.isin(self._ids, ids))
        return self._ids[rows], self._vectors[rows]

    def __len__(self) -> int:
        return len(self._ids)


class FakeWriter(Writer):
    """Says little, and takes every word of it from the record.

    :param argument: makes a writer of another spec: ``fake:other``.
    """

    name = "fake"
    summary = "For tests: repeats the record."

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        self.given: list[Trial] = []
        """Every trial it was given, to see that no writer learns of contacts."""

    def write(self, trial: Trial) -> PlainLanguage:
        self.given.append(trial)
        drugs = listed(one.name for one in trial.interventions)
        countries = listed(trial.countries)
        stopped = excerpt(one_line(trial.why_stopped) or NOT_STATED, 200)
        return PlainLanguage(
            writer=f"{self.name}:{self.argument}" if self.argument else self.name,
            headline=Sentence(excerpt(trial.title, 80).rstrip(".") or NOT_STATED, ("title",)),
            summary=(
                Sentence(f"What is tested: {excerpt(drugs, 200)}.", ("interventions",)),
                Sentence(f"Where: {excerpt(countries, 200)}.", ("sites",)),
            ),
            substance=(Sentence(f"Active substance: {excerpt(drugs, 200)}.", ("interventions",)),),
            could_lead_to=(Sentence(f"Its aim: {purpose(trial.primary_purpose)}.", ("primary_purpose",)),),
            could_go_wrong=(
                Sentence(f"The phase: {phase(trial.phases)}.", ("phases",)),
                Sentence(f"Why it stopped: {stopped}.", ("why_stopped",)),
            ),
            glossary=(
                Explanation("phase", "how far the testing of a treatment has come"),
                Explanation("placebo", "a look-alike without an active substance"),
            ),
        )


def sample_card(trial: Trial, *, contacts: bool = False, near: str | None = None) -> TrialPage:
    """The page of a trial as :class:`FakeWriter` tells it, its conditions normalised by no vocabulary.

    :param contacts: leave the contacts in; without it they are masked.
    :param near: a place that distances are from.
    """
    seen = {"first_seen": "2024-03-01", "last_updated": "2024-05-17", "last_checked": "2024-06-01"}
    return card(trial, seen=seen, writer=FakeWriter(), contacts=contacts, near=near, recognizer=ConceptRecognizer())

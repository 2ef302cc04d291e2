"""Trials that nobody runs: as many as wanted, made from a seed, with vectors that nobody had to encode.

What they are made to resemble was measured on real records (``docs/performance.md`` has both sides):

- *Texts*: how long each field is, and how often each word comes. Sentences are new ones, drawn word by word from which
  word follows which in the bundled sample; the names of illnesses come from the bundled word list, and one word in
  fifteen is an invented one, since a registry holds hundreds of thousands of rare words.
- *Vectors*: real embeddings, of the sample's passages and of the names in the word list, are the points to start from.
  A trial lies between one of them and one of its neighbours; its passages lie around it, by noise that has the
  covariance of the differences between neighbours, in an amount that differs from trial to trial.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trialindex import Encoder, Source, Trial, sample_index
from trialindex.plugin.interfaces import IngestContext
from trialindex.storage import vector_codec
from trialindex.trial import Arm, Intervention, Outcome, Site, Term, TrialDate
from trialindex.trial.passages import passages
from trialindex_minilm.encoder import MiniLM

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

CHUNK = 2_000
"""Trials that are drawn at once; each chunk has a generator of its own, so that any of them can be made again."""
SPREAD = (0.6, 1.2)
"""How much noise: from the closest to the loosest trial. Fitted to 200,000 real embeddings, see ``scale_fit.py``."""
SHARED = 0.2
"""The part of a passage's noise that it shares with the others of its trial."""
NEIGHBOURS = 10
WORD_LIST = Path(__file__).parent.parent / "plugins" / "trialindex_vocabulary" / "lexicon.tsv"
_SYLLABLES = "ab ac al am an ar bel cor dex el fen ga ib in ka lim lo mab mi nib no ol or pra ri sa ta ti ul vir xi zo"
_PLACES = (
    ("France", "Lyon", 45.76, 4.84),
    ("Germany", "Berlin", 52.52, 13.41),
    ("Spain", "Madrid", 40.42, -3.7),
    ("United States", "Boston", 42.36, -71.06),
    ("United States", "Houston", 29.76, -95.37),
    ("China", "Beijing", 39.9, 116.4),
    ("India", "Pune", 18.52, 73.86),
    ("Egypt", "Cairo", 30.04, 31.24),
)
RARE_PLACE = ("Iceland", "Reykjavik", 64.15, -21.94)


@dataclass(frozen=True)
class Model:
    """What trials are drawn from.

    :param points: real embeddings, ``(n, dimension)``.
    :param near: for each its nearest others, ``(n, NEIGHBOURS)``.
    :param names: for each the illnesses it is about.
    :param noise: a factor of the covariance of their differences.
    :param sentences: to build texts from.
    :param rare: invented words, the more frequent ones first.
    """

    points: Vectors
    near: np.ndarray
    names: Sequence[tuple[str, ...]]
    noise: Vectors
    sentences: Sequence[str]
    rare: Sequence[str]

    @classmethod
    def fitted(cls, encoder: Encoder, seed: int) -> Model:
        """From the sample and the word list, which are encoded for it: about half a minute."""
        texts, names, prose = [], [], []
        with sample_index() as index:
            for trial in index.trials():
                prose += [trial.summary or "", *trial.inclusion, *trial.exclusion]
                for passage in passages(trial):
                    texts.append(passage.text)
                    names.append(trial.conditions or (trial.title,))
        lines = WORD_LIST.read_text(encoding="utf-8").splitlines()[1:]
        terms = {name.strip() for line in lines for name in line.split("\t")[2].split(";")}
        texts += sorted(terms)
        names += [(name,) for name in sorted(terms)]
        return cls.of(encoder.encode_documents(texts), names, prose, seed)

    @classmethod
    def of(cls, points: Vectors, names: Sequence[tuple[str, ...]], prose: Sequence[str], seed: int) -> Model:
        """From embeddings, what each is about, and texts to learn from which word follows which."""
        near = np.argsort(-(points @ points.T), axis=1)[:, 1 : NEIGHBOURS + 1]
        differences = (points[:, None] - points[near]).reshape(-1, points.shape[1]) / np.sqrt(2)
        covariance = np.cov(differences.T) + 1e-7 * np.eye(points.shape[1])
        noise = np.linalg.cholesky(covariance).T.astype(np.float32)
        chance = random.Random(seed)
        return cls(points, near, names, noise, _sentences(prose, chance), _rare_words(chance))

    def keep(self, folder: Path) -> None:
        """Write it down, for :meth:`kept`."""
        np.savez(folder / "model.npz", points=self.points, near=self.near, noise=self.noise)
        (folder / "model.json").write_text(json.dumps([self.names, self.sentences, self.rare]), encoding="utf-8")

    @classmethod
    def kept(cls, folder: Path) -> Model:
        """The one that was written down in *folder*, so that what is measured is not how it was fitted."""
        names, sentences, rare = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "model.npz", allow_pickle=False) as arrays:
            return cls(
                arrays["points"], arrays["near"], [tuple(own) for own in names], arrays["noise"], sentences, rare
            )

    def vectors(self, count: int, chance: np.random.Generator) -> tuple[np.ndarray, Vectors]:
        """For *count* trials the two points each lies between, and the vectors of three passages each."""
        first = chance.integers(len(self.points), size=count)
        second = self.near[first, chance.integers(NEIGHBOURS, size=count)]
        share = chance.random((count, 1), dtype=np.float32)
        middle = share * self.points[first] + (1 - share) * self.points[second]
        loose = chance.uniform(*SPREAD, size=(count, 1, 1)).astype(np.float32)
        own = chance.standard_normal((count, 1, middle.shape[1]), dtype=np.float32)
        each = chance.standard_normal((count, 3, middle.shape[1]), dtype=np.float32)
        found = middle[:, None] + loose * ((SHARED**0.5 * own + (1 - SHARED) ** 0.5 * each) @ self.noise)
        found /= np.linalg.norm(found, axis=2, keepdims=True)
        return np.stack([first, second], axis=1), found


def _sentences(prose: Sequence[str], chance: random.Random, count: int = 40_000) -> list[str]:
    """New sentences, each word one that follows the word before somewhere in *prose*."""
    follows: dict[str, list[str]] = defaultdict(list)
    for sentence in (part for text in prose for part in re.split(r"(?<=[.;])\s", text)):
        said = sentence.rstrip(".;").split()
        for word, after in zip(["", *said], [*said, ""], strict=True):
            follows[word].append(after)
    made = []
    for _ in range(count):
        words: list[str] = []
        while len(words) < 24:
            word = chance.choice(follows[words[-1] if words else ""])
            if not word:
                break
            words.append(word)
        made.append(" ".join(words))
    return made


def _rare_words(chance: random.Random, count: int = 300_000) -> list[str]:
    syllables = _SYLLABLES.split()
    words = ("".join(chance.choices(syllables, k=chance.randint(2, 5))) for _ in range(count * 3 // 4))
    codes = (f"{''.join(chance.choices('ABCDEGKLMNPRSTX', k=3))}-{chance.randint(10, 9999)}" for _ in range(count // 4))
    return [*words, *codes]


class Trials:
    """Made-up trials by their number, from 0 on; the same seed makes the same ones."""

    def __init__(self, model: Model, seed: int) -> None:
        self._model = model
        self._seed = seed
        self._last: tuple[int, np.ndarray, Vectors] | None = None

    def drawn(self, start: int, end: int) -> Iterator[tuple[Trial, Vectors]]:
        """The trials from *start* up to *end*, each with the vectors of its passages."""
        for chunk in range(start // CHUNK, -(-end // CHUNK)):
            if self._last is None or self._last[0] != chunk:
                self._last = (chunk, *self._model.vectors(CHUNK, np.random.default_rng([self._seed, chunk])))
            _, points, vectors = self._last
            for at in range(max(start - chunk * CHUNK, 0), min(end - chunk * CHUNK, CHUNK)):
                number = chunk * CHUNK + at
                yield self._trial(number, points[at], random.Random(f"{self._seed} {number}")), vectors[at]

    def changed(self, numbers: Sequence[int], day: int) -> Iterator[tuple[Trial, Vectors]]:
        """These trials after an update in the registry on that day of a month: a longer summary, another date."""
        for number in numbers:
            trial, vectors = next(self.drawn(number, number + 1))
            chance = np.random.default_rng([self._seed, number, day])
            moved = vectors.copy()
            moved[1] += 0.3 * (chance.standard_normal(moved.shape[1], dtype=np.float32) @ self._model.noise)
            moved[1] /= np.linalg.norm(moved[1])
            words = self._prose(random.Random(f"{number} {day}"), 30, trial.conditions)
            yield (
                msgspec.structs.replace(
                    trial, summary=f"{trial.summary} {words}", last_updated=TrialDate(date=f"2026-03-{day:02d}")
                ),
                moved,
            )

    def _trial(self, number: int, points: np.ndarray, chance: random.Random) -> Trial:
        model = self._model
        names = tuple(dict.fromkeys(name for point in points for name in model.names[point]))[:4]
        drug = self._rare(chance)
        about = (*names, drug)

        def prose(words: float) -> str:
            return self._prose(chance, max(6, int(chance.lognormvariate(0, 0.5) * words * 0.88)), about)

        def listed(words: float) -> tuple[str, ...]:
            return tuple(prose(12) for _ in range(max(1, int(chance.lognormvariate(0, 0.6) * words / 22))))

        places = [chance.choice(_PLACES) for _ in range(min(60, int(chance.paretovariate(0.9))))]
        if chance.random() < 0.001:
            places.append(RARE_PLACE)
        phase = chance.random()
        lowest = chance.choice((18.0, 18.0, 18.0, None, 12.0, 50.0))
        return Trial(
            id=f"SYN{number:08d}",
            title=f"{drug.capitalize()} {chance.choice(model.sentences)[:60].rsplit(' ', 1)[0]} {names[0]}",
            official_title=f"A Study of {drug} in {names[0]}: {prose(12)}",
            source="synthetic",
            url=f"https://registry.example/SYN{number:08d}",
            other_ids=(f"{number * 7919 % 10**7:07d}",),
            summary=prose(93),
            description=prose(269) if chance.random() < 0.65 else None,
            conditions=names,
            normalized_conditions=tuple(Term(name=name) for name in names[:2]),
            keywords=(drug, *names[-1:]),
            study_type="INTERVENTIONAL" if chance.random() < 0.77 else "OBSERVATIONAL",
            phases=("EARLY_PHASE1",) if phase < 0.05 else ("PHASE2",) if phase < 0.4 else ("PHASE3",),
            status="RECRUITING" if chance.random() < 0.5 else chance.choice(("COMPLETED", "TERMINATED", "WITHDRAWN")),
            primary_purpose="TREATMENT",
            allocation="RANDOMIZED",
            masking="DOUBLE",
            enrollment=chance.randint(10, 900),
            sex=chance.choice(("ALL",) * 8 + ("FEMALE", "MALE")),
            minimum_age=lowest,
            maximum_age=chance.choice((None, None, 65.0, 75.0, 80.0)),
            inclusion=listed(116),
            exclusion=listed(152),
            arms=(Arm(label="Active", type="EXPERIMENTAL", description=prose(25)), Arm(label="Control")),
            interventions=(Intervention(name=drug, type="DRUG", description=prose(30)),),
            outcomes=tuple(
                Outcome(measure=prose(9), time_frame="12 weeks", description=prose(20))
                for _ in range(min(30, int(chance.lognormvariate(1.6, 0.8))))
            ),
            sites=tuple(
                Site(name=f"{self._rare(chance)} Hospital", city=city, country=country, latitude=north, longitude=east)
                for country, city, north, east in places
            ),
            sponsor=f"{self._rare(chance)} University",
            start_date=TrialDate(date=f"{chance.randint(2000, 2025)}-{chance.randint(1, 12):02d}"),
            last_updated=TrialDate(date=f"{chance.randint(2005, 2025)}-{chance.randint(1, 12):02d}-15"),
        )

    def _rare(self, chance: random.Random) -> str:
        """An invented word: the one at rank r comes about 1/r as often as the first."""
        return self._model.rare[int(len(self._model.rare) ** chance.random()) - 1]

    def _prose(self, chance: random.Random, words: int, about: Sequence[str]) -> str:
        made: list[str] = []
        while words > 0:
            sentence = chance.choice(self._model.sentences)
            if chance.random() < 0.35:
                sentence += f" in {chance.choice(about)}"
            if chance.random() < 0.7:
                sentence += f" with {self._rare(chance)}"
            made.append(sentence)
            words -= sentence.count(" ") + 1
        return ". ".join(made) + "."


class Prepared(MiniLM):
    """The default encoder, which has been told the vectors of the documents before it is asked for them.

    An ingest asks when all trials are read: they wait as bytes, which are those that the index keeps.
    """

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[bytes, bytes] = {}

    def expect(self, trial: Trial, vectors: Vectors) -> None:
        for passage, code in zip(passages(trial), vector_codec.encode(vectors), strict=True):
            self.known[_key(passage.text)] = code

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        vectors, _ = vector_codec.decode([self.known.pop(_key(text)) for text in texts], self.identity.dimension)
        return vectors


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class Synthetic(Source):
    """Made-up trials as a source.

    :param made: trials with their vectors.
    :param total: how many there will be.
    """

    name = "synthetic"
    summary = "Made-up trials, for benchmarks."

    def __init__(self, made: Iterator[tuple[Trial, Vectors]], total: int, encoder: Prepared) -> None:
        super().__init__()
        self._made, self._total, self._encoder = made, total, encoder

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        for done, (trial, vectors) in enumerate(self._made, start=1):
            self._encoder.expect(trial, vectors)
            yield trial
            if done % 256 == 0:
                context.progress(done, self._total)

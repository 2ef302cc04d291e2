"""Leave one illness out: is a trial shown as about an illness that none is about, and none where one is?

    python benchmarks/leave_one_out.py INDEX [--source ctgov-file] [--illnesses 150] [--unseen] [--single] [--verbose]

For each illness that at least two trials list, by normalised condition, the index is asked by its name, by an everyday
or short name that the lexicon has for it, and in a sentence; once as it is and once without the trials that name the
illness: as a condition, or by all words of its name, or by a concept that the name is as a whole. Prints, by kind of
question, how often nothing is said to be about the illness although trials are, and how often something is shown as
about it although none is.

The numbers of the model were chosen while looking at these questions. ``--unseen`` asks in other sentences and by other
everyday names, ``--single`` of the illnesses that one trial alone lists: neither was looked at, and what they find was
mended as a kind or not at all.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trialindex import Index, Trial
from trialindex.concepts.person import Person
from trialindex.concepts.tokens import natural_order, normalize
from trialindex.search import analysis, closeness
from trialindex.search.filters import Filters
from trialindex.search.query import Page, search
from trialindex.search.searcher import Searcher
from trialindex.search.words import content_words
from trialindex_vocabulary.lexicon import Lexicon

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids

SEED = 12
SENTENCES = (
    "My mother was diagnosed with {} last year, is there a trial she could join?",
    "looking for a new treatment for {}",
    "37 year old man with {}, standard treatment no longer works",
    "Are there any clinical trials for {} that I can take part in?",
    "{} study for my son",
)
UNSEEN_SENTENCES = (
    "has anyone got a study for {} going on at the moment?",
    "{} - my daughter has had it since she was 4 and nothing helps",
    "my uncle has been living with {} for ten years",
    "I was told I have {}. what can I do",
    "newly found {} in a 61 yo woman, any trial open?",
    "please help, {} is ruining my life",
)
"""Written before any answer to them was seen."""
NO_ILLNESS = {
    "healthy",
    "healthy volunteer",
    "surgery",
    "immunotherapy",
    "atopic healthy subject",
    "combat disorder",
    "children",
}
"""Conditions that trials list and nobody has."""


@dataclass(frozen=True)
class Partial(Searcher):
    """A searcher for which some trials are not there."""

    here: frozenset[int] = frozenset()

    def allowed(self, filters: Filters) -> Ids | None:
        return np.array(sorted(self.here), dtype=np.int64)


@dataclass(frozen=True)
class Case:
    """One question.

    :param about: numbers of the trials that name the illness.
    """

    illness: str
    kind: str
    text: str
    about: frozenset[int]


class Illnesses:
    """The illnesses that trials of an index list, and which trials name each."""

    def __init__(self, searcher: Searcher, source: str) -> None:
        self.searcher = searcher
        self._recognizer = searcher.recognizer()
        self._stems = searcher.derived.lexical.words
        trials = {stored.num: stored.trial for stored in searcher.records.all()}
        self.nums = frozenset(num for num, trial in trials.items() if not source or trial.source == source)
        self._names = {num: closeness.TrialNames(trials[num], self._recognizer) for num in self.nums}
        self._words = {num: set(self._stems(names.phrases)) for num, names in self._names.items()}
        self._listed: defaultdict[str, set[int]] = defaultdict(set)
        self._spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for num in self.nums:
            for condition in trials[num].conditions:
                concept = self._recognizer.lookup(condition)
                key = normalize(natural_order(concept.name if concept else condition))
                self._listed[key].add(num)
                self._spellings[key][condition] += 1
        self._everyday: defaultdict[str, list[str]] = defaultdict(list)
        for concept in Lexicon().concepts():
            if concept.kind in ("lay", "abbreviation"):
                self._everyday[normalize(concept.name)] += concept.names

    def cases(self, illnesses: int, *, unseen: bool = False, single: bool = False) -> Iterator[Case]:
        """Questions about that many illnesses, or all there are.

        :param unseen: in sentences and by everyday names that nothing was chosen by.
        :param single: about illnesses that one trial alone lists, in place of those that several do.
        """
        rng = random.Random(SEED + unseen)
        listed = {key: len(nums) for key, nums in self._listed.items() if key not in NO_ILLNESS}
        keys = sorted(key for key, count in listed.items() if (count == 1) == single)
        for key in keys[:illnesses] if len(keys) <= illnesses else sorted(rng.sample(keys, illnesses)):
            spellings = self._spellings[key]
            name = spellings.most_common(1)[0][0]
            about = self._listed[key].union(*map(self.naming, spellings))
            others = [one for one in self._everyday[key] if normalize(one) != normalize(name)]
            yield Case(key, "name", name, frozenset(about))
            if others:
                everyday = rng.choice(others)
                yield Case(key, "everyday", everyday, frozenset(about | self.naming(everyday)))
            yield Case(
                key, "sentence", rng.choice(UNSEEN_SENTENCES if unseen else SENTENCES).format(name), frozenset(about)
            )

    def naming(self, text: str) -> set[int]:
        """The trials whose names have every word of it, or a concept that it is as a whole."""
        words = set(self._stems(" ".join(content_words(text))))
        found = {num for num, held in self._words.items() if words and words <= held}
        for mention in self._recognizer.find(text):
            if not content_words(f"{text[: mention.start]} {text[mention.end :]}"):
                understood = analysis.understand(text, Person(), [mention], self.searcher.settings)
                for concept in map(closeness.ConceptNames, understood.concepts):
                    found |= {num for num, names in self._names.items() if concept.in_names(names)}
        return found


def without(searcher: Searcher, here: frozenset[int]) -> Partial:
    fields = {name: getattr(searcher, name) for name in searcher.__dataclass_fields__}
    return Partial(**fields, here=here)


def fails(searcher: Searcher, text: str, *, present: bool) -> tuple[bool, Trial | None]:
    """Whether nothing is said to be about an illness that is there, or a hit shown as about one that is not.

    :returns: with the closest hit.
    """
    answer = search(searcher, text, "hybrid", Filters(), Page())
    best = max(answer.hits, key=lambda hit: hit.closeness or 0.0, default=None)
    failed = answer.nothing_about if present else any(hit.level == "about" for hit in answer.hits)
    return failed, best.trial if best else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--source", default="", help="only trials of this source")
    parser.add_argument("--illnesses", type=int, default=150)
    parser.add_argument("--unseen", action="store_true", help="other sentences and everyday names")
    parser.add_argument("--single", action="store_true", help="illnesses that one trial alone lists")
    parser.add_argument("--verbose", action="store_true", help="print every wrong answer")
    options = parser.parse_args()
    wrong: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    with Index.open(options.index) as index, index.searcher() as searcher:
        illnesses = Illnesses(searcher, options.source)
        cases = list(illnesses.cases(options.illnesses, unseen=options.unseen, single=options.single))
        for case in cases:
            for state, here in (("present", illnesses.nums), ("absent", illnesses.nums - case.about)):
                failed, closest = fails(without(searcher, here), case.text, present=state == "present")
                wrong[state, case.kind].append(failed)
                if failed and options.verbose:
                    print(f"{state} {case.text!r}: {closest and (closest.id, closest.title, closest.conditions[:2])}")
    print(f"{len({case.illness for case in cases})} illnesses, {len(cases)} questions")
    for state, label in (
        ("present", "said to be absent although present"),
        ("absent", "shown as about although absent"),
    ):
        every = [failed for (of, _), several in wrong.items() if of == state for failed in several]
        kinds = ", ".join(
            f"{kind} {sum(several)} of {len(several)}" for (of, kind), several in wrong.items() if of == state
        )
        print(f"{label}: {np.mean(every):.1%} ({kinds})")


if __name__ == "__main__":
    main()

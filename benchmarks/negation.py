"""How strongly do what is ruled out, the state of a biomarker and a healthy person have to count?

    python benchmarks/negation.py INDEX

For trials that list two illnesses A and B it asks "A, no B", and counts in how many answers the first trial asks for
B. It asks about negative biomarkers and for healthy volunteers, and counts how many of the first ten are for those. All
of it for several strengths; of the state they are tenths of what a trial lacks.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from trialindex.index import Index
from trialindex.plugin.results import Hit, Results
from trialindex.search.filters import Filters
from trialindex.search.query import Page, search
from trialindex.search.searcher import Searcher

STRENGTHS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
MOST = 300
"""Questions of the first kind that are tried."""
LOOK = 10
"""Trials of an answer about a state that are counted."""
SEEN = 50
"""Trials of an answer among which both kinds have to be."""
STATES = [
    *("breast cancer, HER2 negative", "metastatic breast cancer HER2-", "breast cancer, ER negative"),
    *("non-small cell lung cancer, EGFR wild type", "lung cancer EGFR negative", "lung cancer ALK negative"),
    *("colorectal cancer KRAS wild type", "metastatic colon cancer RAS wild type", "melanoma BRAF wild type"),
    *("acute myeloid leukemia FLT3 negative", "acute lymphoblastic leukemia Philadelphia negative"),
    *("chronic lymphocytic leukemia without 17p deletion", "ovarian cancer BRCA negative"),
    *("lymphoma, HIV negative", "gastric cancer HER2 negative"),
]
HEALTHY = [
    "healthy volunteer",
    "healthy volunteer, 30",
    "I am healthy and want to take part in a study",
    "healthy man, 45",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    options = parser.parse_args()
    with Index.open(options.index) as index, index.searcher() as searcher:
        print("strength  ruled out is first  for the state  healthy")
        pairs = [pair for pair in two_illnesses(searcher) if _decides(ask(searcher, _question(pair)))]
        for strength in STRENGTHS:
            settings = replace(
                searcher.settings, ruled_out_penalty=strength, state_share=strength / 10, healthy_gain=strength
            )
            asked = replace(searcher, settings=settings)
            first = sum(asks(ask(asked, _question(pair)).hits[0]) for pair in pairs)
            state, healthy = _share(asked, STATES, "state"), _share(asked, HEALTHY, "healthy")
            print(f"{strength:8}  {first / max(1, len(pairs)):.3f} of {len(pairs):8}  {state:13.3f}  {healthy:7.3f}")


def _question(pair: tuple[str, str]) -> str:
    return f"{pair[0]}, no {pair[1]}"


def two_illnesses(searcher: Searcher) -> Iterator[tuple[str, str]]:
    """Illnesses that one trial lists, the second of which not every trial of the first lists."""
    recognizer = searcher.recognizer()
    listed: defaultdict[str, list[set[str]]] = defaultdict(list)
    for stored in searcher.records.load(range(1, len(searcher.records) + 1)):
        names = set()
        for condition in stored.trial.conditions[:4]:
            concept = recognizer.lookup(condition)
            if concept is not None and concept.kind in ("disease", "lay"):
                names.add(concept.name)
        for name in names:
            listed[name].append(names)
    found = 0
    for first, second in sorted(
        {pair for trials in listed.values() for names in trials for pair in permutations(names, 2)}
    ):
        alone = sum(second not in names for names in listed[first])
        if alone and found < MOST and not set(first.split()) & set(second.split()):
            found += 1
            yield first, second


def ask(searcher: Searcher, text: str) -> Results:
    return search(searcher, text, "hybrid", Filters(), Page(limit=SEEN))


def asks(hit: Hit) -> bool:
    """Whether a trial asks for what the question rules out."""
    return any("which you ruled out" in said for said in hit.cautions)


def _decides(answer: Results) -> bool:
    """Whether trials about the illness are seen that ask for the other, and some that do not."""
    return {asks(hit) for hit in answer.hits if hit.level == "about"} == {True, False}


def _share(searcher: Searcher, questions: list[str], part: str) -> float:
    """The share of the first ten that are for what the questions say."""
    hits: list[Hit] = [hit for text in questions for hit in ask(searcher, text).hits[:LOOK]]
    return sum(part in hit.parts for hit in hits) / max(1, len(hits))


if __name__ == "__main__":
    main()

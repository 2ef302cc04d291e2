"""How often what is named or proposed first is the first condition that a model wrote for the same text.

::

    python benchmarks/main_problem.py KEYWORDS.json COLLECTION INDEX [READER]

Of each text it takes the first proposal of READER (``rules`` unless given; ``""`` for none), or without one the main
problem that was understood, and looks whether it is the first condition of ``KEYWORDS.json``: the same by any name that
the vocabularies have, or a broader or narrower one, by the vocabularies or because one name has all the words of the
other.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.concepts.tokens import normalize
from trialindex.index import Index
from trialindex.search.analysis import main_problem
from trialindex.search.filters import Filters
from trialindex.search.proposals import find_reader
from trialindex.search.question import read_question
from trialindex.search.retrieval import rank


def names_of(name: str, recognizer: ConceptRecognizer) -> set[str]:
    """All names of what a name says: of the whole, else of what is inside it."""
    mentions = [one for one in recognizer.find(name) if not one.general]
    meant = [one for one in mentions if one.text == name] or mentions
    concepts = [concept for one in meant for concept in one.concepts]
    return {normalize(word) for one in concepts for word in (one.name, *one.names)} | {normalize(name)}


def related(one: str, other: str, recognizer: ConceptRecognizer) -> bool:
    """Whether two names say the same, or one of them a kind of the other."""
    names, others = names_of(one, recognizer), names_of(other, recognizer)
    for first, second in ((one, others), (other, names)):
        concept = recognizer.lookup(first)
        below = recognizer.narrower(concept) if concept else []
        if second & {normalize(word) for kind in below for word in (kind.name, *kind.names)}:
            return True
    words = set(normalize(one).split()), set(normalize(other).split())
    return bool(names & others) or words[0] <= words[1] or words[1] <= words[0]


def main(keywords: str, collection: str, folder: str, reader: str = "rules") -> None:
    recorded = json.loads(Path(keywords).read_text(encoding="utf-8"))
    lines = (Path(collection) / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    texts = {query["_id"]: query["text"] for query in map(json.loads, lines) if query["_id"] in recorded}
    recognizer, hits = ConceptRecognizer.load(), 0
    with Index.open(folder) as index, index.searcher() as searcher:
        chosen = find_reader(reader or None, index.plugins)
        for name, text in texts.items():
            # an answer tells of those proposals alone that the text does not name
            found = rank(read_question(searcher, text, "hybrid", Filters(), reader=chosen), searcher, 10).question
            problem, proposals = main_problem(found.understood), found.proposed.proposals
            first = proposals[0].condition if proposals else problem.name if problem else ""
            wanted = recorded[name]["conditions"][0]
            right = bool(first) and related(first, wanted, recognizer)
            hits += right
            print(f"{'+' if right else '-'} {name}: {first or 'nothing'} / {wanted}")
    print(f"{hits} of {len(texts)}: {hits / len(texts):.0%}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Abbreviations and other languages: is a question read as it was meant?

    python benchmarks/reading.py --index INDEX

Without an index the meanings of abbreviations are told apart by the question alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from trialindex.concepts.interpretation import IndexVocabulary, Interpreter
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.index import Index
from trialindex.search.index_words import IndexWords

CASES = Path(__file__).with_name("reading")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", help="the index that is asked")
    options = parser.parse_args()
    recognizer = ConceptRecognizer.load()
    reader = Reader(recognizer)
    with ExitStack() as opened:
        words = None
        if options.index:
            index = opened.enter_context(Index.open(options.index))
            searcher = opened.enter_context(index.searcher())
            words = IndexWords(searcher.derived, searcher.records)
        report("abbreviations", (reader.abbreviation(case, words) for case in cases("abbreviations")))
        report("questions in other languages", (reader.language(case, words) for case in cases("languages")))
        names = [t for one in recognizer.vocabularies for t in one.translations()]
        table = ({"language": t.language, "question": t.name, "expected": t.english} for t in names)
        report("names in other languages", (reader.language(case, words) for case in table))


def cases(name: str) -> Iterator[dict[str, Any]]:
    for line in (CASES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def report(what: str, answers: Iterator[tuple[bool, str]]) -> None:
    """Print how many are right, and those that are not."""
    right = total = 0
    for good, said in answers:
        total += 1
        right += good
        if not good:
            print(f"  {said}")
    print(f"{what}: {right} of {total} right, {right / total:.3f}")


class Reader:
    """Reads cases.

    :param recognizer: takes names to their concepts.
    """

    def __init__(self, recognizer: ConceptRecognizer) -> None:
        self._recognizer = recognizer
        self._interpreter = Interpreter(recognizer)

    def abbreviation(self, case: dict[str, Any], words: IndexVocabulary | None) -> tuple[bool, str]:
        """Whether a case of ``abbreviations.jsonl`` is read rightly, and what was read."""
        read = self._interpreter.interpret(case["question"], words)
        short = case["abbreviation"].casefold()
        meanings = [one.meanings for one in read.readings if one.abbreviation.casefold() == short]
        if case["reads"] == "word":
            good = not meanings
        elif case["reads"] == "open":
            good = any(len(one) > 1 for one in meanings)
        elif meanings:
            good = any(len(one) == 1 and self._same(one[0], case["expected"]) for one in meanings)
        else:  # one of the lexicon's own, or a name that the abbreviation is part of
            good = case["expected"] is not None and self._names(read.text, case["expected"])
        return good, f"{case['question']} | {case['expected'] or case['reads']} | {meanings}"

    def language(self, case: dict[str, Any], words: IndexVocabulary | None) -> tuple[bool, str]:
        """Whether a case of ``languages.jsonl`` is read rightly, and what was read."""
        read = self._interpreter.interpret(case["question"], words)
        if case["expected"] is None:
            good = not any(not mention.general for mention in self._recognizer.find(read.text))
        else:
            good = self._names(read.text, case["expected"])
        return good, f"{case['language']} | {case['question']} | {case['expected']} | {read.text}"

    def _same(self, one: str, other: str) -> bool:
        return self._concept(one) == self._concept(other)

    def _concept(self, name: str) -> str:
        concept = self._recognizer.lookup(name)
        return (concept.name if concept else name).casefold()

    def _names(self, text: str, expected: str) -> bool:
        """Whether a text has the name or another of the same concept."""
        found = {name.casefold() for mention in self._recognizer.find(text) for name in mention.names}
        return expected.casefold() in text.casefold() or self._concept(expected) in found


if __name__ == "__main__":
    main()

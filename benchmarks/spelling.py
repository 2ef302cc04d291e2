"""Typing errors: are they read as they were meant, and is a right word left alone?

    python benchmarks/spelling.py --index INDEX --studies ../shared/data/ctgov-v2/studies.jsonl.gz

The illnesses are those that most of the studies list and the vocabularies know, each by the name that most studies use.
In each, one and then two typing errors are made from a seed: a letter left out, doubled or put in, two letters that
change places, or another letter, half of the time that of a key beside it. Right is a question in which the illness is
found that was there before the errors.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trialindex.concepts.interpretation import Interpreter
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.index import Index
from trialindex.search.index_words import IndexWords

LETTERS = "abcdefghijklmnopqrstuvwxyz"
OTHER_KINDS = {"drug", "procedure"}
"""What studies list among their conditions that is no illness."""
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", required=True, help="the index whose words count")
    parser.add_argument("--studies", required=True, type=Path, help="ClinicalTrials.gov studies, JSON lines with gzip")
    parser.add_argument("--illnesses", type=int, default=300)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--show", action="store_true", help="print what was read wrongly")
    parser.add_argument("--unchanged", type=Path, nargs="*", default=[], help="queries.jsonl whose changes are printed")
    options = parser.parse_args()
    recognizer = ConceptRecognizer.load()
    interpreter = Interpreter(recognizer)
    names = common_illnesses(options.studies, recognizer, options.illnesses)
    with Index.open(options.index) as index, index.searcher() as searcher:
        words = IndexWords(searcher.derived, searcher.records)
        changed = [name for name in names if interpreter.interpret(name, words).corrections]
        print(f"{len(names)} illnesses; {len(changed)} rightly spelt names changed: {changed}")
        for errors in (1, 2):
            rng = random.Random(options.seed)
            right = 0
            for name in names:
                typed = name
                while typed == name:
                    for _ in range(errors):
                        typed = make_error(typed, rng)
                read = interpreter.interpret(typed, words)
                good = concepts(name, recognizer) & concepts(read.text, recognizer) != set()
                right += good
                if options.show and not good:
                    print(f"  {name} | {typed} | {read.text}")
            print(f"{errors} error{'s' * (errors > 1)}: {right} of {len(names)} right, {right / len(names):.3f}")
        for path in options.unchanged:
            queries = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
            changes = [
                (one.typed, one.read) for query in queries for one in interpreter.interpret(query, words).corrections
            ]
            print(f"{path}: {len(changes)} changes in {len(queries)} queries: {changes}")


def common_illnesses(path: Path, recognizer: ConceptRecognizer, count: int) -> list[str]:
    """The illnesses that most studies list, each by the name that is used most."""
    written: dict[str, Counter[str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            listed = json.loads(line)["protocolSection"]["conditionsModule"].get("conditions", [])
            for name in {one.strip() for one in listed if not one.isupper()}:
                concept = recognizer.lookup(name)
                if concept is None or not re.fullmatch(r"[A-Za-z' -]{4,}", name) or concept.kind in OTHER_KINDS:
                    continue
                if not any(mention.general for mention in recognizer.find(name)):
                    written.setdefault(concept.name.lower(), Counter())[name.lower()] += 1
    common = sorted(written.values(), key=lambda found: (-found.total(), min(found)))[:count]
    return [max(found, key=lambda name: found[name]) for found in common]


def make_error(text: str, rng: random.Random) -> str:
    """The text with one typing error, where there are words of three letters or more."""
    places = [at for match in re.finditer(r"[a-z]{3,}", text) for at in range(*match.span())]
    at = rng.choice(places)
    letter = text[at]
    kind = rng.choice(["substitution", "deletion", "insertion", "transposition"])
    if kind == "deletion":
        return text[:at] + text[at + 1 :]
    if kind == "insertion":
        return text[:at] + rng.choice([letter, *near(letter)]) + text[at:]
    if kind == "transposition" and at + 1 in places:
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    other = rng.choice(near(letter)) if rng.random() < 0.5 else rng.choice(LETTERS.replace(letter, ""))
    return text[:at] + other + text[at + 1 :]


def near(letter: str) -> list[str]:
    """The keys beside a letter on the keyboard."""
    row = next(row for row, letters in enumerate(KEYBOARD) if letter in letters)
    at = KEYBOARD[row].index(letter)
    rows = KEYBOARD[max(0, row - 1) : row + 2]
    return sorted({key for letters in rows for key in letters[max(0, at - 1) : at + 2]} - {letter})


def concepts(text: str, recognizer: ConceptRecognizer) -> set[str]:
    """The names of what a text says."""

    def found() -> Iterator[str]:
        for mention in recognizer.find(text):
            if not mention.general:
                yield from (concept.name.lower() for concept in mention.concepts)

    return set(found())


if __name__ == "__main__":
    main()

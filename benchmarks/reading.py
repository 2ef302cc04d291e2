"""Abbreviations, what is ruled out, what is asked for besides an illness, other languages: is it read as it was meant?

    python benchmarks/reading.py --index INDEX

Without an index the meanings of abbreviations are told apart by the question alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from trialindex.concepts.interpretation import IndexVocabulary, Interpreter
from trialindex.concepts.person import read_person
from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex.concepts.tokens import normalize, read_words
from trialindex.index import Index
from trialindex.plugin.results import Constraint
from trialindex.search.constraints import add_person, add_treatments, read_constraints
from trialindex.search.filters import Filters
from trialindex.search.index_words import IndexWords
from trialindex.trial.countries import country_code, place_key

CASES = Path(__file__).with_name("reading")
NEGATION = ("negation", "negation-held-out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", help="the index that is asked")
    parser.add_argument("--held-out", action="store_true", help="also what is kept back to be looked at once")
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
        for name in NEGATION:
            report(name, (reader.negation(case, side, words) for case in cases(name) for side in "ab"))
        report("questions in other languages", (reader.language(case, words) for case in cases("languages")))
        for name in ("asks", "asks-held-out") if options.held_out else ("asks",):
            report(f"{name}: what is asked for besides the illness", map(reader.constraints, cases(name)))
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

    def negation(self, case: dict[str, Any], side: str, words: IndexVocabulary | None) -> tuple[bool, str]:
        """Whether one text of a pair of ``negation.jsonl`` is read rightly, and what was read.

        What is ruled out is not searched for; what is asserted is searched for and said of the patient; what is neither
        is not ruled out and not said of the patient.
        """
        text, wrong = case[f"text_{side}"], []
        read = self._interpreter.interpret(text, words)
        searched, context, _ = self._recognizer.read(read.text)
        told = {one.name: one.state for one in read.biomarkers}
        for phrase in case[f"negated_{side}"]:
            if self._occurrences(phrase, read.text) >= self._occurrences(phrase, text):
                wrong.append(f"not ruled out: {phrase}")
        for phrase in [*case[f"asserted_{side}"], *case[f"neither_{side}"]]:
            patients = phrase in case[f"asserted_{side}"]
            places = list(_places(normalize(phrase).split(), searched.keys))
            said = [context.words[at] for at in places]
            if not places:
                good = patients and (
                    phrase in {one.abbreviation for one in read.readings} or self._names(read.text, phrase)
                )
            elif patients:
                good = any(not (one.negated or one.family or one.possible) for one in said)
            else:
                good = all((one.family or one.possible) and not one.negated for one in said)
            if not good:
                wrong.append(f"{'not asserted' if patients else 'asserted or ruled out'}: {phrase}")
        for name, state in case[f"biomarkers_{side}"].items():
            if told.get(name) != state:
                wrong.append(f"{name} {told.get(name)}, not {state}")
        others = {name: state for name, state in told.items() if name not in case[f"biomarkers_{side}"]}
        wrong += [f"{name} {state}" for name, state in others.items() if state != "positive"]
        return not wrong, f"{text} | {read.text} | {', '.join(read.ruled_out)} | {'; '.join(wrong)}"

    @staticmethod
    def _occurrences(phrase: str, text: str) -> int:
        return sum(1 for _ in _places(normalize(phrase).split(), read_words(text).keys))

    def constraints(self, case: dict[str, Any]) -> tuple[bool, str]:
        """Whether a case of ``asks.jsonl`` is read rightly, all of it and no more, and what was read."""
        text = case["question"]
        found = read_constraints(text, Filters(), self._recognizer.find)
        said = self._interpreter.interpret(found.text).text
        found = add_treatments(add_person(found, read_person(text), Filters()), said, self._recognizer.find(said))
        read = dict(map(_as_expected, found.told))
        wanted = dict(case["expected"])
        if wanted.get("place", "").isdecimal() and "place" in read:  # where it lies depends on what is installed
            read["place"] = wanted["place"]
        if wanted.get("place") and place_key(wanted["place"]) in place_key(str(read.get("place"))):
            read["place"] = wanted["place"]
        if wanted.get("treatment") and self._same(wanted["treatment"], str(read.get("treatment"))):
            read["treatment"] = wanted["treatment"]
        return read == wanted, f"{text} | {wanted} | {read}"

    def _same(self, one: str, other: str) -> bool:
        return self._concept(one) == self._concept(other)

    def _concept(self, name: str) -> str:
        concept = self._recognizer.lookup(name)
        return (concept.name if concept else name).casefold()

    def _names(self, text: str, expected: str) -> bool:
        """Whether a text has the name or another of the same concept."""
        found = {name.casefold() for mention in self._recognizer.find(text) for name in mention.names}
        return expected.casefold() in text.casefold() or self._concept(expected) in found


def _places(phrase: Sequence[str], keys: Sequence[str]) -> Iterator[int]:
    """Where the words of a phrase stand one after the other."""
    length = len(phrase)
    return (at for at in range(len(keys) - length + 1) if list(keys[at : at + length]) == list(phrase))


def _as_expected(constraint: Constraint) -> tuple[str, Any]:
    """What was read as a case writes it."""
    filters, kind = constraint.filters, constraint.kind
    if filters:
        parsed = Filters.parse(**filters)  # type: ignore[arg-type]
        if "country" in filters:
            return "country", country_code(str(filters["country"]))
        name = next(iter(filters))
        value = getattr(parsed, name)
        return (
            ("place", constraint.meaning)
            if name == "near"
            else (name, list(value) if isinstance(value, tuple) else value)
        )
    return (
        ("no_placebo", True)
        if kind == "placebo"
        else (kind, constraint.said if kind == "treatment" else constraint.meaning)
    )


if __name__ == "__main__":
    main()

"""Measure what the reader ``rules`` proposes: for notes that name no illness, and for texts that name theirs.

::

    python benchmarks/finding_notes.py INDEX [NOTES.jsonl]
    python benchmarks/finding_notes.py INDEX --named

Without ``--named``: a note counts if the illness it was written about, or another name that counts as right, is among
what is proposed, by its own name or by one that ``other-names.tsv`` has for it; and if one of the first ten trials is
about it.
``benchmarks/findings/README.md`` says where the notes are from.

With ``--named``, of the descriptions in ``encoder_training/patients.jsonl`` up to 200 are drawn, by a seed, whose main
problem, as it is understood without a reader, is what their trial is about. A description is harmed if the first trial
about that problem comes later with what the reader proposes than without.

A trial is about an illness if a condition of it, or of a record without conditions its title, names that, or a broader
or narrower term by the vocabularies.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from main_problem import related

from trialindex.concepts.loading import load_recognizer
from trialindex.index import Index
from trialindex.plugin.registry import plugins
from trialindex.plugin.results import Results
from trialindex.search.analysis import main_problem
from trialindex.trial import Trial

HERE = Path(__file__).parent
FOLDER = HERE / "findings"
PATIENTS = HERE / "encoder_training" / "patients.jsonl"
SEED, DRAWN = 15, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index")
    parser.add_argument("notes", nargs="?", default=str(FOLDER / "held-out.jsonl"))
    parser.add_argument("--named", action="store_true", help="texts that name their illness")
    options = parser.parse_args()
    with Index.open(options.index) as index:
        measure_named(index) if options.named else measure_notes(index, Path(options.notes))


def measure_notes(index: Index, path: Path) -> None:
    """How often the illness of a note is proposed, and found."""
    _, *lines = (FOLDER / "other-names.tsv").read_text(encoding="utf-8").splitlines()
    also = {illness: set(names.casefold().split("|")) for illness, _, names in (line.partition("\t") for line in lines)}
    index.query("a fever", limit=1)  # compiles the table
    notes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    first = among = found = 0
    seconds = []
    for note in notes:
        right = {name.casefold() for name in (note["illness"], *note["also"])}
        started = time.perf_counter()
        answer = index.query(note["text"], limit=10)
        seconds.append(time.perf_counter() - started)
        hits = [bool(({one.condition.casefold()} | also.get(one.condition, set())) & right) for one in answer.proposals]
        first, among = first + any(hits[:1]), among + any(hits[:5])
        found += first_about(answer, (note["illness"], *note["also"])) is not None
    count = len(notes)
    print(f"{count} notes: the illness is proposed first in {first} ({first / count:.1%}),", end=" ")
    print(
        f"among five in {among} ({among / count:.1%}), in the first ten trials in {found} ({found / count:.1%});",
        end=" ",
    )
    print(f"p50 {statistics.median(seconds) * 1000:.0f} ms an answer")


def measure_named(index: Index) -> None:
    """How often the first trial about an illness that is named comes later because of what is proposed."""
    rows = [json.loads(line) for line in PATIENTS.read_text(encoding="utf-8").splitlines()]
    texts = [(one["trial"], one[kind]) for one in rows if one["trial"] in index for kind in ("note", "lay")]
    random.Random(SEED).shuffle(texts)
    count = proposed = later = gone = earlier = 0
    for trial, text in texts:
        if count == DRAWN:
            break
        plain = index.query(text, limit=10, reader=None, explain=True, anyway=True)
        assert plain.understood is not None
        problem = main_problem(plain.understood)
        if problem is None or problem.kind != "illness" or not is_about(index.get(trial), (problem.name,)):
            continue
        read = index.query(text, limit=10, anyway=True)
        before, after = (first_about(one, (problem.name,)) for one in (plain, read))
        count, proposed = count + 1, proposed + bool(read.proposals)
        if before and (after is None or after > before):
            later, gone = later + 1, gone + (after is None)
            print(f"- {trial} {problem.name}: {before} to {after}; {[one.condition for one in read.proposals]}")
        earlier += bool(after and (before is None or after < before))
    print(
        f"{count} texts that name their illness, {proposed} with proposals: the first trial about it comes later",
        end=" ",
    )
    print(f"in {later} ({later / count:.1%}), of which after the first ten in {gone}; earlier in {earlier}")


def first_about(answer: Results, names: Iterable[str]) -> int | None:
    """The rank of the first hit about any of these; ``None`` if there is none."""
    names = tuple(names)
    return next((hit.rank for hit in answer.hits if is_about(hit.trial, names)), None)


def is_about(trial: Trial, names: Iterable[str]) -> bool:
    """Whether a trial is about any of these illnesses."""
    conditions = trial.conditions or named_in(trial.title)
    return any(same_or_kind(condition, name) for condition in conditions for name in names)


@cache
def same_or_kind(one: str, other: str) -> bool:
    return related(one, other, load_recognizer(plugins()))


@cache
def named_in(title: str) -> tuple[str, ...]:
    """What a title names that is no treatment."""
    mentions = load_recognizer(plugins()).find(title)
    treatments = {"drug", "procedure"}
    return tuple(
        one.names[0] for one in mentions if not one.general and treatments.isdisjoint(c.kind for c in one.concepts)
    )


if __name__ == "__main__":
    main()

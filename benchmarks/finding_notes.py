"""Measure what the reader ``rules`` proposes for notes that name no illness.

::

    python benchmarks/finding_notes.py [NOTES.jsonl]

A note counts if the illness it was written about, or another name that counts as right, is among the proposals: by its
own name or by one that ``other-names.tsv`` has for it. ``benchmarks/findings/README.md`` says where they are from.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from trialindex.concepts.recognizer import ConceptRecognizer
from trialindex_readers.rules import RulesReader

FOLDER = Path(__file__).parent / "findings"
NOTES = FOLDER / "held-out.jsonl"


def main(path: str = str(NOTES)) -> None:
    reader, recognizer, seconds = RulesReader(), ConceptRecognizer.load(), []
    _, *lines = (FOLDER / "other-names.tsv").read_text(encoding="utf-8").splitlines()
    also = {illness: set(names.casefold().split("|")) for illness, _, names in (line.partition("\t") for line in lines)}
    reader.propose("a fever", recognizer)  # compiles the table
    first = among = count = 0
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        right = {name.casefold() for name in (note["illness"], *note["also"])}
        started = time.perf_counter()
        proposals = reader.propose(note["text"], recognizer)
        seconds.append(time.perf_counter() - started)
        hits = [bool(({one.condition.casefold()} | also.get(one.condition, set())) & right) for one in proposals]
        count, first, among = count + 1, first + any(hits[:1]), among + any(hits[:5])
    print(f"{count} notes: the illness is proposed first in {first} ({first / count:.1%}),", end=" ")
    print(f"among five in {among} ({among / count:.1%}); p50 {statistics.median(seconds) * 1000:.1f} ms a note")


if __name__ == "__main__":
    main(*sys.argv[1:])

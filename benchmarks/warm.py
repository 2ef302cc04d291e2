"""How long a warm index takes to answer: two versions in one run, which take turns at every text.

    python benchmarks/warm.py INDEX --against /path/to/other/bin/python
    python benchmarks/warm.py INDEX --against PYTHON --other-index INDEX --notes QUERIES

Each version is a process of its own that holds the index open. Time is that of the processor, of all threads together,
and beside it that of the clock. Each text is asked once, since a version may remember what it has read; the first ten
texts of each kind warm up and are not counted. Questions are the first ten words of those of
``benchmarks/lay``, and short ones; notes are those of a collection in the form of ``trialindex eval``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

WORKER = """
import json, sys, time
from trialindex import Index
with Index.open(sys.argv[1]) as index:
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        index.query(json.loads(line))
        print(time.process_time() - cpu, time.perf_counter() - wall, flush=True)
"""
SHORT = """
severe lupus kidney; breast cancer; childhood asthma; peanut allergy; type 2 diabetes; knee osteoarthritis; atopic
dermatitis; heart failure; multiple sclerosis; prostate cancer; chronic migraine; ulcerative colitis; postpartum
depression; sickle cell disease; cystic fibrosis; hip fracture; alcohol dependence; macular degeneration; bipolar
disorder; cervical cancer screening; food allergy children; acute kidney injury; hepatitis C; smoking cessation; sleep
apnea; restless legs; Parkinson tremor; rheumatoid arthritis pain; preterm birth; stroke rehabilitation
"""
"""Questions of two or three words."""
_WARMING = 10
QUESTIONS = Path(__file__).parent / "lay" / "queries.jsonl"


class Version:
    """One version, ready to be asked."""

    def __init__(self, python: str, index: str) -> None:
        self._process = subprocess.Popen(
            [python, "-P", "-c", WORKER, index], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, text: str) -> tuple[float, float]:
        """Milliseconds of the processor and of the clock."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(text), file=self._process.stdin, flush=True)
        cpu, wall = map(float, self._process.stdout.readline().split())
        return 1000 * cpu, 1000 * wall


def read_texts(path: Path) -> list[str]:
    """The texts of a collection."""
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", metavar="INDEX")
    parser.add_argument("--against", required=True, metavar="PYTHON", help="that of the other version")
    parser.add_argument("--other-index", metavar="INDEX", help="the same trials as the other version keeps them")
    parser.add_argument("--notes", type=Path, metavar="FILE")
    options = parser.parse_args()
    texts = {
        "ten words": [" ".join(text.split()[:10]) for text in read_texts(QUESTIONS)],
        "two or three words": [" ".join(text.split()) for text in SHORT.split(";")],
        "notes": read_texts(options.notes) if options.notes else [],
    }
    this = Version(sys.executable, options.index)
    other = Version(options.against, options.other_index or options.index)
    print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores, milliseconds")
    print(f"{'':<22}{'texts':>6}{'':>12}{'this':>8}{'other':>8}{'ratio':>8}")
    for name, asked in texts.items():
        for text in asked[:_WARMING]:
            this.ask(text), other.ask(text)
        taken = [(this.ask(text), other.ask(text)) for text in asked[_WARMING:]]
        for row, what in enumerate(("processor", "clock")):
            for share in (0.5, 0.95) if taken else ():
                mine, theirs = (percentile((one[version][row] for one in taken), share) for version in (0, 1))
                label = f"{what} p{share * 100:.0f}"
                print(f"{name:<22}{len(taken):>6}{label:>15}{mine:>8.1f}{theirs:>8.1f}{mine / theirs:>8.2f}")


if __name__ == "__main__":
    main()

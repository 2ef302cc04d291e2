"""Fuzzing: ``python tests/fuzz/fuzz.py --minutes 10 --seed 1``.

Each case has a number from which alone it is made, so that it can be run again: ``--target csv_file --case 12345``.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:1] = [str(ROOT / "tests"), str(ROOT), str(ROOT / "plugins")]

from fuzz.targets import TARGETS  # noqa: E402
from support.hostile_cases import within  # noqa: E402

SLOW = 20.0
"""Seconds that no input may take."""


def run(name: str, case: int) -> str | None:
    """One case of one target.

    :returns: what went wrong, with where.
    """
    try:
        with within(SLOW):
            TARGETS[name](random.Random(f"{name} {case}"))
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt):
            raise
        frames = [f for f in traceback.extract_tb(problem.__traceback__) if str(ROOT) in f.filename]
        inner = [f for f in frames if "/tests/" not in f.filename] or frames
        where = f"{Path(inner[-1].filename).relative_to(ROOT)}:{inner[-1].lineno}" if inner else "?"
        return f"{name}: {type(problem).__name__} at {where}: {ascii(str(problem))[:200]}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    parser.add_argument("--case", type=int, help="Run this case alone, with its whole traceback.")
    given = parser.parse_args()
    names = given.target or list(TARGETS)
    if given.case is not None:
        for name in names:
            TARGETS[name](random.Random(f"{name} {given.case}"))
        return 0
    end = time.monotonic() + given.minutes * 60
    tried: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    found: dict[str, tuple[int, str]] = {}
    case = given.seed * 100_000_000
    while time.monotonic() < end:
        case += 1
        name = min(names, key=lambda one: spent[one])  # each gets the same time
        started = time.monotonic()
        problem = run(name, case)
        spent[name] += time.monotonic() - started  # type: ignore[assignment]
        tried[name] += 1
        if problem is not None:
            key = problem.partition(": ")[2].partition(": ")[0]
            if key not in found:
                found[key] = (case, problem)
                print(f"case {case}: {problem}", flush=True)
    for name in names:
        print(f"{name:14} {tried[name]:>9,} inputs in {spent[name]:.0f} s")
    print(f"{sum(tried.values()):,} inputs, seed {given.seed}: {len(found)} different failures")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

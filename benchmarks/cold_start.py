"""How long a command takes from nothing: whole processes, side by side with what a user would run instead.

    python benchmarks/cold_start.py --runs 15
    python benchmarks/cold_start.py --runs 15 --against /path/to/other/bin/trialindex   # another version, in turns

The first query builds the sample index; it is not counted. The baseline needs sentence-transformers installed, and is
left out where two versions are compared, each with a cache folder of its own. Compare versions that were installed
alike, with their bytecode compiled.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAM = str(Path(sys.executable).parent / "trialindex")
BASELINE = "import sentence_transformers"
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "trialindex --help": [PROGRAM, "--help"],
    "trialindex query": [PROGRAM, "query", "severe lupus kidney"],
    "trialindex query --mode lexical": [PROGRAM, "query", "--mode", "lexical", "lupus kidney"],
    BASELINE: [sys.executable, "-c", "import sentence_transformers"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--against", metavar="PROGRAM", help="another trialindex, measured beside this one")
    options = parser.parse_args()
    runs, commands = options.runs, dict(COMMANDS)
    if options.against:
        other = {name: [options.against, *words] for name, (program, *words) in COMMANDS.items() if program == PROGRAM}
        del commands[BASELINE]
        commands |= {f"other {name}": command for name, command in other.items()}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    caches = TemporaryDirectory()
    for run in range(runs + 1):  # the commands take turns, so that all meet the same machine; the first turn warms up
        for name, command in commands.items():
            start = time.perf_counter()
            cache = Path(caches.name, "other" if name.startswith("other") else "this")
            done = subprocess.run(
                command, capture_output=True, check=False, env=os.environ | {"XDG_CACHE_HOME": str(cache)}
            )
            if done.returncode:
                sys.exit(f"{name} failed: {done.stderr.decode()[-300:]}")
            if run:
                seconds[name].append(time.perf_counter() - start)
    baseline = statistics.median(seconds.get(BASELINE, [math.nan]))
    print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores, {runs} runs each, seconds")
    print(f"{'command':<36}{'min':>8}{'median':>8}{'max':>8}{'share of the baseline':>24}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{name:<36}{min(taken):>8.3f}{median:>8.3f}{max(taken):>8.3f}{median / baseline:>24.3f}")


if __name__ == "__main__":
    main()

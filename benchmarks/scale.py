"""How an index grows: the same figures at 10,000, 100,000 and 600,000 trials, with baselines in the same run.

    python benchmarks/scale.py --work /tmp/scale
    python benchmarks/scale.py --work /tmp/scale --sizes 10000 --stages queries,cold

The trials are made up from a seed, see ``scale_data.py``; nothing is downloaded, and nothing encoded but the
questions and what the made-up vectors are drawn from. An index that is there is used again. With all sizes it takes
about an hour and a half on two cores, and 25 GB of disk. What was measured is kept in ``WORK/results.json``;
``--report`` writes ``docs/performance.md`` and its plot from it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from scale_report import write_report
from scale_stages import STAGES, texts

_PLAIN = """
import json, sys, time
from sentence_transformers import SentenceTransformer
texts = json.load(sys.stdin)
model = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2", device="cpu")
model.encode(texts[:8])
start = time.perf_counter()
model.encode(texts)
print(json.dumps({"a second": len(texts) / (time.perf_counter() - start)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the indexes and the results")
    parser.add_argument("--sizes", default="10000,100000,600000", help="how many trials")
    parser.add_argument("--stages", default=",".join(STAGES), help=f"which of {', '.join(STAGES)}")
    parser.add_argument("--plain", metavar="PYTHON", help="a Python with sentence-transformers")
    parser.add_argument("--like", metavar="INDEX", help="an index of real trials, to compare the vectors with")
    parser.add_argument("--report", action="store_true", help="write docs/performance.md and its plot")
    parser.add_argument("--one", nargs=2, metavar=("STAGE", "SIZE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        stage, size = given.one[0], int(given.one[1])
        print(json.dumps(STAGES[stage](given.work / size_name(size), size)))
        return
    given.work.mkdir(parents=True, exist_ok=True)
    path = given.work / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    results["machine"] = {"cores": os.cpu_count(), "python": sys.version.split()[0], "processor": _processor()}
    for size in map(int, given.sizes.split(",")):
        of_size = results.setdefault(str(size), {})
        for stage in given.stages.split(","):
            if stage == "model":
                if not (given.work / "model.npz").exists():
                    run(given.work, stage, size)
                continue
            if stage == "build":
                if "build" in of_size and (given.work / size_name(size)).is_dir():
                    continue
                shutil.rmtree(given.work / size_name(size), ignore_errors=True)
            of_size[stage] = run(given.work, stage, size)
            path.write_text(json.dumps(results, indent=1))
    if given.like:
        print("vectors …", flush=True)
        command = [sys.executable, str(Path(__file__).with_name("scale_vectors.py")), given.like]
        done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True)
        results["vectors"] = dict(zip(("likeness", "chosen"), done.stdout.strip().split("\n\n"), strict=True))
    results["encoding"] = encoding(given.plain) if given.plain else results.get("encoding", {})
    path.write_text(json.dumps(results, indent=1))
    if given.report:
        write_report(results, Path(__file__).parent.parent / "docs")


def _processor() -> str:
    """What the system calls the processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def size_name(size: int) -> str:
    return f"index-{size}"


def run(work: Path, stage: str, size: int) -> dict[str, Any]:
    """One stage in a process of its own; what it prints last is what it measured."""
    start = time.perf_counter()
    print(f"{size:,} trials, {stage} …", end=" ", flush=True)
    command = [sys.executable, __file__, "--work", str(work), "--one", stage, str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    print(f"{time.perf_counter() - start:.0f} s, load {os.getloadavg()[0]:.1f}: {done.stdout.splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def encoding(plain: str) -> dict[str, Any]:
    """Passages a second by the default encoder, and by plain sentence-transformers, on the same texts."""
    from trialindex_minilm.encoder import MiniLM

    asked = texts(10**9)[1][:200]
    encoder = MiniLM()
    encoder.encode_documents(asked[:8])
    start = time.perf_counter()
    encoder.encode_documents(asked)
    ours = len(asked) / (time.perf_counter() - start)
    done = subprocess.run(
        [plain, "-c", _PLAIN], input=json.dumps(asked), stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    theirs = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    return {"ours": ours, "plain": theirs.get("a second"), "load": os.getloadavg()[0]}


if __name__ == "__main__":
    main()

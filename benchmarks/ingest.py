"""How fast real studies come in, how much of that is the encoder's, and how much memory it takes.

    python benchmarks/ingest.py ../shared/data/ctgov-v2/studies.jsonl.gz

Then the same file again (nothing is new), which measures everything but the encoder.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from pathlib import Path

from trialindex import Index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", type=Path, help="what ctgov-file takes: studies of the ClinicalTrials.gov API v2")
    studies = parser.parse_args().studies
    with tempfile.TemporaryDirectory() as folder, Index.create(Path(folder) / "index") as index:
        print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
        for label in ("first", "again"):
            summary = index.ingest(f"ctgov-file:{studies}")
            trials = summary.added + summary.changed + summary.unchanged
            outside = summary.seconds - summary.seconds_encoding
            print(
                f"{label}: {trials} studies in {summary.seconds:.2f} s, {trials / summary.seconds:.1f} a second; "
                f"outside the encoder {outside:.2f} s, {outside / summary.seconds:.1%}; "
                f"rejected {len(summary.rejected)}"
            )
        info = index.info()
        print(f"{info.passages} passages, {info.bytes / 1e6:.1f} MB, {info.bytes / info.trials / 1024:.1f} KiB a trial")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

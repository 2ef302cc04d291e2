"""Where things lie: the checkout, what the tests ship, and the shared data where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
SHARED = Path(os.environ.get("TRIALINDEX_SHARED_DATA") or ROOT.parent / "shared" / "data")
"""Real records and benchmarks. A test that needs them is skipped where they are not."""

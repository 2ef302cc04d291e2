"""A model that is asked without settings of whoever runs the tests, and again at once."""

from __future__ import annotations

import pytest

from trialindex_llm.client import Endpoint


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "KEY", "TIMEOUT"):
        monkeypatch.delenv(f"TRIALINDEX_LLM_{name}", raising=False)
    monkeypatch.setattr(Endpoint, "backoff", 0.01)

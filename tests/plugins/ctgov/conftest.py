"""A registry that behaves as ClinicalTrials.gov does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.ctgov_server import FAST, CtgovServer, study
from trialindex_ctgov.source import CtgovSource


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CtgovServer]:
    monkeypatch.setattr(CtgovSource, "pace", FAST)
    with CtgovServer([study(n) for n in range(1, 8)]) as running:
        monkeypatch.setenv("TRIALINDEX_CTGOV_URL", running.url)
        yield running


@pytest.fixture
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trialindex_ctgov.request.PAGE_SIZE", 3)

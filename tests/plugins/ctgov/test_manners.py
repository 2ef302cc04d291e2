"""How the source ``ctgov`` behaves towards the registry that it asks."""

from __future__ import annotations

import pytest

from support.ctgov_server import Answer, CtgovServer, Run, study
from trialindex.plugin import http
from trialindex.plugin.http import Pace, user_agent
from trialindex_ctgov.source import CtgovSource


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.usefixtures("pages_of_three")
def test_requests_keep_their_distance_redirects_and_retries_included(
    server: CtgovServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(http, "time", clock)
    monkeypatch.setattr(http.PoliteClient, "_last_start", {})  # of this clock
    monkeypatch.setattr(CtgovSource, "pace", Pace(interval=0.3, timeout=60, retries=2, backoff=0.0, longest=1))
    server.studies.append(study(20, aliases=["NCT00000099"]))
    server.fail(Answer(500), path="/studies")
    Run().of(CtgovSource("lupus"))
    Run().of(CtgovSource("NCT00000099"))
    assert len(server.requests) == 8
    assert [seconds for seconds in clock.slept if seconds] == pytest.approx([0.3] * 7)


def test_one_request_a_second_is_the_default() -> None:
    assert CtgovSource.pace == Pace()
    assert Pace().interval >= 1.0


def test_it_says_who_it_is(server: CtgovServer, monkeypatch: pytest.MonkeyPatch) -> None:
    Run().of(CtgovSource("lupus"))
    assert all(r.headers["User-Agent"].startswith("trialindex") for r in server.requests)
    assert "Mozilla" not in user_agent()

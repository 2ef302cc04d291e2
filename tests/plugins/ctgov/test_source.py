"""The source ``ctgov`` against a server that behaves as the registry does, over a real socket."""

from __future__ import annotations

import gzip
import re
import sys
from dataclasses import replace
from itertools import repeat
from subprocess import run
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from support.ctgov_server import FAST, PARAMETERS, Answer, CtgovServer, Run, study
from trialindex.errors import SourceError
from trialindex.plugin.registry import Plugins
from trialindex.trial import Trial
from trialindex_ctgov import client as client_module
from trialindex_ctgov.source import CtgovSource


def ids(*numbers: int) -> list[str]:
    return [f"NCT{n:08d}" for n in numbers]


def test_an_answer_without_end_is_one_error(server: CtgovServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LARGEST", 2 * 1024 * 1024)
    zeros = gzip.compress(bytes(64 * 1024 * 1024))
    assert len(zeros) < 100_000, "little comes over the wire"
    endless = Answer(body="[" * (3 * 1024 * 1024), content_type="application/json")
    for answer in (endless, Answer(body=zeros, headers={"Content-Encoding": "gzip"}), Answer(500, endless.body)):
        server.fail(answer)
        with pytest.raises(SourceError, match="more than 2 MiB") as raised:
            Run().of(CtgovSource("lupus"))
        assert "TRIALINDEX_CTGOV_URL" in raised.value.hint
        assert "\n" not in str(raised.value)
    assert len(server.requests) == 3, "none of them is asked for again"
    assert Run().of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7)


def test_an_answer_that_never_ends_is_left(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CtgovSource, "pace", FAST)
    monkeypatch.setattr(client_module, "LARGEST", 1024 * 1024)
    monkeypatch.setenv("TRIALINDEX_CTGOV_URL", httpserver.url_for(""))
    httpserver.expect_request(re.compile("/.*")).respond_with_handler(lambda _: Response(repeat(b" " * 65536)))
    with pytest.raises(SourceError, match="more than 1 MiB"):
        Run().of(CtgovSource("lupus"))


# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_condition_gives_its_trials_as_records(server: CtgovServer) -> None:
    server.studies.append(study(9, conditions=["Asthma"]))
    run_ = Run()
    trials = list(CtgovSource("lupus nephritis").trials(run_.context))
    assert [t.id for t in trials] == ids(1, 2, 3, 4, 5, 6, 7)
    assert isinstance(trials[0], Trial)
    assert trials[0].source == "ctgov"
    assert trials[0].summary == r"We compare two ways of care, plan 1, in adults \>= 18 years."
    assert server.searches[0].query == {"query.cond": "lupus nephritis", "pageSize": "1000", "countTotal": "true"}
    assert run_.progress[-1] == (7, 7)
    assert run_.notes == []


def test_every_option_reaches_the_registry(server: CtgovServer) -> None:
    server.studies = [
        study(1, status="RECRUITING", country="France", updated="2026-01-20"),
        study(2, status="COMPLETED", country="France", updated="2026-01-20"),
        study(3, status="NOT_YET_RECRUITING", country="Chile", updated="2026-01-20"),
        study(4, status="RECRUITING", country="Japan", updated="2026-01-20"),
        study(5, status="RECRUITING", country="France", updated="2025-12-31"),
    ]
    source = CtgovSource(
        condition="lupus",
        terms="care",
        status=["recruiting", "Not-Yet-Recruiting"],
        country=["France", "Chile"],
        updated_since="2026-01-01",
    )
    assert Run().of(source) == ids(1, 3)
    assert source.spec == (
        "ctgov:lupus --terms care --status NOT_YET_RECRUITING --status RECRUITING --country Chile --country France"
        " --updated-since 2026-01-01"
    )
    assert set(server.searches[0].query) <= PARAMETERS


def test_reserved_characters_do_not_fail_a_run(server: CtgovServer) -> None:
    assert Run().of(CtgovSource('lupus [nephritis (class, "')) == []
    assert server.searches[0].query["query.cond"] == "lupus nephritis class"


# --- ids ------------------------------------------------------------------------------------------------------------


def test_one_id_is_fetched_by_itself_and_an_old_id_is_followed(server: CtgovServer) -> None:
    server.studies.append(study(20, aliases=["NCT00000099"]))
    run_ = Run()
    assert run_.of(CtgovSource("nct99")) == ids(20)
    assert [r.path for r in server.requests] == ["/api/v2/studies/NCT00000099", "/api/v2/studies/NCT00000020"]
    assert run_.progress == [(1, 1)]


def test_an_id_that_is_not_there_is_one_clear_line(server: CtgovServer) -> None:
    with pytest.raises(SourceError, match=r"^ClinicalTrials.gov has no study NCT00000555\. Check the id\.$"):
        Run().of(CtgovSource("NCT00000555"))


def test_several_ids_are_a_filter_so_that_other_filters_hold(server: CtgovServer) -> None:
    server.studies[1] = study(2, status="COMPLETED")
    assert Run().of(CtgovSource("NCT00000001, NCT00000002", status="recruiting")) == ids(1)
    assert Run().of(CtgovSource(terms="NCT00000002 NCT00000003", status="recruiting")) == ids(3)
    assert all("filter.ids" in r.query and "query.term" not in r.query for r in server.searches)
    assert server.searches[0].query["pageSize"] == "2"


def test_missing_ids_are_named_and_old_ids_count_as_found(server: CtgovServer) -> None:
    server.studies.append(study(20, aliases=["NCT00000099"]))
    run_ = Run()
    assert run_.of(CtgovSource(ids=["NCT00000001", "NCT00000099", "NCT00000777"])) == ids(1, 20)
    assert run_.notes == ["ClinicalTrials.gov has no study NCT00000777."]


def test_many_ids_are_asked_in_several_requests(server: CtgovServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trialindex_ctgov.request.IDS_PER_REQUEST", 3)
    run_ = Run()
    assert run_.of(CtgovSource(ids=ids(1, 2, 3, 4, 5, 6, 7))) == ids(1, 2, 3, 4, 5, 6, 7)
    assert [r.query["filter.ids"].count("|") for r in server.searches if "pageToken" not in r.query] == [2, 2, 0]
    assert run_.progress[-1] == (7, 7)


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pages_of_three")
@pytest.mark.parametrize(("studies", "searches"), [(0, 1), (2, 1), (3, 2), (7, 3), (9, 4)])
def test_pages_end_at_a_missing_token_and_an_empty_page_is_fine(
    server: CtgovServer, studies: int, searches: int
) -> None:
    server.studies = [study(n) for n in range(1, studies + 1)]
    assert Run().of(CtgovSource("lupus")) == ids(*range(1, studies + 1))
    assert len(server.searches) == searches
    first, *rest = server.searches
    assert first.query["countTotal"] == "true"
    assert all("countTotal" not in r.query and "pageToken" in r.query for r in rest)


@pytest.mark.usefixtures("pages_of_three")
def test_a_registry_that_repeats_a_page_for_ever_is_left(server: CtgovServer) -> None:
    page = '{"studies": [], "nextPageToken": "again"}'
    server.fail(Answer(200, page, "application/json"), times=9, path="/studies")
    with pytest.raises(SourceError, match="same page again"):
        Run().of(CtgovSource("lupus"))


def test_a_study_that_cannot_be_read_is_skipped_and_told(server: CtgovServer) -> None:
    server.studies[2]["protocolSection"]["identificationModule"]["nctId"] = 17
    server.studies[3] = {"hasResults": True} | server.studies[3]
    del server.studies[4]["protocolSection"]["identificationModule"]["briefTitle"]
    run_ = Run()
    server._matches = lambda record, query: True  # type: ignore[method-assign]
    assert run_.of(CtgovSource("lupus")) == ids(1, 2, 4, 6, 7)
    assert [where for where, _ in run_.rejected] == ["study 3", "study 5"]
    assert run_.rejected[0][1] == '"17" is no NCT id'


def test_a_new_code_keeps_the_trial_and_is_told(server: CtgovServer) -> None:
    for n in (1, 2):
        server.studies[n - 1]["protocolSection"]["statusModule"]["overallStatus"] = "RESHAPED"
    run_ = Run()
    trials = list(CtgovSource("lupus").trials(run_.context))
    assert [t.status for t in trials[:3]] == [None, None, "RECRUITING"]
    assert [where for where, _ in run_.dropped] == ids(1, 2)
    assert all(why.startswith('status: "RESHAPED" is not a known status') for _, why in run_.dropped)


# --- the second run, and the interrupted one ------------------------------------------------------------------------


@pytest.mark.usefixtures("pages_of_three")
def test_the_second_run_asks_only_for_updates(server: CtgovServer) -> None:
    first = Run()
    first.of(CtgovSource("lupus", country=["France"]))
    assert first.state == {"last": "2026-02-01"}
    server.studies[3] = study(4, updated="2026-02-03")
    server.studies[4] = study(5, updated="2026-01-31")
    second = Run(first.state)
    assert second.of(CtgovSource("lupus", country=["France"])) == ids(4, 5)
    advanced = server.searches[-1].query["filter.advanced"]
    assert advanced == '(AREA[LocationCountry]"France") AND AREA[LastUpdatePostDate]RANGE[2026-01-31,MAX]'
    assert "2026-01-31" in second.notes[0]
    assert "--full" in second.notes[0]
    assert Run(first.state).of(CtgovSource("lupus", full=True)) == ids(1, 2, 3, 4, 5, 6, 7)


def test_the_later_of_two_update_days_is_asked_for(server: CtgovServer) -> None:
    Run({"last": "2026-02-01"}).of(CtgovSource("lupus", updated_since="2026-03-01"))
    Run({"last": "2026-02-01"}).of(CtgovSource("lupus", updated_since="2025-03-01"))
    asked = [r.query["filter.advanced"] for r in server.searches]
    assert ["2026-03-01" in asked[0], "2026-01-31" in asked[1]] == [True, True]


@pytest.mark.usefixtures("pages_of_three")
def test_an_interrupted_run_goes_on_at_its_page(server: CtgovServer) -> None:
    broken = Run()
    trials = CtgovSource("lupus").trials(broken.context)
    seen = [next(trials).id for _ in range(5)]
    del trials
    assert seen == ids(1, 2, 3, 4, 5)
    before = len(server.searches)
    again = Run(broken.state)
    assert again.of(CtgovSource("lupus")) == ids(4, 5, 6, 7)
    assert "pageToken" in server.searches[before].query
    assert again.progress[-1] == (7, 7)
    assert again.state == {"last": "2026-02-01"}
    assert "3 studies" in again.notes[0]


@pytest.mark.usefixtures("pages_of_three")
def test_an_interrupted_run_starts_again_when_the_data_are_newer(server: CtgovServer) -> None:
    broken = Run()
    trials = CtgovSource("lupus").trials(broken.context)
    for _ in range(5):
        next(trials)
    del trials
    server.timestamp = "2026-02-02T09:00:05"
    again = Run(broken.state)
    assert again.of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7)
    assert again.state == {"last": "2026-02-02"}
    assert "starting again" in again.notes[0]


@pytest.mark.usefixtures("pages_of_three")
def test_an_expired_token_starts_the_crawl_again(server: CtgovServer) -> None:
    place = {"timestamp": server.timestamp, "since": None, "part": 0, "token": "stale", "done": 3, "total": 7}
    run_ = Run({"crawl": place})
    assert run_.of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7)
    assert any("no longer knows the page" in note for note in run_.notes)


@pytest.mark.parametrize(
    "state", [{"last": "yesterday"}, {"last": 3}, {"crawl": "x"}, {"crawl": {"part": "a"}}, {"v": 9}]
)
def test_a_state_of_another_version_counts_as_none(server: CtgovServer, state: dict[str, Any]) -> None:
    assert Run(state).of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7)


@pytest.mark.usefixtures("pages_of_three")
@pytest.mark.parametrize("before_search", [2, 3])
def test_data_that_move_during_the_crawl_start_it_again(server: CtgovServer, before_search: int) -> None:
    server.move("2026-02-02T09:00:05", before_search=before_search)
    run_ = Run()
    found = run_.of(CtgovSource("lupus"))
    assert found[-7:] == ids(1, 2, 3, 4, 5, 6, 7)
    assert run_.state == {"last": "2026-02-02"}
    assert any("starting again from the first page" in note for note in run_.notes)


def test_data_that_moved_without_any_error_start_it_again_too(server: CtgovServer) -> None:
    server.move("2026-02-02T09:00:05", before_search=1)
    run_ = Run()
    assert run_.of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7) * 2
    assert [note.partition(";")[0] for note in run_.notes] == ["ClinicalTrials.gov refreshed its data meanwhile"]


def test_data_that_never_rest_end_the_run_with_one_line(server: CtgovServer) -> None:
    for n in range(1, 9):
        server.move(f"2026-02-0{n + 1}T09:00:05", before_search=n)
    run_ = Run()
    with pytest.raises(SourceError, match="4 times"):
        run_.of(CtgovSource("lupus"))
    assert len(server.searches) == 4


# --- when things go wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        Answer(429),
        Answer(500, "oops"),
        Answer(503, "<html>busy</html>", "text/html"),
        Answer(200, '{"studies": []' + " " * 200, "application/json", cut=True),
        Answer(200, '{"studies": [', "application/json"),
        Answer(slow=4.0),
    ],
    ids=["429", "500", "503 html", "cut", "half", "slow"],
)
def test_what_may_pass_is_tried_again(server: CtgovServer, failure: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    if failure.slow:
        monkeypatch.setattr(CtgovSource, "pace", replace(FAST, timeout=2.0))
    server.fail(failure, times=2, path="/studies")
    run_ = Run()
    assert run_.of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7)
    assert len(server.searches) == 3
    assert len(run_.notes) == 2
    assert "(1 of 2)" in run_.notes[0]


def test_what_does_not_pass_ends_in_one_line(server: CtgovServer) -> None:
    server.fail(Answer(502), times=9, path="/studies")
    with pytest.raises(SourceError, match=r"answered 502, 3 times in a row\. What was fetched is kept") as problem:
        Run().of(CtgovSource("lupus"))
    assert "\n" not in str(problem.value)
    assert len(server.searches) == 3


@pytest.mark.usefixtures("pages_of_three")
def test_what_came_before_a_failure_is_kept_and_the_next_run_goes_on(server: CtgovServer) -> None:
    run_ = Run()
    trials = CtgovSource("lupus").trials(run_.context)
    seen = [next(trials).id for _ in range(3)]
    server.fail(Answer(500), times=3, path="/studies")
    with pytest.raises(SourceError):
        next(trials)
    assert seen + Run(run_.state).of(CtgovSource("lupus")) == ids(1, 2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            Answer(400, "Error parsing query\nin Conditions: x"),
            "refuses the request: Error parsing query in Conditions",
        ),
        (Answer(403, "Forbidden"), "refuses requests from this computer or network"),
        (Answer(403, "<html><body>no</body></html>", "text/html"), "ctgov-file:"),
        (Answer(200, "<!doctype html><p>Maintenance", "text/html"), "web page in place of data. Search on"),
        (Answer(404, "nothing"), "TRIALINDEX_CTGOV_URL"),
        (Answer(418, "teapot"), "answered 418: teapot"),
        (Answer(200, "[1, 2]", "application/json"), "something else than data"),
        (Answer(200, "{}", "application/json"), "without a list of studies"),
    ],
)
def test_what_cannot_pass_is_not_tried_again(server: CtgovServer, failure: Answer, message: str) -> None:
    server.fail(failure, path="/studies")
    run_ = Run()
    with pytest.raises(SourceError) as problem:
        run_.of(CtgovSource("lupus"))
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)
    assert len(server.searches) == 1
    assert run_.notes == []


def test_redirects_in_a_circle_end(server: CtgovServer) -> None:
    server.fail(Answer(301, headers={"Location": "/api/v2/version"}), times=20)
    with pytest.raises(SourceError, match="from address to address"):
        Run().of(CtgovSource("lupus"))


def test_retry_after_is_honoured(server: CtgovServer) -> None:
    server.fail(Answer(429, headers={"Retry-After": "1"}), path="/studies")
    Run().of(CtgovSource("lupus"))
    assert max(server.intervals) >= 1.0


@pytest.mark.parametrize("header", ["3600", "Wed, 01 Jan 2098 00:00:00 GMT"])
def test_a_registry_that_asks_for_a_long_wait_is_left_alone(server: CtgovServer, header: str) -> None:
    server.fail(Answer(429, headers={"Retry-After": header}), path="/studies")
    with pytest.raises(SourceError, match="asks to wait"):
        Run().of(CtgovSource("lupus"))
    assert len(server.searches) == 1


def test_an_unreachable_registry_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with CtgovServer() as gone:
        url = gone.url
    monkeypatch.setenv("TRIALINDEX_CTGOV_URL", url)
    with pytest.raises(SourceError, match="cannot be reached"):
        Run().of(CtgovSource("lupus"))


@pytest.mark.usefixtures("pages_of_three")
def test_a_registry_that_goes_away_is_tried_again_before_giving_up(server: CtgovServer) -> None:
    run_ = Run()
    trials = CtgovSource("lupus").trials(run_.context)
    for _ in range(3):
        next(trials)
    server.stop()
    server.fail(Answer(200, "{}" * 50, cut=True))
    with pytest.raises(SourceError, match=r"cannot be reached .*, 3 times"):
        next(trials)
    assert [note.partition(";")[0].partition(" (")[0] for note in run_.notes] == [
        "ClinicalTrials.gov cut the connection",
        "ClinicalTrials.gov cannot be reached",
    ]


def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIALINDEX_CTGOV_URL", "clinicaltrials.gov")
    with pytest.raises(SourceError, match="TRIALINDEX_CTGOV_URL"):
        Run().of(CtgovSource("lupus"))


def test_the_plugin_is_found_and_loads_nothing_heavy() -> None:
    import trialindex_ctgov

    plugins = Plugins(discover=False)
    plugins.register(trialindex_ctgov, "ctgov")
    assert plugins.sources.names() == ["ctgov", "ctgov-file"]
    code = (
        "import sys, trialindex_ctgov; trialindex_ctgov.register_sources(); "
        "print([m for m in ('httpx2', 'ijson', 'numpy', 'rich', 'trialindex.index') if m in sys.modules])"
    )
    shown = run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert shown.stdout.strip() == "[]"

"""Trials that a registry no longer has: found by a sweep over a real socket, marked, told, and never deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

import trialindex_ctgov
from support.ctgov_server import Answer, CtgovServer, study
from support.helpers import ONE_STORE, Checkpoint, ListSource, execute, ids, trial
from trialindex.cli import cli
from trialindex.errors import SourceError
from trialindex.index import Index
from trialindex.plugin.http import Pace
from trialindex.plugin.interfaces import IngestContext
from trialindex.plugin.registry import Plugins
from trialindex.testing import check_source
from trialindex.watching import Watches, baseline, sync, watch_for
from trialindex.watching.sweep import INTERVAL_DAYS, is_due, reconcile
from trialindex_ctgov import source as ctgov_module
from trialindex_ctgov.source import CtgovSource

TODAY = date.today().isoformat()
LUPUS = "ctgov:lupus nephritis"
pytestmark = ONE_STORE


def nct(*numbers: int) -> list[str]:
    return [f"NCT{number:08d}" for number in numbers]


@pytest.fixture
def server(registered: Plugins, monkeypatch: pytest.MonkeyPatch) -> Iterator[CtgovServer]:
    """A registry of forty trials, which a new index asks for all of."""
    registered.register(trialindex_ctgov, "ctgov")
    monkeypatch.setattr(CtgovSource, "pace", Pace(interval=0.0, timeout=60.0, retries=1, backoff=0.01, longest=0.1))
    with CtgovServer([study(number) for number in range(1, 41)]) as running:
        monkeypatch.setenv("TRIALINDEX_CTGOV_URL", running.url)
        yield running


@pytest.fixture
def held(new_index: Index, server: CtgovServer) -> Index:
    new_index.ingest(LUPUS)
    server.requests.clear()
    return new_index


def drop(server: CtgovServer, *numbers: int) -> None:
    gone = set(nct(*numbers))
    server.studies = [
        one for one in server.studies if one["protocolSection"]["identificationModule"]["nctId"] not in gone
    ]


def marked(index: Index) -> dict[str, str]:
    with index.snapshot() as records:
        return records.provenance.gone_trials()


class Told(ListSource):
    """Says which trials it has when it is asked."""

    has: Collection[str] | Exception | None = ()

    def ids(self, context: IngestContext, held: Collection[str]) -> Iterator[str] | None:
        if isinstance(self.has, Exception):
            raise self.has
        return None if self.has is None else iter(self.has)


def told(has: Any, *trials: Any, spec: str = "list") -> Told:
    source = Told(*trials, spec=spec)
    source.has = has
    return source


# --- what is found ----------------------------------------------------------------------------------------------------


def test_what_the_registry_removed_is_marked_and_stays(held: Index, server: CtgovServer) -> None:
    drop(server, 3, 7)
    found = reconcile(held, CtgovSource("lupus nephritis"))
    assert (found.held, found.gone, found.back, found.refused) == (40, nct(3, 7), [], "")
    assert marked(held) == dict.fromkeys(nct(3, 7), TODAY)
    assert len(held) == 40
    assert held.get("NCT00000003").gone_since == TODAY
    assert held.get("NCT00000004").gone_since is None
    assert [hit.trial.gone_since for hit in held.query("made-up study number 3", limit=99).hits].count(TODAY) == 2
    assert held.check() == []
    assert reconcile(held, CtgovSource("lupus nephritis")).gone == [], "it is found once"


def test_one_that_comes_back_is_unmarked_by_a_sweep_and_by_an_ingest(held: Index, server: CtgovServer) -> None:
    whole = list(server.studies)
    drop(server, 3, 7)
    reconcile(held, CtgovSource("lupus nephritis"))
    server.studies = [one for one in whole if one is not whole[6]]
    assert reconcile(held, CtgovSource("lupus nephritis")).back == nct(3)
    assert list(marked(held)) == nct(7)
    generation = held.info().generation
    server.studies = whole
    summary = held.ingest(LUPUS, full=True)
    assert [(change.id, change.kind) for change in summary.changes] == [("NCT00000007", "changed")]
    assert (summary.unchanged, held.info().generation) == (39, generation + 1)
    assert marked(held) == {}


def test_a_trial_that_only_left_the_request_is_not_gone(
    new_index: Index, server: CtgovServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctgov_module, "FEW_IDS", 10)
    monkeypatch.setattr("trialindex_ctgov.request.PAGE_SIZE", 9)
    source = CtgovSource("lupus nephritis", status=["recruiting"])
    new_index.ingest(source)
    server.studies[4] = study(5, status="COMPLETED")
    drop(server, 6)
    server.requests.clear()
    assert reconcile(new_index, source).gone == nct(6)
    assert all(one.query["fields"] == "NCTId" for one in server.searches), "nothing but ids is fetched"
    assert [one.query.get("filter.ids") for one in server.searches] == [None] * 5 + ["NCT00000005|NCT00000006"]


def test_a_few_trials_are_looked_up_by_their_ids(held: Index, server: CtgovServer) -> None:
    reconcile(held, CtgovSource("lupus nephritis"))
    [asked] = server.searches
    assert asked.query["filter.ids"].count("|") == 39


def test_an_id_that_became_another_ones_is_gone_and_the_data_may_move(
    held: Index, server: CtgovServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctgov_module, "FEW_IDS", 10)
    monkeypatch.setattr("trialindex_ctgov.request.PAGE_SIZE", 10)
    drop(server, 5)
    server.studies[0] = study(1, aliases=nct(5))
    server.move("2026-02-02T09:00:00", before_search=3)
    notes: list[str] = []
    from trialindex.plugin.progress import ProgressListener

    assert reconcile(held, CtgovSource("lupus nephritis"), listener=ProgressListener(on_note=notes.append)).gone == nct(
        5
    )
    assert "starting again" in notes[0]


def test_only_the_trials_of_that_request_are_asked_for(held: Index, server: CtgovServer) -> None:
    held.ingest("ctgov:NCT00000002")
    held.ingest(ListSource(trial(1)))
    drop(server, 1, 2)
    found = reconcile(held, CtgovSource("NCT00000002"), force=True)
    assert (found.held, found.gone) == (1, nct(2))
    assert marked(held) == {}, "the other request still has it, as far as is known"
    assert reconcile(held, CtgovSource("lupus nephritis")).gone == nct(1, 2)
    assert list(marked(held)) == nct(1, 2)


def test_a_trial_is_gone_only_when_every_source_of_it_says_so(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1), spec="list:a"))
    new_index.ingest(told([], trial(1), spec="list:b"))
    assert reconcile(new_index, told([], spec="list:b"), force=True).gone == ["T-1"]
    assert new_index.get("T-1").gone_since is None
    assert reconcile(new_index, told(None, spec="list:a")).able is False


# --- what marks nothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [Answer(500), Answer(403), Answer(200, "<html>", "text/html"), Answer(200, '{"studies": [{}]}')]
)
def test_a_sweep_that_fails_half_way_marks_nothing(
    held: Index, server: CtgovServer, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr("trialindex_ctgov.source.IDS_PER_REQUEST", 20)
    drop(server, 1, 2)
    source = CtgovSource("lupus nephritis")
    real = source._page

    def second_fails(client: Any, parameters: Any, token: Any) -> Any:
        if parameters["filter.ids"].startswith("NCT00000021"):
            server.fail(answer, times=9)
        return real(client, parameters, token)

    monkeypatch.setattr(source, "_page", second_fails)
    with pytest.raises(SourceError):
        reconcile(held, source)
    assert marked(held) == {}


def test_an_outage_marks_nothing_unless_it_is_confirmed(held: Index, server: CtgovServer) -> None:
    drop(server, *range(1, 6))
    found = reconcile(held, CtgovSource("lupus nephritis"))
    assert found.refused == "5 of 40 trials seem to be gone, which is too many to believe; nothing was marked."
    assert marked(held) == {}
    drop(server, *range(1, 41))
    assert "40 of 40" in reconcile(held, CtgovSource("lupus nephritis")).refused
    assert len(reconcile(held, CtgovSource("lupus nephritis"), force=True).gone) == 40
    assert len(marked(held)) == len(held) == 40


@pytest.mark.parametrize("problem", [ValueError("boom"), SourceError("the registry is closed.")])
def test_a_strangers_source_that_fails_is_named_and_marks_nothing(new_index: Index, problem: Exception) -> None:
    new_index.ingest(ListSource(trial(1)))
    with pytest.raises(SourceError, match=r"boom|closed"):
        reconcile(new_index, told(problem))
    assert marked(new_index) == {}


def test_an_empty_source_is_not_even_asked(new_index: Index) -> None:
    assert reconcile(new_index, told(ValueError("asked"))).held == 0


# --- sync -------------------------------------------------------------------------------------------------------------


def test_sync_sweeps_once_a_month_and_when_it_is_asked(held: Index, server: CtgovServer) -> None:
    with Watches(held.folder) as watches:
        drop(server, 9)
        [one] = sync(held, watches).refreshed
        assert one.sweep is None, "the first reading counts as a sweep"
        ago = (date.today() - timedelta(days=INTERVAL_DAYS)).isoformat()
        execute(held, "UPDATE sources SET swept = ?", ago)
        assert is_due(held, LUPUS)
        [one] = sync(held, watches).refreshed
        assert one.sweep is not None
        assert one.sweep.gone == nct(9)
        assert not is_due(held, LUPUS)
        drop(server, 10)
        [one] = sync(held, watches, sweep="now").refreshed
        assert one.sweep is not None
        assert one.sweep.gone == nct(10)


def test_a_clock_that_was_set_back_delays_no_sweep(held: Index) -> None:
    for days, due in ((-1, True), (-400, True), (0, False), (INTERVAL_DAYS - 1, False), (INTERVAL_DAYS, True)):
        execute(held, "UPDATE sources SET swept = ?", (date.today() - timedelta(days=days)).isoformat())
        assert is_due(held, LUPUS) is due, days


def test_a_sweep_stays_within_its_shard(new_index: Index, server: CtgovServer) -> None:
    new_index.ingest(LUPUS, shard="2/4")
    mine = sorted(ids(new_index.trials()))
    assert 0 < len(mine) < 20
    drop(server, int(mine[0][3:]))
    server.requests.clear()
    with Watches(new_index.folder) as watches:
        [one] = sync(new_index, watches, sweep="now").refreshed
    assert one.sweep is not None
    assert (one.spec, one.sweep.gone, one.sweep.held) == (f"{LUPUS} --shard 2/4", mine[:1], len(mine))
    assert sorted(ids(new_index.trials())) == mine


WATCHED: list[dict[str, Any]] = [
    {"trial": "NCT00000003"},
    {"condition": "lupus nephritis"},
    {"query": "made-up study of lupus nephritis", "level": 0.0},
]


@pytest.mark.parametrize("kind", WATCHED)
def test_a_watch_is_told_once_that_a_trial_is_gone_and_that_it_is_back(
    held: Index, server: CtgovServer, kind: dict[str, Any]
) -> None:
    everything = list(server.studies)
    with Watches(held.folder, create=True) as watches:
        watches.add(*baseline(held, watch_for(held, **kind)))
        member = sorted(one for one in watches.members(1))[0].upper()
        drop(server, int(member[3:]))
        told_ = [(one.kind, one.trial) for one in sync(held, watches, sweep="now").updates]
        assert ("removed", member) in told_
        assert sync(held, watches, sweep="now").updates == []
        server.studies = everything
        server.timestamp = "2026-03-01T09:00:00"
        back = [(one.kind, one.trial) for one in sync(held, watches, sweep="now").updates]
        assert ("new", member) in back


def test_what_is_typed_and_shown(held: Index, server: CtgovServer) -> None:
    def typed(*words: str) -> Any:
        return CliRunner().invoke(cli, [*words, "--index", str(held.folder)])

    drop(server, 3)
    done = typed("sync", "--sweep")
    assert done.exit_code == 0
    assert f"{LUPUS}: no longer in the registry, marked: NCT00000003." in done.stderr
    assert "gone from the registry  1\n" in typed("info").output
    registered_formats = typed("list").output  # no renderer is installed in this test
    assert registered_formats == "" or "NCT00000003" in registered_formats
    drop(server, *range(4, 20))
    done = typed("sync", "--sweep")
    assert "16 of 39 trials seem to be gone" in done.stderr
    assert "trialindex sync --force" in done.stderr
    assert len(marked(held)) == 1
    assert typed("sync", "--force").exit_code == 0
    assert len(marked(held)) == 17
    assert typed("sync", "--many").exit_code == 2


def test_every_format_shows_the_mark(store: str) -> None:
    from trialindex.plugin.interfaces import RenderOptions
    from trialindex.testing import sample_card, sample_results
    from trialindex_renderers import register_renderers

    gone = trial(1, gone_since="2026-03-04", status="RECRUITING")
    renderers = [cls(RenderOptions()) for cls in register_renderers()]
    assert len(renderers) > 5
    for renderer in renderers:
        drawn = ["".join(renderer.results(sample_results([gone]))), "".join(renderer.trials(iter([gone])))]
        drawn += ["".join(renderer.trial(sample_card(gone)))]
        for one in drawn:
            assert "2026-03-04" in one or "no longer in the registry since 4 March 2026" in " ".join(one.split()), one


# --- the records ------------------------------------------------------------------------------------------------------


def test_a_mark_is_no_part_of_the_record(new_index: Index) -> None:
    one = trial(1, gone_since="2020-01-01")
    new_index.ingest(ListSource(one))
    assert new_index.get("T-1").gone_since is None, "no source says so"
    assert one.content_hash == trial(1).content_hash
    reconcile(new_index, told([]), force=True)
    shown = new_index.get("T-1")
    assert shown.content_hash == one.content_hash
    assert new_index.ingest(ListSource(trial(1, title="Changed"))).changed == 1
    assert new_index.get("T-1").gone_since is None
    assert new_index.history("T-1")[0].trial.gone_since is None


def test_a_trial_that_is_removed_takes_its_origin_with_it(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1), trial(2), Checkpoint(x=1)))
    new_index.remove(["T-1"])
    assert execute(new_index, "SELECT spec FROM origins") == [("list",)]


def test_the_check_of_a_source_finds_one_that_would_lose_trials(server: CtgovServer, store: str) -> None:
    check_source(CtgovSource("lupus nephritis"))

    class Forgetful(CtgovSource):
        def ids(self, context: IngestContext, held: Collection[str]) -> Iterator[str] | None:
            return iter(sorted(held)[1:])

    with pytest.raises(AssertionError, match=r"leaves out NCT00000001"):
        check_source(Forgetful("lupus nephritis"))

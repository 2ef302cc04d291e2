"""Bringing trials in: nothing twice, nothing lost, nothing half done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.helpers import (
    ONE_STORE,
    Checkpoint,
    CountingEncoder,
    ListSource,
    PartialSource,
    execute,
    ids,
    records_of,
    trial,
)
from trialindex.errors import SourceError, StorageError
from trialindex.index import Index
from trialindex.ingest import embedding
from trialindex.ingest import run as ingest_module
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.registry import Plugins
from trialindex.testing import sample_trials
from trialindex.trial import Trial, TrialDate

replace = msgspec.structs.replace


def stored_ids(index: Index) -> list[str]:
    return sorted(ids(index.trials()))


def state_of(index: Index, spec: str = "list") -> Any:
    known = records_of(index).sources.get(spec)
    return known.state if known else None


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", 2)


# --- nothing twice ----------------------------------------------------------------------------------------------------


def test_the_second_ingest_of_the_same_trials_changes_and_encodes_nothing(index: Index) -> None:
    CountingEncoder.texts.clear()
    before = index.info()
    summary = index.ingest(ListSource(*sample_trials()))
    assert (summary.added, summary.changed, summary.unchanged) == (0, 0, 12)
    assert CountingEncoder.texts == []
    after = index.info()
    assert (after.generation, after.passages, after.trials) == (before.generation, before.passages, before.trials)
    assert execute(index, "SELECT count(*) FROM revisions") == [(0,)]


@ONE_STORE
def test_a_new_day_of_the_same_data_is_no_change(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(as_of="2026-01-01", raw={"v": 1})))
    summary = new_index.ingest(ListSource(trial(as_of="2026-02-01", raw={"v": 2})))
    assert (summary.changed, summary.unchanged) == (0, 1)
    held = new_index.get("T-1", contacts=True)
    assert (held.as_of, held.raw) == ("2026-02-01", {"v": 2})


def test_only_the_passage_that_changed_is_encoded_again(new_index: Index) -> None:
    first = trial(summary="About lupus.", inclusion=("Adults.",))
    new_index.ingest(ListSource(first))
    assert len(CountingEncoder.texts) == 3
    CountingEncoder.texts.clear()
    summary = new_index.ingest(ListSource(replace(first, inclusion=("Children.",))))
    assert summary.changed == 1
    assert CountingEncoder.texts == ["Trial number 1. Children."]
    assert new_index.check() == []


def test_a_change_outside_the_passages_encodes_nothing(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(status="RECRUITING")))
    CountingEncoder.texts.clear()
    new_index.ingest(ListSource(trial(status="COMPLETED")))
    assert CountingEncoder.texts == []
    assert ids(new_index.query("trial", status="completed")) == ["T-1"]


def test_a_trial_that_goes_and_comes_back_is_not_encoded_again(index: Index) -> None:
    CountingEncoder.texts.clear()
    index.remove(["EX-0002", "EX-0009"])
    assert len(index) == 10
    assert index.ingest(ListSource(*sample_trials())).added == 2
    assert CountingEncoder.texts == []
    assert index.check() == []


def test_a_text_that_two_trials_share_is_encoded_once(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1, title="Same"), trial(2, title="Same")))
    new_index.ingest(ListSource(trial(3, title="Same")))
    assert CountingEncoder.texts == ["Same."]
    assert len(new_index.query("same", mode="vector").hits) == 3


@ONE_STORE
def test_the_encoder_is_not_even_made_when_nothing_is_new(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.open(index.folder) as again:
        monkeypatch.setattr(Index, "encoder", property(lambda self: pytest.fail("made")))
        assert again.ingest(ListSource(*sample_trials())).unchanged == 12


# --- revisions --------------------------------------------------------------------------------------------------------


@ONE_STORE
def test_earlier_versions_are_kept(new_index: Index) -> None:
    versions = [trial(title=f"Version {n}") for n in range(4)]
    for version in versions:
        new_index.ingest(ListSource(version))
    kept = execute(new_index, "SELECT hash FROM revisions ORDER BY replaced_in")
    assert [digest for (digest,) in kept] == [version.content_hash for version in versions[:3]]
    assert new_index.get("T-1").title == "Version 3"


def test_versions_of_a_trial_in_one_run_follow_each_other(new_index: Index) -> None:
    summary = new_index.ingest(ListSource(*(trial(title=f"Version {n}") for n in range(4)), trial(2)))
    assert [(c.id, c.kind) for c in summary.changes[:4]] == [("T-1", kind) for kind in ["added"] + 3 * ["changed"]]
    assert new_index.get("T-1").title == "Version 3"
    assert execute(new_index, "SELECT count(*) FROM revisions") == [(3,)]
    assert new_index.check() == []


@ONE_STORE
def test_the_same_version_twice_in_one_run_counts_once(new_index: Index) -> None:
    summary = new_index.ingest(ListSource(trial(), trial(), trial(2)))
    assert (summary.added, summary.unchanged) == (2, 1)


def test_ids_differ_by_more_than_the_case_of_letters(new_index: Index) -> None:
    summary = new_index.ingest(ListSource(trial(title="One", id="nct1"), trial(title="Two", id="NCT1")))
    assert (summary.added, summary.changed, len(new_index)) == (1, 1, 1)
    assert new_index.get("Nct1").title == "Two"


def test_a_removed_trial_leaves_no_trace(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(phases=("PHASE1",), raw={"a": 1})))
    new_index.ingest(ListSource(trial(title="Changed", raw={"a": 2})))
    new_index.remove(["t-1"])
    for table in ("trials", "raw", "revisions", "phases", "conditions", "places", "passages"):
        assert execute(new_index, f"SELECT count(*) FROM {table}") == [(0,)]
    assert new_index.check() == []


# --- newer and fuller records -----------------------------------------------------------------------------------------


def dated(date: str | None, **fields: Any) -> Trial:
    return trial(title=f"As of {date}", last_updated=TrialDate(date=date) if date else None, **fields)


@ONE_STORE
@pytest.mark.parametrize(
    ("held", "new", "taken"),
    [
        ("2024-05-17", "2024-05-16", False),
        ("2024-05-17", "2024-05-18", True),
        ("2024-05-17", "2024-04", False),
        ("2024-05-17", "2024-05", True),
        ("2024-05-17", "2023", False),
        ("2024-05-17", "2024", True),
        ("2024", "2023-12-31", False),
        ("2024", "2024-01-01", True),
        ("2024-06", "2024-05-31", False),
        ("2024-05-17", None, True),
        (None, "1999", True),
    ],
)
def test_an_older_record_never_replaces_a_newer_one(
    new_index: Index, held: str | None, new: str | None, taken: bool
) -> None:
    new_index.ingest(ListSource(dated(held)))
    summary = new_index.ingest(ListSource(dated(new)))
    assert new_index.get("T-1").title == f"As of {new if taken else held}"
    assert bool(summary.kept) is not taken
    assert summary.changed == int(taken)


@ONE_STORE
def test_an_older_record_in_the_same_run_does_not_either(new_index: Index) -> None:
    summary = new_index.ingest(ListSource(dated("2024-05"), dated("2024-04")))
    assert new_index.get("T-1").title == "As of 2024-05"
    assert [trial_id for trial_id, _ in summary.kept] == ["T-1"]


@ONE_STORE
def test_a_partial_record_never_replaces_a_full_one(new_index: Index) -> None:
    new_index.ingest(PartialSource(trial(title="Partial"), spec="partial"))
    new_index.ingest(ListSource(trial(title="Full", summary="All of it.")))
    new_index.ingest(PartialSource(trial(title="Partial"), spec="partial"))
    assert new_index.get("T-1").title == "Full", "it says what it said before"
    new_index.ingest(PartialSource(trial(title="Partial again"), spec="partial"))
    assert (new_index.get("T-1").title, new_index.get("T-1").summary) == ("Partial again", "All of it.")


def test_a_full_source_that_confirms_a_partial_record_makes_it_full(new_index: Index) -> None:
    new_index.ingest(PartialSource(trial(title="Same")))
    assert new_index.ingest(ListSource(trial(title="Same"))).unchanged == 1
    assert records_of(new_index).status_of("T-1").partial == 0  # type: ignore[union-attr]
    assert new_index.check() == []


# --- checkpoints ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_committed_with_the_trials_before_it(new_index: Index) -> None:
    source = ListSource(trial(1), trial(2), Checkpoint(page=1), trial(3), KeyboardInterrupt())
    summary = new_index.ingest(source)
    assert summary.stopped == "interrupted"
    assert (state_of(new_index), stored_ids(new_index)) == ({"page": 1}, ["T-1", "T-2"])
    again = ListSource(trial(3), Checkpoint(page=2))
    new_index.ingest(again)
    assert again.seen_state == {"page": 1}
    assert (state_of(new_index), stored_ids(new_index)) == ({"page": 2}, ["T-1", "T-2", "T-3"])


@pytest.mark.parametrize("failure", [ValueError("boom"), SourceError("the registry is closed.")])
def test_when_a_source_fails_everything_before_is_kept(new_index: Index, failure: Exception) -> None:
    with pytest.raises(SourceError) as raised:
        new_index.ingest(ListSource(trial(1), Checkpoint(page=1), trial(2), failure))
    assert str(failure).rstrip(".") in str(raised.value)
    assert "\n" not in str(raised.value)
    assert (state_of(new_index), stored_ids(new_index)) == ({"page": 1}, ["T-1", "T-2"])
    assert len(new_index.query("trial").hits) == 2


@ONE_STORE
def test_a_checkpoint_outlives_the_end_of_the_run(new_index: Index) -> None:
    new_index.ingest(ListSource(trial(1), Checkpoint(page=1), trial(2)))
    assert state_of(new_index) == {"page": 1}
    source = ListSource()
    new_index.ingest(source)
    assert source.seen_state == {"page": 1}
    assert state_of(new_index) == {"page": 1}


@ONE_STORE
def test_a_checkpoint_without_trials_is_kept(new_index: Index) -> None:
    new_index.ingest(ListSource(Checkpoint(page=1), Checkpoint(page=2)))
    assert state_of(new_index) == {"page": 2}


@ONE_STORE
def test_each_spec_has_a_state_of_its_own(new_index: Index) -> None:
    new_index.ingest(ListSource(Checkpoint(page=1), spec="list:a"))
    source = ListSource(spec="list:b")
    new_index.ingest(source)
    assert source.seen_state == {}


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("stop", range(11))
@ONE_STORE
def test_wherever_it_stops_nothing_is_lost_or_skipped(new_index: Index, stop: int) -> None:
    """A source that yields ten trials and a checkpoint after every third, from where its state says."""

    def steps(after: int, end: int) -> list[Any]:
        found: list[Any] = []
        for number in range(after, end):
            found.append(trial(number))
            if number % 3 == 2:
                found.append(Checkpoint(done=number + 1))
        return found

    new_index.ingest(ListSource(*steps(0, stop), KeyboardInterrupt()))
    done = (state_of(new_index) or {"done": 0})["done"]
    assert {f"T-{n}" for n in range(done)} <= set(stored_ids(new_index))
    encoded = list(CountingEncoder.texts)
    new_index.ingest(ListSource(*steps(done, 10)))
    assert set(stored_ids(new_index)) == {f"T-{n}" for n in range(10)}
    assert len(set(CountingEncoder.texts)) == len(CountingEncoder.texts), f"encoded twice; first run: {encoded}"
    assert new_index.check() == []


def test_ctrl_c_in_the_encoder_keeps_every_trial(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = CountingEncoder.encode_documents
    calls = []

    def interrupted(self: CountingEncoder, texts: list[str], progress: Any = None) -> Any:
        calls.append(texts)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return encode(self, texts, progress)

    monkeypatch.setattr(embedding, "CHUNK", 2)
    monkeypatch.setattr(CountingEncoder, "encode_documents", interrupted)
    summary = new_index.ingest(ListSource(*(trial(n) for n in range(6)), Checkpoint(done=True)))
    assert (summary.stopped, summary.encoded, summary.unembedded) == ("interrupted", 2, 4)
    assert stored_ids(new_index) == [f"T-{n}" for n in range(6)]
    assert state_of(new_index) == {"done": True}
    assert [len(new_index.query("trial", mode=mode).hits) for mode in ("lexical", "hybrid", "vector")] == [6, 6, 2]


# --- plugins that listen ----------------------------------------------------------------------------------------------


def test_listeners_hear_of_changes_once_and_cannot_break_anything(
    new_index: Index, registered: Plugins, tmp_path: Path
) -> None:
    from trialindex.plugin.hookspecs import hookimpl

    heard: list[Any] = []

    class Listener:
        @hookimpl
        def index_updated(self, index: Index, changes: Any) -> None:
            heard.append([(c.id, c.kind) for c in changes])
            assert len(index.query("trial").hits) == len(index)

    class Broken:
        @hookimpl
        def index_updated(self, index: Index, changes: Any) -> None:
            raise RuntimeError("no network")

    registered.register(Listener(), "listener")
    registered.register(Broken(), "broken")
    notes: list[str] = []
    new_index.ingest(ListSource(trial(1), trial(2)), listener=ProgressListener(on_note=notes.append))
    new_index.ingest(ListSource(trial(1), trial(2)))
    assert heard == [[("T-1", "added"), ("T-2", "added")]]
    assert len(notes) == 1
    assert "broken" in notes[0]
    assert "no network" in notes[0]


# --- a full disk ------------------------------------------------------------------------------------------------------


def test_a_full_disk_in_the_transaction_changes_nothing(index: Index) -> None:
    before = index.query("lupus")
    (pages,) = execute(index, "PRAGMA page_count")[0]
    execute(index, f"PRAGMA max_page_count = {pages}")
    long = [trial(n, summary=f"{n} " + "long " * 900, raw={"x": list(range(9 * n, 9999))}) for n in range(30)]
    with pytest.raises(StorageError, match="disk is full"):
        index.ingest(ListSource(*long, Checkpoint(page=9)))
    assert state_of(index) is None
    with Index.open(index.folder) as again:
        assert again.query("lupus") == before
        assert again.check() == []
        assert again.ingest(ListSource(*long)).added == 30

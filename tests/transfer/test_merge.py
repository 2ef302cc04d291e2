"""Several machines: parts of a source that are encoded apart, and merged into what one machine would have made."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import trialindex_ctgov
from support.ctgov_server import CtgovServer, study
from support.helpers import (
    ONE_STORE,
    Checkpoint,
    CountingEncoder,
    ListSource,
    PartialSource,
    execute,
    files_of,
    ids,
    no_space,
    records_of,
    state,
    trial,
)
from trialindex.cli import cli
from trialindex.errors import EncoderMismatch, IndexDamaged, IndexNotFound, IndexStateError, StorageError
from trialindex.index import Index
from trialindex.ingest.embedding import CHUNK
from trialindex.ingest.request import Request, Shard
from trialindex.plugin.http import Pace
from trialindex.plugin.interfaces import IngestContext
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.registry import Plugins
from trialindex.testing import sample_trials
from trialindex.transfer import merge as merge_module
from trialindex.transfer.merge import merge
from trialindex.trial import TrialDate
from trialindex.watching import Watches, sync
from trialindex_ctgov.source import CtgovSource

TRIALS = sample_trials(60)


def made(folder: Path, store: str, *sources: Any, shard: str | None = None, encoder: str = "counting") -> Path:
    with Index.create(folder, encoder=encoder, store=store) as index:
        for source in sources:
            index.ingest(source, shard=shard, request=Request("list"))
    return folder


@pytest.fixture
def parts(store: str, tmp_path: Path) -> list[Path]:
    """Eight indexes, each of one shard of the same source."""
    source = ListSource(*TRIALS, Checkpoint(last="2026-01-01"))
    return [made(tmp_path / f"part{n}", store, source, shard=f"{n}/8") for n in range(1, 9)]


# --- shards -----------------------------------------------------------------------------------------------------------


def test_every_trial_is_in_one_shard_on_every_machine() -> None:
    names = [f"NCT{number:08d}" for number in range(8000)]
    for count in (1, 2, 8, 1000):
        shards = [Shard(number, count) for number in range(1, count + 1)]
        assert all(sum(name in shard for shard in shards) == 1 for name in names[: 8000 // count])
    assert all(800 < sum(name in Shard(number, 8) for name in names) < 1200 for number in range(1, 9))
    assert [number for number in range(30) if names[number] in Shard(1, 3)] == [2, 12, 14, 18, 19, 25, 29], (
        "and in every version"
    )
    assert all((name.lower() in Shard(1, 3)) == (name in Shard(1, 3)) for name in names[:99])


@pytest.mark.parametrize("text", ["", "2", "0/8", "9/8", "2/0", "a/b", "2/8/3", "-1/8", "99999/99999", "2/8x"])
def test_what_is_no_shard_is_refused(text: str, registered: Plugins) -> None:
    with pytest.raises(ValueError, match="write 1/8 to 8/8"):
        Shard.parse(text)
    done = CliRunner().invoke(cli, ["ingest", "list", "--shard", text])
    assert done.exit_code != 0


@ONE_STORE
def test_a_shard_has_a_state_of_its_own_and_sync_stays_in_it(new_index: Index, registered: Plugins) -> None:
    from support.watching_cases import Registry, add_fakes

    add_fakes(registered)
    Registry.trials_now = [trial(number) for number in range(20)]
    new_index.ingest("registry", shard="1/3")
    mine = set(ids(new_index.trials()))
    assert mine == {f"T-{n}" for n in range(20) if f"T-{n}" in Shard(1, 3)}
    Registry.trials_now = [trial(number) for number in range(30)]
    with Watches(new_index.folder) as watches:
        [one] = sync(new_index, watches).refreshed
    assert one.spec == "registry --shard 1/3"
    assert Registry.asked[-1]["state"] == {"runs": 1}
    assert set(ids(new_index.trials())) == {f"T-{n}" for n in range(30) if f"T-{n}" in Shard(1, 3)} > mine


# --- merging ----------------------------------------------------------------------------------------------------------


def answers(index: Index) -> list[list[tuple[float, str]]]:
    """What each mode answers; trials of one score may come in any order."""
    asked = [("kidney", mode) for mode in ("hybrid", "vector", "lexical")]
    return [sorted((-h.score, h.trial.id) for h in index.query(text, mode=mode, limit=99).hits) for text, mode in asked]


def test_eight_shards_merged_are_one_index_built_at_once(parts: list[Path], store: str, tmp_path: Path) -> None:
    whole = made(tmp_path / "whole", store, ListSource(*TRIALS, Checkpoint(last="2026-01-01")))
    CountingEncoder.texts.clear()
    done = merge(parts, tmp_path / "merged")
    assert (len(done.changes), done.notes) == (60, [])
    assert CountingEncoder.texts == []
    with Index.open(whole) as one, Index.open(tmp_path / "merged") as other:
        a, b = state(one), state(other)
        for table in ("raw", "revisions", "passages", "vectors", "origins", "sources"):
            assert a[table] == b[table], table
        without_generation = [[(*row[:2], *row[3:]) for row in one["trials"]] for one in (a, b)]
        assert without_generation[0] == without_generation[1]
        assert other.check() == []
        assert answers(one) == answers(other)
        assert other.ingest(ListSource(*TRIALS)).unchanged == 60
    assert CountingEncoder.texts == []


@ONE_STORE
def test_a_second_merge_changes_nothing_and_parts_can_come_one_by_one(parts: list[Path], tmp_path: Path) -> None:
    merge(parts[:3], tmp_path / "merged")
    done = merge(parts[3:], tmp_path / "merged")
    assert done.notes == []
    with Index.open(tmp_path / "merged") as index:
        assert list(index.info().sources) == ["list"]
        before = state(index)
        assert merge(parts, tmp_path / "merged").changes == []
        assert state(index)["trials"] == before["trials"]
        assert index.check() == []


@ONE_STORE
def test_what_cannot_be_one_source_is_said(parts: list[Path], store: str, tmp_path: Path) -> None:
    done = merge(parts[1:], tmp_path / "seven")
    assert done.notes == ["list: the shards 1/8 are missing; the others stay sources of their own."]
    other = made(tmp_path / "later", store, ListSource(*TRIALS, Checkpoint(last="2026-02-02")), shard="1/8")
    done = merge([other, *parts[1:]], tmp_path / "mixed")
    assert "its shards ended at different states" in done.notes[0]
    with Index.open(tmp_path / "mixed") as index:
        assert len(index) == 60
        assert len(index.info().sources) == 8
        assert records_of(index).sources.all()["list --shard 1/8"].state == {"last": "2026-02-02"}
        assert index.check() == []


@ONE_STORE
def test_two_states_of_one_source_begin_again(store: str, tmp_path: Path) -> None:
    one = made(tmp_path / "one", store, ListSource(trial(1), Checkpoint(n=1)))
    two = made(tmp_path / "two", store, ListSource(trial(2), Checkpoint(n=2)))
    [note] = merge([one, two], tmp_path / "merged").notes
    assert "asks for all of it again" in note
    with Index.open(tmp_path / "merged") as index:
        assert records_of(index).sources.all()["list"].state == {}
        assert index.requests()["list"] == Request("list")


@ONE_STORE
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_versions_the_newer_is_current_and_the_other_history(store: str, tmp_path: Path, turned: bool) -> None:
    def version(day: str, **fields: Any) -> Any:
        return trial(1, title=f"As of {day}", last_updated=TrialDate(date=day), **fields)

    one = made(tmp_path / "one", store, ListSource(version("2026-01-01")), ListSource(version("2026-03-03")))
    two = made(
        tmp_path / "two", store, ListSource(version("2026-02-02")), ListSource(version("2026-04-04", raw={"a": 1}))
    )
    three = made(tmp_path / "three", store, PartialSource(version("2026-05-05")))
    with Index.open(one) as index:
        execute(index, "UPDATE trials SET first_seen = '2020-01-01', last_checked = '2026-03-04'")
        execute(index, "UPDATE revisions SET seen = '2026-01-02'")
    with Index.open(two) as index:
        execute(index, "UPDATE trials SET last_checked = '2026-04-05'")
        execute(index, "UPDATE revisions SET seen = '2026-02-03'")
    merge([three, two, one] if turned else [one, two, three], tmp_path / "merged")
    with Index.open(tmp_path / "merged") as index:
        held = index.stored("T-1", contacts=True)
        assert (held.trial.title, held.first_seen, held.trial.raw) == ("As of 2026-04-04", "2020-01-01", {"a": 1})
        told = [one.trial.title[6:] for one in index.history("T-1")]
        assert sorted(told[:-1]) == ["2026-01-01", "2026-02-02", "2026-03-03", "2026-05-05"]
        assert told[-1] == "2026-04-04"
        assert index.check() == []
        assert index.ingest(ListSource(version("2026-06-06"))).changed == 1, "and history goes on"
        assert index.check() == []


@ONE_STORE
def test_a_trial_that_was_found_gone_stays_so_unless_it_was_seen_later(store: str, tmp_path: Path) -> None:
    one = made(tmp_path / "one", store, ListSource(trial(1), trial(2)))
    two = made(tmp_path / "two", store, ListSource(trial(1), trial(2)))
    with Index.open(one) as index:
        execute(index, "UPDATE origins SET gone = '2026-02-02'")
    with Index.open(two) as index:
        execute(index, "UPDATE trials SET last_checked = CASE id WHEN 'T-1' THEN '2026-03-03' ELSE '2026-01-01' END")
    merge([one, two], tmp_path / "merged")
    with Index.open(tmp_path / "merged") as index:
        assert [one.gone_since for one in index.trials()] == [None, "2026-02-02"]


# --- what is refused --------------------------------------------------------------------------------------------------


@ONE_STORE
def test_another_encoder_is_refused_in_one_line(parts: list[Path], store: str, tmp_path: Path) -> None:
    other = made(tmp_path / "other", store, ListSource(trial(1)), encoder="other")
    with pytest.raises(EncoderMismatch, match=r"counting .* other") as raised:
        merge([*parts, other], tmp_path / "merged")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "merged").exists()
    with pytest.raises(EncoderMismatch):
        merge(parts, other)
    with Index.open(other) as index:
        assert ids(index.trials()) == ["T-1"]


@ONE_STORE
def test_a_merge_that_fails_changes_nothing(
    parts: list[Path], store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = made(tmp_path / "held", store, ListSource(trial(1)))
    with Index.open(held) as index:
        before = state(index)
    with Index.open(parts[4]) as index:
        execute(index, "UPDATE trials SET record = x'00' WHERE num = (SELECT max(num) FROM trials)")
    for folder in (held, tmp_path / "new"):
        with pytest.raises(IndexDamaged):
            merge(parts, folder)
        with pytest.raises(IndexStateError, match="own parts"):
            merge([parts[0], folder], folder) if folder.exists() else merge([parts[0]], parts[0])
        with pytest.raises(IndexNotFound):
            merge([parts[0], tmp_path / "nowhere"], folder)
        with monkeypatch.context() as patch:
            patch.setattr(merge_module, "restore", no_space)
            with pytest.raises(StorageError, match="disk is full"):
                merge(parts[:2], folder)
    with Index.open(held) as index:
        assert state(index) == before
        assert index.check() == []
    assert not (tmp_path / "new").exists()


@ONE_STORE
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_in_a_merge_leaves_what_was(
    parts: list[Path], store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = made(tmp_path / "held", store, ListSource(trial(1)))
    for folder in (held, tmp_path / "new"):
        if not (child := os.fork()):
            monkeypatch.setattr(merge_module, "restore", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            merge(parts, folder)
        os.waitpid(child, 0)
        with Index.open(folder) as index:
            assert len(index) == (1 if folder == held else 0)
        assert len(merge(parts, folder).changes) == 60
        with Index.open(folder) as index:
            assert index.check() == []


# --- what is typed, against a registry --------------------------------------------------------------------------------


@pytest.fixture
def server(registered: Plugins, monkeypatch: pytest.MonkeyPatch) -> Iterator[CtgovServer]:
    registered.register(trialindex_ctgov, "ctgov")
    monkeypatch.setattr(CtgovSource, "pace", Pace(interval=0.0, timeout=60.0, retries=1, backoff=0.01, longest=0.1))
    with CtgovServer([study(number) for number in range(1, 31)]) as running:
        monkeypatch.setenv("TRIALINDEX_CTGOV_URL", running.url)
        yield running


@ONE_STORE
def test_what_is_typed_on_two_machines_and_then_on_one(store: str, server: CtgovServer, tmp_path: Path) -> None:
    def typed(*words: str) -> str:
        done = CliRunner().invoke(cli, list(words))
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    options = ["--encoder", "counting", "--store", store]
    for number in ("1", "2"):
        typed("ingest", "ctgov:lupus", "--shard", f"{number}/2", "--index", str(tmp_path / number), *options)
    told = typed("merge", str(tmp_path / "1"), str(tmp_path / "2"), "--index", str(tmp_path / "whole"))
    assert told.startswith("30 added, 0 changed.")
    server.studies.append(study(31, updated="2026-02-02"))
    server.timestamp = "2026-02-03T00:00:00"
    server.requests.clear()
    typed("sync", "--index", str(tmp_path / "whole"))
    assert [one.query["filter.advanced"] for one in server.searches] == [
        "AREA[LastUpdatePostDate]RANGE[2026-01-31,MAX]"
    ]
    with Index.open(tmp_path / "whole") as index:
        assert len(index) == 31


# --- nothing is encoded twice -----------------------------------------------------------------------------------------


class Slow(CountingEncoder):
    """Is interrupted in one of its calls."""

    stops = 0

    def encode_documents(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Any:
        Slow.stops -= 1
        if not Slow.stops:
            raise KeyboardInterrupt
        return super().encode_documents(texts, progress)


@ONE_STORE
def test_an_interruption_in_the_middle_of_a_batch_loses_no_vector(new_index: Index) -> None:
    many = [trial(number, title=f"{'word ' * (number % 50)}{number}") for number in range(3 * CHUNK)]
    Slow.stops = 3
    with Index.open(new_index.folder, encoder=Slow()) as index:
        assert index.ingest(ListSource(*many)).stopped == "interrupted"
        assert (len(index), index.info().unembedded) == (3 * CHUNK, CHUNK)
    first = list(CountingEncoder.texts)
    assert len(first) == 2 * CHUNK
    lengths = [len(text) for text in first]
    assert lengths == sorted(lengths, reverse=True), "texts of alike length meet"
    assert new_index.check() == []
    assert new_index.ingest(ListSource(*many)).unchanged == 3 * CHUNK
    assert len(CountingEncoder.texts) == len(set(CountingEncoder.texts)) == 3 * CHUNK


@ONE_STORE
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_in_the_middle_of_a_batch_loses_at_most_one_chunk(new_index: Index) -> None:
    many = [trial(number) for number in range(3 * CHUNK)]
    new_index.close()
    if not (child := os.fork()):
        encode = CountingEncoder.encode_documents

        def killed(self: CountingEncoder, texts: Sequence[str], progress: Any = None) -> Any:
            if len(CountingEncoder.texts) >= 2 * CHUNK:
                os.kill(os.getpid(), signal.SIGKILL)
            return encode(self, texts, progress)

        CountingEncoder.encode_documents = killed  # type: ignore[method-assign]
        with Index.open(new_index.folder) as index:
            index.ingest(ListSource(*many))
    os.waitpid(child, 0)
    with Index.open(new_index.folder) as index:
        assert execute(index, "SELECT count(*) FROM vectors") == [(2 * CHUNK,)]
        index.ingest(ListSource(*many))
        assert len(CountingEncoder.texts) == CHUNK
        assert index.check() == []


@ONE_STORE
def test_progress_is_of_what_was_read_and_then_of_what_is_embedded(new_index: Index) -> None:
    class Counted(ListSource):
        def trials(self, context: IngestContext) -> Iterator[Any]:
            for number in range(1, 4 * CHUNK + 1):
                yield trial(number)
                context.progress(number, 4 * CHUNK)

    shown: list[tuple[str, int, int | None]] = []
    listener = ProgressListener(
        on_progress=lambda done, total: shown.append(("read", done, total)),
        on_embedded=lambda done, total: shown.append(("embedded", done, total)),
    )
    new_index.ingest(Counted(), listener=listener)
    read, embedded = shown[: 4 * CHUNK], shown[4 * CHUNK :]
    assert read == [("read", number, 4 * CHUNK) for number in range(1, 4 * CHUNK + 1)]
    assert embedded == [("embedded", step * CHUNK, 4 * CHUNK) for step in range(1, 5)]


def test_the_index_says_how_to_go_on(parts: list[Path], tmp_path: Path) -> None:
    assert files_of(tmp_path) == {f"part{number}" for number in range(1, 9)}
    done = CliRunner().invoke(cli, ["ingest", "--help"])
    assert re.search(r"--shard 2/8 --index part2", done.output)

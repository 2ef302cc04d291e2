"""An ingest that was not finished: what it left is found by words, said, embedded later, and never taken for damage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.helpers import (
    ONE_STORE,
    CountingEncoder,
    ListSource,
    execute,
    ids,
    ingest_unfinished,
    trial,
)
from trialindex.cli import cli
from trialindex.errors import IndexDamaged, SourceError
from trialindex.index import Index
from trialindex.ingest import embedding
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.registry import Plugins
from trialindex.transfer.export import export_archive, import_archive
from trialindex.transfer.merge import merge

pytestmark = ONE_STORE

SO_FAR = "words of 4 trials, meaning of 1"


@pytest.fixture
def unfinished(new_index: Index) -> Index:
    """Four trials, of which one has its vector."""
    texts = ("Lupus walks", "Lupus songs", "Asthma walks", "Gout songs")
    trials = (trial(n, title=text, status="RECRUITING" if n == 3 else None) for n, text in enumerate(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding, "WINDOW", 1)
        ingest_unfinished(new_index, *trials, encoded=1)
    return new_index


def typed(*arguments: str) -> str:
    """What a command prints, on either stream."""
    done = CliRunner().invoke(cli, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


# --- asking -----------------------------------------------------------------------------------------------------------


def test_an_answer_says_how_much_is_embedded(unfinished: Index) -> None:
    hybrid, vector, lexical = (unfinished.query("lupus", mode=mode) for mode in ("hybrid", "vector", "lexical"))
    assert {answer.unembedded for answer in (hybrid, vector, lexical)} == {3}
    assert f"So far the index holds the {SO_FAR}: what is not embedded yet is found by its words alone." in hybrid.notes
    assert f"So far the index holds the {SO_FAR}: what is not embedded yet is not in this answer." in vector.notes
    assert lexical.notes == ()
    assert (ids(vector), sorted(ids(lexical))) == (["T-3"], ["T-0", "T-1"])
    assert {"T-0", "T-1", "T-3"} <= set(ids(hybrid))


def test_info_says_it_and_how_to_go_on(unfinished: Index) -> None:
    told = typed("info", "--index", str(unfinished.folder))
    assert SO_FAR in told
    assert "trialindex check --repair" in told
    unfinished.ingest(ListSource())
    assert "meaning of" not in typed("info", "--index", str(unfinished.folder))


@pytest.mark.parametrize("question", ["lupus walks", "songs in lupus"])
def test_a_trial_without_vectors_stands_where_its_words_put_it(new_index: Index, question: str) -> None:
    """Before one that has vectors and less to do with the question."""
    others = [trial(n, title=f"Walks and songs number {n} in gout") for n in range(2, 30)]
    best = [trial(0, title="Lupus walks", summary="Walks."), trial(1, title="Songs in lupus", summary="Songs.")]
    new_index.ingest(ListSource(*others))
    ingest_unfinished(new_index, *best)
    assert new_index.info().unembedded == 2
    before = ids(new_index.query(question))[0]
    new_index.ingest(ListSource())
    assert before == ids(new_index.query(question))[0] in ("T-0", "T-1")


# --- going on ---------------------------------------------------------------------------------------------------------


def test_the_next_ingest_embeds_what_is_missing_and_says_so(unfinished: Index) -> None:
    notes: list[str] = []
    CountingEncoder.texts.clear()
    summary = unfinished.ingest(ListSource(spec="another"), listener=ProgressListener(on_note=notes.append))
    assert notes == ["What an earlier ingest left is embedded too: 3 passages."]
    assert (summary.encoded, summary.unembedded) == (3, 0)
    assert sorted(CountingEncoder.texts) == ["Asthma walks.", "Lupus songs.", "Lupus walks."]
    assert unfinished.query("lupus").unembedded == 0
    assert unfinished.check() == []


def test_check_tells_it_from_damage(unfinished: Index) -> None:
    found = unfinished.check()
    assert (found, found.waiting) == ([], 3)
    assert "3 passages not embedded yet" in typed("check", "--index", str(unfinished.folder))
    assert (
        json.loads(CliRunner().invoke(cli, ["check", "--json", "--index", str(unfinished.folder)]).stdout)["waiting"]
        == 3
    )
    execute(unfinished, "DELETE FROM vectors")
    assert [finding.what for finding in unfinished.check()][:1] == ["a passage of T-3 has no vector"]


@pytest.mark.parametrize("damaged", [False, True])
def test_a_repair_embeds_it(unfinished: Index, damaged: bool) -> None:
    if damaged:
        execute(unfinished, "DELETE FROM vectors")
    found = unfinished.check(repair=True)
    assert all(finding.repaired for finding in found)
    assert (bool(found), found.waiting, unfinished.info().unembedded) == (damaged, 0, 0)
    assert len(unfinished.query("lupus", mode="vector").hits) == 4
    assert unfinished.check() == []


def test_one_whose_record_is_damaged_keeps_no_other_waiting(unfinished: Index) -> None:
    execute(unfinished, "UPDATE trials SET record = x'00' WHERE id = 'T-0'")
    assert unfinished.ingest(ListSource()).encoded == 2
    assert [finding.trial for finding in unfinished.check()] == ["T-0"]
    unfinished.ingest(ListSource(trial(0, title="Lupus walks", summary="Mended.")))
    assert [finding.kind for finding in unfinished.check()] == ["revision"]
    assert unfinished.info().unembedded == 0


def test_what_a_source_gave_before_it_failed_is_embedded(new_index: Index) -> None:
    with pytest.raises(SourceError, match="closed"):
        new_index.ingest(ListSource(trial(1), trial(2), SourceError("the registry is closed.")))
    assert (len(new_index), new_index.info().unembedded) == (2, 0)
    assert len(new_index.query("trial", mode="vector").hits) == 2


def test_a_trial_that_changes_or_goes_waits_no_more(unfinished: Index) -> None:
    unfinished.remove(["T-0"])
    unfinished.ingest(ListSource(trial(1, title="Gout songs")))  # a text that has its vector
    CountingEncoder.texts.clear()
    unfinished.ingest(ListSource())
    assert "Lupus walks." not in CountingEncoder.texts
    assert unfinished.check() == []


# --- moving -----------------------------------------------------------------------------------------------------------


def test_an_archive_carries_it(unfinished: Index, tmp_path: Path, registered: Plugins) -> None:
    told = typed("export", "--archive", str(tmp_path / "a.zip"), "--index", str(unfinished.folder))
    assert SO_FAR in told
    assert SO_FAR in typed("import", str(tmp_path / "a.zip"), "--index", str(tmp_path / "copy"))
    with Index.open(tmp_path / "copy") as copy:
        assert (copy.info().unembedded, copy.check()) == (3, [])
        CountingEncoder.texts.clear()
        copy.ingest(ListSource())
        assert len(CountingEncoder.texts) == 3
        assert (copy.info().unembedded, copy.check()) == (0, [])


def test_an_archive_that_lost_a_vector_is_refused(unfinished: Index, tmp_path: Path, registered: Plugins) -> None:
    execute(unfinished, "DELETE FROM vectors")
    with pytest.raises(IndexDamaged, match="lacks the vectors of 1 passages"):
        export_archive(unfinished, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_merge_takes_vectors_from_wherever_they_are(unfinished: Index, tmp_path: Path, registered: Plugins) -> None:
    with Index.create(tmp_path / "other", encoder="counting", store="brute-force") as other:
        other.ingest(ListSource(trial(0, title="Lupus walks"), trial(9, title="Lupus songs")))
    for parts in ((unfinished.folder, tmp_path / "other"), (tmp_path / "other", unfinished.folder)):
        whole = tmp_path / "whole"
        done = merge(parts, whole)
        assert any("words of 5 trials, meaning of 4" in note for note in done.notes)
        with Index.open(whole) as index:
            assert index.check() == []
            assert len(index.query("lupus", mode="vector").hits) == 4
            index.ingest(ListSource())
            assert len(index.query("lupus", mode="vector").hits) == 5
        shutil.rmtree(whole)


def test_a_merge_into_what_was_unfinished_completes_it(unfinished: Index, tmp_path: Path, registered: Plugins) -> None:
    with Index.create(tmp_path / "other", encoder="counting", store="brute-force") as other:
        other.ingest(ListSource(*unfinished.trials()))
    assert merge([tmp_path / "other"], unfinished.folder).notes == []
    assert len(unfinished.query("lupus", mode="vector").hits) == 4
    assert unfinished.check() == []


def test_an_archive_of_a_whole_index_waits_for_nothing(index: Index, tmp_path: Path) -> None:
    export_archive(index, tmp_path / "a.zip")
    import_archive(tmp_path / "a.zip", tmp_path / "copy")
    with Index.open(tmp_path / "copy") as copy:
        assert copy.info().unembedded == 0

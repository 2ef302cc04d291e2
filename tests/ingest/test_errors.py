"""Sources and encoders that break their contract do no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.helpers import (
    ONE_STORE,
    Checkpoint,
    ListSource,
    OtherEncoder,
    execute,
    ids,
    records_of,
    trial,
)
from trialindex.errors import EncoderError, SourceError
from trialindex.index import Index
from trialindex.ingest import run as ingest_module
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.registry import Plugins
from trialindex.trial import Trial


def stored_ids(index: Index) -> list[str]:
    return sorted(ids(index.trials()))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH", 2)


# --- sources and records that break the contract ----------------------------------------------------------------------


def broken(**fields: Any) -> Trial:
    return trial(**fields)


@ONE_STORE
@pytest.mark.parametrize(
    "bad",
    [
        {"id": "T", "title": "No Trial at all"},
        None,
        "T-2",
        broken(id=""),
        broken(id="a\nb"),
        broken(id="T-2", title=""),
        broken(id="T-2", title="\ud800"),
        broken(id="T-2", status="open"),
        broken(id="T-2", conditions="lupus"),
        broken(id="T-2", minimum_age=999),
        broken(id="T-2", summary=5),
        broken(id="T-2", raw={"object": object()}),
        broken(id="T-2", raw={"text": "\ud800"}),
        broken(id=5),
    ],
)
def test_an_invalid_record_is_rejected_and_the_rest_goes_on(new_index: Index, bad: Any) -> None:
    told: list[tuple[str, str]] = []
    listener = ProgressListener(on_reject=lambda where, why: told.append((where, why)))
    summary = new_index.ingest(ListSource(trial(1), bad, trial(3)), listener=listener)
    assert stored_ids(new_index) == ["T-1", "T-3"]
    assert len(summary.rejected) == 1
    assert told == summary.rejected
    assert told[0][0]
    assert new_index.check() == []


@ONE_STORE
def test_what_a_source_rejects_is_counted(new_index: Index) -> None:
    summary = new_index.ingest(ListSource(trial(1), ("line 12", "it has no title")))
    assert summary.rejected == [("line 12", "it has no title")]


class _NoGenerator(Source):
    name = "no-generator"
    summary = "Fails before it yields."

    def trials(self, context: IngestContext) -> Any:
        raise OSError("no such file")


@ONE_STORE
def test_a_source_that_fails_at_once_is_a_source_error(new_index: Index) -> None:
    with pytest.raises(SourceError, match=r"no-generator.*no such file"):
        new_index.ingest(_NoGenerator())


@ONE_STORE
def test_the_source_of_a_trial_is_the_one_it_came_from(new_index: Index) -> None:
    new_index.ingest(ListSource(Trial(id="T-1", title="x"), Trial(id="T-2", title="x", source="elsewhere")))
    assert [t.source for t in new_index.trials()] == ["list", "list"]


NONSENSE: list[Callable[[Any], Any]] = [
    lambda v: np.full_like(v, np.nan),
    lambda v: v[:-1],
    lambda v: v[:, :-1],
    lambda v: v * 2,
    lambda v: np.zeros_like(v),
    lambda v: v[0],
    lambda v: None,
    lambda v: "vectors",
    lambda v: 1 / 0,
]


@pytest.mark.usefixtures("registered", "small_batches")
def test_of_an_encoder_that_answers_nonsense_no_vector_is_kept_and_no_trial_lost(tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder="other", store="brute-force") as index:
        index.ingest(ListSource(trial(0)))
        for give in NONSENSE:
            OtherEncoder.give = give
            with pytest.raises(EncoderError) as raised:
                index.ingest(ListSource(trial(1), trial(2), Checkpoint(page=1), trial(3)))
            assert "\n" not in str(raised.value)
            assert stored_ids(index) == ["T-0", "T-1", "T-2", "T-3"]
            assert len(index.query("trial", mode="lexical").hits) == 4
            assert execute(index, "SELECT count(*) FROM vectors") == [(1,)]
            assert records_of(index).sources.all()["list"].state == {"page": 1}
            assert (index.check(), index.info().unembedded) == ([], 3)
        OtherEncoder.give = None
        index.ingest(ListSource())
        assert (index.check(), index.info().unembedded) == ([], 0)


def test_a_query_vector_that_is_no_vector_is_an_encoder_error(registered: Plugins, tmp_path: Path) -> None:
    with Index.create(tmp_path / "index", encoder="other", store="brute-force") as index:
        index.ingest(ListSource(trial(0)))
        OtherEncoder.give = lambda v: np.full_like(v, np.nan)
        with pytest.raises(EncoderError):
            index.query("lupus")

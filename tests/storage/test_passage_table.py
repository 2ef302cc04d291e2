"""The table of which passage is of which trial: the same as the records say, whatever changed and whoever looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.helpers import ONE_STORE, ListSource, ids, trial
from trialindex.index import Index
from trialindex.search.filters import Filters
from trialindex.storage import derived, filter_queries, passage_table
from trialindex.storage.records import Records

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Ids

pytestmark = ONE_STORE


@pytest.fixture
def grown(tmp_path: Path, store: str) -> Path:
    """An index whose trials came, changed and went."""
    folder = tmp_path / "grown"
    with Index.create(folder, encoder="counting", store=store) as index:
        index.ingest(ListSource(*(trial(n, title=f"Gout {n}", summary=f"About {n}.") for n in range(1, 41))))
        index.ingest(ListSource(*(trial(n, title=f"Gout again {n}", summary=f"About {n}.") for n in range(5, 15))))
        index.remove(["T-2", "T-7", "T-40"])
        index.ingest(ListSource(trial(41, title="Last", summary="Of all.")))
    return folder


def told(numbers: Ids, found: Ids) -> dict[int, tuple[int, int]]:
    """Of the passages that a trial was found for, the trial and the position."""
    return {num: (of, at) for num, (of, at) in zip(numbers.tolist(), found.tolist(), strict=True) if of}


def from_sql(records: Records) -> dict[int, tuple[int, int]]:
    return {num: (of, at) for num, of, at in records.database.rows("SELECT num, trial, position FROM passages")}


def without_table(folder: Path) -> None:
    [state] = derived.states(folder)
    (state / passage_table.NAME).unlink()


def test_it_says_what_the_records_say(grown: Path) -> None:
    with Index.open(grown) as index, index.snapshot() as records:
        truth = from_sql(records)
        table = passage_table.read(derived.states(grown)[0])
        assert table is not None
        numbers = np.arange(1, len(table) + 20)
        assert told(numbers, passage_table.lookup(table, numbers)) == truth
        dropped = records.database.rows("SELECT num, trial FROM dropped WHERE kind = 'passage'")
        here = {of for of, _ in truth.values()}
        truth |= {num: (of, -1) for num, of in dropped if of in here}
        assert told(numbers, index._current().trials_of(records, numbers)) == truth
        without_table(grown)
        index._derived = None
        assert told(numbers, index._current().trials_of(records, numbers)) == truth, "the same from SQLite"


@pytest.mark.parametrize("chosen", [[], [1], [3, 6, 41], [9999], [0], list(range(1, 42))])
def test_passages_of_trials_are_the_same_with_it_and_without(grown: Path, chosen: list[int]) -> None:
    with Index.open(grown) as index, index.snapshot() as records:
        trials = np.array(chosen, dtype=np.int64)
        fast = index._current().passages_for(records, trials)
        truth = sorted(num for num, (of, _) in from_sql(records).items() if of in chosen)
        assert fast.tolist() == truth
        without_table(grown)
        index._derived = None
        assert index._current().passages_for(records, trials).tolist() == truth


def test_one_that_lags_behind_still_leads_to_the_trials_there_are(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.open(grown) as index:
        before = records_now(index)
        number = next(num for num, (of, _) in before.items() if of == trial_number(index, "T-3"))
        gone = next(num for num, (of, _) in before.items() if of == trial_number(index, "T-4"))
        with monkeypatch.context() as patch:
            patch.setattr(derived, "catch_up", lambda *args, **kwargs: False)
            index.ingest(ListSource(trial(3, title="Otherwise", summary="Quite.")))
            index.remove(["T-4"])
        with index.snapshot() as records:
            state = derived.open_newest(grown, index._store)
            assert state is not None
            found = state.trials_of(records, np.array([number, gone]))
            assert found.tolist() == [[trial_number(index, "T-3"), -1], [0, -1]]


def trial_number(index: Index, trial_id: str) -> int:
    return index.stored(trial_id).num


def records_now(index: Index) -> dict[int, tuple[int, int]]:
    with index.snapshot() as records:
        return from_sql(records)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr': '<i4', 'fortran_or"])
def test_a_damaged_table_is_passed_over_and_made_again(grown: Path, content: bytes) -> None:
    with Index.open(grown) as index:
        path = derived.states(grown)[0] / passage_table.NAME
        path.unlink()
        path.write_bytes(content)
        assert len(ids(index.query("gout", mode="vector", limit=99))) == len(index)
        assert any(passage_table.NAME in finding.what for finding in index.check())
        index.ingest(ListSource(trial(50, title="Newest")))
        table = passage_table.read(derived.states(grown)[0])
        assert table is not None
        numbers = np.arange(1, len(table))
        assert told(numbers, passage_table.lookup(table, numbers)) == records_now(index)
        assert index.check() == []


def test_many_rows_are_added_in_parts(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage_table, "_BATCH", 3)
    rows = [(num, num // 3 + 1, num % 3) for num in range(1, 20)]
    passage_table.write(tmp_path, None, (), iter(rows))
    table = passage_table.read(tmp_path)
    assert table is not None
    assert told(np.arange(30), passage_table.lookup(table, np.arange(30))) == {num: (of, at) for num, of, at in rows}
    passage_table.write(tmp_path, table, [2, 500], iter([(40, 9, 0)]))
    table = passage_table.read(tmp_path)
    assert table is not None
    assert passage_table.lookup(table, np.array([2, 3, 40, 41])).tolist() == [[0, 0], [2, 0], [9, 0], [0, 0]]


def test_filters_are_answered_by_indexes_alone(grown: Path) -> None:
    filters = Filters.parse(status="recruiting", sex="female", age=40, source="list", updated_since="2020")
    with Index.open(grown) as index, index.snapshot() as records:
        selects, parameters = filter_queries.selects(filters.conditions(records))
        assert len(selects) == 1
        for select in selects:
            plans = [row[3] for row in records.database.rows(f"EXPLAIN QUERY PLAN {select}", parameters)]
            assert all("COVERING INDEX" in plan or "PRIMARY KEY" in plan for plan in plans), plans

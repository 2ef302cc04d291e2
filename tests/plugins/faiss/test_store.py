"""The FAISS store, by the contract and under damage; and that the contract's check finds a broken store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trialindex.errors import EncoderError, IndexDamaged, StorageError
from trialindex.testing import BruteForceStore, check_store
from trialindex_faiss.store import DESCRIPTION, VECTORS, FaissStore


def unit(count: int, dimension: int = 16, seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of a store of 50 vectors."""
    store = FaissStore.create(16)
    store.add(np.arange(1, 51), unit(50))
    store.save(tmp_path)
    return tmp_path


@pytest.mark.parametrize("store_class", [FaissStore, BruteForceStore])
def test_a_store_keeps_the_contract(store_class: type[FaissStore | BruteForceStore]) -> None:
    check_store(store_class)


def test_allowed_is_applied_before_the_search() -> None:
    store, vectors = FaissStore.create(16), unit(2000)
    store.add(np.arange(2000), vectors)
    query = vectors[:1]
    worst = np.sort(store.search(query, 2000)[1][0, -300:])
    scores, ids = store.search(query, 300, worst)
    assert sorted(ids[0]) == list(worst)
    assert (np.diff(scores[0]) <= 0).all()


def test_a_loaded_store_can_be_changed_without_touching_its_file(saved: Path) -> None:
    before = (saved / VECTORS).read_bytes()
    store = FaissStore.load(saved)
    store.add(np.array([7, 99]), unit(2, seed=1))
    store.remove(np.array([1, 2, 3]))
    assert len(store) == 48
    assert (saved / VECTORS).read_bytes() == before
    assert len(FaissStore.load(saved)) == 50


def test_a_loaded_store_outlives_its_folder(saved: Path) -> None:
    store = FaissStore.load(saved)
    expected = store.search(unit(1), 5)
    for path in saved.iterdir():
        path.unlink()
    assert (store.search(unit(1), 5)[1] == expected[1]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    store, vectors = FaissStore.create(16), unit(3)
    vectors[1, 5] = bad
    with pytest.raises(EncoderError, match="not finite"):
        store.add(np.arange(3), vectors)
    assert len(store) == 0
    with pytest.raises(EncoderError, match="not finite"):
        store.search(vectors, 1)


def test_another_dimension_is_refused() -> None:
    store = FaissStore.create(16)
    for wrong in (unit(2, 8), unit(2)[0]):
        with pytest.raises(EncoderError, match="do not fit a store of 16 dimensions"):
            store.add(np.arange(2), wrong)
        with pytest.raises(EncoderError, match="do not fit a store of 16 dimensions"):
            store.search(wrong, 1)
    with pytest.raises(EncoderError, match="2 vectors cannot be stored under 3 ids"):
        store.add(np.arange(3), unit(2))


@pytest.mark.parametrize("name", [VECTORS, DESCRIPTION])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(IndexDamaged, match=rf"{name} is damaged: it is missing.*trialindex check --repair"):
        FaissStore.load(saved)


@pytest.mark.parametrize("name", [VECTORS, DESCRIPTION])
@pytest.mark.parametrize("keep", [0, 1, 10, 40])
def test_a_file_cut_short_is_named(saved: Path, name: str, keep: int) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[:keep])
    with pytest.raises(IndexDamaged, match=rf"{name} is damaged"):
        FaissStore.load(saved)


@pytest.mark.parametrize("content", ["[]", "{}", "null", '{"count": 1}', "\udcff"])
def test_a_description_that_says_nothing_is_named(saved: Path, content: str) -> None:
    (saved / DESCRIPTION).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(IndexDamaged, match=f"{DESCRIPTION} is damaged"):
        FaissStore.load(saved)


@pytest.mark.parametrize(("field", "value"), [("count", 49), ("dimension", 17), ("bytes", 5)])
def test_a_file_of_another_store_is_found(saved: Path, field: str, value: int) -> None:
    description = json.loads((saved / DESCRIPTION).read_text())
    (saved / DESCRIPTION).write_text(json.dumps(description | {field: value}))
    with pytest.raises(IndexDamaged, match=f"{VECTORS} is damaged"):
        FaissStore.load(saved)


def test_a_flipped_bit_never_ends_the_process(saved: Path) -> None:
    whole = (saved / VECTORS).read_bytes()
    refused = 0
    for at in [*range(100), *range(100, len(whole), 37)]:
        content = bytearray(whole)
        content[at] ^= 0x40
        (saved / VECTORS).write_bytes(content)
        try:
            FaissStore.load(saved)
        except IndexDamaged:
            refused += 1
    assert refused > 20, "a damaged header should be refused at once"


def test_no_place_to_write_is_an_error_of_storage(saved: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        FaissStore.load(saved).save(saved / "not there")


# --- what check_store finds -----------------------------------------------------------------------------------------


class PostFilter(BruteForceStore):
    """Filters after the search, and so returns fewer than there are."""

    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, ids = super().search(queries, k)
        if allowed is not None:
            gone = ~np.isin(ids, allowed)
            ids[gone], scores[gone] = -1, -np.inf
        return scores, ids


class IgnoresAllowed(BruteForceStore):
    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        return super().search(queries, k)


class Appends(BruteForceStore):
    """Keeps the old vector of an id beside the new one."""

    def add(self, ids: Any, vectors: Any) -> None:
        self._ids = np.concatenate([self._ids, ids])
        self._vectors = np.concatenate([self._vectors, vectors])


class KeepsFirst(BruteForceStore):
    """An id that comes twice in one call keeps the first vector."""

    def add(self, ids: Any, vectors: Any) -> None:
        super().add(ids[::-1], vectors[::-1])


class NeverForgets(BruteForceStore):
    def add(self, ids: Any, vectors: Any) -> None:
        BruteForceStore.remove(self, ids)
        super().add(ids, vectors)

    def remove(self, ids: Any) -> None:
        if len(ids) < 250:
            super().remove(ids)


class Shifted(BruteForceStore):
    """Gives each score to the neighbour's id."""

    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, ids = super().search(queries, k, allowed)
        return scores, np.roll(ids, 1, axis=1) if (ids >= 0).all() else ids


class Worst(BruteForceStore):
    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, ids = super().search(-queries, k, allowed)
        return np.where(ids < 0, -np.inf, -scores), ids


class Short(BruteForceStore):
    """Leaves out the places that cannot be filled."""

    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        return super().search(queries, min(k, len(self)), allowed)


class ZeroFilled(BruteForceStore):
    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, ids = super().search(queries, k, allowed)
        return np.where(ids < 0, np.float32(0), scores), ids


class WritesNothing(BruteForceStore):
    def save(self, folder: Path) -> None:
        pass


class LosesSome(BruteForceStore):
    @classmethod
    def load(cls, folder: Path) -> LosesSome:
        store = super().load(folder)
        return cls(store._ids[:-1], store._vectors[:-1])


class Float64(BruteForceStore):
    def search(self, queries: Any, k: int, allowed: Any = None) -> Any:
        scores, ids = super().search(queries, k, allowed)
        return scores.astype(np.float64), ids


class Miscounts(BruteForceStore):
    def __len__(self) -> int:
        return super().__len__() + 1


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (PostFilter, "other scores than brute force finds"),
        (IgnoresAllowed, "cannot be filled|other scores|shapes"),
        (Appends, "it holds"),
        (KeepsFirst, "twice in one call"),
        (NeverForgets, "ids removed"),
        (Shifted, "does not belong to its id"),
        (Worst, "other scores than brute force finds"),
        (Short, "shapes"),
        (ZeroFilled, "hold -inf and -1"),
        (WritesNothing, "wrote nothing"),
        (LosesSome, "after save and load"),
        (Float64, "float64"),
        (Miscounts, "it holds"),
    ],
)
def test_a_broken_store_is_found(store: type[BruteForceStore], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_store(store)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 not a zip file"])
def test_a_damaged_brute_force_store_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "vectors.npz").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"vectors\.npz cannot be read"):
        BruteForceStore.load(tmp_path)

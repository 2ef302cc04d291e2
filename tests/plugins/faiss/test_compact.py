"""The FAISS store above its limit: compact, near to brute force, cheap to change, whole or named as damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trialindex.errors import IndexDamaged, PluginError
from trialindex.testing import BruteForceStore, check_store
from trialindex_faiss import compact, store
from trialindex_faiss.compact import LEAST
from trialindex_faiss.store import DESCRIPTION, VECTORS, FaissStore

DIMENSION = 32
SIZE = 6000
CODES = ("codes.npy", "scales.npy", "ids.npy", "coarse.faiss", "gone.npy")


def unit(count: int, seed: int = 0, dimension: int = DIMENSION) -> Any:
    """Vectors in clusters, as those of texts are."""
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(99).standard_normal((200, dimension))
    vectors = middles[rng.integers(200, size=count)] + 0.7 * rng.standard_normal((count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def made(count: int = SIZE, choice: str = "compact") -> tuple[FaissStore, BruteForceStore]:
    """A store and what it has to agree with."""
    built, truth = FaissStore.create(DIMENSION, choice), BruteForceStore.create(DIMENSION)
    for start in range(0, count, 2500):
        ids = np.arange(start, min(start + 2500, count), dtype=np.int64)
        vectors = unit(len(ids), seed=start)
        built.add(ids, vectors)
        truth.add(ids, vectors)
    return built, truth


@pytest.fixture(scope="module")
def narrow() -> Iterator[None]:
    """Limits that a test can reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "RECENT", 300)
        patch.setattr(store, "LIMIT", 3000)
        patch.setattr(compact, "WIDTH", 400)
        yield


@pytest.fixture(scope="module")
def grown(narrow: None) -> tuple[FaissStore, BruteForceStore]:
    """A store of :data:`SIZE` vectors that no test changes, and what it has to agree with."""
    return made()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, narrow: None) -> Path:
    """The folder of a compact store of 3,100 vectors, 100 of them recent."""
    folder = tmp_path_factory.mktemp("template")
    built, _ = made(3000)
    built.add(np.arange(3000, 3100), unit(100, seed=7))
    built.save(folder)
    assert "compact" in built.state
    return folder


@pytest.fixture
def saved(template: Path, tmp_path: Path) -> Path:
    """A copy of the template, to be changed and damaged."""
    return Path(shutil.copytree(template, tmp_path, dirs_exist_ok=True))


def recall(built: FaissStore, truth: BruteForceStore, allowed: Any = None, k: int = 10) -> float:
    queries = unit(100, seed=5)
    found, expected = built.search(queries, k, allowed)[1], truth.search(queries, k, allowed)[1]
    return float(np.mean([len(set(a) & set(b) - {-1}) / np.sum(b >= 0) for a, b in zip(found, expected, strict=True)]))


# --- the choice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "count", "expected"),
    [
        ("", 3000, "exact"),
        ("auto", 3001, "compact"),
        ("exact", 5000, "exact"),
        ("compact", LEAST, "exact"),
        ("compact", LEAST + 1, "compact"),
    ],
)
@pytest.mark.usefixtures("narrow")
def test_the_size_and_the_choice_say_what_it_is(choice: str, count: int, expected: str, tmp_path: Path) -> None:
    built = FaissStore.create(DIMENSION, choice)
    built.add(np.arange(count), unit(count))
    built.save(tmp_path)
    for one in (built, FaissStore.load(tmp_path)):
        assert one.state.startswith(f"{choice or 'auto'}: {expected}, ")
        assert f"{count:,} vectors" in one.state
        assert len(one) == count


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(PluginError, match=r'knows no "ivf".*Allowed: auto, exact, compact'):
        FaissStore.create(8, "ivf")


def test_an_exact_store_stays_exact_whatever_its_size(narrow: None, tmp_path: Path) -> None:
    built, truth = made(5000, "exact")
    assert recall(built, truth) == 1.0
    built.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {VECTORS, DESCRIPTION}


# --- agreement with brute force ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["compact", "auto", "exact"])
@pytest.mark.usefixtures("narrow")
def test_it_keeps_the_contract(argument: str) -> None:
    check_store(FaissStore, argument, tolerance=1e-5 if argument == "exact" else 5e-3, size=3600)


@pytest.mark.parametrize("dimension", [30, 33, 7])
def test_any_dimension_will_do(dimension: int) -> None:
    built, vectors = FaissStore.create(dimension, "compact"), unit(LEAST + 500, dimension=dimension)
    built.add(np.arange(len(vectors)), vectors)
    assert "compact" in built.state
    assert (built.search(vectors[:50], 1)[1][:, 0] == np.arange(50)).mean() > 0.9


@pytest.mark.parametrize("part", [1.0, 0.5, 0.05, 0.001])
@pytest.mark.usefixtures("narrow")
def test_it_finds_what_brute_force_finds(part: float, grown: tuple[FaissStore, BruteForceStore]) -> None:
    built, truth = grown
    chosen = np.flatnonzero(np.random.default_rng(3).random(SIZE) < part)
    allowed = None if part == 1.0 else chosen
    assert recall(built, truth, allowed) >= 0.98
    scores, ids = built.search(unit(20, seed=5), 10, allowed)
    assert (np.diff(scores[np.isfinite(scores).all(axis=1)], axis=1) <= 0).all()
    assert np.isin(ids[ids >= 0], chosen).all()
    assert (ids >= 0).sum() == 20 * min(10, len(chosen))


@pytest.mark.usefixtures("narrow")
def test_what_is_far_from_the_question_is_found_when_nothing_else_is_allowed(
    grown: tuple[FaissStore, BruteForceStore],
) -> None:
    built, truth = grown
    query = unit(1, seed=5)
    worst = np.sort(truth.search(query, SIZE)[1][0, -1500:])
    scores, ids = built.search(query, 1000, worst)
    assert len(set(ids[0].tolist())) == 1000
    assert np.isin(ids, worst).all()
    assert np.allclose(scores, truth.search(query, 1000, worst)[0], atol=0.02)


@pytest.mark.usefixtures("narrow")
def test_several_questions_at_once_get_answers_as_good_as_each_alone(
    grown: tuple[FaissStore, BruteForceStore],
) -> None:
    built, _ = grown
    queries = unit(4, seed=5)
    together = built.search(queries, 50)
    for row in range(4):
        alone = built.search(queries[row : row + 1], 50)
        assert (together[1][row, :20] == alone[1][0, :20]).all()
        assert (together[0][row] >= alone[0][0] - 1e-6).all()


# --- changes ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("narrow")
def test_a_small_change_writes_no_code_again(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    new = tmp_path_factory.mktemp("new")
    changed = FaissStore.load(saved)
    changed.remove(np.arange(50))
    changed.add(np.arange(40, 60), unit(20, seed=8))
    changed.save(new)
    for name in CODES[:4]:
        assert (new / name).samefile(saved / name)
    assert not (new / "gone.npy").samefile(saved / "gone.npy")
    again = FaissStore.load(new)
    assert len(again) == len(changed) == 3100 - 50 + 10
    found = again.search(unit(20, seed=8), 1)[1][:, 0]
    assert found.tolist() == list(range(40, 60))
    assert not np.isin(np.arange(40), again.search(unit(5, seed=5), 3060)[1]).any()
    assert len(FaissStore.load(saved)) == 3100


@pytest.mark.usefixtures("narrow")
def test_many_recent_vectors_join_the_others(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    new = tmp_path_factory.mktemp("new")
    grown = FaissStore.load(saved)
    grown.add(np.arange(4000, 4400), unit(400, seed=9))
    assert "3,500 vectors" in grown.state
    assert "0 recent ones" in grown.state
    grown.save(new)
    assert not (new / "codes.npy").samefile(saved / "codes.npy")
    assert FaissStore.load(new).search(unit(400, seed=9)[:30], 1)[1][:, 0].tolist() == list(range(4000, 4030))
    assert FaissStore.load(saved).search(unit(3), 5)[1].shape == (3, 5), "the first one is as it was"


@pytest.mark.usefixtures("narrow")
def test_rows_that_are_gone_are_taken_out_in_the_end(saved: Path, tmp_path: Path) -> None:
    shrunk = FaissStore.load(saved)
    expected = FaissStore.load(saved).search(unit(10, seed=5), 20, np.arange(900, 3100))
    for start in range(0, 900, 100):
        shrunk.remove(np.arange(start, start + 100))
    assert len(shrunk) == 2200
    assert shrunk._compact
    assert len(shrunk._compact._ids) < 3000
    found = shrunk.search(unit(10, seed=5), 20)
    assert np.allclose(found[0], expected[0], atol=0.01)
    assert np.mean(found[1] == expected[1]) > 0.9


@pytest.mark.usefixtures("narrow")
def test_the_code_book_is_trained_anew_as_it_grows() -> None:
    built, truth = made(1500)
    assert built._compact
    trained = [built._compact.trained]
    narrow = np.array([1] * 16 + [0.2] * 16, dtype=np.float32)
    for start in range(1500, 9000, 500):
        vectors = unit(500, seed=start) * narrow  # others than it was trained on
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for one in (built, truth):
            one.add(np.arange(start, start + 500), vectors)
        trained.append(built._compact.trained)
    assert trained[0] == trained[1] < trained[-1]
    assert len(set(trained)) <= 3
    assert recall(built, truth) >= 0.97


@pytest.mark.usefixtures("narrow")
def test_numbers_in_no_order_and_very_large_ones_are_kept_apart() -> None:
    built, vectors = FaissStore.create(DIMENSION, "compact"), unit(2000)
    ids = np.random.default_rng(1).permutation(2000).astype(np.int64) * 2**40
    built.add(ids, vectors)
    built.add(ids[:400], vectors[:400][::-1])  # recent ones of the same numbers, which then join the others
    assert len(built) == 2000
    found = built.search(vectors[:200], 1, np.sort(ids[:400]))[1][:, 0]
    assert (found == ids[:400][::-1][:200]).all()


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CODES)
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(IndexDamaged, match=rf"{name} is damaged: it is missing.*trialindex check --repair"):
        FaissStore.load(saved)


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("keep", [0, 1, 60, 127])
def test_a_file_cut_short_is_found(saved: Path, name: str, keep: int) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[:keep])
    with pytest.raises(IndexDamaged, match="is damaged"):
        FaissStore.load(saved)


@pytest.mark.parametrize("name", CODES)
def test_a_flipped_bit_in_a_header_is_found_or_does_no_harm(saved: Path, name: str) -> None:
    whole = (saved / name).read_bytes()
    refused = 0
    for at in range(0, min(len(whole), 180), 5):
        content = bytearray(whole)
        content[at] ^= 0x10
        (saved / name).write_bytes(content)
        try:
            FaissStore.load(saved)
        except IndexDamaged:
            refused += 1
    assert refused > 5


@pytest.mark.parametrize("change", [{"rows": 2}, {"rows": "x"}, {"bytes": []}, {"bytes": {"codes.npy": 1}}, "x", [1]])
def test_a_description_that_says_something_else_is_found(saved: Path, change: Any) -> None:
    description = json.loads((saved / DESCRIPTION).read_text())
    described = description["compact"]
    description["compact"] = {**described, **change} if isinstance(change, dict) else change
    (saved / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(IndexDamaged, match="is damaged"):
        FaissStore.load(saved)


def test_rows_marked_that_are_not_there_are_found(saved: Path) -> None:
    np.save(saved / "gone.npy", np.array([10**9], dtype=np.int64))
    description = json.loads((saved / DESCRIPTION).read_text())
    description["compact"]["bytes"]["gone.npy"] = (saved / "gone.npy").stat().st_size
    (saved / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(IndexDamaged, match=r"gone\.npy is damaged: it marks rows that are not there"):
        FaissStore.load(saved)


def test_a_store_whose_folder_went_away_is_written_whole(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    loaded = FaissStore.load(saved)
    expected = loaded.search(unit(5, seed=5), 10)
    for path in saved.iterdir():
        path.unlink()
    new = tmp_path_factory.mktemp("new")
    loaded.save(new)
    found = FaissStore.load(new).search(unit(5, seed=5), 10)
    assert (found[1] == expected[1]).all()


def test_where_there_are_no_links_files_are_copied(
    saved: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", refuse)
    new = tmp_path_factory.mktemp("new")
    FaissStore.load(saved).save(new)
    assert not (new / "codes.npy").samefile(saved / "codes.npy")
    assert len(FaissStore.load(new)) == 3100

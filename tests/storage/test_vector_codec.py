"""A vector in a byte a number: what is lost, what is refused, and that damage never passes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.storage.vector_codec import BYTES, HALVES, batches, coded

DIMENSIONS = st.integers(1, 800)
SEEDS = st.integers(0, 2**32 - 1)


def units(count: int, dimension: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def within_the_bound(vectors: np.ndarray) -> None:
    """A number is off by at most half a step, so the sine of the angle by the length of half a step in each of them."""
    dimension = vectors.shape[1]
    blobs = coded(vectors)
    assert {len(blob) for blob in blobs} == {dimension + 4}
    back, whole = BYTES.decoded(blobs, dimension)
    assert whole.all()
    assert back.dtype == np.float32
    assert back.shape == vectors.shape
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), 1, atol=1e-5)
    cosines = (back.astype(np.float64) * vectors).sum(axis=1)
    largest = np.abs(vectors).max(axis=1).astype(np.float64)
    assert (1 - cosines**2 <= dimension * (largest / 254) ** 2 + 1e-5).all()
    assert (cosines > 0).all()
    assert coded(back) == blobs, "coded again, nothing more is lost"


@given(DIMENSIONS, SEEDS)
def test_unit_vectors_come_back_within_the_bound(dimension: int, seed: int) -> None:
    within_the_bound(units(5, dimension, seed))


@given(DIMENSIONS, SEEDS, st.floats(0, 1))
def test_vectors_with_one_large_number_do_too(dimension: int, seed: int, share: float) -> None:
    vectors = units(3, dimension, seed) * np.float32(1 - share)
    vectors[:, seed % dimension] += 1.5
    within_the_bound(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@given(st.integers(1, 100), st.booleans())
def test_one_hot_vectors_come_back_as_they_were(dimension: int, negative: bool) -> None:
    vectors = np.eye(dimension, dtype=np.float32) * (-1 if negative else 1)
    back, whole = BYTES.decoded(coded(vectors), dimension)
    assert whole.all()
    np.testing.assert_array_equal(back, vectors)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.parametrize("dimension", [1, 4])
def test_what_has_no_direction_is_refused(bad: float, dimension: int) -> None:
    vectors = np.zeros((2, dimension), dtype=np.float32)
    vectors[:, 0] = [1, bad]
    with pytest.raises(ValueError, match="all zeros, or holds what is no number"):
        coded(vectors)


def test_no_vectors_are_no_bytes() -> None:
    assert coded(np.empty((0, 8), dtype=np.float32)) == []
    for coding in (BYTES, HALVES):
        vectors, whole = coding.decoded([], 8)
        assert (vectors.shape, whole.shape) == ((0, 8), (0,))


@given(st.integers(1, 100), SEEDS, st.data())
def test_a_flipped_bit_is_found(dimension: int, seed: int, data: st.DataObject) -> None:
    blobs = coded(units(3, dimension, seed))
    bit = data.draw(st.integers(0, 8 * (dimension + 4) - 1))
    broken = bytearray(blobs[1])
    broken[bit // 8] ^= 1 << bit % 8
    back, whole = BYTES.decoded([blobs[0], bytes(broken), blobs[2]], dimension)
    assert whole.tolist() == [True, False, True]
    np.testing.assert_array_equal(back, BYTES.decoded([blobs[0], blobs[2]], dimension)[0])
    assert BYTES.fault(bytes(broken), dimension) == "does not agree with its checksum"


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=20), st.integers(), st.none()), max_size=5))
def test_what_is_no_vector_is_never_one(blobs: list[object]) -> None:
    good = coded(units(1, 8, 0))[0]
    for coding in (BYTES, HALVES):
        vectors, whole = coding.decoded([*blobs, good], 8)
        assert whole[:-1].sum() == len(vectors) - whole[-1]
        assert np.isfinite(vectors).all()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert not BYTES.decoded(blobs, 8)[1].any()


@pytest.mark.parametrize("codes", [[0, 0, 0], [1, 2, 3], [-128, 1, 1]])
def test_bytes_that_no_vector_gives_are_refused_though_the_checksum_is_right(codes: list[int]) -> None:
    from zlib import crc32

    data = np.array(codes, dtype=np.int8).tobytes()
    assert BYTES.decoded([data + crc32(data).to_bytes(4, "little")], 3)[1].tolist() == [False]


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert coded(np.array([[0.6, 0.0, -0.8]], dtype=np.float32)) == [bytes.fromhex("5f008129031e02")]


def test_what_is_wrong_is_said() -> None:
    assert BYTES.fault(b"123", 3) == "has 3 bytes, not 7"
    assert BYTES.fault("1234567", 3) == "is no bytes"
    assert HALVES.fault(b"123456", 3) == "has not the length 1"


def test_rows_come_in_batches() -> None:
    assert list(batches(((n,) for n in range(5)), 2)) == [[(0,), (1,)], [(2,), (3,)], [(4,)]]
    assert list(batches([], 2)) == []

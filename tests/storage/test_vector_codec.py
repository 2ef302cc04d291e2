"""A vector in a byte a number: what is lost, what is refused, and that damage never passes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialindex.storage.vector_codec import batches, decode, describe_fault, encode

DIMENSIONS = st.integers(1, 800)
SEEDS = st.integers(0, 2**32 - 1)


def units(count: int, dimension: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def within_the_bound(vectors: np.ndarray) -> None:
    """A number is off by at most half a step, so the sine of the angle by the length of half a step in each of them."""
    dimension = vectors.shape[1]
    blobs = encode(vectors)
    assert {len(blob) for blob in blobs} == {dimension + 4}
    back, valid = decode(blobs, dimension)
    assert valid.all()
    assert back.dtype == np.float32
    assert back.shape == vectors.shape
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), 1, atol=1e-5)
    cosines = (back.astype(np.float64) * vectors).sum(axis=1)
    largest = np.abs(vectors).max(axis=1).astype(np.float64)
    assert (1 - cosines**2 <= dimension * (largest / 254) ** 2 + 1e-5).all()
    assert (cosines > 0).all()
    assert encode(back) == blobs, "coded again, nothing more is lost"


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
    back, valid = decode(encode(vectors), dimension)
    assert valid.all()
    np.testing.assert_array_equal(back, vectors)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.parametrize("dimension", [1, 4])
def test_what_has_no_direction_is_refused(bad: float, dimension: int) -> None:
    vectors = np.zeros((2, dimension), dtype=np.float32)
    vectors[:, 0] = [1, bad]
    with pytest.raises(ValueError, match="all zeros, or holds what is no number"):
        encode(vectors)


def test_no_vectors_are_no_bytes() -> None:
    assert encode(np.empty((0, 8), dtype=np.float32)) == []
    vectors, valid = decode([], 8)
    assert (vectors.shape, valid.shape) == ((0, 8), (0,))


@given(st.integers(1, 100), SEEDS, st.data())
def test_a_flipped_bit_is_found(dimension: int, seed: int, data: st.DataObject) -> None:
    blobs = encode(units(3, dimension, seed))
    bit = data.draw(st.integers(0, 8 * (dimension + 4) - 1))
    broken = bytearray(blobs[1])
    broken[bit // 8] ^= 1 << bit % 8
    back, valid = decode([blobs[0], bytes(broken), blobs[2]], dimension)
    assert valid.tolist() == [True, False, True]
    np.testing.assert_array_equal(back, decode([blobs[0], blobs[2]], dimension)[0])
    assert describe_fault(bytes(broken), dimension) == "does not agree with its checksum"


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=20), st.integers(), st.none()), max_size=5))
def test_what_is_no_vector_is_never_one(blobs: list[object]) -> None:
    good = encode(units(1, 8, 0))[0]
    vectors, valid = decode([*blobs, good], 8)
    assert valid[:-1].sum() == len(vectors) - valid[-1]
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert not decode(blobs, 8)[1].any()


@pytest.mark.parametrize("codes", [[0, 0, 0], [1, 2, 3], [-128, 1, 1]])
def test_bytes_that_no_vector_gives_are_refused_though_the_checksum_is_right(codes: list[int]) -> None:
    from zlib import crc32

    data = np.array(codes, dtype=np.int8).tobytes()
    assert decode([data + crc32(data).to_bytes(4, "little")], 3)[1].tolist() == [False]


def test_the_layout_is_the_one_that_is_written_down() -> None:
    assert encode(np.array([[0.6, 0.0, -0.8]], dtype=np.float32)) == [bytes.fromhex("5f008129031e02")]


def test_what_is_wrong_is_said() -> None:
    assert describe_fault(b"123", 3) == "has 3 bytes, not 7"
    assert describe_fault("1234567", 3) == "is no bytes"


def test_rows_come_in_batches() -> None:
    assert list(batches(((n,) for n in range(5)), 2)) == [[(0,), (1,)], [(2,), (3,)], [(4,)]]
    assert list(batches([], 2)) == []

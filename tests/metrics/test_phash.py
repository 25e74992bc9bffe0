"""Hashes equal those of imagehash 4.3.2, and tell copies from other ground."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_thumbnails import make_pictures

from earthloom.core.errors import UsageError
from earthloom.metrics.phash import (
    count_copies,
    find_frequencies,
    find_nearest_hashes,
    find_nearest_turned_hashes,
    hash_frequencies,
    hash_picture,
    hash_pictures,
    is_flat,
    least_bits,
)
from earthloom.metrics.thumbnails import TURNS, turn


def make_pattern() -> np.ndarray:
    rows, columns = np.mgrid[:256, :256]
    planes = (rows + 2 * columns) % 256, (rows * columns // 64) % 256, (3 * rows) % 256
    return np.stack(planes, axis=-1).astype(np.uint8)


def test_bits_of_imagehash() -> None:
    """`imagehash.phash` of three pictures that anyone can make."""
    rng = np.random.default_rng(0)
    assert hash_picture(rng.integers(0, 255, (200, 300, 3), dtype=np.uint8)) == 0xD5DFF1D6C08AC086
    assert hash_picture(rng.integers(0, 255, (77, 41, 3), dtype=np.uint8)) == 0xC9007E156E5F57A1
    assert hash_picture(make_pattern()) == 0x81372D6B6C5952D5


def test_bits_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    queries, references = (rng.integers(0, 2**63, size, dtype=np.uint64) for size in (50, 30))
    wanted = [min(int(q ^ r).bit_count() for r in references) for q in queries]
    np.testing.assert_array_equal(least_bits(queries, references), wanted)
    monkeypatch.setattr("earthloom.metrics.phash._BYTES", 1000)
    np.testing.assert_array_equal(least_bits(queries, references), wanted)
    np.testing.assert_array_equal(least_bits(queries[:2], references[:0]), [65, 65])


def test_frequencies_are_those_of_scipy() -> None:
    from PIL import Image
    from scipy.fft import dctn

    picture = make_pattern()
    grey = Image.fromarray(picture).convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    wanted = dctn(np.asarray(grey, np.float64), type=2)[:8, :8]
    np.testing.assert_allclose(find_frequencies(picture).reshape(8, 8), wanted, atol=1e-9)


@pytest.mark.parametrize("by", TURNS)
def test_frequencies_turn_as_pictures_do(by: tuple[int, bool]) -> None:
    """Pillow rounds between its two passes, so that a turned picture may differ by the bits at the median."""
    pictures = make_pictures(20, 3, side=128)
    turned = hash_pictures([np.ascontiguousarray(turn(picture[None], by)[0]) for picture in pictures])
    found = hash_frequencies(np.stack([find_frequencies(picture) for picture in pictures]), by)
    assert np.bitwise_count(found ^ turned).max() <= 2
    with pytest.raises(UsageError, match="N x 64"):
        hash_frequencies(np.zeros((2, 8, 8)))


def test_the_nearest_hash_is_named() -> None:
    known = np.array([0b1111, 0b0000, 0b0011], np.uint64)
    found = find_nearest_hashes(np.array([0b0111, 0b0001, 0b1111], np.uint64), known)
    assert found.index.tolist() == [0, 1, 0]  # of 0 and 2, and of 1 and 2, the first
    assert found.bits.tolist() == [1, 1, 0]
    train = make_pictures(30, 4, side=128)
    copies = [np.ascontiguousarray(np.rot90(train[7])), train[9][:, ::-1]]
    frequencies = [np.stack([find_frequencies(one) for one in some]) for some in (copies, train)]
    turned = find_nearest_turned_hashes(*frequencies)
    assert turned.index.tolist() == [7, 9]
    assert turned.bits.max() <= 2


def test_compressed_scaled_and_turned_copies_are_counted() -> None:
    train = make_pictures(30, 0, side=128)
    _, stream = cv2.imencode(".jpg", train[3], [cv2.IMWRITE_JPEG_QUALITY, 50])
    copies = [
        cv2.imdecode(stream, cv2.IMREAD_COLOR),
        cv2.resize(train[4], (64, 64), interpolation=cv2.INTER_AREA),
        np.ascontiguousarray(np.rot90(train[5])),
        np.full((64, 64, 3), 90, np.uint8),
    ]
    made = [*copies, *make_pictures(20, 1, side=128)]
    found = count_copies(train, made)
    assert (found.n_copies, found.n_compared, found.n_flat, found.bits) == (3, 23, 1, 4)
    assert count_copies(train, made, turned=False).n_copies == 2


def test_flat_pictures_are_copies_of_nothing() -> None:
    flat = [np.full((64, 64, 3), grey, np.uint8) for grey in (20, 90, 200)]
    assert all(is_flat(picture) for picture in flat)
    assert not is_flat(make_pattern())
    found = count_copies(flat, flat)
    assert (found.n_copies, found.n_compared, found.n_flat) == (0, 0, 3)


def test_unrelated_ground_is_far_apart() -> None:
    hashes = hash_pictures(make_pictures(60, 2))
    apart = np.bitwise_count(hashes[:, None] ^ hashes)[np.triu_indices(60, 1)]
    assert apart.min() > 8
    assert np.median(apart) == pytest.approx(32, abs=2)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="uint8"):
        hash_picture(np.zeros((64, 64, 3)))

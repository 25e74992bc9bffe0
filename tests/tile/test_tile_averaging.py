"""Averages of areas, against means computed exactly in integers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.tile.averaging import average_areas


def exact_means(image: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.float64]:
    """Every pixel repeated until the output's edges fall between pixels, then whole blocks averaged."""
    height, width, n_channels = image.shape
    large = image.astype(np.int64).repeat(size, axis=0).repeat(size, axis=1)
    return large.reshape(size, height, size, width, n_channels).mean(axis=(1, 3))


@given(
    n=st.integers(1, 9),
    more=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    blocks=st.integers(1, 3),
    n_channels=st.sampled_from([1, 3, 4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_pixel_is_the_mean_of_its_area(
    n: int, more: tuple[int, int], blocks: int, n_channels: int, seed: int
) -> None:
    shape = (blocks * (n + more[0]), blocks * (n + more[1]), n_channels)
    image = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    averaged = average_areas(image, blocks * n)
    assert averaged.shape == (blocks * n, blocks * n, n_channels)
    assert averaged.dtype == np.uint8
    assert np.abs(averaged - exact_means(image, blocks * n)).max() <= 1


@pytest.mark.parametrize("side", [512, 513, 514, 520, 528, 600, 640, 682, 768, 1024])
def test_usual_sides_of_pictures(side: int) -> None:
    image = np.random.default_rng(side).integers(0, 256, (side, side, 1), dtype=np.uint8)
    rows = image[:, :, 0].astype(np.int64)
    edges = np.cumsum(np.pad(rows, ((1, 0), (1, 0))), axis=0).cumsum(
        axis=1
    )  # sum of all pixels above and left
    cuts = np.arange(513) * side / 512
    at = [np.interp(cuts, np.arange(side + 1), column) for column in edges.T]
    sums = np.array([np.interp(cuts, np.arange(side + 1), row) for row in np.array(at).T])
    means = np.diff(np.diff(sums, axis=0), axis=1) / (side / 512) ** 2
    assert np.abs(average_areas(image, 512)[:, :, 0] - means).max() <= 1


def test_a_view_of_another_array_is_read_right() -> None:
    image = np.random.default_rng(3).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    view = image[:, 5:25][:, ::-1]
    assert np.array_equal(average_areas(view, 16), average_areas(view.copy(), 16))


def test_a_constant_picture_stays_as_it_is() -> None:
    for value in (0, 1, 127, 254, 255):
        image = np.full((640, 600, 3), value, np.uint8)
        assert np.unique(average_areas(image, 512)).tolist() == [value]

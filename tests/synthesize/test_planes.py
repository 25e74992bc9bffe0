"""Arithmetic on planes, against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from earthloom.synthesize.planes import blur_where, measure_variation, ramp, reduce_plane
from earthloom.synthesize.stack import Plane


@given(values=hnp.arrays(np.float32, (4, 4), elements=st.floats(0, 1, width=32)))
def test_a_ramp_is_a_clipped_line(values: Plane) -> None:
    assert ramp(values, 0.2, 0.6) == pytest.approx(np.interp(values, (0.2, 0.6), (0, 1)), abs=1e-5)
    assert ramp(values, 0.6, 0.2) == pytest.approx(np.interp(values, (0.2, 0.6), (1, 0)), abs=1e-5)


def test_variation_is_that_of_scipy() -> None:
    values = np.random.default_rng(3).random((40, 50), np.float32)
    deviation = ndimage.generic_filter(values.astype(np.float64), np.std, 5, mode="mirror")
    mean = ndimage.uniform_filter(values.astype(np.float64), 5, mode="mirror")
    assert measure_variation(values, 5) == pytest.approx(deviation / (mean + 0.01), rel=1e-3)


def test_a_blur_over_land_ignores_the_rest() -> None:
    values = np.full((128, 96), 0.4, np.float32)
    weight = np.ones_like(values)
    weight[:, :40], values[:, :40] = 0, 0.9
    blurred = blur_where(values, weight, 8)
    assert blurred[:, 44:] == pytest.approx(0.4, abs=0.01)


def test_a_plane_is_reduced_by_areas() -> None:
    values = np.random.default_rng(4).random((64, 32), np.float32)
    expected = values.reshape(32, 2, 16, 2).mean(axis=(1, 3))
    assert reduce_plane(values, 32) == pytest.approx(expected, abs=1e-6)
    assert reduce_plane(values, 64) is values

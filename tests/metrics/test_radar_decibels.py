"""Levels, decibels and power."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.metrics.radar.decibels import (
    Saturation,
    db_to_power,
    find_clipped,
    from_levels,
    levels_to_db,
    measure_saturation,
    power_to_db,
)


def test_levels_are_decibels() -> None:
    levels = np.array([0, 51, 255], np.uint8)
    np.testing.assert_allclose(from_levels(levels, -25.0, 0.0), [10**-2.5, 10**-2.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(levels_to_db(levels, -32.0, -5.0), [-32.0, -26.6, -5.0], rtol=1e-12)


def test_there_and_back() -> None:
    decibels = np.linspace(-60, 30, 19)
    np.testing.assert_allclose(power_to_db(db_to_power(decibels)), decibels, atol=1e-12)
    assert np.isnan(power_to_db(np.array([0.0, -1.0, np.nan]))).all()


def test_saturation_counts_both_ends() -> None:
    levels = np.array([[0, 0, 0, 255], [7, 8, 9, 10]], np.uint8)
    assert measure_saturation(levels) == Saturation(low=3 / 8, high=1 / 8, n=8)
    np.testing.assert_array_equal(find_clipped(levels), [[True] * 4, [False] * 4])
    with pytest.raises(ValueError, match="at least one pixel"):
        measure_saturation(np.zeros((0, 4), np.uint8))

"""Looks of speckle, against the theory of the gamma distribution and against draws of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from earthloom.metrics.speckle import estimate_looks, find_common_looks, from_levels, map_looks


@pytest.mark.parametrize(
    ("looks", "mean_log"), [(1.0, -0.57722), (4.0, -0.13018), (4.4, -0.11792), (10.0, -0.05083)]
)
def test_published_means_of_logarithms_give_their_looks(looks: float, mean_log: float) -> None:
    """With a mean intensity of 1, ln(mean I) - mean(ln I) is minus the mean logarithm."""
    assert float(estimate_looks(-mean_log)) == pytest.approx(looks, rel=1e-3)


@given(st.floats(0.05, 5e4))
def test_it_undoes_the_theory(looks: float) -> None:
    contrast = math.log(looks) - float(digamma(looks))
    assert float(estimate_looks(contrast)) == pytest.approx(looks, rel=1e-4)


@pytest.mark.parametrize(
    ("looks", "mean", "deviation"), [(1, 1.061, 0.207), (4, 4.21, 0.93), (10, 10.51, 2.20)]
)
def test_small_windows_scatter_as_they_are_known_to(looks: int, mean: float, deviation: float) -> None:
    """Means and deviations over windows of 49 draws, from 300 trials elsewhere; here from 4,000."""
    draws = np.random.default_rng(0).gamma(looks, 1 / looks, (4000, 49))
    found = estimate_looks(np.log(draws.mean(1)) - np.log(draws).mean(1))
    assert found.mean() == pytest.approx(mean, abs=4 * deviation / math.sqrt(300))
    assert found.std() == pytest.approx(deviation, rel=0.15)


def test_the_most_common_value_passes_over_edges() -> None:
    """Half of the ground is four times as bright: one estimate for all of it is far off."""
    rng = np.random.default_rng(1)
    ground = np.where(np.arange(256) < 128, 1.0, 4.0)[None, :].repeat(256, 0)
    power = ground * rng.gamma(4.0, 0.25, ground.shape)
    looks = map_looks(power, 9)
    assert looks.shape == (248, 248)
    assert find_common_looks(looks) == pytest.approx(4.0, rel=0.06)
    whole = float(estimate_looks(np.log(power.mean()) - np.log(power).mean()))
    assert whole < 2.5


def test_a_window_sees_what_it_covers() -> None:
    power = np.random.default_rng(2).gamma(3.0, 1 / 3, (20, 24))
    part = power[3:12, 5:14]
    expected = float(estimate_looks(np.log(part.mean()) - np.log(part).mean()))
    assert map_looks(power, 9)[3, 5] == pytest.approx(expected, rel=1e-6)


def test_flat_ground_has_no_speckle() -> None:
    assert np.isinf(estimate_looks(0.0))
    assert np.isinf(map_looks(np.ones((9, 9)), 9)).all()
    with pytest.raises(ValueError, match="wants finite values"):
        find_common_looks(np.array([np.inf]))


def test_levels_are_decibels() -> None:
    power = from_levels(np.array([0, 51, 255], np.uint8), -25.0, 0.0)
    np.testing.assert_allclose(power, [10**-2.5, 10**-2.0, 1.0], rtol=1e-12)

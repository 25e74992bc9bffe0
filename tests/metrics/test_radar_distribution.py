"""Distances of decibels, against scipy and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import spatial, stats

from earthloom.metrics.radar.distribution import (
    count_db,
    entropy_bits,
    jensen_shannon_bits,
    kolmogorov_smirnov,
    kolmogorov_smirnov_of_counts,
    kullback_leibler_bits,
    wasserstein,
    wasserstein_of_counts,
)

samples = st.lists(st.floats(-40, 10), min_size=1, max_size=40).map(np.array)


@given(samples, samples)
def test_distances_of_samples_are_those_of_scipy(a: np.ndarray, b: np.ndarray) -> None:
    assert wasserstein(a, b) == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-9)
    expected = max(abs((a <= value).mean() - (b <= value).mean()) for value in (*a, *b))
    assert kolmogorov_smirnov(a, b) == pytest.approx(expected, abs=1e-12)


def test_kolmogorov_smirnov_is_that_of_scipy() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(-14, 3, 400), rng.normal(-13, 4, 700)
    assert kolmogorov_smirnov(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)


def test_distances_of_histograms_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    a, b = (count_db(rng.normal(mean, 3, 5000), -25, 0) for mean in (-14, -11))
    places = np.arange(256) * 25 / 256
    expected = stats.wasserstein_distance(places, places, a, b)
    assert float(wasserstein_of_counts(a, b, 25 / 256)) == pytest.approx(expected, rel=1e-9)
    assert float(jensen_shannon_bits(a, b)) == pytest.approx(
        spatial.distance.jensenshannon(a, b, base=2) ** 2, abs=1e-5
    )
    p, q = ((each / each.sum() + 1e-9) / (1 + 256e-9) for each in (a, b))
    assert float(kullback_leibler_bits(a, b)) == pytest.approx(stats.entropy(p, q, base=2), rel=1e-9)
    assert float(entropy_bits(a)) == pytest.approx(stats.entropy(a, base=2), rel=1e-12)
    assert float(kolmogorov_smirnov_of_counts(a, b)) == pytest.approx(
        np.abs(np.cumsum(a) / a.sum() - np.cumsum(b) / b.sum()).max()
    )


def test_a_shift_is_told_in_decibels() -> None:
    decibels = np.random.default_rng(1).normal(-15, 1.5, 20_000)
    assert wasserstein(decibels, decibels + 1.5) == pytest.approx(1.5, rel=1e-9)
    a, b = (count_db(decibels + shift, -32, 0, 320) for shift in (0, 1.5))
    assert float(wasserstein_of_counts(a, b, 0.1)) == pytest.approx(1.5, abs=0.01)


def test_ends() -> None:
    a, b = np.zeros((2, 256))
    a[3] = 5
    b[200] = 9
    assert float(jensen_shannon_bits(a, b)) == pytest.approx(1, abs=1e-4)
    assert float(jensen_shannon_bits(a, 2 * a)) == pytest.approx(0, abs=1e-12)
    assert float(entropy_bits(a)) == 0
    assert float(entropy_bits(np.ones(256))) == pytest.approx(8)
    assert float(kolmogorov_smirnov_of_counts(a, b)) == 1
    assert float(kullback_leibler_bits(a, b)) == pytest.approx(np.log2(1e9), rel=1e-3)


def test_many_histograms_at_once_are_each_as_alone() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(1, 50, (4, 256)).astype(float), rng.integers(1, 50, 256).astype(float)
    for measure in (jensen_shannon_bits, kullback_leibler_bits, kolmogorov_smirnov_of_counts):
        np.testing.assert_allclose(measure(a, b), [float(measure(row, b)) for row in a])
    np.testing.assert_allclose(
        wasserstein_of_counts(a, b, 0.1), [float(wasserstein_of_counts(row, b, 0.1)) for row in a]
    )


def test_what_lies_beyond_the_scale_counts_at_its_ends_and_nan_not_at_all() -> None:
    counts = count_db(np.array([-99.0, -25.0, np.nan, -1.0, 0.0, 7.0]), -25, 0, 5)
    np.testing.assert_array_equal(counts, [2, 0, 0, 0, 3])
    with pytest.raises(ValueError, match="low below high"):
        count_db(np.zeros(3), 0, 0)
    with pytest.raises(ValueError, match="at least one value"):
        entropy_bits(np.zeros(5))
    with pytest.raises(ValueError, match="no NaN"):
        wasserstein(np.array([np.nan]), np.zeros(1))

"""Moments in blocks are those of the whole, wherever the features lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.metrics.moments import gather_moments, measure_moments


@given(
    cuts=st.lists(st.integers(0, 60), max_size=5),
    offset=st.sampled_from([0.0, 1.0, -1e6]),
    d=st.integers(1, 6),
)
def test_any_cut_gives_the_covariance_of_numpy(cuts: list[int], offset: float, d: int) -> None:
    x = np.random.default_rng(d).normal(size=(60, d)) * np.arange(1, d + 1) + offset
    found = gather_moments(np.split(x, sorted(cuts)))
    assert found.n == 60
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(x, rowvar=False).reshape(d, d), rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(found.covariance, found.covariance.T)


def test_digits_survive_where_sums_of_squares_lose_them() -> None:
    """About 1e8 the textbook formula E[x^2] - E[x]^2 of these blocks has no right digit."""
    x = np.tile([[1e8 + 1, 1e8], [1e8 - 1, 1e8]], (500, 1))
    found = gather_moments(np.split(x, 10))
    assert found.covariance[0, 0] == pytest.approx(1000 / 999, rel=1e-9)
    assert found.covariance[1, 1] == 0


def test_merged_sets_are_the_whole() -> None:
    x = np.random.default_rng(1).normal(3, 2, size=(90, 5))
    whole, merged = measure_moments(x), measure_moments(x[:20]).merge(measure_moments(x[20:]))
    assert merged.n == 90
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(merged.covariance, whole.covariance, rtol=1e-10, atol=1e-12)


def test_an_array_longer_than_a_block_in_float32() -> None:
    x = np.random.default_rng(2).normal(size=(9000, 3)).astype(np.float32)
    found = measure_moments(x)
    assert found.covariance.dtype == np.float64
    np.testing.assert_allclose(found.covariance, np.cov(x.astype(np.float64).T), rtol=1e-10, atol=1e-12)


def test_what_has_no_moments_is_refused() -> None:
    with pytest.raises(UsageError, match="At least 2"):
        gather_moments([np.ones((1, 3))])
    with pytest.raises(UsageError, match="At least 2"):
        gather_moments([])
    with pytest.raises(UsageError, match="Blocks of N x D"):
        gather_moments([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(UsageError, match="Finite"):
        gather_moments([np.ones((2, 3)), np.full((2, 3), np.nan)])
    with pytest.raises(UsageError, match="Features of 3"):
        measure_moments(np.ones((2, 3))).merge(measure_moments(np.ones((2, 4))))

"""The extrapolated Frechet distance loses the bias that the plain one has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from earthloom.core.errors import UsageError
from earthloom.metrics.frechet import frechet_distance
from earthloom.metrics.frechet_infinity import frechet_infinity


def test_the_bias_of_equal_laws_is_gone() -> None:
    """Over a vast reference the bias is (d (d + 1) / 4 + d) / n, of covariances and means: 84 / n in 16 dimensions."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30_000, 16)), rng.normal(size=(1500, 16))
    plain, found = frechet_distance(x, y), frechet_infinity(x, y)
    assert plain == pytest.approx(84 / 1500, rel=0.3)
    assert abs(found.value) < 0.01
    assert found.slope == pytest.approx(84, rel=0.3)
    assert found.values[-1] == pytest.approx(plain, rel=1e-9)


def test_sets_apart_come_to_the_closed_form() -> None:
    """N(0, I) and N(1, 4 I) in 8 dimensions: 8 + 8."""
    rng = np.random.default_rng(1)
    found = frechet_infinity(rng.normal(size=(20_000, 8)), rng.normal(1, 2, size=(10_000, 8)))
    assert found.value == pytest.approx(16, abs=0.3)


def test_the_line_is_that_of_scipy_and_the_points_those_of_dgm_eval() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(500, 4)), rng.normal(0.2, 1, size=(433, 4))
    found = frechet_infinity(x, y, points=15, seed=3)
    assert found.sizes == tuple(np.linspace(43, 433, 15).astype(int))
    line = linregress(1 / np.array(found.sizes), found.values)
    assert (found.value, found.slope, found.error) == pytest.approx(
        (line.intercept, line.slope, line.intercept_stderr), rel=1e-9
    )
    assert (found.n_x, found.n_y, found.seed) == (500, 433, 3)
    assert frechet_infinity(x, y, points=15, seed=3) == found
    assert frechet_infinity(x, y, points=15, seed=4) != found


def test_too_few_for_a_line_are_refused() -> None:
    with pytest.raises(UsageError, match="Three different counts"):
        frechet_infinity(np.eye(4), np.eye(4)[:3])
    with pytest.raises(UsageError, match="Three different counts"):
        frechet_infinity(np.ones((50, 2)), np.ones((50, 2)), points=2)

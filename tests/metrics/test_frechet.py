"""Frechet distance against closed forms and scipy's matrix square root."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from earthloom.core.errors import UsageError
from earthloom.metrics.frechet import frechet, frechet_distance, frechet_of_moments


def make_white(d: int) -> np.ndarray:
    """2 d points of mean 0 and exactly the unit covariance (n - 1)."""
    return np.vstack([np.eye(d), -np.eye(d)]) * np.sqrt((2 * d - 1) / 2)


def test_unit_gaussians_one_apart_in_16_dimensions() -> None:
    x = make_white(16)
    assert frechet_distance(x, x + 1) == pytest.approx(16, abs=1e-9)


def test_twice_the_spread_in_16_dimensions() -> None:
    x = make_white(16)
    assert frechet_distance(x, 2 * x) == pytest.approx(16, abs=1e-9)


def test_equal_sets_are_not_apart() -> None:
    x = np.random.default_rng(0).normal(size=(60, 12))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-6)


def test_any_covariances_by_another_square_root() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(80, 9)) @ rng.normal(size=(9, 9)), rng.normal(size=(70, 9)) + 0.3
    s1, s2 = np.cov(x.T), np.cov(y.T)
    wanted = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-9)
    moments = frechet_of_moments(x.mean(0), s1, y.mean(0), s2)
    assert moments == pytest.approx(wanted, rel=1e-9)


def test_it_is_symmetric_and_knows_no_rotation() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(50, 6)), rng.normal(1, 3, size=(40, 6))
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    value = frechet_distance(x, y)
    assert frechet_distance(y, x) == pytest.approx(value, rel=1e-9)
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(value, rel=1e-9)


def test_sets_with_fewer_samples_than_dimensions_say_so() -> None:
    """Two points each on orthogonal lines: the covariances share nothing, so their traces add up."""
    x, y = np.zeros((2, 5)), np.zeros((2, 5))
    x[:, 0], y[:, 1] = (-1, 1), (-2, 2)
    found = frechet(x, y)
    assert found.is_singular
    assert found.value == pytest.approx(2 + 8, abs=1e-9)
    assert (found.n_x, found.n_y, found.n_features) == (2, 2, 5)
    assert not frechet(make_white(3), make_white(3)).is_singular


def test_single_samples_and_other_shapes_are_refused() -> None:
    with pytest.raises(UsageError, match="At least 2"):
        frechet_distance(np.ones((1, 3)), np.ones((5, 3)))
    with pytest.raises(UsageError, match="N x D"):
        frechet_distance(np.ones((5, 3)), np.ones((5, 4)))

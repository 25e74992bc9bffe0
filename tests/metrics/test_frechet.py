"""Frechet distance against closed forms and scipy's matrix square root."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from earthloom.core.errors import UsageError
from earthloom.metrics.frechet import (
    Gaussian,
    frechet,
    frechet_distance,
    frechet_interval,
    frechet_of_gaussians,
    frechet_of_moments,
)
from earthloom.metrics.moments import measure_moments


def straightforward(x: np.ndarray, y: np.ndarray) -> float:
    """The formula word by word."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real))


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
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)


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


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_more_features_than_are_summed_exactly_of_a_falling_spectrum(dtype: type) -> None:
    """Covariances of condition 1e6, by eigenvalues."""
    rng = np.random.default_rng(5)
    spectrum = np.logspace(0, -3, 520)
    x = (rng.normal(size=(1100, 520)) * spectrum).astype(dtype)
    y = (rng.normal(0.01, 1.2, size=(1000, 520)) * spectrum[::-1]).astype(dtype)
    assert frechet_distance(x, y) == pytest.approx(
        straightforward(x.astype(float), y.astype(float)), rel=1e-6
    )


@pytest.mark.filterwarnings("ignore:Matrix is singular")
def test_constant_and_doubled_features() -> None:
    """Singular covariances of many samples: scipy says what they come to without the idle dimensions."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(300, 7)), rng.normal(0.4, 2, size=(200, 7))
    wanted = straightforward(x, y)
    idle = [np.hstack([one, np.full((len(one), 3), 5.0)]) for one in (x, y)]
    assert frechet_distance(*idle) == pytest.approx(wanted, rel=1e-9)
    doubled = [np.hstack([one, one]) for one in (x, y)]
    assert frechet_distance(*doubled) == pytest.approx(2 * wanted, rel=1e-6)


@pytest.mark.parametrize(("n", "m"), [(20, 30), (20, 400), (400, 20)])
def test_fewer_samples_than_dimensions(n: int, m: int) -> None:
    """The features themselves, their covariances, and scipy agree on singular covariances.

    scipy's root of a singular product is exact to the root of the precision only, hence its tolerance.
    """
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(n, 40)), rng.normal(0.3, 1.5, size=(m, 40))
    value = frechet_distance(x, y)
    by_moments = (measure_moments(one) for one in (x, y))
    assert frechet_of_gaussians(*map(Gaussian.of_moments, by_moments)) == pytest.approx(value, rel=1e-6)
    s1, s2 = np.cov(x.T), np.cov(y.T)
    cross = np.sqrt(np.maximum(np.linalg.eigvals(s1 @ s2).real, 0)).sum()
    apart = np.square(x.mean(0) - y.mean(0)).sum()
    assert value == pytest.approx(apart + np.trace(s1 + s2) - 2 * cross, rel=1e-6)


@pytest.mark.parametrize(("n", "published"), [(500, 4.30), (10_000, 0.213)])
def test_bias_of_white_gaussians(n: int, published: float) -> None:
    """Equal laws in d = 64 dimensions come to d (d + 1) / 2n of covariances and 2d / n of means, in first order."""
    rng = np.random.default_rng(8)
    value = np.mean([frechet_distance(rng.normal(size=(n, 64)), rng.normal(size=(n, 64))) for _ in range(5)])
    assert value == pytest.approx((64 * 65 / 2 + 2 * 64) / n, rel=0.03)
    assert value == pytest.approx(published, rel=0.06)


def test_an_interval_holds_the_mean_of_new_sets() -> None:
    """Of sets that are apart, in about 95 of 100 cases; the mean is taken over 400 fresh pairs of sets."""
    rng = np.random.default_rng(9)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(80, 3)), rng.normal(0.8, 1.3, size=(60, 3))

    wanted = float(np.mean([frechet_distance(*draw()) for _ in range(400)]))
    held = [frechet_interval(*draw(), resamples=40, seed=case).holds(wanted) for case in range(50)]
    assert 0.84 <= np.mean(held) <= 1


def test_features_that_are_not_finite_are_refused() -> None:
    x = make_white(3)
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(UsageError, match="Finite"):
            frechet_distance(x, np.where(np.eye(6, 3) > 0, bad, x))


def test_single_samples_and_other_shapes_are_refused() -> None:
    with pytest.raises(UsageError, match="At least 2"):
        frechet_distance(np.ones((1, 3)), np.ones((5, 3)))
    with pytest.raises(UsageError, match="N x D"):
        frechet_distance(np.ones((5, 3)), np.ones((5, 4)))

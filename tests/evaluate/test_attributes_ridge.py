"""Ridge regression against least squares with the penalty written as rows of data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.evaluate.attributes.ridge import PENALTIES, deal_numbers, fit_ridge, predict_held_out
from earthloom.metrics.features import Scaler


def draw(n: int, seed: int, noise: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)) * [1, 10, 0.1, 1, 1] + 3
    y = 2 * x[:, 0] - 0.3 * x[:, 1] + rng.normal(scale=noise, size=n)
    return x, y, [f"g{row // 2}" for row in range(n)]


@given(st.integers(0, 1000), st.sampled_from([0.1, 5.0]))
def test_weights_are_those_of_penalised_least_squares(seed: int, noise: float) -> None:
    x, y, groups = draw(60, seed, noise)
    found = fit_ridge(x, y, groups)
    scaled = Scaler.fit(x).scale(x)
    rows = np.block([[scaled, np.ones((60, 1))], [np.sqrt(found.penalty) * np.eye(5), np.zeros((5, 1))]])
    wanted = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(5)]), rcond=None)[0]
    np.testing.assert_allclose(found.weights, wanted[:-1], atol=1e-8)
    assert found.bias == pytest.approx(wanted[-1], abs=1e-8)
    np.testing.assert_allclose(found.predict(x), scaled @ wanted[:-1] + wanted[-1], atol=1e-8)


def test_the_penalty_is_the_best_on_groups_that_were_held_out() -> None:
    clean, noisy = (fit_ridge(*draw(60, 1, noise)) for noise in (0.01, 60.0))
    assert clean.penalty == PENALTIES[0]
    assert noisy.penalty > 10


def test_held_out_predictions_saw_nothing_of_their_group() -> None:
    """Features that tell the group alone, and numbers dealt to groups at random: there is nothing to learn."""
    rng = np.random.default_rng(3)
    own, numbers = rng.normal(size=(40, 60)), rng.normal(size=40)
    x, y = np.repeat(own, 3, axis=0), np.repeat(numbers, 3)
    groups = [f"g{row // 3}" for row in range(120)]
    held_out = predict_held_out(x, y, groups)
    assert np.corrcoef(held_out, y)[0, 1] < 0.4
    assert np.corrcoef(fit_ridge(x, y, groups).predict(x), y)[0, 1] > 0.4
    home = deal_numbers(y, groups, 5, 0)
    assert all(len(set(home[row : row + 3])) == 1 for row in range(0, 120, 3))


def test_counts_that_differ_are_refused() -> None:
    x, y, groups = draw(10, 0, 1.0)
    with pytest.raises(UsageError, match="9 numbers"):
        fit_ridge(x, y[:9], groups)
    with pytest.raises(UsageError, match="1 groups"):
        fit_ridge(x, y, ["a"] * 10)

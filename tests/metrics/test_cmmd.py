"""CMMD against published vectors and the definition written out."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.metrics.cmmd import cmmd

E = np.eye(4)


@pytest.mark.parametrize(
    ("x", "y", "wanted"),
    [
        (E[:2], E[2:], 9.9501663),
        (E[:1], E[1:2], 19.9003325),
        (E[:1], -E[:1], 39.6026534),
        (E[:1], E[:1], 0.0),
    ],
)
def test_vectors_of_the_released_code(x: np.ndarray, y: np.ndarray, wanted: float) -> None:
    assert cmmd(x, y).value == pytest.approx(wanted, abs=1e-6)
    assert cmmd(5 * x, 0.1 * y).value == pytest.approx(wanted, abs=1e-6), "the length says nothing"


@pytest.mark.parametrize("unbiased", [False, True])
def test_the_definition(unbiased: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(14, 6)), rng.normal(1, 1, size=(11, 6))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        return float(np.exp(-np.square(a - b).sum() / 200))

    def within(z: np.ndarray) -> float:
        pairs = [(i, j) for i in range(len(z)) for j in range(len(z)) if not unbiased or i != j]
        return float(np.mean([kernel(z[i], z[j]) for i, j in pairs]))

    across = np.mean([kernel(a, b) for a in x for b in y])
    found = cmmd(x, y, unbiased=unbiased)
    assert found.value == pytest.approx(1000 * (within(x) + within(y) - 2 * across), abs=1e-9)
    assert (found.n_x, found.n_y, found.is_unbiased) == (14, 11, unbiased)


def test_sets_larger_than_a_block() -> None:
    """Copies change nothing of a biased estimate."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 5)), rng.normal(0.3, 1, size=(50, 5))
    assert cmmd(np.tile(x, (40, 1)), np.tile(y, (30, 1))).value == pytest.approx(cmmd(x, y).value, rel=1e-9)


def test_one_law_is_nothing_without_bias_and_something_with() -> None:
    rng = np.random.default_rng(2)
    pairs = [(rng.normal(size=(50, 8)), rng.normal(size=(50, 8))) for _ in range(60)]
    unbiased = [cmmd(x, y, unbiased=True).value for x, y in pairs]
    biased = np.mean([cmmd(x, y).value for x, y in pairs])
    assert abs(np.mean(unbiased)) < 4 * np.std(unbiased) / np.sqrt(60)
    assert min(unbiased) < 0
    # Normals in many directions: their kernel is near exp(-2 / 200), so that the bias is 1000 x 2 / 50 x 0.00995.
    assert biased == pytest.approx(0.4 * 0.995, rel=0.1)


def test_features_without_direction_are_refused() -> None:
    with pytest.raises(UsageError, match="direction"):
        cmmd(np.zeros((3, 2)), np.ones((3, 2)))
    with pytest.raises(UsageError, match="At least 2"):
        cmmd(E[:1], E[1:], unbiased=True)

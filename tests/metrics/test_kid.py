"""KID against the published vector, the definition written out, and what it must be on average."""

from __future__ import annotations

import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.metrics.kid import kid, kid_interval, kid_unbiased


def by_definition(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    n, m = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_x + within_y - 2 * sum(kernel(a, b) for a in x for b in y) / (n * m)


def test_the_vector_of_two_points() -> None:
    assert kid_unbiased(np.eye(2), np.array([[1.0, 1.0], [0.0, 0.0]])) == pytest.approx(-2.375, abs=1e-12)


def test_whole_sets_are_the_definition() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 5)), rng.normal(1, 2, size=(9, 5))
    assert kid_unbiased(x, y) == pytest.approx(by_definition(x, y), abs=1e-10)


def test_sets_larger_than_a_block_are_summed_whole() -> None:
    """2,500 copies of three points: the definition by counts instead of pairs."""
    points, n = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), 2500
    x, y = points[np.arange(n) % 3], points[np.zeros(n, int)]
    kernel = (points @ points.T / 2 + 1) ** 3
    share = np.bincount(np.arange(n) % 3) / n
    within_x = (n * share @ kernel @ share - share @ np.diag(kernel)) / (n - 1)
    wanted = within_x + kernel[0, 0] - 2 * share @ kernel[:, 0]
    assert kid_unbiased(x, y) == pytest.approx(wanted, abs=1e-9)


def test_subsets_of_one_kind_average_to_nothing() -> None:
    rng = np.random.default_rng(1)
    found = kid(rng.normal(size=(400, 16)), rng.normal(size=(300, 16)), subsets=200)
    assert abs(found.value) < 0.02
    assert (found.n_x, found.n_y, found.subset_size, found.n_subsets) == (400, 300, 150, 200)


def test_subsets_agree_with_whole_sets() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(500, 8)), rng.normal(0.5, 1, size=(500, 8))
    found = kid(x, y, subsets=300, size=100)
    assert found.subset_size == 100
    assert found.value == pytest.approx(kid_unbiased(x, y), abs=4 * found.std / np.sqrt(300))
    assert found.std > 0


def test_few_small_subsets_are_computed_one_by_one() -> None:
    """Two ways to the same subsets: one kernel for all, or each on its own; the seed draws the same."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(300, 6)), rng.normal(0.3, 1, size=(300, 6))
    few, many = kid(x, y, subsets=1, size=50), kid(x, y, subsets=40, size=50)
    draws = np.random.default_rng(0)
    chosen = draws.choice(300, 50, replace=False), draws.choice(300, 50, replace=False)
    assert few.value == pytest.approx(kid_unbiased(x[chosen[0]], y[chosen[1]]), abs=1e-12)
    draws = np.random.default_rng(0)
    first = [draws.choice(300, 50, replace=False) for _ in range(40)]
    second = [draws.choice(300, 50, replace=False) for _ in range(40)]
    values = [by_definition(x[a], y[b]) for a, b in zip(first[:3], second[:3], strict=True)]
    assert values[0] == pytest.approx(kid_unbiased(x[first[0]], y[second[0]]), abs=1e-10)
    assert many.value == pytest.approx(
        np.mean([kid_unbiased(x[a], y[b]) for a, b in zip(first, second, strict=True)]), abs=1e-12
    )


def test_an_interval_holds_what_many_samples_come_to() -> None:
    """KID is unbiased, so that its interval is about the discrepancy of the laws."""
    rng = np.random.default_rng(5)
    wanted = np.mean(
        [kid_unbiased(rng.normal(size=(400, 4)), rng.normal(0.5, 1, (400, 4))) for _ in range(60)]
    )
    held = [
        kid_interval(rng.normal(size=(60, 4)), rng.normal(0.5, 1, (50, 4)), resamples=40, seed=case).holds(
            wanted
        )
        for case in range(50)
    ]
    assert 0.84 <= np.mean(held) <= 1


def test_one_seed_gives_one_value() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 4)), rng.normal(size=(40, 4))
    assert kid(x, y, seed=7) == kid(x, y, seed=7)
    assert kid(x, y, seed=7) != kid(x, y, seed=8)


@pytest.mark.parametrize(("n", "m"), [(3, 100), (100, 3), (0, 10)])
def test_sets_too_small_for_subsets_are_refused(n: int, m: int) -> None:
    with pytest.raises(UsageError, match="At least 4"):
        kid(np.ones((n, 2)), np.ones((m, 2)))


def test_sets_of_other_shapes_are_refused() -> None:
    with pytest.raises(UsageError, match="N x D"):
        kid_unbiased(np.ones((4, 2)), np.ones((4, 3)))
    with pytest.raises(UsageError, match="subset"):
        kid(np.ones((8, 2)), np.ones((8, 2)), subsets=0)

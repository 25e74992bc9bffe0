"""Precision, recall, density and coverage against loops over all pairs and published values."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from earthloom.core.errors import UsageError
from earthloom.metrics import feature_sets
from earthloom.metrics.prdc import prdc


def by_loops(real: np.ndarray, generated: np.ndarray, k: int, k_density: int) -> tuple[float, ...]:
    def radius(own: np.ndarray, at: int) -> np.ndarray:
        return np.sort(cdist(own, own), axis=1)[:, at]

    apart = cdist(real, generated)
    n, m = apart.shape
    of_real, of_generated, of_density = radius(real, k), radius(generated, k), radius(real, k_density)
    precision = np.mean([any(apart[i, j] <= of_real[i] for i in range(n)) for j in range(m)])
    recall = np.mean([any(apart[i, j] <= of_generated[j] for j in range(m)) for i in range(n)])
    inside = [[apart[i, j] < of_density[i] for j in range(m)] for i in range(n)]
    return (
        float(precision),
        float(recall),
        float(np.sum(inside) / k_density / m),
        float(np.mean(np.any(inside, 1))),
    )


@settings(max_examples=30)
@given(
    n=st.integers(7, 40),
    m=st.integers(7, 40),
    d=st.integers(1, 5),
    shift=st.floats(0, 3),
    seed=st.integers(0, 99),
)
def test_loops_over_all_pairs(n: int, m: int, d: int, shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, generated = rng.normal(size=(n, d)) + 1e3, rng.normal(shift, 1, size=(m, d)) + 1e3
    found = prdc(real, generated, k_precision=3, k_density=5)
    values = found.precision, found.recall, found.density, found.coverage
    assert values == pytest.approx(by_loops(real, generated, 3, 5), abs=1e-12)
    assert (found.n_real, found.n_generated, found.k_precision, found.k_density) == (n, m, 3, 5)


def test_blocks_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(150, 4)), rng.normal(0.5, 1, size=(130, 4))
    whole = prdc(real, generated)
    monkeypatch.setattr(feature_sets, "_ENTRIES", 1000)
    assert prdc(real, generated) == whole


def test_a_copy_of_the_real_set() -> None:
    """Everything lies where it should; in each ball of k-th neighbours lie a sample and k - 1 others, not the k-th."""
    real = np.random.default_rng(1).normal(size=(200, 8))
    found = prdc(real, real[::-1])
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.density == pytest.approx(1, abs=1e-12)


def test_sets_apart_share_nothing() -> None:
    rng = np.random.default_rng(2)
    found = prdc(rng.normal(size=(50, 3)), rng.normal(100, 1, size=(60, 3)))
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_coverage_of_one_law() -> None:
    """1 - 2^-5 = 0.96875 for k = 5 and many samples (Naeem et al., lemma 2), and density 1."""
    rng = np.random.default_rng(3)
    found = prdc(rng.normal(size=(2500, 3)), rng.normal(size=(2500, 3)), k_density=5)
    assert found.coverage == pytest.approx(0.96875, abs=0.012)
    assert found.density == pytest.approx(1, abs=0.03)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_published_case() -> None:
    """README of prdc: N(0, I) in 1,000 dimensions, 10,000 samples each, k = 5; within what another draw changes."""
    rng = np.random.default_rng(4)
    real, generated = rng.normal(size=(10_000, 1000)), rng.normal(size=(10_000, 1000))
    found = prdc(real, generated, k_precision=5, k_density=5)
    assert found.precision == pytest.approx(0.4772, abs=0.03)
    assert found.recall == pytest.approx(0.4705, abs=0.03)
    assert found.density == pytest.approx(1.0555, abs=0.15)
    assert found.coverage == pytest.approx(0.9735, abs=0.03)


def test_memory_goes_with_a_block_and_not_with_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 x 2,000 distances are 32 MB; a block of 1 MB needs itself, as much again, and some masks."""
    rng = np.random.default_rng(5)
    real, generated = rng.normal(size=(2000, 4)), rng.normal(size=(2000, 4))
    monkeypatch.setattr(feature_sets, "_ENTRIES", 2**17)
    tracemalloc.start()
    prdc(real, generated)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6e6


def test_sets_without_neighbours_are_refused() -> None:
    with pytest.raises(UsageError, match="At least 6"):
        prdc(np.eye(5), np.eye(5))
    with pytest.raises(UsageError, match="one neighbour"):
        prdc(np.eye(5), np.eye(5), k_precision=0)

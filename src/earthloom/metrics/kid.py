"""Kernel Inception Distance: the squared maximum mean discrepancy of two sets of features.

Binkowski et al., Demystifying MMD GANs, ICLR 2018: the unbiased estimate with the kernel `(x . y / d + 1)^3`. Being
unbiased it serves small sets, and it may come out below zero for sets of one kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.metrics.bootstrap import Groups, Indices, Interval, draw_halves, half_sample_interval
from earthloom.metrics.feature_sets import AnyFeatures, Features, split_rows, take_sets

_ROWS = 1024
"""Rows of a kernel matrix held at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kid:
    """The distance of two sets over random subsets."""

    value: float
    """Mean over the subsets; 0 is expected for sets of one kind."""
    std: float
    """Standard deviation over the subsets: their spread, not the error of the mean."""
    n_x: int
    n_y: int
    subset_size: int
    """Features of each set in a subset."""
    n_subsets: int
    seed: int
    """Of the draws."""


def kid(x: AnyFeatures, y: AnyFeatures, *, subsets: int = 100, size: int = 1000, seed: int = 0) -> Kid:
    """Mean and spread of `kid_unbiased` over random subsets drawn without replacement.

    Args:
        x: N x D features.
        y: M x D features of the same kind.
        subsets: how many are drawn.
        size: features of each set in a subset; at most half of the smaller set, so that subsets differ.
        seed: of the draws.

    Raises:
        UsageError: for fewer than four features in a set, or sets that cannot be compared.

    """
    x, y = take_sets(x, y, least=4)
    fitting = min(size, min(len(x), len(y)) // 2)
    if fitting < 2 or subsets < 1:
        raise UsageError(f"At least one subset of two was wanted, got {subsets} of {fitting}.")
    rng = np.random.default_rng(seed)
    chosen_x = _draw_subsets(len(x), fitting, subsets, rng)
    chosen_y = _draw_subsets(len(y), fitting, subsets, rng)
    if subsets * fitting**2 < len(x) * len(y):
        values = np.array(
            [kid_unbiased(x[a > 0], y[b > 0]) for a, b in zip(chosen_x.T, chosen_y.T, strict=True)]
        )
    else:
        values = _discrepancies(x, y, chosen_x, chosen_y)
    return Kid(
        value=float(values.mean()),
        std=float(values.std()),
        n_x=len(x),
        n_y=len(y),
        subset_size=fitting,
        n_subsets=subsets,
        seed=seed,
    )


def kid_unbiased(x: AnyFeatures, y: AnyFeatures) -> float:
    """The unbiased estimate over whole sets, N x D and M x D with N, M of at least 2."""
    x, y = take_sets(x, y, least=2)
    return float(_discrepancies(x, y, np.ones((len(x), 1)), np.ones((len(y), 1)))[0])


def kid_interval(
    x: AnyFeatures,
    y: AnyFeatures,
    *,
    groups_x: Groups | None = None,
    groups_y: Groups | None = None,
    resamples: int = 100,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval about `kid_unbiased` of whole sets by half-samples, of groups where given: see `metrics.bootstrap`.

    The spread over the subsets of `kid` is no such thing: it falls with the size of a subset, not with that of the
    sets.
    """
    x, y = take_sets(x, y, least=4)
    halves_x = _mark(len(x), list(draw_halves(len(x), resamples, seed, "x", groups_x)))
    halves_y = _mark(len(y), list(draw_halves(len(y), resamples, seed, "y", groups_y)))
    return half_sample_interval(kid_unbiased(x, y), _discrepancies(x, y, halves_x, halves_y), level)


def _discrepancies(x: Features, y: Features, chosen_x: Features, chosen_y: Features) -> Features:
    """One estimate for every column of the choices (N x S and M x S, of ones and zeros)."""
    n, m = chosen_x.sum(axis=0), chosen_y.sum(axis=0)
    within_x = (_sum_kernel(x, x, chosen_x, chosen_x) - _sum_own(x, chosen_x)) / (n * (n - 1))
    within_y = (_sum_kernel(y, y, chosen_y, chosen_y) - _sum_own(y, chosen_y)) / (m * (m - 1))
    across = _sum_kernel(x, y, chosen_x, chosen_y) / (n * m)
    return np.asarray(within_x + within_y - 2 * across)


def _sum_kernel(x: Features, y: Features, chosen_x: Features, chosen_y: Features) -> Features:
    """Sum of the kernel over all pairs of each choice: every kernel value is computed once for all subsets."""
    total = np.zeros(chosen_x.shape[1])
    for rows in split_rows(len(x), _ROWS):
        kernel = _kernel(x[rows] @ y.T, x.shape[1])
        total += (chosen_x[rows] * (kernel @ chosen_y)).sum(axis=0)
    return total


def _sum_own(x: Features, chosen: Features) -> Features:
    return _kernel((x * x).sum(axis=1), x.shape[1]) @ chosen


def _kernel(products: Features, dimension: int) -> Features:
    return (products / dimension + 1) ** 3


def _draw_subsets(n: int, size: int, subsets: int, rng: np.random.Generator) -> Features:
    return _mark(n, [rng.choice(n, size, replace=False) for _ in range(subsets)])


def _mark(n: int, choices: Sequence[Indices]) -> Features:
    """N x S of ones where an item was chosen."""
    chosen = np.zeros((n, len(choices)))
    for column, items in enumerate(choices):
        chosen[items, column] = 1
    return chosen

"""Kernel Inception Distance: the squared maximum mean discrepancy of two sets of features.

Binkowski et al., Demystifying MMD GANs, ICLR 2018: the unbiased estimate with the kernel `(x . y / d + 1)^3`. Being
unbiased it serves small sets, and it may come out below zero for sets of one kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Features = npt.NDArray[np.float64]
"""N x D."""

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


def kid(x: Features, y: Features, *, subsets: int = 100, size: int = 1000, seed: int = 0) -> Kid:
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
    x, y = _take_sets(x, y, least=4)
    fitting = min(size, min(len(x), len(y)) // 2)
    if fitting < 2 or subsets < 1:
        raise UsageError(f"At least one subset of two was wanted, got {subsets} of {fitting}.")
    rng = np.random.default_rng(seed)
    chosen_x = _draw_subsets(len(x), fitting, subsets, rng)
    chosen_y = _draw_subsets(len(y), fitting, subsets, rng)
    values = _discrepancies(x, y, chosen_x, chosen_y)
    return Kid(
        value=float(values.mean()),
        std=float(values.std()),
        n_x=len(x),
        n_y=len(y),
        subset_size=fitting,
        n_subsets=subsets,
    )


def kid_unbiased(x: Features, y: Features) -> float:
    """The unbiased estimate over whole sets, N x D and M x D with N, M of at least 2."""
    x, y = _take_sets(x, y, least=2)
    return float(_discrepancies(x, y, np.ones((len(x), 1)), np.ones((len(y), 1)))[0])


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
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        kernel = _kernel(x[rows] @ y.T, x.shape[1])
        total += (chosen_x[rows] * (kernel @ chosen_y)).sum(axis=0)
    return total


def _sum_own(x: Features, chosen: Features) -> Features:
    return _kernel((x * x).sum(axis=1), x.shape[1]) @ chosen


def _kernel(products: Features, dimension: int) -> Features:
    return (products / dimension + 1) ** 3


def _draw_subsets(n: int, size: int, subsets: int, rng: np.random.Generator) -> Features:
    chosen = np.zeros((n, subsets))
    for column in range(subsets):
        chosen[rng.choice(n, size, replace=False), column] = 1
    return chosen


def _take_sets(x: Features, y: Features, least: int) -> tuple[Features, Features]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise UsageError(f"Two sets of N x D features were wanted, got shapes {x.shape} and {y.shape}.")
    if min(len(x), len(y)) < least:
        raise UsageError(f"At least {least} features a set were wanted, got {len(x)} and {len(y)}.")
    return x, y

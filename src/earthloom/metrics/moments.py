"""Mean and covariance of features that come in blocks: kept, merged and added to without a second look.

Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979: each block is
centred on its own mean, so that no digits are lost where features lie far from 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import AnyFeatures, Features, is_finite, split_rows

_ROWS = 4096
"""Of an array that are converted and centred at a time."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moments:
    """What a Gaussian keeps of a set of features."""

    n: int
    """Features, at least 2."""
    mean: Features
    """D."""
    covariance: Features
    """D x D, unbiased (n - 1)."""

    def merge(self, other: Moments) -> Moments:
        """The moments of both sets together."""
        if self.mean.shape != other.mean.shape:
            raise UsageError(f"Features of {self.mean.size} were wanted, got {other.mean.size}.")
        n = self.n + other.n
        apart = other.mean - self.mean
        scatter = (self.n - 1) * self.covariance + (other.n - 1) * other.covariance
        scatter += np.outer(apart, apart) * (self.n * other.n / n)
        return Moments(n=n, mean=self.mean + apart * (other.n / n), covariance=scatter / (n - 1))


def measure_moments(x: AnyFeatures) -> Moments:
    """Moments of N x D features; a block at a time is held in float64 beside them."""
    return gather_moments(x[rows] for rows in split_rows(len(x), _ROWS))


def gather_moments(blocks: Iterable[AnyFeatures]) -> Moments:
    """Moments of all blocks, each N x D with its own N; blocks of hundreds are fastest.

    Raises:
        UsageError: for fewer than two features, blocks of several widths, or features that are not finite.

    """
    total: _Sum | None = None
    for block in blocks:
        if block.ndim != 2 or (total is not None and block.shape[1] != total.mean.size):
            raise UsageError(f"Blocks of N x D features were wanted, got one of shape {block.shape}.")
        if not is_finite(block):
            raise UsageError("Finite features were wanted, got some that are not: leave those pictures out.")
        total = total or _Sum(block.shape[1])
        if len(block):
            total.add(block)
    if total is None or total.n < 2:
        raise UsageError(f"At least 2 features were wanted, got {total.n if total else 0}.")
    return total.finish()


class _Sum:
    """Count, mean and scatter about the mean."""

    def __init__(self, n_features: int) -> None:
        self.n = 0
        self.mean = np.zeros(n_features)
        self._scatter = np.zeros((n_features, n_features), order="F")
        """Its lower half; the upper one is made at the end."""

    def add(self, block: AnyFeatures) -> None:
        from scipy.linalg.blas import dsyrk

        n = self.n + len(block)
        # The last row adds what the mean of the block is away from the mean so far: one product does it all.
        rows = np.empty((len(block) + 1, block.shape[1]))
        rows[:-1] = block
        mean = rows[:-1].mean(axis=0)
        rows[:-1] -= mean
        rows[-1] = (mean - self.mean) * np.sqrt(self.n * len(block) / n)
        self._scatter = dsyrk(1.0, rows.T, beta=1.0, c=self._scatter, lower=1, overwrite_c=1)
        self.mean = self.mean + (mean - self.mean) * (len(block) / n)
        self.n = n

    def finish(self) -> Moments:
        lower = np.tril(self._scatter)
        scatter = lower + np.tril(lower, -1).T
        return Moments(n=self.n, mean=self.mean, covariance=scatter / (self.n - 1))

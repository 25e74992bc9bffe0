"""Frechet distance of endless generated sets, extrapolated from what it is at several counts.

Chong and Forsyth, Effectively unbiased FID and Inception Score and where to find them, CVPR 2020: the bias is close to
c / N, so that a line through distances over 1 / N meets the axis at the value for endless N. Points as in dgm-eval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.core.errors import UsageError
from earthloom.core.seeds import make_rng
from earthloom.metrics.feature_sets import AnyFeatures, check_sets
from earthloom.metrics.frechet import Gaussian, frechet_of_gaussians

_FIRST = 5000
"""The smallest count that a large set is looked at with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrechetInfinity:
    """A line through Frechet distances over 1 / N."""

    value: float
    """Where it meets 1 / N = 0; may come out below 0 for sets of one kind."""
    slope: float
    """The bias at N is about slope / N."""
    error: float
    """Standard error of the value by least squares. The points share features, so that it is rather too small; a large
    one says that the counts lie where the bias is no line yet, below the number of dimensions above all."""
    n_x: int
    n_y: int
    sizes: tuple[int, ...]
    """N of each point."""
    values: tuple[float, ...]
    """Distance of each point."""
    seed: int


def frechet_infinity(x: AnyFeatures, y: AnyFeatures, *, points: int = 15, seed: int = 0) -> FrechetInfinity:
    """Extrapolate the Frechet distance of `y` to the reference `x` to endless `y`; `x` is always taken whole.

    Args:
        x: N x D features of the reference. Its own bias stays, so it should be large.
        y: M x D features, of which subsets are drawn without replacement.
        points: subsets, of counts evenly from min(5000, M / 10) to M.
        seed: of the draws.

    Raises:
        UsageError: for sets that cannot be compared, or fewer than three different counts.

    """
    x, y = np.asarray(x), np.asarray(y)
    check_sets(x, y, least=2)
    sizes = np.linspace(min(_FIRST, max(len(y) // 10, 2)), len(y), points).astype(int)
    if len(np.unique(sizes)) < 3:
        raise UsageError(f"Three different counts were wanted for a line, got {points} points of {len(y)}.")
    reference = Gaussian.of(x)
    rng = make_rng(seed, "frechet-infinity")
    values = [_measure_some(reference, y, int(size), rng) for size in sizes]
    slope, value, error = _fit_line(1 / sizes, np.array(values))
    return FrechetInfinity(
        value=value,
        slope=slope,
        error=error,
        n_x=len(x),
        n_y=len(y),
        sizes=tuple(sizes.tolist()),
        values=tuple(values),
        seed=seed,
    )


def _measure_some(reference: Gaussian, y: AnyFeatures, size: int, rng: np.random.Generator) -> float:
    chosen = rng.choice(len(y), size, replace=False)
    return frechet_of_gaussians(reference, Gaussian.of(y[np.sort(chosen)]))


def _fit_line(t: AnyFeatures, values: AnyFeatures) -> tuple[float, float, float]:
    """Slope, intercept and standard error of the intercept."""
    away = t - t.mean()
    slope = float(away @ values / (away @ away))
    intercept = float(values.mean() - slope * t.mean())
    variance = float(np.square(values - intercept - slope * t).sum()) / (len(t) - 2)
    return slope, intercept, float(np.sqrt(variance * (1 / len(t) + t.mean() ** 2 / (away @ away))))

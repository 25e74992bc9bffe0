"""How far two distributions of decibels lie apart, and how uncertain one of them is.

Distances of samples are exact. Those of histograms are for many pixels: histograms of single pictures add up, and are
drawn anew for intervals; they take counts along the last axis, any number of them along the others. Divergences without
a unit (Jensen-Shannon, Kolmogorov-Smirnov) say that two sets differ, the Wasserstein distance by how many decibels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS = 256
"""Of a histogram over the scale of a picture: one a level."""
EPSILON = 1e-9
"""Added to every bin's share before logarithms, then shares are made to add up to 1 again."""


def count_db(decibels: npt.NDArray[np.floating], low_db: float, high_db: float, bins: int = BINS) -> Floats:
    """Histogram of decibels over a fixed scale, `bins` counts.

    What lies beyond the scale counts at its end, as it would in a picture; NaN does not count.

    Raises:
        ValueError: for a scale without extent.

    """
    if not low_db < high_db:
        raise ValueError(f"scale: wants low below high, got {low_db:g} to {high_db:g} dB.")
    values = np.asarray(decibels, np.float64).ravel()
    values = np.clip(values[~np.isnan(values)], low_db, high_db)
    return np.histogram(values, bins, (low_db, high_db))[0].astype(np.float64)


def entropy_bits(counts: Floats) -> Floats:
    """Shannon entropy of histograms, bits; at most log2 of the number of bins.

    It depends on the width of the bins: compare over one scale with one number of bins. That of even ground under
    speckle is known: `theory.entropy_bits`.
    """
    shares = _to_shares(counts)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(-1) + 0.0)


def wasserstein_of_counts(a: Floats, b: Floats, bin_db: float) -> Floats:
    """Earth mover's distance of histograms over one scale, dB: how far a pixel has to be moved on average."""
    steps = np.abs(np.cumsum(_to_shares(a) - _to_shares(b), -1))
    return np.asarray(steps.sum(-1) * bin_db)


def jensen_shannon_bits(a: Floats, b: Floats) -> Floats:
    """Jensen-Shannon divergence of histograms over one scale, base 2: 0 for equal ones, 1 for those apart."""
    p, q = _soften(a), _soften(b)
    middle = (p + q) / 2
    return np.asarray(((p * np.log2(p / middle)).sum(-1) + (q * np.log2(q / middle)).sum(-1)) / 2)


def kullback_leibler_bits(a: Floats, b: Floats) -> Floats:
    """Kullback-Leibler divergence of the histogram `a` from `b`, base 2; bounded by `EPSILON` where `b` is empty."""
    p, q = _soften(a), _soften(b)
    return np.asarray((p * np.log2(p / q)).sum(-1))


def kolmogorov_smirnov_of_counts(a: Floats, b: Floats) -> Floats:
    """Largest difference of the cumulative shares, 0 to 1."""
    return np.asarray(np.abs(np.cumsum(_to_shares(a) - _to_shares(b), -1)).max(-1))


def wasserstein(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Earth mover's distance of two samples of decibels, dB."""
    places, below_a, below_b = _cumulate(a, b)
    return float((np.abs(below_a - below_b)[:-1] * np.diff(places)).sum())


def kolmogorov_smirnov(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Kolmogorov-Smirnov statistic of two samples, 0 to 1.

    No p-value comes with it: neighbouring pixels are not independent, and a test that takes them so rejects anything.
    """
    _, below_a, below_b = _cumulate(a, b)
    return float(np.abs(below_a - below_b).max())


def _cumulate(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> tuple[Floats, Floats, Floats]:
    """All values in order, and the share of each sample at or below them."""
    x, y = (np.sort(np.asarray(each, np.float64).ravel()) for each in (a, b))
    if not x.size or not y.size or np.isnan(x[-1]) or np.isnan(y[-1]):
        raise ValueError("samples: wants at least one number in each and no NaN.")
    places = np.sort(np.concatenate([x, y]))
    below_x, below_y = (np.searchsorted(each, places, "right") / each.size for each in (x, y))
    return places, below_x, below_y


def _to_shares(counts: Floats) -> Floats:
    total = np.asarray(counts, np.float64).sum(-1, keepdims=True)
    if not (total > 0).all():
        raise ValueError("counts: wants at least one value in each histogram.")
    return np.asarray(counts / total, np.float64)


def _soften(counts: Floats) -> Floats:
    return _to_shares(_to_shares(counts) + EPSILON)

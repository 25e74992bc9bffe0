"""Texture of radar pictures: grey-level co-occurrence and the slope of the spectrum."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVELS = 32
"""Grey levels of a co-occurrence matrix: enough for 25 dB in steps of less than a look's deviation, few enough for a
chip of 64 pixels to fill them (our choice; 16 to 64 are common)."""
OFFSETS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Rows and columns to the neighbour: 0, 45, 90 and 135 degrees at distance 1."""
_LEAST_RINGS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Cooccurrence:
    """Four of Haralick's textures (IEEE TSMC 1973), means over four directions at distance 1."""

    contrast: float
    """Mean squared difference of neighbours, squared levels; falls to nothing where speckle is filtered away."""
    homogeneity: float
    """Mean of 1 / (1 + squared difference), 0 to 1."""
    energy: float
    """Root of the sum of squares of the matrix, 0 to 1; 1 for a picture of one level."""
    correlation: float
    """Of neighbouring levels, -1 to 1; 1 for a picture of one level, as scikit-image has it."""


def quantise(
    decibels: npt.NDArray[np.floating], low_db: float, high_db: float, levels: int = LEVELS
) -> npt.NDArray[np.int64]:
    """Levels 0 to `levels` - 1 of decibels in equal steps; what lies beyond the scale is at its end."""
    steps = (np.asarray(decibels, np.float64) - low_db) / (high_db - low_db) * levels
    return np.clip(np.floor(steps), 0, levels - 1).astype(np.int64)


def cooccurrence(levels: npt.NDArray[np.integer], n: int = LEVELS) -> Cooccurrence:
    """Textures of a picture of levels 0 to `n` - 1, H x W, at least 2 each way."""
    matrices = np.stack([_count_pairs(levels, offset, n) for offset in OFFSETS])
    shares = matrices / matrices.sum((1, 2), keepdims=True)
    i, j = np.mgrid[:n, :n].astype(np.float64)
    squared = (i - j) ** 2
    return Cooccurrence(
        contrast=float((shares * squared).sum((1, 2)).mean()),
        homogeneity=float((shares / (1 + squared)).sum((1, 2)).mean()),
        energy=float(np.sqrt((shares**2).sum((1, 2))).mean()),
        correlation=float(np.mean([_correlate(each, i, j) for each in shares])),
    )


def texture_distance(textures: list[Cooccurrence], reference: list[Cooccurrence]) -> float:
    """How many deviations of the reference's pictures the mean textures of a set lie off, root mean square of the four.

    0 for sets with equal means; about 1 where a typical picture would be an unusual one of the reference. NaN with
    fewer than two pictures in the reference, or none in the set, or where a texture is the same all over the reference.
    """
    if not textures or len(reference) < 2:
        return float("nan")
    measured, known = (np.array([astuple(each) for each in some]) for some in (textures, reference))
    spread = known.std(0, ddof=1)
    if not (spread > 0).all():
        return float("nan")
    return float(np.sqrt((((measured.mean(0) - known.mean(0)) / spread) ** 2).mean()))


def spectrum_slope(decibels: npt.NDArray[np.floating]) -> float:
    """Slope of log power over log frequency of a picture in decibels, H x W, at least 16 each way.

    0 for independent speckle over even ground; -2 to -3.5 for ground without speckle; in between, the less negative the
    more of a picture is speckle. A square from its centre under a Hann window, rings of one frequency step, from 2
    steps (below, the window leaks) to the Nyquist frequency, all octaves weighing the same.

    Raises:
        ValueError: for a picture too small.

    """
    side = min(decibels.shape)
    if side < 4 * _LEAST_RINGS:
        raise ValueError(f"picture: wants at least {4 * _LEAST_RINGS} pixels each way, got {decibels.shape}.")
    top, left = (decibels.shape[0] - side) // 2, (decibels.shape[1] - side) // 2
    cut = np.asarray(decibels[top : top + side, left : left + side], np.float64)
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.fft2((cut - cut.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]) * side
    rings = np.rint(radius).astype(np.int64)
    means = np.bincount(rings.ravel(), power.ravel()) / np.bincount(rings.ravel())
    steps = np.arange(2, side // 2 + 1)
    if not (means[steps] > 0).all():
        return float("nan")
    weights = np.sqrt(1.0 / steps)  # polyfit squares them: a ring weighs what it spans in octaves
    return float(np.polyfit(np.log(steps), np.log(means[steps]), 1, w=weights)[0])


def _count_pairs(levels: npt.NDArray[np.integer], offset: tuple[int, int], n: int) -> Floats:
    """Symmetric matrix of how often levels stand side by side."""
    down, right = offset
    height, width = levels.shape
    a = levels[: height - down, max(0, -right) : width - max(0, right)]
    b = levels[down:, max(0, right) : width + min(0, right)]
    counts = (
        np.bincount((a.astype(np.int64) * n + b).ravel(), minlength=n * n).reshape(n, n).astype(np.float64)
    )
    return np.asarray(counts + counts.T)


def _correlate(shares: Floats, i: Floats, j: Floats) -> float:
    mean = float((shares * i).sum())  # of i and of j, as the matrix is symmetric
    variance = float((shares * (i - mean) ** 2).sum())
    if variance < 1e-15:
        return 1.0
    return float((shares * (i - mean) * (j - mean)).sum()) / variance

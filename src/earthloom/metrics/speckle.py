"""Speckle of radar pictures: equivalent number of looks, estimated from intensities alone.

The intensity of multi-looked, fully developed speckle follows a gamma distribution with mean 1 and variance 1 / L; L is
the number of looks (Oliver and Quegan, Understanding SAR Images, 2004, equation 4.9).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_FEWEST, _MOST = 0.01, 1e6
"""Looks between which is searched: behind them, what is seen is no speckle."""
_HALVINGS = 60
_BINS_AN_OCTAVE = 8


def from_levels(levels: npt.NDArray[np.uint8], low_db: float, high_db: float) -> Floats:
    """Backscatter, linear power, of 8-bit decibels as a release stores them: `stretch` says `low` and `high`."""
    decibels = low_db + levels.astype(np.float64) / 255.0 * (high_db - low_db)
    return np.asarray(10.0 ** (decibels / 10.0), np.float64)


def estimate_looks(contrast: npt.ArrayLike) -> Floats:
    """Looks by maximum likelihood, from `ln(mean I) - mean(ln I)` of samples of even ground (any shape, 0 or more).

    It solves ln L - digamma(L) = contrast, the case of one channel in Anfinsen, Doulgeris and Eltoft (IEEE TGRS 2009).
    Texture adds to the contrast, so uneven ground seems to have fewer looks. Infinite where all samples are equal.
    """
    from scipy.special import digamma

    wanted = np.asarray(contrast, np.float64)
    low, high = np.full(wanted.shape, np.log(_FEWEST)), np.full(wanted.shape, np.log(_MOST))
    for _ in range(_HALVINGS):  # the left side falls as L grows
        middle = (low + high) / 2
        is_fewer = middle - digamma(np.exp(middle)) > wanted
        low, high = np.where(is_fewer, middle, low), np.where(is_fewer, high, middle)
    return np.where(wanted > 0, np.exp((low + high) / 2), np.inf)


def map_looks(power: npt.NDArray[np.floating], side: int = 9) -> Floats:
    """Estimate looks in every window of a picture: (H - side + 1) x (W - side + 1).

    Args:
        power: H x W, linear intensity, more than 0.
        side: of the windows, odd, pixels.

    """
    edge = side // 2
    values = np.asarray(power, np.float64)
    means = cv2.blur(values, (side, side))
    logs = cv2.blur(np.log(values), (side, side))
    contrast = np.log(means) - logs
    return estimate_looks(contrast[edge : len(values) - edge, edge : values.shape[1] - edge])


def find_common_looks(looks: npt.NDArray[np.floating]) -> float:
    """The most frequent value among those of many windows: edges and texture only make others rarer.

    As Anfinsen et al. do for whole scenes, by a smoothed histogram, here of the logarithm.

    Raises:
        ValueError: there is no finite value.

    """
    octaves = np.log2(looks[np.isfinite(looks)])
    if not octaves.size:
        raise ValueError("looks: wants finite values, got none.")
    width = 1.0 / _BINS_AN_OCTAVE
    edges = np.arange(octaves.min() - 3 * width, octaves.max() + 4 * width, width)
    counts = np.histogram(octaves, edges)[0].astype(np.float64)
    smooth = np.convolve(counts, [0.25, 0.5, 0.25], mode="same")
    top = int(np.clip(smooth.argmax(), 1, len(smooth) - 2))
    before, at, after = smooth[top - 1 : top + 2]
    curve = before - 2 * at + after
    shift = 0.0 if curve == 0 else 0.5 * (before - after) / curve  # the top of a parabola through three bins
    return float(2.0 ** (edges[top] + width * (0.5 + shift)))

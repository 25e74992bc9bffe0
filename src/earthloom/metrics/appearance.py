"""How bright a picture is: percentiles of its grey levels, from a histogram."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.light import LUMINANCE
from earthloom.core.records import Appearance, Modality, Stretch

Bytes = npt.NDArray[np.uint8]
Valid = npt.NDArray[np.bool_] | None
"""HxW, True where pixels hold data; None where all do."""

MIN_PIXELS = 100
"""Valid pixels from which on percentiles are told: five lie below the 5th (our choice)."""
_PERCENTILES = (0.05, 0.5, 0.95)
_WEIGHTS = np.array([LUMINANCE], np.float32)
_DECIMALS = 6


def measure_appearance(
    picture: Bytes, valid: Valid, modality: Modality, stretch: Stretch
) -> Appearance | None:
    """Measure the 5th, 50th and 95th percentile of a picture, HxWxC with C = 1 or 3, over its valid pixels.

    Radar that was stretched over decibels is told in decibels, from `low` (level 0) to `high` (level 255) of its
    stretch; what lies beyond reads as the limit. Anything else is told in stored grey levels over 255; that of R, G, B
    is their luma, the weights of ITU-R BT.709 on the values as they are stored, rounded to a level. Percentiles are
    interpolated between neighbours in rank, as NumPy does by default. None under a hundred valid pixels.
    """
    counts = _count_levels(picture, valid)
    n = int(counts.sum())
    if n < MIN_PIXELS:
        return None
    in_db = modality is Modality.SAR and stretch.method == "db"
    low, high = (stretch.low[0], stretch.high[0]) if in_db else (0.0, 1.0)
    told = (round(low + level / 255 * (high - low), _DECIMALS) for level in _find_percentiles(counts, n))
    dark, median, bright = told
    return Appearance(low=dark, median=median, high=bright, unit="dB" if in_db else "level")


def _count_levels(picture: Bytes, valid: Valid) -> npt.NDArray[np.int64]:
    """Count the pixels of each grey level, 256 of them."""
    grey = picture if picture.shape[2] == 1 else cv2.transform(picture, _WEIGHTS)
    mask = None if valid is None else valid.view(np.uint8)
    found = cv2.calcHist([grey], [0], mask, [256], [0, 256])
    return np.asarray(np.rint(found.ravel()), np.int64)


def _find_percentiles(counts: npt.NDArray[np.int64], n: int) -> list[float]:
    """The percentiles of `n` pixels from the number of those at each level."""
    ranks = (n - 1) * np.array(_PERCENTILES)
    below = np.floor(ranks)
    reached = np.cumsum(counts)
    lower, upper = (np.searchsorted(reached, rank, "right") for rank in (below, np.minimum(below + 1, n - 1)))
    levels: list[float] = (lower + (ranks - below) * (upper - lower)).tolist()
    return levels

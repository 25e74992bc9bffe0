"""The five words that MMM-RS uses for ground sample distance (arXiv 2410.22362, Fig. 3)."""

from __future__ import annotations

import math
from enum import StrEnum

ULTRA_HIGH_BELOW_M = 0.5
HIGH_BELOW_M = 1.0
ORDINARY_BELOW_M = 5.0
LOW_BELOW_M = 50.0
"""The first three are published. The last is our choice: MMM-RS does not print it, but counts its 5 and 10 m
images as low and its 100 m ones as ultra-low. 50 m leaves Landsat's 30 m on the low side."""


class GsdLevel(StrEnum):
    """Level words, finest first, spelt as in MMM-RS prompts."""

    ULTRA_HIGH = "Ultra-high precision resolution"
    HIGH = "High precision resolution"
    ORDINARY = "Ordinary precision resolution"
    LOW = "Low precision resolution"
    ULTRA_LOW = "Ultra-low precision resolution"


def round_gsd(gsd_m: float) -> float:
    """Round to three significant digits, so that 0.49986 m (0.5 m in a UTM zone's middle) is 0.5 m."""
    return round(gsd_m, 2 - math.floor(math.log10(gsd_m)))


def find_level(gsd_m: float, *, low_below_m: float = LOW_BELOW_M) -> GsdLevel:
    """Find the level of a ground sample distance in metres (> 0), rounded to three significant digits."""
    gsd_m = round_gsd(gsd_m)
    bounds = (
        (ULTRA_HIGH_BELOW_M, GsdLevel.ULTRA_HIGH),
        (HIGH_BELOW_M, GsdLevel.HIGH),
        (ORDINARY_BELOW_M, GsdLevel.ORDINARY),
        (low_below_m, GsdLevel.LOW),
    )
    return next((level for below_m, level in bounds if gsd_m < below_m), GsdLevel.ULTRA_LOW)

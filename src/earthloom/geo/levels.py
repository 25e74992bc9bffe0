"""Words for ground sample distance: the five of MMM-RS (arXiv 2410.22362, Fig. 3) and the four of GAIA."""

from __future__ import annotations

import math
from enum import StrEnum
from functools import cache

from earthloom.geo.words import Lexicon

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


class ResolutionWord(StrEnum):
    """The resolution classes of GAIA's records (arXiv 2502.09598); no thresholds are published with them."""

    LOW = "Low"
    MODERATE = "Moderate"
    HIGH = "High"
    VERY_HIGH = "Very High"


VERY_HIGH_UP_TO_M = 4.0
HIGH_UP_TO_M = 30.0
MODERATE_UP_TO_M = 300.0
"""The classes of Copernicus' contributing missions (Copernicus Space Component Data Access Portfolio: VHR1 and VHR2 to
4 m, HR1 and HR2 to 30 m, MR1 and MR2 to 300 m, LR beyond), by GAIA's words."""


def find_resolution_class(gsd_m: float) -> ResolutionWord:
    """Find the class of a ground sample distance in metres (> 0), rounded to three significant digits."""
    gsd_m = round_gsd(gsd_m)
    bounds = (
        (VERY_HIGH_UP_TO_M, ResolutionWord.VERY_HIGH),
        (HIGH_UP_TO_M, ResolutionWord.HIGH),
        (MODERATE_UP_TO_M, ResolutionWord.MODERATE),
    )
    return next((word for up_to_m, word in bounds if gsd_m <= up_to_m), ResolutionWord.LOW)


def find_level_word(word: str) -> GsdLevel | None:
    """Look a level up by its words: `High precision resolution`, whatever the case and the hyphens."""
    return _levels().find(word)


def find_resolution_word(word: str) -> ResolutionWord | None:
    """Look a resolution class up: `Very High`, `very-high resolution`."""
    return _resolutions().find(word)


@cache
def _levels() -> Lexicon[GsdLevel]:
    return Lexicon((level, (level.value,)) for level in GsdLevel)


@cache
def _resolutions() -> Lexicon[ResolutionWord]:
    return Lexicon((word, (word.value, f"{word.value} resolution")) for word in ResolutionWord)

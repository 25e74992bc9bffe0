"""From stored levels to power and decibels, and how much was lost at the ends of the scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Saturation:
    """Shares of pixels that lie at the ends of an 8-bit scale, 0 to 1: what was there is darker, or brighter."""

    low: float
    high: float
    n: int
    """Pixels."""


def levels_to_db(levels: Levels, low_db: float, high_db: float) -> Floats:
    """Decibels of 8-bit levels as a release stores them: its `stretch` says `low` (level 0) and `high` (level 255)."""
    return np.asarray(low_db + levels.astype(np.float64) / 255.0 * (high_db - low_db))


def db_to_power(decibels: npt.NDArray[np.floating]) -> Floats:
    """Linear power, 10^(dB / 10)."""
    return np.asarray(10.0 ** (np.asarray(decibels, np.float64) / 10.0))


def power_to_db(power: npt.NDArray[np.floating]) -> Floats:
    """10 log10; NaN where there is no power (0, below, or NaN)."""
    values = np.asarray(power, np.float64)
    decibels = np.full(values.shape, np.nan)
    np.log10(values, out=decibels, where=values > 0)
    return 10.0 * decibels


def from_levels(levels: Levels, low_db: float, high_db: float) -> Floats:
    """Backscatter, linear power, of 8-bit decibels as a release stores them: see `levels_to_db`."""
    return db_to_power(levels_to_db(levels, low_db, high_db))


def find_clipped(levels: Levels) -> npt.NDArray[np.bool_]:
    """Where levels lie at an end of the scale: 0 or 255."""
    return np.asarray((levels == 0) | (levels == 255))


def measure_saturation(levels: Levels) -> Saturation:
    """Shares at 0 and at 255 of all pixels (any shape, at least one)."""
    if not levels.size:
        raise ValueError("levels: wants at least one pixel, got none.")
    return Saturation(low=float((levels == 0).mean()), high=float((levels == 255).mean()), n=int(levels.size))

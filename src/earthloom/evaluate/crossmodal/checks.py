"""Bounds that catch radar which was filtered, or whose levels do not mean what they are said to mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from earthloom.evaluate.crossmodal.describing import Described, Indices
from earthloom.evaluate.crossmodal.distances import Compare
from earthloom.evaluate.crossmodal.statistics import RADAR

MOST_MEDIAN_DB = 5.0
"""As the tiles' radiometry has it: no natural ground is so bright; power or amplitude read as decibels is."""
MOST_SKEWNESS = 0.1
"""Decibels lie below 0, amplitude and power above: see `metrics.radar.scale`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A number that compares the drawn set with the true one, and what it may be."""

    compare: Compare
    low: float
    high: float
    bound: str
    source: str
    """Where the bound comes from."""
    unit: str | None = None

    def judge(self, value: float) -> bool | None:
        """Whether it holds; None where nothing was measured."""
        return None if math.isnan(value) else self.low <= value <= self.high


def _divide(name: str) -> Compare:
    def compare(a: Described, i: Indices, b: Described, j: Indices) -> float:
        below = RADAR[name].measure(b, j)
        return RADAR[name].measure(a, i) / below if below > 0 else float("nan")

    return compare


def _subtract(name: str) -> Compare:
    return lambda a, i, b, j: RADAR[name].measure(a, i) - RADAR[name].measure(b, j)


def _subtract_saturation(a: Described, i: Indices, b: Described, j: Indices) -> float:
    return float(a.saturated[i].sum(1).mean() - b.saturated[j].sum(1).mean())


def _of_generated(name: str) -> Compare:
    return lambda a, i, b, j: RADAR[name].measure(a, i)


CHECKS: Mapping[str, Check] = {
    "looks_ratio": Check(
        compare=_divide("looks"),
        low=0.8,
        high=1.25,
        bound="0.8 to 1.25 of the true pictures' looks",
        source="true Sentinel-1 chips of several places, dates and polarisations differ by up to 15 % "
        "(docs/evaluate-radar.md); the mildest filter there, Lee 3 x 3, doubles them",
    ),
    "mean_shift_db": Check(
        compare=_subtract("mean_db"),
        low=-1.0,
        high=1.0,
        bound="within 1 dB of the true pictures' mean",
        source="absolute radiometric accuracy that Sentinel-1 is specified for, 1 dB (3 sigma); of sets that show "
        "several grounds read it beside the floor",
        unit="dB",
    ),
    "std_ratio": Check(
        compare=_divide("std_db"),
        low=0.8,
        high=1.25,
        bound="0.8 to 1.25 of the true pictures' deviation in dB",
        source="ours: a scale of 50 dB read as one of 25 dB lies far outside, one of 20 dB at the edge",
    ),
    "saturation_shift": Check(
        compare=_subtract_saturation,
        low=-1.0,
        high=0.02,
        bound="at most 2 % more pixels at the ends of the scale than in the true pictures",
        source="ours: beyond, the tails that make speckle are cut off",
    ),
    "decibels_skewness": Check(
        compare=_of_generated("speckle_skewness"),
        low=-math.inf,
        high=MOST_SKEWNESS,
        bound=f"at most {MOST_SKEWNESS:g}: that of speckle in decibels lies below 0, of amplitude and power above",
        source="theory of multi-looked speckle; true Sentinel-1 chips have -0.06 to -0.32",
    ),
    "decibels_median": Check(
        compare=_of_generated("median_db"),
        low=-math.inf,
        high=MOST_MEDIAN_DB,
        bound=f"at most {MOST_MEDIAN_DB:g} dB: beyond, levels are probably linear power or amplitude",
        source="the rule by which tiles are refused",
        unit="dB",
    ),
}

"""What one picture adds to the statistics of its set: sums and histograms, so that sets can be drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from earthloom.evaluate.crossmodal.reading import Levels, Scale
from earthloom.metrics.radar.decibels import db_to_power, find_clipped, levels_to_db, measure_saturation
from earthloom.metrics.radar.distribution import count_db
from earthloom.metrics.radar.looks import count_looks, map_thinned_looks, neighbour_correlation
from earthloom.metrics.radar.scale import speckle_skewness
from earthloom.metrics.radar.texture import Cooccurrence, cooccurrence, quantise, spectrum_slope

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Description:
    """One picture."""

    shares: Floats
    """Histogram over the common scale, adding up to 1: every picture weighs the same."""
    mean: float
    """Of decibels, or of levels over 255 for near infrared."""
    mean_square: float
    saturated_low: float
    saturated_high: float
    texture: Cooccurrence
    slope: float
    power: float = float("nan")
    """Mean of linear power; NaN for what is no radar, as the next three are."""
    looks: Floats | None = None
    """Histogram of looks, see `metrics.radar.looks`."""
    skewness: float = float("nan")
    correlation: float = float("nan")
    """Of neighbours' speckle."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Described:
    """A set of pictures as arrays, one row each."""

    shares: Floats
    mean: Floats
    mean_square: Floats
    saturated: Floats
    """N x 2: low, high."""
    texture: Floats
    """N x 4."""
    slope: Floats
    power: Floats
    looks: Floats
    skewness: Floats
    correlation: Floats
    start: float
    """Where the histogram begins: dB, or levels over 255."""
    bin_width: float

    def __len__(self) -> int:
        return len(self.mean)


def describe_radar(levels: Levels, scale: Scale, common: Scale, side: int, step: int) -> Description:
    """Describe a radar picture, H x W levels of `scale`, over the scale that all pictures have in common."""
    decibels = levels_to_db(levels, scale.low_db, scale.high_db)
    power, clipped = db_to_power(decibels), find_clipped(levels)
    saturation = measure_saturation(levels)
    looks = map_thinned_looks(power, side, step, clipped)
    return Description(
        shares=_share(count_db(decibels, common.low_db, common.high_db)),
        mean=float(decibels.mean()),
        mean_square=float((decibels**2).mean()),
        saturated_low=saturation.low,
        saturated_high=saturation.high,
        texture=cooccurrence(quantise(decibels, common.low_db, common.high_db)),
        slope=spectrum_slope(decibels),
        power=float(power.mean()),
        looks=count_looks(looks),
        skewness=speckle_skewness(np.where(clipped, np.nan, decibels)),
        correlation=neighbour_correlation(power),
    )


def describe_band(levels: Levels) -> Description:
    """Describe a picture of near infrared, H x W."""
    values = levels / 255.0
    saturation = measure_saturation(levels)
    return Description(
        shares=_share(count_db(values, 0.0, 1.0)),
        mean=float(values.mean()),
        mean_square=float((values**2).mean()),
        saturated_low=saturation.low,
        saturated_high=saturation.high,
        texture=cooccurrence(quantise(values, 0.0, 1.0)),
        slope=spectrum_slope(values),
    )


def stack(descriptions: Sequence[Description], start: float, extent: float) -> Described:
    """Descriptions as arrays, at least one; their histograms span `extent` from `start`."""

    def gather(name: str) -> Floats:
        return np.array([getattr(each, name) for each in descriptions], np.float64)

    empty = np.zeros(1)
    return Described(
        shares=gather("shares"),
        mean=gather("mean"),
        mean_square=gather("mean_square"),
        saturated=np.array([(each.saturated_low, each.saturated_high) for each in descriptions]),
        texture=np.array([astuple(each.texture) for each in descriptions]),
        slope=gather("slope"),
        power=gather("power"),
        looks=np.stack([empty if each.looks is None else each.looks for each in descriptions]),
        skewness=gather("skewness"),
        correlation=gather("correlation"),
        start=start,
        bin_width=extent / len(descriptions[0].shares),
    )


def _share(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(), np.float64)

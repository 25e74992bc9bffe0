"""What is told of a set of pictures: each a function of some of its rows, so that an interval can be taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from earthloom.evaluate.crossmodal.describing import Described, Indices
from earthloom.metrics.radar.distribution import entropy_bits
from earthloom.metrics.radar.looks import find_mode

Measure = Callable[[Described, Indices], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistic:
    """One number of a set."""

    measure: Measure
    unit: str | None = None


def measure_looks(some: Described, rows: Indices) -> float:
    """The most frequent looks of all windows."""
    return float(find_mode(some.looks[rows].sum(0)))


def measure_mean(some: Described, rows: Indices) -> float:
    """Mean of pictures' means."""
    return float(some.mean[rows].mean())


def measure_mean_power_db(some: Described, rows: Indices) -> float:
    """Decibels of the mean power."""
    return float(10 * np.log10(some.power[rows].mean()))


def measure_spread(some: Described, rows: Indices) -> float:
    """Standard deviation over all pixels of all pictures."""
    return float(np.sqrt(max(some.mean_square[rows].mean() - some.mean[rows].mean() ** 2, 0.0)))


def measure_entropy(some: Described, rows: Indices) -> float:
    """Entropy of the set's histogram, bits."""
    return float(entropy_bits(some.shares[rows].mean(0)))


def measure_median(some: Described, rows: Indices) -> float:
    """Median of all pixels, to a bin of the histogram."""
    reached = np.cumsum(some.shares[rows].mean(0))
    return some.start + some.bin_width * (float(np.searchsorted(reached, 0.5)) + 0.5)


def _average(pick: Callable[[Described], object]) -> Measure:
    """Mean over the pictures of what is known of them; NaN where nothing is."""

    def measure(some: Described, rows: Indices) -> float:
        values = np.asarray(pick(some), np.float64)[rows]
        known = values[~np.isnan(values)]
        return float(known.mean()) if known.size else float("nan")

    return measure


COMMON: Mapping[str, Statistic] = {
    "entropy_bits": Statistic(measure=measure_entropy, unit="bits"),
    "saturated_low": Statistic(measure=_average(lambda some: some.saturated[:, 0])),
    "saturated_high": Statistic(measure=_average(lambda some: some.saturated[:, 1])),
    "spectrum_slope": Statistic(measure=_average(lambda some: some.slope)),
    "glcm_contrast": Statistic(measure=_average(lambda some: some.texture[:, 0])),
    "glcm_homogeneity": Statistic(measure=_average(lambda some: some.texture[:, 1])),
    "glcm_energy": Statistic(measure=_average(lambda some: some.texture[:, 2])),
    "glcm_correlation": Statistic(measure=_average(lambda some: some.texture[:, 3])),
}
RADAR: Mapping[str, Statistic] = {
    "looks": Statistic(measure=measure_looks),
    "mean_db": Statistic(measure=measure_mean, unit="dB"),
    "median_db": Statistic(measure=measure_median, unit="dB"),
    "mean_power_db": Statistic(measure=measure_mean_power_db, unit="dB"),
    "std_db": Statistic(measure=measure_spread, unit="dB"),
    "speckle_skewness": Statistic(measure=_average(lambda some: some.skewness)),
    "neighbour_correlation": Statistic(measure=_average(lambda some: some.correlation)),
    **COMMON,
}
NEAR_INFRARED: Mapping[str, Statistic] = {
    "mean": Statistic(measure=measure_mean),
    "std": Statistic(measure=measure_spread),
    **COMMON,
}

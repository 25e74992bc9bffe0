"""How far a drawn set lies from a true one, and what is bound to be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from earthloom.evaluate.crossmodal import statistics
from earthloom.evaluate.crossmodal.describing import Described, Floats, Indices
from earthloom.metrics.bootstrap import Interval, bootstrap, draw_halves, half_sample_interval
from earthloom.metrics.radar.distribution import (
    jensen_shannon_bits,
    kolmogorov_smirnov_of_counts,
    wasserstein_of_counts,
)

Compare = Callable[[Described, Indices, Described, Indices], float]
FLOOR_HALVES = 50
"""Random splits of the true set that a floor is the mean of."""
MOST_HALVES = 200
"""Half-samples behind the interval of a distance, at most."""
_LEAST_GROUPS = 4
_FEW = f"an interval wants {_LEAST_GROUPS} grounds"


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A comparison of a drawn set, first, with a true one."""

    value: float
    interval: Interval | None
    floor: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sets:
    """Two sets and what must be drawn together: pictures of one ground, in either set."""

    generated: Described
    real: Described
    groups_generated: Sequence[str]
    groups_real: Sequence[str]
    seed: int
    resamples: int
    level: float

    def everything(self) -> tuple[Indices, Indices]:
        """All rows of both."""
        return np.arange(len(self.generated)), np.arange(len(self.real))

    def compare(self, by: Compare, rows: Indices) -> float:
        """Compare some rows, numbered through both sets, the drawn one first."""
        n = len(self.generated)
        return by(self.generated, rows[rows < n], self.real, rows[rows >= n] - n)


def _wasserstein(a: Described, i: Indices, b: Described, j: Indices) -> float:
    return float(wasserstein_of_counts(_shares(a, i), _shares(b, j), a.bin_width))


def _jensen_shannon(a: Described, i: Indices, b: Described, j: Indices) -> float:
    return float(jensen_shannon_bits(_shares(a, i), _shares(b, j)))


def _kolmogorov_smirnov(a: Described, i: Indices, b: Described, j: Indices) -> float:
    return float(kolmogorov_smirnov_of_counts(_shares(a, i), _shares(b, j)))


def _texture(a: Described, i: Indices, b: Described, j: Indices) -> float:
    """As `metrics.radar.texture.texture_distance`; the spread is that of the whole reference."""
    spread = b.texture.std(0, ddof=1) if len(b) > 1 else np.zeros(4)
    if not (spread > 0).all():
        return float("nan")
    apart = (a.texture[i].mean(0) - b.texture[j].mean(0)) / spread
    return float(np.sqrt((apart**2).mean()))


DISTANCES: Mapping[str, Compare] = {
    "wasserstein": _wasserstein,
    "jensen_shannon_bits": _jensen_shannon,
    "kolmogorov_smirnov": _kolmogorov_smirnov,
    "texture_distance": _texture,
}


def measure_distance(sets: Sets, by: Compare, name: str) -> Compared:
    """A distance with the interval of half-samples and the floor of true halves against each other."""
    generated, real = sets.everything()
    value = by(sets.generated, generated, sets.real, real)
    groups = [*sets.groups_generated, *sets.groups_real]
    if math.isnan(value):
        return Compared(value=value, interval=None, reason="the true pictures do not differ")
    floor = _measure_floor(sets, by)
    if len(set(groups)) < _LEAST_GROUPS:
        return Compared(value=value, interval=None, floor=floor, reason=_FEW)
    halves = draw_halves(len(groups), min(sets.resamples, MOST_HALVES), sets.seed, name, groups)
    values = [sets.compare(by, rows) for rows in halves if _has_both(rows, len(sets.generated))]
    interval = half_sample_interval(value, np.array(values), sets.level)
    interval = replace(
        interval, low=max(interval.low, 0.0)
    )  # it is taken about the value, and no distance is below 0
    return Compared(value=value, interval=interval, floor=floor)


def measure_statistic(
    some: Described, measure: statistics.Measure, groups: Sequence[str], sets: Sets
) -> Compared:
    """A number of one set with its interval."""
    value = measure(some, np.arange(len(some)))
    if math.isnan(value):
        return Compared(value=value, interval=None, reason="no picture has any contrast")
    return _resample(lambda rows: measure(some, rows), value, groups, sets)


def measure_change(sets: Sets, by: Compare) -> Compared:
    """A ratio or a difference of the sets; pictures of one ground are drawn together."""
    generated, real = sets.everything()
    value = by(sets.generated, generated, sets.real, real)
    if math.isnan(value):
        return Compared(value=value, interval=None, reason="one of the sets has no contrast")
    n = len(sets.generated)
    groups = [*sets.groups_generated, *sets.groups_real]
    return _resample(
        lambda rows: sets.compare(by, rows) if _has_both(rows, n) else value, value, groups, sets
    )


def _resample(
    measure: Callable[[Indices], float], value: float, groups: Sequence[str], sets: Sets
) -> Compared:
    """A value with its bootstrap interval; a resample in which nothing can be measured counts as the value."""
    if len(set(groups)) < _LEAST_GROUPS:
        return Compared(value=value, interval=None, reason=_FEW)

    def measure_known(rows: Indices) -> float:
        found = measure(rows)
        return value if math.isnan(found) else found

    interval = bootstrap(
        measure_known,
        len(groups),
        groups=list(groups),
        resamples=sets.resamples,
        seed=sets.seed,
        level=sets.level,
    )
    return Compared(value=value, interval=interval)


def _measure_floor(sets: Sets, by: Compare) -> float | None:
    """The mean distance of two halves of the true set, split by group."""
    real = sets.real
    if len(set(sets.groups_real)) < _LEAST_GROUPS:
        return None
    everything = np.arange(len(real))
    halves = draw_halves(len(real), FLOOR_HALVES, sets.seed, "floor", list(sets.groups_real))
    return float(np.mean([by(real, half, real, np.setdiff1d(everything, half)) for half in halves]))


def _shares(some: Described, rows: Indices) -> Floats:
    return np.asarray(some.shares[rows].mean(0), np.float64)


def _has_both(rows: Indices, n: int) -> bool:
    return bool((rows < n).any() and (rows >= n).any())

"""A camera in low light: shot and read noise, and the steps of its converter.

    n ~ N(x, x shot + read)        x: light at the sensor, 1 where it is full        (Foi et al., IEEE TIP 2008)

One electron is worth `shot`, so that x makes x / shot electrons, of variance x / shot (Poisson), that is x shot in
units of light. Middle grey keeps ten electrons or more by default, from where on Poisson's skew is under a third, and
below that the read noise has its share: one normal variate stands for both, as in MAET.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from earthloom.core.light import Floats, Light

MIDDLE_GREY = 0.18
"""Reflectance, against white, of the grey that cameras are exposed for."""
_READ_SLOPE, _READ_OFFSET, _READ_SPREAD = 2.18, 1.20, 0.26
"""log read = slope log shot + offset + N(0, spread): of real cameras (Brooks et al., CVPR 2019; MAET, ICCV 2021)."""
_N_CANDIDATES = 256
_N_NORMALS = 2**16


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor:
    """A camera's noise, in units of the light at which it is full."""

    shot: float
    """Variance of the shot noise per light: what one electron is worth."""
    read: float
    """Variance of the read noise: log read = 2.18 log shot + 1.20, give or take 0.26."""
    bits: int
    """Of the converter."""


def draw_sensor(
    shot: tuple[float, float], bits: tuple[int, ...], least_snr: float, light: float, rng: np.random.Generator
) -> Sensor:
    """Draw a camera that still gives a readable picture in so little light.

    Args:
        shot: least and most variance of the shot noise per light, over 0; drawn evenly in the logarithm.
        bits: one of these is drawn.
        least_snr: what middle grey must reach at `light`. The noisier part of `shot` is not drawn from where it does
            not; where nothing reaches it, the least of `shot` is taken.
        light: that falls on the ground, 1 where white ground fills the sensor.
        rng: where the draws come from.

    """
    residual = rng.normal(0, _READ_SPREAD)
    candidates = np.geomspace(*shot, _N_CANDIDATES)
    snr = estimate_snr(MIDDLE_GREY * light, candidates, read_variance(candidates, residual))
    noisiest = float(candidates[snr >= least_snr].max(initial=shot[0]))
    drawn = math.exp(rng.uniform(math.log(shot[0]), math.log(noisiest)))
    read = read_variance(np.array(drawn), residual)
    return Sensor(shot=drawn, read=float(read), bits=int(rng.choice(bits)))


def read_variance(shot: Floats, residual: float) -> Floats:
    """Variance of the read noise that goes with that of the shot noise; `residual` is in natural logarithms."""
    return np.exp(_READ_SLOPE * np.log(shot) + _READ_OFFSET + residual)


def estimate_snr(light: float, shot: Floats, read: Floats) -> Floats:
    """Signal against noise of one pixel: x / sqrt(x shot + read)."""
    return light / np.sqrt(light * shot + read)


def make_noise(light: Light, sensor: Sensor, rng: np.random.Generator) -> Light:
    """Shot and read noise, any shape, float32: normal, mean 0, variance `x shot + read` (x under 0 counts as 0)."""
    deviation = np.maximum(light, 0)
    deviation *= np.float32(sensor.shot)
    deviation += np.float32(sensor.read)
    np.sqrt(deviation, out=deviation)
    deviation *= _normal_table().take(rng.integers(0, _N_NORMALS, light.shape, np.uint16))
    return deviation


@lru_cache(maxsize=1)
def _normal_table() -> Light:
    """65,536 normal variates, equally likely (the middles of as many quantiles), of variance 1.

    A random index into them takes a fifth of the time of NumPy's exact variates, by which they differ beyond 4 sigma:
    the largest is 4.3.
    """
    from scipy.special import ndtri

    normals = ndtri((np.arange(_N_NORMALS) + 0.5) / _N_NORMALS)
    return np.asarray(normals / normals.std(), np.float32)


def quantise(light: Light, bits: int, rng: np.random.Generator) -> Light:
    """Convert to whole steps of 1 / (2^bits - 1), dithered by half a step to either side, so that the mean is kept.

    Values under 0 stay: a converter adds an offset before and takes it away afterwards.
    """
    levels = np.float32(2**bits - 1)
    counts = light * levels
    counts += rng.random(light.shape, np.float32)
    np.floor(counts, out=counts)
    counts *= 1 / levels
    return counts

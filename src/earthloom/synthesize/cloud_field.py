"""The water of clouds: one random field in metres that is the same wherever and however finely it is looked at.

coarse   whole domain, few nodes     wavelengths that place clouds      --+
detail   a smaller torus, one pixel  wavelengths that fray their edges  --+-->  sample(origin, step)

A cloud and its shadow lie h / tan(elevation) apart: a hundred pixels at 10 m, ten thousand at 0.3 m. With two scales
both windows come from one field, in time that depends on neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.fft

from earthloom.synthesize.stack import Plane

BETA = 8 / 3
"""Slope of the two-dimensional spectrum below the size of a cloud: -5/3 along a line, as liquid water path and
reflectance are measured (Davis et al. 1997, J. Atmos. Sci. 54:241)."""
_BETA_CLUSTERS = 1.0
"""Slope beyond the size of a cloud: clouds gather in clusters of every size, but loosely. Our choice, by eye."""
_INNER_M = 8.0
"""Wavelength below which edges are mixed smooth. Our choice, by eye at 0.3 m."""
_COARSE_NODES = 160
"""Along the longer side of the domain."""
_LEAST_DETAIL_NODES = 192
_PERIODS = 16
"""The detail repeats after so many coarse steps; it holds wavelengths of up to about four, so that nobody sees it."""
_MARGIN = 1.125
"""A torus is larger than what is looked at, so that its opposite edges do not match."""

Point = tuple[float, float]
"""Metres down and to the right of the picture's top left corner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudField:
    """A Gaussian field of mean 0 and variance 1, up to the chance of a finite domain."""

    coarse: Plane
    """Spline coefficients on a torus."""
    coarse_m: float
    """Between nodes."""
    detail: Plane
    """Spline coefficients on a smaller torus, repeated."""
    detail_m: float
    origin: Point
    """Where the picture's top left corner lies on the coarse torus, metres."""

    def sample(self, top_left: Point, shape: tuple[int, int], step_m: float) -> Plane:
        """Look at the field.

        Args:
            top_left: centre of the first pixel.
            shape: rows and columns.
            step_m: between neighbouring samples.

        Returns:
            rows x columns, float32.

        """
        shifted = (top_left[0] + self.origin[0], top_left[1] + self.origin[1])
        field = _interpolate(self.detail, self.detail_m, top_left, shape, step_m)
        field += _interpolate(self.coarse, self.coarse_m, shifted, shape, step_m)
        return field


def make_cloud_field(
    picture_m: tuple[float, float],
    domain_m: tuple[float, float],
    pixel_m: float,
    cell_m: float,
    cover: float,
    rng: np.random.Generator,
) -> CloudField:
    """Make the water of the clouds over a picture and over all ground from which a shadow may reach it.

    Args:
        picture_m: height and width of the picture.
        domain_m: height and width of what will be looked at, at least those of the picture.
        pixel_m: of the picture.
        cell_m: size beyond which clouds are no longer one cloud.
        cover: share of the picture that clouds will hide: the picture is laid where the field is as high as such
            a share asks for, so that a small picture under the edge of a cloud does not put all of the sky in cloud.
        rng: where the phases come from.

    """
    coarse_m = max(max(domain_m) * _MARGIN / _COARSE_NODES, 4 * pixel_m)
    rows, columns = (_count_nodes(side * _MARGIN / coarse_m, 16) for side in domain_m)
    nodes = _count_nodes(max(picture_m) / pixel_m * _MARGIN, _LEAST_DETAIL_NODES)
    detail_m = max(pixel_m, _PERIODS * coarse_m / nodes)
    coarse_power = _weigh(rows, columns, coarse_m, cell_m, coarse_m)
    detail_power = _weigh(nodes, nodes, detail_m, cell_m, coarse_m, is_detail=True)
    norm = _sum_spectrum(coarse_power, columns) + _sum_spectrum(detail_power, nodes)
    spectrum = _draw_spectrum(coarse_power / norm, (rows, columns), rng)
    origin = _place(spectrum, (rows, columns), coarse_m, picture_m, cover)
    return CloudField(
        coarse=_transform(spectrum, (rows, columns)),
        coarse_m=coarse_m,
        detail=_transform(_draw_spectrum(detail_power / norm, (nodes, nodes), rng), (nodes, nodes)),
        detail_m=detail_m,
        origin=origin,
    )


def _count_nodes(wanted: float, least: int) -> int:
    return int(scipy.fft.next_fast_len(max(math.ceil(wanted), least), real=True))


@lru_cache(maxsize=8)
def _square_wavenumbers(rows: int, columns: int) -> Plane:
    """Cycles per node, squared, of the half plane that a real transform keeps."""
    k = scipy.fft.fftfreq(rows)[:, None] ** 2 + scipy.fft.rfftfreq(columns)[None, :] ** 2
    k[0, 0] = np.inf  # the mean is set by the threshold
    return np.asarray(k, np.float32)


def _weigh(
    rows: int, columns: int, step_m: float, cell_m: float, coarse_m: float, *, is_detail: bool = False
) -> Plane:
    """Variance of every wave of one scale; both scales together have the spectrum of the field."""
    k2 = _square_wavenumbers(rows, columns)
    power = (k2 * np.float32((cell_m / step_m) ** 2)) ** np.float32(-BETA / 2)
    if cell_m > 2 * step_m:
        power = np.minimum(power, power ** np.float32(_BETA_CLUSTERS / BETA))
    power *= np.float32((cell_m / step_m) ** 2 / (rows * columns))  # area of one wave in the plane of wavenumbers
    if is_detail:
        power *= -np.expm1(k2 * np.float32(-((4 * coarse_m / step_m) ** 2)))
        if step_m < _INNER_M:
            power *= np.exp(k2 * np.float32(-((_INNER_M / step_m) ** 2)))
    else:
        power *= np.exp(k2 * np.float32(-((4 * coarse_m / step_m) ** 2)))
    power[0, 0] = 0
    return power


def _sum_spectrum(power: Plane, columns: int) -> float:
    """Variance over the whole plane: the half that a real transform leaves out mirrors the one that it keeps."""
    inner = power[:, 1 : (columns + 1) // 2]
    return float(power.sum(dtype=np.float64) + inner.sum(dtype=np.float64))


def _draw_spectrum(
    power: Plane, shape: tuple[int, int], rng: np.random.Generator
) -> npt.NDArray[np.complex64]:
    noise = rng.standard_normal((*power.shape, 2), np.float32).view(np.complex64)[:, :, 0]
    noise *= np.sqrt(power * np.float32(0.5)) * np.float32(shape[0] * shape[1])
    return cast("npt.NDArray[np.complex64]", noise)


def _transform(spectrum: npt.NDArray[np.complex64], shape: tuple[int, int]) -> Plane:
    """Coefficients of the cubic spline that goes through the field (Unser et al. 1993, IEEE TSP 41:821)."""
    rows = 3 / (2 + np.cos(2 * np.pi * scipy.fft.fftfreq(shape[0])))
    columns = 3 / (2 + np.cos(2 * np.pi * scipy.fft.rfftfreq(shape[1])))
    filtered = spectrum * rows[:, None].astype(np.float32) * columns.astype(np.float32)
    return cast(Plane, scipy.fft.irfft2(filtered, shape, overwrite_x=True))


def _place(
    spectrum: npt.NDArray[np.complex64],
    shape: tuple[int, int],
    step_m: float,
    picture_m: tuple[float, float],
    cover: float,
) -> Point:
    """Find where the mean over a picture is the level that a share `cover` of a Gaussian field exceeds."""
    rows = np.sinc(scipy.fft.fftfreq(shape[0]) * picture_m[0] / step_m)
    columns = np.sinc(scipy.fft.rfftfreq(shape[1]) * picture_m[1] / step_m)
    means = scipy.fft.irfft2(spectrum * np.asarray(rows[:, None] * columns, np.float32), shape)
    level = math.sqrt(2) * float(scipy.special.erfinv(1 - 2 * cover))
    row, column = divmod(int(np.abs(means - np.float32(level)).argmin()), shape[1])
    return row * step_m - picture_m[0] / 2, column * step_m - picture_m[1] / 2


def _interpolate(
    torus: Plane, node_m: float, top_left: Point, shape: tuple[int, int], step_m: float
) -> Plane:
    """Cubic spline of a torus on a regular grid: first along rows, where few lines are read, then down columns."""
    first, last = (
        math.floor(top_left[0] / node_m) - 1,
        math.floor((top_left[0] + (shape[0] - 1) * step_m) / node_m) + 2,
    )
    needed = torus.take(np.arange(first, last + 1), axis=0, mode="wrap")
    across = _blend(
        np.ascontiguousarray(needed.T), top_left[1] / node_m, shape[1], step_m / node_m
    )  # columns x needed rows
    return _blend(np.ascontiguousarray(across.T), top_left[0] / node_m - first, shape[0], step_m / node_m)


def _blend(lines: Plane, start: float, count: int, step: float) -> Plane:
    """Lines at `start`, `start + step`... between lines 0, 1, 2...: four neighbours of each, weighted, and wrapped."""
    at = start + step * np.arange(count)
    base = np.floor(at)
    t = (at - base)[:, None]
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 3 * (t + 1 - t**2) * t + 1 - 0, t**3)
    index = base.astype(np.int64)
    blended = np.zeros((count, lines.shape[1]), np.float32)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        term = lines.take(index + offset, axis=0, mode="wrap")
        term *= (weight / 6).astype(np.float32)
        blended += term
    return blended

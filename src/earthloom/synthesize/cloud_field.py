"""The water of clouds: one random field in metres that is the same wherever and however finely it is looked at.

coarse   whole domain, few nodes     wavelengths that place clouds      --+
detail   around one place, fine      wavelengths that fray their edges  --+-->  sample(top_left, shape, step)

A cloud and its shadow lie h / tan(elevation) apart: a hundred pixels at 10 m, ten thousand at 0.3 m. With two scales
both windows come from one field, in time and memory that depend on neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.fft

from earthloom.synthesize.stack import Plane

_BETA_CLUSTERS = 1.9
"""Slope of the spectrum beyond the size of a cloud: clouds gather in clusters of every size, but loosely. Our choice,
by eye beside real fields of cumulus at 150 and 300 m."""
_INNER_M = 15.0
"""Wavelength below which edges are mixed smooth. Our choice, by eye at 0.3 m."""
_INNER_PX = 3.33
"""The same in pixels: a sensor passes a quarter of the contrast of waves of two pixels (MTF 0.25 at Nyquist)."""
_COARSE_NODES = 160
"""Along the longer side of the domain."""
_LEAST_COARSE_NODES = 16
_LEAST_DETAIL_NODES = 192
_DETAIL_SPAN = 16
"""The detail spans so many coarse steps at least; it holds wavelengths of up to about four."""
_MARGIN = 1.125
"""A torus is larger than what is looked at, so that its opposite edges do not match."""
_BYTE_VARIANCE = (256**2 - 1) / 12

Waves = npt.NDArray[np.complex64]
Point = tuple[float, float]
"""Metres down and to the right of the picture's top left corner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudField:
    """A Gaussian field of mean 0 and variance 1, up to the chance of a finite domain."""

    coarse: Plane
    """Spline coefficients on a torus that holds the picture and what casts shadows on it."""
    coarse_m: float
    """Between nodes."""
    detail: Plane
    """Spline coefficients on a torus that holds the picture, and what casts shadows on it where both overlap."""
    far_detail: Plane | None
    """The same where they do not overlap, for the latter."""
    detail_m: float
    picture_m: tuple[float, float]
    """Height and width of the picture."""
    origin: Point
    """Where the picture's top left corner lies on the coarse torus, metres."""

    def sample(self, top_left: Point, shape: tuple[int, int], step_m: float) -> Plane:
        """Look at the field.

        Args:
            top_left: centre of the first pixel, in metres from the centre of the picture's first pixel.
            shape: rows and columns.
            step_m: between neighbouring samples.

        Returns:
            rows x columns, float32.

        """
        shifted = (top_left[0] + self.origin[0], top_left[1] + self.origin[1])
        detail = self.detail
        if self.far_detail is not None and self._lies_apart(top_left, shape, step_m):
            detail = self.far_detail
        field = interpolate(detail, self.detail_m, top_left, shape, step_m)
        field += interpolate(self.coarse, self.coarse_m, shifted, shape, step_m)
        return field

    def _lies_apart(self, top_left: Point, shape: tuple[int, int], step_m: float) -> bool:
        """Whether a window, but for a border around it, shows nothing that the picture shows."""
        sides = zip(top_left, shape, self.picture_m, strict=True)
        return any(abs(start + n * step_m / 2 - side / 2) >= 0.99 * side for start, n, side in sides)


def make_cloud_field(
    picture_m: tuple[float, float],
    shift_m: tuple[float, float],
    pixel_m: float,
    cell_m: float,
    beta: float,
    cover: float,
    rng: np.random.Generator,
) -> CloudField:
    """Make the water of the clouds over a picture and over the ground from which a shadow may reach it.

    Args:
        picture_m: height and width of the picture.
        shift_m: how far down and to the right another window of that size lies that will be looked at.
        pixel_m: of the picture.
        cell_m: size beyond which clouds are no longer one cloud.
        beta: slope of the two-dimensional power spectrum below that size, k^-beta. Reflectance of clouds is measured as
            k^-5/3 along a line, 8/3 in the plane, and steeper below 200 m (Davis et al. 1997, J. Atmos. Sci. 54:241).
        cover: share of the picture that clouds will hide: the picture is laid where the field is as high as such
            a share asks for, so that a small picture under the edge of a cloud does not put all of the sky in cloud.
        rng: where the phases come from.

    """
    grids = _lay_grids(picture_m, shift_m, pixel_m, cell_m)
    coarse = _weigh(grids.size, grids.coarse_m, cell_m, beta)
    coarse *= _pass_long(grids.size, grids.coarse_m, grids.coarse_m)
    detail = _weigh(grids.detail_size, grids.detail_m, cell_m, beta)
    detail *= _pass_short(
        grids.detail_size, grids.detail_m, grids.coarse_m, max(_INNER_M, _INNER_PX * pixel_m)
    )
    variance = np.float32(_sum_spectrum(coarse, grids.size) + _sum_spectrum(detail, grids.detail_size))
    waves = _draw_spectrum(coarse / variance, grids.size, rng)
    detail /= variance
    details = [
        _transform(_draw_spectrum(detail, grids.detail_size, rng), grids.detail_size)
        for _ in range(2 if grids.is_apart else 1)
    ]
    return CloudField(
        coarse=_transform(waves, grids.size),
        coarse_m=grids.coarse_m,
        detail=details[0],
        far_detail=details[1] if grids.is_apart else None,
        detail_m=grids.detail_m,
        picture_m=picture_m,
        origin=_place(waves, grids.size, grids.coarse_m, picture_m, cover),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Grids:
    """Nodes of both scales."""

    coarse_m: float
    size: tuple[int, int]
    detail_m: float
    detail_size: tuple[int, int]
    is_apart: bool
    """Whether picture and shifted window do not overlap."""


def _lay_grids(
    picture_m: tuple[float, float], shift_m: tuple[float, float], pixel_m: float, cell_m: float
) -> _Grids:
    """The coarse scale holds both windows and two clouds at least; the detail both, or one where they are apart."""
    is_apart = any(abs(shift) >= side for shift, side in zip(shift_m, picture_m, strict=True))
    both = picture_m[0] + abs(shift_m[0]), picture_m[1] + abs(shift_m[1])
    window = picture_m if is_apart else both
    domain = max(both[0], 2 * cell_m), max(both[1], 2 * cell_m)
    fine_m = max(pixel_m, _INNER_M / 4)
    coarse_m = max(max(domain) * _MARGIN / _COARSE_NODES, 4 * fine_m)
    n_fine = max(max(window) * _MARGIN / fine_m, _LEAST_DETAIL_NODES)
    detail_m = max(fine_m, _DETAIL_SPAN * coarse_m / n_fine)
    return _Grids(
        coarse_m=coarse_m,
        size=_count_nodes(domain, coarse_m, _LEAST_COARSE_NODES),
        detail_m=detail_m,
        detail_size=_count_nodes(window, detail_m, _LEAST_DETAIL_NODES),
        is_apart=is_apart,
    )


def interpolate(nodes: Plane, node_m: float, top_left: Point, shape: tuple[int, int], step_m: float) -> Plane:
    """Evaluate a cubic spline on a regular grid.

    Args:
        nodes: coefficients, the first at 0, 0, continued periodically.
        node_m: between them.
        top_left: first point of the grid.
        shape: rows and columns of the grid.
        step_m: between its points.

    Returns:
        rows x columns, float32. Along rows first, where few lines are needed, then down columns.

    """
    top = top_left[0] / node_m
    step = step_m / node_m
    first = math.floor(top) - 1
    last = math.floor(top + (shape[0] - 1) * step) + 2
    needed = nodes.take(np.arange(first, last + 1), axis=0, mode="wrap")
    across = _blend(np.ascontiguousarray(needed.T), top_left[1] / node_m, shape[1], step)
    return _blend(np.ascontiguousarray(across.T), top - first, shape[0], step)


def _blend(lines: Plane, start: float, count: int, step: float) -> Plane:
    """Lines at `start`, `start + step`... between lines 0, 1, 2...: each of four neighbours, weighted and wrapped."""
    at = start + step * np.arange(count)
    base = np.floor(at).astype(np.int64)
    t = (at - base)[:, None]
    weights = (1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 3 * t * (1 + t - t**2) + 1, t**3
    blended = np.zeros((count, lines.shape[1]), np.float32)
    for offset, weight in enumerate(weights, start=-1):
        term = lines.take(base + offset, axis=0, mode="wrap")
        term *= (weight / 6).astype(np.float32)
        blended += term
    return blended


def _count_nodes(sides_m: tuple[float, float], step_m: float, least: int) -> tuple[int, int]:
    rows, columns = (max(math.ceil(side * _MARGIN / step_m), least) for side in sides_m)
    return int(scipy.fft.next_fast_len(rows, real=True)), int(scipy.fft.next_fast_len(columns, real=True))


@lru_cache(maxsize=8)
def _square_wavenumbers(size: tuple[int, int]) -> Plane:
    """Cycles per node, squared, of the half plane that a real transform keeps."""
    k = scipy.fft.fftfreq(size[0])[:, None] ** 2 + scipy.fft.rfftfreq(size[1])[None, :] ** 2
    k[0, 0] = np.inf  # the mean is set by the threshold
    return np.asarray(k, np.float32)


def _weigh(size: tuple[int, int], step_m: float, cell_m: float, beta: float) -> Plane:
    """Variance of every wave, in units that do not depend on the grid."""
    cells = np.float32(cell_m / step_m)
    power: Plane = (_square_wavenumbers(size) * cells**2) ** np.float32(-beta / 2)
    power = np.minimum(power, power ** np.float32(_BETA_CLUSTERS / beta))
    power *= cells**2 / np.float32(size[0] * size[1])  # the area that one wave stands for, in cells^-2
    return power


def _pass_long(size: tuple[int, int], step_m: float, coarse_m: float) -> Plane:
    """What the coarse scale takes of the variance of each wave."""
    passed: Plane = np.exp(_square_wavenumbers(size) * np.float32(-((4 * coarse_m / step_m) ** 2)))
    return passed


def _pass_short(size: tuple[int, int], step_m: float, coarse_m: float, inner_m: float) -> Plane:
    """What the coarse scale leaves to the detail, smoothed below the inner scale."""
    kept = 1 - _pass_long(size, step_m, coarse_m)
    kept *= np.exp(_square_wavenumbers(size) * np.float32(-((inner_m / step_m) ** 2)))
    return kept


def _sum_spectrum(power: Plane, size: tuple[int, int]) -> float:
    """Variance over the whole plane: the half that a real transform leaves out mirrors the one that it keeps."""
    inner = power[:, 1 : (size[1] + 1) // 2]
    return float(power.sum(dtype=np.float64) + inner.sum(dtype=np.float64))


def _draw_spectrum(power: Plane, size: tuple[int, int], rng: np.random.Generator) -> Waves:
    """Random waves of that variance.

    Their parts are evenly, not normally distributed: that is cheap, and the sum of thousands of waves is normal anyway.
    """
    parts = rng.integers(-128, 128, (*power.shape, 2), np.int8).astype(np.float32)
    parts += np.float32(0.5)
    waves: Waves = parts.view(np.complex64)[:, :, 0]
    waves *= np.sqrt(power * np.float32(0.5 / _BYTE_VARIANCE)) * np.float32(size[0] * size[1])
    return waves


def _transform(waves: Waves, size: tuple[int, int]) -> Plane:
    """Coefficients of the cubic spline that goes through the field (Unser et al. 1993, IEEE TSP 41:821)."""
    rows = 3 / (2 + np.cos(2 * np.pi * scipy.fft.fftfreq(size[0])))
    columns = 3 / (2 + np.cos(2 * np.pi * scipy.fft.rfftfreq(size[1])))
    filtered = waves * rows[:, None].astype(np.float32)
    filtered *= columns.astype(np.float32)
    return cast(Plane, scipy.fft.irfft2(filtered, size, overwrite_x=True))


def _place(
    waves: Waves, size: tuple[int, int], step_m: float, picture_m: tuple[float, float], cover: float
) -> Point:
    """Find where the mean over a picture is the level that a share `cover` of a Gaussian field exceeds."""
    rows = np.sinc(scipy.fft.fftfreq(size[0]) * picture_m[0] / step_m)
    columns = np.sinc(scipy.fft.rfftfreq(size[1]) * picture_m[1] / step_m)
    means = scipy.fft.irfft2(waves * np.asarray(rows[:, None] * columns, np.float32), size)
    level = NormalDist().inv_cdf(1 - cover)
    row, column = divmod(int(np.abs(means - np.float32(level)).argmin()), size[1])
    return row * step_m - picture_m[0] / 2, column * step_m - picture_m[1] / 2

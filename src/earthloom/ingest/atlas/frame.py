"""The grid that a landscape is made on, and noise on it.

Lengths are metres, x east and y south, from the upper left corner of the scene. Fine rasters have the scene's
pixels; coarse rasters have cells of several pixels and reach beyond the scene, so that what enters it from
outside (a river, a slope) is not born at its edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from earthloom.core.seeds import make_rng
from earthloom.ingest.atlas import exact

Raster = NDArray[np.float32]
"""(rows, cols), float32."""
Half = NDArray[np.float16]
"""(rows, cols), float16: what is kept of a raster that need not be exact."""
Points = NDArray[np.float64]
"""(n, 2): x, y in metres."""

_MARGIN = 0.2
"""Share of the scene's side by which coarse rasters reach beyond it on each side."""
_BORDER = 2
"""Cells beyond the scene that enlarging needs."""
_MAX_CORE = 768
"""Coarse cells along the scene's side: bounds the work of the drainage network on very large scenes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A square scene of `size` pixels of `gsd_m` metres, and the stream of randomness that fills it."""

    size: int
    gsd_m: float
    seed: int
    number: int
    """Of the scene within its seed."""

    @property
    def extent_m(self) -> float:
        """Side of the scene."""
        return self.size * self.gsd_m

    @property
    def factor(self) -> int:
        """Pixels along the side of a coarse cell."""
        return max(min(4, self.size // 96), math.ceil(self.size / _MAX_CORE), 1)

    @property
    def cell_m(self) -> float:
        """Side of a coarse cell."""
        return self.factor * self.gsd_m

    @property
    def margin(self) -> int:
        """Coarse cells beyond each edge of the scene."""
        return math.ceil(_MARGIN * self.size / self.factor) + 4

    @property
    def n_coarse(self) -> int:
        """Coarse cells along a side, with margins."""
        return math.ceil(self.size / self.factor) + 2 * self.margin

    def rng(self, name: str) -> np.random.Generator:
        """A generator for one purpose: what one layer draws never shifts what another does."""
        return make_rng(self.seed, "atlas", str(self.number), name)

    def to_cells(self, points: Points) -> Points:
        """Coordinates in metres to coarse (col, row), where a cell's centre is a whole number."""
        return points / self.cell_m + (self.margin - 0.5)

    def to_metres(self, cells: Points) -> Points:
        """The inverse of `to_cells`."""
        return (cells - (self.margin - 0.5)) * self.cell_m

    def to_pixels(self, points: Points) -> Points:
        """Coordinates in metres to fine (col, row), where a pixel's centre is a whole number."""
        return points / self.gsd_m - 0.5

    def refine(self, coarse: Raster) -> Raster:
        """A coarse raster on the scene's pixels, interpolated without steps in its slope."""
        lo = self.margin - _BORDER * (self.factor > 1)
        return _enlarge(coarse[lo : coarse.shape[0] - lo, lo : coarse.shape[1] - lo], self.factor, self.size)

    def coarsen(self, fine: Raster) -> Raster:
        """Area means on the coarse cells of the scene; the margin repeats the edge."""
        n = math.ceil(self.size / self.factor)
        core = cv2.resize(fine, (n, n), interpolation=cv2.INTER_AREA)
        return np.pad(core, self.margin, mode="edge")

    def sample(self, coarse: Raster, points: Points) -> NDArray[np.float32]:
        """Bilinear values of a coarse raster at (n, 2) points; the edge's beyond it. Shape (n,)."""
        cells = self.to_cells(points).astype(np.float32)
        return _remap(coarse, cells)

    def sample_fine(self, fine: Raster, points: Points) -> NDArray[np.float32]:
        """Bilinear values of a fine raster at (n, 2) points; the edge's beyond it. Shape (n,)."""
        return _remap(fine, self.to_pixels(points).astype(np.float32))

    def coarse_noise(
        self, name: str, longest_m: float, shortest_m: float = 0.0, slope: float = 1.6
    ) -> Raster:
        """Noise with zero mean and unit deviation on the coarse cells (see `noise`)."""
        return _spectral(self.rng(name), self.n_coarse, self.cell_m, longest_m, shortest_m, slope)

    def noise(self, name: str, longest_m: float, shortest_m: float = 0.0, slope: float = 1.6) -> Raster:
        """Noise with zero mean and unit deviation on the pixels: wavelengths from longest to shortest, metres.

        The amplitude of a wavelength grows as its power `slope`: 1 is as rough as the sea of leaves of a canopy,
        1.6 is natural ground, 2.2 rolling hills. Noise without short waves is made on few cells and enlarged.
        """
        factor = max(1, int(shortest_m / (4 * self.gsd_m)))
        factor = min(factor, max(1, self.size // 16))
        n = math.ceil(self.size / factor) + 2 * _BORDER * (factor > 1)
        grid = _spectral(self.rng(name), n, self.gsd_m * factor, longest_m, shortest_m, slope)
        return _enlarge(grid, factor, self.size)


def _remap(raster: Raster, at: NDArray[np.float32]) -> NDArray[np.float32]:
    """cv2.remap bound to columns of at most 32766 points (its limit on either side of an image)."""
    n = len(at)
    if n == 0:
        return np.zeros(0, np.float32)
    width = min(n, 8192)
    rows = -(-n // width)
    padded = np.zeros((rows * width, 2), np.float32)
    padded[:n] = at
    maps = padded.reshape(rows, width, 2)
    out: Raster = cv2.remap(raster, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out.reshape(-1)[:n]


def _spectral(
    rng: np.random.Generator, n: int, cell_m: float, longest_m: float, shortest_m: float, slope: float
) -> Raster:
    """Noise with a power-law band, made from a random spectrum; shape (n, n).

    Uniform coefficients do: the sum of so many waves is Gaussian whatever each one's amplitude.
    """
    spectrum = rng.random((n, 2 * (n // 2 + 1)), dtype=np.float32)
    spectrum -= np.float32(0.5)
    spectrum = spectrum.view(np.complex64)
    spectrum *= _power_law(n, cell_m, longest_m, shortest_m, slope)
    out: Raster = fft.irfft2(spectrum, s=(n, n), overwrite_x=True)
    deviation = float(out.std())
    out *= np.float32(1.0 / deviation if deviation > 0 else 0.0)
    return out


def _power_law(n: int, cell_m: float, longest_m: float, shortest_m: float, slope: float) -> Raster:
    """Amplitude by frequency, (n, n // 2 + 1): f^-slope between the band's ends, falling off smoothly beyond."""
    fx = fft.rfftfreq(n, cell_m).astype(np.float32)
    fy = fft.fftfreq(n, cell_m).astype(np.float32)
    square: Raster = fy[:, None] ** 2 + fx[None, :] ** 2
    low = 1.0 / min(longest_m, n * cell_m)
    gain = exact.power(square + np.float32(low * low), -slope / 2)
    gain *= 1 - exact.exp(square * np.float32(-1.2 / low**2))
    if shortest_m > 2 * cell_m:
        gain *= exact.exp(square * np.float32(-shortest_m * shortest_m / 2))
    return gain


def _enlarge(grid: Raster, factor: int, size: int) -> Raster:
    """Enlarge by a quadratic B-spline (linear steps, smoothed by a box of their width): no steps in its slope.

    The first and last `_BORDER` cells of `grid` lie outside; returns (size, size).
    """
    if factor == 1:
        return np.ascontiguousarray(grid[:size, :size], dtype=np.float32)
    fine = cv2.resize(grid, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    fine = cv2.blur(fine, (factor + 1 - factor % 2,) * 2)
    start = _BORDER * factor
    return np.ascontiguousarray(fine[start : start + size, start : start + size])


def distance_m(mask: NDArray[np.bool_], cell_m: float) -> Raster:
    """Metres from each cell to the nearest True one, (rows, cols); a million where there is none."""
    if not mask.any():
        return np.full(mask.shape, 1e6, np.float32)
    out: Raster = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    out *= np.float32(cell_m)
    return out


def smoothstep(low: float, high: float, x: Raster) -> Raster:
    """0 up to `low`, 1 from `high`, an S-curve between (also falling, for low > high)."""
    t = x - np.float32(low)
    t *= np.float32(1.0 / (high - low))
    np.clip(t, 0, 1, out=t)
    out: Raster = 3 - 2 * t
    out *= t
    out *= t
    return out

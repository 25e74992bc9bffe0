"""Trees: single crowns, placed by density, drawn as domes; a forest is many of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.frame import Frame, Half, Points, Raster


@dataclass(frozen=True, slots=True)
class Canopy:
    """Drawn trees, (size, size) rasters."""

    height_m: Half
    crowns: Half
    """Share of the pixel under crowns, 0 to 1."""
    tint: Half
    """Mean of the crowns' own unit draws, about -1 to 1: no two trees are alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """How trees grow: metres."""

    crown_m: float
    height_m: float


def scatter(frame: Frame, density: Raster, stand: Stand) -> Points:
    """Places of trees, (n, 2): a jittered lattice about a crown apart, thinned to `density` (0 to 1, per pixel)."""
    rng = frame.rng("trees")
    step = max(0.8 * stand.crown_m, 1.55 * frame.gsd_m)
    n = math.ceil(frame.extent_m / step) + 1
    jitter = rng.random((2, n, n), dtype=np.float32)
    x = (np.arange(n, dtype=np.float32)[None, :] + 0.95 * jitter[0]) * np.float32(step)
    y = (np.arange(n, dtype=np.float32)[:, None] + 0.95 * jitter[1]) * np.float32(step)
    col = np.minimum((x * np.float32(1 / frame.gsd_m)).astype(np.int32), frame.size - 1)
    row = np.minimum((y * np.float32(1 / frame.gsd_m)).astype(np.int32), frame.size - 1)
    keep = rng.random((n, n), dtype=np.float32) < density[row, col]
    return np.stack([x[keep], y[keep]], axis=1).astype(np.float64)


def draw_trees(frame: Frame, points: Points, stand: Stand) -> Canopy:
    """Raise a dome at each point; sizes vary by tree."""
    rng = frame.rng("crowns")
    n = len(points)
    vigour = rng.lognormal(0, 0.22, n).astype(np.float32)
    tint = rng.standard_normal(n).astype(np.float32)
    kernel = _dome(0.62 * max(stand.crown_m, 1.3 * frame.gsd_m) / frame.gsd_m)

    def lift(weight: NDArray[np.float32]) -> Raster:
        out: Raster = cv2.filter2D(
            splat(frame, points, weight), cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT
        )
        return out

    mass, tone = lift(vigour), lift(vigour * tint)
    tone /= np.maximum(mass, np.float32(0.15))
    crowns = np.clip((mass - np.float32(0.12)) * np.float32(1 / 0.42), 0, 1).astype(np.float16)
    fill = 1 - exact.exp(np.float32(-1.25) * mass)
    height = fill * np.float32(1.25 * stand.height_m)
    return Canopy(height.astype(np.float16), crowns, tone.astype(np.float16))


def splat(frame: Frame, points: Points, weight: NDArray[np.float32]) -> Raster:
    """Points of a weight, shared between the four pixels around each."""
    size = frame.size
    at = frame.to_pixels(points)
    col, row = np.floor(at[:, 0]).astype(np.int64), np.floor(at[:, 1]).astype(np.int64)
    fx, fy = at[:, 0] - col, at[:, 1] - row
    out = np.zeros((size + 2) * (size + 2), np.float32)
    for dc, wc in ((0, 1 - fx), (1, fx)):
        for dr, wr in ((0, 1 - fy), (1, fy)):
            index = (np.clip(row + dr, -1, size) + 1) * (size + 2) + np.clip(col + dc, -1, size) + 1
            np.add.at(out, index, (wc * wr * weight).astype(np.float32))
    return np.ascontiguousarray(out.reshape(size + 2, size + 2)[1:-1, 1:-1])


def _dome(radius: float) -> Raster:
    """A half ellipsoid of unit height, sampled as means over pixels; narrower than a pixel it keeps its volume."""
    n = 2 * math.ceil(radius) + 1
    fine = (np.arange(n * 5) + 0.5) / 5 - n / 2
    square = (fine[:, None] ** 2 + fine[None, :] ** 2) / radius**2
    fine_dome = np.sqrt(np.clip(1 - square, 0, None))
    dome: Raster = fine_dome.reshape(n, 5, n, 5).mean(axis=(1, 3)).astype(np.float32)
    return dome


def rows_of_trees(
    frame: Frame, middle: NDArray[np.float32], angle: float, half_m: float, step_m: float
) -> Points:
    """An orchard: points on a turned square lattice within `half_m` of `middle` each way, (n, 2)."""
    step = max(step_m, 1.9 * frame.gsd_m)
    u, v = np.meshgrid(np.arange(-half_m, half_m, step), np.arange(-half_m, half_m, 1.15 * step))
    c, s = math.cos(angle), math.sin(angle)
    x, y = float(middle[0]), float(middle[1])
    return np.stack([x + u.ravel() * c - v.ravel() * s, y + u.ravel() * s + v.ravel() * c], axis=1)

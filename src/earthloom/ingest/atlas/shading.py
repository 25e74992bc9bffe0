"""Slopes, shadows and strips: what light and radar share. A strip is a range of rows with some to spare around it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.ingest.atlas.frame import Half, Raster
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.site import Sun

STRIP = 64
"""Rows that are worked on at once: the working set stays in the processor's cache, and memory bounded."""
_MAX_STEPS = 48
"""Pixels that a shadow of a house or tree may reach."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows [top, bottom) of a raster of `size` rows."""

    top: int
    bottom: int
    size: int

    @property
    def rows(self) -> slice:
        """As an index."""
        return slice(self.top, self.bottom)

    def widen(self, halo: int) -> Strip:
        """With `halo` more rows on either side, as far as there are any."""
        return Strip(max(self.top - halo, 0), min(self.bottom + halo, self.size), self.size)

    def within(self, wider: Strip) -> slice:
        """These rows' place in a strip around them."""
        return slice(self.top - wider.top, self.bottom - wider.top)


def strips(size: int) -> Iterator[Strip]:
    """Cut `size` rows into strips."""
    for top in range(0, size, STRIP):
        yield Strip(top, min(top + STRIP, size), size)


def full(raster: Half, strip: Strip) -> Raster:
    """Rows of a half-precision raster in single precision."""
    return raster[strip.rows].astype(np.float32)


def gradient(raster: Raster, gsd_m: float) -> tuple[Raster, Raster]:
    """Rise per metre to the east and to the south (Sobel)."""
    scale = 1 / (8 * gsd_m)
    gx: Raster = cv2.Sobel(raster, cv2.CV_32F, 1, 0, ksize=3, scale=scale)
    gy: Raster = cv2.Sobel(raster, cv2.CV_32F, 0, 1, ksize=3, scale=scale)
    return gx, gy


def height_of_things(scene: Landscape, strip: Strip, trees: float = 1.0) -> Raster:
    """Height of trees (times a factor) and houses over the ground, m."""
    houses = scene.built.height_dm[strip.rows] * np.float32(0.1)
    tall: Raster = np.maximum(full(scene.plants.height_m, strip) * np.float32(trees), houses)
    return tall


def shadow_reach(lamp: Sun, tallest_m: float, gsd_m: float) -> int:
    """Pixels that the shadow of the tallest thing reaches."""
    rise = math.tan(math.radians(lamp.elevation_deg)) * gsd_m
    return min(int(tallest_m / rise), _MAX_STEPS)


def cast_shadow(tall: Raster, lamp: Sun, gsd_m: float, steps: int) -> Raster:
    """0 in the light to 1 in the shadow of things of height `tall`, m; `steps` from `shadow_reach`."""
    rise = math.tan(math.radians(lamp.elevation_deg)) * gsd_m
    x, y, _ = lamp.direction()
    flat = math.hypot(x, y)
    horizon = np.zeros_like(tall)
    for k in range(1, steps + 1):
        raise_horizon(horizon, tall, (k * x / flat, k * y / flat), k * rise)
    horizon -= tall
    horizon *= np.float32(1 / max(0.9 * rise, 0.6))
    return np.clip(horizon, 0, 1, out=horizon)


def raise_horizon(horizon: Raster, height: Raster, ahead: tuple[float, float], drop: float) -> None:
    """Raise `horizon`, in place, to what stands `ahead` (cols, rows) of each pixel, less `drop`."""
    h, w = height.shape
    cols, rows = (max(1 - n, min(n - 1, round(step))) for n, step in zip((w, h), ahead, strict=True))
    source = height[max(0, rows) : h + min(0, rows), max(0, cols) : w + min(0, cols)]
    target = horizon[max(0, -rows) : h - max(0, rows), max(0, -cols) : w - max(0, cols)]
    np.maximum(target, source - np.float32(drop), out=target)

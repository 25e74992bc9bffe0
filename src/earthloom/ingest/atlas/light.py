"""Sunlight on the ground, on crowns and roofs, and the shadows they cast."""

from __future__ import annotations

import math

import cv2
import numpy as np

from earthloom.ingest.atlas.frame import Raster, smoothstep
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.landscape import Landscape
from earthloom.ingest.atlas.shading import (
    Strip,
    cast_shadow,
    full,
    gradient,
    height_of_things,
    raise_horizon,
    shadow_reach,
)

_MAX_RELIEF_STEPS = 160
"""Coarse cells that a mountain's shadow may reach."""


class Sunlight:
    """Direct sunlight on each pixel over that on level, open ground: 0 in shadow, over 1 facing the sun."""

    def __init__(self, scene: Landscape) -> None:
        self._scene, self._sun, self._gsd_m = scene, scene.ground.site.sun, scene.frame.gsd_m
        self._open = scene.frame.refine(_cast_by_relief(scene.ground)).astype(np.float16)
        tallest = max(float(scene.plants.height_m.max()), 0.1 * float(scene.built.height_dm.max()))
        self._reach = shadow_reach(self._sun, tallest, self._gsd_m)

    def on(self, strip: Strip) -> Raster:
        """The light on some rows, (rows, size)."""
        light = self._on_relief(strip)
        light *= full(self._open, strip)
        light *= self._on_crowns(strip)
        light *= self._on_roofs(strip)
        wide = strip.widen(self._reach)
        tall = height_of_things(self._scene, wide)
        light *= 1 - cast_shadow(tall, self._sun, self._gsd_m, self._reach)[strip.within(wide)]
        return light

    def _on_relief(self, strip: Strip) -> Raster:
        """Lambert's law, over that on level ground."""
        x, y, z = self._sun.direction()
        wide = strip.widen(4)
        relief = cv2.GaussianBlur(self._scene.surface.elevation_m[wide.rows], (0, 0), 0.8)
        gx, gy = (part[strip.within(wide)] for part in gradient(relief, self._gsd_m))
        light = 1 - gx * np.float32(x / z) - gy * np.float32(y / z)
        light /= np.sqrt(1 + gx * gx + gy * gy)
        light[self._scene.surface.water[strip.rows] > 127] = 1
        return np.clip(light, 0.02, 2.4, out=light)

    def _on_crowns(self, strip: Strip) -> Raster:
        """Crowns are bright towards the sun and dark behind; softened, as leaves let light through."""
        x, y, z = self._sun.direction()
        wide = strip.widen(3)
        crown = cv2.GaussianBlur(full(self._scene.plants.height_m, wide), (0, 0), 0.5)
        across = np.array([[-0.5, 0, 0.5]], np.float32) / np.float32(self._gsd_m)
        slant = cv2.filter2D(crown, cv2.CV_32F, across * np.float32(x / z))
        slant += cv2.filter2D(crown, cv2.CV_32F, np.ascontiguousarray(across.T) * np.float32(y / z))
        slant = slant[strip.within(wide)] * np.float32(-0.42)
        lit: Raster = slant / (1 + np.abs(slant))
        lit *= full(self._scene.plants.crowns, strip) * np.float32(0.85)
        return 1 + lit

    def _on_roofs(self, strip: Strip) -> Raster:
        """Both sides of a ridge, by how far each faces the sun; lower suns tell more."""
        slope = self._scene.built.pitch[strip.rows] * np.float32(0.01) - np.float32(1.28)
        height = max(math.tan(math.radians(self._sun.elevation_deg)), 0.4)
        return 1 + slope * np.float32(0.62 / height)


def _cast_by_relief(ground: Ground) -> Raster:
    """1 in the sun, 0 where a mountain stands before it; coarse, soft-edged."""
    sun, height = ground.site.sun, ground.height_m
    rise = math.tan(math.radians(sun.elevation_deg)) * ground.frame.cell_m
    steps = int((float(height.max()) - float(height.min())) / rise)
    if steps < 2:
        return np.ones_like(height)
    x, y, _ = sun.direction()
    flat = math.hypot(x, y)
    horizon = np.full_like(height, -1e9)
    for k in range(1, min(steps, _MAX_RELIEF_STEPS) + 1):
        raise_horizon(horizon, height, (k * x / flat, k * y / flat), k * rise)
    shade = smoothstep(-0.4 * rise, 0.6 * rise, horizon - height)
    soft: Raster = cv2.GaussianBlur(shade, (0, 0), 0.8)
    return 1 - soft

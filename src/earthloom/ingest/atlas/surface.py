"""The surface at the scene's own pixels: elevation with detail and dunes, water and its shore."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas.frame import Half, Raster, distance_m, smoothstep
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.ribbon import draw_ribbon
from earthloom.ingest.atlas.water import trace_streams

Bytes8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_PUDDLE = 600
"""Pixels under which water is not the sea."""
_FAR_M = 3000.0
"""Distances are cut here, so that half precision holds them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """Rasters of (size, size)."""

    elevation_m: Raster
    """Of the ground; under 0 in the sea."""
    slope: Half
    """Rise over run, without dunes."""
    water: Bytes8
    """Share of the pixel under water, 0 to 255."""
    sea: Mask
    shore_m: Half
    """Distance to the shore, negative in water."""
    exposure: Half
    """Openness of the sea around: 0 a sheltered bay, 1 the open coast."""
    dry_bed: Bytes8
    """Share of the pixel in a dry river bed, 0 to 255."""
    crumble: Half
    """Unit noise of a few pixels to 90 m that frays natural edges."""


def shape_surface(ground: Ground) -> Surface:
    """Bring the coarse ground to the scene's pixels."""
    frame = ground.frame
    crumble = frame.noise("crumble", 90.0, 2 * frame.gsd_m, 1.2)
    sea, lake = _find_open_water(ground, crumble)
    water, dry_bed = _draw_streams(ground)
    water[sea | lake] = 255
    shore = _signed_distance(water > 127, frame.gsd_m)
    slope = frame.refine(ground.slope)
    return Surface(
        elevation_m=_elevation(ground, slope, sea, shore),
        slope=slope.astype(np.float16),
        water=water,
        sea=sea,
        shore_m=shore.astype(np.float16),
        exposure=_exposure(ground).astype(np.float16),
        dry_bed=dry_bed,
        crumble=crumble.astype(np.float16),
    )


def _find_open_water(ground: Ground, crumble: Raster) -> tuple[Mask, Mask]:
    frame, plan = ground.frame, ground.plan
    lake = frame.refine(plan.hollow) + np.float32(0.02) * crumble > 0
    if plan.sea is None:
        return np.zeros(lake.shape, bool), lake
    return _drop_puddles(frame.refine(plan.sea) + np.float32(0.008) * crumble < 0), lake


def _drop_puddles(sea: Mask) -> Mask:
    """The sea without specks of it inland."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(sea.astype(np.uint8), connectivity=4)
    keep = stats[:, cv2.CC_STAT_AREA] >= _PUDDLE
    keep[0] = False
    out: Mask = keep[labels]
    return out


def _draw_streams(ground: Ground) -> tuple[Bytes8, Bytes8]:
    """Rivers and streams, and beds that are dry; narrow ones first, so that wide ones lie over them."""
    frame = ground.frame
    river = np.zeros((frame.size, frame.size), np.uint8)
    dry = np.zeros_like(river)
    least = max(0.12, (0.06 * frame.extent_m / 1000) ** 2) * (3.0 if ground.dry_streams else 1.0)
    streams = trace_streams(frame, ground.drainage, least)
    for course in sorted(streams, key=lambda c: float(c.width_m[-1])):
        if ground.dry_streams:
            draw_ribbon(dry, frame, course.points, 3.5 * course.width_m)
        else:
            draw_ribbon(river, frame, course.points, course.width_m)
    for course in ground.plan.rivers:
        draw_ribbon(river, frame, course.points, course.width_m)
    return river, dry


def _signed_distance(water: Mask, gsd_m: float) -> Raster:
    away = np.where(water, -distance_m(~water, gsd_m), distance_m(water, gsd_m))
    return np.clip(away, -_FAR_M, _FAR_M)


def _elevation(ground: Ground, slope: Raster, sea: Mask, shore: Raster) -> Raster:
    """Detail that grows with the slope, dunes, and a sea floor that falls away from the shore; m."""
    frame = ground.frame
    out = frame.refine(ground.height_m)
    rough = frame.noise("rough", 12 * frame.cell_m, 2.2 * frame.gsd_m, 1.9)
    bumps = np.float32(min(0.12, 0.05 * frame.gsd_m))
    out += rough * (slope * np.float32(1.1 * frame.cell_m**0.6) + bumps)
    if ground.character.dunes > 0.03:
        out += _dunes(ground, slope)
    return np.where(sea, shore * np.float32(0.035) - np.float32(0.3), np.maximum(out, 0.2))


def _dunes(ground: Ground, slope: Raster) -> Raster:
    """Transverse dunes: gentle to the wind, steep in the lee, their crests wavering; m."""
    frame, rng = ground.frame, ground.frame.rng("dunes")
    wave = max(float(rng.uniform(70, 190)), 14 * frame.gsd_m)
    wind = float(rng.uniform(0, 2 * math.pi))
    axis = np.arange(frame.size, dtype=np.float32) * np.float32(frame.gsd_m / wave)
    phase = axis[None, :] * np.float32(math.cos(wind)) + axis[:, None] * np.float32(math.sin(wind))
    phase += np.float32(0.42) * frame.noise("crests", 7 * wave, 1.3 * wave, 1.5)
    phase -= np.floor(phase)
    saw = np.where(phase < 0.72, phase * np.float32(1 / 0.72), (1 - phase) * np.float32(1 / 0.28))
    profile: Raster = cv2.GaussianBlur(
        saw * saw * (3 - 2 * saw), (0, 0), max(0.045 * wave / frame.gsd_m, 0.6)
    )
    field = frame.noise("dune field", 0.9 * frame.extent_m, 3 * wave, 1.8)
    share = smoothstep(-0.35, 0.5, field + np.float32(4 * (ground.character.dunes - 0.4)))
    profile *= share
    profile *= smoothstep(0.3, 0.1, slope)
    profile *= np.float32(0.06 * wave)
    return profile


def _exposure(ground: Ground) -> Raster:
    """Share of sea within some hundred metres."""
    frame, sea = ground.frame, ground.plan.sea
    if sea is None:
        return np.zeros((frame.size, frame.size), np.float32)
    reach = min(220.0, 0.1 * frame.extent_m) / frame.cell_m
    return frame.refine(cv2.GaussianBlur((sea < 0).astype(np.float32), (0, 0), reach))

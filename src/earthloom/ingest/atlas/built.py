"""Roads and houses on the scene's pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.ingest.atlas.cover import ROAD, TOWN, WATER, Cover
from earthloom.ingest.atlas.estate import Estate
from earthloom.ingest.atlas.fields import BLOCK, FIELD
from earthloom.ingest.atlas.frame import Points, Raster
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.houses import Houses, build_blocks, build_farms, find_style
from earthloom.ingest.atlas.ribbon import draw_lines
from earthloom.ingest.atlas.surface import Bytes8, Mask, Surface

ROOF_SHADES = 8
"""Tones that a roof of one colour comes in."""
_YARD_M = 9.0
"""Around a farm's buildings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """Rasters of (size, size), and the houses themselves."""

    paved: Bytes8
    """Share of the pixel under asphalt, 0 to 255."""
    track: Bytes8
    """Share under a dirt track, 0 to 255."""
    roof: Bytes8
    """1 + ROOF_SHADES * colour + shade; 0 where there is no roof."""
    pitch: Bytes8
    """Slope of the roof: 128 flat, more towards the sun, less away from it."""
    height_dm: Bytes8
    """Height of houses, tenths of a metre."""
    houses: Houses


def build(
    ground: Ground,
    surface: Surface,
    estate: Estate,
    cover: Cover,
    potential: Raster,
    roads: tuple[Points, ...],
) -> Built:
    """Draw roads, then houses beside them; their pixels change class in `cover`."""
    paved, track = _draw_roads(ground, estate, potential, roads)
    houses = _place_houses(ground, surface, estate, paved)
    roof, pitch, height = _draw_houses(ground, houses)
    _mark(cover, surface, paved, track, height, ground.frame.gsd_m)
    return Built(paved=paved, track=track, roof=roof, pitch=pitch, height_dm=height, houses=houses)


def _mark(cover: Cover, surface: Surface, paved: Bytes8, track: Bytes8, height: Bytes8, gsd_m: float) -> None:
    """Houses with their yards become town, roads road; a bridge is a road over water."""
    classes = cover.classes
    reach = 2 * round(_YARD_M / gsd_m) + 1
    yard = cv2.dilate(height, np.ones((reach, reach), np.uint8)) > 0
    classes[yard & (classes != WATER)] = TOWN
    open_road = ((paved > 110) | (track > 110)) & (height == 0)
    classes[open_road & ((surface.water <= 127) | (paved > 180))] = ROAD
    cover.farmed[yard] = False


def _draw_roads(
    ground: Ground, estate: Estate, potential: Raster, roads: tuple[Points, ...]
) -> tuple[Bytes8, Bytes8]:
    """Tracks and lanes along old cuts between fields, streets between town blocks, main roads over all."""
    frame, cuts = ground.frame, estate.parcels.cuts
    paved = np.zeros((frame.size, frame.size), np.uint8)
    track, lane, street = (np.zeros_like(paved) for _ in range(3))
    age = np.array([cut.parent_m2 for cut in cuts]) / estate.field_m2
    middles = np.array([(cut.start, cut.end) for cut in cuts]).reshape(-1, 2, 2).mean(axis=1)
    in_town = frame.sample(potential, middles) > -0.25

    def draw(canvas: Bytes8, wanted: Mask, width_m: float) -> None:
        draw_lines(canvas, frame, [estate.cuts[i] for i in np.flatnonzero(wanted)], width_m)

    draw(lane, age > 14, 5.5)
    draw(track, (age > 3.2) & (age <= 14), 3.2)
    draw(street, in_town, 7.5)
    draw(street, age * estate.field_m2 > 2.5e5, 11.0)
    near_field, near_town = (_widen(estate.is_used_as(use)) for use in (FIELD, BLOCK))
    wet = _widen(frame.refine(ground.wet) > 0.5)
    np.copyto(paved, lane, where=(near_field | near_town) & ~wet)
    np.maximum(paved, street, out=paved, where=near_town & ~wet)
    track[~near_field | wet] = 0
    draw_lines(paved, frame, roads[2:], 8.0)
    draw_lines(paved, frame, roads[:2], 12.0)
    return paved, track


def _widen(mask: Mask) -> Mask:
    wide: Mask = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return wide


def _place_houses(ground: Ground, surface: Surface, estate: Estate, paved: Bytes8) -> Houses:
    """All buildings that stand on dry, unpaved ground."""
    frame, holdings = ground.frame, estate.holdings
    style = find_style(ground.site)
    blocks = np.flatnonzero(holdings.use == BLOCK)
    outlines = [estate.corners[i] for i in blocks]
    town = build_blocks(frame, outlines, holdings.potential[blocks], style)
    fields = [estate.corners[i] for i in np.flatnonzero(holdings.use == FIELD)]
    houses = town.joined(build_farms(frame, fields, style))
    blocked = np.maximum((surface.water > 60).astype(np.float32), paved * np.float32(1 / 255))
    at_corners = frame.sample_fine(blocked, houses.corners().reshape(-1, 2)).reshape(-1, 4)
    at_middle = frame.sample_fine(blocked, np.stack([houses.x, houses.y], axis=1))
    return houses.select((at_corners.max(axis=1) < 0.3) & (at_middle < 0.2))


def _draw_houses(ground: Ground, houses: Houses) -> tuple[Bytes8, Bytes8, Bytes8]:
    """Roof, pitch and height."""
    frame = ground.frame
    roof, height = (np.zeros((frame.size, frame.size), np.uint8) for _ in range(2))
    pitch = np.full((frame.size, frame.size), 128, np.uint8)
    x, y, _ = ground.site.sun.direction()
    lit = (np.cos(houses.angle) * y - np.sin(houses.angle) * x) / math.hypot(x, y) * houses.pitched
    whole, half = (_to_fixed(ground, houses.corners(part)) for part in ((-1.0, 1.0), (0.0, 1.0)))
    colour = (houses.tint * len(ground.palette.roofs) * ROOF_SHADES).astype(int) + 1
    near, far = (128 + np.round(100 * sign * lit).astype(int) for sign in (1, -1))
    decimetres = np.clip(houses.height_m * 10, 1, 255).astype(int)
    for i in range(len(houses.x)):
        cv2.fillConvexPoly(roof, whole[i], int(colour[i]), cv2.LINE_8, 4)
        cv2.fillConvexPoly(height, whole[i], int(decimetres[i]), cv2.LINE_8, 4)
        cv2.fillConvexPoly(pitch, whole[i], int(far[i]), cv2.LINE_8, 4)
        if houses.pitched[i]:
            cv2.fillConvexPoly(pitch, half[i], int(near[i]), cv2.LINE_8, 4)
    return roof, pitch, height


def _to_fixed(ground: Ground, corners: Points) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    pixels = ground.frame.to_pixels(corners.reshape(-1, 2))
    return np.round(pixels * 16).astype(np.int32).reshape(-1, 4, 2)

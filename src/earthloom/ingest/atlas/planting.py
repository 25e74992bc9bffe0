"""Where trees stand: forest, hedges, banks, gardens, orchards, and the lone ones of dry lands."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import cover as classes
from earthloom.ingest.atlas.built import Built
from earthloom.ingest.atlas.cover import Cover
from earthloom.ingest.atlas.estate import Estate
from earthloom.ingest.atlas.fields import BLOCK, FIELD
from earthloom.ingest.atlas.frame import Half, Points, Raster, smoothstep
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.site import Climate
from earthloom.ingest.atlas.surface import Surface
from earthloom.ingest.atlas.trees import Stand, draw_trees, rows_of_trees, scatter

_STANDS = {
    Climate.TROPICAL: Stand(crown_m=11.0, height_m=20.0),
    Climate.TEMPERATE: Stand(crown_m=8.0, height_m=15.0),
    Climate.BOREAL: Stand(crown_m=5.5, height_m=13.0),
    Climate.SAVANNA: Stand(crown_m=8.0, height_m=8.0),
}
_LOW_STAND = Stand(crown_m=6.5, height_m=7.0)
_LOOSE = {Climate.ARID: 0.01, Climate.STEPPE: 0.02, Climate.SAVANNA: 0.18, Climate.MEDITERRANEAN: 0.14}
"""Density of lone trees on open ground."""
_HEDGES = {Climate.TEMPERATE: 0.35, Climate.BOREAL: 0.2, Climate.TROPICAL: 0.35, Climate.SAVANNA: 0.2}
"""Share of fields with a hedge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plants:
    """All trees of a scene, (size, size) rasters."""

    height_m: Half
    crowns: Half
    """Share of the pixel under crowns, 0 to 1."""
    tint: Half
    """Mean of the crowns' own unit draws, about -1 to 1: no two trees are alike."""
    conifers: Half
    """Share of conifers among the trees, 0 to 1."""


def plant(ground: Ground, surface: Surface, estate: Estate, cover: Cover, built: Built) -> Plants:
    """Plant and draw all trees."""
    frame = ground.frame
    stand = _STANDS.get(ground.site.climate, _LOW_STAND)
    density = _density(ground, surface, estate, cover)
    density[(built.height_dm > 0) | (built.paved > 50) | (cover.classes == classes.WATER)] = 0
    density[cover.classes == classes.ROAD] = 0
    points = np.concatenate([scatter(frame, density, stand), *_orchards(ground, estate, cover)])
    del density
    canopy = draw_trees(frame, points, stand)
    return Plants(
        height_m=canopy.height_m,
        crowns=canopy.crowns,
        tint=canopy.tint,
        conifers=_conifers(ground, estate).astype(np.float16),
    )


def _density(ground: Ground, surface: Surface, estate: Estate, cover: Cover) -> Raster:
    """Trees wanted, 0 none to 1 crown to crown."""
    frame, climate = ground.frame, ground.site.climate
    loose = _LOOSE.get(climate, 0.05)
    table = np.zeros(256, np.float32)
    table[classes.FOREST], table[classes.MARSH] = 0.97, 0.02
    table[classes.SHRUB], table[classes.GRASS] = 3.0 * loose, 0.6 * loose
    table[classes.TOWN] = 0.04 if climate is Climate.ARID else 0.12
    density = table[cover.classes]
    is_open = cover.farmed & (cover.classes != classes.FOREST)
    density[is_open] = 0
    density *= 1 - np.float32(0.85) * cover.rock
    copses = frame.noise("copses", 260.0, 24.0, 1.3)
    scattered = ~is_open & ((cover.classes == classes.SHRUB) | (cover.classes == classes.GRASS))
    np.multiply(density, np.clip(1 + np.float32(1.2) * copses, 0, 4), out=density, where=scattered)
    hedge = _hedges(ground, estate)[estate.labels]
    np.maximum(density, hedge, out=density, where=is_open & (estate.edge_m < 2.2))
    shore = surface.shore_m
    bank = (shore > 1) & (shore < 16) & (copses > 0)
    bank &= (cover.classes != classes.SAND) & (cover.classes != classes.TOWN)
    np.maximum(density, np.float32(0.3 if climate is Climate.ARID else 0.75), out=density, where=bank)
    return density


def _hedges(ground: Ground, estate: Estate) -> NDArray[np.float32]:
    """Density of trees along each parcel's boundary."""
    level = _HEDGES.get(ground.site.climate, 0.04)
    draw = ground.frame.rng("hedges").random(len(estate.holdings.use))
    return np.where(draw < level, 0.8, np.where(draw < 2 * level, 0.18, 0.02)).astype(np.float32)


def _orchards(ground: Ground, estate: Estate, cover: Cover) -> list[Points]:
    """Trees in rows within orchard parcels."""
    frame, holdings = ground.frame, estate.holdings
    orchards = [i for i, crop in enumerate(holdings.crops) if crop.name == "orchard"]
    out = []
    for i in np.flatnonzero((holdings.use == FIELD) & np.isin(holdings.crop, orchards)):
        half = 0.75 * math.sqrt(estate.parcels.areas_m2[i])
        points = rows_of_trees(frame, holdings.middle[i], float(estate.parcels.angles[i]), half, 6.5)
        col, row = np.clip(frame.to_pixels(points).round().astype(int), 0, frame.size - 1).T
        inside = (estate.labels[row, col] == i) & (estate.edge_m[row, col] > 5)
        inside &= cover.classes[row, col] == classes.CROP
        out.append(points[inside])
    return out


def _conifers(ground: Ground, estate: Estate) -> Raster:
    frame = ground.frame
    mix = frame.noise("species", 700.0, 50.0, 1.5)
    mix *= np.float32(0.6)
    share = {Climate.BOREAL: 0.75, Climate.TEMPERATE: 0.35}.get(ground.site.climate, 0.2)
    n = len(estate.holdings.use)
    planted = frame.rng("conifers").normal(0, 0.7, n) * (estate.holdings.use != BLOCK) + 2 * (share - 0.5)
    mix += planted.astype(np.float32)[estate.labels]
    return smoothstep(-0.25, 0.25, mix)

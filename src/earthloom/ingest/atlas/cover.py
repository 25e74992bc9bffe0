"""Land cover: which class each pixel is, how green its ground, how rocky."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.estate import Estate
from earthloom.ingest.atlas.fields import BLOCK, FIELD, WILD
from earthloom.ingest.atlas.frame import Frame, Half, Raster, distance_m, smoothstep
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.site import Archetype, Climate
from earthloom.ingest.atlas.surface import Bytes8, Mask, Surface

WATER, FOREST, SHRUB, GRASS, CROP, TOWN, ROAD, BARE, SAND, SNOW, MARSH = range(1, 12)
NAMES = {
    WATER: "water",
    FOREST: "forest",
    SHRUB: "shrubland",
    GRASS: "grassland",
    CROP: "cropland",
    TOWN: "built-up area",
    ROAD: "road",
    BARE: "bare ground",
    SAND: "sand",
    SNOW: "snow",
    MARSH: "wetland",
}
"""Values of the land-cover mask."""
_VALUES = {name: value for value, name in NAMES.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover:
    """Rasters of (size, size)."""

    classes: Bytes8
    """A key of NAMES. Roads and houses are added when they are built."""
    farmed: Mask
    """Fields, woods and meadows that belong to a parcel."""
    vigour: Half
    """How green the ground is, 0 bare to 1 lush."""
    rock: Half
    """Share of bare rock, 0 to 1."""


def paint_cover(ground: Ground, surface: Surface, estate: Estate) -> Cover:
    """Decide the cover from nature up: rock and plants, then fields and towns, then shores and water."""
    high = _above_treeline(ground)
    rock = _rock(ground, surface, high)
    vigour = _vigour(ground, surface, rock)
    classes = _paint_wild(ground, surface, estate, vigour, rock, high)
    farmed = _find_farmed(ground.frame, surface, estate)
    kinds = np.array([_VALUES[crop.cover] for crop in estate.holdings.crops], np.uint8)[estate.holdings.crop]
    np.copyto(classes, kinds[estate.labels], where=farmed)
    classes[estate.is_used_as(BLOCK)] = TOWN
    if ground.character.dunes > 0.03:
        classes[estate.is_used_as(WILD) & (vigour < 0.17) & (rock < 0.5)] = SAND
    _paint_shores(classes, ground, surface, estate)
    classes[surface.water > 127] = WATER
    return Cover(
        classes=classes, farmed=farmed, vigour=vigour.astype(np.float16), rock=rock.astype(np.float16)
    )


def _above_treeline(ground: Ground) -> Raster | None:
    """0 under the treeline to 1 at the highest ground; None where trees grow to the top."""
    if not ground.alpine:
        return None
    low, high = (float(np.quantile(ground.height_m, q)) for q in (0.35, 0.995))
    coarse = np.clip((ground.height_m - np.float32(low)) * np.float32(1 / max(high - low, 1.0)), 0, 1)
    return ground.frame.refine(coarse)


def _rock(ground: Ground, surface: Surface, high: Raster | None) -> Raster:
    """Bare rock where it is steep, high, or a desert's gravel plain."""
    frame, climate = ground.frame, ground.site.climate
    slope = surface.slope.astype(np.float32)
    least = {Climate.ARID: 0.16, Climate.STEPPE: 0.45}.get(climate, 0.74)
    if float(slope.max()) < least - 0.3 and high is None and climate is not Climate.ARID:
        return np.zeros_like(slope)
    fray = frame.noise("rock", 260.0, max(9.0, 2.2 * frame.gsd_m), 1.2)
    rock = smoothstep(least, least + 0.22, slope + np.float32(0.09) * fray)
    if climate is Climate.ARID:
        gravel = frame.noise("gravel", 0.5 * frame.extent_m, 60.0, 1.7) + np.float32(0.12) * fray + slope * 5
        rock = np.maximum(rock, np.float32(0.6) * smoothstep(-0.6, 1.8, gravel))
    if high is not None:
        rock = np.maximum(
            rock, smoothstep(0.45, 0.95, high + np.float32(0.16) * fray + slope * np.float32(0.35))
        )
    return rock


def _vigour(ground: Ground, surface: Surface, rock: Raster) -> Raster:
    """Greener where water gathers, along shores, and in patches; less so on slopes and rock."""
    frame, dryness = ground.frame, ground.palette.dryness
    usual = {Climate.ARID: 0.02, Climate.STEPPE: 0.45, Climate.SAVANNA: 0.6, Climate.MEDITERRANEAN: 0.62}
    level = usual.get(ground.site.climate, 0.9)
    moist = exact.log10(np.maximum(ground.drainage.area_m2, 1)) - np.float32(2 * math.log10(frame.cell_m))
    out = np.float32(0.08) * frame.refine(cv2.GaussianBlur(moist, (0, 0), 1.6))
    patch = frame.noise("patches", 420.0, 2.5 * frame.gsd_m, 1.25)
    out += np.float32(level) + np.float32(0.17 if level > 0.1 else 0.05) * patch
    shore = surface.shore_m.astype(np.float32)
    out += np.float32(0.3) * exact.exp(np.minimum(-shore, 0) * np.float32(1 / 45.0)) * (shore > 0)
    out -= surface.slope * np.float32(0.25 + 0.3 * dryness)
    return np.clip(out - np.float32(0.5) * rock, 0, 1)


def _paint_wild(
    ground: Ground, surface: Surface, estate: Estate, vigour: Raster, rock: Raster, high: Raster | None
) -> Bytes8:
    """What grows where nobody farms or builds."""
    crumble = surface.crumble.astype(np.float32)
    out = np.full(rock.shape, GRASS, np.uint8)
    bushy = vigour + np.float32(0.25) * crumble
    low, top = (0.42, 0.72) if ground.palette.dryness > 0.5 else (0.5, 0.62)
    out[(bushy > low) & (bushy < top)] = SHRUB
    out[(vigour < 0.17) & (crumble < 1.2)] = BARE
    out[rock > 0.5] = BARE
    wooded = estate.wooded + np.float32(0.35) * crumble
    if high is not None:
        wooded -= 9 * np.clip(high - np.float32(0.1), 0, 1)
        out[(high + np.float32(0.03) * crumble > _snowline(ground)) & (rock < 0.97)] = SNOW
    out[(wooded > 0) & (rock < (0.3 if ground.site.climate is Climate.ARID else 0.8))] = FOREST
    return out


def _snowline(ground: Ground) -> float:
    """Where snow stays, as a share of the way from treeline to summit; over 1 in summer."""
    return 0.45 + 0.75 * ground.site.season


def _find_farmed(frame: Frame, surface: Surface, estate: Estate) -> Mask:
    holdings, labels = estate.holdings, estate.labels
    farmed = estate.is_used_as(FIELD) & (surface.slope < 0.34) & (surface.shore_m > 4)
    if (holdings.pivot_m > 0).any():
        reach = holdings.pivot_m[labels]
        farmed &= (reach == 0) | (_from_middle(frame, estate) < reach)
    return farmed


def _from_middle(frame: Frame, estate: Estate) -> Raster:
    axis = (np.arange(frame.size, dtype=np.float32) + 0.5) * np.float32(frame.gsd_m)
    middle = estate.holdings.middle
    x = axis[None, :] - middle[:, 0][estate.labels]
    out: Raster = np.hypot(x, axis[:, None] - middle[:, 1][estate.labels])
    return out


def _paint_shores(classes: Bytes8, ground: Ground, surface: Surface, estate: Estate) -> None:
    """Reeds around still water, beaches where the coast is gentle, cliffs where it is steep."""
    frame, site = ground.frame, ground.site
    shore, crumble = surface.shore_m.astype(np.float32), surface.crumble
    reeds = frame.noise("reeds", 500.0, 30.0, 1.6)
    marsh = (shore > 0) & (shore < np.maximum(reeds, -0.6) * 9 + 7 + 2 * crumble) & (surface.slope < 0.12)
    if site.archetype is Archetype.DELTA:
        low = reeds + np.float32(0.3) * crumble > 0.2 + shore * np.float32(1 / 260)
        marsh |= (shore > 0) & low & estate.is_used_as(WILD)
    if site.climate is not Climate.ARID:
        classes[marsh & (classes != TOWN) & (classes != FOREST)] = MARSH
    if not surface.sea.any():
        return
    to_sea = distance_m(surface.sea, frame.gsd_m)
    width = np.float32(9) + np.float32(17) * frame.noise("beach", 900.0, 90.0, 1.8) - surface.slope * 60
    width -= 26 * smoothstep(0.38, 0.16, surface.exposure.astype(np.float32))
    beach = (to_sea < np.maximum(width, 0) + 2 * crumble) & (shore > 0)
    classes[beach] = SAND
    classes[(to_sea < 26) & (shore > 0) & ~beach & (surface.slope > 0.2)] = BARE

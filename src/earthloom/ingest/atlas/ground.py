"""The bare ground on coarse cells: place and character are drawn, water laid out, relief grown to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from earthloom.core.seeds import make_rng
from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.character import Character, draw_character
from earthloom.ingest.atlas.frame import Frame, Raster, smoothstep
from earthloom.ingest.atlas.palette import Palette, draw_palette
from earthloom.ingest.atlas.relief import Drainage, Terms, grow_relief
from earthloom.ingest.atlas.site import Archetype, Climate, Site, draw_site
from earthloom.ingest.atlas.water import WaterPlan, plan_water

_GOLDEN = 0.6180339887498949
"""Fraction of the golden ratio: its multiples spread most evenly over the unit interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What all later steps build on; rasters are coarse."""

    frame: Frame
    site: Site
    character: Character
    palette: Palette
    plan: WaterPlan
    drainage: Drainage
    height_m: Raster
    """Elevation without the corners of the cells."""
    slope: Raster
    """Rise over run."""
    wet: Raster
    """1 on water, 0 on land."""
    dry_streams: bool
    """Streams carry water only after rain: their beds are sand."""
    alpine: bool
    """The range rises above the trees."""


def find_site(frame: Frame) -> Site:
    """Place and time of a scene; neighbouring scene numbers get different archetypes."""
    start = float(make_rng(frame.seed, "atlas").random())
    return draw_site(frame.rng("site"), (start + frame.number * _GOLDEN) % 1.0)


def lay_ground(frame: Frame) -> Ground:
    """Draw place and character, then the ground from the water up."""
    site = find_site(frame)
    character = draw_character(frame.rng("character"), site)
    plan = plan_water(frame, character, site.archetype is Archetype.DELTA)
    drainage = grow_relief(_set_terms(frame, character, plan))
    height = cv2.GaussianBlur(drainage.elevation_m, (0, 0), 0.8)
    gy, gx = np.gradient(cv2.GaussianBlur(height, (0, 0), 1.5), frame.cell_m)
    is_arid = site.climate is Climate.ARID
    return Ground(
        frame=frame,
        site=site,
        character=character,
        palette=draw_palette(frame.rng("palette"), site),
        plan=plan,
        drainage=drainage,
        height_m=height,
        slope=np.hypot(gx, gy).astype(np.float32),
        wet=_find_water(frame, plan),
        dry_streams=is_arid or (site.climate is Climate.STEPPE and character.river_km2 == 0),
        alpine=_is_alpine(frame, site, character),
    )


def _set_terms(frame: Frame, character: Character, plan: WaterPlan) -> Terms:
    """How steep the land may be where: flat along the water, hilly where noise says so."""
    n = frame.n_coarse
    hills = frame.coarse_noise("hills", 0.8 * frame.extent_m, frame.cell_m * 8, 1.9)
    hilly = smoothstep(-0.7, 0.7, hills + np.float32((character.hills - 0.5) * 3))
    valley = 60 + 16 * math.sqrt(character.river_km2) if character.hills < 0.8 else 40.0
    valley = min(valley, 0.2 * frame.extent_m)
    hilly *= smoothstep(0.12 * valley, 1.2 * valley, plan.away_m + np.float32(0.25 * valley) * hills)
    hard = exact.exp(
        np.float32(0.3) * frame.coarse_noise("rocks", 0.3 * frame.extent_m, frame.cell_m * 4, 1.5)
    )
    repose = np.float32(0.55) + np.float32(0.14) * frame.coarse_noise("repose", 600, frame.cell_m * 4, 1.5)
    return Terms(
        cell_m=frame.cell_m,
        steepness=np.float32(0.25) + hilly * hard * np.float32(character.steepness),
        repose=np.clip(repose, 0.3, 1.1),
        base_m=plan.base_m,
        hollow=plan.hollow > 0,
        roughness=frame.coarse_noise("network", frame.extent_m, 0, 1.2),
        grain=frame.rng("grain").standard_normal((n, n), dtype=np.float32),
        hillslope_m2=max(60.0, 2 * frame.cell_m) ** 2,
    )


def _find_water(frame: Frame, plan: WaterPlan) -> Raster:
    wet = (plan.hollow > 0).astype(np.uint8)
    if plan.sea is not None:
        wet |= plan.sea < 0
    for river in plan.rivers:
        cells = np.round(frame.to_cells(river.points)).astype(np.int32)
        thick = max(1, round(float(np.median(river.width_m)) / frame.cell_m + 0.5))
        cv2.polylines(wet, [cells.reshape(-1, 1, 2)], isClosed=False, color=1, thickness=thick)
    return wet.astype(np.float32)


def _is_alpine(frame: Frame, site: Site, character: Character) -> bool:
    cold = site.climate in (Climate.TEMPERATE, Climate.BOREAL, Climate.STEPPE)
    is_high = site.archetype is Archetype.MOUNTAIN and character.steepness > 15
    return cold and is_high and bool(frame.rng("alpine").random() < 0.65)

"""A whole landscape: relief, water, what grows, what people built. No colour and no radar yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.ingest.atlas.built import Built, build
from earthloom.ingest.atlas.cover import Cover, paint_cover
from earthloom.ingest.atlas.estate import Estate, divide_land
from earthloom.ingest.atlas.frame import Frame, Points, Raster
from earthloom.ingest.atlas.ground import Ground, lay_ground
from earthloom.ingest.atlas.planting import Plants, plant
from earthloom.ingest.atlas.surface import Surface, shape_surface
from earthloom.ingest.atlas.towns import Town, plan_roads, settle_towns, town_potential


@dataclass(frozen=True, kw_only=True, slots=True)
class Landscape:
    """Everything known about a scene."""

    ground: Ground
    surface: Surface
    towns: tuple[Town, ...]
    roads: tuple[Points, ...]
    """Middle lines of the main roads."""
    estate: Estate
    cover: Cover
    built: Built
    plants: Plants

    @property
    def frame(self) -> Frame:
        """The scene's grid."""
        return self.ground.frame


def make_landscape(frame: Frame) -> Landscape:
    """Make the landscape that a seed and number stand for."""
    ground = lay_ground(frame)
    surface = shape_surface(ground)
    towns = settle_towns(frame, ground.character, ground.slope, ground.plan.away_m, ground.wet)
    potential = town_potential(frame, towns, ground.slope)
    roads = plan_roads(frame, towns, ground.slope, _crossing(ground), _wildness(ground))
    estate = divide_land(ground, surface, potential)
    cover = paint_cover(ground, surface, estate)
    built = build(ground, surface, estate, cover, potential, roads)
    plants = plant(ground, surface, estate, cover, built)
    return Landscape(
        ground=ground,
        surface=surface,
        towns=towns,
        roads=roads,
        estate=estate,
        cover=cover,
        built=built,
        plants=plants,
    )


def _crossing(ground: Ground) -> Raster:
    """Price of building over water: a bridge over a river, ten over the sea."""
    if ground.plan.sea is None:
        return ground.wet
    return ground.wet + np.where(ground.plan.sea < 0, np.float32(9), np.float32(0))


def _wildness(ground: Ground) -> float:
    """Chance that a land without towns has no road either."""
    return 0.25 + 0.5 * (ground.character.farms < 0.3)

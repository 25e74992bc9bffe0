"""The ground divided and put to use: parcels on the scene's pixels, and what each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.crops import draw_crops
from earthloom.ingest.atlas.fields import BLOCK, FIELD, Holdings, assign, draw_custom, parcel_means
from earthloom.ingest.atlas.frame import Half, Points, Raster, distance_m
from earthloom.ingest.atlas.ground import Ground
from earthloom.ingest.atlas.parcels import Bend, Parcels, bend_cuts, bend_polygons, divide, paint_labels
from earthloom.ingest.atlas.surface import Surface


@dataclass(frozen=True, kw_only=True, slots=True)
class Estate:
    """Parcels and their use."""

    parcels: Parcels
    holdings: Holdings
    corners: list[Points]
    """Of each parcel, on the ground."""
    cuts: list[Points]
    """Boundaries between parcels, on the ground, as in `parcels.cuts`."""
    field_m2: float
    """Usual area of a field."""
    labels: NDArray[np.int32]
    """Index of the parcel at each pixel."""
    edge_m: Half
    """Distance to the nearest boundary."""
    wooded: Half
    """Over 0 where wood grows on what nobody uses."""

    def is_used_as(self, use: int) -> NDArray[np.bool_]:
        """Pixels of parcels of one use."""
        out: NDArray[np.bool_] = (self.holdings.use == use)[self.labels]
        return out


def divide_land(ground: Ground, surface: Surface, potential: Raster) -> Estate:
    """Cut the land into parcels and decide what each is; `potential` is the town's, coarse."""
    frame = ground.frame
    custom, area, pivots = draw_custom(frame, ground.site)
    farm, forest = _farm_field(ground, potential), frame.refine(_forest_field(ground))
    parcels = divide(frame, custom, _targets(ground, area, farm, potential))
    bend = Bend(frame, custom.bend_m)
    outlines, corners = bend_polygons(parcels, bend)
    labels = paint_labels(frame, outlines)
    rasters = {
        "slope": surface.slope,
        "wet": surface.water > 127,
        "farm": frame.refine(farm),
        "forest": forest,
    }
    means = parcel_means(frame, labels, len(outlines), rasters)
    middles = np.array([c.mean(axis=0) for c in corners])
    crops = draw_crops(ground.site, ground.palette, ground.character.trees)
    inside = frame.sample(potential, middles)
    return Estate(
        parcels=parcels,
        holdings=assign(frame, parcels, means, inside, crops, pivots),
        corners=corners,
        cuts=bend_cuts(parcels, bend),
        field_m2=area,
        labels=labels,
        edge_m=_edge_distance(labels, frame.gsd_m).astype(np.float16),
        wooded=forest.astype(np.float16),
    )


def _farm_field(ground: Ground, potential: Raster) -> Raster:
    """Over 0 where the land is farmed."""
    frame = ground.frame
    noise = frame.coarse_noise("farms", 0.6 * frame.extent_m, 150.0, 1.7)
    bias = np.float32(3.0 * (ground.character.farms - 0.42))
    field: Raster = bias + 0.8 * noise - ground.slope * 9 + 0.6 * np.clip(potential + 0.8, 0, 1)
    if ground.plan.sea is not None:
        field -= 1.5 * exact.exp(-np.maximum(ground.plan.sea, 0) / 0.04)
    return field


def _forest_field(ground: Ground) -> Raster:
    """Over 0 where wood grows on what is not farmed."""
    frame = ground.frame
    noise = frame.coarse_noise("forest", 0.35 * frame.extent_m, 60.0, 1.35)
    bias = np.float32(3.4 * (ground.character.trees - 0.5))
    noise += bias
    noise += np.minimum(ground.slope * 2.5, 0.8)
    return noise


def _targets(ground: Ground, area: float, farm: Raster, potential: Raster) -> Raster:
    """Wanted area of a piece, m2: fields, town blocks, or large wild tracts."""
    frame = ground.frame
    vary = exact.exp(np.float32(0.45) * frame.coarse_noise("field size", 0.4 * frame.extent_m, 300.0, 1.8))
    out = np.where(farm > -1.3, np.float32(area) * vary, np.float32(max(16 * area, 3e5)))
    block = max(9000.0, (16 * frame.gsd_m) ** 2)
    town = block * np.where(potential > 0.75, 0.8, 1.0)
    return np.where(potential > -0.04, town, out).astype(np.float32)


def _edge_distance(labels: NDArray[np.int32], gsd_m: float) -> Raster:
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:, :] |= labels[1:, :] != labels[:-1, :]
    return np.minimum(distance_m(edge, gsd_m), np.float32(500))


__all__ = ["BLOCK", "FIELD", "Estate", "divide_land"]

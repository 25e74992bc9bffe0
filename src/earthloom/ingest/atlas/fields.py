"""What people do with each parcel, and the marks it leaves: rows, passes of machines, pivots."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas.crops import Crop
from earthloom.ingest.atlas.frame import Frame
from earthloom.ingest.atlas.parcels import Custom, Parcels
from earthloom.ingest.atlas.site import Climate, Site

WILD, FIELD, BLOCK = 0, 1, 2
"""Use of a parcel: nature, a field, a town block."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """One row a parcel; arrays of length n."""

    use: NDArray[np.uint8]
    crop: NDArray[np.int64]
    """Index into `crops`; meaningless unless `use` is FIELD."""
    crops: tuple[Crop, ...]
    colour: NDArray[np.float32]
    """(n, 4) reflectance."""
    normal: NDArray[np.float32]
    """(n, 2) unit vector across the rows."""
    spacing_m: NDArray[np.float32]
    contrast: NDArray[np.float32]
    """Of rows, as a share of reflectance."""
    lift_db: NDArray[np.float32]
    """Backscatter above the crop's mean."""
    middle: NDArray[np.float32]
    """(n, 2) metres."""
    pivot_m: NDArray[np.float32]
    """Radius of the irrigated circle; 0 for ordinary fields."""
    potential: NDArray[np.float32]
    """Of the town, at the parcel's middle."""


def draw_custom(frame: Frame, site: Site) -> tuple[Custom, float, float]:
    """How land is divided here, the area of a field in m2, and the share of centre pivots."""
    rng = frame.rng("custom")
    new_world = site.lon < -60 or (site.lon > 110 and site.lat < -10)
    regular, hectares, aspect, pivots = 0.35, 4.0, 1.9, 0.0
    if site.climate in (Climate.TEMPERATE, Climate.BOREAL):
        regular, hectares = (0.97, 14.0) if new_world else (float(rng.uniform(0.1, 0.6)), 4.5)
    elif site.climate is Climate.STEPPE:
        regular, hectares, pivots = 0.95, 24.0, 0.5 * float(rng.random() < 0.6)
    elif site.climate is Climate.ARID:
        regular, hectares, pivots = 0.8, 3.0, float(rng.choice([0.0, 0.85]))
    elif site.climate is Climate.MEDITERRANEAN:
        regular, hectares = (0.9, 10.0) if new_world else (0.25, 2.6)
    elif site.climate is Climate.SAVANNA:
        regular, hectares = (0.85, 22.0) if new_world else (0.15, 2.2)
    else:
        regular, hectares, aspect = 0.45, 1.3, 2.6
    hectares *= float(np.exp(rng.normal(0, 0.35)))
    if pivots:
        hectares, aspect = max(hectares, 20.0), 1.3
    area = float(np.clip(hectares * 1e4, frame.extent_m**2 / 3500, frame.extent_m**2 / 24))
    custom = Custom(
        regular=regular,
        aspect=aspect * float(rng.uniform(0.8, 1.4)) if not pivots else aspect,
        angle=float(rng.normal(0, 0.03)) if regular > 0.9 else float(rng.uniform(0, math.pi)),
        bend_m=0.0 if regular > 0.8 else (1 - regular) * float(rng.uniform(15, 45)),
    )
    return custom, area, pivots


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """Means over each parcel, arrays of length n."""

    count: NDArray[np.float64]
    slope: NDArray[np.float64]
    wet: NDArray[np.float64]
    farm: NDArray[np.float64]
    forest: NDArray[np.float64]
    col: NDArray[np.float64]
    row: NDArray[np.float64]


def parcel_means(
    frame: Frame, labels: NDArray[np.int32], n: int, rasters: Mapping[str, NDArray[Any]]
) -> Means:
    """Means of fine rasters by parcel, from every third pixel each way."""
    step = 3 if frame.size >= 300 else 1
    thin = labels[::step, ::step].ravel()
    count = np.bincount(thin, minlength=n).astype(np.float64)
    safe = np.maximum(count, 1)
    rows, cols = np.divmod(np.arange(thin.size), -(-frame.size // step))

    def mean(values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.bincount(thin, values.ravel(), minlength=n) / safe

    values = {name: mean(raster[::step, ::step]) for name, raster in rasters.items()}
    return Means(count=count, col=mean(cols * step), row=mean(rows * step), **values)


def assign(
    frame: Frame,
    parcels: Parcels,
    means: Means,
    potential: NDArray[np.float32],
    crops: tuple[Crop, ...],
    pivots: float,
) -> Holdings:
    """Decide the use and the crop of every parcel."""
    rng = frame.rng("holdings")
    n = len(parcels.polygons)
    use = np.full(n, WILD, np.uint8)
    use[(means.farm > 0) & (means.slope < 0.22) & (means.wet < 0.45)] = FIELD
    use[(potential > 0) & (means.wet < 0.6) & (means.slope < 0.3)] = BLOCK
    crop = _draw_crops(rng, crops, means)
    side = np.sqrt(parcels.areas_m2)
    with_pivot = (rng.random(n) < pivots) & (use == FIELD) & (side > 180)
    green = [
        i for i, c in enumerate(crops) if c.name in ("tall", "green cereal", "meadow", "young", "ripe cereal")
    ]
    crop = np.where(with_pivot, rng.choice(green, n), crop)
    base = np.array([c.colour for c in crops], np.float32)[crop]
    spread = np.array([c.spread for c in crops])[crop]
    gain = np.exp(rng.normal(0, 1, n) * spread)[:, None] * np.exp(rng.normal(0, 0.035, (n, 4)))
    turn = np.where(rng.random(n) < 0.15, math.pi / 2, 0.0)
    angle = parcels.angles + turn
    spacing = _row_spacing(rng, frame.gsd_m, [crops[i].name for i in crop])
    return Holdings(
        use=use,
        crop=crop,
        crops=crops,
        colour=(base * gain).astype(np.float32),
        normal=np.stack([-np.sin(angle), np.cos(angle)], axis=1).astype(np.float32),
        spacing_m=spacing,
        contrast=np.array([c.rows for c in crops], np.float32)[crop],
        lift_db=rng.normal(0, 1.1, n).astype(np.float32),
        middle=np.stack([means.col + 0.5, means.row + 0.5], axis=1).astype(np.float32)
        * np.float32(frame.gsd_m),
        pivot_m=np.where(with_pivot, np.minimum(0.5 * side, 0.48 * parcels.widths_m), 0).astype(np.float32),
        potential=potential,
    )


def _draw_crops(rng: np.random.Generator, crops: tuple[Crop, ...], means: Means) -> NDArray[np.int64]:
    """A crop for each parcel: woods where the ground is steep or wooded, meadows where it is wet or steep."""
    n = len(means.count)
    weights = np.tile([max(c.weight, 0.0) for c in crops], (n, 1))
    names = [c.name for c in crops]
    wood = names.index("wood")
    weights[:, wood] *= np.exp(np.clip(1.3 * means.forest + 8 * means.slope, -3, 3))
    for name in ("meadow", "pasture"):
        weights[:, names.index(name)] *= 1 + 14 * means.slope
    total = np.cumsum(weights, axis=1)
    chosen: NDArray[np.int64] = (rng.random((n, 1)) * total[:, -1:] > total).sum(axis=1)
    return chosen


def _row_spacing(rng: np.random.Generator, gsd_m: float, names: list[str]) -> NDArray[np.float32]:
    """Distance between what shows as rows: vines, or the passes of machines; never under what a pixel resolves."""
    passes = rng.choice([6.0, 8.0, 9.0, 12.0], len(names))
    wide = np.array([2.6 if name == "vineyard" else 0.0 for name in names])
    spacing = np.where(wide > 0, wide, passes)
    least = 2.9 * gsd_m
    return np.where(spacing < least, least * rng.uniform(1.0, 1.5, len(names)), spacing).astype(np.float32)

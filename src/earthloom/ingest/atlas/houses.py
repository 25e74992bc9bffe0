"""Houses: along the streets of town blocks, in their hearts, and on farms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas.frame import Frame, Points
from earthloom.ingest.atlas.site import Climate, Site

Table = NDArray[np.float64]
"""(n, 8): x, y, angle, length, width, height, pitched, tint."""


@dataclass(frozen=True, slots=True)
class Houses:
    """Buildings as rectangles; arrays of length n."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    angle: NDArray[np.float64]
    """Of the longer side (the ridge), radians."""
    length_m: NDArray[np.float64]
    width_m: NDArray[np.float64]
    height_m: NDArray[np.float64]
    pitched: NDArray[np.bool_]
    tint: NDArray[np.float64]
    """0 to 1: which of the region's roofs."""

    def select(self, keep: NDArray[np.bool_]) -> Houses:
        """Those where `keep` is True."""
        return Houses(*(getattr(self, name)[keep] for name in self.__slots__))

    def joined(self, other: Houses) -> Houses:
        """These and others."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Houses(*(np.concatenate(pair) for pair in pairs))

    def corners(self, part: tuple[float, float] = (-1.0, 1.0)) -> NDArray[np.float64]:
        """Corners, (n, 4, 2) metres, of the part of the width between two places from -1 to 1."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        u, v = self.length_m / 2, self.width_m / 2
        low, high = part
        places = ((-1, low), (1, low), (1, high), (-1, high))
        return np.stack(
            [
                np.stack([self.x + a * u * c - b * v * s, self.y + a * u * s + b * v * c], axis=1)
                for a, b in places
            ],
            axis=1,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How a region builds."""

    spacing_m: float
    """Between the middles of neighbouring houses along a street."""
    setback_m: float
    """From the middle of the street to the front."""
    length_m: float
    depth_m: float
    pitched: float
    """Share of houses with a ridge."""
    farms: float
    """Share of fields with a farmstead."""


_STYLES = {
    Climate.TROPICAL: Style(spacing_m=14, setback_m=8, length_m=11, depth_m=8, pitched=0.8, farms=0.03),
    Climate.SAVANNA: Style(spacing_m=16, setback_m=9, length_m=11, depth_m=8, pitched=0.6, farms=0.04),
    Climate.ARID: Style(spacing_m=16, setback_m=8, length_m=14, depth_m=12, pitched=0.03, farms=0.02),
    Climate.MEDITERRANEAN: Style(
        spacing_m=16, setback_m=8, length_m=13, depth_m=10, pitched=0.75, farms=0.05
    ),
    Climate.BOREAL: Style(spacing_m=24, setback_m=12, length_m=13, depth_m=9, pitched=0.95, farms=0.07),
    Climate.TEMPERATE: Style(spacing_m=19, setback_m=11, length_m=13, depth_m=9.5, pitched=0.92, farms=0.05),
    Climate.STEPPE: Style(spacing_m=20, setback_m=11, length_m=13, depth_m=9.5, pitched=0.85, farms=0.04),
}


def find_style(site: Site) -> Style:
    """The region's way of building."""
    return _STYLES[site.climate]


def _to_houses(tables: Sequence[Table]) -> Houses:
    table = np.concatenate([np.zeros((0, 8)), *tables])
    x, y, angle, length, width, height, pitched, tint = table.T
    return Houses(x, y, angle, length, width, height, pitched > 0.5, tint)


def build_blocks(
    frame: Frame, outlines: Sequence[Points], potentials: NDArray[np.float32], style: Style
) -> Houses:
    """Houses along the edges of town blocks; large buildings in the heart of the town and here and there.

    `outlines` are the corners of convex blocks, `potentials` the town's at their middles. One block in sixteen
    stays open.
    """
    rng = frame.rng("houses")
    tables = []
    for outline, potential in zip(outlines, potentials, strict=True):
        chance = rng.random()
        if chance < 0.06:
            continue
        if potential > 0.72 or (chance > 0.88 and potential > 0.1):
            tables.append(_large_buildings(rng, outline, frame.gsd_m))
        else:
            tables.append(_house_rows(rng, outline, style, float(potential), frame.gsd_m))
    return _to_houses(tables)


def _house_rows(
    rng: np.random.Generator, outline: Points, style: Style, potential: float, gsd_m: float
) -> Table:
    """A row of houses facing each side of a block that has room for one."""
    sides = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    middle = outline.mean(axis=0)
    spacing = max(style.spacing_m * (1.25 - 0.35 * potential), 2.6 * gsd_m)
    depth = max(style.depth_m, 1.4 * gsd_m)
    clear = style.setback_m + depth
    rows = [np.zeros((0, 8))]
    for corner, side, length in zip(outline, sides, lengths, strict=True):
        n = int((length - 2 * clear + spacing * 0.5) // spacing)
        if n < 1:
            continue
        along = side / length
        normal = np.array([-along[1], along[0]])
        room = float(normal @ (middle - corner))
        if abs(room) < style.setback_m + depth * 0.35:
            continue
        at = (
            length / 2
            + (np.arange(n) - (n - 1) / 2) * ((length - 2 * clear) / n)
            + rng.normal(0, 0.06 * spacing, n)
        )
        back = style.setback_m + depth / 2 + np.abs(rng.normal(0, 1.3, n))
        centre = corner + at[:, None] * along + (back * math.copysign(1, room))[:, None] * normal
        rows.append(_houses_at(rng, centre, math.atan2(along[1], along[0]), style, (spacing * 0.86, depth)))
    return np.concatenate(rows)


def _houses_at(
    rng: np.random.Generator, centre: Points, angle: float, style: Style, room_m: tuple[float, float]
) -> Table:
    """Detached houses at (n, 2) places along a street; a few plots stay empty."""
    n = len(centre)
    size = np.exp(rng.normal(0, 0.14, (n, 2)))
    length = np.clip(style.length_m * size[:, 0], 0, room_m[0])
    turned = np.where(rng.random(n) < 0.2, math.pi / 2, 0.0) + rng.normal(0, 0.03, n)
    columns = [
        centre[:, 0],
        centre[:, 1],
        angle + turned,
        length,
        np.minimum(room_m[1] * size[:, 1], length),
        rng.uniform(4.5, 7.5, n),
        rng.random(n) < style.pitched,
        rng.random(n),
    ]
    return np.stack(columns, axis=1)[rng.random(n) < 0.93]


def _large_buildings(rng: np.random.Generator, outline: Points, gsd_m: float) -> Table:
    """Halls, flats and shops on a lattice along the block's longer side."""
    sides = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    along = sides[int(np.argmax(lengths))] / lengths.max()
    axes = np.stack([along, [-along[1], along[0]]], axis=1)
    middle = outline.mean(axis=0)
    local = (outline - middle) @ axes
    low, span = local.min(axis=0) + 11, np.ptp(local, axis=0) - 22
    if (span < max(14, 3 * gsd_m)).any():
        return np.zeros((0, 8))
    n = np.maximum(1, np.round(span / rng.uniform(32, 60, 2))).astype(int)
    u, v = np.meshgrid(*((np.arange(k) + 0.5) / k for k in n))
    centre = middle + (low + np.stack([u.ravel(), v.ravel()], axis=1) * span) @ axes.T
    count = len(centre)
    sizes = span / n * rng.uniform(0.55, 0.9, (count, 2))
    turned = np.where(sizes[:, 1] > sizes[:, 0], math.pi / 2, 0.0)
    columns = [
        centre[:, 0],
        centre[:, 1],
        math.atan2(along[1], along[0]) + turned,
        sizes.max(axis=1),
        sizes.min(axis=1),
        rng.uniform(6, 15) * np.exp(rng.normal(0, 0.2, count)),
        np.zeros(count),
        rng.random(count),
    ]
    return np.stack(columns, axis=1)[(rng.random(count) < 0.9) & _is_inside(outline, centre, 12.0)]


def _is_inside(outline: Points, points: Points, margin_m: float) -> NDArray[np.bool_]:
    """Whether points lie inside a convex outline, some way from its sides."""
    sides = np.roll(outline, -1, axis=0) - outline
    normals = np.stack([-sides[:, 1], sides[:, 0]], axis=1) / np.hypot(sides[:, 0], sides[:, 1])[:, None]
    away = np.einsum("pcd,cd->pc", points[:, None, :] - outline[None], normals)
    inward = np.sign(np.einsum("cd,cd->c", outline.mean(axis=0) - outline, normals))
    out: NDArray[np.bool_] = (away * inward > margin_m).all(axis=1)
    return out


def build_farms(frame: Frame, outlines: Sequence[Points], style: Style) -> Houses:
    """Farmsteads near a corner of some fields: a house and a few sheds around a yard."""
    rng = frame.rng("farms")
    tables = []
    for outline in outlines:
        if rng.random() >= style.farms:
            continue
        k = int(rng.integers(len(outline)))
        inward = outline.mean(axis=0) - outline[k]
        reach = float(np.hypot(*inward))
        if reach < 70:
            continue
        yard = outline[k] + inward / reach * rng.uniform(34, 48)
        along = outline[(k + 1) % len(outline)] - outline[k]
        tables.append(_farmstead(rng, yard, math.atan2(along[1], along[0])))
    return _to_houses(tables)


def _farmstead(rng: np.random.Generator, yard: Points, angle: float) -> Table:
    n = int(rng.integers(2, 6))
    around = angle + rng.permutation(4)[np.arange(n) % 4] * (math.pi / 2)
    away = rng.uniform(14, 19, n) + 13 * (np.arange(n) // 4)
    length = np.where(np.arange(n) == 0, rng.uniform(12, 16, n), rng.uniform(16, 38, n))
    columns = [
        yard[0] + away * np.cos(around),
        yard[1] + away * np.sin(around),
        around + math.pi / 2,
        length,
        np.where(np.arange(n) == 0, 9.5, rng.uniform(9, 15, n)),
        rng.uniform(5, 8, n),
        rng.random(n) < 0.7,
        rng.random(n),
    ]
    return np.stack(columns, axis=1)

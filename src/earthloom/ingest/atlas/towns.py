"""Towns: where they stand, the roads between them, and their houses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from earthloom.ingest.atlas.character import Character
from earthloom.ingest.atlas.frame import Frame, Points, Raster
from earthloom.ingest.atlas.relief import grid_graph
from earthloom.ingest.atlas.ribbon import resample_curve, smooth_curve


@dataclass(frozen=True, slots=True)
class Town:
    """A settlement."""

    x: float
    y: float
    radius_m: float


def found_towns(frame: Frame, character: Character, slope: Raster, away_m: Raster, wet: Raster) -> tuple[Town, ...]:
    """Choose level, dry places, near water but not in it, away from each other; largest first."""
    rng = frame.rng("towns")
    scale = max(1.0, frame.extent_m / 2000.0)
    count = int(min(14, rng.poisson(character.towns * scale**0.9)))
    if character.town_km2 > 0.8:
        count = max(count, 1)
    towns: list[Town] = []
    tries = rng.uniform(0.06, 0.94, (80, 2)) * frame.extent_m
    steep, near, damp = (frame.sample(r, tries) for r in (slope, away_m, wet))
    worth = -30 * steep - 3.0 * (damp > 0) - 0.6 * np.clip(near / 800 - 0.15, 0, 1) + 0.4 * rng.random(80)
    for rank in range(count):
        area = character.town_km2 * scale**0.7 * (1.0 if rank == 0 else rng.uniform(0.05, 0.35))
        radius = min(math.sqrt(area * 1e6 / math.pi), 0.40 * frame.extent_m)
        apart = [np.hypot(tries[:, 0] - t.x, tries[:, 1] - t.y) - 1.1 * t.radius_m for t in towns]
        clear = np.min(apart, axis=0) - radius if apart else np.full(len(tries), 1e9)
        score = worth - 5.0 * (clear < 0)
        best = int(np.argmax(score))
        if score[best] < -3.0:
            break
        towns.append(Town(float(tries[best, 0]), float(tries[best, 1]), radius))
        worth[best] = -99
    return tuple(towns)


def town_potential(frame: Frame, towns: tuple[Town, ...], slope: Raster) -> Raster:
    """1 in the heart of a town, 0 at its edge, under 0 outside; ragged, and shy of slopes. Coarse cells."""
    n = frame.n_coarse
    axis = frame.to_metres(np.stack([np.arange(n, dtype=np.float64)] * 2, axis=1))[:, 0].astype(np.float32)
    out = np.full((n, n), -1.0, np.float32)
    if not towns:
        return out
    ragged = frame.coarse_noise("town edge", 900.0, 120.0, 1.5)
    for town in towns:
        away = np.hypot(axis[None, :] - np.float32(town.x), axis[:, None] - np.float32(town.y))
        own = 1 - away / np.float32(town.radius_m) + np.float32(0.22) * ragged * np.minimum(1, away / town.radius_m)
        np.maximum(out, own, out=out)
    return out - np.clip((slope - np.float32(0.12)) * 6, 0, 1.5)


def plan_roads(frame: Frame, towns: tuple[Town, ...], slope: Raster, wet: Raster, wild: float) -> tuple[Points, ...]:
    """Main roads: each town to the next one and out of the scene, by the cheapest way over the ground.

    `wet` is 1 on rivers and more on the sea (to be bridged at a price), `wild` the chance that a scene without towns has no road.
    """
    rng = frame.rng("roads")
    step = max(1, frame.n_coarse // 180)
    cost = _travel_cost(frame, slope, wet, step)
    stops = [_cell_of(frame, (t.x, t.y), step, cost.shape[0]) for t in towns]
    gates = _gates(rng, cost)
    if not towns:
        if rng.random() < wild:
            return ()
        pairs = [(gates[0], gates[1])]
    else:
        pairs = [(stops[0], gates[0]), (stops[0], gates[1])]
        pairs += [(stops[k], _nearest(stops[:k], stops[k])) for k in range(1, len(stops))]
        if len(towns) > 2:
            pairs.append((stops[-1], gates[2]))
    return tuple(_lay_roads(frame, cost, pairs, step))


def _travel_cost(frame: Frame, slope: Raster, wet: Raster, step: int) -> NDArray[np.float64]:
    rough = frame.coarse_noise("way", frame.extent_m / 2, frame.cell_m * 6, 1.6)
    cost = 1 + np.minimum((slope / 0.05) ** 2, 60) + 14 * wet
    cost = cost * np.exp(0.3 * rough)
    n = cost.shape[0] // step
    return cv2.resize(cost.astype(np.float32), (n, n), interpolation=cv2.INTER_AREA).astype(np.float64)


def _cell_of(frame: Frame, point: tuple[float, float], step: int, n: int) -> int:
    col, row = np.clip(np.round((frame.to_cells(np.array([point])) - (step - 1) / 2) / step)[0], 0, n - 1).astype(int)
    return int(row) * n + int(col)


def _gates(rng: np.random.Generator, cost: NDArray[np.float64]) -> list[int]:
    """Cells on the rim, cheap to cross, about opposite each other."""
    n = cost.shape[0]
    angle = rng.uniform(0, 2 * math.pi)
    gates = []
    for turn in (0.0, math.pi + rng.uniform(-0.7, 0.7), math.pi / 2):
        options = angle + turn + np.linspace(-0.35, 0.35, 15)
        reach = (n / 2 - 1) / np.maximum(np.abs(np.cos(options)), np.abs(np.sin(options)))
        cols = np.clip(n / 2 + reach * np.cos(options), 0, n - 1).astype(int)
        rows = np.clip(n / 2 + reach * np.sin(options), 0, n - 1).astype(int)
        best = int(np.argmin(cost[rows, cols]))
        gates.append(int(rows[best]) * n + int(cols[best]))
    return gates


def _nearest(stops: list[int], stop: int) -> int:
    return min(stops, key=lambda other: abs(other - stop))


def _lay_roads(
    frame: Frame, cost: NDArray[np.float64], pairs: list[tuple[int, int]], step: int
) -> list[Points]:
    """One curve for each pair; a way that is already built is cheaper to go along."""
    n = cost.shape[0]
    roads = []
    cost = cost.copy()
    for start, end in pairs:
        if start == end:
            continue
        _, before = dijkstra(grid_graph(cost), directed=False, indices=end, return_predecessors=True)
        path = [start]
        while path[-1] != end and before[path[-1]] >= 0:
            path.append(int(before[path[-1]]))
        cells = np.array([(i % n, i // n) for i in path], np.float64) * step + (step - 1) / 2
        cost[np.array(path) // n, np.array(path) % n] *= 0.25
        points = smooth_curve(frame.to_metres(cells), 4.0)
        roads.append(resample_curve(points, max(8.0, 3 * frame.gsd_m)))
    return roads


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

    def corners(self, width_share: tuple[float, float] = (-1.0, 1.0)) -> NDArray[np.float64]:
        """(n, 4, 2) corners, metres; `width_share` cuts out part of the width, -1 to 1."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        u, v = self.length_m / 2, self.width_m / 2
        low, high = width_share
        parts = []
        for a, b in ((-1, low), (1, low), (1, high), (-1, high)):
            parts.append(np.stack([self.x + a * u * c - b * v * s, self.y + a * u * s + b * v * c], axis=1))
        return np.stack(parts, axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Building:
    """How a region builds."""

    spacing_m: float
    """Between the middles of neighbouring houses along a street."""
    setback_m: float
    """From the middle of the street to the front."""
    length_m: float
    depth_m: float
    pitched: float
    """Share of houses with a ridge."""


def build_blocks(
    frame: Frame,
    outlines: list[NDArray[np.float64]],
    potentials: NDArray[np.float32],
    style: Building,
) -> Houses:
    """Houses along the edges of town blocks; large buildings in their heart and at their rim.

    `outlines` are the corners of convex blocks, `potentials` what `town_potential` gives at their middles.
    """
    rng = frame.rng("houses")
    rows: list[NDArray[np.float64]] = []
    for outline, potential in zip(outlines, potentials, strict=True):
        chance = rng.random()
        if chance < 0.06:
            continue
        if potential > 0.72 or (chance > 0.88 and potential > 0.1):
            rows.append(_large_buildings(rng, outline, frame.gsd_m))
        else:
            rows.append(_row_houses(rng, outline, style, float(potential), frame.gsd_m))
    table = np.concatenate(rows) if rows else np.zeros((0, 8))
    return Houses(*table[:, :6].T, table[:, 6] > 0.5, table[:, 7])


def _row_houses(
    rng: np.random.Generator, outline: NDArray[np.float64], style: Building, potential: float, gsd_m: float
) -> NDArray[np.float64]:
    """Houses facing each side of a block."""
    sides = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    middle = outline.mean(axis=0)
    spacing = max(style.spacing_m * (1.25 - 0.35 * potential), 2.6 * gsd_m)
    depth = max(style.depth_m, 1.4 * gsd_m)
    parts = [np.zeros((0, 8))]
    for corner, side, length in zip(outline, sides, lengths, strict=True):
        clear = style.setback_m + depth
        n = int((length - 2 * clear + spacing * 0.5) // spacing)
        if n < 1:
            continue
        along = side / length
        normal = np.array([-along[1], along[0]])
        if normal @ (middle - corner) < 0:
            normal = -normal
        room = float(normal @ (middle - corner))
        if room < style.setback_m + depth * 0.35:
            continue
        at = length / 2 + (np.arange(n) - (n - 1) / 2) * (length - 2 * clear) / max(n, 1)
        at = at + rng.normal(0, 0.06 * spacing, n)
        back = style.setback_m + depth / 2 + np.abs(rng.normal(0, 1.3, n))
        centre = corner + at[:, None] * along + back[:, None] * normal
        size = np.exp(rng.normal(0, 0.14, (n, 2)))
        long = np.clip(style.length_m * size[:, 0], 0, spacing * 0.86)
        angle = math.atan2(along[1], along[0]) + np.where(rng.random(n) < 0.2, math.pi / 2, 0.0)
        part = np.stack(
            [centre[:, 0], centre[:, 1], angle + rng.normal(0, 0.03, n), long, np.minimum(depth * size[:, 1], long),
             rng.uniform(4.5, 7.5, n), (rng.random(n) < style.pitched).astype(float), rng.random(n)], axis=1,
        )
        parts.append(part[rng.random(n) < 0.93])
    return np.concatenate(parts)


def _large_buildings(rng: np.random.Generator, outline: NDArray[np.float64], gsd_m: float) -> NDArray[np.float64]:
    """Halls, flats and shops on a lattice along the block's longer side."""
    sides = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    along = sides[int(np.argmax(lengths))] / lengths.max()
    normal = np.array([-along[1], along[0]])
    local = (outline - outline.mean(axis=0)) @ np.stack([along, normal], axis=1)
    low, high = local.min(axis=0) + 11, local.max(axis=0) - 11
    span = high - low
    if (span < max(14, 3 * gsd_m)).any():
        return np.zeros((0, 8))
    n = np.maximum(1, np.round(span / rng.uniform(32, 60, 2))).astype(int)
    step = span / n
    u, v = np.meshgrid(low[0] + (np.arange(n[0]) + 0.5) * step[0], low[1] + (np.arange(n[1]) + 0.5) * step[1])
    u, v = u.ravel(), v.ravel()
    count = len(u)
    sizes = step * rng.uniform(0.55, 0.9, (count, 2))
    flip = sizes[:, 1] > sizes[:, 0]
    centre = outline.mean(axis=0) + u[:, None] * along + v[:, None] * normal
    angle = math.atan2(along[1], along[0]) + np.where(flip, math.pi / 2, 0.0)
    out = np.stack(
        [centre[:, 0], centre[:, 1], angle, sizes.max(axis=1), sizes.min(axis=1),
         rng.uniform(6, 15) * np.exp(rng.normal(0, 0.2, count)), np.zeros(count), rng.random(count)], axis=1,
    )
    return out[(rng.random(count) < 0.9) & _inside(outline, centre)]


def _inside(outline: NDArray[np.float64], points: Points) -> NDArray[np.bool_]:
    """Whether points lie inside a convex outline, 12 m from its sides."""
    sides = np.roll(outline, -1, axis=0) - outline
    normal = np.stack([-sides[:, 1], sides[:, 0]], axis=1) / np.hypot(*sides.T)[:, None]
    away = (points[:, None, :] - outline[None]) @ normal.T
    away = np.einsum("pcd,cd->pc", points[:, None, :] - outline[None], normal)
    sign = np.sign(np.median(away, axis=1))[:, None]
    return (away * sign > 12).all(axis=1)

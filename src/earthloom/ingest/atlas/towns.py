"""Towns: where they stand, and the main roads between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.character import Character
from earthloom.ingest.atlas.frame import Frame, Points, Raster
from earthloom.ingest.atlas.relief import grid_graph
from earthloom.ingest.atlas.ribbon import resample_curve, smooth_curve

_TRIES = 80
"""Places that are weighed for each town."""
_MOST_TOWNS = 14


@dataclass(frozen=True, slots=True)
class Town:
    """A settlement."""

    x: float
    y: float
    radius_m: float


def settle_towns(
    frame: Frame, character: Character, slope: Raster, away_m: Raster, wet: Raster
) -> tuple[Town, ...]:
    """Choose level, dry places, near water but not in it, away from each other; largest first. Coarse rasters."""
    rng = frame.rng("towns")
    scale = max(1.0, frame.extent_m / 2000.0)
    count = max(
        int(min(_MOST_TOWNS, rng.poisson(character.towns * scale**0.9))), int(character.town_km2 > 0.8)
    )
    places = rng.uniform(0.06, 0.94, (_TRIES, 2)) * frame.extent_m
    steep, near, damp = (frame.sample(raster, places) for raster in (slope, away_m, wet))
    worth = 0.4 * rng.random(_TRIES) - 30 * steep - 3.0 * (damp > 0) - 0.6 * np.clip(near / 800 - 0.15, 0, 1)
    towns: list[Town] = []
    for rank in range(count):
        area = character.town_km2 * scale**0.7 * (1.0 if rank == 0 else rng.uniform(0.05, 0.35))
        radius = min(math.sqrt(area * 1e6 / math.pi), 0.40 * frame.extent_m)
        crowded = np.zeros(_TRIES, bool)
        for town in towns:
            crowded |= np.hypot(*(places - (town.x, town.y)).T) < 1.1 * town.radius_m + radius
        score = worth - 5.0 * crowded
        best = int(np.argmax(score))
        if score[best] < -3.0:
            break
        towns.append(Town(float(places[best, 0]), float(places[best, 1]), radius))
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
        away /= np.float32(town.radius_m)
        np.maximum(out, 1 - away + np.float32(0.22) * ragged * np.minimum(1, away), out=out)
    out -= np.clip((slope - np.float32(0.12)) * 6, 0, 1.5)
    return out


def plan_roads(
    frame: Frame, towns: tuple[Town, ...], slope: Raster, wet: Raster, wild: float
) -> tuple[Points, ...]:
    """Main roads: each town to the next one and out of the scene, by the cheapest way over the ground.

    `wet` is 1 on rivers and more on the sea, to be bridged at a price; `wild` is the chance that a scene without
    towns has no road.
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
        pairs += [(stops[k], stops[_nearest(towns[:k], towns[k])]) for k in range(1, len(stops))]
        if len(towns) > 2:
            pairs.append((stops[-1], gates[2]))
    return tuple(_lay_roads(frame, cost, pairs, step))


def _travel_cost(frame: Frame, slope: Raster, wet: Raster, step: int) -> NDArray[np.float64]:
    rough = frame.coarse_noise("way", frame.extent_m / 2, frame.cell_m * 6, 1.6)
    cost = 1 + np.minimum((slope / 0.05) ** 2, 60) + 14 * wet
    cost = cost * exact.exp(0.3 * rough)
    n = cost.shape[0] // step
    few: Raster = cv2.resize(cost.astype(np.float32), (n, n), interpolation=cv2.INTER_AREA)
    return few.astype(np.float64)


def _cell_of(frame: Frame, point: tuple[float, float], step: int, n: int) -> int:
    cell = (frame.to_cells(np.array([point]))[0] - (step - 1) / 2) / step
    col, row = np.clip(np.round(cell), 0, n - 1).astype(int).tolist()
    return int(row * n + col)


def _gates(rng: np.random.Generator, cost: NDArray[np.float64]) -> list[int]:
    """Three cells on the rim, the first two about opposite: each the cheapest around a drawn direction."""
    n = cost.shape[0]
    angle = rng.uniform(0, 2 * math.pi)
    gates = []
    for turn in (0.0, math.pi + rng.uniform(-0.7, 0.7), math.pi / 2):
        aside = np.linspace(-1.3, 1.3, 41)
        x, y = np.cos(angle + turn + aside), np.sin(angle + turn + aside)
        reach = (n / 2 - 1) / np.maximum(np.abs(x), np.abs(y))
        cols, rows = (np.clip(n / 2 + reach * part, 0, n - 1).astype(int) for part in (x, y))
        best = int(np.argmin(cost[rows, cols] * (1 + 4 * aside**2)))
        gates.append(int(rows[best]) * n + int(cols[best]))
    return gates


def _nearest(others: Sequence[Town], town: Town) -> int:
    """Index of the closest of some towns."""
    return int(np.argmin([math.hypot(other.x - town.x, other.y - town.y) for other in others]))


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

"""Relief from its drainage: ground rises from the water upstream, as steep as its streams are small.

The network is the landscape. Every cell drains to a neighbour; the slope of each step follows Flint's law,
S = k A^-theta (A the drainage area, m2), the steady state of stream-power erosion (Whipple and Tucker 1999);
slopes end at an angle of repose. Divides migrate by repeating this a few times, from few large cells to many
small ones. Rivers run downhill because they come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.frame import Raster

Cells = NDArray[np.int32]

THETA = 0.45
"""Concavity of river profiles; 0.4 to 0.6 in nature (Whipple and Tucker 1999)."""
_ROUNDS = (12, 4, 2)
"""Repetitions on a quarter, half and all of the cells: the coarse ones settle where the divides run."""
_LAKE_SLOPE = 0.05
"""Of the slope that dry ground would have: lakes are levelled in the end, but drain until then."""
_TALUS_PASSES = 48
"""At most: a pass lowers a cliff by one cell's worth of the angle of repose."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What shapes the relief; rasters of (n, n) coarse cells."""

    cell_m: float
    steepness: Raster
    """k of Flint's law for areas in m2: about 0.3 in a plain, 8 in hills, 25 in mountains."""
    repose: Raster
    """Steepest slope, rise over run."""
    base_m: Raster
    """Elevation of the water that the ground drains to; NaN elsewhere."""
    hollow: NDArray[np.bool_]
    """Lakes: the ground is flat there, and they drain like any other."""
    roughness: Raster
    """Unit noise that steers the first network."""
    grain: Raster
    """Unit white noise that keeps streams from running along the grid."""
    hillslope_m2: float
    """Drainage area below which slopes steepen no more."""


@dataclass(frozen=True, slots=True)
class Drainage:
    """Elevation and its network; `receiver` is flat over the (n, n) cells."""

    elevation_m: Raster
    area_m2: Raster
    receiver: Cells


def grow_relief(terms: Terms) -> Drainage:
    """Grow the relief over three resolutions."""
    elevation: Raster | None = None
    result: Drainage | None = None
    for shrink, rounds in zip((4, 2, 1), _ROUNDS, strict=True):
        level = _shrink(terms, shrink)
        cost = _first_cost(level) if elevation is None else _valley_cost(elevation, level)
        result = _settle(level, _grow_tree(cost, _roots(level)), rounds)
        elevation = result.elevation_m
    assert result is not None
    return _level_lakes(result, terms.hollow, terms.cell_m)


def _shrink(terms: Terms, shrink: int) -> Terms:
    """The same terms on cells `shrink` times as long."""
    if shrink == 1:
        return terms
    n = -(-terms.base_m.shape[0] // shrink)
    return Terms(
        terms.cell_m * terms.base_m.shape[0] / n,
        _resize(terms.steepness, n),
        _resize(terms.repose, n),
        _lowest(terms.base_m, shrink, n),
        _resize(terms.hollow.astype(np.float32), n) > 0.5,
        _resize(terms.roughness, n),
        np.ascontiguousarray(terms.grain[:n, :n]),
        terms.hillslope_m2,
    )


def _resize(raster: Raster, n: int) -> Raster:
    how = cv2.INTER_AREA if n < raster.shape[0] else cv2.INTER_LINEAR
    out: Raster = cv2.resize(raster, (n, n), interpolation=how)
    return out


def _lowest(base: Raster, shrink: int, n: int) -> Raster:
    """Least value of each block, NaN where the block has none: a thin river stays whole."""
    padded = np.full((n * shrink, n * shrink), np.inf, np.float32)
    padded[: base.shape[0], : base.shape[1]] = np.where(np.isnan(base), np.inf, base)
    least = padded.reshape(n, shrink, n, shrink).min(axis=(1, 3))
    return np.where(np.isinf(least), np.nan, least).astype(np.float32)


def _roots(level: Terms) -> NDArray[np.bool_]:
    return ~np.isnan(level.base_m)


def _first_cost(level: Terms) -> NDArray[np.float64]:
    steered: NDArray[np.float64] = 1.1 * level.roughness.astype(np.float64) + 0.25 * level.grain
    cost = exact.exp(steered)
    cost[level.hollow] *= 0.02
    return cost


def _valley_cost(elevation: Raster, level: Terms) -> NDArray[np.float64]:
    """Cost of crossing a cell, steeply rising with elevation: paths keep to the valleys."""
    height = _resize(elevation, level.steepness.shape[0]).astype(np.float64)
    height += level.grain * (0.12 * level.cell_m * np.clip(level.steepness / 8, 0.05, 1))
    spread = max(float(height.std()), 1e-3) * 0.2
    cost: NDArray[np.float64] = exact.exp(np.minimum((height - height.min()) / spread, 60.0)) + 1e-6
    cost[level.hollow] *= 0.02
    return cost


def _grow_tree(cost: NDArray[np.float64], roots: NDArray[np.bool_]) -> Cells:
    """Receivers along the cheapest path to any root (Dijkstra): a network without pits."""
    _, before, _ = dijkstra(
        grid_graph(cost),
        directed=False,
        indices=np.flatnonzero(roots),
        min_only=True,
        return_predecessors=True,
    )
    own = np.arange(cost.size, dtype=np.int32)
    return np.where(before < 0, own, before).astype(np.int32)


def grid_graph(cost: NDArray[np.float64]) -> csr_matrix:
    """Undirected graph of the eight-connected cells of (n, m) positive costs; cell index = row * m + col."""
    rows, cols = cost.shape
    index = np.arange(cost.size, dtype=np.int32).reshape(rows, cols)
    starts, ends, weights = [], [], []
    for dy, dx, length in ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 2**0.5), (1, -1, 2**0.5)):
        a = (slice(0, rows - dy), slice(max(0, -dx), cols - max(0, dx)))
        b = (slice(dy, rows), slice(max(0, dx), cols + min(0, dx)))
        starts.append(index[a].ravel())
        ends.append(index[b].ravel())
        weights.append(((cost[a] + cost[b]) * (0.5 * length)).ravel())
    pairs = (np.concatenate(starts), np.concatenate(ends))
    return csr_matrix((np.concatenate(weights), pairs), shape=(cost.size, cost.size))


def _settle(level: Terms, receiver: Cells, rounds: int) -> Drainage:
    """Let the network and the ground that it shapes agree: each round, water takes the steepest way anew."""
    roots = _roots(level)
    elevation = level.base_m
    for _ in range(rounds):
        elevation = _slump(_steady_state(level, receiver), level)
        receiver = _steepest(elevation, roots, level.grain)
    area = _accumulate(receiver, level.cell_m**2).astype(np.float32)
    return Drainage(elevation, area.reshape(elevation.shape), receiver)


def _steady_state(level: Terms, receiver: Cells) -> Raster:
    """Elevation of a network in equilibrium, m."""
    n = level.steepness.shape[0]
    area = _accumulate(receiver, level.cell_m**2)
    own = np.arange(n * n, dtype=np.int32)
    diagonal = (own // n != receiver // n) & (own % n != receiver % n)
    slope = level.steepness.ravel() * exact.power(area + level.hillslope_m2, -THETA)
    slope = np.minimum(slope, level.repose.ravel()) * np.where(level.hollow.ravel(), _LAKE_SLOPE, 1.0)
    step = slope * np.where(diagonal, 2**0.5, 1.0) * level.cell_m
    base = np.where(np.isnan(level.base_m), 0.0, level.base_m).ravel()
    climb, root = _sum_to_root(receiver, step)
    return (climb + base[root]).astype(np.float32).reshape(n, n)


def _depths(receiver: Cells) -> Cells:
    """Steps to the root, by pointer doubling."""
    depth: Cells = (receiver != np.arange(receiver.size, dtype=np.int32)).astype(np.int32)
    jump = receiver
    while True:
        further = jump[jump]
        depth = depth + depth[jump]
        if np.array_equal(further, jump):
            return depth
        jump = further


def _accumulate(receiver: Cells, unit: float) -> NDArray[np.float64]:
    """Area that drains through each cell, itself included, furthest cells first."""
    depth = _depths(receiver)
    order = np.argsort(depth, kind="stable").astype(np.int32)
    bounds = np.searchsorted(depth[order], np.arange(int(depth.max()) + 2))
    area = np.full(receiver.size, unit, np.float64)
    for k in range(len(bounds) - 2, 0, -1):
        cells = order[bounds[k] : bounds[k + 1]]
        np.add.at(area, receiver[cells], area[cells])
    return area


def _sum_to_root(receiver: Cells, step: NDArray[np.float64]) -> tuple[NDArray[np.float64], Cells]:
    """Sum of `step` from each cell down to its root, and that root."""
    total = np.where(receiver == np.arange(receiver.size, dtype=np.int32), 0.0, step)
    jump = receiver
    while True:
        total = total + total[jump]
        further = jump[jump]
        if np.array_equal(further, jump):
            return total, jump
        jump = further


def _slump(elevation: Raster, level: Terms) -> Raster:
    """Lower what stands steeper than the angle of repose over a neighbour.

    Makes no pits: what is lowered keeps a lower neighbour, what is not keeps its receiver.
    """
    rise = level.repose * np.float32(level.cell_m)
    for turn in range(_TALUS_PASSES):
        lowered = np.minimum(elevation, _cap(elevation, rise))
        is_steady = turn % 4 == 3 and float((elevation - lowered).max()) < 0.5
        elevation = lowered
        if is_steady:
            break
    return elevation


def _cap(elevation: Raster, rise: Raster) -> Raster:
    """As high as a cell may stand over its lowest neighbour, `rise` being that over one cell's length."""
    p = np.pad(elevation, 1, mode="edge")
    straight = np.minimum(np.minimum(p[:-2, 1:-1], p[2:, 1:-1]), np.minimum(p[1:-1, :-2], p[1:-1, 2:]))
    diagonal = np.minimum(np.minimum(p[:-2, :-2], p[2:, 2:]), np.minimum(p[2:, :-2], p[:-2, 2:]))
    cap: Raster = np.minimum(straight + rise, diagonal + rise * np.float32(2**0.5))
    return cap


def _steepest(elevation: Raster, roots: NDArray[np.bool_], grain: Raster) -> Cells:
    """Receiver of each cell: its steepest way down, with a little jitter against the eight directions."""
    n = elevation.shape[0]
    p = np.pad(elevation, 1, constant_values=np.float32(1e9))
    own = np.arange(n * n, dtype=np.int32).reshape(n, n)
    receiver, best = own.copy(), np.zeros_like(elevation)
    for k, (dy, dx) in enumerate(((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))):
        slope = (elevation - p[1 + dy : 1 + dy + n, 1 + dx : 1 + dx + n]) * np.float32(
            (dx * dx + dy * dy) ** -0.5
        )
        slope *= 1 + np.float32(0.18) * np.roll(np.clip(grain, -2, 2), k * 7, axis=0)
        better = slope > best
        best = np.where(better, slope, best)
        receiver = np.where(better, own + np.int32(dy * n + dx), receiver)
    receiver[roots] = own[roots]
    return receiver.ravel()


def _level_lakes(drainage: Drainage, hollow: NDArray[np.bool_], cell_m: float) -> Drainage:
    """Give each lake the elevation of its lowest cell, and that cell as its only outlet."""
    count, labels = cv2.connectedComponents(hollow.astype(np.uint8), connectivity=8)
    if count < 2:
        return drainage
    lake, z = labels.ravel(), drainage.elevation_m.ravel()
    order = np.lexsort((z, lake))
    outlet = order[np.searchsorted(lake[order], np.arange(count))].astype(np.int32)
    flat = np.where(lake > 0, z[outlet][lake], z).astype(np.float32)
    receiver = drainage.receiver.copy()
    leaves = (lake > 0) & (lake[receiver] != lake) & (np.arange(lake.size) != outlet[lake])
    receiver[leaves] = outlet[lake[leaves]]
    area = _accumulate(receiver, cell_m**2).astype(np.float32)
    shape = drainage.elevation_m.shape
    return Drainage(flat.reshape(shape), area.reshape(shape), receiver)

"""Sea, lakes and rivers: laid out before the relief, which then drains to them; streams follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.character import Character
from earthloom.ingest.atlas.frame import Frame, Points, Raster, distance_m
from earthloom.ingest.atlas.relief import THETA, Drainage
from earthloom.ingest.atlas.ribbon import arc_length, smooth_curve, smooth_steps

_FEW = 6
"""Cells under which a lake or stream is not worth drawing."""


@dataclass(frozen=True, slots=True)
class Course:
    """A river or stream, from its upper to its lower end."""

    points: Points
    width_m: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WaterPlan:
    """Where water will be, on coarse cells."""

    sea: Raster | None
    """Under 0 is sea, in units of its own noise; None inland."""
    hollow: Raster
    """Over 0 is a lake."""
    rivers: tuple[Course, ...]
    base_m: Raster
    """Elevation of sea and rivers, NaN elsewhere."""
    away_m: Raster
    """Distance to sea, lake or river."""


def river_width_m(area_km2: float) -> float:
    """Bankfull width by drainage area: 3 A^0.4, within the spread of regional curves (Bieger et al. 2015)."""
    return float(3.0 * area_km2**0.4)


def plan_water(frame: Frame, character: Character, delta: bool) -> WaterPlan:
    """Lay out sea, rivers and lakes; `delta` makes the river part before it meets the sea."""
    rng = frame.rng("water")
    heading = float(rng.uniform(0, 2 * math.pi))
    sea = _plan_sea(frame, character, heading) if character.sea > 0.02 else None
    rivers = _plan_rivers(frame, character, heading, rng, delta)
    if sea is not None and delta:
        sea = _grow_lobes(frame, sea, rivers)
    hollow = _plan_lakes(frame, character)
    if sea is not None:
        hollow = np.where(sea < 0.25, np.float32(-1), hollow)
    base = _base_level(frame, character, sea, rivers, heading)
    wet = (~np.isnan(base) & bool(rivers or sea is not None)) | (hollow > 0)
    return WaterPlan(sea, hollow, rivers, base, distance_m(wet, frame.cell_m))


def _plan_sea(frame: Frame, character: Character, heading: float) -> Raster:
    """A rough shore across the scene; the sea lies ahead along `heading`."""
    n, m = frame.n_coarse, frame.margin
    line = (np.arange(n) - n / 2) / (n - 2 * m)
    ahead = line[None, :] * math.cos(heading) + line[:, None] * math.sin(heading)
    ruggedness = float(frame.rng("shore kind").uniform(0, 1))
    rough = frame.coarse_noise("shore", frame.extent_m * 0.8, frame.cell_m * 3, 2.3 - 0.55 * ruggedness)
    field = (-2.8 * ahead + (0.4 + 0.3 * ruggedness) * rough).astype(np.float32)
    return _drop_specks(
        field - np.float32(np.quantile(field[m:-m, m:-m], character.sea)), field.size // 120, 25
    )


def _drop_specks(field: Raster, least_pond: int, least_island: int) -> Raster:
    """Raise ponds and sink islands of fewer cells than given; `field` is water under 0."""
    for sign, least in ((1, least_pond), (-1, least_island)):
        inside = (field * sign < 0).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < least
        small[0] = False
        field = np.where(small[labels], np.float32(0.04 * sign), field)
    return field


def _plan_rivers(
    frame: Frame, character: Character, heading: float, rng: np.random.Generator, delta: bool
) -> tuple[Course, ...]:
    width = river_width_m(character.river_km2)
    if character.river_km2 <= 0:
        return ()
    width = min(width, frame.extent_m * 0.07)
    middle = np.full(2, frame.extent_m / 2) + rng.uniform(-0.22, 0.22, 2) * frame.extent_m
    if delta:
        return _plan_distributaries(frame, middle, heading, width, rng)
    reach = frame.extent_m * 1.15
    start = middle - reach * np.array([math.cos(heading), math.sin(heading)])
    return (_meander(frame, rng, start, heading, 2.6 * reach, width, character.meander),)


def _meander(
    frame: Frame,
    rng: np.random.Generator,
    start: NDArray[np.float64],
    heading: float,
    length_m: float,
    width_m: float,
    angle: float,
) -> Course:
    """A Kinoshita curve (a sine-generated curve with skewed loops) of varying angle and length in a winding valley.

    One meander is about 11 widths long (Leopold and Wolman 1960), measured along the valley.
    """
    sinuosity = 1 / max(0.25, 1 - 0.22 * angle * angle)
    step = max(0.3 * width_m, 0.4 * frame.cell_m)
    n = int(length_m * sinuosity / step) + 2
    wave = 11 * width_m * sinuosity
    pace = np.exp(0.45 * smooth_steps(rng, n, 0.6 * wave / step))
    phase = np.cumsum(2 * math.pi * step / wave * pace) + rng.uniform(0, 2 * math.pi)
    swing = angle * np.clip(0.85 + 0.5 * smooth_steps(rng, n, 1.2 * wave / step), 0.05, 1.2)
    valley = 0.42 * smooth_steps(rng, n, 0.35 * frame.extent_m / step)
    skew = swing**3 * (0.032 * np.cos(3 * phase) - 0.005 * np.sin(3 * phase))
    wobble = 0.10 * smooth_steps(rng, n, 1.2 * width_m / step)
    theta = heading + valley + swing * np.sin(phase) + skew + wobble
    points = start + np.cumsum(step * np.stack([np.cos(theta), np.sin(theta)], axis=1), axis=0)
    bend = np.abs(np.gradient(theta)) * width_m / step
    widths = width_m * (0.85 + 0.5 * np.clip(bend, 0, 0.6)) * np.exp(0.1 * smooth_steps(rng, n, 6))
    return Course(points, widths)


def _plan_distributaries(
    frame: Frame, apex: NDArray[np.float64], heading: float, width: float, rng: np.random.Generator
) -> tuple[Course, ...]:
    """A trunk that splits, and its branches that split again, spreading to the sea."""
    forward = np.array([math.cos(heading), math.sin(heading)])
    split = apex - forward * frame.extent_m * rng.uniform(0.3, 0.5)
    trunk = _meander(frame, rng, split - forward * frame.extent_m, heading, frame.extent_m * 0.95, width, 0.6)
    end, out = trunk.points[-1], [trunk]
    stack = [(end, heading, width, 0)]
    while stack:
        at, direction, wide, depth = stack.pop()
        spread = rng.uniform(0.35, 0.7)
        share = rng.uniform(0.35, 0.65)
        for side, part in ((-1, share), (1, 1 - share)):
            turn = direction + side * spread
            length = frame.extent_m * (rng.uniform(0.22, 0.42) if depth < 3 else 1.2)
            thin = wide * part**0.55
            thin = max(thin, 4.0)
            branch = _meander(frame, rng, at, turn, length, thin, 0.75)
            out.append(branch)
            if depth < 3:
                back = 0.75 * turn + 0.25 * heading
                stack.append((branch.points[-1], back, thin, depth + 1))
    return tuple(out)


def _grow_lobes(frame: Frame, sea: Raster, rivers: tuple[Course, ...]) -> Raster:
    """Land builds out along the branches of a delta."""
    banks = np.zeros(sea.shape, bool)
    for river in rivers:
        cells = np.round(frame.to_cells(river.points)).astype(int)
        inside = ((cells >= 0) & (cells < sea.shape[0])).all(axis=1)
        banks[cells[inside, 1], cells[inside, 0]] = True
    away = distance_m(banks, frame.cell_m) / np.float32(frame.extent_m)
    lobes: Raster = np.float32(0.55) * exact.exp(np.float32(-400) * away * away)
    return sea + lobes


def _plan_lakes(frame: Frame, character: Character) -> Raster:
    """Blobs of smooth noise, rough at the rim."""
    is_dry = character.lakes < 0.05 and frame.rng("ponds").random() < 0.7
    if is_dry or character.lakes < 0.004:
        return np.full((frame.n_coarse, frame.n_coarse), -1, np.float32)
    size = min(0.45 * frame.extent_m, 1800.0)
    smooth = frame.coarse_noise("lakes", size, frame.cell_m * 3, 1.85)
    field = smooth - np.float32(np.quantile(smooth, 1 - min(character.lakes, 0.5)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((field > 0).astype(np.uint8), connectivity=4)
    small = np.zeros(count, bool)
    small[1:] = stats[1:, cv2.CC_STAT_AREA] < _FEW * 3
    return np.where(small[labels], np.float32(-0.05), field).astype(np.float32)


def _base_level(
    frame: Frame, character: Character, sea: Raster | None, rivers: tuple[Course, ...], heading: float
) -> Raster:
    """Elevation of sea (0) and rivers (rising upstream); without either, a low edge of the land."""
    base = np.full((frame.n_coarse, frame.n_coarse), np.nan, np.float32)
    if sea is not None:
        base[sea < 0] = 0.0
    for river in rivers:
        _lay_profile(base, frame, river, character)
    if np.isnan(base).all():
        n = frame.n_coarse
        line = np.arange(n) / n - 0.5
        ahead = line[None, :] * math.cos(heading) + line[:, None] * math.sin(heading)
        rim = np.zeros((n, n), bool)
        rim[[0, -1], :] = rim[:, [0, -1]] = True
        base[rim & (ahead > 0.2)] = 0.0
    return base


def _lay_profile(base: Raster, frame: Frame, river: Course, character: Character) -> None:
    """Write the river's elevation into its cells, 0 where it meets the sea and below."""
    slope = 0.5 * (character.steepness + 1) * (max(character.river_km2, 1) * 1e6) ** -THETA
    cells = np.round(frame.to_cells(river.points)).astype(int)
    inside = ((cells >= 0) & (cells < base.shape[0])).all(axis=1)
    cells, along = cells[inside], arc_length(river.points)[inside]
    if not len(cells):
        return
    met = np.flatnonzero(base[cells[:, 1], cells[:, 0]] == 0.0)
    mouth = along[met[0]] if len(met) else along[-1]
    height = (slope * np.maximum(mouth - along, 0)).astype(np.float32)
    rows, cols = cells[:, 1], cells[:, 0]
    old = base[rows, cols]
    base[rows, cols] = np.where(np.isnan(old), height, np.minimum(old, height))


def trace_streams(frame: Frame, drainage: Drainage, least_km2: float) -> tuple[Course, ...]:
    """Courses of all streams that drain `least_km2` or more, down to the river, lake or sea that they join."""
    area = drainage.area_m2.ravel() * np.float32(1e-6)
    receiver = drainage.receiver
    wet = area >= least_km2
    fed = np.zeros(wet.shape, bool)
    own = np.arange(receiver.size)
    fed[receiver[wet & (receiver != own)]] = True
    heads = np.flatnonzero(wet & ~fed & (receiver != own))
    heads = heads[np.argsort(-_way_down(receiver, heads), kind="stable")]
    seen = np.zeros(receiver.size, bool)
    bends = _bends(frame)
    courses = []
    for head in heads:
        path = _follow(receiver, int(head), seen)
        if len(path) >= _FEW:
            courses.append(_to_course(frame, path, area, bends))
    return tuple(courses)


def _way_down(receiver: NDArray[np.int32], heads: NDArray[np.intp]) -> NDArray[np.int64]:
    """Steps from each head to its root."""
    at, steps = heads.astype(np.int32), np.zeros(len(heads), np.int64)
    while True:
        below = receiver[at]
        moving = below != at
        if not moving.any():
            return steps
        steps += moving
        at = below


def _follow(receiver: NDArray[np.int32], head: int, seen: NDArray[np.bool_]) -> list[int]:
    """Cells from a head down to its root or some cells into a course already traced, so that they merge smoothly."""
    path, extra, at = [head], 0, head
    while extra < 12:
        below = int(receiver[at])
        if below == at:
            break
        extra += bool(seen[below])
        seen[at] = True
        path.append(below)
        at = below
    return path


def _to_course(
    frame: Frame, path: list[int], area_km2: NDArray[np.float32], bends: tuple[Raster, Raster]
) -> Course:
    n = frame.n_coarse
    cells = np.array([(i % n, i // n) for i in path], np.float64)
    points = frame.to_metres(cells)
    shift = np.stack([frame.sample(bend, points) for bend in bends], axis=1)
    free = np.clip(np.arange(len(path))[::-1] / 6.0, 0, 1)[:, None]
    points = smooth_curve(points + shift * free, 3.0)
    widths = 0.8 + 0.75 * river_width_m(1.0) * np.asarray(area_km2[path], np.float64) ** 0.4
    return Course(points, np.maximum.accumulate(widths))


def _bends(frame: Frame) -> tuple[Raster, Raster]:
    """How far (m, to the east and south) streams bend from the eight directions that cells know, by place."""
    cell = frame.cell_m

    def bend(axis: str) -> Raster:
        short = frame.coarse_noise(f"bend {axis}", 24 * cell, 6 * cell, 1.0)
        long = frame.coarse_noise(f"wind {axis}", 90 * cell, 20 * cell, 1.5)
        return np.float32(1.1 * cell) * short + np.float32(2.2 * cell) * long

    return bend("x"), bend("y")

"""The ground divided among people: blocks between roads, split into fields or town blocks.

A square larger than the scene is cut in two again and again, each piece across its longer side, until it is as
small as the place asks for: fields of hectares on farmland, blocks of houses in towns. Every cut is remembered:
old ones become roads, later ones tracks, streets or hedges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from earthloom.ingest.atlas.frame import Frame, Points, Raster

Polygon = list[tuple[float, float]]

_STEP_M = 45.0
"""Between the points of a bowed line."""
_LIMIT = 60_000
"""Pieces at most: beyond it fields are too small to tell apart anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Custom:
    """How land is divided in a region."""

    regular: float
    """1 a surveyed grid, 0 the irregular fields of old villages."""
    aspect: float
    """Length of a field over its width."""
    angle: float
    """Direction of the oldest cuts, radians."""
    bend_m: float
    """How far boundaries bow from straight lines."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One straight cut."""

    start: tuple[float, float]
    end: tuple[float, float]
    parent_m2: float
    """Area of the piece that it divided: the larger, the older and more important the line."""


@dataclass(frozen=True, slots=True)
class Parcels:
    """All pieces and the cuts between them, straight; `bend` brings them to the ground."""

    polygons: tuple[Polygon, ...]
    areas_m2: NDArray[np.float64]
    widths_m: NDArray[np.float64]
    """Least extent: across the longer side."""
    angles: NDArray[np.float64]
    """Direction of each piece's longer side, radians."""
    cuts: tuple[Cut, ...]


def divide(frame: Frame, custom: Custom, target_m2: Raster) -> Parcels:
    """Cut until no piece is larger than the coarse raster `target_m2` asks for at its middle."""
    rng = frame.rng("parcels")
    cutter = _Cutter(frame, custom, target_m2, rng)
    cutter.run()
    return cutter.result()


class _Cutter:
    """The state of one division; plain floats, as the pieces are small and many."""

    def __init__(self, frame: Frame, custom: Custom, target_m2: Raster, rng: np.random.Generator) -> None:
        self._custom = custom
        self._target = target_m2
        self._draws: list[float] = rng.random(1 << 16).tolist()
        self._next = 0
        self._per_cell = 1.0 / frame.cell_m
        self._shift = float(frame.margin)
        self._last = frame.n_coarse - 1
        self._leaves: list[Polygon] = []
        self._areas: list[float] = []
        self._widths: list[float] = []
        self._angles: list[float] = []
        self._cuts: list[Cut] = []
        reach = 0.62 * frame.extent_m * 1.2
        middle = frame.extent_m / 2
        self._scene = (-30.0 - custom.bend_m * 3, frame.extent_m + 30.0 + custom.bend_m * 3)
        c, s = math.cos(custom.angle) * reach, math.sin(custom.angle) * reach
        self._start = [
            (middle + x * c - y * s, middle + x * s + y * c) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]

    def run(self) -> None:
        """Cut everything."""
        stack = [self._start]
        while stack:
            piece = stack.pop()
            if self._is_outside(piece):
                continue
            area, x, y = _centroid(piece)
            if area <= self._wanted(x, y) * (0.6 + 0.9 * self._draw()) or len(self._leaves) > _LIMIT:
                self._keep(piece, area)
                continue
            first, second = self._cut(piece, area, x, y)
            stack.extend(part for part in (second, first) if len(part) > 2)

    def result(self) -> Parcels:
        """What came out."""
        return Parcels(
            tuple(self._leaves),
            np.array(self._areas),
            np.array(self._widths),
            np.array(self._angles),
            tuple(self._cuts),
        )

    def _draw(self) -> float:
        self._next = (self._next + 1) & 0xFFFF
        return self._draws[self._next]

    def _wanted(self, x: float, y: float) -> float:
        col = min(max(int(x * self._per_cell + self._shift), 0), self._last)
        row = min(max(int(y * self._per_cell + self._shift), 0), self._last)
        return float(self._target[row, col])

    def _is_outside(self, piece: Polygon) -> bool:
        low, high = self._scene
        return (
            all(x < low for x, _ in piece)
            or all(x > high for x, _ in piece)
            or all(y < low for _, y in piece)
            or all(y > high for _, y in piece)
        )

    def _keep(self, piece: Polygon, area: float) -> None:
        self._leaves.append(piece)
        self._areas.append(area)
        angle = _longest_side(piece)
        c, s = math.cos(angle), math.sin(angle)
        across = [y * c - x * s for x, y in piece]
        self._widths.append(max(across) - min(across))
        self._angles.append(angle)

    def _cut(self, piece: Polygon, area: float, x: float, y: float) -> tuple[Polygon, Polygon]:
        loose = 1 - self._custom.regular
        along = _longest_side(piece)
        c, s = math.cos(along), math.sin(along)
        spread_u = [px * c + py * s for px, py in piece]
        spread_v = [py * c - px * s for px, py in piece]
        length, width = max(spread_u) - min(spread_u), max(spread_v) - min(spread_v)
        wanted = self._wanted(x, y)
        aspect = self._custom.aspect if area < 8 * wanted else 1.25
        part = 0.5 + (self._draw() - 0.5) * (0.16 + 0.3 * loose)
        if self._custom.regular > 0.7 and self._draw() < 0.8:
            part = 0.5
        if length > aspect * width or area > 40 * wanted:
            turn, near, span = math.pi / 2, min(spread_u), length
        else:
            turn, near, span = 0.0, min(spread_v), width
        direction = along + turn + (self._draw() - 0.5) * 0.5 * loose * (1.0 if area > 6 * wanted else 0.35)
        at = near + part * span
        point = (x + (at - (x * c + y * s)) * c, y + (at - (x * c + y * s)) * s)
        if turn == 0.0:
            off = at - (y * c - x * s)
            point = (x - off * s, y + off * c)
        return self._split(piece, area, point, direction)

    def _split(
        self, piece: Polygon, area: float, point: tuple[float, float], direction: float
    ) -> tuple[Polygon, Polygon]:
        """Both sides of a convex piece along the line through `point`."""
        nx, ny = -math.sin(direction), math.cos(direction)
        away = [(x - point[0]) * nx + (y - point[1]) * ny for x, y in piece]
        left: Polygon = []
        right: Polygon = []
        ends: list[tuple[float, float]] = []
        for i, (x, y) in enumerate(piece):
            a, b = away[i - 1], away[i]
            if (a < 0) != (b < 0):
                t = a / (a - b)
                px, py = piece[i - 1]
                crossing = (px + t * (x - px), py + t * (y - py))
                left.append(crossing)
                right.append(crossing)
                ends.append(crossing)
            (left if b >= 0 else right).append((x, y))
        if len(ends) == 2:
            self._cuts.append(Cut(ends[0], ends[1], area))
        return left, right


def _centroid(piece: Polygon) -> tuple[float, float, float]:
    """Area and centroid of a simple polygon."""
    area = cx = cy = 0.0
    x0, y0 = piece[-1]
    for x1, y1 in piece:
        cross = x0 * y1 - x1 * y0
        area += cross
        cx += (x0 + x1) * cross
        cy += (y0 + y1) * cross
        x0, y0 = x1, y1
    if abs(area) < 1e-6:
        return 0.0, x0, y0
    return abs(area) / 2, cx / (3 * area), cy / (3 * area)


def _longest_side(piece: Polygon) -> float:
    best, angle = -1.0, 0.0
    x0, y0 = piece[-1]
    for x1, y1 in piece:
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        if length > best * 1.0001:
            best, angle = length, math.atan2(dy, dx)
        x0, y0 = x1, y1
    return angle % math.pi


class Bend:
    """Bows straight lines gently: a smooth displacement of the ground, metres."""

    def __init__(self, frame: Frame, bend_m: float) -> None:
        self._frame = frame
        wave = max(500.0, 0.3 * frame.extent_m)
        self._shifts = tuple(
            frame.coarse_noise(f"bow {axis}", 2.5 * wave, wave, 2.0) * np.float32(bend_m) for axis in "xy"
        )
        self.is_straight = bend_m < 0.3

    def apply(self, points: Points) -> Points:
        """(n, 2) points on the ground."""
        if self.is_straight:
            return points
        return points + np.stack([self._frame.sample(shift, points) for shift in self._shifts], axis=1)


def _densify(
    corners: Points, starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> tuple[Points, NDArray[np.intp]]:
    """Points no more than _STEP_M apart on each segment from corner `starts[i]` to `ends[i]`, without its end.

    Returns the points of all segments, (n, 2), and how many each has.
    """
    along = corners[ends] - corners[starts]
    counts = np.maximum(1, np.ceil(np.hypot(*along.T) / _STEP_M)).astype(np.intp)
    segment = np.repeat(np.arange(len(starts)), counts)
    share = (np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[segment]
    return corners[starts][segment] + along[segment] * share[:, None], counts


def bend_polygons(parcels: Parcels, bend: Bend) -> tuple[list[Points], list[Points]]:
    """Every piece on the ground: its whole outline, and its corners alone; (n, 2) each."""
    sizes = np.array([len(p) for p in parcels.polygons], np.intp)
    corners = np.array([c for p in parcels.polygons for c in p], np.float64).reshape(-1, 2)
    ends = np.cumsum(sizes)
    following = np.arange(1, len(corners) + 1)
    following[ends - 1] = ends - sizes
    plain = np.split(bend.apply(corners), ends[:-1])
    if bend.is_straight:
        return plain, plain
    points, counts = _densify(corners, np.arange(len(corners)), following)
    lengths = np.add.reduceat(counts, ends - sizes)
    return np.split(bend.apply(points), np.cumsum(lengths)[:-1]), plain


def bend_cuts(parcels: Parcels, bend: Bend) -> list[Points]:
    """Every cut as a curve on the ground, (n, 2) each."""
    ends = np.array([(cut.start, cut.end) for cut in parcels.cuts], np.float64).reshape(-1, 2, 2)
    if bend.is_straight or not len(ends):
        return list(ends)
    corners = ends.reshape(-1, 2)
    first = np.arange(0, len(corners), 2)
    points, counts = _densify(corners, first, first + 1)
    stops = np.cumsum(counts)
    points = np.insert(points, stops, ends[:, 1], axis=0)
    return np.split(bend.apply(points), (stops + np.arange(1, len(stops) + 1))[:-1])


def paint_labels(frame: Frame, outlines: list[Points]) -> NDArray[np.int32]:
    """Index of the piece that each pixel lies in, (size, size)."""
    labels = np.zeros((frame.size, frame.size), np.int32)
    if not outlines:
        return labels
    corners = np.round(frame.to_pixels(np.concatenate(outlines)) * 16).astype(np.int32)
    for i, outline in enumerate(np.split(corners, np.cumsum([len(o) for o in outlines])[:-1])):
        cv2.fillPoly(labels, [outline], i, cv2.LINE_8, 4)
    return labels

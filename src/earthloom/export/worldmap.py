"""Maps of where the pairs lie: the world, and the outlines of single places at their own scale."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import shapely

from earthloom.core.markup import Html, element
from earthloom.export.statistics import Footprint

_KM_PER_DEG = 111.195
"""Of latitude, on a sphere of 6,371 km."""
_DOT_DEG = 3.0
"""Pairs closer than about this are one dot of the world map."""
_PANEL_W, _PANEL_H = 300.0, 220.0
_MARGIN = 18.0
_OUTLINES = 400
"""Outlines drawn in one panel."""


def draw_world(cells: Mapping[tuple[int, int, bool], int]) -> Html:
    """An equirectangular map of the world with a dot for every place; its area grows with the number of pairs.

    `cells`: (floor of longitude, floor of latitude, is synthetic) to pairs. Synthetic ones are hollow.
    """
    dots: Counter[tuple[float, float, bool]] = Counter()
    weights: dict[tuple[float, float, bool], np.ndarray] = defaultdict(lambda: np.zeros(2))
    for (lon, lat, synthetic), n in sorted(cells.items()):
        key = (lon // _DOT_DEG, lat // _DOT_DEG, synthetic)
        dots[key] += n
        weights[key] += n * np.array([lon + 0.5, lat + 0.5])
    largest = max(dots.values(), default=1)
    drawn = [
        _draw_dot(weights[key] / n, n, largest, synthetic=key[2])
        for key, n in sorted(dots.items(), key=lambda item: (-item[1], item[0]))
    ]
    return element(
        "svg",
        _draw_graticule(),
        element("path", d=_land_path(), class_="land"),
        drawn,
        viewBox=_frame_world(cells),
        role="img",
        aria_label="Map of the world with the places of the pairs",
        class_="world",
    )


def _frame_world(cells: Iterable[tuple[int, int, bool]]) -> str:
    """The whole width; Antarctica and the high Arctic only where something lies there."""
    latitudes = [lat for _, lat, _ in cells]
    top = 0 if max(latitudes, default=0) > 78 else 60
    bottom = 1800 if min(latitudes, default=0) < -54 else 1470
    return f"0 {top} 3600 {bottom - top}"


def _land_path() -> str:
    text = files("earthloom.export").joinpath("templates/land.json").read_text(encoding="utf-8")
    return str(json.loads(text)["path"])


def _draw_graticule() -> Html:
    meridians = [element("line", x1=x, x2=x, y1=0, y2=1800) for x in range(300, 3600, 300)]
    parallels = [element("line", x1=0, x2=3600, y1=y, y2=y) for y in range(300, 1800, 300)]
    return element("g", meridians, parallels, class_="graticule")


def _draw_dot(place: np.ndarray, n: int, largest: int, *, synthetic: bool) -> Html:
    lon, lat = float(place[0]), float(place[1])
    radius = 14 + 34 * math.sqrt(n / largest)
    kind = "dot synthetic" if synthetic else "dot"
    title = element("title", f"{say_position(lon, lat)}: {n:,} pairs{' (synthetic)' if synthetic else ''}")
    return element("circle", title, cx=10 * (lon + 180), cy=10 * (90 - lat), r=radius, class_=kind)


def say_position(lon: float, lat: float) -> str:
    """A position for a person, such as `47.1° N, 98.9° W`."""
    return f"{abs(lat):.1f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.1f}° {'E' if lon >= 0 else 'W'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Footprints that lie near each other."""

    footprints: tuple[Footprint, ...]

    @property
    def title(self) -> str:
        """The name that most of them carry, or else their position."""
        names = Counter(f.place for f in self.footprints if f.place)
        if names:
            return min(names, key=lambda name: (-names[name], name))
        lon = float(np.mean([f.lon for f in self.footprints]))
        return say_position(lon, float(np.mean([f.lat for f in self.footprints])))


def find_clusters(footprints: Iterable[Footprint], n: int) -> list[Cluster]:
    """Group footprints by cells of one degree, neighbouring cells together; the n largest groups first."""
    cells: dict[tuple[int, int], list[Footprint]] = defaultdict(list)
    for footprint in footprints:
        if footprint.shape is not None:
            cells[math.floor(footprint.lon), math.floor(footprint.lat)].append(footprint)
    groups = []
    waiting = set(cells)
    while waiting:
        group = _flood(min(waiting), waiting)
        groups.append(Cluster(footprints=tuple(f for cell in sorted(group) for f in cells[cell])))
    return sorted(groups, key=lambda g: (-len(g.footprints), g.title))[:n]


def _flood(start: tuple[int, int], waiting: set[tuple[int, int]]) -> list[tuple[int, int]]:
    waiting.discard(start)
    group, edge = [], [start]
    while edge:
        x, y = edge.pop()
        group.append((x, y))
        for near in [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]:
            if near in waiting:
                waiting.discard(near)
                edge.append(near)
    return group


def draw_cluster(cluster: Cluster) -> Html:
    """The outlines of a cluster in true proportion, coloured by split, with a scale bar."""
    shapes = _unwrap(shapely.from_wkb([f.shape for f in cluster.footprints]))
    frame = _Frame.around(shapely.total_bounds(shapes))
    unique: dict[tuple[str, bytes], int] = {}
    for i, footprint in enumerate(cluster.footprints):
        assert footprint.shape is not None, "find_clusters leaves out those without"
        unique.setdefault((footprint.split, footprint.shape), i)
    kept = [(i, split) for (split, _), i in unique.items()][:_OUTLINES]
    outlines = [
        _draw_outline(part, split, frame) for i, split in kept for part in shapely.get_parts(shapes[i])
    ]
    return element(
        "svg",
        outlines,
        _draw_scale(frame),
        viewBox=f"0 0 {_PANEL_W:.0f} {_PANEL_H:.0f}",
        role="img",
        aria_label=f"Outlines of the pairs around {cluster.title}",
        class_="panel",
    )


def _unwrap(shapes: np.ndarray) -> np.ndarray:
    """Let longitudes run on beyond 180 degrees where the shapes lie on both sides of it."""
    west, _, east, _ = shapely.total_bounds(shapes)
    if east - west <= 180:
        return shapes
    moved: np.ndarray = shapely.transform(shapes, lambda xy: xy + [[360.0, 0.0]] * (xy[:, :1] < 0))
    return moved


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    """How degrees become pixels of a panel: equirectangular, true to scale at the middle latitude."""

    lon: float
    lat: float
    """Centre."""
    per_km: float
    """Pixels."""
    squeeze: float
    """Kilometres of a degree of longitude over those of latitude."""

    @classmethod
    def around(cls, bounds: Sequence[float]) -> _Frame:
        west, south, east, north = (float(v) for v in bounds)
        lat = (south + north) / 2
        squeeze = max(math.cos(math.radians(lat)), 0.01)
        wide = max((east - west) * squeeze * _KM_PER_DEG, 0.01)
        high = max((north - south) * _KM_PER_DEG, 0.01)
        room_w, room_h = _PANEL_W - 2 * _MARGIN, _PANEL_H - 2 * _MARGIN - 12
        scale = min(room_w / wide, room_h / high)
        return cls(lon=(west + east) / 2, lat=lat, per_km=scale, squeeze=squeeze)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) of positions (N, 2) in degrees."""
        scale = self.per_km * _KM_PER_DEG
        x = _PANEL_W / 2 + (points[:, 0] - self.lon) * self.squeeze * scale
        y = (_PANEL_H - 12) / 2 - (points[:, 1] - self.lat) * scale
        return np.stack([x, y], axis=1)


def _draw_outline(shape: shapely.Geometry, split: str, frame: _Frame) -> Html:
    points = frame.place(shapely.get_coordinates(shape))
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("polygon", points=text, class_=f"outline {split}")


def _draw_scale(frame: _Frame) -> Html:
    km = 70 / frame.per_km
    decade = 10 ** math.floor(math.log10(km))
    length = next(decade * m for m in (5, 2, 1) if decade * m <= km)
    text = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    x0, y = _MARGIN, _PANEL_H - 8
    line = element("path", d=f"M{x0} {y - 4}v4h{length * frame.per_km:.1f}v-4", class_="ruler")
    return element(
        "g", line, element("text", text, x=x0 + length * frame.per_km + 7, y=y, class_="ruler-text")
    )

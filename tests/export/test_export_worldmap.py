"""Maps: land is where land is, and a panel is true to scale."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from earthloom.export.statistics import Footprint
from earthloom.export.worldmap import (
    Cluster,
    _land_path,
    draw_cluster,
    draw_world,
    find_clusters,
    say_position,
)


def make_footprint(
    lon: float, lat: float, size: float = 0.01, split: str = "train", place: str | None = None
) -> Footprint:
    shape = shapely.to_wkb(shapely.box(lon - size / 2, lat - size / 2, lon + size / 2, lat + size / 2))
    return Footprint(lon=lon, lat=lat, shape=shape, split=split, modality="rgb", place=place)


def read_land() -> shapely.Geometry:
    """The outline as shapes, in degrees."""
    polygons = []
    for ring in re.findall(r"M(-?\d+)[ ]?(-?\d+)l([^z]*)z", _land_path()):
        start = np.array([[int(ring[0]), int(ring[1])]])
        steps = np.array(re.findall(r"-?\d+", ring[2]), int).reshape(-1, 2)
        points = np.concatenate([start, start + np.cumsum(steps, axis=0)])
        polygons.append(
            shapely.Polygon(np.stack([points[:, 0] / 10 - 180, 90 - points[:, 1] / 10], axis=1)).buffer(0)
        )
    return shapely.union_all(polygons)


def test_land_is_land_and_sea_is_sea() -> None:
    land = read_land()
    on_land = [
        (2.3, 48.9),
        (-98, 47),
        (135, -25),
        (25, -25),
        (-60, -10),
        (100, 60),
        (-42, 72),
        (78, 22),
        (0, -85),
        (138, 36.2),
    ]
    at_sea = [
        (-30, 30),
        (-150, 0),
        (80, -30),
        (0, 0),
        (150, 40),
        (-20, -45),
        (18, 35),
        (-90, 25),
        (60, -15),
        (180, -40),
    ]
    assert all(land.contains(shapely.Point(p)) for p in on_land)
    assert not any(land.contains(shapely.Point(p)) for p in at_sea)
    west, south, east, north = land.bounds
    assert west >= -180.1
    assert east <= 180.1
    assert south >= -90.1
    assert north <= 90


def test_dots_lie_at_their_places() -> None:
    drawn = draw_world({(-99, 47, False): 10, (139, 35, True): 90})
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)" class="([^"]+)"', drawn)
    got = sorted((float(x) / 10 - 180, 90 - float(y) / 10, kind) for x, y, _, kind in dots)
    assert got == [(-98.5, 47.5, "dot"), (139.5, 35.5, "dot synthetic")]
    radii = {kind: float(r) for _, _, r, kind in dots}
    assert radii["dot"] < radii["dot synthetic"]
    assert "90 pairs (synthetic)" in drawn


def test_near_cells_are_one_dot_at_their_weighted_middle() -> None:
    drawn = draw_world({(0, 0, False): 3, (1, 0, False): 1})
    ((x, y),) = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert (float(x) / 10 - 180, 90 - float(y) / 10) == (pytest.approx(0.75), 0.5)


def test_antarctica_is_shown_only_where_it_is_needed() -> None:
    assert 'viewBox="0 60 3600 1410"' in draw_world({(0, 0, False): 1})
    assert 'viewBox="0 60 3600 1740"' in draw_world({(0, -75, False): 1})
    assert 'viewBox="0 0 3600 1470"' in draw_world({(0, 80, False): 1})


def read_panel(drawn: str) -> tuple[list[np.ndarray], float, float]:
    """Outlines in pixels, and the scale bar: its length in pixels and in metres."""
    outlines = [
        np.array([[float(v) for v in point.split(",")] for point in text.split()])
        for text in re.findall(r'points="([^"]+)"', drawn)
    ]
    bar = float(re.search(r"v4h([\d.]+)v-4", drawn)[1])
    number, unit = re.search(r">([\d.]+) (km|m)<", drawn).groups()
    return outlines, bar, float(number) * (1000 if unit == "km" else 1)


@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(0.001, 0.5))
def test_a_panel_is_true_to_scale(lon: float, lat: float, size: float) -> None:
    drawn = draw_cluster(Cluster(footprints=(make_footprint(lon, lat, size),)))
    (outline,), bar, metres = read_panel(drawn)
    geod = Geod(ellps="WGS84")
    width = geod.line_length([lon - size / 2, lon + size / 2], [lat, lat])
    height = geod.line_length([lon, lon], [lat - size / 2, lat + size / 2])
    got = np.ptp(outline[:-1], axis=0) * metres / bar
    assert got == pytest.approx([width, height], rel=0.02, abs=0.12 * metres / bar)
    assert outline.min() >= 0
    assert (outline.max(axis=0) <= [300, 220]).all()


def test_north_is_up() -> None:
    (south, north), _, _ = read_panel(
        draw_cluster(Cluster(footprints=(make_footprint(5, 50), make_footprint(5, 50.1))))
    )
    assert north[:, 1].max() < south[:, 1].min()


def test_a_panel_across_the_antimeridian_stays_together() -> None:
    both = shapely.MultiPolygon([shapely.box(179.99, 0, 180, 0.02), shapely.box(-180, 0, -179.99, 0.02)])
    footprint = Footprint(
        lon=180, lat=0.01, shape=shapely.to_wkb(both), split="val", modality="rgb", place=None
    )
    outlines, bar, metres = read_panel(draw_cluster(Cluster(footprints=(footprint,))))
    assert len(outlines) == 2
    width = np.ptp(np.concatenate(outlines)[:, 0]) * metres / bar
    assert width == pytest.approx(0.02 * 111_320, rel=0.02)


def test_equal_outlines_are_drawn_once_for_each_split() -> None:
    same = [make_footprint(5, 50), make_footprint(5, 50), make_footprint(5, 50, split="test")]
    assert len(read_panel(draw_cluster(Cluster(footprints=tuple(same))))[0]) == 2


def test_clusters_are_neighbouring_cells_largest_first() -> None:
    there = [make_footprint(100 + i * 0.9, 10, place="There") for i in range(5)]
    here = [make_footprint(0.5, 50 + i * 0.2) for i in range(9)]
    nowhere = dataclasses_replace_shape(make_footprint(-50, -10))
    found = find_clusters([*there, *here, nowhere], 4)
    assert [len(cluster.footprints) for cluster in found] == [9, 5]
    assert [cluster.title for cluster in found] == ["50.8° N, 0.5° E", "There"]
    assert find_clusters([*there, *here], 1) == found[:1]
    assert find_clusters([], 3) == []


def dataclasses_replace_shape(footprint: Footprint) -> Footprint:
    import dataclasses

    return dataclasses.replace(footprint, shape=None)


def test_positions_for_a_person() -> None:
    assert say_position(-98.94, 47.06) == "47.1° N, 98.9° W"
    assert say_position(151.2, -33.9) == "33.9° S, 151.2° E"

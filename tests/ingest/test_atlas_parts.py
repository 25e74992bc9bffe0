"""Parts of the atlas against closed forms: coordinates, noise, sun, parcels, curves, exact functions."""

from __future__ import annotations

import datetime
import json
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from earthloom.ingest.atlas import exact
from earthloom.ingest.atlas.cover import NAMES
from earthloom.ingest.atlas.crops import draw_crops
from earthloom.ingest.atlas.frame import Frame, distance_m, smoothstep
from earthloom.ingest.atlas.houses import Houses
from earthloom.ingest.atlas.palette import draw_palette
from earthloom.ingest.atlas.parcels import Bend, Custom, bend_cuts, bend_polygons, divide, paint_labels
from earthloom.ingest.atlas.ribbon import arc_length, draw_ribbon, resample_curve, smooth_curve, smooth_steps
from earthloom.ingest.atlas.shading import cast_shadow, shadow_reach
from earthloom.ingest.atlas.site import PLACES, Climate, Sun, draw_site, sun_position
from earthloom.ingest.atlas.trees import Stand, draw_trees, scatter, splat

FRAME = Frame(200, 2.0, 0, 1)


class TestFrame:
    @given(st.floats(-500, 900), st.floats(-500, 900), st.integers(64, 3000))
    def test_cells_and_metres_are_inverse(self, x: float, y: float, size: int) -> None:
        frame = Frame(size, 3.0, 0, 0)
        point = np.array([[x, y]])
        np.testing.assert_allclose(frame.to_metres(frame.to_cells(point)), point, atol=1e-9)

    @pytest.mark.parametrize("size", [64, 200, 512, 1000])
    def test_refining_keeps_a_slope(self, size: int) -> None:
        frame = Frame(size, 2.0, 0, 0)
        cells = np.arange(frame.n_coarse, dtype=np.float64)
        x = frame.to_metres(np.stack([cells, cells], axis=1))[:, 0]
        coarse = np.repeat(x[None, :].astype(np.float32), frame.n_coarse, axis=0)
        fine = frame.refine(coarse)
        assert fine.shape == (size, size)
        expected = (np.arange(size) + 0.5) * 2.0
        np.testing.assert_allclose(fine, np.repeat(expected[None, :], size, axis=0), atol=0.02 * frame.cell_m)

    def test_sampling_hits_the_cells(self) -> None:
        raster = FRAME.coarse_noise("test", 200, 20)
        rows, cols = np.divmod(np.arange(0, raster.size, 101), FRAME.n_coarse)
        points = FRAME.to_metres(np.stack([cols, rows], axis=1).astype(float))
        np.testing.assert_allclose(FRAME.sample(raster, points), raster[rows, cols], atol=1e-4)

    def test_draws_of_one_purpose_do_not_shift_another(self) -> None:
        first = FRAME.rng("a").random(3)
        FRAME.rng("b").random(100)
        np.testing.assert_array_equal(FRAME.rng("a").random(3), first)
        assert not np.array_equal(FRAME.rng("b").random(3), first)
        assert not np.array_equal(Frame(200, 2.0, 0, 2).rng("a").random(3), first)

    @pytest.mark.parametrize("slope", [0.8, 1.4, 2.0])
    def test_noise_has_the_slope_asked_for(self, slope: float) -> None:
        """Amplitude falls as frequency to the power -slope: power averaged over rings, fitted in logarithms."""
        frame = Frame(512, 1.0, 0, 0)
        noise = frame.noise("test", 256.0, 0.0, slope)
        assert abs(float(noise.mean())) < 0.05
        assert float(noise.std()) == pytest.approx(1.0, abs=0.05)
        power = np.abs(np.fft.fft2(noise)) ** 2
        f = np.fft.fftfreq(512)
        radius = np.hypot(f[:, None], f[None, :])
        rings = np.geomspace(0.02, 0.4, 12)
        means = [power[(radius >= a) & (radius < b)].mean() for a, b in pairwise(rings)]
        fit = np.polyfit(np.log(np.sqrt(rings[1:] * rings[:-1])), np.log(means), 1)
        assert fit[0] == pytest.approx(-2 * slope, abs=0.12)

    def test_distances(self) -> None:
        mask = np.zeros((9, 9), bool)
        mask[4, 4] = True
        far = distance_m(mask, 2.0)
        assert far[4, 4] == 0
        assert far[4, 8] == pytest.approx(8.0, rel=0.01)
        assert far[0, 0] == pytest.approx(8 * math.sqrt(2), rel=0.03)
        assert (distance_m(np.zeros((3, 3), bool), 1.0) > 1e5).all()

    def test_smoothstep_ends_and_middle(self) -> None:
        x = np.array([-1, 0, 0.5, 1, 2], np.float32)
        np.testing.assert_allclose(smoothstep(0, 1, x), [0, 0, 0.5, 1, 1])
        np.testing.assert_allclose(smoothstep(1, 0, x), [1, 1, 0.5, 0, 0])


class TestExact:
    @given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=40))
    def test_functions_are_right(self, values: list[float]) -> None:
        x = np.array(values, np.float32)
        wide = x.astype(np.float64)
        np.testing.assert_allclose(exact.exp(x), np.exp(wide), rtol=3e-6)
        np.testing.assert_allclose(exact.sine(x), np.sin(2 * np.pi * wide), atol=2e-4)
        positive = np.abs(x) + np.float32(1e-3)
        np.testing.assert_allclose(exact.log10(positive), np.log10(positive.astype(np.float64)), atol=2e-6)
        np.testing.assert_allclose(
            exact.power(positive, -0.45), positive.astype(np.float64) ** -0.45, rtol=3e-6
        )

    def test_integers_are_a_mistake(self) -> None:
        with pytest.raises(TypeError, match="int64"):
            exact.power(np.arange(1, 5), 0.5)

    def test_any_shape_and_both_precisions(self) -> None:
        x = np.linspace(0.1, 3, 24).reshape(2, 3, 4)
        np.testing.assert_allclose(exact.power(x, 1.3), x**1.3, rtol=1e-12)
        np.testing.assert_allclose(exact.exp(x[:, ::2]), np.exp(x[:, ::2]), rtol=1e-12)


class TestSite:
    @pytest.mark.parametrize(
        ("lat", "date", "elevation"),
        [
            (0.0, "2021-03-20", 90.0),
            (40.0, "2021-06-21", 73.44),
            (51.48, "2021-12-21", 15.08),
            (-33.87, "2021-12-21", 79.57),
        ],
    )
    def test_the_noon_sun(self, lat: float, date: str, elevation: float) -> None:
        """90 degrees less the distance of latitude and declination (23.44 at the solstices)."""
        sun = sun_position(lat, datetime.date.fromisoformat(date), 12.0)
        assert sun.elevation_deg == pytest.approx(elevation, abs=0.9)

    def test_the_sun_crosses_the_sky_from_east_to_west(self) -> None:
        day = datetime.date(2020, 6, 21)
        north = [sun_position(50, day, hour).azimuth_deg for hour in (9, 12, 15)]
        assert north[0] < 179 < north[1] < 181 < north[2]
        assert sun_position(-50, day, 12).azimuth_deg == pytest.approx(0, abs=0.01)
        assert np.linalg.norm(Sun(37, 123).direction()) == pytest.approx(1)

    def test_places_lie_on_land(self, repository: Path) -> None:
        """Against the outline of the land from Natural Earth that the report draws; coasts within a degree."""
        table = json.loads((repository / "src/earthloom/export/templates/land.json").read_text())
        rings = [ring for ring in _read_path(table["path"]) if len(ring) > 2]
        land = shapely.union_all([shapely.make_valid(Polygon(ring)) for ring in rings])
        for place in PLACES:
            point = shapely.Point(10 * (place.lon + 180), 10 * (90 - place.lat))
            assert land.distance(point) < 12, place

    def test_dates_have_light_and_places_fit(self) -> None:
        for k in range(40):
            site = draw_site(np.random.default_rng(k), k / 40)
            assert 28 <= site.sun.elevation_deg <= 49
            assert 2015 <= site.date.year <= 2024
            assert 0 <= site.season <= 1
            assert 0 <= site.autumn <= 1
            nearest = min(PLACES, key=lambda p: abs(p.lon - site.lon) + abs(p.lat - site.lat))
            assert abs(nearest.lat - site.lat) < 0.5

    def test_colours_are_reflectances(self) -> None:
        for k in range(60):
            site = draw_site(np.random.default_rng(k), (k * 0.618) % 1)
            palette = draw_palette(np.random.default_rng(k), site)
            crops = draw_crops(site, palette, 0.5)
            for colour in (
                *(c.colour for c in crops),
                palette.leaf,
                palette.sand,
                palette.deep,
                *palette.roofs,
            ):
                assert all(0 < part < 0.75 for part in colour)
            assert palette.leaf[3] > 3 * palette.leaf[0]
            assert palette.deep[3] < palette.deep[1]
            assert {c.cover for c in crops} <= set(NAMES.values())
            assert sum(c.weight for c in crops) > 1
        assert len(Climate) == 7


def _read_path(path: str) -> list[list[tuple[float, float]]]:
    """Rings of an SVG path of M, l and z commands with relative integers."""
    rings: list[list[tuple[float, float]]] = []
    for part in re.findall(r"[Mm][^Mm]*", path):
        numbers = [float(word) for word in re.findall(r"-?\d+\.?\d*", part)]
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        x, y = pairs[0]
        ring = [(x, y)]
        for dx, dy in pairs[1:]:
            x, y = x + dx, y + dy
            ring.append((x, y))
        rings.append(ring)
    return rings


class TestParcels:
    @settings(max_examples=40)
    @given(st.floats(0, 1), st.floats(1, 4), st.floats(0, 3.1), st.integers(0, 50))
    def test_pieces_fill_the_ground_without_overlap(
        self, regular: float, aspect: float, angle: float, key: int
    ) -> None:
        frame = Frame(128, 2.0, 9, key)
        custom = Custom(regular=regular, aspect=aspect, angle=angle, bend_m=0.0)
        target = np.full((frame.n_coarse, frame.n_coarse), 3000, np.float32)
        parcels = divide(frame, custom, target)
        shapes = [Polygon(p) for p in parcels.polygons]
        scene = shapely.box(0, 0, frame.extent_m, frame.extent_m)
        inside = [shape.intersection(scene).area for shape in shapes]
        assert sum(inside) == pytest.approx(scene.area, rel=1e-6)
        covered = shapely.union_all(shapes, grid_size=1e-6).intersection(scene).area
        assert covered == pytest.approx(scene.area, rel=1e-6)
        assert parcels.areas_m2 == pytest.approx([shape.area for shape in shapes], rel=1e-6)
        assert all(shape.convex_hull.area <= shape.area * (1 + 1e-6) for shape in shapes)
        assert parcels.areas_m2.max() <= 3000 * 1.5

    def test_labels_are_the_pieces(self) -> None:
        frame = Frame(128, 2.0, 9, 1)
        custom = Custom(regular=0.3, aspect=2.0, angle=0.4, bend_m=0.0)
        parcels = divide(frame, custom, np.full((frame.n_coarse,) * 2, 4000, np.float32))
        outlines, corners = bend_polygons(parcels, Bend(frame, 0.0))
        labels = paint_labels(frame, outlines)
        rng = np.random.default_rng(0)
        right = 0
        for col, row in rng.integers(0, 128, (300, 2)):
            point = shapely.Point((col + 0.5) * 2, (row + 0.5) * 2)
            right += Polygon(parcels.polygons[labels[row, col]]).distance(point) < 2.0
        assert right == 300
        assert len(outlines) == len(corners) == len(parcels.polygons)

    def test_bending_keeps_corners_on_outlines_and_cuts(self) -> None:
        frame = Frame(256, 4.0, 9, 1)
        custom = Custom(regular=0.3, aspect=2.0, angle=0.4, bend_m=20.0)
        parcels = divide(frame, custom, np.full((frame.n_coarse,) * 2, 2e4, np.float32))
        bend = Bend(frame, 20.0)
        outlines, corners = bend_polygons(parcels, bend)
        for outline, few in zip(outlines, corners, strict=True):
            ends = np.abs(outline[:, None] - few[None]).sum(axis=2).min(axis=0)
            assert ends.max() < 1e-9
        cuts = bend_cuts(parcels, bend)
        for cut, line in zip(parcels.cuts, cuts, strict=True):
            np.testing.assert_allclose(line[[0, -1]], bend.apply(np.array([cut.start, cut.end])), atol=1e-9)
            assert np.hypot(*np.diff(line, axis=0).T).max() < 60


class TestCurves:
    def test_a_ribbon_covers_its_width(self) -> None:
        for width in (0.6, 1.0, 3.0, 8.0, 21.0):
            canvas = np.zeros((200, 200), np.uint8)
            line = np.stack([np.linspace(-20, 420, 60), np.linspace(101, 219, 60)], axis=1)
            draw_ribbon(canvas, FRAME, line, width)
            across = canvas[:, 40:160].astype(float).sum(axis=0).mean() / 255 * 2.0
            slant = math.hypot(440, 118) / 440
            assert across == pytest.approx(width * slant, abs=0.5)

    def test_smoothing_keeps_ends_and_resampling_keeps_length(self) -> None:
        rng = np.random.default_rng(3)
        curve = np.cumsum(rng.normal(0, 5, (80, 2)), axis=0)
        smooth = smooth_curve(curve, 3.0)
        np.testing.assert_allclose(smooth[[0, -1]], curve[[0, -1]])
        assert arc_length(smooth)[-1] < arc_length(curve)[-1]
        even = resample_curve(smooth, 1.0)
        assert arc_length(even)[-1] == pytest.approx(arc_length(smooth)[-1], rel=0.02)
        assert np.hypot(*np.diff(even, axis=0).T).max() < 1.01

    @pytest.mark.parametrize("correlation", [0.5, 4.0, 60.0])
    def test_steps_have_unit_deviation_on_average(self, correlation: float) -> None:
        noise = [smooth_steps(np.random.default_rng(k), 40, correlation) for k in range(300)]
        assert np.std(noise) == pytest.approx(1.0, abs=0.1)


class TestThings:
    def test_splatting_keeps_weight_and_place(self) -> None:
        points = np.array([[101.3, 50.9], [200.0, 317.2]])
        out = splat(FRAME, points, np.array([1.0, 3.0], np.float32))
        assert out.sum() == pytest.approx(4.0)
        rows, cols = np.indices(out.shape)
        lone = splat(FRAME, points[:1], np.ones(1, np.float32))
        at = FRAME.to_pixels(points[:1])[0]
        assert ((lone * cols).sum(), (lone * rows).sum()) == pytest.approx(tuple(at), abs=1e-3)

    def test_trees_stand_as_thick_as_asked(self) -> None:
        frame = Frame(256, 1.0, 0, 0)
        stand = Stand(crown_m=8.0, height_m=15.0)
        density = np.zeros((256, 256), np.float32)
        density[:, 128:] = 0.5
        points = scatter(frame, density, stand)
        assert (points[:, 0] > 125).all()
        assert len(points) == pytest.approx(0.5 * 128 * 256 / (0.8 * 8.0) ** 2, rel=0.15)
        canopy = draw_trees(frame, points, stand)
        assert canopy.crowns[:, :110].max() == 0
        assert 5 < canopy.height_m.max() < 25

    def test_a_wall_casts_its_shadow(self) -> None:
        """Ten metres high under a sun at 45 degrees in the west: ten metres to the east."""
        tall = np.zeros((9, 60), np.float32)
        tall[:, 20] = 10
        lamp = Sun(45.0, 270.0)
        steps = shadow_reach(lamp, 10.0, 1.0)
        shadow = cast_shadow(tall, lamp, 1.0, steps)[4]
        assert steps in (9, 10)
        assert (shadow[21:29] > 0.5).all()
        assert (shadow[31:] == 0).all()
        assert (shadow[:20] == 0).all()

    def test_corners_of_a_house(self) -> None:
        one = {
            name: np.array([value])
            for name, value in zip(Houses.__slots__, (5, 7, 0.3, 12, 8, 6, True, 0.5), strict=True)
        }
        houses = Houses(**one)
        corners = Polygon(houses.corners()[0])
        assert corners.area == pytest.approx(96)
        assert (corners.centroid.x, corners.centroid.y) == pytest.approx((5, 7))
        half = Polygon(houses.corners((0.0, 1.0))[0])
        assert half.area == pytest.approx(48)
        assert len(houses.joined(houses).x) == 2

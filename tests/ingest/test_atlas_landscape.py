"""The finished landscape: modalities show the same ground, roads reach towns, plants and water look it."""

from __future__ import annotations

import time
import tracemalloc

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import label

from earthloom.ingest.atlas.cover import BARE, CROP, FOREST, GRASS, NAMES, ROAD, SAND, TOWN, WATER
from earthloom.ingest.atlas.fields import BLOCK, FIELD
from earthloom.ingest.atlas.frame import Frame
from earthloom.ingest.atlas.landscape import Landscape, make_landscape
from earthloom.ingest.atlas.optics import Camera, take_pictures
from earthloom.ingest.atlas.radar import mean_power, measure
from earthloom.ingest.atlas.shading import Strip

NUMBERS = (0, 1, 3, 4, 6, 10, 12)


class View:
    """One landscape and what is seen of it."""

    def __init__(self, number: int) -> None:
        self.scene = make_landscape(Frame(320, 2.0, 0, number))
        self.rgb, self.nir = take_pictures(self.scene)
        self.radiance = Camera(self.scene).look(Strip(0, 320, 320))
        self.level = 10 * np.log10(mean_power(self.scene))
        self.classes = self.scene.cover.classes

    def inside(self, value: int, reach: int = 1) -> NDArray[np.bool_]:
        """Pixels of a class, away from others."""
        kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
        eroded: NDArray[np.bool_] = cv2.erode((self.classes == value).astype(np.uint8), kernel) > 0
        return eroded

    def ndvi(self) -> NDArray[np.float32]:
        red, infrared = self.radiance[0], self.radiance[3]
        out: NDArray[np.float32] = (infrared - red) / (infrared + red)
        return out


@pytest.fixture(scope="module")
def views() -> dict[int, View]:
    return {number: View(number) for number in NUMBERS}


def test_every_pixel_has_a_known_class(views: dict[int, View]) -> None:
    seen: set[int] = set()
    for view in views.values():
        seen |= set(np.unique(view.classes).tolist())
    assert seen <= set(NAMES)
    assert len(seen) >= 9


def test_vegetation_index_tells_plants_from_water_and_stone(views: dict[int, View]) -> None:
    checked = set()
    for view in views.values():
        index = view.ndvi()
        for value, low, high in ((FOREST, 0.4, 1), (WATER, -1, 0.1), (ROAD, -0.1, 0.3), (SAND, -0.1, 0.25)):
            inside = view.inside(value)
            if inside.sum() > 200:
                checked.add(value)
                assert low < np.median(index[inside]) < high, NAMES[value]
    assert checked == {FOREST, WATER, ROAD, SAND}


def test_the_pictures_keep_that_order(views: dict[int, View]) -> None:
    """On the 8-bit values too, which are bent by the display's gamma."""
    for view in views.values():
        red, infrared = view.rgb[..., 0].astype(float), view.nir.astype(float)
        index = (infrared - red) / (infrared + red + 1)
        medians = {v: np.median(index[view.inside(v)]) for v in NAMES if view.inside(v).sum() > 200}
        if WATER in medians:
            assert medians[WATER] == min(medians.values())
            assert medians[WATER] < 0.1
        if FOREST in medians:
            assert medians[FOREST] > 0.25
            assert medians[FOREST] > max(medians.get(v, -1) for v in (TOWN, ROAD, BARE, SAND, GRASS))


def test_infrared_is_related_to_colour_but_no_mix_of_it(views: dict[int, View]) -> None:
    for view in views.values():
        colours = np.concatenate([view.radiance[:3].reshape(3, -1), np.ones((1, 320 * 320), np.float32)]).T
        infrared = view.radiance[3].ravel()
        weights = np.linalg.lstsq(colours.astype(np.float64), infrared, rcond=None)[0]
        explained = 1 - np.mean((colours @ weights - infrared) ** 2) / infrared.var()
        assert 0.3 < explained < 0.985


def test_all_modalities_change_at_the_edges_of_the_mask(views: dict[int, View]) -> None:
    """Across the shore: steps in every modality, at the same place to a pixel."""
    view = views[3]
    water = (view.classes == WATER).astype(np.float32)
    land = 1 - water
    for band in (
        view.nir.astype(np.float32),
        view.level.astype(np.float32),
        view.rgb[..., 0].astype(np.float32),
    ):
        contrast = np.median(band[land > 0]) - np.median(band[water > 0])
        edge = gradient(cv2.GaussianBlur(water, (0, 0), 1))
        steps = [
            float((np.roll(gradient(cv2.GaussianBlur(band, (0, 0), 1)), (dy, dx), (0, 1)) * edge).mean())
            for dy in (-3, 0, 3)
            for dx in (-3, 0, 3)
        ]
        assert np.argmax(steps) == 4
        assert contrast > 0


def test_class_edges_show_in_every_modality(views: dict[int, View]) -> None:
    view = views[4]
    edges = np.zeros(view.classes.shape, bool)
    fields = np.isin(view.classes, (CROP, GRASS)) & view.scene.cover.farmed
    parcels = view.scene.estate.labels
    edges[:, 1:] = (parcels[:, 1:] != parcels[:, :-1]) & fields[:, 1:] & fields[:, :-1]
    inner = fields & ~(cv2.dilate(edges.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
    for band in (view.rgb[..., 1], view.nir, view.level):
        steps = np.abs(np.diff(cv2.GaussianBlur(band.astype(np.float32), (0, 0), 1), axis=1, prepend=0))
        assert steps[edges].mean() > 1.7 * steps[inner].mean()


def gradient(raster: NDArray[np.float32]) -> NDArray[np.float32]:
    gx, gy = (cv2.Sobel(raster, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    return np.hypot(gx, gy)


def test_slopes_towards_the_sun_are_brighter(views: dict[int, View]) -> None:
    view = views[0]
    sun_x, sun_y, _ = view.scene.ground.site.sun.direction()
    south, east = np.gradient(cv2.GaussianBlur(view.scene.surface.elevation_m, (0, 0), 3), 2.0)
    towards = -(east * sun_x + south * sun_y)
    forest = (view.classes == FOREST) & (view.scene.plants.crowns > 0.5)
    brightness = cv2.GaussianBlur(view.rgb[..., 1].astype(np.float32), (0, 0), 3)
    assert np.corrcoef(towards[forest], brightness[forest])[0, 1] > 0.6


def test_shadows_fall_away_from_the_sun(views: dict[int, View]) -> None:
    """Behind a house it is darker than before it."""
    scene = views[4].scene
    x, y, _ = scene.ground.site.sun.direction()
    houses, flat = scene.built.houses, np.hypot(x, y)
    reach = houses.width_m / 2 + 4
    behind, before = (
        scene.frame.sample_fine(
            views[4].radiance[1],
            np.stack([houses.x + s * reach * x / flat, houses.y + s * reach * y / flat], axis=1),
        )
        for s in (-1, 1)
    )
    assert len(houses.x) > 50
    assert np.mean(behind) < 0.75 * np.mean(before)


def test_main_roads_reach_every_town_and_leave_the_scene() -> None:
    for number in (1, 4, 9, 17, 22):
        scene = make_landscape(Frame(320, 4.0, 0, number))
        roads, _ = label(scene.built.paved > 60, np.ones((3, 3)))
        assert scene.towns
        rim = set(np.concatenate([roads[0], roads[-1], roads[:, 0], roads[:, -1]]).tolist()) - {0}
        for town in scene.towns:
            col, row = np.clip(scene.frame.to_pixels(np.array([[town.x, town.y]]))[0].astype(int), 8, 311)
            near = set(roads[row - 8 : row + 9, col - 8 : col + 9].ravel().tolist()) - {0}
            assert near & rim


def test_houses_stand_on_dry_ground_beside_roads(views: dict[int, View]) -> None:
    scene = views[4].scene
    middles = np.stack([scene.built.houses.x, scene.built.houses.y], axis=1)
    middles = middles[((middles > 4) & (middles < 636)).all(axis=1)]
    col, row = np.round(scene.frame.to_pixels(middles)).astype(int).T
    assert len(col) > 50
    assert set(scene.cover.classes[row, col].tolist()) == {TOWN}
    assert (scene.surface.water[row, col] < 128).all()
    away = cv2.distanceTransform((scene.built.paved < 128).astype(np.uint8), cv2.DIST_L2, 5) * 2.0
    in_block = scene.estate.holdings.use[scene.estate.labels[row, col]] == BLOCK
    assert np.median(away[row, col][in_block]) < 25


def test_no_tree_stands_in_water_or_on_a_road() -> None:
    """Crowns may lean over; none fills a river. Scene 14 of seed 7 has orchards along one."""
    scene = make_landscape(Frame(512, 4.0, 7, 14))
    for value in (WATER, ROAD):
        inside = cv2.erode((scene.cover.classes == value).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert inside.sum() > 50
        assert (scene.plants.crowns[inside] > 0.5).mean() < 0.01
    assert "orchard" in {scene.estate.holdings.crops[i].name for i in scene.estate.holdings.crop}


def test_a_field_has_one_crop(views: dict[int, View]) -> None:
    """Pixels of one field are more alike than fields are."""
    scene = views[12].scene
    open_ground = scene.cover.farmed & (scene.plants.crowns < 0.01) & (scene.estate.edge_m > 12)
    inside = [
        views[12].radiance[0][(scene.estate.labels == i) & open_ground]
        for i in np.flatnonzero(scene.estate.holdings.use == FIELD)
    ]
    inside = [pixels for pixels in inside if len(pixels) > 600]
    assert len(inside) >= 5
    assert np.std([np.median(pixels) for pixels in inside]) > 1.5 * np.median(
        [_spread(pixels) for pixels in inside]
    )


def _spread(pixels: NDArray[np.float32]) -> float:
    """Deviation, from the quartiles."""
    return float(np.subtract(*np.quantile(pixels, [0.75, 0.25])) / 1.349)


def test_fields_lie_where_it_is_flat(views: dict[int, View]) -> None:
    scene = make_landscape(Frame(320, 6.0, 0, 6))
    slope = scene.surface.slope.astype(np.float32)
    assert (
        slope[scene.cover.farmed].mean() < slope[~scene.cover.farmed & (scene.cover.classes == FOREST)].mean()
    )
    assert slope[scene.cover.farmed].max() < 0.35


@pytest.mark.parametrize("size", [64, 65, 127, 200])
@pytest.mark.parametrize("gsd_m", [0.3, 10.0, 300.0])
def test_any_size_and_scale_works(size: int, gsd_m: float) -> None:
    scene = make_landscape(Frame(size, gsd_m, 3, size))
    rgb, nir = take_pictures(scene)
    assert rgb.shape == (size, size, 3)
    assert nir.shape == (size, size)
    assert np.isfinite(measure(scene, 1)).all()
    assert rgb.std() > 3


def test_strips_leave_no_seams(views: dict[int, View]) -> None:
    camera = Camera(views[6].scene)
    parts = [camera.look(Strip(top, min(top + 37, 320), 320)) for top in range(0, 320, 37)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), views[6].radiance)


def test_nothing_repeats_or_stripes(views: dict[int, View]) -> None:
    """No period of tiles or rows in open ground: the spectrum has no lone peak on its axes."""
    view = views[0]
    picture = view.rgb[..., 1].astype(float)
    power = np.abs(np.fft.rfft2(picture - picture.mean())) ** 2
    for axis in (power[0, 4:], power[4:160, 0]):
        around = np.convolve(axis, np.ones(9) / 9, mode="valid")
        assert (axis[4:-4] / around).max() < 8.9


def render(size: int) -> Landscape:
    scene = make_landscape(Frame(size, 2.0, 0, 4))
    take_pictures(scene)
    measure(scene, 4)
    return scene


def test_rendering_is_quick() -> None:
    """A quarter of a megapixel of town, the costliest ground, well under two seconds of one processor."""
    start = time.process_time()
    render(512)
    assert time.process_time() - start < 2.0


def test_memory_is_bounded() -> None:
    """Under 70 bytes a pixel at the peak, pictures included: 300 MB for 2048 x 2048."""
    render(64)
    tracemalloc.start()
    try:
        render(768)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 75 * 768**2

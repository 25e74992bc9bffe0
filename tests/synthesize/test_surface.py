"""What is seen of the ground, against scenes of known covers and real pictures with a second opinion."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from PIL import Image
from scipy import ndimage

from earthloom.core.light import to_light
from earthloom.core.records import Modality
from earthloom.synthesize.covers import find_roads
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Mask, Plane, Stack, View
from earthloom.synthesize.surface import Ground, see_ground

GRASS, SOIL, LAKE, WOODS, ASPHALT = range(5)
COLOURS = np.array(  # linear R, G, B, NIR
    [
        (0.10, 0.16, 0.07, 0.45),
        (0.28, 0.22, 0.16, 0.32),
        (0.02, 0.05, 0.06, 0.01),
        (0.015, 0.03, 0.015, 0.20),
        (0.45, 0.45, 0.44, 0.47),
    ],
    np.float32,
)


def make_land(size: int = 256, grain: float = 0.08, seed: int = 0) -> tuple[npt.NDArray[np.intp], Plane]:
    """Quarters of grass, soil, woods and a lake with a road across; textured, but for the lake."""
    cover = np.full((size, size), GRASS)
    half = size // 2
    cover[:half, half:] = SOIL
    cover[half:, :half] = WOODS
    cover[half + 8 : -8, half + 8 : -8] = LAKE
    cover[size // 4 : size // 4 + 4, :] = ASPHALT
    noise = np.random.default_rng(seed).normal(1, grain, (size, size, 1)).astype(np.float32)
    still = np.random.default_rng(seed).normal(1, 0.01, (size, size, 1)).astype(np.float32)
    return cover, (COLOURS[cover] * np.where((cover == LAKE)[..., None], still, noise)).clip(0, 1)


def make_stack(
    bands: Plane,
    *,
    with_nir: bool = True,
    with_rgb: bool = True,
    valid: Mask | None = None,
    classes: dict[str, Mask] | None = None,
    pixel_m: float | None = None,
) -> Stack:
    light = {Modality.RGB: bands[:, :, :3], Modality.NIR: bands[:, :, 3:]}
    wanted = [m for m, is_in in ((Modality.RGB, with_rgb), (Modality.NIR, with_nir)) if is_in]
    return Stack(
        view=View(height=bands.shape[0], width=bands.shape[1], pixel_m=pixel_m),
        layers=tuple(
            Layer(modality=m, light=np.ascontiguousarray(light[m]), wavelengths_um=DISPLAY_UM[m])
            for m in wanted
        ),
        valid=valid,
        classes=classes,
    )


def core(mask: npt.NDArray[np.bool_], pixels: int = 5) -> npt.NDArray[np.bool_]:
    return ndimage.binary_erosion(mask, iterations=pixels)


@pytest.fixture(scope="module")
def land() -> tuple[npt.NDArray[np.intp], Plane]:
    return make_land()


@pytest.mark.parametrize(("with_rgb", "with_nir"), [(True, True), (True, False), (False, True)])
def test_a_lake_is_water_and_land_is_none(
    land: tuple[npt.NDArray[np.intp], Plane], with_rgb: bool, with_nir: bool
) -> None:
    cover, bands = land
    ground = see_ground(make_stack(bands, with_rgb=with_rgb, with_nir=with_nir))
    assert ground.water[core(cover == LAKE)].all()
    assert not ground.water[core(cover != LAKE)].any()


@pytest.mark.parametrize("with_nir", [True, False])
def test_vegetation_crowns_and_roads_lie_where_they_were_put(
    land: tuple[npt.NDArray[np.intp], Plane], with_nir: bool
) -> None:
    cover, bands = land
    ground = see_ground(make_stack(bands, with_nir=with_nir))
    assert ground.vegetation[core(cover == GRASS)].mean() > 0.9
    assert ground.vegetation[core(cover == SOIL)].mean() < 0.05
    assert ground.crowns[core(cover == WOODS)].mean() > 0.7
    assert ground.crowns[core(cover == GRASS)].mean() < 0.05
    assert ground.roads[core(cover == ASPHALT, 1)].mean() > 0.8
    assert ground.roads[core(cover != ASPHALT)].mean() < 0.01
    assert ground.paved[core(cover == ASPHALT, 1)].mean() > 0.9


def test_relief_is_the_shade_of_slopes() -> None:
    x = np.mgrid[:256, :256][1].astype(np.float32)
    shading = 1 + 0.5 * np.sin(x / 6)
    bands = np.repeat((0.3 * shading)[..., None], 4, axis=2)
    relief = see_ground(make_stack(bands)).relief
    assert np.corrcoef(relief[16:-16, 16:-16].ravel(), shading[16:-16, 16:-16].ravel())[0, 1] > 0.99
    assert relief.mean() == pytest.approx(1, abs=0.05)


def test_a_dark_lake_leaves_the_relief_of_its_shore_even() -> None:
    bands = np.empty((256, 256, 4), np.float32)
    bands[:] = COLOURS[SOIL]
    bands[:, :128] = COLOURS[LAKE]
    relief = see_ground(make_stack(bands)).relief
    assert relief[:, 131:160] == pytest.approx(1, abs=0.06)
    plain = bands[:, :, :3] @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    naive = plain / ndimage.gaussian_filter(plain, 8)
    assert naive[:, 131].mean() > 1.25  # what a blur over the lake would make of it


def test_dark_rough_slopes_are_steep_and_a_dark_smooth_field_is_not() -> None:
    rng = np.random.default_rng(1)
    bands = np.empty((256, 256, 4), np.float32)
    bands[:] = (0.3, 0.28, 0.26, 0.3)
    ridges = np.sign(np.sin(np.arange(256) / 4))[None, :] > 0
    slopes = np.zeros((256, 256), bool)
    slopes[:128] = ridges
    bands[slopes] *= 0.2
    field = np.zeros((256, 256), bool)
    field[160:230, 60:200] = True
    bands[field] *= 0.4
    bands *= rng.normal(1, 0.03, (256, 256, 1)).astype(np.float32)
    steep = see_ground(make_stack(bands)).steep
    assert steep[core(slopes, 2)].mean() > 0.9
    assert steep[field].mean() < 0.05


def test_the_mask_of_the_scene_goes_before_the_guess(land: tuple[npt.NDArray[np.intp], Plane]) -> None:
    cover, bands = land
    soil, lake = cover == SOIL, cover == LAKE
    named = {"Lakes and rivers": soil, "bare soil": lake, "background": cover == GRASS}
    ground = see_ground(make_stack(bands, classes=named))
    assert ground.water[core(soil)].all()
    assert not ground.water[core(lake)].any()
    roads = see_ground(make_stack(bands, classes={"unpaved road": soil})).roads
    assert roads[core(soil)].min() > 0.99


def test_a_forest_of_the_mask_keeps_its_bright_gaps() -> None:
    bands = np.empty((256, 256, 4), np.float32)
    bands[:] = (0.08, 0.09, 0.07, 0.3)
    gaps = np.zeros((256, 256), bool)
    gaps[::32, ::32] = True
    gaps = ndimage.binary_dilation(gaps, iterations=3)
    bands[gaps] *= 2
    crowns = see_ground(make_stack(bands, classes={"forest land": np.ones_like(gaps)})).crowns
    assert crowns[~ndimage.binary_dilation(gaps, iterations=3)].min() > 0.7
    assert crowns[core(gaps, 2)].max() < 0.1


def test_pixels_without_data_do_not_change_what_is_seen_of_the_rest(
    land: tuple[npt.NDArray[np.intp], Plane],
) -> None:
    cover, bands = land
    valid = np.ones(cover.shape, bool)
    valid[:, :40] = False
    holed = bands.copy()
    holed[~valid] = 0
    far = np.zeros_like(valid)
    far[:, 140:] = True
    full, cut = see_ground(make_stack(bands)), see_ground(make_stack(holed, valid=valid))
    np.testing.assert_array_equal(full.water[far], cut.water[far])
    assert np.abs(full.crowns - cut.crowns)[far].mean() < 0.01
    assert cut.relief[:, 45:60].mean() == pytest.approx(full.relief[:, 45:60].mean(), rel=0.3)


def test_roads_are_not_looked_for_where_no_thin_line_can_be_one(
    land: tuple[npt.NDArray[np.intp], Plane],
) -> None:
    cover, bands = land
    rgb = np.ascontiguousarray(bands[:, :, :3])
    luminance = rgb.mean(axis=2)
    on_road = core(cover == ASPHALT, 1)
    assert find_roads(luminance, rgb, 2.5)[on_road].mean() > 0.8
    assert not find_roads(luminance, rgb, 0.1).any()
    assert not find_roads(luminance, rgb, 60.0).any()


def see_naip(path: Path) -> tuple[Ground, npt.NDArray[np.uint8]]:
    with rasterio.open(path) as source:
        pixels = source.read(window=((0, 512), (0, 512)))
    bands = to_light(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    return see_ground(make_stack(bands, pixel_m=5)), pixels


def test_the_lakes_of_six_years_are_found(real_data: Path) -> None:
    paths = sorted((real_data / "naip").glob("*.tif"))
    assert len(paths) == 6
    seen = [see_naip(path) for path in paths]
    always = np.logical_and.reduce([core(ground.water, 2) for ground, _ in seen])
    assert (
        0.03 < always.mean() < 0.2
    )  # lakes that were there in every year, found without looking at the others
    for ground, pixels in seen:
        red, nir = pixels[0].astype(int), pixels[3].astype(int)
        assert (nir < red + 12)[core(ground.water, 2)].mean() > 0.95  # no plant on it
        assert ground.water.mean() < 0.25


def test_pictures_of_the_sea_are_water_and_those_of_land_are_not(real_data: Path) -> None:
    least, most = {"SeaLake": 0.9}, {"HerbaceousVegetation": 0.02, "Pasture": 0.05, "Residential": 0.02}
    with tarfile.open(real_data / "eurosat" / "eurosat_rgb.tar") as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".jpg")]
        for name in (*least, *most):
            chosen = [member for member in members if member.name.split("/")[-2] == name][:40]
            shares = [see_ground(make_rgb(archive, member)).water.mean() for member in chosen]
            assert least.get(name, 0) <= np.mean(shares) <= most.get(name, 1), name


def make_rgb(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Stack:
    stored = archive.extractfile(member)
    assert stored is not None
    with Image.open(stored) as picture:
        light = to_light(np.array(picture.convert("RGB")))
    return make_stack(light, with_nir=False, pixel_m=10)


def test_a_boat_is_no_land_and_the_shore_stays_where_it_is() -> None:
    rng = np.random.default_rng(6)
    bands = (COLOURS[LAKE] * rng.normal(1, 0.01, (200, 200, 1))).astype(np.float32)
    bands[90:98, 90:94] = 0.6  # a boat
    bands[:, 140:] = (COLOURS[SOIL] * rng.normal(1, 0.08, (200, 60, 1))).astype(np.float32)
    water = see_ground(make_stack(bands, with_nir=False)).water
    assert water[:, :134].all()
    assert not water[:, 144:].any()

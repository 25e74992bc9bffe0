"""Tiles of real scenes against pyproj's geodesics and rasterio's own reads."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image
from pyproj import Geod, Transformer
from rasterio.windows import Window
from scene_factory import scene_of

from earthloom.core.errors import RecordError
from earthloom.core.records import Band, ClassMask, Legend, Modality, Quantity, Scene, Tile
from earthloom.tile import TileSettings, check_classes, count_windows, cut_tiles
from earthloom.tile.config import Encoding

GEOD = Geod(ellps="WGS84")
PNG = Encoding(rgb="png", nir="png", sar="png")
SCENES = {
    "naip": ("naip/m_4709963_se_14_1_20170827.tif", Modality.RGB, (1, 2, 3), None),
    "naip-nir": ("naip/m_4709963_se_14_1_20170827.tif", Modality.NIR, (4,), None),
    "neon": ("aerial/OSBS_029.tif", Modality.RGB, (1, 2, 3), None),
    "spacenet": ("spacenet/ms1.tif", Modality.RGB, (3, 2, 1), None),
    "sentinel-2": ("sentinel_spain/Spain_7370579_S2Hand.tif", Modality.RGB, (4, 3, 2), None),
    "sentinel-1": ("sentinel_spain/Spain_7370579_S1Hand.tif", Modality.SAR, (1,), Quantity.DB),
    "polar": ("landsat8_c2/LC08_L2SR_099120_20191129_20201016_02_T2_SR_B4.TIF", Modality.NIR, (1,), None),
    "umbra": ("umbra/umbra_mount_yasur.tiff", Modality.SAR, (1,), None),
    "landsat-7": ("landsat7/RGB.byte.tif", Modality.RGB, (1, 2, 3), None),
}
MEASURED = ["sentinel-2", "polar", "sentinel-1", "spacenet"]


def scene_named(real_data, name: str) -> Scene:
    path, modality, bands, quantity = SCENES[name]
    return scene_of(real_data / path, modality, bands, quantity)


def first_tiles(scene: Scene, **changes) -> list[Tile]:
    settings = TileSettings(min_valid=0.1, encoding=PNG, **changes)
    got = list(cut_tiles(scene, settings, 0, min(4, count_windows(scene, settings))))
    assert all(isinstance(tile, Tile) for tile in got), got
    return got


def true_gsd(scene: Scene, tile: Tile) -> float:
    """Geometric mean of the geodesic distances across the tile's middle, over its own pixels, by pyproj alone."""
    transformer = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
    a, b, c, d, e, f = scene.transform
    x, y = tile.crop.col + tile.crop.width / 2, tile.crop.row + tile.crop.height / 2
    half_x, half_y = tile.crop.width / tile.width / 2, tile.crop.height / tile.height / 2
    points = [(x - half_x, y), (x + half_x, y), (x, y - half_y), (x, y + half_y)]
    lon, lat = transformer.transform(
        [a * p + b * q + c for p, q in points], [d * p + e * q + f for p, q in points]
    )
    return math.sqrt(
        GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2] * GEOD.inv(lon[2], lat[2], lon[3], lat[3])[2]
    )


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("times", [1, 1.3])
def test_distances_and_footprints_agree_with_geodesics(real_data, name, times):
    scene = scene_named(real_data, name)
    request = "native" if times == 1 else times * max(scene.gsd_x_m, scene.gsd_y_m)
    for tile in first_tiles(scene, gsd_m=(request,), size=256):
        truth = true_gsd(scene, tile)
        assert tile.pixel_m == pytest.approx(truth, rel=0.005)
        area, _ = GEOD.geometry_area_perimeter(shapely.from_wkb(tile.footprint))
        assert area == pytest.approx((256 * truth) ** 2, rel=0.01)
        if times != 1:
            assert tile.gsd_m == pytest.approx(request, rel=0.005)


@pytest.mark.parametrize(
    ("name", "times"), [("naip", (1, 2, 4)), ("sentinel-1", (1, 1.5, 3)), ("umbra", (1, 2.5, 10))]
)
def test_variants_of_a_real_place_share_its_centre(real_data, name, times):
    scene = scene_named(real_data, name)
    native = max(scene.gsd_x_m, scene.gsd_y_m)
    settings = TileSettings(
        size=128, fit="nested", gsd_m=tuple(native * t for t in times), min_valid=0.1, encoding=PNG
    )
    n = count_windows(scene, settings)
    assert n % 3 == 0
    for first in range(0, min(n, 9), 3):
        cell = list(cut_tiles(scene, settings, first, first + 3))
        assert all(isinstance(tile, Tile) for tile in cell), cell
        assert {tile.base_id for tile in cell} == {cell[0].id}
        for tile, ratio in zip(cell, times, strict=True):
            assert tile.gsd_m == tile.pixel_m == pytest.approx(native * ratio, rel=0.01)
            assert tile.pixel_m == pytest.approx(true_gsd(scene, tile), rel=0.005)
            away = GEOD.inv(cell[0].lon, cell[0].lat, tile.lon, tile.lat)[2]
            assert away <= 0.75 * native, "half a source pixel along each axis"


@pytest.mark.parametrize(
    "name", [name for name in SCENES if name not in {"sentinel-2", "polar", "sentinel-1", "spacenet"}]
)
def test_bytes_are_those_that_rasterio_reads(real_data, name):
    scene = scene_named(real_data, name)
    with rasterio.open(scene.bands[0].uri) as dataset:
        for tile in first_tiles(scene, size=256):
            where = Window(tile.crop.col, tile.crop.row, 256, 256)
            stored = dataset.read([band.index for band in scene.bands], window=where).transpose(1, 2, 0)
            valid = (
                np.ones((256, 256), bool) if tile.valid_mask is None else decode(tile.valid_mask)[:, :, 0] > 0
            )
            assert tile.valid_share == valid.mean()
            np.testing.assert_array_equal(decode(tile.image), np.where(valid[:, :, None], stored, 0))


@pytest.mark.parametrize("name", MEASURED)
def test_measurements_are_drawn_with_the_recorded_stretch(real_data, name):
    scene = scene_named(real_data, name)
    with rasterio.open(scene.bands[0].uri) as dataset:
        for tile in first_tiles(scene, size=256):
            where = Window(tile.crop.col, tile.crop.row, 256, 256)
            stored = dataset.read([band.index for band in scene.bands], window=where).astype(np.float64)
            low, high = (np.array(v)[:, None, None] for v in (tile.stretch.low, tile.stretch.high))
            wanted = (255 * np.clip((stored - low) / (high - low), 0, 1)).transpose(1, 2, 0)
            valid = (
                np.ones((256, 256), bool) if tile.valid_mask is None else decode(tile.valid_mask)[:, :, 0] > 0
            )
            assert np.abs(decode(tile.image)[valid] - wanted[valid]).max() <= 0.501


def test_a_real_mask_is_held_against_its_legend(real_data):
    """The flood label of Sen1Floods11: 16-bit, -1 no data, 0 land, 1 water, as rasterio reads it."""
    path = real_data / "sentinel_spain/Spain_7370579_LabelHand.tif"
    names = {-1: "no data", 0: "land", 1: "water"}
    legend = tuple(Legend(value=value, name=name) for value, name in names.items())
    mask = ClassMask(band=Band(uri=str(path), index=1), legend=legend, origin="documentation")
    scene = replace(scene_named(real_data, "sentinel-2"), mask=mask)
    with rasterio.open(path) as dataset:
        stored = dataset.read(1)
    native = max(scene.gsd_x_m, scene.gsd_y_m)
    for ratio, size in ((1, 256), (4, 128), (2.7, 64)):
        for tile in first_tiles(scene, size=size, gsd_m=(ratio * native,)):
            rows, cols = (
                slice(math.ceil(start - 0.5), math.ceil(start + length - 0.5))
                for start, length in ((tile.crop.row, tile.crop.height), (tile.crop.col, tile.crop.width))
            )
            shown = stored[rows, cols]
            shares = {label.name: label.share for label in tile.labels if label.kind == "cover"}
            wanted = {
                name: (shown == value).mean() for value, name in names.items() if (shown == value).any()
            }
            assert tile.valid_mask is None
            assert shares == pytest.approx(wanted, abs=1e-6)
    lacking = replace(scene, mask=replace(mask, legend=legend[1:]))
    with pytest.raises(RecordError, match=r"0\.0378% .* are not among the 2 of its legend: -1$"):
        check_classes(lacking)


def test_one_file_a_band_is_one_picture(real_data):
    folder = real_data / "landsat8"
    names = [folder / f"LC80460282016177LGN00_B{i}.TIF" for i in (4, 3, 2)]
    scene = replace(
        scene_of(names[0]), bands=tuple(Band(uri=str(name), index=1) for name in names), nodata=0.0
    )
    tile = first_tiles(scene)[1]
    for channel, name in enumerate(names):
        with rasterio.open(name) as dataset:
            stored = dataset.read(1, window=Window(tile.crop.col, tile.crop.row, 512, 512)).astype(float)
        low, high = tile.stretch.low[channel], tile.stretch.high[channel]
        shown = decode(tile.image)[:, :, channel]
        visible = shown > 0
        assert np.abs(255 * np.clip((stored - low) / (high - low), 0, 1) - shown)[visible].max() <= 0.501


def decode(data: bytes) -> np.ndarray:
    array = np.asarray(Image.open(io.BytesIO(data)))
    return array if array.ndim == 3 else array[:, :, None]

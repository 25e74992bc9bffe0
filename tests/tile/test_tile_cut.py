from __future__ import annotations

import hashlib
import io
import resource
import time
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyproj import Geod, Transformer
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window as RasterWindow
from scene_factory import picture_scene, scene_of, write_raster
from scipy.ndimage import gaussian_filter, map_coordinates

from earthloom.core.records import (
    Band,
    Box,
    ClassMask,
    Crop,
    Label,
    Legend,
    Modality,
    Quantity,
    Reason,
    Refused,
    Scene,
    Tile,
)
from earthloom.tile import TILE_VERSION, TileSettings, count_windows, cut_tiles, draw
from earthloom.tile.config import Encoding, Radiometry

RNG = np.random.default_rng(17)
PNG = Encoding(rgb="png", nir="png", sar="png")


def texture(height: int, width: int, seed: int = 0, blur: float = 3.0) -> np.ndarray:
    """Smooth colours, CxHxW uint8, as a landscape has."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), blur)
    return (120 + 60 * smooth / smooth.std()).clip(1, 254).astype(np.uint8).transpose(2, 0, 1)


def outcomes(scene: Scene, **changes) -> list[Tile | Refused]:
    chosen = TileSettings(**changes)
    return list(cut_tiles(scene, chosen, 0, count_windows(scene, chosen)))


def tiles(scene: Scene, **changes) -> list[Tile]:
    got = outcomes(scene, **changes)
    assert all(isinstance(tile, Tile) for tile in got), [g for g in got if isinstance(g, Refused)]
    return got


def pixels(data: bytes) -> np.ndarray:
    """Decode with Pillow: HxWxC."""
    array = np.asarray(Image.open(io.BytesIO(data)))
    return array if array.ndim == 3 else array[:, :, None]


def picture(path: Path, array: np.ndarray, **options) -> Scene:
    Image.fromarray(array).save(path, **options)
    return picture_scene(path, array.shape[1], array.shape[0])


# Native windows.


@pytest.mark.parametrize("tiled", [True, False])
def test_native_tiles_are_the_pixels_of_the_file(tmp_path, tiled):
    path = write_raster(tmp_path / "a.tif", texture(700, 900), tiled=tiled, interleave="pixel")
    got = tiles(scene_of(path), encoding=PNG)
    assert len(got) == 4
    with rasterio.open(path) as dataset:
        for tile in got:
            where = RasterWindow(tile.crop.col, tile.crop.row, 512, 512)
            np.testing.assert_array_equal(pixels(tile.image), dataset.read(window=where).transpose(1, 2, 0))
            assert (tile.media, tile.valid_share, tile.valid_mask) == ("png", 1.0, None)


def test_jpeg_tiles_are_near_the_pixels_of_the_file(tmp_path):
    data = texture(512, 512)
    (tile,) = tiles(scene_of(write_raster(tmp_path / "a.tif", data)))
    error = pixels(tile.image).astype(float) - data.transpose(1, 2, 0)
    assert tile.media == "jpg"
    assert np.abs(error).max() <= 20
    assert abs(error.mean()) < 0.2
    assert error.std() < 2.5


def test_one_band_is_a_gray_picture_and_sar_is_lossless(tmp_path):
    path = write_raster(tmp_path / "a.tif", texture(512, 512)[:1])
    (nir,) = tiles(scene_of(path, Modality.NIR))
    (sar,) = tiles(scene_of(path, Modality.SAR))
    assert (nir.media, sar.media) == ("jpg", "png")
    assert Image.open(io.BytesIO(nir.image)).mode == "L"
    np.testing.assert_array_equal(pixels(sar.image), texture(512, 512)[:1].transpose(1, 2, 0))


def test_facts_of_a_tile_are_those_of_its_ground(tmp_path):
    path = write_raster(tmp_path / "a.tif", texture(600, 1100), crs="EPSG:32633",
                        transform=(2.0, 0.0, 450_000.0, 0.0, -2.0, 6_000_000.0))  # fmt: skip
    tile = tiles(scene_of(path))[1]
    assert tile.crop == Crop(col=512, row=0, width=512, height=512)
    geod, transformer = Geod(ellps="WGS84"), Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    east, north = 450_000 + 2 * 768, 6_000_000 - 2 * 256
    lon, lat = transformer.transform(east, north)
    assert (tile.lon, tile.lat) == pytest.approx((lon, lat), abs=1e-8)
    near = transformer.transform([east - 1, east + 1], [north, north])
    truth = geod.inv(near[0][0], near[1][0], near[0][1], near[1][1])[2]
    assert tile.native_gsd_m == tile.gsd_m == tile.pixel_m == pytest.approx(truth, rel=1e-5)
    area, _ = geod.geometry_area_perimeter(shapely.from_wkb(tile.footprint))
    assert area == pytest.approx((512 * truth) ** 2, rel=1e-3)
    assert tile.sha256 == hashlib.sha256(tile.image).hexdigest()
    assert (tile.width, tile.height, tile.effect) == (512, 512, None)


def test_distances_of_each_tile_are_its_own(tmp_path):
    data = np.tile(texture(64, 64), (1, 16, 8))
    path = write_raster(
        tmp_path / "a.tif", data, crs="EPSG:4326", transform=(0.02, 0.0, 5.0, 0.0, -0.02, 70.0)
    )
    north, south = tiles(scene_of(path))
    assert south.native_gsd_m > 1.15 * north.native_gsd_m
    wanted = tiles(scene_of(path), gsd_m=(2500.0,), size=128, edges="drop")
    assert [tile.gsd_m == pytest.approx(2500, rel=0.2) for tile in wanted]
    assert len({tile.gsd_m for tile in wanted}) > 1, "planned for the middle, measured for each"


# Resampled tiles.


def srgb_to_linear(stored: np.ndarray) -> np.ndarray:
    c = stored / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def test_a_requested_distance_is_made_and_recorded(tmp_path):
    data = texture(700, 720)
    path = write_raster(tmp_path / "a.tif", data)
    (tile,) = tiles(scene_of(path), gsd_m=(2.5,), size=256, edges="drop", encoding=PNG)
    ratio = 2.5 / tile.native_gsd_m
    assert tile.native_gsd_m == pytest.approx(1.0004, rel=1e-4)
    assert tile.gsd_m == tile.pixel_m == pytest.approx(2.5, rel=1e-4)
    assert tile.crop.width == pytest.approx(256 * ratio, rel=1e-4)
    centres = (np.arange(256) + 0.5) * ratio - 0.5
    where = np.meshgrid(centres, centres, indexing="ij")
    for channel in range(3):
        blurred = gaussian_filter(srgb_to_linear(data[channel].astype(float)), 0.530 * ratio, truncate=5)
        linear = map_coordinates(blurred, where, order=3)
        got = srgb_to_linear(pixels(tile.image)[:, :, channel].astype(float))
        assert np.abs(got - linear)[6:-6, 6:-6].max() < 0.01, "scipy's blur, interpolated by splines"


@pytest.mark.parametrize(
    ("resample", "modulation", "ratio"),
    [
        *(("mtf", 0.25, ratio) for ratio in (2.0, 2.5, 3.0, 4.0, 8.0)),
        ("area", 0.637, 2.0),
        ("area", 0.637, 4.0),
    ],
)
def test_the_edge_of_a_tile_is_as_sharp_as_it_says(tmp_path, ratio, resample, modulation):
    """Slanted edge (ISO 12233) from the file to the encoded tile; an area has sinc(0.5) at Nyquist."""
    size = int(128 * ratio)
    rows, cols = np.mgrid[0:size, 0:size] + 0.5
    middle, slope = ratio * 60.3, 0.1237
    cover = np.clip(cols - middle - slope * rows + 0.5, 0, 1)  # what an edge leaves of each pixel, nearly
    stored = np.where(cover > 0, 200, 60) if resample == "mtf" else 60 + 140 * cover
    scene = replace(
        picture(tmp_path / "a.png", np.repeat(stored.astype(np.uint8)[:, :, None], 3, 2)),
        gsd_x_m=1.0, gsd_y_m=1.0,
    )  # fmt: skip
    (tile,) = tiles(scene, gsd_m=(ratio,), size=128, edges="drop", resample=resample, encoding=PNG)
    assert (tile.resampling, tile.gsd_m) == (resample, ratio)
    image = pixels(tile.image)[:, :, 1].astype(float)
    image = srgb_to_linear(image) if resample == "mtf" else image
    distance = ((np.arange(128) + 0.5)[None] - 60.3 - slope * (np.arange(128) + 0.5)[:, None]).ravel()
    distance /= np.hypot(1, slope)
    index = np.floor((distance + 8) * 8).astype(int)
    near = (index >= 0) & (index < 128)
    spread = np.bincount(index[near], image.ravel()[near]) / np.bincount(index[near])
    line = np.diff(spread)
    got = abs(np.sum(line * np.exp(-1j * np.pi * np.arange(len(line)) / 8))) / line.sum()
    assert got / np.sinc(0.5 / 8) ** 2 == pytest.approx(modulation, abs=0.03)


def test_a_tile_says_how_its_pixels_were_made(tmp_path):
    array = texture(300, 300).transpose(1, 2, 0).copy()
    scene = replace(picture(tmp_path / "a.png", array), gsd_x_m=1.0, gsd_y_m=1.0)
    for options, wanted in (
        ({"size": 300}, "none"),
        ({"size": 400}, "cubic"),
        ({"size": 64, "fit": "whole"}, "mtf"),
        ({"size": 64, "fit": "whole", "resample": "area"}, "area"),
        ({"size": 128, "gsd_m": (4.0,)}, "mtf"),
        ({"size": 60, "gsd_m": (2.7,), "resample": "area"}, "area"),
    ):
        assert tiles(scene, **options)[0].resampling == wanted


def test_pictures_are_averaged_in_linear_light(tmp_path):
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, :200:2] = 255
    scene = replace(picture(tmp_path / "a.png", stripes), gsd_x_m=1.0, gsd_y_m=1.0)
    options = {"gsd_m": (4.0,), "size": 64, "encoding": PNG, "edges": "drop"}
    mtf, area = tiles(scene, **options)[0], tiles(scene, resample="area", **options)[0]
    assert np.median(pixels(mtf.image)) == 188, "half of the light is 188 in sRGB"
    assert np.median(pixels(area.image)) in {127, 128}, "stored values"


@pytest.mark.parametrize("resample", ["mtf", "area"])
def test_radar_is_averaged_as_power_and_never_in_db(tmp_path, resample):
    power = np.random.default_rng(4).gamma(4.4, 0.05 / 4.4, (1, 1024, 1024))
    scene = scene_of(
        write_raster(tmp_path / "a.tif", (10 * np.log10(power)).astype(np.float32)),
        Modality.SAR, quantity=Quantity.DB, gsd_x_m=1.0, gsd_y_m=1.0,
    )  # fmt: skip
    (tile,) = tiles(scene, gsd_m=(8.0,), size=128, resample=resample)
    level = tile.stretch.low[0] + pixels(tile.image)[8:-8, 8:-8] / 255 * (
        tile.stretch.high[0] - tile.stretch.low[0]
    )
    assert level.mean() == pytest.approx(10 * np.log10(0.05), abs=0.1), "the mean power, -13.01 dB"
    assert 10 * np.log10(power).mean() < -13.4, "the mean of dB would be 0.5 dB lower"


def test_speckle_keeps_its_statistics_at_the_native_distance(tmp_path):
    decibels = 10 * np.log10(np.random.default_rng(4).gamma(4.4, 0.05 / 4.4, (1, 512, 512)))
    scene = scene_of(
        write_raster(tmp_path / "a.tif", decibels.astype(np.float32)), Modality.SAR, quantity=Quantity.DB
    )
    (tile,) = tiles(scene)
    level = -25 + pixels(tile.image) / 255 * 25
    assert level.std() == pytest.approx(2.193, abs=0.03), "5.57 dB at one look, 2.19 at 4.4"
    assert level.mean() == pytest.approx(10 * np.log10(0.05) - 0.512, abs=0.03)


@pytest.mark.parametrize(("quantity", "power"), [(Quantity.INTENSITY, 1), (Quantity.AMPLITUDE, 2)])
@pytest.mark.parametrize("gsd_m", ["native", 2.0])
def test_linear_radar_is_drawn_in_db(tmp_path, quantity, power, gsd_m):
    stored = np.full((1, 512, 512), 0.1 ** (1 / power), np.float32)
    stored[0, 100:200, 100:200] = 0.01 ** (1 / power)
    stored[0, 300:310] = 0
    scene = scene_of(
        write_raster(tmp_path / "a.tif", stored), Modality.SAR, quantity=quantity, gsd_x_m=1.0, gsd_y_m=1.0
    )
    (tile,) = tiles(scene, gsd_m=(gsd_m,), size=512 if gsd_m == "native" else 256)
    image, step = pixels(tile.image)[:, :, 0], 1 if gsd_m == "native" else 2
    assert image[20 // step, 20 // step] == round(255 * 15 / 25)
    assert image[150 // step, 150 // step] == round(255 * 5 / 25)
    assert image[305 // step, 100] == 0
    assert tile.valid_share == pytest.approx(1 - 10 / 512, abs=0.003)


def test_area_of_a_whole_picture_is_the_mean_of_what_each_pixel_covers(tmp_path):
    array = texture(640, 640).transpose(1, 2, 0).copy()
    (tile,) = tiles(picture(tmp_path / "a.png", array), fit="whole", resample="area", encoding=PNG)
    wanted = cv2.resize(array, (512, 512), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(pixels(tile.image), wanted.astype(float), atol=1)
    edges, cells = np.arange(512)[:, None] * 1.25, np.arange(640)[None]
    share = (np.minimum(edges + 1.25, cells + 1) - np.maximum(edges, cells)).clip(0) / 1.25
    exact = np.einsum("ij,jkc,lk->ilc", share, array.astype(float), share, optimize=True)
    assert np.abs(exact - pixels(tile.image)).max() <= 1


def test_a_large_picture_is_averaged_in_pieces(tmp_path, monkeypatch):
    scene = picture(tmp_path / "a.png", texture(640, 640).transpose(1, 2, 0).copy())
    options = {"fit": "whole", "resample": "area", "encoding": PNG}
    at_once = pixels(tiles(scene, **options)[0].image)
    monkeypatch.setattr(draw, "_MAX_AT_ONCE", 1000)
    assert np.abs(pixels(tiles(scene, **options)[0].image).astype(int) - at_once).max() <= 1


@pytest.mark.parametrize("resample", ["mtf", "area"])
def test_large_ratios_need_little_memory_and_keep_the_mean(tmp_path, resample):
    path = write_raster(
        tmp_path / "a.tif", np.tile(texture(500, 500), (1, 5, 5)), tiled=True, compress="deflate"
    )
    scene = replace(scene_of(path), gsd_x_m=1.0, gsd_y_m=1.0)
    (tile,) = tiles(scene, gsd_m=(12.0,), size=192, edges="drop", resample=resample, encoding=PNG)
    scale = srgb_to_linear if resample == "mtf" else np.asarray
    mean = scale(np.tile(texture(500, 500), (1, 5, 5))[:, :2304, :2304]).mean(axis=(1, 2))
    assert scale(pixels(tile.image)).mean(axis=(0, 1)) == pytest.approx(mean, rel=5e-3)


def test_a_small_scene_is_enlarged_and_says_so(tmp_path):
    array = texture(64, 64).transpose(1, 2, 0).copy()
    scene = replace(picture(tmp_path / "a.png", array), gsd_x_m=10.0, gsd_y_m=10.0)
    (tile,) = tiles(scene, encoding=PNG)
    assert (tile.native_gsd_m, tile.gsd_m, tile.pixel_m) == (10, 10, 1.25)
    wanted = cv2.resize(array, (512, 512), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(pixels(tile.image), wanted)
    assert cv2.resize(pixels(tile.image), (64, 64), interpolation=cv2.INTER_AREA) == pytest.approx(
        array, abs=12
    )


def test_an_enlargement_has_no_values_that_the_scene_has_not(tmp_path):
    data = np.full((1, 40, 40), 500, np.uint16)
    data[0, 10:30, 10:30] = 900
    path = write_raster(tmp_path / "a.tif", data)
    (tile,) = tiles(
        scene_of(path, Modality.NIR), radiometry=Radiometry(nir={"range": (0, 1000)}), encoding=PNG
    )
    assert (pixels(tile.image).min(), pixels(tile.image).max()) == (128, 230)


def test_nodata_does_not_bleed_into_an_enlargement(tmp_path):
    data = np.full((3, 60, 60), 100, np.uint8)
    data[:, 20, 20] = 102
    data[:, :15] = 0
    (tile,) = tiles(scene_of(write_raster(tmp_path / "a.tif", data, nodata=0)), min_valid=0.1, encoding=PNG)
    valid = pixels(tile.valid_mask)[:, :, 0] == 255
    assert valid.mean() == tile.valid_share == 0.75
    shown = pixels(tile.image)[valid]
    assert shown.min() >= 99, "a cubic may undershoot by one, black would show far more"
    assert not pixels(tile.image)[~valid].any()


@pytest.mark.parametrize("resample", ["mtf", "area"])
def test_nodata_does_not_bleed_into_an_average(tmp_path, resample):
    data = np.full((3, 600, 600), 100, np.uint8)
    data[:, 300:330, 300:330] = 101
    data[:, :150] = 255
    scene = scene_of(write_raster(tmp_path / "a.tif", data, nodata=255), gsd_x_m=1.0, gsd_y_m=1.0)
    (tile,) = tiles(scene, gsd_m=(3.0,), size=200, min_valid=0.5, resample=resample, encoding=PNG)
    valid = pixels(tile.valid_mask)[:, :, 0] == 255
    assert tile.valid_share == 0.75
    assert np.unique(pixels(tile.image)[valid]).tolist() == [100, 101]
    assert not pixels(tile.image)[~valid].any()


# Edges and validity.


def test_padding_is_black_and_masked(tmp_path):
    data = texture(600, 500)
    got = tiles(
        scene_of(write_raster(tmp_path / "a.tif", data)), edges="pad", small="pad", min_valid=0, encoding=PNG
    )
    assert [tile.crop.row for tile in got] == [0, 512]
    last = got[1]
    valid = pixels(last.valid_mask)[:, :, 0] == 255
    assert valid[:88, :500].all()
    assert valid.sum() == 88 * 500
    assert last.valid_share == pytest.approx(88 * 500 / 512**2)
    np.testing.assert_array_equal(pixels(last.image)[:88, :500], data[:, 512:].transpose(1, 2, 0))
    assert not pixels(last.image)[~valid].any()


def test_real_alpha_and_real_nodata_agree(real_data):
    folder = real_data / "landsat7"
    options = {"min_valid": 0.1, "encoding": PNG}
    by_nodata = tiles(scene_of(folder / "RGB.byte.tif"), **options)
    rgba = scene_of(folder / "RGBA.byte.tif")
    by_alpha = tiles(replace(rgba, alpha=Band(uri=rgba.bands[0].uri, index=4)), **options)
    for one, other in zip(by_nodata, by_alpha, strict=True):
        assert one.valid_share == pytest.approx(other.valid_share, abs=0.001)
        assert (pixels(one.valid_mask) != pixels(other.valid_mask)).mean() < 0.001


def test_what_shows_too_little_is_refused_with_what_was_measured(tmp_path):
    data = texture(512, 2048)
    data[:, :, :512] = 0
    data[:, :, 512:900] = 0
    data[:, :, 1024:1536] = 77
    scene = scene_of(write_raster(tmp_path / "a.tif", data, nodata=0))
    nothing, little, flat, good = outcomes(scene)
    assert [nothing.reason, little.reason, flat.reason] == [
        Reason.NO_VALID_PIXELS, Reason.TOO_LITTLE_VALID, Reason.FLAT,
    ]  # fmt: skip
    assert "0.2422" in little.detail
    assert "[77, 77, 77]" in flat.detail
    assert isinstance(good, Tile)
    assert {nothing.n, little.n, flat.n} == {1}
    assert len({nothing.id, little.id, flat.id, good.id}) == 4
    assert nothing.key == "made:a.tif"


def test_flat_is_only_what_is_flat(tmp_path):
    data = np.full((3, 512, 512), 50, np.uint8)
    data[1, 511, 300] = 51
    path = write_raster(tmp_path / "a.tif", data)
    assert isinstance(outcomes(scene_of(path))[0], Tile)
    holes = data.copy()
    holes[:, :100] = 0
    holes[:, 511] = 50
    flat = scene_of(write_raster(tmp_path / "b.tif", holes, nodata=0))
    assert outcomes(flat, min_valid=0.5)[0].reason is Reason.FLAT, "the hole does not count"


def test_no_valid_pixel_is_said_so_however_the_tile_is_made(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.zeros((3, 100, 100), np.uint8), nodata=0)
    scene = replace(scene_of(path), gsd_x_m=1.0, gsd_y_m=1.0)
    for options in (
        {},
        {"size": 64},
        {"size": 40, "gsd_m": (2.0,)},
        {"size": 50, "gsd_m": (2.0,), "resample": "area"},
    ):
        assert {refused.reason for refused in outcomes(scene, **options)} == {Reason.NO_VALID_PIXELS}


# Scenes that cannot be used.


def test_a_scene_that_cannot_be_read_is_refused_once_for_all_its_windows(tmp_path):
    path = write_raster(tmp_path / "a.tif", texture(1100, 1100))
    scene = scene_of(path)
    path.unlink()
    wanted = TileSettings(gsd_m=("native", 0.5, 2.0))
    got = list(cut_tiles(scene, wanted, 0, count_windows(scene, wanted)))
    assert [(refused.reason, refused.n) for refused in got] == [
        (Reason.MISSING, 13), (Reason.FINER_THAN_NATIVE, 1),
    ]  # fmt: skip
    assert got[0].id == scene.id
    assert [refused.n for refused in cut_tiles(scene, wanted, 7, 11)] == [3, 1]


def test_a_truncated_raster_loses_only_the_windows_that_are_cut(tmp_path):
    whole = write_raster(tmp_path / "a.tif", texture(1024, 1024, blur=1), tiled=True, interleave="pixel")
    scene = scene_of(whole)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    got = outcomes(scene)
    assert [type(outcome) for outcome in got] == [Tile, Tile, Refused, Refused]
    assert {outcome.reason for outcome in got[2:]} == {Reason.UNREADABLE}
    assert all(str(tmp_path) not in outcome.detail for outcome in got[2:])


def test_a_truncated_picture_is_refused(tmp_path):
    scene = picture(tmp_path / "a.jpg", texture(640, 640).transpose(1, 2, 0).copy())
    path = Path(scene.bands[0].uri)
    path.write_bytes(path.read_bytes()[:5000])
    (refused,) = outcomes(scene)
    assert (refused.reason, refused.n) == (Reason.UNREADABLE, 4)


def test_a_grid_that_cannot_be_used_is_refused(tmp_path):
    scene = replace(scene_of(write_raster(tmp_path / "a.tif", texture(512, 512))), crs="EPSG:4326")
    (refused,) = outcomes(scene)
    assert refused.reason is Reason.BAD_GRID


def test_sixty_thousand_pixels_of_nothing_take_no_time_and_no_memory(tmp_path):
    path = tmp_path / "sparse.tif"
    shape = {"width": 60_000, "height": 60_000, "tiled": True, "blockxsize": 512, "blockysize": 512}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver="GTiff", count=3, dtype="uint16", SPARSE_OK=True, nodata=0, **shape
        ):
            pass
    scene = scene_of(path)
    start = time.process_time()
    assert count_windows(scene, TileSettings()) == 118**2
    assert time.process_time() - start < 0.05
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (refused,) = cut_tiles(scene, TileSettings(), 100, 118**2)
    assert (refused.reason, refused.n) == (Reason.NO_VALID_PIXELS, 118**2 - 100)
    fixed = Radiometry(rgb={"range": (0, 100)})
    windows = list(cut_tiles(scene, TileSettings(radiometry=fixed), 13_800, 13_924))
    assert {(w.reason, w.n) for w in windows} == {(Reason.NO_VALID_PIXELS, 1)}
    (coarse,) = cut_tiles(
        replace(scene, gsd_x_m=1.0, gsd_y_m=1.0, nodata=None), TileSettings(gsd_m=(40.0,), size=64), 3, 4
    )
    assert coarse.reason is Reason.FLAT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


# Accounts, ids, pairs.

ANY = st.builds(
    TileSettings,
    size=st.just(16),
    gsd_m=st.lists(
        st.sampled_from(["native", 0.5, 1.0, 1.7, 2.0, 9.0]), min_size=1, max_size=3, unique=True
    ).map(tuple),
    fit=st.sampled_from(["windows", "whole"]),
    edges=st.sampled_from(["drop", "pad", "shift"]),
    small=st.sampled_from(["enlarge", "pad", "drop"]),
    min_side=st.integers(1, 20),
    min_valid=st.sampled_from([0.0, 0.8]),
    resample=st.sampled_from(["mtf", "area"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    wanted=ANY,
    kind=st.integers(0, 2),
    split=st.integers(0, 99),
)
def test_every_planned_window_has_one_outcome(tmp_path, width, height, wanted, kind, split):
    data = np.random.default_rng(width * 61 + height).integers(0, 3, (3, height, width), dtype=np.uint8) * 80
    path = write_raster(tmp_path / f"{width}x{height}.tif", data, nodata=None if kind else 0)
    scene = scene_of(path, gsd_x_m=1.0, gsd_y_m=1.0 if kind == 1 else 1.3)
    n = count_windows(scene, wanted)
    got = list(cut_tiles(scene, wanted, 0, n))
    assert sum(getattr(outcome, "n", 1) for outcome in got) == n
    assert len({outcome.id for outcome in got}) == len(got)
    middle = split % (n + 1)
    assert [*cut_tiles(scene, wanted, 0, middle), *cut_tiles(scene, wanted, middle, n)] == got
    for tile in got:
        if isinstance(tile, Tile):
            check_tile(tile, wanted)


def check_tile(tile: Tile, wanted: TileSettings) -> None:
    image = pixels(tile.image)
    assert image.shape == (16, 16, 3)
    assert tile.valid_share >= wanted.min_valid
    assert tile.gsd_m >= tile.native_gsd_m - 1e-6
    assert tile.gsd_m >= tile.pixel_m - 1e-6
    mask = np.ones((16, 16), bool) if tile.valid_mask is None else pixels(tile.valid_mask)[:, :, 0] == 255
    assert mask.mean() == tile.valid_share
    assert (tile.valid_mask is None) == (tile.valid_share == 1)


def test_ids_tell_scenes_windows_requests_and_sizes_apart_and_nothing_else(tmp_path):
    scene = scene_of(write_raster(tmp_path / "a.tif", texture(600, 600)))
    first = [tile.id for tile in tiles(scene)]
    assert len(set(first)) == 4
    assert [tile.id for tile in tiles(scene, encoding=PNG, min_valid=0.1)] == first
    assert not set(first) & {tile.id for tile in tiles(replace(scene, id="other"))}
    assert not set(first) & {tile.id for tile in tiles(scene, gsd_m=(1.0,))}
    assert not set(first) & {tile.id for tile in tiles(scene, size=256)}
    assert [tile.base_id for tile in tiles(scene)] == first
    assert TILE_VERSION == "3"


def test_modalities_of_one_ground_pair_up_and_others_do_not(tmp_path):
    rgb = write_raster(tmp_path / "rgb.tif", texture(1024, 1024))
    sar = write_raster(
        tmp_path / "sar.tif", texture(512, 512)[:1], transform=(2.0, 0.0, 500_000.0, 0.0, -2.0, 5_000_000.0)
    )
    optical = tiles(scene_of(rgb), gsd_m=("native", 2.0))
    infrared = tiles(scene_of(rgb, Modality.NIR, (2,)), gsd_m=("native", 2.0))
    assert [tile.pair_id for tile in optical] == [tile.pair_id for tile in infrared]
    assert len({tile.pair_id for tile in optical}) == 5
    radar = tiles(scene_of(sar, Modality.SAR), gsd_m=("native", 2.0))
    assert radar[1].pair_id == optical[4].pair_id, "the same ground, half the pixels"
    assert radar[0].pair_id != optical[0].pair_id, "the same pixels, other ground"
    assert tiles(scene_of(rgb, pair_key="another"))[0].pair_id != optical[0].pair_id


def test_pictures_pair_up_by_their_share_of_the_scene(tmp_path):
    large = picture(tmp_path / "a.png", texture(256, 256).transpose(1, 2, 0).copy())
    small = picture(tmp_path / "b.png", texture(85, 85).transpose(1, 2, 0).copy())
    assert tiles(large)[0].pair_id == tiles(small)[0].pair_id
    assert len({tile.pair_id for tile in tiles(large, size=64)}) == 16


# Places and labels.


def test_a_picture_without_grid_is_placed_only_where_its_middle_is(tmp_path):
    scene = replace(
        picture(tmp_path / "a.png", texture(600, 600).transpose(1, 2, 0).copy()),
        lon=-55.2,
        lat=-4.39,
        footprint=b"whole",
    )
    assert {(tile.lon, tile.lat, tile.footprint) for tile in tiles(scene)} == {(None, None, None)}
    (whole,) = tiles(scene, fit="whole")
    assert (whole.lon, whole.lat, whole.footprint) == (-55.2, -4.39, b"whole")
    assert (whole.native_gsd_m, whole.gsd_m, whole.pixel_m) == (None, None, None)
    (middle,) = tiles(replace(scene, gsd_x_m=3.0, gsd_y_m=3.0), fit="whole", gsd_m=(3.0,))
    assert (middle.lon, middle.footprint, middle.gsd_m) == (-55.2, None, 3.0)


def test_labels_and_classes_come_along(tmp_path):
    data = texture(600, 600)
    classes = np.ones((1, 600, 600), np.uint8)
    classes[0, :, 300:] = 2
    mask = ClassMask(
        band=Band(uri=str(write_raster(tmp_path / "mask.tif", classes)), index=1),
        legend=(Legend(value=1, name="water"), Legend(value=2, name="forest")),
        origin="synthetic",
    )
    box = Label(name="ship", kind="object", origin="sidecar file", box=Box(x0=20, y0=20, x1=40, y1=30))
    scene = scene_of(write_raster(tmp_path / "a.tif", data), labels=(box,), mask=mask)
    got = tiles(scene)
    left, right = got[0], got[3]
    assert [(label.name, label.kind, label.share) for label in left.labels] == [
        ("ship", "object", None), ("water", "cover", 0.585938), ("forest", "cover", 0.414062),
    ]  # fmt: skip
    assert [label.name for label in right.labels] == ["forest", "water"]
    assert left.labels[0].box == Box(x0=20, y0=20, x1=40, y1=30)
    np.testing.assert_array_equal(pixels(left.class_mask)[:, :, 0], classes[0, :512, :512])
    (coarse,) = tiles(replace(scene, gsd_x_m=1.0, gsd_y_m=1.0), gsd_m=(2.0,), size=256, edges="drop")
    assert coarse.labels[0].box == Box(x0=10, y0=10, x1=20, y1=15)
    np.testing.assert_array_equal(pixels(coarse.class_mask)[:, :, 0], classes[0, 1:512:2, 1:512:2])


def test_a_class_mask_of_another_size_is_refused(tmp_path):
    other = write_raster(tmp_path / "mask.tif", np.ones((1, 599, 600), np.uint8))
    mask = ClassMask(
        band=Band(uri=str(other), index=1), legend=(Legend(value=1, name="x"),), origin="synthetic"
    )
    (refused,) = outcomes(scene_of(write_raster(tmp_path / "a.tif", texture(600, 600)), mask=mask))
    assert (refused.reason, refused.n) == (Reason.MISALIGNED, 4)


# Determinism.


@pytest.mark.parametrize(
    "options", [{}, {"gsd_m": (1.7,)}, {"size": 700}, {"resample": "area", "fit": "whole"}]
)
def test_the_same_scene_gives_the_same_tiles(tmp_path, options):
    data = texture(620, 640).astype(np.uint16) * 37
    scene = scene_of(write_raster(tmp_path / "a.tif", data))
    assert tiles(scene, **options) == tiles(scene, **options)

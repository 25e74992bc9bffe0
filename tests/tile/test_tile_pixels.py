from __future__ import annotations

import io
import tarfile
import warnings
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning
from scene_factory import picture_scene, scene_of, write_raster

from earthloom.core.errors import RecordError
from earthloom.core.records import Band, ByteRange, Modality, Quantity, Reason, Scene
from earthloom.tile import pixels as module
from earthloom.tile.pixels import ScenePixels, StripReader, open_source

RNG = np.random.default_rng(5)


def read(scene: Scene, bounds=None):
    return ScenePixels(scene).read(bounds or (0, 0, scene.width, scene.height))


def reason_of(scene: Scene) -> Reason:
    with pytest.raises(RecordError) as caught:
        read(scene)
    return caught.value.reason


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32", "float64"])
def test_bands_come_as_channels_in_their_order(tmp_path, dtype):
    data = RNG.integers(0, 100, (4, 30, 40)).astype(dtype)
    scene = scene_of(write_raster(tmp_path / "a.tif", data), bands=(3, 4, 1))
    values, valid = read(scene, (5, 6, 20, 10))
    np.testing.assert_array_equal(values, data[[2, 3, 0], 6:16, 5:25].transpose(1, 2, 0))
    assert values.dtype == dtype
    assert values.flags.c_contiguous
    assert valid is None


def test_a_fourth_band_is_alpha_only_when_the_scene_says_so(tmp_path):
    data = RNG.integers(1, 255, (4, 20, 20), dtype=np.uint8)
    data[3, :5] = 0
    scene = scene_of(write_raster(tmp_path / "a.tif", data, photometric="RGB", alpha="YES"))
    assert read(scene)[1] is None, "NIR may well be 0"
    values, valid = read(replace(scene, alpha=Band(uri=scene.bands[0].uri, index=4)))
    np.testing.assert_array_equal(values, data[:3].transpose(1, 2, 0))
    np.testing.assert_array_equal(valid, data[3] != 0)


def test_alpha_may_lie_in_another_file_of_another_type(tmp_path):
    data = RNG.integers(1, 255, (3, 20, 20), dtype=np.uint8)
    alpha = (RNG.random((1, 20, 20)) > 0.5).astype(np.uint16)
    scene = scene_of(write_raster(tmp_path / "a.tif", data))
    other = write_raster(tmp_path / "alpha.tif", alpha)
    values, valid = read(replace(scene, alpha=Band(uri=str(other), index=1)))
    assert values.dtype == np.uint8
    np.testing.assert_array_equal(values, data.transpose(1, 2, 0))
    np.testing.assert_array_equal(valid, alpha[0] != 0)


def test_nodata_is_all_channels_of_a_picture_but_any_of_a_measurement(tmp_path):
    data = np.full((3, 4, 4), 9, np.uint8)
    data[:, 0, 0] = 0
    data[0, 1, 1] = 0
    scene = scene_of(write_raster(tmp_path / "a.tif", data, nodata=0))
    _, valid = read(scene)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        np.testing.assert_array_equal(valid, dataset.dataset_mask() != 0)
    assert valid.sum() == 15
    for quantity, n in ((Quantity.COUNTS, 14), (Quantity.DISPLAY, 15)):
        wide = write_raster(tmp_path / f"{quantity}.tif", data.astype(np.uint16), nodata=0)
        assert read(scene_of(wide, quantity=quantity))[1].sum() == n


@pytest.mark.parametrize(
    ("dtype", "nodata", "n_invalid"),
    [
        ("uint8", 255.0, 1), ("uint8", -9999.0, 0), ("uint8", 0.5, 0), ("int16", -32768.0, 1), ("uint16", 65535.0, 1),
        ("float32", -3.4028234663852886e38, 1), ("float32", float("nan"), 0), ("float64", 1e300, 1),
        ("float32", 1e300, 0),
    ],
)  # fmt: skip
def test_nodata_is_compared_in_the_stored_type(tmp_path, dtype, nodata, n_invalid):
    data = np.ones((1, 6, 6), dtype)
    if n_invalid:
        data[0, 2, 3] = nodata
    scene = scene_of(write_raster(tmp_path / "a.tif", data), Modality.NIR, nodata=nodata)
    _, valid = read(scene)
    assert (0 if valid is None else int((~valid).sum())) == n_invalid
    assert valid is None or not valid[2, 3]


def test_what_is_not_finite_is_invalid(tmp_path):
    data = np.ones((3, 5, 5), np.float32)
    data[1, 0, 0], data[2, 1, 1], data[0, 2, 2] = np.nan, np.inf, -np.inf
    _, valid = read(scene_of(write_raster(tmp_path / "a.tif", data)))
    assert np.argwhere(~valid).tolist() == [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize("quantity", [Quantity.INTENSITY, Quantity.AMPLITUDE])
def test_power_and_amplitude_are_positive(tmp_path, quantity):
    data = np.array([[[0.1, 0.0, -0.2]]], np.float32)
    scene = scene_of(write_raster(tmp_path / "a.tif", data), Modality.SAR, quantity=quantity)
    assert read(scene)[1].tolist() == [[True, False, False]]
    shifted = replace(scene, offset=0.1)
    assert read(shifted)[1].tolist() == [[True, True, False]], "of the physical value"


@pytest.mark.parametrize("internal", [True, False], ids=["internal", "msk"])
def test_the_mask_of_a_raster_counts(tmp_path, internal):
    hole = np.full((20, 30), 255, np.uint8)
    hole[3:9, 4:20] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal):
        path = write_raster(tmp_path / "a.tif", RNG.integers(0, 255, (3, 20, 30), dtype=np.uint8))
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(hole)
    _, valid = read(scene_of(path, nodata=None), (2, 1, 20, 15))
    np.testing.assert_array_equal(valid, hole[1:16, 2:22] == 255)


def test_beyond_the_scene_is_nothing(tmp_path):
    data = RNG.integers(1, 255, (1, 20, 30), dtype=np.uint8)
    scene = scene_of(write_raster(tmp_path / "a.tif", data), Modality.NIR)
    values, valid = read(scene, (-5, 10, 50, 20))
    inside = np.zeros((20, 50), bool)
    inside[:10, 5:35] = True
    np.testing.assert_array_equal(valid, inside)
    np.testing.assert_array_equal(values[:10, 5:35, 0], data[0, 10:])
    assert not values[~inside].any()
    values, valid = read(scene, (100, 0, 5, 5))
    assert not valid.any()
    assert not values.any()


def encode(array: np.ndarray, name: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, name, **options)
    return file.getvalue()


def test_pictures_are_told_from_rasters_by_content(tmp_path):
    array = RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    for name in ("PNG", "BMP", "TIFF"):
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(encode(array, name))
        values, valid = read(picture_scene(path, 30, 20), (1, 2, 8, 9))
        np.testing.assert_array_equal(values, array[2:11, 1:9])
        assert valid is None


def test_channels_of_a_picture_are_picked(tmp_path):
    array = RNG.integers(0, 255, (20, 30, 4), dtype=np.uint8)
    array[:, :, 3] = np.where(array[:, :, 3] > 127, 200, 0)
    path = tmp_path / "a.png"
    path.write_bytes(encode(array, "PNG"))
    alpha = Band(uri=str(path), index=4)
    values, valid = read(picture_scene(path, 30, 20, alpha=alpha))
    np.testing.assert_array_equal(values, array[:, :, :3])
    np.testing.assert_array_equal(valid, array[:, :, 3] > 0)
    gray = picture_scene(path, 30, 20, bands=(Band(uri=str(path), index=2),), modality=Modality.NIR)
    np.testing.assert_array_equal(read(gray)[0][:, :, 0], array[:, :, 1])
    thrice = picture_scene(path, 30, 20, bands=(Band(uri=str(path), index=1),) * 3)
    np.testing.assert_array_equal(read(thrice)[0], array[:, :, [0, 0, 0]])
    beyond = picture_scene(path, 30, 20, bands=(Band(uri=str(path), index=5),))
    assert reason_of(beyond) is Reason.MISSING


def test_a_picture_with_one_file_a_channel(tmp_path):
    bands = []
    for i in range(3):
        path = tmp_path / f"{i}.png"
        path.write_bytes(encode(np.full((4, 6), 10 * i, np.uint8), "PNG"))
        bands.append(Band(uri=str(path), index=1))
    values, _ = read(picture_scene(tmp_path / "0.png", 6, 4, bands=tuple(bands)))
    assert values[0, 0].tolist() == [0, 10, 20]


def test_a_member_of_an_archive_is_a_picture(tmp_path):
    array = RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    data = encode(array, "TIFF")
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("x.tif")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    with tarfile.open(path) as archive:
        where = ByteRange(offset=archive.getmember("x.tif").offset_data, size=len(data))
    scene = picture_scene(
        path, 30, 20, bands=tuple(Band(uri=str(path), index=i, within=where) for i in (1, 2, 3))
    )
    np.testing.assert_array_equal(read(scene)[0], array)


def test_a_palette_is_decoded_for_colours_but_not_for_classes(tmp_path):
    path = tmp_path / "a.tif"
    index = np.array([[0, 1], [2, 1]], np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", count=1, height=2, width=2, dtype="uint8") as dataset:
            dataset.write_colormap(1, {0: (9, 8, 7), 1: (10, 20, 30), 2: (255, 0, 0)})
            dataset.write(index, 1)
    values, _ = read(picture_scene(path, 2, 2))
    assert values[0].tolist() == [[9, 8, 7], [10, 20, 30]]
    classes = open_source((Band(uri=str(path), index=1),), 2, 2, classes=True).read((0, 0, 2, 2))
    np.testing.assert_array_equal(classes[:, :, 0], index)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGB", "RGBA"])
def test_a_tiff_picture_has_the_colours_that_pillow_shows(tmp_path, mode):
    path = tmp_path / "a.tif"
    image = Image.fromarray(RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8))
    image.convert(mode).save(path)
    shown = np.asarray(Image.open(path).convert("RGB"))
    bands = (1, 1, 1) if mode == "L" else (1, 2, 3)
    scene = picture_scene(path, 30, 20, bands=tuple(Band(uri=str(path), index=i) for i in bands))
    np.testing.assert_array_equal(read(scene)[0], shown)


def test_files_that_are_not_what_the_record_says_are_refused(tmp_path):
    raster = scene_of(write_raster(tmp_path / "a.tif", np.zeros((3, 20, 30), np.uint8)))
    assert reason_of(replace(raster, width=31)) is Reason.MISALIGNED
    assert reason_of(replace(raster, dtype="uint16")) is Reason.MISALIGNED
    assert reason_of(replace(raster, bands=(Band(uri=raster.bands[0].uri, index=4),))) is Reason.MISSING
    assert reason_of(replace(raster, dtype="complex64")) is Reason.UNSUPPORTED_PIXELS
    smaller = write_raster(tmp_path / "b.tif", np.zeros((1, 19, 30), np.uint8))
    assert reason_of(replace(raster, alpha=Band(uri=str(smaller), index=1))) is Reason.MISALIGNED
    picture = tmp_path / "a.png"
    picture.write_bytes(encode(np.zeros((20, 30, 3), np.uint8), "PNG"))
    assert reason_of(picture_scene(picture, 30, 21)) is Reason.MISALIGNED
    assert reason_of(picture_scene(tmp_path / "gone.png", 30, 21)) is Reason.MISSING
    picture.write_bytes(encode(RNG.integers(0, 255, (20, 30, 3), dtype=np.uint8), "PNG")[:600])
    assert reason_of(picture_scene(picture, 30, 20)) is Reason.UNREADABLE


def test_bands_of_two_types_have_their_common_one(tmp_path):
    one = write_raster(tmp_path / "a.tif", np.full((1, 4, 4), 7, np.uint8))
    two = write_raster(tmp_path / "b.tif", np.full((1, 4, 4), 700, np.int16))
    bands = (Band(uri=str(one), index=1), Band(uri=str(two), index=1), Band(uri=str(one), index=1))
    values, _ = read(replace(scene_of(one, quantity=Quantity.COUNTS), bands=bands, dtype="int16"))
    assert values[0, 0].tolist() == [7, 700, 7]


def test_reading_downwards_in_pieces_reads_each_row_once_and_ends_with_blocks(tmp_path, monkeypatch):
    data = RNG.integers(0, 4, (1, 300, 200), dtype=np.uint8)
    path = write_raster(tmp_path / "a.tif", data, tiled=True, blockxsize=64, blockysize=64, nodata=0)
    pixels = ScenePixels(scene_of(path, Modality.NIR))
    rows_read = []
    plain = pixels.read
    monkeypatch.setattr(pixels, "read", lambda b: (rows_read.append((b[1], b[1] + b[3])), plain(b))[1])
    reader = StripReader(pixels)
    for top in range(10, 290, 30):
        check_same(reader.read((20, top, 150, 37)), plain((20, top, 150, 37)))
    assert rows_read == [(10, 64), (64, 128), (128, 192), (192, 256), (256, 300), (300, 317)]


@given(
    st.lists(
        st.tuples(st.integers(-5, 3), st.integers(-20, 130), st.just(40), st.integers(1, 90)),
        min_size=1,
        max_size=8,
    )
)
def test_reading_in_strips_is_reading(strip_pixels, windows):
    reader = StripReader(strip_pixels)
    for window in windows:
        check_same(reader.read(window), strip_pixels.read(window))


@pytest.fixture(scope="module")
def strip_pixels(tmp_path_factory):
    data = RNG.integers(0, 20, (1, 120, 45), dtype=np.uint8)
    data[:, :70] += 1
    path = tmp_path_factory.mktemp("strips") / "a.tif"
    return ScenePixels(scene_of(write_raster(path, data, blockysize=16, nodata=0), Modality.NIR))


def check_same(got, wanted):
    (values, valid), (other, expected) = got, wanted
    np.testing.assert_array_equal(values, other)
    full = np.ones(values.shape[:2], bool)
    np.testing.assert_array_equal(full if valid is None else valid, full if expected is None else expected)


def test_strips_too_wide_to_keep_are_read_as_they_come(strip_pixels, monkeypatch):
    monkeypatch.setattr(module, "_MAX_STRIP_BYTES", 100)
    asked = []
    plain = strip_pixels.read
    monkeypatch.setattr(strip_pixels, "read", lambda bounds: (asked.append(bounds), plain(bounds))[1])
    check_same(StripReader(strip_pixels).read((0, 3, 45, 5)), plain((0, 3, 45, 5)))
    assert asked == [(0, 3, 45, 5)]

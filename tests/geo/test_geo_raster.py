from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from scipy.io import netcdf_file

from earthloom.core.errors import RecordError
from earthloom.core.records import Band, Reason
from earthloom.geo import raster
from earthloom.geo.raster import close_rasters, has_mask, open_raster, read_mask, read_window

RNG = np.random.default_rng(3)
DATA = RNG.integers(0, 256, (4, 90, 120), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_rasters()


def write(path: Path, data: np.ndarray, **options) -> Path:
    profile = {"driver": "GTiff", "count": len(data), "height": data.shape[1], "width": data.shape[2]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", dtype=data.dtype.name, **profile, **options) as dataset:
            dataset.write(data)
    return path


def bands(path: Path, *indexes: int) -> tuple[Band, ...]:
    return tuple(Band(uri=str(path), index=i) for i in indexes)


def reason_of(call, *args) -> tuple[Reason, str]:
    with pytest.raises(RecordError) as caught:
        call(*args)
    return caught.value.reason, caught.value.detail


def test_bands_come_in_the_order_asked_for(tmp_path):
    path = write(tmp_path / "a.tif", DATA)
    got = read_window(bands(path, 4, 1, 2), 10, 20, 30, 40)
    np.testing.assert_array_equal(got, DATA[[3, 0, 1], 20:60, 10:40])
    assert got.dtype == np.uint8


def test_bands_may_lie_in_several_files_of_several_types(tmp_path):
    one = write(tmp_path / "one.tif", DATA[:2])
    two = write(tmp_path / "two.tif", DATA.astype(np.uint16) * 200)
    got = read_window((*bands(one, 2), *bands(two, 3, 1), *bands(one, 1)), 0, 0, 120, 90)
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(
        got, np.stack([DATA[1], DATA[2] * np.uint16(200), DATA[0] * np.uint16(200), DATA[0]])
    )


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "uint32", "int32", "float32", "float64", "complex64", "int64"]
)
def test_the_stored_type_is_kept(tmp_path, dtype):
    data = RNG.normal(0, 50, (1, 20, 30)).astype(dtype)
    got = read_window(bands(write(tmp_path / "a.tif", data), 1), 0, 0, 30, 20)
    np.testing.assert_array_equal(got, data)


@pytest.mark.parametrize(
    "name", ["with space.tif", "new\nline.tif", "日本 ü.tif", "a:b?c#d.tif", "zip!x.tif", "-n.tif"]
)
def test_names_are_only_names(tmp_path, name):
    path = write(tmp_path / "plain.tif", DATA).rename(tmp_path / name)
    np.testing.assert_array_equal(read_window(bands(path, 1), 0, 0, 120, 90), DATA[:1])


def test_a_name_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.tif")
    shutil.copy(write(tmp_path / "plain.tif", DATA), path)
    assert reason_of(open_raster, str(path))[0] is Reason.UNREADABLE


def test_files_that_cannot_be_used_say_why(tmp_path):
    (tmp_path / "empty.tif").touch()
    (tmp_path / "text.tif").write_text("I am no raster at all, whatever my name is")
    (tmp_path / "folder.tif").mkdir()
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "loop.tif").symlink_to(tmp_path / "loop.tif")
    reasons = {p.stem: reason_of(open_raster, str(p))[0] for p in sorted(tmp_path.iterdir())}
    assert reasons == {
        "empty": Reason.EMPTY,
        "folder": Reason.UNREADABLE,
        "loop": Reason.UNSAFE_PATH,
        "pipe": Reason.UNREADABLE,
        "text": Reason.NOT_AN_IMAGE,
    }
    assert reason_of(open_raster, str(tmp_path / "nothing.tif"))[0] is Reason.MISSING


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(tmp_path):
    path = write(tmp_path / "a.tif", DATA)
    path.chmod(0)
    assert reason_of(open_raster, str(path))[0] is Reason.NO_PERMISSION


def test_a_truncated_file_is_refused_where_it_is_cut_and_no_folder_is_named(tmp_path):
    whole = write(tmp_path / "whole.tif", np.tile(DATA, (1, 8, 8)), tiled=True, blockxsize=64, blockysize=64)
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    np.testing.assert_array_equal(read_window(bands(cut, 1), 0, 0, 64, 64), DATA[:1, :64, :64])
    reason, detail = reason_of(read_window, bands(cut, 1), 800, 600, 64, 64)
    assert reason is Reason.UNREADABLE
    assert "cut.tif" in detail
    assert str(tmp_path) not in detail


def test_a_band_or_window_that_is_not_there_is_refused(tmp_path):
    path = write(tmp_path / "a.tif", DATA)
    assert reason_of(read_window, bands(path, 5), 0, 0, 8, 8)[0] is Reason.MISSING
    for window in ((-1, 0, 8, 8), (0, -1, 8, 8), (113, 0, 8, 8), (0, 83, 8, 8)):
        assert reason_of(read_window, bands(path, 1), *window)[0] is Reason.MISALIGNED


def test_a_container_without_bands_is_refused(tmp_path):
    path = tmp_path / "a.nc"
    with netcdf_file(path, "w") as file:
        file.createDimension("y", 4)
        file.createDimension("x", 5)
        for name in ("red", "green"):
            file.createVariable(name, "f4", ("y", "x"))[:] = np.ones((4, 5))
    reason, detail = reason_of(open_raster, str(path))
    assert reason is Reason.MISSING
    assert "container" in detail


def test_a_window_beyond_memory_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "a.tif", DATA)
    monkeypatch.setattr(raster, "MAX_WINDOW_BYTES", 1000)
    assert reason_of(read_window, bands(path, 1), 0, 0, 120, 90)[0] is Reason.TOO_LARGE


def test_a_file_whose_single_block_is_beyond_memory_is_refused(tmp_path):
    path = tmp_path / "strip.tif"
    shape = {"width": 20_000, "height": 20_000, "blockysize": 15_000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", driver="GTiff", count=1, dtype="uint8", compress="deflate", SPARSE_OK=True, **shape
        ):
            pass
    reason, detail = reason_of(open_raster, str(path))
    assert reason is Reason.TOO_LARGE
    assert "TILED=YES" in detail


def test_files_stay_open_but_not_all_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(raster, "_MAX_OPEN", 3)
    paths = [write(tmp_path / f"{i}.tif", DATA) for i in range(5)]
    datasets = [open_raster(str(path)) for path in paths]
    assert [dataset.closed for dataset in datasets] == [True, True, False, False, False]
    assert open_raster(str(paths[2])) is datasets[2]
    open_raster(str(paths[0]))
    assert [dataset.closed for dataset in datasets[2:]] == [False, True, False], "the longest unused one goes"
    close_rasters()
    assert datasets[4].closed


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path = write(tmp_path / "a.tif", DATA)
    read_window(bands(path, 1), 0, 0, 120, 90)
    write(tmp_path / "b.tif", 255 - DATA).replace(path)
    np.testing.assert_array_equal(read_window(bands(path, 1), 0, 0, 120, 90), 255 - DATA[:1])


@pytest.mark.parametrize("internal", [True, False], ids=["internal", "msk"])
def test_a_mask_of_its_own_is_found(tmp_path, internal):
    path = tmp_path / "a.tif"
    hole = np.full((90, 120), 255, np.uint8)
    hole[10:20, 30:50] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal):
        write(path, DATA[:3])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, "r+") as dataset:
                dataset.write_mask(hole)
    assert (tmp_path / "a.tif.msk").exists() is not internal
    assert has_mask(str(path))
    np.testing.assert_array_equal(read_mask(str(path), 25, 5, 40, 30), hole[5:35, 25:65] == 255)


def test_alpha_and_nodata_are_no_mask(tmp_path):
    assert not has_mask(str(write(tmp_path / "a.tif", DATA, photometric="RGB", alpha="YES")))
    assert not has_mask(str(write(tmp_path / "b.tif", DATA, nodata=0)))
    assert not has_mask(str(write(tmp_path / "c.tif", DATA)))


def test_real_windows_equal_a_plain_read(real_data):
    path = real_data / "cog" / "cog1.tif"
    with rasterio.open(path) as dataset:
        wanted = dataset.read([3, 1])[:, 100:400, 200:300]
    np.testing.assert_array_equal(read_window(bands(path, 3, 1), 200, 100, 100, 300), wanted)

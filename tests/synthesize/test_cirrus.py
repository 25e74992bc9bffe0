from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from veil_scenes import measure_slope, read_plain

from earthloom.core.errors import RecordError, UsageError
from earthloom.core.records import Reason
from earthloom.synthesize.cirrus import CirrusCut, check_fields, cut_field, draw_cut, read_field
from earthloom.synthesize.stack import View


def write_raster(path: Path, bands: npt.NDArray[np.generic], nodata: float | None = None) -> Path:
    """Bands, C x H x W, as GeoTIFF without a place."""
    count, height, width = bands.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", "GTiff", width, height, count, dtype=bands.dtype, nodata=nodata
        ) as dataset:
            dataset.write(bands)
    return path


def make_ramp(height: int = 96, width: int = 96) -> npt.NDArray[np.uint16]:
    """Counts that rise from left to right, and ten times as fast downwards."""
    y, x = np.mgrid[:height, :width]
    return (5000 + x + 10 * y)[None].astype(np.uint16)


WHOLE = CirrusCut(file="a.tif", n_turns=0, is_mirrored=False, size=1, top=0, left=0)


def test_whole_field_is_stretched_counts(real_data: Path) -> None:
    folder = real_data / "haze"
    for path in sorted(folder.glob("*_B9.tiff"))[::3]:
        counts = read_plain(path).astype(np.float64)
        field = read_field(path)
        assert (field.min(), field.max(), field.dtype) == (0, 1, np.float32)
        assert np.corrcoef(counts.ravel(), field.ravel())[0, 1] > 0.995
        assert 2.3 < measure_slope(counts) < 3.8


@pytest.mark.parametrize("n_turns", range(4))
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_eight_ways_to_lay_a_field(tmp_path: Path, n_turns: int, is_mirrored: bool) -> None:
    write_raster(tmp_path / "a.tif", make_ramp())
    cut = CirrusCut(file="a.tif", n_turns=n_turns, is_mirrored=is_mirrored, size=1, top=0, left=0)
    field = cut_field(tmp_path, cut, 96, 96)
    plain = cut_field(tmp_path, WHOLE, 96, 96)
    expected = np.rot90(np.fliplr(plain) if is_mirrored else plain, n_turns)
    assert np.array_equal(field, expected)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (512, 512), (1024, 1024), (200, 700)])
def test_any_size_without_steps(tmp_path: Path, height: int, width: int) -> None:
    """A ramp stays a ramp: no value is held over several pixels, as nearest neighbours or 8 bits would."""
    write_raster(tmp_path / "a.tif", make_ramp(128, 128))
    field = cut_field(tmp_path, WHOLE, height, width)
    assert field.shape == (height, width)
    assert (field.min(), field.max()) == (0, 1)
    rise = np.diff(field[height // 4 : -height // 4, width // 2])
    assert (rise > 0).all()
    assert rise.max() < 1.2 * rise.min()


def test_cuts_have_structure_and_repeat(real_data: Path, tmp_path: Path) -> None:
    for path in (real_data / "haze").glob("*_B9.tiff"):
        (tmp_path / path.name).symlink_to(path)
    view = View(height=256, width=384)
    cuts = [draw_cut(tmp_path, view, np.random.default_rng(seed)) for seed in range(24)]
    assert cuts[3] == draw_cut(tmp_path, view, np.random.default_rng(3))
    assert len({cut.file for cut in cuts}) > 5
    assert len({(cut.n_turns, cut.is_mirrored) for cut in cuts}) == 8
    for cut in cuts:
        field = cut_field(tmp_path, cut, 256, 384)
        assert field.std() > 0.05


def test_usable_folders_pass(real_data: Path, tmp_path: Path) -> None:
    for path in (real_data / "haze").glob("*_B9.tiff"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "README.txt").write_text("not a field")
    check_fields(tmp_path)


@pytest.mark.parametrize(
    ("name", "bands", "told"),
    [
        ("a.tif", np.zeros((3, 80, 80), np.uint8), "has 3"),
        ("a.tif", np.zeros((1, 80, 40), np.uint16), "40 x 80"),
        ("a.txt", np.zeros((1, 80, 80), np.uint8), "got none"),
    ],
)
def test_unusable_folders_are_refused(
    tmp_path: Path, name: str, bands: npt.NDArray[np.generic], told: str
) -> None:
    write_raster(tmp_path / "raster.tif", bands).rename(tmp_path / name)
    with pytest.raises(UsageError, match=told):
        check_fields(tmp_path)


def test_what_is_no_folder_or_no_raster_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="got none"):
        check_fields(tmp_path / "nowhere")
    (tmp_path / "broken.tif").write_bytes(b"II*\x00 and then nothing")
    with pytest.raises(UsageError, match=r"broken\.tif cannot be read"):
        check_fields(tmp_path)


def test_holes_and_flat_fields_are_refused(tmp_path: Path) -> None:
    hole = make_ramp()
    hole[0, 5, 5] = 0
    with pytest.raises(RecordError) as caught:
        read_field(write_raster(tmp_path / "hole.tif", hole, nodata=0))
    assert caught.value.reason is Reason.TOO_LITTLE_VALID
    with pytest.raises(RecordError) as caught:
        read_field(write_raster(tmp_path / "flat.tif", np.full((1, 80, 80), 7, np.uint16)))
    assert caught.value.reason is Reason.FLAT

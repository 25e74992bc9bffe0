from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from scene_factory import scene_of, write_raster

from earthloom.core.errors import RecordError
from earthloom.core.records import Modality, Quantity, Reason, Scene, Stretch
from earthloom.tile import radiometry as module
from earthloom.tile.config import Percentile, Radiometry, Range
from earthloom.tile.pixels import ScenePixels
from earthloom.tile.radiometry import Renderer, choose_stretch

RNG = np.random.default_rng(11)
COUNTS = RNG.gamma(3, 300, (3, 200, 250)).astype(np.uint16)


def stretch_of(scene: Scene, **rules) -> Stretch:
    return choose_stretch(scene, Radiometry(**rules), ScenePixels(scene))


def reason_of(scene: Scene, **rules) -> tuple[Reason, str]:
    with pytest.raises(RecordError) as caught:
        stretch_of(scene, **rules)
    return caught.value.reason, caught.value.detail


def sar(path, data, quantity=Quantity.DB, polarisation=None, **changes) -> Scene:
    return scene_of(
        write_raster(path, data), Modality.SAR, quantity=quantity, polarisation=polarisation, **changes
    )


def decibels(mean: float, shape=(1, 100, 120)) -> np.ndarray:
    return RNG.normal(mean, 3, shape).astype(np.float32)


def test_pictures_stay_as_they_are(tmp_path):
    scene = scene_of(write_raster(tmp_path / "a.tif", COUNTS.clip(0, 255).astype(np.uint8)))
    assert stretch_of(scene) == Stretch(method="none", low=(0, 0, 0), high=(255, 255, 255))


def test_counts_get_the_percentiles_of_their_valid_pixels(tmp_path):
    data = COUNTS.copy()
    data[:, :50] = 0
    scene = scene_of(write_raster(tmp_path / "a.tif", data, nodata=0))
    got = stretch_of(scene)
    valid = data[:, (data != 0).all(axis=0)]
    assert got.method == "percentile"
    assert got.low == tuple(np.percentile(valid, 2, axis=1))
    assert got.high == tuple(np.percentile(valid, 98, axis=1))


def test_percentiles_can_be_chosen_and_joined(tmp_path):
    data = COUNTS * np.array([1, 2, 5], np.uint16)[:, None, None]
    scene = scene_of(write_raster(tmp_path / "a.tif", data))
    joint = stretch_of(scene, rgb=Percentile(percentile=(1, 90), joint=True))
    assert joint.low == (np.percentile(data, 1),) * 3
    assert joint.high == (np.percentile(data, 90),) * 3
    assert len(set(stretch_of(scene, rgb=Percentile(percentile=(1, 90))).high)) == 3


def test_percentiles_are_of_physical_values(tmp_path):
    path = write_raster(tmp_path / "a.tif", COUNTS)
    plain, scaled = stretch_of(scene_of(path)), stretch_of(scene_of(path, scale=2.75e-5, offset=-0.2))
    assert scaled.low == pytest.approx([2.75e-5 * v - 0.2 for v in plain.low], abs=1e-6)


def test_fixed_limits_are_one_pair_or_one_for_each_channel(tmp_path):
    scene = scene_of(write_raster(tmp_path / "a.tif", COUNTS))
    assert stretch_of(scene, rgb=Range(range=(0, 3000))) == Stretch(
        method="range", low=(0,) * 3, high=(3000,) * 3
    )
    three = Range(range=((0, 1), (2, 3), (4, 5)))
    assert stretch_of(scene, rgb=three) == Stretch(method="range", low=(0, 2, 4), high=(1, 3, 5))
    reason, detail = reason_of(scene, rgb=Range(range=((0, 1), (2, 3))))
    assert reason is Reason.UNSUPPORTED_PIXELS
    assert "2 pairs" in detail


@pytest.mark.parametrize("limits", [(5, 5), (9, 1), (), ((0, 1), (3, 2))])
def test_limits_out_of_order_are_a_fault_of_the_recipe(limits):
    with pytest.raises(ValidationError):
        Range(range=limits)


def test_keeping_values_needs_bytes(tmp_path):
    reason, detail = reason_of(scene_of(write_raster(tmp_path / "a.tif", COUNTS)), rgb="none")
    assert reason is Reason.UNSUPPORTED_PIXELS
    assert "uint16" in detail
    eight = write_raster(tmp_path / "b.tif", COUNTS.clip(0, 255).astype(np.uint8))
    assert stretch_of(scene_of(eight, quantity=Quantity.COUNTS), rgb="none").method == "none"
    assert stretch_of(scene_of(eight, quantity=Quantity.COUNTS)).method == "percentile"


@pytest.mark.parametrize(
    ("polarisation", "clip"),
    [("VV", (-25, 0)), ("HH", (-25, 0)), ("VH", (-32, -5)), ("HV", (-32, -5)), (None, (-25, 0))],
)
def test_sar_has_fixed_clips(tmp_path, polarisation, clip):
    got = stretch_of(sar(tmp_path / "a.tif", decibels(-12), polarisation=polarisation))
    assert got == Stretch(method="db", low=(clip[0],), high=(clip[1],))


def test_a_recipe_may_set_the_clips_of_sar(tmp_path):
    got = stretch_of(sar(tmp_path / "a.tif", decibels(-12)), sar=Range(range=(-20, 3)))
    assert got == Stretch(method="range", low=(-20,), high=(3,))


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("rule", ["auto", Range(range=(-20, 0))])
def test_power_that_is_called_db_is_refused_with_its_remedy(tmp_path, scale, rule):
    power = (scale * 10 ** (decibels(-12) / 10)).astype(np.float32)
    reason, detail = reason_of(sar(tmp_path / "a.tif", power), sar=rule)
    assert reason is Reason.UNSUPPORTED_PIXELS
    assert "quantity: intensity" in detail


@pytest.mark.parametrize(("quantity", "power"), [(Quantity.INTENSITY, 1), (Quantity.AMPLITUDE, 2)])
def test_calibrated_power_gets_the_clips_and_digital_numbers_percentiles(tmp_path, quantity, power):
    linear = 10 ** (decibels(-12) / 10 / power)
    calibrated = sar(tmp_path / "a.tif", linear.astype(np.float32), quantity, "VH")
    assert stretch_of(calibrated) == Stretch(method="db", low=(-32,), high=(-5,))
    numbers = sar(tmp_path / "b.tif", (linear * 1000).astype(np.uint16) + np.uint16(1), quantity, "VH")
    got = stretch_of(numbers)
    assert got.method == "percentile"
    stored = (linear * 1000).astype(np.uint16) + 1
    assert got.low[0] == pytest.approx(10 * power * np.log10(np.percentile(stored, 2)), abs=0.1)


def test_a_scene_without_data_has_no_stretch(tmp_path):
    empty = scene_of(write_raster(tmp_path / "a.tif", np.zeros((3, 50, 50), np.uint16), nodata=0))
    assert reason_of(empty)[0] is Reason.NO_VALID_PIXELS
    dark = sar(tmp_path / "b.tif", np.full((1, 50, 50), np.nan, np.float32))
    assert stretch_of(dark).method == "db", "its clips are fixed; its windows are refused one by one"


@pytest.mark.parametrize(
    ("value", "odd", "wanted"), [(7, 7, (7.0, 8.0)), (7, 90, (7.0, 90.0)), (7, 3, (3.0, 7.0))]
)
def test_a_scene_of_almost_one_value_has_limits_all_the_same(tmp_path, value, odd, wanted):
    data = np.full((1, 60, 60), value, np.uint16)
    data[0, 0, 0] = odd
    got = stretch_of(scene_of(write_raster(tmp_path / "a.tif", data), Modality.NIR))
    assert (got.low[0], got.high[0]) == wanted


@pytest.mark.parametrize("shape", [(1500, 1600), (40, 60_000), (5000, 1300)])
def test_a_large_scene_is_judged_by_a_spread_sample(tmp_path, shape):
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]]
    data = (1000 * rows / shape[0] + 3000 * cols / shape[1] + 100).astype(np.uint16)
    scene = scene_of(write_raster(tmp_path / "a.tif", data, tiled=True), Modality.NIR)
    got = stretch_of(scene)
    low, high = np.percentile(data, (2, 98))
    assert got.low[0] == pytest.approx(low, abs=0.02 * (high - low))
    assert got.high[0] == pytest.approx(high, abs=0.02 * (high - low))
    assert got == stretch_of(scene), "the same every time"


def test_data_between_the_blocks_of_the_first_sample_is_found_by_the_second(tmp_path):
    data = np.zeros((1, 4000, 4000), np.uint16)
    data[0, 540:580, :] = 500
    data[0, 562:580, :] = 900
    scene = scene_of(write_raster(tmp_path / "a.tif", data, nodata=0), Modality.NIR)
    got = stretch_of(scene)
    assert (got.low[0], got.high[0]) == (500, 900)


def test_blocks_that_cannot_be_read_are_left_out_of_the_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SAMPLE_WHOLE", 0)
    noise = RNG.integers(500, 1000, (1, 1024, 1024)).astype(np.uint16)
    whole = write_raster(tmp_path / "a.tif", noise, tiled=True, blockxsize=128, blockysize=128)
    cut = tmp_path / "cut.tif"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    got = stretch_of(scene_of(cut, Modality.NIR))
    assert got.low[0] == pytest.approx(510, abs=3)
    cut.write_bytes(whole.read_bytes()[:4000])
    assert reason_of(scene_of(cut, Modality.NIR))[0] is Reason.UNREADABLE


def drawn(values, low, high) -> np.ndarray:
    """The formula that a release documents, in float64."""
    return np.round(np.clip(255 * (values.astype(np.float64) - low) / (high - low), 0, 255))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_levels_follow_the_documented_formula(tmp_path, dtype, n_channels):
    values = RNG.normal(60, 60, (n_channels, 40, 50)).clip(-120, 120)
    values = np.abs(values).astype(dtype) if dtype.startswith("u") else values.astype(dtype)
    modality = Modality.RGB if n_channels == 3 else Modality.NIR
    scene = scene_of(write_raster(tmp_path / "a.tif", values), modality, quantity=Quantity.COUNTS)
    stretch = Stretch(
        method="range", low=(-10.0, 0.0, 5.5)[:n_channels], high=(90.0, 100.0, 77.0)[:n_channels]
    )
    image = Renderer(scene, stretch).render_stored(values.transpose(1, 2, 0).copy(), None)
    assert image.dtype == np.uint8
    assert image.shape == (40, 50, n_channels)
    for i in range(n_channels):
        wanted = drawn(values[i], stretch.low[i], stretch.high[i])
        assert np.abs(image[:, :, i] - wanted).max() <= (
            0 if dtype.endswith("int8") or dtype == "float64" else 1
        )
        assert (image[:, :, i] != wanted).mean() < 0.002, "single precision may round halves otherwise"


def test_tables_hold_for_power_and_its_holes(tmp_path):
    values = np.array([[[0, 1, 10, 1000]]], np.uint16)
    scene = replace(sar(tmp_path / "a.tif", values, Quantity.AMPLITUDE), scale=0.01)
    renderer = Renderer(scene, Stretch(method="db", low=(-25.0,), high=(0.0,)))
    image = renderer.render_stored(values.transpose(1, 2, 0).copy(), np.array([[False, True, True, True]]))
    assert image.ravel().tolist() == [0, 0, 51, 255], "-40, -20 and +20 dB"


def test_invalid_pixels_are_black(tmp_path):
    values = np.array([[[np.nan, -5.0, -25.0, 0.0]]], np.float32)
    scene = sar(tmp_path / "a.tif", values)
    renderer = Renderer(scene, Stretch(method="db", low=(-25.0,), high=(0.0,)))
    valid = np.array([[False, True, True, False]])
    assert renderer.render_stored(values.transpose(1, 2, 0).copy(), valid).ravel().tolist() == [0, 204, 0, 0]


def test_bytes_are_stretched_by_their_table(tmp_path):
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    scene = scene_of(write_raster(tmp_path / "a.tif", values), Modality.NIR)
    renderer = Renderer(scene, Stretch(method="range", low=(50.0,), high=(150.0,)))
    image = renderer.render_stored(values[0][:, :, None], None)
    np.testing.assert_array_equal(image[:, :, 0], drawn(values[0], 50, 150))

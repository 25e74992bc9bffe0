from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scene_factory import picture_scene

from earthloom.core.errors import RecordError
from earthloom.core.light import to_display
from earthloom.core.records import Quantity, Reason, Scene
from earthloom.tile.light import check_pixel_type, from_linear, is_display, measure, to_linear


def scene(quantity: Quantity, dtype: str = "float32", **changes) -> Scene:
    return replace(picture_scene(Path("x"), 8, 8), quantity=quantity, dtype=dtype, **changes)


def column(*values, dtype="float32") -> np.ndarray:
    return np.array(values, dtype)[:, None, None]


@pytest.mark.parametrize(
    ("stored", "linear"), [(0, 0.0), (10, 0.003035), (128, 0.215861), (188, 0.502886), (255, 1.0)]
)
def test_pictures_are_decoded_as_the_srgb_standard_says(stored, linear):
    got = to_linear(column(stored, dtype="uint8"), scene(Quantity.DISPLAY, "uint8"))
    assert got.item() == pytest.approx(linear, abs=2e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535)])
def test_every_level_of_a_picture_comes_back(dtype, white):
    levels = np.arange(white + 1, dtype=dtype).reshape(-1, 1, 1)
    linear = to_linear(levels, scene(Quantity.DISPLAY, dtype))
    assert (np.diff(linear[:, 0, 0]) > 0).all()
    back = from_linear(linear, scene(Quantity.DISPLAY, dtype))
    np.testing.assert_allclose(back, levels, atol=white * 2e-6)
    if dtype == "uint8":
        np.testing.assert_array_equal(to_display(linear), levels)


def test_light_beyond_white_and_black_is_clipped():
    assert to_display(column(-0.2, 1.7)).ravel().tolist() == [0, 255]
    back = from_linear(column(-0.2, 1.7), scene(Quantity.DISPLAY, "uint8"))
    assert back.ravel() == pytest.approx([0, 255], abs=1e-3)


@pytest.mark.parametrize(
    ("quantity", "stored", "linear", "measured"),
    [
        (Quantity.COUNTS, 400.0, 400.0, 400.0),
        (Quantity.DB, -10.0, 0.1, -10.0),
        (Quantity.INTENSITY, 0.05, 0.05, -13.0103),
        (Quantity.AMPLITUDE, 0.1, 0.01, -20.0),
    ],
)
def test_quantities_become_power_and_their_unit(quantity, stored, linear, measured):
    made = scene(quantity)
    assert to_linear(column(stored), made).item() == pytest.approx(linear, rel=1e-6)
    assert measure(column(stored), made).item() == pytest.approx(measured, abs=1e-4)
    assert from_linear(column(linear), made).item() == pytest.approx(measured, abs=1e-4)


def test_scale_and_offset_are_applied_once():
    landsat = scene(Quantity.COUNTS, "uint16", scale=2.75e-5, offset=-0.2)
    stored = column(7273, 43636, dtype="uint16")
    wanted = [[7273 * 2.75e-5 - 0.2, 43636 * 2.75e-5 - 0.2]]
    np.testing.assert_allclose([measure(stored, landsat).ravel()], wanted, atol=1e-7)
    np.testing.assert_allclose([to_linear(stored, landsat).ravel()], wanted, atol=1e-7)
    decibels = scene(Quantity.DB, "int16", scale=0.01)
    assert to_linear(column(-2000, dtype="int16"), decibels).item() == pytest.approx(0.01)
    assert measure(column(-2000, dtype="int16"), decibels).item() == pytest.approx(-20)


def test_large_integers_keep_their_digits():
    made = scene(Quantity.COUNTS, "int32")
    stored = column(2**31 - 1, 2**31 - 2, dtype="int32")
    assert np.diff(measure(stored, made).ravel()).item() == -1


def test_an_undershoot_below_no_power_is_no_nan():
    assert from_linear(column(-1e-4, 0.0), scene(Quantity.DB)).ravel() == pytest.approx([-300, -300])


def test_a_float_picture_is_taken_as_linear():
    made = scene(Quantity.DISPLAY, "float32")
    assert to_linear(column(0.3), made).item() == from_linear(column(0.3), made).item() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (scene(Quantity.DISPLAY, "uint8"), True),
        (scene(Quantity.DISPLAY, "uint16"), False),
        (scene(Quantity.COUNTS, "uint8"), False),
        (scene(Quantity.DISPLAY, "uint8", scale=2.0), False),
    ],
)
def test_only_plain_bytes_are_a_picture(made, wanted):
    assert is_display(made) is wanted


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "complex_int16", "bool"])
def test_pixels_without_an_order_are_refused(dtype):
    with pytest.raises(RecordError) as caught:
        check_pixel_type(scene(Quantity.AMPLITUDE, dtype))
    assert caught.value.reason is Reason.UNSUPPORTED_PIXELS

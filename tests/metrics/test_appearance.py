"""How bright a picture is: percentiles against NumPy's, decibels against the stretch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from earthloom.core.records import Appearance, Modality, Stretch
from earthloom.metrics.appearance import MIN_PIXELS, measure_appearance

KEPT = Stretch(method="none", low=(0.0,), high=(255.0,))
BACKSCATTER = Stretch(method="db", low=(-25.0,), high=(0.0,))
SHAPE = (23, 17)

grey_pictures = arrays(np.uint8, (*SHAPE, 1))
masks = arrays(np.bool_, SHAPE)


def told(picture: npt.NDArray[np.uint8], valid: npt.NDArray[np.bool_] | None = None) -> Appearance:
    modality = Modality.NIR if picture.shape[2] == 1 else Modality.RGB
    found = measure_appearance(picture, valid, modality, KEPT)
    assert found is not None
    return found


def values_of(found: Appearance) -> tuple[float, float, float]:
    return found.low, found.median, found.high


@given(picture=grey_pictures, valid=masks)
def test_that_percentiles_of_grey_are_those_of_numpy_over_valid_pixels(
    picture: npt.NDArray[np.uint8], valid: npt.NDArray[np.bool_]
) -> None:
    found = measure_appearance(picture, valid, Modality.NIR, KEPT)
    if valid.sum() < MIN_PIXELS:
        assert found is None
        return
    assert found is not None
    assert found.unit == "level"
    wanted = np.percentile(picture[valid], [5, 50, 95]) / 255
    assert values_of(found) == pytest.approx(tuple(wanted), abs=1e-6)


@given(picture=grey_pictures, low=st.floats(-60, -20), width=st.floats(1, 60))
def test_that_decibels_lie_between_the_limits_of_the_stretch(
    picture: npt.NDArray[np.uint8], low: float, width: float
) -> None:
    stretch = Stretch(method="db", low=(low,), high=(low + width,))
    found = measure_appearance(picture, None, Modality.SAR, stretch)
    assert found is not None
    assert found.unit == "dB"
    wanted = np.interp(np.percentile(picture, [5, 50, 95]), [0, 255], [low, low + width])
    assert values_of(found) == pytest.approx(tuple(wanted), abs=1e-6)


def test_that_what_was_clipped_reads_as_the_limit() -> None:
    """Half of the pixels at 3 dB and half at -40 dB, shown from -25 to 0 dB."""
    measured = np.where(np.arange(400).reshape(20, 20, 1) < 200, 3.0, -40.0)
    drawn = np.rint(255 * np.clip((measured + 25) / 25, 0, 1)).astype(np.uint8)
    found = measure_appearance(drawn, None, Modality.SAR, BACKSCATTER)
    assert found is not None
    assert values_of(found) == (-25.0, -12.5, 0.0)


@pytest.mark.parametrize("method", ["none", "range", "percentile"])
def test_that_radar_without_decibels_is_told_in_grey_levels(method: str) -> None:
    stretch = Stretch(method=method, low=(0.0,), high=(140.0,))
    found = measure_appearance(np.full((20, 20, 1), 51, np.uint8), None, Modality.SAR, stretch)
    assert found == Appearance(low=0.2, median=0.2, high=0.2, unit="level")


def test_that_decibels_are_of_radar_alone() -> None:
    found = measure_appearance(np.full((20, 20, 1), 51, np.uint8), None, Modality.NIR, BACKSCATTER)
    assert found is not None
    assert found.unit == "level"


@pytest.mark.parametrize(
    ("colour", "luma"),
    [((255, 0, 0), 0.2126), ((0, 255, 0), 0.7152), ((0, 0, 255), 0.0722), ((255, 255, 255), 1.0)],
)
def test_that_the_luma_of_primaries_is_that_of_bt_709(colour: tuple[int, int, int], luma: float) -> None:
    picture = np.broadcast_to(np.array(colour, np.uint8), (16, 16, 3)).copy()
    assert values_of(told(picture)) == pytest.approx((luma,) * 3, abs=0.5 / 255)


def test_that_colours_are_weighed_as_stored_and_rounded_to_levels() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    valid = np.random.default_rng(4).random((64, 48)) < 0.7
    luma = picture[valid] @ np.array([0.2126, 0.7152, 0.0722])
    wanted = np.percentile(luma, [5, 50, 95]) / 255
    assert values_of(told(picture, valid)) == pytest.approx(tuple(wanted), abs=0.51 / 255)


def test_that_a_hundred_pixels_are_enough_and_fewer_are_not() -> None:
    picture = np.arange(200, dtype=np.uint8).reshape(20, 10, 1)
    valid = np.zeros((20, 10), bool)
    valid[:10] = True
    assert values_of(told(picture, valid)) == pytest.approx((4.95 / 255, 49.5 / 255, 94.05 / 255), abs=1e-6)
    valid[0, 0] = False
    assert measure_appearance(picture, valid, Modality.NIR, KEPT) is None

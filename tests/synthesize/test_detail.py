"""Effects on enlarged pictures are as coarse as the pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from earthloom.core.records import Modality
from earthloom.synthesize.detail import grow, shrink
from earthloom.synthesize.stack import Layer, Outcome, Stack, View


def make_stack(side: int = 512) -> Stack:
    rng = np.random.default_rng(2)
    detail = rng.random((64, 64, 3), np.float32)
    light = cv2.resize(detail, (side, side), interpolation=cv2.INTER_CUBIC)
    valid = np.ones((side, side), np.bool_)
    valid[: side // 2] = False
    return Stack(
        view=View(height=side, width=side, pixel_m=1.25),
        layers=(Layer(modality=Modality.RGB, light=light, wavelengths_um=(0.65, 0.56, 0.48)),),
        valid=valid,
        classes={"water": ~valid},
    )


def test_that_a_picture_with_all_its_detail_is_left_alone() -> None:
    stack = make_stack()
    assert shrink(stack, 1.0) is stack
    outcome = Outcome(layers=(stack.layers[0].light,), measured={}, severity="light")
    assert grow(outcome, stack, stack) is outcome


def test_that_an_enlarged_one_is_shrunk_to_its_detail() -> None:
    small = shrink(make_stack(), 8.0)
    assert small.layers[0].light.shape == (64, 64, 3)
    assert small.view.pixel_m == pytest.approx(10.0)
    assert small.valid is not None
    assert small.classes is not None
    assert small.valid.mean() == 0.5
    np.testing.assert_array_equal(small.classes["water"], ~small.valid)
    assert shrink(make_stack(), 100.0).view.height == 64


def test_that_what_does_not_change_stays_and_what_does_is_as_coarse_as_the_picture() -> None:
    stack = make_stack()
    small = shrink(stack, 8.0)
    change = np.zeros_like(small.layers[0].light)
    change[32:, 32:] = np.random.default_rng(3).normal(0, 0.1, (32, 32, 3))
    visible = np.full((64, 64), 0.25, np.float32)
    made = Outcome(
        layers=(small.layers[0].light + change,),
        measured={"shift_px": 3.0, "height_m": 900.0},
        severity="light",
        visible=visible,
    )
    grown = grow(made, small, stack)
    difference = grown.layers[0] - stack.layers[0].light
    np.testing.assert_allclose(difference[:230, :230], 0, atol=1e-6)
    spectrum = np.abs(np.fft.fft2(difference[:, :, 0])) ** 2
    frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.fftfreq(512)[None, :])
    assert spectrum[frequency > 2 / 16].sum() < 0.02 * spectrum.sum()
    assert grown.measured == {"shift_px": 24.0, "height_m": 900.0}
    assert grown.visible is not None
    np.testing.assert_allclose(grown.visible, 0.25, atol=1e-6)


def test_that_what_is_hidden_leaves_no_trace() -> None:
    stack = make_stack(300)
    small = shrink(stack, 300 / 176)
    white = Outcome(layers=(np.full_like(small.layers[0].light, 0.9),), measured={}, severity="heavy")
    np.testing.assert_allclose(grow(white, small, stack).layers[0], 0.9, atol=0.004)


def test_that_sampling_finds_the_pixels_that_were_enlarged() -> None:
    rng = np.random.default_rng(2)
    small = shrink(make_stack(), 8.0).layers[0].light
    assert np.abs(small - rng.random((64, 64, 3), np.float32)).mean() < 0.02

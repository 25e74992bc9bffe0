from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import ndimage
from veil_scenes import make_ground, make_stack, read_naip

from earthloom.core.errors import RecordError
from earthloom.core.light import Light
from earthloom.core.records import Reason
from earthloom.synthesize.config import SEVERITIES, Severity
from earthloom.synthesize.rain import (
    GROUND_LEFT,
    Rain,
    RainSettings,
    add_rain,
    darken_wet,
    draw_rain,
    grade_rain,
)
from earthloom.synthesize.stack import Mask, Outcome, Stack


def pour(stack: Stack, *, seed: int = 5, **given: float) -> Outcome:
    """A middling rain, unless something else is given."""
    values = {
        "mean_transmission": 0.75,
        "airlight": 0.3,
        "beta": 3.3,
        "uniform": 0.5,
        "wetness": 0.7,
        "blur_px": 0.6,
    }
    return add_rain(stack, Rain(**(values | given)), np.random.default_rng(seed))


def unveil(outcome: Outcome, airlight: float = 0.3) -> Light:
    """What lies under the veil."""
    assert outcome.visible is not None
    t = outcome.visible[:, :, None].astype(float)
    return np.asarray((outcome.layers[0] - airlight * (1 - t)) / t, np.float32)


def make_land_and_lake(side: int = 192) -> tuple[Stack, Mask]:
    lake = np.zeros((side, side), np.bool_)
    lake[side // 3 : 2 * side // 3, side // 4 : side // 2] = True
    light = make_ground(side, side)
    stack = dataclasses.replace(make_stack(light), classes={"lake": lake, "bare soil": ~lake})
    return stack, lake


@pytest.mark.parametrize(("albedo", "factor"), [(0.05, 0.58), (0.2, 0.62), (0.5, 0.72), (1.0, 1.0)])
def test_wet_albedo_is_the_sum_of_all_reflections(albedo: float, factor: float) -> None:
    """Light that comes back from the ground leaves with chance 1 / n^2, or meets the ground again, and so on."""
    stays = 1 - 1 / 1.333**2
    series = sum(albedo * (stays * albedo) ** i * (1 - stays) for i in range(2000))
    wet = darken_wet(np.full((2, 2, 3), albedo, np.float32), np.ones((2, 2), np.float32))
    np.testing.assert_allclose(wet, series, rtol=1e-3)
    np.testing.assert_allclose(wet / albedo, factor, atol=0.005)


def test_dry_ground_stays_as_it_is() -> None:
    ground = make_ground(64, 64)
    np.testing.assert_array_equal(darken_wet(ground, np.zeros((64, 64), np.float32)), ground)


@settings(max_examples=40)
@given(
    severity=st.sampled_from(SEVERITIES),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([(64, 64), (64, 200), (256, 256)]),
)
def test_severity_is_measured_and_is_the_one_asked_for(
    severity: Severity, seed: int, size: tuple[int, int]
) -> None:
    light = make_ground(*size)
    stack = dataclasses.replace(make_stack(light), classes={"bare soil": np.ones(size, np.bool_)})
    rng = np.random.default_rng(seed)
    drawn = draw_rain(RainSettings(), stack.view, severity, rng)
    outcome = add_rain(stack, drawn, rng)
    assert outcome.visible is not None
    assert float(outcome.visible.mean()) == pytest.approx(drawn.mean_transmission, abs=0.02)
    assert 0.6 <= drawn.mean_transmission <= 0.9
    left = np.mean(unveil(outcome, drawn.airlight)) / light.mean() * outcome.visible.mean()
    low, high = GROUND_LEFT[severity]
    assert low - 0.01 <= left <= high + 0.01
    assert outcome.severity == severity
    assert outcome.layers[0].dtype == np.float32
    json.dumps([dataclasses.asdict(drawn), dict(outcome.measured)], allow_nan=False)


def test_transmission_comes_back_from_the_pixels() -> None:
    """Slope of rainy over clear light in windows, which blur and water would change: none of either."""
    light = make_ground(256, 256)
    outcome = pour(make_stack(light), wetness=0.0, blur_px=0.0, uniform=0.9)
    assert outcome.visible is not None
    for row in range(0, 256, 64):
        for column in range(0, 256, 64):
            window = np.s_[row : row + 64, column : column + 64]
            slope, offset = np.polyfit(light[window].ravel(), outcome.layers[0][window].ravel(), 1)
            t = float(outcome.visible[window].mean())
            assert slope == pytest.approx(t, abs=0.02)
            assert offset == pytest.approx(0.3 * (1 - t), abs=0.01)


def test_water_is_only_veiled() -> None:
    stack, lake = make_land_and_lake()
    outcome = pour(stack)
    assert outcome.visible is not None
    t, airlight = outcome.visible, np.float32(0.3)
    for channel in range(3):
        water = stack.layers[0].light[:, :, channel]
        np.testing.assert_array_equal(
            outcome.layers[0][:, :, channel][lake], ((water - airlight) * t + airlight)[lake]
        )
    assert outcome.measured["water_share"] == pytest.approx(lake.mean(), abs=1e-3)


def test_land_is_darker_by_its_albedo_and_no_line_is_drawn_at_the_shore() -> None:
    stack, lake = make_land_and_lake()
    light = np.full_like(stack.layers[0].light, 0.2)
    even = dataclasses.replace(stack, layers=(dataclasses.replace(stack.layers[0], light=light),))
    ground = unveil(pour(even, wetness=0.8))[:, :, 1]
    inland = ndimage.distance_transform_edt(~lake) > 8
    n2 = 1.333**2
    assert float(ground[inland].mean()) == pytest.approx(
        0.2 * (1 - 0.8 * (1 - 1 / (n2 * 0.8 + 0.2))), rel=1e-3
    )
    np.testing.assert_allclose(ground[lake], 0.2, rtol=1e-3)
    across = ground[96, 96:110]  # from the lake's eastern shore inland
    assert (np.diff(across) < 1e-5).all()
    assert np.abs(np.diff(across)).max() < 0.03


def test_leaves_get_less_wet_than_soil() -> None:
    green = np.full((96, 96, 3), (0.04, 0.12, 0.03), np.float32)
    soil = np.full((96, 96, 3), 0.12, np.float32)
    both = np.concatenate([green, soil], axis=1)
    classes = {"bare soil": np.ones((96, 192), np.bool_)}
    wet = unveil(pour(dataclasses.replace(make_stack(both), classes=classes)))[:, :, 1] / both[:, :, 1]
    assert wet[20:80, 20:70].mean() > wet[20:80, 120:170].mean() + 0.03


def measure_anisotropy(picture: Light) -> float:
    """Of the gradients: |sum g^2 exp(2 i theta)| / sum g^2 of fine detail, 0 without and 1 with one direction."""
    fine = picture.astype(float).mean(axis=2)
    fine -= ndimage.gaussian_filter(fine, 3)
    gradient = ndimage.prewitt(fine, 1) + 1j * ndimage.prewitt(fine, 0)
    return float(np.abs((gradient**2).sum()) / (np.abs(gradient) ** 2).sum())


def test_there_are_no_streaks() -> None:
    for seed in range(3):
        light = make_ground(256, 256, seed=seed)
        rainy = pour(make_stack(light), seed=seed).layers[0]
        assert abs(measure_anisotropy(rainy) - measure_anisotropy(light)) < 0.03
    streaks = np.zeros((256, 256))
    streaks.flat[np.random.default_rng(0).integers(0, streaks.size, 2000)] = 1
    street = light + 0.3 * ndimage.uniform_filter1d(streaks, 15, axis=0)[:, :, None] * 15
    assert measure_anisotropy(street) > measure_anisotropy(light) + 0.2


def test_one_rain_lies_over_rgb_and_nir() -> None:
    rgb, nir = make_ground(256, 256), make_ground(256, 256, 1, seed=4)
    outcome = pour(make_stack(rgb, nir), wetness=0.0, blur_px=0.0)
    assert outcome.visible is not None
    for clear, rainy in zip((rgb, nir), outcome.layers, strict=True):
        t = (rainy.astype(float) - 0.3) / (clear.astype(float) - 0.3)
        far = np.abs(clear - 0.3) > 0.05
        seen = np.broadcast_to(outcome.visible[:, :, None], clear.shape)
        np.testing.assert_allclose(t[far], seen[far], atol=1e-4)


def test_lakes_of_a_real_picture_keep_their_light(real_data: Path) -> None:
    rgb, nir = read_naip(real_data)
    outcome = pour(make_stack(rgb, nir, pixel_m=5.0))
    water = (rgb[:, :, 1] - nir[:, :, 0]) / (rgb[:, :, 1] + nir[:, :, 0] + 1e-6) > 0.4
    water = ndimage.binary_erosion(water & (nir[:, :, 0] < 0.05), iterations=6)
    assert water.sum() > 2000
    under = unveil(outcome)
    factor = under.astype(float).mean(axis=2) / rgb.astype(float).mean(axis=2)
    assert np.median(factor[water]) == pytest.approx(1, abs=0.01)
    assert isinstance(outcome.measured["wet_factor"], float)
    assert 0.6 < outcome.measured["wet_factor"] < 0.85
    assert 0.03 < float(outcome.measured["water_share"] or 0) < 0.3


def test_over_open_water_the_veil_alone_counts() -> None:
    dark = np.full((64, 64, 3), (0.02, 0.03, 0.04), np.float32)
    stack = dataclasses.replace(make_stack(dark), classes={"sea": np.ones((64, 64), np.bool_)})
    for severity in SEVERITIES:
        rng = np.random.default_rng(2)
        outcome = add_rain(stack, draw_rain(RainSettings(), stack.view, severity, rng), rng)
        assert outcome.measured["wet_factor"] is None
        assert outcome.severity == severity


def test_drizzle_is_refused() -> None:
    assert grade_rain(0.9, 0.99) == "light"
    with pytest.raises(RecordError) as caught:
        grade_rain(0.94, 0.99)
    assert caught.value.reason is Reason.NO_EFFECT


def test_same_draw_same_bytes_and_nothing_given_is_changed() -> None:
    stack, _ = make_land_and_lake(96)
    before = stack.layers[0].light.tobytes()
    assert pour(stack).layers[0].tobytes() == pour(stack).layers[0].tobytes()
    assert pour(stack).layers[0].tobytes() != pour(stack, seed=6).layers[0].tobytes()
    assert stack.layers[0].light.tobytes() == before


@pytest.mark.parametrize("given", [{"blur_px": (0.5, 2.0)}, {"airlight": (0.5, 0.2)}, {"streaks": True}])
def test_bad_settings_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RainSettings.model_validate(given)

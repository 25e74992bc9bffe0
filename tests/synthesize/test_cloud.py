"""Clouds and shadows, recovered from the pixels that they were laid over."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import fft, ndimage

from earthloom.core.errors import RecordError
from earthloom.core.light import to_light
from earthloom.core.records import Modality, Reason
from earthloom.synthesize.cloud import COVER, Cloud, CloudSettings, add_cloud, draw_cloud
from earthloom.synthesize.cloud_field import make_cloud_field
from earthloom.synthesize.cloud_light import CloudLaw, light_up
from earthloom.synthesize.config import SEVERITIES, Severity
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Mask, Outcome, Stack, View

Planes = npt.NDArray[np.float64]


def make_stack(
    height: int = 256,
    width: int = 256,
    ground: float = 0.3,
    valid: Mask | None = None,
    modalities: tuple[Modality, ...] = (Modality.RGB, Modality.NIR),
    noise: float = 0.0,
    **view: float | None,
) -> Stack:
    rng = np.random.default_rng(99)
    layers = []
    for modality in modalities:
        bands = DISPLAY_UM[modality]
        light = ground + noise * rng.random((height, width, len(bands)), np.float32)
        light = light.astype(np.float32)
        light.flags.writeable = False
        layers.append(Layer(modality=modality, light=light, wavelengths_um=bands))
    given = {"pixel_m": 10.0, "sun_azimuth_deg": 135.0, "sun_elevation_deg": 45.0} | view
    return Stack(view=View(height=height, width=width, **given), layers=tuple(layers), valid=valid)


def make_cloud(**changes: object) -> Cloud:
    cloud = Cloud(
        cover=0.15,
        cell_m=600.0,
        height_m=700.0,
        beta=3.0,
        edge=0.3,
        brightness=0.9,
        tint_per_um=0.05,
        diffuse=0.25,
        sun_azimuth_deg=135.0,
        sun_elevation_deg=45.0,
        pixel_m=10.0,
        is_sun_drawn=False,
        is_pixel_drawn=False,
    )
    return dataclasses.replace(cloud, **changes)


def recover(cloud: Cloud, side: int, seed: int) -> Planes:
    """Share of ground light left, H x W x 4 (R, G, B, NIR): the difference of pictures over bright and dark ground."""
    bright, dark = (
        add_cloud(make_stack(side, side, ground, pixel_m=cloud.pixel_m), cloud, np.random.default_rng(seed))
        for ground in (0.6, 0.1)
    )
    pairs = zip(bright.layers, dark.layers, strict=True)
    return np.concatenate([(a.astype(np.float64) - b) / 0.5 for a, b in pairs], axis=2)


def separate(left: Planes, first: int, second: int, diffuse: float) -> tuple[Planes, Planes]:
    """Opacity c and shadow (1 - c) s from two bands of what is left: (1 - c) (1 - s (1 - f))."""
    wavelengths = (*DISPLAY_UM[Modality.RGB], *DISPLAY_UM[Modality.NIR])
    direct = [1 - diffuse * 0.55 / wavelengths[band] for band in (first, second)]
    shaded = (left[..., first] - left[..., second]) / (direct[1] - direct[0])
    return 1 - left[..., first] - shaded * direct[0], shaded


def find_shift(cloud: Planes, shadow: Planes, seen: Planes) -> tuple[int, int]:
    """Shift, rows and columns, at which the shadow fits its cloud best; ground that a cloud hides does not count.

    Masked normalised correlation (Padfield 2012, IEEE TIP 21:2706), of shifts by up to half the picture.
    """
    side = cloud.shape[0]
    shape = (2 * side, 2 * side)

    def correlate(a: Planes, b: Planes) -> Planes:
        return np.asarray(fft.irfft2(np.conj(fft.rfft2(a, shape)) * fft.rfft2(b, shape), shape))

    everywhere = np.ones_like(cloud)
    weight = np.maximum(correlate(everywhere, seen), 1)
    mean_cloud = correlate(cloud, seen) / weight
    mean_shadow = correlate(everywhere, shadow * seen) / weight
    covariance = correlate(cloud, shadow * seen) / weight - mean_cloud * mean_shadow
    variances = (correlate(cloud**2, seen) / weight - mean_cloud**2) * (
        correlate(everywhere, shadow**2 * seen) / weight - mean_shadow**2
    )
    score = covariance / np.sqrt(np.maximum(variances, 1e-6))
    score[weight < 0.2 * side * side] = -1
    row, column = np.unravel_index(int(score.argmax()), shape)
    return int((row + side) % (2 * side) - side), int((column + side) % (2 * side) - side)


def check_shift(azimuth: float, elevation: float, height_m: float, pixel_m: float, seed: int) -> None:
    cloud = make_cloud(
        sun_azimuth_deg=azimuth,
        sun_elevation_deg=elevation,
        height_m=height_m,
        pixel_m=pixel_m,
        cell_m=40 * pixel_m,
        edge=0.25,
    )
    hidden, shaded = separate(recover(cloud, 256, seed), 2, 3, cloud.diffuse)
    seen = (hidden < 0.3).astype(np.float64)
    shadow = shaded / np.maximum(1 - hidden, 0.7)
    distance_px = height_m / math.tan(math.radians(elevation)) / pixel_m
    down = -distance_px * math.cos(math.radians(azimuth + 180))
    right = distance_px * math.sin(math.radians(azimuth + 180))
    found = find_shift(hidden, shadow, seen)
    assert found == (pytest.approx(down, abs=1), pytest.approx(right, abs=1))


@pytest.mark.parametrize(
    ("azimuth", "elevation"), [(0, 45), (90, 60), (135, 40), (180, 50), (210, 65), (300, 55), (359, 70)]
)
def test_shadow_lies_where_geometry_puts_it(azimuth: float, elevation: float) -> None:
    check_shift(azimuth, elevation, 700, 10, seed=3)


@hypothesis_settings(max_examples=12)
@given(
    azimuth=st.floats(0, 360),
    elevation=st.floats(25, 80),
    distance_px=st.floats(5, 90),
    pixel_m=st.floats(1, 100),
    seed=st.integers(0, 99),
)
def test_shadow_lies_where_geometry_puts_it_anywhere(
    azimuth: float, elevation: float, distance_px: float, pixel_m: float, seed: int
) -> None:
    height_m = distance_px * pixel_m * math.tan(math.radians(elevation))
    check_shift(azimuth, elevation, height_m, pixel_m, seed)


def test_all_bands_carry_the_same_cloud_and_shadow() -> None:
    cloud = make_cloud(cover=0.4)
    left = recover(cloud, 200, seed=1)
    by_rgb = separate(left, 0, 2, cloud.diffuse)
    by_nir = separate(left, 1, 3, cloud.diffuse)
    np.testing.assert_allclose(by_rgb[0], by_nir[0], atol=1e-4)
    np.testing.assert_allclose(by_rgb[1], by_nir[1], atol=1e-4)
    outcome = add_cloud(make_stack(200, 200), cloud, np.random.default_rng(1))
    assert outcome.visible is not None
    np.testing.assert_allclose(1 - by_rgb[0], outcome.visible, atol=1e-4)
    skylight = np.array([cloud.diffuse * 0.55 / um for um in (0.655, 0.5625, 0.4825, 0.865)])
    assert (left <= outcome.visible[..., None] + 1e-5).all()
    assert (left >= outcome.visible[..., None] * skylight - 1e-5).all()
    alone = add_cloud(make_stack(200, 200, modalities=(Modality.NIR,)), cloud, np.random.default_rng(1))
    np.testing.assert_array_equal(alone.layers[0], outcome.layers[1])


def test_skylight_is_all_that_is_left_in_deep_shadow() -> None:
    cloud = make_cloud(cover=0.3, edge=0.1, diffuse=0.2)
    left = recover(cloud, 256, seed=1)
    hidden, _ = separate(left, 0, 3, cloud.diffuse)
    deepest = left[np.abs(hidden) < 1e-4].min(axis=0)
    assert deepest == pytest.approx([0.2 * 0.55 / um for um in (0.655, 0.5625, 0.4825, 0.865)], abs=2e-3)


def test_clear_ground_is_untouched_and_the_input_too() -> None:
    stack = make_stack(noise=0.4)
    before = [layer.light.copy() for layer in stack.layers]
    cloud = make_cloud()
    outcome = add_cloud(stack, cloud, np.random.default_rng(3))
    hidden, shaded = separate(recover(cloud, 256, seed=3), 0, 3, cloud.diffuse)
    clear = (np.abs(hidden) < 1e-5) & (np.abs(shaded) < 1e-5)
    clear = ndimage.binary_erosion(clear, iterations=4)  # the thinnest haze cannot be told from rounding
    assert clear.mean() > 0.2
    for layer, kept, after in zip(stack.layers, before, outcome.layers, strict=True):
        np.testing.assert_array_equal(layer.light, kept)
        np.testing.assert_array_equal(after[clear], kept[clear])
        assert after.dtype == np.float32
        assert after.shape == kept.shape


def test_thick_cloud_hides_its_own_shadow_and_is_nearly_white() -> None:
    cloud = make_cloud(cover=0.6, brightness=0.9, edge=0.1)
    outcome = add_cloud(make_stack(ground=0.05), cloud, np.random.default_rng(2))
    assert outcome.visible is not None
    thick = outcome.visible < 0.01
    assert thick.mean() > 0.1
    rgb, nir = (layer[thick] for layer in outcome.layers)
    assert rgb.min() > 0.35
    assert 0.7 < np.median(rgb) < 1
    assert np.ptp(rgb / rgb.mean(axis=1, keepdims=True)) < 0.02
    assert nir.mean() / rgb.mean() == pytest.approx(1, abs=0.03)


def test_opacity_is_that_of_two_streams() -> None:
    """1 - 1 / (1 + x^2): a half at one width over the edge, 0.8 at two, 0.9 at three, nothing below the edge."""
    law = CloudLaw(start=0.5, width=0.25)
    water = np.array([[-9.0, 0.5, 0.75, 1.0, 1.25]], np.float32)
    np.testing.assert_allclose(law.find_opacity(water), [[0, 0, 0.5, 0.8, 0.9]], atol=1e-6)
    assert law.find_opacity(water)[0, :2].tolist() == [0, 0]
    np.testing.assert_allclose(law.find_thickness(water), [[0, 0, 0.2, 1 / 3, 3 / 7]], atol=1e-6)
    assert water[0, 0] == -9


@pytest.mark.parametrize("azimuth", [0, 90, 200])
def test_the_sunlit_side_is_bright(azimuth: float) -> None:
    """Between suns on opposite sides the difference of brightness follows the slope towards the first."""
    field = make_cloud_field((2560, 2560), (0, 0), 10, 800, 3.2, 0.5, np.random.default_rng(0))
    law = CloudLaw(start=-0.5, width=0.3)
    toward, away = (
        light_up(
            field,
            law,
            (256, 256),
            10,
            cell_m=800,
            brightness=0.9,
            sun_azimuth_deg=a,
            sun_elevation_deg=40,
        )
        for a in (azimuth, azimuth + 180)
    )
    water = ndimage.gaussian_filter(np.maximum(field.sample((0, 0), (256, 256), 10) + 0.5, 0), 8)
    down, right = np.gradient(water)
    rise = right * math.sin(math.radians(azimuth)) - down * math.cos(math.radians(azimuth))
    assert np.corrcoef((toward - away).ravel(), rise.ravel())[0, 1] < -0.8


@pytest.mark.parametrize("azimuth", [10, 250])
def test_relief_does_not_change_at_the_border(azimuth: float) -> None:
    """The same ground within a larger picture is lit alike."""
    field = make_cloud_field((640, 640), (0, 0), 5, 400, 3.0, 0.5, np.random.default_rng(0))
    law = CloudLaw(start=-0.5, width=0.3)
    small, large = (
        light_up(
            field,
            law,
            shape,
            5,
            cell_m=400,
            brightness=0.9,
            sun_azimuth_deg=azimuth,
            sun_elevation_deg=40,
        )
        for shape in ((160, 160), (320, 320))
    )
    np.testing.assert_allclose(small, large[:160, :160], atol=1e-4)


@hypothesis_settings(max_examples=60)
@given(
    height=st.integers(64, 220),
    width=st.integers(64, 220),
    log_pixel=st.floats(-1, 3),
    elevation=st.one_of(st.none(), st.floats(-5, 90)),
    severity=st.sampled_from(SEVERITIES),
    seed=st.integers(0, 2**32),
)
def test_any_size_and_scale_gets_the_cover_asked_for(
    height: int, width: int, log_pixel: float, elevation: float | None, severity: Severity, seed: int
) -> None:
    stack = make_stack(height, width, pixel_m=10**log_pixel, sun_elevation_deg=elevation)
    cloud = draw_cloud(CloudSettings(), stack.view, severity, np.random.default_rng(seed))
    outcome = add_cloud(stack, cloud, np.random.default_rng(seed))
    assert outcome.severity == severity
    assert outcome.measured["cover"] == pytest.approx(cloud.cover, abs=0.01)
    assert COVER[severity][0] < cloud.cover < COVER[severity][1]
    assert outcome.visible is not None
    assert outcome.visible.min() >= 0
    assert outcome.visible.max() <= 1
    for layer in outcome.layers:
        assert np.isfinite(layer).all()
        assert -1e-6 <= layer.min() <= layer.max() < 1.5
    json.dumps({**dataclasses.asdict(cloud), **outcome.measured}, allow_nan=False)


def test_severity_is_what_was_measured() -> None:
    for cover, name in ((0.06, "light"), (0.24, "light"), (0.3, "moderate"), (0.6, "heavy"), (0.97, "heavy")):
        outcome = add_cloud(make_stack(), make_cloud(cover=cover), np.random.default_rng(0))
        assert outcome.severity == name
        assert outcome.visible is not None
        assert outcome.measured["cover"] == pytest.approx((outcome.visible < 0.5).mean(), abs=1e-6)


def test_measured_geometry_is_that_of_the_sun() -> None:
    outcome = add_cloud(make_stack(), make_cloud(height_m=1000.0), np.random.default_rng(0))
    measured = outcome.measured
    assert measured["shadow_down_px"] == pytest.approx(-100 * math.sqrt(0.5))
    assert measured["shadow_right_px"] == pytest.approx(-100 * math.sqrt(0.5))
    assert measured["shadow_right_m"] == pytest.approx(-1000 * math.sqrt(0.5))
    assert measured["shadow"] == pytest.approx(0.12, abs=0.08)
    low = add_cloud(make_stack(), make_cloud(sun_elevation_deg=1.0), np.random.default_rng(0))
    assert low.measured["shadow_down_px"] is None
    assert low.measured["shadow"] == 0


def test_only_valid_pixels_count() -> None:
    valid = np.zeros((256, 256), np.bool_)
    valid[20:120, 100:250] = True
    outcome = add_cloud(make_stack(valid=valid), make_cloud(cover=0.4), np.random.default_rng(0))
    assert outcome.visible is not None
    assert (outcome.visible[valid] < 0.5).mean() == pytest.approx(0.4, abs=0.02)
    assert outcome.measured["cover"] == pytest.approx((outcome.visible[valid] < 0.5).mean())


@pytest.mark.parametrize("n_valid", [1, 5, 300])
def test_few_valid_pixels_are_enough(n_valid: int) -> None:
    valid = np.zeros((64, 64), np.bool_)
    valid.flat[1 : 1 + n_valid] = True
    outcome = add_cloud(make_stack(64, 64, valid=valid), make_cloud(cover=0.5), np.random.default_rng(0))
    assert 0 <= float(outcome.measured["cover"] or 0) <= 1


def test_nothing_to_see_is_refused() -> None:
    def refuse(stack: Stack, cloud: Cloud) -> str:
        with pytest.raises(RecordError) as caught:
            add_cloud(stack, cloud, np.random.default_rng(0))
        assert caught.value.reason is Reason.NO_EFFECT
        return str(caught.value)

    assert "got none" in refuse(make_stack(valid=np.zeros((256, 256), np.bool_)), make_cloud())
    assert "cloud" in refuse(make_stack(), make_cloud(cover=0.01))
    crisp = make_cloud(cover=0.5, cell_m=3000.0, beta=4.0, sun_elevation_deg=1.0, edge=0.01)
    clear = make_stack()
    cloudy = add_cloud(clear, crisp, np.random.default_rng(0)).layers
    layers = [dataclasses.replace(old, light=new) for old, new in zip(clear.layers, cloudy, strict=True)]
    assert "as bright" in refuse(dataclasses.replace(clear, layers=tuple(layers)), crisp)


def test_the_same_twice_and_another_with_another_seed() -> None:
    def make(seed: int) -> tuple[Cloud, Outcome]:
        rng = np.random.default_rng(seed)
        stack = make_stack(sun_azimuth_deg=None)
        cloud = draw_cloud(CloudSettings(), stack.view, "moderate", rng)
        return cloud, add_cloud(stack, cloud, rng)

    (cloud, first), (again, second), (_, other) = make(5), make(5), make(6)
    assert cloud == again
    assert first.layers[0].tobytes() == second.layers[0].tobytes()
    assert first.layers[1].tobytes() == second.layers[1].tobytes()
    assert not np.array_equal(first.layers[0], other.layers[0])


def test_what_is_known_is_used_and_what_is_not_is_drawn() -> None:
    settings = CloudSettings()
    known = View(height=64, width=64, pixel_m=2.5, sun_azimuth_deg=77.0, sun_elevation_deg=33.0)
    cloud = draw_cloud(settings, known, "light", np.random.default_rng(0))
    assert (cloud.pixel_m, cloud.sun_azimuth_deg, cloud.sun_elevation_deg) == (2.5, 77, 33)
    assert not cloud.is_sun_drawn
    assert not cloud.is_pixel_drawn
    drawn = [
        draw_cloud(settings, View(height=64, width=64), "light", np.random.default_rng(seed))
        for seed in range(50)
    ]
    assert all(c.is_sun_drawn and c.is_pixel_drawn for c in drawn)
    assert all(3 <= c.pixel_m <= 30 and 25 <= c.sun_elevation_deg <= 70 for c in drawn)
    assert np.ptp([c.sun_azimuth_deg for c in drawn]) > 180
    half = draw_cloud(
        settings, dataclasses.replace(known, sun_azimuth_deg=None), "light", np.random.default_rng(0)
    )
    assert half.sun_elevation_deg == 33
    assert half.is_sun_drawn


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cell_m", [0, 100]),
        ("height_m", [3000, 500]),
        ("beta", [0.5, 3]),
        ("beta", [2, 7]),
        ("edge", [0, 0.1]),
        ("pixel_m", [0, 1]),
        ("diffuse", [0.1, 1.2]),
        ("sun_elevation_deg", [2, 60]),
        ("sun_elevation_deg", [20, 91]),
    ],
)
def test_settings_that_make_no_sense_are_named(field: str, value: list[float]) -> None:
    with pytest.raises(ValidationError, match=field):
        CloudSettings.model_validate({field: value})


def test_on_a_real_picture(real_data: Path) -> None:
    path = min((real_data / "naip").glob("*.tif"))
    with rasterio.open(path) as source:
        bands = source.read(window=((100, 612), (200, 712)))
    rgb = np.ascontiguousarray(bands[:3].transpose(1, 2, 0))
    layers = (
        Layer(modality=Modality.RGB, light=to_light(rgb), wavelengths_um=DISPLAY_UM[Modality.RGB]),
        Layer(
            modality=Modality.NIR,
            light=to_light(bands[3])[:, :, None],
            wavelengths_um=DISPLAY_UM[Modality.NIR],
        ),
    )
    stack = Stack(view=View(height=512, width=512, pixel_m=5.0), layers=layers)
    for severity in SEVERITIES:
        rng = np.random.default_rng(11)
        cloud = draw_cloud(CloudSettings(), stack.view, severity, rng)
        outcome = add_cloud(stack, cloud, rng)
        assert outcome.severity == severity
        assert outcome.visible is not None
        covered = outcome.visible < 0.1
        assert outcome.layers[0][covered].mean() > 3 * layers[0].light[covered].mean()

"""Shadows by closed forms and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from earthloom.synthesize.cloud_field import make_cloud_field
from earthloom.synthesize.cloud_light import CloudLaw
from earthloom.synthesize.shadow import Shadow, cast_shadow, diffuse_share, find_shadow


@pytest.mark.parametrize(
    ("azimuth_deg", "down_m", "right_m"),
    [(0, 1000, 0), (90, 0, -1000), (180, -1000, 0), (270, 0, 1000), (45, 707.107, -707.107)],
)
def test_a_shadow_lies_on_the_side_turned_from_the_sun(
    azimuth_deg: float, down_m: float, right_m: float
) -> None:
    """A cloud at 1 km with the sun at 45 degrees: 1 km away; with the sun in the north, towards the bottom."""
    shadow = find_shadow(1000, azimuth_deg, 45, 10)
    assert shadow is not None
    assert shadow.down_m == pytest.approx(down_m, abs=1e-2)
    assert shadow.right_m == pytest.approx(right_m, abs=1e-2)


@given(st.floats(100, 5000), st.floats(0, 360), st.floats(3, 90), st.floats(0.1, 1000))
def test_distance_bearing_and_blur(height_m: float, azimuth: float, elevation: float, pixel_m: float) -> None:
    shadow = find_shadow(height_m, azimuth, elevation, pixel_m)
    assert shadow is not None
    distance = math.hypot(shadow.down_m, shadow.right_m)
    assert distance == pytest.approx(height_m * math.tan(math.radians(90 - elevation)), rel=1e-6, abs=1e-6)
    slant = math.hypot(distance, height_m)
    assert shadow.sigma_px == pytest.approx(max(1, 0.00465 * slant / pixel_m), rel=1e-6)
    if distance > 1:
        bearing = math.degrees(math.atan2(shadow.right_m, -shadow.down_m))
        assert math.remainder(bearing - azimuth - 180, 360) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("elevation_deg", [-10, 0, 2.9])
def test_a_sun_at_the_horizon_casts_none(elevation_deg: float) -> None:
    assert find_shadow(1000, 100, elevation_deg, 10) is None


@pytest.mark.parametrize("sigma_px", [1.0, 3.9, 4.0, 11.3, 40.0])
def test_the_blur_is_a_gaussian_of_that_sigma(sigma_px: float) -> None:
    """Beside a full-resolution blur by scipy; of nearby sigmas the true one must fit best."""
    pixel_m, side = 0.5, 160
    shadow = Shadow(down_m=310.0, right_m=-215.5, sigma_px=sigma_px)
    rng = np.random.default_rng(7)
    field = make_cloud_field((80, 80), (310, -215.5), pixel_m, 600, 3.0, 0.5, rng)
    law = CloudLaw(start=float(np.median(field.sample((-310, 215.5), (80, 80), 1.0))), width=0.1)
    got = cast_shadow(field, law, shadow, (side, side), pixel_m)
    pad = math.ceil(4 * 1.3 * sigma_px)
    corner = (-310.0 - pad * pixel_m, 215.5 - pad * pixel_m)
    sharp = law.find_opacity(field.sample(corner, (side + 2 * pad, side + 2 * pad), pixel_m))
    errors = {}
    for scale in (0.8, 0.9, 1.0, 1.1, 1.25):
        blurred = ndimage.gaussian_filter(sharp.astype(np.float64), scale * sigma_px, truncate=4)
        errors[scale] = float(np.abs(blurred[pad:-pad, pad:-pad] - got).max())
    assert min(errors, key=errors.__getitem__) == 1.0
    assert errors[1.0] < 0.02
    assert 0.05 < got.mean() < 0.95


def test_a_shadow_has_no_more_than_all_light_to_keep() -> None:
    field = make_cloud_field((640, 640), (700, -900), 10, 900, 2.8, 0.5, np.random.default_rng(1))
    law = CloudLaw(start=0.0, width=0.3)
    for sigma_px in (1.0, 9.0):
        shadow = Shadow(down_m=700, right_m=-900, sigma_px=sigma_px)
        shaded = cast_shadow(field, law, shadow, (64, 61), 10)
        assert shaded.shape == (64, 61)
        assert shaded.dtype == np.float32
        assert shaded.min() >= 0
        assert shaded.max() <= 1 + 1e-6


def test_skylight_is_blue() -> None:
    """0.25 at green: 0.285 in blue, 0.21 in red, 0.159 in near infrared."""
    assert diffuse_share(0.25, 0.55) == 0.25
    assert diffuse_share(0.25, 0.4825) == pytest.approx(0.28497, abs=1e-5)
    assert diffuse_share(0.25, 0.655) == pytest.approx(0.20992, abs=1e-5)
    assert diffuse_share(0.25, 0.865) == pytest.approx(0.15896, abs=1e-5)
    assert diffuse_share(0.9, 0.443) < 1

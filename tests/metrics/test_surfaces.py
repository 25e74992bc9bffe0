"""NDSI by hand, water that stays, and snow with and without the streaks of a street."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from metric_scenes import encode, lay_fog, make_field, make_ground, make_streaks

from earthloom.core.errors import UsageError
from earthloom.metrics.scenes import (
    SPECKLE_LIMIT,
    STREAK_LIMIT,
    WATER_WITHIN,
    leave_ground,
    ndsi,
    speckle_share,
    streak_score,
    water_change,
)
from earthloom.metrics.structure import light_luminance


def test_ndsi_of_snow_ground_and_nothing() -> None:
    found = ndsi(np.array([0.91, 0.2, 0.0, 0.3]), np.array([0.10, 0.3, 0.0, 0.0]))
    np.testing.assert_allclose(found, [0.81 / 1.01, -0.2, np.nan, 1.0])


def test_water_that_stays_and_water_that_is_snowed_on() -> None:
    ground = make_ground((64, 64))
    water = np.zeros((64, 64), bool)
    water[20:40, 10:50] = True
    snowed = 0.5 * ground + 0.45
    spared = np.where(water[:, :, None], ground, snowed)
    assert water_change(encode(ground), encode(spared), water) == 0
    change = water_change(ground, snowed, water)
    wanted = np.abs(light_luminance(snowed) - light_luminance(ground))[water].mean()
    assert change == pytest.approx(wanted, abs=1e-12)
    assert change > WATER_WITHIN
    assert water_change(ground, snowed, np.zeros_like(water)) is None


def test_a_veil_leaves_nothing_that_the_ground_does_not_explain() -> None:
    ground = make_ground((128, 128))
    left = leave_ground(ground, lay_fog(ground, 0.5))
    ramp = left.reshape(8, 16, 8, 16)
    np.testing.assert_allclose(ramp - ramp.mean(axis=(1, 3), keepdims=True), 0, atol=1e-9)


@pytest.mark.parametrize("angle", [-80, -60, -45, 20])
def test_streaks_of_falling_flakes_are_found(angle: float) -> None:
    ground = make_ground(seed=3)
    streaked = np.clip(ground + 0.8 * make_streaks((256, 256), angle, 1)[:, :, None], 0, 1)
    clear, snowy = encode(ground), encode(streaked)
    assert streak_score(leave_ground(clear, snowy), light_luminance(clear)) > STREAK_LIMIT


def test_patches_of_snow_have_no_direction() -> None:
    scores = []
    for seed in range(6):
        ground = make_ground(seed=seed)
        field = make_field((256, 256), 2.5, np.random.default_rng(seed))
        cover = 1 / (1 + np.exp(-(field - np.median(field)) / 0.03))[:, :, None]
        clear, snowy = encode(ground), encode(ground * (1 - cover) + 0.9 * cover)
        scores.append(streak_score(leave_ground(clear, snowy), light_luminance(clear)))
    assert max(scores) < STREAK_LIMIT


def test_lines_are_1_noise_is_0_and_nothing_is_unknown() -> None:
    lines = np.broadcast_to(np.sin(np.arange(128))[None, :], (128, 128)).copy()
    assert streak_score(lines) == pytest.approx(1, abs=1e-6)
    noise = np.random.default_rng(0).normal(size=(256, 256))
    assert streak_score(noise) < 0.03
    assert np.isnan(streak_score(np.full((64, 64), 0.3)))


def test_lines_of_the_ground_itself_do_not_count() -> None:
    """Snow that thins along furrows leaves the furrows' lines, which the ground has too."""
    rng = np.random.default_rng(1)
    furrows = 0.1 * np.broadcast_to(np.sin(np.arange(128))[None, :], (128, 128)) + 0.02 * rng.normal(
        size=(128, 128)
    )
    assert streak_score(furrows) > 0.5
    assert streak_score(0.3 * furrows, furrows) < 0.05


def test_single_pixels_are_told_from_patches() -> None:
    rng = np.random.default_rng(2)
    flakes = (rng.random((128, 128)) < 0.02).astype(float)
    assert speckle_share(flakes) > 0.8 > SPECKLE_LIMIT
    assert speckle_share(cv2.GaussianBlur(flakes, (0, 0), 4)) < 0.05
    assert np.isnan(speckle_share(np.zeros((32, 32))))


def test_pictures_of_other_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="one size"):
        water_change(np.zeros((20, 20)), np.zeros((20, 21)), np.ones((20, 20), bool))

"""Shadows of known shift, shadows that belong to no cloud, and scikit-image's masked correlation."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from metric_scenes import encode, make_field, make_ground

from earthloom.core.errors import UsageError
from earthloom.metrics.scenes import SHADOW_STRENGTH, shadow_offset
from earthloom.metrics.shadows import _correlate_masked, _find_peak, recover_opacity


def make_clouds(shape: tuple[int, int], seed: int, cover: float = 0.25) -> np.ndarray:
    """Opacity, 0 to 1, on a margin of 100 pixels all around."""
    field = make_field((shape[0] + 200, shape[1] + 200), 3.4, np.random.default_rng(seed))
    return np.clip((field - np.quantile(field, 1 - cover)) / 0.08, 0, 1)


def cast(ground: np.ndarray, clouds: np.ndarray, shadows: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Clouds over ground, whose shadows fall (dx, dy) away: at the margin they may come from outside."""
    rows, columns = ground.shape[:2]
    here = clouds[100 : 100 + rows, 100 : 100 + columns, None]
    soft = cv2.GaussianBlur(shadows, (0, 0), 2)
    shade = soft[100 - dy : 100 - dy + rows, 100 - dx : 100 - dx + columns, None]
    return np.asarray(ground * (1 - 0.7 * shade) * (1 - here) + 0.9 * here)


@pytest.mark.parametrize(("dx", "dy"), [(30, 40), (-45, 10), (12, -60), (-20, -25)])
def test_the_shift_of_shadows_comes_back(dx: int, dy: int) -> None:
    ground = make_ground((384, 320), seed=2)
    clouds = make_clouds((384, 320), seed=4)
    found = shadow_offset(encode(ground), encode(cast(ground, clouds, clouds, dx, dy)))
    assert found.strength > SHADOW_STRENGTH
    assert math.hypot(found.dx - dx, found.dy - dy) < 0.01 * 384


def test_shadows_of_other_clouds_have_no_common_shift() -> None:
    """SatelliteCloudGenerator draws them from a field of their own."""
    ground, rightly = make_ground((256, 256), seed=1), 0
    strengths = []
    for seed in range(8):
        clouds, others = make_clouds((256, 256), seed), make_clouds((256, 256), seed + 50)
        found = shadow_offset(ground, cast(ground, clouds, others, 30, 20))
        strengths.append(found.strength)
        rightly += math.hypot(found.dx - 30, found.dy - 20) < 0.02 * 256 and found.strength > SHADOW_STRENGTH
    assert rightly == 0
    assert np.median(strengths) < SHADOW_STRENGTH


def test_nothing_is_found_where_nothing_is() -> None:
    ground = make_ground((128, 128))
    found = shadow_offset(ground, ground)
    assert found.strength == 0
    assert math.isnan(found.dx)
    assert math.isnan(found.dy)
    clouds = make_clouds((128, 128), 0)
    assert shadow_offset(ground, cast(ground, clouds, 0 * clouds, 10, 10)).strength == 0


def test_correlation_is_that_of_scikit_image() -> None:
    """Peer: Padfield's masked normalised cross-correlation, with both masks."""
    peer = pytest.importorskip("skimage.registration._masked_phase_cross_correlation")
    rng = np.random.default_rng(0)
    cloud = cv2.GaussianBlur(rng.random((40, 34)), (0, 0), 2)
    shade, seen = np.roll(cloud, (3, -5), axis=(0, 1)), rng.random((40, 34)) > 0.3
    wanted = peer.cross_correlate_masked(
        shade, cloud, seen, np.ones_like(seen), mode="full", axes=(0, 1), overlap_ratio=0.5
    )
    found = _correlate_masked(cloud, shade, seen)
    assert found.shape == wanted.shape == (79, 67)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (row - 39, column - 33) == (3, -5)
    near = (slice(34, 45), slice(28, 39))
    np.testing.assert_allclose(found[near], wanted[near], atol=1e-9)


def test_opacity_comes_back_from_a_pair() -> None:
    before = np.full((50, 50), 0.1)
    opacity = np.clip(np.linspace(-0.2, 1.2, 50), 0, 1)[None, :].repeat(50, axis=0)
    found = recover_opacity(before, before * (1 - opacity) + 0.85 * opacity)
    np.testing.assert_allclose(found, opacity, atol=0.01)


def test_pictures_of_other_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="one size"):
        shadow_offset(np.zeros((64, 64)), np.zeros((64, 60)))


def test_clouds_that_hide_everything_leave_nothing_to_compare() -> None:
    """Open ground lies only in a corner, and the shade on it is even."""
    ground = np.full((120, 120), 0.3)
    clouded = np.full((120, 120), 0.9)
    clouded[:60, :60] = 0.2
    assert shadow_offset(ground, clouded).strength < SHADOW_STRENGTH


def test_a_peak_at_the_rim_is_not_refined() -> None:
    correlation = np.zeros((5, 7))
    correlation[0, 6] = 0.8
    assert _find_peak(correlation) == (-2.0, 3.0, 0.8)
    smooth = 1 - ((np.mgrid[:5, :7] - np.array([2.25, 2.6])[:, None, None]) ** 2).sum(axis=0) / 100
    down, right, _ = _find_peak(smooth)
    assert (down, right) == pytest.approx((0.25, -0.4))

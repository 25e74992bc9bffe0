"""Transmission from pairs of known veils, and sets of veils that do and do not lean."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from metric_scenes import encode, lay_fog, make_field, make_ground

from earthloom.core.errors import UsageError
from earthloom.metrics.scenes import (
    TRANSMISSION_WITHIN,
    TREND_LIMIT,
    mean_transmission,
    recover_transmission,
    trend_bound,
    veil_lean,
    veil_trend,
)


@given(st.floats(0.05, 1), st.floats(0.3, 1))
def test_even_veils_come_back_exactly(t: float, airlight: float) -> None:
    ground = make_ground((96, 96))
    found = recover_transmission(ground, lay_fog(ground, t, airlight))
    np.testing.assert_allclose(found[np.isfinite(found)], t, atol=1e-9)
    assert found.shape == (8, 8)


def test_a_veil_that_thickens_evenly_comes_back_whole() -> None:
    """The airlight's own slope is a trend and is taken away; without that t would be off by a tenth and more."""
    ground = make_ground((240, 240))
    across = np.broadcast_to(np.linspace(0.9, 0.3, 240), (240, 240))
    found = recover_transmission(ground, lay_fog(ground, across))
    wanted = across.reshape(20, 12, 20, 12).mean(axis=(1, 3))
    np.testing.assert_allclose(found, wanted, atol=0.02)


@pytest.mark.parametrize("t", [0.9, 0.6, 0.35])
def test_8_bits_leave_the_mean_within_the_bound(t: float) -> None:
    ground = make_ground()
    veiled = encode(lay_fog(ground, t))
    mean = mean_transmission(recover_transmission(encode(ground), veiled))
    assert mean == pytest.approx(t, abs=TRANSMISSION_WITHIN)


def test_ground_without_contrast_is_unknown_and_no_number() -> None:
    ground = np.full((64, 64, 3), 0.2)
    assert np.isnan(recover_transmission(ground, lay_fog(ground, 0.5))).all()
    assert mean_transmission(np.full((4, 4), np.nan)) is None
    faint = np.full((64, 64), 120, np.uint8)
    faint[::2] = 121  # one grey step: as much rounding as ground
    assert np.isnan(recover_transmission(faint, faint)).all()


def test_a_mask_keeps_windows_that_lie_in_it_whole() -> None:
    ground, where = make_ground((96, 96)), np.zeros((96, 96), bool)
    where[:, :50] = True
    found = recover_transmission(ground, lay_fog(ground, 0.5), where)
    assert np.isfinite(found[:, :4]).all()
    assert np.isnan(found[:, 4:]).all()


def test_green_is_read_of_three_channels() -> None:
    ground = make_ground((96, 96))
    veiled = np.stack([lay_fog(ground, t)[:, :, i] for i, t in enumerate((0.9, 0.6, 0.3))], axis=2)
    assert mean_transmission(recover_transmission(ground, veiled)) == pytest.approx(0.6, abs=1e-9)
    red = recover_transmission(ground[:, :, 0], veiled[:, :, 0])
    assert mean_transmission(red) == pytest.approx(0.9, abs=1e-9)


def test_pictures_of_other_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="one size"):
        recover_transmission(np.zeros((32, 32)), np.zeros((32, 33)))
    with pytest.raises(UsageError, match="one size"):
        recover_transmission(np.zeros((8, 8)), np.zeros((8, 8)))


def make_maps(n: int, make: str) -> list[np.ndarray]:
    maps = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        field = 0.9 - 0.5 * make_field((32, 32), 3.2, rng)
        depth = np.broadcast_to(np.linspace(0.3, 0.9, 32)[:, None], (32, 32))
        maps.append(
            {"field": field, "depth": 0.8 * depth + 0.2 * field, "even": np.full((32, 32), 0.5)}[make]
        )
    return maps


def test_fog_by_the_depth_of_a_street_leans_one_way_and_fields_do_not() -> None:
    fields, depth = make_maps(30, "field"), make_maps(30, "depth")
    assert veil_trend(fields) < trend_bound(fields)
    assert veil_trend(depth) > 0.8
    assert veil_trend(depth) > 2 * trend_bound(depth)


def test_the_bound_is_rarely_passed_by_chance() -> None:
    """200 sets of 12 random leans: at a chance of 5 in 100 about 10 pass, by Rayleigh's test."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:8, :8]
    n_passed = 0
    for _ in range(200):
        angles = rng.uniform(0, 2 * np.pi, 12)
        maps = [np.cos(angle) * x + np.sin(angle) * y for angle in angles]
        n_passed += veil_trend(maps) > max(trend_bound(maps, chance=0.05), TREND_LIMIT)
    assert 1 <= n_passed <= 20


def test_a_straight_slope_leans_fully_and_small_sets_cannot_be_judged() -> None:
    y, x = np.mgrid[:10, :10] / 10.0
    assert veil_lean(x) == pytest.approx((1, 0))
    assert veil_lean(-y) == pytest.approx((0, -1))
    assert veil_trend([x, -x]) == pytest.approx(0)
    assert trend_bound([x, x, x]) > 1


def test_even_veils_lean_nowhere_and_unknown_ones_do_not_count() -> None:
    assert veil_trend(make_maps(4, "even")) == 0
    assert veil_lean(np.full((20, 20), np.nan)) is None
    assert np.isnan(veil_trend([np.full((20, 20), np.nan)]))
    assert np.isnan(trend_bound([]))


def test_real_ground_gives_the_transmission_back(real_data: Path) -> None:
    for path in sorted((real_data / "naip").glob("*.tif"))[:3]:
        with rasterio.open(path) as file:
            clear = np.ascontiguousarray(file.read([1, 2, 3])[:, 100:612, 200:712].transpose(1, 2, 0))
        stored = clear / 255
        light = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
        field = make_field((512, 512), 3.2, np.random.default_rng(0))
        t = 0.8 - 0.4 * field
        found = recover_transmission(clear, encode(lay_fog(light, t)))
        known = np.isfinite(found)
        assert known.mean() > 0.5
        wanted = cv2.resize(t, found.shape[::-1], interpolation=cv2.INTER_AREA)
        assert found[known].mean() == pytest.approx(wanted[known].mean(), abs=TRANSMISSION_WITHIN)

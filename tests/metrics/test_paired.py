"""Pictures against the true ones: closed forms, cv2's PSNR, SSIM's own product, and least squares of numpy."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_scenes import encode, make_ground

from earthloom.core.errors import UsageError
from earthloom.metrics.paired import correlation, fit_band, psnr, rmse, ssim_terms
from earthloom.metrics.structure import ssim, structure_term


@given(st.integers(0, 99), st.integers(1, 40))
def test_psnr_is_that_of_opencv(seed: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 256, (16, 20)).astype(np.uint8)
    b = np.clip(a + rng.integers(-spread, spread + 1, a.shape), 0, 255).astype(np.uint8)
    b[0, 0] = 255 - a[0, 0]
    assert psnr(a, b, data_range=255) == pytest.approx(cv2.PSNR(a, b), rel=1e-9)


def test_closed_forms() -> None:
    a = np.linspace(-25, 0, 60).reshape(6, 10)
    assert rmse(a, a + 2) == pytest.approx(2)
    assert psnr(a, a + 2.5, data_range=25) == pytest.approx(20)
    assert psnr(a, a, data_range=25) == math.inf
    assert correlation(a, 3 * a + 1) == pytest.approx(1)
    assert correlation(a, -a) == pytest.approx(-1)
    assert math.isnan(correlation(a, np.full_like(a, 0.1)))


def test_the_product_of_the_terms_is_ssim() -> None:
    a = encode(make_ground((96, 96), 1))
    b = np.clip(0.7 * a + 40 + np.random.default_rng(0).normal(0, 9, a.shape), 0, 255).astype(np.uint8)
    assert ssim_terms(a, b).ssim == pytest.approx(ssim(a, b), abs=1e-12)
    grey = cv2.cvtColor(a, cv2.COLOR_RGB2GRAY) / 255
    noisy = np.clip(grey + np.random.default_rng(1).normal(0, 0.05, grey.shape), 0, 1)
    assert ssim_terms(grey, noisy).structure == pytest.approx(structure_term(grey, noisy), abs=1e-12)


def test_each_term_sees_its_own_fault() -> None:
    grey = 0.3 + 0.2 * cv2.cvtColor(encode(make_ground((96, 96), 2)), cv2.COLOR_RGB2GRAY) / 255
    brighter, flatter = (
        ssim_terms(grey, grey + 0.3),
        ssim_terms(grey, grey.mean() + 0.3 * (grey - grey.mean())),
    )
    moved = ssim_terms(grey, np.roll(grey, 9, 1))
    assert brighter.luminance < 0.9
    assert brighter.contrast == pytest.approx(1)
    assert brighter.structure == pytest.approx(1)
    assert flatter.contrast < flatter.luminance
    assert flatter.structure > 0.99
    assert moved.structure < min(moved.luminance, moved.contrast)
    assert ssim_terms(grey, grey).ssim == pytest.approx(1)


@pytest.mark.parametrize("side", [1, 3])
def test_regression_is_least_squares(side: int) -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(3):
        rgb = rng.integers(0, 256, (20, 24, 3)).astype(np.uint8)
        band = (
            0.2 * rgb[:, :, 0]
            - 0.1 * rgb[:, :, 1]
            + 0.5 * cv2.blur(rgb[:, :, 2], (3, 3))
            + rng.normal(0, 5, (20, 24))
        )
        pairs.append((rgb, band))
    found = fit_band(pairs, side)
    rows, values = [], []
    for rgb, band in pairs:
        edge = side // 2
        wide = cv2.copyMakeBorder(rgb, edge, edge, edge, edge, cv2.BORDER_REPLICATE) / 255
        for y in range(20):
            for x in range(24):
                rows.append([*wide[y : y + side, x : x + side].ravel(), 1])
                values.append(band[y, x])
    expected = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    np.testing.assert_allclose(found.weights, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        found.predict(pairs[0][0]).ravel(), np.array(rows[: 20 * 24]) @ expected, rtol=1e-6
    )
    assert found.n_pixels == 3 * 20 * 24


def test_grey_pictures_do_not_break_the_regression() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (16, 16, 1)).astype(np.uint8).repeat(3, 2)
    band = 0.5 * grey[:, :, 0] + 20.0
    np.testing.assert_allclose(fit_band([(grey, band)], 1).predict(grey), band, atol=1e-6)


def test_wrong_calls_say_so() -> None:
    with pytest.raises(UsageError, match="data range"):
        psnr(np.zeros(3), np.zeros(3), data_range=0)
    with pytest.raises(UsageError, match="one shape"):
        rmse(np.zeros(3), np.zeros(4))
    with pytest.raises(UsageError, match="At least one pair"):
        fit_band([])
    with pytest.raises(UsageError, match="odd number"):
        fit_band([], 2)
    with pytest.raises(UsageError, match="of one size"):
        fit_band([(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5)))])

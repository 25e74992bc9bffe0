"""Decibels, amplitude and intensity are told apart, on draws and on real chips."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from scipy import stats

from earthloom.metrics.radar import theory
from earthloom.metrics.radar.scale import speckle_skewness


@pytest.mark.parametrize("looks", [1.0, 4.4, 10.0])
def test_skewness_is_that_of_the_log_gamma_distribution(looks: float) -> None:
    assert theory.skewness_db(looks) == pytest.approx(stats.loggamma.stats(looks, moments="s"), rel=1e-9)
    power = np.random.default_rng(0).gamma(looks, 1 / looks, (400, 400))
    assert speckle_skewness(10 * np.log10(power), 100) == pytest.approx(
        float(theory.skewness_db(looks)), abs=0.03
    )
    assert speckle_skewness(power, 100) == pytest.approx(2 / math.sqrt(looks), rel=0.06)


def test_windows_are_each_about_their_own_mean() -> None:
    power = np.random.default_rng(1).gamma(4.4, 1 / 4.4, (90, 90))
    power[:, 45:] *= 100
    windows = [np.log(power)[y : y + 9, x : x + 9] for y in range(0, 90, 9) for x in range(0, 90, 9)]
    expected = np.median([stats.skew(each.ravel()) for each in windows])
    assert speckle_skewness(np.log(power)) == pytest.approx(expected, rel=1e-9)


def test_gaps_and_even_pictures() -> None:
    power = np.random.default_rng(2).gamma(4.4, 1 / 4.4, (36, 36))
    power[3, 3] = np.nan
    assert math.isfinite(speckle_skewness(power))
    assert math.isnan(speckle_skewness(np.ones((36, 36))))
    assert math.isnan(speckle_skewness(np.ones((8, 8))))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_real_chips_tell_their_scale(real_data: Path) -> None:
    chips = [
        real_data / "sentinel_spain/Spain_7370579_S1Hand.tif",
        *(real_data / "amazon/sent1").glob("*.tiff"),
    ]
    for path in chips:
        with rasterio.open(path) as file:
            for band in file.read().astype(np.float64):
                assert speckle_skewness(band) < 0, path
                assert speckle_skewness(10 ** (band / 20)) > 0.2, path
                assert speckle_skewness(10 ** (band / 10)) > 0.7, path
    for path in (real_data / "sen1_2").rglob("s1_90/*.png"):
        stored = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert stored is not None
        assert speckle_skewness(stored) < -0.1, path

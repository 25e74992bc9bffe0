"""The atlas's radar: speckle of exactly the stated looks, independent pixels, plausible levels."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import polygamma, psi
from scipy.stats import kstest

from earthloom.core.seeds import make_rng
from earthloom.ingest.atlas.cover import CROP, FOREST, NAMES, ROAD, TOWN, WATER
from earthloom.ingest.atlas.frame import Frame
from earthloom.ingest.atlas.landscape import Landscape, make_landscape
from earthloom.ingest.atlas.radar import MEAN_DB, add_speckle, draw_beam, mean_power, measure, to_db
from earthloom.ingest.atlas.shading import Strip


def estimate_looks(intensity: NDArray[np.floating]) -> float:
    """Maximum likelihood: ln L - psi(L) = ln(mean I) - mean(ln I)."""
    measured = float(np.log(intensity.mean()) - np.log(intensity).mean())
    return float(brentq(lambda looks: math.log(looks) - psi(looks) - measured, 1e-2, 1e4))


@pytest.fixture(scope="module")
def scenes() -> dict[int, Landscape]:
    return {number: make_landscape(Frame(320, 2.0, 0, number)) for number in (3, 4, 12)}


@pytest.mark.parametrize(
    ("looks", "mean_ln", "var_ln", "std_db"),
    [(1, -0.57722, 1.64493, 5.570), (4, -0.13018, 0.28382, 2.314), (10, -0.05083, 0.10517, 1.408)],
)
def test_speckle_follows_the_gamma_law(looks: int, mean_ln: float, var_ln: float, std_db: float) -> None:
    """The table of theory: mean and variance of ln I, deviation in dB, for intensity with unit mean."""
    noise = add_speckle(np.ones((700, 700), np.float32), looks, make_rng(1, "speckle")).astype(np.float64)
    n = noise.size
    assert noise.mean() == pytest.approx(1.0, abs=4 / math.sqrt(looks * n))
    assert np.log(noise).mean() == pytest.approx(mean_ln, abs=4 * math.sqrt(var_ln / n))
    assert np.log(noise).var() == pytest.approx(var_ln, rel=0.02)
    assert to_db(noise).std() == pytest.approx(std_db, rel=0.01)
    assert var_ln == pytest.approx(float(polygamma(1, looks)), rel=1e-4)
    assert kstest(noise.ravel()[:50_000], "gamma", args=(looks, 0, 1 / looks)).pvalue > 1e-3


@pytest.mark.parametrize("looks", [1, 4, 10])
def test_homogeneous_patches_have_the_stated_looks(scenes: dict[int, Landscape], looks: int) -> None:
    """Windows of open sea and of fields: the mode of their estimates is the number of looks."""
    for number, wanted in ((3, WATER), (12, CROP)):
        scene = scenes[number]
        power = 10 ** (measure(scene, looks).astype(np.float64) / 10)
        smooth = 10 * np.log10(mean_power(scene))
        estimates = [
            estimate_looks(power[window])
            for window in windows(scene, wanted, 12)
            if np.ptp(smooth[window]) < 0.6
        ]
        assert len(estimates) >= 8
        spread = (
            1.1 * looks * math.sqrt(2 / 144)
        )  # deviation of the estimator over 144 pixels, for large looks
        assert np.median(estimates) == pytest.approx(
            looks, abs=max(4 * spread / math.sqrt(len(estimates)), 0.06 * looks)
        )


def windows(scene: Landscape, wanted: int, side: int) -> list[tuple[slice, slice]]:
    """Squares that lie wholly in one class, in one parcel, without trees."""
    fits = (scene.cover.classes == wanted) & (scene.plants.crowns < 0.01) & (scene.plants.height_m < 0.3)
    size = scene.frame.size
    found = []
    for row in range(0, size - side, side):
        for col in range(0, size - side, side):
            at = (slice(row, row + side), slice(col, col + side))
            parcels = scene.estate.labels[at]
            if fits[at].all() and (wanted == WATER or (parcels == parcels[0, 0]).all()):
                found.append(at)
    return found


def test_neighbouring_pixels_are_independent(scenes: dict[int, Landscape]) -> None:
    scene = scenes[3]
    ratio = 10 ** (measure(scene, 4).astype(np.float64) / 10) / mean_power(scene) - 1
    n = ratio.size
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (64, 0)):
        shifted = np.roll(ratio, (dy, dx), axis=(0, 1))
        assert abs(float((ratio * shifted).mean() / ratio.var())) < 5 / math.sqrt(n)


def test_speckle_is_unbiased_everywhere(scenes: dict[int, Landscape]) -> None:
    scene = scenes[4]
    ratio = 10 ** (measure(scene, 4).astype(np.float64) / 10) / mean_power(scene)
    for value in NAMES:
        inside = scene.cover.classes == value
        if inside.sum() > 1000:
            assert ratio[inside].mean() == pytest.approx(1.0, abs=5 * 0.5 / math.sqrt(inside.sum()))


def test_levels_are_those_of_real_land(scenes: dict[int, Landscape]) -> None:
    """Water dark, roads darker than fields, forest brighter, towns brightest with strong points."""
    medians: dict[int, list[float]] = {}
    for scene in scenes.values():
        level = 10 * np.log10(mean_power(scene))
        for value in NAMES:
            inside = scene.cover.classes == value
            if inside.sum() > 400:
                medians.setdefault(value, []).append(float(np.median(level[inside])))
    found = {value: float(np.mean(levels)) for value, levels in medians.items()}
    assert -23 < found[WATER] < -16
    assert -19 < found[ROAD] < -13
    assert -14.5 < found[CROP] < -9
    assert -11 < found[FOREST] < -7
    assert -9 < found[TOWN] < -4
    town = scenes[4].cover.classes == TOWN
    level = 10 * np.log10(mean_power(scenes[4]))[town]
    assert np.quantile(level, 0.99) > 3
    assert set(MEAN_DB) == set(NAMES)


def test_slopes_towards_the_radar_are_brighter() -> None:
    scene = make_landscape(Frame(256, 2.0, 0, 0))
    azimuth = math.radians(draw_beam(scene.frame).azimuth_deg)
    relief = cv2.GaussianBlur(scene.surface.elevation_m, (0, 0), 3)
    south, east = np.gradient(relief, 2.0)
    towards = -(east * math.sin(azimuth) - south * math.cos(azimuth))
    forest = (scene.cover.classes == FOREST) & (scene.plants.crowns > 0.5)
    level = np.log(mean_power(scene))
    assert np.corrcoef(towards[forest], level[forest])[0, 1] > 0.5


def test_strips_leave_no_seams(scenes: dict[int, Landscape]) -> None:
    from earthloom.ingest.atlas.radar import Antenna

    scene = scenes[4]
    whole = Antenna(scene).receive(Strip(0, scene.frame.size, scene.frame.size))
    np.testing.assert_array_equal(mean_power(scene), whole)

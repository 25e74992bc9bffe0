"""Co-occurrence against a count by hand, and slopes of spectra that are known."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from metric_scenes import make_field

from earthloom.metrics.radar.texture import (
    OFFSETS,
    Cooccurrence,
    cooccurrence,
    quantise,
    spectrum_slope,
    texture_distance,
)


def count_by_hand(levels: np.ndarray, n: int) -> list[np.ndarray]:
    """A matrix for each direction, pixel by pixel."""
    matrices = []
    for down, right in OFFSETS:
        counts = np.zeros((n, n))
        for y in range(levels.shape[0]):
            for x in range(levels.shape[1]):
                if 0 <= y + down < levels.shape[0] and 0 <= x + right < levels.shape[1]:
                    i, j = levels[y, x], levels[y + down, x + right]
                    counts[i, j] += 1
                    counts[j, i] += 1
        matrices.append(counts / counts.sum())
    return matrices


def test_textures_are_those_of_a_count_by_hand() -> None:
    levels = np.random.default_rng(0).integers(0, 6, (13, 17))
    found = cooccurrence(levels, 6)
    expected: dict[str, list[float]] = {"contrast": [], "homogeneity": [], "energy": [], "correlation": []}
    for p in count_by_hand(levels, 6):
        pairs = [(i, j, p[i, j]) for i in range(6) for j in range(6)]
        mean = sum(i * w for i, _, w in pairs)
        variance = sum((i - mean) ** 2 * w for i, _, w in pairs)
        expected["contrast"].append(sum((i - j) ** 2 * w for i, j, w in pairs))
        expected["homogeneity"].append(sum(w / (1 + (i - j) ** 2) for i, j, w in pairs))
        expected["energy"].append(math.sqrt(sum(w * w for _, _, w in pairs)))
        expected["correlation"].append(sum((i - mean) * (j - mean) * w for i, j, w in pairs) / variance)
    for name, values in expected.items():
        assert getattr(found, name) == pytest.approx(np.mean(values), rel=1e-12), name


def test_textures_are_those_of_scikit_image() -> None:
    feature: Any = pytest.importorskip("skimage.feature")
    levels = quantise(np.random.default_rng(1).normal(-12, 4, (40, 50)), -25, 0)
    angles = [0, math.pi / 4, math.pi / 2, 3 * math.pi / 4]
    matrix = feature.graycomatrix(levels.astype(np.uint8), [1], angles, 32, symmetric=True, normed=True)
    found = cooccurrence(levels)
    for name in ("contrast", "homogeneity", "energy", "correlation"):
        assert getattr(found, name) == pytest.approx(feature.graycoprops(matrix, name).mean(), rel=1e-9)


def test_one_level_is_whole_and_a_chessboard_is_not() -> None:
    assert cooccurrence(np.full((5, 5), 3)) == Cooccurrence(
        contrast=0.0, homogeneity=1.0, energy=1.0, correlation=1.0
    )
    board = np.indices((8, 8)).sum(0) % 2
    assert cooccurrence(board, 2).correlation == pytest.approx(0, abs=0.05)  # -1 aside, 1 across corners


def test_levels_are_equal_steps_and_closed_at_the_ends() -> None:
    decibels = np.array([-30.0, -25.0, -24.3, -24.2, -0.1, 0.0, 3.0])
    np.testing.assert_array_equal(quantise(decibels, -25, 0), [0, 0, 0, 1, 31, 31, 31])


def test_textures_tell_filtered_radar_from_real() -> None:
    rng = np.random.default_rng(2)

    def draw(filtered: bool) -> Cooccurrence:
        ground = -12 + 6 * (make_field((64, 64), 2.5, rng) - 0.5)
        power = 10 ** (ground / 10) * rng.gamma(4.4, 1 / 4.4, ground.shape)
        power = cv2.blur(power, (5, 5)) if filtered else power
        return cooccurrence(quantise(10 * np.log10(power), -25, 0))

    real, more, filtered = ([draw(flag) for _ in range(30)] for flag in (False, False, True))
    assert texture_distance(more, real) < 0.5
    assert texture_distance(filtered, real) > 5
    assert math.isnan(texture_distance(real, real[:1]))
    assert math.isnan(texture_distance([], real))
    assert math.isnan(texture_distance(real, [real[0]] * 3))


@pytest.mark.parametrize(("beta", "expected"), [(2.0, 1.95), (2.5, 2.45), (3.0, 2.95), (3.67, 3.61)])
def test_slopes_of_power_laws_come_back(beta: float, expected: float) -> None:
    rng = np.random.default_rng(0)
    found = np.mean([-spectrum_slope(make_field((256, 256), beta, rng)) for _ in range(4)])
    assert found == pytest.approx(expected, abs=0.15)


def test_speckle_alone_is_white() -> None:
    speckle = 10 * np.log10(np.random.default_rng(0).gamma(4.4, 1 / 4.4, (8, 200, 256)))
    assert np.mean([spectrum_slope(each) for each in speckle]) == pytest.approx(0, abs=0.05)
    assert spectrum_slope(cv2.blur(speckle[0], (5, 5))) < -1.2
    assert math.isnan(spectrum_slope(np.zeros((32, 32))))
    with pytest.raises(ValueError, match="at least 16"):
        spectrum_slope(np.zeros((15, 20)))

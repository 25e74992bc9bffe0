"""Indices of filters: the table that is known of them at 4.4 looks, by filters that are written here."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from earthloom.core.errors import UsageError
from earthloom.metrics.radar import theory
from earthloom.metrics.radar.despeckling import assess_filter
from earthloom.metrics.radar.looks import looks_by_moments

LOOKS = 4.4
MARGIN = 8
Filter = Callable[[np.ndarray], np.ndarray]


def window_moments(power: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    mean = cv2.blur(power, (side, side))
    return mean, np.maximum(cv2.blur(power * power, (side, side)) - mean * mean, 0)


def apply_boxcar(power: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.blur(power, (7, 7)))


def apply_boxcar_to_decibels(power: np.ndarray) -> np.ndarray:
    return np.asarray(10 ** (cv2.blur(10 * np.log10(power), (7, 7)) / 10))


def apply_lee(side: int) -> Filter:
    def lee(power: np.ndarray) -> np.ndarray:
        mean, variance = window_moments(power, side)
        eta2 = 1 / LOOKS
        signal = np.maximum(0, (variance - mean**2 * eta2) / (1 + eta2))
        return mean + signal / variance * (power - mean)

    return lee


def apply_gamma_map(power: np.ndarray) -> np.ndarray:
    mean, variance = window_moments(power, 7)
    ci, cu = np.sqrt(variance) / mean, 1 / np.sqrt(LOOKS)
    alpha = (1 + cu**2) / np.maximum(ci**2 - cu**2, 1e-9)
    inner = mean * (alpha - LOOKS - 1)
    estimate = (inner + np.sqrt(inner**2 + 4 * alpha * LOOKS * power * mean)) / (2 * alpha)
    return np.where(ci <= cu, mean, np.where(ci >= np.sqrt(2) * cu, power, estimate))


def draw(seed: int, side: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).gamma(LOOKS, 1 / LOOKS, (side, side))


@pytest.mark.parametrize(
    ("apply", "looks", "mean_ratio", "variance_by_looks"),
    [
        (apply_boxcar, 222.8, 1.000, 0.958),
        (apply_lee(5), 79.3, 0.998, 0.772),
        (apply_lee(7), 144.3, 0.9975, 0.827),
        (apply_gamma_map, 131.7, 0.9825, 0.841),
        (apply_boxcar_to_decibels, 196.0, 0.873, 1.221),
    ],
    ids=["boxcar7", "lee5", "lee7", "gamma-map7", "boxcar7 of dB"],
)
def test_reference_run(apply: Filter, looks: float, mean_ratio: float, variance_by_looks: float) -> None:
    """Even ground of 4.4 looks, 256 x 256: ENL, mean of filtered over true, variance of the ratio times L."""
    found = []
    for seed in range(6):
        before = draw(seed)
        after = apply(before)
        inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
        indices = assess_filter(before[inner], after[inner])
        found.append(
            (float(looks_by_moments(after[inner])), after[inner].mean(), indices.variance_of_ratio * LOOKS)
        )
    measured = np.mean(found, 0)
    assert measured[0] == pytest.approx(looks, rel=0.1)  # one draw of that table has an error of 5 %
    # The one draw of that table was off by .016 for decibels: of many, theory wants .889.
    assert measured[1] == pytest.approx(mean_ratio, abs=0.02 if apply is apply_boxcar_to_decibels else 0.006)
    assert measured[2] == pytest.approx(variance_by_looks, rel=0.03)


def test_a_filter_of_decibels_is_off_by_the_theory() -> None:
    before = draw(0)
    indices = assess_filter(before, apply_boxcar_to_decibels(before))
    assert indices.mean_of_ratio == pytest.approx(1 / np.exp(theory.mean_log(LOOKS)), rel=0.03)
    assert indices.mean_index > 0.04
    assert assess_filter(before, apply_boxcar(before)).mean_index < 0.002


def test_closed_forms() -> None:
    before = draw(1, 64)
    same = assess_filter(before, before)
    assert (same.mean_of_ratio, same.variance_of_ratio, same.mean_index) == (1, 0, 0)
    assert same.suppression == same.suppression_and_mean == pytest.approx(1)
    assert same.edge_preservation == pytest.approx(1)
    doubled = assess_filter(before, 2 * before)
    assert doubled.mean_of_ratio == pytest.approx(0.5)
    assert doubled.mean_index == pytest.approx(1 / 3)
    assert doubled.suppression == pytest.approx(1)
    assert doubled.suppression_and_mean == pytest.approx((1 + before.mean()) * 2)
    flat = assess_filter(before, np.full_like(before, before.mean()))
    assert flat.suppression == pytest.approx(0, abs=1e-9)
    assert flat.variance_of_ratio == pytest.approx(1 / LOOKS, rel=0.06)


def test_edges_are_judged_against_clean_ground() -> None:
    ground = np.where(np.arange(256) // 32 % 2, 4.0, 1.0)[None, :].repeat(256, 0)
    before = ground * draw(2)
    lee, box = apply_lee(7)(before), apply_boxcar(before)
    kept, lost = (assess_filter(before, after, ground).edge_preservation for after in (lee, box))
    assert kept > lost
    assert assess_filter(before, ground, ground).edge_preservation == pytest.approx(1)


def test_wrong_pictures_are_refused() -> None:
    with pytest.raises(UsageError, match="of one size"):
        assess_filter(np.ones((4, 4)), np.ones((4, 5)))
    with pytest.raises(UsageError, match="above 0"):
        assess_filter(np.ones((4, 4)), -np.ones((4, 4)))

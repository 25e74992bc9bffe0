"""The learning curve: its smoothing against the sum that it stands for, and what can be seen in the picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.train.curve import draw_curve, smooth, write_curve

BLUE, PALE, ORANGE = (37, 99, 235), (191, 219, 254), (234, 88, 12)


def make_rows(losses: list[float], name: str = "diffusion") -> list[dict[str, Any]]:
    return [{"step": i, "factor": 1.0, "losses": {name: loss}} for i, loss in enumerate(losses, 1)]


def find(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of pixels of a colour, N x 2."""
    return np.argwhere((np.abs(picture.astype(int) - colour) <= 6).all(axis=2))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40), st.floats(0.3, 20))
def test_smoothing_is_a_mean_with_fading_weights_on_both_sides(values: list[float], reach: float) -> None:
    found = smooth(np.array(values), reach)
    for i, value in enumerate(found):
        weights = [math.exp(-abs(i - k) / reach) for k in range(len(values))]
        wanted = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
        assert value == pytest.approx(wanted, abs=1e-8)


def test_a_straight_fall_is_a_straight_line_in_the_picture() -> None:
    picture = draw_curve(make_rows([2.0 - i / 1000 for i in range(1000)]))
    assert picture.shape == (300, 520, 3)
    assert picture.dtype == np.uint8
    rows, columns = find(picture, BLUE).T
    inner = (columns > 90) & (columns < 480) & (rows > 40)  # the smoothed ends bend
    slope, start = np.polyfit(columns[inner], rows[inner], 1)
    assert np.abs(rows[inner] - (slope * columns[inner] + start)).max() < 2.5
    # all but the outermost hundredth lies within a scale with 6 % of room at either end
    assert slope == pytest.approx(232 / (0.99 * 1.12) / 440, rel=0.02)


def test_an_exponential_fall_is_straight_on_its_logarithmic_scale() -> None:
    picture = draw_curve(make_rows([10 ** (-3 * i / 1000) for i in range(1000)]))
    rows, columns = find(picture, BLUE).T
    inner = (columns > 90) & (columns < 480) & (rows > 40)
    slope, start = np.polyfit(columns[inner], rows[inner], 1)
    assert np.abs(rows[inner] - (slope * columns[inner] + start)).max() < 2.5
    assert slope == pytest.approx(232 / 440 * 3 / (3 + 2 * math.log10(1.1)), rel=0.05)


def test_a_flat_loss_stays_flat_however_noisy_it_is() -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.1, 30_000)
    noise[[100, 20_000]] = 0.001, 9.0  # two outliers flatten nothing
    picture = draw_curve(make_rows(noise.tolist()))
    strong, faint = find(picture, BLUE), find(picture, PALE)
    strong = strong[strong[:, 0] > 40]
    assert np.ptp(strong[:, 0]) < 20
    assert np.ptp(faint[:, 0]) > 150


def test_held_out_losses_are_dots_of_their_own() -> None:
    rows = make_rows([1.0] * 100)
    rows += [{"step": step, "held": {"diffusion": 0.5}} for step in (20, 50, 80)]
    dots = find(draw_curve(rows), ORANGE)
    dots = dots[dots[:, 0] > 40]  # not the legend's
    columns = sorted({int(column) for row, column in dots if row == int(np.median(dots[:, 0])) + 2})
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 5) + 1)
    assert [float(np.mean(group)) for group in groups] == pytest.approx(
        [64 + 4.4 * s for s in (20, 50, 80)], abs=1.5
    )


@pytest.mark.parametrize(
    ("n", "shape"), [(1, (300, 520)), (2, (300, 1040)), (3, (600, 1040)), (5, (900, 1040))]
)
def test_every_loss_has_a_panel(n: int, shape: tuple[int, int]) -> None:
    rows = [{"step": i, "losses": {f"loss {k}": 1.0 / i + k for k in range(n)}} for i in range(1, 30)]
    picture = draw_curve(rows)
    assert picture.shape[:2] == shape
    for k in range(n):
        top, left = 300 * (k // 2), 520 * (k % 2)
        assert len(find(picture[top + 40 : top + 300, left : left + 520], BLUE)) > 300


@pytest.mark.parametrize(
    "rows",
    [
        [],
        make_rows([2.0]),
        make_rows([0.0]),
        make_rows([0.0, 0.0, 0.0]),
        make_rows([-3.0, -3.0]),
        make_rows([math.nan, 1.0, math.inf, 0.5]),
        make_rows([math.nan]),
        make_rows([1e-30, 1e30]),
        [{"step": 7, "held": {"caption": 1e-12}}],
    ],
)
def test_odd_logs_have_a_picture(rows: list[dict[str, Any]]) -> None:
    picture = draw_curve(rows)
    assert picture.shape == (300, 520, 3)
    assert (picture < 128).any()


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30))
def test_no_losses_break_it(losses: list[float]) -> None:
    assert draw_curve(make_rows(losses)).shape == (300, 520, 3)


def test_the_same_log_has_the_same_bytes(tmp_path: Path) -> None:
    rows = make_rows(np.random.default_rng(1).exponential(1.0, 500).tolist())
    for name in "ab":
        write_curve(tmp_path / f"{name}.png", rows)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert np.array_equal(cv2.imread(str(tmp_path / "a.png"))[:, :, ::-1], draw_curve(rows))

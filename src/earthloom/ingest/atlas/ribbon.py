"""Lines on the ground: rivers, roads, rows. Curves as (n, 2) points in metres, drawn as ribbons of a width."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from earthloom.ingest.atlas.frame import Frame, Points

_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV draws with: sixteenths of a pixel."""
_BLEED = 1.43
"""Pixels that the soft edges of a polygon add to its width, both sides together; measured."""
_SOFT = {"lineType": cv2.LINE_AA, "shift": _SHIFT}


def draw_ribbon(
    canvas: NDArray[np.uint8],
    frame: Frame,
    points: Points,
    width_m: float | NDArray[np.float64],
    value: int = 255,
) -> None:
    """Draw a curve with soft edges onto `canvas`; narrower than a pixel it is drawn fainter instead."""
    at = frame.to_pixels(points)
    widths = np.broadcast_to(np.asarray(width_m, np.float64) / frame.gsd_m, (len(at),))
    if len(at) < 2:
        return
    if float(widths.max()) < 1.6:
        _draw_hairline(canvas, at, widths, value)
        return
    left, right = _offset(at, np.maximum(widths - _BLEED, 0.3) / 2)
    quads = np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)
    inside = _near_canvas(quads, canvas.shape)
    for quad in np.round(quads[inside] * 2**_SHIFT).astype(np.int32):
        cv2.fillConvexPoly(canvas, quad, value, cv2.LINE_AA, _SHIFT)
    for end in (0, -1):
        _draw_disc(canvas, at[end], float(widths[end]) / 2, value)


def _draw_disc(canvas: NDArray[np.uint8], middle: Points, radius: float, value: int) -> None:
    """Round the end of a ribbon, so that two that meet leave no notch."""
    fixed = np.round(np.append(middle, radius) * 2**_SHIFT).astype(int).tolist()
    if max(map(abs, fixed)) < 2**30:
        cv2.circle(canvas, fixed[:2], fixed[2], value, cv2.FILLED, **_SOFT)


def draw_lines(canvas: NDArray[np.uint8], frame: Frame, lines: Sequence[Points], width_m: float) -> None:
    """Draw many curves of one width with soft edges; the width is rounded to pixels, thinner ones are fainter."""
    if not lines:
        return
    width = width_m / frame.gsd_m
    level = round(255 * min(1.0, max(0.15, width / 1.2)))
    at = np.round(frame.to_pixels(np.concatenate(lines)) * 2**_SHIFT).astype(np.int32)
    parts = np.split(at.reshape(-1, 1, 2), np.cumsum([len(line) for line in lines])[:-1])
    cv2.polylines(canvas, parts, isClosed=False, color=level, thickness=max(1, round(width)), **_SOFT)


def _draw_hairline(canvas: NDArray[np.uint8], at: Points, widths: NDArray[np.float64], value: int) -> None:
    fixed = np.round(at * 2**_SHIFT).astype(np.int32)
    level = round(value * min(1.0, max(0.12, float(np.median(widths)) / 1.3)))
    cv2.polylines(canvas, [fixed.reshape(-1, 1, 2)], isClosed=False, color=level, thickness=1, **_SOFT)


def _offset(at: Points, half: NDArray[np.float64]) -> tuple[Points, Points]:
    """Both banks of a curve; each segment's ends reach a little beyond so that neighbours overlap."""
    tangent = np.gradient(at, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * half[:, None]
    return at + normal, at - normal


def _near_canvas(quads: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    low, high = quads.min(axis=1), quads.max(axis=1)
    near: NDArray[np.bool_] = (high > -2).all(axis=1) & (low < np.array(shape[::-1]) + 2).all(axis=1)
    return near


def smooth_curve(points: Points, sigma: float) -> Points:
    """Round a curve's corners; its ends stay."""
    if len(points) < 3:
        return points
    smooth: Points = gaussian_filter1d(points, min(sigma, len(points) / 3), axis=0, mode="nearest")
    reach = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])
    keep = np.exp(-((reach / sigma) ** 2))[:, None]
    smooth += keep * (points - smooth)
    return smooth


def resample_curve(points: Points, step_m: float) -> Points:
    """The same curve with points every `step_m` along it."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    n = max(2, int(length[-1] / step_m) + 1)
    at = np.linspace(0, length[-1], n)
    return np.stack([np.interp(at, length, points[:, 0]), np.interp(at, length, points[:, 1])], axis=1)


def arc_length(points: Points) -> NDArray[np.float64]:
    """Metres along the curve at each of its points."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def smooth_steps(rng: np.random.Generator, n: int, correlation: float) -> NDArray[np.float64]:
    """Unit noise along a line of `n` samples that is alike over `correlation` samples."""
    if n < 2:
        return np.zeros(n)
    sigma = max(0.5, correlation)
    n_around = int(3 * sigma) + 1
    white = rng.standard_normal(n + 2 * n_around)
    noise: NDArray[np.float64] = gaussian_filter1d(white, sigma, truncate=3.0)[n_around:-n_around]
    noise *= (2 * sigma * math.pi**0.5) ** 0.5
    return noise

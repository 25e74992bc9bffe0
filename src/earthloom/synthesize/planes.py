"""Arithmetic on planes of H x W that the looks at a picture share: ramps, blurs, variation, coarser grids."""

from __future__ import annotations

import cv2
import numpy as np

from earthloom.synthesize.stack import Plane

TINY = np.float32(0.02)
"""Added to linear light in ratios: the 8-bit steps of dark pixels are no relief."""


def ramp(values: Plane, start: float, end: float) -> Plane:
    """0 at `start` and before, 1 at `end` and beyond, linear between them; `start` may be the larger."""
    scale = np.float32(1 / (end - start))
    return np.asarray(np.clip(values * scale - np.float32(start) * scale, 0, 1), np.float32)


def soften(values: Plane) -> Plane:
    """Blur over three pixels, which takes the noise of single ones."""
    return np.asarray(cv2.GaussianBlur(values, (3, 3), 0), np.float32)


def measure_variation(values: Plane, side: int) -> Plane:
    """Local standard deviation by local mean, in squares of `side` pixels."""
    mean = cv2.blur(values, (side, side))
    square = cv2.blur(values * values, (side, side))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)) / (mean + TINY / 2), np.float32)


def blur_widely(values: Plane, sigma: float) -> Plane:
    """Gaussian blur, computed on a grid on which sigma is about two pixels."""
    longest = max(values.shape)
    reduced = reduce_plane(values, max(round(2 * longest / sigma), 16))
    return enlarge_plane(
        cv2.GaussianBlur(reduced, (0, 0), sigma * max(reduced.shape) / longest), values.shape[:2]
    )


def blur_where(values: Plane, weight: Plane, sigma: float) -> Plane:
    """Blur widely over the pixels of weight 1 alone; far from all of them, over the others."""
    weight = weight + np.float32(1e-3)
    return np.asarray(blur_widely(values * weight, sigma) / blur_widely(weight, sigma), np.float32)


def reduce_plane(values: Plane, longest: int) -> Plane:
    """Average over areas until the longer side has `longest` pixels; as it is where it has no more. Channels stay."""
    height, width = values.shape[:2]
    factor = max(height, width) / longest
    if factor <= 1:
        return values
    size = (max(round(width / factor), 1), max(round(height / factor), 1))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def enlarge_plane(values: Plane, shape: tuple[int, ...]) -> Plane:
    """Interpolate linearly to H x W of `shape`."""
    if values.shape == shape:
        return values
    return np.asarray(cv2.resize(values, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)

"""How much of the ground's light a veil lets through, found in a picture without and with it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from earthloom.synthesize.stack import Plane

_FLAT = 1e-9
"""Variance of linear light under which a window shows nothing: 8-bit steps of a dark picture are 3e-4 apart."""


def recover_contrast(clear: Plane, veiled: Plane, window: int = 16) -> float | None:
    """Share of the ground's contrast that a veil left, over the whole picture; None for ground without contrast.

    As `earthloom.metrics.veils.recover_transmission` finds it window by window, in one sum: each window is freed of its
    linear trend and counts by its contrast.

    Args:
        clear: H x W, linear light.
        veiled: the same band under the veil.
        window: side of a window, pixels.

    """
    before, after = _cut_residuals(clear, window), _cut_residuals(veiled, window)
    energy = float(np.square(before).mean(dtype=np.float64))
    if energy <= _FLAT:
        return None
    return round(float((before * after).mean(dtype=np.float64)) / energy, 4)


def _cut_residuals(plane: Plane, window: int) -> Plane:
    """Windows of a plane, each as a row of pixels less its linear trend: rows x columns x window^2."""
    rows, columns = plane.shape[0] // window, plane.shape[1] // window
    cut = plane[: rows * window, : columns * window].reshape(rows, window, columns, window)
    pixels = cut.swapaxes(1, 2).reshape(rows, columns, window**2)
    trend = _trend_basis(window)
    return np.asarray(pixels - (pixels @ trend) @ trend.T, np.float32)


@lru_cache(maxsize=4)
def _trend_basis(window: int) -> Plane:
    """Orthonormal columns 1, x, y over a window: window^2 x 3."""
    y, x = np.mgrid[:window, :window].reshape(2, -1) - (window - 1) / 2
    return np.asarray(np.linalg.qr(np.stack([np.ones(window**2), x, y], axis=1))[0], np.float32)

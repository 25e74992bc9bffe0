"""What snow and other effects may do to the ground: NDSI, water that stays, no streaks and no flakes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.structure import Mask, Picture, Values, light_luminance

NDSI_SNOW = 0.4
"""NDSI over which a pixel is taken as snow (Hall et al. 1995; Let-it-snow, Gascoin et al. 2019)."""
WATER_WITHIN = 0.004
"""Mean change of linear light over water that counts as none: one step of bright 8-bit sRGB is 0.009, of dark 0.001."""
STREAK_LIMIT = 0.35
"""`streak_score` over which detail runs in lines: see there."""
SPECKLE_LIMIT = 0.5
"""`speckle_share` over which a change is mostly single pixels: see there."""
_HIGH_PASS_SIGMA = 3.0
"""Pixels: streaks and flakes are finer than this, drifts of snow and banks of fog are not."""


def ndsi(green: npt.NDArray[np.floating], swir: npt.NDArray[np.floating]) -> Values:
    """Normalised difference snow index, `(green - swir) / (green + swir)`, of reflectances; NaN where both are 0."""
    green, swir = np.asarray(green, np.float64), np.asarray(swir, np.float64)
    total = green + swir
    lit = total > 0
    return np.asarray(np.where(lit, (green - swir) / np.where(lit, total, 1.0), np.nan))


def water_change(clear: Picture, changed: Picture, water: Mask) -> float | None:
    """Mean absolute change of the luminance of linear light over water (H x W, True there); None without water."""
    if not water.any():
        return None
    before, after = _take_pair(clear, changed)
    return float(np.abs(after - before)[water].mean())


def leave_ground(clear: Picture, changed: Picture, window: int = 16) -> Values:
    """What an effect added that the ground does not explain: the change less its regression on the ground, windowed.

    Luminance of linear light, H x W cut to whole windows. A veil leaves next to nothing, snow its own relief.
    """
    before, after = _take_pair(clear, changed)
    rows, columns = before.shape[0] // window, before.shape[1] // window
    shape = (rows, window, columns, window)
    cut_before = before[: rows * window, : columns * window].reshape(shape)
    cut_change = (after - before)[: rows * window, : columns * window].reshape(shape)
    cut_before = cut_before - cut_before.mean(axis=(1, 3), keepdims=True)
    apart = cut_change - cut_change.mean(axis=(1, 3), keepdims=True)
    energy = np.square(cut_before).sum(axis=(1, 3), keepdims=True)
    slope = (cut_before * apart).sum(axis=(1, 3), keepdims=True) / np.maximum(energy, 1e-9)
    return np.asarray((cut_change - slope * cut_before).reshape(rows * window, columns * window))


def streak_score(difference: Values, ground: Values | None = None) -> float:
    """How far the fine detail of a difference runs in one direction, 0 to 1: 0 for all directions alike, 1 for lines.

    Anisotropy of the structure tensor (Bigun and Granlund, ICCV 1987) of what is finer than 3 pixels. On 25 real tiles
    our snow comes to 0 to 0.29, motion-blurred flakes over the same tiles to 0.4 to 0.9 but for three whose ground is
    so full of contrast that flakes are lost in it (0.1 to 0.4): judge a set, not a picture.

    Args:
        difference: H x W, linear light, such as `leave_ground` gives.
        ground: H x W, the clear picture's luminance: lines count only as far as the ground has none that way.

    Returns:
        NaN where the difference has no fine detail.

    """
    own = _find_direction(difference)
    if own is None:
        return float("nan")
    score = float(np.hypot(*own))
    of_ground = _find_direction(ground) if ground is not None else None
    return score if of_ground is None else min(score, float(np.hypot(*(own - of_ground))))


def speckle_share(difference: Values) -> float:
    """Share of a difference's energy in single pixels: what a median of 3 x 3 takes away, 0 to about 1.

    Fog comes to 0.01, our snow over real tiles to at most 0.35 (where the ground itself changes from pixel to pixel),
    independent flakes of a pixel to over 0.8. NaN where there is no difference.
    """
    centred = np.asarray(difference - difference.mean(), np.float32)
    energy = float(np.square(centred).mean(dtype=np.float64))
    if energy < 1e-9:
        return float("nan")
    single = centred - cv2.medianBlur(centred, 3)
    return float(np.square(single).mean(dtype=np.float64)) / energy


def _find_direction(plane: Values) -> Values | None:
    """Doubled-angle direction of fine detail, its length 0 to 1; None for a plane without."""
    smooth = cv2.GaussianBlur(plane, (0, 0), _HIGH_PASS_SIGMA)
    fine = cv2.GaussianBlur(plane, (0, 0), 0.7) - smooth
    across = cv2.Scharr(fine, cv2.CV_64F, 1, 0)
    down = cv2.Scharr(fine, cv2.CV_64F, 0, 1)
    xx, yy, xy = (float((a * b).mean()) for a, b in ((across, across), (down, down), (across, down)))
    if xx + yy < 1e-10:
        return None
    return np.array([xx - yy, 2 * xy]) / (xx + yy)


def _take_pair(clear: Picture, changed: Picture) -> tuple[Values, Values]:
    before, after = light_luminance(clear), light_luminance(changed)
    if before.shape != after.shape:
        raise UsageError(f"Two pictures of one size were wanted, got {before.shape} and {after.shape}.")
    return before, after

"""Where the shadows of clouds fall, recovered from a picture without and with clouds.

Every shadow of a scene lies one and the same way from its cloud, h / tan(elevation) away from the sun. So the darkening
that is seen, moved by that much, is the brightening; and no such shift exists for shadows that were drawn on their own.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.structure import Picture, Values, light_luminance

SHADOW_STRENGTH = 0.5
"""Correlation under which no common shift is found: see `shadow_offset`."""
SHADOW_WITHIN = 0.02
"""Of the picture's longer side: how far the recovered shift may lie from the one on record."""
_SIDE = 192
"""Pixels of the longer side on which shifts are sought: shadows are soft, and Fourier transforms cost."""
_SEEN = 0.1
"""Opacity of a cloud over which the ground below it is not judged."""
_DARKEST = 0.01
"""Linear light of ground that is too dark for a shadow to show on it."""
_LEAST_SHARE = 0.005
"""Mean opacity, and mean shade, without which there is nothing to compare."""
_LEAST_OVERLAP, _LEAST_KEPT = 0.1, 0.4
"""Share of the picture in which both must be known, and share of the open ground that must be left at a shift."""
_LEAST_VARIANCE = 0.1
"""Of a mask's whole variance, that the overlap must hold: a few pixels correlate by chance."""


class ShadowOffset(NamedTuple):
    """From a cloud to its shadow."""

    dx: float
    """Pixels to the right; NaN where no cloud or no shadow is seen."""
    dy: float
    """Pixels down."""
    strength: float
    """Correlation of clouds and shadows at this shift, 0 to 1; 0 where there is nothing to compare."""


def shadow_offset(clear: Picture, clouded: Picture) -> ShadowOffset:
    """Find the shift that brings clouds onto their shadows by masked normalised cross-correlation.

    Padfield, Masked object registration in the Fourier domain, IEEE TIP 2012: correlation at every shift, over the
    pixels that are inside both and not hidden by a cloud. The peak is refined by a parabola.

    On 27 real tiles under clouds of three strengths, where a shift leaves 40 % of the picture to compare, it is right
    (within 2 % of the side; half of them within 0.2 %) in 99, 96 and 75 of 100 pictures of light, moderate and heavy
    cloud, over 0.64 strong (0.4 under heavy cloud). Shadows of other clouds than those seen come to 0.3, 1 in 20 to
    over 0.5, at shifts of no meaning: 1 in 400 lies within 2 % of the recorded one, and none of these is over 0.5.
    Shadows that fall mostly out of the picture cannot be found: judge by the recorded shift first.

    Args:
        clear: H x W or H x W x 3, uint8 sRGB or linear floats.
        clouded: the same view with clouds.

    Raises:
        UsageError: for pictures of different shapes.

    """
    before, after = _reduce(light_luminance(clear)), _reduce(light_luminance(clouded))
    if before.shape != after.shape or clear.shape[:2] != clouded.shape[:2]:
        raise UsageError(f"Two pictures of one size were wanted, got {clear.shape} and {clouded.shape}.")
    opacity = recover_opacity(before, after)
    seen = (opacity < _SEEN) & (before > _DARKEST)
    shade = np.where(seen, np.clip(1 - after / np.maximum(before, _DARKEST), 0, 1), 0)
    if opacity.mean() < _LEAST_SHARE or shade.mean() < _LEAST_SHARE:
        return ShadowOffset(math.nan, math.nan, 0.0)
    correlation = _correlate_masked(opacity, shade, seen)
    if correlation.max() <= 0:
        return ShadowOffset(math.nan, math.nan, 0.0)
    down, right, strength = _find_peak(correlation)
    scale = max(clear.shape[:2]) / max(before.shape)
    return ShadowOffset(right * scale, down * scale, strength)


def recover_opacity(before: Values, after: Values) -> Values:
    """Opacity of clouds, 0 to 1, from luminances in linear light, as if they were as white as the brightest of them."""
    white = float(np.quantile(after, 0.998))
    return np.asarray(np.clip((after - before) / np.maximum(white - before, 0.05), 0, 1))


def _reduce(plane: Values) -> Values:
    scale = min(1.0, _SIDE / max(plane.shape))
    size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
    return cast(Values, cv2.resize(plane, size, interpolation=cv2.INTER_AREA))


def _correlate_masked(cloud: Values, shade: Values, seen: npt.NDArray[np.bool_]) -> Values:
    """Pearson correlation of `cloud(x)` with `shade(x + d)` at every shift d over pixels inside and seen.

    Returns:
        (2 H - 1) x (2 W - 1), the shift (0, 0) in the middle; 0 where too little overlaps.

    """
    from scipy import fft

    rows, columns = cloud.shape
    size = (fft.next_fast_len(2 * rows - 1, real=True), fft.next_fast_len(2 * columns - 1, real=True))
    first = [np.conj(fft.rfft2(plane, size)) for plane in (np.ones_like(cloud), cloud, cloud * cloud)]
    weights = seen.astype(np.float64)
    second = [fft.rfft2(plane, size) for plane in (weights, shade * weights, shade * shade * weights)]

    def sum_products(i: int, j: int) -> Values:
        sums = np.roll(fft.irfft2(first[i] * second[j], size), (rows - 1, columns - 1), axis=(0, 1))
        return np.asarray(sums[: 2 * rows - 1, : 2 * columns - 1])

    count = np.maximum(sum_products(0, 0), 0.5)
    sum_cloud, sum_shade = sum_products(1, 0), sum_products(0, 1)
    covariance = sum_products(1, 1) / count - sum_cloud * sum_shade / count**2
    variance_cloud = sum_products(2, 0) / count - (sum_cloud / count) ** 2
    variance_shade = sum_products(0, 2) / count - (sum_shade / count) ** 2
    enough = (
        (count > max(_LEAST_OVERLAP * cloud.size, _LEAST_KEPT * weights.sum()))
        & (variance_cloud > _LEAST_VARIANCE * cloud.var())
        & (variance_shade > _LEAST_VARIANCE * shade[seen].var())
    )
    spread = np.sqrt(np.where(enough, variance_cloud * variance_shade, 1.0))
    return np.asarray(np.where(enough, covariance / spread, 0.0))


def _find_peak(correlation: Values) -> tuple[float, float, float]:
    """Row and column of the highest value from the middle, refined along both axes, and the value."""
    row, column = (int(i) for i in np.unravel_index(correlation.argmax(), correlation.shape))
    middle_row, middle_column = correlation.shape[0] // 2, correlation.shape[1] // 2
    down = row - middle_row + _refine(correlation[max(row - 1, 0) : row + 2, column])
    right = column - middle_column + _refine(correlation[row, max(column - 1, 0) : column + 2])
    return down, right, float(correlation[row, column])


def _refine(around: npt.NDArray[Any]) -> float:
    """Top of the parabola through three values, from the middle one."""
    if len(around) < 3:
        return 0.0
    before, here, after = (float(value) for value in around)
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0

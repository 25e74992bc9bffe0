"""How much of a picture's structure is left in another: what weather may veil but must not move.

Light that passes a veil is `J t + A (1 - t)`. Where t is the same everywhere, every edge is where it was and only
weaker: the structure term of SSIM and the correlation of gradients are then exactly 1, while SSIM itself falls with
the contrast. That holds in linear light only. So the scales are:

- `structure_term` and `gradient_correlation` compare the luminance of linear light (Rec. 709 weights);
- `ssim` and `gmsd` compare grey as it is stored (Rec. 601 weights), the scale on which they were published.

Pictures are H x W, H x W x 1 or H x W x 3. uint8 is sRGB and is decoded for the first two, divided by 255 for the
others; floats, 0 to 1, are taken as they are: give linear light to the first two. Windows that reach over the border
are left out.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.core.light import LUMINANCE, to_light

Picture = npt.NDArray[np.uint8] | npt.NDArray[np.floating]
"""H x W, H x W x 1 or H x W x 3; uint8 sRGB or floats 0 to 1."""
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SSIM_SIGMA = 1.5
"""Pixels, of the Gaussian window of 11 x 11 (Wang et al., IEEE TIP 2004)."""
C1, C2 = 0.01**2, 0.03**2
"""The same paper's constants for values of 0 to 1; the structure term has C3 = C2 / 2."""
GMSD_C = 170 / 255**2
"""T = 170 for grey of 0 to 255 (Xue et al., IEEE TIP 2014)."""
_RADIUS = 5
_REC_601 = (0.299, 0.587, 0.114)
_PREWITT = (np.array([1.0, 0.0, -1.0]), np.full(3, 1 / 3))


def structure_term(a: Picture, b: Picture, where: Mask | None = None) -> float:
    """Mean structure term of SSIM, `(cov + C3) / (sd_a sd_b + C3)`, of the luminance of linear light.

    A window that is flat in either picture counts as 1, also where it was erased, and one of faint contrast (deviations
    under 0.02) nearly so: mask what is hidden, and read `gradient_correlation` beside it.

    Args:
        a: at least 11 x 11 pixels.
        b: of the same size.
        where: H x W, True at the centres of the windows to average; all of them by default.

    Returns:
        -1 to 1; 1 where b is a rising linear function of a in every window. NaN where no window is left.

    Raises:
        UsageError: for pictures that cannot be compared.

    """
    x, y = take_pair(light_luminance(a), light_luminance(b))
    _, _, variance_x, variance_y, covariance = windowed_moments(x, y)
    c3 = C2 / 2
    term = (covariance + c3) / (np.sqrt(variance_x * variance_y) + c3)
    return _mean(term, where, _RADIUS, x.shape)


def ssim(a: Picture, b: Picture) -> float:
    """Mean structural similarity of stored grey (Wang et al., IEEE TIP 2004), windows inside the picture only."""
    x, y = take_pair(stored_grey(a), stored_grey(b))
    mean_x, mean_y, variance_x, variance_y, covariance = windowed_moments(x, y)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    contrast_structure = (2 * covariance + C2) / (variance_x + variance_y + C2)
    return float((luminance * contrast_structure).mean())


def gradient_correlation(a: Picture, b: Picture, where: Mask | None = None) -> float:
    """Pearson correlation of the Prewitt gradients' magnitudes of the luminance of linear light.

    Args:
        a: at least 11 x 11 pixels.
        b: of the same size.
        where: H x W, True at the pixels to compare; all of them by default.

    Returns:
        -1 to 1; NaN where either has the same gradient everywhere, or no pixel is left.

    """
    x, y = take_pair(light_luminance(a), light_luminance(b))
    edges_x, edges_y = gradient_magnitude(x)[1:-1, 1:-1], gradient_magnitude(y)[1:-1, 1:-1]
    chosen = slice(None) if where is None else _cut_where(where, 1, x.shape)
    return _correlate(edges_x[chosen].ravel(), edges_y[chosen].ravel())


def gmsd(a: Picture, b: Picture) -> float:
    """Gradient magnitude similarity deviation of stored grey (Xue et al., IEEE TIP 2014); 0 for equal pictures.

    Means of 2 x 2 pixels, every second one; Prewitt / 3 with zeros beyond the border; T = 170 for grey of 0 to 255; the
    standard deviation (n - 1) of the similarities. A last odd row or column is left out.
    """
    x, y = take_pair(stored_grey(a), stored_grey(b))
    edges_x, edges_y = (gradient_magnitude(_halve(grey), cv2.BORDER_CONSTANT) for grey in (x, y))
    similarity = (2 * edges_x * edges_y + GMSD_C) / (edges_x**2 + edges_y**2 + GMSD_C)
    return float(similarity.std(ddof=1))


def light_luminance(picture: Picture) -> Values:
    """Luminance of linear light, 0 to 1, H x W: uint8 is decoded, floats are linear already."""
    light = to_light(_as_bytes(picture)) if picture.dtype == np.uint8 else picture
    return _weigh(light, LUMINANCE)


def stored_grey(picture: Picture) -> Values:
    """Grey as it is stored, 0 to 1, H x W: uint8 divided by 255, floats as they are."""
    grey = _weigh(picture, _REC_601)
    return np.asarray(grey / 255) if picture.dtype == np.uint8 else grey


def gradient_magnitude(plane: Values, border: int = cv2.BORDER_REFLECT_101) -> Values:
    """Magnitude of Prewitt's gradient / 3, H x W."""
    slope, flat = _PREWITT
    across = cv2.sepFilter2D(plane, cv2.CV_64F, slope, flat, borderType=border)
    down = cv2.sepFilter2D(plane, cv2.CV_64F, flat, slope, borderType=border)
    return cast(Values, np.hypot(across, down))


def _as_bytes(picture: Picture) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(picture, np.uint8)


def _weigh(picture: Picture, weights: tuple[float, ...]) -> Values:
    if picture.dtype != np.uint8 and not np.issubdtype(picture.dtype, np.floating):
        raise UsageError(f"A picture of uint8 or floats was wanted, got {picture.dtype}: convert it first.")
    if picture.ndim == 2:
        return np.asarray(picture, np.float64)
    if picture.ndim == 3 and picture.shape[2] == 1:
        return np.asarray(picture[:, :, 0], np.float64)
    if picture.ndim == 3 and picture.shape[2] == 3:
        return np.asarray(np.asarray(picture, np.float64) @ np.array(weights))
    raise UsageError(f"A picture of 1 or 3 channels was wanted, got an array of shape {picture.shape}.")


def take_pair(x: Values, y: Values) -> tuple[Values, Values]:
    """Both, H x W, if they can be compared. Raises `UsageError` for two sizes, or less than 11 x 11 pixels."""
    if x.shape != y.shape or min(x.shape) <= 2 * _RADIUS:
        raise UsageError(
            f"Two pictures of one size of at least {2 * _RADIUS + 1} pixels were wanted, got {x.shape} and {y.shape}."
        )
    return x, y


def windowed_moments(x: Values, y: Values) -> tuple[Values, Values, Values, Values, Values]:
    """Means, variances and covariance in Gaussian windows that lie inside the picture."""
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x = np.maximum(_blur(x * x) - mean_x**2, 0)
    variance_y = np.maximum(_blur(y * y) - mean_y**2, 0)
    return mean_x, mean_y, variance_x, variance_y, _blur(x * y) - mean_x * mean_y


def _blur(plane: Values) -> Values:
    side = 2 * _RADIUS + 1
    blurred = cast(Any, cv2.GaussianBlur(plane, (side, side), SSIM_SIGMA))
    return cast(Values, blurred[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS])


def _halve(grey: Values) -> Values:
    rows, columns = grey.shape[0] // 2, grey.shape[1] // 2
    return cast(Values, grey[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean(axis=(1, 3)))


def _mean(values: Values, where: Mask | None, margin: int, shape: tuple[int, ...]) -> float:
    chosen = values if where is None else values[_cut_where(where, margin, shape)]
    return float(chosen.mean()) if chosen.size else float("nan")


def _cut_where(where: Mask, margin: int, shape: tuple[int, ...]) -> Mask:
    if where.shape != shape or where.dtype != np.bool_:
        raise UsageError(
            f"A mask of booleans of shape {shape} was wanted, got {where.dtype} of shape {where.shape}."
        )
    return where[margin:-margin, margin:-margin]


def _correlate(x: Values, y: Values) -> float:
    if x.size < 2:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    spread = float(np.sqrt((x * x).sum() * (y * y).sum()))
    least = 1e-12 * x.size  # rounding alone gives flat pictures gradients of 1e-16
    return float((x * y).sum()) / spread if spread > least else float("nan")

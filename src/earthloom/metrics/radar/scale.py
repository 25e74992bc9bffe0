"""What the values of a radar picture are, told by the shape of its speckle: no calibration is needed.

Speckle of intensity has a long bright tail; its logarithm has a long dark one. So in windows of even ground the
skewness is above 0 for intensity and amplitude and below 0 for decibels, whatever the offset and the step of the
scale. On real chips: Sentinel-1 in dB -0.06 to -0.32, as amplitude 0.32 to 0.60, as intensity 0.84 to 1.2; an Umbra
picture, stored as amplitude, 0.46.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LEAST_VARIANCE = 1e-12


def speckle_skewness(values: npt.NDArray[np.floating] | npt.NDArray[np.integer], side: int = 9) -> float:
    """Median skewness in windows that do not overlap.

    Args:
        values: H x W, on the scale that is asked about; a window with NaN is left out.
        side: of the windows, pixels.

    Returns:
        For even ground of L looks in decibels nearly `theory.skewness_db(L)`, somewhat nearer to 0 as windows are
        small; NaN where no window has any contrast.

    """
    rows, columns = values.shape[0] // side, values.shape[1] // side
    cut = np.asarray(values[: rows * side, : columns * side], np.float64)
    windows = cut.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(-1, side * side)
    windows = windows - windows.mean(1, keepdims=True)
    squares = windows * windows
    variance = squares.mean(1)
    has_contrast = variance > _LEAST_VARIANCE  # never so for NaN
    if not has_contrast.any():
        return float("nan")
    return float(np.median((squares * windows).mean(1)[has_contrast] / variance[has_contrast] ** 1.5))

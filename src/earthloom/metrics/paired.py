"""A picture against the true one of the same ground, pixel by pixel.

For radar and near infrared that were drawn from RGB. Speckle cannot be foretold: two true radar pictures of one day
have little in common pixel by pixel, so these numbers rank radar only after averaging over windows, and beside what two
true pictures reach. For near infrared, what a linear regression from RGB reaches is what has to be beaten.

Images are shifted against each other more often than blurred, and a shift of one pixel costs more than a blur:
co-register first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.structure import C1, C2, stored_grey, take_pair, windowed_moments

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8] | npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, slots=True)
class SsimTerms:
    """SSIM and the means of its three terms (Wang et al., IEEE TIP 2004), of stored grey, each at most 1."""

    ssim: float
    """Mean of the product of the terms, which is not the product of the means."""
    luminance: float
    contrast: float
    structure: float


def psnr(a: Picture, b: Picture, *, data_range: float) -> float:
    """Peak signal-to-noise ratio, dB: 10 log10(data_range^2 / mean squared error); infinite for equal pictures.

    Args:
        a: any shape.
        b: of the same shape.
        data_range: from the lowest to the highest value that there can be, never that there is: 255 for 8 bits, the
            extent of the clip for decibels. With a range taken from each picture, values cannot be compared.

    """
    if not data_range > 0:
        raise UsageError(f"A data range above 0 was wanted, got {data_range}.")
    error = _squared_error(a, b)
    return float(10 * np.log10(data_range**2 / error)) if error > 0 else float("inf")


def rmse(a: Picture, b: Picture) -> float:
    """Root of the mean squared error, in the unit of the values: levels, or dB for decibels."""
    return float(np.sqrt(_squared_error(a, b)))


def correlation(a: Picture, b: Picture) -> float:
    """Pearson correlation of all values, -1 to 1; NaN where one is the same everywhere."""
    x, y = _take_values(a, b)
    x, y = x - x.mean(), y - y.mean()
    spread = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / spread if spread > 1e-12 * x.size else float("nan")


def ssim_terms(a: Picture, b: Picture) -> SsimTerms:
    """Structural similarity and its terms, Gaussian windows of 11 x 11 inside the picture, C3 = C2 / 2.

    Args:
        a: H x W, H x W x 1 or H x W x 3, at least 11 x 11; uint8, or floats 0 to 1.
        b: of the same size.

    """
    x, y = take_pair(stored_grey(a), stored_grey(b))
    mean_x, mean_y, variance_x, variance_y, covariance = windowed_moments(x, y)
    spread = np.sqrt(variance_x * variance_y)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    contrast = (2 * spread + C2) / (variance_x + variance_y + C2)
    structure = (covariance + C2 / 2) / (spread + C2 / 2)
    return SsimTerms(
        ssim=float((luminance * contrast * structure).mean()),
        luminance=float(luminance.mean()),
        contrast=float(contrast.mean()),
        structure=float(structure.mean()),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BandRegression:
    """A linear guess of one band from the colours around each pixel: the ceiling of what is trivial."""

    weights: Floats
    """side x side x 3 values in the order of rows, columns, channels, then the constant."""
    side: int
    n_pixels: int
    """Fitted to."""

    def predict(self, rgb: npt.NDArray[np.uint8]) -> Floats:
        """Guess the band of a picture, H x W, in the unit it was fitted in; not clipped."""
        return np.asarray((_gather(rgb, self.side) @ self.weights).reshape(rgb.shape[:2]))


def fit_band(pairs: Iterable[tuple[npt.NDArray[np.uint8], Picture]], side: int = 3) -> BandRegression:
    """Fit a band to RGB by least squares: sums are kept, not pixels, so any number of pairs will do.

    Args:
        pairs: RGB H x W x 3 and the band H x W of the same ground. Fit to other ground than is measured.
        side: odd; colours of `side` x `side` pixels around each count. Borders are continued.

    Raises:
        UsageError: without a pair, for sizes that differ, or an even side.

    """
    if side < 1 or side % 2 == 0:
        raise UsageError(f"An odd number of pixels was wanted for `side`, got {side}.")
    n_features = 3 * side * side + 1
    total, right, n = np.zeros((n_features, n_features)), np.zeros(n_features), 0
    for rgb, band in pairs:
        if rgb.shape != (*band.shape, 3):
            raise UsageError(f"RGB and band of one size were wanted, got {rgb.shape} and {band.shape}.")
        rows = _gather(rgb, side)
        total += rows.T @ rows
        right += rows.T @ np.asarray(band, np.float64).ravel()
        n += len(rows)
    if not n:
        raise UsageError("At least one pair of RGB and band was wanted to fit a regression to.")
    # Grey pictures make the columns equal: the least of all weights that fit is then taken.
    weights = np.asarray(np.linalg.lstsq(total, right, rcond=1e-10)[0], np.float64)
    return BandRegression(weights=weights, side=side, n_pixels=n)


def _gather(rgb: npt.NDArray[np.uint8], side: int) -> Floats:
    """For each pixel the values around it, 0 to 1, and a 1."""
    edge = side // 2
    wide = np.pad(rgb.astype(np.float64) / 255, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
    height, width, _ = rgb.shape
    near = [wide[y : y + height, x : x + width] for y in range(side) for x in range(side)]
    return np.concatenate([*near, np.ones((height, width, 1))], axis=2).reshape(height * width, -1)


def _squared_error(a: Picture, b: Picture) -> float:
    x, y = _take_values(a, b)
    return float(np.square(x - y).mean())


def _take_values(a: Picture, b: Picture) -> tuple[Floats, Floats]:
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.shape != y.shape or not x.size:
        raise UsageError(f"Two arrays of one shape were wanted, got {x.shape} and {y.shape}.")
    return x.ravel(), y.ravel()

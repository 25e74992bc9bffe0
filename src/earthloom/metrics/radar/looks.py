"""Equivalent number of looks (ENL), estimated from intensities alone.

The intensity of multi-looked, fully developed speckle follows a gamma distribution with mean 1 and variance 1 / L; L is
the number of looks (Oliver and Quegan, Understanding SAR Images, 2004, equation 4.9). Three estimators take samples of
even ground; that by maximum likelihood scatters least. For a picture of anything, `common_looks` takes the most
frequent estimate among small windows, as edges and texture only make other values more frequent, never one of them.

Pixels that lie closer than the sensor resolves (10 m postings of Sentinel-1's 20 m) have speckle in common, and a small
window then sees less of its spread: the estimate is too high. `neighbour_correlation` tells: from about 0.5 on, take
every second pixel (`step=2`) beside the whole picture. Windows then cover the same ground with a quarter of the pixels,
so estimates scatter twice as much; of independent pixels the whole picture is the better witness. Compare only what was
measured with the same side and step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Power = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

SIDE = 9
"""Pixels, side of the windows (Anfinsen et al. 2009 use 5 to 11; 9 was nearest to the truth on edged ground)."""
MOST_CLIPPED = 0.02
"""Share of clipped pixels up to which a window counts: one of 81. Beyond, a cut tail looks like more looks."""

_FEWEST, _MOST = 0.01, 1e6
"""Looks between which is searched: behind them, what is seen is no speckle."""
_HALVINGS = 60
_TABLE = 8192
_BINS_AN_OCTAVE = 8
_OCTAVES = (-8, 21)
"""Powers of two that a histogram of looks spans; it holds all of `_FEWEST` to `_MOST` with room for a smooth top."""
_AMPLITUDE = 4.0 / np.pi - 1.0
"""Squared variation of single-look amplitude, 0.5227^2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """The equivalent number of looks of some pictures, with what another estimate has to share to be compared."""

    value: float | None
    """Looks; None where no window could be used."""
    side: int
    """Of the windows, pixels of the picture."""
    step: int
    """1: all pixels, 2: every second one each way."""
    n_windows: int
    """Windows that counted."""
    n_left_out: int
    """Windows with pixels missing or clipped, or without any speckle."""


def looks_by_moments(power: npt.ArrayLike, axis: int | None = None) -> Floats:
    """Squared mean over variance (n - 1) of intensity, along `axis` or over all. Infinite where all are equal."""
    values = np.asarray(power, np.float64)
    return _divide(values.mean(axis) ** 2, values.var(axis, ddof=1))


def looks_by_amplitude(amplitude: npt.ArrayLike, axis: int | None = None) -> Floats:
    """(0.5227 mean / deviation)^2 of amplitude, along `axis` or over all.

    Exact for one look; for more it overestimates, by 6 % for four and at most by 9.3 %.
    """
    values = np.asarray(amplitude, np.float64)
    return _divide(_AMPLITUDE * values.mean(axis) ** 2, values.var(axis, ddof=1))


def looks_by_log_variance(power: npt.ArrayLike, axis: int | None = None) -> Floats:
    """Solve trigamma(L) = variance (n - 1) of ln I, along `axis` or over all: needs no mean, so no calibration."""
    from scipy.special import polygamma

    wanted = np.asarray(np.log(np.asarray(power, np.float64)).var(axis, ddof=1))
    return _search(lambda looks: np.asarray(polygamma(1, looks), np.float64), wanted)


def estimate_looks(contrast: npt.ArrayLike) -> Floats:
    """Looks by maximum likelihood, from `ln(mean I) - mean(ln I)` of samples of even ground (any shape, 0 or more).

    It solves ln L - digamma(L) = contrast, the case of one channel in Anfinsen, Doulgeris and Eltoft (IEEE TGRS 2009),
    from a table, to 1e-6 of L. Texture adds to the contrast, so uneven ground seems to have fewer looks. Infinite where
    all samples are equal; never beyond 0.01 and a million otherwise.
    """
    wanted = np.asarray(contrast, np.float64)
    log_contrast, log_looks = _tabulate_contrast()
    logs = np.log(np.where(wanted > 0, wanted, 1.0))
    looks = np.where(np.isnan(wanted), np.nan, np.exp(np.interp(logs, log_contrast, log_looks)))
    return np.where(wanted <= 0, np.inf, looks)


def map_looks(power: Power, side: int = SIDE, clipped: Mask | None = None) -> Floats:
    """Estimate looks in every window of a picture: (H - side + 1) x (W - side + 1).

    Args:
        power: H x W, linear intensity, at least `side` each way. A window with a value that is not above 0 is NaN.
        side: of the windows, odd, pixels.
        clipped: H x W, True where the scale ended. A window with more than `MOST_CLIPPED` of such is NaN.

    Raises:
        ValueError: for an even side, or a picture smaller than a window.

    """
    if side < 3 or side % 2 == 0 or min(power.shape) < side:
        raise ValueError(f"side: wants an odd number from 3 to the picture's {min(power.shape)}, got {side}.")
    values = np.asarray(power, np.float64)
    is_missing = ~(np.isfinite(values) & (values > 0))
    values = np.where(is_missing, 1.0, values)
    contrast = np.log(_average(values, side)) - _average(np.log(values), side)
    has_gap = _average(is_missing.astype(np.float64), side) > 0.5 / side**2
    if clipped is not None:
        has_gap |= _average(clipped.astype(np.float64), side) > MOST_CLIPPED
    # Sums of equal values differ by rounding: below it, there is no contrast.
    return estimate_looks(np.where(has_gap, np.nan, np.where(contrast > 1e-12, contrast, 0.0)))


def map_thinned_looks(power: Power, side: int, step: int, clipped: Mask | None = None) -> Floats:
    """As `map_looks` of every `step`-th pixel each way, in windows that cover the ground of `side` pixels."""
    thinned = None if clipped is None else clipped[::step, ::step]
    return map_looks(power[::step, ::step], thin_side(side, step), thinned)


def thin_side(side: int, step: int) -> int:
    """Pixels, side of a window when every `step`-th pixel is taken: the next odd number, 3 at least."""
    return max(3, side // step | 1)


def count_looks(looks: Floats) -> Floats:
    """Histogram of looks over fixed bins, eight an octave, to be added up over pictures; finite looks only."""
    octaves = np.log2(looks[np.isfinite(looks)])
    n_bins = _BINS_AN_OCTAVE * (_OCTAVES[1] - _OCTAVES[0])
    return np.histogram(octaves, n_bins, _OCTAVES)[0].astype(np.float64)


def find_mode(counts: Floats) -> Floats:
    """Looks at the top of smoothed histograms of `count_looks` (... x bins); NaN where one is empty.

    The top is that of a parabola through the fullest bin and its neighbours. Bins are of equal ratio: in bins of equal
    width the top lies lower for small windows (4.1 for 4.4 looks and 49 pixels), as their estimates are skewed.
    """
    padded = np.concatenate(
        [np.zeros((*counts.shape[:-1], 1)), counts, np.zeros((*counts.shape[:-1], 1))], -1
    )
    smooth = 0.25 * padded[..., :-2] + 0.5 * padded[..., 1:-1] + 0.25 * padded[..., 2:]
    top = np.clip(smooth.argmax(-1), 1, smooth.shape[-1] - 2)[..., None]
    before, at, after = (np.take_along_axis(smooth, top + shift, -1)[..., 0] for shift in (-1, 0, 1))
    curve = before - 2 * at + after
    shift = np.divide(0.5 * (before - after), curve, out=np.zeros_like(curve), where=curve != 0)
    found = 2.0 ** (_OCTAVES[0] + (top[..., 0] + 0.5 + shift) / _BINS_AN_OCTAVE)
    return np.where(counts.sum(-1) > 0, found, np.nan)


def find_common_looks(looks: Floats) -> float:
    """The most frequent value among those of many windows: edges and texture only make others rarer.

    As Anfinsen et al. do for whole scenes, by a smoothed histogram, here of the logarithm.

    Raises:
        ValueError: there is no finite value.

    """
    counts = count_looks(np.asarray(looks, np.float64))
    if not counts.any():
        raise ValueError("looks: wants finite values, got none.")
    return float(find_mode(counts))


def common_looks(
    pictures: Iterable[Power], *, side: int = SIDE, step: int = 1, clipped: Iterable[Mask] | None = None
) -> Looks:
    """The most frequent looks over the windows of all pictures.

    Args:
        pictures: each H x W, linear intensity.
        side: of the windows, odd, pixels of the picture.
        step: 2 takes every second pixel each way: for speckle that neighbours have in common.
        clipped: for each picture where the scale ended, see `map_looks`.

    """
    total, n_left_out = np.zeros(_BINS_AN_OCTAVE * (_OCTAVES[1] - _OCTAVES[0])), 0
    masks = itertools.repeat(None) if clipped is None else clipped
    for power, mask in zip(pictures, masks, strict=clipped is not None):
        looks = map_thinned_looks(power, side, step, mask)
        counts = count_looks(looks)
        total += counts
        n_left_out += looks.size - int(counts.sum())
    value = float(find_mode(total)) if total.any() else None
    return Looks(value=value, side=side, step=step, n_windows=int(total.sum()), n_left_out=n_left_out)


def neighbour_correlation(power: Power, side: int = 17) -> float:
    """How much speckle neighbouring pixels have in common: median over windows of the correlation of ln I.

    The mean of the correlations with the right and with the lower neighbour, in windows that do not overlap, each about
    its own mean. About -1 / side^2 for independent pixels of even ground; edges and slopes raise it.

    Args:
        power: H x W, linear intensity above 0.
        side: of the windows, pixels.

    Returns:
        -1 to 1; NaN where no window has any contrast.

    """
    rows, columns = power.shape[0] // side, power.shape[1] // side
    logs = np.log(np.asarray(power[: rows * side, : columns * side], np.float64))
    windows = logs.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(-1, side, side)
    windows = windows - windows.mean((1, 2), keepdims=True)
    variance = (windows**2).mean((1, 2))
    across = (windows[:, :, 1:] * windows[:, :, :-1]).mean((1, 2))
    down = (windows[:, 1:] * windows[:, :-1]).mean((1, 2))
    has_contrast = variance > 1e-12
    if not has_contrast.any():
        return float("nan")
    return float(np.median((across + down)[has_contrast] / (2 * variance[has_contrast])))


@lru_cache(maxsize=1)
def _tabulate_contrast() -> tuple[Floats, Floats]:
    """ln(ln L - digamma(L)), rising, and ln L."""
    from scipy.special import digamma

    log_looks = np.linspace(np.log(_MOST), np.log(_FEWEST), _TABLE)
    contrast = np.asarray(log_looks - digamma(np.exp(log_looks)), np.float64)
    return np.log(contrast), log_looks


def _average(values: Floats, side: int) -> Floats:
    """Means of the windows that lie inside; not by `cv2.blur`, whose running sums leave rests of what was bright."""
    edge, kernel = side // 2, np.full(side, 1.0 / side)
    means = cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel)
    return np.asarray(means[edge : values.shape[0] - edge, edge : values.shape[1] - edge], np.float64)


def _divide(top: npt.ArrayLike, bottom: npt.ArrayLike) -> Floats:
    upper, lower = np.broadcast_arrays(np.asarray(top, np.float64), np.asarray(bottom, np.float64))
    return np.asarray(np.divide(upper, lower, out=np.full(upper.shape, np.inf), where=lower > 0))


def _search(falling: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    """Where a function that falls as looks grow has the wanted values; infinite for 0."""
    low, high = np.full(wanted.shape, np.log(_FEWEST)), np.full(wanted.shape, np.log(_MOST))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_fewer = falling(np.exp(middle)) > wanted
        low, high = np.where(is_fewer, middle, low), np.where(is_fewer, high, middle)
    return np.where(wanted > 0, np.exp((low + high) / 2), np.inf)

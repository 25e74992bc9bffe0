"""Fully developed speckle of L looks in closed form: what a radar picture of even ground has to look like.

Intensity I with mean 1 follows a gamma distribution of shape L and scale 1 / L (Oliver and Quegan, Understanding SAR
Images, 2004, equation 4.9); amplitude is its root, decibels are 10 log10 of it. L need not be whole. Every function
takes L as a number or an array, more than 0, and gives float64 of its shape.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_DB_A_NEPER = 10.0 / np.log(10.0)
"""Decibels of power in one unit of the natural logarithm."""


def mean_log(looks: npt.ArrayLike) -> Floats:
    """Mean of ln I: digamma(L) - ln L, below 0."""
    from scipy.special import digamma

    n = _take(looks)
    return np.asarray(digamma(n) - np.log(n))


def variance_log(looks: npt.ArrayLike) -> Floats:
    """Variance of ln I, whatever the mean: trigamma(L)."""
    from scipy.special import polygamma

    return np.asarray(polygamma(1, _take(looks)), np.float64)


def bias_db(looks: npt.ArrayLike) -> Floats:
    """How far the mean of decibels lies below the decibels of the mean."""
    return np.asarray(_DB_A_NEPER * mean_log(looks))


def std_db(looks: npt.ArrayLike) -> Floats:
    """Standard deviation of decibels."""
    return np.asarray(_DB_A_NEPER * np.sqrt(variance_log(looks)))


def skewness_db(looks: npt.ArrayLike) -> Floats:
    """Skewness of decibels, below 0: psi''(L) / psi'(L)^1.5. That of intensity is 2 / sqrt(L)."""
    from scipy.special import polygamma

    return np.asarray(polygamma(2, _take(looks)) / variance_log(looks) ** 1.5)


def variation_of_intensity(looks: npt.ArrayLike) -> Floats:
    """Standard deviation over mean of intensity: 1 / sqrt(L)."""
    return np.asarray(1.0 / np.sqrt(_take(looks)))


def variation_of_amplitude(looks: npt.ArrayLike) -> Floats:
    """Standard deviation over mean of amplitude, from its mean Gamma(L + 1/2) / (Gamma(L) sqrt(L))."""
    from scipy.special import gammaln

    n = _take(looks)
    return np.asarray(np.sqrt(np.expm1(np.log(n) + 2 * (gammaln(n) - gammaln(n + 0.5)))))


def radiometric_resolution_db(looks: npt.ArrayLike) -> Floats:
    """10 log10(1 + 1 / sqrt(L)): the smallest step of intensity that stands out of the speckle by one deviation."""
    return np.asarray(10.0 * np.log10(1.0 + variation_of_intensity(looks)))


def entropy_bits(looks: npt.ArrayLike, bin_db: float) -> Floats:
    """Entropy of a histogram of decibels of even ground with bins of `bin_db`, bits.

    The differential entropy of ln I is L + ln Gamma(L) - L digamma(L) (the gamma distribution's, less the mean of
    ln I); a histogram with fine bins has that less the logarithm of the bin's width. Bins must be well narrower than
    `std_db`, and the scale must hold all values.
    """
    from scipy.special import digamma, gammaln

    n = _take(looks)
    nats = n + gammaln(n) - n * digamma(n) - np.log(bin_db / _DB_A_NEPER)
    return np.asarray(nats / np.log(2.0))


def _take(looks: npt.ArrayLike) -> Floats:
    values = np.asarray(looks, np.float64)
    if not (values > 0).all():
        raise ValueError("looks: wants numbers above 0.")
    return values

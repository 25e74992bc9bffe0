"""Features of colour and tone: moments of the channels, quantiles of brightness, saturation and the dark channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.light import decode_srgb

Values = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

_STORED = np.arange(256) / 255
_LINEAR = np.asarray(decode_srgb(_STORED), np.float64)
_TONES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_QUARTERS = (0.1, 0.5, 0.9)
_DARK_PATCH = 15
"""Pixels, the patch of the dark channel prior (He, Sun, Tang, CVPR 2009)."""
_WHITE_LEVEL, _WHITE_SATURATION, _DARK_LIGHT = 188, 0.15, 0.02
"""What counts as white (cloud, snow): stored level (half of the linear light) and saturation; and as dark, linear."""
_LEAST_VARIANCE = 1e-6
"""Of stored values: a quarter of a grey step; channels that vary less correlate with nothing."""


def describe_colour(picture: Bytes) -> Mapping[str, float]:
    """Features of colour and tone of an H x W x 3 sRGB picture, by name, all finite."""
    features: dict[str, float] = {}
    red, green, blue = (np.asarray(channel, np.uint8) for channel in cv2.split(picture))
    for name, channel in (("r", red), ("g", green), ("b", blue)):
        counts = _count(channel)
        features |= _prefix(f"{name}_stored", _describe_moments(counts, _STORED))
        features |= _prefix(f"{name}_light", _describe_moments(counts, _LINEAR))
    features |= _describe_chroma(np.stack([red, green, blue]))
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    grey = _count(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
    features |= _describe_quantiles("tone", grey, _STORED, _TONES)
    features |= _describe_saturation(most, least)
    patch = np.ones((_DARK_PATCH, _DARK_PATCH), np.uint8)
    dark = _count(np.asarray(cv2.erode(least, patch), np.uint8))
    features |= _prefix("dark", _describe_moments(dark, _LINEAR))
    features |= _describe_quantiles("dark", dark, _STORED, _QUARTERS)
    return features


def _describe_moments(counts: Values, values: Values) -> Mapping[str, float]:
    """Mean, standard deviation and cube root of the third central moment: all in the unit of the values."""
    mean = float(counts @ values)
    apart = values - mean
    third = float(counts @ apart**3)
    return {"mean": mean, "sd": float(np.sqrt(counts @ apart**2)), "skew": float(np.cbrt(third))}


def _describe_chroma(channels: Bytes) -> Mapping[str, float]:
    """Correlations of the channels, 3 x H x W, and the spread of colour that brightness does not explain."""
    flat = channels.reshape(3, -1).astype(np.float64)
    mean = flat.mean(axis=1)
    # Whole numbers under 2^53 add up exactly in any order: the same on every machine.
    covariance = (flat @ flat.T / flat.shape[1] - np.outer(mean, mean)) / 255**2
    deviations = np.sqrt(np.maximum(np.diag(covariance), _LEAST_VARIANCE))
    correlation = covariance / np.outer(deviations, deviations)
    red_green = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    blue_yellow = np.array([-0.5, -0.5, 1.0])
    return {
        "correlation_rg": float(correlation[0, 1]),
        "correlation_gb": float(correlation[1, 2]),
        "correlation_rb": float(correlation[0, 2]),
        "red_green_sd": float(np.sqrt(max(red_green, 0.0))),
        "blue_yellow_sd": float(np.sqrt(max(float(blue_yellow @ covariance @ blue_yellow), 0.0))),
    }


def _describe_saturation(most: Bytes, least: Bytes) -> Mapping[str, float]:
    brightest = most.astype(np.float32)
    saturation = (brightest - least) / np.maximum(brightest, 1)
    levels = _count((saturation * 255 + 0.5).astype(np.uint8))
    white = (least > _WHITE_LEVEL) & (saturation < _WHITE_SATURATION)
    dark = float(_count(most)[_LINEAR < _DARK_LIGHT].sum())
    return {
        "saturation_mean": float(levels @ _STORED),
        **_describe_quantiles("saturation", levels, _STORED, _QUARTERS),
        "white_share": float(white.mean()),
        "dark_share": dark,
    }


def _describe_quantiles(
    name: str, counts: Values, values: Values, wanted: tuple[float, ...]
) -> Mapping[str, float]:
    places = np.minimum(np.searchsorted(np.cumsum(counts), wanted), len(values) - 1)
    return {
        f"{name}_q{round(q * 100):02}": float(values[place]) for q, place in zip(wanted, places, strict=True)
    }


def _count(plane: Bytes) -> Values:
    """Share of the pixels at each of the 256 values."""
    counts = cv2.calcHist([np.ascontiguousarray(plane)], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float64).ravel() / plane.size


def _prefix(name: str, features: Mapping[str, float]) -> Mapping[str, float]:
    return dict(_name(name, features))


def _name(name: str, features: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for key, value in features.items():
        yield f"{name}_{key}", value

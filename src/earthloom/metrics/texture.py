"""Features of texture: contrast by scale, direction of edges, slope of the spectrum, contrast against brightness."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

N_SCALES = 5
"""Octaves of the Laplacian pyramid (Burt and Adelson, IEEE Trans. Communications 1983), from the finest."""
N_DIRECTIONS = 8
_N_RINGS = 8
_BLOCK = 16
"""Pixels, side of the blocks of local contrast."""
_STEP = 1 / 255
"""One grey step: added before logarithms, so that flat pictures stay finite."""


def describe_texture(picture: Bytes) -> Mapping[str, float]:
    """Features of texture of the stored grey of an H x W x 3 sRGB picture, by name, all finite."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    return {
        **_describe_scales(grey),
        **_describe_edges(grey),
        **_describe_spectrum(grey),
        **_describe_blocks(grey),
    }


def _describe_scales(grey: Plane) -> Mapping[str, float]:
    """Log contrast of each octave, and how evenly it is spread (mean deviation over standard deviation)."""
    features: dict[str, float] = {}
    for scale in range(N_SCALES):
        smaller = cv2.pyrDown(grey)
        band = grey - cv2.pyrUp(smaller, dstsize=(grey.shape[1], grey.shape[0]))
        deviation = float(np.sqrt(np.square(band).mean(dtype=np.float64)))
        features[f"contrast_{2**scale}px"] = float(np.log(deviation + _STEP / 4))
        features[f"evenness_{2**scale}px"] = float(np.abs(band).mean(dtype=np.float64)) / (
            deviation + _STEP / 4
        )
        grey = cast(Plane, smaller)
    return features


def _describe_edges(grey: Plane) -> Mapping[str, float]:
    """Share of the gradient in each of eight directions, 0 to 180 degrees; strength and share of strong edges."""
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    magnitude, angle = cv2.cartToPolar(across, down)
    turns = np.asarray(angle * np.float32(N_DIRECTIONS / np.pi), np.uint8)
    energy = np.bincount(turns.ravel(), weights=magnitude.ravel(), minlength=2 * N_DIRECTIONS + 1)
    energy = energy[:N_DIRECTIONS] + energy[N_DIRECTIONS : 2 * N_DIRECTIONS]
    total = float(energy.sum())
    shares = energy / total if total > _STEP else np.full(N_DIRECTIONS, 1 / N_DIRECTIONS)
    strength = float(magnitude.mean(dtype=np.float64))
    return {
        **{f"direction_{180 * i // N_DIRECTIONS}deg": float(share) for i, share in enumerate(shares)},
        "edge_strength": float(np.log(strength + _STEP / 8)),
        "edge_share": float((magnitude > 2 * strength + _STEP).mean()),
    }


def _describe_spectrum(grey: Plane) -> Mapping[str, float]:
    """Slope of log amplitude over log frequency and what each ring of frequencies has above or below that line."""
    side = min(*grey.shape, 256)
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    cut = grey[top : top + side, left : left + side]
    window, rings, frequencies, sizes = _lay_rings(side)
    spectrum = np.fft.rfft2((cut - cut.mean()) * window)
    power = np.bincount(rings, weights=(spectrum.real**2 + spectrum.imag**2).ravel(), minlength=_N_RINGS + 1)
    amplitude = np.log(np.sqrt(power[1:] / sizes) / side + _STEP / 8)
    slope, level = np.polyfit(frequencies, amplitude, 1)
    above = amplitude - (slope * frequencies + level)
    return {
        "spectrum_slope": float(slope),
        **{f"spectrum_ring{i}": float(value) for i, value in enumerate(above)},
    }


@lru_cache(maxsize=8)
def _lay_rings(
    side: int,
) -> tuple[Plane, npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Hann window, ring of each frequency (0: none), log frequency of each ring, frequencies in it."""
    profile = np.hanning(side)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]).ravel()
    bounds = np.geomspace(2 / side, 0.5, _N_RINGS + 1)
    rings = np.digitize(radius, bounds) % (_N_RINGS + 1)
    sizes = np.maximum(np.bincount(rings, minlength=_N_RINGS + 1)[1:], 1).astype(np.float64)
    frequencies = np.log(np.sqrt(bounds[1:] * bounds[:-1]))
    return np.outer(profile, profile).astype(np.float32), rings, frequencies, sizes


def _describe_blocks(grey: Plane) -> Mapping[str, float]:
    """Contrast inside blocks of 16 pixels: quantiles, correlation with brightness, share of what lies between."""
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    cut = grey[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    means = cut.mean(axis=(1, 3), dtype=np.float64)
    deviations = np.sqrt(np.maximum(np.square(cut).mean(axis=(1, 3), dtype=np.float64) - means**2, 0))
    between, within = float(means.var()), float(np.square(deviations).mean())
    logs = np.log(deviations + _STEP / 4)
    spread = float(means.std() * logs.std())
    together = float(((means - means.mean()) * (logs - logs.mean())).mean())
    return {
        **{f"block_contrast_q{q}": float(np.quantile(logs, q / 100)) for q in (10, 50, 90)},
        "block_contrast_by_brightness": together / (spread + _STEP**2),
        "block_between_share": between / (between + within + _STEP**2),
    }

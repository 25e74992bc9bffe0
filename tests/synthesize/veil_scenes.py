"""Grounds to lay veils over, and what their tests measure with formulas of their own."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from scipy import ndimage

from earthloom.core.light import Light, to_light
from earthloom.core.records import Modality
from earthloom.synthesize.stack import DISPLAY_UM, Layer, Mask, Stack, View

Array = npt.NDArray[np.float64]


def make_ground(height: int = 256, width: int = 256, channels: int = 3, *, seed: int = 0) -> Light:
    """Fields of different brightness with texture on them: linear light, .02 to .5."""
    rng = np.random.default_rng(seed)
    cells = rng.uniform(0.05, 0.4, (height // 32 + 1, width // 32 + 1, channels))
    fields = np.repeat(np.repeat(cells, 32, axis=0), 32, axis=1)[:height, :width]
    texture = ndimage.gaussian_filter(rng.normal(0, 0.1, (height, width, 1)), (1, 1, 0))
    return np.clip(fields + texture, 0.02, 0.5).astype(np.float32)


def make_stack(
    rgb: Light | None,
    nir: Light | None = None,
    *,
    pixel_m: float | None = None,
    valid: Mask | None = None,
) -> Stack:
    """A stack of RGB, NIR or both, H x W x 3 and H x W x 1."""
    pictures = ((Modality.RGB, rgb), (Modality.NIR, nir))
    layers = tuple(
        Layer(modality=modality, light=light, wavelengths_um=DISPLAY_UM[modality])
        for modality, light in pictures
        if light is not None
    )
    height, width = layers[0].light.shape[:2]
    return Stack(view=View(height=height, width=width, pixel_m=pixel_m), layers=layers, valid=valid)


def read_naip(real_data: Path) -> tuple[Light, Light]:
    """RGB and NIR of 512 x 512 pixels of North Dakota."""
    with rasterio.open(sorted((real_data / "naip").glob("*.tif"))[2]) as dataset:
        bands = np.moveaxis(dataset.read()[:, 100:612, 200:712], 0, -1)
    light = to_light(np.ascontiguousarray(bands))
    return np.ascontiguousarray(light[:, :, :3]), np.ascontiguousarray(light[:, :, 3:])


def read_plain(path: Path) -> npt.NDArray[np.uint16]:
    """The one band of a raster that lies nowhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as dataset:
            band: npt.NDArray[np.uint16] = dataset.read(1)
    return band


def correlate_gradients(before: Array, after: Array) -> float:
    """Pearson correlation of Prewitt gradient magnitudes (METHODS 1.7)."""
    sizes = [np.hypot(ndimage.prewitt(x, 0), ndimage.prewitt(x, 1)).ravel() for x in (before, after)]
    return float(np.corrcoef(*sizes)[0, 1])


def compare_structure(before: Array, after: Array) -> float:
    """Mean structure term of SSIM: (cov + C3) / (sd sd + C3), windows of sigma 1.5, C3 = .03^2 / 2."""
    c3 = 0.03**2 / 2

    def blur(x: Array) -> Array:
        return np.asarray(ndimage.gaussian_filter(x, 1.5))

    mean_a, mean_b = blur(before), blur(after)
    var_a = np.maximum(blur(before**2) - mean_a**2, 0)
    var_b = np.maximum(blur(after**2) - mean_b**2, 0)
    covariance = blur(before * after) - mean_a * mean_b
    return float(((covariance + c3) / (np.sqrt(var_a * var_b) + c3)).mean())


def measure_slope(field: npt.NDArray[np.floating], low: float = 0.01, high: float = 0.2) -> float:
    """Beta of a power spectrum k^-beta: line through the logarithm of a radial periodogram under a Hann window."""
    rows, columns = field.shape
    window = np.hanning(rows)[:, None] * np.hanning(columns)
    power = np.abs(np.fft.fft2((field - field.mean()) * window)) ** 2
    k = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
    edges = np.geomspace(low, high, 16)
    rings = [(k >= a) & (k < b) for a, b in pairwise(edges)]
    x = [np.log(k[ring]).mean() for ring in rings]
    y = [np.log(power[ring].mean()) for ring in rings]
    return float(-np.polyfit(x, y, 1)[0])

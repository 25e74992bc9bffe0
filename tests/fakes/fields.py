"""Plausible pixels for made datasets: smooth fields with some texture, small on disk."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning


def draw_fields(seed: int, n: int, height: int, width: int, grain: int = 24) -> npt.NDArray[np.float64]:
    """Give n smooth fields, n x height x width, each between 0 and 1; features are some `grain` pixels wide."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(n, height // grain + 3, width // grain + 3))
    fields = np.stack([cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in coarse])
    low = fields.min(axis=(1, 2), keepdims=True)
    high = fields.max(axis=(1, 2), keepdims=True)
    scaled: npt.NDArray[np.float64] = (fields - low) / (high - low)
    return scaled


def draw_classes(seed: int, n: int, height: int, width: int, grain: int = 24) -> npt.NDArray[np.uint8]:
    """Give a map of n classes, height x width, 0 to n - 1."""
    fields = draw_fields(seed, n, height, width, grain)
    classes: npt.NDArray[np.uint8] = np.argmax(fields, axis=0).astype(np.uint8)
    return classes


def draw_picture(seed: int, height: int, width: int, channels: int = 3) -> npt.NDArray[np.uint8]:
    """Give a textured picture, height x width x channels, 8-bit."""
    tint = draw_fields(seed, channels, height, width, 60)
    large = draw_fields(seed + 1, 1, height, width, 40)
    small = draw_fields(seed + 2, 1, height, width, 3)
    picture = 20 + 30 * tint + 130 * large + 50 * small
    return np.ascontiguousarray(np.moveaxis(picture, 0, 2).round().astype(np.uint8))


def write_tiff(path: Path, pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], **options: object) -> None:
    """Write a TIFF without a geo-reference, height x width x channels, compressed; `options` are GDAL's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, count = pixels.shape
    profile = {"compress": "deflate", "predictor": 2, "interleave": "pixel", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=width,
            height=height,
            count=count,
            dtype=pixels.dtype.name,
            **profile,
        ) as file:
            file.write(np.moveaxis(pixels, 2, 0))


def read_tiff(path: Path) -> npt.NDArray[np.uint8]:
    """Read a TIFF that `write_tiff` wrote, height x width x channels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            return np.ascontiguousarray(np.moveaxis(file.read(), 0, 2))

"""The scale on which pixel values may be averaged, and the way there and back.

Optics and radar add up power. Pictures are stored on a perceptual scale (sRGB) and backscatter in decibels or
as amplitude; a mean taken there is wrong (speckle with L = 4.4 looks loses 0.6 dB when averaged in dB), so
values are made linear, resampled, and turned back.

    quantity     linear                                  measured (what limits of a stretch refer to)
    display      sRGB decoded, 0 to 1                    stored values
    counts       scale * stored + offset                 the same
    db           10^(dB/10), dB = scale*stored+offset    dB
    intensity    scale * stored + offset                 10 log10
    amplitude    (scale * stored + offset)^2             10 log10 of it, = 20 log10 of the amplitude
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.light import decoding_table, encode_srgb
from earthloom.core.records import Quantity, Reason, Scene

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.floating]
Valid = npt.NDArray[np.bool_] | None
"""HxW, True where pixels hold data; None where all do."""

POWER = frozenset({Quantity.DB, Quantity.INTENSITY, Quantity.AMPLITUDE})
"""Quantities of radar, measured in dB."""
_NO_POWER = np.float32(1e-30)
"""-300 dB: what a cubic's undershoot below zero counts as."""


def check_pixel_type(scene: Scene) -> None:
    """Refuse pixel types without an order, such as complex ones."""
    name = scene.dtype
    if name.startswith("complex") or np.dtype(name).kind not in "uif":
        raise RecordError(
            Reason.UNSUPPORTED_PIXELS,
            f"pixels of type {name}; wanted real numbers: detect complex SAR first (amplitude or intensity)",
        )


def is_display(scene: Scene) -> bool:
    """Whether stored values are already an 8-bit picture."""
    return scene.quantity is Quantity.DISPLAY and scene.dtype == "uint8" and not _is_scaled(scene)


def to_linear(values: Array, scene: Scene) -> npt.NDArray[np.float32]:
    """Make stored values (HxWxC) linear, float32; NaN or infinite where a logarithm has no value."""
    if scene.quantity is Quantity.DISPLAY and (table := decoding_table(values.dtype.str)) is not None:
        linear = cv2.LUT(values, table) if values.dtype == np.uint8 else table[values]
        return linear.reshape(values.shape)
    physical = _to_physical(values, scene)
    if scene.quantity is Quantity.DB:
        return np.power(10.0, physical / 10).astype(np.float32, copy=False)
    if scene.quantity is Quantity.AMPLITUDE:
        return np.square(physical).astype(np.float32, copy=False)
    return physical.astype(np.float32, copy=False)


def from_linear(linear: Floats, scene: Scene) -> Floats:
    """Turn linear values into measured ones (display values, counts or dB)."""
    if scene.quantity in POWER:
        return _to_db(np.maximum(linear, _NO_POWER))
    if scene.quantity is Quantity.DISPLAY and decoding_table(np.dtype(scene.dtype).str) is not None:
        white = np.iinfo(scene.dtype).max
        return np.multiply(encode_srgb(np.clip(linear, 0, 1)), white)
    return linear


def measure(values: Array, scene: Scene) -> Floats:
    """Turn stored values into measured ones (display values, counts or dB) without resampling."""
    physical = _to_physical(values, scene)
    if scene.quantity is Quantity.INTENSITY:
        return _to_db(physical)
    if scene.quantity is Quantity.AMPLITUDE:
        return 2 * _to_db(physical)
    return physical


def has_logarithm(scene: Scene) -> bool:
    """Whether values of 0 and below are invalid: power and amplitude are positive."""
    return scene.quantity in {Quantity.INTENSITY, Quantity.AMPLITUDE}


def find_positive(values: Array, scene: Scene) -> npt.NDArray[np.bool_]:
    """Where stored power or amplitude (HxWxC) is above 0 in all channels: HxW."""
    return np.asarray((_to_physical(values, scene) > 0).all(axis=2))


def _is_scaled(scene: Scene) -> bool:
    return scene.scale != 1.0 or scene.offset != 0.0


def _to_physical(values: Array, scene: Scene) -> Floats:
    """Apply scale and offset; float32 where it holds the stored values exactly, float64 otherwise."""
    exact = values.dtype.itemsize <= 2 or values.dtype == np.float32
    floats: Floats = values.astype(np.float32 if exact else np.float64, copy=False)
    return floats * scene.scale + scene.offset if _is_scaled(scene) else floats


def _to_db(power: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(power)

"""The two scales of a picture: sRGB as it is stored and linear light, in which light may be added and averaged."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Light = npt.NDArray[np.float32]
"""Linear light, 0 to 1, where 1 is the display's white."""

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of linear R, G, B (ITU-R BT.709)."""
_LINEAR_LEVELS = 2**16 - 1


def to_light(picture: npt.NDArray[np.uint8]) -> Light:
    """Decode 8-bit sRGB of any shape to linear light."""
    table = cast(Light, decoding_table("|u1"))
    return cast(Light, cv2.LUT(picture, table).reshape(picture.shape))


def to_display(linear: Light) -> npt.NDArray[np.uint8]:
    """Encode linear light as 8-bit sRGB through a table of 65,536 levels (error under 0.03 of a step)."""
    levels = linear * np.float32(_LINEAR_LEVELS)
    levels += 0.5
    return _encoding_table().take(np.clip(levels, 0, _LINEAR_LEVELS, out=levels).astype(np.uint16))


@lru_cache(maxsize=4)
def decoding_table(dtype: str) -> Light | None:
    """Linear light of every stored value of an unsigned picture; None for other types, which are taken as linear."""
    kind = np.dtype(dtype)
    if kind not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        return None
    white = np.iinfo(kind).max
    return decode_srgb(np.arange(white + 1) / white).astype(np.float32)


@lru_cache(maxsize=1)
def _encoding_table() -> npt.NDArray[np.uint8]:
    encoded = encode_srgb(np.arange(_LINEAR_LEVELS + 1) / _LINEAR_LEVELS)
    return np.asarray(np.round(encoded * 255), np.uint8)


def decode_srgb(encoded: Floats) -> Floats:
    """Turn sRGB, 0 to 1, into linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: Floats) -> Floats:
    """Turn linear light, 0 to 1, into sRGB (IEC 61966-2-1)."""
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )

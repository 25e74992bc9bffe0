"""Averaging of areas of 8-bit pictures, faster than OpenCV where the ratio is one of small numbers.

OpenCV's INTER_AREA goes pixel by pixel when the ratio is no whole number: 2.2 ms for 640 to 512 pixels, the largest
part of the work on such a picture. But 640 to 512 is 5 to 4, so every fourth output row mixes the same two rows of
every block of five: four weighted sums of whole rows are a pass, two passes and two transpositions the picture, in
0.9 ms. Between the passes values are rounded to 8 bits: the result is within 1 of the exact mean.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_MAX_PHASES = 256
"""From here on the calls cost what OpenCV's way costs (docs/log.md, 2026-11-21)."""


def average_areas(image: Image, size: int) -> Image:
    """Shrink HxWxC to `size` x `size`, each pixel the mean of the area it covers; H and W are at least `size`."""
    taps = _find_taps(image.shape[0], size), _find_taps(image.shape[1], size)
    if taps[0] is None or taps[1] is None:
        shrunk: Image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        return shrunk.reshape(size, size, -1)
    upright = _mix_rows(np.ascontiguousarray(image), taps[0])
    lying = _mix_rows(_transpose(upright), taps[1])
    return _transpose(lying)


@lru_cache(maxsize=256)
def _find_taps(length: int, size: int) -> tuple[tuple[int, float], ...] | None:
    """For each output row of a block its first source row and the weight of that; the next row has the rest.

    None where that does not describe it: a whole ratio, rows that mix more than two, blocks of too many rows.
    """
    blocks = math.gcd(length, size)
    m, n = length // blocks, size // blocks
    if not 1 < n <= _MAX_PHASES:
        return None
    spans = [(i * m, (i + 1) * m) for i in range(n)]  # in units of an n-th of a source row
    if any((stop - 1) // n - start // n > 1 for start, stop in spans):
        return None
    return tuple((start // n, ((start // n + 1) * n - start) / m) for start, _ in spans)


def _mix_rows(image: Image, taps: tuple[tuple[int, float], ...]) -> Image:
    """Shrink along the first axis."""
    height, width, n_channels = image.shape
    n_blocks = height // (taps[-1][0] + 2)
    blocks = image.reshape(n_blocks, -1, width * n_channels)
    mixed = np.empty((n_blocks, len(taps), width * n_channels), np.uint8)
    for i, (first, weight) in enumerate(taps):
        cv2.addWeighted(blocks[:, first], weight, blocks[:, first + 1], 1 - weight, 0, dst=mixed[:, i])
    return mixed.reshape(-1, width, n_channels)


def _transpose(image: Image) -> Image:
    turned: Image = cv2.transpose(image)
    return turned.reshape(image.shape[1], image.shape[0], -1)

"""Functions whose last bit does not depend on the processor: the same seed is to give the same bytes anywhere.

NumPy picks other code for `exp`, `log`, `sin` and powers on processors with AVX-512 than on those without, and
its results then differ in the last bit. OpenCV's are alike on all processors with AVX2; the sine is made of sums
and products alone, which are alike everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Raster = NDArray[np.float32]

_SINE = tuple((-1) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(4))

Reals = TypeVar("Reals", NDArray[np.float32], NDArray[np.float64])


def exp(x: Reals) -> Reals:
    """E to the power of x; any shape, float32 or float64."""
    return _apply(cv2.exp, x)


def log10(x: Reals) -> Reals:
    """Decimal logarithm of positive numbers; any shape, float32 or float64."""
    out = _apply(cv2.log, x)
    out *= 1 / math.log(10)
    return out


def power(x: Reals, exponent: float) -> Reals:
    """Positive numbers to a power; any shape, float32 or float64."""
    return _apply(lambda flat: cv2.pow(flat, exponent), x)


def sine(turns: Raster) -> Raster:
    """Sine of 2 pi `turns`, float32, to 2e-4: the first terms of its series within a quarter turn of zero."""
    shifted = turns - np.float32(0.25)
    x: Raster = np.float32(0.25) - np.abs(shifted - np.rint(shifted))
    square = x * x
    out: Raster = square * np.float32(_SINE[3])
    for coefficient in (_SINE[2], _SINE[1]):
        out += np.float32(coefficient)
        out *= square
    out += np.float32(_SINE[0])
    out *= x
    return out


def _apply(function: Callable[[Reals], Reals], x: Reals) -> Reals:
    """Apply an OpenCV function, which takes images, to any shape.

    Only to real numbers: OpenCV 5 takes 64-bit integers too, and then writes beyond its buffers.
    """
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f"wanted float32 or float64, got {x.dtype}")
    flat = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    return function(flat).reshape(x.shape)

"""Perceptual hashes: 64 bits that hardly change where a picture is compressed, scaled or brightened.

Zauner, Implementation and benchmarking of perceptual image hash functions, 2010: which of the 8 x 8 lowest frequencies
of the cosine transform of the 32 x 32 grey picture are above their median. Bits are those of `imagehash.phash`, which
most tables of the field use. Unrelated ground differs by 12 bits and more, a compressed copy by 0 to 2; uniform fog is
not seen at all, a turned picture is seen as another one, and all flat pictures are alike: `is_flat` tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.core.errors import UsageError
from earthloom.metrics.thumbnails import TURNS, Picture, turn

Hashes = npt.NDArray[np.uint64]
"""N."""

COPY_BITS = 4
"""Hashes that differ by no more are of one picture; between 4 and 6 is safe (unrelated pairs: 12 and more)."""
FLAT_STD = 3.0
"""Grey levels below which a picture has nothing to hash."""
_SIDE, _KEPT = 32, 8
_BYTES = 2**25
"""Of a block of differences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """Generated pictures whose hash is that of a training picture."""

    n_copies: int
    n_compared: int
    n_flat: int
    """Generated pictures that were compared with nothing."""
    bits: int


def hash_picture(picture: Picture) -> int:
    """The hash of an H x W x 3 sRGB picture: the lowest frequency, left upper, is the highest bit."""
    from scipy.fft import dctn

    grey = np.asarray(_grey(picture).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    low = dctn(grey, type=2)[:_KEPT, :_KEPT]
    bits = np.packbits(low > np.median(low))
    return int.from_bytes(bits.tobytes(), "big")


def hash_pictures(pictures: Sequence[Picture]) -> Hashes:
    """The hash of each picture."""
    return np.array([hash_picture(picture) for picture in pictures], np.uint64)


def is_flat(picture: Picture) -> bool:
    """Whether a picture has so little in it that its hash says nothing."""
    return bool(np.asarray(_grey(picture), np.float64).std() < FLAT_STD)


def count_copies(
    train: Sequence[Picture], generated: Sequence[Picture], *, bits: int = COPY_BITS, turned: bool = True
) -> Copies:
    """Count the generated pictures within `bits` of a training picture; flat ones are compared with nothing.

    Args:
        train: H x W x 3 each.
        generated: H x W x 3 each.
        bits: most that a copy differs by.
        turned: whether any of the eight turns of a generated picture counts.

    Raises:
        UsageError: for a picture of another shape or type.

    """
    known = hash_pictures([picture for picture in train if not is_flat(picture)])
    asked = [picture for picture in generated if not is_flat(picture)]
    is_copy = np.zeros(len(asked), np.bool_)
    for one in TURNS if turned else TURNS[:1]:
        hashes = hash_pictures([np.ascontiguousarray(turn(picture[None], one)[0]) for picture in asked])
        is_copy |= least_bits(hashes, known) <= bits
    return Copies(
        n_copies=int(is_copy.sum()), n_compared=len(asked), n_flat=len(generated) - len(asked), bits=bits
    )


def least_bits(queries: Hashes, references: Hashes) -> npt.NDArray[np.int64]:
    """Bits between each query and the nearest reference; 65 where there is no reference."""
    least = np.full(len(queries), 65, np.int64)
    if len(references):
        rows = max(1, _BYTES // (8 * len(references)))
        for start in range(0, len(queries), rows):
            apart = np.bitwise_count(queries[start : start + rows, None] ^ references)
            least[start : start + rows] = apart.min(axis=1)
    return least


def _grey(picture: Picture) -> Image.Image:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    return Image.fromarray(picture).convert("L")

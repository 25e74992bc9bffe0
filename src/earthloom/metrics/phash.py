"""Perceptual hashes: 64 bits that hardly change where a picture is compressed, scaled or brightened.

Zauner, Implementation and benchmarking of perceptual image hash functions, 2010: which of the 8 x 8 lowest frequencies
of the cosine transform of the 32 x 32 grey picture are above their median. Bits are those of `imagehash.phash`, which
most tables of the field use. Two unrelated grounds differ by 12 bits and more, a compressed copy by 0 to 2; among many
some are nearer: of 3,000 pictures of EuroSAT 0.15 % lie within 4 bits of one of 12,000 others in any of eight turns.
Uniform fog is not seen at all, a turned picture is seen as another one, and all flat pictures are alike: `is_flat`
tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import split_rows
from earthloom.metrics.thumbnails import TURNS, Picture, Turn, turn

Hashes = npt.NDArray[np.uint64]
"""N."""
Frequencies = npt.NDArray[np.floating]
"""N x `WIDTH`, of the cosine transform."""

COPY_BITS = 4
"""Hashes that differ by no more are of one picture; between 4 and 6 is safe (unrelated pairs: 12 and more)."""
FLAT_STD = 3.0
"""Grey levels below which a picture has nothing to hash."""
_SIDE, _KEPT = 32, 8
WIDTH = _KEPT * _KEPT
"""Frequencies, and bits of a hash."""
_COSINES = 2 * np.cos(np.pi * np.arange(_KEPT)[:, None] * (2 * np.arange(_SIDE) + 1) / (2 * _SIDE))
"""The lowest rows of the cosine transform (type 2, not normalised)."""
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NearestHashes:
    """The nearest hash to each of N."""

    index: npt.NDArray[np.int64]
    """N, in the set that was searched."""
    bits: npt.NDArray[np.int64]
    """N, 0 to 64 that differ."""


def hash_picture(picture: Picture) -> int:
    """The hash of an H x W x 3 sRGB picture: the lowest frequency, left upper, is the highest bit."""
    return int(hash_frequencies(find_frequencies(picture)[None])[0])


def find_frequencies(picture: Picture) -> npt.NDArray[np.float64]:
    """The lowest frequencies of an H x W x 3 sRGB picture, `WIDTH` in rows, from which its hashes are made."""
    grey = np.asarray(_grey(picture).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    return np.asarray(_COSINES @ grey @ _COSINES.T, np.float64).ravel()


def hash_frequencies(frequencies: Frequencies, by: Turn = TURNS[0]) -> Hashes:
    """Hashes of N pictures that are turned first, from the frequencies of those that are not.

    To mirror a picture changes the signs of its odd frequencies along that side, to turn it also swaps the sides: no
    pixel is needed again.

    Raises:
        UsageError: frequencies are not N x `WIDTH`.

    """
    if frequencies.ndim != 2 or frequencies.shape[1] != WIDTH:
        raise UsageError(f"N x {WIDTH} frequencies were wanted, got {frequencies.shape}.")
    quarters, is_mirrored = by
    low = frequencies.reshape(-1, _KEPT, _KEPT)
    sign = np.where(np.arange(_KEPT) % 2, -1.0, 1.0)
    if is_mirrored:
        low = low * sign
    for _ in range(quarters):  # a quarter turn to the left: swap the sides, then turn the rows around
        low = low.transpose(0, 2, 1) * sign[:, None]
    flat = low.reshape(len(low), -1)
    bits = np.packbits(flat > np.median(flat, axis=1, keepdims=True), axis=1)
    return np.ascontiguousarray(bits).view(">u8")[:, 0].astype(np.uint64)


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
    return find_nearest_hashes(queries, references).bits


def find_nearest_hashes(queries: Hashes, references: Hashes) -> NearestHashes:
    """The nearest reference to each query, the first of several; bits are 65 where there is no reference."""
    index, bits = np.zeros(len(queries), np.int64), np.full(len(queries), 65, np.int64)
    if len(references):
        for rows in split_rows(len(queries), max(1, _BYTES // (8 * len(references)))):
            apart = np.bitwise_count(queries[rows, None] ^ references)
            index[rows] = apart.argmin(axis=1)
            bits[rows] = np.take_along_axis(apart, index[rows, None], axis=1)[:, 0]
    return NearestHashes(index=index, bits=bits)


def find_nearest_turned_hashes(queries: Frequencies, references: Frequencies) -> NearestHashes:
    """The same of pictures by their frequencies, however those of the queries are turned."""
    known = hash_frequencies(references)
    best = find_nearest_hashes(hash_frequencies(queries), known)
    for by in TURNS[1:]:
        found = find_nearest_hashes(hash_frequencies(queries, by), known)
        is_nearer = found.bits < best.bits
        best = NearestHashes(
            index=np.where(is_nearer, found.index, best.index), bits=np.minimum(found.bits, best.bits)
        )
    return best


def _grey(picture: Picture) -> Image.Image:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    return Image.fromarray(picture).convert("L")

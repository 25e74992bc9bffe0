"""Memorisation of pictures without a network: distances of thumbnails, in any of the eight turns.

The distance is the root mean square over pixels and channels on a scale of 0 to 1 (Carlini et al., Extracting training
data from diffusion models, USENIX Security 2023, section 4.2, at 32 x 32 pixels). A picture from above is the same
ground however it is turned or mirrored, and a trainer turns it at will: so may a copy be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.feature_sets import Features
from earthloom.metrics.neighbours import Memorisation, Nearest, find_nearest, judge_memorisation

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""
Thumbnails = npt.NDArray[np.float64]
"""N x side x side x 3, 0 to 1."""

SIDE = 32
"""Pixels."""
Number = TypeVar("Number", bound=np.generic)
Turn = tuple[int, bool]
"""Quarter turns, and whether the picture is mirrored before."""
TURNS: tuple[Turn, ...] = tuple((quarters, mirrored) for mirrored in (False, True) for quarters in range(4))
"""All eight; the first leaves a picture as it is."""


def shrink_pictures(pictures: Sequence[Picture], side: int = SIDE) -> Thumbnails:
    """Thumbnails by the mean of areas; shapes may differ and are made square.

    Raises:
        UsageError: for none, or a picture of another type or with a side below `side`.

    """
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
        if min(picture.shape[:2]) < side:
            raise UsageError(f"A side of at least {side} pixels was wanted, got {picture.shape[:2]}.")
    if not pictures:
        raise UsageError("At least one picture was wanted, got none.")
    light = (np.asarray(picture, np.float32) / np.float32(255) for picture in pictures)
    return np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in light]).astype(
        np.float64
    )


def measure_picture_memorisation(
    train: Sequence[Picture], generated: Sequence[Picture], *, side: int = SIDE, turned: bool = True
) -> Memorisation:
    """Compare distances of thumbnails, the least over all turns unless `turned` is false.

    Raises:
        UsageError: see `shrink_pictures`; at least two training pictures are wanted.

    """
    learnt, made = shrink_pictures(train, side), shrink_pictures(generated, side)
    turns = TURNS if turned else TURNS[:1]
    return judge_memorisation(
        find_nearest_turned(learnt, learnt, turns, omit_own=True), find_nearest_turned(made, learnt, turns)
    )


def find_nearest_turned(
    queries: Thumbnails, references: Thumbnails, turns: Sequence[Turn] = TURNS, *, omit_own: bool = False
) -> Nearest:
    """The nearest reference to each query, however the query is turned: see `find_nearest`."""
    flat = _flatten(references)
    best: Nearest | None = None
    for one in turns:
        found = find_nearest(_flatten(turn(queries, one)), flat, omit_own=omit_own)
        if best is not None:
            is_nearer = found.distance < best.distance
            found = Nearest(
                index=np.where(is_nearer, found.index, best.index),
                distance=np.minimum(found.distance, best.distance),
            )
        best = found
    if best is None:
        raise UsageError("At least one turn was wanted, got none.")
    return best


def turn(pictures: npt.NDArray[Number], by: Turn) -> npt.NDArray[Number]:
    """N x side x side x 3, mirrored left to right where wanted, then turned by quarters."""
    quarters, is_mirrored = by
    return np.rot90(pictures[:, :, ::-1] if is_mirrored else pictures, quarters, axes=(1, 2))


def _flatten(thumbnails: Thumbnails) -> Features:
    """N x D whose Euclidean distances are roots of mean squares."""
    flat = thumbnails.reshape(len(thumbnails), -1)
    return np.asarray(flat / np.sqrt(flat.shape[1]))

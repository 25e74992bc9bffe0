"""What every encoder has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Picture = npt.NDArray[np.uint8]
"""H x W x 3, sRGB."""
Pictures = Sequence[Picture]
"""Sizes may differ."""
Prepared = npt.NDArray[np.uint8] | npt.NDArray[np.float32] | npt.NDArray[np.float64]
"""One picture as a network takes it: 3 x S x S, or its features where there is no network."""
Features = npt.NDArray[np.float64]
"""N x D."""


class Encoder(Protocol):
    """Turns pictures into features, in two steps: threads may prepare pictures while the network encodes others."""

    @property
    def name(self) -> str:
        """Such as `dinov2`."""

    @property
    def version(self) -> str:
        """Fingerprint of the weights: features of different versions are not comparable."""

    @property
    def resize(self) -> str:
        """How pictures are brought to the side of the network, in words: `NAME@VERSION: what is done`."""

    @property
    def width(self) -> int:
        """D."""

    @property
    def batch(self) -> int:
        """Pictures that are best encoded at once."""

    @property
    def frechet(self) -> str:
        """What the Fréchet distance of these features is called, such as `FID` or `FD-DINOv2`."""

    @property
    def kernel(self) -> str:
        """What the kernel distance (squared MMD) of these features is called, such as `KID` or `KD-DINOv2`."""

    def prepare(self, picture: Picture) -> Prepared:
        """Resize a picture. May be called from several threads. Raises `UsageError` for another shape or type."""

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features of prepared pictures, N x D; N of 0 is allowed."""

    def describe(self, pictures: Pictures) -> Features:
        """Both steps, batch after batch."""


def describe_in_batches(encoder: Encoder, pictures: Pictures) -> Features:
    """Prepare and encode one batch after the other, N x D: no more than one is in memory."""
    starts = range(0, len(pictures), encoder.batch)
    parts = [
        encoder.encode([encoder.prepare(picture) for picture in pictures[start : start + encoder.batch]])
        for start in starts
    ]
    return np.concatenate([np.empty((0, encoder.width)), *parts])


def name_encoder(encoder: Encoder) -> str:
    """Name and version: only features of one version can be compared."""
    return f"{encoder.name}@{encoder.version}"


def check_picture(picture: Picture) -> Picture:
    """Give a picture back with its rows one after the other in memory; raises `UsageError` where it is none."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise UsageError(f"H x W x 3 of uint8 was wanted, got {picture.dtype} of shape {picture.shape}.")
    return np.ascontiguousarray(picture)

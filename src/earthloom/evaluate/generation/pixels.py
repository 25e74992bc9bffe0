"""Plain descriptions of pixels in the place of an encoder, to know a picture again by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from earthloom.metrics import patterns, phash
from earthloom.models.encoders.encoder import Features, Picture, Pictures, Prepared, describe_in_batches


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelEncoder:
    """A plain description of pixels, read in one go with the features of networks and kept as these are."""

    name: str
    version: str
    resize: str
    width: int
    take: Callable[[Picture], Prepared]
    """From an H x W x 3 picture to its `width` numbers. Raises `UsageError`."""
    batch: int = 64

    @property
    def frechet(self) -> str:
        """No distance of sets is taken of pixels; the name is what it would be."""
        return f"FD-{self.name}"

    @property
    def kernel(self) -> str:
        """Likewise."""
        return f"KD-{self.name}"

    def prepare(self, picture: Picture) -> Prepared:
        """The numbers themselves. Raises `UsageError` for another shape or type."""
        return self.take(picture)

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """N x `width`."""
        return np.stack(prepared).astype(np.float64) if prepared else np.empty((0, self.width))

    def describe(self, pictures: Pictures) -> Features:
        """Both."""
        return describe_in_batches(self, pictures)


THUMBNAIL = PixelEncoder(
    name="thumbnail",
    version="1",
    resize=f"area@1: grey, {patterns.SIDE} x {patterns.SIDE} px by the mean of areas; less its mean, of length 1",
    width=patterns.WIDTH,
    take=patterns.shrink_grey,
)
PHASH = PixelEncoder(
    name="phash",
    version="1",
    resize="lanczos@1: grey, 32 x 32 px; the 8 x 8 lowest frequencies, above or below their median",
    width=phash.WIDTH,
    take=phash.find_frequencies,
)
PIXELS = (THUMBNAIL, PHASH)

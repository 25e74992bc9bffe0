"""From a sample's encoded picture to a square of so many pixels: decoded, scaled, cropped, turned."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.images import MAX_DECODED_BYTES, decode_image, probe_image, to_levels
from earthloom.core.records import Reason
from earthloom.store.shown import decode_display
from earthloom.store.stream.sample import Sample

Picture = npt.NDArray[np.uint8]
"""H x W x C, 8 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Square:
    """How pictures of any size become squares of one."""

    side: int
    """Pixels."""
    scale: bool = True
    """Scale the shorter side to `side`. False: keep the scale, and with it the ground sample distance; what is too
    small is enlarged all the same."""
    is_random: bool = False
    """Crop anywhere; False: in the middle."""
    turn: bool = False
    """Turn and mirror at random: seen from above there is no up."""

    def show(self, sample: Sample, rng: np.random.Generator) -> Picture:
        """The picture as it is displayed: side x side x 3. Raises `RecordError` as the decoder does."""
        picture = decode_display(sample.image, is_linear=sample.is_linear, at_least=self._at_least)
        return self.cut(picture, rng)

    def read(self, sample: Sample, rng: np.random.Generator) -> Picture:
        """The picture as it is stored: side x side x C, C 1 or 3. Raises `RecordError` as the decoder does."""
        return self.cut(to_levels(decode_image(sample.image, self._at_least)), rng)

    def cut(self, picture: Picture, rng: np.random.Generator) -> Picture:
        """Scale, crop and turn decoded pixels: equal generators cut pictures of equal size alike."""
        if self.scale or min(picture.shape[:2]) < self.side:
            picture = scale_shorter(picture, self.side)
        picture = (
            crop_anywhere(picture, self.side, rng) if self.is_random else crop_middle(picture, self.side)
        )
        return np.ascontiguousarray(turn(picture, rng) if self.turn else picture)

    def find_factor(self, sample: Sample) -> float:
        """How much finer the pixels of the square are than those of the stored picture: 0.5 where it is halved.

        The ground sample distance of the square is that of the sample, divided by it. Raises `RecordError` as
        `probe_image`.
        """
        header = probe_image(sample.image)
        shorter = min(header.width, header.height)
        return self.side / shorter if self.scale or shorter < self.side else 1.0

    @property
    def _at_least(self) -> int:
        return self.side if self.scale else 0


def scale_shorter(picture: Picture, shorter: int) -> Picture:
    """Scale so that the shorter side has so many pixels: averaged on the way down, cubic on the way up.

    Raises `RecordError` TOO_LARGE for a strip so long that it would not fit the memory that one picture may take.
    """
    height, width, channels = picture.shape
    factor = shorter / min(height, width)
    if factor == 1:
        return picture
    size = (max(shorter, round(width * factor)), max(shorter, round(height * factor)))
    if size[0] * size[1] * channels > MAX_DECODED_BYTES:
        raise RecordError(
            Reason.TOO_LARGE,
            f"{width} x {height} pixels become {size[0]} x {size[1]} with a side of {shorter}",
        )
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, size, interpolation=how)
    return np.asarray(scaled, np.uint8).reshape(size[1], size[0], channels)


def crop_middle(picture: Picture, side: int) -> Picture:
    """The square in the middle."""
    y, x = ((extent - side) // 2 for extent in picture.shape[:2])
    return picture[y : y + side, x : x + side]


def crop_anywhere(picture: Picture, side: int, rng: np.random.Generator) -> Picture:
    """A square anywhere."""
    y, x = (int(rng.integers(extent - side + 1)) for extent in picture.shape[:2])
    return picture[y : y + side, x : x + side]


def turn(picture: Picture, rng: np.random.Generator) -> Picture:
    """One of the eight turned and mirrored forms of a square, each as likely."""
    turned = np.rot90(picture, int(rng.integers(4)))
    return turned[:, ::-1] if rng.integers(2) else turned

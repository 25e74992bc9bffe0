"""How large pictures are and how they are encoded, and how larger ones are brought to a side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from earthloom.core.blobs import translate_read_errors
from earthloom.core.errors import RecordError
from earthloom.core.images import probe_image
from earthloom.evaluate.sets import Entry
from earthloom.models.encoders.encoder import (
    Encoder,
    Features,
    Picture,
    Pictures,
    Prepared,
    describe_in_batches,
)

_SURVEYED = 200
"""Pictures of a set whose headers are looked at: enough for what most of them are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What the files of a set are, from some of them."""

    side: int | None
    """Median of the shorter sides, pixels; None where no header could be read."""
    sides: tuple[int, int] | None
    """The least and the largest of the shorter sides."""
    formats: Mapping[str, int]
    """Encodings, such as `JPEG`, to how many of the pictures that were looked at have them."""

    def to_details(self) -> dict[str, Any]:
        """For the record of a set."""
        return {"side": self.side, "sides": self.sides, "formats": dict(self.formats)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shrunk:
    """An encoder that first brings larger pictures to a side, so that sets of several sizes show equal detail."""

    encoder: Encoder
    side: int
    """Of the shorter side, pixels."""

    @property
    def name(self) -> str:
        """That of the encoder: the rule tells the two apart."""
        return self.encoder.name

    @property
    def version(self) -> str:
        """That of the encoder."""
        return self.encoder.version

    @property
    def resize(self) -> str:
        """Both rules in words."""
        return f"area@1: shorter side to {self.side} px by the mean of areas where it is longer; {self.encoder.resize}"

    @property
    def width(self) -> int:
        """Number of features."""
        return self.encoder.width

    @property
    def batch(self) -> int:
        """That of the encoder."""
        return self.encoder.batch

    @property
    def frechet(self) -> str:
        """That of the encoder."""
        return self.encoder.frechet

    @property
    def kernel(self) -> str:
        """That of the encoder."""
        return self.encoder.kernel

    def prepare(self, picture: Picture) -> Prepared:
        """Shrink, then prepare."""
        return self.encoder.prepare(shrink(picture, self.side))

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """As the encoder."""
        return self.encoder.encode(prepared)

    def describe(self, pictures: Pictures) -> Features:
        """Both, N x D."""
        return describe_in_batches(self, pictures)


def survey(entries: Sequence[Entry]) -> Survey:
    """Look at the headers of some pictures, evenly from the first to the last."""
    sides, formats = [], Counter[str]()
    chosen = np.unique(np.linspace(0, max(len(entries) - 1, 0), min(_SURVEYED, len(entries))).astype(int))
    for row in chosen:
        shown = entries[row].shown
        try:
            with translate_read_errors(str(shown.path)):
                header = probe_image(shown.read_bytes())
        except RecordError:  # it is refused, and told of, when it is read as a whole
            continue
        sides.append(min(header.width, header.height))
        formats[header.format] += 1
    return Survey(
        side=int(np.median(sides)) if sides else None,
        sides=(min(sides), max(sides)) if sides else None,
        formats=formats,
    )


def shrink(picture: Picture, side: int) -> Picture:
    """Bring the shorter side of an H x W x 3 picture to `side` by the mean of areas; smaller ones stay as they are."""
    height, width = picture.shape[:2]
    if min(height, width) <= side:
        return picture
    factor = side / min(height, width)
    size = (max(side, round(width * factor)), max(side, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

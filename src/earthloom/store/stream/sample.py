"""One picture with its words and with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from earthloom.core.images import decode_image, to_levels
from earthloom.core.records import Effect, Label
from earthloom.store.shown import decode_display

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """One caption."""

    text: str
    style: str | None = None
    """As in `earthloom.core.records.Caption`, and so are the next two; None where the source does not say."""
    role: str | None = None
    author: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One picture, its captions and its facts. What is not known is None."""

    key: str
    """Id of a pair; for what is no release of ours, its id, or its place: `SHARD/KEY`, `FILE/ROW`, path of a file."""
    base_key: str
    """Id of the pair that it is a variant of; its own key where it is none."""
    group: str
    """What must never be split; its own key where the source does not say."""
    pair_key: str | None
    """Equal for samples of several modalities that show one ground at one time."""
    image: bytes
    """The encoded picture, as stored."""
    captions: tuple[Words, ...]
    modality: str | None = None
    """`rgb`, `nir` or `sar`."""
    gsd_m: float | None = None
    """Effective ground sample distance, metres."""
    lon: float | None = None
    lat: float | None = None
    """Centre, degrees, WGS 84."""
    acquired: str | None = None
    """ISO 8601, as precise as known."""
    cloud_share: float | None = None
    """Of the whole source image, 0 to 1."""
    platform: str | None = None
    sensor: str | None = None
    country: str | None = None
    season: str | None = None
    effect: Effect | None = None
    labels: tuple[Label, ...] = ()
    source: str | None = None
    split: str | None = None
    is_linear: bool = False
    """True where stored values are linear in light or in decibels, as those of stretched counts are; else sRGB."""
    polarisation: str | None = None
    extra: Mapping[str, bytes] = field(default_factory=dict)
    """Other members of the sample by their names after the key, such as `latents.npy`."""

    def picture(self) -> Picture:
        """Decode the picture as it is displayed: H x W x 3, 8-bit sRGB. Raises `RecordError` as the decoder does."""
        return decode_display(self.image, is_linear=self.is_linear)

    def levels(self) -> Picture:
        """Decode the picture as it is stored: H x W x C, 8 bits, C 1 or 3, alpha dropped.

        Raises `RecordError` as the decoder does.
        """
        return to_levels(decode_image(self.image))

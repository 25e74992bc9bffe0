"""From a sample to the square that is learnt from, with what XL is told of how it was cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.images import probe_image
from earthloom.core.seeds import make_rng
from earthloom.store.shown import decode_display
from earthloom.store.stream.sample import Sample
from earthloom.train.lora.config import LoraSettings
from earthloom.train.pictures import Picture, scale_shorter, turn


@dataclass(frozen=True, slots=True)
class Cut:
    """A square, and where it comes from."""

    pixels: Picture
    """S x S x 3."""
    sizes: npt.NDArray[np.float32]
    """Height and width of the stored picture; top and left of the square in the scaled one; S twice: as SDXL is told
    (Podell et al., ICLR 2024, section 2.2)."""


def cut_square(sample: Sample, settings: LoraSettings, rng: np.random.Generator) -> Cut:
    """Scale a picture's shorter side to `size`, crop and turn it as the settings say.

    Raises `RecordError` as the decoder does. Nothing is drawn where nothing is random.
    """
    side = settings.size
    header = probe_image(sample.image)
    picture = decode_display(sample.image, is_linear=sample.is_linear, at_least=side)
    scaled = scale_shorter(picture, side)
    room = [extent - side for extent in scaled.shape[:2]]
    top, left = (
        (int(rng.integers(n + 1)) for n in room) if settings.crop == "random" else (n // 2 for n in room)
    )
    square = scaled[top : top + side, left : left + side]
    if settings.turn:
        square = turn(square, rng)
    sizes = np.array([header.height, header.width, top, left, side, side], np.float32)
    return Cut(np.ascontiguousarray(square), sizes)


def cut_variants(sample: Sample, settings: LoraSettings, seed: int) -> list[Cut]:
    """The squares that a cache keeps of a picture: they depend on the seed and its key alone. Raises `RecordError`."""
    return [
        cut_square(sample, settings, make_rng(seed, "variant", sample.key, str(number)))
        for number in range(settings.variants or 1)
    ]


def find_pixel_factor(sample: Sample, settings: LoraSettings) -> float:
    """How many times as much ground a pixel of the square shows as one of the picture. Raises `RecordError`."""
    header = probe_image(sample.image)
    return min(header.height, header.width) / settings.size

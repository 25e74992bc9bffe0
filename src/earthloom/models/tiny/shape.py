"""The measures of a tiny painter: all that its networks are made from. No torch here: recipes are checked by it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from earthloom.core.settings import Settings


class TinyMeasures(Settings):
    """How large the networks are; all that a recipe may choose."""

    side: int = Field(32, ge=8, le=512)
    """Side of the pictures that are learnt and drawn, pixels."""
    patch: int = Field(2, ge=1, le=8)
    """Pixels of a square of this side are handled as one, with as many times more channels: fast, slightly coarser."""
    width: int = Field(64, ge=32, le=1024, multiple_of=32)
    """Features at the finest size."""
    growth: tuple[int, ...] = Field((1, 2, 3), min_length=1, max_length=6)
    """Factors of `width`, one for each halving of the size; the first is at the finest."""
    blocks: int = Field(1, ge=1, le=8)
    """Residual blocks at each size, on the way down and again on the way up."""
    attention_side: int = Field(8, ge=0, le=64)
    """Sizes up to this side, in patches, look at the words and at all of the picture."""
    text_width: int = Field(128, ge=32, le=1024, multiple_of=32)
    """Features of a word."""
    text_layers: int = Field(2, ge=0, le=12)
    """Layers of the text encoder."""
    text_length: int = Field(32, ge=4, le=512)
    """Words of a prompt that are read; what comes after them is cut off, which is told."""
    buckets: int = Field(4096, ge=64, le=2**20)
    """Rows of the table of words; each word is the sum of two of them."""

    @property
    def multiple(self) -> int:
        """What the side of a picture must be a multiple of."""
        return int(self.patch * 2 ** (len(self.growth) - 1))

    @model_validator(mode="after")
    def _check_side(self) -> Self:
        if self.side % self.multiple:
            raise ValueError(
                f"side: wants a multiple of {self.multiple} (`patch` times 2 for every halving), got {self.side}."
            )
        return self


class TinyShape(TinyMeasures):
    """Measures, and the pictures that go in and come out."""

    channels: int = Field(3, ge=1, le=16)
    """Of the pictures: 3 for RGB, 1 for near infrared and radar."""
    control_channels: int = Field(0, ge=0, le=16)
    """Of a picture of the same ground that it draws from, such as 3 for RGB; 0 for none."""

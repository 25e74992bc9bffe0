"""What a recipe may say about tiles."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from earthloom.core.records import Modality
from earthloom.core.settings import Settings

Gsd = Annotated[float, Field(gt=0, le=100_000)]


def _check_distinct(
    distances: tuple[Literal["native"] | float, ...],
) -> tuple[Literal["native"] | float, ...]:
    if len(set(distances)) < len(distances):
        raise ValueError(f"wants each distance once, got {list(distances)}.")
    return distances


Gsds = Annotated[tuple[Literal["native"] | Gsd, ...], Field(min_length=1), AfterValidator(_check_distinct)]


class Range(Settings):
    """Fixed limits in the unit of the scene's quantity (dB for SAR), one pair or one for each channel."""

    range: tuple[float, float] | tuple[tuple[float, float], ...]
    """[low, high], or one such pair for each channel: what becomes 0 and what becomes 255."""

    def pairs(self) -> tuple[tuple[float, float], ...]:
        """The limits as pairs: one for all channels, or one for each."""
        first = self.range[0]
        return self.range if isinstance(first, tuple) else (self.range,)  # type: ignore[return-value]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.range or not all(low < high for low, high in self.pairs()):
            raise ValueError(f"range: wants low < high, got {list(self.range)}.")
        return self


class Percentile(Settings):
    """Limits at two percentiles of the scene's valid pixels, one stretch for all tiles of a scene."""

    percentile: tuple[float, float]
    """[low, high], 0 to 100."""
    joint: bool = False
    """True: one pair of limits for all channels, which keeps colours as measured."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        low, high = self.percentile
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentile: wants 0 <= low < high <= 100, got {[low, high]}.")
        return self


Stretching = Literal["auto", "none"] | Range | Percentile
"""`auto`: none for 8-bit pictures, percentiles 2 and 98 for counts, the fixed dB clips for SAR."""


class Radiometry(Settings):
    """How measured values become 8-bit ones."""

    rgb: Stretching = "auto"
    """`auto`: none for 8-bit pictures, else between percentiles 2 and 98."""
    nir: Stretching = "auto"
    """`auto`: none for 8-bit pictures, else between percentiles 2 and 98."""
    sar: Stretching = "auto"
    """`auto`: none for 8-bit pictures, else between fixed values in dB that depend on the polarisation."""

    def of(self, modality: Modality) -> Stretching:
        """The rule for one modality."""
        return {Modality.RGB: self.rgb, Modality.NIR: self.nir, Modality.SAR: self.sar}[modality]


class Encoding(Settings):
    """How tiles are stored. SAR is lossless: JPEG changes the statistics of speckle."""

    rgb: Literal["jpg", "png"] = "jpg"
    """JPEG without chroma subsampling, or lossless."""
    nir: Literal["jpg", "png"] = "jpg"
    """JPEG, or lossless."""
    sar: Literal["jpg", "png"] = "png"
    """JPEG, or lossless."""
    quality: int = Field(95, ge=1, le=100)
    """Of JPEG, as libjpeg counts it."""


class FixedCrop(Settings):
    """A square of source pixels at a fixed place in its scene; it becomes one tile."""

    side: int = Field(ge=16, le=2**16)
    """Source pixels."""
    across: Literal["left", "centre", "right"] = "centre"
    """Where it stands from left to right."""
    down: Literal["top", "centre", "bottom"] = "centre"
    """Where it stands from top to bottom."""
    shift_x: int = 0
    """Source pixels by which it is moved to the right."""
    shift_y: int = 0
    """Source pixels by which it is moved down."""


class Enlarge(Settings):
    """How a scene that is smaller than a tile becomes one. `gsd_m` stays that of the source, whatever is drawn."""

    with_: Literal["cubic", "onnx"] = Field("cubic", alias="with")
    """`cubic`: interpolation, no detail is added. `onnx`: a super-resolution network of yours, whose detail is
    invented; it draws RGB pictures of 8 bits, other scenes are enlarged by a cubic."""
    weights: str | None = Field(None, min_length=1)
    """The network, an ONNX file that OpenCV can run: RGB in and out, float32, 1 x 3 x H x W, 0 to 1."""
    scale: Literal[2, 4] | None = None
    """How many times larger than its input the network draws; the result is then brought to the size of a tile."""

    @model_validator(mode="after")
    def _check_network(self) -> Self:
        if self.with_ == "onnx" and (self.weights is None or self.scale is None):
            raise ValueError("enlarge with onnx wants `weights` (a file) and `scale` (2 or 4).")
        if self.with_ == "cubic" and (self.weights is not None or self.scale is not None):
            raise ValueError("enlarge with cubic takes no `weights` and no `scale`; say `with: onnx`.")
        return self


Fit = Literal["windows", "whole", "nested", "fixed"]


class TileSettings(Settings):
    """How scenes are cut."""

    size: int = Field(512, ge=16, le=8192)
    """Side of a tile, pixels."""
    gsd_m: Gsds = ("native",)
    """Ground sample distances to make; one finer than a scene's own is refused for that scene."""
    fit: Fit = "windows"
    """`windows`: a grid of tiles for each distance of `gsd_m`, on its own. `whole`: the largest centred square becomes
    one tile. `nested`: a grid for the coarsest distance, and about the centre of each of its tiles one tile of every
    other distance. `fixed`: the squares of `crops`, whose distances follow from their sides. Tiles of one centre are
    linked by `base_id` in `whole`, `nested` and `fixed`."""
    crops: tuple[FixedCrop, ...] = ()
    """For `fit: fixed`: squares to cut from every scene. One that does not fit in is refused, or padded where `small`
    says so; squares that coincide in a scene are cut once."""
    crops_above: int = Field(0, ge=0)
    """For `fit: fixed`: a scene with a side of this many pixels or fewer is drawn as `whole` instead."""
    edges: Literal["drop", "pad", "shift"] = "shift"
    """The remainder at right and bottom: drop it, pad it (with a mask), or shift the last window inwards."""
    small: Literal["enlarge", "pad", "drop"] = "enlarge"
    """A scene with a side shorter than a tile: enlarge it (`gsd_m` stays that of the source), pad or refuse it."""
    enlarge: Enlarge = Enlarge()
    """By what it is enlarged."""
    min_side: int = Field(32, ge=1)
    """A scene with a shorter side is refused."""
    min_valid: float = Field(0.8, ge=0, le=1)
    """Smallest share of valid pixels."""
    resample: Literal["mtf", "area"] = "mtf"
    """`mtf`: linear light and a Gaussian with a modulation of 0.25 at the output's Nyquist frequency, as optics
    have. `area`: averaging of stored values, faster."""
    radiometry: Radiometry = Radiometry()
    """How measured values become 8-bit ones, by modality."""
    encoding: Encoding = Encoding()
    """How tiles are stored, by modality."""

    @model_validator(mode="after")
    def _check_crops(self) -> Self:
        if self.fit == "fixed" and not self.crops:
            raise ValueError("fit: fixed wants `crops`, such as [{side: 1024}, {side: 512}].")
        if len(set(self.crops)) < len(self.crops):
            raise ValueError("crops: wants each square once.")
        return self


class TileOverrides(Settings):
    """What one source may set differently; a field left out is taken from the recipe's `tile`."""

    gsd_m: Gsds | None = None
    """As in `tile`."""
    fit: Fit | None = None
    """As in `tile`."""
    crops: tuple[FixedCrop, ...] | None = None
    """As in `tile`."""
    crops_above: int | None = Field(None, ge=0)
    """As in `tile`."""
    edges: Literal["drop", "pad", "shift"] | None = None
    """As in `tile`."""
    small: Literal["enlarge", "pad", "drop"] | None = None
    """As in `tile`."""
    enlarge: Enlarge | None = None
    """As in `tile`; replaces the whole of it."""
    min_side: int | None = Field(None, ge=1)
    """As in `tile`."""
    min_valid: float | None = Field(None, ge=0, le=1)
    """As in `tile`."""
    resample: Literal["mtf", "area"] | None = None
    """As in `tile`."""
    radiometry: Radiometry | None = None
    """As in `tile`; replaces the whole of it."""
    encoding: Encoding | None = None
    """As in `tile`; replaces the whole of it."""

    def apply(self, settings: TileSettings) -> TileSettings:
        """The recipe's settings with the fields that are set here in their place.

        Raises pydantic's ValidationError where the two do not go together.
        """
        changes = {
            name: getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None
        }
        return TileSettings(
            **{**{name: getattr(settings, name) for name in TileSettings.model_fields}, **changes}
        )
